package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
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
func (db *DB) Snapshot(ctx context.Context, repo, snapshot int32) (m Manifest, err error) {
	defer problem.Call(&err, "Snapshot(%d, %d)", repo, snapshot)
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return m, err
	}
	defer conn.Release()
	chain, err := readChain(ctx, conn, repo, snapshot)
	if err != nil {
		return m, explain(ctx, err, "reading the snapshot")
	}
	m = chain.manifest
	if err := readTexts(ctx, conn, repo, m.Entries); err != nil {
		return m, explain(ctx, err, "reading the snapshot's paths")
	}
	slices.SortFunc(m.Entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return m, nil
}

// Current reads the snapshot that a ref points to. A ref that does not exist or
// was never published gives problem.NotFound.
func (db *DB) Current(ctx context.Context, repo int32, ref string) (m Manifest, err error) {
	defer problem.Call(&err, "Current(%d, %q)", repo, ref)
	r, err := db.FindRef(ctx, repo, ref)
	if err != nil {
		return m, err
	}
	if r.Snapshot == 0 {
		return m, problem.New(problem.NotFound, "no scan of %q has been published yet", ref).Fix("scan it: manito scan")
	}
	return db.Snapshot(ctx, repo, r.Snapshot)
}

// chain is a snapshot put together, and how it is stored.
type chain struct {
	manifest Manifest // entries by path id, without texts
	keyframe int32
	length   int // snapshots since the keyframe, with both ends
}

// removed stands in d_blob for a file that the snapshot no longer has.
const removed = -1

// readChain reads a keyframe and the differences up to a snapshot.
func readChain(ctx context.Context, q queryer, repo, snapshot int32) (c chain, err error) {
	live := map[int32]Entry{}
	var ids [5][]int32
	err = each(ctx, q, func(rows pgx.Rows) error {
		var digest []byte
		m := &c.manifest
		var parent *int32
		if err := rows.Scan(&m.Snapshot, &parent, &c.keyframe, &m.Commit, &digest, &m.ScannedAt, &m.Stats, &ids[0], &ids[1], &ids[2], &ids[3], &ids[4]); err != nil {
			return err
		}
		m.Parent = 0
		if parent != nil {
			m.Parent = *parent
		}
		m.Digest = [32]byte(digest)
		c.length++
		if c.length == 1 && m.Snapshot != c.keyframe {
			return fmt.Errorf("snapshot %d: its keyframe %d is missing", snapshot, c.keyframe)
		}
		for i, id := range ids[0] {
			if ids[1][i] == removed {
				delete(live, id)
				continue
			}
			live[id] = Entry{PathID: id, BlobID: ids[1][i], FactID: ids[2][i], BlockID: ids[3][i], ScopeID: ids[4][i]}
		}
		return nil
	}, `
		with recursive back as (
			select s.*, 1 as depth from snapshot s where s.repo_id = $1 and s.snapshot_id = $2
			union all
			select p.*, b.depth + 1 from back b join snapshot p on p.repo_id = b.repo_id and p.snapshot_id = b.parent_id where b.snapshot_id <> b.keyframe_id
		)
		select snapshot_id, parent_id, keyframe_id, commit, digest, scanned_at, stats, d_path, d_blob, d_fact, d_block, d_scope from back order by depth desc`, repo, snapshot)
	if err != nil {
		return c, err
	}
	if c.length == 0 {
		return c, problem.New(problem.NotFound, "snapshot %d does not exist (any more)", snapshot).Fix("list what there is: manito status")
	}
	c.manifest.Entries = make([]Entry, 0, len(live))
	for _, e := range live {
		c.manifest.Entries = append(c.manifest.Entries, e)
	}
	slices.SortFunc(c.manifest.Entries, byPathID)
	return c, nil
}

func byPathID(a, b Entry) int { return cmp.Compare(a.PathID, b.PathID) }

// errDangling says that a snapshot names a row that is not there.
var errDangling = errors.New("it names a path or scope that is not stored")

// readTexts fills the paths and scopes of entries.
func readTexts(ctx context.Context, q queryer, repo int32, entries []Entry) error {
	paths, err := readInterned(ctx, q, `select path_id, path from path where repo_id = $1 and path_id = any ($2)`, repo, entries, func(e *Entry) int32 { return e.PathID })
	if err != nil {
		return err
	}
	scopes, err := readInterned(ctx, q, `select scope_id, scope from scope where repo_id = $1 and scope_id = any ($2)`, repo, entries, func(e *Entry) int32 { return e.ScopeID })
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		var ok bool
		if e.Path, ok = paths[e.PathID]; !ok {
			return errDangling
		}
		if e.ScopeID == 0 {
			continue
		}
		if e.Scope, ok = scopes[e.ScopeID]; !ok {
			return errDangling
		}
	}
	return nil
}

// readInterned reads the texts that entries refer to by id.
func readInterned(ctx context.Context, q queryer, statement string, repo int32, entries []Entry, id func(*Entry) int32) (map[int32]string, error) {
	want := make(map[int32]string, len(entries))
	ids := make([]int32, 0, len(entries))
	for i := range entries {
		k := id(&entries[i])
		if _, ok := want[k]; !ok && k != 0 {
			want[k] = ""
			ids = append(ids, k)
		}
	}
	clear(want)
	err := eachRaw(ctx, q, func(v [][]byte) error {
		want[rawInt4(v[0])] = string(v[1])
		return nil
	}, statement, repo, ids)
	return want, err
}
