package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/migrate"
	"manito/internal/problem"
)

func (a *app) dbInitCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "init", Short: "Create the roles, the schema and its rights, as far as they are missing", Args: cobra.NoArgs,
		Long: `Init creates four roles (owner, migrator, app and reader), the schema, its rights
and the extension pg_trgm. What is there already stays. It needs a superuser, or a
role with CREATEROLE that owns the database: MANITO_SUPERUSER_URL, else
MANITO_MIGRATION_URL, else DATABASE_URL. Without the rights it changes nothing and
prints the SQL for somebody who has them.

A role that DATABASE_URL or MANITO_MIGRATION_URL logs in as gets the password that
stands there; only its SCRAM verifier is sent.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), true, func(ctx context.Context, t target) error {
				o, err := a.passwords(ctx, t)
				if err != nil {
					return err
				}
				o.DryRun = dry
				rep, err := t.m.Init(ctx, o)
				if err != nil {
					if a.json && rep != nil && len(rep.Needed) > 0 {
						if e := a.document(rep); e != nil {
							return e
						}
					}
					return err
				}
				return show(a, rep, showInit)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "run every step in a transaction and roll it back")
	return cmd
}

// show writes a report as JSON or for people.
func show[T any](a *app, rep T, people func(*printer, T)) error {
	if a.json {
		return a.document(rep)
	}
	p := a.printer()
	people(p, rep)
	return p.flush()
}

func place(p *printer, w migrate.Where) string {
	return fmt.Sprintf("%s  %s", p.bold(w.Database+"."+w.DatabaseSchema), p.faint("PostgreSQL "+w.Server))
}

func dryMark(p *printer, dry bool) string {
	if dry {
		return "  " + p.yellow("dry run: rolled back")
	}
	return ""
}

func showInit(p *printer, r *migrate.InitReport) {
	p.line("%s%s", place(p, r.Where), dryMark(p, r.DryRun))
	for _, s := range r.Steps {
		mark := p.green("done")
		if !s.Done {
			mark = p.yellow("would")
		}
		p.line("  %s  %s", mark, s.What)
	}
	if len(r.Steps) == 0 {
		p.line("  %s", p.green("everything is there"))
	}
	p.table("  ", [][]string{{"owner", r.Roles.Owner}, {"migrator", r.Roles.Migrator}, {"app", r.Roles.App}, {"reader", r.Roles.Reader}})
}

func (a *app) dbUpCommand() *cobra.Command {
	var o migrate.UpOptions
	cmd := &cobra.Command{
		Use: "up", Short: "Apply the pending migrations", Args: cobra.NoArgs,
		Long: `Up applies what is pending, each file in a transaction with its ledger row. Of many
that run at once one applies and the others wait. A dry run proves in a scratch
schema, which is rolled back, that the files run.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), false, func(ctx context.Context, t target) error {
				if t.cluster != nil && !o.DryRun { // an embedded database has no operator who would run init
					if err := a.initEmbedded(ctx, t); err != nil {
						return err
					}
				}
				rep, err := t.m.UpWith(ctx, o)
				if err != nil {
					return a.after(err, rep != nil && len(rep.Applied) > 0, func(p *printer) { showUp(p, rep) })
				}
				return show(a, rep, showUp)
			})
		},
	}
	cmd.Flags().Int64Var(&o.To, "to", 0, "version to stop at (default: the newest)")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "run everything in a scratch schema and roll it back")
	return cmd
}

func (a *app) initEmbedded(ctx context.Context, t target) error {
	o, err := a.passwords(ctx, t)
	if err != nil {
		return err
	}
	_, err = t.m.Init(ctx, o)
	return err
}

// after tells people what was done before a failure; in JSON the failure alone is the answer.
func (a *app) after(err error, something bool, people func(*printer)) error {
	if a.json || !something {
		return err
	}
	p := a.printer()
	people(p)
	if e := p.flush(); e != nil {
		return e
	}
	return err
}

func showDone(p *printer, verb string, done []migrate.Done) {
	rows := [][]string{}
	for _, d := range done {
		note := ""
		if d.Tries > 1 {
			note = p.yellow(fmt.Sprintf("%d tries, a lock was held", d.Tries))
		}
		rows = append(rows, []string{p.green(verb), d.Name, p.faint(fmt.Sprintf("%d ms", d.DurationMS)), note})
	}
	p.table("  ", rows)
}

func showUp(p *printer, r *migrate.UpReport) {
	p.line("%s  version %d -> %d%s", place(p, r.Where), r.From, r.To, dryMark(p, r.DryRun))
	showDone(p, "applied", r.Applied)
	showSteps(p, r.Steps, false)
	if r.From == r.To {
		p.line("  %s", p.green("nothing is pending"))
	}
}

