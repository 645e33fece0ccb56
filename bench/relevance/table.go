package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// docFile is the page that is written from the results.
const docFile = "docs/relevance.md"

// printTable prints the figures for a terminal.
func printTable(out io.Writer, r *report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name string, queries int, m methodMarks) {
		fmt.Fprintf(w, "%s\t%d\t%s\t%.3f\t%.3f\t%.3f\t%.3f\n", name, queries, m.Method, m.MRR, m.Recall, m.NDCG, m.Deep)
	}
	fmt.Fprintln(w, "set\tqueries\tmethod\tMRR@10\trecall@10\tnDCG@10\tMRR@100")
	for _, g := range groups(r.Results) {
		for _, res := range g.results {
			for _, m := range res.Methods {
				line(res.Set, res.Queries, m)
			}
		}
		for _, name := range r.methodNames() {
			m, n := pooled(g.results, name)
			line("all "+g.name, n, methodMarks{name, m})
		}
	}
	for _, c := range r.Comparisons {
		fmt.Fprintf(w, "%s\t\t%s against %s\t%+.3f\t[%+.3f, %+.3f]\tp %.4f\t\n", c.Group, c.Better, c.Worse, c.Difference, c.Low, c.High, c.P)
	}
	return w.Flush()
}
