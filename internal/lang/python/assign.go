package python

import (
	"manito/internal/code"
)

// assign gives a value to a target: it records the use that writes to it, unless
// the target is where the variable is defined, and adds the value to what the
// variable is known to hold.
func (r *reader) assign(i uint32, v code.ExprID) {
	rec := &r.recs[i]
	switch rec.Kind {
	case kIdentifier:
		r.assignName(i, v, false)
	case kAttribute:
		r.assignAttribute(i, v, false)
	case kTuplePattern, kPatternList, kListPattern, kTuple, kList, kExpressionList:
		n, star := 0, false
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			switch {
			case r.recs[c].Kind == kListSplatPattern || r.recs[c].Kind == kListSplat:
				star = true
				if c+1 < r.recs[c].Next {
					r.assign(c+1, r.arrayOf(r.b.Unary(code.OpElem, v), "list"))
				}
			case star:
				r.assign(c, 0) // counted from the end
			default:
				r.assign(c, r.component(v, n))
			}
			n++
		}
	case kParenthesized, kAsTarget, kListSplatPattern, kListSplat:
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			r.assign(c, v)
		}
	default: // x[i] = v
		r.expr(i, false)
	}
}

// component is part n of a value that is taken apart.
func (r *reader) component(v code.ExprID, n int) code.ExprID {
	if v == 0 {
		return 0
	}
	if e := r.doc.Exprs[v]; e.Op == code.OpOf {
		if t := r.doc.Exprs[e.A]; t.Op == code.OpTuple {
			list := code.ExprID(t.A)
			for ; n > 0 && list != 0; n-- {
				list = code.ExprID(r.doc.Exprs[list].B)
			}
			if list == 0 {
				return 0
			}
			return r.of(code.ExprID(r.doc.Exprs[list].A))
		}
	}
	return r.b.Result(v, n)
}

// variable is the expression of the variable that a target identifier names.
func (r *reader) variable(i uint32) code.ExprID {
	if r.recs[i].Kind != kIdentifier {
		return 0
	}
	name := r.name(i)
	if name == 0 {
		return 0
	}
	s := r.lookup(name)
	if s < 0 || r.symbols[s].vari < 0 {
		return 0
	}
	return r.variableOf(s)
}

func (r *reader) variableOf(s int32) code.ExprID {
	sym := &r.symbols[s]
	if r.global(sym.scope) {
		return r.b.Expr(code.OpDef, sym.vari, 0)
	}
	return r.b.Expr(code.OpLocal, sym.vari, 0)
}

// slotOf is where the values of a symbol's variable are gathered.
func (r *reader) slotOf(s int32) *slot {
	sym := &r.symbols[s]
	if r.global(sym.scope) {
		return &r.slots[sym.vari]
	}
	return &r.locals[sym.vari]
}

func (r *reader) assignName(i uint32, v code.ExprID, declared bool) {
	name := r.name(i)
	if name == 0 {
		return
	}
	s := r.lookup(name)
	if s < 0 || r.symbols[s].vari < 0 {
		r.use(i, name, r.b.Expr(code.OpName, int32(name), 0), code.RoleWrite)
		return
	}
	e := r.variableOf(s)
	if r.symbols[s].first != i {
		r.use(i, name, e, code.RoleWrite)
	}
	r.forget(e)
	r.gather(r.slotOf(s), e, v, declared)
}

// gather adds a value to what the variable e is known to hold. x = x adds
// nothing, x = x or T() adds T(), and what x = x.f() gives is not known, because
// the value of x is what is being gathered.
func (r *reader) gather(s *slot, e, v code.ExprID, declared bool) {
	switch {
	case declared:
		s.declare(v)
	case v == e:
	case v != 0 && r.doc.Exprs[v].Op == code.OpUnion:
		u := r.doc.Exprs[v]
		r.gather(s, e, code.ExprID(u.A), false)
		r.gather(s, e, code.ExprID(u.B), false)
	case r.rooted(v, e):
		s.add(0)
	default:
		s.add(v)
	}
}

// rooted says whether a value is reached through e.
func (r *reader) rooted(v, e code.ExprID) bool {
	for v != 0 {
		if v == e {
			return true
		}
		switch x := r.doc.Exprs[v]; x.Op {
		case code.OpMember, code.OpCall, code.OpElem, code.OpIter, code.OpResult, code.OpAwait:
			v = code.ExprID(x.A)
		default:
			return false
		}
	}
	return false
}

// assignAttribute is x.name = v. Where x is self, the value belongs to the class's field.
func (r *reader) assignAttribute(i uint32, v code.ExprID, declared bool) {
	var object, e code.ExprID
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fObject:
			object = r.expr(c, true)
		case fAttribute:
			name := r.name(c)
			if name == 0 {
				break
			}
			e = r.b.Member(object, name)
			if d, first := r.field(object, name); d != code.NoDef {
				r.gather(&r.slots[d], e, v, declared)
				if first == i {
					r.forget(e)
					return
				}
			}
			r.use(c, name, e, code.RoleWrite)
		default:
			r.expr(c, false)
		}
	}
	r.forget(e)
}

