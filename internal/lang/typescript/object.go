package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// maxFields bounds the components of an object literal whose values are kept as an expression.
const maxFields = 100

// object reads an object literal that no definition holds.
func (x *Extractor) object(n *node, expected code.ExprID, want bool) code.ExprID {
	mark := len(x.list)
	var spread code.ExprID
	want = want && !x.outline
	for _, p := range n.AsObjectLiteralExpression().Properties.Nodes {
		var id symID
		var value code.ExprID
		switch p.Kind {
		case syntax.KindPropertyAssignment:
			a := p.AsPropertyAssignment()
			id = x.key(a.Name())
			t := x.typ(a.Type)
			x.expectProperty(a.Initializer, expected, id, t)
			value = x.expr(a.Initializer, code.RoleRead, want)
			if t != 0 {
				value = x.of(t)
			}
		case syntax.KindShorthandPropertyAssignment:
			s := p.AsShorthandPropertyAssignment()
			id, _ = x.spelled(s.Name())
			value = x.identifier(s.Name(), code.RoleRead)
			x.expr(s.ObjectAssignmentInitializer, code.RoleRead, false)
		case syntax.KindSpreadAssignment:
			spread = x.builder.Union(spread, x.expr(p.AsSpreadAssignment().Expression, code.RoleRead, want))
		case syntax.KindMethodDeclaration, syntax.KindGetAccessor, syntax.KindSetAccessor:
			id = x.key(p.Name())
			who := x.receiver()
			x.setReceiver(nobody)
			x.measure.closure = true
			if expected != 0 && id != 0 && untyped(p) {
				x.contextFrom(x.builder.Member(expected, x.named(id)))
			}
			result := x.closureParts(p)
			x.setReceiver(who)
			switch p.Kind {
			case syntax.KindMethodDeclaration:
				value = x.builder.Expr(code.OpFunc, -1, int32(result))
			case syntax.KindGetAccessor:
				value = result
			}
		}
		if want && id != 0 && value != 0 && len(x.list)-mark < maxFields {
			x.list = append(x.list, x.builder.Expr(code.OpField, int32(x.named(id)), int32(value)))
		}
	}
	if !want {
		x.list = x.list[:mark]
		return 0
	}
	list := x.takeList(mark)
	if list == 0 {
		return spread
	}
	return x.builder.Union(x.builder.Expr(code.OpObject, int32(list), 0), spread)
}

// expectProperty tells the value of a property what it should be: of type t, or
// the property of what the object should be.
func (x *Extractor) expectProperty(init *node, expected code.ExprID, id symID, t code.ExprID) {
	x.expect = 0
	switch {
	case t != 0:
		x.expecting(init, x.of(t))
	case expected != 0 && id != 0:
		x.expecting(init, x.builder.Member(expected, x.named(id)))
	}
}

// key reads the name of a property of an object literal, which is no use.
func (x *Extractor) key(name *node) symID {
	if name == nil {
		return 0
	}
	if name.Kind == syntax.KindComputedPropertyName {
		x.computed(name)
		return 0
	}
	id, _ := x.propertyName(name)
	return id
}

// maxObjectDepth bounds how deep the members of object literals become definitions.
const maxObjectDepth = 5

// objectMembers reads the object literal that definition d holds: its properties
// are members of d. What it spreads is given as a value.
func (x *Extractor) objectMembers(n *node, d code.DefID) code.ExprID {
	if !x.enter() {
		return 0
	}
	defer x.leave()
	expected := x.takeExpected()
	outer, who := x.scope, x.receiver()
	x.objectDepth++
	x.scope = d
	var spread code.ExprID
	for _, p := range n.AsObjectLiteralExpression().Properties.Nodes {
		x.setReceiver(receiver{self: x.defExpr(d), def: code.NoDef})
		if e := x.objectMember(p, d, expected); e != 0 {
			spread = x.builder.Union(spread, e)
		}
		x.scope = d
	}
	x.objectDepth--
	x.scope = outer
	x.setReceiver(who)
	return spread
}

