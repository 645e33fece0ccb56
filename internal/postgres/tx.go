package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"manito/internal/problem"
)

// tries is how often a transaction that lost against another one is run.
const tries = 5

// settle bounds how long the outcome of a broken commit is waited for.
const settle = 30 * time.Second

// transact runs work in one transaction. When the server asks for it (40001,
// 40P01) the whole is run again, so work must not keep what it did. When the
// connection breaks while committing, the outcome is asked for on another one:
// nil means committed, always.
func (db *DB) transact(ctx context.Context, pool *pgxpool.Pool, what string, work func(pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := db.transactOnce(ctx, pool, work)
		var pg *pgconn.PgError
		if try < tries && errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01") {
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(10+rand.IntN(40*try)) * time.Millisecond):
				continue
			}
		}
		return explain(ctx, err, what)
	}
}

func (db *DB) transactOnce(ctx context.Context, pool *pgxpool.Pool, work func(pgx.Tx) error) error {
	conn, err := db.acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	run := work
	if db.shared && pool == db.ingest {
		run = func(tx pgx.Tx) error {
			if err := db.unlimited(ctx, tx); err != nil {
				return err
			}
			return work(tx)
		}
	}
	if err := run(tx); err != nil {
		// The work's error is the one to report. A rollback that fails breaks the
		// connection, which rolls back as well.
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return err
	}
	// An unsynchronous commit would be acknowledged before it is durable. Other
	// settings than off are the operator's choice of how many servers must have it.
	var xid *string
	err = tx.QueryRow(ctx, `select pg_current_xact_id_if_assigned()::text
		from (select set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, true)) s`).Scan(&xid)
	if err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return err
	}
	err = tx.Commit(ctx)
	if err == nil || xid == nil {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !isBroken(err) || errors.Is(err, pgx.ErrTxCommitRollback) { // the server said no
		return err
	}
	conn.Release() // broken; its place in the pool is needed to ask
	return db.outcome(ctx, pool, *xid, err)
}

// outcome finds out what became of a transaction whose commit was not answered.
func (db *DB) outcome(ctx context.Context, pool *pgxpool.Pool, xid string, cause error) error {
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), settle)
	defer cancel()
	for {
		var status *string
		conn, err := db.acquire(ask, pool)
		if err == nil {
			err = conn.QueryRow(ask, `select pg_xact_status($1::text::xid8)`, xid).Scan(&status)
			conn.Release()
		}
		switch {
		case err == nil && status != nil && *status == "committed":
			return nil
		case err == nil && status != nil && *status == "aborted":
			return problem.New(problem.Unavailable, "the connection broke before the transaction was committed; nothing was changed").Because(cause).Fix("run it again")
		case err == nil && status == nil, ask.Err() != nil:
			return problem.New(problem.Unavailable, "the connection broke during the commit, and what became of it could not be found out").Because(cause).
				Fix("look at what is stored: manito status")
		}
		select {
		case <-ask.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}
