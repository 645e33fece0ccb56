package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// expr reads an expression and gives its value; 0 when nothing is known. The
// role is that of the name the expression ends in. Without want the value is
// not needed, which saves making it.
func (x *Extractor) expr(n *node, role code.Role, want bool) code.ExprID {
	if n == nil || !x.enter() {
		return 0
	}
	e := x.compute(n, role, want)
	x.leave()
	return e
}

func (x *Extractor) compute(n *node, role code.Role, want bool) code.ExprID {
	expected := x.takeExpected()
	switch n.Kind {
	case syntax.KindIdentifier:
		return x.identifier(n, role)
	case syntax.KindPropertyAccessExpression:
		return x.property(n, role)
	case syntax.KindCallExpression:
		return x.call(n, want)
	case syntax.KindStringLiteral, syntax.KindNoSubstitutionTemplateLiteral:
		return x.literal(litString)
	case syntax.KindNumericLiteral, syntax.KindBigIntLiteral:
		return x.literal(litNumber)
	case syntax.KindTrueKeyword, syntax.KindFalseKeyword:
		return x.literal(litBoolean)
	case syntax.KindThisKeyword:
		return x.self
	case syntax.KindSuperKeyword:
		return x.home
	case syntax.KindArrowFunction, syntax.KindFunctionExpression:
		x.contextFrom(expected)
		return x.closure(n)
	case syntax.KindObjectLiteralExpression:
		return x.object(n, expected, want)
	case syntax.KindArrayLiteralExpression:
		x.expect = expected
		return x.array(n, want)
	case syntax.KindElementAccessExpression:
		return x.elementAccess(n, role)
	case syntax.KindNewExpression:
		return x.construct(n, want)
	case syntax.KindBinaryExpression:
		return x.binary(n, want)
	case syntax.KindConditionalExpression:
		return x.choice(n, expected, want)
	case syntax.KindParenthesizedExpression:
		x.expect = expected
		return x.expr(n.AsParenthesizedExpression().Expression, role, want)
	case syntax.KindNonNullExpression:
		return x.expr(n.AsNonNullExpression().Expression, role, want)
	case syntax.KindAsExpression:
		a := n.AsAsExpression()
		return x.asserted(a.Expression, a.Type, role, want)
	case syntax.KindTypeAssertionExpression:
		a := n.AsTypeAssertion()
		t := x.typ(a.Type)
		x.expecting(a.Expression, x.of(t))
		v := x.expr(a.Expression, role, want)
		if t != 0 {
			return x.of(t)
		}
		return v
	case syntax.KindSatisfiesExpression:
		s := n.AsSatisfiesExpression()
		t := x.typ(s.Type)
		x.expecting(s.Expression, x.of(t))
		if v := x.expr(s.Expression, role, want); v != 0 {
			return v
		}
		return x.of(t)
	case syntax.KindAwaitExpression:
		return x.builder.Unary(code.OpAwait, x.expr(n.AsAwaitExpression().Expression, code.RoleRead, want))
	case syntax.KindPrefixUnaryExpression:
		p := n.AsPrefixUnaryExpression()
		return x.unary(p.Operator, p.Operand)
	case syntax.KindPostfixUnaryExpression:
		p := n.AsPostfixUnaryExpression()
		return x.unary(p.Operator, p.Operand)
	case syntax.KindTypeOfExpression:
		x.expr(n.AsTypeOfExpression().Expression, code.RoleRead, false)
		return x.literal(litString)
	case syntax.KindDeleteExpression:
		x.expr(n.AsDeleteExpression().Expression, code.RoleWrite, false)
		return x.literal(litBoolean)
	case syntax.KindVoidExpression:
		x.expr(n.AsVoidExpression().Expression, code.RoleRead, false)
	case syntax.KindTemplateExpression:
		for _, s := range n.AsTemplateExpression().TemplateSpans.Nodes {
			x.expr(s.AsTemplateSpan().Expression, code.RoleRead, false)
		}
		return x.literal(litString)
	case syntax.KindTaggedTemplateExpression:
		t := n.AsTaggedTemplateExpression()
		f := x.callee(t.Tag, code.RoleCall)
		x.typeList(t.TypeArguments)
		x.expr(t.Template, code.RoleRead, false)
		return x.builder.Call(f, 0)
	case syntax.KindSpreadElement:
		return x.expr(n.AsSpreadElement().Expression, code.RoleRead, want)
	case syntax.KindYieldExpression:
		y := n.AsYieldExpression()
		v := x.expr(y.Expression, code.RoleRead, !x.function.annotated)
		if y.AsteriskToken != nil {
			v = x.builder.Unary(code.OpIter, v)
		}
		if v != 0 && x.function.count < maxMerged {
			x.function.count++
			x.function.yields = x.builder.Union(x.function.yields, v)
		}
	case syntax.KindClassExpression:
		return x.classExpression(n)
	case syntax.KindJsxElement, syntax.KindJsxSelfClosingElement, syntax.KindJsxFragment:
		x.jsx(n)
	case syntax.KindJsxExpression:
		x.expr(n.AsJsxExpression().Expression, code.RoleRead, false)
	case syntax.KindExpressionWithTypeArguments:
		e := n.AsExpressionWithTypeArguments()
		v := x.expr(e.Expression, role, want)
		return x.applied(v, x.typeList(e.TypeArguments))
	}
	return 0
}

