// Package builtin embeds without any download: its model is trained in seconds on
// the repository in which it is used.
//
// A word has a vector; a chunk or question is the weighted sum of the vectors of
// its words, scaled to length 1. The vectors are learned from pairs of which both
// sides are known to mean the same: documentation and the code below it, and, for
// what has no documentation, a name and what it names. Training moves the two
// sides of a pair together and away from the other pairs of their batch (van den
// Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive
// Coding", 2018; bags of words as in Husain et al., "CodeSearchNet Challenge",
// 2019). So it learns that what people call "retry" is where the code says
// "backoff", which no count of equal words finds.
//
// The same chunks give the same model, bit for bit, on one kind of processor.
//
// It may be imported by codeintel and what stands above it.
package builtin

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/mapfile"
	"manito/internal/term"
)

// Name is that of the built-in model, whatever it was trained on.
const Name = "builtin"

// version is that of training and embedding; raise it whenever the same chunks
// give other vectors.
const version = "1"

// StaleAfter is the share of chunks that a model has not seen from which on it is
// worth training anew: until then words that are new count little.
const StaleAfter = 0.2

// Model is a trained model. It does not change and may be used concurrently.
type Model struct {
	head    []uint32 // dimension, words, term.Version
	termAt  []uint32
	terms   []uint8   // one after the other, sorted
	weight  []float32 // of each word: how rare it is
	scale   []float32 // what vectors are to be multiplied with
	vectors []int8    // dimension for each word
	seen    []uint64  // the smallest sums of the chunks it was trained on, sorted

	words  map[string]uint32
	digest [32]byte
	splits sync.Pool // of *term.Splitter, which remember and are slow to fill
}

var _ embed.Embedder = (*Model)(nil)

func (m *Model) columns() []mapfile.Column {
	return []mapfile.Column{mapfile.Col(&m.head), mapfile.Col(&m.termAt), mapfile.Col(&m.terms), mapfile.Col(&m.weight), mapfile.Col(&m.scale), mapfile.Col(&m.vectors), mapfile.Col(&m.seen)}
}

func format() mapfile.Format { return mapfile.Format{Magic: "MANITOEM", Version: 1} }

// Bytes is the model to be stored; Load reads it.
func (m *Model) Bytes() ([]byte, error) { return format().Bytes(m.columns()...) }

// Load reads a stored model, which keeps b. Errors wrap mapfile.ErrCorrupt or
// mapfile.ErrVersion; the model can be trained again.
func Load(b []byte) (*Model, error) {
	m := &Model{}
	if err := format().Decode(b, true, m.columns()...); err != nil {
		return nil, err
	}
	n := len(m.weight)
	if len(m.head) != 3 || int(m.head[1]) != n || len(m.termAt) != n+1 || int(m.termAt[n]) != len(m.terms) || len(m.scale) != n || len(m.vectors) != n*int(m.head[0]) || !slices.IsSorted(m.termAt) {
		return nil, mapfile.Corrupt("its sections do not fit each other")
	}
	if m.head[2] != term.Version {
		return nil, mapfile.ErrVersion
	}
	m.finish(b)
	return m, nil
}

// finish makes what follows from the columns.
func (m *Model) finish(b []byte) {
	m.digest = sha256.Sum256(b)
	m.words = make(map[string]uint32, len(m.weight))
	text := string(m.terms)
	for i := range m.weight {
		m.words[text[m.termAt[i]:m.termAt[i+1]]] = uint32(i)
	}
	m.splits.New = func() any { return new(term.Splitter) }
}

// Model is the model's identity; its digest is that of its bytes.
func (m *Model) Model() embed.Model {
	return embed.Model{Name: Name, Version: version, Dimension: int(m.head[0]), Digest: m.digest}
}

// Words is how many words it knows.
func (m *Model) Words() int { return len(m.weight) }

// embedBatch is how many chunks are handed over at once.
const embedBatch = 1024

