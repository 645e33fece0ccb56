package python

import (
	"manito/internal/code"
)

// shape is what applying a form of typing makes.
type shape uint8

const (
	shapeNone shape = iota
	shapeArray
	shapeMap
	shapeCounter
	shapeItems
	shapeTuple
	shapeOptional
	shapeUnion
	shapeType
	shapeCallable
	shapeFirst
	shapeLast
	shapeAwaitable
	shapeLiteral
	shapeManager
	shapeAsyncManager
	shapeBool
)

// shapeOf tells what a form of typing, collections or the language makes of its arguments.
func shapeOf(form string) shape {
	switch form {
	case "list", "List", "set", "Set", "frozenset", "FrozenSet", "Sequence", "MutableSequence", "Iterable", "Iterator", "Collection", "Container",
		"AbstractSet", "MutableSet", "deque", "Deque", "AsyncIterable", "AsyncIterator", "Generator", "AsyncGenerator", "Reversible", "KeysView", "ValuesView":
		return shapeArray
	case "dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "ChainMap":
		return shapeMap
	case "Counter":
		return shapeCounter
	case "ItemsView":
		return shapeItems
	case "tuple", "Tuple":
		return shapeTuple
	case "Optional":
		return shapeOptional
	case "Union":
		return shapeUnion
	case "type", "Type":
		return shapeType
	case "Callable":
		return shapeCallable
	case "Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "InitVar":
		return shapeFirst
	case "Coroutine":
		return shapeLast
	case "Awaitable":
		return shapeAwaitable
	case "Literal":
		return shapeLiteral
	case "ContextManager", "AbstractContextManager":
		return shapeManager
	case "AsyncContextManager", "AbstractAsyncContextManager":
		return shapeAsyncManager
	case "TypeGuard", "TypeIs":
		return shapeBool
	}
	return shapeNone
}

// isTypeForm says whether subscripting a name makes a type, wherever it is written.
func isTypeForm(word string) bool {
	switch shapeOf(word) {
	case shapeNone, shapeBool, shapeFirst:
		return false
	}
	return true
}

// form is the name of a special form that an expression denotes: what typing,
// collections and the like export, and the generic types of the language; "" for anything else.
func (r *reader) form(t code.ExprID) string {
	if t == 0 {
		return ""
	}
	e := r.doc.Exprs[t]
	switch e.Op {
	case code.OpImport:
		if m := &r.doc.Imports[e.A]; m.Name != 0 && m.Relative == 0 && formal(r.doc.Names[m.Specifier]) {
			return r.doc.Names[m.Name]
		}
	case code.OpMember:
		o := r.doc.Exprs[e.A]
		if o.Op == code.OpImport && r.doc.Names[e.B] == "from_iterable" && r.doc.Names[r.doc.Imports[o.A].Name] == "chain" || o.Op == code.OpMember && r.doc.Names[o.B] == "chain" {
			return r.doc.Names[e.B]
		}
		if o.Op == code.OpMember { // collections.abc.X
			if p := r.doc.Exprs[o.A]; p.Op == code.OpImport && r.doc.Names[o.B] == "abc" && r.doc.Names[r.doc.Imports[p.A].Local] == "collections" {
				return r.doc.Names[e.B]
			}
		}
		if o.Op == code.OpImport {
			if m := &r.doc.Imports[o.A]; m.Relative == 0 && (m.Name == 0 && formal(r.doc.Names[m.Specifier]) || r.doc.Names[m.Specifier] == "collections" && r.doc.Names[m.Name] == "abc") {
				return r.doc.Names[e.B]
			}
		}
	case code.OpName:
		switch name := r.doc.Names[e.A]; name {
		case "list", "dict", "tuple", "set", "frozenset", "type", "object":
			return name
		}
	}
	return ""
}

// formal says whether a module exports forms of types, or functions of which
// callForm knows more than that they are external.
func formal(module string) bool {
	switch module {
	case "typing", "typing_extensions", "collections", "collections.abc", "contextlib", "dataclasses", "copy", "itertools", "asyncio", "weakref", "random", "heapq":
		return true
	}
	return false
}

