//go:build unix

package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manito/internal/migrate"
	"manito/internal/postgres"
	"manito/internal/problem"
)

// newServer makes a server on a socket, for this test alone, that is not started.
func newServer(t *testing.T, bin string) *tlsServer {
	t.Helper()
	s := &tlsServer{bin: bin, port: 5432}
	s.make(t)
	return s
}

func (s *tlsServer) start(t *testing.T, settings string) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data, "-w", "-l", filepath.Join(s.dir, "log"), "-o", fmt.Sprintf("-k %s -c listen_addresses= -c fsync=off -c shared_buffers=32MB %s", s.dir, settings), "start")
}

func (s *tlsServer) stop(t *testing.T) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data, "-m", "fast", "-w", "stop")
}

// TestStandby: a server that only follows another one answers questions and refuses
// writes, and one that is still recovering is said to be.
func TestStandby(t *testing.T) {
	t.Parallel()
	s := newServer(t, os.Getenv("MANITO_TEST_PG_BIN"))
	s.start(t, "")
	dsn := s.admin() + " dbname=postgres"
	m := migrate.New(migrate.Config{DSN: dsn, Schema: "manito"})
	if _, err := m.Init(t.Context(), migrate.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	newCorpus(small).scan(t, db, "/r", "main")
	db.Close()
	s.stop(t)
	if err := os.WriteFile(filepath.Join(s.data, "standby.signal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.own(t, filepath.Join(s.data, "standby.signal"))

	told := func(what string, err error, kind problem.Kind, words, fix string) {
		t.Helper()
		if err == nil || problem.KindOf(err) != kind || !strings.Contains(err.Error(), words) || !strings.Contains(strings.Join(problem.Fixes(err), " "), fix) {
			t.Errorf("%s: kind %s, %v, fixes %q", what, problem.KindOf(err), err, problem.Fixes(err))
		}
	}
	s.start(t, "-c hot_standby=on")
	db, err = postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	if srv, err := db.Server(t.Context()); err != nil || !srv.ReadOnly {
		t.Errorf("%+v, %v", srv, err)
	}
	if list, err := db.Status(t.Context(), 0); err != nil || len(list) != 1 {
		t.Errorf("a standby answers questions: %+v, %v", list, err)
	}
	_, err = db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/other", Name: "other"})
	told("a write", err, problem.Unavailable, "read-only", "target_session_attrs=read-write")
	db.Close()
	_, err = m.Up(t.Context())
	told("a migration", err, problem.Unsupported, "read-only standby", "primary")
	_, err = postgres.Open(t.Context(), postgres.Config{DSN: dsn + " target_session_attrs=read-write"})
	told("only a primary is wanted", err, problem.Unavailable, "read-only", "primary")
	s.stop(t)

	// In recovery, before questions are answered.
	s.start(t, "-c hot_standby=off")
	_, err = postgres.Open(t.Context(), postgres.Config{DSN: dsn})
	told("in recovery", err, problem.Unavailable, "starting up or shutting down", "wait")
	_, err = m.Status(t.Context())
	told("in recovery, the migrator", err, problem.Unavailable, "starting up or shutting down", "wait")
	s.stop(t)
}

// TestServerTooOld: of the servers that scripts/test.sh names, the one before 15 is refused.
func TestServerTooOld(t *testing.T) {
	t.Parallel()
	for _, bin := range filepath.SplitList(os.Getenv("MANITO_TEST_PG_BINS")) {
		if !strings.Contains(bin, "/14/") {
			continue
		}
		s := newServer(t, bin)
		s.start(t, "")
		_, err := postgres.Open(t.Context(), postgres.Config{DSN: s.admin() + " dbname=postgres"})
		if problem.KindOf(err) != problem.Unsupported || !strings.Contains(err.Error(), "PostgreSQL 14.") || len(problem.Fixes(err)) == 0 {
			t.Errorf("%v", err)
		}
		s.stop(t)
	}
}
