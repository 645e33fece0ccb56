package doctor

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// hold is how long a fix that is only tried may keep its locks, its check included.
// Whoever wants the same table waits that long at worst.
const hold = 2 * time.Second

// unrevocable finds what a rollback does not take back: it would have happened.
var unrevocable = regexp.MustCompile(`(?i)\b(setval|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_promote|pg_(?:create|drop|copy)_\w*slot\w*|pg_replication_slot_advance|pg_stat_reset\w*|pg_advisory_(?:un)?lock\w*|dblink\w*|lo_export|pg_file_\w+)\s*\(|\bcopy\b[^;]*\bto\b`)

// definition finds a statement whose text holds a program that it does not run.
var definition = regexp.MustCompile(`(?i)^\s*create\s+(or\s+replace\s+)?(function|procedure)\b`)

// copyable is what may run in a scratch copy of the database: statements that PostgreSQL
// refuses inside of a transaction and that stay inside of the database they run in.
var copyable = regexp.MustCompile(`(?i)^\s*(create\s+(unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|reindex\s+(\([^)]*\)\s*)?(index|table|schema)\s|vacuum\b|analyze\b|refresh\s+materialized\s+view\s+concurrently|alter\s+type\s+\S+\s+add\s+value|alter\s+table\s+\S+\s+detach\s+partition)`)

// dryRun tries the fixes of findings, one after the other in the order of the plan,
// and notes how that went. What can be rolled back is run in place and rolled back;
// what cannot is run in a scratch copy when one is wanted and can be made; the rest
// says why it was not tried.
func (s *session) dryRun(ctx context.Context, all []Finding) (err error) {
	checks := map[string]Check{}
	for _, c := range Checks() {
		checks[c.Describe().ID] = c
	}
	started := time.Now()
	var copied *scratch
	defer func() {
		if copied != nil {
			if end := copied.drop(ctx, s); err == nil {
				err = end
			}
		}
	}()
	for i := range all {
		fix := &all[i].Fix
		if len(fix.SQL) == 0 {
			continue
		}
		why := s.untried(*fix)
		switch {
		case why != "":
			fix.DryRun = "not dry-run: " + why
		case time.Since(started) > s.opt.DryRun:
			fix.DryRun = fmt.Sprintf("not dry-run: the time for it (%s) was over", s.opt.DryRun)
		case fix.Transaction:
			fix.DryRun, err = s.try(ctx, checks[all[i].ID], all[i])
		default:
			if copied == nil {
				if copied, err = s.copySchema(ctx); err != nil {
					return err
				}
			}
			fix.DryRun, err = copied.try(ctx, checks[all[i].ID], all[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// untried is why a fix is not tried at all; "" when it may be.
func (s *session) untried(fix Fix) string {
	outside, lasting := false, ""
	for _, sql := range fix.SQL {
		outside = outside || !copyable.MatchString(sql)
		if !definition.MatchString(sql) { // what a body would do is not done by defining it
			lasting = firstOf(lasting, strings.Trim(unrevocable.FindString(sql), "( "))
		}
	}
	switch {
	case s.opt.DryRun == 0:
		return "it was not asked for"
	case s.server.recovery:
		return "the server is a standby"
	case lasting != "":
		return "a rollback does not take back what " + lasting + " does"
	case fix.Transaction:
		return ""
	case outside:
		return "it cannot run inside a transaction, and it reaches beyond the database, so that a copy would not be apart"
	case !s.opt.Scratch:
		return "it cannot run inside a transaction; --plan tries it on a copy of the schema"
	}
	return ""
}

// try runs a fix in place and takes it back. It waits for a lock no longer than a probe
// does, and keeps what it got no longer than Options.Hold.
func (s *session) try(ctx context.Context, c Check, f Finding) (outcome string, err error) {
	limit := cmp.Or(s.opt.Hold, hold)
	until := time.Now().Add(limit)
	err = s.begin(ctx, pgx.ReadWrite, func() error {
		for _, sql := range f.Fix.SQL {
			if err := s.bound(ctx, until); err != nil {
				return err
			}
			if _, err := s.tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				if ctx.Err() != nil || s.conn.IsClosed() {
					return problem.Wrap(err, problem.Unavailable, "trying a fix")
				}
				outcome = s.failure(err, limit, f.Fix.Role)
				return nil
			}
		}
		if err := s.bound(ctx, until); err != nil {
			return err
		}
		after, err := s.sees(ctx, c, f.Object)
		if err != nil {
			return err
		}
		outcome = verdict(after)
		return nil
	})
	return outcome, err
}

// bound gives the statements that follow what is left of a time, and the server the
// right to end the session should its client be gone.
func (s *session) bound(ctx context.Context, until time.Time) error {
	left := max(time.Until(until).Milliseconds(), 1)
	_, err := s.tx.Exec(ctx, fmt.Sprintf("set local statement_timeout = %d; set local idle_in_transaction_session_timeout = '10s'", left), pgx.QueryExecModeSimpleProtocol)
	return problem.Wrap(err, problem.Unavailable, "setting the limits of a fix")
}

// verdict is the outcome of a fix that ran.
func verdict(after sight) string {
	switch {
	case after.found != "":
		return "failed: the finding is still there afterwards: " + after.found
	case after.blind != "":
		return "not dry-run: it ran, but its check could not look afterwards: " + after.blind
	}
	return "ok"
}

// failure is the outcome of a fix that did not run: what a lock, the time or a missing
// right kept from running has not been tried.
func (s *session) failure(err error, limit time.Duration, role string) string {
	switch sqlstate(err) {
	case "55P03":
		return "not dry-run: " + reason(err)
	case "57014":
		return fmt.Sprintf("not dry-run: it takes longer than %s, and others would have waited for its locks", limit)
	case "42501":
		return fmt.Sprintf("not dry-run: %s; it is for %s, this is %s", reason(err), role, s.server.user)
	case "25006":
		return "not dry-run: the server takes no writes: " + reason(err)
	}
	return "failed: " + reason(err)
}
