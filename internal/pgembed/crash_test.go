//go:build linux || darwin

package pgembed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"manito/internal/problem"
)

// killAll ends every process of a server at once, as a power cut would.
func killAll(t *testing.T, dir string) {
	t.Helper()
	pids := processesIn(t, dir)
	if len(pids) == 0 {
		t.Fatal("there is no server to kill")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}

// TestClientKilled: a killed client leaves the server to the next one.
func TestClientKilled(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	p := client(t, o, nil)
	p.kill()
	if s := status(t, o.Root); s.State != Running || s.InUse || s.PID != p.first.PID {
		t.Errorf("after the kill: %+v, want server %d running and unused", s, p.first.PID)
	}
	c := open(t, o)
	if s, err := c.Status(t.Context()); err != nil || s.PID != p.first.PID {
		t.Errorf("joined %+v (%v), want server %d", s, err, p.first.PID)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	wantStopped(t, o.Root)
}

// TestServerKilled: rows that were acknowledged before the server was killed in the
// middle of writing are there after the next Open.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	for round := range 3 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			p := client(t, o, nil)
			exec := connect(t, p.first.DSN)
			if _, err := exec.Exec(t.Context(), "truncate written"); err != nil {
				t.Fatal(err)
			}
			exec.Close(t.Context())
			p.say("write")
			var acknowledged int64
			for acknowledged < 200 {
				acknowledged = p.hear().Rows
			}
			killAll(t, p.first.DataDir)
			p.in.Close() // it ends when the server is gone
			for {
				var r reply
				if err := p.out.Decode(&r); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				acknowledged = max(acknowledged, r.Rows)
			}
			c := open(t, o)
			got := ask1[int64](t, c.DSN("postgres"), "select count(*) from written where n <= $1", acknowledged)
			if got != acknowledged {
				t.Errorf("%d rows are there of %d that were acknowledged", got, acknowledged)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wantStopped(t, o.Root)
}

// TestEnsureRevives: a process that stays gets its server back, under its parent and
// in another process alike.
func TestEnsureRevives(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	c := open(t, o)
	exec1(t, c, "insert into written values (1)")
	other := client(t, o, nil)
	before, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is a child of ours that was started by Ensure
		killAll(t, c.DataDir())
		if err := c.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := c.Status(t.Context())
		if err != nil || after.State != Running || after.PID == before.PID {
			t.Errorf("after the kill: %+v (%v), want a new server", after, err)
		}
		before = after
	}
	if got := ask1[int64](t, c.DSN("postgres"), "select count(*) from written"); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if s := status(t, o.Root); s.State != Running {
		t.Errorf("with another user left: %+v", s)
	}
	other.close()
	wantStopped(t, o.Root)
}

// TestOrphans: while a process of a killed server is still busy in the data folder no
// other server is started there.
func TestOrphans(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	p := client(t, o, nil)
	conn := connect(t, p.first.DSN)
	pid := ask1[int](t, p.first.DSN, "select 1") // warm
	busy := make(chan error, 1)
	go func() {
		// A session that never looks whether its server still lives.
		_, err := conn.Exec(context.Background(), "do $$ begin loop end loop; end $$")
		busy <- err
	}()
	eventually(t, "the session is busy", func() bool {
		pid = ask1[int](t, p.first.DSN, "select coalesce(max(pid), 0) from pg_stat_activity where query like 'do %' and state = 'active'")
		return pid != 0
	})
	if err := syscall.Kill(p.first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.kill()
	eventually(t, "the others have gone", func() bool { return len(processesIn(t, p.first.DataDir)) == 1 })
	if s := status(t, o.Root); s.State != Stopping {
		t.Errorf("with a busy session left: %+v, want stopping", s)
	}
	opened := spawn(t, o, nil)
	started := make(chan reply, 1)
	go func() { started <- opened.hear() }()
	// No server may come up now; that it is being waited for shows in start.lock.
	b, err := findBase(o)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the next client waits", func() bool {
		held, err := b.busy(startLock)
		return err == nil && held
	})
	for range 20 {
		time.Sleep(10 * time.Millisecond)
		if pids := processesIn(t, p.first.DataDir); len(pids) != 1 || pids[0] != pid {
			t.Fatalf("processes %v are in the data folder, want only the busy session %d", pids, pid)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := <-started; r.Error != "" || r.PID == p.first.PID {
		t.Errorf("afterwards: %+v", r)
	}
	<-busy
	opened.close()
	wantStopped(t, o.Root)
}

// TestStalePID: a pid file that a killed server left does not matter, whoever has its
// number now.
func TestStalePID(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	b, err := findBase(o)
	if err != nil {
		t.Fatal(err)
	}
	major, err := b.current()
	if err != nil {
		t.Fatal(err)
	}
	// PostgreSQL itself refuses to start when the number is of a living process of its
	// own user: this one.
	alive := b.server.command(context.Background(), "/bin/sleep", "1000")
	if err := alive.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		alive.Process.Kill()
		alive.Wait()
	}()
	for name, text := range map[string]string{
		"a stranger's": fmt.Sprintf("%d\n%s\n1700000000\n%d\n%s\n\n  1 2\nready\n", alive.Process.Pid, b.dataDir(major), basePort+major, b.path("run")),
		"nobody's":     fmt.Sprintf("%d\n%s\n1700000000\n%d\n%s\n\n  1 2\nready\n", 1<<22+1, b.dataDir(major), basePort+major, b.path("run")),
		"our own":      fmt.Sprintf("%d\n%s\n", os.Getpid(), b.dataDir(major)),
		"garbage":      "garbage\n",
		"empty":        "",
	} {
		t.Run(name, func(t *testing.T) {
			// Not the empty one's socket, since the file does not say where it is.
			files := map[string]string{filepath.Join(b.dataDir(major), "postmaster.pid"): text}
			if len(text) > 50 {
				files[filepath.Join(b.path("run"), fmt.Sprintf(".s.PGSQL.%d.lock", basePort+major))] = text
			}
			for path, text := range files {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := b.give(path, b.server); err != nil {
					t.Fatal(err)
				}
			}
			if s := status(t, o.Root); s.State != Stopped {
				t.Errorf("status says %+v, want stopped", s)
			}
			c := open(t, o)
			if got := ask1[int](t, c.DSN("postgres"), "select 1"); got != 1 {
				t.Error("no answer")
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			wantStopped(t, o.Root)
		})
	}
}

// TestUnfinishedInitdb: what a killed initdb left is made again; a data folder that
// lost its link is found.
func TestUnfinishedInitdb(t *testing.T) {
	t.Parallel()
	o := Options{Root: emptyRoot(t)}
	b, err := makeBase(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, major := range []int{15, 16, 17, 18} {
		if err := os.MkdirAll(filepath.Join(b.dataDir(major)+".new", "base"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, o)
	exec1(t, c, "create table kept ()")
	c.Close()
	if err := os.Remove(b.path("current")); err != nil {
		t.Fatal(err)
	}
	c = open(t, o)
	exec1(t, c, "select from kept")
	if _, err := os.Readlink(b.path("current")); err != nil {
		t.Errorf("the link was not repaired: %v", err)
	}
	c.Close()
	// With two data folders and no link nobody can know.
	if err := os.Remove(b.path("current")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(b.path("9"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), o)
	wantProblem(t, err, problem.Ambiguous, "ln -s 9 ")
}

// TestKilledDuringInitdb: the processes of a client that was killed in the middle of
// initdb do not meet those of the next client.
func TestKilledDuringInitdb(t *testing.T) {
	t.Parallel()
	o := Options{Root: emptyRoot(t)}
	p := spawn(t, o, nil)
	eventually(t, "initdb is at work", func() bool {
		found, err := filepath.Glob(filepath.Join(o.Root, "db", "*.new", "*"))
		return err == nil && len(found) > 3
	})
	p.kill()
	c := open(t, o)
	if got := ask1[int](t, c.DSN("postgres"), "select 1"); got != 1 {
		t.Error("no answer")
	}
}

// TestCancel: a context that ends in the middle stops the work, leaves no process and
// does no harm.
func TestCancel(t *testing.T) {
	t.Parallel()
	root := emptyRoot(t)
	cancelWhen := func(t *testing.T, seen func() bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		failed := make(chan error, 1)
		go func() {
			c, err := Open(ctx, Options{Root: root})
			if err == nil {
				c.Close()
			}
			failed <- err
		}()
		for !seen() {
			select {
			case err := <-failed:
				t.Fatalf("Open returned %v before it was cancelled", err)
			default:
			}
		}
		cancel()
		wantProblem(t, <-failed, problem.Interrupted)
		found, err := filepath.Glob(filepath.Join(root, "db", "[0-9]*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range found {
			if left := processesIn(t, dir); len(left) > 0 {
				t.Errorf("processes %v are left in %s", left, dir)
			}
		}
	}
	exists := func(pattern string) func() bool {
		return func() bool {
			found, _ := filepath.Glob(filepath.Join(root, "db", pattern))
			return len(found) > 0
		}
	}
	t.Run("initdb", func(t *testing.T) {
		cancelWhen(t, exists("*.new/base"))
		if exists("*.new")() {
			t.Error("the unfinished data folder is left")
		}
	})
	open(t, Options{Root: root}).Close()
	t.Run("start", func(t *testing.T) { cancelWhen(t, exists("*/postmaster.pid")) })
	t.Run("lock", func(t *testing.T) {
		b, err := findBase(Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		lock, err := b.tryLock(startLock, syscall.LOCK_EX)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = Open(ctx, Options{Root: root})
		if problem.KindOf(err) != problem.Unavailable {
			t.Errorf("past the deadline: %v, want it to be unavailable", err)
		}
	})
	open(t, Options{Root: root})
}

// TestInheritedDescriptors: a pipe that we inherited is not kept open by the server.
func TestInheritedDescriptors(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := client(t, o, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{in} })
	in.Close()
	p.kill()
	if err := out.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("reading the pipe gives %d, %v; want its end, since only the dead client had it", n, err)
	}
	if s := status(t, o.Root); s.State != Running {
		t.Errorf("the server is %+v", s)
	}
	open(t, o) // to stop it
}
