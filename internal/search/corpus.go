package search

import (
	"context"
	"crypto/sha256"

	"manito/internal/chunk"
	"manito/internal/code"
)

// Corpus is one snapshot of a repository as it is given to be indexed.
type Corpus struct {
	Digest [32]byte // of the snapshot; it names the files of its index
	Files  []File   // in the order of the graph's file numbers
	// Texts hands over the contents of files by their numbers, in any order. The bytes
	// are valid during the call only.
	Texts func(ctx context.Context, files []int, yield func(file int, text []byte) error) error
	// Documents gives the Documents of files in their order; nil for a file that no extractor read.
	Documents func(ctx context.Context, files []int) ([]*code.Document, error)
}

// File is one file of a Corpus.
type File struct {
	Path   string
	Hash   [32]byte // SHA-256 of its bytes
	Size   int64    // bytes
	Text   bool     // its contents are stored and are text
	Reader string   // which version of which extractor read it; "" when none did
}

// key names what the chunks of a file follow from.
func (f *File) key() [32]byte {
	h := sha256.New()
	h.Write(f.Hash[:])
	h.Write([]byte(f.Reader + "\x00" + f.Path))
	return [32]byte(h.Sum(nil))
}

// FileChunks are the chunks of one file of a Corpus.
type FileChunks struct {
	File   int
	Chunks []chunk.Chunk
}
