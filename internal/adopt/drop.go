package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/problem"
)

// DropOptions say which old schema is no longer needed.
type DropOptions struct {
	DSN          string // of the old database, as a role that owns the tables of both owners
	Schema       string // "" to find it
	DryRun       bool   // do everything in a transaction and roll it back
	Target       string // Manito's database, and the schema that it was adopted into
	TargetSchema string
	Wait         time.Duration

	// hook, when set, is called before the drop is committed. The tests of this package kill the process there.
	hook func()
}

// DropReport says what went away and what was moved. Its JSON has "schema":
// "manito/db-adopt-drop/v1".
type DropReport struct {
	Schema   string   `json:"schema"`
	Source   Where    `json:"source"`
	DryRun   bool     `json:"dry_run"`
	Compared []Table  `json:"compared"` // every table, with its sums there and here
	Dropped  []string `json:"dropped"`  // tables and functions
	Archived []string `json:"archived"` // tables that are now in ArchiveSchema
	// Kept is what else is in the old schema; it is left there, and the schema with it.
	Kept []string `json:"kept"`
}

// functions are those of the predecessor; others in its schema are somebody else's.
var functions = []string{"calculate_text_similarity", "find_symbol_definitions", "find_symbol_references", "get_dependency_graph", "global_search", "search_code_chunks", "search_projects"}

// Drop removes the old schema after an adoption: it compares every table once more under
// a lock, moves into ArchiveSchema what was not carried over to be used, and drops the
// rest, in one transaction. It refuses with problem.NotFound what was not adopted, with
// problem.Invalid what has changed since, with problem.Denied a role that does not own
// everything, and with problem.Conflict what others depend on.
func Drop(ctx context.Context, o DropOptions) (rep *DropReport, err error) {
	defer problem.Call(&err, "adopt: drop the old schema")
	t, err := openTarget(ctx, o.Target, o.TargetSchema)
	if err != nil {
		return nil, err
	}
	defer t.close(ctx)
	if err := t.exclude(ctx, o.Wait); err != nil {
		return nil, err
	}
	s, err := OpenSource(ctx, o.DSN, o.Schema)
	if err != nil {
		return nil, err
	}
	defer s.Close(ctx)
	rep = &DropReport{Schema: "manito/db-adopt-drop/v1", Source: s.Where, DryRun: o.DryRun, Compared: []Table{}, Dropped: []string{}, Archived: []string{}, Kept: []string{}}
	a, there, err := t.recorded(ctx, s.Where)
	switch {
	case err != nil:
		return nil, err
	case !there || a.status == "running":
		return nil, problem.New(problem.NotFound, "the %s has not been adopted into schema %q", s.Where, o.TargetSchema).Fix("adopt it first: the same command without --drop-old")
	}
	t.id = a.id
	if err := s.tx.Rollback(ctx); err != nil {
		return nil, explain(ctx, err, "beginning a transaction")
	}
	if err := s.begin(ctx, pgx.TxOptions{}); err != nil {
		return nil, err
	}
	d := &dropping{s: s, t: t, rep: rep}
	for _, step := range []func(context.Context) error{d.allowed, d.lock, d.compare, d.archive, d.drop, d.note} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if o.DryRun {
		return rep, explain(ctx, s.tx.Rollback(ctx), "undoing the rehearsal")
	}
	if err := t.held(ctx); err != nil {
		return nil, err
	}
	// It is recorded first: killed in between, this can be run again, which a schema that
	// is gone could not be.
	if err := t.record(ctx, true); err != nil {
		return nil, err
	}
	if o.hook != nil {
		o.hook()
	}
	if err := s.tx.Commit(ctx); err != nil {
		return nil, errors.Join(explain(ctx, err, "dropping the old schema"), t.record(context.WithoutCancel(ctx), false))
	}
	return rep, nil
}

// record says whether the old schema is gone.
func (t *target) record(ctx context.Context, gone bool) error {
	_, err := t.conn.Exec(ctx, `
		update `+t.name("adoption")+` set status = case when $2 then 'dropped' else 'published' end, dropped_at = case when $2 then clock_timestamp() end where adoption_id = $1`, t.id, gone)
	return explain(ctx, err, "recording that the old schema is gone")
}

// dropping is one Drop under way.
type dropping struct {
	s   *Source
	t   *target
	rep *DropReport
}

