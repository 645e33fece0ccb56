package openai_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/embed/openai"
	"manito/internal/problem"
)

const key = "sk-very-secret-0123456789"

// server speaks the wire format of /v1/embeddings. Its vectors say what was sent:
// the length of the text and the sum of its bytes.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	// answer, when set, may answer the i-th request (from 0) itself; it says whether it did.
	answer    func(i int, w http.ResponseWriter) bool
	dimension int
	keyed     bool
	reverse   bool
}

type request struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Encoding   string   `json:"encoding_format"`
	Dimensions int      `json:"dimensions"`
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{dimension: 4, keyed: true}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var q request
		if err != nil || json.Unmarshal(body, &q) != nil || r.URL.Path != "/v1/embeddings" || r.Method != http.MethodPost {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		s.mu.Lock()
		i := len(s.requests)
		s.requests = append(s.requests, q)
		answer := s.answer
		s.mu.Unlock()
		if s.keyed && r.Header.Get("Authorization") != "Bearer "+key {
			fail(w, 401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			return
		}
		if answer != nil && answer(i, w) {
			return
		}
		type item struct {
			Object    string `json:"object"`
			Index     int    `json:"index"`
			Embedding any    `json:"embedding"`
		}
		dim := s.dimension
		if q.Dimensions > 0 {
			dim = q.Dimensions
		}
		var items []item
		for i, text := range q.Input {
			v := vectorOf(text, dim)
			var e any = v
			if q.Encoding == "base64" {
				b := make([]byte, 0, 4*len(v))
				for _, x := range v {
					b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
				}
				e = base64.StdEncoding.EncodeToString(b)
			}
			items = append(items, item{"embedding", i, e})
		}
		if s.reverse {
			slices.Reverse(items)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "model": q.Model, "data": items, "usage": map[string]int{"prompt_tokens": 1, "total_tokens": 1}})
	}))
	t.Cleanup(s.Close)
	return s
}

func vectorOf(text string, dim int) []float32 {
	v := make([]float32, dim)
	v[0] = float32(len(text))
	for i := range len(text) {
		v[1+i%(dim-1)] += float32(text[i])
	}
	return v
}

func fail(w http.ResponseWriter, status int, kind, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": kind, "code": code, "param": nil}})
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

func options(s *server) openai.Options {
	return openai.Options{
		Endpoint: s.URL + "/v1", Model: "m", KeyVariable: "EMBED_KEY", Parallel: 1,
		Environment: func(name string) (string, bool) { return key, name == "EMBED_KEY" },
		Clock:       &clock{now: time.Unix(1e9, 0)},
	}
}

func open(t *testing.T, o openai.Options) *openai.Embedder {
	t.Helper()
	e, err := openai.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func chunks(n int) []chunk.Chunk {
	out := make([]chunk.Chunk, n)
	for i := range out {
		out[i] = chunk.Chunk{Name: fmt.Sprintf("f%d", i), Path: "a.go", Body: strings.Repeat("x ", i)}
	}
	return out
}

// collect embeds and returns the vectors by chunk.
func collect(t *testing.T, e embed.Embedder, cs []chunk.Chunk) ([][]float32, error) {
	t.Helper()
	out := make([][]float32, len(cs))
	err := e.Chunks(t.Context(), cs, func(first int, vs [][]float32) error {
		for i, v := range vs {
			if out[first+i] != nil {
				t.Errorf("chunk %d comes twice", first+i)
			}
			out[first+i] = v
		}
		return nil
	})
	return out, err
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*server, *openai.Options){
		"numbers":   func(*server, *openai.Options) {},
		"base64":    func(_ *server, o *openai.Options) { o.Base64 = true },
		"shortened": func(_ *server, o *openai.Options) { o.Dimension = 3 },
		"parallel":  func(_ *server, o *openai.Options) { o.Parallel = 4 },
		"reversed":  func(s *server, _ *openai.Options) { s.reverse = true },
		"prefixed":  func(_ *server, o *openai.Options) { o.DocumentPrefix, o.QueryPrefix = "doc: ", "query: " },
		"keyless": func(s *server, o *openai.Options) {
			s.keyed, o.KeyVariable = false, ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			o := options(s)
			o.BatchTexts = 7
			set(s, &o)
			e := open(t, o)
			dim := 4
			if o.Dimension > 0 {
				dim = o.Dimension
			}
			if e.Model().Dimension != dim {
				t.Errorf("dimension %d, want %d", e.Model().Dimension, dim)
			}
			cs := chunks(30)
			got, err := collect(t, e, cs)
			if err != nil {
				t.Fatal(err)
			}
			for i := range cs {
				if want := vectorOf(o.DocumentPrefix+cs[i].Text(8000), dim); !slices.Equal(got[i], want) {
					t.Errorf("chunk %d: %v, want %v", i, got[i], want)
				}
			}
			q, err := e.Query(t.Context(), "where")
			if err != nil || !slices.Equal(q, vectorOf(o.QueryPrefix+"where", dim)) {
				t.Errorf("query: %v, %v", q, err)
			}
			if len(s.requests) != 1+5+1 {
				t.Errorf("%d requests", len(s.requests))
			}
		})
	}
}

