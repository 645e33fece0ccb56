//go:build linux || darwin

package pgembed

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"manito/internal/problem"
)

func TestFirstOpen(t *testing.T) {
	t.Parallel()
	root := emptyRoot(t)
	if s := status(t, root); s.State != Absent {
		t.Errorf("before: %+v, want absent", s)
	}
	if _, err := os.Stat(root); err == nil {
		t.Error("Inspect made the home folder")
	}
	c := open(t, Options{Root: root})
	s := status(t, root)
	if s.State != Running || !s.InUse || s.PID == 0 || s.Major != c.Major() || s.DataDir != c.DataDir() || s.Since.IsZero() {
		t.Errorf("while open: %+v", s)
	}
	if notices := c.Notices(); len(notices) != 0 && !strings.Contains(notices[0], "is installed") {
		t.Errorf("notices %q, want none", notices)
	}
	dsn := c.DSN("postgres")
	for name, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
		"wal_level": "replica", "max_wal_senders": "10", "max_connections": "120", "listen_addresses": "",
		"unix_socket_permissions": "0700", "jit": "off", "ssl": "off", "server_encoding": "UTF8",
		"password_encryption": "scram-sha-256", "TimeZone": "UTC", "log_parameter_max_length": "0",
	} {
		if got := ask1[string](t, dsn, "select current_setting($1)", name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if got := ask1[int64](t, dsn, "select setting::bigint * 8192 from pg_settings where name = 'shared_buffers'"); got > 256<<20 {
		t.Errorf("shared_buffers are %d bytes, want at most 256 MB", got)
	}
	if got := ask1[bool](t, dsn, "select 'a' < 'B' collate \"default\""); got {
		t.Error("the default collation does not sort by bytes")
	}
	if uid := run(t, "ps", "-o", "uid=", "-p", itoa(s.PID)); uid == "0" {
		t.Error("the server runs as root")
	}
	for path, want := range map[string]os.FileMode{
		c.DataDir(): 0o700, c.path("run"): 0o700, c.path("password"): 0o600, c.path("postgres.log"): 0o600,
		filepath.Join(s.Socket, ".s.PGSQL."+itoa(s.Port)): 0o700,
	} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want mode %04o", path, st.Mode(), err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.Socket, "initdb*")); len(left) > 0 {
		t.Errorf("initdb's password is left in %s", left)
	}
	if args := run(t, "ps", "-ww", "-o", "args=", "-p", itoa(s.PID)); strings.Contains(args, c.password) {
		t.Error("the password is on the server's command line")
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	wantStopped(t, root)
	wantProblem(t, noFix(c.Ensure(t.Context())), problem.Internal, "closed")
}

// noFix gives an error a fix, for those that are defects of the caller.
func noFix(err error) error {
	if err == nil {
		return nil
	}
	return problem.New(problem.KindOf(err), "defect").Because(err).Fix("none")
}

func TestReopen(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	c := open(t, Options{Root: root})
	exec1(t, c, "insert into written values (7)")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = open(t, Options{Root: root})
	if got := ask1[int64](t, c.DSN("postgres"), "select n from written"); got != 7 {
		t.Errorf("the row is %d, want 7", got)
	}
}

func TestEnsureDatabase(t *testing.T) {
	t.Parallel()
	c := open(t, Options{Root: readyRoot(t)})
	names := []string{"manito", `odd "name' \ ü`, strings.Repeat("x", 63)}
	var wg sync.WaitGroup
	for _, name := range slices.Concat(names, names, names) { // all at once, each several times
		wg.Go(func() {
			if err := c.EnsureDatabase(t.Context(), name); err != nil {
				t.Errorf("EnsureDatabase(%q): %v", name, err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		if got := ask1[string](t, c.DSN(name), "select current_database()"); got != name {
			t.Errorf("connected to %q, want %q", got, name)
		}
	}
	for _, name := range []string{"", "a\x00b", strings.Repeat("x", 64)} {
		wantProblem(t, c.EnsureDatabase(t.Context(), name), problem.Usage)
	}
}

// TestEightAtOnce: of eight processes that find nothing, one makes and starts the
// cluster, and the last to leave stops it.
func TestEightAtOnce(t *testing.T) {
	t.Parallel()
	root := emptyRoot(t)
	var all []*process
	for range 8 {
		all = append(all, spawn(t, Options{Root: root}, nil))
	}
	for i, p := range all {
		if p.first = p.hear(); p.first.Error != "" {
			t.Fatalf("client %d: %s", i, p.first.Error)
		}
		if p.first.PID != all[0].first.PID {
			t.Errorf("client %d is on server %d, the first on %d", i, p.first.PID, all[0].first.PID)
		}
		if got := ask1[int](t, p.first.DSN, "select 1"); got != 1 {
			t.Errorf("client %d cannot query", i)
		}
	}
	for _, p := range all[1:] {
		p.close()
	}
	if s := status(t, root); s.State != Running || s.PID != all[0].first.PID {
		t.Errorf("with one user left: %+v", s)
	}
	all[0].close()
	wantStopped(t, root)
	log, err := os.ReadFile(filepath.Join(root, "db", logName))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "ready to accept connections"); n != 1 {
		t.Errorf("the server was started %d times, want once", n)
	}
}

// TestComeAndGo: processes that open, query and close without pause never meet a
// server that is stopping under them.
func TestComeAndGo(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 8 {
				c, err := Open(t.Context(), Options{Root: root})
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				conn, err := pgxConnect(t, c.DSN("postgres"))
				if err != nil {
					t.Errorf("connect: %v", err)
				} else {
					if _, err := conn.Exec(t.Context(), "insert into written values (1)"); err != nil {
						t.Errorf("insert: %v", err)
					}
					conn.Close(t.Context())
				}
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
		})
	}
	wg.Wait()
	wantStopped(t, root)
	c := open(t, Options{Root: root})
	if got := ask1[int64](t, c.DSN("postgres"), "select count(*) from written"); got != 48 {
		t.Errorf("%d rows, want 48", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	for _, bad := range []map[string]string{
		{"fsync": "off"}, {"synchronous_commit": "off"}, {"full_page_writes": "off"}, {"listen_addresses": "*"},
		{"max_connections": "50"}, {"max_wal_senders": "0"}, {"wal_level": "minimal"}, {"port": "5432"},
		{"work_mem": "1MB\nfsync=off"}, {"a b": "c"}, {"": "c"}, {"Fsync": "off"}, {"max_connections": "many"},
	} {
		_, err := Open(t.Context(), Options{Root: root, Settings: bad})
		if problem.KindOf(err) != problem.Usage || err == nil {
			t.Errorf("settings %q: %v, want them refused", bad, err)
		}
	}
	o := Options{Root: root, Settings: map[string]string{"work_mem": "5MB", "wal_level": "logical", "application_name": `it's a \ name`}}
	c := open(t, o)
	for name, want := range o.Settings {
		dsn := c.DSN("postgres")
		if got := ask1[string](t, dsn, "select reset_val from pg_settings where name = $1", name); got != want && got != "5120" {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	// What the user sets in the server is kept, except against the laws.
	for _, sql := range []string{"alter system set work_mem = '6MB'", "alter system set fsync = off", "alter system set synchronous_commit = off"} {
		exec1(t, c, sql)
	}
	c.Close()
	c = open(t, o)
	for name, want := range map[string]string{"work_mem": "6MB", "fsync": "on", "synchronous_commit": "on"} {
		if got := ask1[string](t, c.DSN("postgres"), "select current_setting($1)", name); got != want {
			t.Errorf("after ALTER SYSTEM %s = %s, want %s", name, got, want)
		}
	}
}

// TestBadSetting: a setting that the server refuses is named, and taking it away mends it.
func TestBadSetting(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	_, err := Open(t.Context(), Options{Root: root, Settings: map[string]string{"work_memory": "1MB"}})
	wantProblem(t, err, problem.Invalid, "work_memory")
	_, err = Open(t.Context(), Options{Root: root, Settings: map[string]string{"work_mem": "plenty"}})
	wantProblem(t, err, problem.Invalid, "work_mem")
	wantStopped(t, root)
	open(t, Options{Root: root})
}
