package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"manito/internal/problem"
)

// Lease is the right to write to one repository. It beats in the background
// until it is given back. Its methods may be called from several goroutines
// except where they say otherwise.
type Lease struct {
	db    *DB
	repo  int32
	ref   int32
	scan  int32
	fence int64

	ctx    context.Context
	cancel context.CancelCauseFunc
	beats  errgroup.Group

	releasing sync.Mutex
	released  bool
}

// errReleased is the cause of a lease's context after it was given back.
var errReleased = errors.New("the lease was given back")

// begin starts the heartbeat.
func (l *Lease) begin(ctx context.Context) {
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.beats.Go(func() error {
		l.beat()
		return nil
	})
}

// beat renews the lease until its context is done. A renewal that finds the
// lease in other hands cancels it at once; while the database does not answer,
// the lease is kept for as long as nobody else may take it.
func (l *Lease) beat() {
	tick := time.NewTicker(l.db.cfg.HeartbeatEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		limit, stop := context.WithTimeout(l.ctx, l.db.cfg.HeartbeatStale)
		held, err := l.touch(limit)
		stop()
		switch {
		case err == nil && held:
			last = asked
		case err == nil:
			l.cancel(lost())
		case l.ctx.Err() == nil && time.Since(last) > l.db.cfg.HeartbeatStale:
			l.cancel(problem.New(problem.Unavailable, "the database has not answered for %s, so that the scan may have been taken over", time.Since(last).Round(time.Second)).
				Because(err).Fix("scan again when the database is back"))
		}
	}
}

// lost is the error of a lease that another process took.
func lost() error {
	return problem.New(problem.Conflict, "another process took the scan over, because this one had been silent for too long").
		Fix("manito status shows the other; run the scan again if it failed")
}

// touch writes a heartbeat and says whether the lease is still held.
func (l *Lease) touch(ctx context.Context) (bool, error) {
	conn, err := l.db.acquire(ctx, l.db.pool)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	tag, err := conn.Exec(ctx, `update scan set heartbeat = clock_timestamp() where repo_id = $1 and scan_id = $2 and held and fence = $3`, l.repo, l.scan, l.fence)
	return tag.RowsAffected() == 1, err
}

// Context is done when the lease is lost, given back, or its parent is done; its
// cause says which. Work of the scan should run under it.
func (l *Lease) Context() context.Context { return l.ctx }

// Repo is the id of the repository.
func (l *Lease) Repo() int32 { return l.repo }

// Ref is the id of the ref that will move.
func (l *Lease) Ref() int32 { return l.ref }

// Scan returns the scan that the lease was taken for, as of now.
func (l *Lease) Scan(ctx context.Context) (s Scan, err error) {
	defer problem.Call(&err, "Scan(%d, %d)", l.repo, l.scan)
	found, err := query(ctx, l.db, scanScan, `
		select s.scan_id, s.repo_id, r.name, s.status, s.phase, s.held, s.host, s.pid, s.space, s.pid_start, s.fence, s.heartbeat, s.started_at, s.finished_at,
			coalesce(s.snapshot_id, 0), s.commit, s.stats, coalesce(s.error, '')
		from scan s join ref r using (repo_id, ref_id) where s.repo_id = $1 and s.scan_id = $2`, l.repo, l.scan)
	if err != nil || len(found) == 0 {
		return s, explain(ctx, notFound(errors.Join(err, pgx.ErrNoRows), "the scan is not recorded any more"), "reading the scan")
	}
	return found[0], nil
}

// Phase announces what the scan does now: "extract", "link", "publish", "project".
func (l *Lease) Phase(ctx context.Context, name string) (err error) {
	defer problem.Call(&err, "Phase(%q)", name)
	return l.update(ctx, "recording the phase", `update scan set phase = $4, heartbeat = clock_timestamp() where repo_id = $1 and scan_id = $2 and held and fence = $3`, name)
}

// Fail records why the scan failed. A scan that has published stays published;
// the reason is kept with it. The lease must still be released.
func (l *Lease) Fail(ctx context.Context, cause error) (err error) {
	defer problem.Call(&err, "Fail()")
	return l.update(ctx, "recording the failure", `
		update scan set status = case status when 'running' then 'failed' else status end, error = $4, finished_at = clock_timestamp()
		where repo_id = $1 and scan_id = $2 and held and fence = $3`, clean(cause.Error()))
}

// Cancel records that the scan was stopped by its author. The lease must still be released.
func (l *Lease) Cancel(ctx context.Context) (err error) {
	defer problem.Call(&err, "Cancel()")
	return l.update(ctx, "recording the stop", `
		update scan set status = case status when 'running' then 'cancelled' else status end, finished_at = clock_timestamp()
		where repo_id = $1 and scan_id = $2 and held and fence = $3`)
}

// update changes the row of the scan; problem.Conflict when the lease is lost.
func (l *Lease) update(ctx context.Context, what, statement string, args ...any) error {
	return l.db.transact(ctx, l.db.pool, what, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, statement, append([]any{l.repo, l.scan, l.fence}, args...)...)
		if err == nil && tag.RowsAffected() == 0 {
			return lost()
		}
		return err
	})
}

// Release ends the heartbeat and gives the repository back. A scan still running
// is recorded as cancelled. It uses ctx, not the lease's own, so that it works
// after an interrupt. A lease that was lost is released without error, and so is one
// that was released before.
func (l *Lease) Release(ctx context.Context) (err error) {
	defer problem.Call(&err, "Release()")
	l.releasing.Lock()
	defer l.releasing.Unlock()
	if l.released {
		return nil
	}
	l.cancel(errReleased)
	_ = l.beats.Wait() // the heartbeat returns no error
	err = l.db.transact(ctx, l.db.pool, "giving the repository back", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update scan set held = false, status = case status when 'running' then 'cancelled' else status end, finished_at = coalesce(finished_at, clock_timestamp())
			where repo_id = $1 and scan_id = $2 and held and fence = $3`, l.repo, l.scan, l.fence)
		return err
	})
	l.released = err == nil
	return err
}
