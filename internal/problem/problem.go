// Package problem holds the kinds of failure that Manito tells apart, each with
// the exit code of the command line, the HTTP status of the server and the fixes
// it offers. It imports nothing of Manito; every package may import it.
//
// An error is made once, where the cause is known, with New or Wrap; it travels
// up wrapped with %w; the face (command line, REST, MCP) prints its message and
// its fixes once. Whoever prints it does not return it, and the reverse.
package problem

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind classifies a failure by what its reader can do about it.
type Kind uint8

// The kinds. Their order is of no meaning and is never stored.
const (
	// Internal is a defect in Manito or a failure nobody foresaw.
	Internal Kind = iota
	// Usage is a request that cannot be understood: an unknown flag, a query that does not parse.
	Usage
	// NotFound is a well-formed request for something that does not exist.
	NotFound
	// Ambiguous is a name that denotes several things; the fixes list them.
	Ambiguous
	// Unavailable is a service that does not answer: the database is away, a provider is down.
	Unavailable
	// Conflict is a request that another one, under way, excludes.
	Conflict
	// Denied is a request whose author has not the right.
	Denied
	// Unsupported is a request that this build, platform or server version cannot serve.
	Unsupported
	// Invalid is input that was read and is wrong: a broken archive, an edited migration.
	Invalid
	// Exhausted is a limit reached: disk full, too many connections, size or time limits.
	Exhausted
	// Interrupted is work that its author stopped.
	Interrupted
	// Incomplete is an answer that could not look at everything it should have.
	Incomplete
)

// table maps each kind to its word, its exit code and its HTTP status.
var table = [...]struct {
	word   string
	exit   int
	status int
}{
	Internal:    {"internal", 3, 500},
	Usage:       {"usage", 2, 400},
	NotFound:    {"not-found", 4, 404},
	Ambiguous:   {"ambiguous", 2, 409},
	Unavailable: {"unavailable", 3, 503},
	Conflict:    {"conflict", 3, 409},
	Denied:      {"denied", 3, 403},
	Unsupported: {"unsupported", 3, 501},
	Invalid:     {"invalid", 3, 422},
	Exhausted:   {"exhausted", 3, 507},
	Interrupted: {"interrupted", 130, 499},
	Incomplete:  {"incomplete", 5, 206},
}

// String is the kind's word in lower case, as it stands in JSON.
func (k Kind) String() string {
	if int(k) < len(table) {
		return table[k].word
	}
	return "internal"
}

// ExitCode is the process's exit code for a failure of this kind.
func (k Kind) ExitCode() int {
	if int(k) < len(table) {
		return table[k].exit
	}
	return 3
}

// Status is the HTTP status for a failure of this kind.
func (k Kind) Status() int {
	if int(k) < len(table) {
		return table[k].status
	}
	return 500
}

// Error is a failure that a person can act on.
type Error struct {
	Kind    Kind
	Message string   // what is wrong and where; no trailing full stop
	Fixes   []string // what to do, most likely first; each an imperative sentence or a command
	Cause   error    // what was underneath; nil when the message says it all
}

// Error is the message followed by its cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of a kind from a format; use Fix to say what to do.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of a kind around a cause. A nil cause gives a nil error.
func Wrap(cause error, kind Kind, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// Fix adds a fix and returns the same error, so that it chains after New.
func (e *Error) Fix(format string, args ...any) *Error {
	e.Fixes = append(e.Fixes, fmt.Sprintf(format, args...))
	return e
}

// Because sets the cause and returns the same error, so that it chains after New.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// KindOf is the kind of the outermost Error in the chain. A cancelled context is
// Interrupted, a context past its deadline Unavailable, anything else Internal.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return Internal
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	}
	return Internal
}

// Fixes collects the fixes of every Error in the chain, outermost first, without repeats.
func Fixes(err error) []string {
	var out []string
	seen := map[string]bool{}
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		for _, f := range e.Fixes {
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
		err = e.Cause
	}
	return out
}

// Call wraps err with the call that failed; use it with defer at a package's border:
//
//	defer problem.Call(&err, "Publish(%q)", ref)
//
// It leaves a nil error and the error's kind and fixes alone.
func Call(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", strings.TrimSuffix(fmt.Sprintf(format, args...), ":"), *err)
	}
}