// field is the Def of a field of the class that an object is, and the record
// that defines it when a method does; NoDef when it has none of that name.
func (r *reader) field(object code.ExprID, name code.NameID) (code.DefID, uint32) {
	if object == 0 {
		return code.NoDef, 0
	}
	o := r.doc.Exprs[object]
	if o.Op != code.OpThis && o.Op != code.OpClass {
		return code.NoDef, 0
	}
	class := code.DefID(o.A)
	if a, ok := r.attributes[attributeKey{class, name}]; ok && a >= 0 {
		return r.attrs[a].def, r.attrs[a].first
	}
	for s := r.top(name); s >= 0; s = r.symbols[s].outer {
		if sym := &r.symbols[s]; sym.scope == r.classScope[class] {
			if sym.vari >= 0 {
				return code.DefID(sym.vari), 0
			}
			break
		}
	}
	return code.NoDef, 0
}

// assignment reads an assignment and gives the value that is assigned.
func (r *reader) assignment(i uint32) code.ExprID {
	var left, right, typ uint32
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fLeft:
			left = c
		case fRight:
			right = c
		case fType:
			typ = c
		default:
			r.expr(c, false)
		}
	}
	if left == 0 {
		if right != 0 {
			return r.expr(right, true)
		}
		return 0
	}
	from := len(r.doc.Uses)
	outer := r.def
	var s int32 = noSymbol
	alias := false
	if r.recs[left].Kind == kIdentifier {
		if s = r.defining(left); s >= 0 {
			r.def = code.DefID(r.symbols[s].vari)
			d := &r.doc.Defs[r.def]
			alias = d.Kind == code.KindType && d.Flags&code.DefAlias != 0
		}
	}
	var t, v code.ExprID
	if typ != 0 {
		t = r.typ(typ, code.RoleType)
	}
	switch {
	case right == 0:
	case alias:
		r.doc.Defs[r.def].Type = r.typ(right, code.RoleType)
	case r.is(left, "__all__") && r.scope == 0:
		r.readAll(right, false)
	case s >= 0 && r.makesType(s, right):
		r.typeMaker(s, right)
		left = 0
	default:
		v = r.expr(right, true)
	}
	mid := len(r.doc.Uses)
	r.def = outer
	switch {
	case left == 0:
	case t != 0 && !r.qualifier(t):
		switch r.recs[left].Kind {
		case kIdentifier:
			r.assignName(left, r.of(t), true)
		case kAttribute:
			r.assignAttribute(left, r.of(t), true)
		default:
			r.assign(left, r.of(t))
		}
	case right == 0: // a declaration without a type that is known
		switch r.recs[left].Kind {
		case kIdentifier:
			r.declaredOnly(left)
		case kAttribute:
			r.assignAttribute(left, 0, false)
		default:
			r.assign(left, 0)
		}
	default:
		r.assign(left, v)
	}
	r.swap(from, mid)
	return v
}

// declaredOnly is the target of x: T without a value.
func (r *reader) declaredOnly(i uint32) {
	name := r.name(i)
	if name == 0 {
		return
	}
	if s := r.lookup(name); s >= 0 && r.symbols[s].vari >= 0 && r.symbols[s].first != i {
		r.use(i, name, r.variableOf(s), code.RoleWrite)
	}
}

// defining is the symbol of a variable of the module or class that is being read which is defined at i, or noSymbol.
func (r *reader) defining(i uint32) int32 {
	name := r.name(i)
	if name == 0 {
		return noSymbol
	}
	s := r.lookup(name)
	if s >= 0 && r.symbols[s].first == i && r.symbols[s].vari >= 0 && r.symbols[s].scope == r.scope && r.global(r.scope) {
		return s
	}
	return noSymbol
}

// augmented is x += v.
func (r *reader) augmented(i uint32) {
	var left, right uint32
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fLeft:
			left = c
		case fRight:
			right = c
		}
	}
	if left != 0 {
		switch r.recs[left].Kind {
		case kIdentifier:
			r.augmentedName(left)
		case kAttribute:
			r.attribute(left, code.RoleReadWrite)
		default:
			r.expr(left, false)
		}
	}
	switch {
	case right == 0:
	case left != 0 && r.is(left, "__all__") && r.scope == 0:
		r.readAll(right, true)
	default:
		r.expr(right, false)
	}
}

func (r *reader) augmentedName(i uint32) {
	name := r.name(i)
	if name == 0 {
		return
	}
	s := r.lookup(name)
	if s >= 0 && r.symbols[s].first == i && r.symbols[s].vari >= 0 {
		r.slotOf(s).add(0)
		return // the only place where it is bound
	}
	r.identifier(i, code.RoleReadWrite)
}

// typeAlias is type X[T] = ...
func (r *reader) typeAlias(i uint32) {
	left, right := r.child(i, fLeft), r.child(i, fRight)
	if left == 0 {
		return
	}
	name := r.typeParamName(left)
	if name == 0 {
		return
	}
	outer := r.def
	id := code.NoDef
	if s := r.defining(name); s >= 0 {
		id = code.DefID(r.symbols[s].vari)
		r.def = id
	} else {
		r.assignName(name, 0, false)
	}
	var old frame
	scope := int32(0)
	for c := name + 1; c < r.recs[left].Next; c++ {
		if r.recs[c].Kind == kTypeParameter {
			if scope = r.note[c]; scope != 0 {
				old = r.enter(scope)
				params := r.typeParams(c)
				if id != code.NoDef {
					r.doc.Defs[id].TypeParams = params
				}
			}
			break
		}
	}
	if right != 0 {
		t := r.typ(right, code.RoleType)
		if id != code.NoDef {
			r.doc.Defs[id].Type = t
		}
	}
	if scope != 0 {
		r.exit(scope, old)
	}
	r.def = outer
}