// Chunks embeds chunks, in order.
func (m *Model) Chunks(ctx context.Context, chunks []chunk.Chunk, done func(first int, vectors [][]float32) error) error {
	dim := int(m.head[0])
	for first := 0; first < len(chunks); first += embedBatch {
		part := chunks[first:min(first+embedBatch, len(chunks))]
		out := make([][]float32, len(part))
		flat := make([]float32, len(part)*dim)
		group, inner := errgroup.WithContext(ctx)
		const share = embedBatch / 4
		for from := 0; from < len(part); from += share {
			group.Go(func() error {
				s := m.splits.Get().(*term.Splitter)
				defer m.splits.Put(s)
				b := newBagger(m.words)
				for i := from; i < min(from+share, len(part)); i++ {
					if err := inner.Err(); err != nil {
						return err
					}
					out[i] = flat[i*dim : i*dim+dim : i*dim+dim]
					b.chunk(s, &part[i], true)
					m.embed(b.take(m.weight), out[i])
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := done(first, out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Query embeds a question; words that the model does not know are left out.
func (m *Model) Query(ctx context.Context, text string) ([]float32, error) {
	s := m.splits.Get().(*term.Splitter)
	defer m.splits.Put(s)
	b := newBagger(m.words)
	b.add(s.Append(nil, text, term.Prose), 1)
	out := make([]float32, m.head[0])
	m.embed(b.take(m.weight), out)
	return out, ctx.Err()
}

// embed sums the vectors of a bag's words and scales the sum to length 1.
func (m *Model) embed(b bag, out []float32) {
	dim := len(out)
	for i, id := range b.ids {
		w := float32(b.weights[i] * m.scale[id])
		v := m.vectors[int(id)*dim : int(id)*dim+dim]
		for j := range out {
			out[j] += float32(w * float32(v[j]))
		}
	}
	normalize(out)
}

// sketch is how many sums of chunks a model remembers.
const sketch = 1024

// smallest are the smallest of the chunks' sums, sorted and each once.
func smallest(chunks []chunk.Chunk) []uint64 {
	all := make([]uint64, len(chunks))
	for i := range chunks {
		all[i] = binary.LittleEndian.Uint64(chunks[i].Hash[:])
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.Clone(all[:min(sketch, len(all))])
}

// Stale estimates the share of chunks, of those of now and of those it was trained
// on together, that are not in both: 0 when nothing changed, 1 when everything did.
// It looks at the smallest sums of both (Broder, "On the resemblance and
// containment of documents", 1997), which is within some hundredths.
func (m *Model) Stale(chunks []chunk.Chunk) float64 {
	now := smallest(chunks)
	union := slices.Compact(slices.Sorted(slices.Values(slices.Concat(now, m.seen))))
	union = union[:min(sketch, len(union))]
	if len(union) == 0 {
		return 0
	}
	both := 0
	for _, x := range union {
		_, a := slices.BinarySearch(now, x)
		_, b := slices.BinarySearch(m.seen, x)
		if a && b {
			both++
		}
	}
	return 1 - float64(both)/float64(len(union))
}

// bag is a text as words with weights, by word; the weights' squares add up to 1.
type bag struct {
	ids     []uint32
	weights []float32
}

// What an occurrence counts by the part of a chunk in which it stands.
const (
	nameWeight    = 6
	contextWeight = 2
	docWeight     = 3
	bodyWeight    = 1
)

// bagger makes bags.
type bagger struct {
	words  map[string]uint32
	counts map[uint32]float32
	buf    []string
}

func newBagger(words map[string]uint32) *bagger {
	return &bagger{words: words, counts: map[uint32]float32{}}
}

func (b *bagger) add(terms []string, weight float32) {
	for _, t := range terms {
		if id, ok := b.words[t]; ok {
			b.counts[id] += weight
		}
	}
}

// chunk adds a chunk's parts, with or without documentation.
func (b *bagger) chunk(s *term.Splitter, c *chunk.Chunk, doc bool) {
	b.buf = s.Append(b.buf[:0], c.Name, term.Name)
	b.add(b.buf, nameWeight)
	b.context(s, c)
	if doc {
		b.buf = s.Append(b.buf[:0], c.Doc, term.Prose)
		b.add(b.buf, docWeight)
	}
}

// context adds a chunk's parts other than name and documentation.
func (b *bagger) context(s *term.Splitter, c *chunk.Chunk) {
	b.buf = s.Append(b.buf[:0], c.Context(), term.Name)
	b.add(b.buf, contextWeight)
	b.buf = s.Append(b.buf[:0], c.Body, term.Code)
	b.add(b.buf, bodyWeight)
}

// take returns what was added and begins anew. A word weighs the logarithm of what
// it counts, times how rare it is.
func (b *bagger) take(rare []float32) bag {
	out := bag{ids: make([]uint32, 0, len(b.counts)), weights: make([]float32, len(b.counts))}
	for id := range b.counts {
		out.ids = append(out.ids, id)
	}
	slices.Sort(out.ids)
	for i, id := range out.ids {
		out.weights[i] = float32(math.Log1p(float64(b.counts[id]))) * rare[id]
	}
	normalize(out.weights)
	clear(b.counts)
	return out
}
