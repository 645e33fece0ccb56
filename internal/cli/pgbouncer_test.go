//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"manito/internal/migrate"
	"manito/internal/migrate/bouncertest"
	"manito/internal/postgres/postgrestest"
)

// TestThroughPgbouncer runs the program as an operator would behind a pooler in transaction
// mode: scanning and asking work as they are, migrating says what it needs.
func TestThroughPgbouncer(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	// The settings of roles belong to a database, and this one is a copy of a template.
	if _, err := migrate.New(migrate.Config{DSN: d.Admin, Schema: d.Schema}).Init(t.Context(), migrate.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	b := bouncertest.Start(t, bouncertest.Options{Mode: "transaction", DSN: d.App, Size: 3})
	tree := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/m\n",
		"main.go": "package main\n\nfunc helper() {}\n\nfunc main() { helper() }\n",
	} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	run := func(want string, args ...string) {
		t.Helper()
		cmd := exec.Command("manito", args...)
		cmd.Env = append(os.Environ(), "DATABASE_URL="+b.DSN, "POSTGRES_SCHEMA="+d.Schema, "MANITO_ENV=development", "MANITO_HOME="+home, "MANITO_ADDR=127.0.0.1:1")
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("manito %s: %v\n%s\nwant: %s", strings.Join(args, " "), err, out, want)
		}
	}
	for range 2 {
		run(`"repository": "m"`, "scan", tree, "--name", "m", "--json")
		run("main.go:5", "callers", "--repo", "m", "helper")
		run(`"pooler": "transaction"`, "db", "status", "--json")
		run(`"projection": "ready"`, "status", "--json")
	}
	run("MANITO_MIGRATION_URL", "db", "up")
	run("transaction mode", "db", "drift")
}
