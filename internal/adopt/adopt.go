package adopt

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"manito/internal/postgres"
	"manito/internal/problem"
)

// Options say what to adopt, and into what.
type Options struct {
	DSN    string // of the old database
	Schema string // of the predecessor; "" to find it
	DryRun bool   // read and count, write nothing
	// DB is the open store and Target its address: rows are copied by connections of their own.
	DB           *postgres.DB
	Target       string
	TargetSchema string
	AppVersion   string
	Wait         time.Duration // how long another adoption is waited for
	// Progress is told what is done now; nil for none.
	Progress func(what string)

	// hook, when set, is called at each phase. The tests of this package kill the process there.
	hook func(phase)
}

// phase names a moment in the life of an adoption.
type phase string

const (
	phaseLocked    phase = "locked"    // nobody else adopts
	phaseBegun     phase = "begun"     // it is recorded as running
	phaseCopied    phase = "copied"    // one more table is copied
	phaseVerified  phase = "verified"  // both ends agree, nothing is published
	phaseWritten   phase = "written"   // what a snapshot names is stored
	phasePublished phase = "published" // the ref of one more project has moved
	phaseProjected phase = "projected" // SQL users see it
	phaseFinished  phase = "finished"  // it is recorded as published
)

// Table says what became of the rows of one table.
type Table struct {
	Name string `json:"name"`
	// Before was counted in the old database, After in the copy. They are equal, or Run fails.
	Before Sum  `json:"before"`
	After  *Sum `json:"after,omitempty"` // none in a dry run
	// InGraph counts the rows that files, definitions, edges, diagnostics and imports are
	// made of, NotInGraph those that should be and cannot.
	InGraph    int64 `json:"in_graph"`
	NotInGraph int64 `json:"not_in_graph"`
	Archive    bool  `json:"archive,omitempty"` // goes to the archive schema, not away
}

// Rest counts the rows of a table that have no place in a graph for one reason.
type Rest struct {
	Table  string `json:"table"`
	Reason string `json:"reason"`
	Rows   int    `json:"rows"`
}

// Report is the outcome. Its JSON has "schema": "manito/db-adopt/v1".
type Report struct {
	Schema    string    `json:"schema"`
	Source    Where     `json:"source"`
	Target    Target    `json:"target"`
	DryRun    bool      `json:"dry_run"`
	Tables    []Table   `json:"tables"`
	Projects  []Project `json:"projects"`
	Rest      []Rest    `json:"rest"`
	Unchanged bool      `json:"unchanged"` // it had been adopted, and nothing has changed since
}

// Target says into what was adopted.
type Target struct {
	Database string `json:"database"`
	Schema   string `json:"schema"`
	Same     bool   `json:"same_database"` // as the old schema
}

// run is one adoption under way.
type run struct {
	o      Options
	source *Source
	target *target
	report *Report
	plan   *plan
}

// Run adopts. It can be run again at any time: what is there is compared and kept, what
// has changed in the old schema is taken over anew. It fails with problem.Conflict when
// another adoption runs, and before anything is published when a copy differs.
func Run(ctx context.Context, o Options) (rep *Report, err error) {
	defer problem.Call(&err, "adopt")
	r := &run{o: o}
	if r.source, err = OpenSource(ctx, o.DSN, o.Schema); err != nil {
		return nil, err
	}
	defer r.source.Close(ctx)
	if r.target, err = openTarget(ctx, o.Target, o.TargetSchema); err != nil {
		return nil, err
	}
	defer r.target.close(ctx)
	r.report = &Report{Schema: "manito/db-adopt/v1", Source: r.source.Where, DryRun: o.DryRun, Tables: []Table{}, Projects: []Project{}, Rest: []Rest{}}
	if err := r.compareEnds(ctx); err != nil {
		return nil, err
	}
	if o.DryRun {
		return r.report, r.rehearse(ctx)
	}
	return r.report, r.adopt(ctx)
}

// compareEnds says whether both ends are one database, and refuses what cannot work.
func (r *run) compareEnds(ctx context.Context) error {
	t := &r.report.Target
	t.Schema = r.o.TargetSchema
	cluster, database, err := r.target.identity(ctx)
	if err != nil {
		return err
	}
	t.Database = database
	t.Same = database == r.source.Database && (cluster == r.source.Cluster || r.source.sameServer(r.target.conn.Config()))
	if t.Same && t.Schema == r.source.Schema {
		return problem.New(problem.Usage, "the old schema and Manito's are the same, %q", t.Schema).Fix("set POSTGRES_SCHEMA to a schema of Manito's own, and make it: manito db init")
	}
	return r.source.elsewhere(ctx, t.Same, t.Schema)
}

func (r *run) say(format string, args ...any) {
	if r.o.Progress != nil {
		r.o.Progress(fmt.Sprintf(format, args...))
	}
}

func (r *run) reach(p phase) {
	if r.o.hook != nil {
		r.o.hook(p)
	}
}

