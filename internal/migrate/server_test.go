package migrate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"manito/internal/migrate/bouncertest"
	"manito/internal/problem"
)

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		up := func(dsn string) error {
			_, err := New(Config{DSN: dsn, Files: sqlFiles(simple)}).Up(t.Context())
			return err
		}
		fails(t, up(""), problem.Usage, "no database is configured")
		fails(t, up("postgres://a:b@h:x/y"), problem.Usage, "cannot be read")
		fails(t, up("host=/nowhere user=a dbname=b"), problem.Unavailable, "no PostgreSQL answers")
		fails(t, up("host=127.0.0.1 port=1 user=a dbname=b sslmode=disable connect_timeout=5"), problem.Unavailable, "127.0.0.1:1")
		fails(t, up(c.dsn("postgres", "no such")), problem.NotFound, `no database "no such"`)
		fails(t, up(c.dsn("nobody", h.database)), problem.Denied, "does not let")
		fails(t, up(c.dsn(h.roles.App, h.database)), problem.Denied, "may not become")
		_, err := New(Config{DSN: c.dsn("postgres", h.database), Schema: "pg_x"}).Up(t.Context())
		fails(t, err, problem.Usage, "belongs to PostgreSQL")

		admin := c.connect(t, "postgres", h.database)
		exec1(t, admin, "revoke connect on database "+quote(h.database)+" from public")
		user := "outside_" + h.database
		exec1(t, admin, "create role "+user+" login")
		t.Cleanup(func() { exec1(t, c.connect(t, "postgres", "postgres"), "drop role "+user) })
		fails(t, up(c.dsn(user, h.database)), problem.Denied, "may not connect")
		if err := up(c.dsn(h.roles.Migrator, h.database)); err != nil {
			t.Errorf("the migrator's own right to connect: %v", err)
		}

		exec1(t, admin, "alter role "+quote(h.roles.Migrator)+" in database "+quote(h.database)+" set default_transaction_read_only = on")
		fails(t, up(c.dsn(h.roles.Migrator, h.database)), problem.Unsupported, "read-only")
		exec1(t, admin, "alter role "+quote(h.roles.Migrator)+" in database "+quote(h.database)+" reset default_transaction_read_only")

		_, err = h.migrator("second", sqlFiles(simple)).Up(t.Context())
		fails(t, err, problem.NotFound, "does not exist")
		exec1(t, admin, "drop extension pg_trgm")
		fails(t, up(c.dsn("postgres", h.database)), problem.NotFound, "lacks the extension pg_trgm")
	})
}

// A server that is too old is refused before anything is asked of it: a real one where
// MANITO_TEST_PG_BINS names one, as scripts/test.sh does.
func TestServerTooOld(t *testing.T) {
	t.Parallel()
	old := server{number: 140018, Version: "14.18"}
	fails(t, old.fit(), problem.Unsupported, "needs 15 or newer")
	if err := (&server{number: oldest}).fit(); err != nil {
		t.Error(err)
	}
	for _, c := range clusters() {
		if c.major >= oldest/10000 {
			continue
		}
		if err := c.start(); err != nil {
			t.Fatal(err)
		}
		m := New(Config{DSN: c.dsn("postgres", "postgres"), Files: sqlFiles(simple)})
		for name, call := range map[string]func() error{
			"init":   func() error { _, err := m.Init(t.Context(), InitOptions{}); return err },
			"up":     func() error { _, err := m.Up(t.Context()); return err },
			"check":  func() error { return m.Check(t.Context()) },
			"status": func() error { _, err := m.Status(t.Context()); return err },
		} {
			err := call()
			fails(t, err, problem.Unsupported, fmt.Sprintf("the server is PostgreSQL %d.", c.major))
			if len(problem.Fixes(err)) == 0 {
				t.Errorf("%s: no fix", name)
			}
		}
	}
}

func TestStandby(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		standby := &cluster{bin: c.bin, major: c.major, extra: func(data string) error {
			return os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o644)
		}}
		if err := standby.run(); err != nil {
			t.Fatal(err)
		}
		defer standby.stop()
		_, err := New(Config{DSN: standby.dsn("postgres", "postgres")}).Up(t.Context())
		fails(t, err, problem.Unsupported, "read-only standby")
	})
}

