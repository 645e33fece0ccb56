package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/types/typeutil"
)

// goJudge asks go/types about a module.
type goJudge struct {
	root  string
	fset  *token.FileSet
	files map[string]*judged
	named []*types.TypeName // every type with a name, interfaces and those local to functions included
}

// judgeGo type-checks the module in root, tests included, for this machine's
// system and architecture. Every place is that of the file as it is written:
// //line directives do not count.
func judgeGo(ctx context.Context, root string) (*answerKey, error) {
	j := &goJudge{root: root, fset: token.NewFileSet(), files: map[string]*judged{}}
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx, Dir: root, Fset: j.fset, Tests: true, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off"),
		Mode: packages.LoadSyntax | packages.NeedModule | packages.NeedForTest,
	}, "./...")
	if err != nil {
		return nil, err
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			return nil, fmt.Errorf("go/types cannot judge %s: %w", p.PkgPath, e)
		}
		if err := j.pkg(p); err != nil {
			return nil, err
		}
	}
	j.overrides()
	k := &answerKey{judge: "go/types " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	for _, f := range j.files {
		k.files = append(k.files, *f)
	}
	k.normalize()
	return k, nil
}

// place is where something is written; false when that is outside of the repository.
func (j *goJudge) place(p token.Pos) (place, bool) {
	if !p.IsValid() {
		return place{}, false
	}
	at := j.fset.PositionFor(p, false)
	rel, err := filepath.Rel(j.root, at.Filename)
	if err != nil || !filepath.IsLocal(rel) {
		return place{}, false
	}
	return place{filepath.ToSlash(rel), at.Line, at.Column}, true
}

func (j *goJudge) pkg(p *packages.Package) error {
	for _, o := range p.TypesInfo.Defs {
		if t, ok := o.(*types.TypeName); ok && !t.IsAlias() {
			if _, param := t.Type().(*types.TypeParam); !param {
				j.named = append(j.named, t)
			}
		}
	}
	for _, file := range p.Syntax {
		at, ok := j.place(file.Package)
		if !ok {
			continue // a generated test main
		}
		if j.files[at.file] != nil {
			continue // the package's test variant has the same file
		}
		text, err := os.ReadFile(filepath.Join(j.root, filepath.FromSlash(at.file)))
		if err != nil {
			return err
		}
		out := &judged{path: at.file, sum: sumOf(text)}
		j.files[at.file] = out
		j.imports(p, file, out)
		j.definitions(file, out)
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				j.call(p.TypesInfo, call, out)
			}
			return true
		})
	}
	return nil
}

// sumOf is how a key names the bytes that were judged.
func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (j *goJudge) imports(p *packages.Package, file *ast.File, out *judged) {
	for _, spec := range file.Imports {
		at, _ := j.place(spec.Path.Pos())
		v := judgement{line: at.line, column: at.column + 1, class: classExternal} // inside the quotes
		if imp := p.Imports[strings.Trim(spec.Path.Value, "`\"")]; imp != nil && len(imp.GoFiles) > 0 {
			if rel, err := filepath.Rel(j.root, filepath.Dir(imp.GoFiles[0])); err == nil && (rel == "." || filepath.IsLocal(rel)) {
				v.class, v.targets = classModule, []place{{file: filepath.ToSlash(rel)}}
			}
		}
		out.imports = append(out.imports, v)
	}
}

