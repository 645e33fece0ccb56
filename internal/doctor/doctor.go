// Package doctor examines a PostgreSQL database, any one from version 12 on,
// and says what is wrong with it, why, what that breaks and how to mend it.
//
// Its nouns: a Check looks for one kind of defect and has an id that never
// changes; a Finding is one defect of one object, with the evidence; a Skipped
// is something that could not be looked at, with the reason, and is never
// mistaken for health; a Fix is the SQL that clears a finding, with who must run
// it, what it locks and how it is undone; a Report is all of that. Checks of one
// family share a file.
//
// Examine leaves nothing behind. Every probe runs in a read-only transaction of its
// own, with a statement timeout and a lock timeout, so that one that fails takes no
// other with it. When fixes are to be tried, each is run in a transaction that is
// rolled back: it waits for its lock no longer than 200 ms and keeps it no longer than
// two seconds, one at a time, never on a standby, and never when a rollback would not
// take it back. A scratch copy of the schema, when one is asked for, is a database of its
// own that is dropped at the end. Apply changes the database, and nothing else does.
//
// The packages of the command line and of the server may import it.
package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Severity is how bad a finding is.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical" // data is being lost, or the product does not work
	High     Severity = "high"     // it will break, or somebody can break in
	Medium   Severity = "medium"   // it costs time, or hides the next failure
	Low      Severity = "low"      // worth knowing when the table is next changed
	Note     Severity = "info"     // a fact
)

// Severities are all severities, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Note} }

// AtLeast says whether s is as bad as limit or worse.
func (s Severity) AtLeast(limit Severity) bool {
	all := Severities()
	return slices.Index(all, s) <= slices.Index(all, limit)
}

// Safety says who may decide that a fix is applied.
type Safety string

const (
	// Safe fixes change the catalogue only or add something, hold their locks briefly and have an undo.
	Safe Safety = "safe"
	// Guarded fixes change rows or bodies, or build something big: they want a backup or a decision.
	Guarded Safety = "guarded"
	// Advice is a fix that only a person can choose.
	Advice Safety = "advice"
)

// Info describes a check.
type Info struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"` // of its worst finding
	Safety   Safety   `json:"safety"`   // of its usual fix
	Cause    string   `json:"cause"`    // how a database gets into that state
	Breaks   string   `json:"breaks"`   // what does not work because of it
	Advice   string   `json:"advice"`   // what to do where no SQL can be given

	needs   string // predefined role without which the probe sees too little; "" for none
	version int    // first server version that can be asked, such as 150000; 0 for all
}

// Check looks for one kind of defect.
type Check interface {
	// Describe says what the check looks for.
	Describe() Info
	// Probe is the SQL that the check starts from, for people to read and run.
	Probe() string
	// run looks. It returns an error when nothing could be looked at; what it could not
	// look at in part stands in the result.
	run(ctx context.Context, s *session) (result, error)
}

// result is what one check saw.
type result struct {
	findings []Finding
	skipped  []Skipped
}

// Finding is one defect.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	Object   string   `json:"object"`
	Evidence string   `json:"evidence"`
	Cause    string   `json:"cause"`
	Breaks   string   `json:"breaks"`
	Fix      Fix      `json:"fix"`
}

// Fix clears a finding. One without SQL is advice.
type Fix struct {
	Safety      Safety   `json:"safety"`
	Advice      string   `json:"advice,omitempty"`
	SQL         []string `json:"sql,omitempty"`
	Role        string   `json:"role,omitempty"` // who must run it
	Lock        string   `json:"lock,omitempty"` // strongest lock that it takes
	Undo        string   `json:"undo,omitempty"`
	Verify      string   `json:"verify,omitempty"`         // returns no row once the finding is cleared
	Transaction bool     `json:"in_transaction,omitempty"` // false for what PostgreSQL refuses inside of one
	DryRun      string   `json:"dry_run,omitempty"`        // "ok", "ok on a scratch copy", "failed: …" or "not dry-run: …"
}

// Skipped is something that could not be looked at.
type Skipped struct {
	ID     string `json:"id"`
	Object string `json:"object,omitempty"`
	Reason string `json:"reason"`
	// ByDesign is what the doctor leaves alone by itself, such as a function that would act
	// outside of its transaction; everything else is something that is missing: a right, time.
	ByDesign bool `json:"by_design,omitempty"`
}

