package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/pack"
	"manito/internal/problem"
)

// KnownBlocks finds which edge blocks are stored already, by digest.
func (db *DB) KnownBlocks(ctx context.Context, repo int32, digests [][16]byte) (known map[[16]byte]int32, err error) {
	defer problem.Call(&err, "KnownBlocks(%d, %d digests)", repo, len(digests))
	known = make(map[[16]byte]int32, len(digests))
	for part := range slices.Chunk(digests, batch) {
		keys := make([][]byte, len(part))
		for i := range part {
			keys[i] = part[i][:]
		}
		err := db.each(ctx, func(rows pgx.Rows) error {
			var digest []byte
			var id int32
			if err := rows.Scan(&digest, &id); err != nil {
				return err
			}
			known[[16]byte(digest)] = id
			return nil
		}, `select digest, block_id from edge_block where repo_id = $1 and digest = any ($2)`, repo, keys)
		if err != nil {
			return nil, explain(ctx, err, "looking for known edges")
		}
	}
	return known, nil
}

// ReadBlocks hands over edge blocks in any order, without their sites; the
// block's slices are valid during the call only. A block that is missing gives
// problem.NotFound after the others.
func (db *DB) ReadBlocks(ctx context.Context, repo int32, blocks []int32, yield func(block int32, b *pack.Block) error) (err error) {
	defer problem.Call(&err, "ReadBlocks(%d, %d blocks)", repo, len(blocks))
	found := 0
	var b pack.Block
	for part := range slices.Chunk(blocks, batch) {
		err := db.eachRaw(ctx, func(v [][]byte) (err error) {
			b.Wide = v[1][0] != 0
			if b.Targets, err = rawInt8s(v[2], b.Targets); err != nil {
				return err
			}
			if b.Words, err = rawInt8s(v[3], b.Words); err != nil {
				return err
			}
			found++
			return yield(rawInt4(v[0]), &b)
		}, `select block_id, wide, targets, e from edge_block where repo_id = $1 and block_id = any ($2)`, repo, part)
		if err != nil {
			return explain(ctx, err, "reading edges")
		}
	}
	if found < len(blocks) {
		return problem.New(problem.NotFound, "%d of %d edge blocks are not stored (any more)", len(blocks)-found, len(blocks)).
			Fix("scan again: manito scan")
	}
	return nil
}

// ReadSites hands over the packed unresolved sites of those blocks that have some
// (pack.Unpacker.Sites undoes it), in any order, valid during the call only.
func (db *DB) ReadSites(ctx context.Context, repo int32, blocks []int32, yield func(block int32, z []byte) error) (err error) {
	defer problem.Call(&err, "ReadSites(%d, %d blocks)", repo, len(blocks))
	for part := range slices.Chunk(blocks, batch) {
		err := db.eachRaw(ctx, func(v [][]byte) error {
			return yield(rawInt4(v[0]), v[1])
		}, `select block_id, sites from edge_block where repo_id = $1 and block_id = any ($2) and sites is not null`, repo, part)
		if err != nil {
			return explain(ctx, err, "reading sites")
		}
	}
	return nil
}
