package provider_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"manito/internal/chunk"
	"manito/internal/code"
	"manito/internal/codeintel/provider"
	"manito/internal/embed/openai"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
	"manito/internal/search"
	"manito/internal/vector"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

const key = "sk-very-secret-0123456789"

// server speaks /v1/embeddings on the loopback; answer, when set, may answer the i-th
// request (from 0) in its place.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	texts    map[string]int // how often each text was embedded
	answer   func(i int, w http.ResponseWriter) bool
	widths   int // of the vectors
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{texts: map[string]int{}, widths: 8}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Input []string }
		if r.URL.Path != "/v1/embeddings" || json.NewDecoder(r.Body).Decode(&q) != nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		i := s.requests
		s.requests++
		if r.Header.Get("Authorization") != "Bearer "+key {
			refuse(w, http.StatusUnauthorized, "invalid_request_error", "Incorrect API key provided")
			return
		}
		if s.answer != nil && s.answer(i, w) {
			return
		}
		type item struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		var items []item
		for i, text := range q.Input {
			s.texts[text]++
			items = append(items, item{i, vectorOf(text, s.widths)})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": items})
	}))
	t.Cleanup(s.Close)
	return s
}

func vectorOf(text string, width int) []float32 {
	sum := sha256.Sum256([]byte(text))
	v := make([]float32, width)
	for i := range v {
		v[i] = float32(int8(sum[i%32])) + 0.5
	}
	return v
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"type": kind, "message": message}})
}

// clock passes only when somebody sleeps.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	sleeps []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.sleeps = append(c.sleeps, d)
	return ctx.Err()
}

const sections = 50

// text is a file of as many chunks as it has headings.
func text(words string) string {
	var b strings.Builder
	for i := range sections {
		fmt.Fprintf(&b, "# Section %d\n\n%s %d\n\n", i, words, i)
	}
	return b.String()
}

