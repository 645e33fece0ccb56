package postgres

import (
	"context"
	"time"
)

// RefKind says what a ref stands for.
type RefKind string

// The kinds of refs.
const (
	RefFolder   RefKind = "folder" // the working tree of a folder
	RefBranch   RefKind = "branch"
	RefTag      RefKind = "tag"
	RefWorktree RefKind = "worktree"
	RefOverlay  RefKind = "overlay" // a ref with uncommitted changes on top
)

// Ref is a name that points to a snapshot.
type Ref struct {
	Repo      int32
	ID        int32
	Name      string
	Kind      RefKind
	Snapshot  int32 // 0 before the first publication
	Projected int32 // the snapshot that the SQL views show; 0 when none
	UpdatedAt time.Time
}

// Pending says whether the views show an older snapshot than the one that is published.
func (r Ref) Pending() bool { return r.Projected != r.Snapshot }

// Refs lists the refs of a repository by name.
func (db *DB) Refs(ctx context.Context, repo int32) ([]Ref, error) { panic("skeleton") }

// FindRef returns a ref by name; problem.NotFound lists those that exist.
func (db *DB) FindRef(ctx context.Context, repo int32, name string) (Ref, error) { panic("skeleton") }
