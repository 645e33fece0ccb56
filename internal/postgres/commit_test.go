package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// breaker is a proxy before the server that breaks a connection at its COMMIT:
// before it is passed on, or after the server has answered and before the client hears it.
type breaker struct {
	armed atomic.Int32 // connections still to be broken
	after bool
	wg    sync.WaitGroup
}

// listen starts the proxy and returns the connection string that leads through it.
func (b *breaker) listen(t *testing.T, dsn string) string {
	t.Helper()
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
	if filepath.IsAbs(cfg.Host) {
		network, address = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", cfg.Host, cfg.Port)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed
			}
			server, err := net.Dial(network, address)
			if err != nil {
				t.Error(err)
				_ = client.Close()
				continue
			}
			b.serve(client, server)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		b.wg.Wait()
	})
	host, port, _ := strings.Cut(l.Addr().String(), ":")
	return fmt.Sprintf("%s host=%s port=%s sslmode=disable", dsn, host, port)
}

// serve passes bytes on until either side closes.
func (b *breaker) serve(client, server net.Conn) {
	var cut atomic.Bool
	closeBoth := func() { _, _ = client.Close(), server.Close() }
	b.wg.Go(func() {
		defer closeBoth()
		buf := make([]byte, 64<<10)
		for {
			n, err := client.Read(buf)
			if err != nil {
				return
			}
			if bytes.Contains(buf[:n], []byte("commit\x00")) && b.armed.Add(-1) >= 0 {
				if !b.after {
					return
				}
				cut.Store(true)
			}
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	b.wg.Go(func() {
		defer closeBoth()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || cut.Load() {
				return // the answer to the commit is never heard
			}
			if _, err := client.Write(buf[:n]); err != nil && !errors.Is(err, io.EOF) {
				return
			}
		}
	})
}

// TestALostCommitIsResolved breaks the connection at the commit of a publication:
// Publish reports what really happened.
func TestALostCommitIsResolved(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprint("after=", after), func(t *testing.T) {
			t.Parallel()
			d := postgrestest.New(t)
			b := &breaker{after: after}
			through := *d
			through.App = b.listen(t, d.App)
			db := through.Open(t)
			c := newCorpus(small)
			lease := acquire(t, db, "/r", "main")
			st, err := c.write(t.Context(), db, lease)
			if err != nil {
				t.Fatal(err)
			}
			b.armed.Store(1)
			done, err := lease.Publish(t.Context(), c.publication(st))
			if b.armed.Load() >= 1 {
				t.Fatal("the commit was not broken")
			}
			ref, refErr := db.FindRef(t.Context(), lease.Repo(), "main")
			if refErr != nil {
				t.Fatal(refErr)
			}
			if after {
				if err != nil || ref.Snapshot != done.Snapshot || done.Snapshot == 0 {
					t.Fatalf("it was committed, but: %+v %v, %+v", done, err, ref)
				}
				return
			}
			if problem.KindOf(err) != problem.Unavailable || ref.Snapshot != 0 {
				t.Fatalf("it was not committed, but: %v, %+v", err, ref)
			}
			if done, err = lease.Publish(t.Context(), c.publication(st)); err != nil || done.Snapshot == 0 {
				t.Fatalf("the second try: %+v %v", done, err)
			}
		})
	}
}

// TestTheServerGoesAway stops the server under a pool: errors are typed, and the
// pool works again when the server is back.
func TestTheServerGoesAway(t *testing.T) {
	t.Parallel()
	p := postgrestest.NewPrivate(t)
	db := p.Open(t)
	c := newCorpus(small)
	c.scan(t, db, "/r", "main")
	lease := acquire(t, db, "/r", "main")
	p.Kill(t)
	for name, ask := range map[string]func() error{
		"ping":    func() error { return db.Ping(t.Context()) },
		"repos":   func() error { _, err := db.Repos(t.Context()); return err },
		"publish": func() error { _, err := lease.Publish(t.Context(), postgres.Publication{}); return err },
		"phase":   func() error { return lease.Phase(t.Context(), "x") },
		"open":    func() error { _, err := postgres.Open(t.Context(), postgres.Config{DSN: p.App}); return err },
	} {
		err := ask()
		if problem.KindOf(err) != problem.Unavailable || len(problem.Fixes(err)) == 0 {
			t.Errorf("%s: kind %s, fixes %q: %v", name, problem.KindOf(err), problem.Fixes(err), err)
		}
	}
	p.Restart(t)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lease.Phase(t.Context(), "again"); err != nil {
		t.Fatalf("the lease did not survive: %v", err)
	}
	sound(t, db, "/r", "main")
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	for name, test := range map[string]struct {
		cfg  postgres.Config
		kind problem.Kind
	}{
		"dsn":      {postgres.Config{DSN: "postgres://%zz"}, problem.Usage},
		"password": {postgres.Config{DSN: d.App + " password=wrong", Schema: d.Schema}, problem.Denied},
		"database": {postgres.Config{DSN: d.App + " dbname=nosuch", Schema: d.Schema}, problem.NotFound},
		"schema":   {postgres.Config{DSN: d.App, Schema: "no such schema"}, problem.NotFound},
		"tables":   {postgres.Config{DSN: d.App, Schema: "public"}, problem.NotFound},
		"role":     {postgres.Config{DSN: d.App + " user=nobody_at_all", Schema: d.Schema}, problem.Denied},
		"address":  {postgres.Config{DSN: "postgres://a:b@127.0.0.1:1/x"}, problem.Unavailable},
	} {
		if os.Getenv("MANITO_TEST_DATABASE_URL") != "" && (name == "password" || name == "role") {
			continue // an external server may trust everybody
		}
		_, err := postgres.Open(t.Context(), test.cfg)
		if problem.KindOf(err) != test.kind || len(problem.Fixes(err)) == 0 {
			t.Errorf("%s: kind %s, fixes %q: %v", name, problem.KindOf(err), problem.Fixes(err), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(ctx, postgres.Config{DSN: d.App, Schema: d.Schema}); problem.KindOf(err) != problem.Interrupted {
		t.Errorf("cancelled: %v", err)
	}
}
