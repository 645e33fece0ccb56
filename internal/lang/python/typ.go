package python

import (
	"manito/internal/code"
)

// typ reads a type expression: an annotation, a base class, a bound. role is
// that of the name which the type is called by.
func (r *reader) typ(i uint32, role code.Role) code.ExprID {
	rec := &r.recs[i]
	switch rec.Kind {
	case kType, kParenthesized, kSplatType, kListSplat:
		var t code.ExprID
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			t = r.typ(c, role)
		}
		return t
	case kIdentifier:
		return r.bare(r.typeName(i, role))
	case kAttribute:
		return r.bare(r.typeAttribute(i, role))
	case kMemberType:
		var t code.ExprID
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			if r.recs[c].Kind == kIdentifier {
				name := r.name(c)
				t = r.b.Member(t, name)
				if name != 0 {
					r.use(c, name, t, role)
				}
			} else {
				t = r.typ(c, code.RoleRead)
			}
		}
		return t
	case kString:
		return r.typeString(i)
	case kNone:
		return r.nothing()
	case kGenericType, kSubscript:
		return r.generic(i, role)
	case kBinary, kUnionType:
		var t code.ExprID
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			t = r.alternative(t, r.typ(c, role))
		}
		return t
	case kTuple: // the constraints of a type parameter
		var t code.ExprID
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			t = r.alternative(t, r.typ(c, code.RoleType))
		}
		return t
	case kEllipsis:
		return 0
	}
	r.expr(i, false)
	return 0
}

// alternative is either of two types.
func (r *reader) alternative(x, y code.ExprID) code.ExprID {
	switch {
	case x == 0 || x == y:
		return y
	case y == 0:
		return x
	case x == r.nothing():
		return r.b.Unary(code.OpNullable, y)
	case y == r.nothing():
		if r.doc.Exprs[x].Op == code.OpNullable {
			return x
		}
		return r.b.Unary(code.OpNullable, x)
	}
	return r.b.Expr(code.OpUnion, int32(x), int32(y))
}

// typeName reads a name in a type. A TypeVar of the module is a type parameter
// of what names it.
func (r *reader) typeName(i uint32, role code.Role) code.ExprID {
	name := r.name(i)
	if name == 0 {
		return 0
	}
	return r.typeNamed(name, i, r.recs[i].Start, role)
}

// typeNamed is typeName for a name that stands at an offset, seen from the record i.
func (r *reader) typeNamed(name code.NameID, i, at uint32, role code.Role) code.ExprID {
	s, e := r.named(name, i)
	r.doc.Uses = append(r.doc.Uses, code.Use{Start: at, Name: name, Scope: r.def, Expr: e, Role: role})
	if s >= 0 && r.symbols[s].flags&symbolTypeVar != 0 {
		if p := r.implicit(name, at, s); p != 0 {
			return p
		}
	}
	return e
}

// implicit is the type parameter that a TypeVar stands for in the definition
// that is being read: one of a class around it, else its own.
func (r *reader) implicit(name code.NameID, at uint32, s int32) code.ExprID {
	if r.def == code.NoDef {
		return 0
	}
	for d := r.def; d != code.NoDef; d = r.doc.Defs[d].Parent {
		if c, ok := r.classOf[d]; ok {
			for _, p := range r.classes[c].params {
				if p.name == name {
					return r.b.Expr(code.OpLocal, int32(p.local), 0)
				}
			}
		}
		for x := r.doc.Defs[d].TypeParams; x != 0; x = code.ExprID(r.doc.Exprs[x].B) {
			if e := code.ExprID(r.doc.Exprs[x].A); r.doc.Locals[r.doc.Exprs[e].A].Name == name {
				return e
			}
		}
	}
	d := &r.doc.Defs[r.def]
	c, isClass := r.classOf[r.def]
	if !isClass && !d.Kind.Callable() {
		return 0
	}
	local := r.b.AddLocal(code.Local{Name: name, Kind: code.KindTypeParameter, Scope: r.def, Start: at, Type: r.settle(r.slotOf(s))})
	r.locals = append(r.locals, slot{})
	e := r.b.Expr(code.OpLocal, int32(local), 0)
	if isClass {
		r.classes[c].params = append(r.classes[c].params, typeParam{name, local})
		return e
	}
	base := len(r.exprs)
	for x := d.TypeParams; x != 0; x = code.ExprID(r.doc.Exprs[x].B) {
		r.exprs = append(r.exprs, code.ExprID(r.doc.Exprs[x].A))
	}
	r.exprs = append(r.exprs, e)
	d.TypeParams = r.b.List(r.exprs[base:]...)
	r.exprs = r.exprs[:base]
	return e
}

