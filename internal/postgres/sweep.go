package postgres

import "context"

// Swept counts the rows that a Sweep deleted.
type Swept struct {
	Snapshots, Blobs, Facts, Blocks, Nodes, Names int64
}

// Sweep deletes what no ref's snapshot, nor one of the last keep snapshots before
// it, names any more, in small transactions. It needs the lease of the repository, so that nothing is
// deleted that a scan is about to publish.
func (l *Lease) Sweep(ctx context.Context, keep int) (Swept, error) { panic("skeleton") }
