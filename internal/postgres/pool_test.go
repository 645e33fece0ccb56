package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// crowd runs n questions at once, which all wait for a lock on a table that the test
// holds, until the returned function is called; it gives their errors.
func crowd(t *testing.T, d *postgrestest.Database, db *postgres.DB, n int) (let func() []error) {
	t.Helper()
	holder := d.Connect(t, d.Admin)
	if _, err := holder.Exec(t.Context(), `begin; lock table repo in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { _, errs[i] = db.Status(t.Context(), 0) })
	}
	return func() []error {
		t.Helper()
		if _, err := holder.Exec(t.Context(), `rollback`); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		return errs
	}
}

// until waits for a condition, with patience for a loaded machine.
func until(t *testing.T, what string, db *postgres.DB, wanted func(postgres.Pool) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		p := db.Pool()
		if wanted(p) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %+v", what, p)
		}
	}
}

func idle(p postgres.Pool) bool { return p.InUse == 0 && p.Waiting == 0 && p.Idle == p.Total }

const most = 50 // DB_POOL_MAX by default

// TestPoolHealth: under load and at rest, the gauges are what the server counts.
func TestPoolHealth(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t, func(c *postgres.Config) { c.MinConns, c.MaxConns, c.Application = 3, 10, "health" })
	admin := d.Connect(t, d.Admin)
	same := func(when string, use, waiting int32) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			p := db.Pool()
			var total, active int32
			err := admin.QueryRow(t.Context(), `select count(*), count(*) filter (where state <> 'idle') from pg_stat_activity
				where datname = current_database() and application_name = 'health'`).Scan(&total, &active)
			if err != nil {
				t.Fatal(err)
			}
			if p.InUse == use && p.Waiting == waiting && p.Total == total && p.InUse == active && p.Idle == total-active && p.Max == 10 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: the gauges are %+v, the server has %d, %d of them active", when, p, total, active)
			}
		}
	}
	same("at rest", 0, 0)
	for _, n := range []int{1, 7, 10, 25} {
		let := crowd(t, d, db, n)
		same(fmt.Sprintf("%d questions", n), int32(min(n, 10)), int32(max(0, n-10)))
		for _, err := range let() {
			if err != nil {
				t.Error(err)
			}
		}
		same("afterwards", 0, 0)
	}
}

// TestPoolExhaustionRecovery: 50 questions more than there are connections wait for
// their turn and are all answered.
func TestPoolExhaustionRecovery(t *testing.T) {
	t.Parallel()
	d := postgrestest.NewPrivate(t) // 50 connections are too many for the server that all tests share
	db := d.Open(t, func(c *postgres.Config) { c.MinConns, c.MaxConns = 5, most })
	let := crowd(t, &d.Database, db, most+50)
	until(t, "50 in use and 50 waiting", db, func(p postgres.Pool) bool { return p.InUse == most && p.Waiting == 50 && p.Total == most })
	for i, err := range let() {
		if err != nil {
			t.Errorf("question %d: %v", i, err)
		}
	}
	answered := time.Now()
	until(t, "the pool is idle again", db, idle)
	t.Logf("idle %s after the last answer", time.Since(answered))
	if p := db.Pool(); p.Waited < 50 || p.Total > most {
		t.Errorf("%+v", p)
	}
}

// TestSlowQueriesEndByTheirLimits: those that run are ended by the statement timeout, those
// that wait by the acquire timeout, and both say so.
func TestSlowQueriesEndByTheirLimits(t *testing.T) {
	t.Parallel()
	d := postgrestest.NewPrivate(t)
	for name, limits := range map[string]func(*postgres.Config){
		"statement": func(c *postgres.Config) { c.StatementTimeout, c.AcquireTimeout = 300*time.Millisecond, time.Minute },
		"acquire":   func(c *postgres.Config) { c.StatementTimeout, c.AcquireTimeout = time.Minute, 3*time.Second },
		"both": func(c *postgres.Config) {
			c.StatementTimeout, c.AcquireTimeout = 5*time.Second, 3*time.Second
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := d.Open(t, limits, func(c *postgres.Config) { c.MinConns, c.MaxConns = most, most })
			until(t, "all connections are open", db, func(p postgres.Pool) bool { return p.Idle == most })
			// The holder never lets go: the limits alone end what waits for it.
			holder := d.Connect(t, d.Admin)
			if _, err := holder.Exec(t.Context(), `begin; lock table repo in access exclusive mode`); err != nil {
				t.Fatal(err)
			}
			errs := make([]error, most+50)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { _, errs[i] = db.Status(t.Context(), 0) })
			}
			if name == "acquire" { // those that got a connection wait for the lock, up to a minute
				until(t, "the waiting gave up", db, func(p postgres.Pool) bool { return p.Waiting == 0 && p.Cancelled >= 50 })
				if _, err := holder.Exec(t.Context(), `rollback`); err != nil {
					t.Fatal(err)
				}
			}
			all.Wait()
			failed := 0
			for i, err := range errs {
				if err == nil {
					continue
				}
				failed++
				if problem.KindOf(err) != problem.Exhausted || len(problem.Fixes(err)) == 0 {
					t.Errorf("question %d: %v", i, err)
				}
			}
			if want := map[string]int{"statement": most + 50, "acquire": 50, "both": most + 50}[name]; failed != want {
				t.Errorf("%d questions failed, want %d", failed, want)
			}
			until(t, "the pool is idle again", db, idle)
			if name != "acquire" {
				if _, err := holder.Exec(t.Context(), `rollback`); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.Status(t.Context(), 0); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestCallerGivesUp: a caller that leaves takes nothing with him.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t, func(c *postgres.Config) { c.MaxConns = 2 })
	let := crowd(t, d, db, 2)
	until(t, "two in use", db, func(p postgres.Pool) bool { return p.InUse == 2 })
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	go func() {
		_, err := db.Status(ctx, 0)
		got <- err
	}()
	until(t, "one waits", db, func(p postgres.Pool) bool { return p.Waiting == 1 })
	cancel()
	if err := <-got; problem.KindOf(err) != problem.Interrupted {
		t.Errorf("%v", err)
	}
	until(t, "nobody waits", db, func(p postgres.Pool) bool { return p.Waiting == 0 && p.Cancelled == 1 })
	for _, err := range let() {
		if err != nil {
			t.Error(err)
		}
	}
	until(t, "the pool is idle again", db, idle)
}

// TestAnEndedSessionIsNotUsed: the server ends sessions that lie idle in the pool, and the
// next question, however soon, is asked on another one.
func TestAnEndedSessionIsNotUsed(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t, func(c *postgres.Config) { c.MinConns, c.MaxConns = 0, 1 })
	admin := d.Connect(t, d.Admin)
	for round := range 20 {
		if err := db.Ping(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var ended bool
		// The second argument waits until the process is gone.
		err := admin.QueryRow(t.Context(), `select coalesce(bool_and(pg_terminate_backend(pid, 60000)), false) from pg_stat_activity
			where datname = current_database() and usename = $1`, d.Roles.App).Scan(&ended)
		if err != nil || !ended {
			t.Fatalf("round %d: nothing was ended: %v", round, err)
		}
		if _, err := db.Status(t.Context(), 0); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// TestConnectionTimeout: a host that takes the connection and never says a word is given up after
// the connect timeout, not after the far longer time to wait for a free connection.
func TestConnectionTimeout(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts for it; nobody reads
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // after the subtests; nothing was written to it
	hole := l.Addr().String()
	for _, mode := range []string{"disable", "prefer", "verify-full"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Open(t.Context(), postgres.Config{DSN: "postgres://u:p@" + hole + "/d?sslmode=" + mode, ConnectTimeout: 100 * time.Millisecond, AcquireTimeout: 24 * time.Hour})
			var p *problem.Error
			if !errors.As(err, &p) || p.Kind != problem.Unavailable || len(p.Fixes) == 0 || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%v", err)
			}
		})
	}
}

// TestNextHost: of several hosts the first that answers is used, after the others had their time.
func TestNextHost(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // nothing was written to it
	d := postgrestest.New(t)
	real, err := pgx.ParseConfig(d.App)
	if err != nil {
		t.Fatal(err)
	}
	hole := l.Addr().(*net.TCPAddr)
	dsn := fmt.Sprintf("%s host='127.0.0.1,127.0.0.1,%s' port='%d,1,%d' target_session_attrs=read-write", d.App, real.Host, hole.Port, real.Port)
	db, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Schema: d.Schema, ConnectTimeout: 500 * time.Millisecond, AcquireTimeout: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if s, err := db.Server(t.Context()); err != nil || s.Database != d.Name {
		t.Fatalf("%+v %v", s, err)
	}
}
