package link

import "manito/internal/code"

// vkind says what a Value is.
type vkind uint8

const (
	vUnknown  vkind = iota
	vModule         // a = scope, b = file or -1: a module of the repository
	vDir            // ext.name = directory: a module without a file (namespace package)
	vExternal       // a = external package: anything that comes out of it
	vBuiltin        // ext.name: a built-in type's instance, or a built-in function
	vSpace          // a = definition: a namespace block
	vType           // a = definition: the type itself as a value; ext.vals its arguments
	vInst           // a = definition: an instance of the type; ext.vals its arguments
	vSuper          // a = definition: an instance seen as its bases
	vFunc           // a = definition of a function
	vClosure        // file, b = result expression
	vSig            // ext.vals[0] result, ext.vals[1:] parameters
	vArray          // ext.vals[0] element
	vMap            // ext.vals[0] key, ext.vals[1] value
	vTuple          // ext.vals
	vAwait          // ext.vals[0] what awaiting gives
	vObject         // file, a = OpList of OpField
	vUnion          // ext.vals: one of them
	vBoth           // ext.vals: all of them at once (intersection)
	vMethod         // ext.name of a built-in container ext.vals[0]
)

// Value is what an expression is known to be. The zero Value is "unknown".
type Value struct {
	kind    vkind
	partial bool  // one of its alternatives is unknown
	file    int32 // context of expressions
	a, b    int32
	ent     int32 // the variable that was named to get it, plus 1; 0 when none
	ext     *ext
}

// ext holds what few Values need.
type ext struct {
	vals  []Value
	env   *env
	name  string
	depth uint8 // nesting of arguments
}

// env binds type parameters (Locals of KindTypeParameter) to Values.
type env struct {
	file int32
	list code.ExprID // OpList of OpLocal
	vals []Value
	up   *env
}

// maxNesting bounds how deep type arguments nest: F[T] that uses F[Box[T]] would otherwise never end.
const maxNesting = 6

// maxAlternatives bounds the alternatives of a union; past it the value is unknown.
const maxAlternatives = 8

func (v Value) nesting() uint8 {
	if v.ext == nil {
		return 0
	}
	return v.ext.depth
}

// with makes a Value of a kind around others; nested too deep it is unknown.
func with(kind vkind, a int32, vals ...Value) Value {
	var depth uint8
	for _, v := range vals {
		depth = max(depth, v.nesting())
	}
	if depth >= maxNesting {
		return Value{}
	}
	return Value{kind: kind, a: a, ext: &ext{vals: vals, depth: depth + 1}}
}

func builtinValue(name string) Value { return Value{kind: vBuiltin, ext: &ext{name: name}} }

// nothing says whether a builtin is the null value, which adds nothing to a union.
func (v Value) nothing() bool {
	if v.kind != vBuiltin {
		return false
	}
	switch v.ext.name {
	case "None", "null", "undefined", "nil", "void", "never", "NoneType":
		return true
	}
	return false
}

// either merges two alternatives.
func either(x, y Value) Value {
	switch {
	case x.nothing():
		return y
	case y.nothing():
		return x
	case x.kind == vUnknown && y.kind == vUnknown:
		return Value{}
	case x.kind == vUnknown:
		y.partial = true
		return y
	case y.kind == vUnknown:
		x.partial = true
		return x
	case x.same(y):
		x.partial = x.partial || y.partial
		return x
	}
	vals := append(alternatives(x), alternatives(y)...)
	distinct := vals[:0:0]
	for _, v := range vals {
		known := false
		for _, d := range distinct {
			known = known || d.same(v)
		}
		if !known {
			distinct = append(distinct, v)
		}
	}
	if len(distinct) > maxAlternatives {
		return Value{}
	}
	partial := x.partial || y.partial
	u := with(vUnion, 0, distinct...)
	u.partial = partial
	return u
}

func alternatives(v Value) []Value {
	if v.kind == vUnion {
		return append([]Value(nil), v.ext.vals...)
	}
	return []Value{v}
}

// same compares what Values denote, type arguments included.
func (v Value) same(o Value) bool {
	if v.kind != o.kind || v.a != o.a || v.b != o.b || v.file != o.file {
		return false
	}
	if v.ext == nil || o.ext == nil {
		return v.ext == o.ext
	}
	if v.ext == o.ext {
		return true
	}
	if v.ext.name != o.ext.name || v.ext.env != o.ext.env || len(v.ext.vals) != len(o.ext.vals) {
		return false
	}
	for i := range v.ext.vals {
		if !v.ext.vals[i].same(o.ext.vals[i]) {
			return false
		}
	}
	return true
}

func (v Value) first() Value {
	if v.ext == nil || len(v.ext.vals) == 0 {
		return Value{}
	}
	return v.ext.vals[0]
}

// lookup finds a type parameter.
func (n *env) lookup(l *linker, file int32, local code.LocalID) (Value, bool) {
	for ; n != nil; n = n.up {
		if n.file != file {
			continue
		}
		i := 0
		for x := n.list; x != 0; i++ {
			cell := l.doc(file).Exprs[x]
			if head := l.doc(file).Exprs[cell.A]; head.Op == code.OpLocal && head.A == int32(local) {
				if i < len(n.vals) {
					return n.vals[i], true
				}
				return Value{}, false
			}
			x = code.ExprID(cell.B)
		}
	}
	return Value{}, false
}
