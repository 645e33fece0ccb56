package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var stderr strings.Builder
	write("00001_a.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 1;\n")
	if code := run([]string{dir}, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	first, err := os.ReadFile(filepath.Join(dir, "migrations.sum"))
	if err != nil || !strings.HasPrefix(string(first), "00001_a.sql sha256:") {
		t.Fatalf("%q, %v", first, err)
	}
	write("00002_b.sql", "-- +goose Up\nselect 2\n")
	if code := run([]string{dir}, &stderr); code != 1 || !strings.Contains(stderr.String(), "00002_b.sql:2: the statement that begins here has no semicolon") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "migrations.sum")); err != nil || string(after) != string(first) {
		t.Errorf("a failed run changed the sum: %q, %v", after, err)
	}
	if code := run([]string{dir, dir}, &stderr); code != 2 {
		t.Errorf("exit %d", code)
	}
	if code := run([]string{filepath.Join(dir, "none")}, &stderr); code != 3 {
		t.Errorf("exit %d", code)
	}
}
