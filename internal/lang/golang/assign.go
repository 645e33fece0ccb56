package golang

import (
	"go/ast"
	"go/token"

	"manito/internal/code"
)

// Assignments and declarations inside functions: what gives local names their values.

// assign reads a = b, a += b and a := b.
func (x *Extractor) assign(s *ast.AssignStmt) {
	if s.Tok == token.DEFINE {
		x.defineLocals(s)
		return
	}
	role := code.RoleWrite
	if s.Tok != token.ASSIGN {
		role = code.RoleReadWrite
	}
	for _, l := range s.Lhs {
		x.target(l, role)
	}
	for _, r := range s.Rhs {
		x.value(r, false)
	}
}

// target reads what is assigned to.
func (x *Extractor) target(e ast.Expr, role code.Role) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		x.ident(e, role)
	case *ast.SelectorExpr:
		x.selector(e, role)
	default:
		x.value(e, false)
	}
}

// defineLocals reads a := b: names that the innermost scope has already are
// assigned to, the others are bound after the right side has been read.
func (x *Extractor) defineLocals(s *ast.AssignStmt) {
	fresh := len(x.fresh)
	base := len(x.exprs)
	for i, l := range s.Lhs {
		id, ok := l.(*ast.Ident)
		if !ok {
			x.target(l, code.RoleWrite)
			continue
		}
		if !x.written(id) || id.Name == "_" {
			continue
		}
		if sym := x.symbols.lookup(id.Name); x.symbols.here(sym) {
			x.ident(id, code.RoleWrite)
		} else {
			x.fresh = append(x.fresh, freshName{sym, code.LocalID(i)}) // the place, until it has a Local
		}
	}
	wanted := len(x.fresh) > fresh
	for _, r := range s.Rhs {
		x.push(x.value(r, wanted))
	}
	values := x.exprs[base:]
	for k := fresh; k < len(x.fresh); k++ {
		i := int(x.fresh[k].local)
		var v code.ExprID
		switch {
		case len(values) == len(s.Lhs):
			v = values[i]
		case len(values) == 1:
			v = x.component(s.Rhs[0], values[0], i)
		}
		id := s.Lhs[i].(*ast.Ident)
		x.fresh[k].local = x.builder.AddLocal(code.Local{
			Name: x.symbols.all[x.fresh[k].sym].name, Kind: code.KindVariable, Scope: x.scope, Start: x.at(id.NamePos), Type: v,
		})
	}
	x.exprs = x.exprs[:base]
	x.bindFresh(fresh)
}

// localDecl reads a declaration inside a function.
func (x *Extractor) localDecl(decl *ast.GenDecl) {
	var last code.ExprID
	floor := x.at(decl.Lparen)
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			start, end := x.at(decl.Pos()), x.at(decl.End())
			if decl.Lparen.IsValid() {
				start, end = x.at(spec.Pos()), x.at(spec.End())
			}
			x.localType(spec, start, end, floor)
		case *ast.ValueSpec:
			x.localValues(spec, decl.Tok, &last)
		}
		floor = x.at(spec.End())
	}
}

// localType makes a definition of a type that is declared inside a function.
func (x *Extractor) localType(spec *ast.TypeSpec, start, end, floor uint32) {
	x.inner.reset()
	if floor == 0 && x.scope != code.NoDef {
		floor = x.doc.Defs[x.scope].BodyStart
	}
	def := x.declareType(spec, x.scope, start, end, floor, &x.inner)
	x.typeSpec(spec, def)
}

func (x *Extractor) localValues(spec *ast.ValueSpec, tok token.Token, last *code.ExprID) {
	kind := code.KindVariable
	if tok == token.CONST {
		kind = code.KindConstant
	}
	base := len(x.exprs)
	typ := x.builder.Unary(code.OpOf, x.typ(spec.Type, code.RoleType))
	for _, v := range spec.Values {
		x.push(x.value(v, typ == 0))
	}
	values := x.exprs[base:]
	for i, name := range spec.Names {
		t := typ
		switch {
		case typ != 0:
		case len(values) == 0 && tok == token.CONST:
			t = *last
		case len(values) == len(spec.Names):
			t = values[i]
		case len(values) == 1:
			t = x.component(spec.Values[0], values[0], i)
		}
		if x.written(name) && name.Name != "_" {
			x.bindLocal(name, kind, t)
		}
	}
	if tok == token.CONST && len(values) > 0 {
		if *last = typ; typ == 0 {
			*last = values[0]
		}
	}
	x.exprs = x.exprs[:base]
}