func (r *reader) typeAttribute(i uint32, role code.Role) code.ExprID {
	var t code.ExprID
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fObject:
			t = r.expr(c, true)
		case fAttribute:
			name := r.name(c)
			t = r.b.Member(t, name)
			if name != 0 {
				r.use(c, name, t, role)
			}
		}
	}
	return t
}

// generic reads List[T], X.Y[T] and the special forms of typing.
func (r *reader) generic(i uint32, role code.Role) code.ExprID {
	head := i + 1
	if head >= r.recs[i].Next {
		return 0
	}
	var h code.ExprID
	switch r.recs[head].Kind {
	case kIdentifier:
		h = r.typeName(head, role)
	case kAttribute:
		h = r.typeAttribute(head, role)
	default:
		h = r.typ(head, role)
	}
	base := len(r.args)
	for c := r.recs[head].Next; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Kind == kTypeParameter {
			for a := c + 1; a < r.recs[c].Next; a = r.recs[a].Next {
				r.args = append(r.args, a)
			}
			continue
		}
		r.args = append(r.args, c)
	}
	args := r.args[base:]
	if len(args) == 1 && r.recs[args[0]].Kind == kTuple { // X[(a, b)]
		t := args[0]
		r.args = r.args[:base]
		for c := t + 1; c < r.recs[t].Next; c = r.recs[c].Next {
			r.args = append(r.args, c)
		}
		args = r.args[base:]
	}
	t := r.apply(h, args)
	r.args = r.args[:base]
	return t
}

// inner strips the wrappers of a type's record.
func (r *reader) inner(i uint32) uint32 {
	for r.recs[i].Kind == kType && i+1 < r.recs[i].Next {
		i++
	}
	return i
}

// apply applies a generic type to its arguments.
func (r *reader) apply(h code.ExprID, args []uint32) code.ExprID {
	form := r.form(h)
	switch shapeOf(form) {
	case shapeLiteral:
		var t code.ExprID
		for _, a := range args {
			t = r.alternative(t, r.typeOf(r.expr(r.inner(a), true)))
		}
		return t
	case shapeFirst: // Annotated[T, ...]: only the first is a type
		var t code.ExprID
		for n, a := range args {
			if n == 0 {
				t = r.typ(a, code.RoleType)
			} else {
				r.expr(r.inner(a), false)
			}
		}
		return t
	case shapeCallable:
		return r.callable(args)
	case shapeTuple:
		if len(args) == 2 && r.recs[r.inner(args[1])].Kind == kEllipsis {
			return r.arrayType(r.typ(args[0], code.RoleType), form)
		}
	}
	base := len(r.exprs)
	for _, a := range args {
		r.exprs = append(r.exprs, r.typ(a, code.RoleType))
	}
	t := r.applied(h, form, r.exprs[base:])
	r.exprs = r.exprs[:base]
	return t
}

