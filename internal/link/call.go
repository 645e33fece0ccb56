package link

import (
	"manito/internal/code"
)

// call is the result of calling a value with the arguments in an OpList of a file.
func (e *evaluator) call(f Value, file int32, args code.ExprID, n *env) Value {
	switch f.kind {
	case vFunc:
		g := e.impl[f.a]
		d := e.def(g)
		var bound *env
		if f.ext != nil {
			bound = f.ext.env
			if len(f.ext.vals) > 0 { // explicit type arguments
				bound = e.bind(g, f, bound)
			}
		}
		if d.TypeParams != 0 && (f.ext == nil || len(f.ext.vals) == 0) && args != 0 && d.Flags&code.DefClassMethod == 0 {
			bound = e.infer(g, file, args, n, bound)
		}
		r := e.defValue(g)
		if d.Flags&code.DefOverload == 0 && f.a != g && r.kind == vUnknown {
			r = e.defValue(f.a) // the implementation says nothing, the overload does
		}
		if bound != nil && d.Type != 0 && e.depth < maxDepth {
			e.depth++
			r = e.val(e.defFile[g], d.Type, bound)
			e.depth--
		}
		if d.Flags&code.DefGenerator != 0 && r.kind != vArray && r.kind != vUnknown && r.kind != vExternal && r.kind != vBuiltin {
			r = with(vArray, 0, r)
		}
		return r
	case vClosure:
		if e.depth >= maxDepth {
			return Value{}
		}
		e.depth++
		var bound *env
		if f.ext != nil {
			bound = f.ext.env
		}
		r := e.val(f.file, code.ExprID(f.b), bound)
		e.depth--
		return r
	case vSig:
		return f.first()
	case vType:
		return e.instance(f)
	case vInst:
		if u := e.underlying(f); u.kind != vInst {
			return e.call(u, file, args, n)
		}
		return e.call(e.memberValue(f, "__call__"), file, args, n)
	case vBuiltin:
		return e.callBuiltin(f.ext.name, file, args, n)
	case vMethod:
		return e.callMethod(f.first(), f.ext.name)
	case vUnion:
		return e.each(f, func(a Value) Value { return e.call(a, file, args, n) })
	case vExternal, vArray, vMap, vTuple: // an external function; a conversion
		f.ent = 0
		return f
	}
	return Value{}
}

// infer binds a generic function's type parameters from its arguments, where a
// parameter's declared type is the type parameter, or a container or pointer of it.
func (e *evaluator) infer(g, file int32, args code.ExprID, n, up *env) *env {
	d := e.def(g)
	df := e.defFile[g]
	doc := e.doc(df)
	count := 0
	for x := d.TypeParams; x != 0; x = code.ExprID(doc.Exprs[x].B) {
		count++
	}
	vals := make([]Value, count)
	found := false
	for p := d.Params; p != 0 && args != 0; p = code.ExprID(doc.Exprs[p].B) {
		arg := e.doc(file).Exprs[args]
		if head := doc.Exprs[doc.Exprs[p].A]; head.Op == code.OpLocal {
			if t := doc.Exprs[doc.Locals[head.A].Type]; t.Op == code.OpOf {
				found = e.unify(df, code.ExprID(t.A), d.TypeParams, e.val(file, code.ExprID(arg.A), n), vals) || found
			}
		}
		args = code.ExprID(arg.B)
	}
	if !found {
		return up
	}
	return &env{file: df, list: d.TypeParams, vals: vals, up: up}
}

