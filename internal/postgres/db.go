package postgres

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"manito/internal/problem"
)

// Config says how to reach the database and how much of it to use. The zero
// value of a field takes the default that is noted.
type Config struct {
	DSN    string // URL or key=value; several hosts are allowed
	Schema string // default "manito"

	MinConns, MaxConns int32 // default 0 and 4; serve uses 5 and 50
	IngestConns        int32 // connections beyond MaxConns that scans write with; default 2 to 4, by the number of CPUs

	ConnectTimeout   time.Duration // of one connection attempt; default 5 s
	AcquireTimeout   time.Duration // of waiting for a free connection; default 30 s
	IdleTimeout      time.Duration // after which a connection beyond MinConns is closed; default 300 s
	StatementTimeout time.Duration // of one interactive statement; default 60 s; what scans write has none

	// HeartbeatEvery and HeartbeatStale are how often a lease shows that it lives, and
	// how long after the last sign of life it counts as dead; default 5 s and 30 s.
	HeartbeatEvery, HeartbeatStale time.Duration

	// Pooler says what stands between this program and the server; default PoolerFound.
	Pooler Pooler

	Application string // application_name; default "manito"
}

// Pooler is what stands between this program and the server.
type Pooler string

// In transaction mode, each transaction may be given another session: no session state
// and no named prepared statements are used, and the role must have its search_path set.
const (
	PoolerFound       Pooler = ""            // whatever Open finds
	PoolerNone        Pooler = "none"        // nothing; a pooler in transaction mode is refused
	PoolerSession     Pooler = "session"     // one session per connection, as without a pooler
	PoolerTransaction Pooler = "transaction" // also where Open would find nothing
)

// withDefaults fills what is left out.
func (c Config) withDefaults() Config {
	c.Schema = cmp.Or(c.Schema, "manito")
	c.MaxConns = cmp.Or(c.MaxConns, 4)
	c.IngestConns = cmp.Or(c.IngestConns, min(4, max(2, int32(runtime.NumCPU()))))
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.AcquireTimeout = cmp.Or(c.AcquireTimeout, 30*time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 300*time.Second)
	c.StatementTimeout = cmp.Or(c.StatementTimeout, 60*time.Second)
	c.HeartbeatEvery = cmp.Or(c.HeartbeatEvery, 5*time.Second)
	c.HeartbeatStale = cmp.Or(c.HeartbeatStale, 30*time.Second)
	c.Application = cmp.Or(c.Application, "manito")
	return c
}

// DB is a pool of connections to one schema. It is safe for concurrent use.
type DB struct {
	cfg    Config
	pool   *pgxpool.Pool // interactive statements and heartbeats
	ingest *pgxpool.Pool // what scans write; no statement timeout
	shared bool          // a pooler in transaction mode stands between

	proxied atomic.Bool // something else stands between that keeps sessions together

	waiting atomic.Int32 // callers that have asked pool for a connection and have none yet
}

// oldest is the first server version on which the schema works.
const oldest = 150000

// Open connects and checks that the server is one that can be used and that the
// schema is there. Failures are problem.Unavailable (nobody answers),
// problem.Denied (login or rights), problem.NotFound (no such database or
// schema), problem.Unsupported (server too old, or a pooler where there should be none) or
// problem.Usage (a DSN that cannot be read).
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db := &DB{cfg: cfg.withDefaults()}
	db.shared = db.cfg.Pooler == PoolerTransaction
	err := db.connect(ctx)
	if errors.Is(err, errShared) && db.cfg.Pooler == PoolerFound {
		db.shared = true
		err = db.connect(ctx)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// connect makes the pools and checks what they lead to.
func (db *DB) connect(ctx context.Context) (err error) {
	if db.pool, err = db.newPool(ctx, false); err != nil {
		return err
	}
	if db.ingest, err = db.newPool(ctx, true); err != nil {
		db.pool.Close()
		return err
	}
	if err = db.check(ctx); err != nil {
		db.Close()
	}
	return err
}

// newPool makes a pool; it opens no connection yet.
func (db *DB) newPool(ctx context.Context, ingest bool) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(db.cfg.DSN)
	if err != nil {
		return nil, problem.New(problem.Usage, "the database address cannot be read").Because(err).
			Fix("write it as postgres://user:password@host:5432/database")
	}
	cfg.MinConns, cfg.MaxConns = db.cfg.MinConns, db.cfg.MaxConns
	cfg.MaxConnIdleTime, cfg.MaxConnLifetime, cfg.MaxConnLifetimeJitter = db.cfg.IdleTimeout, 30*time.Minute, 5*time.Minute
	cfg.HealthCheckPeriod = max(min(30*time.Second, db.cfg.IdleTimeout/2), 100*time.Millisecond)
	cfg.PingTimeout = 2 * time.Second
	cfg.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > time.Second || !quiet(p.Conn)
	}
	cfg.ConnConfig.ConnectTimeout = db.cfg.ConnectTimeout
	cfg.ConnConfig.RuntimeParams["application_name"] = db.cfg.Application
	if ingest {
		cfg.MinConns, cfg.MaxConns = 0, db.cfg.IngestConns
		cfg.MaxConnIdleTime = 10 * time.Second
		cfg.ConnConfig.RuntimeParams["application_name"] = db.cfg.Application + " ingest"
	}
	// A server that was demoted or is going down must not keep its place in the pool.
	cfg.ConnConfig.OnPgError = func(_ *pgconn.PgConn, e *pgconn.PgError) bool {
		return e.Code != "25006" && e.Severity != "FATAL" && e.Severity != "PANIC"
	}
	if db.shared {
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	} else {
		cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return db.prepare(ctx, conn, cfg.ConnConfig, ingest) }
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

