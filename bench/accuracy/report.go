package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

const (
	resultsFile = "bench/accuracy/results.json"
	docFile     = "docs/accuracy.md"
)

func writeResults(file string, all []*scores) error {
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func readResults(file string) ([]*scores, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []*scores
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// render is docs/accuracy.md.
func render(all []*scores) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# How right and how complete the graph is")
	p("")
	p("Written by `go run ./bench/accuracy report` from the committed [results](../bench/accuracy/results.json); do not edit.")
	p("")
	p("Each package is real, pinned by version and hash, and judged by a compiler whose answers are committed")
	p("([keys](../bench/accuracy/keys)): go/types for Go, scip-typescript (TypeScript's checker) and scip-python (Pyright). Manito reads the")
	p("same files without any type checker, without installed dependencies and without a build. Which places are calls, imports")
	p("and definitions is listed by the language's own parser, not by Manito. `go test ./bench/accuracy` fails when a limit below is broken.")
	p("")
	p("## By language")
	p("")
	p("| language | import edges right | imports found | call edges right | static calls found | complete answers refuted |")
	p("|---|---|---|---|---|---|")
	for _, t := range totals(all) {
		l := limits()[t.language]
		p("| %s | %s (limit %g) | %s (limit %g) | %s (limit %g) | %s (limit %g) | %s (limit %g) |", t.language,
			percent(t.importsRight), l.importsRight, percent(t.importsFound), l.importsFound, percent(t.callsRight), l.callsRight, percent(t.callsFound), l.callsFound,
			percent(t.refuted), l.refuted)
	}
	p("")
	p("*Right*: of the edges that are certain (`must`) and stand where the judge knows the answer, those that reach what the judge says.")
	p("*Found*: of what the judge resolves statically to something in the repository, what has such an edge. Imports are modules and imported names.")
	p("Overloads and merged declarations of one name in one place count as one target, and so do a class and its constructor.")
	p("")
	p("## Calls and imports by package")
	p("")
	p("| package | files | lines | imports right | found | calls right | found | of calls, judged | not found, but listed as unresolved |")
	p("|---|---|---|---|---|---|---|---|---|")
	for _, s := range all {
		right, found := s.Imports.Right, s.Imports.Found
		right.plus(s.Names.Right)
		found.plus(s.Names.Found)
		p("| %s | %d | %d | %s | %s | %s | %s | %s | %s |", s.Package, s.Files, s.Lines, percent(right), percent(found),
			percentOf(s.Calls.Right), percentOf(s.Calls.Found), percent(s.Calls.Judged), percent(s.Calls.Unresolved))
	}
	dispatch(p, all)
	p("")
	p("## Definitions by package")
	p("")
	p("| package | found at the judge's line and column | of these, of the same kind |")
	p("|---|---|---|")
	for _, s := range all {
		p("| %s | %s | %s |", s.Package, percentOf(s.Definitions.Found), percent(s.Definitions.Kind))
	}
	completenessTable(p, all)
	causes(p, all)
	p("")
	p("## Examples")
	p("")
	p("What differs from the judge, some of each cause, at most %d per package. The judge is not always right.", maxExamples)
	for _, s := range all {
		if len(s.Examples)+len(s.Completeness.Examples) == 0 {
			continue
		}
		p("")
		p("<details><summary>%s</summary>", s.Package)
		p("")
		for _, e := range s.Examples {
			p("- `%s`", strings.ReplaceAll(e, "`", "'"))
		}
		for _, e := range s.Completeness.Examples {
			p("- `refuted: %s`", strings.ReplaceAll(e, "`", "'"))
		}
		p("")
		p("</details>")
	}
	return b.Bytes()
}

func dispatch(p func(string, ...any), all []*scores) {
	p("")
	p("## Dispatch")
	p("")
	p("Calls of interface and abstract methods have an edge to that method; each method that stands in for it has an edge `overrides` of its")
	p("own, and questions join the two. Edges that are not certain are judged apart: `likely` and `may` say what could run, not what does.")
	p("Packages with a star were chosen because they are heavy in interfaces or overridden methods.")
	p("")
	p("| package | calls of interface and abstract methods found | call edges `likely` right | call edges `may` right | overrides found | overrides `likely` right | overrides `may` right |")
	p("|---|---|---|---|---|---|---|")
	for _, s := range all {
		d, star := s.Dispatch, ""
		if s.Heavy {
			star = " *"
		}
		p("| %s%s | %s | %s | %s | %s | %s | %s |", s.Package, star, percentOf(d.Found), percentOf(d.Right["likely"]), percentOf(d.Right["may"]),
			percentOf(d.OverridesFound), percentOf(d.OverridesRight["likely"]), percentOf(d.OverridesRight["may"]))
	}
}

func completenessTable(p func(string, ...any), all []*scores) {
	p("")
	p("## Completeness")
	p("")
	p("For every function and method, \"who calls it?\" is asked. An answer that says *complete* is refuted when the judge knows a call, or a call")
	p("of a method that it stands in for, that is not among them.")
	p("")
	p("| package | asked | complete | lower bound | unknown | refuted | why not complete (answers) |")
	p("|---|---|---|---|---|---|---|")
	for _, s := range all {
		c := s.Completeness
		var why []string
		for _, r := range sorted(c.Reasons) {
			why = append(why, fmt.Sprintf("%s %d", r, c.Reasons[r]))
		}
		p("| %s | %d | %d (%.0f %%) | %d | %d | %d | %s |", s.Package, c.Asked, c.Complete, share{c.Complete, c.Asked}.of(), c.LowerBound, c.Unknown, c.Refuted, strings.Join(why, ", "))
	}
}

func causes(p func(string, ...any), all []*scores) {
	p("")
	p("## Misses and wrong edges by cause")
	p("")
	p("| language | static calls that were not found: why | calls |")
	p("|---|---|---|")
	for _, language := range languages(all) {
		sum := merged(all, language, func(s *scores) map[string]int { return s.Misses })
		for _, c := range sorted(sum) {
			p("| %s | %s | %d |", language, c, sum[c])
		}
	}
	p("")
	p("| language | call edges that are not the judge's: how they were established; what the judge says | edges |")
	p("|---|---|---|")
	for _, language := range languages(all) {
		sum := merged(all, language, func(s *scores) map[string]int { return s.Wrong })
		for _, c := range sorted(sum) {
			p("| %s | %s | %d |", language, c, sum[c])
		}
	}
}

func languages(all []*scores) []string {
	var out []string
	for _, t := range totals(all) {
		out = append(out, t.language)
	}
	return out
}

func merged(all []*scores, language string, of func(*scores) map[string]int) map[string]int {
	sum := map[string]int{}
	for _, s := range all {
		if s.Language == language {
			for c, n := range of(s) {
				sum[c] += n
			}
		}
	}
	return sum
}

// sorted lists keys, the most frequent first.
func sorted(m map[string]int) []string {
	return slices.SortedFunc(keysOf(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b)) })
}

func percent(s share) string {
	if s.All == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", s.of())
}

func percentOf(s share) string {
	if s.All == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %% of %d", s.of(), s.All)
}
