//go:build unix

package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/migrate"
	"manito/internal/migrate/bouncertest"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// bounce starts a pgbouncer before a database and opens the store through it.
func bounce(t *testing.T, d *postgrestest.Database, o bouncertest.Options) *postgrestest.Database {
	t.Helper()
	// The settings of roles belong to a database, and this one is a copy of a template.
	if _, err := migrate.New(migrate.Config{DSN: d.Admin, Schema: d.Schema}).Init(t.Context(), migrate.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	o.DSN = d.App
	through := *d
	through.App = bouncertest.Start(t, o).DSN
	return &through
}

// TestPgbouncerTransactionMode does all that the store does through a real pgbouncer that
// gives each transaction another session, next to programs with statements of their own.
func TestPgbouncerTransactionMode(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	through := bounce(t, d, bouncertest.Options{Mode: "transaction", Size: 4})
	db := through.Open(t)
	c := newCorpus(small)
	for range 2 { // what the first time left in the sessions is not in the way of the second
		c.scan(t, db, "/r", "main")
		sound(t, db, "/r", "main")
	}
	if s, err := db.Server(t.Context()); err != nil || s.Pooler != postgres.PoolerTransaction || s.Schema != d.Schema || s.StatementTimeout != "1min" {
		t.Errorf("%+v, %v", s, err)
	}
	// Many at once, so that transactions of one client wander over all sessions.
	var all sync.WaitGroup
	errs := make([]error, 40)
	for i := range errs {
		all.Go(func() {
			for range 10 {
				if _, err := db.Status(t.Context(), 0); err != nil {
					errs[i] = err
					return
				}
				if _, err := db.Inventory(t.Context()); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("asker %d: %v", i, err)
		}
	}
	// Leases are rows: they hold where no session lock does.
	lease := acquire(t, db, "/r", "main")
	other := through.Open(t)
	_, err := take(t.Context(), other, "/r", "main")
	if problem.KindOf(err) != problem.Conflict {
		t.Errorf("a second scan: %v", err)
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.Close()
	other.Close()
	// Nothing of this program is left in the shared sessions.
	conn, err := pgx.Connect(t.Context(), through.App)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for range 8 {
		var timeout, path string
		var statements int
		err := conn.QueryRow(t.Context(), `select current_setting('statement_timeout'), current_setting('search_path'), (select count(*) from pg_prepared_statements)`,
			pgx.QueryExecModeSimpleProtocol).Scan(&timeout, &path, &statements)
		if err != nil || timeout != "1min" || !strings.Contains(path, d.Schema) || statements != 0 {
			t.Fatalf("a shared session was changed: statement_timeout %s, search_path %s, %d prepared statements, %v", timeout, path, statements, err)
		}
	}
}

// TestPgbouncerCannotCutAScan: the role's statement timeout holds for questions, and not for what a scan writes.
func TestPgbouncerCannotCutAScan(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	admin := d.Connect(t, d.Admin)
	if _, err := admin.Exec(t.Context(), `alter role `+pgx.Identifier{d.Roles.App}.Sanitize()+` in database `+pgx.Identifier{d.Name}.Sanitize()+` set statement_timeout to '1s'`); err != nil {
		t.Fatal(err)
	}
	through := bounce(t, d, bouncertest.Options{Mode: "transaction"}) // db init leaves the operator's choice
	db := through.Open(t)
	c := newCorpus(small)
	lease := acquire(t, db, "/r", "main")
	st, err := c.write(t.Context(), db, lease)
	if err != nil {
		t.Fatal(err)
	}
	// The publication waits for a lock for longer than the role's limit; a question does not.
	holder := d.Connect(t, d.Admin)
	if _, err := holder.Exec(t.Context(), `begin; lock table snapshot in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := lease.Publish(t.Context(), c.publication(st))
		done <- err
	}()
	_, err = db.Status(t.Context(), 0)
	if problem.KindOf(err) != problem.Exhausted || !strings.Contains(err.Error(), "longer than its limit") {
		t.Errorf("a question: %v", err)
	}
	for waited := false; !waited; time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-done:
			t.Fatalf("the publication did not wait: %v", err)
		default:
		}
		err := admin.QueryRow(t.Context(), `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
			and query ilike '%insert into snapshot%' and clock_timestamp() - query_start > '2s')`).Scan(&waited)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := holder.Exec(t.Context(), `rollback`); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the publication: %v", err)
	}
}

// TestPgbouncerModes: what is found, what is refused, and a session-mode pooler is like none.
func TestPgbouncerModes(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	shared := bounce(t, d, bouncertest.Options{Mode: "transaction"})
	kept := bounce(t, d, bouncertest.Options{Mode: "session"})
	for _, test := range []struct {
		via  *postgrestest.Database
		told postgres.Pooler
		want postgres.Pooler
	}{
		{d, postgres.PoolerFound, postgres.PoolerNone},
		{d, postgres.PoolerNone, postgres.PoolerNone},
		{d, postgres.PoolerTransaction, postgres.PoolerTransaction},
		{kept, postgres.PoolerFound, postgres.PoolerSession},
		{kept, postgres.PoolerNone, postgres.PoolerSession},
		{kept, postgres.PoolerSession, postgres.PoolerSession},
		{shared, postgres.PoolerFound, postgres.PoolerTransaction},
		{shared, postgres.PoolerTransaction, postgres.PoolerTransaction},
	} {
		name := fmt.Sprintf("%s for %s", test.told, test.want)
		db := test.via.Open(t, func(c *postgres.Config) { c.Pooler, c.StatementTimeout = test.told, 1234000000 })
		s, err := db.Server(t.Context())
		if err != nil || s.Pooler != test.want {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if want := map[bool]string{true: "1min", false: "1234ms"}[test.want == postgres.PoolerTransaction]; s.StatementTimeout != want {
			t.Errorf("%s: the statement timeout is %s, not %s", name, s.StatementTimeout, want)
		}
		db.Close()
	}
	_, err := postgres.Open(t.Context(), postgres.Config{DSN: shared.App, Schema: d.Schema, Pooler: postgres.PoolerNone})
	if problem.KindOf(err) != problem.Unsupported || len(problem.Fixes(err)) == 0 {
		t.Errorf("a pooler where there should be none: %v", err)
	}
	// Without the role's search path, shared sessions would look elsewhere.
	bare := postgrestest.New(t)
	_, err = postgres.Open(t.Context(), postgres.Config{DSN: bouncertest.Start(t, bouncertest.Options{Mode: "transaction", DSN: bare.App}).DSN, Schema: d.Schema})
	if problem.KindOf(err) != problem.Invalid || !strings.Contains(strings.Join(problem.Fixes(err), " "), "SET search_path") {
		t.Errorf("without a search path: %v", err)
	}
}