// pooler is a proxy that gives each transaction a server session from a pool, as
// pgbouncer does with pool_mode=transaction. oldestFirst takes the session that has been
// idle longest, instead of the one used last.
type pooler struct {
	dsn         string
	oldestFirst bool
	greeting    map[string]string
	mu          sync.Mutex
	idle        []*pgconn.HijackedConn
}

func (p *pooler) take(ctx context.Context) (*pgconn.HijackedConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		at := n - 1
		if p.oldestFirst {
			at = 0
		}
		s := p.idle[at]
		p.idle = append(p.idle[:at:at], p.idle[at+1:]...)
		return s, nil
	}
	conn, err := pgconn.Connect(ctx, p.dsn)
	if err != nil {
		return nil, err
	}
	return conn.Hijack()
}

func (p *pooler) give(s *pgconn.HijackedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, s)
}

// serve speaks with one client until it leaves.
func (p *pooler) serve(ctx context.Context, client net.Conn) error {
	be := pgproto3.NewBackend(client, client)
	if _, err := be.ReceiveStartupMessage(); err != nil {
		return err
	}
	be.Send(&pgproto3.AuthenticationOk{})
	for k, v := range p.greeting {
		be.Send(&pgproto3.ParameterStatus{Name: k, Value: v})
	}
	be.Send(&pgproto3.BackendKeyData{ProcessID: 99, SecretKey: []byte{1, 2, 3, 4}})
	be.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := be.Flush(); err != nil {
		return err
	}
	var s *pgconn.HijackedConn
	for {
		msg, err := be.Receive()
		if err != nil {
			return err
		}
		if _, bye := msg.(*pgproto3.Terminate); bye {
			return nil
		}
		if s == nil {
			if s, err = p.take(ctx); err != nil {
				return err
			}
		}
		s.Frontend.Send(msg)
		_, query := msg.(*pgproto3.Query)
		_, sync := msg.(*pgproto3.Sync)
		if !query && !sync {
			continue
		}
		if err := s.Frontend.Flush(); err != nil {
			return err
		}
		for done := false; !done; {
			answer, err := s.Frontend.Receive()
			if err != nil {
				return err
			}
			be.Send(answer)
			if ready, ok := answer.(*pgproto3.ReadyForQuery); ok {
				if err := be.Flush(); err != nil {
					return err
				}
				done = true
				if ready.TxStatus == 'I' {
					p.give(s)
					s = nil
				}
			}
		}
	}
}

// listen starts the pooler on a Unix socket and returns the folder of the socket.
func (p *pooler) listen(t *testing.T) string {
	t.Helper()
	probe, err := pgconn.Connect(t.Context(), p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	h, err := probe.Hijack()
	if err != nil {
		t.Fatal(err)
	}
	p.greeting = h.ParameterStatuses
	p.give(h)
	dir, err := os.MkdirTemp("", "pool")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				if err := p.serve(ctx, conn); err != nil && ctx.Err() == nil {
					t.Log("pooler:", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		err := l.Close()
		wg.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.idle {
			err = errors.Join(err, s.Conn.Close())
		}
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			t.Log(err)
		}
	})
	return dir
}

func TestTransactionPooler(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, oldestFirst := range []bool{false, true} {
			for _, warm := range []int{0, 3} {
				h := newHouse(t, c, "manito")
				p := &pooler{dsn: c.dsn(h.roles.Migrator, h.database), oldestFirst: oldestFirst}
				dir := p.listen(t)
				for range warm { // sessions that other clients left idle
					conn, err := pgconn.Connect(t.Context(), p.dsn)
					if err != nil {
						t.Fatal(err)
					}
					s, err := conn.Hijack()
					if err != nil {
						t.Fatal(err)
					}
					p.give(s)
				}
				_, err := New(Config{DSN: fmt.Sprintf("host=%s user=%s dbname=%s", dir, h.roles.Migrator, h.database), Files: sqlFiles(simple)}).Up(t.Context())
				fails(t, err, problem.Unsupported, "pooler in transaction mode")
			}
		}
	})
}

