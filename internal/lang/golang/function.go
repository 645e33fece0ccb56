package golang

import (
	"go/ast"

	"manito/internal/code"
)

// Functions: receivers, type parameters, parameters and results.

// freshName is a name that will be bound when the place where its scope begins is reached.
type freshName struct {
	sym   symID
	local code.LocalID
}

// pendingConstraint is a type parameter of a receiver, whose constraint stands in the type's declaration.
type pendingConstraint struct {
	local code.LocalID
	owner symID
	index int
}

func (x *Extractor) funcDecl(decl *ast.FuncDecl, def code.DefID) {
	x.scope, x.measure = def, measure{}
	x.symbols.open()
	var typeParams code.ExprID
	if decl.Recv != nil {
		typeParams = x.receiver(decl.Recv)
	}
	if decl.Type.TypeParams != nil {
		typeParams = x.typeParams(decl.Type.TypeParams)
	}
	parameters, result := x.parameters(decl.Type)
	if def != code.NoDef {
		d := &x.doc.Defs[def]
		d.Params, d.Type, d.TypeParams = parameters, x.builder.Unary(code.OpOf, result), typeParams
	}
	if decl.Body != nil && !x.outline {
		x.measure.body = true
		x.stmts(decl.Body.List)
		x.measured(def)
	}
	x.symbols.close()
	x.scope = code.NoDef
}

// measured writes the counts into a definition that has a body.
func (x *Extractor) measured(def code.DefID) {
	if def == code.NoDef || !x.measure.body {
		return
	}
	d := &x.doc.Defs[def]
	d.Cyclomatic = uint16(min(1+x.measure.cyclomatic, 1<<16-1))
	d.Cognitive = uint16(min(x.measure.cognitive, 1<<16-1))
}

// receiver reads a method's receiver and returns the type parameters it names.
func (x *Extractor) receiver(list *ast.FieldList) (typeParams code.ExprID) {
	for i, field := range list.List {
		var t code.ExprID
		if i == 0 {
			t, typeParams = x.receiverType(field.Type)
		} else { // one too many, as the parser has reported
			t = x.typ(field.Type, code.RoleType)
		}
		for _, name := range field.Names {
			if x.written(name) {
				x.bindLocal(name, code.KindParameter, x.builder.Unary(code.OpOf, t))
			}
		}
	}
	return typeParams
}

func (x *Extractor) receiverType(e ast.Expr) (t, typeParams code.ExprID) {
	pointer := false
	for {
		switch star := e.(type) {
		case *ast.ParenExpr:
			e = star.X
			continue
		case *ast.StarExpr:
			e, pointer = star.X, true
			continue
		}
		break
	}
	var arguments []ast.Expr
	switch index := e.(type) {
	case *ast.IndexExpr:
		e, arguments = index.X, []ast.Expr{index.Index}
	case *ast.IndexListExpr:
		e, arguments = index.X, index.Indices
	}
	t = x.typ(e, code.RoleType)
	if len(arguments) > 0 {
		base := len(x.exprs)
		for i, a := range arguments {
			name, ok := a.(*ast.Ident)
			if !ok || !x.written(name) {
				x.push(0)
				continue
			}
			l := x.bindLocal(name, code.KindTypeParameter, 0)
			x.push(x.builder.Expr(code.OpLocal, int32(l), 0))
			if owner, ok := e.(*ast.Ident); ok && x.written(owner) {
				x.pending = append(x.pending, pendingConstraint{l, x.symbols.lookup(owner.Name), i})
			}
		}
		typeParams = x.list(base)
		if t != 0 {
			t = x.builder.Expr(code.OpGeneric, int32(t), int32(typeParams))
		}
	}
	if pointer {
		t = x.builder.Unary(code.OpPointer, t)
	}
	return t, typeParams
}