// objectMember reads one property; the value of a spread one is returned.
func (x *Extractor) objectMember(p *node, owner code.DefID, expected code.ExprID) code.ExprID {
	if p.Kind == syntax.KindSpreadAssignment {
		return x.expr(p.AsSpreadAssignment().Expression, code.RoleRead, true)
	}
	name := p.Name()
	id, start := x.memberName(name)
	x.computed(name)
	kind := code.KindProperty
	var init *node
	var flags code.DefFlags
	switch p.Kind {
	case syntax.KindPropertyAssignment:
		init = p.AsPropertyAssignment().Initializer
		if literalKind(init) == code.KindFunction {
			kind = code.KindMethod
			flags = flagsOf(peel(init)) & code.DefAsync
		}
	case syntax.KindShorthandPropertyAssignment:
		init = name
	case syntax.KindMethodDeclaration:
		kind = code.KindMethod
		flags = flagsOf(p) & code.DefAsync
		if p.AsMethodDeclaration().AsteriskToken != nil {
			flags |= code.DefGenerator
		}
	case syntax.KindGetAccessor:
		kind = code.KindGetter
	case syntax.KindSetAccessor:
		kind = code.KindSetter
	default:
		return 0
	}
	if id == 0 {
		if p.Kind == syntax.KindPropertyAssignment {
			x.expr(init, code.RoleRead, false)
		} else {
			x.closureParts(p)
		}
		return 0
	}
	s := span{start: start, end: x.end(p)}
	if s.start = x.start(p); s.start > start {
		s.start = start
	}
	s.docStart, s.docEnd = x.comment(p, s.start)
	d := x.define(id, kind, s, start, flags)
	if k := (memberKey{owner, x.named(id)}); kind != code.KindSetter {
		x.members[k] = d
	}
	x.scope = d
	switch {
	case p.Kind != syntax.KindPropertyAssignment && p.Kind != syntax.KindShorthandPropertyAssignment:
		if expected != 0 && p.Kind == syntax.KindMethodDeclaration && untyped(p) {
			x.contextFrom(x.builder.Member(expected, x.named(id)))
		}
		x.functionDefinition(p, d, 0)
	case p.Kind == syntax.KindShorthandPropertyAssignment:
		x.mergeDef(d, x.identifier(name, code.RoleRead))
	default:
		a := p.AsPropertyAssignment()
		if at := init.Pos() - 1; at > int(s.start) && at < len(x.text) && x.text[at] == ':' {
			x.doc.Defs[d].BodyStart = uint32(at)
		}
		t := x.typ(a.Type)
		if v := x.of(t); v != 0 && kind == code.KindProperty {
			x.doc.Defs[d].Type = v
			x.traits[d].fixed = true
		}
		literal := peel(init)
		switch {
		case kind == code.KindMethod:
			x.assertions(init)
			if t == 0 && expected != 0 {
				x.contextFrom(x.builder.Member(expected, x.named(id)))
			} else {
				x.contextOf(t, a.Type)
			}
			x.keepSelf = true
			x.functionDefinition(literal, d, t)
		case literal != nil && literal.Kind == syntax.KindObjectLiteralExpression && x.objectDepth < maxObjectDepth:
			x.assertions(init)
			x.expectProperty(literal, expected, id, t)
			x.mergeDef(d, x.objectMembers(literal, d))
		default:
			x.expectProperty(init, expected, id, t)
			saved := x.measure
			x.measure = measure{}
			x.mergeDef(d, x.expr(init, code.RoleRead, true))
			x.measured(d, x.measure.closure)
			x.measure = saved
		}
	}
	return 0
}

// maxElements is how many elements of an array literal tell what it holds.
const maxElements = 4

// array reads an array literal.
func (x *Extractor) array(n *node, want bool) code.ExprID {
	var element code.ExprID
	count := 0
	expected := x.builder.Unary(code.OpElem, x.takeExpected())
	for _, e := range n.AsArrayLiteralExpression().Elements.Nodes {
		look := want && count < maxElements && !x.outline
		if expected != 0 {
			x.expecting(e, expected)
		}
		v := x.expr(e, code.RoleRead, look)
		if !look || v == 0 {
			continue
		}
		if e.Kind == syntax.KindSpreadElement {
			v = x.builder.Unary(code.OpIter, v)
		}
		if t := x.typeOf(v); !x.primitive(t) || element == 0 {
			element = x.joined(element, t)
			count++
		}
	}
	if !want {
		return 0
	}
	return x.of(x.arrayOf(element))
}

// tuple reads an array literal whose elements are told apart.
func (x *Extractor) tuple(n *node) code.ExprID {
	elements := n.AsArrayLiteralExpression().Elements.Nodes
	if len(elements) > 16 || len(elements) == 0 {
		return x.array(n, true)
	}
	for _, e := range elements {
		if e.Kind == syntax.KindSpreadElement {
			return x.array(n, true)
		}
	}
	mark := len(x.list)
	for _, e := range elements {
		t := x.typeOf(x.expr(e, code.RoleRead, true))
		x.list = append(x.list, t)
	}
	return x.of(x.builder.Expr(code.OpTuple, int32(x.takeList(mark)), 0))
}