// allowed looks whether the session's user may do everything, before anything waits for it.
func (d *dropping) allowed(ctx context.Context) error {
	s := d.s
	var recovery, create bool
	if err := s.tx.QueryRow(ctx, `select pg_is_in_recovery(), has_database_privilege(current_database(), 'create')`).Scan(&recovery, &create); err != nil {
		return explain(ctx, err, "looking at the rights")
	}
	if recovery {
		return problem.New(problem.Unsupported, "the server at %s is in recovery, where nothing can be dropped", s.Server).Fix("name its primary in --dsn")
	}
	rows, err := s.tx.Query(ctx, `
		select distinct r.rolname from pg_roles r join (
			select c.relowner as owner from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1) and c.relkind in ('r', 'p')
			union select p.proowner from pg_proc p where p.pronamespace = (select oid from pg_namespace where nspname = $1) and p.proname = any ($2)
			union select nspowner from pg_namespace where nspname = $1) o on o.owner = r.oid
		where not pg_has_role(r.oid, 'usage') order by 1`, s.Schema, functions)
	if err != nil {
		return explain(ctx, err, "looking at the rights")
	}
	owners, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return explain(ctx, err, "looking at the rights")
	}
	user := quote(s.conn.Config().User)
	if len(owners) > 0 {
		e := problem.New(problem.Denied, "%s may not drop what belongs to %s", user, strings.Join(owners, ", "))
		for _, o := range owners {
			e = e.Fix("GRANT %s TO %s;", quote(o), user)
		}
		return e.Fix("or give --dsn a superuser")
	}
	if !create {
		return problem.New(problem.Denied, "%s may not create the schema %s", user, ArchiveSchema).Fix("GRANT CREATE ON DATABASE %s TO %s;", quote(s.Database), user)
	}
	return nil
}

// lock keeps everybody out, and looks again at what there is.
func (d *dropping) lock(ctx context.Context) (err error) {
	var names []string
	for _, t := range d.s.tables {
		names = append(names, quote(d.s.Schema, t.name))
	}
	if _, err := d.s.tx.Exec(ctx, `lock table `+strings.Join(names, ", ")+` in access exclusive mode`); err != nil {
		return explain(ctx, err, "locking the old tables")
	}
	d.s.tables, err = d.s.look(ctx)
	return err
}

// compare refuses tables that are not as they were copied.
func (d *dropping) compare(ctx context.Context) error {
	recorded, err := d.t.sums(ctx)
	if err != nil {
		return err
	}
	for i := range d.s.tables {
		tab := &d.s.tables[i]
		before, err := d.s.sum(ctx, d.s.tx, tab)
		if err != nil {
			return err
		}
		after, err := d.t.sum(ctx, tab.name)
		if err != nil {
			return err
		}
		if before != after || before != recorded[tab.name] {
			return problem.New(problem.Invalid, "%s is not as it was adopted: it has %d rows (%s), the copy %d (%s); nothing was dropped", quote(d.s.Schema, tab.name), before.Rows, before.Checksum, after.Rows, after.Checksum).
				Fix("adopt what has changed: the same command without --drop-old")
		}
		d.rep.Compared = append(d.rep.Compared, Table{Name: tab.name, Before: before, After: &after, Archive: slices.Contains(archived, tab.name)})
	}
	return nil
}

// archive moves the tables whose rows nobody asks for. What they refer to goes away, so
// that their foreign keys go first.
func (d *dropping) archive(ctx context.Context) error {
	s := d.s
	var there bool
	if err := s.tx.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, ArchiveSchema).Scan(&there); err != nil {
		return explain(ctx, err, "making the archive")
	}
	if there {
		return problem.New(problem.Conflict, "database %q has a schema %s already", s.Database, ArchiveSchema).
			Fix("rename it: ALTER SCHEMA %s RENAME TO %s_1;", ArchiveSchema, ArchiveSchema)
	}
	if _, err := s.tx.Exec(ctx, `create schema `+quote(ArchiveSchema)); err != nil {
		return explain(ctx, err, "making the archive")
	}
	rows, err := s.tx.Query(ctx, `
		select c.relname, k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and k.contype = 'f' and c.relname = any ($2) order by 1, 2`, s.Schema, archived)
	if err != nil {
		return explain(ctx, err, "making the archive")
	}
	type key struct{ Table, Name string }
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[key])
	if err != nil {
		return explain(ctx, err, "making the archive")
	}
	for _, k := range keys {
		if _, err := s.tx.Exec(ctx, `alter table `+quote(s.Schema, k.Table)+` drop constraint `+quote(k.Name)); err != nil {
			return explain(ctx, err, "making the archive")
		}
	}
	for _, name := range archived {
		if _, ok := s.lookup(name); !ok {
			continue
		}
		if _, err := s.tx.Exec(ctx, `alter table `+quote(s.Schema, name)+` set schema `+quote(ArchiveSchema)); err != nil {
			return explain(ctx, err, "archiving "+name)
		}
		d.rep.Archived = append(d.rep.Archived, ArchiveSchema+"."+name)
	}
	return nil
}

