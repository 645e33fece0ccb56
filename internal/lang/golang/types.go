package golang

import (
	"go/ast"

	"manito/internal/code"
)

// typ reads an expression in a type position and returns it as a type
// expression. The role is that of the type's own name; what stands inside
// (elements, arguments, parameters) has RoleType.
func (x *Extractor) typ(e ast.Expr, role code.Role) code.ExprID {
	switch e := e.(type) {
	case nil:
		return 0
	case *ast.Ident:
		return x.ident(e, role)
	case *ast.SelectorExpr:
		return x.selector(e, role)
	}
	if x.depth >= maxDepth {
		x.deep = true
		return 0
	}
	x.depth++
	t := x.compositeType(e, role)
	x.depth--
	return t
}

func (x *Extractor) compositeType(e ast.Expr, role code.Role) code.ExprID {
	switch e := e.(type) {
	case *ast.StarExpr:
		return x.builder.Unary(code.OpPointer, x.typ(e.X, role))
	case *ast.ParenExpr:
		return x.typ(e.X, role)
	case *ast.ArrayType:
		if e.Len != nil {
			x.value(e.Len, false)
		}
		return x.builder.Unary(code.OpArray, x.typ(e.Elt, code.RoleType))
	case *ast.Ellipsis:
		return x.builder.Unary(code.OpArray, x.typ(e.Elt, code.RoleType))
	case *ast.MapType:
		key := x.typ(e.Key, code.RoleType)
		return x.builder.Expr(code.OpMap, int32(key), int32(x.typ(e.Value, code.RoleType)))
	case *ast.ChanType:
		elem := x.typ(e.Value, code.RoleType)
		return x.builder.Expr(code.OpMap, int32(elem), int32(elem))
	case *ast.FuncType:
		return x.signature(e)
	case *ast.StructType:
		base, bases := len(x.exprs), len(x.bases)
		x.fields(e.Fields, true)
		return x.object(base, bases)
	case *ast.InterfaceType:
		base, bases := len(x.exprs), len(x.bases)
		x.methods(e.Methods, true)
		if len(x.exprs) == base && len(x.bases) == bases {
			return x.builtin("any")
		}
		return x.object(base, bases)
	case *ast.IndexExpr:
		generic, base := x.typ(e.X, role), len(x.exprs)
		x.push(x.typ(e.Index, code.RoleType))
		return x.instance(generic, base)
	case *ast.IndexListExpr:
		generic, base := x.typ(e.X, role), len(x.exprs)
		for _, a := range e.Indices {
			x.push(x.typ(a, code.RoleType))
		}
		return x.instance(generic, base)
	case *ast.BinaryExpr: // a union of a constraint: it has no members of its own
		x.terms(e)
		return 0
	case *ast.UnaryExpr: // ~T
		x.typ(e.X, code.RoleType)
		return 0
	}
	x.value(e, false)
	return 0
}

func (x *Extractor) push(e code.ExprID) { x.exprs = append(x.exprs, e) }

// list takes the expressions from base on off the stack and makes them an OpList.
func (x *Extractor) list(base int) code.ExprID {
	list := x.builder.List(x.exprs[base:]...)
	x.exprs = x.exprs[:base]
	return list
}

// terms reads the terms of a union, A | B | C, of which there may be very many.
func (x *Extractor) terms(e *ast.BinaryExpr) {
	base := len(x.chain)
	x.chain = append(x.chain, e)
	for {
		left, ok := x.chain[len(x.chain)-1].X.(*ast.BinaryExpr)
		if !ok {
			break
		}
		x.chain = append(x.chain, left)
	}
	x.typ(x.chain[len(x.chain)-1].X, code.RoleType)
	for len(x.chain) > base {
		right := x.chain[len(x.chain)-1].Y
		x.chain = x.chain[:len(x.chain)-1]
		x.typ(right, code.RoleType)
	}
}

// instance applies a generic type to the arguments on the stack from base on. The
// iterators of package iter become what ranging over them gives.
func (x *Extractor) instance(generic code.ExprID, base int) code.ExprID {
	if generic == 0 {
		x.exprs = x.exprs[:base]
		return 0
	}
	if e := x.doc.Exprs[generic]; e.Op == code.OpMember {
		if m := x.doc.Exprs[e.A]; m.Op == code.OpImport && x.symbols.names[x.doc.Imports[m.A].Specifier] == "iter" {
			arguments := x.exprs[base:]
			switch name := x.symbols.names[e.B]; {
			case name == "Seq" && len(arguments) == 1:
				x.exprs = x.exprs[:base]
				return x.builder.Expr(code.OpMap, int32(arguments[0]), int32(arguments[0]))
			case name == "Seq2" && len(arguments) == 2:
				x.exprs = x.exprs[:base]
				return x.builder.Expr(code.OpMap, int32(arguments[0]), int32(arguments[1]))
			}
		}
	}
	return x.builder.Expr(code.OpGeneric, int32(generic), int32(x.list(base)))
}

// signature is a function type; the names of its parameters bind nothing. One
// that a range statement can iterate over is what that gives.
func (x *Extractor) signature(t *ast.FuncType) code.ExprID {
	base := len(x.exprs)
	if t.Params != nil {
		for _, field := range t.Params.List {
			x.repeat(x.typ(field.Type, code.RoleType), len(field.Names))
		}
	}
	if t.Results == nil && len(x.exprs) == base+1 {
		if key, elem, ok := x.yields(x.exprs[base]); ok {
			x.exprs = x.exprs[:base]
			return x.builder.Expr(code.OpMap, int32(key), int32(elem))
		}
	}
	parameters := x.list(base)
	if t.Results != nil {
		for _, field := range t.Results.List {
			x.repeat(x.typ(field.Type, code.RoleType), len(field.Names))
		}
	}
	return x.builder.Expr(code.OpSignature, int32(parameters), int32(x.tuple(base)))
}

// yields tells what an iterator hands to the function that is its parameter.
func (x *Extractor) yields(parameter code.ExprID) (key, elem code.ExprID, ok bool) {
	yield := x.doc.Exprs[parameter]
	if yield.Op != code.OpSignature || yield.A == 0 {
		return 0, 0, false
	}
	if result := x.doc.Exprs[yield.B]; result.Op != code.OpName || x.symbols.names[result.A] != "bool" {
		return 0, 0, false
	}
	first := x.doc.Exprs[yield.A]
	if first.B == 0 {
		return code.ExprID(first.A), code.ExprID(first.A), true
	}
	second := x.doc.Exprs[first.B]
	return code.ExprID(first.A), code.ExprID(second.A), second.B == 0
}

// repeat pushes the type of a field once for each of its names, once when it has none.
func (x *Extractor) repeat(t code.ExprID, names int) {
	for range max(1, names) {
		x.push(t)
	}
}

// tuple makes one type of the types on the stack from base on and takes them off.
func (x *Extractor) tuple(base int) code.ExprID {
	types := x.exprs[base:]
	x.exprs = x.exprs[:base]
	switch len(types) {
	case 0:
		return 0
	case 1:
		return types[0]
	}
	return x.builder.Unary(code.OpTuple, x.builder.List(types...))
}

// object makes the anonymous type with the OpFields on x.exprs from base on,
// joined with the embedded types on x.bases.
func (x *Extractor) object(base, bases int) code.ExprID {
	t := x.builder.Unary(code.OpTypeOf, x.builder.Expr(code.OpObject, int32(x.list(base)), 0))
	for _, b := range x.bases[bases:] {
		t = x.builder.Expr(code.OpIntersect, int32(t), int32(b))
	}
	x.bases = x.bases[:bases]
	return t
}
