package postgres

import (
	"context"
	"encoding/json"
	"time"
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
	FinishedAt time.Time       // zero while it runs
	Snapshot   int32           // what it published or found unchanged; 0 before
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

// Lease is the right to write to one repository. It beats in the background
// until it is given back. Its methods may be called from several goroutines
// except where they say otherwise.
type Lease struct {
	_ struct{}
}

// AcquireScan takes the lease of a repository and records a running scan. While
// a living process has it, AcquireScan gives problem.Conflict that says who scans
// since when; a holder that is dead is set aside. ctx bounds the whole life of the lease.
func (db *DB) AcquireScan(ctx context.Context, in ScanInput) (*Lease, error) { panic("skeleton") }

// Context is done when the lease is lost, given back, or its parent is done; its
// cause says which. Work of the scan should run under it.
func (l *Lease) Context() context.Context { panic("skeleton") }

// Scan returns the scan that the lease was taken for, as of now.
func (l *Lease) Scan(ctx context.Context) (Scan, error) { panic("skeleton") }

// Phase announces what the scan does now: "extract", "link", "publish", "project".
func (l *Lease) Phase(ctx context.Context, name string) error { panic("skeleton") }

// Fail records why the scan failed. A scan that has published stays published;
// the reason is kept with it. The lease must still be released.
func (l *Lease) Fail(ctx context.Context, cause error) error { panic("skeleton") }

// Cancel records that the scan was stopped by its author. The lease must still be released.
func (l *Lease) Cancel(ctx context.Context) error { panic("skeleton") }

// Release ends the heartbeat and gives the repository back. A scan still running
// is recorded as cancelled. It uses ctx, not the lease's own, so that it works
// after an interrupt; releasing twice is harmless.
func (l *Lease) Release(ctx context.Context) error { panic("skeleton") }

// Scans lists the last scans of a repository, newest first.
func (db *DB) Scans(ctx context.Context, repo int32, limit int) ([]Scan, error) { panic("skeleton") }