// identifier reads an identifier.
func (x *Extractor) identifier(n *node, role code.Role) code.ExprID {
	id, start := x.spelled(n)
	if id == 0 {
		return 0
	}
	b := x.find(id, inValues)
	if b == 0 {
		switch {
		case x.is(id, fixedUndefined), x.is(id, fixedArguments) && x.function.body:
			return 0 // words of the language rather than names
		case role == code.RoleCall && x.symbols[id].text == "eval":
			x.doc.Flags |= code.DocDynamic
		case x.is(id, fixedExports) || x.is(id, fixedModule):
			x.sawCommonJS()
		}
		e := x.builder.Expr(code.OpName, int32(x.named(id)), 0)
		x.use(x.named(id), start, role, e)
		return e
	}
	e := x.denotes(b)
	x.use(x.named(id), start, role, e)
	if len(x.narrowed) > 0 {
		return x.narrow(b, e)
	}
	return e
}

// property reads a.b.
func (x *Extractor) property(n *node, role code.Role) code.ExprID {
	p := n.AsPropertyAccessExpression()
	object := x.expr(p.Expression, code.RoleRead, true)
	id, start := x.spelled(p.Name())
	if id == 0 {
		return 0
	}
	e := x.builder.Member(object, x.named(id))
	if own := x.ownExport(p.Expression, x.named(id)); own != code.NoDef {
		e = x.defExpr(own)
	}
	x.use(x.named(id), start, role, e)
	return e
}

// elementAccess reads a[b].
func (x *Extractor) elementAccess(n *node, role code.Role) code.ExprID {
	a := n.AsElementAccessExpression()
	object := x.expr(a.Expression, code.RoleRead, true)
	index := a.ArgumentExpression
	if index == nil {
		return 0
	}
	switch index.Kind {
	case syntax.KindStringLiteral, syntax.KindNoSubstitutionTemplateLiteral:
		if id, start := x.quoted(index); id != 0 {
			e := x.builder.Member(object, x.named(id))
			x.use(x.named(id), start, role, e)
			return e
		}
	case syntax.KindNumericLiteral:
		e := x.builder.Result(object, smallInt(index.Text()))
		if role == code.RoleCall || role == code.RoleNew {
			x.use(0, x.start(index), role, 0)
		}
		return e
	}
	x.expr(index, code.RoleRead, false)
	if role == code.RoleCall || role == code.RoleNew {
		x.use(0, x.start(index), role, 0)
	}
	return x.builder.Unary(code.OpElem, object)
}

// asserted reads "value as Type". The assertion "as const" and one that says nothing leave the value.
func (x *Extractor) asserted(e, annotation *node, role code.Role, want bool) code.ExprID {
	t := x.typ(annotation)
	x.expecting(e, x.of(t))
	var v code.ExprID
	if inner := peel(e); inner != nil && inner.Kind == syntax.KindArrayLiteralExpression && annotation != nil && isConstAssertion(annotation) {
		v = x.tuple(inner)
	} else {
		v = x.expr(e, role, want)
	}
	if t != 0 {
		return x.of(t)
	}
	return v
}

