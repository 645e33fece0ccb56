package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Publication is what a scan publishes.
type Publication struct {
	Commit  string // the commit that was scanned; "" outside of git
	Digest  [32]byte
	Entries []Entry // every file; Path and Scope may be empty
	Stats   any     // marshalled to JSON and kept with scan and snapshot
}

// Published is what became of a publication.
type Published struct {
	Snapshot  int32
	Unchanged bool // the ref already showed exactly this; no snapshot was made and the ref was not touched
}

// keyframeEvery is how many snapshots follow each other as differences.
const keyframeEvery = 64

// Channel is the notification channel on which publications and projections are
// announced. The payload is JSON: schema, repo, ref, snapshot, and event
// "published" or "projected". Receivers read the rest from the tables.
const Channel = "manito"

// Publish makes the entries a snapshot and moves the lease's ref to it, in one
// durable transaction that also checks that the lease is still held. When it
// returns without error the snapshot survives a crash of everything. When the
// connection breaks while it commits, it finds out what became of the commit. It gives
// problem.Conflict when the lease was lost, and problem.Invalid when entries name
// rows that were not flushed.
func (l *Lease) Publish(ctx context.Context, p Publication) (done Published, err error) {
	defer problem.Call(&err, "Publish(%d files)", len(p.Entries))
	stats, err := json.Marshal(p.Stats)
	if err != nil {
		return done, problem.Wrap(err, problem.Internal, "the scan's figures cannot be written as JSON")
	}
	entries := slices.Clone(p.Entries)
	slices.SortFunc(entries, byPathID)
	for i := 1; i < len(entries); i++ {
		if entries[i].PathID == entries[i-1].PathID {
			return done, problem.New(problem.Invalid, "the path with id %d stands twice in the snapshot", entries[i].PathID)
		}
	}
	err = l.db.transact(ctx, l.db.ingest, "publishing the snapshot", func(tx pgx.Tx) error {
		done, err = l.publish(ctx, tx, p, entries, stats)
		return err
	})
	return done, err
}

func (l *Lease) publish(ctx context.Context, tx pgx.Tx, p Publication, entries []Entry, stats []byte) (done Published, err error) {
	if err := l.check(ctx, tx); err != nil {
		return done, err
	}
	var parent *int32
	var fence int64
	if err := tx.QueryRow(ctx, `select snapshot_id, fence from ref where repo_id = $1 and ref_id = $2 for update`, l.repo, l.ref).Scan(&parent, &fence); err != nil {
		return done, notFound(err, "the ref was deleted during the scan")
	}
	if fence > l.fence {
		return done, lost()
	}
	var old chain
	if parent != nil {
		if old, err = readChain(ctx, tx, l.repo, *parent); err != nil {
			return done, err
		}
	}
	delta := difference(old.manifest.Entries, entries)
	if parent != nil && len(delta) == 0 && old.manifest.Digest == p.Digest {
		done = Published{Snapshot: *parent, Unchanged: true}
	} else {
		if err := l.checkStored(ctx, tx, delta); err != nil {
			return done, err
		}
		if done.Snapshot, err = l.insertSnapshot(ctx, tx, p, entries, delta, &old, parent, stats); err != nil {
			return done, err
		}
		_, err = tx.Exec(ctx, `update ref set snapshot_id = $3, fence = $4, updated_at = clock_timestamp() where repo_id = $1 and ref_id = $2`, l.repo, l.ref, done.Snapshot, l.fence)
		if err != nil {
			return done, err
		}
		if err := l.announce(ctx, tx, "published", done.Snapshot); err != nil {
			return done, err
		}
	}
	_, err = tx.Exec(ctx, `
		update scan set status = 'published', snapshot_id = $3, commit = $4, stats = $5, finished_at = clock_timestamp(), heartbeat = clock_timestamp()
		where repo_id = $1 and scan_id = $2`, l.repo, l.scan, done.Snapshot, clean(p.Commit), stats)
	return done, err
}

// check locks the row of the scan and refuses a lease that was lost.
func (l *Lease) check(ctx context.Context, tx pgx.Tx) error {
	var held bool
	err := tx.QueryRow(ctx, `select held from scan where repo_id = $1 and scan_id = $2 and fence = $3 for update`, l.repo, l.scan, l.fence).Scan(&held)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !held {
		return lost()
	}
	return err
}

