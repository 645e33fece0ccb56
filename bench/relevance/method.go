package main

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"manito/internal/chunk"
	"manito/internal/graph"
)

// Method is one way to search, as the sets ask it.
type Method interface {
	Name() string
	// Index prepares the method for a collection; it replaces the one before.
	Index(ctx context.Context, c Collection) error
	// Search returns at most k indexes into the collection's Chunks, the best first.
	Search(ctx context.Context, query string, k int) ([]int, error)
}

// Collection is what is searched.
type Collection struct {
	Chunks []chunk.Chunk
	Files  []codeFile // of which Chunks were cut
	// Training is what a method may learn from besides Chunks: where these have been
	// stripped of their documentation, the documentation of those that are not asked for.
	Training []chunk.Chunk
	// Graph is that of the files; its definitions are numbered in each file as those of the chunks.
	Graph *graph.Graph
}

// whole is Okapi BM25 over whole words and identifiers (Robertson and Zaragoza
// 2009): what a search that does not know code would do. It is the table's first line.
type whole struct {
	postings map[string][]posting
	length   []float64
	average  float64
}

type posting struct {
	chunk int32
	count float32
}

// The usual parameters of BM25.
const (
	bm25Saturation = 1.2
	bm25Length     = 0.75
)

func (*whole) Name() string { return "words" }

func (w *whole) Index(_ context.Context, c Collection) error {
	*w = whole{postings: map[string][]posting{}, length: make([]float64, len(c.Chunks))}
	for i := range c.Chunks {
		counts := map[string]float32{}
		words := wordsOf(c.Chunks[i].Text(0))
		for _, t := range words {
			counts[t]++
		}
		for t, n := range counts {
			w.postings[t] = append(w.postings[t], posting{int32(i), n})
		}
		w.length[i] = float64(len(words))
		w.average += float64(len(words))
	}
	w.average /= float64(max(len(c.Chunks), 1))
	return nil
}

func (w *whole) Search(_ context.Context, query string, k int) ([]int, error) {
	scores := map[int32]float64{}
	n := float64(len(w.length))
	asked := wordsOf(query)
	slices.Sort(asked)
	for _, t := range asked { // in one order, so that sums are the same in every run
		list := w.postings[t]
		df := float64(len(list))
		idf := math.Log(1 + (n-df+0.5)/(df+0.5))
		for _, p := range list {
			tf := float64(p.count)
			scores[p.chunk] += idf * tf * (bm25Saturation + 1) / (tf + bm25Saturation*(1-bm25Length+bm25Length*w.length[p.chunk]/w.average))
		}
	}
	found := make([]int, 0, len(scores))
	for i := range scores {
		found = append(found, int(i))
	}
	slices.SortFunc(found, func(a, b int) int { return cmp.Or(cmp.Compare(scores[int32(b)], scores[int32(a)]), a-b) })
	return found[:min(k, len(found))], nil
}

// wordsOf cuts a text into identifiers and words, in small letters.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