func isConstAssertion(t *node) bool {
	if t.Kind != syntax.KindTypeReference {
		return false
	}
	name := t.AsTypeReferenceNode().TypeName
	return name.Kind == syntax.KindIdentifier && name.Text() == "const"
}

func (x *Extractor) unary(op syntax.Kind, operand *node) code.ExprID {
	if op == syntax.KindPlusPlusToken || op == syntax.KindMinusMinusToken {
		x.expr(operand, code.RoleReadWrite, false)
		return x.literal(litNumber)
	}
	x.expr(operand, code.RoleRead, false)
	if op == syntax.KindExclamationToken {
		return x.literal(litBoolean)
	}
	return x.literal(litNumber)
}

// choice reads a ? b : c.
func (x *Extractor) choice(n *node, expected code.ExprID, want bool) code.ExprID {
	c := n.AsConditionalExpression()
	x.expr(c.Condition, code.RoleRead, false)
	x.branch()
	x.measure.nesting++
	mark := len(x.narrowed)
	x.narrowIf(c.Condition, true)
	x.expect = expected
	yes := x.expr(c.WhenTrue, code.RoleRead, want)
	x.narrowed = x.narrowed[:mark]
	x.narrowIf(c.Condition, false)
	x.expect = expected
	no := x.expr(c.WhenFalse, code.RoleRead, want)
	x.narrowed = x.narrowed[:mark]
	x.measure.nesting--
	return x.builder.Union(yes, no)
}

// binary reads an operation with two operands. Chains to the left, of which
// there can be thousands, are read without recursion.
func (x *Extractor) binary(n *node, want bool) code.ExprID {
	b := n.AsBinaryExpression()
	op := b.OperatorToken.Kind
	if op >= syntax.KindFirstAssignment && op <= syntax.KindLastAssignment {
		return x.assignment(n, op, want)
	}
	if b.Left.Kind != syntax.KindBinaryExpression {
		return x.operation(b.Left, nil, n, want)
	}
	spine := len(x.spine)
	left := n
	for left.Kind == syntax.KindBinaryExpression {
		if o := left.AsBinaryExpression().OperatorToken.Kind; o >= syntax.KindFirstAssignment && o <= syntax.KindLastAssignment {
			break
		}
		x.spine = append(x.spine, left)
		left = left.AsBinaryExpression().Left
	}
	mark := len(x.narrowed)
	var v code.ExprID
	var before *node
	for i := len(x.spine) - 1; i >= spine; i-- {
		at := x.spine[i]
		if before == nil {
			v = x.operation(left, nil, at, want)
		} else {
			v = x.operate(v, before, at, want)
		}
		before = at
	}
	x.narrowed = x.narrowed[:mark]
	x.spine = x.spine[:spine]
	return v
}

// operation reads the left operand and then the rest of an operation.
func (x *Extractor) operation(left, before, n *node, want bool) code.ExprID {
	op := n.AsBinaryExpression().OperatorToken.Kind
	v := x.expr(left, code.RoleRead, want && isLogical(op))
	mark := len(x.narrowed)
	v = x.operate(v, before, n, want)
	x.narrowed = x.narrowed[:mark]
	return v
}

// operate reads the right operand of an operation whose left one has been read;
// before is the operation that the left operand is, or nil.
func (x *Extractor) operate(left code.ExprID, before, n *node, want bool) code.ExprID {
	b := n.AsBinaryExpression()
	op := b.OperatorToken.Kind
	if b.Type != nil {
		x.typ(b.Type)
	}
	switch op {
	case syntax.KindAmpersandAmpersandToken, syntax.KindBarBarToken, syntax.KindQuestionQuestionToken:
		last := syntax.Kind(0)
		if before != nil {
			last = before.AsBinaryExpression().OperatorToken.Kind
		}
		x.logical(op, last)
		mark := len(x.narrowed)
		if op != syntax.KindQuestionQuestionToken {
			x.narrowIf(b.Left, op == syntax.KindAmpersandAmpersandToken)
		}
		right := x.expr(b.Right, code.RoleRead, want)
		x.narrowed = x.narrowed[:mark]
		if op == syntax.KindAmpersandAmpersandToken {
			return right
		}
		return x.builder.Union(left, right)
	case syntax.KindCommaToken:
		return x.expr(b.Right, code.RoleRead, want)
	case syntax.KindPlusToken:
		x.expr(b.Right, code.RoleRead, false)
		return 0
	case syntax.KindInstanceOfKeyword, syntax.KindInKeyword, syntax.KindEqualsEqualsToken, syntax.KindEqualsEqualsEqualsToken, syntax.KindExclamationEqualsToken,
		syntax.KindExclamationEqualsEqualsToken, syntax.KindLessThanToken, syntax.KindGreaterThanToken, syntax.KindLessThanEqualsToken, syntax.KindGreaterThanEqualsToken:
		x.expr(b.Right, code.RoleRead, false)
		return x.literal(litBoolean)
	}
	x.expr(b.Right, code.RoleRead, false)
	return x.literal(litNumber)
}

