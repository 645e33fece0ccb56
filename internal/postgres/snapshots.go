package postgres

import (
	"context"
	"encoding/json"
	"time"
)

// Entry is one file of a snapshot.
type Entry struct {
	Path    string // filled by readers; writers need PathID only
	PathID  int32
	BlobID  int32  // 0 for a file that is listed but could not be read
	FactID  int32  // 0 when the file is in no known language
	BlockID int32  // 0 when nothing was linked
	ScopeID int32  // of its top-level definitions (Writer.Scope); 0 when it has no fact
	Scope   string // filled by readers
}

// Manifest is a snapshot: a complete list of files.
type Manifest struct {
	Snapshot  int32
	Parent    int32 // 0 for the first
	Commit    string
	Digest    [32]byte
	ScannedAt time.Time
	Stats     json.RawMessage
	Entries   []Entry // by path, bytewise
}

// Snapshot reads a snapshot with its paths; problem.NotFound when it does not exist (any more).
func (db *DB) Snapshot(ctx context.Context, repo, snapshot int32) (Manifest, error) {
	panic("skeleton")
}

// Current reads the snapshot that a ref points to. A ref that does not exist or
// was never published gives problem.NotFound.
func (db *DB) Current(ctx context.Context, repo int32, ref string) (Manifest, error) {
	panic("skeleton")
}
