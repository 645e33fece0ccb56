package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/bench/corpus"
	"manito/internal/chunk"
)

// TestRelevance asks the quick corpora and holds every method to the committed
// figures: a fall of more than a point fails. Questions of the final half are not asked.
func TestRelevance(t *testing.T) {
	if testing.Short() {
		t.Skip("indexes seven packages with every method")
	}
	dir, err := corpus.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := readReport(filepath.Join("..", "..", resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := choose(true, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chosen {
		fetched(t, c)
	}
	r, _, err := scoreAll(t.Context(), dir, chosen, halves(false))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drops(r.Results, committed.Results) {
		t.Error(d)
	}
	for _, g := range groups(r.Results) {
		for _, name := range r.methodNames() {
			m, n := pooled(g.results, name)
			t.Logf("%s (%d queries): %s MRR@10 %.3f recall@10 %.3f nDCG@10 %.3f", g.name, n, name, m.MRR, m.Recall, m.NDCG)
		}
	}
}

// TestResultsAreWhole: the committed figures are of all sets and all methods.
func TestResultsAreWhole(t *testing.T) {
	t.Parallel()
	r, err := readReport(filepath.Join("..", "..", resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range methods() {
		want = append(want, m.Name())
	}
	if diff := cmp.Diff(want, r.methodNames()); diff != "" {
		t.Errorf("methods: %s", diff)
	}
	has := map[string]bool{}
	for _, res := range r.Results {
		has[res.Set] = true
		if len(res.Methods) != len(want) || res.Queries < 20 || res.Chunks < 50 {
			t.Errorf("%s: %d methods, %d queries over %d chunks", res.Set, len(res.Methods), res.Queries, res.Chunks)
		}
	}
	languages := map[string]bool{}
	packages := 0
	for _, c := range corpora() {
		var sets []string
		if !c.big {
			sets = append(sets, typoSet+"/"+c.name)
		}
		if c.natural {
			sets = append(sets, naturalSet+"-dev/"+c.name, naturalSet+"-final/"+c.name)
		}
		if c.docstrings > 0 {
			sets = append(sets, docstringSet+"/"+c.name)
			languages[c.reader+strings.Join(c.sources, "")] = true
			packages++
		}
		for _, s := range sets {
			if !has[s] {
				t.Errorf("there are no figures of %s", s)
			}
		}
	}
	if packages < 6 || len(languages) < 4 {
		t.Errorf("documentation of %d packages in %d languages, want 6 in 4", packages, len(languages))
	}
	page, err := os.ReadFile(filepath.Join("..", "..", docFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(page), string(render(r))); diff != "" {
		t.Errorf("%s is stale; run go run ./bench/relevance render:\n%s", docFile, diff)
	}
}

func TestDrops(t *testing.T) {
	t.Parallel()
	make := func(mrr float64) []*result {
		return []*result{
			{Set: "typo/a", Kind: "typo", Queries: 30, Chunks: 9, Methods: []methodMarks{{"m", marks{MRR: mrr, Recall: 0.9, NDCG: 0.8}}}},
			{Set: "typo/b", Kind: "typo", Queries: 10, Chunks: 9, Methods: []methodMarks{{"m", marks{MRR: 0.5, Recall: 0.9, NDCG: 0.8}}}},
		}
	}
	if d := drops(make(0.5), make(0.5)); len(d) != 0 {
		t.Errorf("the same figures: %v", d)
	}
	if d := drops(make(0.488), make(0.5)); len(d) != 0 {
		t.Errorf("less than a point over both: %v", d)
	}
	if d := drops(make(0.48), make(0.5)); len(d) != 1 || !strings.Contains(d[0], "MRR@10 of m is 0.4850, 0.5000 is committed") {
		t.Errorf("a point and a half: %v", d)
	}
	if d := drops(make(0.9), make(0.5)); len(d) != 0 {
		t.Errorf("a rise: %v", d)
	}
	if d := drops(make(0.5)[:1], make(0.5)); len(d) != 0 {
		t.Errorf("a part: %v", d)
	}
	if d := drops(make(0.5), make(0.5)[:1]); len(d) != 1 {
		t.Errorf("a set without committed figures: %v", d)
	}
	other := make(0.5)
	other[0].Queries++
	if d := drops(other, make(0.5)); len(d) != 1 {
		t.Errorf("another set of the same name: %v", d)
	}
	other = make(0.5)
	other[0].Methods[0].Method, other[1].Methods[0].Method = "n", "n"
	if d := drops(other, make(0.5)); len(d) != 1 {
		t.Errorf("a new method: %v", d)
	}
}

func TestWholeWords(t *testing.T) {
	t.Parallel()
	var w whole
	chunks := []chunk.Chunk{
		{Name: "openFile", Path: "a.go", Body: "opens a file and reads it"},
		{Name: "closeFile", Path: "b.go", Body: "closes it"},
		{Name: "openFile", Path: "c.go", Body: "opens a file and reads it"},
	}
	if err := w.Index(context.Background(), Collection{Chunks: chunks}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]int{"closefile": {1}, "reads a file": {0, 2}, "nothing here": nil, "it": {1, 0, 2}} {
		got, err := w.Search(context.Background(), query, 10)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", query, got, err, want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`a "quoted: thing (of) /some/ -kind`: "a quoted thing of some kind",
		"this or that And those":             "this that those",
		"snake_case x1":                      "snake_case x1",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
	if r, err := request(`symptom: "data is undefined`); err != nil || r.Text != "symptom data is undefined" {
		t.Errorf("a question that is no query: %q, %v", r.Text, err)
	}
	if r, err := request("where is sym:Open used"); err != nil || r.Text != "where is sym:Open used" {
		t.Errorf("a query: %q, %v", r.Text, err)
	}
}
