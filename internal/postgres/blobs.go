package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

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

// batch bounds how many keys one statement is asked for.
const batch = 16384

// KnownBlobs finds which contents are stored already, by SHA-256. Leftovers of a
// scan that never published count, so that nothing is written twice.
func (db *DB) KnownBlobs(ctx context.Context, repo int32, hashes [][32]byte) (known map[[32]byte]KnownBlob, err error) {
	defer problem.Call(&err, "KnownBlobs(%d, %d hashes)", repo, len(hashes))
	known = make(map[[32]byte]KnownBlob, len(hashes))
	for part := range slices.Chunk(hashes, batch) {
		keys := make([][]byte, len(part))
		for i := range part {
			keys[i] = part[i][:]
		}
		err := db.each(ctx, func(rows pgx.Rows) error {
			var hash []byte
			var b KnownBlob
			var fact, extractor *int32
			var language, dialect *string
			if err := rows.Scan(&hash, &b.ID, &b.Size, &b.Lines, &fact, &language, &dialect, &extractor); err != nil {
				return err
			}
			k := [32]byte(hash)
			if old, ok := known[k]; ok {
				b = old
			}
			if fact != nil {
				b.Facts = append(b.Facts, KnownFact{ID: *fact, Language: *language, Dialect: *dialect, Extractor: *extractor})
			}
			known[k] = b
			return nil
		}, `
			select b.hash, b.blob_id, b.size, b.lines, f.fact_id, f.language, f.dialect, f.extractor
			from blob b left join fact f on f.repo_id = b.repo_id and f.blob_id = b.blob_id
			where b.repo_id = $1 and b.hash = any ($2) order by f.fact_id`, repo, keys)
		if err != nil {
			return nil, explain(ctx, err, "looking for known contents")
		}
	}
	return known, nil
}

// ReadBlob returns a blob's packed text (pack.Unpacker.Text undoes it).
func (db *DB) ReadBlob(ctx context.Context, repo, blob int32) (z []byte, err error) {
	err = db.ReadBlobs(ctx, repo, []int32{blob}, func(_ int32, found []byte) error {
		z = append([]byte(nil), found...)
		return nil
	})
	return z, err
}

// ReadBlobs hands over the packed text of blobs in any order. The bytes are valid
// during the call only. A blob that is missing gives problem.NotFound after the others.
func (db *DB) ReadBlobs(ctx context.Context, repo int32, blobs []int32, yield func(blob int32, z []byte) error) (err error) {
	defer problem.Call(&err, "ReadBlobs(%d, %d blobs)", repo, len(blobs))
	return db.readPacked(ctx, "blob", `select blob_id, z from blob where repo_id = $1 and blob_id = any ($2)`, repo, blobs, yield)
}
