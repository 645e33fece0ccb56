package postgres

import (
	"context"

	"manito/internal/pack"
)

// KnownBlocks finds which edge blocks are stored already, by digest.
func (db *DB) KnownBlocks(ctx context.Context, repo int32, digests [][16]byte) (map[[16]byte]int32, error) {
	panic("skeleton")
}

// ReadBlocks hands over edge blocks in any order; the block's slices are valid
// during the call only. A block that is missing gives problem.NotFound after the others.
func (db *DB) ReadBlocks(ctx context.Context, repo int32, blocks []int32, yield func(block int32, b *pack.Block) error) error {
	panic("skeleton")
}

// ReadSites hands over the packed unresolved sites of blocks that have some
// (pack.Unpacker.Sites undoes it), in any order, valid during the call only.
func (db *DB) ReadSites(ctx context.Context, repo int32, blocks []int32, yield func(block int32, z []byte) error) error {
	panic("skeleton")
}
