package postgres

import (
	"context"
	"time"
)

// Config says how to reach the database and how much of it to use. The zero
// value of a field takes the default that is noted.
type Config struct {
	DSN    string // URL or key=value; several hosts are allowed
	Schema string // default "manito"

	MinConns, MaxConns int32 // default 0 and 4; serve uses 5 and 50

	ConnectTimeout   time.Duration // of one connection attempt; default 5 s
	AcquireTimeout   time.Duration // of waiting for a free connection; default 30 s
	IdleTimeout      time.Duration // after which a connection beyond MinConns is closed; default 300 s
	StatementTimeout time.Duration // of one interactive statement; default 60 s; COPY and projection have none

	// TransactionPooler says that a pooler in transaction mode stands between: no
	// session state and no named prepared statements are used, and the role must
	// have its search_path set.
	TransactionPooler bool

	Application string // application_name; default "manito"
}

// DB is a pool of connections to one schema. It is safe for concurrent use.
type DB struct {
	_ struct{}
}

// Open connects and checks that the server is one that can be used and that the
// schema is there. Failures are problem.Unavailable (nobody answers),
// problem.Denied (login or rights), problem.NotFound (no such database or
// schema), problem.Unsupported (server too old) or problem.Usage (a DSN that cannot be read).
func Open(ctx context.Context, cfg Config) (*DB, error) { panic("skeleton") }

// Close closes all connections and waits for those in use.
func (db *DB) Close() { panic("skeleton") }

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { panic("skeleton") }
