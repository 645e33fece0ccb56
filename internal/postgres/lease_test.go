package postgres_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

func TestLeaseConflictSaysWhoScans(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	first := acquire(t, db, "/r", "main")
	if err := first.Phase(t.Context(), "extract"); err != nil {
		t.Fatal(err)
	}
	_, err := take(t.Context(), db, "/r", "other")
	if problem.KindOf(err) != problem.Conflict {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	for _, part := range []string{host, `"main"`, "extract", time.Now().Format("2006-01-02")} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	if len(problem.Fixes(err)) == 0 {
		t.Error("the error says nothing to do")
	}
	held, ok, err := db.Holding(t.Context(), first.Repo())
	if err != nil || !ok || held.Phase != "extract" || held.Holder != postgres.ThisProcess() {
		t.Fatalf("%+v %v %v", held, ok, err)
	}
	acquire(t, db, "/another", "main") // other repositories are free
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatalf("the second release: %v", err)
	}
	if first.Context().Err() == nil {
		t.Error("the context of a released lease is alive")
	}
	second := acquire(t, db, "/r", "other")
	scans, err := db.Scans(t.Context(), second.Repo(), 9)
	if err != nil || len(scans) != 2 || scans[1].Status != postgres.ScanCancelled || scans[1].Held || !scans[0].Held {
		t.Fatalf("%+v %v", scans, err)
	}
}

func TestADeadHolderIsSetAside(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	repo, err := db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/r"})
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]postgres.Holder{
		"ended":             deadProcess(t),
		"pid is used again": func() postgres.Holder { h := postgres.ThisProcess(); h.Start--; return h }(),
	} {
		dead, err := db.AcquireScan(t.Context(), postgres.ScanInput{Repo: repo.ID, Ref: "main", Holder: h})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		heir, err := take(t.Context(), db, "/r", "main")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, l := range []*postgres.Lease{heir, dead} {
			if err := l.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A process on another machine cannot be seen: it is left alone while it beats.
	away := postgres.ThisProcess()
	away.Host, away.Space, away.PID = "elsewhere", "another boot", 1<<30
	l, err := db.AcquireScan(t.Context(), postgres.ScanInput{Repo: repo.ID, Ref: "main", Holder: away})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(t.Context(), db, "/r", "main"); problem.KindOf(err) != problem.Conflict || !strings.Contains(err.Error(), "elsewhere") {
		t.Fatal(err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// deadProcess is a process of this machine that has ended.
func deadProcess(t *testing.T) postgres.Holder {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	h := postgres.ThisProcess()
	h.PID, h.Start = cmd.Process.Pid, 0
	return h
}

func TestHeartbeatKeepsAndLosesTheLease(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t, func(c *postgres.Config) {
		c.HeartbeatEvery, c.HeartbeatStale = 20*time.Millisecond, 2*time.Second
	})
	l := acquire(t, db, "/r", "main")
	first, err := l.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for {
		s, err := l.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Heartbeat.After(first.Heartbeat) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	// Somebody who cannot see this process takes over.
	other := d.Open(t, func(c *postgres.Config) { c.HeartbeatEvery, c.HeartbeatStale = time.Hour, time.Nanosecond })
	heir, err := take(t.Context(), other, "/r", "main")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := heir.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-l.Context().Done():
	case <-time.After(time.Minute):
		t.Fatal("the heartbeat does not notice that the lease is lost")
	}
	if cause := context.Cause(l.Context()); problem.KindOf(cause) != problem.Conflict {
		t.Fatalf("the cause is %v", cause)
	}
	if _, err := l.Writer().Blob(l.Context(), postgres.BlobInput{}); problem.KindOf(err) != problem.Conflict {
		t.Fatalf("a lost lease still writes: %v", err)
	}
}

func TestLeaseEndsWithItsParent(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	l, err := take(ctx, db, "/r", "main")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-l.Context().Done()
	if err := l.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := l.Scan(t.Context())
	if err != nil || s.Status != postgres.ScanCancelled || s.Held {
		t.Fatalf("%+v %v", s, err)
	}
}

// TestOneOfManyGetsTheLease lets many take it at once.
func TestOneOfManyGetsTheLease(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t, func(c *postgres.Config) { c.MaxConns = 10 })
	if _, err := db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/r"}); err != nil {
		t.Fatal(err)
	}
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			l, err := take(t.Context(), db, "/r", "main")
			switch {
			case err == nil:
				got.Add(1)
				t.Cleanup(func() {
					if err := l.Release(context.WithoutCancel(t.Context())); err != nil {
						t.Error(err)
					}
				})
			case problem.KindOf(err) != problem.Conflict:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Fatalf("%d got the lease", got.Load())
	}
}

func TestFailKeepsTheReason(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	l := acquire(t, db, "/r", "main")
	if err := l.Fail(t.Context(), errors.New("a reason with \x00 and \xff")); err != nil {
		t.Fatal(err)
	}
	s, err := l.Scan(t.Context())
	if err != nil || s.Status != postgres.ScanFailed || s.Error != "a reason with \ufffd and \ufffd" || s.FinishedAt.IsZero() {
		t.Fatalf("%+v %v", s, err)
	}
	list, err := db.Status(t.Context(), 0)
	if err != nil || len(list) != 1 || list[0].LastScan.Status != postgres.ScanFailed || list[0].Ref.Snapshot != 0 {
		t.Fatalf("%+v %v", list, err)
	}
}