func TestBatchesKeepTheirBounds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	o := options(s)
	o.BatchTexts, o.BatchTokens, o.MaxInput = 4, 300, 600
	o.Price = 0.02
	e := open(t, o)
	cs := chunks(20)
	cs[3].Body = strings.Repeat("long line\n", 1000)
	if _, err := collect(t, e, cs); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, r := range s.requests[1:] {
		n := 0
		for _, text := range r.Input {
			n += len(text)/3 + 1
			if len(text) > 600 {
				t.Errorf("a text of %d bytes", len(text))
			}
		}
		sum += n
		if len(r.Input) > 4 || n > 300 {
			t.Errorf("a request of %d texts, %d tokens", len(r.Input), n)
		}
	}
	c := e.Estimate(cs)
	if c.Requests != len(s.requests)-1 || c.Tokens != sum || c.Chunks != 20 || !c.Known || math.Abs(c.Price-0.02*float64(sum)/1e6) > 1e-12 {
		t.Errorf("estimated %+v, sent %d requests of %d tokens", c, len(s.requests)-1, sum)
	}
}

// TestTriesAgain: too many requests, a server that is busy and a connection that breaks are waited for, as long as the server says.
func TestTriesAgain(t *testing.T) {
	t.Parallel()
	s := serve(t)
	o := options(s)
	c := o.Clock.(*clock)
	s.answer = func(i int, w http.ResponseWriter) bool {
		switch i {
		case 1:
			w.Header().Set("Retry-After", "7")
			fail(w, 429, "requests", "rate_limit_exceeded", "slow down")
		case 2:
			w.Header().Set("Retry-After", c.Now().Add(20*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(503)
		case 3:
			hijacked, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				err = hijacked.Close()
			}
			if err != nil {
				t.Error(err)
			}
		case 4:
			w.WriteHeader(500)
		default:
			return false
		}
		return true
	}
	e := open(t, o)
	if got, err := collect(t, e, chunks(3)); err != nil || got[2] == nil {
		t.Fatal(got, err)
	}
	want := []time.Duration{7 * time.Second, 19 * time.Second, time.Second, 2 * time.Second} // at least; the date has whole seconds
	if len(c.sleeps) != len(want) {
		t.Fatalf("waited %v", c.sleeps)
	}
	for i, d := range c.sleeps {
		if d < want[i] || d > 3*want[i] {
			t.Errorf("waited %s before try %d, want about %s", d, i+2, want[i])
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := serve(t)
	o := options(s)
	o.BatchTexts, o.PerMinute, o.Parallel = 1, 60, 3
	c := o.Clock.(*clock)
	e := open(t, o)
	began := c.Now()
	if _, err := collect(t, e, chunks(30)); err != nil {
		t.Fatal(err)
	}
	// 30 requests at one a second; the first few are let through at once.
	if took := c.Now().Sub(began); took < 26*time.Second {
		t.Errorf("30 requests in %s of the clock", took)
	}
}

// TestFailures: each failure has its kind, says what to do, and never shows the key.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		kind   problem.Kind
		tries  int
		says   string
	}{
		{"quota", func(w http.ResponseWriter) {
			fail(w, 429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota "+key)
		}, problem.Exhausted, 1, "quota"},
		{"wrong key", func(w http.ResponseWriter) { fail(w, 401, "", "invalid_api_key", "Incorrect API key: "+key) }, problem.Denied, 1, "refuses the key"},
		{"no model", func(w http.ResponseWriter) {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"error":"model \"m\" not found, try pulling it first"}`)
		}, problem.NotFound, 1, "try pulling"},
		{"too long", func(w http.ResponseWriter) { fail(w, 400, "", "", "maximum context length is 8192 tokens") }, problem.Invalid, 1, "maximum context length"},
		{"down", func(w http.ResponseWriter) { w.WriteHeader(502) }, problem.Unavailable, 3, "does not answer"},
		{"busy for hours", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7200"); w.WriteHeader(429) }, problem.Exhausted, 1, "2h"},
		{"busy for good", func(w http.ResponseWriter) { w.WriteHeader(429) }, problem.Exhausted, 3, "takes no more requests"},
		{"moved", func(w http.ResponseWriter) { w.Header().Set("Location", "http://example.com/"); w.WriteHeader(307) }, problem.Invalid, 1, "307"},
		{"web page", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>"+key) }, problem.Invalid, 1, "makes no sense"},
		{"too few", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"data":[]}`) }, problem.Invalid, 1, "0 vectors for 2 texts"},
		{"twice", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":[1,2,3,4]},{"index":0,"embedding":[1,2,3,4]}]}`)
		}, problem.Invalid, 1, "comes twice"},
		{"other dimension", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":[1,2,3,4]},{"index":1,"embedding":[1,2,3]}]}`)
		}, problem.Conflict, 1, "3 dimensions"},
		{"odd base64", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":"AAA="},{"index":1,"embedding":"%%"}]}`)
		}, problem.Invalid, 1, "base64"},
		{"no number", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":"AADAfwAAgD8AAIA/AACAPw=="},{"index":1,"embedding":[1,2,3,4]}]}`)
		}, problem.Invalid, 1, "no number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			o := options(s)
			o.Attempts = 3
			e := open(t, o)
			s.answer = func(_ int, w http.ResponseWriter) bool { c.answer(w); return true }
			_, err := collect(t, e, chunks(2))
			if problem.KindOf(err) != c.kind || len(problem.Fixes(err)) == 0 || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%s: %v; fixes %q", problem.KindOf(err), err, problem.Fixes(err))
			}
			if strings.Contains(fmt.Sprintf("%+v %v", err, problem.Fixes(err)), key) {
				t.Errorf("the key shows: %v", err)
			}
			if tries := len(s.requests) - 1; tries != c.tries {
				t.Errorf("%d tries, want %d", tries, c.tries)
			}
		})
	}
}