// drop drops the tables and functions, and the schema when nothing else is in it.
func (d *dropping) drop(ctx context.Context) error {
	s := d.s
	rows, err := s.tx.Query(ctx, `
		select p.proname, pg_get_function_identity_arguments(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = $1 and p.prokind = 'f' and p.proname = any ($2) order by 1, 2`, s.Schema, functions)
	if err != nil {
		return explain(ctx, err, "dropping the old functions")
	}
	type function struct{ Name, Arguments string }
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[function])
	if err != nil {
		return explain(ctx, err, "dropping the old functions")
	}
	for _, f := range list {
		if _, err := s.tx.Exec(ctx, `drop function `+quote(s.Schema, f.Name)+`(`+f.Arguments+`)`); err != nil {
			return depended(explain(ctx, err, "dropping function "+f.Name), err)
		}
		d.rep.Dropped = append(d.rep.Dropped, fmt.Sprintf("%s.%s(%s)", s.Schema, f.Name, f.Arguments))
	}
	var names []string
	for _, t := range s.tables {
		if !slices.Contains(archived, t.name) {
			names = append(names, quote(s.Schema, t.name))
			d.rep.Dropped = append(d.rep.Dropped, s.Schema+"."+t.name)
		}
	}
	if _, err := s.tx.Exec(ctx, `drop table `+strings.Join(names, ", ")); err != nil {
		return depended(explain(ctx, err, "dropping the old tables"), err)
	}
	if err := d.leave(ctx); err != nil || len(d.rep.Kept) > 0 {
		return err
	}
	if _, err := s.tx.Exec(ctx, `drop schema `+quote(s.Schema)); err != nil {
		return depended(explain(ctx, err, "dropping the old schema"), err)
	}
	d.rep.Dropped = append(d.rep.Dropped, "schema "+s.Schema)
	return nil
}

// leave lists what else is in the schema.
func (d *dropping) leave(ctx context.Context) error {
	rows, err := d.s.tx.Query(ctx, `
		select 'relation ' || c.relname from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1) and c.relkind not in ('i', 'I', 't', 'c')
		union all select 'function ' || p.proname from pg_proc p where p.pronamespace = (select oid from pg_namespace where nspname = $1)
		union all select 'type ' || t.typname from pg_type t where t.typnamespace = (select oid from pg_namespace where nspname = $1) and t.typtype in ('d', 'e', 'r')
		order by 1`, d.s.Schema)
	if err != nil {
		return explain(ctx, err, "looking for what else is in the old schema")
	}
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	d.rep.Kept = append(d.rep.Kept, kept...)
	return explain(ctx, err, "looking for what else is in the old schema")
}

// note says in the archive where everything else is.
func (d *dropping) note(ctx context.Context) error {
	text := fmt.Sprintf("schema %s was adopted into schema %s of database %s and dropped on %s", d.s.Schema, d.t.schema, d.t.conn.Config().Database, time.Now().UTC().Format(time.DateOnly))
	// COMMENT takes no parameters: the server itself makes the text a literal.
	var statement string
	if err := d.s.tx.QueryRow(ctx, `select format('comment on schema %I is %L', $1::text, $2::text)`, ArchiveSchema, text).Scan(&statement); err != nil {
		return explain(ctx, err, "noting it in the archive")
	}
	_, err := d.s.tx.Exec(ctx, statement)
	return explain(ctx, err, "noting it in the archive")
}

// depended names what others have built on the old tables.
func depended(known, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "2BP01" {
		return known
	}
	return problem.New(problem.Conflict, "others depend on the old schema: %s", strings.ReplaceAll(pg.Detail, "\n", "; ")).Because(err).
		Fix("drop or change them first; nothing was dropped")
}
