package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// What a function literal gets as parameters follows from the place where it
// stands: from the declared type of what it is assigned to, from the parameter it
// is passed for, from the property it becomes. The expected value of an
// expression is handed down in Extractor.expect, and is made only where a
// function literal in the expression has use for it.

// maxExpected bounds how deep function literals are looked for.
const maxExpected = 4

// needsContext says whether an expression holds a function literal whose parameters have no types of their own.
func needsContext(n *node, depth int) bool {
	n = peel(n)
	if n == nil || depth > maxExpected {
		return false
	}
	switch n.Kind {
	case syntax.KindArrowFunction, syntax.KindFunctionExpression:
		return untyped(n)
	case syntax.KindObjectLiteralExpression:
		for _, p := range n.AsObjectLiteralExpression().Properties.Nodes {
			switch p.Kind {
			case syntax.KindMethodDeclaration:
				if untyped(p) {
					return true
				}
			case syntax.KindPropertyAssignment:
				if needsContext(p.AsPropertyAssignment().Initializer, depth+1) {
					return true
				}
			}
		}
	case syntax.KindArrayLiteralExpression:
		for i, e := range n.AsArrayLiteralExpression().Elements.Nodes {
			if i < maxElements && needsContext(e, depth+1) {
				return true
			}
		}
	}
	return false
}

func untyped(n *node) bool {
	list := n.FunctionLikeData().Parameters
	if list == nil {
		return false
	}
	for _, p := range list.Nodes {
		if p.AsParameterDeclaration().Type == nil {
			return true
		}
	}
	return false
}

// expecting sets what an expression that is read next should be, if it matters.
func (x *Extractor) expecting(n *node, e code.ExprID) {
	x.expect = 0
	if e != 0 && needsContext(n, 0) {
		x.expect = e
	}
}

// argumentOf is the value that a function wants as argument i.
func (x *Extractor) argumentOf(f code.ExprID, i int) code.ExprID {
	if f == 0 || i > 15 {
		return 0
	}
	// The parameter i of a function is that of the first argument of a function that takes it.
	takes := x.builder.Unary(code.OpOf, x.builder.Expr(code.OpSignature, int32(x.builder.List(x.typeOf(f))), 0))
	return x.builder.Expr(code.OpArg, int32(takes), int32(i))
}

// takeExpected is what the expression at hand should be; what it holds must be told anew.
func (x *Extractor) takeExpected() code.ExprID {
	e := x.expect
	x.expect = 0
	return e
}

// contextFrom makes an expected value the context of the function literal that is read next.
func (x *Extractor) contextFrom(e code.ExprID) {
	if e != 0 {
		x.contextOf(x.typeOf(e), nil)
	}
}
