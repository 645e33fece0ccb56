package python

import (
	"bytes"

	"manito/internal/code"
)

// traits are what the decorators of a definition say by their names.
type traits struct {
	flags      code.DefFlags
	kind       code.Kind // KindGetter or KindSetter, else 0
	dataclass  bool
	manager    bool // contextmanager, asynccontextmanager
	foreign    bool // a decorator that may keep the function: a route, a fixture, a task
	deprecated bool
}

// traitsOf reads the decorators before the definition i.
func (r *reader) traitsOf(i uint32) traits {
	var t traits
	d := r.decorators
	if d == 0 || r.recs[d].Next != r.recs[i].Next || r.child(d, fDefinition) != i {
		return t
	}
	for c := d + 1; c < i; c = r.recs[c].Next {
		if r.recs[c].Kind != kDecorator {
			continue
		}
		switch string(r.headWord(c)) {
		case "property", "cached_property", "abstractproperty", "lazy_attribute", "hybrid_property", "classproperty":
			t.kind = code.KindGetter
			t.flags |= code.DefProperty
			if r.hasWord(c, "abstractproperty") {
				t.flags |= code.DefAbstract
			}
		case "setter", "deleter":
			t.kind = code.KindSetter
			t.flags |= code.DefProperty
		case "getter":
			t.kind = code.KindGetter
			t.flags |= code.DefProperty
		case "staticmethod":
			t.flags |= code.DefStatic
		case "classmethod":
			t.flags |= code.DefClassMethod
		case "abstractmethod", "abstractclassmethod", "abstractstaticmethod":
			t.flags |= code.DefAbstract
		case "overload":
			t.flags |= code.DefOverload
		case "dataclass", "define", "frozen", "mutable", "attrs", "s": // dataclasses, attrs
			t.dataclass = true
		case "contextmanager", "asynccontextmanager":
			t.manager = true
		case "deprecated":
			t.deprecated = true
		case "wraps", "lru_cache", "cache", "final", "override", "total_ordering", "runtime_checkable", "unique", "no_type_check", "singledispatch":
		default:
			t.foreign = true
		}
	}
	if t.foreign {
		t.flags |= code.DefDecorated
	}
	if t.deprecated {
		t.flags |= code.DefDeprecated
	}
	return t
}

func (r *reader) hasWord(i uint32, word string) bool { return string(r.headWord(i)) == word }

// header is what a function or class definition is written of.
type header struct {
	name, typeParams, params, result, bases, body uint32 // records, 0 when absent
}

func (r *reader) headerOf(i uint32) header {
	var h header
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fName:
			h.name = c
		case fTypeParameters:
			h.typeParams = c
		case fParameters:
			h.params = c
		case fReturnType:
			h.result = c
		case fSuperclasses:
			h.bases = c
		case fBody:
			h.body = c
		}
	}
	return h
}

// colon is the offset of the colon that ends a header.
func (r *reader) colon(i uint32, h header) uint32 {
	at := r.recs[h.name].End
	for _, part := range [...]uint32{h.typeParams, h.params, h.result, h.bases} {
		if part != 0 {
			at = max(at, r.recs[part].End)
		}
	}
	if n := bytes.IndexByte(r.text[at:r.recs[i].End], ':'); n >= 0 {
		return at + uint32(n)
	}
	return 0
}

// documentation finds the string that a body begins with.
func (r *reader) documentation(d *code.Def, body uint32) {
	if body == 0 || body+1 >= r.recs[body].Next {
		return
	}
	switch first := &r.recs[body+1]; first.Kind {
	case kString, kConcatenated:
		d.DocStart, d.DocEnd = first.Start, first.End
		if text := r.text[first.Start:first.End]; bytes.Contains(text, []byte(".. deprecated::")) {
			d.Flags |= code.DefDeprecated
		}
	}
}

// bindDef binds the name of a function or class in the open scope.
func (r *reader) bindDef(i uint32, name code.NameID, id code.DefID, t traits) {
	s := r.symbol(name, r.here())
	if to := r.symbols[s].alias; to >= 0 {
		s = to
	} else if to == aliasOpen {
		return
	}
	if t.kind == code.KindSetter || t.flags&code.DefOverload != 0 && r.symbols[s].bound >= 0 {
		if r.symbols[s].bound >= 0 {
			return // the name keeps denoting the property, or the first overload
		}
	}
	b := binding{kind: bindDef, id: int32(id), conditional: i < r.scopes[r.here()].until, at: r.recs[i].Next}
	sym := &r.symbols[s]
	if sym.bound >= 0 {
		if last := &r.bindings[sym.bound]; last.kind == bindDef && r.doc.Defs[last.id].Flags&code.DefOverload != 0 {
			last.id, last.at, last.conditional = b.id, b.at, b.conditional // the implementation of the overloads before it
			return
		}
	}
	r.bind(s, b)
}

