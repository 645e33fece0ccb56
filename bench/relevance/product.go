package main

import (
	"context"
	"errors"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/search"
	"manito/internal/term"
)

// terms is the search by words of the product: split identifiers, stems, BM25F.
type terms struct {
	name    string
	fields  func(f term.Fields) term.Fields
	params  *term.Params // nil for the product's
	index   *term.Index
	splits  term.Splitter
	segment []term.Segment
}

// flat is BM25: everything in one field.
func flat(f term.Fields) term.Fields {
	return term.Fields{Body: f.Name + "\n" + f.Context + "\n" + f.Doc + "\n" + f.Body}
}

func (t *terms) Name() string { return t.name }

func (t *terms) Index(ctx context.Context, c Collection) (err error) {
	fields := func(i int) term.Fields {
		ch := &c.Chunks[i]
		f := term.Fields{Name: ch.Name, Context: ch.Context(), Doc: ch.Doc, Body: ch.Body}
		if t.fields != nil {
			f = t.fields(f)
		}
		return f
	}
	params := term.Defaults()
	if t.params != nil {
		params = *t.params
	}
	t.index, err = term.Build(ctx, len(c.Chunks), fields, term.Options{Params: params})
	t.segment = []term.Segment{{Index: t.index}}
	return err
}

func (t *terms) Search(ctx context.Context, query string, k int) ([]int, error) {
	hits, err := term.Search(ctx, t.segment, t.splits.Query(query), k)
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.Doc
	}
	return out, err
}

// symbols is the search by name of the product.
type symbols struct {
	index  *search.Symbols
	chunks map[graph.Def]int
}

func (s *symbols) Name() string { return "symbols" }

func (s *symbols) Index(_ context.Context, c Collection) error {
	if c.Graph == nil {
		return errors.New("symbols are those of a graph")
	}
	s.index, s.chunks = search.NewSymbols(c.Graph), map[graph.Def]int{}
	for i := range c.Chunks {
		f, ok := c.Graph.FileByPath(c.Chunks[i].Path)
		if !ok {
			return errors.New("no file " + c.Chunks[i].Path)
		}
		if d := c.Chunks[i].Def; d != code.NoDef {
			first, _ := c.Graph.FileDefs(f)
			s.chunks[first+graph.Def(d)] = i
		}
	}
	return nil
}

func (s *symbols) Search(ctx context.Context, query string, k int) ([]int, error) {
	hits, _, err := s.index.Find(ctx, search.SymbolQuery{
		Name: query, Limit: k,
		Keep: func(d graph.Def) bool { _, ok := s.chunks[d]; return ok },
	})
	var out []int
	for _, h := range hits {
		if i, ok := s.chunks[h.Def]; ok {
			out = append(out, i)
		}
	}
	return out, err
}
