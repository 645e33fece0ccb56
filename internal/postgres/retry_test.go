package postgres_test

import (
	"fmt"
	"testing"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// TestRetryOnlyWhatIsSafe: a transaction that the server asks to run again is run again as
// a whole, five times at most. Every other failure is reported at once: it might have
// happened, or would happen again.
func TestRetryOnlyWhatIsSafe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code  string
		fails int // how often, before it works
		tries int // wanted
		kind  problem.Kind
	}{
		{code: "40001", fails: 4, tries: 5},
		{code: "40P01", fails: 2, tries: 3},
		{code: "40001", fails: 99, tries: 5, kind: problem.Conflict},
		{code: "40P01", fails: 99, tries: 5, kind: problem.Conflict},
		{code: "55P03", fails: 1, tries: 1, kind: problem.Conflict},
		{code: "57014", fails: 1, tries: 1, kind: problem.Exhausted},
		{code: "53200", fails: 1, tries: 1, kind: problem.Exhausted},
		{code: "57P01", fails: 1, tries: 1, kind: problem.Unavailable},
		{code: "08006", fails: 1, tries: 1, kind: problem.Unavailable},
		{code: "23505", fails: 1, tries: 1, kind: problem.Conflict},
		{code: "22000", fails: 1, tries: 1, kind: problem.Invalid},
		{code: "42501", fails: 1, tries: 1, kind: problem.Denied},
	} {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			d := postgrestest.New(t)
			db := d.Open(t)
			admin := d.Connect(t, d.Admin)
			// What a sequence counts, no rollback takes back.
			for _, statement := range []string{
				`create sequence tries`,
				`create function refuse() returns trigger language plpgsql security definer set search_path = ` + quoted(d.Schema) + ` as $$ begin
					if nextval('tries') <= tg_argv[0]::int then raise exception 'refused' using errcode = tg_argv[1]; end if;
					return new; end $$`,
			} {
				if _, err := admin.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			trigger := fmt.Sprintf(`create trigger refuse before insert on repo for each row execute function refuse('%d', '%s')`, test.fails, test.code)
			if _, err := admin.Exec(t.Context(), trigger); err != nil {
				t.Fatal(err)
			}
			_, err := db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/r", Name: "r"})
			if (err == nil) != (test.kind == 0) || err != nil && problem.KindOf(err) != test.kind {
				t.Errorf("%v, want kind %s", err, test.kind)
			}
			var tries int
			if err := admin.QueryRow(t.Context(), `select last_value from tries`).Scan(&tries); err != nil || tries != test.tries {
				t.Errorf("%d tries, want %d, %v", tries, test.tries, err)
			}
		})
	}
}
