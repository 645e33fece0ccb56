package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"manito/internal/migrate"
	"manito/internal/migrate/lint"
	"manito/internal/problem"
)

// gravest first
var severities = []migrate.Severity{migrate.High, migrate.Medium, migrate.Low, migrate.Info}

// failOn is the gravity from which findings make a command exit with 1.
type failOn string

func (f *failOn) register(cmd *cobra.Command) {
	*f = "high"
	cmd.Flags().Func("fail-on", "least severity that makes the exit status 1: high, medium, low, info or never (default high)", func(v string) error {
		if v != "never" && !slices.Contains(severities, migrate.Severity(v)) {
			return problem.New(problem.Usage, "%q is no severity", v).Fix("give high, medium, low, info or never")
		}
		*f = failOn(v)
		return nil
	})
}

// exit is exit 1 when a finding is grave enough.
func (f failOn) exit(found []migrate.Finding) error {
	limit := slices.Index(severities, migrate.Severity(f))
	for _, x := range found {
		if at := slices.Index(severities, x.Severity); at >= 0 && at <= limit {
			return exit{1}
		}
	}
	return nil
}

func (a *app) dbValidateCommand() *cobra.Command {
	var limit failOn
	var files bool
	cmd := &cobra.Command{
		Use: "validate", Short: "Check the migrations, the ledger and the rights of the roles", Args: cobra.NoArgs,
		Long: `Validate checks the files by themselves (they parse, their sum holds, no number is
missing) and the database against them: edited, missing and unknown migrations,
owners, rights of the four roles. It changes nothing.

Exit status: 0 nothing was found; 1 something at or above --fail-on was found.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			check := func(ctx context.Context, t target) error {
				rep, err := t.m.Validate(ctx)
				if err != nil {
					return err
				}
				if err := show(a, rep, showValidate); err != nil {
					return err
				}
				return limit.exit(rep.Findings)
			}
			if !files {
				return a.withTarget(cmd.Context(), false, check)
			}
			cfg, err := a.load()
			if err != nil {
				return err
			}
			return check(cmd.Context(), target{cfg: cfg, m: a.migrator(cfg, "")})
		},
	}
	limit.register(cmd)
	cmd.Flags().BoolVar(&files, "files-only", false, "look at no database")
	return cmd
}

func showValidate(p *printer, r *migrate.ValidateReport) {
	what := plural(r.Files, "migration")
	if r.Database {
		p.line("%s  %s", place(p, r.Where), what)
	} else {
		p.line("%s, no database", what)
	}
	showFindings(p, r.Findings)
	if len(r.Findings) == 0 {
		p.line("  %s", p.green("nothing is wrong"))
	}
}

func showFindings(p *printer, found []migrate.Finding) {
	for _, f := range found {
		where := f.File
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if where != "" {
			where = "  " + p.cyan(where)
		}
		p.line("  %s  %s%s  %s", p.severity(f.Severity), f.Code, where, f.Message)
		if f.Fix != "" {
			p.line("    -> %s", f.Fix)
		}
	}
}

func (p *printer) severity(s migrate.Severity) string {
	switch s {
	case migrate.High:
		return p.paint("31", string(s))
	case migrate.Medium:
		return p.yellow(string(s))
	}
	return p.faint(string(s))
}

func (a *app) dbLintCommand() *cobra.Command {
	var limit failOn
	cmd := &cobra.Command{
		Use: "lint [FOLDER]", Short: "Find statements in migrations that would hurt a database in use", Args: cobra.MaximumNArgs(1),
		Long: `Lint reads migrations with PostgreSQL's own parser and names what holds a lock that
stops every reader or writer, rewrites a table, loses rows or works in one
installation only. Without a folder it reads the migrations of this program. A
comment allows what is meant:

  -- lint: allow rename: nothing reads the column before this release

Exit status: 0 nothing was found; 1 something at or above --fail-on was found.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var folder fs.FS = migrate.Files()
			if len(args) > 0 {
				st, err := os.Stat(args[0])
				if err != nil || !st.IsDir() {
					return problem.New(problem.NotFound, "%s is no folder", args[0]).Because(err).Fix("name a folder of .sql files")
				}
				folder = os.DirFS(args[0])
			}
			rep, err := lint.Run(cmd.Context(), folder)
			if err != nil {
				return err
			}
			if err := show(a, rep, showLint); err != nil {
				return err
			}
			return limit.exit(rep.Findings)
		},
	}
	limit.register(cmd)
	return cmd
}

func showLint(p *printer, r *lint.Report) {
	p.line("%s, %s", plural(r.Files, "migration"), plural(r.Statements, "statement"))
	showFindings(p, r.Findings)
	for _, w := range r.Allowed {
		p.line("  %s  %s  %s  %s", p.faint("allowed"), w.Rule, p.cyan(fmt.Sprintf("%s:%d", w.File, w.Line)), w.Reason)
	}
	if len(r.Findings) == 0 {
		p.line("  %s", p.green("nothing is wrong"))
	}
}

func (a *app) dbDriftCommand() *cobra.Command {
	var o migrate.DriftOptions
	cmd := &cobra.Command{
		Use: "drift", Short: "Compare the database with what its migrations made", Args: cobra.NoArgs,
		Long: `Drift compares tables, columns, constraints, indexes, functions, triggers, views,
sequences, grants and owners with those that the applied migrations make in a
scratch schema, which is rolled back. It prints the statements that remove the
differences and runs none of them.

Exit status: 0 there is no drift; 1 there is.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), false, func(ctx context.Context, t target) error {
				rep, err := t.m.Drift(ctx, o)
				if err != nil {
					return err
				}
				if err := show(a, rep, showDrift); err != nil {
					return err
				}
				if len(rep.Changes) > 0 {
					return exit{1}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&o.Snapshot, "snapshot", false, "compare with the catalogue that is built into the program, without a scratch schema")
	return cmd
}

func showDrift(p *printer, r *migrate.DriftReport) {
	p.line("-- %s  version %d, compared with the %s", place(p, r.Where), r.Version, r.Against)
	if len(r.Changes) == 0 {
		p.line("-- %s", p.green("no drift"))
		return
	}
	for _, b := range r.Before {
		p.line("%s;", trimSemicolon(b))
	}
	for _, c := range r.Changes {
		mark := p.yellow("changes or removes something")
		if c.Safe {
			mark = p.green("only adds")
		}
		p.line("-- %s %s %s: %s", c.Op, c.Kind, p.bold(c.Name), mark)
		p.line("%s;", trimSemicolon(c.SQL))
	}
}

func trimSemicolon(s string) string {
	for len(s) > 0 && (s[len(s)-1] == ';' || s[len(s)-1] == '\n' || s[len(s)-1] == ' ') {
		s = s[:len(s)-1]
	}
	return s
}
