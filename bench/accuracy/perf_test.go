package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"manito/internal/lang/golang"
	"manito/internal/link"
)

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(0, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

func TestPerf(t *testing.T) {
	root := os.Getenv("PERF_ROOT")
	if root == "" {
		return
	}
	t0 := cpu()
	l, err := build(context.Background(), root, golang.Language(), func(p string) (string, bool) { return "go", strings.HasSuffix(p, ".go") })
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("all", cpu()-t0)
	tf := &treeFiles{root: root, files: l.files}
	m := newTmp(tf)
	for range 3 {
		t0 = cpu()
		res, err := link.Link(context.Background(), link.Input{Rules: golang.Language().Rules, Modules: m, Files: l.files, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("link", cpu()-t0)
		e, s := 0, 0
		kinds := map[string]int{}
		reasons := map[string]int{}
		for _, f := range res.Files {
			e += len(f.Edges)
			s += len(f.Sites)
			for _, x := range f.Edges {
				kinds[x.Kind.String()]++
			}
			for _, x := range f.Sites {
				reasons[x.Reason.String()]++
			}
		}
		d, u, ex, lo := 0, 0, 0, 0
		for _, f := range l.files {
			d += len(f.Doc.Defs)
			u += len(f.Doc.Uses)
			ex += len(f.Doc.Exprs)
			lo += len(f.Doc.Locals)
		}
		fmt.Println("files", len(l.files), "defs", d, "uses", u, "exprs", ex, "locals", lo, "edges", e, "sites", s, kinds, reasons)
	}
}
