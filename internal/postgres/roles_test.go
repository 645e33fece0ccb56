package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/code"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// relations lists the relations of a kind ('r' tables, 'v' views) in the schema.
func relations(t *testing.T, d *postgrestest.Database, kind string) (names []string) {
	t.Helper()
	each(t, d.Connect(t, d.Admin), func(row pgx.CollectableRow) error {
		var s string
		err := row.Scan(&s)
		names = append(names, s)
		return err
	}, `select relname from pg_class where relnamespace = (select oid from pg_namespace where nspname = $1) and relkind = $2::text::"char" order by 1`, d.Schema, kind)
	return names
}

func denied(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}

func TestRolesMayDoWhatTheyShould(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	newCorpus(small).scan(t, d.Open(t), "/r", "main")
	app, reader := d.Connect(t, d.App), d.Connect(t, d.Reader)
	views, tables := relations(t, d, "v"), relations(t, d, "r")
	for _, view := range []string{"projects", "refs", "scans", "snapshots", "files", "graph_nodes", "graph_edges", "symbol_references", "dependencies", "diagnostics"} {
		found := false
		for _, v := range views {
			found = found || v == view
		}
		if !found {
			t.Errorf("there is no view %s", view)
		}
	}
	for _, view := range views {
		for who, conn := range map[string]*pgx.Conn{"app": app, "reader": reader} {
			if _, err := conn.Exec(t.Context(), `select * from `+view); err != nil {
				t.Errorf("the %s cannot read %s: %v", who, view, err)
			}
		}
	}
	for _, table := range tables {
		name := pgx.Identifier{table}.Sanitize()
		if _, err := reader.Exec(t.Context(), `select from `+name); !denied(err) {
			t.Errorf("the reader reads the table %s: %v", table, err)
		}
		if strings.HasPrefix(table, "migration") {
			continue // the ledger is not the application's
		}
		for _, statement := range []string{`select from ` + name, `delete from ` + name + ` where false`} {
			if _, err := app.Exec(t.Context(), statement); err != nil {
				t.Errorf("the app may not %s: %v", statement, err)
			}
		}
		for _, statement := range []string{`truncate ` + name, `drop table ` + name, `alter table ` + name + ` add column x int`} {
			if _, err := app.Exec(t.Context(), statement); !denied(err) {
				t.Errorf("the app may %s: %v", statement, err)
			}
		}
	}
	for _, statement := range []string{`create table x ()`, `create view x as select 1`, `create function x() returns int language sql return 1`, `create temp table x ()`} {
		_, err := app.Exec(t.Context(), statement)
		if statement != `create temp table x ()` && !denied(err) {
			t.Errorf("the app may %s: %v", statement, err)
		}
	}
	for _, statement := range []string{`select * from references_to('x')`, `select * from symbols_named('x')`, `select * from symbol_keys('x')`, `select * from key_references(1, 1, 1)`} {
		if _, err := reader.Exec(t.Context(), statement); err != nil {
			t.Errorf("the reader may not %s: %v", statement, err)
		}
	}
	if _, err := reader.Exec(t.Context(), `select refresh_statistics()`); !denied(err) {
		t.Errorf("the reader renews statistics: %v", err)
	}
	if _, err := app.Exec(t.Context(), `select refresh_statistics()`); err != nil {
		t.Errorf("the app cannot renew statistics: %v", err)
	}
}

// TestFunctionsCannotBeLedAstray puts a table of the same name before the schema's: functions with the owner's rights do not see it.
func TestFunctionsCannotBeLedAstray(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	c := newCorpus(small)
	c.scan(t, d.Open(t), "/r", "main")
	conn := d.Connect(t, d.App)
	var before, after int
	symbol := c.files[0].scope
	if err := conn.QueryRow(t.Context(), `select count(*) from references_to($1)`, symbol).Scan(&before); err != nil || before == 0 {
		t.Fatal(before, err)
	}
	for _, table := range []string{"file", "scope", "edge_block", "symbol_block", "path"} {
		if _, err := conn.Exec(t.Context(), `create temp table `+table+` ()`); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(t.Context(), `set search_path = pg_temp, `+pgx.Identifier{d.Schema}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), `select count(*) from `+pgx.Identifier{d.Schema}.Sanitize()+`.references_to($1)`, symbol).Scan(&after); err != nil || after != before {
		t.Fatal(before, after, err)
	}
}

// TestEverythingIsExplained wants a comment on every table, view and function, and on the columns of views that do not explain themselves.
func TestEverythingIsExplained(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	each(t, d.Connect(t, d.Admin), func(row pgx.CollectableRow) error {
		var what string
		err := row.Scan(&what)
		t.Errorf("%s has no comment", what)
		return err
	}, `
		select c.relname::text from pg_class c where c.relname !~ '^migration' and c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null
		union all
		select p.proname::text from pg_proc p where p.proname !~ '^migration' and p.pronamespace = $1::text::regnamespace and obj_description(p.oid, 'pg_proc') is null
			and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')`, pgx.Identifier{d.Schema}.Sanitize())
}

// TestWordsAreThoseOfTheVocabulary compares what SQL says with what Go says.
func TestWordsAreThoseOfTheVocabulary(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	conn := d.Connect(t, d.Reader)
	same := func(function string, n int, want func(i int) string) {
		t.Helper()
		for i := range n + 1 {
			var got *string
			if err := conn.QueryRow(t.Context(), `select `+function+`($1)`, i).Scan(&got); err != nil {
				t.Fatal(err)
			}
			w := want(i)
			if i == n {
				if got != nil {
					t.Errorf("%s(%d) is %q, which Go does not know", function, i, *got)
				}
				continue
			}
			if got == nil || *got != w {
				t.Errorf("%s(%d) is %v, want %q", function, i, got, w)
			}
		}
	}
	kinds := 0
	for code.Kind(kinds).String() != code.KindUnknown.String() || kinds == 0 {
		kinds++
	}
	same("kind_word", kinds, func(i int) string { return code.Kind(i).String() })
	same("edge_word", code.NumEdgeKinds, func(i int) string { return code.EdgeKind(i).String() })
	same("certainty_word", 3, func(i int) string { return code.Certainty(i).String() })
	reasons := 0
	for code.Reason(reasons).String() != "" {
		reasons++
	}
	same("reason_text", reasons, func(i int) string { return code.Reason(i).String() })
	same("evidence_word", reasons, func(i int) string { return code.Reason(i).Evidence().String() })
	same("dependency_word", 4, func(i int) string {
		return map[postgres.DependencyState]string{postgres.DependencyUnresolved: "unresolved", postgres.DependencyResolved: "resolved", postgres.DependencyExternal: "external", postgres.DependencyStandard: "standard"}[postgres.DependencyState(i)]
	})
	for i := code.SeverityError; i <= code.SeverityHint; i++ {
		var got string
		if err := conn.QueryRow(t.Context(), `select severity_word($1)`, int(i)).Scan(&got); err != nil || got != i.String() {
			t.Errorf("severity_word(%d) is %q, %v", i, got, err)
		}
	}
	for i, want := range map[code.ImportKind]string{code.ImportModule: "module", code.ImportNamed: "named", code.ImportStar: "star", code.ImportSideEffect: "side_effect", code.ImportDynamic: "dynamic", code.ImportReexport: "reexport", code.ImportType: "type"} {
		var got string
		if err := conn.QueryRow(t.Context(), `select import_word($1)`, int(i)).Scan(&got); err != nil || got != want {
			t.Errorf("import_word(%d) is %q, %v", i, got, err)
		}
	}
}
