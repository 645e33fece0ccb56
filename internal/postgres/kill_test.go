package postgres_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// TestKillAtEveryPhase kills a scanning process at a known point of each phase: it
// is stopped by a lock on the table that the phase writes next. Readers must see
// the old state or the new one, and the next scan must end as if nothing had happened.
func TestKillAtEveryPhase(t *testing.T) {
	t.Parallel()
	for _, phase := range []struct {
		name  string
		table string // that the process waits for; "" when it is killed after it has said a word
		word  string
		moved bool // the ref shows the new snapshot
		shown bool // the views do
	}{
		{name: "before the lease", table: "repo"},
		{name: "copy of contents", table: "blob"},
		{name: "copy of facts", table: "fact"},
		{name: "copy of edges", table: "edge_block"},
		{name: "copy of paths", table: "path"},
		{name: "after the copies", word: "written"},
		{name: "before the commit of the publication", table: "snapshot"},
		{name: "after the publication", word: "committed", moved: true},
		{name: "copy of definitions", table: "node_block", moved: true},
		{name: "copy of names", table: "name", moved: true},
		{name: "switch of the files", table: "file", moved: true},
		{name: "switch of the symbol index", table: "symbol_block", moved: true},
		{name: "before the commit of the projection", table: "projection", moved: true},
		{name: "after the projection", word: "published", moved: true, shown: true},
	} {
		t.Run(strings.ReplaceAll(phase.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			d := postgrestest.New(t)
			db := d.Open(t)
			before, after := newCorpus(small), changed(small)
			before.scan(t, db, "/r", "main")
			reader := d.Connect(t, d.Reader)
			old := surface(t, reader, "main")

			cmd := killAt(t, d, phase.table, phase.word)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed
			gone(t, d)

			m, err := db.Current(t.Context(), repoID(t, db, "/r"), "main")
			if err != nil {
				t.Fatal(err)
			}
			want := before
			if phase.moved {
				want = after
			}
			if m.Digest != want.digest || len(m.Entries) != len(want.files) {
				t.Fatalf("the ref shows digest %x with %d files", m.Digest, len(m.Entries))
			}
			ref, err := db.FindRef(t.Context(), repoID(t, db, "/r"), "main")
			if err != nil || ref.Pending() != (phase.moved && !phase.shown) {
				t.Fatalf("%+v, %v", ref, err)
			}
			if !phase.shown {
				if diff := cmp.Diff(old, surface(t, reader, "main")); diff != "" {
					t.Fatalf("views (-before +after the kill):\n%s", diff)
				}
			}
			sound(t, db, "/r", "main")

			_, done := after.scan(t, db, "/r", "main")
			if done.Unchanged != phase.moved {
				t.Fatalf("the next scan: %+v", done)
			}
			sound(t, db, "/r", "main")
			clean := postgrestest.New(t)
			cleanDB := clean.Open(t)
			after.scan(t, cleanDB, "/r", "main")
			if diff := cmp.Diff(surface(t, clean.Connect(t, clean.Reader), "main"), surface(t, reader, "main")); diff != "" {
				t.Fatalf("views (-clean +after the kill and a scan):\n%s", diff)
			}
			scans, err := db.Scans(t.Context(), ref.Repo, 9)
			if phase.table == "repo" {
				if err != nil || len(scans) != 2 {
					t.Fatalf("%+v, %v", scans, err)
				}
				return
			}
			if err != nil || len(scans) != 3 {
				t.Fatalf("%+v, %v", scans, err)
			}
			killed := scans[1]
			if killed.Held || killed.Error == "" || (killed.Status == postgres.ScanPublished) != phase.moved || (killed.Status == postgres.ScanAbandoned) == phase.moved {
				t.Fatalf("the killed scan is recorded as %+v", killed)
			}
		})
	}
}

// gone waits until the server has noticed that the child is gone.
func gone(t *testing.T, d *postgrestest.Database) {
	t.Helper()
	conn := d.Connect(t, d.Admin)
	for n := 1; n > 0; time.Sleep(5 * time.Millisecond) {
		err := conn.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and application_name like 'child%'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// killAt starts a scan of the changed corpus and returns when it has said a word,
// or waits for a table. The table is free again when killAt returns from the kill.
func killAt(t *testing.T, d *postgrestest.Database, table, word string) *exec.Cmd {
	t.Helper()
	if table == "" {
		return startChild(t, d.App, d.Schema, word, "MANITO_TEST_CHILD_SEED=1")
	}
	admin := d.Connect(t, d.Admin)
	tx, err := admin.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Readers are let through, writers and SELECT ... FOR UPDATE are not.
	if _, err := tx.Exec(t.Context(), "lock table "+pgx.Identifier{table}.Sanitize()+" in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	cmd := startChild(t, d.App, d.Schema, "", "MANITO_TEST_CHILD_SEED=1")
	for waits := false; !waits; time.Sleep(5 * time.Millisecond) {
		// The child is the only other one that ever waits for the table.
		err := tx.QueryRow(t.Context(), `select exists (select from pg_locks where relation = $1::text::regclass and not granted)`, pgx.Identifier{d.Schema, table}.Sanitize()).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	return cmd
}