// unify matches a declared type against an argument's value.
func (e *evaluator) unify(file int32, t, params code.ExprID, v Value, vals []Value) bool {
	if v.kind == vUnknown {
		return false
	}
	doc := e.doc(file)
	ex := doc.Exprs[t]
	switch ex.Op {
	case code.OpLocal:
		i := 0
		for x := params; x != 0; x = code.ExprID(doc.Exprs[x].B) {
			if head := doc.Exprs[doc.Exprs[x].A]; head == ex {
				if vals[i].kind == vUnknown {
					v.ent = 0
					vals[i] = v
				}
				return true
			}
			i++
		}
	case code.OpPointer, code.OpNullable:
		return e.unify(file, code.ExprID(ex.A), params, v, vals)
	case code.OpArray:
		if u := e.underlying(v); u.kind == vArray {
			return e.unify(file, code.ExprID(ex.A), params, u.first(), vals)
		}
	case code.OpMap:
		if u := e.underlying(v); u.kind == vMap {
			a := e.unify(file, code.ExprID(ex.A), params, u.first(), vals)
			return e.unify(file, code.ExprID(ex.B), params, u.ext.vals[1], vals) || a
		}
	case code.OpTuple:
		if v.kind == vTuple {
			found, i := false, 0
			for x := code.ExprID(ex.A); x != 0 && i < len(v.ext.vals); x = code.ExprID(doc.Exprs[x].B) {
				found = e.unify(file, code.ExprID(doc.Exprs[x].A), params, v.ext.vals[i], vals) || found
				i++
			}
			return found
		}
	case code.OpSignature:
		switch v.kind {
		case vFunc, vClosure, vSig:
			return e.unify(file, code.ExprID(ex.B), params, e.call(v, file, 0, nil), vals)
		}
	case code.OpGeneric:
		if v.kind == vFunc || v.kind == vClosure || v.kind == vSig {
			return e.unifyNamed(file, ex, params, v, vals)
		}
		if v.kind == vInst && v.ext != nil || v.kind == vArray || v.kind == vAwait {
			found, i := false, 0
			for x := code.ExprID(ex.B); x != 0 && i < len(v.ext.vals); x = code.ExprID(doc.Exprs[x].B) {
				found = e.unify(file, code.ExprID(doc.Exprs[x].A), params, v.ext.vals[i], vals) || found
				i++
			}
			return found
		}
	}
	return false
}

// unifyNamed matches a generic function type with a name, Handler[T], against a function.
func (e *evaluator) unifyNamed(file int32, ex code.Expr, params code.ExprID, v Value, vals []Value) bool {
	named := e.val(file, code.ExprID(ex.A), nil)
	if named.kind != vType {
		return false
	}
	d := e.def(named.a)
	df := e.defFile[named.a]
	count := 0
	for x := d.TypeParams; x != 0; x = code.ExprID(e.doc(df).Exprs[x].B) {
		count++
	}
	if count == 0 || e.doc(df).Exprs[d.Type].Op != code.OpSignature {
		return false
	}
	own := make([]Value, count)
	if !e.unify(df, d.Type, d.TypeParams, v, own) {
		return false
	}
	found, i := false, 0
	for x := code.ExprID(ex.B); x != 0 && i < count; x = code.ExprID(e.doc(file).Exprs[x].B) {
		found = e.unify(file, code.ExprID(e.doc(file).Exprs[x].A), params, own[i], vals) || found
		i++
	}
	return found
}

func (e *evaluator) argument(file int32, args code.ExprID, i int, n *env) Value {
	for ; args != 0; i-- {
		cell := e.doc(file).Exprs[args]
		if i == 0 {
			return e.val(file, code.ExprID(cell.A), n)
		}
		args = code.ExprID(cell.B)
	}
	return Value{}
}

// callBuiltin is the result of calling something of the language.
func (e *evaluator) callBuiltin(name string, file int32, args code.ExprID, n *env) Value {
	b, ok := e.in.Rules.Builtins[name]
	if !ok {
		return Value{}
	}
	switch {
	case b.Element:
		el := e.iterated(e.argument(file, args, 0, n))
		if el.kind == vUnknown {
			return builtinValue(name)
		}
		return with(vArray, 0, el)
	case b.Same:
		v := e.argument(file, args, 0, n)
		v.ent = 0
		return v
	case b.Result != "":
		return builtinValue(b.Result)
	case b.Type:
		return e.instance(builtinValue(name))
	}
	return Value{}
}

