package pgembed

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// oddUID has no entry in /etc/passwd.
const oddUID = 54321

// asOdd makes a command that user's: directly when we are root, otherwise in a user
// namespace in which we are he.
func asOdd(uid int) func(*exec.Cmd) {
	if os.Geteuid() == 0 && uid != 0 {
		return as(identity{uid: uid, gid: uid})
	}
	return func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getegid(), Size: 1}},
		}
	}
}

// TestOddUID: a uid without an entry in /etc/passwd, as container platforms give out,
// gets its cluster.
func TestOddUID(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(emptyRoot(t))
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	o := Options{Root: filepath.Join(dir, "home")}
	p := client(t, o, asOdd(oddUID))
	if p.first.UID != oddUID {
		t.Fatalf("the client has uid %d", p.first.UID)
	}
	killAll(t, p.first.DataDir)
	q := client(t, o, asOdd(oddUID)) // and again, with recovery
	q.close()
	p.close()
	wantStopped(t, o.Root)
}

// TestRootInName: root of a user namespace without other users cannot become one, and
// gets its cluster all the same.
func TestRootInName(t *testing.T) {
	t.Parallel()
	o := Options{Root: emptyRoot(t)}
	p := client(t, o, asOdd(0))
	if p.first.UID != 0 {
		t.Fatalf("the client has uid %d", p.first.UID)
	}
	q := client(t, o, asOdd(0))
	if q.first.PID != p.first.PID {
		t.Errorf("the second is on server %d, the first on %d", q.first.PID, p.first.PID)
	}
	q.close()
	killAll(t, p.first.DataDir)
	q = client(t, o, asOdd(0))
	q.close()
	p.close()
	if left := processesIn(t, p.first.DataDir); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestNoNamespace: where user namespaces are forbidden it is said what else to do.
func TestNoNamespace(t *testing.T) {
	t.Parallel()
	p := spawn(t, Options{Root: emptyRoot(t)}, func(cmd *exec.Cmd) {
		// A namespace that allows none below it stands for a machine that allows none.
		cmd.Args = []string{"sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces && exec " + cmd.Path}
		cmd.Path = "/bin/sh"
		asOdd(0)(cmd)
	})
	r := p.hear()
	if r.Kind != problem.Unsupported.String() || !strings.Contains(r.Error, "DATABASE_URL") || !strings.Contains(r.Error, "/etc/passwd") {
		t.Errorf("the reply is %+v", r)
	}
}

// TestNoSpace: without room for a cluster it is said, nothing half-made is left, and
// with more room it works; a running server that fills the disk loses nothing.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	root := emptyRoot(t)
	if os.Geteuid() != 0 {
		// An ordinary user cannot mount a small disk. A limit on the size of files
		// stops initdb in the middle, too.
		p := spawn(t, Options{Root: root}, func(cmd *exec.Cmd) {
			cmd.Args = []string{"sh", "-c", "ulimit -f 4096 && exec " + cmd.Path}
			cmd.Path = "/bin/sh"
		})
		if r := p.hear(); r.Kind != problem.Exhausted.String() || !strings.Contains(r.Error, "ulimit") {
			t.Errorf("the reply is %+v", r)
		}
		if left, _ := filepath.Glob(filepath.Join(root, "db", "*.new")); len(left) > 0 {
			t.Errorf("left is %v", left)
		}
		open(t, Options{Root: root})
		return
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=24m,mode=0755"); err != nil {
		t.Fatalf("a small disk cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, 0); err != nil {
			t.Error(err)
		}
	})
	_, err := Open(t.Context(), Options{Root: root})
	wantProblem(t, err, problem.Exhausted, "No space left", "df -h", "MANITO_HOME")
	if left, _ := filepath.Glob(filepath.Join(root, "db", "*.new")); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
	grow := func(size string) {
		if err := unix.Mount("", root, "", unix.MS_REMOUNT, "size="+size); err != nil {
			t.Fatal(err)
		}
	}
	grow("90m")
	c := open(t, Options{Root: root, Settings: map[string]string{"min_wal_size": "32MB", "max_wal_size": "64MB"}})
	exec1(t, c, "create table written (n bigint, filler text)")
	conn := connect(t, c.DSN("postgres"))
	acknowledged := 0
	for {
		if _, err := conn.Exec(t.Context(), "insert into written values ($1, repeat(md5($1::text), 30000))", acknowledged); err != nil {
			t.Logf("after %d rows: %v", acknowledged, err)
			break
		}
		if acknowledged++; acknowledged > 1000 {
			t.Fatal("the disk does not fill up")
		}
	}
	if err := os.WriteFile(filepath.Join(root, "full"), make([]byte, 1<<20), 0o600); err == nil {
		t.Log("there is a little room left")
	}
	killAll(t, c.DataDir())
	err = c.Ensure(t.Context())
	if err != nil { // or there was just enough to recover
		wantProblem(t, err, problem.Exhausted, "No space left")
	}
	grow("400m")
	if err := c.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask1[int](t, c.DSN("postgres"), "select count(*) from written"); got < acknowledged {
		t.Errorf("%d rows are there of %d", got, acknowledged)
	}
	c.Close()
}

// TestReap: a server that another process started, and that became our child when that
// one ended, is collected when it ends.
func TestReap(t *testing.T) {
	// As a subreaper we stand for PID 1 of a container. It is the whole process's
	// property, therefore this test is not parallel and takes it back.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	ctx, cancel := context.WithCancel(t.Context())
	reaped := make(chan error, 1)
	go func() { reaped <- reapEvery(ctx, 50*time.Millisecond) }()

	o := Options{Root: readyRoot(t)}
	p := client(t, o, nil)
	p.kill()
	exists := func() bool { return !errors.Is(syscall.Kill(p.first.PID, 0), syscall.ESRCH) }
	if !exists() {
		t.Fatal("the server ended with its client")
	}
	// A child of our own, which Reap must leave to us.
	own := exec.Command("/bin/sh", "-c", "exit 3")
	if err := own.Start(); err != nil {
		t.Fatal(err)
	}
	killAll(t, p.first.DataDir)
	eventually(t, "the server is collected", func() bool { return !exists() })
	var failed *exec.ExitError
	if err := own.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 3 {
		t.Errorf("our own child: %v, want exit status 3", err)
	}
	cancel()
	select {
	case err := <-reaped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("Reap does not end with its context")
	}
	c := open(t, o)
	c.Close()
}

// TestMarkDescriptors: older kernels take the other way.
func TestMarkDescriptors(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer in.Close()
	fd := int(in.Fd())
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	if err := markDescriptors("/proc/self/fd"); err != nil {
		t.Fatal(err)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %d, %v", flags, err)
	}
}