// With the real program: what needs a session is refused in transaction mode, what only
// reads works there and leaves nothing behind in the shared session; session mode works.
func TestPgbouncer(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		direct := c.dsn(h.roles.Migrator, h.database)
		through := func(mode string, size int) Config {
			return Config{DSN: bouncertest.Start(t, bouncertest.Options{Mode: mode, DSN: direct, Size: size}).DSN, Files: sqlFiles(simple)}
		}
		// One server session for all: whatever stays in it, the next one meets.
		shared, own := through("transaction", 1), through("session", 8)
		m := New(shared)
		for name, call := range map[string]func() error{
			"up":     func() error { _, err := m.Up(t.Context()); return err },
			"down":   func() error { _, err := m.Down(t.Context(), DownOptions{AllowDataLoss: true}); return err },
			"drift":  func() error { _, err := m.Drift(t.Context(), DriftOptions{}); return err },
			"repair": func() error { _, err := m.Repair(t.Context(), RepairOptions{}); return err },
			"init":   func() error { _, err := m.Init(t.Context(), InitOptions{}); return err },
		} {
			err := call()
			fails(t, err, problem.Unsupported, "pooler in transaction mode")
			if fixes := strings.Join(problem.Fixes(err), " "); !strings.Contains(fixes, "MANITO_MIGRATION_URL") {
				t.Errorf("%s: fixes %q", name, fixes)
			}
		}
		if _, err := New(own).Up(t.Context()); err != nil {
			t.Fatalf("session mode: %v", err)
		}
		for range 3 { // a named statement of the first time would be in the way of the second
			if err := m.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			st, err := m.Status(t.Context())
			if err != nil || st.State != StateCurrent || len(st.Migrations) != 3 {
				t.Fatalf("status: %+v, %v", st, err)
			}
			if _, err := m.Plan(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Validate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if roles, err := m.Roles(t.Context()); err != nil || roles != h.roles {
				t.Fatalf("roles: %+v, %v", roles, err)
			}
		}
		conn, err := pgx.Connect(t.Context(), shared.DSN)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var user, timeout string
		if err := conn.QueryRow(t.Context(), "select current_user, current_setting('statement_timeout')", pgx.QueryExecModeSimpleProtocol).Scan(&user, &timeout); err != nil || user != h.roles.Migrator {
			t.Errorf("the shared session is %q's, with a timeout of %s: %v", user, timeout, err)
		}
	})
}

// A lock that somebody else holds is waited for in short tries; it never blocks those
// who come after, and a file that gets it in the end is applied once.
func TestLockedTable(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		files := sqlFiles(map[string]string{"00001_a.sql": simple["00001_a.sql"]})
		if _, err := h.migrator("manito", files).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		files["00002_x.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nselect 1;\nalter table a\n  add column x int;\n-- +goose Down\nalter table a drop column x;\n")}
		blocker := c.connect(t, h.roles.App, h.database)
		exec1(t, blocker, "begin; select * from a limit 1")

		m := h.migrator("manito", files)
		m.cfg.Tries = 2
		_, err := m.Up(t.Context())
		fails(t, err, problem.Conflict, "00002_x.sql, line 3, failed")

		m = h.migrator("manito", files)
		m.cfg.Tries = 1000
		tries := 0
		m.hook = func(_ context.Context, p phase) {
			if p == phaseBeforeDDL {
				if tries++; tries == 3 {
					exec1(t, blocker, "rollback")
				}
			}
		}
		rep, err := m.Up(t.Context())
		if err != nil || len(rep.Applied) != 1 || rep.Applied[0].Tries < 3 {
			t.Fatalf("%+v, %v", rep, err)
		}
		st, err := m.Status(t.Context())
		if err != nil || st.State != StateCurrent {
			t.Fatalf("%+v, %v", st, err)
		}
		outcomes := map[string]int{}
		for _, a := range st.Attempts {
			if a.Version == 2 {
				outcomes[a.Outcome+a.SQLState]++
				if a.Outcome == "failed" && (a.Statement != 2 || a.Line != 3) {
					t.Errorf("attempt: %+v", a)
				}
			}
		}
		if outcomes["ok"] != 1 || outcomes["failed55P03"] < 4 {
			t.Errorf("outcomes: %v", outcomes)
		}
	})
}

