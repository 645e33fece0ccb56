package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// RefStatus is a ref with what is known about its last scan and its projection.
type RefStatus struct {
	Repo     Repo
	Ref      Ref
	Manifest Manifest // of the published snapshot, without entries; zero before the first
	LastScan Scan     // zero when its scans are not recorded any more
}

// Status lists every ref of every repository (repo 0), or of one, by repository and ref.
func (db *DB) Status(ctx context.Context, repo int32) (list []RefStatus, err error) {
	defer problem.Call(&err, "Status(%d)", repo)
	scan := func(row pgx.CollectableRow) (s RefStatus, err error) {
		var digest []byte
		var scanned *time.Time
		r, f, m := &s.Repo, &s.Ref, &s.Manifest
		err = row.Scan(&r.ID, &r.Root, &r.Name, &r.Remote, &r.CreatedAt, &f.ID, &f.Name, &f.Kind, &f.Snapshot, &f.Projected, &f.UpdatedAt,
			&m.Parent, &m.Commit, &digest, &scanned, &m.Stats)
		if scanned != nil {
			m.ScannedAt = *scanned
		}
		f.Repo, m.Snapshot = r.ID, f.Snapshot
		if len(digest) == len(m.Digest) {
			m.Digest = [32]byte(digest)
		}
		return s, err
	}
	list, err = query(ctx, db, scan, `
		select r.repo_id, r.root, r.name, r.remote, r.created_at, f.ref_id, f.name, f.kind, coalesce(f.snapshot_id, 0), coalesce(p.snapshot_id, 0), f.updated_at,
			coalesce(s.parent_id, 0), coalesce(s.commit, ''), coalesce(s.digest, ''), s.scanned_at, s.stats
		from repo r join ref f using (repo_id) left join projection p using (repo_id, ref_id)
		left join snapshot s on s.repo_id = f.repo_id and s.snapshot_id = f.snapshot_id
		where $1 in (0, r.repo_id) order by r.name, r.root, f.name`, repo)
	if err != nil {
		return nil, explain(ctx, err, "reading the status")
	}
	for i := range list {
		s := &list[i]
		scans, err := query(ctx, db, scanScan, `
			select s.scan_id, s.repo_id, r.name, s.status, s.phase, s.held, s.host, s.pid, s.space, s.pid_start, s.fence, s.heartbeat, s.started_at, s.finished_at,
				coalesce(s.snapshot_id, 0), s.commit, s.stats, coalesce(s.error, '')
			from scan s join ref r using (repo_id, ref_id) where s.repo_id = $1 and s.ref_id = $2 order by s.scan_id desc limit 1`, s.Repo.ID, s.Ref.ID)
		if err != nil {
			return nil, explain(ctx, err, "reading the status")
		}
		if len(scans) == 1 {
			s.LastScan = scans[0]
		}
	}
	return list, nil
}

// Server is what is known of the server and its schema.
type Server struct {
	Version  string // such as 15.18
	Database string
	User     string
	Schema   string
	ReadOnly bool // a standby, or sessions that may not write

	Pooler           Pooler // what stands between: none, session or transaction
	StatementTimeout string // that is in force for questions, as the server writes it: 1min
}

// Server asks the server what it is.
func (db *DB) Server(ctx context.Context) (s Server, err error) {
	defer problem.Call(&err, "Server()")
	found, err := query(ctx, db, func(row pgx.CollectableRow) (s Server, err error) {
		return s, row.Scan(&s.Version, &s.Database, &s.User, &s.Schema, &s.ReadOnly, &s.StatementTimeout)
	}, `select current_setting('server_version'), current_database(), current_user, current_schema(), current_setting('transaction_read_only') = 'on' or pg_is_in_recovery(),
		current_setting('statement_timeout')`)
	if err != nil || len(found) == 0 {
		return s, explain(ctx, err, "asking the server what it is")
	}
	s, s.Pooler = found[0], PoolerNone
	switch {
	case db.shared:
		s.Pooler = PoolerTransaction
	case db.proxied.Load() || db.cfg.Pooler == PoolerSession:
		s.Pooler = PoolerSession
	}
	return s, nil
}

// Pool is how the pool of interactive connections is used now.
type Pool struct {
	Total, Idle, InUse, Max int32
	Waiting                 int32 // callers that have asked for a connection and have none yet
	Waited                  int64 // acquisitions that had to wait, since the start
	Cancelled               int64 // acquisitions that were given up, since the start
}

// Pool counts connections; it asks nobody.
func (db *DB) Pool() Pool {
	s := db.pool.Stat()
	return Pool{Total: s.TotalConns(), Idle: s.IdleConns(), InUse: s.AcquiredConns(), Max: s.MaxConns(), Waiting: db.waiting.Load(), Waited: s.EmptyAcquireCount(), Cancelled: s.CanceledAcquireCount()}
}
