package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"manito/internal/migrate"
	"manito/internal/problem"
)

// errShared says that a pooler in transaction mode stands between where none was expected.
var errShared = problem.New(problem.Unsupported, "the connection goes through a pooler in transaction mode, which DB_POOLER rules out or which was not there at the start").
	Fix("leave DB_POOLER out, or set it to transaction, and start again").
	Fix("or connect to the server directly")

// limits are what a session's statements may take: how long one may run, wait for a lock,
// and leave a transaction idle.
func (db *DB) limits(ingest bool) (statement, lock, idle string) {
	timeout := db.cfg.StatementTimeout
	if ingest {
		timeout = 0
	}
	return strconv.FormatInt(timeout.Milliseconds(), 10), "10s", "60s"
}

// prepare pins what a session's statements rely on. pg_catalog is not listed in
// the search path and so comes first, temporary objects come last: nothing
// shadows the schema. Arrays are compressed by lz4 where the server has it.
//
// A session that is shared is left as it is: the settings are made only where the process
// that greeted the connection is the one that answers, or after a look whether somebody
// else gets the same session.
func (db *DB) prepare(ctx context.Context, conn *pgx.Conn, cfg *pgx.ConnConfig, ingest bool) error {
	own := db.cfg.Pooler == PoolerSession || db.proxied.Load()
	done, err := db.pin(ctx, conn, own, ingest)
	if err != nil || done {
		return err
	}
	shared, err := migrate.Pooled(ctx, conn, cfg)
	if err != nil {
		return err
	}
	if shared {
		return errShared
	}
	db.proxied.Store(true)
	_, err = db.pin(ctx, conn, true, ingest)
	return err
}

// pin makes the settings, when the session is this connection's own or force is set, and
// says whether it has.
func (db *DB) pin(ctx context.Context, conn *pgx.Conn, force, ingest bool) (done bool, err error) {
	statement, lock, idle := db.limits(ingest)
	err = conn.QueryRow(ctx, `
		select s.own, case when s.own then set_config('search_path', quote_ident($1::text) || coalesce((select ', ' || quote_ident(n.nspname)
				from pg_extension e join pg_namespace n on n.oid = e.extnamespace
				where e.extname = 'pg_trgm' and n.nspname not in ($1, 'pg_catalog')), '') || ', pg_temp', false)
			|| set_config('statement_timeout', $2, false) || set_config('lock_timeout', $3, false) || set_config('idle_in_transaction_session_timeout', $4, false) end
		from (select $5 or pg_backend_pid()::text = $6 as own) s`,
		pgx.QueryExecModeExec, db.cfg.Schema, statement, lock, idle, force, strconv.FormatUint(uint64(conn.PgConn().PID()), 10)).Scan(&done, nil)
	if err != nil || !done || !ingest {
		return done, err
	}
	_, err = conn.Exec(ctx, compression, pgx.QueryExecModeExec, false)
	return done, err
}

// compression chooses lz4 where the server has it; its parameter says whether for the transaction alone.
const compression = `
	select set_config('default_toast_compression', 'lz4', $1::bool) from pg_settings
	where name = 'default_toast_compression' and 'lz4' = any (enumvals)`

// unlimited gives a transaction in a shared session what the sessions of the ingest pool
// have for good. Without it, the role's own statement timeout would end a long COPY.
func (db *DB) unlimited(ctx context.Context, tx pgx.Tx) error {
	statement, lock, idle := db.limits(true)
	if _, err := tx.Exec(ctx, `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
		set_config('idle_in_transaction_session_timeout', $3, true)`, statement, lock, idle); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, compression, true)
	return err
}

// ingesting runs work on a connection of the ingest pool, whose statements have no limit.
// Statements of work may each be a transaction of their own; in a shared session they are
// all one, and work must not begin another.
func (db *DB) ingesting(ctx context.Context, work func(conn *pgx.Conn) error) error {
	conn, err := db.acquire(ctx, db.ingest)
	if err != nil {
		return err
	}
	defer conn.Release()
	if !db.shared {
		return work(conn.Conn())
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := db.unlimited(ctx, tx); err != nil {
			return err
		}
		return work(tx.Conn())
	})
}
