package builtin

import (
	"context"
	_ "embed" // of the known words
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"manito/internal/chunk"
	"manito/internal/term"
	"manito/internal/vector"
)

// The constants of training. They were found on documentation of the Go standard
// library and the development half of the questions of bench/relevance.
const (
	dimension   = 128
	maxWords    = 100_000 // the most frequent; each is in two chunks at least
	batchPairs  = 256     // the other pairs of a batch are what a pair is told apart from
	temperature = 0.1
	rate        = 0.1
	trust       = 1000 // pairs, from which on known vectors give way
	dropout     = 0.15 // share of words left out each time, so that none becomes indispensable
	epochs      = 5
	priorChunks = 300
	minSteps    = 100
	maxPairs    = 400_000 // bounds the time: about 20 s
	scarcePairs = 5000

	minViews         = 30_000
	viewsPerMegabyte = 4000
	firstSize        = 0.03 // of the components before training
	tailWords        = 64   // of a text's words the weightiest
)

// course says how one training goes.
type course struct {
	base     *Model  // words whose vectors are known; nil for none
	rate     float32 // of learning at the begin; falls to 0 until the end
	trust    float32 // how many pairs of the repository it takes to doubt the known vectors
	minSteps int
	maxPairs int // looked at over all epochs, at most
	minCount int // of chunks that a word must be in
}

// Train makes a model of chunks, those of one repository, beginning from the words
// that the program knows. It is a function of the chunks, in their order. It takes
// about 6 s of one processor for the 17,000 functions of the Go standard library.
func Train(ctx context.Context, chunks []chunk.Chunk) (*Model, error) {
	base, err := known()
	if err != nil {
		return nil, err
	}
	return train(ctx, chunks, course{base: base, rate: rate, trust: trust, minSteps: minSteps, maxPairs: maxPairs, minCount: 2})
}

// TrainWords makes the vectors from which Train begins, of the chunks of many libraries.
func TrainWords(ctx context.Context, chunks []chunk.Chunk) (*Model, error) {
	return train(ctx, chunks, course{rate: rate, maxPairs: 2 * maxPairs, minCount: 3})
}

//go:embed words.bin
var words []byte

// known are the vectors that TrainWords made of libraries (bench/words).
func known() (*Model, error) {
	m, err := Load(words)
	if err != nil {
		return nil, fmt.Errorf("the words of the built-in model: %w", err)
	}
	return m, nil
}

func train(ctx context.Context, chunks []chunk.Chunk, c course) (*Model, error) {
	m := &Model{}
	var s term.Splitter
	if err := m.vocabulary(ctx, &s, chunks, c); err != nil {
		return nil, err
	}
	pairs, err := m.pairs(ctx, &s, chunks)
	if err != nil {
		return nil, err
	}
	if c.base != nil {
		c.maxPairs = min(c.maxPairs, views(len(pairs), chunks))
	}
	t := newTrainer(len(m.weight))
	if c.base != nil {
		t.begin(m, c.base, min(1, c.trust/float32(max(len(pairs), 1))))
	}
	if err := t.run(ctx, pairs, c); err != nil {
		return nil, err
	}
	m.scale = make([]float32, len(m.weight))
	for i := range m.weight {
		v := t.row(i)
		largest := float32(0)
		for _, x := range v {
			largest = max(largest, x, -x)
		}
		m.scale[i] = largest / 127
		m.vectors = vector.Quantize(m.vectors, v)
	}
	m.head = []uint32{dimension, uint32(len(m.weight)), term.Version}
	m.seen = smallest(chunks)
	b, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	m.finish(b)
	return m, nil
}

