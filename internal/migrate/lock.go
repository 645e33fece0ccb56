package migrate

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// lockID is the advisory lock of one schema. Advisory locks belong to a database, so
// that the schema's name is enough to tell installations apart.
func lockID(schema string) int64 {
	sum := sha256.Sum256([]byte("manito migrations of schema " + schema))
	return int64(binary.BigEndian.Uint64(sum[:8])) // all 64 bits count; the sign means nothing
}

// poll tries to obtain something until it succeeds, the limit passes or ctx ends. It
// reports false at the limit. Between tries the session is idle: it holds no snapshot
// that a concurrent index build would have to wait for.
func poll(ctx context.Context, limit time.Duration, try func(context.Context) (bool, error)) (bool, error) {
	deadline := time.Now().Add(limit)
	for pause := 50 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		got, err := try(ctx)
		if got || err != nil {
			return got, err
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		if err := sleep(ctx, jitter(pause)); err != nil {
			return false, err
		}
	}
}

// jitter spreads a pause over half to one and a half of itself, so that processes that
// started together do not meet again.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

const (
	tryLock = `select pg_try_advisory_lock($1)`
	unlock  = `select pg_advisory_unlock($1)`
)

// withLock runs f while conn holds the migration lock.
func (m *Migrator) withLock(ctx context.Context, conn *pgx.Conn, f func() error) error {
	id := lockID(m.cfg.Schema)
	got, err := poll(ctx, m.cfg.Wait, func(ctx context.Context) (got bool, err error) {
		err = conn.QueryRow(ctx, tryLock, id).Scan(&got)
		return got, err
	})
	if err != nil {
		return explain(ctx, err, "waiting for another migration")
	}
	if !got {
		return m.busy(ctx, conn)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		// A session that cannot be asked any more has lost the lock already.
		_, _ = conn.Exec(ctx, unlock, id)
	}()
	return f()
}

// busy describes who holds the migration lock.
func (m *Migrator) busy(ctx context.Context, conn *pgx.Conn) error {
	h, err := lockHolder(ctx, conn, m.cfg.Schema)
	if err != nil {
		return err
	}
	if h == nil {
		return problem.New(problem.Conflict, "other sessions held the migration lock of schema %q for %s and have just let go of it", m.cfg.Schema, m.cfg.Wait).
			Fix("try again")
	}
	return problem.New(problem.Conflict, "server process %d (%s) has been migrating schema %q for longer than %s", h.BackendPID, h.Application, m.cfg.Schema, m.cfg.Wait).
		Fix("wait until it is done: manito db status").
		Fix("when it hangs, end it: SELECT pg_terminate_backend(%d);", h.BackendPID)
}

// Holder is the session that holds the migration lock.
type Holder struct {
	BackendPID  int    `json:"backend_pid"`
	User        string `json:"user"`        // empty when the asking role may not see it
	Application string `json:"application"` // likewise
	Query       string `json:"query"`       // likewise; the statement that runs or ran last
}

// lockHolder is the session that holds the migration lock, or nil.
func lockHolder(ctx context.Context, conn *pgx.Conn, schema string) (*Holder, error) {
	id := lockID(schema)
	var h Holder
	// A bigint lock stands in pg_locks as two halves with objsubid 1.
	err := conn.QueryRow(ctx, `
		select l.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''), coalesce(a.query, '')
		from pg_locks l left join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'advisory' and l.granted and l.objsubid = 1
		  and l.database = (select oid from pg_database where datname = current_database())
		  and l.classid::bigint = ($1::bigint >> 32) & 4294967295 and l.objid::bigint = $1::bigint & 4294967295
		limit 1`, id).Scan(&h.BackendPID, &h.User, &h.Application, &h.Query)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(ctx, err, "looking for another migration")
	}
	return &h, nil
}

// SessionLock takes the migration lock on the session that goose is about to use, and
// looks again at what it found without the lock. It is called by goose.
func (r *run) SessionLock(ctx context.Context, conn *sql.Conn) error {
	got, err := poll(ctx, time.Until(r.waitUntil), func(ctx context.Context) (got bool, err error) {
		err = conn.QueryRowContext(ctx, tryLock, lockID(r.site.schema)).Scan(&got)
		return got, err
	})
	if err != nil {
		return err
	}
	if !got {
		return r.m.busy(ctx, r.side)
	}
	r.session = conn
	if err := r.locked(ctx); err != nil {
		return errors.Join(err, r.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return nil
}

// locked does what only the holder of the lock may do, before the first migration.
func (r *run) locked(ctx context.Context) error {
	if err := r.session.QueryRowContext(ctx, `select pg_backend_pid()`).Scan(&r.backend); err != nil {
		return err
	}
	if _, err := abandon(ctx, r.side, &r.site); err != nil {
		return err
	}
	applied, err := r.site.readLedger(ctx, r.side)
	if err != nil {
		return err
	}
	if err := invalid(compare(r.m.files, applied)); err != nil {
		return err
	}
	r.m.reach(ctx, phaseLocked)
	return nil
}

// SessionUnlock gives the migration lock back, after closing the attempt that is still
// open. It is called by goose. A session that was lost has given the lock back already.
func (r *run) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	err := r.settle(ctx)
	r.session = nil
	var held bool
	if err := conn.QueryRowContext(ctx, unlock, lockID(r.site.schema)).Scan(&held); err != nil {
		r.m.cfg.Logger.DebugContext(ctx, "the session that held the migration lock is gone", "error", err)
	}
	return err
}
