package adopt

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// old is a database of the predecessor beside Manito's schema.
type old struct {
	*postgrestest.Database
	conn *pgx.Conn // as superuser
	db   *postgres.DB
}

// fill runs the files that make the old database.
func fill(t testing.TB, conn *pgx.Conn, files ...string) {
	t.Helper()
	for _, name := range files {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func newOld(t testing.TB) *old {
	t.Helper()
	o := &old{Database: postgrestest.New(t)}
	var err error
	if o.conn, err = pgx.Connect(t.Context(), o.Admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.conn.Close(context.Background()) })
	fill(t, o.conn, "roles.sql", "old.sql", "rows.sql")
	o.db = o.Open(t)
	return o
}

func (o *old) options() Options {
	return Options{DSN: o.Admin, DB: o.db, Target: o.App, TargetSchema: o.Database.Schema, AppVersion: "test"}
}

func (o *old) one(t testing.TB, sql string, args ...any) (v string) {
	t.Helper()
	if err := o.conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// TestFixtureIsTheAudited counts what the audit counted.
func TestFixtureIsTheAudited(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	for want, sql := range map[string]string{
		"16": `select count(*)::text from pg_tables where schemaname = 'manito_dev'`,
		"7":  `select count(*)::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'manito_dev'`,
		"57": `select count(*)::text from pg_indexes where schemaname = 'manito_dev'`,
		"6":  `select count(*)::text from pg_tables where schemaname = 'manito_dev' and tableowner = 'adopt_test_clapp'`,
	} {
		if got := o.one(t, sql); got != want {
			t.Errorf("%s: %s, not %s", sql, got, want)
		}
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	rep, err := Run(t.Context(), o.options())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range rep.Tables {
		t.Logf("%-22s %5d rows %s in graph %d not %d", x.Name, x.Before.Rows, x.Before.Checksum, x.InGraph, x.NotInGraph)
	}
	for _, x := range rep.Projects {
		t.Logf("%+v", x)
	}
	for _, x := range rep.Rest {
		t.Logf("%+v", x)
	}
}