func corpus(text string) *search.Corpus {
	c := &search.Corpus{Files: []search.File{{Path: "notes.md", Hash: sha256.Sum256([]byte(text)), Size: int64(len(text)), Text: true}}}
	c.Documents = func(_ context.Context, files []int) ([]*code.Document, error) {
		return make([]*code.Document, len(files)), nil
	}
	c.Texts = func(_ context.Context, files []int, yield func(int, []byte) error) error {
		for _, f := range files {
			if err := yield(f, []byte(text)); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// world is a provider whose server is s, with ten chunks to a request and one request at a time.
func world(t *testing.T, s *server) (*provider.Provider, *clock) {
	t.Helper()
	db := postgrestest.New(t).Open(t)
	repo, err := db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/srv/provided", Name: "provided"})
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Unix(1e9, 0)}
	return &provider.Provider{DB: db, Repo: repo.ID, Options: openai.Options{
		Endpoint: s.URL + "/v1", Model: "m", KeyVariable: "KEY", Environment: func(string) (string, bool) { return key, true },
		Parallel: 1, BatchTexts: 10, Attempts: 3, Clock: c,
	}}, c
}

func embedAll(t *testing.T, p *provider.Provider, c *search.Corpus) (int, error) {
	t.Helper()
	last := 0
	n, err := p.Embed(t.Context(), c, func(stored int) {
		if stored < last {
			t.Errorf("%d are stored after %d", stored, last)
		}
		last = stored
	})
	if n != last {
		t.Errorf("Embed says %d, its progress %d", n, last)
	}
	return n, err
}

// TestEveryVectorIsStoredOnce: what comes back from the store is what the server gave,
// and nothing is sent twice, whatever changed.
func TestEveryVectorIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, _ := world(t, s)
	c := corpus(text("first"))
	if _, err := p.Search(t.Context()); problem.KindOf(err) != problem.Unavailable || len(problem.Fixes(err)) == 0 {
		t.Errorf("a search before there are vectors: %v", err)
	}
	p.Options.Price = 2
	plan, err := p.Plan(t.Context(), c)
	if err != nil || plan.Chunks != sections || plan.Embedded != 0 || plan.Cost.Chunks != sections || plan.Requests != 5 || !plan.Known || plan.Price != 2*float64(plan.Tokens)/1e6 {
		t.Fatalf("the plan is %+v, %v", plan, err)
	}
	if s.requests != 0 {
		t.Error("the plan asked the server")
	}
	if n, err := embedAll(t, p, c); n != sections || err != nil {
		t.Fatalf("%d chunks, %v", n, err)
	}
	asked := s.requests
	found, err := p.Search(t.Context())
	if err != nil || found.Embedder.Model().Dimension != 8 {
		t.Fatalf("%+v, %v", found, err)
	}
	want := map[[32]byte][]int8{}
	if err := search.EachChunk(t.Context(), c, func(x *chunk.Chunk) error {
		want[x.Hash] = vector.Quantize(nil, vectorOf(x.Text(8000), 8))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := found.Vectors(t.Context(), func(hash [32]byte, v []int8) error {
		if fmt.Sprint(want[hash]) != fmt.Sprint(v) {
			return fmt.Errorf("%x has the vector %v, want %v", hash[:4], v, want[hash])
		}
		delete(want, hash)
		return nil
	}); err != nil || len(want) != 0 {
		t.Errorf("%d chunks have no vector, %v", len(want), err)
	}
	if s.requests != asked {
		t.Error("reading vectors asked the server")
	}
	// One section changes: one chunk is sent.
	changed := corpus(strings.Replace(text("first"), "first 7\n", "second 7\n", 1))
	if plan, err := p.Plan(t.Context(), changed); err != nil || plan.Cost.Chunks != 1 || plan.Embedded != sections-1 || plan.Dimension != 8 {
		t.Errorf("the plan after a change is %+v, %v", plan, err)
	}
	if n, err := embedAll(t, p, changed); n != 1 || err != nil {
		t.Errorf("%d chunks after a change, %v", n, err)
	}
	for text, n := range s.texts {
		if n > 1 && text != "dimension" {
			t.Errorf("%d times sent: %q", n, text)
		}
	}
	again, err := p.Search(t.Context())
	if err != nil || bytes.Equal(again.State, found.State) {
		t.Errorf("other vectors are stored, the state is still %q (%v)", again.State, err)
	}
}

// TestFailureInTheMiddle: whatever ends a run, what was finished is stored and told,
// the error is the right one, and the next run sends the rest only.
func TestFailureInTheMiddle(t *testing.T) {
	t.Parallel()
	from := func(first int, f func(w http.ResponseWriter)) func(int, http.ResponseWriter) bool {
		return func(i int, w http.ResponseWriter) bool { // request 0 asks for the dimension
			if i < first {
				return false
			}
			f(w)
			return true
		}
	}
	for name, c := range map[string]struct {
		answer func(int, http.ResponseWriter) bool
		stored int
		kind   problem.Kind
		says   string
	}{
		"quota": {from(3, func(w http.ResponseWriter) {
			refuse(w, http.StatusTooManyRequests, "insufficient_quota", "You exceeded your current quota")
		}), 20, problem.Exhausted, "quota"},
		"rate": {from(4, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "30")
			refuse(w, http.StatusTooManyRequests, "requests", "Rate limit reached")
		}), 30, problem.Exhausted, "no more requests"},
		"a long wait": {from(2, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "7200")
			refuse(w, http.StatusTooManyRequests, "requests", "Rate limit reached")
		}), 10, problem.Exhausted, "2h"},
		"out of order": {from(2, func(w http.ResponseWriter) { refuse(w, 500, "server_error", "out of order") }), 10, problem.Unavailable, "out of order"},
		"goes away": {from(3, func(w http.ResponseWriter) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				c.Close()
			}
		}), 20, problem.Unavailable, "does not answer"},
		"key withdrawn": {from(5, func(w http.ResponseWriter) { refuse(w, 401, "invalid_request_error", "no key "+key) }), 40, problem.Denied, "refuses the key"},
		"other vectors": {from(2, func(w http.ResponseWriter) {
			var b strings.Builder
			for i := range 10 {
				fmt.Fprintf(&b, `{"index":%d,"embedding":[1,2,3]},`, i)
			}
			fmt.Fprintf(w, `{"data":[%s]}`, strings.TrimSuffix(b.String(), ","))
		}), 10, problem.Conflict, "3 dimensions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			p, _ := world(t, s)
			all := corpus(text("words"))
			s.answer = c.answer
			n, err := embedAll(t, p, all)
			if n != c.stored || problem.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) || len(problem.Fixes(err)) == 0 || strings.Contains(err.Error(), key) {
				t.Errorf("%d chunks were stored, want %d; %v", n, c.stored, err)
			}
			if plan, err := p.Plan(t.Context(), all); err != nil || plan.Embedded != c.stored {
				t.Errorf("the plan is %+v, %v", plan, err)
			}
			s.mu.Lock()
			s.answer = nil
			s.mu.Unlock()
			if n, err := embedAll(t, p, all); n != sections-c.stored || err != nil {
				t.Errorf("%d chunks in the second run, %v", n, err)
			}
			for text, n := range s.texts {
				if n > 1 && text != "dimension" {
					t.Errorf("%d times paid for: %q", n, text)
				}
			}
		})
	}
}

