package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Swept counts the rows that a Sweep deleted; Names also counts those that only got shorter.
type Swept struct {
	Snapshots, Blobs, Facts, Blocks, Nodes, Names int64
	Chunks                                        int64 // rows of chunks
}

// sweepBatch is how many rows one transaction of Sweep deletes.
const sweepBatch = 2000

// Sweep deletes what is named by no ref's snapshot, by none of the keep snapshots
// before it and by no projection, in small transactions. Paths and scopes stay. The
// lease of the repository makes sure that nothing goes that a scan is about to publish.
func (l *Lease) Sweep(ctx context.Context, keep int) (s Swept, err error) {
	defer problem.Call(&err, "Sweep(%d)", keep)
	doomed, used, err := l.mark(ctx, keep)
	if err != nil {
		return s, err
	}
	if s.Snapshots, err = l.deleteRows(ctx, `delete from snapshot where repo_id = $1 and snapshot_id = any ($2)`, doomed); err != nil {
		return s, err
	}
	for _, step := range []struct {
		list, delete string
		used         map[int32]bool
		count        *int64
	}{
		{`select block_id from edge_block where repo_id = $1`, `delete from edge_block where repo_id = $1 and block_id = any ($2)`, used.blocks, &s.Blocks},
		{`select fact_id from node_block where repo_id = $1`, `delete from node_block where repo_id = $1 and fact_id = any ($2)`, used.facts, &s.Nodes},
		{`select fact_id from fact where repo_id = $1`, `delete from fact where repo_id = $1 and fact_id = any ($2)`, used.facts, &s.Facts},
		{`select distinct blob_id from chunk_block where repo_id = $1`, `delete from chunk_block where repo_id = $1 and blob_id = any ($2)`, used.blobs, &s.Chunks},
		{`select blob_id from blob where repo_id = $1`, `delete from blob where repo_id = $1 and blob_id = any ($2)`, used.blobs, &s.Blobs},
	} {
		var ids []int32
		err := l.db.eachRaw(ctx, func(v [][]byte) error {
			if id := rawInt4(v[0]); !step.used[id] {
				ids = append(ids, id)
			}
			return nil
		}, step.list, l.repo)
		if err != nil {
			return s, explain(ctx, err, "looking for what is not used")
		}
		if *step.count, err = l.deleteRows(ctx, step.delete, ids); err != nil {
			return s, err
		}
	}
	s.Names, err = l.sweepNames(ctx)
	return s, err
}

// marks are the ids that must stay.
type marks struct{ blobs, facts, blocks map[int32]bool }

// mark finds the snapshots that may go and the rows that the others name.
func (l *Lease) mark(ctx context.Context, keep int) (doomed []int32, used marks, err error) {
	used = marks{map[int32]bool{}, map[int32]bool{}, map[int32]bool{}}
	err = l.db.each(ctx, func(rows pgx.Rows) error {
		var id int32
		var kept bool
		var ids [3][]int32
		if err := rows.Scan(&id, &kept, &ids[0], &ids[1], &ids[2]); err != nil {
			return err
		}
		if !kept {
			doomed = append(doomed, id)
			return nil
		}
		for i, set := range []map[int32]bool{used.blobs, used.facts, used.blocks} {
			for _, id := range ids[i] {
				set[id] = true
			}
		}
		return nil
	}, `
		with recursive wanted as (
			select snapshot_id, 0 as age from ref where repo_id = $1 and snapshot_id is not null
			union select snapshot_id, 0 from projection where repo_id = $1
			union
			select s.parent_id, w.age + 1 from wanted w join snapshot s on s.repo_id = $1 and s.snapshot_id = w.snapshot_id where s.parent_id is not null and w.age < $2
		), needed as (
			select distinct snapshot_id from wanted
			union
			-- a difference is of no use without all that it builds on
			select s.parent_id from needed n join snapshot s on s.repo_id = $1 and s.snapshot_id = n.snapshot_id where s.snapshot_id <> s.keyframe_id
		)
		select s.snapshot_id, n.snapshot_id is not null, s.d_blob, s.d_fact, s.d_block from snapshot s left join needed n using (snapshot_id) where s.repo_id = $1`, l.repo, keep)
	if err != nil {
		return nil, used, explain(ctx, err, "looking for what is used")
	}
	return doomed, used, nil
}

// deleteRows deletes rows by id, each batch in a transaction that checks the lease.
func (l *Lease) deleteRows(ctx context.Context, statement string, ids []int32) (n int64, err error) {
	for part := range slices.Chunk(ids, sweepBatch) {
		var deleted int64
		err := l.db.transact(ctx, l.db.ingest, "deleting what is not used", func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, statement, l.repo, part)
			if err != nil {
				return err
			}
			deleted = tag.RowsAffected()
			return l.check(ctx, tx)
		})
		if err != nil {
			return n, err
		}
		n += deleted
	}
	return n, nil
}

// sweepNames takes from the dictionary what no projected file defines any more.
func (l *Lease) sweepNames(ctx context.Context) (n int64, err error) {
	byFact := map[int32][]int32{} // paths by fact
	err = l.db.eachRaw(ctx, func(v [][]byte) error {
		fact := rawInt4(v[1])
		byFact[fact] = append(byFact[fact], rawInt4(v[0]))
		return nil
	}, `select distinct path_id, fact_id from file where repo_id = $1 and fact_id <> 0`, l.repo)
	if err != nil {
		return 0, explain(ctx, err, "reading files")
	}
	live := map[string]map[int32]bool{}
	nodes, err := l.readNodes(ctx, slices.Sorted(maps.Keys(byFact)))
	if err != nil {
		return 0, err
	}
	for fact, d := range nodes {
		for _, name := range d.names {
			if live[name] == nil {
				live[name] = map[int32]bool{}
			}
			for _, p := range byFact[fact] {
				live[name][p] = true
			}
		}
	}
	var gone, shorter []string
	var paths [][]byte
	err = l.db.eachRaw(ctx, func(v [][]byte) error {
		old, err := unpackPaths(v[1])
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(old), func(p int32) bool { return !live[string(v[0])][p] })
		switch {
		case len(left) == 0:
			gone = append(gone, string(v[0]))
		case len(left) < len(old):
			shorter, paths = append(shorter, string(v[0])), append(paths, packPaths(left))
		}
		return nil
	}, `select name, paths from name where repo_id = $1`, l.repo)
	if err != nil {
		return 0, explain(ctx, err, "reading names")
	}
	for len(gone) > 0 || len(shorter) > 0 {
		g, s := min(len(gone), sweepBatch), min(len(shorter), sweepBatch)
		err := l.db.transact(ctx, l.db.ingest, "deleting names", func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `delete from name where repo_id = $1 and name = any ($2)`, l.repo, gone[:g]); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `update name n set paths = u.paths from unnest($2::text[], $3::bytea[]) u(name, paths) where n.repo_id = $1 and n.name = u.name`, l.repo, shorter[:s], paths[:s])
			if err != nil {
				return err
			}
			return l.check(ctx, tx)
		})
		if err != nil {
			return n, err
		}
		n += int64(g + s)
		gone, shorter, paths = gone[g:], shorter[s:], paths[s:]
	}
	return n, nil
}
