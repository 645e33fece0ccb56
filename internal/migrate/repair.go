package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// RepairOptions say what may be repaired. Attempts of dead migrators, invalid indexes
// and files whose objects are all there although their last try failed are repaired
// without being named.
type RepairOptions struct {
	DryRun bool // show what would be done; everything is rolled back
	// AcceptChecksum are versions whose file was edited without changing what it does.
	AcceptChecksum []int64
	// MarkApplied are versions whose ledger row is lost, or that were applied by hand. The
	// catalogue must be as if they had been applied.
	MarkApplied []int64
	Reason      string // why; needed for the two lists, kept in the history
}

// RepairReport is what Repair did. Its JSON has "schema": "manito/db-repair/v1".
type RepairReport struct {
	Schema string `json:"schema"`
	Where
	DryRun  bool           `json:"dry_run"`
	Actions []RepairAction `json:"actions"` // empty: nothing was broken
}

// RepairAction is one repair.
type RepairAction struct {
	Action  string `json:"action"` // abandon, accept-checksum, mark-applied, drop-index, reindex
	Version int64  `json:"version,omitempty"`
	What    string `json:"what"`
	SQL     string `json:"sql"`
	Done    bool   `json:"done"` // false in a dry run
}

// Repair mends the ledger and the indexes under the migration lock. What concerns the
// ledger happens in one transaction; what was there before goes into the table
// migration_repair with who did it and why. Indexes are then mended one by one,
// concurrently.
func (m *Migrator) Repair(ctx context.Context, o RepairOptions) (rep *RepairReport, err error) {
	defer problem.Call(&err, "migrate repair")
	rep = &RepairReport{Schema: "manito/db-repair/v1", DryRun: o.DryRun, Actions: []RepairAction{}}
	if err := m.runnable(); err != nil {
		return rep, err
	}
	if strings.TrimSpace(o.Reason) == "" && len(o.AcceptChecksum)+len(o.MarkApplied) > 0 {
		return rep, problem.New(problem.Usage, "a repair that overrules the ledger needs a reason").Fix("add --reason \"…\"")
	}
	err = m.visit(ctx, func(s site, conn *pgx.Conn, _ *pgx.ConnConfig) error {
		rep.Where = s.where()
		if !s.hasLedger {
			return problem.New(problem.NotFound, "schema %q has no ledger to repair", s.schema).Fix("apply the migrations: manito db up")
		}
		return m.withLock(ctx, conn, func() error {
			r := repair{m: m, site: s, conn: conn, options: o, report: rep}
			if err := r.ledger(ctx); err != nil {
				return err
			}
			return r.indexes(ctx)
		})
	})
	return rep, err
}

// repair is one Repair under the lock.
type repair struct {
	m       *Migrator
	site    site
	conn    *pgx.Conn
	options RepairOptions
	report  *RepairReport
}

func (r *repair) note(action string, version int64, sql, format string, args ...any) {
	r.report.Actions = append(r.report.Actions, RepairAction{Action: action, Version: version, SQL: sql, What: fmt.Sprintf(format, args...)})
}

// ledger mends the ledger in one transaction.
func (r *repair) ledger(ctx context.Context) error {
	candidates, err := r.candidates(ctx)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		ids, err := abandon(ctx, r.conn, &r.site)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			r.note("abandon", 0, r.site.expand("UPDATE {{schema}}.migration_attempt SET outcome = 'abandoned', ended_at = clock_timestamp() WHERE outcome = 'running';"),
				"closed %d attempts of migrators that are gone", len(ids))
			if err := r.log(ctx, tx, "abandon", nil, "the migrators are gone", ids, nil); err != nil {
				return err
			}
		}
		for _, v := range r.options.AcceptChecksum {
			if err := r.acceptChecksum(ctx, tx, v); err != nil {
				return err
			}
		}
		for _, c := range candidates {
			if err := r.markApplied(ctx, tx, c); err != nil {
				return err
			}
		}
		if r.options.DryRun {
			return errRollback
		}
		return nil
	})
	if errors.Is(err, errRollback) {
		return nil
	}
	if err != nil {
		r.report.Actions = []RepairAction{} // all were rolled back
		return explain(ctx, err, "repairing the ledger")
	}
	for i := range r.report.Actions {
		r.report.Actions[i].Done = true
	}
	return nil
}

// log adds to the history of repairs.
func (r *repair) log(ctx context.Context, tx pgx.Tx, action string, version *int64, reason string, before, after any) error {
	b, err := json.Marshal(before)
	if err != nil {
		return fmt.Errorf("recording the repair: %w", err)
	}
	a, err := json.Marshal(after)
	if err != nil {
		return fmt.Errorf("recording the repair: %w", err)
	}
	_, err = tx.Exec(ctx, r.site.expand(`insert into {{schema}}.migration_repair (action, version, reason, before, after) values ($1, $2, $3, $4, $5)`),
		action, version, reason, b, a)
	return explain(ctx, err, "recording the repair")
}

func (r *repair) file(version int64) (File, error) {
	i := slices.IndexFunc(r.m.files, func(f File) bool { return f.Version == version })
	if i < 0 {
		return File{}, problem.New(problem.NotFound, "there is no migration with version %d", version).Fix("manito db status lists them")
	}
	return r.m.files[i], nil
}

// acceptChecksum makes the ledger agree with an edited file.
func (r *repair) acceptChecksum(ctx context.Context, tx pgx.Tx, version int64) error {
	f, err := r.file(version)
	if err != nil {
		return err
	}
	var name, checksum string
	err = tx.QueryRow(ctx, r.site.expand(`select name, encode(checksum, 'hex') from {{schema}}.migration where version = $1`), version).Scan(&name, &checksum)
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.New(problem.NotFound, "version %d is not applied: there is no checksum to accept", version).Fix("manito db status")
	}
	if err != nil {
		return explain(ctx, err, "reading the ledger")
	}
	if checksum == f.Checksum.String() {
		return nil
	}
	if _, err := tx.Exec(ctx, r.site.expand(`update {{schema}}.migration set checksum = $1 where version = $2`), f.Checksum[:], version); err != nil {
		return explain(ctx, err, "writing the ledger")
	}
	r.note("accept-checksum", version, r.site.expand(fmt.Sprintf(`UPDATE {{schema}}.migration SET checksum = '\x%s' WHERE version = %d;`, f.Checksum, version)),
		"accepted the edited %s: %.12s instead of %.12s", f.Name, f.Checksum, checksum)
	return r.log(ctx, tx, "accept-checksum", &version, r.options.Reason, map[string]string{"name": name, "checksum": checksum}, map[string]string{"name": f.Name, "checksum": f.Checksum.String()})
}