// TestServerThatRecovers: what passes by itself is waited for, as long as the server asks.
func TestServerThatRecovers(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, clock := world(t, s)
	s.answer = func(i int, w http.ResponseWriter) bool {
		switch i {
		case 1:
			w.Header().Set("Retry-After", "7")
			refuse(w, http.StatusTooManyRequests, "requests", "Rate limit reached")
		case 2, 4:
			refuse(w, http.StatusServiceUnavailable, "server_error", "overloaded")
		default:
			return false
		}
		return true
	}
	if n, err := embedAll(t, p, corpus(text("words"))); n != sections || err != nil {
		t.Fatalf("%d chunks, %v", n, err)
	}
	if len(clock.sleeps) != 3 || clock.sleeps[0] != 7*time.Second {
		t.Errorf("it waited %v", clock.sleeps)
	}
}

// TestInterrupt: a batch that came back is stored though the run was stopped meanwhile.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, _ := world(t, s)
	p.Options.Parallel = 2
	ctx, cancel := context.WithCancel(t.Context())
	all := corpus(text("words"))
	n, err := p.Embed(ctx, all, func(stored int) {
		if stored == 10 {
			time.Sleep(200 * time.Millisecond) // the answer to the other request comes in, and waits to be stored
			cancel()
		}
	})
	if n != 20 || !errors.Is(err, context.Canceled) || problem.KindOf(err) != problem.Interrupted {
		t.Errorf("after an interrupt %d chunks are stored, %v", n, err)
	}
	if plan, err := p.Plan(t.Context(), all); err != nil || plan.Embedded != n {
		t.Errorf("%d were stored, the plan is %+v, %v", n, plan, err)
	}
	if n, err := embedAll(t, p, all); n != sections-20 || err != nil {
		t.Errorf("%d chunks in the second run, %v", n, err)
	}
}

