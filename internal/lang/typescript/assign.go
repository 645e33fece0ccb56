package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// expressionStatement reads an expression whose value nobody takes.
func (x *Extractor) expressionStatement(n *node) {
	e := n.AsExpressionStatement().Expression
	if d, ok := x.declared[n]; ok {
		x.assignedDefinition(n, d)
		return
	}
	if e.Kind == syntax.KindBinaryExpression && e.AsBinaryExpression().OperatorToken.Kind == syntax.KindEqualsToken && x.memberAssignment(n, e) {
		return
	}
	x.expr(e, code.RoleRead, false)
}

// assignment reads a = b and its compound forms.
func (x *Extractor) assignment(n *node, op syntax.Kind, want bool) code.ExprID {
	b := n.AsBinaryExpression()
	left := b.Left
	if op == syntax.KindEqualsToken {
		if isTarget(left) {
			// The targets stand before the value but get theirs from it.
			v := x.expr(b.Right, code.RoleRead, true)
			x.assign(left, v)
			return v
		}
		var target code.ExprID
		if left.Kind == syntax.KindIdentifier {
			target = x.target(left, code.RoleWrite)
		} else {
			target = x.expr(left, code.RoleWrite, true)
		}
		t := x.typ(b.Type)
		if x.doc.Exprs[target].Op == code.OpMember {
			x.expecting(b.Right, target)
		}
		v := x.expr(b.Right, code.RoleRead, true)
		if t != 0 {
			v = x.of(t)
		}
		x.store(left, target, v)
		return v
	}
	target := x.expr(left, code.RoleReadWrite, want)
	switch op {
	case syntax.KindBarBarEqualsToken, syntax.KindAmpersandAmpersandEqualsToken, syntax.KindQuestionQuestionEqualsToken:
		x.logical(op, 0)
		v := x.expr(b.Right, code.RoleRead, true)
		x.store(left, target, v)
		return x.builder.Union(target, v)
	}
	x.expr(b.Right, code.RoleRead, false)
	if op == syntax.KindPlusEqualsToken {
		return 0
	}
	return x.literal(litNumber)
}

// target reads an identifier that is assigned to.
func (x *Extractor) target(n *node, role code.Role) code.ExprID {
	e := x.identifier(n, role)
	if id, _ := x.spelled(n); id != 0 && len(x.narrowed) > 0 {
		x.forget(x.find(id, inValues))
	}
	return e
}

// store notes that a value was assigned.
func (x *Extractor) store(left *node, target, v code.ExprID) {
	if v == 0 {
		return
	}
	switch left.Kind {
	case syntax.KindIdentifier:
		if id, _ := x.spelled(left); id != 0 {
			x.merge(x.find(id, inValues), v)
		}
	case syntax.KindPropertyAccessExpression:
		e := x.doc.Exprs[target]
		if e.Op != code.OpMember {
			return
		}
		switch o := x.doc.Exprs[e.A]; o.Op {
		case code.OpThis, code.OpClass, code.OpDef:
			if d, ok := x.members[memberKey{code.DefID(o.A), code.NameID(e.B)}]; ok {
				x.mergeDef(d, v)
			}
		}
	}
}

// assign reads a destructuring target that gets a value.
func (x *Extractor) assign(n *node, v code.ExprID) {
	if n == nil || !x.enter() {
		return
	}
	defer x.leave()
	switch n.Kind {
	case syntax.KindObjectLiteralExpression:
		for _, p := range n.AsObjectLiteralExpression().Properties.Nodes {
			switch p.Kind {
			case syntax.KindPropertyAssignment:
				a := p.AsPropertyAssignment()
				x.assign(a.Initializer, x.component(a.Name(), v, true))
			case syntax.KindShorthandPropertyAssignment:
				s := p.AsShorthandPropertyAssignment()
				id, _ := x.spelled(s.Name())
				if id == 0 {
					continue
				}
				value := x.builder.Member(v, x.named(id))
				target := x.target(s.Name(), code.RoleWrite)
				value = x.builder.Union(value, x.expr(s.ObjectAssignmentInitializer, code.RoleRead, true))
				x.store(s.Name(), target, value)
			case syntax.KindSpreadAssignment:
				x.assign(p.AsSpreadAssignment().Expression, v)
			default:
				x.closureParts(p)
			}
		}
	case syntax.KindArrayLiteralExpression:
		for i, e := range n.AsArrayLiteralExpression().Elements.Nodes {
			switch e.Kind {
			case syntax.KindOmittedExpression:
			case syntax.KindSpreadElement:
				x.assign(e.AsSpreadElement().Expression, v)
			default:
				x.assign(e, x.builder.Result(v, i))
			}
		}
	case syntax.KindBinaryExpression:
		b := n.AsBinaryExpression()
		if b.OperatorToken.Kind != syntax.KindEqualsToken {
			x.expr(n, code.RoleRead, false)
			return
		}
		x.assign(b.Left, x.builder.Union(v, x.expr(b.Right, code.RoleRead, true)))
	case syntax.KindIdentifier:
		target := x.target(n, code.RoleWrite)
		x.store(n, target, v)
	default:
		target := x.expr(n, code.RoleWrite, true)
		x.store(n, target, v)
	}
}