// vocabulary chooses the words and weighs them by how few chunks have them.
func (m *Model) vocabulary(ctx context.Context, s *term.Splitter, chunks []chunk.Chunk, c course) error {
	type counted struct {
		chunks int
		last   int // 1 + the latest chunk that has it
	}
	counts := map[string]*counted{}
	var buf []string
	for i := range chunks {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k := &chunks[i]
		buf = s.Append(buf[:0], k.Name, term.Name)
		buf = s.Append(buf, k.Context(), term.Name)
		buf = s.Append(buf, k.Doc, term.Prose)
		buf = s.Append(buf, k.Body, term.Code)
		for _, t := range buf {
			n, ok := counts[t]
			if !ok {
				n = &counted{}
				counts[t] = n
			}
			if n.last != i+1 {
				n.last = i + 1
				n.chunks++
			}
		}
	}
	terms := make([]string, 0, len(counts))
	for t, n := range counts {
		if n.chunks >= c.minCount {
			terms = append(terms, t)
		}
	}
	slices.SortFunc(terms, func(a, b string) int {
		if n := counts[b].chunks - counts[a].chunks; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	terms = terms[:min(len(terms), maxWords)]
	if c.base != nil {
		// What the repository does not say can still be asked for.
		for t := range c.base.words {
			n, ok := counts[t]
			switch {
			case !ok:
				counts[t] = &counted{}
				terms = append(terms, t)
			case n.chunks < c.minCount:
				terms = append(terms, t)
			}
		}
	}
	slices.Sort(terms)
	terms = slices.Compact(terms)
	m.termAt = make([]uint32, 1, len(terms)+1)
	m.words = make(map[string]uint32, len(terms))
	for i, t := range terms {
		m.words[t] = uint32(i)
		m.terms = append(m.terms, t...)
		m.termAt = append(m.termAt, uint32(len(m.terms)))
		have, of := float64(counts[t].chunks), float64(len(chunks)+1)
		if c.base != nil {
			// What is known of words counts as much as a few hundred chunks.
			of += priorChunks
			if id, ok := c.base.words[t]; ok {
				have += priorChunks * math.Exp(-float64(c.base.weight[id]))
			}
		}
		m.weight = append(m.weight, float32(math.Log(of/have)))
	}
	return nil
}

// pair is two texts that mean the same.
type pair struct{ question, code bag }

// minQuestion is how many words a side must have to say something.
const minQuestion = 3

// pairs finds what can be learned from: the first sentence of each documentation,
// and the whole where it is longer, with the code below it. Names with what they
// name are added where documentation is scarce; where it is not they gain nothing.
func (m *Model) pairs(ctx context.Context, s *term.Splitter, chunks []chunk.Chunk) ([]pair, error) {
	var out, named []pair
	b := newBagger(m.words)
	question := func(text string, kind term.Kind) bag {
		b.buf = s.Append(b.buf[:0], text, kind)
		b.add(b.buf, 1)
		return b.take(m.weight).weightiest(tailWords)
	}
	for i := range chunks {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c := &chunks[i]
		doc := withoutName(c.Doc, c.Name)
		whole := question(doc, term.Prose)
		if len(whole.ids) < minQuestion {
			if len(named) < scarcePairs {
				name := question(c.Name, term.Name)
				b.context(s, c)
				if rest := b.take(m.weight).weightiest(tailWords); len(name.ids) > 0 && len(rest.ids) >= minQuestion {
					named = append(named, pair{name, rest})
				}
			}
			continue
		}
		b.chunk(s, c, false)
		code := b.take(m.weight).weightiest(tailWords)
		if len(code.ids) == 0 {
			continue
		}
		first := question(sentence(doc), term.Prose)
		if len(first.ids) >= minQuestion {
			out = append(out, pair{first, code})
		}
		if len(first.ids) < minQuestion || len(whole.ids) > len(first.ids) {
			out = append(out, pair{whole, code})
		}
	}
	if len(out) < scarcePairs {
		out = append(out, named...)
	}
	return out, nil
}

// views is how many pairs a training of chunks looks at over all epochs, so that
// its time stays in proportion to the source.
func views(pairs int, chunks []chunk.Chunk) int {
	size := 0
	for i := range chunks {
		size += len(chunks[i].Body) + len(chunks[i].Doc) + len(chunks[i].Signature)
	}
	return min(epochs*pairs, minViews+viewsPerMegabyte*(size>>20))
}

// withoutName takes the name off the head of a documentation: where that is the
// custom it would be the only thing to be learned.
func withoutName(doc, name string) string {
	word, rest, ok := strings.Cut(doc, " ")
	if ok && strings.EqualFold(strings.Trim(word, "(),.:`"), name) {
		return rest
	}
	return doc
}

// sentence is the first sentence of a documentation.
func sentence(doc string) string {
	if i := strings.Index(doc, "\n\n"); i > 0 {
		doc = doc[:i]
	}
	doc = strings.Join(strings.Fields(doc), " ")
	if i := strings.Index(doc, ". "); i > 0 {
		return doc[:i]
	}
	return doc
}

// weightiest keeps the n weightiest words; equal ones in their order.
func (b bag) weightiest(n int) bag {
	if len(b.ids) <= n {
		return b
	}
	order := make([]int, len(b.ids))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch {
		case b.weights[x] > b.weights[y]:
			return -1
		case b.weights[x] < b.weights[y]:
			return 1
		}
		return 0
	})
	order = order[:n]
	slices.Sort(order)
	var out bag
	for _, i := range order {
		out.ids, out.weights = append(out.ids, b.ids[i]), append(out.weights, b.weights[i])
	}
	return out
}

// trainer holds the words' vectors while they are learned.
type trainer struct {
	random  *rand.Rand
	vectors []float32
	squares []float32 // by word: of the gradients so far (Duchi, Hazan and Singer, "Adaptive Subgradient Methods", 2011, a step for each word)

	questions, codes side
	shares           []float32 // of the batch: how much each question takes each code for its own
	change           [dimension]float32
}

