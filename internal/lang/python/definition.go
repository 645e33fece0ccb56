package python

import (
	"math"

	"manito/internal/code"
)

// function reads a function with its decorators (0: it has none). It gives false when reading was stopped.
func (r *reader) function(i, decorated uint32) bool {
	if r.stopped() {
		return false
	}
	scope := r.note[i]
	if scope == 0 {
		return r.statements(i)
	}
	id := r.scopes[scope].def
	h := r.headerOf(i)
	outer, outerFn := r.def, r.fn
	r.def = id
	r.fn = function{def: id}
	manager := decorated != 0 && r.readDecorators(decorated, i)

	var params frame
	if h.typeParams != 0 && r.note[h.typeParams] != 0 {
		params = r.enter(r.note[h.typeParams])
		r.doc.Defs[id].TypeParams = r.typeParams(h.typeParams)
	}
	if h.params != 0 {
		r.signature(h.params, scope)
	}
	var result code.ExprID
	if h.result != 0 {
		r.fn.declared = true
		result = r.of(r.typ(h.result, code.RoleType))
	}
	ok := true
	if h.body != 0 {
		old := r.enter(scope)
		r.fn.cyclomatic = 1
		ok = r.statements(h.body)
		r.exit(scope, old)
	}
	if h.typeParams != 0 && r.note[h.typeParams] != 0 {
		r.exit(r.note[h.typeParams], params)
	}
	r.settleFunction(id, result, manager)
	r.def, r.fn = outer, outerFn
	return ok
}

func (r *reader) settleFunction(id code.DefID, result code.ExprID, manager bool) {
	d := &r.doc.Defs[id]
	d.Cyclomatic = uint16(min(r.fn.cyclomatic, math.MaxUint16))
	d.Cognitive = uint16(min(r.fn.cognitive, math.MaxUint16))
	if r.fn.generator {
		d.Flags |= code.DefGenerator
	}
	switch {
	case r.fn.declared:
	case r.fn.generator:
		result = r.settle(&r.fn.yields)
	default:
		result = r.settle(&r.fn.returns)
	}
	if manager {
		if r.fn.declared {
			result = r.b.Unary(code.OpElem, result) // Iterator[T]
		}
		d.Flags &^= code.DefGenerator
		result = r.manager(result, d.Flags&code.DefAsync != 0)
		d.Flags &^= code.DefAsync
	}
	d.Type = result
}

// manager is a context manager that gives v.
func (r *reader) manager(v code.ExprID, async bool) code.ExprID {
	name := "__enter__"
	if async {
		name = "__aenter__"
	}
	enter := r.b.Expr(code.OpFunc, -1, int32(v))
	field := r.b.Expr(code.OpField, int32(r.b.Name(name)), int32(enter))
	return r.b.Expr(code.OpObject, int32(r.b.List(field)), 0)
}

// readDecorators reads the decorators before the definition i, and says whether one is contextmanager.
func (r *reader) readDecorators(decorated, i uint32) bool {
	manager := false
	for c := decorated + 1; c < i; c = r.recs[c].Next {
		if r.recs[c].Kind != kDecorator {
			r.expr(c, false)
			continue
		}
		for x := c + 1; x < r.recs[c].Next; x = r.recs[x].Next {
			r.decorator(x)
		}
		switch string(r.headWord(c)) {
		case "contextmanager", "asynccontextmanager":
			manager = true
		}
	}
	return manager
}

// decorator reads the expression of a decorator; what it names last decorates.
func (r *reader) decorator(i uint32) {
	switch r.recs[i].Kind {
	case kIdentifier:
		r.identifier(i, code.RoleDecorate)
	case kAttribute:
		r.attribute(i, code.RoleDecorate)
	case kCall:
		var callee code.ExprID
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			switch {
			case r.recs[c].Kind == kArguments:
				r.arguments(c, callee, false)
			case r.recs[c].Kind == kIdentifier:
				callee = r.identifier(c, code.RoleDecorate)
			case r.recs[c].Kind == kAttribute:
				callee = r.attribute(c, code.RoleDecorate)
			default:
				r.expr(c, false)
			}
		}
	default:
		r.expr(i, false)
	}
}

// typeParams reads the bounds of type parameters, and lists them.
func (r *reader) typeParams(i uint32) code.ExprID {
	base := len(r.exprs)
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		t := r.typeParamName(c)
		if t == 0 {
			continue
		}
		s := r.lookup(r.name(t))
		if s < 0 || r.symbols[s].first != t || r.symbols[s].vari < 0 {
			continue
		}
		local := code.LocalID(r.symbols[s].vari)
		r.exprs = append(r.exprs, r.b.Expr(code.OpLocal, int32(local), 0))
		for b := t + 1; b < r.recs[c].Next; b++ {
			if r.recs[b].Kind == kType { // T: bound
				r.doc.Locals[local].Type = r.typ(b, code.RoleType)
				break
			}
		}
	}
	list := r.b.List(r.exprs[base:]...)
	r.exprs = r.exprs[:base]
	return list
}

