package adopt

import (
	"strings"
	"testing"

	"manito/internal/problem"
)

// TestRefusals gives each wrong input the error that says what is wrong and what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	as := func(role string) string { return o.Admin + " user=" + role + " password=adopt-test" }
	for _, c := range []struct {
		name   string
		before string // SQL
		change func(*Options)
		kind   problem.Kind
		text   string // in the message
		fix    string // in a fix
		after  string
	}{
		{name: "address", change: func(o *Options) { o.DSN = "::nonsense::" }, kind: problem.Usage, text: "the address of --dsn cannot be read", fix: "postgres://"},
		{name: "nobody answers", change: func(o *Options) { o.DSN = "postgres://u@127.0.0.1:1/x" }, kind: problem.Unavailable, text: "no PostgreSQL answers at 127.0.0.1:1", fix: "--dsn"},
		{name: "password", change: func(o *Options) { o.DSN = as("adopt_test_dev") + "x" }, kind: problem.Denied, text: `refuses the password of "adopt_test_dev"`, fix: "--dsn"},
		{name: "database", change: func(p *Options) { p.DSN = o.Admin + " dbname=no_such_database" }, kind: problem.NotFound, text: `no database "no_such_database"`, fix: "--dsn"},
		{name: "schema", change: func(o *Options) { o.Schema = "nosuch" }, kind: problem.NotFound, text: `no schema "nosuch"`, fix: "leave --schema out"},
		{name: "rights", change: func(o *Options) { o.DSN = as("adopt_test_dev") }, kind: problem.Denied, text: `"manito_dev"."graph_edges"`, fix: `GRANT SELECT ON "manito_dev"."code_chunks", `},
		{name: "row security", before: `alter table manito_dev.users enable row level security; grant select on all tables in schema manito_dev to adopt_test_clapp`,
			change: func(o *Options) { o.DSN = as("adopt_test_clapp") }, kind: problem.Denied, text: "row security hides rows of users", fix: "BYPASSRLS",
			after: `alter table manito_dev.users disable row level security; revoke select on manito_dev.users from adopt_test_clapp`},
		{name: "another program", before: `create schema shop; create table shop.projects (id int primary key, title text); create table shop.files (id int)`,
			change: func(o *Options) { o.Schema = "shop" }, kind: problem.Invalid, text: "it lacks column projects.name, column projects.path, table scans, column files.project_id", fix: "--schema"},
		{name: "two of them", before: `create schema copy; create table copy.projects (); create table copy.scans (); create table copy.files (); create table copy.dependencies (); create table copy.conflicts ()`,
			kind: problem.Ambiguous, text: "2 schemas", fix: "--schema copy", after: `drop schema copy cascade`},
		{name: "one schema for both", change: func(p *Options) { p.TargetSchema = "manito_dev" }, kind: problem.Usage, text: "are the same", fix: "POSTGRES_SCHEMA"},
		{name: "half adopted elsewhere", before: `create schema other; create table other.adoption (adoption_id int, cluster text, database text, schema text, status text, host text, pid int);
			insert into other.adoption select 1, system_identifier::text, current_database(), 'manito_dev', 'running', 'elsewhere', 77 from pg_control_system()`,
			kind: problem.Conflict, text: `in schema "other" of the same database, has begun to adopt schema "manito_dev" (process 77 on elsewhere)`, fix: "POSTGRES_SCHEMA=other", after: `drop schema other cascade`},
	} {
		if c.before != "" {
			o.exec(t, c.before)
		}
		opt := o.options()
		if c.change != nil {
			c.change(&opt)
		}
		_, err := Run(t.Context(), opt)
		if problem.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(strings.Join(problem.Fixes(err), "\n"), c.fix) {
			t.Errorf("%s: %v (%s), fixes %q", c.name, err, problem.KindOf(err), problem.Fixes(err))
		}
		if c.after != "" {
			o.exec(t, c.after)
		}
	}
	for _, table := range []string{"adoption", "adopted_row", "repo"} {
		if n := o.one(t, `select count(*)::text from `+o.manito(table)); n != "0" {
			t.Errorf("%s has %s rows after nothing but refusals", table, n)
		}
	}
}