// callForm reads a call of a form whose result says more than that it was called.
func (r *reader) callForm(form string, fn code.ExprID, args uint32) (code.ExprID, bool) {
	switch form {
	case "cast":
		t, v := r.argument(args, 0), r.argument(args, 1)
		if t == 0 || v == 0 {
			return 0, false
		}
		typ := r.typ(t, code.RoleType)
		r.expr(v, false)
		return r.of(typ), true
	case "copy", "deepcopy", "replace", "proxy", "wait_for", "create_task", "ensure_future", "shield", "run", "closing", "aclosing", "nullcontext":
		list := r.arguments(args, fn, true)
		if list == 0 {
			return 0, true
		}
		v := code.ExprID(r.doc.Exprs[list].A)
		switch form {
		case "run":
			return r.b.Unary(code.OpAwait, v), true
		case "closing", "aclosing", "nullcontext":
			return r.manager(v, form == "aclosing"), true
		}
		return v, true
	case "gather":
		v := r.values(args)
		for k := range v {
			v[k] = r.typeOf(r.b.Unary(code.OpAwait, v[k]))
		}
		return r.of(r.b.Unary(code.OpTuple, r.b.List(v...))), true
	case "choice", "heappop":
		list := r.arguments(args, fn, true)
		if list == 0 {
			return 0, true
		}
		return r.b.Unary(code.OpElem, code.ExprID(r.doc.Exprs[list].A)), true
	case "chain", "from_iterable", "islice", "takewhile", "dropwhile", "cycle", "deque":
		v := r.values(args)
		switch {
		case len(v) == 0:
			return r.builtin(true, "list"), true
		case form == "takewhile" || form == "dropwhile":
			v = v[1:]
		case form != "chain":
			v = v[:1]
		}
		var s slot
		for _, x := range v {
			e := r.b.Unary(code.OpIter, x)
			if form == "from_iterable" {
				e = r.b.Unary(code.OpIter, e)
			}
			s.add(e)
		}
		return r.arrayOf(r.settle(&s), "list"), true
	case "defaultdict":
		v := r.values(args)
		if len(v) == 0 || v[0] == 0 {
			return r.builtin(true, "dict"), true
		}
		return r.mapOf(0, r.b.Call(v[0], 0)), true
	case "Counter", "OrderedDict", "ChainMap":
		r.arguments(args, fn, false)
		return r.builtin(true, "dict"), true
	}
	return 0, false
}

// makesType says whether a module or class variable is made by TypeVar, NewType or namedtuple.
func (r *reader) makesType(s int32, right uint32) bool {
	if r.recs[right].Kind != kCall {
		return false
	}
	k := r.doc.Defs[r.symbols[s].vari].Kind
	return r.symbols[s].flags&symbolTypeVar != 0 || k == code.KindType || k == code.KindClass
}

// typeMaker reads the call that makes a type variable, a new type or a named tuple.
func (r *reader) typeMaker(s int32, i uint32) {
	id := code.DefID(r.symbols[s].vari)
	var callee code.ExprID
	var bound code.ExprID
	n := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch {
		case r.recs[c].Kind == kIdentifier:
			callee = r.identifier(c, code.RoleCall)
		case r.recs[c].Kind == kAttribute:
			callee = r.attribute(c, code.RoleCall)
		case r.recs[c].Kind == kArguments && r.doc.Defs[id].Kind != code.KindClass:
			for a := c + 1; a < r.recs[c].Next; a = r.recs[a].Next {
				v := a
				if r.recs[a].Kind == kKeywordArgument {
					if v = r.child(a, fValue); v == 0 {
						continue
					}
					if !r.hasWord(a+1, "bound") {
						r.expr(v, false)
						continue
					}
				} else if n++; n == 1 { // its name
					continue
				}
				bound = r.alternative(bound, r.typ(v, code.RoleType))
			}
		default:
			r.expr(c, false)
		}
	}
	switch r.doc.Defs[id].Kind {
	case code.KindType:
		r.doc.Defs[id].Type = bound
	case code.KindClass:
		if callee != 0 {
			r.doc.Defs[id].Bases = r.b.List(callee)
		}
	default:
		if bound != 0 {
			r.slots[id].add(bound) // as a value, it is the class that it is bound by
		}
	}
}

// tupleFields makes a field of each name in namedtuple("P", "x y") and namedtuple("P", ["x", "y"]).
func (r *reader) tupleFields(class code.DefID, call uint32) {
	args := r.child(call, fArguments)
	if args == 0 {
		return
	}
	names := r.argument(args, 1)
	if names == 0 {
		return
	}
	switch r.recs[names].Kind {
	case kString:
		r.fieldNames(class, names)
	case kList, kTuple:
		for c := names + 1; c < r.recs[names].Next; c = r.recs[c].Next {
			switch r.recs[c].Kind {
			case kString:
				r.fieldNames(class, c)
			case kTuple: // NamedTuple("P", [("x", int)])
				if c+1 < r.recs[c].Next {
					r.fieldNames(class, c+1)
				}
			}
		}
	}
}

// fieldNames makes a field of each name in a string.
func (r *reader) fieldNames(class code.DefID, i uint32) {
	text, start, ok := r.literal(i)
	if !ok {
		return
	}
	for k := 0; k < len(text); {
		end := k
		for end < len(text) && text[end] != ' ' && text[end] != ',' && text[end] != '\n' && text[end] != '\t' {
			end++
		}
		if word := text[k:end]; isName(word) {
			at := start + uint32(k)
			r.addDef(code.Def{
				Name: r.b.NameBytes(word), Kind: code.KindField, Flags: r.visibility(word, class) | code.DefReadonly, Parent: class,
				Start: at, End: start + uint32(end), NameStart: at,
			})
		}
		k = end + 1
	}
}
