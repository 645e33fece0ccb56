//go:build linux || darwin

package pgembed

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"manito/internal/problem"
)

// TestAsOrdinaryUser runs much of the suite again as a user who is not root.
func TestAsOrdinaryUser(t *testing.T) {
	needRoot(t)
	t.Parallel()
	nobody, err := lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	// Those in which it matters who we are.
	tests := "^Test(FirstOpen|Reopen|EightAtOnce|ClientKilled|ServerKilled|EnsureRevives|StalePID|Cancel|OddUID|RootInName|" +
		"NoNamespace|NoSpace|Unwritable|LooseModes|LostPassword|SocketDeleted|LongPath|Stranger|Umask|OtherMajor|Linger|Stop|Upgrade|Reap)$"
	cmd := exec.Command(publicBinary(t), "-test.v", "-test.count=1", "-test.run="+tests)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleVar+"=suite", postgresVar+"="+testPostgres(t), "HOME=/", "XDG_RUNTIME_DIR=")
	as(nobody)(cmd)
	out, err := cmd.CombinedOutput()
	passed := strings.Count(string(out), "--- PASS: ")
	if err != nil || passed < 24 {
		t.Errorf("as %s %d tests pass, %v:\n%s", nobody, passed, err, out)
	}
}

// TestRootsHome: when the server's user may not enter root's home folder the cluster
// is elsewhere, which is said once, and works.
func TestRootsHome(t *testing.T) {
	needRoot(t)
	t.Parallel()
	root := emptyRoot(t)
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Root: filepath.Join(root, "manito"), Refuge: filepath.Join(filepath.Dir(root), "refuge")}
	c := open(t, o)
	said := strings.Join(c.Notices(), " ")
	if !strings.HasPrefix(c.DataDir(), o.Refuge) || !strings.Contains(said, o.Refuge) || !strings.Contains(said, o.Root) {
		t.Errorf("the data is in %s, and said is %q", c.DataDir(), said)
	}
	exec1(t, c, "create table kept ()")
	p := client(t, o, nil)
	if p.first.DataDir != c.DataDir() || len(p.first.Notices) > 0 { // no more of it
		t.Errorf("another process is in %s and says %q", p.first.DataDir, p.first.Notices)
	}
	p.close()
	c.Close()
	// Also when the server's user could enter by now, and when the refuge is another.
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	o.Refuge = ""
	c = open(t, o)
	exec1(t, c, "select from kept")
	dir := c.dir
	c.Close()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), o)
	wantProblem(t, err, problem.NotFound, dir)
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	open(t, o)
}

// TestRefugeShut: when nowhere will do it is said.
func TestRefugeShut(t *testing.T) {
	needRoot(t)
	t.Parallel()
	root := emptyRoot(t)
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Root: root, Refuge: filepath.Join(root, "refuge")})
	wantProblem(t, err, problem.Denied, "MANITO_HOME", root)
}

// TestSudo: root in somebody's home folder runs the server as its owner, and leaves
// everything to him.
func TestSudo(t *testing.T) {
	needRoot(t)
	t.Parallel()
	owner := identity{uid: 4321, gid: 4321} // no entry in /etc/passwd, at that
	o := Options{Root: emptyRoot(t)}
	if err := os.Mkdir(o.Root, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(o.Root, owner.uid, owner.gid); err != nil {
		t.Fatal(err)
	}
	c := open(t, o)
	exec1(t, c, "create table kept ()")
	c.Close()
	filepath.WalkDir(o.Root, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		if st, err := os.Lstat(path); err != nil || ownerOf(st).uid != owner.uid {
			t.Errorf("%s belongs to %s (%v), want %s", path, ownerOf(st), err, owner)
		}
		return nil
	})
	p := client(t, o, as(owner))
	if p.first.UID != owner.uid {
		t.Fatalf("the client is user %d", p.first.UID)
	}
	c = open(t, o) // root joins the owner's server
	exec1(t, c, "select from kept")
	p.close()
	c.Close()
	wantStopped(t, o.Root)
	// Somebody else is turned away before anything happens.
	stranger := spawn(t, o, as(identity{uid: 4322, gid: 4322}))
	if r := stranger.hear(); r.Kind != problem.Denied.String() || !strings.Contains(r.Error, "MANITO_HOME") {
		t.Errorf("a stranger gets %+v", r)
	}
	if err := os.Chmod(o.Root, 0o711); err != nil {
		t.Fatal(err)
	}
	stranger = spawn(t, o, as(identity{uid: 4322, gid: 4322}))
	if r := stranger.hear(); r.Kind != problem.Denied.String() || !strings.Contains(r.Error, "chown") {
		t.Errorf("a stranger gets %+v", r)
	}
}

// TestUnwritable: what cannot be written is named, with what to do.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		// Root may write everywhere. An ordinary user does this in TestAsOrdinaryUser;
		// here it is a file where a folder should be, which stops even root.
		root := emptyRoot(t)
		if err := os.WriteFile(root, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Options{Root: filepath.Join(root, "home")})
		wantProblem(t, err, problem.Usage, root, "MANITO_HOME")
		return
	}
	root := emptyRoot(t)
	if err := os.Mkdir(root, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{root, filepath.Join(root, "home")} {
		_, err := Open(t.Context(), Options{Root: path})
		wantProblem(t, err, problem.Denied, root, "MANITO_HOME")
	}
	root = readyRoot(t)
	for _, name := range []string{"use.lock", "start.lock", "postgres.log", "layout"} {
		path := filepath.Join(root, "db", name)
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Options{Root: root})
		wantProblem(t, err, problem.Denied, path)
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, Options{Root: root})
}

