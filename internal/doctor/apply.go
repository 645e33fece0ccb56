package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// patience is how long a fix that is being applied waits for its lock.
const patience = "2s"

// Action is what became of one fix.
type Action struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	SQL     []string `json:"sql"`
	Undo    string   `json:"undo,omitempty"`
	Outcome string   `json:"outcome"` // "applied", "already clear", "not applied", "rolled back"
	Reason  string   `json:"reason,omitempty"`
}

// ApplyOptions choose what Apply does.
type ApplyOptions struct {
	NoBackup bool   // guarded fixes are applied without a backup
	Backup   string // folder for a dump of the schemas, made before the first guarded fix; "" for none
	// Each is called after every fix; nil for nobody to tell.
	Each func(Action)
}

// Apply clears what can be cleared: safe fixes always, guarded ones when there is a
// backup or none is wanted. Each fix runs in a transaction of its own, in which its
// check is asked before and after: a fix that does not clear its finding is rolled
// back. It returns the report of an examination afterwards, so that a second Apply
// has nothing to do and one that was interrupted can be run again.
func Apply(ctx context.Context, opt Options, how ApplyOptions) (*Report, error) {
	s, err := open(ctx, opt)
	if err != nil {
		return nil, err
	}
	defer s.close(ctx)
	chosen, err := choose(opt.Only)
	if err != nil {
		return nil, err
	}
	guarded := guard{how: how}
	var actions []Action
	// What one fix clears can uncover another finding of the same check, such as the next
	// thing that a function lacks; the limit is there for two fixes that undo one another.
	for range 4 {
		done, failed := 0, len(actions)
		for _, c := range chosen {
			s.calls = nil
			got, err := s.look(ctx, c)
			if err != nil {
				return nil, err
			}
			for _, f := range got.findings {
				if slices.ContainsFunc(actions[:failed], func(a Action) bool { return a.ID == f.ID && a.Object == f.Object && a.Outcome != "applied" }) {
					continue
				}
				a, err := s.apply(ctx, c, f, &guarded)
				if err != nil {
					return nil, err
				}
				if a.Outcome == "applied" {
					done++
				}
				actions = append(actions, a)
				if how.Each != nil {
					how.Each(a)
				}
			}
		}
		if done == 0 {
			break
		}
	}
	s.opt.DryRun = 0
	s.calls = nil
	r, err := s.examine(ctx)
	if err != nil {
		return nil, err
	}
	r.Actions = last(actions)
	return r, nil
}

// last leaves the last outcome of each finding.
func last(all []Action) []Action {
	var out []Action
	for i, a := range all {
		if !slices.ContainsFunc(all[i+1:], func(b Action) bool { return a.ID == b.ID && a.Object == b.Object }) {
			out = append(out, a)
		}
	}
	return out
}

// guard decides once whether guarded fixes may be applied.
type guard struct {
	how    ApplyOptions
	asked  bool
	reason string // why not; "" when they may
}

func (g *guard) allows(ctx context.Context, s *session) string {
	if g.how.NoBackup || g.asked {
		return g.reason
	}
	g.asked = true
	if g.how.Backup == "" {
		g.reason = "it wants a backup first: --backup-dir makes one, --no-backup does without"
	} else if err := s.dump(ctx, g.how.Backup); err != nil {
		g.reason = "no backup could be made (" + err.Error() + "); --no-backup does without"
	}
	return g.reason
}

// apply runs one fix. Its error means that the session is of no more use.
func (s *session) apply(ctx context.Context, c Check, f Finding, g *guard) (Action, error) {
	a := Action{ID: f.ID, Object: f.Object, SQL: f.Fix.SQL, Undo: f.Fix.Undo, Outcome: "not applied"}
	switch {
	case len(f.Fix.SQL) == 0 || f.Fix.Safety == Advice:
		a.Reason = firstOf(f.Fix.Advice, "only a person can decide this")
		return a, nil
	case s.server.recovery:
		a.Reason = "the server is a standby"
		return a, nil
	case f.Fix.Safety == Guarded:
		if a.Reason = g.allows(ctx, s); a.Reason != "" {
			return a, nil
		}
	}
	var err error
	if f.Fix.Transaction {
		err = s.applyInside(ctx, c, f, &a)
	} else {
		err = s.applyOutside(ctx, c, f, &a)
	}
	if ctx.Err() != nil {
		return a, problem.Wrap(context.Cause(ctx), problem.KindOf(ctx.Err()), "stopped while clearing %s of %s; run it again to go on", f.ID, f.Object)
	}
	return a, err
}

