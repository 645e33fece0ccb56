package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

func TestPublishUnchangedMakesNoSnapshot(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	c := newCorpus(small)
	_, first := c.scan(t, db, "/r", "main")
	before, err := db.FindRef(t.Context(), repoID(t, db, "/r"), "main")
	if err != nil {
		t.Fatal(err)
	}
	_, second := c.scan(t, db, "/r", "main")
	if !second.Unchanged || second.Snapshot != first.Snapshot || first.Unchanged {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	after, err := db.FindRef(t.Context(), repoID(t, db, "/r"), "main")
	if err != nil || after != before {
		t.Fatalf("the ref was touched: %+v, %+v, %v", before, after, err)
	}
	scans, err := db.Scans(t.Context(), before.Repo, 9)
	if err != nil || len(scans) != 2 || scans[0].Snapshot != first.Snapshot || scans[0].Status != postgres.ScanPublished {
		t.Fatalf("%+v, %v", scans, err)
	}
}

// TestHistory publishes more snapshots than a keyframe lasts and reads each of them back.
func TestHistory(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	ctx := t.Context()
	lease := acquire(t, db, "/r", "main")
	c := newCorpus(small)
	st, err := c.write(ctx, db, lease)
	if err != nil {
		t.Fatal(err)
	}
	entries := slices.Clone(st.entries)
	want := map[int32][]postgres.Entry{}
	for i := range 150 {
		switch {
		case i%7 == 3:
			entries = slices.Delete(entries, 0, 1)
		case i%7 == 5:
			if !slices.ContainsFunc(entries, func(e postgres.Entry) bool { return e.PathID == st.entries[0].PathID }) {
				entries = append(entries, st.entries[0])
			}
		default:
			k := i % len(entries)
			entries[k].FactID = st.entries[(i+1)%len(st.entries)].FactID
		}
		if i == 100 {
			entries = entries[:1] // nearly everything goes
		}
		if i == 101 {
			entries = slices.Clone(st.entries)
		}
		p := c.publication(st)
		p.Entries, p.Digest[0], p.Commit = entries, byte(i), fmt.Sprint("commit ", i)
		slices.SortFunc(entries, func(a, b postgres.Entry) int { return strings.Compare(a.Path, b.Path) })
		done, err := lease.Publish(ctx, p)
		if err != nil || done.Unchanged {
			t.Fatal(done, err)
		}
		want[done.Snapshot] = slices.Clone(entries)
	}
	for id, entries := range want {
		m, err := db.Snapshot(ctx, lease.Repo(), id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(entries, m.Entries); diff != "" {
			t.Fatalf("snapshot %d (-want +got):\n%s", id, diff)
		}
	}
	_, err = db.Snapshot(ctx, lease.Repo(), 9999)
	if problem.KindOf(err) != problem.NotFound {
		t.Fatal(err)
	}
}

func TestPublishRefusesWhatIsNotStored(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	lease := acquire(t, db, "/r", "main")
	c := newCorpus(small)
	st, err := c.write(t.Context(), db, lease)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*postgres.Entry){
		"path": func(e *postgres.Entry) { e.PathID = 4711 }, "blob": func(e *postgres.Entry) { e.BlobID = 4711 },
		"fact": func(e *postgres.Entry) { e.FactID = 4711 }, "block": func(e *postgres.Entry) { e.BlockID = 4711 },
		"scope": func(e *postgres.Entry) { e.ScopeID = 4711 },
	} {
		p := c.publication(st)
		p.Entries = slices.Clone(st.entries)
		change(&p.Entries[2])
		if _, err := lease.Publish(t.Context(), p); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := c.publication(st)
	p.Entries = append(slices.Clone(st.entries), st.entries[3])
	if _, err := lease.Publish(t.Context(), p); problem.KindOf(err) != problem.Invalid {
		t.Errorf("the same path twice: %v", err)
	}
	if _, err := db.Current(t.Context(), lease.Repo(), "main"); problem.KindOf(err) != problem.NotFound {
		t.Errorf("something was published: %v", err)
	}
	if err := lease.Project(t.Context(), c.projection(st)); problem.KindOf(err) != problem.Conflict {
		t.Errorf("projected before it was published: %v", err)
	}
}

func TestAZombieCannotPublish(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t, func(c *postgres.Config) {
		c.HeartbeatEvery, c.HeartbeatStale = time.Hour, 50*time.Millisecond // it goes silent at once
	})
	ctx := t.Context()
	c := newCorpus(small)
	zombie := acquire(t, db, "/r", "main")
	st, err := c.write(ctx, db, zombie)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	heir := acquire(t, db, "/r", "main")
	for name, attempt := range map[string]func() error{
		"publish": func() error { _, err := zombie.Publish(ctx, c.publication(st)); return err },
		"phase":   func() error { return zombie.Phase(ctx, "link") },
		"fail":    func() error { return zombie.Fail(ctx, context.Canceled) },
		"cancel":  func() error { return zombie.Cancel(ctx) },
		"sweep":   func() error { _, err := zombie.Sweep(ctx, 0); return err },
	} {
		if err := attempt(); problem.KindOf(err) != problem.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The heir finds what the zombie wrote.
	known, err := db.KnownBlobs(ctx, heir.Repo(), [][32]byte{c.files[0].hash})
	if err != nil || known[c.files[0].hash].ID != st.entries[0].BlobID {
		t.Fatalf("%+v, %v", known, err)
	}
	st, err = c.write(ctx, db, heir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := heir.Publish(ctx, c.publication(st)); err != nil {
		t.Fatal(err)
	}
	if err := zombie.Project(ctx, c.projection(st)); problem.KindOf(err) != problem.Conflict {
		t.Errorf("project: %v", err)
	}
	if err := heir.Project(ctx, c.projection(st)); err != nil {
		t.Fatal(err)
	}
	scans, err := db.Scans(ctx, heir.Repo(), 9)
	if err != nil || len(scans) != 2 || scans[1].Status != postgres.ScanAbandoned || scans[1].Error == "" || scans[0].Status != postgres.ScanPublished {
		t.Fatalf("%+v, %v", scans, err)
	}
}

func repoID(t testing.TB, db *postgres.DB, root string) int32 {
	t.Helper()
	r, err := db.FindRepo(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}
