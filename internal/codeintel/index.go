package codeintel

import (
	"context"
	"sync"

	"manito/internal/code"
	"manito/internal/graph"
)

// TextSource gives the stored contents of files of the snapshot.
type TextSource interface {
	// Texts returns the contents of the files at paths, in their order; nil for a
	// file whose contents are not stored. The bytes must not be changed.
	Texts(ctx context.Context, paths []string) ([][]byte, error)
}

// Options say what an Index needs besides its graph.
type Options struct {
	// Text is where signatures, documentation and the words of unread files come
	// from. Without it answers have none of the first two, and a file that was not
	// read counts as one that might mention anything.
	Text TextSource
	// Search is where searches look; the zero value makes them fail with problem.Unsupported.
	Search SearchFiles
}

// Index is one snapshot of a repository, open for questions. It is safe for concurrent use.
//
// Every use case returns an error that wraps graph.ErrCorrupt when the graph's
// file turns out to be damaged; Shelf.Discard then has it made again.
type Index struct {
	g    *graph.Graph
	opts Options

	marks  once[marked]
	tests  once[[]uint64]
	unread unreadWords

	searching searching
}

// marked lists the files that can hide uses, in path order. They are few, and
// every question needs them, so that they are looked for once.
type marked struct {
	partly  []graph.FileNo // of which only a part was read
	dynamic []graph.FileNo // that evaluate code or look names up at run time
	unread  []graph.FileNo // that were not read
}

// testDefs has a bit for each definition that is a test or stands in a test file: a
// large answer asks for thousands of them all over the graph, and this stays in the cache.
func (x *Index) testDefs() []uint64 {
	bits, _ := x.tests.do(func() ([]uint64, error) { // it cannot fail
		bits := make([]uint64, x.g.NumDefs()/64+1)
		for f := range graph.FileNo(x.g.NumFiles()) {
			_, end := x.g.FileDefs(f)
			whole := x.g.DocFlags(f)&code.DocTest != 0
			for d := x.g.FileDef(f); d < end; d++ {
				if whole || x.g.Flags(d)&code.DefTest != 0 {
					bits[d/64] |= 1 << (d % 64)
				}
			}
		}
		return bits, nil
	})
	return bits
}

func (x *Index) marked() marked {
	m, _ := x.marks.do(func() (marked, error) { // it cannot fail
		return marked{
			partly:  x.g.FlaggedFiles(code.DocBroken | code.DocOutline),
			dynamic: x.g.FlaggedFiles(code.DocDynamic),
			unread:  x.g.UnreadFiles(),
		}, nil
	})
	return m
}

// New opens a graph for questions.
func New(g *graph.Graph, o Options) *Index {
	return &Index{g: g, opts: o}
}

// Graph is the graph behind the index.
func (x *Index) Graph() *graph.Graph { return x.g }

// texts reads files' contents once per path; a nil source gives nil.
func (x *Index) texts(ctx context.Context, paths []string) (map[string][]byte, error) {
	out := make(map[string][]byte, len(paths))
	if x.opts.Text == nil || len(paths) == 0 {
		return out, nil
	}
	var distinct []string
	for _, p := range paths {
		if _, ok := out[p]; !ok {
			out[p] = nil
			distinct = append(distinct, p)
		}
	}
	texts, err := x.opts.Text.Texts(ctx, distinct)
	if err != nil {
		return nil, err
	}
	for i, p := range distinct {
		if i < len(texts) {
			out[p] = texts[i]
		}
	}
	return out, nil
}

// once is a computation that is repeated when it failed.
type once[T any] struct {
	mu   sync.Mutex
	done bool
	v    T
}

func (o *once[T]) do(f func() (T, error)) (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done {
		return o.v, nil
	}
	v, err := f()
	if err == nil {
		o.v, o.done = v, true
	}
	return v, err
}
