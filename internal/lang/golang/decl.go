package golang

import (
	"go/ast"
	"go/token"

	"manito/internal/code"
)

// The second pass: types, values and bodies, in the order of the file.

// measure counts the complexity of the definition that is being read.
type measure struct {
	cyclomatic int
	cognitive  int
	nesting    int
	body       bool // there is a body: the definition itself or a function literal in it
}

// branch counts a branching statement at the nesting it stands in.
func (m *measure) branch() {
	m.cyclomatic++
	m.cognitive += 1 + m.nesting
}

// head is the next top-level definition of the first pass.
func (x *Extractor) head() code.DefID {
	if x.nextHead == len(x.heads) {
		return code.NoDef
	}
	x.nextHead++
	return x.heads[x.nextHead-1]
}

func (x *Extractor) topLevel(decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		x.funcDecl(decl, x.head())
	case *ast.GenDecl:
		var last code.ExprID
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				x.typeSpec(spec, x.head())
			case *ast.ValueSpec:
				x.topValues(spec, decl.Tok, &last)
			}
		}
	}
}

// typeSpec reads the type of a definition of the first pass, or that of a local type.
func (x *Extractor) typeSpec(spec *ast.TypeSpec, def code.DefID) {
	outer := x.scope
	if def != code.NoDef {
		x.scope = def
	}
	x.symbols.open()
	var typeParams, behind code.ExprID
	if spec.TypeParams != nil {
		typeParams = x.typeParams(spec.TypeParams)
	}
	bases := len(x.bases)
	switch t := ast.Unparen(spec.Type).(type) {
	case *ast.StructType:
		x.fields(t.Fields, false)
	case *ast.InterfaceType:
		x.methods(t.Methods, false)
	default:
		behind = x.typ(spec.Type, code.RoleType)
	}
	if def != code.NoDef {
		d := &x.doc.Defs[def]
		d.TypeParams, d.Type, d.Bases = typeParams, behind, x.builder.List(x.bases[bases:]...)
	}
	x.bases = x.bases[:bases]
	x.symbols.close()
	x.scope = outer
}

// topValues reads a package-level var or const specification. Each value is used
// by the name that gets it; the type by the first name. What a constant without
// a value repeats is kept in last.
func (x *Extractor) topValues(spec *ast.ValueSpec, tok token.Token, last *code.ExprID) {
	heads := x.heads[x.nextHead:min(x.nextHead+len(spec.Names), len(x.heads))]
	x.nextHead += len(heads)
	if len(heads) == 0 {
		return
	}
	x.scope, x.measure = heads[0], measure{}
	base := len(x.exprs)
	typ := x.builder.Unary(code.OpOf, x.typ(spec.Type, code.RoleType))
	for i, value := range spec.Values {
		if len(spec.Values) == len(heads) {
			x.scope, x.measure = heads[i], measure{}
		}
		if x.outline {
			if _, ok := value.(*ast.BasicLit); !ok {
				x.push(0)
				continue
			}
		}
		x.push(x.value(value, typ == 0))
		x.measured(x.scope)
	}
	values := x.exprs[base:]
	for i, d := range heads {
		if d == code.NoDef {
			continue
		}
		t := typ
		switch {
		case typ != 0:
		case len(values) == 0 && tok == token.CONST:
			t = *last
		case len(values) == 1 && len(heads) > 1:
			t = x.component(spec.Values[0], values[0], i)
		case i < len(values):
			t = values[i]
		}
		x.doc.Defs[d].Type = t
	}
	if tok == token.CONST && len(values) > 0 {
		if *last = typ; typ == 0 {
			*last = values[0]
		}
	}
	x.exprs = x.exprs[:base]
	x.scope = code.NoDef
}
