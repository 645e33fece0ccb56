package main

import (
	"bytes"
	"fmt"
	"strings"
)

// render is docs/relevance.md.
func render(r *report) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# How well search finds what is asked for")
	p("")
	p("Written by `go run ./bench/relevance report -final` (figures) and `render` (this page) from the committed")
	p("[results](../bench/relevance/results.json); do not edit. Measured with %s.", r.Toolchain)
	p("")
	p("## Sets")
	p("")
	p("- **natural**: questions as a developer asks who does not know the names, each with one to five symbols that answer it (grade 2) or help")
	p("  (grade 1), labelled by hand by reading the code. They were committed before anything was tuned. Tuning sees the half in")
	p("  [dev.json](../bench/relevance/questions/dev.json) (`natural-dev`); the other half (`natural-final`) is read only with `-final`.")
	p("  A label on what has no chunk of its own, such as a short constant, is met by the chunk in which it stands.")
	p("- **docstring**: a function of four lines or more is looked for by the first sentence of its documentation, without its name, among all")
	p("  functions of its package. What is searched has no documentation at all; methods may learn from that of functions that are not looked for.")
	p("- **typo**: names that stand in one place of the package alone, written with mistakes: a letter dropped, two letters swapped, a letter")
	p("  replaced by its neighbour on the keyboard, capitals and underscores lost, the beginnings of the name's parts, or two mistakes at once.")
	p("")
	p("Samples and mistakes come from fixed seeds. Tests of a package are left out: the questions are about what they test.")
	p("")
	p("| corpus | version | licence | chunks | natural | docstring | typo |")
	p("|---|---|---|---|---|---|---|")
	for _, c := range corpora() {
		p("| %s | %s | %s | %d | %s | %s | %s |", c.title, cell(c.pin.Version), c.licence, max(r.find(typoSet+"/"+c.name).Chunks, r.find(docstringSet+"/"+c.name).Chunks),
			queries(r.find(naturalSet+"-dev/"+c.name), r.find(naturalSet+"-final/"+c.name)), queries(r.find(docstringSet+"/"+c.name)), queries(r.find(typoSet+"/"+c.name)))
	}
	p("")
	p("Nothing of the packages is copied into this repository: they are fetched by version and hash from the Go module proxy, npm and Debian.")
	p("")
	p("## Measures")
	p("")
	p("MRR@10 is the mean of 1/rank of the first answer of grade 2; recall@10 is the share of all labelled symbols among the first ten; nDCG@10")
	p("weighs labels by 2^grade - 1. MRR@100 looks deeper and can be compared with measurements that rank everything. A difference is")
	p("significant when the 95 %% interval of a paired bootstrap over queries (%d resamples) is above zero for each of three seeds.", resamples)
	p("")
	p("## Methods")
	p("")
	for _, m := range descriptions() {
		p("- `%s`: %s", m[0], m[1])
	}
	p("")
	p("## Figures")
	for _, g := range groups(r.Results) {
		p("")
		_, n := pooled(g.results, r.methodNames()[0])
		p("### %s: %d queries", g.name, n)
		p("")
		p("| method | MRR@10 | recall@10 | nDCG@10 | MRR@100 |")
		p("|---|---|---|---|---|")
		for _, name := range r.methodNames() {
			m, _ := pooled(g.results, name)
			p("| %s | %.3f | %.3f | %.3f | %.3f |", name, m.MRR, m.Recall, m.NDCG, m.Deep)
		}
		p("")
		p("MRR@10 by corpus:")
		p("")
		p("| corpus | queries | %s |", strings.Join(r.methodNames(), " | "))
		p("|---|---|%s", strings.Repeat("---|", len(r.methodNames())))
		for _, res := range g.results {
			line := fmt.Sprintf("| %s | %d |", res.Corpus, res.Queries)
			for _, name := range r.methodNames() {
				m, _ := res.of(name)
				line += fmt.Sprintf(" %.3f |", m.MRR)
			}
			p("%s", line)
		}
	}
	p("")
	p("## Differences")
	p("")
	p("| set | better | than | MRR@10 | 95 %% interval | significant |")
	p("|---|---|---|---|---|---|")
	for _, c := range r.Comparisons {
		if c.Difference <= 0 {
			c.Better, c.Worse, c.gain = c.Worse, c.Better, gain{-c.Difference, -c.High, -c.Low, 0}
		}
		word := "no"
		if c.significant() {
			word = "yes"
		}
		p("| %s | %s | %s | %+.3f | %+.3f to %+.3f | %s |", c.Group, c.Better, c.Worse, c.Difference, c.Low, c.High, word)
	}
	p("")
	p("## How to add a question")
	p("")
	p("1. `go run ./bench/relevance symbols raft` lists what a label of a corpus can name.")
	p("2. Write the question in words of your own before you look for the symbol's name, then open the code and grade every symbol that answers it")
	p("   or helps. Add it to one half and one of the same difficulty to the other: both halves of a corpus have as many.")
	p("3. `go test ./bench/relevance` checks the form and that each label is a symbol; `report -final` measures everything again.")
	p("")
	p("`go test ./bench/relevance` also asks %s of every method and fails", strings.Join(quickNames(), ", "))
	p("when a figure of a kind of set falls by more than a point under what is committed.")
	return b.Bytes()
}

// find is the result of a set; one without queries when there is none.
func (r *report) find(set string) *result {
	for _, res := range r.Results {
		if res.Set == set {
			return res
		}
	}
	return &result{}
}

func queries(of ...*result) string {
	n := 0
	for _, r := range of {
		n += r.Queries
	}
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func cell(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func quickNames() []string {
	var out []string
	for _, c := range corpora() {
		if c.quick {
			out = append(out, c.name)
		}
	}
	return out
}
