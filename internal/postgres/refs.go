package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
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

func scanRef(row pgx.CollectableRow) (r Ref, err error) {
	return r, row.Scan(&r.Repo, &r.ID, &r.Name, &r.Kind, &r.Snapshot, &r.Projected, &r.UpdatedAt)
}

// Refs lists the refs of a repository by name.
func (db *DB) Refs(ctx context.Context, repo int32) (refs []Ref, err error) {
	defer problem.Call(&err, "Refs(%d)", repo)
	refs, err = query(ctx, db, scanRef, `
		select r.repo_id, r.ref_id, r.name, r.kind, coalesce(r.snapshot_id, 0), coalesce(p.snapshot_id, 0), r.updated_at
		from ref r left join projection p using (repo_id, ref_id) where r.repo_id = $1 order by r.name`, repo)
	return refs, explain(ctx, err, "listing refs")
}

// FindRef returns a ref by name; problem.NotFound lists those that exist.
func (db *DB) FindRef(ctx context.Context, repo int32, name string) (ref Ref, err error) {
	defer problem.Call(&err, "FindRef(%d, %q)", repo, name)
	refs, err := db.Refs(ctx, repo)
	if err != nil {
		return ref, err
	}
	var names []string
	for _, r := range refs {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	e := problem.New(problem.NotFound, "the repository has no ref %q", name)
	if len(names) > 0 {
		return ref, e.Fix("name one of: %s", strings.Join(names, ", "))
	}
	return ref, e.Fix("scan it first: manito scan")
}