// TestOtherDimension: a server that changed its model under the same name does not get
// its vectors among the others, and is asked once only.
func TestOtherDimension(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, _ := world(t, s)
	if _, err := embedAll(t, p, corpus(text("words"))); err != nil {
		t.Fatal(err)
	}
	s.widths = 16
	before := s.requests
	n, err := embedAll(t, p, corpus(text("others")))
	if n != 0 || problem.KindOf(err) != problem.Conflict || !strings.Contains(err.Error(), "16 dimensions, those that are stored have 8") || s.requests != before+1 {
		t.Errorf("%d chunks, %d requests, %v", n, s.requests-before, err)
	}
	found, err := p.Search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := found.Embedder.Query(t.Context(), "words"); problem.KindOf(err) != problem.Conflict {
		t.Errorf("a query of another dimension: %v", err)
	}
	// More than the store takes is refused before anything is recorded.
	p.Options.Model, s.widths = "huge", 16385
	if n, err := embedAll(t, p, corpus(text("words"))); n != 0 || problem.KindOf(err) != problem.Invalid {
		t.Errorf("%d chunks, %v", n, err)
	}
	if models, err := p.DB.Models(t.Context(), p.Repo); err != nil || len(models) != 1 {
		t.Errorf("models %+v, %v", models, err)
	}
}

// TestModelsSideBySide: each model has its own vectors, of its own dimension.
func TestModelsSideBySide(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, _ := world(t, s)
	c := corpus(text("words"))
	for i, model := range []string{"one", "two", "three"} {
		p.Options.Model, s.widths = model, 8+i
		if n, err := embedAll(t, p, c); n != sections || err != nil {
			t.Fatalf("%s: %d chunks, %v", model, n, err)
		}
	}
	for i, model := range []string{"one", "two", "three"} {
		p.Options.Model = model
		found, err := p.Search(t.Context())
		if err != nil || found.Embedder.Model().Name != model || found.Embedder.Model().Dimension != 8+i {
			t.Fatalf("%s: %+v, %v", model, found, err)
		}
		n := 0
		if err := found.Vectors(t.Context(), func(_ [32]byte, v []int8) error {
			if n++; len(v) != 8+i {
				return fmt.Errorf("%d dimensions", len(v))
			}
			return nil
		}); err != nil || n != sections {
			t.Errorf("%s: %d vectors, %v", model, n, err)
		}
	}
	// The same name at another address, with other prefixes or shortened, is another model.
	for name, set := range map[string]func(*openai.Options){
		"address":   func(o *openai.Options) { o.Endpoint = s.URL + "/v2" },
		"document":  func(o *openai.Options) { o.DocumentPrefix = "passage: " },
		"query":     func(o *openai.Options) { o.QueryPrefix = "query: " },
		"shortened": func(o *openai.Options) { o.Dimension = 4 },
	} {
		q := *p
		set(&q.Options)
		if _, err := q.Search(t.Context()); problem.KindOf(err) != problem.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSearchDoesNotWait: what asks for a query is given up soon, because other ways of searching wait for it.
func TestSearchDoesNotWait(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p, clock := world(t, s)
	if _, err := embedAll(t, p, corpus(text("words"))); err != nil {
		t.Fatal(err)
	}
	found, err := p.Search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	before := s.requests
	s.answer = func(_ int, w http.ResponseWriter) bool {
		w.Header().Set("Retry-After", "60")
		refuse(w, http.StatusTooManyRequests, "requests", "Rate limit reached")
		return true
	}
	s.mu.Unlock()
	if _, err := found.Embedder.Query(t.Context(), "words"); problem.KindOf(err) != problem.Exhausted || s.requests != before+1 || len(clock.sleeps) != 0 {
		t.Errorf("%d requests, waits %v, %v", s.requests-before, clock.sleeps, err)
	}
	s.Close()
	if _, err := found.Embedder.Query(t.Context(), "words"); problem.KindOf(err) != problem.Unavailable || len(clock.sleeps) != 1 {
		t.Errorf("a server that is down: waits %v, %v", clock.sleeps, err)
	}
	p.Options.Environment = func(string) (string, bool) { return "", false }
	if _, err := p.Search(t.Context()); problem.KindOf(err) != problem.Denied {
		t.Errorf("without a key: %v", err)
	}
	if _, err := p.Plan(t.Context(), corpus(text("more"))); err != nil {
		t.Errorf("a plan needs no key: %v", err)
	}
}
