package link

import (
	"manito/internal/code"
	"manito/internal/lang"
)

// evaluator evaluates expressions. One belongs to one goroutine.
type evaluator struct {
	*linker
	own   int32 // the file whose memo may be written; -1: every file's (phase "values")
	depth int
	fuel  int   // steps left for the value under way that no memo shortens
	open  []ref // exports with several bindings that are being looked at
}

// maxFuel bounds the work for one remembered value: type aliases that apply
// each other to their own parameters would otherwise be expanded without end.
// What runs out of fuel is unknown. Each remembered value starts with a full
// tank, so that no value depends on who asked for it first.
const maxFuel = 2000

// refuel gives the next value a full tank and returns what the one under way had left.
func (e *evaluator) refuel() int {
	left := e.fuel
	e.fuel = maxFuel
	return left
}

// burn takes a step and says whether there was fuel for it.
func (e *evaluator) burn() bool {
	if e.fuel <= 0 {
		return false
	}
	e.fuel--
	return true
}

// maxDepth bounds recursion through expressions that have no memo. Real code stays far below it.
const maxDepth = 200

// values evaluates the value of every definition, in order.
func (l *linker) values() {
	e := &evaluator{linker: l, own: -1}
	for g := range l.defFile {
		e.defValue(int32(g))
	}
}

// defValue is the value of a variable, field or constant, and the RESULT of a function.
func (e *evaluator) defValue(g int32) Value {
	switch e.state[g] {
	case 2:
		return e.values_[g]
	case 1:
		return Value{} // a cycle: what is being computed adds nothing to itself
	}
	if e.own >= 0 {
		return Value{}
	}
	e.state[g] = 1
	d := e.def(g)
	left := e.refuel()
	var v Value
	switch {
	case d.Kind == code.KindEnumMember && d.Parent != code.NoDef:
		v = Value{kind: vInst, a: e.canon[e.base[e.defFile[g]]+int32(d.Parent)]}
	case d.Type == 0:
	case d.Kind.IsType():
		v = e.typ(e.defFile[g], d.Type, nil)
	default:
		v = e.val(e.defFile[g], d.Type, nil)
	}
	e.fuel = left
	e.values_[g] = v
	e.state[g] = 2
	return v
}

// named is the value of naming a definition.
func (e *evaluator) named(g int32) Value {
	d := e.def(g)
	switch {
	case d.Kind == code.KindNamespace:
		return Value{kind: vSpace, a: e.canon[g]}
	case d.Kind.IsType():
		return Value{kind: vType, a: e.canon[g]}
	case d.Kind.Callable():
		return Value{kind: vFunc, a: g}
	}
	v := e.defValue(g)
	v.ent = g + 1
	return v
}

// val evaluates a value expression of a file.
func (e *evaluator) val(file int32, x code.ExprID, n *env) Value {
	if x == 0 {
		return Value{}
	}
	ex := e.doc(file).Exprs[x]
	switch ex.Op {
	case code.OpDef:
		return e.named(e.base[file] + ex.A)
	case code.OpThis:
		return Value{kind: vInst, a: e.canon[e.base[file]+ex.A]}
	case code.OpClass:
		return Value{kind: vType, a: e.canon[e.base[file]+ex.A]}
	case code.OpSuper:
		return Value{kind: vSuper, a: e.canon[e.base[file]+ex.A]}
	case code.OpBuiltin:
		return builtinValue(e.doc(file).Names[ex.A])
	}
	if n != nil || e.own >= 0 && e.own != file {
		if e.depth >= maxDepth || !e.burn() {
			return Value{}
		}
		e.depth++
		v := e.compute(file, ex, n)
		e.depth--
		return v
	}
	if e.memo[file] == nil {
		e.memo[file] = make([]Value, len(e.doc(file).Exprs))
		e.memoSet[file] = make([]uint8, len(e.doc(file).Exprs))
	}
	switch e.memoSet[file][x] {
	case 2:
		return e.memo[file][x]
	case 1:
		return Value{}
	}
	e.memoSet[file][x] = 1
	left := e.refuel()
	v := e.compute(file, ex, nil)
	e.fuel = left
	e.memo[file][x] = v
	e.memoSet[file][x] = 2
	return v
}

