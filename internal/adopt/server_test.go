package adopt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"manito/internal/migrate"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// server is a PostgreSQL server of one test, of any major version.
type server struct {
	bin, dir string
	major    int
	attr     *syscall.SysProcAttr
}

// servers are those to test on: the folders of MANITO_TEST_PG_BINS (a list as in PATH),
// or every server that is installed where Debian and scripts/install-postgres.sh put them.
func servers(t *testing.T) []server {
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
	var out []server
	for _, bin := range bins {
		text, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
		if err != nil {
			t.Fatalf("%s holds no working postgres: %v", bin, err)
		}
		s := server{bin: bin}
		if _, err := fmt.Sscanf(string(text), "postgres (PostgreSQL) %d", &s.major); err != nil {
			t.Fatalf("%s: cannot read the version from %q", bin, text)
		}
		if s.major >= 14 && !slices.ContainsFunc(out, func(o server) bool { return o.major == s.major }) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		t.Fatal("no PostgreSQL server is installed: apt-get install postgresql, or set MANITO_TEST_PG_BINS")
	}
	return out
}

func (s *server) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attr
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	log, err := os.CreateTemp(s.dir, "out") // the server keeps the stream open
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())                  // what there is
		more, _ := os.ReadFile(filepath.Join(s.dir, "log")) // of the server
		t.Fatalf("%s: %v\n%s\n%s", name, err, said, more)
	}
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// begin makes the data and starts the server, which ends with the test.
func (s *server) begin(t *testing.T) {
	t.Helper()
	var err error
	if s.dir, err = os.MkdirTemp("", "ado"); err != nil { // a test's own folder is too long for a socket
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(s.dir); err != nil {
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
		s.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(s.dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	s.run(t, "initdb", "-D", s.data(), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
	s.start(t)
	t.Cleanup(func() { s.run(t, "pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "stop") })
}

func (s *server) start(t *testing.T) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data(), "-w", "-t", "60", "-l", filepath.Join(s.dir, "log"), "-o",
		fmt.Sprintf("-k %s -c listen_addresses= -c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c timezone=Pacific/Chatham -c extra_float_digits=-3", s.dir), "start")
}

func (s *server) dsn(database string) string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s sslmode=disable", s.dir, database)
}

func connected(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// TestEveryServer adopts from each server into another one, and in place where Manito
// can live; the graphs are the same everywhere.
func TestEveryServer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	digests := map[string][]string{}
	t.Run("majors", func(t *testing.T) {
		for _, s := range servers(t) {
			t.Run(fmt.Sprintf("pg%d", s.major), func(t *testing.T) {
				t.Parallel()
				s.begin(t)
				admin := connected(t, s.dsn("postgres"))
				if _, err := admin.Exec(t.Context(), `create database manito_dev`); err != nil {
					t.Fatal(err)
				}
				fill(t, connected(t, s.dsn("manito_dev")), "roles.sql", "old.sql", "rows.sql")
				far := postgrestest.New(t)
				o := Options{DSN: s.dsn("manito_dev"), DB: far.Open(t), Target: far.App, TargetSchema: far.Schema, AppVersion: "test"}
				reports := []*Report{mustRun(t, o)}
				if reports[0].Target.Same {
					t.Error("two servers are taken for one")
				}
				if s.major >= 15 {
					m := migrate.New(migrate.Config{DSN: s.dsn("manito_dev")})
					if _, err := m.Init(t.Context(), migrate.InitOptions{}); err != nil {
						t.Fatal(err)
					}
					if _, err := m.Up(t.Context()); err != nil {
						t.Fatal(err)
					}
					db, err := postgres.Open(t.Context(), postgres.Config{DSN: s.dsn("manito_dev"), Schema: migrate.DefaultSchema})
					if err != nil {
						t.Fatal(err)
					}
					defer db.Close()
					near := Options{DSN: s.dsn("manito_dev"), DB: db, Target: s.dsn("manito_dev"), TargetSchema: migrate.DefaultSchema, AppVersion: "test"}
					reports = append(reports, mustRun(t, near))
					if !reports[1].Target.Same {
						t.Error("one database is taken for two")
					}
				}
				for _, r := range reports {
					var all []string
					for _, p := range r.Projects {
						all = append(all, p.ID+" "+p.Digest)
					}
					mu.Lock()
					digests[strings.Join(all, "\n")] = append(digests[strings.Join(all, "\n")], t.Name())
					mu.Unlock()
				}
				for i, x := range reports[len(reports)-1].Tables {
					if x.Before != reports[0].Tables[i].Before {
						t.Errorf("%s: into another server %+v, in place %+v", x.Name, reports[0].Tables[i].Before, x.Before)
					}
				}
				s.recover(t, o)
			})
		}
	})
	if len(digests) != 1 {
		t.Errorf("the graphs differ: %v", digests)
	}
}

// recover makes the server a standby: it can be read, and nothing can be dropped.
func (s *server) recover(t *testing.T, o Options) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data(), "-m", "fast", "-w", "stop")
	signal := filepath.Join(s.data(), "standby.signal")
	if err := os.WriteFile(signal, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	if rep := mustRun(t, o); !rep.Unchanged {
		t.Error("the standby has other rows")
	}
	_, err := Drop(t.Context(), DropOptions{DSN: o.DSN, Target: o.Target, TargetSchema: o.TargetSchema})
	if problem.KindOf(err) != problem.Unsupported || !strings.Contains(err.Error(), "in recovery") {
		t.Errorf("dropping on a standby: %v", err)
	}
}
