// Package lint finds statements in migrations that would hurt a database in use: they
// hold a lock that stops every reader or writer, rewrite a table, lose rows, break the
// program that still runs, or work in one installation only.
//
// A Rule is one such danger, with a stable code. It is applied to the tree that
// PostgreSQL's own parser makes of a statement (compiled to WebAssembly, so that no C
// compiler is needed; loading it takes a second or two and some megabytes, which is why
// the runner does not import this package).
//
// A comment allows what a rule would refuse, for the statement below it, with a reason:
//
//	-- lint: allow rename: nothing reads the column before this release
//
// Only cli and tests may import it.
package lint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/wasilibs/go-pgquery/parser"

	"manito/internal/migrate"
	"manito/internal/problem"
)

// Report is what the linter found. Its JSON has "schema": "manito/db-lint/v1".
type Report struct {
	Schema     string            `json:"schema"`
	Files      int               `json:"files"`
	Statements int               `json:"statements"`
	Findings   []migrate.Finding `json:"findings"` // by file and line
	Allowed    []Allowance       `json:"allowed"`  // what comments in the files allow
}

// Allowance is a comment that allowed something.
type Allowance struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // of the comment
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// Run lints a folder of migrations. Findings are no error; an error means that a file
// could not be read.
func Run(ctx context.Context, fsys fs.FS) (rep *Report, err error) {
	defer problem.Call(&err, "migrate lint")
	files, findings, err := migrate.Parse(fsys)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "reading the migrations")
	}
	rep = &Report{Schema: "manito/db-lint/v1", Files: len(files), Findings: []migrate.Finding{}, Allowed: []Allowance{}}
	rep.Findings = append(rep.Findings, findings...)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		text, err := fs.ReadFile(fsys, f.Name)
		if err != nil {
			return rep, problem.Wrap(err, problem.Internal, "reading migration %s", f.Name)
		}
		l := linter{file: f, rep: rep, created: map[string]bool{}, locked: map[string]bool{}}
		l.run(string(text))
	}
	slices.SortStableFunc(rep.Findings, func(a, b migrate.Finding) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return rep, nil
}

// linter walks through one file.
type linter struct {
	file   migrate.File
	rep    *Report
	allows []*allow

	created map[string]bool // relations that this file made: nobody uses them yet
	locked  map[string]bool // relations of before on which this file holds a lock that stops readers
	values  []string        // of enums, added in this file
	ddl     bool
	dml     int // line of the first statement that changes rows; 0 without one

	statement migrate.Statement
	line      int // of the statement
}

// allow is a comment that allows a rule for the statement below it.
type allow struct {
	Allowance
	used bool
}

var allowComment = regexp.MustCompile(`^\s*--\s*lint:\s*allow\s+([a-z-]+)\s*(?::\s*(.*\S))?\s*$`)

// schemaName is what {{schema}} is in the statements that are parsed. A name of an
// identifier's greatest length would do as well; it only has to be recognised.
const schemaName = "manito"

// run applies every rule to every statement of the file.
func (l *linter) run(text string) {
	for i, line := range strings.Split(text, "\n") {
		if m := allowComment.FindStringSubmatch(strings.TrimSuffix(line, "\r")); m != nil {
			l.allows = append(l.allows, &allow{Allowance: Allowance{File: l.file.Name, Line: i + 1, Rule: m[1], Reason: m[2]}})
		}
	}
	for _, s := range l.file.Up {
		l.lint(s, false)
	}
	if l.ddl && l.dml > 0 {
		l.line = l.dml
		l.found("rows-and-objects", "the file defines objects and changes rows: the locks of the first last as long as the second").
			Fix = "split it into two files"
	}
	for _, s := range l.file.Down {
		l.lint(s, true)
	}
	for _, a := range l.allows {
		l.line = a.Line
		switch {
		case a.Reason == "":
			l.report(migrate.Finding{Code: "allow", Severity: migrate.High, Message: "the comment allows " + a.Rule + " without a reason"}).
				Fix = "write -- lint: allow " + a.Rule + ": why"
		case !a.used:
			l.report(migrate.Finding{Code: "allow", Severity: migrate.Low, Message: "the comment allows " + a.Rule + ", which nothing here needs"}).
				Fix = "remove the comment"
		default:
			l.rep.Allowed = append(l.rep.Allowed, a.Allowance)
		}
	}
}

// lint parses one statement and applies the rules. What undoes a migration may drop and
// lock; there only parsing and what always is wrong are looked at.
func (l *linter) lint(s migrate.Statement, down bool) {
	l.rep.Statements++
	l.statement, l.line = s, s.Line
	sql := s.Expand(schemaName, migrate.RolesFor(schemaName))
	text, err := parser.ParseToJSON(sql)
	if err != nil {
		var e *parser.Error
		if errors.As(err, &e) && e.Cursorpos > 0 {
			l.line += strings.Count(string([]rune(sql)[:min(e.Cursorpos-1, len([]rune(sql)))]), "\n")
		}
		l.found("syntax", "PostgreSQL's parser says: %v", err).Fix = "correct the statement"
		return
	}
	var tree struct {
		Stmts []struct {
			Stmt node `json:"stmt"`
		} `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		l.found("syntax", "the parser's answer cannot be read: %v", err).Fix = "report this"
		return
	}
	for _, st := range tree.Stmts {
		for kind, body := range st.Stmt {
			n, ok := body.(map[string]any)
			if !ok {
				continue
			}
			l.always(kind, n)
			if !down {
				l.up(kind, n)
			}
		}
	}
}

// found reports a rule's finding at the current line, unless a comment above the
// statement allows it. It returns the finding, to add the fix; never nil.
func (l *linter) found(code, format string, args ...any) *migrate.Finding {
	for _, a := range l.allows {
		if a.Rule == code && a.Reason != "" && a.Line < l.statement.Line && !l.between(a.Line, l.statement.Line) {
			a.used = true
			return &migrate.Finding{}
		}
	}
	severity, ok := Rules[code]
	if !ok {
		severity = migrate.High
	}
	return l.report(migrate.Finding{Code: code, Severity: severity, Message: fmt.Sprintf(format, args...)})
}

// between says whether another statement starts between two lines.
func (l *linter) between(from, to int) bool {
	for _, s := range slices.Concat(l.file.Up, l.file.Down) {
		if s.Line > from && s.Line < to {
			return true
		}
	}
	return false
}

func (l *linter) report(f migrate.Finding) *migrate.Finding {
	f.Version, f.File, f.Line = l.file.Version, l.file.Name, l.line
	l.rep.Findings = append(l.rep.Findings, f)
	return &l.rep.Findings[len(l.rep.Findings)-1]
}
