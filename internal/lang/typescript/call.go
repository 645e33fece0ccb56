package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// call reads a call.
func (x *Extractor) call(n *node, want bool) code.ExprID {
	c := n.AsCallExpression()
	callee := peel(c.Expression)
	if callee == nil {
		return 0
	}
	switch callee.Kind {
	case syntax.KindImportKeyword:
		return x.dynamicImport(c)
	case syntax.KindSuperKeyword:
		if x.home != 0 {
			x.use(x.named(x.fixed(fixedSuper)), x.start(callee), code.RoleCall, x.home)
		}
		x.typeList(c.TypeArguments)
		x.arguments(c.Arguments, passing{callee: x.home})
		return 0
	case syntax.KindArrowFunction, syntax.KindFunctionExpression:
		return x.invokedAtOnce(c, callee)
	case syntax.KindIdentifier:
		if e, ok := x.requireCall(c, callee); ok {
			return e
		}
	}
	f := x.callee(c.Expression, code.RoleCall)
	if args := x.typeList(c.TypeArguments); args != 0 && f != 0 {
		f = x.applied(f, args)
	}
	if !x.tests && !x.function.body && callee.Kind == syntax.KindIdentifier {
		x.testCall(callee, f)
	}
	if k := x.knownCall(f); k.known != unknownCall {
		_, first := x.arguments(c.Arguments, passing{callee: f, want: true, tuple: k.known == callAll, props: k.props})
		return x.knownResult(k, first)
	}
	args, _ := x.arguments(c.Arguments, passing{callee: f, want: want})
	if !want {
		return 0
	}
	return x.builder.Call(f, args)
}

// callee reads what is called. A callee that is no name is a call without a name.
func (x *Extractor) callee(n *node, role code.Role) code.ExprID {
	f := x.expr(n, role, true)
	switch inner := peel(n); inner.Kind {
	case syntax.KindIdentifier, syntax.KindPropertyAccessExpression, syntax.KindElementAccessExpression, syntax.KindSuperKeyword, syntax.KindClassExpression, syntax.KindArrowFunction, syntax.KindFunctionExpression:
	case syntax.KindThisKeyword:
	default:
		x.use(0, x.end(n), role, f)
	}
	return f
}

// invokedAtOnce reads (() => { ... })(), which calls nothing that has a name.
func (x *Extractor) invokedAtOnce(c *syntax.CallExpression, callee *node) code.ExprID {
	x.assertions(c.Expression)
	f := x.closure(callee)
	x.typeList(c.TypeArguments)
	x.arguments(c.Arguments, passing{})
	if e := x.doc.Exprs[f]; e.Op == code.OpFunc {
		return code.ExprID(e.B)
	}
	return x.builder.Call(f, 0)
}

// passing says how arguments are read.
type passing struct {
	callee code.ExprID
	want   bool        // their values are needed
	tuple  bool        // the first is an array whose elements are told apart
	props  code.ExprID // the first parameter of a function literal in the first place
}

// arguments reads arguments and gives their list and the first of them.
func (x *Extractor) arguments(list *syntax.NodeList, p passing) (args, first code.ExprID) {
	if list == nil || len(list.Nodes) == 0 {
		return 0, 0
	}
	mark := len(x.list)
	known := false
	for i, a := range list.Nodes {
		x.expect = 0
		switch inner := peel(a); inner.Kind {
		case syntax.KindArrowFunction, syntax.KindFunctionExpression:
			if untyped(inner) {
				x.context = contextual{callee: p.callee, arg: min(i, 1<<20)}
				if i == 0 {
					x.context.first = p.props
				}
			}
		case syntax.KindObjectLiteralExpression, syntax.KindArrayLiteralExpression:
			if p.callee != 0 && needsContext(inner, 0) {
				x.expect = x.argumentOf(p.callee, i)
			}
		}
		var e code.ExprID
		if p.tuple && i == 0 && a.Kind == syntax.KindArrayLiteralExpression {
			e = x.tuple(a)
		} else {
			e = x.expr(a, code.RoleRead, p.want)
		}
		if i == 0 {
			first = e
		}
		known = known || e != 0
		x.list = append(x.list, e)
	}
	if !p.want || !known {
		x.list = x.list[:mark]
		return 0, first
	}
	return x.takeList(mark), first
}

// construct reads new X(...).
func (x *Extractor) construct(n *node, want bool) code.ExprID {
	c := n.AsNewExpression()
	t := x.callee(c.Expression, code.RoleNew)
	args := x.typeList(c.TypeArguments)
	x.arguments(c.Arguments, passing{callee: t})
	if t == 0 || !want {
		return 0
	}
	if e := x.doc.Exprs[t]; e.Op == code.OpName {
		switch x.names[e.A] {
		case "Array", "Set":
			if args != 0 {
				return x.of(x.arrayOf(x.head(args)))
			}
			if c.Arguments != nil && len(c.Arguments.Nodes) == 1 {
				x.silent++
				source := x.simple(c.Arguments.Nodes[0])
				x.silent--
				if source != 0 {
					return x.of(x.arrayOf(x.typeOf(x.builder.Unary(code.OpIter, source))))
				}
			}
		case "Map", "WeakMap":
			if args != 0 && x.tail(args) != 0 {
				return x.of(x.builder.Expr(code.OpMap, int32(x.head(args)), int32(x.head(x.tail(args)))))
			}
		case "Function":
			x.doc.Flags |= code.DocDynamic
		}
	}
	return x.builder.Unary(code.OpNew, x.applied(t, args))
}

// simple is the value of a name or a chain of names, which is cheap to read twice.
func (x *Extractor) simple(n *node) code.ExprID {
	for at := n; ; at = at.AsPropertyAccessExpression().Expression {
		switch at.Kind {
		case syntax.KindIdentifier, syntax.KindThisKeyword:
			return x.expr(n, code.RoleRead, true)
		case syntax.KindPropertyAccessExpression:
			continue
		}
		return 0
	}
}

// testCall notes that a file declares tests: it calls a test function that it does not declare itself.
func (x *Extractor) testCall(callee *node, f code.ExprID) {
	switch callee.Text() {
	case "describe", "it", "test", "suite", "context", "specify":
	default:
		return
	}
	switch e := x.doc.Exprs[f]; e.Op {
	case code.OpName:
		x.tests = true
	case code.OpImport:
		switch x.names[x.doc.Imports[e.A].Specifier] {
		case "vitest", "@jest/globals", "node:test", "mocha", "bun:test", "@playwright/test", "ava", "tap", "@japa/runner", "uvu", "@effect/vitest":
			x.tests = true
		}
	}
}
