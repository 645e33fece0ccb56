package postgres

import "context"

// KnownFact is a fact that is stored.
type KnownFact struct {
	ID        int32
	Language  string
	Dialect   string
	Extractor int32
}

// KnownBlob is a blob that is stored, with the facts there are about it.
type KnownBlob struct {
	ID    int32
	Size  int32
	Lines int32
	Facts []KnownFact
}

// KnownBlobs finds which contents are stored already, by SHA-256. Leftovers of a
// scan that never published count, so that nothing is written twice.
func (db *DB) KnownBlobs(ctx context.Context, repo int32, hashes [][32]byte) (map[[32]byte]KnownBlob, error) {
	panic("skeleton")
}

// ReadBlob returns a blob's packed text (pack.Unpacker.Text undoes it).
func (db *DB) ReadBlob(ctx context.Context, repo, blob int32) ([]byte, error) { panic("skeleton") }

// ReadBlobs hands over the packed text of blobs in any order. The bytes are valid
// during the call only. A blob that is missing gives problem.NotFound after the others.
func (db *DB) ReadBlobs(ctx context.Context, repo int32, blobs []int32, yield func(blob int32, z []byte) error) error {
	panic("skeleton")
}