// announce notifies listeners when the transaction commits.
func (l *Lease) announce(ctx context.Context, tx pgx.Tx, event string, snapshot int32) error {
	_, err := tx.Exec(ctx, `
		select pg_notify($1, json_build_object('schema', current_schema(), 'event', $2::text, 'repo', $3::int4, 'ref', $4::int4, 'snapshot', $5::int4)::text)`,
		Channel, event, l.repo, l.ref, snapshot)
	return err
}

// difference lists what leads from one list of entries to another, both by path
// id; a file that is gone has the blob removed.
func difference(from, to []Entry) []Entry {
	var out []Entry
	bare := func(e Entry) Entry {
		e.Path, e.Scope = "", ""
		return e
	}
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		switch {
		case j == len(to) || i < len(from) && from[i].PathID < to[j].PathID:
			out = append(out, Entry{PathID: from[i].PathID, BlobID: removed})
			i++
		case i == len(from) || to[j].PathID < from[i].PathID:
			out = append(out, bare(to[j]))
			j++
		default:
			if bare(from[i]) != bare(to[j]) {
				out = append(out, bare(to[j]))
			}
			i, j = i+1, j+1
		}
	}
	return out
}

// columns are entries as the arrays in which a snapshot keeps them.
func columns(entries []Entry) (c [5][]int32) {
	for i := range c {
		c[i] = make([]int32, len(entries))
	}
	for i, e := range entries {
		c[0][i], c[1][i], c[2][i], c[3][i], c[4][i] = e.PathID, e.BlobID, e.FactID, e.BlockID, e.ScopeID
	}
	return c
}

// checkStored refuses entries that name rows which are not there.
func (l *Lease) checkStored(ctx context.Context, tx pgx.Tx, delta []Entry) error {
	c := columns(delta)
	var missing [5]int
	err := tx.QueryRow(ctx, `select
		(select count(*) from unnest($2::int4[]) i where not exists (select from path t where t.repo_id = $1 and t.path_id = i)),
		(select count(*) from unnest($3::int4[]) i where i > 0 and not exists (select from blob t where t.repo_id = $1 and t.blob_id = i)),
		(select count(*) from unnest($4::int4[]) i where i > 0 and not exists (select from fact t where t.repo_id = $1 and t.fact_id = i)),
		(select count(*) from unnest($5::int4[]) i where i > 0 and not exists (select from edge_block t where t.repo_id = $1 and t.block_id = i)),
		(select count(*) from unnest($6::int4[]) i where i > 0 and not exists (select from scope t where t.repo_id = $1 and t.scope_id = i))`,
		l.repo, c[0], c[1], c[2], c[3], c[4]).Scan(&missing[0], &missing[1], &missing[2], &missing[3], &missing[4])
	if err != nil {
		return err
	}
	for i, what := range []string{"paths", "contents", "facts", "edge blocks", "scopes"} {
		if missing[i] > 0 {
			return problem.New(problem.Invalid, "%d %s of the snapshot are not stored", missing[i], what)
		}
	}
	return nil
}

func (l *Lease) insertSnapshot(ctx context.Context, tx pgx.Tx, p Publication, entries, delta []Entry, old *chain, parent *int32, stats []byte) (id int32, err error) {
	keep := delta
	keyframe := old.keyframe
	if parent == nil || old.length >= keyframeEvery || len(delta) > len(entries) {
		keep, keyframe = entries, 0 // 0 stands for the snapshot itself
	}
	c := columns(keep)
	err = tx.QueryRow(ctx, `
		with next as (update repo set next_snapshot = next_snapshot + 1 where repo_id = $1 returning next_snapshot - 1 as id)
		insert into snapshot (repo_id, snapshot_id, parent_id, keyframe_id, commit, digest, scanned_at, stats, d_path, d_blob, d_fact, d_block, d_scope)
		select $1, next.id, $2, coalesce(nullif($3::int4, 0), next.id), $4, $5, clock_timestamp(), $6, $7, $8, $9, $10, $11 from next returning snapshot_id`,
		l.repo, parent, keyframe, clean(p.Commit), p.Digest[:], stats, c[0], c[1], c[2], c[3], c[4]).Scan(&id)
	return id, err
}