// side is one side of a batch.
type side struct {
	bags      []bag
	sums      []float32 // scaled to length 1
	lengths   []float32 // before
	gradients []float32
}

func (s *side) sum(i int) []float32      { return s.sums[i*dimension : (i+1)*dimension] }
func (s *side) gradient(i int) []float32 { return s.gradients[i*dimension : (i+1)*dimension] }

func newTrainer(words int) *trainer {
	t := &trainer{random: rand.New(rand.NewPCG(0x6d616e69746f, 1)), vectors: make([]float32, words*dimension), squares: make([]float32, words)}
	for i := range t.vectors {
		t.vectors[i] = firstSize * float32(t.random.NormFloat64())
	}
	return t
}

func (t *trainer) row(word int) []float32 { return t.vectors[word*dimension : (word+1)*dimension] }

// begin takes over the vectors of the words that another model knows. firm is how
// little they then move, as if it were the squares of the gradients that made them.
func (t *trainer) begin(m, from *Model, firm float32) {
	for w, id := range m.words {
		if k, ok := from.words[w]; ok {
			row, v := t.row(int(id)), from.vectors[int(k)*dimension:]
			for j := range row {
				row[j] = float32(v[j]) * from.scale[k]
			}
			t.squares[id] = firm
		}
	}
}

// run looks at the pairs in batches, in an order that chance gives.
func (t *trainer) run(ctx context.Context, pairs []pair, c course) error {
	size := min(batchPairs, len(pairs))
	if size < 2 {
		return ctx.Err()
	}
	for _, s := range []*side{&t.questions, &t.codes} {
		*s = side{bags: make([]bag, size), sums: make([]float32, size*dimension), lengths: make([]float32, size), gradients: make([]float32, size*dimension)}
	}
	t.shares = make([]float32, size*size)
	perEpoch := len(pairs) / size
	steps := max(c.minSteps, min(epochs*perEpoch, c.maxPairs/size))
	var order []int
	for step := range steps {
		at := step % perEpoch * size
		if at == 0 {
			order = t.random.Perm(len(pairs))
		}
		if step%16 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		t.batch(pairs, order[at:at+size], c.rate*(1-float32(step)/float32(steps)))
	}
	return nil
}

// batch learns from one batch: the gradient of the cross entropy of finding each question's code among those of the batch.
func (t *trainer) batch(pairs []pair, chosen []int, rate float32) {
	n := len(chosen)
	for i, p := range chosen {
		t.sum(&t.questions, i, pairs[p].question)
		t.sum(&t.codes, i, pairs[p].code)
	}
	clear(t.questions.gradients)
	clear(t.codes.gradients)
	for i := range n {
		shares := t.shares[i*n : (i+1)*n]
		largest := float32(math.Inf(-1))
		for j := range shares {
			shares[j] = dot(t.questions.sum(i), t.codes.sum(j)) / temperature
			largest = max(largest, shares[j])
		}
		total := float32(0)
		for j, x := range shares {
			shares[j] = float32(math.Exp(float64(x - largest)))
			total += shares[j]
		}
		for j := range shares {
			g := shares[j] / total
			if j == i {
				g--
			}
			// The many that are far off do not matter, and take most of the time.
			if g > 1e-3 || g < -1e-3 {
				axpy(g, t.codes.sum(j), t.questions.gradient(i))
				axpy(g, t.questions.sum(i), t.codes.gradient(j))
			}
		}
	}
	for i := range n {
		t.learn(&t.questions, i, rate)
		t.learn(&t.codes, i, rate)
	}
}

// sum makes a text's vector of the words that chance does not leave out.
func (t *trainer) sum(s *side, i int, b bag) {
	kept := &s.bags[i]
	kept.ids, kept.weights = kept.ids[:0], kept.weights[:0]
	for k, id := range b.ids {
		if t.random.Float32() >= dropout {
			kept.ids, kept.weights = append(kept.ids, id), append(kept.weights, b.weights[k])
		}
	}
	v := s.sum(i)
	clear(v)
	for k, id := range kept.ids {
		axpy(kept.weights[k], t.row(int(id)), v)
	}
	s.lengths[i] = normalize(v)
}

// learn moves the words of a text against its gradient.
func (t *trainer) learn(s *side, i int, rate float32) {
	if s.lengths[i] == 0 {
		return
	}
	v, g := s.sum(i), t.change[:]
	copy(g, s.gradient(i))
	axpy(-dot(v, g), v, g) // only the direction can change: the length is taken away again
	size := dot(g, g) / dimension
	for k, id := range s.bags[i].ids {
		w := s.bags[i].weights[k] / s.lengths[i]
		t.squares[id] += float32(w * w * size)
		axpy(-rate*w/(float32(math.Sqrt(float64(t.squares[id])))+1e-6), g, t.row(int(id)))
	}
}
