package adopt

import (
	"slices"
	"strings"
	"testing"

	"manito/internal/problem"
)

func (o *old) dropOptions() DropOptions {
	return DropOptions{DSN: o.Admin, Target: o.App, TargetSchema: o.Database.Schema}
}

// TestDrop refuses whatever would lose something, and then archives four tables and drops the rest.
func TestDrop(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	refused := func(name string, kind problem.Kind, text string, opt DropOptions) {
		t.Helper()
		_, err := Drop(t.Context(), opt)
		if problem.KindOf(err) != kind || !strings.Contains(err.Error()+strings.Join(problem.Fixes(err), "\n"), text) {
			t.Errorf("%s: %v, %v", name, err, problem.Fixes(err))
		}
		if n := o.one(t, `select count(*)::text from pg_tables where schemaname = 'manito_dev' and tablename <> 'later'`); n != "16" {
			t.Fatalf("%s: %s tables are left", name, n)
		}
	}
	refused("before it was adopted", problem.NotFound, "has not been adopted", o.dropOptions())
	mustRun(t, o.options())

	o.exec(t, `insert into manito_dev.search_logs (query) values ('later')`)
	refused("a new row", problem.Invalid, `"search_logs" is not as it was adopted: it has 5 rows`, o.dropOptions())
	o.exec(t, `delete from manito_dev.search_logs where query = 'later'`)
	o.exec(t, `alter table manito_dev.users add column role text`)
	refused("a new column", problem.Invalid, `"users"`, o.dropOptions())
	o.exec(t, `alter table manito_dev.users drop column role`)
	o.exec(t, `create table manito_dev.later (x int)`)
	refused("a new table", problem.Invalid, `"later"`, o.dropOptions())
	o.exec(t, `drop table manito_dev.later`)
	o.exec(t, `delete from `+o.manito("adopted_row")+` where source_table = 'cache' and old_id = 'a'`)
	refused("a row that the copy lost", problem.Invalid, `"cache"`, o.dropOptions())
	mustRun(t, o.options())

	o.exec(t, `create view public.report as select name from manito_dev.projects`)
	refused("a view of others", problem.Conflict, "view public.report depends on table manito_dev.projects", o.dropOptions())
	o.exec(t, `drop view public.report`)
	o.exec(t, `create schema manito_archive`)
	refused("an archive that is there", problem.Conflict, "ALTER SCHEMA manito_archive RENAME", o.dropOptions())
	o.exec(t, `drop schema manito_archive`)
	o.exec(t, `grant select on all tables in schema manito_dev to adopt_test_dev; grant create on database `+quote(o.Name)+` to adopt_test_dev`)
	one := o.dropOptions()
	one.DSN += " user=adopt_test_dev password=adopt-test"
	refused("one of two owners", problem.Denied, `GRANT "adopt_test_clapp" TO "adopt_test_dev"`, one)

	o.exec(t, `create function manito_dev.of_others() returns int language sql as 'select 1'`)
	dry := o.dropOptions()
	dry.DryRun = true
	rehearsed, err := Drop(t.Context(), dry)
	if err != nil {
		t.Fatal(err)
	}
	embeddings := o.one(t, `select md5(string_agg(e::text, ',' order by e.id)) from manito_dev.embeddings e`)
	rep, err := Drop(t.Context(), o.dropOptions())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rep.Dropped, rehearsed.Dropped) || !slices.Equal(rep.Archived, rehearsed.Archived) || len(rep.Compared) != 16 {
		t.Errorf("rehearsed %+v, was %+v", rehearsed, rep)
	}
	if !slices.Equal(rep.Kept, []string{"function of_others"}) {
		t.Errorf("left alone: %v", rep.Kept)
	}
	for sql, want := range map[string]string{
		`select string_agg(tablename, ',' order by tablename) from pg_tables where schemaname = 'manito_archive'`: "cache,embeddings,migrations,websocket_connections",
		`select count(*)::text from pg_tables where schemaname = 'manito_dev'`:                                    "0",
		`select md5(string_agg(e::text, ',' order by e.id)) from manito_archive.embeddings e`:                     embeddings,
		`select status from manito_archive.migrations where id = '001_initial_schema'`:                            "failed",
		`select status from ` + o.manito("adoption"):                                                              "dropped",
		`select count(*)::text from ` + o.manito("adopted_row") + ` where source_table = 'graph_nodes'`:           "137",
	} {
		if got := o.one(t, sql); got != want {
			t.Errorf("%s: %s, not %s", sql, got, want)
		}
	}
}
