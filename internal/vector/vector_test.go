package vector_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"manito/internal/mapfile"
	"manito/internal/problem"
	"manito/internal/vector"
)

// clustered makes vectors as embeddings are: around some hundred centres, in a
// space of fewer dimensions than they have, with noise, and a common component.
func clustered(n, dim int, seed uint64) *vector.Set {
	codes := make([]int8, 0, n*dim)
	next := source(dim, seed)
	for range n {
		codes = vector.Quantize(codes, next())
	}
	return vector.New(dim, codes, []byte("synthetic"))
}

func source(dim int, seed uint64) func() []float32 {
	const latent, centres = 48, 400
	space := rand.New(rand.NewPCG(77, 1))
	basis := make([][]float32, latent)
	for i := range basis {
		basis[i] = make([]float32, dim)
		for j := range basis[i] {
			basis[i][j] = float32(space.NormFloat64())
		}
	}
	centre := make([][]float32, centres)
	for i := range centre {
		centre[i] = make([]float32, latent)
		for j := range centre[i] {
			centre[i][j] = float32(space.NormFloat64())
		}
	}
	r := rand.New(rand.NewPCG(seed, 2))
	return func() []float32 {
		out := make([]float32, dim)
		c := centre[r.IntN(centres)]
		for i, b := range basis {
			x := c[i] + 0.6*float32(r.NormFloat64())
			for j := range out {
				out[j] += x * b[j]
			}
		}
		for j := range out {
			out[j] += float32(r.NormFloat64()) + 2*basis[0][j]
		}
		return out
	}
}