func (s *session) applyInside(ctx context.Context, c Check, f Finding, a *Action) error {
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "beginning a fix")
	}
	s.tx = tx
	defer func() {
		s.tx = nil
		_ = tx.Rollback(context.WithoutCancel(ctx)) // after a commit there is nothing to roll back
	}()
	if err := s.limit(ctx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "set local lock_timeout = '"+patience+"'; set local statement_timeout = '10min'", pgx.QueryExecModeSimpleProtocol); err != nil {
		return problem.Wrap(err, problem.Unavailable, "setting the limits of a fix")
	}
	before, err := s.sees(ctx, c, f.Object)
	if err != nil {
		return err
	}
	if before == "" {
		a.Outcome = "already clear"
		return nil
	}
	for _, sql := range f.Fix.SQL {
		if _, err := tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			a.Outcome, a.Reason = "rolled back", reason(err)
			return nil
		}
	}
	after, err := s.sees(ctx, c, f.Object)
	if err != nil {
		return err
	}
	if after != "" {
		a.Outcome, a.Reason = "rolled back", "the finding was still there afterwards: "+after
		return nil
	}
	if err := tx.Commit(ctx); err != nil {
		a.Outcome, a.Reason = "rolled back", reason(err)
		return nil
	}
	a.Outcome = "applied"
	return nil
}

func (s *session) applyOutside(ctx context.Context, c Check, f Finding, a *Action) error {
	for _, sql := range f.Fix.SQL {
		if _, err := s.conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			a.Reason = reason(err)
			return nil
		}
	}
	after := ""
	err := s.begin(ctx, pgx.ReadOnly, func() (err error) {
		after, err = s.sees(ctx, c, f.Object)
		return err
	})
	if err == nil && after == "" {
		a.Outcome = "applied"
	} else if after != "" {
		a.Reason = "the finding was still there afterwards: " + after
	}
	return err
}

// sees asks a check in the transaction under way whether it still finds an object,
// and returns what it says; a check that cannot look is taken to see it.
func (s *session) sees(ctx context.Context, c Check, object string) (string, error) {
	kept := s.calls
	s.calls, s.fixing = nil, true
	got, err := s.look(ctx, c)
	s.calls, s.fixing = kept, false
	if err != nil {
		return "", err
	}
	for _, f := range got.findings {
		if f.Object == object {
			return firstOf(f.Evidence, f.Title), nil
		}
	}
	for _, k := range got.skipped {
		if k.Object == object || k.Object == "" {
			return k.Reason, nil
		}
	}
	return "", nil
}

// dryRun tries the fixes of findings and rolls each back, and notes how that went.
// Those that cannot be tried say why.
func (s *session) dryRun(ctx context.Context, all []Finding) error {
	checks := map[string]Check{}
	for _, c := range Checks() {
		checks[c.Describe().ID] = c
	}
	started := time.Now()
	for i := range all {
		fix := &all[i].Fix
		text := strings.Join(fix.SQL, "\n")
		switch {
		case len(fix.SQL) == 0:
		case s.opt.DryRun == 0:
			fix.DryRun = "not dry-run: it was not asked for"
		case !fix.Transaction:
			fix.DryRun = "not dry-run: it cannot run inside a transaction, so that it could not be rolled back"
		case strings.Contains(text, "setval("):
			fix.DryRun = "not dry-run: a rollback does not take a sequence back"
		case s.server.recovery:
			fix.DryRun = "not dry-run: the server is a standby"
		case time.Since(started) > s.opt.DryRun:
			fix.DryRun = fmt.Sprintf("not dry-run: the time for it (%s) was over", s.opt.DryRun)
		default:
			outcome, err := s.try(ctx, checks[all[i].ID], all[i])
			if err != nil {
				return err
			}
			fix.DryRun = outcome
		}
	}
	return nil
}

// try runs a fix and takes it back.
func (s *session) try(ctx context.Context, c Check, f Finding) (outcome string, err error) {
	outcome = "ok"
	err = s.begin(ctx, pgx.ReadWrite, func() error {
		for _, sql := range f.Fix.SQL {
			if _, err := s.tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				if ctx.Err() != nil || s.conn.IsClosed() {
					return problem.Wrap(err, problem.Unavailable, "trying a fix")
				}
				outcome = "failed: " + reason(err)
				return nil
			}
		}
		after, err := s.sees(ctx, c, f.Object)
		if err == nil && after != "" {
			outcome = "failed: the finding is still there afterwards: " + after
		}
		return err
	})
	return outcome, err
}
