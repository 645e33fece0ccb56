package doctor

import (
	"context"
	"slices"

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
	Backup  string   `json:"backup,omitempty"` // folder with what the fix touched, as it was before
	Outcome string   `json:"outcome"`          // "applied", "already clear", "not applied", "rolled back"
	Reason  string   `json:"reason,omitempty"`
}

// ApplyOptions choose what Apply does.
type ApplyOptions struct {
	NoBackup bool   // guarded fixes are applied without a backup
	Backup   string // folder for dumps of what guarded fixes touch, made before each of them; "" for none
	// Each is called after every fix; nil for nobody to tell.
	Each func(Action)
}

// Apply clears what can be cleared: safe fixes always, guarded ones after a dump of
// what they touch, or when none is wanted. Each fix runs in a transaction of its own, in which its
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
	keep := backup{how: how}
	var actions []Action
	// What one fix clears can uncover another finding of the same check, such as the next
	// thing that a function lacks, and lets a fix succeed that failed before, such as a unique
	// index after the duplicates; the limit is there for two fixes that undo one another.
	for range 4 {
		done, failed := 0, len(actions)
		for _, c := range chosen {
			s.calls = nil
			got, err := s.look(ctx, c)
			if err != nil {
				return nil, err
			}
			for _, f := range got.findings {
				if slices.ContainsFunc(actions[:failed], func(a Action) bool { return a.ID == f.ID && a.Object == f.Object && a.Outcome == "not applied" }) {
					continue
				}
				a, err := s.apply(ctx, c, f, &keep)
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
	notes, err := s.sweep(ctx, true)
	if err != nil {
		return nil, err
	}
	s.opt.DryRun = 0
	s.calls = nil
	r, err := s.examine(ctx)
	if err != nil {
		return nil, err
	}
	r.Actions, r.Notes = last(actions), notes
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

// apply runs one fix. Its error means that the session is of no more use.
func (s *session) apply(ctx context.Context, c Check, f Finding, keep *backup) (Action, error) {
	a := Action{ID: f.ID, Object: f.Object, SQL: f.Fix.SQL, Undo: f.Fix.Undo, Outcome: "not applied"}
	switch {
	case len(f.Fix.SQL) == 0 || f.Fix.Safety == Advice:
		a.Reason = firstOf(f.Fix.Advice, "only a person can decide this")
		return a, nil
	case s.server.recovery:
		a.Reason = "the server is a standby"
		return a, nil
	case f.Fix.Safety == Guarded:
		if err := keep.before(ctx, s, f, &a); err != nil || a.Reason != "" {
			return a, err
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
	if before.still() == "" {
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
	if after.still() != "" {
		a.Outcome, a.Reason = "rolled back", "the finding was still there afterwards: "+after.still()
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
	var after sight
	err := s.begin(ctx, pgx.ReadOnly, func() (err error) {
		after, err = s.sees(ctx, c, f.Object)
		return err
	})
	if err == nil && after.still() == "" {
		a.Outcome = "applied"
	} else if err == nil {
		a.Reason = "the finding was still there afterwards: " + after.still()
	}
	return err
}

// sight is what a check says of one object when it is asked again.
type sight struct {
	found string // its evidence; "" when there is no finding any more
	blind string // why it could not look; "" when it could
}

// still is why the finding does not count as cleared; a check that cannot look is taken to see it.
func (v sight) still() string { return firstOf(v.found, v.blind) }

// sees asks a check in the transaction under way whether it still finds an object.
func (s *session) sees(ctx context.Context, c Check, object string) (sight, error) {
	kept := s.calls
	s.calls, s.fixing, s.about = nil, true, object
	got, err := s.look(ctx, c)
	s.calls, s.fixing, s.about = kept, false, ""
	if err != nil {
		return sight{}, err
	}
	for _, f := range got.findings {
		if f.Object == object {
			return sight{found: firstOf(f.Evidence, f.Title)}, nil
		}
	}
	for _, k := range got.skipped {
		if k.Object == object || k.Object == "" {
			return sight{blind: k.Reason}, nil
		}
	}
	return sight{}, nil
}
