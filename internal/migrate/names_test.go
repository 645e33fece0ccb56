package migrate

import (
	"fmt"
	"strings"
	"testing"

	"manito/internal/problem"
)

// TestOddNames: databases and schemas may be called almost anything. A name works from
// Init to Down, or is refused before anything is done, with what to do instead.
func TestOddNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 31) + "x" // 63 bytes
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, test := range []struct {
			database, schema string
			refused          string // part of the message; empty when it works
		}{
			{"Upper Case", "Odd Schema", ""},
			{`with "double" quotes`, "manito", ""},
			{"with 'single' quotes", "manito", ""},
			{"back\\slash", "manito", ""},
			{"do$$lar {{owner}}", "manito", ""},
			{long, "manito", ""},
			{"plain", long, ""},
			{"plain", long + "x", "64 bytes"},
			{"plain", `a"b`, `holds the character '"'`},
			{"plain", "a'b", `holds the character '\''`},
			{"plain", "pg_own", "belongs to PostgreSQL"},
		} {
			t.Run(test.database+"/"+test.schema, func(t *testing.T) {
				admin := c.connect(t, "postgres", "postgres")
				exec1(t, admin, "drop database if exists "+quote(test.database))
				exec1(t, admin, "create database "+quote(test.database))
				dsn := fmt.Sprintf("host=%s user=postgres dbname='%s'", c.dir, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(test.database))
				m := New(Config{DSN: dsn, Schema: test.schema, Files: sqlFiles(simple)})
				rep, err := m.Init(t.Context(), InitOptions{})
				if test.refused != "" {
					fails(t, err, problem.Usage, test.refused)
					if len(problem.Fixes(err)) == 0 {
						t.Errorf("%v: no fix", err)
					}
					left := one[int](t, admin, "select count(*) from pg_roles where rolname like $1 || '%'", test.database)
					if left != 0 {
						t.Errorf("%d roles were left behind", left)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := m.Up(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := m.Check(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := m.Drift(t.Context(), DriftOptions{}); err != nil {
					t.Error(err)
				}
				if _, err := m.Down(t.Context(), DownOptions{AllowDataLoss: true}); err != nil {
					t.Error(err)
				}
				exec1(t, admin, "drop database "+quote(test.database)+" with (force)")
				for _, r := range []string{rep.Roles.Reader, rep.Roles.App, rep.Roles.Migrator, rep.Roles.Owner} {
					exec1(t, admin, "drop role "+quote(r))
				}
			})
		}
	})
}