// check refuses a server or schema that cannot be used.
func (db *DB) check(ctx context.Context) error {
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	var number int
	var version, user, current string
	var exists, usable, tables bool
	err = conn.QueryRow(ctx, `
		select current_setting('server_version_num')::int, current_setting('server_version'), current_user, coalesce(current_schema(), ''),
			n.oid is not null, coalesce(has_schema_privilege(n.oid, 'usage'), false),
			exists (select from pg_class c where c.relnamespace = n.oid and c.relname = 'symbol_block')
		from (select $1::text as name) s left join pg_namespace n on n.nspname = s.name`, db.cfg.Schema).
		Scan(&number, &version, &user, &current, &exists, &usable, &tables)
	switch {
	case err != nil:
		return explain(ctx, err, "looking at the database")
	case number < oldest:
		return problem.New(problem.Unsupported, "the server is PostgreSQL %s; Manito needs 15 or newer", version).
			Fix("upgrade the server, or point DATABASE_URL at a newer one")
	case !exists:
		return problem.New(problem.NotFound, "the database has no schema %q", db.cfg.Schema).
			Fix("create it: manito db init").Fix("or set POSTGRES_SCHEMA to the schema that Manito lives in")
	case !usable:
		return problem.New(problem.Denied, "%q may not use the schema %q", user, db.cfg.Schema).
			Fix("grant the roles their rights: manito db init")
	case !tables:
		return problem.New(problem.NotFound, "the schema %q has no tables of Manito", db.cfg.Schema).
			Fix("create them: manito db up")
	case db.shared && current != db.cfg.Schema:
		return problem.New(problem.Invalid, "through a pooler in transaction mode the search_path of %q leads to %q instead of %q", user, current, db.cfg.Schema).
			Fix("set what the roles have by default in this database: manito db init, and RECONNECT in the pooler").
			Fix("or: ALTER ROLE %s IN DATABASE %s SET search_path = %s, public;", quoteIdent(user), quoteIdent(conn.Conn().Config().Database), quoteIdent(db.cfg.Schema))
	}
	return nil
}

// quoteIdent makes a name an SQL identifier, for messages only: no statement of
// this package is put together from names.
func quoteIdent(name string) string { return pgx.Identifier{name}.Sanitize() }

// acquire takes a connection from a pool within AcquireTimeout. A server that has no
// connection left is asked again until then: its other clients give theirs back, and
// nothing was sent that could have been done twice.
func (db *DB) acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, db.cfg.AcquireTimeout)
	defer cancel()
	if pool == db.pool {
		db.waiting.Add(1)
		defer db.waiting.Add(-1)
	}
	conn, err := pool.Acquire(wait)
	for pause := 20 * time.Millisecond; isFull(err) && wait.Err() == nil; pause = min(2*pause, 500*time.Millisecond) {
		select {
		case <-wait.Done():
		case <-time.After(pause/2 + rand.N(pause)):
			if next, again := pool.Acquire(wait); wait.Err() == nil || again == nil {
				conn, err = next, again
			}
		}
	}
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, stopped(ctx, err, "waiting for a connection")
	case wait.Err() != nil && crowded(pool):
		return nil, problem.New(problem.Exhausted, "all %d connections are in use for more than %s", pool.Config().MaxConns, db.cfg.AcquireTimeout).Because(err).
			Fix("raise DB_POOL_MAX or lower the load")
	}
	return nil, refusal(ctx, pool.Config().ConnConfig, err)
}

// crowded says that a pool has no place for another connection, and that it is not the
// server that keeps it from having them.
func crowded(pool *pgxpool.Pool) bool {
	s := pool.Stat()
	return s.AcquiredConns() > 0 && s.TotalConns() >= s.MaxConns()
}

// Close closes all connections and waits for those in use.
func (db *DB) Close() {
	db.ingest.Close()
	db.pool.Close()
}

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	return explain(ctx, conn.Ping(ctx), "asking the database")
}
