package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/code"
)

// indexChanges are what happens to the index from symbols to files: it is made
// anew from all places, or changed in some.
type indexChanges struct {
	anew              bool
	defined, mentions []place  // when it is made anew
	changes           []change // when it is not, by key
}

// rebuildShare is the share of changed files from which making the index anew is cheaper than changing it.
const rebuildShare = 0.25

// symbolChanges finds out what happens to the index.
func (j *projector) symbolChanges(ctx context.Context) (*indexChanges, error) {
	c := &indexChanges{anew: len(j.old) == 0 || float64(len(j.changed)+len(j.gone)) > rebuildShare*float64(len(j.rows))}
	if c.anew {
		return c, j.allPlaces(ctx, c)
	}
	scopes, paths, err := j.scopeKeys(ctx)
	if err != nil {
		return nil, err
	}
	var blocks []int32
	for from, to := range j.pairs() {
		if from.block != to.block {
			blocks = append(blocks, from.block, to.block)
		}
	}
	targets, err := j.targets(ctx, blocks)
	if err != nil {
		return nil, err
	}
	for from, to := range j.pairs() {
		path := max(from.path, to.path)
		if from.fact != to.fact || from.scope != to.scope || from.path != to.path {
			c.changes = diffKeys(c.changes, j.keysOf(from, scopes, paths), j.keysOf(to, scopes, paths), path, false)
		}
		if from.block != to.block {
			// Files may share a block: diffKeys sorts what it is given, and blocks are sorted already.
			c.changes = diffKeys(c.changes, targets[from.block], targets[to.block], path, true)
		}
	}
	slices.SortStableFunc(c.changes, func(a, b change) int { return comparePlaces(a.place, b.place) })
	return c, nil
}

// keysOf lists the keys that a file defines: those of its definitions, of itself and of its scope.
func (j *projector) keysOf(f *fileRow, scopes, paths map[int32]code.Key) []code.Key {
	if f.path == 0 {
		return nil
	}
	keys := []code.Key{paths[f.path]}
	if f.scope != 0 {
		keys = append(keys, scopes[f.scope])
	}
	if f.fact != 0 {
		keys = j.nodes[f.fact].keys(keys, scopes[f.scope], f.local)
	}
	return keys
}

// scopeKeys reads the keys of the scopes and paths of files that differ.
func (j *projector) scopeKeys(ctx context.Context) (scopes, paths map[int32]code.Key, err error) {
	var scopeIDs, pathIDs []int32
	for from, to := range j.pairs() {
		for _, f := range []*fileRow{from, to} {
			if f.scope != 0 {
				scopeIDs = append(scopeIDs, f.scope)
			}
			if f.path != 0 {
				pathIDs = append(pathIDs, f.path)
			}
		}
	}
	if scopes, err = j.readKeys(ctx, `select scope_id, key from scope where repo_id = $1 and scope_id = any ($2)`, scopeIDs); err != nil {
		return nil, nil, err
	}
	paths, err = j.readKeys(ctx, `select path_id, key from path where repo_id = $1 and path_id = any ($2)`, pathIDs)
	return scopes, paths, err
}

func (j *projector) readKeys(ctx context.Context, statement string, ids []int32) (map[int32]code.Key, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	keys := make(map[int32]code.Key, len(ids))
	err := j.l.db.eachRaw(ctx, func(v [][]byte) error {
		keys[rawInt4(v[0])] = code.Key(rawInt8(v[1]))
		return nil
	}, statement, j.l.repo, ids)
	if err == nil && len(keys) != len(ids) {
		err = errDangling
	}
	return keys, explain(ctx, err, "reading keys")
}

// targets reads the dictionaries of edge blocks.
func (j *projector) targets(ctx context.Context, blocks []int32) (map[int32][]code.Key, error) {
	slices.Sort(blocks)
	blocks = slices.Compact(blocks)
	if len(blocks) > 0 && blocks[0] == 0 {
		blocks = blocks[1:]
	}
	found := make(map[int32][]code.Key, len(blocks))
	for part := range slices.Chunk(blocks, batch) {
		err := j.l.db.eachRaw(ctx, func(v [][]byte) error {
			keys, err := rawInt8s[code.Key](v[1], nil)
			found[rawInt4(v[0])] = keys
			return err
		}, `select block_id, targets from edge_block where repo_id = $1 and block_id = any ($2)`, j.l.repo, part)
		if err != nil {
			return nil, explain(ctx, err, "reading edges")
		}
	}
	if len(found) != len(blocks) {
		return nil, explain(ctx, errMissingBlock, "reading edges")
	}
	return found, nil
}

