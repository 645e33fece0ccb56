package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// ScanStatus is how a scan stands.
type ScanStatus string

// The statuses of a scan.
const (
	ScanRunning   ScanStatus = "running"
	ScanPublished ScanStatus = "published" // its snapshot is served; the projection may be pending
	ScanFailed    ScanStatus = "failed"
	ScanCancelled ScanStatus = "cancelled"
	ScanAbandoned ScanStatus = "abandoned" // its process died or was too slow, and another took over
)

// Scan is one run over one repository, as recorded.
type Scan struct {
	ID         int32
	Repo       int32
	Ref        string
	Status     ScanStatus
	Phase      string // the last phase that was announced
	Held       bool   // its lease has not been given back
	Holder     Holder
	Fence      int64
	Heartbeat  time.Time
	StartedAt  time.Time
	FinishedAt time.Time // zero while it runs
	Snapshot   int32     // what it published or found unchanged; 0 before
	Commit     string
	Stats      json.RawMessage // what Publish was given; nil before
	Error      string          // why it failed
}

// ScanInput says what is to be scanned and who does it.
type ScanInput struct {
	Repo   int32
	Ref    string  // name of the ref that will move, such as "main"
	Kind   RefKind // used when the ref is new
	Holder Holder  // usually ThisProcess()
}

func scanScan(row pgx.CollectableRow) (s Scan, err error) {
	var finished *time.Time
	err = row.Scan(&s.ID, &s.Repo, &s.Ref, &s.Status, &s.Phase, &s.Held, &s.Holder.Host, &s.Holder.PID, &s.Holder.Space, &s.Holder.Start,
		&s.Fence, &s.Heartbeat, &s.StartedAt, &finished, &s.Snapshot, &s.Commit, &s.Stats, &s.Error)
	if finished != nil {
		s.FinishedAt = *finished
	}
	return s, err
}

// Scans lists the last scans of a repository, newest first.
func (db *DB) Scans(ctx context.Context, repo int32, limit int) (scans []Scan, err error) {
	defer problem.Call(&err, "Scans(%d)", repo)
	scans, err = query(ctx, db, scanScan, `
		select s.scan_id, s.repo_id, r.name, s.status, s.phase, s.held, s.host, s.pid, s.space, s.pid_start, s.fence, s.heartbeat, s.started_at, s.finished_at,
			coalesce(s.snapshot_id, 0), s.commit, s.stats, coalesce(s.error, '')
		from scan s join ref r using (repo_id, ref_id) where s.repo_id = $1 order by s.scan_id desc limit $2`, repo, limit)
	return scans, explain(ctx, err, "listing scans")
}

// Holding returns the scan that holds a repository; false when none does.
func (db *DB) Holding(ctx context.Context, repo int32) (s Scan, held bool, err error) {
	defer problem.Call(&err, "Holding(%d)", repo)
	scans, err := query(ctx, db, scanScan, `
		select s.scan_id, s.repo_id, r.name, s.status, s.phase, s.held, s.host, s.pid, s.space, s.pid_start, s.fence, s.heartbeat, s.started_at, s.finished_at,
			coalesce(s.snapshot_id, 0), s.commit, s.stats, coalesce(s.error, '')
		from scan s join ref r using (repo_id, ref_id) where s.repo_id = $1 and s.held`, repo)
	if err != nil || len(scans) == 0 {
		return s, false, explain(ctx, err, "looking for a scan")
	}
	return scans[0], true, nil
}
