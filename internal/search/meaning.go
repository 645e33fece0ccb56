package search

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"manito/internal/embed"
	"manito/internal/embed/builtin"
	"manito/internal/graph"
	"manito/internal/mapfile"
	"manito/internal/problem"
	"manito/internal/vector"
)

// openVectors maps the vectors of each segment.
func (x *Index) openVectors() error {
	for _, s := range x.segments {
		v, err := vector.Open(filepath.Join(x.dir, vectorsName(s.name, x.model)))
		if err != nil {
			return err
		}
		x.vectors = append(x.vectors, v)
		if v.Len() != s.chunks() || !bytes.Equal(v.Model(), x.vectors[0].Model()) {
			return mapfile.Corrupt("the vectors are those of other chunks")
		}
	}
	return nil
}

// embedder is the model of the vectors, read when it is first asked for.
func (x *Index) embedder() (*builtin.Model, error) {
	x.loading.Lock()
	defer x.loading.Unlock()
	if x.loaded != nil {
		return x.loaded, nil
	}
	m, err := readModel(x.dir, x.model)
	if err != nil {
		return nil, err
	}
	if len(x.vectors) > 0 && !bytes.Equal(m.Model().Bytes(), x.vectors[0].Model()) {
		return nil, mapfile.Corrupt("the vectors are those of another model")
	}
	x.loaded = m
	return m, nil
}

// meaning is what a search by meaning looks into.
type meaning struct {
	embedder embed.Embedder
	sets     []*vector.Set // by segment
	chunks   int           // of the snapshot, that have a vector
}

// meaning finds the vectors: those of a provider when there is one, and never both.
func (x *Index) meaning(ctx context.Context, open func(context.Context) (*Provider, error)) (meaning, error) {
	if open == nil {
		m, err := x.embedder()
		return meaning{m, x.vectors, x.chunks}, err
	}
	p, err := open(ctx)
	if err != nil {
		return meaning{}, err
	}
	v, err := x.provide(ctx, p)
	if err != nil {
		return meaning{}, err
	}
	if v.have == 0 && x.chunks > 0 {
		return meaning{}, problem.New(problem.Unavailable, "no chunk of the snapshot has a vector of the model %s", p.Embedder.Model().Name).Fix("make them: manito embed").Fix("see what it takes: manito embed --dry-run")
	}
	return meaning{p.Embedder, v.sets, v.have}, nil
}

// meaningOrNot is meaningList, which a provider that fails leaves empty with the reason.
func (x *Index) meaningOrNot(ctx context.Context, p *plan, keep func(graph.FileNo, graph.Def) bool, open func(context.Context) (*Provider, error)) (list, error) {
	l, err := x.meaningList(ctx, p, keep, open)
	var known *problem.Error
	switch {
	case err != nil && ctx.Err() != nil:
		return l, ctx.Err()
	case open == nil || !errors.As(err, &known):
		return l, err
	}
	reason := "not searched by meaning: " + err.Error()
	if fixes := problem.Fixes(err); len(fixes) > 0 {
		reason += " (" + fixes[0] + ")"
	}
	return list{name: l.name, weight: l.weight, partial: reason}, nil
}

// meaningList ranks chunks by how near their vectors are to the question's. It has less
// weight than words, which are right more often where both know an answer.
func (x *Index) meaningList(ctx context.Context, p *plan, keep func(graph.FileNo, graph.Def) bool, open func(context.Context) (*Provider, error)) (list, error) {
	l := list{name: "meaning", weight: 0.6, scored: true}
	if open == nil && x.model == "" || strings.TrimSpace(p.words) == "" {
		return l, nil
	}
	m, err := x.meaning(ctx, open)
	if err != nil {
		return l, err
	}
	if m.chunks < x.chunks {
		l.partial = fmt.Sprintf("vectors of %d of %d chunks, model %s: manito embed makes the rest", m.chunks, x.chunks, m.embedder.Model().Name)
	}
	q, err := m.embedder.Query(ctx, p.words)
	if err != nil {
		return l, err
	}
	type near struct {
		id     chunkID
		cosine float32
	}
	allow := x.live
	for try := 0; ; try++ {
		if try > 0 {
			allow = p.allowed(keep)
		}
		k := 2 * listLength
		var all []near
		var mode vector.Mode
		for i, v := range m.sets {
			hits, how, err := v.Search(ctx, q, vector.Options{K: k, Allow: allow[i]})
			if err != nil {
				return l, err
			}
			mode = max(mode, how)
			for _, h := range hits {
				all = append(all, near{chunkID{i, h.ID}, h.Cosine})
			}
		}
		slices.SortStableFunc(all, func(a, b near) int {
			return cmp.Or(cmp.Compare(b.cosine, a.cosine), cmp.Compare(a.id.segment, b.id.segment), cmp.Compare(a.id.doc, b.id.doc))
		})
		l.how = fmt.Sprintf("meaning: %s scan of %d vectors, model %s", mode, m.chunks, m.embedder.Model())
		l.entries = l.entries[:0]
		for _, n := range all {
			if at := x.placeOf(n.id); n.cosine > 0 && keep(at.File, at.Def) {
				l.entries = append(l.entries, listed{at: at, raw: float64(n.cosine), note: "cosine"})
				if len(l.entries) == listLength {
					break
				}
			}
		}
		if len(l.entries) == listLength || len(all) < k || try > 0 {
			return l, nil
		}
	}
}

// ByMeaning searches by vectors only. Without any it fails with problem.Unavailable.
func (x *Index) ByMeaning(ctx context.Context, r Request) (*Found, error) {
	if r.Provider == nil && x.model == "" {
		return nil, problem.New(problem.Unavailable, "the snapshot has no vectors: it is too small to learn from, or they are switched off").
			Fix("search by words: --mode words").Fix("switch them on with MANITO_SEARCH_EMBEDDINGS=builtin, and scan again")
	}
	p, keep, err := x.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	l, err := x.meaningList(ctx, p, keep, r.Provider)
	if err != nil {
		return nil, err
	}
	lists := []list{l}
	if err := p.settle(ctx, lists); err != nil {
		return nil, err
	}
	found, err := x.fuse(ctx, lists, r)
	if err == nil && found.Total == 0 && strings.TrimSpace(p.words) == "" {
		err = problem.New(problem.Usage, "the query has no words to search by meaning").Fix("say what it should do: manito search --mode semantic retry after a failure")
	}
	return found, err
}
