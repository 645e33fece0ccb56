// Package openai embeds through any server that speaks OpenAI's embeddings
// interface: OpenAI itself, Ollama, llama.cpp, vLLM, LM Studio, Voyage and others.
// It is a client of its own because what matters here (Retry-After, both forms of
// vectors, errors that say what to do, keys that never show) is what general
// clients leave to their callers.
//
// It may be imported by codeintel and what stands above it.
package openai

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/problem"
)

// version is that of the way in which chunks become the texts that are sent.
const version = "1"

// Options say which server and model to ask, and how.
type Options struct {
	Endpoint string // "https://api.openai.com/v1"; "/embeddings" is appended
	Model    string // as the server calls it
	// KeyVariable is the environment variable that has the key; "" for servers that
	// need none. It is looked up with Environment.
	KeyVariable string
	Environment func(name string) (string, bool) // os.LookupEnv
	// Dimension asks for shortened vectors, of servers that can; 0 for the model's own.
	Dimension int
	// Expect is the dimension of the vectors that are stored already, 0 for none. Other vectors are refused.
	Expect int
	Base64 bool // ask for vectors in base64, a third of the size; not every server can
	// Prefixes that the model was trained with: "search_document: ", "search_query: ".
	DocumentPrefix, QueryPrefix string

	MaxInput      int // bytes of a text, which is cut there; 0 for 8000, about 2,500 tokens
	BatchTexts    int // texts in a request; 0 for 128
	BatchTokens   int // tokens in a request; 0 for 100,000
	Parallel      int // requests at once; 0 for 2
	PerMinute     int // requests a minute; 0 for no limit of our own
	TokensMinute  int // tokens a minute; 0 for no limit of our own
	Attempts      int // of each request; 0 for 6
	MaxWait       time.Duration
	Price         float64 // for a million tokens, in the currency of the price list; 0 when it is unknown
	Client        *http.Client
	Clock         Clock // nil for the system's
	RequestExpiry time.Duration
}

