package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// State sums up a database in one word.
type State string

// The states, from the one that hides all others to the good one.
const (
	StateForeign       State = "foreign"       // the schema is another program's
	StateUninitialised State = "uninitialised" // no roles, no schema or no pg_trgm: Init is missing
	StateInconsistent  State = "inconsistent"  // ledger and files contradict each other
	StateNewer         State = "newer"         // the database has migrations that this program does not know
	StateFailed        State = "failed"        // the next migration failed the last time
	StatePending       State = "pending"       // migrations wait to be applied
	StateCurrent       State = "current"       // nothing to do
)

// StateError is what Check returns unless the state is StateCurrent. It wraps the
// problem.Error with the message and the fixes.
type StateError struct {
	State    State
	Versions []int64 // the migrations concerned, if any
	err      *problem.Error
}

// Error is the message of the problem.
func (e *StateError) Error() string { return e.err.Error() }

// Unwrap returns the *problem.Error.
func (e *StateError) Unwrap() error { return e.err }

// Check looks whether this program can work with the database, as any role that may
// read the ledger (the app can). It changes nothing. An external database is checked at
// start: it is migrated on purpose, never by accident.
func (m *Migrator) Check(ctx context.Context) (err error) {
	defer problem.Call(&err, "migrate check")
	if err := m.runnable(); err != nil {
		return err
	}
	return m.read(ctx, func(s site, conn *pgx.Conn) error {
		if err := s.asOwner(ctx, conn); err != nil {
			return err
		}
		applied, err := s.readLedger(ctx, conn)
		if err != nil {
			return err
		}
		attempts, err := s.readAttempts(ctx, conn, 1000)
		if err != nil {
			return err
		}
		if e := m.judge(&s, applied, lastTries(attempts)); e != nil {
			return e
		}
		return nil
	})
}

// asOwner makes the session the owner's when it may; the app stays what it is.
func (s *site) asOwner(ctx context.Context, conn *pgx.Conn) error {
	if !s.hasSchema || !s.member {
		return nil
	}
	_, err := conn.Exec(ctx, s.become())
	return explain(ctx, err, "becoming the owner")
}

// judge names the state; nil is StateCurrent.
func (m *Migrator) judge(s *site, applied []Applied, last map[int64]Attempt) *StateError {
	if !s.hasLedger && s.count > 0 {
		return &StateError{State: StateForeign, err: s.foreign()}
	}
	const initialise = "create the roles and the schema: manito db init"
	switch {
	case !s.hasSchema:
		return &StateError{State: StateUninitialised, err: problem.New(problem.NotFound, "database %q has no schema %q", s.Database, s.schema).Fix(initialise)}
	case len(s.missing) > 0:
		return &StateError{State: StateUninitialised, err: problem.New(problem.NotFound, "the role %s does not exist", strings.Join(s.missing, ", ")).Fix(initialise)}
	case s.trgm == "":
		return &StateError{State: StateUninitialised, err: problem.New(problem.NotFound, "database %q lacks the extension pg_trgm", s.Database).
			Fix("manito db init creates it, when the server has the contrib modules installed")}
	}
	if found := compare(m.files, applied); len(found) > 0 {
		e := &StateError{State: StateInconsistent, Versions: versions(found)}
		if found[0].Code == "newer" {
			e.State = StateNewer
		}
		e.err = problem.New(problem.Invalid, "%s", found[0].Message).Fix("%s", found[0].Fix)
		return e
	}
	todo := pending(m.files, applied)
	if len(todo) == 0 {
		return nil
	}
	e := &StateError{State: StatePending}
	for _, f := range todo {
		e.Versions = append(e.Versions, f.Version)
	}
	if a, tried := last[todo[0].Version]; tried && a.Direction == "up" && (a.Outcome == "failed" || a.Outcome == "abandoned") {
		e.State = StateFailed
		how := "was broken off"
		if a.Outcome == "failed" {
			how = fmt.Sprintf("failed (%s)", a.Error)
		}
		e.err = problem.New(problem.Conflict, "migration %s %s on %s; schema %q is at version %d of %d", a.Name, how,
			a.StartedAt.UTC().Format("2006-01-02 15:04 MST"), s.schema, newest(applied), m.latest()).
			Fix("see what happened: manito db status").
			Fix("try again: manito db up")
		return e
	}
	e.err = problem.New(problem.Conflict, "schema %q is at version %d; this program needs %d", s.schema, newest(applied), m.latest()).
		Fix("apply the %d pending migrations: manito db up", len(todo))
	return e
}

// latest is the newest version that there is a file for.
func (m *Migrator) latest() int64 {
	if len(m.files) == 0 {
		return 0
	}
	return m.files[len(m.files)-1].Version
}

// versions are those of some findings, each once, in order.
func versions(found []Finding) []int64 {
	var out []int64
	for _, f := range found {
		if f.Version != 0 && (len(out) == 0 || out[len(out)-1] != f.Version) {
			out = append(out, f.Version)
		}
	}
	return out
}

// lastTries is the latest attempt at each version, from attempts that are newest first.
func lastTries(attempts []Attempt) map[int64]Attempt {
	last := map[int64]Attempt{}
	for _, a := range slices.Backward(attempts) {
		last[a.Version] = a
	}
	return last
}
