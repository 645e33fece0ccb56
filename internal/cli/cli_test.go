package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"manito/internal/cli"
	"manito/internal/postgres/postgrestest"
)

// TestMain lets the scripts run manito as a command of its own. The shared test
// server is joined only by the process that runs the tests.
func TestMain(m *testing.M) {
	testscript.Main(runner{m}, map[string]func(){
		"manito": func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

type runner struct{ m *testing.M }

func (r runner) Run() int { return postgrestest.Main(r.m) }

// TestScripts tells stories: each script of testdata/script has a database of
// its own, reached by DATABASE_URL, and a home folder of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			db := postgrestest.New(env.T().(testing.TB))
			env.Setenv("DATABASE_URL", db.App)
			env.Setenv("MANITO_MIGRATION_URL", db.Admin)
			env.Setenv("NEW_DATABASE", db.Name+"_new")
			env.Setenv("TEST_SCHEMA", db.Schema)
			env.Setenv("POSTGRES_SCHEMA", db.Schema)
			env.Setenv("MANITO_ENV", "development")
			env.Setenv("MANITO_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}

// TestEmbedded runs the first command of a newcomer: no server, nothing set up.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Files: []string{filepath.Join("testdata", "embedded.txtar"), filepath.Join("testdata", "embedded_db.txtar")},
		Setup: func(env *testscript.Env) error {
			home, err := os.MkdirTemp("", "mh") // short, and where the server's user may enter
			if err != nil {
				return err
			}
			if err := os.Chmod(home, 0o755); err != nil {
				return err
			}
			env.Defer(func() { os.RemoveAll(home) })
			env.Setenv("MANITO_HOME", filepath.Join(home, "m"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}