// Clock tells the time and waits; tests have one of their own.
type Clock interface {
	Now() time.Time
	// Sleep waits, or returns the context's error when that is done first.
	Sleep(ctx context.Context, d time.Duration) error
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Embedder asks a server. Make it with Open.
type Embedder struct {
	o     Options
	url   string // without user, password and query
	key   string
	model embed.Model
	limit *limiter
}

var _ embed.Embedder = (*Embedder)(nil)

// New checks the options and asks the server nothing. The dimension of the Model is
// Options.Expect: 0 as long as it is not known. Errors: Usage for options that cannot
// be, Denied without a key.
func New(o Options) (*Embedder, error) {
	e, err := prepare(o)
	if err == nil {
		e.model.Dimension = o.Expect
	}
	return e, err
}

// Open is New, and asks the server for one vector to learn the dimension. Errors
// beside those of New: Unavailable when the server does not answer, Conflict when the
// dimension is not the expected one, Denied when the key is refused, Exhausted when
// the quota is.
func Open(ctx context.Context, o Options) (*Embedder, error) {
	e, err := New(o)
	if err != nil {
		return nil, err
	}
	v, err := e.request(ctx, ctx, []string{e.o.QueryPrefix + "dimension"})
	if err != nil {
		return nil, err
	}
	e.model.Dimension = len(v[0])
	return e, nil
}

func (e *Embedder) otherDimension(got, want int) error {
	return problem.New(problem.Conflict, "the model %s at %s gives vectors of %d dimensions, those that are stored have %d", e.o.Model, e.url, got, want).
		Fix("set the model that made the stored vectors").Fix("or embed everything again under a model of another name")
}

// prepare checks the options and fills what was left out.
func prepare(o Options) (*Embedder, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, problem.New(problem.Usage, "the endpoint of the embedding server is no http or https address").Fix("set it to something like http://localhost:11434/v1")
	}
	if o.Model == "" {
		return nil, problem.New(problem.Usage, "no embedding model is named").Fix("set MANITO_EMBEDDINGS_MODEL to one that the server has")
	}
	e := &Embedder{o: o}
	if o.KeyVariable != "" {
		found := false
		if o.Environment != nil {
			e.key, found = o.Environment(o.KeyVariable)
		}
		if e.key = strings.TrimSpace(e.key); !found || e.key == "" {
			return nil, problem.New(problem.Denied, "the key of the embedding server is not set").Fix("export %s=...", o.KeyVariable)
		}
		if u.Scheme == "http" && !local(u.Hostname()) {
			return nil, problem.New(problem.Denied, "the key would go to %s unencrypted", u.Hostname()).Fix("use https").Fix("leave the key variable empty if the server needs no key")
		}
	}
	host := u.Host
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	u.Path = strings.TrimSuffix(u.Path, "/") + "/embeddings"
	e.url = u.String()

	defaults := func(x *int, v int) {
		if *x <= 0 {
			*x = v
		}
	}
	defaults(&e.o.MaxInput, 8000)
	defaults(&e.o.BatchTexts, 128)
	defaults(&e.o.BatchTokens, 100_000)
	defaults(&e.o.Parallel, 2)
	defaults(&e.o.Attempts, 6)
	if e.o.MaxWait <= 0 {
		e.o.MaxWait = 2 * time.Minute
	}
	if e.o.RequestExpiry <= 0 {
		e.o.RequestExpiry = 2 * time.Minute
	}
	if e.o.Clock == nil {
		e.o.Clock = systemClock{}
	}
	client := http.Client{}
	if o.Client != nil {
		client = *o.Client
	}
	// A redirect would carry the texts, and perhaps the key, to somebody who was not named.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e.o.Client = &client
	e.limit = &limiter{clock: e.o.Clock, requests: o.PerMinute, tokens: o.TokensMinute}

	h := sha256.New()
	for _, s := range []string{host, u.Path, o.Model, o.DocumentPrefix, o.QueryPrefix} {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	h.Write(binary.AppendUvarint(nil, uint64(e.o.MaxInput)))
	h.Write(binary.AppendUvarint(nil, uint64(o.Dimension)))
	e.model = embed.Model{Name: o.Model, Version: version, Digest: [32]byte(h.Sum(nil))}
	return e, nil
}

// local says whether a host is this machine.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Model is known by name, server and the way it is asked.
func (e *Embedder) Model() embed.Model { return e.model }

// Query embeds a question.
func (e *Embedder) Query(ctx context.Context, text string) ([]float32, error) {
	if len(text) > e.o.MaxInput {
		text = strings.ToValidUTF8(text[:e.o.MaxInput], "")
	}
	v, err := e.request(ctx, ctx, []string{e.o.QueryPrefix + text})
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// text is what is sent of a chunk.
func (e *Embedder) text(c *chunk.Chunk) string {
	return e.o.DocumentPrefix + strings.ToValidUTF8(c.Text(e.o.MaxInput), "\uFFFD")
}

// Cost is what embedding would take.
type Cost struct {
	Chunks, Requests int
	Tokens           int     // estimated
	Price            float64 // in the currency of the price list; 0 when the price is unknown
	Known            bool    // whether the price is
}

// Estimate says what embedding chunks would take, without asking the server. A
// token is taken for three bytes, which for code and English is on the high side:
// tokenizers of today give 3.2 to 4.2 bytes a token there.
func (e *Embedder) Estimate(chunks []chunk.Chunk) Cost {
	c := Cost{Chunks: len(chunks), Known: e.o.Price > 0}
	for first := 0; first < len(chunks); {
		texts, tokens := e.batch(chunks[first:])
		first += len(texts)
		c.Requests++
		c.Tokens += tokens
	}
	c.Price = e.o.Price * float64(c.Tokens) / 1e6
	return c
}

// tokens estimates those of a text.
func tokens(text string) int { return len(text)/3 + 1 }