func (a *app) dbDownCommand() *cobra.Command {
	o := migrate.DownOptions{}
	var confirm bool
	cmd := &cobra.Command{
		Use: "down", Short: "Undo migrations, newest first", Args: cobra.NoArgs,
		Long: `Down undoes the newest migration, or all above a version. What drops tables or
columns with their rows needs --allow-data-loss. It asks on a terminal; elsewhere
it needs --confirm.`,
		Example: "  manito db down --dry-run\n  manito db down --to 4 --confirm",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), false, func(ctx context.Context, t target) error {
				if !o.DryRun && !confirm {
					if err := a.confirmDown(ctx, t, o.To); err != nil {
						return err
					}
				}
				rep, err := t.m.Down(ctx, o)
				if err != nil {
					return a.after(err, rep != nil && len(rep.Undone) > 0, func(p *printer) { showDown(p, rep) })
				}
				return show(a, rep, showDown)
			})
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.To, "to", migrate.Previous, "version to end at; 0 is the empty schema, -1 one step back")
	f.BoolVar(&o.DryRun, "dry-run", false, "show the statements and run everything in a scratch schema, rolled back")
	f.BoolVar(&o.AllowDataLoss, "allow-data-loss", false, "undo also what drops tables or columns with their rows")
	f.BoolVar(&confirm, "confirm", false, "do not ask")
	return cmd
}

// confirmDown asks on a terminal, and refuses where nobody can answer.
func (a *app) confirmDown(ctx context.Context, t target, to int64) error {
	refused := problem.New(problem.Usage, "undoing migrations needs a confirmation").Fix("see what it would do: manito db down --dry-run").Fix("then: manito db down --confirm")
	in, ok := a.stdin.(io.Writer)
	if !ok || !terminal(in) || a.json {
		return refused
	}
	st, err := t.m.Status(ctx)
	if err != nil {
		return err
	}
	what := "the newest migration"
	if to >= 0 {
		what = fmt.Sprintf("every migration above version %d", to)
	}
	fmt.Fprintf(a.stderr, "Undo %s of %s in database %s, which is at version %d? Type yes: ", what, st.DatabaseSchema, st.Database, st.Version)
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.TrimSpace(answer) {
	case "yes":
		return nil
	case "":
		return refused
	}
	return problem.New(problem.Interrupted, "nothing was undone")
}

func showDown(p *printer, r *migrate.DownReport) {
	p.line("%s  version %d -> %d%s", place(p, r.Where), r.From, r.To, dryMark(p, r.DryRun))
	showDone(p, "undone", r.Undone)
	showSteps(p, r.Steps, true)
	if r.From == r.To {
		p.line("  %s", p.green("nothing is to be undone"))
	}
}

func (a *app) dbPlanCommand() *cobra.Command {
	return &cobra.Command{
		Use: "plan", Short: "Show the statements that up would run", Args: cobra.NoArgs,
		Long: "Plan prints the pending migrations as SQL, with the names of the schema and of the roles filled in. It runs nothing.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), false, func(ctx context.Context, t target) error {
				rep, err := t.m.Plan(ctx)
				if err != nil {
					return err
				}
				return show(a, rep, showPlan)
			})
		},
	}
}

func showPlan(p *printer, r *migrate.PlanReport) {
	p.line("-- %s  version %d -> %d", place(p, r.Where), r.From, r.To)
	if len(r.Steps) == 0 {
		p.line("-- %s", p.green("nothing is pending"))
	}
	showSteps(p, r.Steps, true)
}

// showSteps lists files, with their statements when they are wanted.
func showSteps(p *printer, steps []migrate.Step, statements bool) {
	for _, s := range steps {
		notes := ""
		if !s.Transaction {
			notes += "  " + p.yellow("without a transaction")
		}
		if s.DataLoss {
			notes += "  " + p.yellow("loses rows")
		}
		p.line("%s", strings.TrimRight(fmt.Sprintf("-- %s  %s%s", p.bold(s.Name), p.faint(plural(len(s.Statements), "statement")), notes), " "))
		if statements {
			for _, st := range s.Statements {
				p.line("%s;", st.SQL)
			}
		}
	}
}

func (a *app) dbRepairCommand() *cobra.Command {
	var o migrate.RepairOptions
	cmd := &cobra.Command{
		Use: "repair", Short: "Mend the ledger of migrations and invalid indexes", Args: cobra.NoArgs,
		Long: `Repair ends the attempts of dead migrators, marks a migration applied whose last
try failed although all of its objects are there (the catalogue is compared), and
builds invalid indexes again. What was there before is kept in migration_repair.
An edited file or a lost ledger row is mended only when it is named, with a reason.`,
		Example: "  manito db repair --dry-run\n  manito db repair --accept-checksum 3 --reason 'only a comment was changed'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), false, func(ctx context.Context, t target) error {
				rep, err := t.m.Repair(ctx, o)
				if err != nil {
					return err
				}
				return show(a, rep, showRepair)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "show what would be repaired and roll it back")
	f.Int64SliceVar(&o.AcceptChecksum, "accept-checksum", nil, "versions whose file was edited without changing what it does")
	f.Int64SliceVar(&o.MarkApplied, "mark-applied", nil, "versions that are applied and have no ledger row")
	f.StringVar(&o.Reason, "reason", "", "why; kept in the history")
	return cmd
}

func showRepair(p *printer, r *migrate.RepairReport) {
	p.line("%s%s", place(p, r.Where), dryMark(p, r.DryRun))
	for _, x := range r.Actions {
		mark := p.green(x.Action)
		if !x.Done {
			mark = p.yellow(x.Action)
		}
		p.line("  %s  %s", mark, x.What)
		if x.SQL != "" {
			p.line("    %s", p.faint(x.SQL))
		}
	}
	if len(r.Actions) == 0 {
		p.line("  %s", p.green("nothing is broken"))
	}
}
