package builtin_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"manito/internal/chunk"
	"manito/internal/embed/builtin"
	"manito/internal/mapfile"
)

// topics pair words that people use with words that only code uses.
func topics() [][2][]string {
	return [][2][]string{
		{{"wibble", "gadget"}, {"frobnicator", "zork"}},
		{{"sprocket", "florp"}, {"quuxify", "blarg"}},
		{{"snark", "boojum"}, {"vorpal", "tulgey"}},
		{{"mimsy", "borogove"}, {"jubjub", "bander"}},
	}
}

// repository is n documented functions, each about one topic: the documentation has its words, the code those of code.
func repository(n int, seed uint64, documented bool) []chunk.Chunk {
	r := rand.New(rand.NewPCG(seed, 3))
	out := make([]chunk.Chunk, n)
	all := topics()
	for i := range out {
		t := all[i%len(all)]
		noise := func() string { return fmt.Sprintf("noise%c%c", 'a'+r.IntN(20), 'a'+r.IntN(3)) }
		c := chunk.Chunk{Name: t[1][r.IntN(2)] + noise(), Path: "a/b.go", Body: fmt.Sprintf("%s(%s, %s)\n%s", t[1][0], noise(), t[1][1], noise())}
		if documented {
			c.Doc = fmt.Sprintf("Prepares each %s for its %s with %s.", t[0][0], t[0][1], noise())
		}
		c.Hash = sha256.Sum256(fmt.Append(nil, seed, i))
		out[i] = c
	}
	return out
}

func train(t *testing.T, cs []chunk.Chunk) *builtin.Model {
	t.Helper()
	m, err := builtin.Train(t.Context(), cs)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func embedAll(t *testing.T, m *builtin.Model, cs []chunk.Chunk) [][]float32 {
	t.Helper()
	var out [][]float32
	err := m.Chunks(t.Context(), cs, func(first int, vs [][]float32) error {
		if first != len(out) {
			t.Errorf("batch begins at %d after %d vectors", first, len(out))
		}
		out = append(out, vs...)
		return nil
	})
	if err != nil || len(out) != len(cs) {
		t.Fatalf("%d vectors of %d chunks: %v", len(out), len(cs), err)
	}
	return out
}

func cosine(a, b []float32) float64 {
	var ab float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
	}
	return ab
}

// TestLearnsWhatWordsMean: a question in the words of documentation finds code that has none of them and no documentation.
func TestLearnsWhatWordsMean(t *testing.T) {
	t.Parallel()
	m := train(t, repository(400, 1, true))
	bare := repository(40, 2, false)
	vs := embedAll(t, m, bare)
	for k, topic := range topics() {
		q, err := m.Query(t.Context(), "a "+topic[0][0]+" for the "+topic[0][1])
		if err != nil {
			t.Fatal(err)
		}
		inside, outside := math.Inf(1), math.Inf(-1)
		for i, v := range vs {
			if i%len(topics()) == k {
				inside = min(inside, cosine(q, v))
			} else {
				outside = max(outside, cosine(q, v))
			}
		}
		if inside <= outside {
			t.Errorf("%v: the farthest of its code is at %.2f, the nearest other at %.2f", topic[0], inside, outside)
		}
	}
}

// TestSameChunksSameModel, bit for bit, and so are the vectors of the model that was stored and loaded.
func TestSameChunksSameModel(t *testing.T) {
	t.Parallel()
	cs := repository(1500, 4, true)
	a, b := train(t, cs), train(t, cs)
	if a.Model() != b.Model() {
		t.Errorf("%s, then %s", a.Model(), b.Model())
	}
	bytes, err := a.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	c, err := builtin.Load(bytes)
	if err != nil || c.Model() != a.Model() {
		t.Fatalf("loaded %s, trained %s: %v", c.Model(), a.Model(), err)
	}
	va, vc := embedAll(t, a, cs), embedAll(t, c, cs)
	for i := range va {
		if !slices.Equal(va[i], vc[i]) {
			t.Fatalf("chunk %d has another vector after loading", i)
		}
		if n := cosine(va[i], va[i]); math.Abs(n-1) > 1e-5 || len(va[i]) != a.Model().Dimension {
			t.Fatalf("chunk %d: length %v, %d dimensions", i, n, len(va[i]))
		}
	}
	if other := train(t, repository(1500, 5, true)); other.Model().Digest == a.Model().Digest {
		t.Error("other chunks give the same digest")
	}
	for _, at := range []int{3, 20, len(bytes) / 2, len(bytes) - 1} {
		bad := slices.Clone(bytes)
		bad[at] ^= 4
		if _, err := builtin.Load(bad); !errors.Is(err, mapfile.ErrCorrupt) {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	if _, err := builtin.Load(bytes[:len(bytes)/2]); !errors.Is(err, mapfile.ErrCorrupt) {
		t.Errorf("half a model: %v", err)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	cs := repository(3000, 6, true)
	m := train(t, cs)
	other := repository(3000, 7, true)
	for _, c := range []struct {
		name     string
		now      []chunk.Chunk
		from, to float64
	}{
		{"the same", cs, 0, 0},
		{"in another order", append(slices.Clone(cs[1000:]), cs[:1000]...), 0, 0},
		{"a tenth replaced", append(slices.Clone(cs[300:]), other[:300]...), 0.12, 0.25}, // 600 of 3300
		{"a third added", append(slices.Clone(cs), other[:1000]...), 0.2, 0.3},
		{"all other", other, 1, 1},
	} {
		if got := m.Stale(c.now); got < c.from || got > c.to {
			t.Errorf("%s: %.3f, want %.2f to %.2f", c.name, got, c.from, c.to)
		}
	}
}

// TestLittle: repositories in which there is nothing to be learned have a model all the same, of what is known of words in general.
func TestLittle(t *testing.T) {
	t.Parallel()
	for name, cs := range map[string][]chunk.Chunk{"nothing": nil, "one chunk": repository(1, 1, true), "no words": {{Body: "(((("}, {}}} {
		m := train(t, cs)
		vs := embedAll(t, m, append(cs, chunk.Chunk{Name: "retryWithBackoff", Path: "x.go"}, chunk.Chunk{Name: "parseHTMLTable", Path: "x.go"}))
		q, err := m.Query(t.Context(), "wait longer between attempts after failures")
		if err != nil {
			t.Fatal(err)
		}
		if a, b := cosine(q, vs[len(vs)-2]), cosine(q, vs[len(vs)-1]); a <= b {
			t.Errorf("%s: retrying is at %.2f, parsing at %.2f", name, a, b)
		}
		if q, err = m.Query(t.Context(), "qqqqzzzz"); err != nil || cosine(q, q) != 0 {
			t.Errorf("%s: an unknown word gives %v, %v", name, q[:3], err)
		}
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	cs := repository(3000, 8, true)
	m := train(t, cs[:100])
	stop := errors.New("stop")
	calls := 0
	err := m.Chunks(t.Context(), cs, func(int, [][]float32) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%d batches after the caller's error: %v", calls, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Chunks(gone, cs, func(int, [][]float32) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := builtin.Train(gone, cs); !errors.Is(err, context.Canceled) {
		t.Errorf("training, cancelled: %v", err)
	}
}
