package term

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Weighted is a term of a query with what it counts.
type Weighted struct {
	Term   string
	Weight float32
}

// Query turns the words of a question into weighted terms, in the order in which
// they first stand. Identifiers are looked for as a whole as well. A question of
// nothing but stop words is taken by its word.
func (s *Splitter) Query(text string) []Weighted {
	terms := s.Append(nil, text, Prose)
	if len(terms) == 0 {
		terms = s.Append(nil, text, Name)
	}
	return gather(append(terms, s.Whole(nil, text)...))
}

// gather counts equal terms together; the second of them counts half, the third a third.
func gather(terms []string) []Weighted {
	var out []Weighted
	seen := map[string]int{}
	for _, t := range terms {
		seen[t]++
		if n := seen[t]; n > 1 {
			i := slices.IndexFunc(out, func(w Weighted) bool { return w.Term == t })
			out[i].Weight += 1 / float32(n)
			continue
		}
		out = append(out, Weighted{t, 1})
	}
	return out
}

// Segment is an index with those of its documents that count.
type Segment struct {
	Index *Index
	// Live has a bit for each document, 64 to a word from the lowest; nil for all.
	// How many documents have a term is counted without it, so that a filter does
	// not change the order of what it lets through.
	Live []uint64
}

// Hit is a document that was found.
type Hit struct {
	Segment int
	Doc     int
	Score   float32
}

// Search finds the k best documents of all segments by BM25F, the best first;
// equal scores are in the order of segment and document. The segments must have
// been built with equal Params and Averages for their scores to compare.
//
// Every posting of every term is looked at, term by term: with impacts computed
// beforehand that takes a few nanoseconds each, which is below 10 ms for 100,000
// documents, and what is skipped by dynamic pruning is little with many terms.
func Search(ctx context.Context, segments []Segment, query []Weighted, k int) ([]Hit, error) {
	if k <= 0 || len(query) == 0 {
		return nil, nil
	}
	total := 0
	for _, s := range segments {
		total += s.Index.Len()
	}
	weights := make([]float32, len(query))
	for i, w := range query {
		docs := 0
		for _, s := range segments {
			docs += s.Index.Count(w.Term)
		}
		weights[i] = w.Weight * rarity(total, docs) / steps
	}
	top := heap{k: k}
	for si, s := range segments {
		scores := make([]float32, s.Index.Len())
		for i, w := range query {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if t, ok := s.Index.find(w.Term); ok {
				s.Index.add(t, weights[i], scores)
			}
		}
		for doc, score := range scores {
			if score > 0 && (score > top.floor || !top.full()) && (s.Live == nil || s.Live[doc>>6]>>(doc&63)&1 == 1) {
				top.offer(Hit{si, doc, score})
			}
		}
	}
	return top.sorted(), nil
}

// rarity is BM25's inverse document frequency, in the form that is never negative.
func rarity(total, docs int) float32 {
	return float32(math.Log(1 + (float64(total)-float64(docs)+0.5)/(float64(docs)+0.5)))
}

// add adds a term's part to the scores of its documents.
func (x *Index) add(t int, weight float32, scores []float32) {
	x.each(t, func(doc uint32, impact uint8) {
		if int(doc) < len(scores) {
			scores[doc] += weight * float32(impact)
		}
	})
}

// before is the order of hits.
func (h Hit) before(o Hit) bool {
	if c := cmp.Compare(o.Score, h.Score); c != 0 {
		return c < 0
	}
	if h.Segment != o.Segment {
		return h.Segment < o.Segment
	}
	return h.Doc < o.Doc
}

// heap keeps the k best; its root is the worst of them.
type heap struct {
	k     int
	hits  []Hit
	floor float32 // what a hit must exceed, or equal in front of the root, once the heap is full
}

func (h *heap) full() bool { return len(h.hits) == h.k }

func (h *heap) offer(x Hit) {
	if h.full() {
		if !x.before(h.hits[0]) {
			return
		}
		h.hits[0] = x
		h.down(0)
	} else {
		h.hits = append(h.hits, x)
		for i := len(h.hits) - 1; i > 0; {
			p := (i - 1) / 2
			if !h.hits[p].before(h.hits[i]) {
				break
			}
			h.hits[p], h.hits[i] = h.hits[i], h.hits[p]
			i = p
		}
	}
	h.floor = h.hits[0].Score
}

func (h *heap) down(i int) {
	for {
		worst := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < len(h.hits) && h.hits[worst].before(h.hits[c]) {
				worst = c
			}
		}
		if worst == i {
			return
		}
		h.hits[i], h.hits[worst] = h.hits[worst], h.hits[i]
		i = worst
	}
}

func (h *heap) sorted() []Hit {
	slices.SortFunc(h.hits, func(a, b Hit) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return h.hits
}
