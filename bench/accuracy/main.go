// Command accuracy measures how right and how complete the graph's edges are,
// against compilers.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"manito/internal/code"
	"manito/internal/lang/golang"
)

func main() {
	root, err := filepath.Abs(os.Args[1])
	if err != nil {
		panic(err)
	}
	l, err := build(context.Background(), root, golang.Language(), func(p string) (string, bool) { return "go", strings.HasSuffix(p, ".go") })
	if err != nil {
		panic(err)
	}
	key, judged, err := judgeGo(root)
	if err != nil {
		panic(err)
	}
	score(l, key, judged)
}

func score(l *linked, key map[place]verdict, judged map[string]bool) {
	var right, wrong, unjudged int
	foundS, foundI := map[place]bool{}, map[place]bool{}
	wrongs := map[string]int{}
	byReason := map[string][2]int{}
	var samples []string
	for i, f := range l.files {
		if !judged[f.Path] {
			continue
		}
		for _, e := range l.result.Files[i].Edges {
			if e.Kind != code.EdgeCalls || e.Certainty != code.Must {
				continue
			}
			line, col := f.Doc.Line(e.Start)
			p := place{f.Path, int(line) + 1, int(col) + 1}
			v, ok := key[p]
			targets := l.at[e.Target]
			if len(targets) > 0 && !targets[0].kind.Callable() {
				continue
			}
			if !ok {
				unjudged++
				continue
			}
			hit := false
			for _, t := range targets {
				hit = hit || t.file == v.target.file && t.line == v.target.line
			}
			r := byReason[e.Reason.String()]
			if hit && (v.class == 's' || v.class == 'i') {
				right++
				r[0]++
				if v.class == 's' {
					foundS[p] = true
				} else {
					foundI[p] = true
				}
			} else {
				wrong++
				r[1]++
				wrongs[string(v.class)]++
				if len(samples) < 40 {
					samples = append(samples, fmt.Sprintf("%s:%d:%d -> %s:%d %s (%s); judge %c %s:%d", p.file, p.line, p.column, targets[0].file, targets[0].line, targets[0].name, e.Reason, v.class, v.target.file, v.target.line))
				}
			}
			byReason[e.Reason.String()] = r
		}
	}
	nS, nI := 0, 0
	var missed []place
	for p, v := range key {
		switch v.class {
		case 's':
			nS++
			if !foundS[p] {
				missed = append(missed, p)
			}
		case 'i':
			nI++
		}
	}
	fmt.Printf("precision %d/%d = %.4f (unjudged %d) wrong by class %v\n", right, right+wrong, float64(right)/float64(right+wrong), unjudged, wrongs)
	fmt.Printf("recall static %d/%d = %.4f; interface %d/%d\n", len(foundS), nS, float64(len(foundS))/float64(nS), len(foundI), nI)
	for r, n := range byReason {
		fmt.Printf("  %-45s right %d wrong %d\n", r, n[0], n[1])
	}
	for _, s := range samples {
		fmt.Println("WRONG", s)
	}
	sites := map[place]code.Site{}
	for i, f := range l.files {
		for _, s := range l.result.Files[i].Sites {
			line, col := f.Doc.Line(s.Start)
			sites[place{f.Path, int(line) + 1, int(col) + 1}] = s
		}
	}
	causes := map[string]int{}
	sort.Slice(missed, func(a, b int) bool {
		x, y := missed[a], missed[b]
		if x.file != y.file {
			return x.file < y.file
		}
		return x.line < y.line
	})
	for i, p := range missed {
		why := "no site"
		if s, ok := sites[p]; ok {
			why = s.Reason.String()
		}
		causes[why]++
		if i%max(1, len(missed)/40) == 0 {
			fmt.Printf("MISS %s:%d:%d -> %s:%d (%s)\n", p.file, p.line, p.column, key[p].target.file, key[p].target.line, why)
		}
	}
	fmt.Println("missed by cause", causes)
}
