package search

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/problem"
	"manito/internal/query"
	"manito/internal/vector"
)

// bag embeds texts by which words are in them; fail, when set, is what Query gives.
type bag struct {
	name      string
	dimension int
	fail      error
}

func (b bag) Model() embed.Model {
	return embed.Model{Name: b.name, Version: "1", Dimension: b.dimension, Digest: sha256.Sum256([]byte(b.name))}
}

func (b bag) vector(text string) []float32 {
	v := make([]float32, b.dimension)
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		h := fnv.New32a()
		h.Write([]byte(b.name + w))
		v[int(h.Sum32()%uint32(b.dimension))]++
	}
	return v
}

func (b bag) Chunks(_ context.Context, chunks []chunk.Chunk, done func(int, [][]float32) error) error {
	var out [][]float32
	for i := range chunks {
		out = append(out, b.vector(chunks[i].Text(0)))
	}
	return done(0, out)
}

func (b bag) Query(_ context.Context, text string) ([]float32, error) { return b.vector(text), b.fail }

// shop is a store of vectors: those of the first n chunks of a corpus.
type shop struct {
	bag
	hashes [][32]byte
	codes  [][]int8
	reads  int
	state  string
}

func stock(t *testing.T, b bag, s *snapshot, n int) *shop {
	t.Helper()
	out := &shop{bag: b, state: "1"}
	if err := EachChunk(t.Context(), &s.corpus, func(c *chunk.Chunk) error {
		if len(out.hashes) < n {
			out.hashes = append(out.hashes, c.Hash)
			out.codes = append(out.codes, vector.Quantize(nil, b.vector(c.Text(0))))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *shop) open(context.Context) (*Provider, error) {
	return &Provider{Embedder: s.bag, State: []byte(s.state), Vectors: func(_ context.Context, yield func([32]byte, []int8) error) error {
		s.reads++
		for i, h := range s.hashes {
			if err := yield(h, s.codes[i]); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

const question = "makes a lease for the beacon"

func (s *shop) ask(t *testing.T, how func(context.Context, Request) (*Found, error)) (*Found, error) {
	t.Helper()
	q, err := query.Parse(question)
	if err != nil {
		t.Fatal(err)
	}
	return how(t.Context(), Request{Text: question, Query: q, Limit: 10, Explain: true, Provider: s.open})
}

// nearest are the chunks that brute force finds nearest to the question, each with its cosine.
func (s *shop) nearest() (cosines []float64) {
	q := vector.Quantize(nil, s.vector(question))
	norm := func(v []int8) (sum float64) {
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		return math.Sqrt(sum)
	}
	for _, c := range s.codes {
		dot := 0.0
		for i := range c {
			dot += float64(c[i]) * float64(q[i])
		}
		cosines = append(cosines, dot/norm(c)/norm(q))
	}
	slices.SortFunc(cosines, func(a, b float64) int { return cmp.Compare(b, a) })
	return cosines
}

// TestProvidedVectorsAreSearched: what is found is what brute force finds among the
// stored vectors, of each model its own, though the folder has built-in vectors too.
func TestProvidedVectorsAreSearched(t *testing.T) {
	t.Parallel()
	s := snap(t, garden(80))
	x := s.open(t, t.TempDir())
	if x.model == "" {
		t.Fatal("there are no built-in vectors beside")
	}
	for _, b := range []bag{{name: "one", dimension: 200}, {name: "two", dimension: 64}, {name: "one", dimension: 200}} {
		store := stock(t, b, s, math.MaxInt)
		found, err := store.ask(t, x.ByMeaning)
		if err != nil || len(found.Results) != 10 || len(found.Partial) > 0 {
			t.Fatalf("%s: %+v, %v", b.name, found, err)
		}
		if how := strings.Join(found.Lists, "; "); !strings.Contains(how, "model "+b.name+" 1") {
			t.Errorf("asked %s", how)
		}
		var raw []float64
		for _, r := range found.Results {
			raw = append(raw, r.Parts[0].Raw)
		}
		slices.SortFunc(raw, func(a, b float64) int { return cmp.Compare(b, a) }) // the graph has a word in the order
		best := store.nearest()
		if math.Abs(raw[0]-best[0]) > 1e-5 {
			t.Errorf("%s: the best that was found has cosine %.5f, brute force %.5f", b.name, raw[0], best[0])
		}
		for _, r := range raw {
			if !slices.ContainsFunc(best[:min(len(best), listLength)], func(c float64) bool { return math.Abs(c-r) < 1e-5 }) {
				t.Errorf("%s: no stored vector has the cosine %.5f", b.name, r)
			}
		}
	}
	if got, err := (&shop{}).ask(t, func(ctx context.Context, r Request) (*Found, error) {
		r.Provider = nil
		return x.ByMeaning(ctx, r)
	}); err != nil || !strings.Contains(strings.Join(got.Lists, "; "), "model builtin") {
		t.Errorf("without a provider: %+v, %v", got, err)
	}
}

// TestProvidedFilesFollowTheStore: files are made once of each state of the store, and
// again when they are damaged; a sweep keeps them with their segment.
func TestProvidedFilesFollowTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := snap(t, garden(40))
	x := s.open(t, dir)
	store := stock(t, bag{name: "m", dimension: 32}, s, 30)
	expect := func(x *Index, reads int, partial string) {
		t.Helper()
		found, err := store.ask(t, x.Ranked)
		if err != nil || store.reads != reads || len(found.Results) == 0 || strings.Join(found.Partial, "; ") != partial {
			t.Fatalf("the store was read %d times, want %d; partial %q, %v", store.reads, reads, found.Partial, err)
		}
	}
	some := fmt.Sprintf("vectors of 30 of %d chunks, model m: manito embed makes the rest", x.chunks)
	expect(x, 1, some)
	expect(x, 1, some)
	reopen := func() *Index {
		t.Helper()
		x, err := Open(dir, s.g)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.Close() })
		return x
	}
	expect(reopen(), 1, some)
	reads := store.reads
	store = stock(t, store.bag, s, math.MaxInt)
	store.reads, store.state = reads, "2"
	expect(x, 2, "")
	expect(reopen(), 2, "")
	if err := Sweep(dir, [][32]byte{s.corpus.Digest}); err != nil {
		t.Fatal(err)
	}
	expect(reopen(), 2, "")
	files, err := filepath.Glob(filepath.Join(dir, "*"+providedSuffix))
	if err != nil || len(files) != len(x.segments) {
		t.Fatalf("files %q, %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(reopen(), 3, "")
	if err := Sweep(dir, nil); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*"+providedSuffix)); err != nil || len(files) > 0 {
		t.Errorf("files of nobody are kept: %q, %v", files, err)
	}
}

// TestCoverageIsThatOfTheSnapshot: vectors of chunks that only other snapshots have do not count.
func TestCoverageIsThatOfTheSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := garden(40)
	old := snap(t, files)
	old.open(t, dir)
	store := stock(t, bag{name: "m", dimension: 32}, old, math.MaxInt)
	files["p01/f001.go"] = "package p01\n\n// Other is something else.\nfunc Other() {}\n"
	now := snap(t, files)
	x := now.open(t, dir)
	known, all := 0, 0
	if err := EachChunk(t.Context(), &now.corpus, func(c *chunk.Chunk) error {
		if all++; slices.Contains(store.hashes, c.Hash) {
			known++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	found, err := store.ask(t, x.Ranked)
	want := fmt.Sprintf("vectors of %d of %d chunks, model m: manito embed makes the rest", known, all)
	if err != nil || known == all || x.Stats().Stored <= all || len(found.Partial) != 1 || found.Partial[0] != want {
		t.Errorf("partial %q, want %q; %v", found.Partial, want, err)
	}
}

// TestProviderThatFails: hybrid finds what the other ways find and says what is
// missing; a search by meaning alone fails with the provider's error.
func TestProviderThatFails(t *testing.T) {
	t.Parallel()
	s := snap(t, garden(40))
	x := s.open(t, t.TempDir())
	down := problem.New(problem.Unavailable, "the server is down").Fix("start it")
	noKey := problem.New(problem.Denied, "the key is not set").Fix("export KEY=...")
	failing := stock(t, bag{name: "m", dimension: 32, fail: down}, s, math.MaxInt)
	empty := stock(t, bag{name: "m2", dimension: 32}, s, 0)
	for name, c := range map[string]struct {
		open    func(context.Context) (*Provider, error)
		kind    problem.Kind
		partial string
	}{
		"down":       {failing.open, problem.Unavailable, "not searched by meaning: the server is down (start it)"},
		"no key":     {func(context.Context) (*Provider, error) { return nil, noKey }, problem.Denied, "not searched by meaning: the key is not set (export KEY=...)"},
		"no vectors": {empty.open, problem.Unavailable, "not searched by meaning: no chunk of the snapshot has a vector of the model m2 (make them: manito embed)"},
	} {
		r := Request{Text: question, Limit: 10, Provider: c.open}
		var err error
		if r.Query, err = query.Parse(question); err != nil {
			t.Fatal(err)
		}
		found, err := x.Ranked(t.Context(), r)
		if err != nil || len(found.Results) == 0 || len(found.Partial) != 1 || found.Partial[0] != c.partial || slices.Contains(found.Lists, "") {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		if _, err := x.ByMeaning(t.Context(), r); problem.KindOf(err) != c.kind || len(problem.Fixes(err)) == 0 {
			t.Errorf("%s, by meaning: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := x.Ranked(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
	// Fields ask for no meaning, so that nobody is asked, and nothing is missing.
	q, err := query.Parse("kind:struct")
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Ranked(t.Context(), Request{Text: "kind:struct", Query: q, Limit: 10, Provider: func(context.Context) (*Provider, error) {
		t.Error("the provider is asked")
		return nil, noKey
	}})
	if err != nil || len(found.Results) == 0 || len(found.Partial) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	// A stored vector of another dimension is no vector of this model.
	odd := stock(t, bag{name: "odd", dimension: 32}, s, 5)
	odd.codes[3] = odd.codes[3][:31]
	if _, err := odd.ask(t, x.ByMeaning); problem.KindOf(err) != problem.Invalid {
		t.Errorf("a vector of another dimension: %v", err)
	}
}
