package openai

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"manito/internal/chunk"
	"manito/internal/problem"
)

// batch takes as many chunks as go into one request, at least one.
func (e *Embedder) batch(chunks []chunk.Chunk) (texts []string, sum int) {
	for i := range chunks {
		text := e.text(&chunks[i])
		n := tokens(text)
		if len(texts) > 0 && (len(texts) == e.o.BatchTexts || sum+n > e.o.BatchTokens) {
			break
		}
		texts = append(texts, text)
		sum += n
	}
	return texts, sum
}

// Chunks embeds chunks. When the server fails for good the error says how many were
// finished. Requests that are under way then are waited for, because they are paid
// for; they are not tried again.
func (e *Embedder) Chunks(ctx context.Context, chunks []chunk.Chunk, done func(first int, vectors [][]float32) error) error {
	patience, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var group errgroup.Group
	group.SetLimit(e.o.Parallel)
	var mu sync.Mutex
	finished := 0
	var failed error // the first error: those after it may be its consequences
	one := func(at int, texts []string) error {
		vectors, err := e.request(ctx, patience, texts)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			err = done(at, vectors)
		}
		if err == nil {
			finished += len(texts)
			return nil
		}
		if failed == nil {
			failed = err
		}
		giveUp()
		return failed
	}
	for first := 0; first < len(chunks) && patience.Err() == nil; {
		texts, _ := e.batch(chunks[first:])
		at := first
		group.Go(func() error { return one(at, texts) })
		first += len(texts)
	}
	err := group.Wait()
	var p *problem.Error
	if errors.As(err, &p) && finished > 0 {
		return fmt.Errorf("after %d of %d chunks: %w", finished, len(chunks), err)
	}
	if err == nil {
		return ctx.Err()
	}
	return err
}

type requestBody struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Encoding   string   `json:"encoding_format"`
	Dimensions int      `json:"dimensions,omitempty"`
}

// request embeds texts, trying again what may go better later, as long as patience is not done.
func (e *Embedder) request(ctx, patience context.Context, texts []string) ([][]float32, error) {
	r := requestBody{Model: e.o.Model, Input: texts, Encoding: "float", Dimensions: e.o.Dimension}
	if e.o.Base64 {
		r.Encoding = "base64"
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	sum := 0
	for _, t := range texts {
		sum += tokens(t)
	}
	for attempt := 1; ; attempt++ {
		if err := e.limit.wait(patience, sum); err != nil {
			return nil, err
		}
		vectors, again, err := e.try(ctx, body, len(texts))
		if err == nil {
			return vectors, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !again.may || attempt == e.o.Attempts {
			return nil, err
		}
		if again.after > e.o.MaxWait {
			return nil, problem.New(problem.Exhausted, "the embedding server %s asks to wait for %s", e.url, again.after.Round(time.Second)).
				Fix("run it again after that: what is finished is kept").Because(err)
		}
		if err := e.o.Clock.Sleep(patience, max(again.after, backoff(attempt))); err != nil {
			return nil, err
		}
	}
}

// backoff doubles from half a second to half a minute; the half of it is left to
// chance, so that several clients do not come back at the same time.
func backoff(attempt int) time.Duration {
	d := min(500*time.Millisecond<<min(attempt-1, 10), 30*time.Second)
	return d/2 + rand.N(d/2)
}

// retry says whether and when to try again.
type retry struct {
	may   bool
	after time.Duration
}

// maxAnswer bounds what is read of an answer: 2,048 vectors of 4,096 dimensions as decimal numbers.
const maxAnswer = 256 << 20

// try sends one request.
func (e *Embedder) try(ctx context.Context, body []byte, n int) ([][]float32, retry, error) {
	ctx, cancel := context.WithTimeout(ctx, e.o.RequestExpiry)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, retry{}, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if e.key != "" {
		req.Header.Set("Authorization", "Bearer "+e.key)
	}
	resp, err := e.o.Client.Do(req)
	if err != nil {
		return nil, retry{may: true}, e.unavailable(err)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, retry{may: true}, e.unavailable(err)
	}
	if resp.StatusCode != http.StatusOK {
		again, err := e.refused(resp, answer)
		return nil, again, err
	}
	vectors, err := e.vectors(answer, n)
	return vectors, retry{}, err
}

func (e *Embedder) unavailable(cause error) error {
	return problem.New(problem.Unavailable, "the embedding server %s does not answer", e.url).
		Fix("check that it runs and can be reached, then run it again: what is finished is kept").Because(errors.New(e.redact(cause.Error())))
}

// redact takes the key out of what a server or library says.
func (e *Embedder) redact(s string) string {
	if e.key != "" {
		s = strings.ReplaceAll(s, e.key, "[key]")
	}
	return s
}

// refused says what an answer that is none means.
func (e *Embedder) refused(resp *http.Response, answer []byte) (retry, error) {
	var said struct {
		Error json.RawMessage `json:"error"`
	}
	var detail struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
		Type    string `json:"type"`
	}
	message := strings.TrimSpace(string(answer[:min(len(answer), 300)]))
	if json.Unmarshal(answer, &said) == nil && len(said.Error) > 0 {
		var text string
		switch {
		case json.Unmarshal(said.Error, &text) == nil: // Ollama
			message = text
		case json.Unmarshal(said.Error, &detail) == nil && detail.Message != "":
			message = detail.Message
		}
	}
	cause := fmt.Errorf("HTTP %d: %s", resp.StatusCode, e.redact(strings.ToValidUTF8(message, "")))
	quota := detail.Type == "insufficient_quota" || detail.Code == "insufficient_quota" || resp.StatusCode == http.StatusPaymentRequired
	switch status := resp.StatusCode; {
	case quota:
		return retry{}, problem.New(problem.Exhausted, "the quota at the embedding server %s is used up", e.url).Fix("raise it there, then run it again: what is finished is kept").Because(cause)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		fix := "name the environment variable that has the key"
		if e.o.KeyVariable != "" {
			fix = "check the key in " + e.o.KeyVariable
		}
		return retry{}, problem.New(problem.Denied, "the embedding server %s refuses the key", e.url).Fix("%s", fix).Because(cause)
	case status == http.StatusNotFound:
		return retry{}, problem.New(problem.NotFound, "the embedding server %s has no model %s, or is at another address", e.url, e.o.Model).Fix("list its models: curl %s", strings.TrimSuffix(e.url, "embeddings")+"models").Because(cause)
	case status == http.StatusTooManyRequests:
		return retry{true, e.retryAfter(resp.Header)}, problem.New(problem.Exhausted, "the embedding server %s takes no more requests for now", e.url).Fix("set a lower rate, or run it again later: what is finished is kept").Because(cause)
	case status == http.StatusRequestTimeout || status >= 500:
		return retry{true, e.retryAfter(resp.Header)}, e.unavailable(cause)
	}
	return retry{}, problem.New(problem.Invalid, "the embedding server %s does not take the request", e.url).Fix("set fewer or shorter texts for each request if it says that they are too long").Because(cause)
}

// retryAfter reads how long the server asks to wait, in seconds or as a date.
func (e *Embedder) retryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil && s >= 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(e.o.Clock.Now()))
	}
	return 0
}