func (e *evaluator) compute(file int32, ex code.Expr, n *env) Value {
	doc := e.doc(file)
	switch ex.Op {
	case code.OpLocal:
		lo := &doc.Locals[ex.A]
		if lo.Kind == code.KindTypeParameter {
			return e.typeParameter(file, code.LocalID(ex.A), n)
		}
		return e.val(file, lo.Type, n)
	case code.OpImport:
		return e.importValue(file, code.ImportID(ex.A))
	case code.OpName:
		return e.entityValue(e.name(file, doc.Names[ex.A]))
	case code.OpMember:
		return e.memberValue(e.val(file, code.ExprID(ex.A), n), doc.Names[ex.B])
	case code.OpCall:
		return e.call(e.val(file, code.ExprID(ex.A), n), file, code.ExprID(ex.B), n)
	case code.OpNew:
		return e.typ(file, code.ExprID(ex.A), n)
	case code.OpResult:
		return e.component(e.val(file, code.ExprID(ex.A), n), int(ex.B))
	case code.OpElem:
		return e.element(e.val(file, code.ExprID(ex.A), n))
	case code.OpKey:
		switch v := e.underlying(e.val(file, code.ExprID(ex.A), n)); v.kind {
		case vMap:
			return v.first()
		case vExternal:
			v.ent = 0
			return v
		}
		return Value{}
	case code.OpIter:
		return e.iterated(e.val(file, code.ExprID(ex.A), n))
	case code.OpAwait:
		v := e.val(file, code.ExprID(ex.A), n)
		if v.kind == vAwait {
			return v.first()
		}
		return v
	case code.OpDeref, code.OpAddr:
		return e.val(file, code.ExprID(ex.A), n)
	case code.OpUnion:
		return either(e.val(file, code.ExprID(ex.A), n), e.val(file, code.ExprID(ex.B), n))
	case code.OpOf:
		return e.typ(file, code.ExprID(ex.A), n)
	case code.OpFunc:
		if ex.A >= 0 {
			return Value{kind: vFunc, a: e.base[file] + ex.A}
		}
		return Value{kind: vClosure, file: file, b: ex.B, ext: envExt(n)}
	case code.OpObject:
		return Value{kind: vObject, file: file, a: ex.A, ext: envExt(n)}
	case code.OpArg:
		return e.contextual(e.val(file, code.ExprID(ex.A), n), int(ex.B>>4), int(ex.B&15))
	case code.OpGeneric:
		return e.generic(file, ex, n)
	case code.OpTypeOf:
		return e.val(file, code.ExprID(ex.A), n)
	case code.OpPointer, code.OpArray, code.OpMap, code.OpTuple, code.OpSignature, code.OpNullable, code.OpIntersect:
		return e.structure(file, ex, n)
	}
	return Value{}
}

func envExt(n *env) *ext {
	if n == nil {
		return nil
	}
	return &ext{env: n, depth: 1}
}

func (e *evaluator) component(v Value, i int) Value {
	v = e.underlying(v)
	switch v.kind {
	case vTuple:
		if i < len(v.ext.vals) {
			return v.ext.vals[i]
		}
		return Value{}
	case vArray:
		return v.first()
	case vUnion:
		return e.each(v, func(a Value) Value { return e.component(a, i) })
	case vExternal:
		return v
	}
	return Value{}
}

// element is what indexing gives.
func (e *evaluator) element(v Value) Value {
	v = e.underlying(v)
	switch v.kind {
	case vArray, vAwait:
		return v.first()
	case vMap:
		return v.ext.vals[1]
	case vTuple:
		return e.any(v.ext.vals)
	case vUnion:
		return e.each(v, e.element)
	case vExternal:
		return v
	case vInst:
		// Python's and other languages' protocol methods.
		for _, m := range []string{"__getitem__", "__iter__"} {
			if r := e.call(e.memberValue(v, m), 0, 0, nil); r.kind != vUnknown {
				if m == "__iter__" && (r.kind == vArray) {
					return r.first()
				}
				return r
			}
		}
	}
	return Value{}
}

// iterated is what a for loop over a value gives.
func (e *evaluator) iterated(v Value) Value {
	v = e.underlying(v)
	switch v.kind {
	case vMap:
		if e.in.Rules.SubmodulesAreMembers { // Python iterates over keys
			return v.first()
		}
		return with(vTuple, 0, v.ext.vals...)
	case vUnion:
		return e.each(v, e.iterated)
	case vInst:
		r := e.call(e.memberValue(v, "__iter__"), 0, 0, nil)
		if r.kind == vArray {
			return r.first()
		}
		if r.kind == vInst {
			return e.call(e.memberValue(r, "__next__"), 0, 0, nil)
		}
		return Value{}
	}
	return e.element(v)
}

func (e *evaluator) any(vals []Value) Value {
	var out Value
	for i, a := range vals {
		if i == 0 {
			out = a
		} else {
			out = either(out, a)
		}
	}
	return out
}

func (e *evaluator) each(u Value, f func(Value) Value) Value {
	var out Value
	for i, a := range u.ext.vals {
		if i == 0 {
			out = f(a)
		} else {
			out = either(out, f(a))
		}
	}
	out.partial = out.partial || u.partial
	return out
}

// importValue is what an import binds.
func (e *evaluator) importValue(file int32, i code.ImportID) Value {
	return e.entityValue(e.importEntity(file, i, 0))
}

func (e *evaluator) moduleValue(t target) Value {
	switch t.kind {
	case lang.TargetScope:
		return Value{kind: vModule, a: t.scope, b: t.file}
	case lang.TargetDirectory:
		return Value{kind: vDir, ext: &ext{name: t.path}}
	case lang.TargetExternal:
		return Value{kind: vExternal, a: t.external}
	case lang.TargetFile:
		if t.file >= 0 {
			return Value{kind: vModule, a: e.fileScope[t.file], b: t.file}
		}
	}
	return Value{}
}
