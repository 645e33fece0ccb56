// Package postgrestest gives each test a fresh, migrated database on a real
// PostgreSQL server: a copy of a template that is made once per version of the
// migrations. The server is Manito's own embedded one in the temporary folder,
// shared by all test processes and stopped by the last; MANITO_TEST_DATABASE_URL
// names another, with the rights of a superuser. MANITO_TEST_PG_BIN is the folder of
// other server programs than those that are found first, and MANITO_TEST_SCHEMA chooses
// the schema, so that the suite can prove that no version and no name is taken for granted.
//
// Only tests may import it. A package that does has
//
//	func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }
package postgrestest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/migrate"
	"manito/internal/postgres"
)

// Database is a database of one test. It is dropped when the test has passed and
// kept, with its address in the test's output, when it has failed.
type Database struct {
	Name   string
	Schema string
	Roles  migrate.Roles
	// Admin, App and Reader are connection strings for the server's superuser, for the
	// role that the program runs as and for the one that may only read the views.
	Admin, App, Reader string
}

// password of the roles that log in; the server listens on a socket that only its owner can reach.
const password = "manito-test"

// counter numbers the databases of this process.
var counter atomic.Int64

// shared is the server that the tests of this process use.
var shared struct {
	once   sync.Once
	server *server
	err    error
}

// Main runs the tests of a package and leaves the server, which the last one stops.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.close(); err != nil {
			fmt.Fprintln(os.Stderr, "postgrestest: stopping the server:", err)
			return max(code, 1)
		}
	}
	return code
}

// New makes a database for a test or benchmark.
func New(t testing.TB) *Database {
	t.Helper()
	ctx := t.Context()
	shared.once.Do(func() { shared.server, shared.err = start(context.WithoutCancel(ctx)) })
	if shared.err != nil {
		t.Fatalf("no PostgreSQL server to test on: %v\nInstall one (Debian: apt-get install postgresql), or set MANITO_TEST_DATABASE_URL.", shared.err)
	}
	s := shared.server
	db := &Database{Schema: s.schema, Roles: s.roles,
		Name: fmt.Sprintf("%s%d_%d_%d", prefix, time.Now().Unix(), os.Getpid(), counter.Add(1))}
	if err := s.admin(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "create database "+pgx.Identifier{db.Name}.Sanitize()+" template "+pgx.Identifier{s.template}.Sanitize())
		return err
	}); err != nil {
		t.Fatalf("making a database from the template %s: %v", s.template, err)
	}
	db.Admin = s.dsn(db.Name, "", "")
	db.App = s.dsn(db.Name, s.roles.App, password)
	db.Reader = s.dsn(db.Name, s.roles.Reader, password)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the database of this test was kept: psql %q (schema %s)", db.Admin, db.Schema)
			return
		}
		ctx := context.WithoutCancel(ctx)
		if err := s.admin(ctx, func(conn *pgx.Conn) error { return drop(ctx, conn, db.Name) }); err != nil {
			t.Errorf("dropping the database of this test: %v", err)
		}
	})
	return db
}

// Open opens the store on the database, as the role that the program runs as.
// Changes to the configuration can be made before. It is closed with the test.
func (d *Database) Open(t testing.TB, change ...func(*postgres.Config)) *postgres.DB {
	t.Helper()
	cfg := postgres.Config{DSN: d.App, Schema: d.Schema, Application: t.Name()}
	for _, f := range change {
		f(&cfg)
	}
	db, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(db.Close)
	return db
}

// Open gives a test a store on a database of its own.
func Open(t testing.TB, change ...func(*postgres.Config)) *postgres.DB {
	t.Helper()
	return New(t).Open(t, change...)
}

// Connect opens a plain connection by one of the database's connection strings,
// with the search path of the schema. It is closed with the test.
func (d *Database) Connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeParams["search_path"] = pgx.Identifier{d.Schema}.Sanitize() + ", public, pg_temp"
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Logf("closing a connection: %v", err)
		}
	})
	return conn
}