func (r *run) adopt(ctx context.Context) error {
	t, s := r.target, r.source
	if err := t.exclude(ctx, r.o.Wait); err != nil {
		return err
	}
	r.reach(phaseLocked)
	earlier, there, err := t.recorded(ctx, s.Where)
	if err != nil {
		return err
	}
	if err := t.begin(ctx, s.Where, r.o.AppVersion); err != nil {
		return err
	}
	r.reach(phaseBegun)
	copied, err := r.copy(ctx)
	if err != nil {
		return err
	}
	s.Close(ctx) // what is published is made of the copy
	r.reach(phaseVerified)
	r.say("putting the graphs together")
	err = t.reading(ctx, func(q asker) (err error) {
		r.plan, err = newPlan(ctx, &reader{q: q, sql: func(name string) (string, []any, bool) {
			_, ok := s.lookup(name)
			sql, args := t.rowsSQL(name)
			return sql, args, ok
		}})
		return err
	})
	if err != nil {
		return explain(ctx, err, "reading the copies")
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	if err := t.held(ctx); err != nil {
		return err
	}
	if err := t.finish(ctx, r.report.Projects, r.plan.rest); err != nil {
		return err
	}
	r.reach(phaseFinished)
	r.sumUp()
	r.report.Unchanged = there && earlier.status == "published" && copied == 0 &&
		!slices.ContainsFunc(r.report.Projects, func(p Project) bool { return !p.Unchanged })
	return nil
}

// copy brings the copies of all tables up to the old schema, compares both ends, and
// counts the tables that it had to copy.
func (r *run) copy(ctx context.Context) (copied int, err error) {
	t, s := r.target, r.source
	have, err := t.sums(ctx)
	if err != nil {
		return 0, err
	}
	var names []string
	for i := range s.tables {
		tab := &s.tables[i]
		names = append(names, tab.name)
		r.say("reading %s", tab.name)
		before, err := s.sum(ctx, s.tx, tab)
		if err != nil {
			return copied, err
		}
		if have[tab.name] != before {
			r.say("copying %s: %d rows", tab.name, before.Rows)
			if err := t.copy(ctx, s, tab, before); err != nil {
				return copied, err
			}
			copied++
			r.reach(phaseCopied)
		}
		after, err := t.sum(ctx, tab.name)
		if err != nil {
			return copied, err
		}
		r.report.Tables = append(r.report.Tables, Table{Name: tab.name, Before: before, After: &after, Archive: slices.Contains(archived, tab.name)})
		if after == before {
			continue
		}
		if have[tab.name] == before { // the copy was changed since it was made
			if err := t.copy(ctx, s, tab, before); err != nil {
				return copied, err
			}
			copied++
			if after, err = t.sum(ctx, tab.name); err != nil {
				return copied, err
			}
			r.report.Tables[len(r.report.Tables)-1].After = &after
		}
		if after != before {
			return copied, differs(tab.name, before, after)
		}
	}
	return copied, t.forget(ctx, names)
}

func differs(name string, before, after Sum) error {
	return problem.New(problem.Invalid, "the copy of %s differs: %d rows (%s) became %d rows (%s); nothing was published", name, before.Rows, before.Checksum, after.Rows, after.Checksum).
		Fix("run it again; when it differs again, keep the old schema and report it with the figures above")
}

func (r *run) publish(ctx context.Context) error {
	repos, err := r.o.DB.Repos(ctx)
	if err != nil {
		return err
	}
	b := &publisher{db: r.o.DB, t: r.target, known: map[string]bool{}, reach: r.reach, plan: r.plan, source: r.target.contents}
	for _, repo := range repos {
		b.known[repo.Root] = true
	}
	for _, x := range r.plan.projects {
		r.say("publishing %s", x.name)
		p, err := b.publish(ctx, x)
		if err != nil {
			return fmt.Errorf("project %s (%s): %w", x.id, x.name, err)
		}
		r.report.Projects = append(r.report.Projects, p)
	}
	return nil
}

// rehearse does everything but writing.
func (r *run) rehearse(ctx context.Context) (err error) {
	s := r.source
	for i := range s.tables {
		tab := &s.tables[i]
		r.say("reading %s", tab.name)
		before, err := s.sum(ctx, s.tx, tab)
		if err != nil {
			return err
		}
		r.report.Tables = append(r.report.Tables, Table{Name: tab.name, Before: before, Archive: slices.Contains(archived, tab.name)})
	}
	old := &reader{q: s.tx, sql: func(name string) (string, []any, bool) {
		tab, ok := s.lookup(name)
		if !ok {
			return "", nil, false
		}
		return s.rowsSQL(tab), nil, true
	}}
	if r.plan, err = newPlan(ctx, old); err != nil {
		return err
	}
	for _, x := range r.plan.projects {
		files, err := x.describe(ctx, r.plan, s.contents)
		if err != nil {
			return fmt.Errorf("project %s (%s): %w", x.id, x.name, err)
		}
		r.report.Projects = append(r.report.Projects, x.report(files))
	}
	r.sumUp()
	return nil
}

// sumUp counts, by table and by reason, what is in no graph.
func (r *run) sumUp() {
	type kind struct{ table, reason string }
	kinds := map[kind]int{}
	count := map[string]int64{}
	for _, l := range r.plan.rest {
		count[l.table]++
		kinds[kind{l.table, l.reason}]++
	}
	for k, n := range kinds {
		r.report.Rest = append(r.report.Rest, Rest{Table: k.table, Reason: k.reason, Rows: n})
	}
	slices.SortFunc(r.report.Rest, func(a, b Rest) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), cmp.Compare(b.Rows, a.Rows), strings.Compare(a.Reason, b.Reason))
	})
	for i := range r.report.Tables {
		t := &r.report.Tables[i]
		t.InGraph, t.NotInGraph = r.plan.placed[t.Name], count[t.Name]
	}
}
