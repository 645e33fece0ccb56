package golang

import (
	"go/ast"
	"go/token"

	"manito/internal/code"
)

// Values that follow from another value. Where the operand is spelled out as a
// type, the result is taken from it at once, which saves link the step.

// deref is what a pointer points at.
func (x *Extractor) deref(v code.ExprID) code.ExprID {
	switch e := x.doc.Exprs[v]; e.Op {
	case code.OpAddr:
		return code.ExprID(e.A)
	case code.OpOf:
		if t := x.doc.Exprs[e.A]; t.Op == code.OpPointer {
			return x.builder.Unary(code.OpOf, code.ExprID(t.A))
		}
	case code.OpDef:
		if x.doc.Defs[e.A].Kind.IsType() {
			return x.builder.Unary(code.OpPointer, v)
		}
	case code.OpLocal:
		if x.doc.Locals[e.A].Kind == code.KindTypeParameter {
			return x.builder.Unary(code.OpPointer, v)
		}
	}
	return x.builder.Unary(code.OpDeref, v)
}

// pointed reads *X where it stands before a dot or is called: X is a type,
// unless this file knows it to be a variable.
func (x *Extractor) pointed(e *ast.StarExpr) (v code.ExprID, isType bool) {
	if x.variable(e.X) {
		return x.deref(x.value(e.X, true)), false
	}
	return x.builder.Unary(code.OpPointer, x.typ(e.X, code.RoleType)), true
}

// elem is what indexing a value or receiving from it gives.
func (x *Extractor) elem(v code.ExprID) code.ExprID {
	if e := x.doc.Exprs[v]; e.Op == code.OpOf {
		switch t := x.doc.Exprs[e.A]; t.Op {
		case code.OpArray:
			return x.builder.Unary(code.OpOf, code.ExprID(t.A))
		case code.OpMap:
			return x.builder.Unary(code.OpOf, code.ExprID(t.B))
		}
	}
	return x.builder.Unary(code.OpElem, v)
}

// key is the first value that ranging over a value gives.
func (x *Extractor) key(v code.ExprID) code.ExprID {
	switch e := x.doc.Exprs[v]; e.Op {
	case code.OpBuiltin:
		return x.literal(literalInt) // an integer, or the index of a string
	case code.OpOf:
		switch t := x.doc.Exprs[e.A]; t.Op {
		case code.OpArray:
			return x.literal(literalInt)
		case code.OpMap:
			return x.builder.Unary(code.OpOf, code.ExprID(t.A))
		}
	}
	return x.builder.Unary(code.OpKey, v)
}

// component is the value that name i gets of one expression that gives several:
// a call, or one of the expressions that also tell whether they succeeded.
func (x *Extractor) component(e ast.Expr, v code.ExprID, i int) code.ExprID {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		return x.builder.Result(v, i)
	case *ast.UnaryExpr:
		if e.Op != token.ARROW {
			return 0
		}
	case *ast.IndexExpr, *ast.TypeAssertExpr:
	default:
		return 0
	}
	switch i {
	case 0:
		return v
	case 1:
		return x.literal(literalBool)
	}
	return 0
}
