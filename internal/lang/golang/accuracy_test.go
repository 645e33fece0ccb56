package golang_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/golang"
)

// TestAgainstTypes compares the extractor with Go's own type checker over
// packages of the standard library. Every identifier that the checker resolves
// must be there, and what is bound in the file must be bound to the same place.
func TestAgainstTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("type-checks a part of the standard library from source")
	}
	ctx := build.Default
	ctx.CgoEnabled = false
	fset := token.NewFileSet()
	src := importer.ForCompiler(fset, "source", nil)
	for _, path := range []string{"cmp", "slices", "maps", "sync", "strconv", "encoding/json", "text/template", "go/ast", "go/types", "net/http"} {
		t.Run(path, func(t *testing.T) {
			pkg, err := ctx.ImportDir(filepath.Join(runtime.GOROOT(), "src", path), 0)
			if err != nil {
				t.Fatal(err)
			}
			var files []*ast.File
			texts := map[*ast.File][]byte{}
			for _, name := range pkg.GoFiles {
				text, err := os.ReadFile(filepath.Join(pkg.Dir, name))
				if err != nil {
					t.Fatal(err)
				}
				f, err := parser.ParseFile(fset, filepath.Join(pkg.Dir, name), text, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
				texts[f] = text
			}
			info := &types.Info{
				Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
				Types: map[ast.Expr]types.TypeAndValue{},
			}
			conf := types.Config{Importer: src, Error: func(err error) { t.Log(err) }}
			checked, err := conf.Check(path, fset, files, info)
			if err != nil {
				t.Fatal(err)
			}
			total := comparison{}
			for _, f := range files {
				c := &comparison{t: t, fset: fset, file: f, info: info, pkg: checked}
				c.compare(texts[f])
				total.identifiers += c.identifiers
				total.members += c.members
				total.unknown += c.unknown
			}
			t.Logf("%d identifiers, %d of them fields and methods, of which %d have a receiver of unknown type", total.identifiers, total.members, total.unknown)
			if total.unknown*50 > total.members {
				t.Errorf("more than 2 %% of the receivers have no expression: %d of %d", total.unknown, total.members)
			}
		})
	}
}

type comparison struct {
	t    *testing.T
	fset *token.FileSet
	file *ast.File
	info *types.Info
	pkg  *types.Package
	doc  *code.Document

	uses   map[uint32]*code.Use
	defs   map[uint32]*code.Def
	locals map[uint32]*code.Local

	identifiers, members, unknown int
}

func (c *comparison) offset(pos token.Pos) uint32 { return uint32(pos - c.file.FileStart) }

func (c *comparison) here(pos token.Pos) bool { return c.file.FileStart <= pos && pos < c.file.FileEnd }

func (c *comparison) errorf(pos token.Pos, format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("%s: %s", c.fset.Position(pos), fmt.Sprintf(format, args...))
}

func (c *comparison) compare(text []byte) {
	l := golang.Language()
	c.doc = l.NewExtractor().Extract(context.Background(), lang.Input{Text: text, Dialect: "go"})
	if err := c.doc.Check(); err != nil {
		c.t.Fatalf("%s: %v", c.fset.Position(c.file.Pos()), err)
	}
	c.uses, c.defs, c.locals = map[uint32]*code.Use{}, map[uint32]*code.Def{}, map[uint32]*code.Local{}
	for i := range c.doc.Uses {
		if u := &c.doc.Uses[i]; u.Name != 0 {
			c.uses[u.Start] = u
		}
	}
	for i := range c.doc.Defs {
		c.defs[c.doc.Defs[i].NameStart] = &c.doc.Defs[i]
	}
	for i := range c.doc.Locals {
		if l := &c.doc.Locals[i]; l.Name != 0 {
			c.locals[l.Start] = l
		}
	}
	names := map[uint32]bool{} // every identifier the checker knows
	prototypes := prototypeNames(c.file)
	for id, obj := range c.info.Uses {
		if c.here(id.Pos()) {
			names[c.offset(id.Pos())] = true
			c.use(id, obj)
		}
	}
	for id, obj := range c.info.Defs {
		if c.here(id.Pos()) {
			names[c.offset(id.Pos())] = true
			if obj != nil && !prototypes[id] {
				c.definition(id, obj)
			}
		}
	}
	for start := range c.uses {
		if !names[start] {
			c.errorf(c.file.FileStart+token.Pos(start), "a use of %s that the checker does not know", c.doc.Names[c.uses[start].Name])
		}
	}
	for start, l := range c.locals {
		if !names[start] {
			c.errorf(c.file.FileStart+token.Pos(start), "a local %s that the checker does not know", c.doc.Names[l.Name])
		}
	}
	for start, d := range c.defs {
		if !names[start] {
			c.errorf(c.file.FileStart+token.Pos(start), "a definition of %s that the checker does not know", c.doc.Names[d.Name])
		}
	}
}

