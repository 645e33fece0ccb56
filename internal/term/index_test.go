package term_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"manito/internal/mapfile"
	"manito/internal/term"
)

// corpus makes documents whose words follow Zipf's law, as in code.
func corpus(n int, seed uint64) []term.Fields {
	r := rand.New(rand.NewPCG(seed, 1))
	zipf := rand.NewZipf(r, 1.1, 4, 20000)
	word := func(k int) string {
		var b strings.Builder
		for range 1 + r.IntN(k) {
			v := zipf.Uint64()
			for range 3 {
				b.WriteByte("bcdfghjklmnprtvz"[v%16])
				b.WriteByte("aeiou"[v/16%5])
				v /= 40
			}
			b.WriteByte(' ')
		}
		return b.String()
	}
	out := make([]term.Fields, n)
	for i := range out {
		out[i] = term.Fields{Name: word(3), Context: word(8), Body: word(120)}
		if i%2 == 0 {
			out[i].Doc = word(20)
		}
	}
	return out
}

func build(t testing.TB, docs []term.Fields, o term.Options) *term.Index {
	t.Helper()
	if o.Params.K1 == 0 {
		o.Params = term.Defaults()
	}
	x, err := term.Build(context.Background(), len(docs), func(i int) term.Fields { return docs[i] }, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// bm25f is BM25F as it is written in the paper, with nothing stored beforehand.
func bm25f(docs []term.Fields, query []term.Weighted, p term.Params) []float64 {
	type counted struct {
		tf  [term.NumFields]map[string]int
		len [term.NumFields]int
	}
	var s term.Splitter
	all := make([]counted, len(docs))
	var mean [term.NumFields]float64
	for i, d := range docs {
		for f, text := range []string{d.Name, d.Context, d.Doc, d.Body} {
			kind := []term.Kind{term.Name, term.Name, term.Prose, term.Code}[f]
			terms := s.Append(nil, text, kind)
			all[i].tf[f] = map[string]int{}
			all[i].len[f] = len(terms)
			mean[f] += float64(len(terms)) / float64(len(docs))
			if term.Field(f) == term.FieldName {
				terms = s.Whole(terms, text)
			}
			for _, w := range terms {
				all[i].tf[f][w]++
			}
		}
	}
	out := make([]float64, len(docs))
	for _, q := range query {
		have := 0
		sums := make([]float64, len(docs))
		for i, d := range all {
			for f := range d.tf {
				n := float64(min(d.tf[f][q.Term], 255))
				if n > 0 {
					sums[i] += float64(p.Weight[f]) * n / (1 - float64(p.B[f]) + float64(p.B[f])*float64(d.len[f])/mean[f])
				}
			}
			if sums[i] > 0 {
				have++
			}
		}
		idf := math.Log(1 + (float64(len(docs))-float64(have)+.5)/(float64(have)+.5))
		for i, tf := range sums {
			out[i] += float64(q.Weight) * idf * tf / (float64(p.K1) + tf)
		}
	}
	return out
}

// TestSearchIsBM25F compares with the formula: each score is within what storing impacts in one byte costs, and the order follows the scores.
func TestSearchIsBM25F(t *testing.T) {
	t.Parallel()
	docs := corpus(700, 3)
	x := build(t, docs, term.Options{Workers: 3})
	var s term.Splitter
	r := rand.New(rand.NewPCG(9, 9))
	for range 60 {
		d := docs[r.IntN(len(docs))]
		words := strings.Fields(d.Name + d.Context + d.Doc + d.Body)
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		query := s.Query(strings.Join(words[:min(len(words), 1+r.IntN(6))], " "))
		want := bm25f(docs, query, term.Defaults())
		hits, err := term.Search(t.Context(), []term.Segment{{Index: x}}, query, len(docs))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, w := range want {
			if w > 0 {
				found++
			}
		}
		if len(hits) != found {
			t.Fatalf("%v: %d documents, want %d", query, len(hits), found)
		}
		ceiling := 0.
		for _, q := range query {
			ceiling += float64(q.Weight) * math.Log(1+float64(len(docs)))
		}
		for i, h := range hits {
			if math.Abs(float64(h.Score)-want[h.Doc]) > ceiling/255 {
				t.Errorf("%v: document %d has %v, want %v", query, h.Doc, h.Score, want[h.Doc])
			}
			if i > 0 && (hits[i-1].Score < h.Score || hits[i-1].Score == h.Score && hits[i-1].Doc > h.Doc) {
				t.Errorf("%v: hits %d and %d are out of order", query, i-1, i)
			}
		}
		few, err := term.Search(t.Context(), []term.Segment{{Index: x}}, query, 7)
		if err != nil || !slices.Equal(few, hits[:min(7, len(hits))]) {
			t.Errorf("%v: the best 7 of %v are %v: %v", query, hits[:min(9, len(hits))], few, err)
		}
		sum := float32(0)
		for _, p := range term.Explain([]term.Segment{{Index: x}}, query, docs[hits[0].Doc], term.Defaults()) {
			sum += p.Score
		}
		if math.Abs(float64(sum-hits[0].Score)) > 1e-4 {
			t.Errorf("%v: the parts of %v add up to %v", query, hits[0].Score, sum)
		}
	}
}

// TestWorkersDoNotMatter: the file is the same, byte for byte.
func TestWorkersDoNotMatter(t *testing.T) {
	t.Parallel()
	docs := corpus(500, 5)
	var first []byte
	for _, n := range []int{1, 2, 7} {
		path := filepath.Join(t.TempDir(), "x")
		if err := build(t, docs, term.Options{Workers: n}).Write(path); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if !slices.Equal(first, b) {
			t.Errorf("%d workers give another file", n)
		}
	}
}

// TestSegments: several indexes with the averages of the whole answer as one, and a document that does not count is left out.
func TestSegments(t *testing.T) {
	t.Parallel()
	docs := corpus(600, 7)
	whole := build(t, docs, term.Options{})
	averages := whole.Averages()
	a, b := build(t, docs[:450], term.Options{Averages: &averages}), build(t, docs[450:], term.Options{Averages: &averages})
	path := filepath.Join(t.TempDir(), "b")
	if err := b.Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := term.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var s term.Splitter
	for i := range 30 {
		query := s.Query(docs[i*20].Name + docs[i*20].Doc)
		one, err := term.Search(t.Context(), []term.Segment{{Index: whole}}, query, 50)
		if err != nil {
			t.Fatal(err)
		}
		two, err := term.Search(t.Context(), []term.Segment{{Index: a}, {Index: b}}, query, 50)
		if err != nil {
			t.Fatal(err)
		}
		for j := range two {
			two[j].Doc += 450 * two[j].Segment
			two[j].Segment = 0
		}
		if !slices.Equal(one, two) {
			t.Fatalf("%v: %v and %v", query, one[:3], two[:3])
		}
		live := make([]uint64, len(docs)/64+1)
		for d := range docs {
			if d != one[0].Doc {
				live[d>>6] |= 1 << (d & 63)
			}
		}
		rest, err := term.Search(t.Context(), []term.Segment{{Index: whole, Live: live}}, query, 49)
		if err != nil || !slices.Equal(rest, one[1:]) {
			t.Errorf("%v: without the first: %v, %v", query, rest[:3], err)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestOddSearches(t *testing.T) {
	t.Parallel()
	docs := corpus(100, 8)
	x := build(t, docs, term.Options{})
	var s term.Splitter
	for _, q := range []string{"", "the of", "\xff\xfe", "zzzzqqqq", strings.Repeat("word9 Other_word ", 600)} {
		if hits, err := term.Search(t.Context(), []term.Segment{{Index: x}}, s.Query(q), 10); err != nil || len(hits) > 10 {
			t.Errorf("%.20q: %d hits, %v", q, len(hits), err)
		}
	}
	empty := build(t, nil, term.Options{})
	if hits, err := term.Search(t.Context(), []term.Segment{{Index: empty}}, s.Query("x"), 10); err != nil || len(hits) > 0 {
		t.Errorf("an empty index: %v, %v", hits, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := term.Search(gone, []term.Segment{{Index: x}}, s.Query("word"), 10); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled search: %v", err)
	}
	if _, err := term.Build(gone, len(docs), func(i int) term.Fields { return docs[i] }, term.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled build: %v", err)
	}
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	if err := build(t, corpus(100, 8), term.Options{}).Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Open(path); !errors.Is(err, mapfile.ErrCorrupt) {
		t.Errorf("a damaged file: %v", err)
	}
}

// BenchmarkSearch: 100,000 documents, six words of a document each time.
func BenchmarkSearch(b *testing.B) {
	docs := corpus(100_000, 11)
	x := build(b, docs, term.Options{})
	var s term.Splitter
	queries := make([][]term.Weighted, 200)
	for i := range queries {
		words := strings.Fields(docs[i*400].Context + docs[i*400].Body)
		queries[i] = s.Query(strings.Join(words[:min(6, len(words))], " "))
	}
	b.ReportMetric(float64(x.Bytes())/1e6, "MB")
	i := 0
	for b.Loop() {
		if _, err := term.Search(b.Context(), []term.Segment{{Index: x}}, queries[i%len(queries)], 100); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkBuild reports the source that is indexed for each second.
func BenchmarkBuild(b *testing.B) {
	docs := corpus(20_000, 12)
	size := 0
	for _, d := range docs {
		size += len(d.Name) + len(d.Context) + len(d.Doc) + len(d.Body)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		build(b, docs, term.Options{Workers: 1})
	}
}

func ExampleSearch() {
	docs := []term.Fields{{Name: "openFile", Doc: "Opens a file for reading."}, {Name: "closeAll", Body: "for f in files: f.close()"}}
	x, err := term.Build(context.Background(), len(docs), func(i int) term.Fields { return docs[i] }, term.Options{Params: term.Defaults()})
	if err != nil {
		fmt.Println(err)
		return
	}
	var s term.Splitter
	hits, err := term.Search(context.Background(), []term.Segment{{Index: x}}, s.Query("closing files"), 10)
	slices.SortStableFunc(hits, func(a, b term.Hit) int { return cmp.Compare(b.Score, a.Score) })
	for _, h := range hits {
		fmt.Println(docs[h.Doc].Name)
	}
	fmt.Println(err)
	// Output:
	// closeAll
	// openFile
	// <nil>
}