// TestRelativeRoot: a home folder that depends on where we are is refused.
func TestRelativeRoot(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"", "home", "./home"} {
		_, err := Open(t.Context(), Options{Root: root})
		wantProblem(t, err, problem.Usage, "MANITO_HOME")
	}
}

// TestLooseModes: what others could read is closed again, and said.
func TestLooseModes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string // below db
		mode os.FileMode
		want os.FileMode
	}{
		{"data", 0o750, 0o700},
		{"data", 0o755, 0o700},
		{"data", 0o777, 0o700},
		{"password", 0o644, 0o600},
		{"password", 0o000, 0o600}, // unreadable even for us
	} {
		t.Run(fmt.Sprintf("%s %04o", c.name, c.mode), func(t *testing.T) {
			t.Parallel()
			root := readyRoot(t)
			path := filepath.Join(root, "db", c.name)
			if c.name == "data" {
				path = status(t, root).DataDir
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			cluster := open(t, Options{Root: root})
			if st, err := os.Stat(path); err != nil || st.Mode().Perm() != c.want {
				t.Errorf("%s: %v %v, want mode %04o", path, st.Mode(), err, c.want)
			}
			if said := strings.Join(cluster.Notices(), " "); !strings.Contains(said, path) || !strings.Contains(said, fmt.Sprintf("%04o", c.mode)) {
				t.Errorf("said is %q", said)
			}
		})
	}
}

// TestLostPassword: without its password file, or with another's, the cluster gets a
// new password, whether its server is stopped or was left running.
func TestLostPassword(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"deleted":  os.Remove,
		"emptied":  func(path string) error { return os.Truncate(path, 0) },
		"replaced": func(path string) error { return os.WriteFile(path, []byte("another\n"), 0o600) },
	} {
		for _, running := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s running=%v", name, running), func(t *testing.T) {
				t.Parallel()
				o := Options{Root: readyRoot(t)}
				path := filepath.Join(o.Root, "db", passwordName)
				if running {
					p := client(t, o, nil)
					p.kill()
				}
				if err := spoil(path); err != nil {
					t.Fatal(err)
				}
				c := open(t, o)
				if got := ask1[int64](t, c.DSN("postgres"), "select count(*) from written"); got != 0 {
					t.Errorf("%d rows, want none", got)
				}
				if said := strings.Join(c.Notices(), " "); !strings.Contains(said, "password") {
					t.Errorf("said is %q", said)
				}
				if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
					t.Errorf("the password file: %v %v", st.Mode(), err)
				}
			})
		}
	}
	t.Run("in use", func(t *testing.T) {
		t.Parallel()
		o := Options{Root: readyRoot(t)}
		p := client(t, o, nil)
		if err := os.Remove(filepath.Join(o.Root, "db", passwordName)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), o)
		wantProblem(t, err, problem.Conflict, "others use it")
		if got := ask1[int](t, p.first.DSN, "select 1"); got != 1 {
			t.Error("the other was disturbed")
		}
		p.close()
		open(t, o)
	})
}

// TestSocketDeleted: a server whose socket somebody deleted is started again, unless
// others still use it through their open connections.
func TestSocketDeleted(t *testing.T) {
	t.Parallel()
	o := Options{Root: readyRoot(t)}
	p := client(t, o, nil)
	s := status(t, o.Root)
	if err := os.Remove(filepath.Join(s.Socket, fmt.Sprintf(".s.PGSQL.%d", s.Port))); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), o)
	wantProblem(t, err, problem.Conflict, "others use it")
	p.kill()
	c := open(t, o)
	if after := status(t, o.Root); after.PID == s.PID {
		t.Error("it is still the same server")
	}
	if got := ask1[int](t, c.DSN("postgres"), "select 1"); got != 1 {
		t.Error("no answer")
	}
}

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

// TestNoTCP: nothing listens on the network.
func TestNoTCP(t *testing.T) {
	t.Parallel()
	c := open(t, Options{Root: readyRoot(t)})
	s := status(t, c.root)
	for _, host := range []string{"127.0.0.1", "::1"} {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, itoa(s.Port)), time.Second)
		if err == nil {
			conn.Close()
			t.Errorf("something listens on %s port %d", host, s.Port)
		}
	}
	if got := ask1[string](t, c.DSN("postgres"), "select string_agg(auth_method, ' ' order by line_number) from pg_hba_file_rules where type = 'local'"); strings.Trim(strings.ReplaceAll(got, "scram-sha-256", ""), " ") != "" {
		t.Errorf("who is let in through the socket: %s, want only scram-sha-256", got)
	}
}

// TestUmask: however strict the umask, the server's user gets where it must.
func TestUmask(t *testing.T) {
	t.Parallel()
	o := Options{Root: filepath.Join(emptyRoot(t), "deep", "home")}
	p := client(t, o, func(cmd *exec.Cmd) {
		cmd.Args = []string{"sh", "-c", "umask 077 && exec " + cmd.Path}
		cmd.Path = "/bin/sh"
	})
	if !strings.HasPrefix(p.first.DataDir, o.Root) || len(p.first.Notices) > 0 {
		t.Errorf("the data is in %s, and said is %q", p.first.DataDir, p.first.Notices)
	}
	p.close()
}
