package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"manito/internal/postgres/postgrestest"
)

// machine is a server of one test: of any version, and with settings that Manito's own
// server refuses.
type machine struct {
	bin   string // folder of its programs
	major int
	dir   string // of the socket, the log and the data
	port  int
	attr  *syscall.SysProcAttr
}

// program is a folder of server programs and the major version of those.
type program struct {
	bin   string
	major int
}

// programs are the servers to test on: the folders of MANITO_TEST_PG_BINS (a list as in
// PATH), or every server that is installed where Debian and scripts/install-postgres.sh
// put them; one of each major version.
func programs(t *testing.T) []program {
	t.Helper()
	bins := filepath.SplitList(os.Getenv("MANITO_TEST_PG_BINS"))
	if len(bins) == 0 {
		for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/local/lib/manito/pg/*/bin"} {
			found, err := filepath.Glob(pattern)
			if err != nil {
				t.Fatal(err)
			}
			bins = append(bins, found...)
		}
	}
	var out []program
	for _, bin := range bins {
		text, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
		if err != nil {
			t.Fatalf("%s holds no working postgres: %v", bin, err)
		}
		var major int
		if _, err := fmt.Sscanf(string(text), "postgres (PostgreSQL) %d", &major); err != nil {
			t.Fatalf("%s: cannot read the version from %q", bin, text)
		}
		if !slices.ContainsFunc(out, func(p program) bool { return p.major == major }) {
			out = append(out, program{bin, major})
		}
	}
	if len(out) == 0 {
		t.Fatal("no PostgreSQL server is installed: apt-get install postgresql, or set MANITO_TEST_PG_BINS")
	}
	return out
}

// newMachine makes a server that is stopped and deleted with the test. It is not started.
func newMachine(t *testing.T, p program) *machine {
	t.Helper()
	m := &machine{bin: p.bin, major: p.major}
	var err error
	if m.dir, err = os.MkdirTemp("", "doc"); err != nil { // a test's own folder is too long for a socket
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(m.dir); err != nil {
			t.Error(err)
		}
	})
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatalf("tests that run as root need the user postgres to run the server: %v", err)
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		m.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	m.own(t, m.dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return m
}

// init makes the data and writes who gets in.
func (m *machine) init(t *testing.T, hba string) {
	t.Helper()
	m.run(t, "initdb", "-D", m.data(), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
	file := filepath.Join(m.data(), "pg_hba.conf")
	if err := os.WriteFile(file, []byte("local all all trust\nlocal replication all trust\n"+hba), 0o600); err != nil {
		t.Fatal(err)
	}
	m.own(t, file)
}

func (m *machine) data() string { return filepath.Join(m.dir, "data") }

// start starts the server with settings besides those that make a test fast, and stops it with the test.
func (m *machine) start(t *testing.T, settings ...string) {
	t.Helper()
	options := fmt.Sprintf("-k %s -p %d -c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c max_connections=40", m.dir, m.port)
	if !slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, "listen_addresses=") }) {
		options += " -c listen_addresses="
	}
	for _, s := range settings {
		options += " -c " + s
	}
	m.run(t, "pg_ctl", "-D", m.data(), "-w", "-t", "60", "-l", filepath.Join(m.dir, "log"), "-o", options, "start")
	t.Cleanup(func() { m.run(t, "pg_ctl", "-D", m.data(), "-m", "immediate", "-w", "stop") })
}

// run runs one of the programs as the user that may.
func (m *machine) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(m.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = m.dir, m.attr
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	log, err := os.CreateTemp(m.dir, "out") // the server keeps the stream open
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())                  // what there is
		more, _ := os.ReadFile(filepath.Join(m.dir, "log")) // of the server
		t.Fatalf("%s: %v\n%s\n%s", name, err, said, more)
	}
}

// own gives files to the server's user.
func (m *machine) own(t *testing.T, files ...string) {
	t.Helper()
	if m.attr == nil {
		return
	}
	for _, f := range files {
		if err := os.Chown(f, int(m.attr.Credential.Uid), int(m.attr.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// dsn leads to a database through the socket.
func (m *machine) dsn(database string) string {
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=%s sslmode=disable", m.dir, m.port, database)
}

func (m *machine) connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Log("closing a session:", err)
		}
	})
	return conn
}

// patient makes a database with the shop in it.
func (m *machine) patient(t *testing.T, name string) *patient {
	t.Helper()
	admin := m.connect(t, m.dsn("postgres"))
	if _, err := admin.Exec(t.Context(), "create database "+quote(name)); err != nil {
		t.Fatal(err)
	}
	p := &patient{Database: &postgrestest.Database{Name: name, Schema: "public", Admin: m.dsn(name)}, before15: m.major < 15}
	p.conn = m.connect(t, p.Admin)
	for _, role := range []string{owner, app, other, dev, clapp} {
		p.exec(t, "do $$ begin if not exists (select from pg_roles where rolname = '"+role+"') then create role "+role+" login; end if; end $$")
	}
	p.exec(t, "alter role "+owner+" nologin")
	p.exec(t, shop)
	return p
}
