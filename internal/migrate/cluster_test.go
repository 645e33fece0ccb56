package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain runs the tests, or plays a migrator that a test started as a process of its
// own, and stops the servers that the tests started.
func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		os.Exit(child(role))
	}
	code := m.Run()
	writeCounts()
	var ran []string
	for _, c := range clusters() {
		if c.started.Load() {
			ran = append(ran, fmt.Sprintf("%d", c.major))
			c.stop()
		}
	}
	fmt.Fprintf(os.Stderr, "migrate: tested on PostgreSQL %s\n", strings.Join(ran, ", "))
	os.Exit(code)
}

// cluster is one private server on a Unix socket, for this test binary alone.
type cluster struct {
	bin     string
	major   int
	start   func() error // once
	started atomic.Bool
	dir     string // socket and data
	numbers atomic.Int64
	extra   func(data string) error // run between initdb and the start
}

// clusters are the servers to test on: the folders of MANITO_TEST_PG_BINS (a list as in
// PATH), or every server that is installed where Debian and scripts/install-postgres.sh
// put them.
var clusters = sync.OnceValue(func() []*cluster {
	bins := filepath.SplitList(os.Getenv("MANITO_TEST_PG_BINS"))
	if len(bins) == 0 {
		for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/local/lib/manito/pg/*/bin"} {
			found, err := filepath.Glob(pattern)
			if err != nil {
				panic(err)
			}
			bins = append(bins, found...)
		}
	}
	var out []*cluster
	for _, bin := range bins {
		text, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
		if err != nil {
			panic(fmt.Sprintf("%s holds no working postgres: %v", bin, err))
		}
		major, err := strconv.Atoi(strings.FieldsFunc(strings.TrimPrefix(string(text), "postgres (PostgreSQL) "),
			func(r rune) bool { return r < '0' || r > '9' })[0])
		if err != nil {
			panic(fmt.Sprintf("%s: cannot read the version from %q", bin, text))
		}
		if slices.ContainsFunc(out, func(c *cluster) bool { return c.major == major }) {
			continue
		}
		c := &cluster{bin: bin, major: major}
		c.start = sync.OnceValue(c.run)
		out = append(out, c)
	}
	return out
})

// account is who runs the server: PostgreSQL refuses to run as root.
func account() (*syscall.SysProcAttr, int, int) {
	if os.Getuid() != 0 {
		return nil, os.Getuid(), os.Getgid()
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		panic("tests that run as root need the user postgres to run the server: " + err.Error())
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, uid, gid
}

func (c *cluster) command(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.SysProcAttr, _, _ = account()
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func (c *cluster) run() error {
	dir, err := os.MkdirTemp("", "mig")
	if err != nil {
		return err
	}
	c.dir = dir
	_, uid, gid := account()
	if err := os.Chown(dir, uid, gid); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if err := c.command("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"); err != nil {
		return err
	}
	// One role and everybody whose name ends in _scram must give a password.
	hba := "local all /^.*_scram$ scram-sha-256\nlocal all +needs_password scram-sha-256\nlocal all refused reject\nlocal all all trust\nlocal replication all trust\n"
	if c.major < 16 {
		hba = strings.Join(strings.SplitAfter(hba, "\n")[1:], "") // patterns came with 16
	}
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return err
	}
	if err := os.Chown(filepath.Join(data, "pg_hba.conf"), uid, gid); err != nil {
		return err
	}
	if c.extra != nil {
		if err := c.extra(data); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("-k %s -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=150 -c shared_buffers=32MB -c timezone=Pacific/Chatham", dir)
	if err := c.command("pg_ctl", "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", options, "start"); err != nil {
		return err
	}
	c.started.Store(true)
	return nil
}

func (c *cluster) stop() {
	if err := c.command("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "-w", "stop"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := os.RemoveAll(c.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// version is what the server calls itself, such as 15.18.
func (c *cluster) version(t *testing.T) string {
	t.Helper()
	text, _, _ := strings.Cut(one[string](t, c.connect(t, "postgres", "postgres"), "select current_setting('server_version')"), " ")
	return text
}

func (c *cluster) dsn(userName, database string) string {
	return fmt.Sprintf("host=%s user='%s' dbname='%s'", c.dir, userName, database)
}

// everywhere runs a test on each server that Manito's schema works on.
func everywhere(t *testing.T, f func(t *testing.T, c *cluster)) {
	t.Helper()
	ran := false
	for _, c := range clusters() {
		if c.major < oldest/10000 {
			continue
		}
		ran = true
		t.Run(fmt.Sprintf("pg%d", c.major), func(t *testing.T) {
			t.Parallel()
			if err := c.start(); err != nil {
				t.Fatal(err)
			}
			f(t, c)
		})
	}
	if !ran {
		t.Fatal("no PostgreSQL server is installed: apt-get install postgresql, or set MANITO_TEST_PG_BINS")
	}
}

// database makes an empty database and drops it at the end, unless the test failed.
func (c *cluster) database(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("t%d_%d", os.Getpid(), c.numbers.Add(1))
	admin := c.connect(t, "postgres", "postgres")
	exec1(t, admin, "create database "+quote(name))
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		exec1(t, c.connect(t, "postgres", "postgres"), "drop database if exists "+quote(name)+" with (force)")
	})
	return name
}

// connect opens a session that ends with the test.
func (c *cluster) connect(t *testing.T, userName, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.dsn(userName, database))
	if err != nil {
		// Cleanups run after the test's context has ended.
		if conn, err = pgx.Connect(context.Background(), c.dsn(userName, database)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := conn.Close(ctx); err != nil {
			t.Log("closing a session:", err)
		}
	})
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one is the single value of a query.
func one[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// house is a database in which Init ran.
type house struct {
	c        *cluster
	database string
	roles    Roles
}

func newHouse(t *testing.T, c *cluster, schema string) house {
	t.Helper()
	h := house{c: c, database: c.database(t)}
	rep, err := New(Config{DSN: c.dsn("postgres", h.database), Schema: schema, Files: fstest.MapFS{}}).Init(t.Context(), InitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h.roles = rep.Roles
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		admin := c.connect(t, "postgres", "postgres")
		exec1(t, admin, "drop database if exists "+quote(h.database)+" with (force)")
		for _, r := range []string{h.roles.Reader, h.roles.App, h.roles.Migrator, h.roles.Owner} {
			exec1(t, admin, "drop role "+quote(r))
		}
	})
	return h
}

// migrator is one that connects as the migrator role.
func (h house) migrator(schema string, files fstest.MapFS) *Migrator {
	return New(Config{DSN: h.c.dsn(h.roles.Migrator, h.database), Schema: schema, Files: files,
		LockTimeout: 200 * time.Millisecond, Wait: time.Minute})
}

// sqlFiles makes migrations from a map of names to texts.
func sqlFiles(texts map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range texts {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}