// The lock of another migrator is polled for, and the waiting ends.
func TestAnotherMigrator(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		holder := c.connect(t, "postgres", h.database)
		exec1(t, holder, fmt.Sprintf("select pg_advisory_lock(%d)", lockID("manito")))
		m := h.migrator("manito", sqlFiles(simple))
		m.cfg.Wait = 300 * time.Millisecond
		_, err := m.Up(t.Context())
		fails(t, err, problem.Conflict, "server process")
		st, err := m.Status(t.Context())
		if err != nil || st.Running == nil || st.Running.BackendPID != int(holder.PgConn().PID()) {
			t.Errorf("status: %+v, %v", st.Running, err)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		slow := sqlFiles(map[string]string{
			"00001_a.sql": simple["00001_a.sql"],
			"00002_b.sql": "-- +goose Up\nalter table a add column x int;\nselect pg_sleep(600);\n-- +goose Down\nalter table a drop column x;\n",
		})
		t.Run("inside", func(t *testing.T) {
			h := newHouse(t, c, "manito")
			m := h.migrator("manito", slow)
			ctx, cancel := context.WithCancel(t.Context())
			watch := c.connect(t, "postgres", h.database)
			go func() {
				defer cancel()
				if _, err := poll(context.Background(), time.Minute, func(ctx context.Context) (bool, error) {
					var there bool
					err := watch.QueryRow(ctx, "select exists (select from pg_stat_activity where datname = current_database() and query like 'select pg_sleep%' and state = 'active')").Scan(&there)
					return there, err
				}); err != nil {
					t.Error(err)
				}
			}()
			rep, err := m.Up(ctx)
			fails2(t, err, problem.Interrupted)
			if len(rep.Applied) != 1 || rep.To != 1 {
				t.Errorf("report: %+v", rep)
			}
			st, err := m.Status(t.Context())
			if err != nil || st.State != StateFailed || st.Version != 1 || st.Attempts[0].Outcome != "failed" || st.Attempts[0].SQLState != "57014" {
				t.Fatalf("%+v, %v", st, err)
			}
			if one[bool](t, c.connect(t, "postgres", h.database), "select exists (select from pg_attribute where attrelid = 'manito.a'::regclass and attname = 'x' and not attisdropped)") {
				t.Error("the cancelled migration left its column")
			}
		})
		t.Run("between", func(t *testing.T) {
			h := newHouse(t, c, "manito")
			m := h.migrator("manito", sqlFiles(simple))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			m.hook = func(_ context.Context, p phase) {
				if p == phaseAfterCommit {
					cancel()
				}
			}
			rep, err := m.Up(ctx)
			fails2(t, err, problem.Interrupted)
			if len(rep.Applied) != 1 {
				t.Errorf("report: %+v", rep)
			}
			m.hook = nil
			if rep, err := m.Up(t.Context()); err != nil || len(rep.Applied) != 2 {
				t.Errorf("afterwards: %+v, %v", rep, err)
			}
		})
		t.Run("waiting", func(t *testing.T) {
			h := newHouse(t, c, "manito")
			exec1(t, c.connect(t, "postgres", h.database), fmt.Sprintf("select pg_advisory_lock(%d)", lockID("manito")))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := h.migrator("manito", sqlFiles(simple)).Up(ctx)
			fails2(t, err, problem.Unavailable)
		})
	})
}

func fails2(t *testing.T, err error, kind problem.Kind) {
	t.Helper()
	if err == nil || problem.KindOf(err) != kind {
		t.Errorf("error %v, kind %s; want kind %s", err, problem.KindOf(err), kind)
	}
}
