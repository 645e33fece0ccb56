//go:build linux || darwin

package pgembed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"manito/internal/problem"
)

// TestLongPath: where the path is too long for a socket, or has characters that a list
// of folders cannot hold, the socket is elsewhere and still private.
func TestLongPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("long/", 30) + "home", "a, 'b' \"c\" d", `back\slash`} {
		t.Run(name[:4], func(t *testing.T) {
			t.Parallel()
			o := Options{Root: filepath.Join(emptyRoot(t), name)}
			c := open(t, o)
			s := status(t, o.Root)
			t.Cleanup(func() { os.RemoveAll(s.Socket) })
			if strings.HasPrefix(s.Socket, o.Root) {
				t.Errorf("the socket is in %s", s.Socket)
			}
			if st, err := os.Stat(s.Socket); err != nil || st.Mode().Perm() != 0o700 || ownerOf(st).uid != c.server.uid {
				t.Errorf("%s: %v %v", s.Socket, st.Mode(), err)
			}
			p := client(t, o, nil)
			if got := ask1[int](t, p.first.DSN, "select 1"); got != 1 {
				t.Error("no answer")
			}
			p.close()
			c.Close()
			wantStopped(t, o.Root)
			// A folder of that name which others can enter is not trusted.
			if err := os.Chmod(s.Socket, 0o755); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), o)
			wantProblem(t, err, problem.Denied, s.Socket)
			if err := os.Remove(s.Socket); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/tmp", s.Socket); err != nil {
				t.Fatal(err)
			}
			_, err = Open(t.Context(), o)
			wantProblem(t, err, problem.Denied, s.Socket)
		})
	}
}

// TestMoved: the home folder can be moved and copied, also while its server runs.
func TestMoved(t *testing.T) {
	t.Parallel()
	before := readyRoot(t)
	c := open(t, Options{Root: before})
	exec1(t, c, "insert into written values (1)")
	c.Close()
	after := before + ".moved"
	if err := os.Rename(before, after); err != nil {
		t.Fatal(err)
	}
	p := client(t, Options{Root: after}, nil)
	p.kill() // its server stays
	again := before + ".again"
	if err := os.Rename(after, again); err != nil {
		t.Fatal(err)
	}
	copied := before + ".copy"
	if out, err := exec.Command("cp", "-a", again, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, root := range []string{again, copied} {
		c := open(t, Options{Root: root})
		if got := ask1[int64](t, c.DSN("postgres"), "select count(*) from written"); got != 1 {
			t.Errorf("in %s there are %d rows, want 1", root, got)
		}
	}
	if a, b := status(t, again), status(t, copied); a.PID == b.PID {
		t.Error("the copy is on the other's server")
	}
}

// TestCopied: a copy of a home folder whose server runs is a cluster of its own, and
// opening it leaves the original alone.
func TestCopied(t *testing.T) {
	t.Parallel()
	original := Options{Root: readyRoot(t)}
	copied := Options{Root: original.Root + ".copy"}
	c := open(t, original)
	run(t, "cp", "-a", original.Root, copied.Root)
	for range 2 {
		d := open(t, copied)
		exec1(t, d, "insert into written values (1)")
		if a, b := status(t, original.Root), status(t, copied.Root); a.PID == b.PID || a.State != Running || b.State != Running || a.Socket == b.Socket {
			t.Errorf("the original is %+v, the copy %+v", a, b)
		}
		d.Close()
	}
	wantStopped(t, copied.Root)
	if got := ask1[int64](t, c.DSN("postgres"), "select count(*) from written"); got != 0 {
		t.Errorf("%d rows of the copy are in the original", got)
	}
	c.Close()
	wantStopped(t, original.Root)
}

// TestStranger: a server that somebody started on our data folder by hand is joined,
// and no second one is started beside it.
func TestStranger(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	b, err := findBase(o)
	if err != nil {
		t.Fatal(err)
	}
	s := status(t, o.Root)
	find := newFinder(o, b)
	programs, ok, err := find.forMajor(t.Context(), s.Major)
	if err != nil || !ok {
		t.Fatalf("no programs: %v", err)
	}
	hand := b.server.command(t.Context(), programs.path("postgres"), "-D", s.DataDir, "-k", b.path("run"), "-c", "listen_addresses=")
	if err := hand.Start(); err != nil {
		t.Fatal(err)
	}
	defer hand.Wait()
	defer hand.Process.Signal(syscall.SIGINT)
	eventually(t, "it is ready", func() bool {
		p, err := readPostmaster(s.DataDir)
		return err == nil && p.state == "ready"
	})
	c := open(t, o)
	if got := status(t, o.Root); got.PID != hand.Process.Pid || got.State != Running {
		t.Errorf("%+v, want process %d", got, hand.Process.Pid)
	}
	exec1(t, c, "insert into written values (1)")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if got := status(t, o.Root); got.State != Running {
		t.Errorf("%+v: a server that is not ours was stopped", got)
	}
	_, err = Stop(t.Context(), o)
	wantProblem(t, err, problem.Conflict, "pg_ctl")
}

// TestForeignServer: another cluster's server at our socket is never taken for ours.
func TestForeignServer(t *testing.T) {
	t.Parallel()
	ours, other := Options{Root: readyRoot(t)}, Options{Root: emptyRoot(t)}
	c := open(t, ours)
	open(t, other)
	s := status(t, other.Root)
	password, err := os.ReadFile(filepath.Join(other.Root, "db", passwordName))
	if err != nil {
		t.Fatal(err)
	}
	err = ping(t.Context(), address{s.Socket, s.Port}, strings.TrimSpace(string(password)), c.DataDir())
	wantProblem(t, err, problem.Conflict, s.Socket, c.DataDir())
}

// TestNewerLayout: a folder that a newer Manito laid out is left alone.
func TestNewerLayout(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	path := filepath.Join(root, "db", "layout")
	if err := os.WriteFile(path, []byte("2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Root: root})
	wantProblem(t, err, problem.Unsupported, "newer Manito")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Root: root})
	if problem.KindOf(err) != problem.Invalid {
		t.Errorf("a damaged file gives %v", err)
	}
}

// TestDamaged: a data folder that is not one is not written to, nor made anew.
func TestDamaged(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	dir := status(t, root).DataDir
	version := filepath.Join(dir, "PG_VERSION")
	if err := os.Rename(version, version+".away"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Root: root})
	wantProblem(t, err, problem.Invalid, dir, "restore")
	if err := os.Rename(version+".away", version); err != nil {
		t.Fatal(err)
	}
	control := filepath.Join(dir, "global", "pg_control")
	if err := os.Truncate(control, 4); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Root: root})
	if err == nil {
		t.Error("a server runs on a damaged control file")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Root: root})
	wantProblem(t, err, problem.NotFound, dir)
	wantNoServer(t, root)
}

func wantNoServer(t *testing.T, root string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "db", "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range found {
		if pids := processesIn(t, dir); len(pids) > 0 {
			t.Errorf("processes %v are in %s", pids, dir)
		}
	}
}