func (r *reader) declareFunction(i uint32) {
	h := r.headerOf(i)
	if h.name == 0 || r.recs[h.name].Start == r.recs[h.name].End {
		return
	}
	here := r.here()
	sc := r.scopes[here]
	t := r.traitsOf(i)
	name := r.name(h.name)
	word := r.textOf(h.name)
	rec := &r.recs[i]
	d := code.Def{Name: name, Kind: code.KindFunction, Parent: sc.def, Start: rec.Start, End: rec.End, NameStart: r.recs[h.name].Start, BodyStart: r.colon(i, h)}
	d.Flags = t.flags | r.visibility(word, sc.def)
	method := sc.kind == scopeClass
	if method {
		r.methodKind(&d, word, t, h)
	} else if r.test && bytes.HasPrefix(word, []byte("test")) && sc.kind == scopeModule {
		d.Flags |= code.DefTest
	}
	if bytes.HasPrefix(r.text[rec.Start:rec.End], []byte("async")) {
		d.Flags |= code.DefAsync
	}
	r.documentation(&d, h.body)
	if sc.kind == scopeModule && string(word) == "__getattr__" || method && (string(word) == "__getattr__" || string(word) == "__getattribute__") {
		r.doc.Flags |= code.DocDynamic
	}
	id := r.addDef(d)
	r.bindDef(i, name, id, t)
	outer := here
	if h.typeParams != 0 {
		outer = r.declareTypeParams(h.typeParams, id, rec.Next)
	}
	class := code.NoDef
	if method && d.Flags&code.DefStatic == 0 {
		class = sc.class
	}
	scope := r.newScope(scopeFunction, outer, id, class, rec.Next)
	r.note[i] = scope
	if h.params != 0 {
		r.declareParameters(h.params, scope, id)
	}
	r.shut(scope) // the parameters are seen by the body only
	if h.body != 0 {
		r.scopes[scope].end = r.recs[h.body].Next
		r.later(h.body, scope)
	}
}

// methodKind refines a function written in a class.
func (r *reader) methodKind(d *code.Def, word []byte, t traits, h header) {
	d.Kind = code.KindMethod
	if t.kind != 0 {
		d.Kind = t.kind
	}
	class := &r.classes[r.classOf[d.Parent]]
	switch string(word) {
	case "__init__":
		d.Kind = code.KindConstructor
	case "__new__", "__init_subclass__", "__class_getitem__":
		d.Flags |= code.DefClassMethod
	}
	if class.test && bytes.HasPrefix(word, []byte("test")) {
		d.Flags |= code.DefTest
	}
	if class.protocol && d.Flags&code.DefOverload == 0 && r.empty(h.body) {
		d.Flags |= code.DefAbstract
	}
}

// empty says whether a body consists of "..." or "pass", besides its documentation.
func (r *reader) empty(body uint32) bool {
	if body == 0 {
		return false
	}
	for c := body + 1; c < r.recs[body].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kString, kConcatenated, kEllipsis:
		default:
			return false
		}
	}
	return true
}

// declareParameters makes a Local of each parameter, and Def.Params of them.
// The receiver (self, cls) is no parameter of a call and is left out of Params.
func (r *reader) declareParameters(params uint32, scope int32, fn code.DefID) {
	r.list = r.list[:0]
	method := fn != code.NoDef && r.scopes[scope].class != code.NoDef
	for c := params + 1; c < r.recs[params].Next; c = r.recs[c].Next {
		target, variadic := c, false
		switch r.recs[c].Kind {
		case kTypedParameter, kDefaultParameter, kTypedDefaultParameter:
			target = c + 1
			if n := r.child(c, fName); n != 0 {
				target = n
			}
		}
		if target >= r.recs[c].Next {
			continue
		}
		switch r.recs[target].Kind {
		case kListSplatPattern, kDictSplatPattern:
			variadic = true
			if target+1 >= r.recs[target].Next {
				continue
			}
			target++
		case kTuplePattern: // def f((a, b)): the old form
			r.tupleParameter(target, scope)
			method = false
			continue
		}
		if r.recs[target].Kind != kIdentifier || r.recs[target].Start == r.recs[target].End {
			continue
		}
		s := r.parameter(target, scope)
		switch {
		case method && !variadic:
			flag := symbolSelf
			if r.doc.Defs[fn].Flags&code.DefClassMethod != 0 {
				flag = symbolCls
			}
			r.symbols[s].flags |= flag
		case fn != code.NoDef:
			r.list = append(r.list, r.b.Expr(code.OpLocal, r.symbols[s].vari, 0))
			if variadic {
				r.doc.Defs[fn].Flags |= code.DefVariadic
			}
		}
		method = false
	}
	if fn != code.NoDef {
		r.doc.Defs[fn].Params = r.b.List(r.list...)
	}
}

func (r *reader) tupleParameter(i uint32, scope int32) {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kTuplePattern:
			r.tupleParameter(c, scope)
		case kIdentifier:
			if r.recs[c].Start < r.recs[c].End {
				r.parameter(c, scope)
			}
		}
	}
}

// parameter binds one parameter.
func (r *reader) parameter(i uint32, scope int32) int32 {
	name := r.name(i)
	s := r.symbol(name, scope)
	sym := &r.symbols[s]
	if sym.vari == none {
		sym.first = i
		sym.vari = int32(r.b.AddLocal(code.Local{Name: name, Kind: code.KindParameter, Scope: r.scopes[scope].def, Start: r.recs[i].Start}))
		r.locals = append(r.locals, slot{})
		r.bind(s, binding{kind: bindVariable, id: sym.vari})
	}
	return s
}

func (r *reader) declareLambda(i uint32) {
	here := r.here()
	scope := r.newScope(scopeLambda, here, r.scopes[here].def, code.NoDef, r.recs[i].Next)
	r.note[i] = scope
	if params := r.child(i, fParameters); params != 0 {
		r.declareParameters(params, scope, code.NoDef)
	}
	r.shut(scope)
	if body := r.child(i, fBody); body != 0 {
		r.later(body, scope)
	}
}
