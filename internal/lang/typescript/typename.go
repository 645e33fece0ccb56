package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

func (x *Extractor) applied(t, args code.ExprID) code.ExprID {
	if t == 0 || args == 0 {
		return t
	}
	return x.builder.Expr(code.OpGeneric, int32(t), int32(args))
}

// reference reads a type reference. Of the language's own generic types those
// are worked out here that are not containers, which link knows.
func (x *Extractor) reference(n *node) code.ExprID {
	r := n.AsTypeReferenceNode()
	if isConstAssertion(n) && n.Parent != nil && n.Parent.Kind == syntax.KindAsExpression {
		return 0 // "as const" is parsed as a type of that name
	}
	t := x.typeEntity(r.TypeName, code.RoleType)
	args := x.typeList(r.TypeArguments)
	if args == 0 || t == 0 {
		return t
	}
	if e := x.doc.Exprs[t]; e.Op == code.OpName {
		first := x.head(args)
		switch x.names[e.A] {
		case "Array", "ReadonlyArray":
			return x.arrayOf(first)
		case "Pick", "Omit", "Extract", "Exclude", "Readonly", "Partial", "Required", "NonNullable", "ThisType", "NoInfer":
			return first
		case "ReturnType":
			return x.typeOf(x.builder.Call(x.of(first), 0))
		case "InstanceType":
			if first != 0 {
				if f := x.doc.Exprs[first]; f.Op == code.OpTypeOf {
					return code.ExprID(f.A)
				}
			}
			return 0
		}
	}
	return x.applied(t, args)
}

// typeEntity reads a name in a type position: A, A.B, and in heritage clauses also a property access.
func (x *Extractor) typeEntity(n *node, role code.Role) code.ExprID {
	switch n.Kind {
	case syntax.KindIdentifier:
		id, start := x.spelled(n)
		if id == 0 {
			return 0
		}
		e := x.resolveType(id)
		x.use(x.named(id), start, role, e)
		return e
	case syntax.KindQualifiedName, syntax.KindPropertyAccessExpression:
		if !x.enter() {
			return 0
		}
		defer x.leave()
		var left, right *node
		if n.Kind == syntax.KindQualifiedName {
			q := n.AsQualifiedName()
			left, right = q.Left, q.Right
		} else {
			p := n.AsPropertyAccessExpression()
			left, right = p.Expression, p.Name()
		}
		l := x.spaceEntity(left)
		id, start := x.spelled(right)
		if id == 0 {
			return 0
		}
		e := x.builder.Member(l, x.named(id))
		x.use(x.named(id), start, role, e)
		return e
	}
	x.expr(n, code.RoleRead, false)
	return 0
}

func (x *Extractor) resolveType(id symID) code.ExprID {
	b := x.find(id, inTypes)
	if b == 0 {
		return x.builder.Expr(code.OpName, int32(x.named(id)), 0)
	}
	return x.denotes(b)
}

// spaceEntity reads the left part of a qualified name.
func (x *Extractor) spaceEntity(n *node) code.ExprID {
	if n.Kind != syntax.KindIdentifier {
		return x.typeEntity(n, code.RoleRead)
	}
	id, start := x.spelled(n)
	if id == 0 {
		return 0
	}
	var e code.ExprID
	b := x.find(id, inSpaces)
	if b == 0 {
		b = x.find(id, inTypes)
	}
	if b == 0 {
		b = x.find(id, inValues)
	}
	if b == 0 {
		e = x.builder.Expr(code.OpName, int32(x.named(id)), 0)
	} else {
		e = x.denotes(b)
	}
	x.use(x.named(id), start, code.RoleRead, e)
	return e
}

// valueEntity reads the name in typeof x.y.
func (x *Extractor) valueEntity(n *node) code.ExprID {
	switch n.Kind {
	case syntax.KindIdentifier:
		if n.Text() == "this" {
			return x.self
		}
		return x.identifier(n, code.RoleType)
	case syntax.KindQualifiedName:
		if !x.enter() {
			return 0
		}
		defer x.leave()
		q := n.AsQualifiedName()
		l := x.valueEntity(q.Left)
		id, start := x.spelled(q.Right)
		if id == 0 {
			return 0
		}
		e := x.builder.Member(l, x.named(id))
		x.use(x.named(id), start, code.RoleType, e)
		return e
	case syntax.KindImportType:
		return x.of(x.importType(n))
	}
	return 0
}

// props is the first parameter of what a well-known generic function type of
// React, t, describes: the properties that it names as its argument.
func (x *Extractor) props(annotation *node, t code.ExprID) code.ExprID {
	if annotation == nil || annotation.Kind != syntax.KindTypeReference || x.doc.Exprs[t].Op != code.OpGeneric {
		return 0
	}
	name := annotation.AsTypeReferenceNode().TypeName
	if name.Kind == syntax.KindQualifiedName {
		name = name.AsQualifiedName().Right
	}
	switch name.Text() {
	case "FC", "VFC", "SFC", "FunctionComponent", "VoidFunctionComponent", "StatelessComponent":
		return x.of(x.head(code.ExprID(x.doc.Exprs[t].B)))
	}
	return 0
}
