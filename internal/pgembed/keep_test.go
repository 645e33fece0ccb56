//go:build linux || darwin

package pgembed

import (
	"testing"
	"time"

	"manito/internal/problem"
)

// lingering are options with this test binary as the keeper.
func lingering(t *testing.T, root string, linger time.Duration) Options {
	t.Helper()
	o := Options{Root: root, Linger: linger}
	cmd := self(t, "keeper", o)
	o.Keeper = []string{"/usr/bin/env"}
	for _, v := range cmd.Env[len(cmd.Env)-2:] {
		o.Keeper = append(o.Keeper, v)
	}
	o.Keeper = append(o.Keeper, cmd.Path)
	return o
}

func keeperLives(t *testing.T, root string) bool {
	t.Helper()
	b, err := findBase(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	held, err := b.busy(keepLock)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// TestLinger: the server outlives its last user, serves the next one, and is stopped
// by the keeper when nobody comes.
func TestLinger(t *testing.T) {
	t.Parallel()
	o := lingering(t, readyRoot(t), 2*time.Second)
	c := open(t, o)
	s := status(t, o.Root)
	c.Close()
	if got := status(t, o.Root); got.State != Running || got.InUse || got.PID != s.PID {
		t.Fatalf("after Close: %+v, want server %d running and unused", got, s.PID)
	}
	c = open(t, o)
	if got := status(t, o.Root); got.PID != s.PID {
		t.Errorf("the second Open is on server %d, want %d", got.PID, s.PID)
	}
	c.Close()
	eventually(t, "the server is stopped", func() bool { return status(t, o.Root).State == Stopped })
	eventually(t, "the keeper has gone", func() bool { return !keeperLives(t, o.Root) })
	wantStopped(t, o.Root)
}

// TestLingerClientKilled: the server of a killed client does not stay for ever.
func TestLingerClientKilled(t *testing.T) {
	t.Parallel()
	o := lingering(t, readyRoot(t), 100*time.Millisecond)
	p := client(t, o, nil)
	p.kill()
	eventually(t, "the server is stopped", func() bool { return status(t, o.Root).State == Stopped })
	eventually(t, "the keeper has gone", func() bool { return !keeperLives(t, o.Root) })
}

// TestKeeperStays: while somebody uses the cluster the keeper does nothing, for how long
// ever; a killed keeper is replaced when the next user leaves.
func TestKeeperStays(t *testing.T) {
	t.Parallel()
	o := lingering(t, readyRoot(t), 50*time.Millisecond)
	c := open(t, o)
	eventually(t, "there is a keeper", func() bool { return keeperLives(t, o.Root) })
	// Watched by one who does not take its part: a busy check takes the locks.
	time.Sleep(500 * time.Millisecond)
	if got := ask1[int](t, c.DSN("postgres"), "select 1"); got != 1 {
		t.Error("no answer")
	}
	exec1(t, c, "insert into written values (1)")
	if err := Keep(t.Context(), o); err != nil {
		t.Errorf("a second keeper: %v, want it to leave at once", err)
	}
	c.Close()
	eventually(t, "the server is stopped", func() bool { return status(t, o.Root).State == Stopped })
}

// TestStop stops a lingering server now, and refuses while it is used.
func TestStop(t *testing.T) {
	t.Parallel()
	o := lingering(t, readyRoot(t), time.Hour)
	if stopped, err := Stop(t.Context(), o); err != nil || stopped {
		t.Errorf("Stop of a stopped server = %v, %v", stopped, err)
	}
	if stopped, err := Stop(t.Context(), Options{Root: emptyRoot(t)}); err != nil || stopped {
		t.Errorf("Stop of none = %v, %v", stopped, err)
	}
	c := open(t, o)
	_, err := Stop(t.Context(), o)
	wantProblem(t, err, problem.Conflict, "in use")
	c.Close()
	if stopped, err := Stop(t.Context(), o); err != nil || !stopped {
		t.Errorf("Stop = %v, %v, want it done", stopped, err)
	}
	wantStopped(t, o.Root)
	eventually(t, "the keeper has gone", func() bool { return !keeperLives(t, o.Root) })
}

// TestKeeperOfNothing: a keeper without a cluster, or of a stopped one, ends.
func TestKeeperOfNothing(t *testing.T) {
	t.Parallel()
	for _, root := range []string{emptyRoot(t), readyRoot(t)} {
		if err := Keep(t.Context(), Options{Root: root, Linger: time.Millisecond}); err != nil {
			t.Errorf("Keep: %v", err)
		}
	}
	if _, err := Open(t.Context(), Options{Root: emptyRoot(t), Linger: time.Second}); err == nil {
		t.Error("lingering without a keeper is accepted")
	}
}

// TestMixedUsers: one who does not want the server to linger stops it though others
// did, and their keeper leaves.
func TestMixedUsers(t *testing.T) {
	t.Parallel()
	o := lingering(t, readyRoot(t), time.Minute)
	open(t, o).Close()
	eventually(t, "there is a keeper", func() bool { return keeperLives(t, o.Root) })
	open(t, Options{Root: o.Root}).Close()
	wantStopped(t, o.Root)
	eventually(t, "the keeper has gone", func() bool { return !keeperLives(t, o.Root) })
}