func (j *goJudge) call(info *types.Info, call *ast.CallExpr, out *judged) {
	id := calleeIdent(call.Fun)
	if id == nil {
		return
	}
	at, _ := j.place(id.Pos())
	v := judgement{line: at.line, column: at.column, class: classValue}
	object := info.Uses[id]
	if fn, ok := typeutil.Callee(info, call).(*types.Func); ok {
		object = fn.Origin()
	}
	target, inside := place{}, false
	if object != nil {
		target, inside = j.place(object.Pos())
	}
	switch o := object.(type) {
	case *types.Builtin:
		v.class = classBuiltin
	case *types.Func:
		recv := o.Signature().Recv()
		switch {
		case !inside:
			v.class = classExternal
		case recv != nil && types.IsInterface(recv.Type()):
			v.class, v.targets = classDispatch, []place{target}
		default:
			v.class, v.targets = classStatic, []place{target}
		}
	case *types.Var: // a field or package variable has a place to compare with, a local one has not
		if inside && (o.IsField() || o.Parent() == o.Pkg().Scope()) {
			v.targets = []place{target}
		}
	}
	if tv, ok := info.Types[call.Fun]; ok && tv.IsType() {
		v.class, v.targets = classConvert, nil
	}
	out.calls = append(out.calls, v)
}

func calleeIdent(x ast.Expr) *ast.Ident {
	switch x := x.(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	case *ast.ParenExpr:
		return calleeIdent(x.X)
	case *ast.IndexExpr:
		return calleeIdent(x.X)
	case *ast.IndexListExpr:
		return calleeIdent(x.X)
	}
	return nil
}

// overrides pairs the methods of every type with those of the interfaces that it implements.
func (j *goJudge) overrides() {
	var interfaces []*types.Interface
	for _, t := range j.named {
		if i, ok := t.Type().Underlying().(*types.Interface); ok && i.NumMethods() > 0 && i.IsMethodSet() {
			interfaces = append(interfaces, i)
		}
	}
	for _, t := range j.named {
		if types.IsInterface(t.Type()) {
			continue
		}
		pointer := types.NewPointer(t.Type())
		set := types.NewMethodSet(pointer)
		for _, i := range interfaces {
			if !types.Implements(pointer, i) {
				continue
			}
			for m := range i.Methods() {
				wanted, inside := j.place(m.Origin().Pos())
				has := set.Lookup(m.Pkg(), m.Name())
				if !inside || has == nil {
					continue
				}
				fn, ok := has.Obj().(*types.Func)
				if !ok {
					continue
				}
				at, ok := j.place(fn.Origin().Pos())
				if !ok || at == wanted || j.files[at.file] == nil {
					continue
				}
				j.files[at.file].overrides = append(j.files[at.file].overrides, override{at.line, at.column, wanted})
			}
		}
	}
}

// definitions lists what a file declares at package level, with fields and methods.
func (j *goJudge) definitions(file *ast.File, out *judged) {
	add := func(id *ast.Ident, kind string, owner ...string) {
		if id.Name == "_" {
			return
		}
		at, _ := j.place(id.Pos())
		out.defs = append(out.defs, definition{at.line, at.column, kind, strings.Join(append(slices.Clone(owner), id.Name), ".")})
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name, "function")
			} else {
				add(d.Name, "method", receiverName(d.Recv.List[0].Type))
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					kind := "variable"
					if d.Tok == token.CONST {
						kind = "constant"
					}
					for _, id := range s.Names {
						add(id, kind)
					}
				case *ast.TypeSpec:
					typeDefinition(s, add)
				}
			}
		}
	}
}

func typeDefinition(s *ast.TypeSpec, add func(*ast.Ident, string, ...string)) {
	switch t := s.Type.(type) {
	case *ast.StructType:
		add(s.Name, "struct")
		for _, f := range t.Fields.List {
			for _, id := range f.Names {
				add(id, "field", s.Name.Name)
			}
		}
	case *ast.InterfaceType:
		add(s.Name, "interface")
		for _, f := range t.Methods.List {
			for _, id := range f.Names {
				add(id, "method", s.Name.Name)
			}
		}
	default:
		add(s.Name, "type")
	}
}

func receiverName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiverName(x.X)
	case *ast.ParenExpr:
		return receiverName(x.X)
	case *ast.IndexExpr:
		return receiverName(x.X)
	case *ast.IndexListExpr:
		return receiverName(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}
