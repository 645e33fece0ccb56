package link

import (
	"manito/internal/code"
)

// typ evaluates a type expression and gives an instance of that type.
func (e *evaluator) typ(file int32, x code.ExprID, n *env) Value {
	if x == 0 {
		return Value{}
	}
	ex := e.doc(file).Exprs[x]
	switch ex.Op {
	case code.OpPointer, code.OpArray, code.OpMap, code.OpTuple, code.OpSignature, code.OpNullable, code.OpIntersect:
		if e.depth >= maxDepth || !e.burn() {
			return Value{}
		}
		e.depth++
		v := e.structure(file, ex, n)
		e.depth--
		return v
	case code.OpUnion:
		if !e.burn() {
			return Value{}
		}
		return either(e.typ(file, code.ExprID(ex.A), n), e.typ(file, code.ExprID(ex.B), n))
	case code.OpOf, code.OpTypeOf, code.OpThis, code.OpObject, code.OpBuiltin:
		return e.val(file, x, n)
	case code.OpKeyOf:
		return builtinValue("string")
	case code.OpLocal:
		if e.doc(file).Locals[ex.A].Kind == code.KindTypeParameter {
			return e.typeParameter(file, code.LocalID(ex.A), n)
		}
	}
	return e.instance(e.val(file, x, n))
}

// typeParameter is what the environment binds it to, or an instance of its constraint.
func (e *evaluator) typeParameter(file int32, local code.LocalID, n *env) Value {
	if v, ok := n.lookup(e.linker, file, local); ok {
		return v
	}
	lo := &e.doc(file).Locals[local]
	if lo.Type == 0 || e.depth >= maxDepth {
		return Value{}
	}
	e.depth++
	v := e.typ(file, lo.Type, nil)
	e.depth--
	return v
}

// structure evaluates a type constructor to an instance of the type.
func (e *evaluator) structure(file int32, ex code.Expr, n *env) Value {
	switch ex.Op {
	case code.OpPointer, code.OpNullable:
		return e.typ(file, code.ExprID(ex.A), n)
	case code.OpArray:
		return with(vArray, 0, e.typ(file, code.ExprID(ex.A), n))
	case code.OpMap:
		return with(vMap, 0, e.typ(file, code.ExprID(ex.A), n), e.typ(file, code.ExprID(ex.B), n))
	case code.OpTuple:
		return with(vTuple, 0, e.types(file, code.ExprID(ex.A), n)...)
	case code.OpSignature:
		vals := append([]Value{e.typ(file, code.ExprID(ex.B), n)}, e.types(file, code.ExprID(ex.A), n)...)
		return with(vSig, 0, vals...)
	case code.OpIntersect:
		return with(vBoth, 0, e.typ(file, code.ExprID(ex.A), n), e.typ(file, code.ExprID(ex.B), n))
	}
	return Value{}
}

// types evaluates an OpList of type expressions.
func (e *evaluator) types(file int32, list code.ExprID, n *env) []Value {
	var vals []Value
	for list != 0 {
		cell := e.doc(file).Exprs[list]
		vals = append(vals, e.typ(file, code.ExprID(cell.A), n))
		list = code.ExprID(cell.B)
	}
	return vals
}

// generic is a type applied to arguments: as a value the type itself, which typ turns into an instance.
func (e *evaluator) generic(file int32, ex code.Expr, n *env) Value {
	base := e.val(file, code.ExprID(ex.A), n)
	vals := e.types(file, code.ExprID(ex.B), n)
	switch base.kind {
	case vType, vFunc:
		v := with(base.kind, base.a, vals...)
		if v.kind == vUnknown {
			return base
		}
		return v
	case vBuiltin, vExternal:
		if v := e.container(e.lastName(file, code.ExprID(ex.A)), vals); v.kind != vUnknown {
			return v
		}
		return base
	}
	return base
}

// lastName is the name that an expression ends in.
func (e *evaluator) lastName(file int32, x code.ExprID) string {
	doc := e.doc(file)
	switch ex := doc.Exprs[x]; ex.Op {
	case code.OpName, code.OpBuiltin:
		return doc.Names[ex.A]
	case code.OpMember:
		return doc.Names[ex.B]
	case code.OpImport:
		imp := &doc.Imports[ex.A]
		if imp.Name != 0 {
			return doc.Names[imp.Name]
		}
		return doc.Names[imp.Local]
	case code.OpDef:
		return doc.Names[doc.Defs[ex.A].Name]
	}
	return ""
}

// instance turns a type into an instance of it.
func (e *evaluator) instance(v Value) Value {
	switch v.kind {
	case vType:
		if d := e.def(v.a); d.Flags&code.DefAlias != 0 && d.Type != 0 {
			if v.ext == nil && e.state[v.a] != 0 {
				return e.defValue(v.a)
			}
			if e.depth < maxDepth && e.burn() {
				e.depth++
				r := e.typ(e.defFile[v.a], d.Type, e.bind(v.a, v, nil))
				e.depth--
				return r
			}
			return Value{}
		}
		v.kind = vInst
		v.ent = 0
		return v
	case vUnion:
		var out Value
		for i, a := range v.ext.vals {
			if i == 0 {
				out = e.instance(a)
			} else {
				out = either(out, e.instance(a))
			}
		}
		out.partial = out.partial || v.partial
		return out
	case vBuiltin:
		if c := e.container(v.ext.name, nil); c.kind != vUnknown {
			return c
		}
	}
	return v
}

// bind makes the environment in which members of an instance of type g are evaluated.
func (e *evaluator) bind(g int32, v Value, up *env) *env {
	d := e.def(g)
	if d.TypeParams == 0 || v.ext == nil || len(v.ext.vals) == 0 {
		return up
	}
	return &env{file: e.defFile[g], list: d.TypeParams, vals: v.ext.vals, up: up}
}

// underlying sees through defined types and type parameters to what stands behind them.
func (e *evaluator) underlying(v Value) Value {
	for range 16 {
		if v.kind != vInst {
			return v
		}
		d := e.def(v.a)
		if d.Kind != code.KindType || d.Type == 0 {
			return v
		}
		next := e.behind(v)
		if next.kind == vUnknown {
			return v
		}
		v = next
	}
	return v
}

// behind is one step of underlying.
func (e *evaluator) behind(v Value) Value {
	d := e.def(v.a)
	if n := e.bind(v.a, v, nil); n != nil {
		if e.depth >= maxDepth {
			return Value{}
		}
		e.depth++
		r := e.typ(e.defFile[v.a], d.Type, n)
		e.depth--
		return r
	}
	return e.defValue(v.a)
}
