package migrate

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"manito/internal/problem"
)

// Previous, as DownOptions.To, undoes the newest migration only.
const Previous int64 = -1

// DownOptions say how far to go back.
type DownOptions struct {
	To     int64 // the version to end at: 0 is the empty schema, Previous one step
	DryRun bool  // as in UpOptions
	// AllowDataLoss permits steps that drop a table or a column. A backup is taken by
	// the caller, who knows where.
	AllowDataLoss bool
}

// DownReport is what Down did. Its JSON has "schema": "manito/db-down/v1".
type DownReport struct {
	Schema string `json:"schema"`
	Where
	DryRun bool   `json:"dry_run"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Undone []Done `json:"undone"`
	Steps  []Step `json:"steps,omitempty"` // of a dry run: what would run
}

// Down undoes migrations, newest first. On failure the report says what was undone before it.
func (m *Migrator) Down(ctx context.Context, o DownOptions) (rep *DownReport, err error) {
	defer problem.Call(&err, "migrate down")
	rep = &DownReport{Schema: "manito/db-down/v1", DryRun: o.DryRun, Undone: []Done{}}
	if err := m.runnable(); err != nil {
		return rep, err
	}
	err = m.visit(ctx, func(s site, conn *pgx.Conn, cfg *pgx.ConnConfig) error {
		rep.Where = s.where()
		applied, err := s.readLedger(ctx, conn)
		if err != nil {
			return err
		}
		if err := invalid(compare(m.files, applied)); err != nil {
			return err
		}
		rep.From = newest(applied)
		rep.To = rep.From
		todo, target, err := m.backwards(applied, o)
		if err != nil || len(todo) == 0 {
			return err
		}
		steps := s.steps(todo, "down")
		if o.DryRun {
			rep.Steps, rep.To = steps, target
			return m.rehearse(ctx, conn, s, rep.From, target)
		}
		for _, step := range steps {
			if step.DataLoss && !o.AllowDataLoss {
				return problem.New(problem.Usage, "undoing %s drops tables or columns with their rows", step.Name).
					Fix("take a backup first: manito backup create").
					Fix("then say that the loss is meant: manito db down --allow-data-loss").
					Fix("see the statements: manito db down --dry-run")
			}
		}
		r, provider, done, err := m.start(ctx, s, conn, cfg, "down")
		if err != nil {
			return err
		}
		defer done()
		rep.Undone, err = r.drive(ctx, func(ctx context.Context) ([]*goose.MigrationResult, error) { return provider.DownTo(ctx, target) })
		if rep.Undone == nil {
			rep.Undone = []Done{}
		}
		rep.To = target
		if err != nil {
			rep.To = rep.From
			if n := len(rep.Undone); n > 0 {
				rep.To = rep.Undone[n-1].Version - 1
			}
		}
		return err
	})
	return rep, err
}

// backwards are the files to undo, newest first, and the version that remains.
func (m *Migrator) backwards(applied []Applied, o DownOptions) ([]File, int64, error) {
	target := o.To
	if target == Previous {
		target = max(newest(applied)-1, 0)
	}
	known := target == 0 || slices.ContainsFunc(m.files, func(f File) bool { return f.Version == target })
	if target < 0 || !known || target > newest(applied) {
		return nil, 0, problem.New(problem.NotFound, "there is no applied version %d to go back to", target).
			Fix("manito db status lists them")
	}
	have := map[int64]bool{}
	for _, a := range applied {
		have[a.Version] = true
	}
	var todo []File
	for _, f := range slices.Backward(m.files) {
		if f.Version <= target || !have[f.Version] {
			continue
		}
		if f.Irreversible != "" {
			return nil, 0, problem.New(problem.Unsupported, "%s cannot be undone: %s", f.Name, f.Irreversible).
				Fix("restore a backup from before it: manito backup restore")
		}
		todo = append(todo, f)
	}
	return todo, target, nil
}