// Incomplete says whether something could not be looked at that should have been.
func (r *Report) Incomplete() bool {
	return slices.ContainsFunc(r.Skipped, func(k Skipped) bool { return !k.ByDesign })
}

// Step is one entry of the plan.
type Step struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Fix
}

// Report is the outcome of an examination.
type Report struct {
	Schema   string    `json:"schema"` // "manito/doctor/v1"
	At       time.Time `json:"at"`     // when it was examined, by the server's clock
	Server   string    `json:"server"` // version of PostgreSQL
	Database string    `json:"database"`
	Role     string    `json:"role"`
	Schemas  []Scope   `json:"schemas"`
	Checks   int       `json:"checks"` // how many ran
	Findings []Finding `json:"findings"`
	Skipped  []Skipped `json:"skipped"`
	Plan     []Step    `json:"plan"`
	Actions  []Action  `json:"actions,omitempty"` // what Apply did
	Notes    []string  `json:"notes,omitempty"`   // about the examination itself, such as what an earlier one had left
}

// Worst is whether the report has a finding as bad as limit.
func (r *Report) Worst(limit Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity.AtLeast(limit) })
}

// Options choose what is examined.
type Options struct {
	DSN    string
	Schema string        // "" for every schema that is not PostgreSQL's
	Owner  string        // role that should own everything; "" for the owner of the schema
	App    []string      // roles that the programs run as; none: those that may write to half of the tables
	Only   []string      // ids of checks; none for all
	DryRun time.Duration // how long fixes may be tried, all together; 0 for not at all
	Hold   time.Duration // how long one fix that is tried may keep its locks; 0 for two seconds
	// Scratch lets what cannot be rolled back be tried in a scratch copy of the schema: a
	// database that is made for it, which needs the right to, and dropped again.
	Scratch bool
	Idle    time.Duration // how long a session may be idle in a transaction or sit on a migrator's lock; 0 for one minute
	Unused  time.Duration // how old the statistics must be to call an index unused; 0 for 14 days
	Limits  Limits        // from when on some figures are a finding
	Now     time.Time     // what "today" is for ends of life; the server's clock judges everything else
}

// Examine looks at a database. What could not be looked at stands in the report;
// an error means that there is no report.
func Examine(ctx context.Context, opt Options) (*Report, error) {
	s, err := open(ctx, opt)
	if err != nil {
		return nil, err
	}
	defer s.close(ctx)
	return s.examine(ctx)
}

// examine runs the chosen checks and tries their fixes.
func (s *session) examine(ctx context.Context) (*Report, error) {
	chosen, err := choose(s.opt.Only)
	if err != nil {
		return nil, err
	}
	r := &Report{Schema: "manito/doctor/v1", Server: s.server.version, Database: s.server.database, Role: s.server.user,
		Schemas: s.scopes, Checks: len(chosen), Findings: []Finding{}, Skipped: []Skipped{}, Plan: []Step{}}
	if err := s.begin(ctx, pgx.ReadOnly, func() error {
		return problem.Wrap(s.tx.QueryRow(ctx, "select now()").Scan(&r.At), problem.Internal, "asking the server for the time")
	}); err != nil {
		return nil, err
	}
	for _, c := range chosen {
		got, err := s.look(ctx, c)
		if err != nil {
			return nil, err
		}
		r.Findings = append(r.Findings, got.findings...)
		r.Skipped = append(r.Skipped, got.skipped...)
	}
	if r.Notes, err = s.sweep(ctx, s.opt.Scratch && s.opt.DryRun > 0); err != nil {
		return nil, err
	}
	if err := s.dryRun(ctx, r.Findings); err != nil {
		return nil, err
	}
	if r.Plan, err = s.plan(ctx, r.Findings); err != nil {
		return nil, err
	}
	sortFindings(r.Findings)
	return r, nil
}

// sortFindings puts the worst first; within a severity the order is that of ids and objects.
func sortFindings(all []Finding) {
	rank := Severities()
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.Severity), slices.Index(rank, b.Severity)),
			strings.Compare(a.ID, b.ID), strings.Compare(a.Object, b.Object))
	})
}
