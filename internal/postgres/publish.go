package postgres

import "context"

// Publication is what a scan publishes.
type Publication struct {
	Commit  string // the commit that was scanned; "" outside of git
	Digest  [32]byte
	Entries []Entry // every file; Path may be empty
	Stats   any     // marshalled to JSON and kept with scan and snapshot
}

// Published is what became of a publication.
type Published struct {
	Snapshot  int32
	Unchanged bool // the ref already showed exactly this; no snapshot was made and the ref was not touched
}

// Publish makes the entries a snapshot and moves the lease's ref to it, in one
// durable transaction that also checks that the lease is still held. When it
// returns without error the snapshot survives a crash of everything. When the
// connection breaks while it commits, it finds out what became of the commit. It gives
// problem.Conflict when the lease was lost. All rows that entries name must have been flushed.
func (l *Lease) Publish(ctx context.Context, p Publication) (Published, error) { panic("skeleton") }
