package vector

import (
	"cmp"
	"context"
	"math/bits"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"manito/internal/problem"
)

// Mode says how a search looks.
type Mode uint8

// The modes.
const (
	Fast  Mode = iota // nearest signs first, then exactly among them
	Exact             // every vector
)

// String is the mode in lower case.
func (m Mode) String() string {
	if m == Exact {
		return "exact"
	}
	return "fast"
}

// Options say what to look for.
type Options struct {
	K    int
	Mode Mode
	// Allow has a bit for each vector that counts, 64 to a word from the lowest; nil for all.
	Allow []uint64
	// Candidates is how many vectors the fast mode looks at exactly; 0 for what was
	// measured to find 98 of 100.
	Candidates int
	// Workers is how many shares of the set are searched at once; 0 for as many as
	// there are processors. It does not change the answer.
	Workers int
}

// Hit is a vector that was found.
type Hit struct {
	ID     int
	Cosine float32
}

// exactBelow is the size below which the fast mode compares with every vector: there it would gain nothing.
const exactBelow = 4000

// Search finds the K nearest vectors to a query, the nearest first; equal ones in
// the order of their numbers. Vectors of zeros are never found. The second result
// is the mode in which it looked. A query of another dimension is refused.
func (s *Set) Search(ctx context.Context, query []float32, o Options) ([]Hit, Mode, error) {
	if len(query) != s.Dimension() {
		return nil, o.Mode, problem.New(problem.Invalid, "the query has %d dimensions, the vectors have %d", len(query), s.Dimension()).
			Fix("embed the query with the model that made the vectors")
	}
	q := newQuery(s, query)
	if o.K <= 0 || s.Len() == 0 || q.scale == 0 {
		return nil, o.Mode, ctx.Err()
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = max(1, min(workers, s.Len()/2048))
	if o.Mode == Fast && s.Len() > exactBelow {
		hits, err := s.fast(ctx, q, o, workers)
		return hits, Fast, err
	}
	hits, err := s.exact(ctx, q, o, workers)
	return hits, Exact, err
}

// query is what is looked for, as bytes and as signs.
type query struct {
	codes []int8
	scale float32
	signs []uint64
}

func newQuery(s *Set, v []float32) query {
	q := query{codes: Quantize(nil, v), signs: make([]uint64, words(s.Dimension()))}
	one := New(len(v), q.codes, nil)
	q.scale = one.scale[0]
	s.sign(q.signs, q.codes, q.scale)
	return q
}

func allowed(set []uint64, i int) bool {
	return set == nil || i>>6 < len(set) && set[i>>6]>>(i&63)&1 == 1
}

// batch is how many vectors are compared between two looks at the context.
const batch = 1 << 14

// exact compares with every vector.
func (s *Set) exact(ctx context.Context, q query, o Options, workers int) ([]Hit, error) {
	tops := make([]top, workers)
	err := s.shares(ctx, workers, func(w, from, to int) {
		t := &tops[w]
		t.k = o.K
		for i := from; i < to; i++ {
			if s.scale[i] != 0 && allowed(o.Allow, i) {
				t.offer(Hit{i, s.cosine(q, i)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return merge(tops, o.K), nil
}

// cosine of the query and a vector, both as bytes. The sum is of whole numbers, so that its order does not matter.
func (s *Set) cosine(q query, i int) float32 {
	return float32(product(q.codes, s.vector(i))) * q.scale * s.scale[i]
}

func product(a, b []int8) int32 {
	b = b[:len(a)]
	var w, x, y, z int32
	for len(a) >= 8 && len(b) >= 8 {
		w += int32(a[0])*int32(b[0]) + int32(a[4])*int32(b[4])
		x += int32(a[1])*int32(b[1]) + int32(a[5])*int32(b[5])
		y += int32(a[2])*int32(b[2]) + int32(a[6])*int32(b[6])
		z += int32(a[3])*int32(b[3]) + int32(a[7])*int32(b[7])
		a, b = a[8:], b[8:]
	}
	for i := range a {
		w += int32(a[i]) * int32(b[i])
	}
	return w + x + y + z
}

// fast compares signs with every vector, and exactly with those that differ least.
// The threshold comes from a histogram, so that the candidates do not depend on
// the number of workers.
func (s *Set) fast(ctx context.Context, q query, o Options, workers int) ([]Hit, error) {
	n, dim := s.Len(), s.Dimension()
	want := o.Candidates
	if want <= 0 {
		want = candidates(n, o.K)
	}
	// Vectors that do not count are as far away as none can be.
	far := uint16(dim + 1)
	distance := make([]uint16, n)
	counts := make([][]int, workers)
	err := s.shares(ctx, workers, func(w, from, to int) {
		if counts[w] == nil {
			counts[w] = make([]int, dim+2)
		}
		s.distances(q.signs, distance, from, to)
		for i := from; i < to; i++ {
			if s.scale[i] == 0 || !allowed(o.Allow, i) {
				distance[i] = far
			}
			counts[w][distance[i]]++
		}
	})
	if err != nil {
		return nil, err
	}
	limit, sum := 0, 0
	for ; limit <= dim; limit++ {
		for _, c := range counts {
			if c != nil {
				sum += c[limit]
			}
		}
		if sum >= want {
			break
		}
	}
	limit = min(limit, dim)
	tops := make([]top, workers)
	err = s.shares(ctx, workers, func(w, from, to int) {
		t := &tops[w]
		t.k = o.K
		for i, d := range distance[from:to] {
			if int(d) <= limit {
				t.offer(Hit{from + i, s.cosine(q, from+i)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return merge(tops, o.K), nil
}

// candidates is how many vectors the fast mode looks at exactly.
func candidates(n, k int) int {
	return max(20*k, min(1000, n/20), n/400)
}

// distances counts the differing signs of a range of vectors.
func (s *Set) distances(q []uint64, out []uint16, from, to int) {
	switch len(q) {
	case 2: // 128 dimensions
		q0, q1 := q[0], q[1]
		rest := s.signs[from*2 : to*2]
		for i := from; i < to && len(rest) >= 2; i++ {
			out[i] = uint16(bits.OnesCount64(rest[0]^q0) + bits.OnesCount64(rest[1]^q1))
			rest = rest[2:]
		}
		return
	case 4: // 256 dimensions
		q0, q1, q2, q3 := q[0], q[1], q[2], q[3]
		rest := s.signs[from*4 : to*4]
		for i := from; i < to && len(rest) >= 4; i++ {
			out[i] = uint16(bits.OnesCount64(rest[0]^q0) + bits.OnesCount64(rest[1]^q1) + bits.OnesCount64(rest[2]^q2) + bits.OnesCount64(rest[3]^q3))
			rest = rest[4:]
		}
		return
	}
	w := len(q)
	for i := from; i < to; i++ {
		d := 0
		for j, x := range s.signs[i*w : i*w+w] {
			d += bits.OnesCount64(x ^ q[j])
		}
		out[i] = uint16(d)
	}
}

// shares gives each worker its part of the set, in pieces.
func (s *Set) shares(ctx context.Context, workers int, f func(w, from, to int)) error {
	group, ctx := errgroup.WithContext(ctx)
	n := s.Len()
	for w := range workers {
		group.Go(func() error {
			end := (w + 1) * n / workers
			for at := w * n / workers; at < end; at += batch {
				if err := ctx.Err(); err != nil {
					return err
				}
				f(w, at, min(at+batch, end))
			}
			return nil
		})
	}
	return group.Wait()
}

// order is the order of hits.
func order(a, b Hit) int {
	if c := cmp.Compare(b.Cosine, a.Cosine); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

// top keeps the k best of what it is offered, in two halves: when it is full it is
// sorted and cut, which costs a constant for each offer.
type top struct {
	k     int
	hits  []Hit
	floor Hit
	full  bool
}

func (t *top) offer(h Hit) {
	if t.full && order(h, t.floor) > 0 {
		return
	}
	t.hits = append(t.hits, h)
	if len(t.hits) >= 2*t.k+16 {
		t.cut()
	}
}

func (t *top) cut() {
	slices.SortFunc(t.hits, order)
	if len(t.hits) >= t.k {
		t.hits = t.hits[:t.k]
		t.floor, t.full = t.hits[t.k-1], true
	}
}

func merge(tops []top, k int) []Hit {
	var out []Hit
	for i := range tops {
		out = append(out, tops[i].hits...)
	}
	slices.SortFunc(out, order)
	return out[:min(k, len(out))]
}
