//go:build linux || darwin

package pgembed

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