// TestGoesOnAfterFailure: when the server goes away midway the finished batches are there, the error says how many, and only the rest is asked for again.
func TestGoesOnAfterFailure(t *testing.T) {
	t.Parallel()
	s := serve(t)
	o := options(s)
	o.BatchTexts, o.Attempts = 5, 2
	e := open(t, o)
	s.answer = func(i int, w http.ResponseWriter) bool {
		if i > 3 {
			w.WriteHeader(503)
		}
		return i > 3
	}
	cs := chunks(40)
	got, err := collect(t, e, cs)
	if problem.KindOf(err) != problem.Unavailable || !strings.Contains(err.Error(), "after 15 of 40 chunks") {
		t.Fatalf("%v", err)
	}
	var rest []chunk.Chunk
	for i, v := range got {
		if v == nil {
			rest = append(rest, cs[i])
		}
	}
	if len(rest) != 25 {
		t.Errorf("%d chunks are left", len(rest))
	}
	s.mu.Lock()
	s.answer, s.requests = nil, nil
	s.mu.Unlock()
	if _, err := collect(t, e, rest); err != nil || len(s.requests) != 5 {
		t.Errorf("%d requests for the rest: %v", len(s.requests), err)
	}
	stop := errors.New("disk full")
	if err := e.Chunks(t.Context(), cs, func(int, [][]float32) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the caller's error: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Chunks(gone, cs, func(int, [][]float32) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestWhatIsPaidForIsFinished: a request that is under way when another one fails for
// good is waited for, and given to the caller; one that fails too is not tried again.
func TestWhatIsPaidForIsFinished(t *testing.T) {
	t.Parallel()
	s := serve(t)
	o := options(s)
	o.Parallel, o.BatchTexts = 3, 1
	e := open(t, o)
	var under sync.WaitGroup // all three have reached the server
	under.Add(3)
	refused := make(chan struct{})
	s.answer = func(i int, w http.ResponseWriter) bool {
		if i > 3 {
			t.Errorf("request %d after the quota was used up", i)
			return false
		}
		under.Done()
		under.Wait()
		switch i {
		case 1:
			fail(w, 429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota")
			close(refused)
			return true
		case 2:
			<-refused
			time.Sleep(50 * time.Millisecond) // the client hears of the refusal first
			return false
		}
		<-refused
		time.Sleep(50 * time.Millisecond)
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	given := 0
	err := e.Chunks(t.Context(), chunks(20), func(_ int, vectors [][]float32) error {
		given += len(vectors)
		return nil
	})
	if given != 1 || problem.KindOf(err) != problem.Exhausted || !strings.Contains(err.Error(), "after 1 of 20 chunks: the quota") {
		t.Errorf("%d chunks, %v", given, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for name, c := range map[string]struct {
		set  func(*openai.Options)
		kind problem.Kind
	}{
		"no key":           {func(o *openai.Options) { o.KeyVariable = "OTHER" }, problem.Denied},
		"key in the clear": {func(o *openai.Options) { o.Endpoint = "http://example.com/v1" }, problem.Denied},
		"no address":       {func(o *openai.Options) { o.Endpoint = "localhost:1" }, problem.Usage},
		"no model":         {func(o *openai.Options) { o.Model = "" }, problem.Usage},
		"other dimension":  {func(o *openai.Options) { o.Expect = 1536 }, problem.Conflict},
		"nobody there":     {func(o *openai.Options) { o.Endpoint, o.Attempts = "http://127.0.0.1:1/v1", 1 }, problem.Unavailable},
	} {
		o := options(s)
		c.set(&o)
		if _, err := openai.Open(t.Context(), o); problem.KindOf(err) != c.kind || len(problem.Fixes(err)) == 0 || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestModelsAreToldApart: whatever changes the vectors changes the model.
func TestModelsAreToldApart(t *testing.T) {
	t.Parallel()
	s := serve(t)
	seen := map[string]string{}
	for name, set := range map[string]func(*openai.Options){
		"plain":     func(*openai.Options) {},
		"model":     func(o *openai.Options) { o.Model = "n" },
		"prefix":    func(o *openai.Options) { o.DocumentPrefix = "d" },
		"input":     func(o *openai.Options) { o.MaxInput = 77 },
		"shortened": func(o *openai.Options) { o.Dimension = 3 },
	} {
		o := options(s)
		set(&o)
		b := string(open(t, o).Model().Bytes())
		if other, ok := seen[b]; ok {
			t.Errorf("%s is the model %s", name, other)
		}
		seen[b] = name
	}
	o := options(s)
	o.Parallel, o.BatchTexts = 9, 3
	if _, ok := seen[string(open(t, o).Model().Bytes())]; !ok {
		t.Error("how fast it asks changes the model")
	}
}