// brute is kNN as it is defined: every cosine, sorted.
func brute(s *vector.Set, query []float32, k int, allow func(int) bool) []vector.Hit {
	q := vector.Quantize(nil, query)
	var all []vector.Hit
	for i := range s.Len() {
		var ab, aa, bb int
		for j, x := range s.Vector(i) {
			ab, aa, bb = ab+int(x)*int(q[j]), aa+int(x)*int(x), bb+int(q[j])*int(q[j])
		}
		if aa > 0 && bb > 0 && allow(i) {
			all = append(all, vector.Hit{ID: i, Cosine: float32(ab) * float32(1/math.Sqrt(float64(bb))) * float32(1/math.Sqrt(float64(aa)))})
		}
	}
	slices.SortFunc(all, func(a, b vector.Hit) int {
		return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(k, len(all))]
}

// TestExactIsBruteForce, with ties, zero vectors, filters and any number of workers.
func TestExactIsBruteForce(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{1, 3, 64, 100, 256} {
		next := source(dim, 5)
		var codes []int8
		for i := range 6000 {
			switch {
			case i%97 == 0:
				codes = append(codes, make([]int8, dim)...)
			case i%5 == 0 && i > 100:
				codes = append(codes, codes[(i-60)*dim:(i-59)*dim]...) // equal to another
			default:
				codes = vector.Quantize(codes, next())
			}
		}
		s := vector.New(dim, codes, nil)
		allow := make([]uint64, 6000/64+1)
		for i := range 6000 {
			if i%3 > 0 {
				allow[i>>6] |= 1 << (i & 63)
			}
		}
		for range 5 {
			q := next()
			for _, workers := range []int{1, 3} {
				got, mode, err := s.Search(t.Context(), q, vector.Options{K: 40, Mode: vector.Exact, Workers: workers})
				if err != nil || mode != vector.Exact || !slices.Equal(got, brute(s, q, 40, func(int) bool { return true })) {
					t.Fatalf("%d dimensions, %d workers: %v %v", dim, workers, mode, err)
				}
				got, _, err = s.Search(t.Context(), q, vector.Options{K: 40, Mode: vector.Exact, Workers: workers, Allow: allow})
				if err != nil || !slices.Equal(got, brute(s, q, 40, func(i int) bool { return i%3 > 0 })) {
					t.Fatalf("%d dimensions, filtered: %v", dim, err)
				}
			}
		}
	}
}

// TestFastFindsAlmostAll: of the ten nearest, 98 of 100 are found, the answer does not depend on workers, and filters hold.
func TestFastFindsAlmostAll(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{128, 256} {
		s := clustered(20_000, dim, 3)
		next := source(dim, 9)
		allow := make([]uint64, s.Len()/64+1)
		for i := range allow {
			allow[i] = 0xaaaaaaaaaaaaaaaa
		}
		const queries = 60
		found, filtered := 0, 0
		for range queries {
			q := next()
			got, mode, err := s.Search(t.Context(), q, vector.Options{K: 10, Workers: 1})
			if err != nil || mode != vector.Fast {
				t.Fatal(mode, err)
			}
			again, _, err := s.Search(t.Context(), q, vector.Options{K: 10, Workers: 4})
			if err != nil || !slices.Equal(got, again) {
				t.Fatalf("4 workers find %v, one finds %v: %v", again, got, err)
			}
			found += common(got, brute(s, q, 10, func(int) bool { return true }))
			half, _, err := s.Search(t.Context(), q, vector.Options{K: 10, Allow: allow})
			if err != nil {
				t.Fatal(err)
			}
			filtered += common(half, brute(s, q, 10, func(i int) bool { return i&1 == 1 }))
		}
		if found < queries*10*98/100 || filtered < queries*10*98/100 {
			t.Errorf("%d dimensions: %d and filtered %d of %d found", dim, found, filtered, queries*10)
		}
	}
}

func common(a, b []vector.Hit) int {
	n := 0
	for _, x := range a {
		if slices.ContainsFunc(b, func(y vector.Hit) bool { return x.ID == y.ID }) {
			n++
		}
	}
	return n
}

func TestQuantize(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	for _, c := range []struct {
		in   []float32
		want []int8
	}{
		{[]float32{0.5, -1, 0.25}, []int8{64, -127, 32}},
		{[]float32{1e-30, 0}, []int8{127, 0}},
		{[]float32{0, 0}, []int8{0, 0}},
		{[]float32{1, nan}, []int8{0, 0}},
		{[]float32{1, float32(math.Inf(1))}, []int8{0, 0}},
		{nil, nil},
	} {
		if got := vector.Quantize(nil, c.in); !slices.Equal(got, c.want) {
			t.Errorf("%v gives %v, want %v", c.in, got, c.want)
		}
	}
}

func TestOddSearches(t *testing.T) {
	t.Parallel()
	s := clustered(10, 8, 1)
	if _, _, err := s.Search(t.Context(), make([]float32, 9), vector.Options{K: 1}); problem.KindOf(err) != problem.Invalid || len(problem.Fixes(err)) == 0 {
		t.Errorf("another dimension: %v", err)
	}
	for name, x := range map[string]*vector.Set{"zero query": s, "no vectors": vector.New(8, nil, nil)} {
		if hits, _, err := x.Search(t.Context(), make([]float32, 8), vector.Options{K: 3}); err != nil || len(hits) > 0 {
			t.Errorf("%s: %v, %v", name, hits, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, mode := range []vector.Mode{vector.Exact, vector.Fast} {
		if _, _, err := clustered(5000, 8, 1).Search(gone, []float32{1, 2, 3, 4, 5, 6, 7, 8}, vector.Options{K: 3, Mode: mode}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", mode, err)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	s := clustered(5000, 64, 4)
	path := filepath.Join(t.TempDir(), "v")
	if err := s.Write(path); err != nil {
		t.Fatal(err)
	}
	o, err := vector.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(o.Model()) != "synthetic" || o.Dimension() != 64 || o.Len() != 5000 {
		t.Errorf("read back %q, %d x %d", o.Model(), o.Len(), o.Dimension())
	}
	next := source(64, 6)
	for range 10 {
		q := next()
		a, _, err := s.Search(t.Context(), q, vector.Options{K: 10})
		if err != nil {
			t.Fatal(err)
		}
		if b, _, err := o.Search(t.Context(), q, vector.Options{K: 10}); err != nil || !slices.Equal(a, b) {
			t.Errorf("the file finds %v, the set %v: %v", b, a, err)
		}
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := vector.Open(path); !errors.Is(err, mapfile.ErrCorrupt) {
		t.Errorf("a file that was cut: %v", err)
	}
}
