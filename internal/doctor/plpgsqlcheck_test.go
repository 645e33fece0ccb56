package doctor

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// beyondUs are functions that plpgsql_check faults and the doctor does not, and why.
var beyondUs = map[string]string{
	"good_temporary": "the table that it misses is created by the body itself: it runs",
}

// TestAgainstPlpgsqlCheck holds the doctor to the extension that analyses plpgsql with the
// server's own parser: of a collection of broken functions it has to find each that the
// extension calls an error, and it may say nothing about one that the extension calls sound.
func TestAgainstPlpgsqlCheck(t *testing.T) {
	t.Parallel()
	var m *machine
	for _, p := range programs(t) {
		if strings.HasPrefix(p.bin, "/usr/lib/postgresql/") {
			m = newMachine(t, p)
		}
	}
	if m == nil {
		t.Fatal("the extension plpgsql_check comes with Debian's server (apt-get install postgresql-15 postgresql-15-plpgsql-check)")
	}
	m.init(t, "")
	m.start(t)
	conn := m.connect(t, m.dsn("postgres"))
	text, err := os.ReadFile("testdata/functions.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "create extension plpgsql_check schema public; set search_path = lab, public", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("plpgsql_check is not installed (MANITO_DEPS=test scripts/install-deps.sh installs it): %v", err)
	}
	rows, err := conn.Query(t.Context(), `
		select 'lab.' || p.oid::regprocedure::text, p.proname, coalesce((select string_agg(format('line %s: %s (%s)', c.lineno, c.message, c.sqlstate), '; ')
			from public.plpgsql_check_function_tb(p.oid::regprocedure, coalesce(g.tgrelid, 0)::regclass, fatal_errors => false, other_warnings => false, performance_warnings => false, extra_warnings => false) c where c.level = 'error'), '')
		from pg_proc p join pg_language l on l.oid = p.prolang left join pg_trigger g on g.tgfoid = p.oid where l.lanname = 'plpgsql' and p.pronamespace = 'lab'::regnamespace order by 2`)
	if err != nil {
		t.Fatal(err)
	}
	type verdict struct{ ident, name, fault string }
	verdicts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v verdict, err error) {
		return v, row.Scan(&v.ident, &v.name, &v.fault)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) < 60 {
		t.Errorf("only %d functions were compared", len(verdicts))
	}
	r := examine(t, Options{DSN: m.dsn("postgres"), Schema: "lab", Only: []string{"FUN"}})
	skipped := map[string]string{}
	for _, k := range r.Skipped {
		skipped[k.Object] = k.Reason
	}
	both := 0
	for _, v := range verdicts {
		ours := r.find(v.ident)
		said := ""
		if ours != nil {
			said = ours.ID + " " + ours.Evidence
		}
		switch {
		case strings.HasPrefix(v.name, "bad_") != (v.fault != "") && beyondUs[v.name] == "":
			t.Errorf("the collection is wrong about %s: plpgsql_check says %q", v.ident, v.fault)
		case v.fault != "" && ours == nil && beyondUs[v.name] == "":
			t.Errorf("%s was not found: plpgsql_check says %s; skipped: %q", v.ident, v.fault, skipped[v.ident])
		case v.fault != "" && ours != nil && beyondUs[v.name] != "":
			t.Errorf("%s is found now: %s", v.ident, said)
		case v.fault == "" && ours != nil:
			t.Errorf("%s is sound, and the doctor says: %s", v.ident, said)
		case v.fault == "" && strings.Contains(skipped[v.ident], errNotUnderstood.Error()):
			t.Errorf("%s was not understood", v.ident)
		case v.fault != "":
			both++
		}
	}
	t.Logf("%d functions; %d faults found by both", len(verdicts), both)
}