// vectors reads an answer. That it lacks vectors, or has those of another
// dimension, is found here.
func (e *Embedder) vectors(answer []byte, n int) ([][]float32, error) {
	wrong := func(format string, args ...any) error {
		return problem.New(problem.Invalid, "the answer of the embedding server %s makes no sense: %s", e.url, fmt.Sprintf(format, args...)).Fix("check that the endpoint is an OpenAI-compatible one")
	}
	var a struct {
		Data []struct {
			Index     int             `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, wrong("%s", e.redact(err.Error()))
	}
	if len(a.Data) != n {
		return nil, wrong("%d vectors for %d texts", len(a.Data), n)
	}
	out := make([][]float32, n)
	for _, d := range a.Data {
		if d.Index < 0 || d.Index >= n || out[d.Index] != nil {
			return nil, wrong("the vector %d of %d comes twice or is none", d.Index, n)
		}
		v, err := vector(d.Embedding)
		if err != nil {
			return nil, wrong("%s", err)
		}
		for _, x := range v {
			if x != x || math.IsInf(float64(x), 0) {
				return nil, wrong("a vector has a component that is no number")
			}
		}
		want := e.model.Dimension
		if want == 0 && d.Index > 0 && out[0] != nil {
			want = len(out[0])
		}
		if want > 0 && len(v) != want {
			return nil, e.otherDimension(len(v), want)
		}
		out[d.Index] = v
	}
	return out, nil
}

// vector reads a vector in either of its forms: a list of numbers, or base64 of little-endian float32.
func vector(raw json.RawMessage) ([]float32, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(b)%4 != 0 || len(b) == 0 {
			return nil, errors.New("a vector is no base64 of 32-bit numbers")
		}
		v := make([]float32, len(b)/4)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		return v, nil
	}
	var v []float32
	if err := json.Unmarshal(raw, &v); err != nil || len(v) == 0 {
		return nil, errors.New("a vector is no list of numbers")
	}
	return v, nil
}

// limiter spreads requests and tokens over time: each takes its share of a minute
// after the one before. A burst of a few seconds is let through.
type limiter struct {
	clock            Clock
	requests, tokens int // a minute; 0 for no limit
	mu               sync.Mutex
	next             time.Time
}

// burst is how far behind its rate a limiter may be without making anybody wait.
const burst = 2 * time.Second

func (l *limiter) wait(ctx context.Context, tokens int) error {
	share := time.Duration(0)
	if l.requests > 0 {
		share = time.Minute / time.Duration(l.requests)
	}
	if l.tokens > 0 {
		share = max(share, time.Duration(float64(time.Minute)*float64(tokens)/float64(l.tokens)))
	}
	if share == 0 {
		return ctx.Err()
	}
	l.mu.Lock()
	now := l.clock.Now()
	if earliest := now.Add(-burst); l.next.Before(earliest) {
		l.next = earliest
	}
	delay := l.next.Sub(now)
	l.next = l.next.Add(share)
	l.mu.Unlock()
	if delay <= 0 {
		return ctx.Err()
	}
	return l.clock.Sleep(ctx, delay)
}
