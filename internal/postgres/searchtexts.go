package postgres

import (
	"context"
	"slices"
)

// textBatch is how many contents are asked for at a time.
const textBatch = 256

// Texts reads the contents of things that have blobs, each in the order of the
// blobs' batches. Files that share a blob each get it. unpack undoes the packing;
// the bytes are valid during the call of yield only.
func Texts(ctx context.Context, db *DB, repo int32, files []int, blob func(file int) int32, unpack func(z []byte) ([]byte, error), yield func(file int, text []byte) error) error {
	for part := range slices.Chunk(files, textBatch) {
		wanted := make(map[int32][]int, len(part))
		ids := make([]int32, 0, len(part))
		for _, f := range part {
			id := blob(f)
			if wanted[id] == nil {
				ids = append(ids, id)
			}
			wanted[id] = append(wanted[id], f)
		}
		err := db.ReadBlobs(ctx, repo, ids, func(id int32, z []byte) error {
			text, err := unpack(z)
			if err != nil {
				return err
			}
			for _, f := range wanted[id] {
				if err := yield(f, text); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
