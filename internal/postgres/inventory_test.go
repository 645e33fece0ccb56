package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// TestInventory: every function of the schema is called and runs, every index is valid;
// and when one is not, it is named with the reason.
func TestInventory(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	newCorpus(small).scan(t, db, "/r", "main")
	look := func() postgres.Inventory {
		t.Helper()
		inv, err := db.Inventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return inv
	}
	inv := look()
	if len(inv.Functions) < 20 || len(inv.Indexes) < 20 || len(inv.Tables) < 20 {
		t.Fatalf("%d functions, %d indexes, %d tables", len(inv.Functions), len(inv.Indexes), len(inv.Tables))
	}
	for _, f := range inv.Functions {
		if f.Unknown {
			t.Errorf("%s is not called: give it a call in inventory.go", f.Signature)
		} else if f.Error != "" {
			t.Errorf("%s: %s", f.Signature, f.Error)
		}
	}
	for _, x := range inv.Indexes {
		if !x.Valid || !x.Ready {
			t.Errorf("%s of %s: %+v", x.Name, x.Table, x)
		}
	}
	admin := d.Connect(t, d.Admin)
	for _, statement := range []string{
		`create function stranger() returns int language sql return 1`,
		`create or replace function similar_names(p_project integer, p_name text, p_limit integer) returns table (project_id integer, name text, score double precision)
			language plpgsql as $$ begin return query select r.repo_id, r.name, 1.0::float8 from nosuchtable r; end $$`,
		`update pg_index set indisvalid = false where indexrelid = (select min(indexrelid) from pg_index where indrelid = 'file'::regclass)`,
	} {
		if strings.HasPrefix(statement, "create or replace function similar_names") {
			if _, err := admin.Exec(t.Context(), `drop function similar_names(integer, text, integer)`); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := admin.Exec(t.Context(), `grant execute on all functions in schema `+quoted(d.Schema)+` to `+quoted(d.Roles.App)); err != nil {
		t.Fatal(err)
	}
	inv = look()
	function := func(name string) postgres.FunctionCall {
		i := slices.IndexFunc(inv.Functions, func(f postgres.FunctionCall) bool { return strings.HasPrefix(f.Signature, name+"(") })
		if i < 0 {
			t.Fatalf("%s is not listed", name)
		}
		return inv.Functions[i]
	}
	if f := function("stranger"); !f.Unknown {
		t.Errorf("%+v", f)
	}
	if f := function("similar_names"); !strings.Contains(f.Error, `"nosuchtable" does not exist`) || !strings.Contains(f.Error, "42P01") {
		t.Errorf("%+v", f)
	}
	broken := 0
	for _, x := range inv.Indexes {
		if !x.Valid && x.Table == "file" {
			broken++
		}
	}
	if broken != 1 {
		t.Errorf("%d invalid indexes", broken)
	}
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