// TestOtherShapes adopts what installations differ in: UUID and text keys, renamed
// columns, JSON as text, tables that are missing or nobody knows, column names with quotes.
func TestOtherShapes(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	o.exec(t, `
		create schema "Odd ""Schema";
		set search_path = "Odd ""Schema";
		create table projects (id uuid primary key, name text, path text, "odd "" column" json, secret bytea, span interval, list int[]);
		create table scans (id text, project_id uuid, status text);
		create table files (id bigserial primary key, project_id uuid, file_path text);
		create table dependencies (id int, project_id text, name text, source text);
		create table conflicts (id numeric primary key, project_id uuid, type text, line_number numeric);
		create table graph_nodes (id text primary key, node_type text, name text, file_path text, metadata text, project_id uuid, line_number text);
		create table graph_edges (id int primary key, from_node_id text, to_node_id text, relationship text, metadata json);
		create table user_flows (a text, b point);
		insert into projects values ('00000000-0000-0000-0000-000000000001', 'odd', '/odd', '{"a": 1, "a": 2}', '\x00ff', '1 year 2 days 3.5 seconds', '{1,null}');
		insert into scans values (null, '00000000-0000-0000-0000-000000000001', 'x'), (null, null, null), ('a', null, null), ('a', null, null);
		insert into files (project_id, file_path) values ('00000000-0000-0000-0000-000000000001', '/odd/a.py');
		insert into dependencies values (1, '00000000-0000-0000-0000-000000000001', 'b', 'a.py');
		insert into conflicts values (1.50, null, 'x', 1e10);
		insert into graph_nodes values ('n1', 'Function', 'one', 'a.py', '{"startPosition": {"row": 1, "column": 2}}', '00000000-0000-0000-0000-000000000001', 'x'),
			('n2', 'Function', 'two', 'a.py', '{broken', '00000000-0000-0000-0000-000000000001', null);
		insert into graph_edges values (1, 'n1', 'n2', 'calls', '{"line": 7, "column": 3}');
		insert into user_flows values ('kept', '(1.5,2)');
		reset search_path`)
	opt := o.options()
	opt.Schema = `Odd "Schema`
	rep := mustRun(t, opt)
	if len(rep.Tables) != 8 || len(rep.Projects) != 1 || rep.Projects[0].Definitions != 2 || rep.Projects[0].Edges != 1 {
		t.Errorf("%+v", rep)
	}
	for sql, want := range map[string]string{
		`select data ->> 'odd " column' from %adopted_rows where table_name = 'projects'`:                                                   `{"a": 1, "a": 2}`,
		`select data ->> 'secret' || ' ' || (data ->> 'span') || ' ' || (data ->> 'list') from %adopted_rows where table_name = 'projects'`: `\x00ff P1Y2DT3.5S {1,NULL}`,
		`select count(*)::text from %adopted_rows where table_name = 'scans'`:                                                               "4",
		`select data ->> 'b' from %adopted_rows where table_name = 'user_flows'`:                                                            "(1.5,2)",
		`select line::text from %conflicts`:                                                                                                 "10000000000",
		`select line || ' ' || path from %graph_nodes where name = 'one'`:                                                                   "2 a.py",
		`select source_name || ' ' || line from %graph_edges where target_name = 'two'`:                                                     "one 7",
	} {
		if got := o.one(t, strings.ReplaceAll(sql, "%", quote(o.Database.Schema)+".")); got != want {
			t.Errorf("%s: %s, not %s", sql, got, want)
		}
	}
	drop := o.dropOptions()
	drop.Schema = opt.Schema
	done, err := Drop(t.Context(), drop)
	if err != nil || len(done.Compared) != 8 || len(done.Archived) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}