func (c *comparison) definition(id *ast.Ident, obj types.Object) {
	if _, ok := obj.(*types.Label); ok || id.Name == "_" {
		return
	}
	if _, ok := obj.(*types.PkgName); ok {
		return
	}
	at := c.offset(id.Pos())
	if c.defs[at] == nil && c.locals[at] == nil {
		c.errorf(id.Pos(), "%s is defined here: nothing there", obj)
	}
	if d := c.defs[at]; d != nil && c.doc.Names[d.Name] != id.Name {
		c.errorf(id.Pos(), "%s is called %s", id.Name, c.doc.Names[d.Name])
	}
}

func (c *comparison) use(id *ast.Ident, obj types.Object) {
	if _, ok := obj.(*types.Label); ok {
		return
	}
	c.identifiers++
	if l := c.locals[c.offset(id.Pos())]; l != nil && l.Kind == code.KindTypeParameter && id.Pos() == obj.Pos() {
		return // a receiver's type parameter is declared where the checker also sees it used
	}
	u := c.uses[c.offset(id.Pos())]
	if u == nil || c.doc.Names[u.Name] != id.Name {
		c.errorf(id.Pos(), "%s is used here: nothing there", obj)
		return
	}
	e := c.doc.Exprs[u.Expr]
	v, isVar := obj.(*types.Var)
	f, isFunc := obj.(*types.Func)
	switch {
	case isVar && v.IsField(), isFunc && f.Signature().Recv() != nil:
		c.members++
		switch e.Op {
		case code.OpUnknown:
			c.unknown++
		case code.OpMember:
			if c.doc.Names[e.B] != id.Name {
				c.errorf(id.Pos(), "%s is member %s", id.Name, c.doc.Names[e.B])
			}
		default: // an embedded field is written as its type
			if d := c.defs[u.Start]; d == nil || d.Flags&code.DefEmbedded == 0 {
				c.errorf(id.Pos(), "%s is operation %d", obj, e.Op)
			}
		}
	case obj.Pkg() == nil || obj.Parent() == types.Universe:
		if e.Op != code.OpName {
			c.errorf(id.Pos(), "%s is operation %d", obj, e.Op)
		}
	case obj.Pkg() != c.pkg:
		if e.Op == code.OpName && c.imports(code.ImportStar, obj.Pkg().Path()) {
			return
		}
		if e.Op != code.OpMember || c.doc.Exprs[e.A].Op != code.OpImport {
			c.errorf(id.Pos(), "%s is operation %d", obj, e.Op)
		}
	default:
		c.bound(id, obj, e)
	}
}

func (c *comparison) imports(kind code.ImportKind, path string) bool {
	return slices.ContainsFunc(c.doc.Imports, func(m code.Import) bool { return m.Kind == kind && c.doc.Names[m.Specifier] == path })
}

// bound checks what is declared in this package, at its top or inside a function.
func (c *comparison) bound(id *ast.Ident, obj types.Object, e code.Expr) {
	if _, ok := obj.(*types.PkgName); ok {
		if e.Op != code.OpImport {
			c.errorf(id.Pos(), "package %s is operation %d", id.Name, e.Op)
		}
		return
	}
	if !c.here(obj.Pos()) {
		if e.Op != code.OpName || c.doc.Names[e.A] != id.Name {
			c.errorf(id.Pos(), "%s of another file is operation %d", obj, e.Op)
		}
		return
	}
	want, got := c.offset(obj.Pos()), uint32(0)
	switch e.Op {
	case code.OpDef:
		got = c.doc.Defs[e.A].NameStart
	case code.OpLocal:
		got = c.doc.Locals[e.A].Start
	default:
		c.errorf(id.Pos(), "%s is operation %d", obj, e.Op)
		return
	}
	if got != want {
		c.errorf(id.Pos(), "%s is bound to %s, not to %s", obj, c.fset.Position(c.file.FileStart+token.Pos(got)), c.fset.Position(obj.Pos()))
	}
}

// prototypeNames are the parameters of function types, which bind nothing.
func prototypeNames(f *ast.File) map[*ast.Ident]bool {
	names := map[*ast.Ident]bool{}
	bodies := map[*ast.FuncType]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			bodies[n.Type] = true
		case *ast.FuncLit:
			bodies[n.Type] = true
		case *ast.FuncType:
			if bodies[n] {
				break
			}
			for _, list := range []*ast.FieldList{n.Params, n.Results} {
				if list == nil {
					continue
				}
				for _, field := range list.List {
					for _, name := range field.Names {
						names[name] = true
					}
				}
			}
		}
		return true
	})
	return names
}