// applied is a generic type with the types of its arguments.
func (r *reader) applied(h code.ExprID, form string, args []code.ExprID) code.ExprID {
	arg := func(n int) code.ExprID {
		if n < len(args) {
			return args[n]
		}
		return 0
	}
	switch shapeOf(form) {
	case shapeArray:
		return r.arrayType(arg(0), form)
	case shapeMap:
		return r.b.Expr(code.OpMap, int32(arg(0)), int32(arg(1)))
	case shapeCounter:
		return r.b.Expr(code.OpMap, int32(arg(0)), int32(r.builtin(true, "int")))
	case shapeItems:
		return r.b.Unary(code.OpArray, r.b.Unary(code.OpTuple, r.b.List(args...)))
	case shapeTuple:
		return r.b.Unary(code.OpTuple, r.b.List(args...))
	case shapeOptional:
		return r.alternative(arg(0), r.nothing())
	case shapeUnion:
		var t code.ExprID
		for _, a := range args {
			t = r.alternative(t, a)
		}
		return t
	case shapeType:
		if arg(0) == 0 {
			return 0
		}
		return r.b.Unary(code.OpTypeOf, r.classValue(arg(0)))
	case shapeFirst, shapeAwaitable:
		return arg(0)
	case shapeLast:
		return arg(len(args) - 1)
	case shapeManager:
		return r.b.Unary(code.OpTypeOf, r.manager(r.of(arg(0)), false))
	case shapeAsyncManager:
		return r.b.Unary(code.OpTypeOf, r.manager(r.of(arg(0)), true))
	case shapeBool:
		return r.builtin(true, "bool")
	}
	if h == 0 || len(args) == 0 {
		return h
	}
	return r.b.Expr(code.OpGeneric, int32(h), int32(r.b.List(args...)))
}

// classValue is the class itself, as a value, of a type expression.
func (r *reader) classValue(t code.ExprID) code.ExprID {
	if e := r.doc.Exprs[t]; e.Op == code.OpTypeOf {
		if v := r.doc.Exprs[e.A]; v.Op == code.OpThis {
			return r.b.Expr(code.OpClass, v.A, 0) // type[Self]
		}
	}
	return t
}

func (r *reader) arrayType(t code.ExprID, form string) code.ExprID {
	if t == 0 {
		return r.bareType(form)
	}
	return r.b.Unary(code.OpArray, t)
}

func (r *reader) callable(args []uint32) code.ExprID {
	var params, result code.ExprID
	for n, a := range args {
		a = r.inner(a)
		switch {
		case n > 0:
			result = r.typ(a, code.RoleType)
		case r.recs[a].Kind == kList:
			base := len(r.exprs)
			for c := a + 1; c < r.recs[a].Next; c = r.recs[c].Next {
				r.exprs = append(r.exprs, r.typ(c, code.RoleType))
			}
			params = r.b.List(r.exprs[base:]...)
			r.exprs = r.exprs[:base]
		default:
			r.typ(a, code.RoleType)
		}
	}
	return r.b.Expr(code.OpSignature, int32(params), int32(result))
}

// bare is a type that is named without arguments.
func (r *reader) bare(t code.ExprID) code.ExprID {
	form := r.form(t)
	if form == "" {
		return t
	}
	switch form {
	case "Self":
		for d := r.def; d != code.NoDef; d = r.doc.Defs[d].Parent {
			if _, ok := r.classOf[d]; ok {
				return r.b.Unary(code.OpTypeOf, r.b.Expr(code.OpThis, int32(d), 0))
			}
		}
		return 0
	case "Any", "object", "NoReturn", "Never", "Callable", "callable", "Optional", "Union", "Type", "type":
		return 0
	case "Text", "AnyStr", "LiteralString":
		return r.builtin(true, "str")
	case "ByteString":
		return r.builtin(true, "bytes")
	case "TypeGuard", "TypeIs":
		return r.builtin(true, "bool")
	}
	switch shapeOf(form) {
	case shapeArray, shapeMap, shapeTuple, shapeCounter:
		return r.bareType(form)
	}
	return t
}

// bareType is a container of the language whose elements are not known.
func (r *reader) bareType(form string) code.ExprID {
	switch form {
	case "set", "Set", "MutableSet", "AbstractSet":
		return r.builtin(true, "set")
	case "frozenset", "FrozenSet":
		return r.builtin(true, "frozenset")
	case "tuple", "Tuple":
		return r.builtin(true, "tuple")
	case "Iterator", "Generator", "AsyncIterator", "AsyncGenerator":
		return r.builtin(true, "generator")
	}
	switch shapeOf(form) {
	case shapeMap, shapeCounter:
		return r.builtin(true, "dict")
	}
	return r.builtin(true, "list")
}

// qualifier says whether an annotation is none of its own: Final and ClassVar
// leave the type to the value.
func (r *reader) qualifier(t code.ExprID) bool {
	switch r.form(t) {
	case "Final", "ClassVar", "TypeAlias":
		return true
	}
	return false
}