// narrowing is a variable that is known to be of a type at the place at hand.
type narrowing struct {
	binding int32
	value   code.ExprID // 0: it was assigned to since
}

func (x *Extractor) narrow(b int32, e code.ExprID) code.ExprID {
	for i := len(x.narrowed) - 1; i >= 0; i-- {
		if x.narrowed[i].binding == b {
			if v := x.narrowed[i].value; v != 0 {
				return v
			}
			return e
		}
	}
	return e
}

// forget ends what is known of a variable that is assigned to.
func (x *Extractor) forget(b int32) {
	for _, n := range x.narrowed {
		if n.binding == b {
			x.narrowed = append(x.narrowed, narrowing{binding: b})
			return
		}
	}
}

// narrowIf notes what a condition that has been read says of variables when it holds, or does not.
func (x *Extractor) narrowIf(n *node, holds bool) {
	for n != nil && n.Kind == syntax.KindParenthesizedExpression {
		n = n.AsParenthesizedExpression().Expression
	}
	if n == nil || !x.enter() {
		return
	}
	defer x.leave()
	switch n.Kind {
	case syntax.KindPrefixUnaryExpression:
		if p := n.AsPrefixUnaryExpression(); p.Operator == syntax.KindExclamationToken {
			x.narrowIf(p.Operand, !holds)
		}
	case syntax.KindBinaryExpression:
		b := n.AsBinaryExpression()
		switch op := b.OperatorToken.Kind; {
		case op == syntax.KindInstanceOfKeyword && holds:
			x.narrowTo(b.Left, b.Right)
		case op == syntax.KindAmpersandAmpersandToken && holds, op == syntax.KindBarBarToken && !holds:
			x.narrowIf(b.Left, holds)
			x.narrowIf(b.Right, holds)
		}
	}
}

// narrowTo notes x instanceof C.
func (x *Extractor) narrowTo(left, class *node) {
	for left.Kind == syntax.KindParenthesizedExpression {
		left = left.AsParenthesizedExpression().Expression
	}
	if left.Kind != syntax.KindIdentifier {
		return
	}
	id, _ := x.spelled(left)
	if id == 0 {
		return
	}
	v := x.find(id, inValues)
	if v == 0 {
		return
	}
	for c := class; c.Kind != syntax.KindIdentifier; c = c.AsPropertyAccessExpression().Expression {
		if c.Kind != syntax.KindPropertyAccessExpression {
			return
		}
	}
	x.silent++
	t := x.expr(class, code.RoleRead, true)
	x.silent--
	if t != 0 {
		x.narrowed = append(x.narrowed, narrowing{v, x.of(t)})
	}
}

// classExpression reads a class that is no declaration and not the value of a variable.
func (x *Extractor) classExpression(n *node) code.ExprID {
	d, ok := x.declared[n]
	if !ok {
		id, start := x.spelled(n.Name())
		flags := flagsOf(n)
		s := x.spanOf(n)
		if id == 0 {
			// It has members, so it must be something: it is named after its keyword.
			if start = s.start; int(start)+len("class") > len(x.text) || string(x.text[start:start+5]) != "class" {
				return 0
			}
			id = x.fixed(fixedClass)
			flags |= code.DefNoName
		}
		x.nested++
		d = x.define(id, code.KindClass, s, start, flags&^code.DefExported)
		x.nested--
	}
	x.class(n, d)
	return x.defExpr(d)
}
