package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/code"
	"manito/internal/problem"
)

// fileRow is a row of the table file without the part that is the same for all.
type fileRow struct {
	path, blob, fact, block, scope int32

	flags              int32
	size               int64
	local              code.Key
	digest             int64 // over the rows in dependency and diagnostic
	language, encoding string
}

// projector is one projection under way.
type projector struct {
	l        *Lease
	p        Projection
	began    time.Time
	snapshot int32 // what is to be shown
	shown    int32 // what was shown before; 0 for nothing

	entries []Entry           // of the snapshot, by path id, with texts
	old     map[int32]fileRow // by path id: what is shown
	rows    []fileRow         // by path id: what is to be shown
	changed []int32           // path ids whose row is new or another
	gone    []int32           // path ids that are shown and no longer there
	redo    []int32           // path ids whose dependencies and diagnostics are replaced
	nodes   map[int32]*definitions

	dependencies, diagnostics rows
}

// Project brings the SQL view of the lease's ref to the snapshot that it points
// to. Rows that belong to facts and names are added first, in transactions of
// their own and only where they are missing; then one transaction replaces what
// differs between the projected and the published snapshot. After a crash at any
// point the views show the old snapshot or the new one, and the next Project
// carries on. It gives problem.Conflict when the lease was lost.
func (l *Lease) Project(ctx context.Context, p Projection) (err error) {
	defer problem.Call(&err, "Project()")
	j := &projector{l: l, p: p, began: time.Now()}
	if err := j.load(ctx); err != nil {
		return err
	}
	if err := j.compare(); err != nil {
		return err
	}
	if err := j.addDefinitions(ctx); err != nil {
		return err
	}
	if err := j.addNames(ctx); err != nil {
		return err
	}
	index, err := j.symbolChanges(ctx)
	if err != nil {
		return err
	}
	err = l.db.transact(ctx, l.db.ingest, "switching the projection", func(tx pgx.Tx) error { return j.apply(ctx, tx, index) })
	if err != nil || len(j.changed) < analyzeAbove {
		return err
	}
	return l.db.refreshStatistics(ctx)
}

// analyzeAbove is the number of changed files from which the planner's statistics are renewed at once instead of by autovacuum.
const analyzeAbove = 256