// container makes a container of the language or of a standard typing module from its name and type arguments.
func (e *evaluator) container(name string, vals []Value) Value {
	at := func(i int) Value {
		if i < len(vals) {
			return vals[i]
		}
		return Value{}
	}
	switch name {
	case "Array", "ReadonlyArray", "Set", "ReadonlySet", "Iterable", "IterableIterator", "Iterator", "AsyncIterable", "AsyncIterableIterator", "AsyncIterator", "AsyncGenerator", "Generator", "ArrayLike",
		"list", "List", "set", "Set_", "frozenset", "FrozenSet", "Sequence", "MutableSequence", "Collection", "deque", "Deque", "AbstractSet", "MutableSet", "Reversible", "Container":
		if len(vals) > 0 {
			return with(vArray, 0, at(0))
		}
	case "Map", "ReadonlyMap", "WeakMap", "Record", "dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "defaultdict", "OrderedDict", "ChainMap":
		if len(vals) > 1 {
			return with(vMap, 0, at(0), at(1))
		}
	case "Promise", "PromiseLike", "Awaitable", "Coroutine", "Awaited":
		if name == "Awaited" && len(vals) > 0 {
			if vals[0].kind == vAwait {
				return vals[0].first()
			}
			return vals[0]
		}
		if n := len(vals); n > 0 {
			return with(vAwait, 0, at(n-1)) // Coroutine[yield, send, return]
		}
	case "Partial", "Required", "Readonly", "NonNullable", "Optional", "Final", "ClassVar", "Annotated", "Required_", "NotRequired", "ReadOnly":
		if len(vals) > 0 {
			return at(0)
		}
	case "tuple", "Tuple":
		if len(vals) > 0 {
			return with(vTuple, 0, vals...)
		}
	case "Union":
		return e.any(vals)
	case "Type", "type":
		if len(vals) > 0 && vals[0].kind == vInst {
			v := vals[0]
			v.kind = vType
			return v
		}
	}
	return Value{}
}

// callMethod is the result of calling a method of a built-in container.
func (e *evaluator) callMethod(c Value, name string) Value {
	el := e.element(c)
	key := Value{}
	if c.kind == vMap {
		key = c.first()
	}
	switch name {
	case "filter", "slice", "concat", "reverse", "sort", "copy", "toSorted", "toReversed", "splice", "add", "union", "intersection", "difference", "set", "fill", "finally", "catch":
		return c
	case "find", "pop", "shift", "at", "get", "findLast", "popleft", "setdefault", "__getitem__", "next", "__next__":
		return el
	case "values", "Values":
		return with(vArray, 0, el)
	case "keys":
		return with(vArray, 0, key)
	case "items", "entries":
		return with(vArray, 0, with(vTuple, 0, key, el))
	case "popitem":
		return with(vTuple, 0, key, el)
	}
	return Value{}
}

// contextual is what a callee hands to parameter p of a function passed as argument i.
func (e *evaluator) contextual(f Value, i, p int) Value {
	switch f.kind {
	case vMethod:
		c, name := f.first(), f.ext.name
		if i != 0 {
			return Value{}
		}
		el := e.element(c)
		switch name {
		case "map", "forEach", "filter", "find", "findLast", "findIndex", "some", "every", "flatMap", "sort", "toSorted", "then", "partition", "findLastIndex":
			if p == 0 || p == 1 && (name == "sort" || name == "toSorted") {
				return el
			}
		case "reduce", "reduceRight":
			if p == 1 {
				return el
			}
		}
		return Value{}
	case vFunc:
		g := e.impl[f.a]
		d := e.def(g)
		doc := e.doc(e.defFile[g])
		k := 0
		for x := d.Params; x != 0; x = code.ExprID(doc.Exprs[x].B) {
			if k == i {
				head := doc.Exprs[doc.Exprs[x].A]
				if head.Op != code.OpLocal {
					return Value{}
				}
				var bound *env
				if f.ext != nil {
					bound = f.ext.env
				}
				e.depth++
				var v Value
				if e.depth < maxDepth {
					v = e.val(e.defFile[g], doc.Locals[head.A].Type, bound)
				}
				e.depth--
				return e.parameter(v, p)
			}
			k++
		}
	case vSig:
		if i+1 < len(f.ext.vals) {
			return e.parameter(f.ext.vals[i+1], p)
		}
	case vInst:
		if u := e.underlying(f); u.kind == vSig {
			return e.contextual(u, i, p)
		}
	case vType: // new Promise(resolve => ...): what the constructor declares
		for _, name := range []string{"constructor", "__init__"} {
			if r := e.typeMember(f, name); len(r.found) == 1 && e.def(r.found[0].g).Kind.Callable() && e.depth < maxDepth {
				e.depth++
				v := e.contextual(e.foundValue(r.found[0]), i, p)
				e.depth--
				return v
			}
		}
	}
	return Value{}
}

// parameter is parameter p of a function type.
func (e *evaluator) parameter(v Value, p int) Value {
	switch u := e.underlying(v); u.kind {
	case vSig:
		if p+1 < len(u.ext.vals) {
			return u.ext.vals[p+1]
		}
	case vUnion:
		return e.each(u, func(a Value) Value { return e.parameter(a, p) })
	}
	return Value{}
}
