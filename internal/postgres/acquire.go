package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// AcquireScan takes the lease of a repository and records a running scan. While
// a living process has it, AcquireScan gives problem.Conflict that says who scans
// since when; a holder that is dead, or has been silent for HeartbeatStale, is
// set aside: its scan is recorded as abandoned and its token is refused from then
// on. ctx bounds the whole life of the lease.
func (db *DB) AcquireScan(ctx context.Context, in ScanInput) (lease *Lease, err error) {
	defer problem.Call(&err, "AcquireScan(%d, %q)", in.Repo, in.Ref)
	if err := checkText("ref", in.Ref); err != nil {
		return nil, err
	}
	l := &Lease{db: db, repo: in.Repo}
	err = db.transact(ctx, db.pool, "taking the repository", func(tx pgx.Tx) error {
		var there int32
		// The row lock makes takers wait for each other, so that one of them sees the other's scan.
		err := tx.QueryRow(ctx, `select repo_id from repo where repo_id = $1 for update`, in.Repo).Scan(&there)
		if err != nil {
			return notFound(err, "no repository has the id %d", in.Repo)
		}
		if err := db.setAside(ctx, tx, in.Repo); err != nil {
			return err
		}
		if l.ref, err = ensureRef(ctx, tx, in); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `
			with next as (update repo set next_scan = next_scan + 1, next_fence = next_fence + 1 where repo_id = $1 returning next_scan - 1 as scan, next_fence - 1 as fence)
			insert into scan (repo_id, scan_id, ref_id, status, phase, held, host, pid, space, pid_start, fence, heartbeat, started_at)
			select $1, next.scan, $2, 'running', 'start', true, $3, $4, $5, $6, next.fence, clock_timestamp(), clock_timestamp() from next
			returning scan_id, fence`, in.Repo, l.ref, clean(in.Holder.Host), in.Holder.PID, in.Holder.Space, in.Holder.Start).Scan(&l.scan, &l.fence)
	})
	if err != nil {
		return nil, err
	}
	l.begin(ctx)
	return l, nil
}

// setAside gives problem.Conflict when a living process holds the repository,
// and ends the scan of a dead one.
func (db *DB) setAside(ctx context.Context, tx pgx.Tx, repo int32) error {
	var scan int32
	var ref, phase string
	var h Holder
	var started time.Time
	var silent float64
	err := tx.QueryRow(ctx, `
		select s.scan_id, r.name, s.phase, s.host, s.pid, s.space, s.pid_start, s.started_at, extract(epoch from clock_timestamp() - s.heartbeat)::float8
		from scan s join ref r using (repo_id, ref_id) where s.repo_id = $1 and s.held`, repo).
		Scan(&scan, &ref, &phase, &h.Host, &h.PID, &h.Space, &h.Start, &started, &silent)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if silent < db.cfg.HeartbeatStale.Seconds() && !h.dead() {
		return problem.New(problem.Conflict, "process %d on %s has been scanning %q since %s (phase %s)",
			h.PID, h.Host, ref, started.Local().Format("2006-01-02 15:04:05"), phase).
			Fix("wait for it to end; manito status shows how far it is").
			Fix("or stop it: kill %d (on %s)", h.PID, h.Host)
	}
	_, err = tx.Exec(ctx, `
		update scan set held = false, status = case status when 'running' then 'abandoned' else status end,
			finished_at = coalesce(finished_at, clock_timestamp()),
			error = coalesce(error, case status when 'running' then 'its process ended without a word' else 'its process ended before the projection was complete' end)
		where repo_id = $1 and scan_id = $2`, repo, scan)
	return err
}

// ensureRef returns the id of a ref and makes it when there is none.
func ensureRef(ctx context.Context, tx pgx.Tx, in ScanInput) (id int32, err error) {
	err = tx.QueryRow(ctx, `select ref_id from ref where repo_id = $1 and name = $2`, in.Repo, in.Ref).Scan(&id)
	if !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	kind := in.Kind
	if kind == "" {
		kind = RefFolder
	}
	err = tx.QueryRow(ctx, `
		with next as (update repo set next_ref = next_ref + 1 where repo_id = $1 returning next_ref - 1 as id)
		insert into ref (repo_id, ref_id, name, kind) select $1, next.id, $2, $3 from next returning ref_id`, in.Repo, in.Ref, kind).Scan(&id)
	return id, err
}
