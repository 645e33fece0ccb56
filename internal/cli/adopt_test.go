package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"manito/internal/postgres/postgrestest"
)

// TestAdopt tells the story of an operator who takes over the database of the
// predecessor, in place, and gets rid of the old schema.
func TestAdopt(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Files: []string{filepath.Join("testdata", "adopt.txtar")},
		Setup: func(env *testscript.Env) error {
			t := env.T().(testing.TB)
			db := postgrestest.New(t)
			conn := db.Connect(t, db.Admin)
			for _, name := range []string{"roles.sql", "old.sql", "rows.sql"} {
				text, err := os.ReadFile(filepath.Join("..", "adopt", "testdata", name))
				if err != nil {
					return err
				}
				if _, err := conn.Exec(t.Context(), string(text)); err != nil {
					return err
				}
			}
			env.Setenv("OLD", db.Admin)
			env.Setenv("DATABASE_URL", db.App)
			env.Setenv("MANITO_MIGRATION_URL", db.Admin)
			env.Setenv("POSTGRES_SCHEMA", db.Schema)
			env.Setenv("TEST_SCHEMA", db.Schema)
			env.Setenv("MANITO_ENV", "development")
			env.Setenv("MANITO_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}