// load reads the snapshot and what is shown.
func (j *projector) load(ctx context.Context) error {
	l := j.l
	conn, err := l.db.acquire(ctx, l.db.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = conn.QueryRow(ctx, `
		select coalesce(r.snapshot_id, 0), coalesce(p.snapshot_id, 0) from ref r left join projection p using (repo_id, ref_id)
		where r.repo_id = $1 and r.ref_id = $2`, l.repo, l.ref).Scan(&j.snapshot, &j.shown)
	switch {
	case err != nil:
		return explain(ctx, notFound(err, "the ref was deleted"), "reading the ref")
	case j.snapshot == 0:
		return problem.New(problem.Conflict, "nothing has been published yet, so that there is nothing to project").Fix("publish first")
	}
	chain, err := readChain(ctx, conn, l.repo, j.snapshot)
	if err != nil {
		return explain(ctx, err, "reading the snapshot")
	}
	j.entries = chain.manifest.Entries
	if err := readTexts(ctx, conn, l.repo, j.entries); err != nil {
		return explain(ctx, err, "reading the snapshot's paths")
	}
	j.old = make(map[int32]fileRow, len(j.entries))
	err = each(ctx, conn, func(rows pgx.Rows) error {
		var f fileRow
		var local int64
		err := rows.Scan(&f.path, &f.blob, &f.fact, &f.block, &f.scope, &f.flags, &f.size, &local, &f.digest, &f.language, &f.encoding)
		f.local = code.Key(local)
		j.old[f.path] = f
		return err
	}, `select path_id, blob_id, fact_id, block_id, scope_id, flags, size, local_key, rows_digest, language, encoding
		from file where repo_id = $1 and ref_id = $2`, l.repo, l.ref)
	return explain(ctx, err, "reading the projected files")
}

// compare makes the rows of the files and finds those that differ from what is shown.
func (j *projector) compare() error {
	files := make(map[int32]File, len(j.entries))
	for f := range j.p.Files {
		if _, ok := files[f.PathID]; ok {
			return problem.New(problem.Internal, "the file with path id %d was given twice", f.PathID)
		}
		files[f.PathID] = f
	}
	if len(files) != len(j.entries) {
		return problem.New(problem.Conflict, "the projection was given %d files, the snapshot has %d", len(files), len(j.entries)).
			Fix("scan again: manito scan")
	}
	for i := range j.entries {
		e := &j.entries[i]
		f, ok := files[e.PathID]
		if !ok {
			return problem.New(problem.Conflict, "the projection was not given the file %s", e.Path).Fix("scan again: manito scan")
		}
		row := fileRow{path: e.PathID, blob: e.BlobID, fact: e.FactID, block: e.BlockID, scope: e.ScopeID,
			flags: int32(f.Flags), size: f.Size, language: f.Language, encoding: f.Encoding, digest: digestRows(&f)}
		if e.ScopeID != 0 {
			row.local = localKey(e.Scope, e.Path)
		}
		j.rows = append(j.rows, row)
		old, shown := j.old[e.PathID]
		if !shown || old != row {
			j.changed = append(j.changed, e.PathID)
		}
		if !shown || old.digest != row.digest {
			if shown {
				j.redo = append(j.redo, e.PathID)
			}
			j.encodeRows(&f)
		}
	}
	for id := range j.old {
		if _, ok := files[id]; !ok {
			j.gone = append(j.gone, id)
		}
	}
	slices.Sort(j.gone)
	return nil
}

// addDefinitions makes the missing rows of node_block, and gathers the
// definitions of every fact by which a changed file gains or loses symbols.
func (j *projector) addDefinitions(ctx context.Context) error {
	var facts []int32
	for i := range j.rows {
		if j.rows[i].fact != 0 {
			facts = append(facts, j.rows[i].fact)
		}
	}
	slices.Sort(facts)
	var err error
	if j.nodes, err = j.l.addNodes(ctx, slices.Compact(facts), j.p.Document); err != nil {
		return err
	}
	if j.nodes == nil {
		j.nodes = map[int32]*definitions{}
	}
	want := map[int32]bool{}
	for from, to := range j.pairs() {
		if from.fact != 0 && j.nodes[from.fact] == nil {
			want[from.fact] = true
		}
		if to.fact != 0 && j.nodes[to.fact] == nil {
			want[to.fact] = true
		}
	}
	read, err := j.l.readNodes(ctx, slices.Sorted(maps.Keys(want)))
	if err != nil {
		return err
	}
	for fact := range want {
		if read[fact] == nil {
			return problem.New(problem.Invalid, "the definitions of fact %d are missing", fact).Fix("look for damage: manito db doctor")
		}
	}
	maps.Copy(j.nodes, read)
	return nil
}

// pairs yields what was shown and what is to be shown of every file that differs; a
// zero row stands for a file that is not there.
func (j *projector) pairs() func(func(from, to *fileRow) bool) {
	return func(yield func(from, to *fileRow) bool) {
		for _, id := range j.changed {
			i, _ := slices.BinarySearchFunc(j.rows, id, func(r fileRow, id int32) int { return cmp.Compare(r.path, id) })
			from := j.old[id]
			if !yield(&from, &j.rows[i]) {
				return
			}
		}
		for _, id := range j.gone {
			from := j.old[id]
			if !yield(&from, &fileRow{}) {
				return
			}
		}
	}
}

// apply switches what is shown, in one transaction.
func (j *projector) apply(ctx context.Context, tx pgx.Tx, index *indexChanges) error {
	l := j.l
	var snapshot, shown int32
	err := tx.QueryRow(ctx, `
		select coalesce(r.snapshot_id, 0), coalesce((select p.snapshot_id from projection p where p.repo_id = $1 and p.ref_id = $2), 0)
		from ref r where r.repo_id = $1 and r.ref_id = $2 for update`, l.repo, l.ref).Scan(&snapshot, &shown)
	switch {
	case err != nil:
		return notFound(err, "the ref was deleted")
	case snapshot != j.snapshot || shown != j.shown:
		return lost()
	}
	if err := j.applyFiles(ctx, tx); err != nil {
		return err
	}
	if err := j.applyExternals(ctx, tx); err != nil {
		return err
	}
	if err := index.apply(ctx, tx, l); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		insert into projection as p (repo_id, ref_id, snapshot_id, updated_at, took) values ($1, $2, $3, clock_timestamp(), $4)
		on conflict (repo_id, ref_id) do update set snapshot_id = excluded.snapshot_id, updated_at = excluded.updated_at, took = excluded.took`,
		l.repo, l.ref, j.snapshot, time.Since(j.began))
	if err != nil {
		return err
	}
	if err := l.announce(ctx, tx, "projected", j.snapshot); err != nil {
		return err
	}
	return l.check(ctx, tx)
}

// refreshStatistics renews what the planner knows, by a function that belongs to the owner.
func (db *DB) refreshStatistics(ctx context.Context) error {
	err := db.ingesting(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `select refresh_statistics()`)
		return err
	})
	return explain(ctx, err, "renewing statistics")
}
