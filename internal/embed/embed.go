// Package embed says what turns chunks and questions into vectors: an Embedder,
// known by its Model. Package builtin trains one on the repository itself and
// needs nothing else; package openai asks a server.
//
// It may be imported by search and what stands above it.
package embed

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"manito/internal/chunk"
)

// Model says who made a vector. Vectors of different Models are never compared.
type Model struct {
	Name      string   // "builtin", "text-embedding-3-small"
	Version   string   // of the rules by which texts are made into vectors
	Dimension int      // of its vectors
	Digest    [32]byte // of what else decides about the vectors: the trained model, or how a server is asked
}

// String is the model as people read it: name, version, dimension and the begin of its digest.
func (m Model) String() string {
	return fmt.Sprintf("%s %s, %d dimensions, %s", m.Name, m.Version, m.Dimension, hex.EncodeToString(m.Digest[:4]))
}

// Bytes are equal if and only if two Models are. They are kept with sets of vectors.
func (m Model) Bytes() []byte {
	b := binary.AppendUvarint(nil, uint64(m.Dimension))
	b = append(b, m.Digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(m.Name)))
	b = append(b, m.Name...)
	return append(b, m.Version...)
}

// Embedder turns chunks and questions into vectors of one Model. It is safe for
// concurrent use, and a function of its input: a chunk that has not changed keeps
// its vector.
type Embedder interface {
	Model() Model
	// Chunks embeds chunks in batches. done receives each finished batch once, never
	// two at a time and not always in order: the number of its first chunk and the
	// vectors, which are the caller's to keep. After an error, what done received is
	// finished; the work goes on when the rest is given again.
	Chunks(ctx context.Context, chunks []chunk.Chunk, done func(first int, vectors [][]float32) error) error
	// Query embeds a question. A question of which the model knows nothing gives a vector of zeros.
	Query(ctx context.Context, text string) ([]float32, error)
}
