package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manito/internal/doctor"
	"manito/internal/problem"
)

// doctorOptions are the flags of db doctor.
type doctorOptions struct {
	dsn, owner, out, failOn, format, backupDir string
	app, only                                  []string
	plan, fix, noBackup, noDryRun, yes         bool
}

func (a *app) dbDoctorCommand() *cobra.Command {
	o := doctorOptions{}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Examine a PostgreSQL database, plan its repair and mend it", Args: cobra.NoArgs,
		Long: `Doctor examines Manito's database, or with --dsn any other from PostgreSQL 12 on. It
says what is wrong, with the evidence, why it happened, what it breaks and how to mend
it, and what it could not look at. It changes nothing, unless --fix is given.

Each fix is tried where it can be rolled back: one at a time, in a transaction that waits
for its lock at most 200 ms, keeps it at most two seconds and is rolled back, so that
another session may have to wait that long; --no-dry-run leaves it out. Nothing is tried
on a standby, nor what a rollback does not take back.

--plan shows the SQL of every fix with the role that must run it, its lock and its undo;
--out writes it as files for psql. What cannot run in a transaction, such as a
concurrent index build, is tried in a scratch database with a copy of the schema and no
rows, where one may be made; it is dropped again.

--fix applies safe fixes, each in a transaction of its own that is rolled back when it
does not clear its finding. Fixes that change rows or function bodies, or build
something big, are applied after what they touch was dumped with pg_dump, or with
--no-backup.

Exit status: 0 nothing as bad as --fail-on was found; 1 something was; 5 nothing was, but something could not be looked at.`,
		Example: "  manito db doctor\n  manito db doctor --dsn postgres://localhost/shop --schema public --plan --out plan\n  manito db doctor --fix --only OWN,PRIV",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.dbDoctor(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dsn, "dsn", "", "database to examine (default: Manito's own); then all its schemas, unless --schema names one")
	f.StringVar(&o.owner, "owner", "", "role that should own everything (default: the owner of the schema)")
	f.StringSliceVar(&o.app, "app", nil, "roles that programs run as (default: those that may write to half of the tables)")
	f.StringSliceVar(&o.only, "only", nil, "ids of checks, or the letters of a family")
	f.BoolVar(&o.plan, "plan", false, "try every fix and show the plan")
	f.StringVar(&o.out, "out", "", "folder to write the plan to, as one file for psql per role")
	f.BoolVar(&o.fix, "fix", false, "apply the fixes")
	f.BoolVar(&o.noBackup, "no-backup", false, "apply guarded fixes without a backup")
	f.StringVar(&o.backupDir, "backup-dir", "", "folder for dumps of what guarded fixes touch (default: backups in Manito's home)")
	f.BoolVar(&o.noDryRun, "no-dry-run", false, "do not try the fixes")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask on a terminal")
	f.StringVar(&o.failOn, "fail-on", string(doctor.High), "severity from which on the exit code is 1: critical, high, medium, low, info or never")
	f.StringVar(&o.format, "format", "text", "text, json, sarif, markdown or html")
	return cmd
}

func (a *app) dbDoctor(ctx context.Context, o doctorOptions) (err error) {
	if a.json {
		o.format = "json"
	}
	switch {
	case !slices.Contains([]string{"text", "json", "sarif", "markdown", "html"}, o.format):
		return problem.New(problem.Usage, "there is no format %q", o.format).Fix("use text, json, sarif, markdown or html")
	case o.failOn != "never" && !slices.Contains(doctor.Severities(), doctor.Severity(o.failOn)):
		return problem.New(problem.Usage, "there is no severity %q", o.failOn).Fix("use critical, high, medium, low, info or never")
	case o.out != "" && !o.plan:
		return problem.New(problem.Usage, "--out says where to write a plan").Fix("add --plan")
	case o.noBackup && o.backupDir != "":
		return problem.New(problem.Usage, "--backup-dir and --no-backup exclude one another").Fix("give one of them")
	case o.fix && o.plan:
		return problem.New(problem.Usage, "--plan shows what --fix would do").Fix("give one of them")
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	opt := doctor.Options{DSN: o.dsn, Schema: a.flags["schema"], Owner: o.owner, App: o.app, Only: o.only, DryRun: trial}
	switch {
	case o.noDryRun:
		opt.DryRun = 0
	case o.plan:
		opt.DryRun, opt.Scratch = longTrial, true
	}
	if o.dsn == "" {
		opt.Schema, opt.Limits.Pool = cfg.Database.Schema, cfg.Database.PoolMax
		if cfg.Database.External() || cfg.Database.SuperuserURL != "" {
			if opt.DSN, err = cfg.Database.SuperuserDSN(); err != nil {
				return err
			}
		} else {
			cluster, failed := a.openCluster(ctx, cfg)
			if failed != nil {
				return failed
			}
			defer func() { err = errors.Join(err, cluster.Close()) }()
			opt.DSN = cluster.DSN(cfg.Database.Name)
		}
	}
	var r *doctor.Report
	if o.fix {
		if err := a.confirmFixes(o); err != nil {
			return err
		}
		kept := ""
		how := doctor.ApplyOptions{NoBackup: o.noBackup, Each: func(x doctor.Action) {
			if x.Backup != "" && x.Backup != kept {
				kept = x.Backup
				a.note("what is touched is kept in %s", kept)
			}
			if x.Outcome == "applied" {
				a.note("applied %s of %s", x.ID, x.Object)
			}
		}}
		if how.Backup, err = filepath.Abs(cmp.Or(o.backupDir, filepath.Join(cfg.Home, "backups"))); err != nil {
			return err
		}
		r, err = doctor.Apply(ctx, opt, how)
	} else {
		r, err = doctor.Examine(ctx, opt)
	}
	if err != nil {
		return err
	}
	if o.out != "" {
		files, err := r.WritePlan(o.out)
		if err != nil {
			return problem.New(problem.Invalid, "the plan could not be written to %s", o.out).Because(err).Fix("name an empty folder")
		}
		for _, f := range files {
			a.note("wrote %s", filepath.Join(o.out, f))
		}
	}
	for _, n := range r.Notes {
		a.note("%s", n)
	}
	if err := a.showReport(r, o); err != nil {
		return err
	}
	switch {
	case o.failOn != "never" && r.Worst(doctor.Severity(o.failOn)):
		return exit{1}
	case r.Incomplete():
		return exit{problem.Incomplete.ExitCode()}
	}
	return nil
}

// How long fixes are tried: a look should not take long, a plan may.
const (
	trial     = 20 * time.Second
	longTrial = 2 * time.Minute
)

// confirmFixes asks before a database is changed, where somebody is there to answer.
func (a *app) confirmFixes(o doctorOptions) error {
	in, ok := a.stdin.(*os.File)
	if o.yes || !ok || !terminal(in) {
		return nil
	}
	fmt.Fprint(a.stderr, "This changes the database. Go on? [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(strings.ToLower(answer), "y") {
		return problem.New(problem.Interrupted, "nothing was changed")
	}
	return nil
}

func (a *app) showReport(r *doctor.Report, o doctorOptions) error {
	switch o.format {
	case "json":
		return a.document(r)
	case "sarif":
		return r.SARIF(a.stdout)
	case "markdown":
		return r.Markdown(a.stdout)
	case "html":
		return r.HTML(a.stdout)
	}
	return a.printReport(r, o.plan)
}