// signature reads annotations and default values, in the scope around the
// function, and types its parameters.
func (r *reader) signature(params uint32, scope int32) {
	s := r.scopes[scope].head // parameters come first and in order
	for c := params + 1; c < r.recs[params].Next; c = r.recs[c].Next {
		target := c
		var typ, value uint32
		switch r.recs[c].Kind {
		case kTypedParameter, kDefaultParameter, kTypedDefaultParameter:
			target = c + 1
			for p := c + 1; p < r.recs[c].Next; p = r.recs[p].Next {
				switch r.recs[p].Field {
				case fName:
					target = p
				case fType:
					typ = p
				case fValue:
					value = p
				}
			}
		}
		var t code.ExprID
		if typ != 0 {
			t = r.typ(typ, code.RoleType)
		}
		var def code.ExprID
		if value != 0 {
			def = r.expr(value, t == 0)
		}
		variadic := target
		if k := r.recs[target].Kind; (k == kListSplatPattern || k == kDictSplatPattern) && target+1 < r.recs[target].Next {
			target++
		}
		for s >= 0 && r.symbols[s].first < target {
			s = r.symbols[s].next
		}
		if s < 0 || r.symbols[s].first != target || r.symbols[s].vari < 0 {
			continue
		}
		sl := &r.locals[r.symbols[s].vari]
		switch r.recs[variadic].Kind {
		case kListSplatPattern:
			if t != 0 {
				sl.declare(r.of(r.b.Expr(code.OpArray, int32(t), 0)))
			} else {
				sl.declare(r.builtin(true, "tuple"))
			}
		case kDictSplatPattern:
			if t != 0 {
				sl.declare(r.of(r.b.Expr(code.OpMap, int32(r.typeOf(r.builtin(true, "str"))), int32(t))))
			} else {
				sl.declare(r.builtin(true, "dict"))
			}
		default:
			switch v := r.receiver(s); {
			case t != 0:
				sl.declare(r.of(t))
			case v != 0:
				sl.declare(v)
			default:
				if def != 0 && r.doc.Exprs[def].Op != code.OpBuiltin { // of a literal's type, other things may be passed
					sl.add(def)
				}
				sl.add(0) // whatever is passed
			}
		}
	}
}

// class reads a class with its decorators.
func (r *reader) class(i, decorated uint32) bool {
	if r.stopped() {
		return false
	}
	scope := r.note[i]
	if scope == 0 {
		return r.statements(i)
	}
	id := r.scopes[scope].def
	h := r.headerOf(i)
	outer, outerFn := r.def, r.fn
	r.def = id
	r.fn = function{def: id}
	if decorated != 0 {
		r.readDecorators(decorated, i)
	}
	var params frame
	if h.typeParams != 0 && r.note[h.typeParams] != 0 {
		params = r.enter(r.note[h.typeParams])
		r.doc.Defs[id].TypeParams = r.typeParams(h.typeParams)
	}
	if h.bases != 0 {
		r.bases(h.bases, id)
	}
	ok := true
	if h.body != 0 {
		old := r.enter(scope)
		ok = r.statements(h.body)
		r.exit(scope, old)
	}
	if h.typeParams != 0 && r.note[h.typeParams] != 0 {
		r.exit(r.note[h.typeParams], params)
	} else if c := &r.classes[r.classOf[id]]; len(c.params) > 0 {
		base := len(r.exprs)
		for _, p := range c.params {
			r.exprs = append(r.exprs, r.b.Expr(code.OpLocal, int32(p.local), 0))
		}
		r.doc.Defs[id].TypeParams = r.b.List(r.exprs[base:]...)
		r.exprs = r.exprs[:base]
	}
	r.def, r.fn = outer, outerFn
	return ok
}

// bases reads the superclasses of a class.
func (r *reader) bases(i uint32, id code.DefID) {
	base := len(r.exprs)
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kKeywordArgument:
			r.expr(c, false)
		case kListSplat, kDictSplat:
			r.expr(c, false)
			r.exprs = append(r.exprs, 0)
		case kCall: // class A(namedtuple("A", "x y")): an instance of what it makes is a base
			r.exprs = append(r.exprs, r.typeOf(r.expr(c, true)))
		default:
			t := r.typ(c, code.RoleExtend)
			if head := t; head != 0 {
				if e := r.doc.Exprs[head]; e.Op == code.OpGeneric {
					head = code.ExprID(e.A)
				}
				switch r.form(head) {
				case "Generic", "Protocol":
					continue // markers, which have no members
				}
			}
			r.exprs = append(r.exprs, t)
		}
	}
	r.doc.Defs[id].Bases = r.b.List(r.exprs[base:]...)
	r.exprs = r.exprs[:base]
}
