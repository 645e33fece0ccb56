package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manito/internal/adopt"
	"manito/internal/problem"
)

// adoptOptions are the flags of db adopt.
type adoptOptions struct {
	dsn, schema, into    string
	dryRun, dropOld, yes bool
	wait                 time.Duration
}

func (a *app) dbAdoptCommand() *cobra.Command {
	o := adoptOptions{}
	cmd := &cobra.Command{
		Use: "adopt", Short: "Take over the database of ManitoDebug, the predecessor", Args: cobra.NoArgs,
		Long: `Adopt takes over a database that ManitoDebug left, on PostgreSQL 12 or newer: its
projects become repositories with a snapshot called "adopted", its nodes and edges a
graph, and every row of every table is kept as it was. Rows are counted and added up
at both ends; when one differs, nothing is published. The old schema is only read.

It adopts into the configured database, the embedded one by default, or with --into
into another. To adopt in place, name the old database there too, after manito db init:
Manito's schema then stands beside the old one. That takes PostgreSQL 15 to 18; from an
older server adopt into another one, or upgrade it with pg_upgrade first.

It can be interrupted and run again at any time. Run it again, too, when the old program
has written meanwhile. When all is well, --drop-old compares everything once more, moves
cache, websocket_connections, embeddings and migrations into the schema manito_archive of
the old database, and drops the rest.`,
		Example: "  manito db adopt --dsn postgres://postgres@localhost/manito_dev --dry-run\n  manito db adopt --dsn postgres://postgres@localhost/manito_dev\n  manito db adopt --dsn postgres://postgres@localhost/manito_dev --drop-old",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.dbAdopt(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dsn, "dsn", "", "the old database; a password may also come from PGPASSWORD or ~/.pgpass")
	f.StringVar(&o.schema, "schema", "", "schema of the predecessor (default: the one that has its tables)")
	f.StringVar(&o.into, "into", "", "database to adopt into (default: the configured one)")
	f.BoolVar(&o.dryRun, "dry-run", false, "read and count, and change nothing")
	f.BoolVar(&o.dropOld, "drop-old", false, "compare once more, archive and drop the old schema")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask before --drop-old")
	f.DurationVar(&o.wait, "wait", 0, "how long to wait for another adoption, such as 10m")
	return cmd
}

func (a *app) dbAdopt(ctx context.Context, o adoptOptions) (err error) {
	if o.dsn == "" {
		return problem.New(problem.Usage, "which database is to be adopted?").Fix("name it: manito db adopt --dsn postgres://user@host:5432/manito_dev")
	}
	delete(a.flags, "schema") // here it names the old schema
	if o.into != "" {
		a.flags["database-url"] = o.into
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if o.dropOld && !o.dryRun {
		if err := a.confirmDrop(o); err != nil {
			return err
		}
	}
	db, err := a.openDatabase(ctx, cfg)
	if problem.KindOf(err) == problem.Unsupported {
		return problem.New(problem.Unsupported, "the database cannot be adopted into").Because(err).
			Fix("adopt into a server of PostgreSQL 15 to 18: --into postgres://user@host:5432/database").
			Fix("or upgrade this one first, with pg_upgrade")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if o.dropOld {
		rep, err := adopt.Drop(ctx, adopt.DropOptions{DSN: o.dsn, Schema: o.schema, DryRun: o.dryRun, Target: db.dsn, TargetSchema: cfg.Database.Schema, Wait: o.wait})
		if err != nil {
			return err
		}
		return show(a, rep, showDrop)
	}
	rep, err := adopt.Run(ctx, adopt.Options{DSN: o.dsn, Schema: o.schema, DryRun: o.dryRun, DB: db.DB, Target: db.dsn, TargetSchema: cfg.Database.Schema,
		AppVersion: version(), Wait: o.wait, Progress: func(what string) { a.note("%s", what) }})
	if err != nil {
		return err
	}
	return show(a, rep, showAdoption)
}

// confirmDrop asks on a terminal, and refuses where nobody can answer.
func (a *app) confirmDrop(o adoptOptions) error {
	if o.yes {
		return nil
	}
	in, ok := a.stdin.(*os.File)
	if !ok || !terminal(in) || a.json {
		return problem.New(problem.Usage, "dropping the old schema needs a confirmation").
			Fix("see what it would do: manito db adopt --drop-old --dry-run").Fix("then: manito db adopt --drop-old --yes")
	}
	fmt.Fprint(a.stderr, "This compares the old schema once more and drops it. Have you a backup of it? [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(strings.ToLower(answer), "y") {
		return problem.New(problem.Interrupted, "nothing was changed")
	}
	return nil
}

func showAdoption(p *printer, r *adopt.Report) {
	verb := "adopted"
	switch {
	case r.DryRun:
		verb = "would adopt"
	case r.Unchanged:
		verb = "nothing has changed since it was adopted:"
	}
	p.line("%s schema %s of database %s (PostgreSQL %s) into schema %s of %s", verb, p.bold(r.Source.Schema), p.bold(r.Source.Database), r.Source.Version, r.Target.Schema, r.Target.Database)
	p.line("")
	rows := [][]string{}
	for _, t := range r.Tables {
		note := ""
		switch {
		case t.Archive:
			note = "goes to " + adopt.ArchiveSchema
		case t.InGraph == 0 && t.NotInGraph > 0:
			note = fmt.Sprintf("%s without what they belong to", thousands(t.NotInGraph))
		case t.InGraph > 0:
			note = fmt.Sprintf("%s in a graph", thousands(t.InGraph))
			if t.NotInGraph > 0 {
				note += fmt.Sprintf(", %s not", thousands(t.NotInGraph))
			}
		}
		proof := "counted"
		if t.After != nil {
			proof = "equal at both ends"
		}
		rows = append(rows, []string{t.Name, plural(int(t.Before.Rows), "row"), p.faint(t.Before.Checksum), proof, p.faint(note)})
	}
	p.table("  ", rows)
	p.line("")
	rows = [][]string{}
	for _, x := range r.Projects {
		rows = append(rows, []string{p.bold(x.Name), x.Ref, plural(x.Files, "file"), plural(x.Definitions, "definition"), plural(x.Edges, "edge"), p.cyan(x.Root)})
	}
	p.table("  ", rows)
	if len(r.Rest) > 0 {
		p.line("")
		p.line("kept, but in no graph  %s", p.faint("select * from adopted_rows where not_in_graph is not null"))
		rows = [][]string{}
		for _, x := range r.Rest {
			rows = append(rows, []string{x.Table, plural(x.Rows, "row"), x.Reason})
		}
		p.table("  ", rows)
	}
	if !r.DryRun {
		p.line("")
		p.line("go on:    manito status · manito symbol NAME --repo PROJECT --ref adopted · manito scan PATH · manito db adopt --drop-old")
	}
}

func showDrop(p *printer, r *adopt.DropReport) {
	verb := "dropped"
	if r.DryRun {
		verb = "would drop"
	}
	p.line("%s schema %s of database %s: %s were compared and equal", verb, p.bold(r.Source.Schema), p.bold(r.Source.Database), plural(len(r.Compared), "table"))
	for _, group := range []struct {
		word  string
		items []string
	}{{"dropped", r.Dropped}, {"archived", r.Archived}, {"left alone", r.Kept}} {
		for _, item := range group.items {
			p.line("  %-10s  %s", group.word, item)
		}
	}
}
