package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// resultsFile holds the committed figures.
const resultsFile = "bench/relevance/results.json"

// result is how the methods did on one set.
type result struct {
	Set     string `json:"set"` // kind, half of natural questions, corpus: "natural-dev/raft"
	Kind    string `json:"kind"`
	Half    Half   `json:"half,omitempty"`
	Corpus  string `json:"corpus"`
	Chunks  int    `json:"chunks"` // that were searched
	Queries int    `json:"queries"`
	// Methods are in the order of the table.
	Methods []methodMarks `json:"methods"`

	each map[string][]marks // by method, by query
}

// methodMarks are the means of one method over a set.
type methodMarks struct {
	Method string `json:"method"`
	marks
}

// of is the marks of a method.
func (r *result) of(method string) (marks, bool) {
	for _, m := range r.Methods {
		if m.Method == method {
			return m.marks, true
		}
	}
	return marks{}, false
}

// scorer runs methods over collections.
type scorer struct {
	methods []Method
	// each, when set, is told of every query that a method answered.
	each func(s *set, q *ask, method string, ranking []string, m marks)
}

// score asks all sets of a collection of all methods.
func (s *scorer) score(ctx context.Context, a *asked) (_ []*result, err error) {
	defer func() {
		for _, m := range s.methods { // what they keep outside of memory is removed
			if c, ok := m.(io.Closer); ok {
				err = errors.Join(err, c.Close())
			}
		}
	}()
	out := make([]*result, len(a.sets))
	for i, set := range a.sets {
		out[i] = &result{Set: set.name(), Kind: set.kind, Half: set.half, Corpus: set.corpus, Chunks: len(a.Chunks), Queries: len(set.queries), each: map[string][]marks{}}
	}
	for _, m := range s.methods {
		if err := s.one(ctx, a, m, out); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(out, func(r *result) bool { return r.Queries == 0 }), nil
}

// one asks all sets of one method.
func (s *scorer) one(ctx context.Context, a *asked, m Method, out []*result) error {
	if err := m.Index(ctx, a.Collection); err != nil {
		return fmt.Errorf("%s over %s: %w", m.Name(), a.sets[0].corpus, err)
	}
	for i := range a.sets {
		all, err := s.put(ctx, a, &a.sets[i], m)
		if err != nil {
			return err
		}
		out[i].Methods = append(out[i].Methods, methodMarks{m.Name(), mean(all)})
		out[i].each[m.Name()] = all
	}
	return nil
}

// put puts every query of a set to a method.
func (s *scorer) put(ctx context.Context, a *asked, set *set, m Method) ([]marks, error) {
	all := make([]marks, len(set.queries))
	for i := range set.queries {
		q := &set.queries[i]
		found, err := m.Search(ctx, q.text, depth)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", m.Name(), q.id, err)
		}
		ranking := make([]string, len(found))
		for k, c := range found {
			ranking[k] = a.places[c]
		}
		all[i] = judge(ranking, q.relevant)
		if s.each != nil {
			s.each(set, q, m.Name(), ranking, all[i])
		}
	}
	return all, nil
}

// pooled are the means over the queries of several sets.
func pooled(all []*result, method string) (marks, int) {
	var sum marks
	n := 0
	for _, r := range all {
		m, ok := r.of(method)
		if !ok {
			continue
		}
		w := float64(r.Queries)
		sum.MRR += m.MRR * w
		sum.Recall += m.Recall * w
		sum.NDCG += m.NDCG * w
		sum.Deep += m.Deep * w
		n += r.Queries
	}
	w := float64(max(n, 1))
	return marks{sum.MRR / w, sum.Recall / w, sum.NDCG / w, sum.Deep / w}, n
}

// group is a line of the table: all sets of a kind, or of a half of the natural ones.
type group struct {
	name    string
	results []*result
}

// groups puts results of the same kind and half together, in their first order.
func groups(all []*result) []group {
	var out []group
	for _, r := range all {
		name := r.Set[:strings.IndexByte(r.Set, '/')]
		i := slices.IndexFunc(out, func(g group) bool { return g.name == name })
		if i < 0 {
			out = append(out, group{name: name})
			i = len(out) - 1
		}
		out[i].results = append(out[i].results, r)
	}
	return out
}

// each are the marks of all queries of a group, in one order for every method.
func (g *group) each(method string) []marks {
	var all []marks
	for _, r := range g.results {
		all = append(all, r.each[method]...)
	}
	return all
}

// comparison is a gain on one group.
type comparison struct {
	Group  string `json:"group"`
	Better string `json:"better"`
	Worse  string `json:"worse"`
	gain
}

// report is what is committed.
type report struct {
	Toolchain   string       `json:"toolchain"`
	Results     []*result    `json:"results"`
	Comparisons []comparison `json:"comparisons"`
}

// compareMethods tests every method against each that stands before it in the table.
func compareMethods(all []*result, methods []string) []comparison {
	var out []comparison
	for _, g := range groups(all) {
		for i, better := range methods {
			for _, worse := range methods[:i] {
				out = append(out, comparison{g.name, better, worse, compare(g.each(better), g.each(worse))})
			}
		}
	}
	return out
}

func writeReport(file string, r *report) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func readReport(file string) (*report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &r, nil
}

// methodNames are the methods of a report, in the order of the table.
func (r *report) methodNames() []string {
	var names []string
	for _, res := range r.Results {
		for _, m := range res.Methods {
			if !slices.Contains(names, m.Method) {
				names = append(names, m.Method)
			}
		}
	}
	return names
}

// allowedDrop is how much a figure may fall before the test fails: one point of a hundred.
const allowedDrop = 0.01

// drops lists the figures of groups that fell, both taken over the sets that were measured now.
func drops(now, committed []*result) []string {
	var out []string
	for _, g := range groups(now) {
		var then []*result
		for _, r := range g.results {
			i := slices.IndexFunc(committed, func(c *result) bool { return c.Set == r.Set })
			if i < 0 {
				out = append(out, fmt.Sprintf("%s has no committed figures", r.Set))
				continue
			}
			if committed[i].Queries != r.Queries || committed[i].Chunks != r.Chunks {
				out = append(out, fmt.Sprintf("%s has %d queries over %d chunks, %d over %d are committed: measure it again", r.Set, r.Queries, r.Chunks, committed[i].Queries, committed[i].Chunks))
			}
			then = append(then, committed[i])
		}
		for _, m := range g.results[0].Methods {
			a, _ := pooled(g.results, m.Method)
			b, n := pooled(then, m.Method)
			if n == 0 {
				out = append(out, fmt.Sprintf("%s: %s has no committed figures", g.name, m.Method))
				continue
			}
			for _, f := range []struct {
				name     string
				now, was float64
			}{{"MRR@10", a.MRR, b.MRR}, {"recall@10", a.Recall, b.Recall}, {"nDCG@10", a.NDCG, b.NDCG}} {
				if f.now < f.was-allowedDrop {
					out = append(out, fmt.Sprintf("%s: %s of %s is %.4f, %.4f is committed", g.name, f.name, m.Method, f.now, f.was))
				}
			}
		}
	}
	return out
}