// allPlaces lists every place of the snapshot.
func (j *projector) allPlaces(ctx context.Context, c *indexChanges) error {
	// A file that has not changed gives places too: its definitions must be there.
	var unread, blocks []int32
	for i := range j.rows {
		f := &j.rows[i]
		if f.fact != 0 && j.nodes[f.fact] == nil {
			unread = append(unread, f.fact)
		}
		blocks = append(blocks, f.block)
	}
	slices.Sort(unread)
	read, err := j.l.readNodes(ctx, slices.Compact(unread))
	if err != nil {
		return err
	}
	for fact, d := range read {
		j.nodes[fact] = d
	}
	targets, err := j.targets(ctx, blocks)
	if err != nil {
		return err
	}
	var keys []code.Key
	for i := range j.rows {
		f, e := &j.rows[i], &j.entries[i]
		keys = append(keys[:0], fileKey(e.Path))
		if f.scope != 0 {
			keys = append(keys, code.ScopeKey(e.Scope))
		}
		if f.fact != 0 {
			d := j.nodes[f.fact]
			if d == nil {
				return explain(ctx, errMissingNodes, "reading definitions")
			}
			keys = d.keys(keys, code.ScopeKey(e.Scope), f.local)
		}
		for _, k := range keys {
			c.defined = append(c.defined, place{int64(k), f.path})
		}
		for _, k := range targets[f.block] {
			c.mentions = append(c.mentions, place{int64(k), f.path})
		}
	}
	return nil
}

// apply brings the index up to date.
func (c *indexChanges) apply(ctx context.Context, tx pgx.Tx, l *Lease) error {
	if c.anew {
		if _, err := tx.Exec(ctx, `delete from symbol_block where repo_id = $1 and ref_id = $2`, l.repo, l.ref); err != nil {
			return err
		}
		return insertSymbols(ctx, tx, l, buildSymbols(c.defined, c.mentions))
	}
	if len(c.changes) == 0 {
		return nil
	}
	var los []int64
	err := eachRaw(ctx, tx, func(v [][]byte) error {
		los = append(los, rawInt8(v[0]))
		return nil
	}, `select lo from symbol_block where repo_id = $1 and ref_id = $2 order by lo`, l.repo, l.ref)
	if err != nil {
		return err
	}
	if len(los) == 0 {
		return errMissingIndex
	}
	byBlock := map[int64][]change{}
	for _, ch := range c.changes {
		i, found := slices.BinarySearch(los, ch.key)
		if !found {
			i--
		}
		byBlock[los[i]] = append(byBlock[los[i]], ch)
	}
	affected := make([]int64, 0, len(byBlock))
	for lo := range byBlock {
		affected = append(affected, lo)
	}
	slices.Sort(affected)
	var next []symbolBlock
	err = eachRaw(ctx, tx, func(v [][]byte) error {
		keys, err := rawInt8s[int64](v[1], nil)
		if err != nil {
			return err
		}
		paths, err := rawInt4s(v[2], nil)
		if err != nil {
			return err
		}
		sources, err := rawInt2s(v[3], nil)
		if err != nil {
			return err
		}
		b, err := decodeSymbols(rawInt8(v[0]), keys, paths, sources)
		if err != nil {
			return err
		}
		next = append(next, b.apply(byBlock[b.lo])...)
		return nil
	}, `select lo, keys, paths, sources from symbol_block where repo_id = $1 and ref_id = $2 and lo = any ($3) order by lo`, l.repo, l.ref, affected)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `delete from symbol_block where repo_id = $1 and ref_id = $2 and lo = any ($3)`, l.repo, l.ref, affected)
	if err != nil {
		return err
	}
	return insertSymbols(ctx, tx, l, next)
}

func insertSymbols(ctx context.Context, tx pgx.Tx, l *Lease, blocks []symbolBlock) error {
	var r rows
	for i := range blocks {
		keys, paths, sources := blocks[i].encode()
		r.row(6)
		r.int4(l.repo)
		r.int4(l.ref)
		r.int8(blocks[i].lo)
		int8s(&r, keys)
		r.int4s(paths)
		r.int2s(sources)
	}
	return r.copyTo(ctx, tx.Conn(), `copy symbol_block (repo_id, ref_id, lo, keys, paths, sources) from stdin (format binary)`)
}