// settleConstraints gives the type parameters of receivers the constraints that
// their types declare in this file.
func (x *Extractor) settleConstraints() {
	for _, p := range x.pending {
		owner := x.symbols.all[p.owner].bound
		if !owner.is(boundDef) {
			continue
		}
		list := x.doc.Defs[owner.def()].TypeParams
		for i := 0; list != 0; i++ {
			e := x.doc.Exprs[list]
			if i == p.index {
				x.doc.Locals[p.local].Type = x.doc.Locals[x.doc.Exprs[e.A].A].Type
				break
			}
			list = code.ExprID(e.B)
		}
	}
}

// bindLocal adds a Local and binds its name, "_" excepted, in the innermost scope.
func (x *Extractor) bindLocal(name *ast.Ident, kind code.Kind, t code.ExprID) code.LocalID {
	id := x.symbols.lookup(name.Name)
	l := x.builder.AddLocal(code.Local{Name: x.symbols.all[id].name, Kind: kind, Scope: x.scope, Start: x.at(name.Pos()), Type: t})
	if name.Name != "_" {
		x.symbols.declare(id, bind(boundLocal, int32(l)))
	}
	return l
}

// typeParams declares type parameters and reads their constraints, which may name each other.
func (x *Extractor) typeParams(list *ast.FieldList) code.ExprID {
	base := len(x.exprs)
	first := code.LocalID(len(x.doc.Locals))
	for _, field := range list.List {
		for _, name := range field.Names {
			if x.written(name) {
				l := x.bindLocal(name, code.KindTypeParameter, 0)
				x.push(x.builder.Expr(code.OpLocal, int32(l), 0))
			}
		}
	}
	for _, field := range list.List {
		t := x.typ(field.Type, code.RoleType)
		for _, name := range field.Names {
			if x.written(name) {
				// Constraints may hold Locals of their own, but those come after all of these.
				x.doc.Locals[first].Type = t
				first++
			}
		}
	}
	return x.list(base)
}

// parameters reads the parameters and results of a function that has a
// definition, binds their names and returns an OpList of OpLocal and the result type.
func (x *Extractor) parameters(t *ast.FuncType) (parameters, result code.ExprID) {
	fresh := len(x.fresh)
	base := len(x.exprs)
	if t.Params != nil {
		for _, field := range t.Params.List {
			v := x.builder.Unary(code.OpOf, x.typ(field.Type, code.RoleType))
			if len(field.Names) == 0 {
				l := x.builder.AddLocal(code.Local{Kind: code.KindParameter, Scope: x.scope, Start: x.at(field.Type.Pos()), Type: v})
				x.push(x.builder.Expr(code.OpLocal, int32(l), 0))
			}
			for _, name := range field.Names {
				if x.written(name) {
					x.push(x.builder.Expr(code.OpLocal, int32(x.freshLocal(name, code.KindParameter, v)), 0))
				}
			}
		}
	}
	parameters = x.list(base)
	result = x.results(t.Results)
	x.bindFresh(fresh)
	return parameters, result
}

// results reads a result list; its names become fresh Locals.
func (x *Extractor) results(list *ast.FieldList) code.ExprID {
	if list == nil {
		return 0
	}
	base := len(x.exprs)
	for _, field := range list.List {
		t := x.typ(field.Type, code.RoleType)
		x.repeat(t, len(field.Names))
		for _, name := range field.Names {
			if x.written(name) && name.Name != "_" {
				x.freshLocal(name, code.KindVariable, x.builder.Unary(code.OpOf, t))
			}
		}
	}
	return x.tuple(base)
}

// freshLocal adds a Local whose name bindFresh will bind.
func (x *Extractor) freshLocal(name *ast.Ident, kind code.Kind, t code.ExprID) code.LocalID {
	id := x.symbols.lookup(name.Name)
	l := x.builder.AddLocal(code.Local{Name: x.symbols.all[id].name, Kind: kind, Scope: x.scope, Start: x.at(name.Pos()), Type: t})
	if name.Name != "_" {
		x.fresh = append(x.fresh, freshName{id, l})
	}
	return l
}

// bindFresh binds the names that were added since x.fresh had a length.
func (x *Extractor) bindFresh(from int) {
	for _, f := range x.fresh[from:] {
		x.symbols.declare(f.sym, bind(boundLocal, int32(f.local)))
	}
	x.fresh = x.fresh[:from]
}
