package codeintel

import (
	"context"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"manito/internal/code"
	"manito/internal/graph"
)

// judged are the packages of the standard library whose calls Go's type checker is asked about.
var judged = []string{"bufio", "bytes", "context", "encoding/json", "errors", "fmt", "go/ast", "go/parser", "go/types", "io", "net/http", "os", "reflect", "regexp", "sort", "strconv", "strings", "sync", "text/template", "time"}

// TestCompleteAnswersAgainstTypes: of the callers answers about the standard
// library that say complete, Go's type checker refutes at most one in a hundred,
// and enough of them say so.
func TestCompleteAnswersAgainstTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the standard library and type-checks a part of it")
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	texts := map[string][]byte{}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && (d.Name() == "testdata" || d.Name() == "cmd") {
				return filepath.SkipDir
			}
			return err
		}
		if e := filepath.Ext(p); e == ".go" || e == ".s" || d.Name() == "go.mod" {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			if texts[filepath.ToSlash(rel)], err = os.ReadFile(p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w := worldOf(t, texts)

	bctx := build.Default
	bctx.CgoEnabled = false
	fset := token.NewFileSet()
	src := importer.ForCompiler(fset, "source", nil)
	g := w.g
	type site struct {
		path      string
		line, col int
	}
	type callee struct {
		def   graph.Def
		sites []site
	}
	callees := map[graph.Node]*callee{}
	at := func(p token.Pos) (site, bool) {
		pos := fset.PositionFor(p, false)
		rel, err := filepath.Rel(root, pos.Filename)
		return site{filepath.ToSlash(rel), pos.Line, pos.Column}, err == nil && !strings.HasPrefix(rel, "..")
	}
	defAt := map[site]graph.Def{}
	for d := range graph.Def(g.NumDefs()) {
		def := g.Definition(d)
		defAt[site{g.Path(g.FileOf(d)), int(def.NameLine) + 1, int(def.NameColumn) + 1}] = d
	}
	for _, path := range judged {
		pkg, err := bctx.ImportDir(filepath.Join(root, path), 0)
		if err != nil {
			t.Fatal(err)
		}
		var files []*ast.File
		for _, name := range pkg.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		conf := types.Config{Importer: src, Error: func(error) {}}
		if _, err := conf.Check(path, fset, files, info); err != nil {
			t.Logf("%s: %v", path, err)
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				id := calledIdent(call.Fun)
				if id == nil {
					return true
				}
				fn, ok := info.Uses[id].(*types.Func)
				if !ok {
					return true
				}
				fn = fn.Origin()
				dp, ok := at(fn.Pos())
				if !ok {
					return true
				}
				d, ok := defAt[dp]
				if !ok {
					if !strings.Contains(fn.FullName(), "(interface)") { // methods of interfaces without a name are no symbols
						t.Errorf("%v: no definition where the type checker has %s", dp, fn.FullName())
					}
					return true
				}
				sp, _ := at(id.Pos())
				c := callees[g.Node(d)]
				if c == nil {
					c = &callee{def: d}
					callees[g.Node(d)] = c
				}
				c.sites = append(c.sites, sp)
				return true
			})
		}
	}

	ctx := context.Background()
	var complete, doubtful, refuted, functions, methods, sureFunctions, sureMethods, calls, missed int
	why := map[string]int{}
	var examples []string
	for n, c := range callees {
		s := subject{[]graph.Node{n}}
		routes := w.routes(s, askCalls)
		defs, _ := g.Users(inlets(routes), 0)
		listed := map[site]bool{}
		for _, d := range defs {
			for _, u := range w.usesIn(d, routes) {
				listed[site{g.Path(g.FileOf(d)), int(u.link.Line) + 1, int(u.link.Column) + 1}] = true
			}
		}
		comp, err := w.completeness(ctx, s, askCalls)
		if err != nil {
			t.Fatal(err)
		}
		method := g.Kind(c.def) == code.KindMethod
		if method {
			methods++
		} else {
			functions++
		}
		bad := ""
		for _, x := range c.sites {
			calls++
			if !listed[x] {
				missed++
				bad = fmt.Sprintf("%s:%d:%d calls %s", x.path, x.line, x.col, g.QualifiedName(c.def))
			}
		}
		if comp.Status != Complete {
			doubtful++
			for _, r := range comp.Reasons {
				why[r.Code]++
			}
			continue
		}
		complete++
		if method {
			sureMethods++
		} else {
			sureFunctions++
		}
		if bad != "" {
			refuted++
			examples = append(examples, bad)
		}
	}
	sort.Strings(examples)
	t.Logf("%d callees with %d calls (%d not in the graph): %d complete, of which %d are refuted; functions %d of %d complete, methods %d of %d; reasons of the others: %v",
		complete+doubtful, calls, missed, complete, refuted, sureFunctions, functions, sureMethods, methods, why)
	for _, e := range examples {
		t.Log("refuted: " + e)
	}
	if refuted*100 > complete {
		t.Errorf("%d of %d complete answers are refuted", refuted, complete)
	}
	if complete*2 < complete+doubtful {
		t.Errorf("only %d of %d answers say complete", complete, complete+doubtful)
	}
}

// calledIdent is the identifier that names what a call expression calls.
func calledIdent(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	case *ast.IndexExpr:
		return calledIdent(e.X)
	case *ast.IndexListExpr:
		return calledIdent(e.X)
	}
	return nil
}
