package typescript

import (
	"strings"

	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// scanPrototypes collects the names X of X.prototype.y = ... and X.prototype = ...
// in a list: functions of these names are classes.
func (x *Extractor) scanPrototypes(statements []*node) {
	for _, n := range statements {
		if n.Kind != syntax.KindExpressionStatement {
			continue
		}
		e := n.AsExpressionStatement().Expression
		if e.Kind != syntax.KindBinaryExpression || e.AsBinaryExpression().OperatorToken.Kind != syntax.KindEqualsToken {
			continue
		}
		if class := prototypeOf(e.AsBinaryExpression().Left); class != nil {
			if id, _ := x.spelled(class); id != 0 && !x.isPrototype(x.named(id)) {
				x.prototypes = append(x.prototypes, x.named(id))
			}
		}
	}
}

// prototypeOf is the X in X.prototype and X.prototype.y, nil when a node is something else.
func prototypeOf(n *node) *node {
	for range 2 {
		if n.Kind != syntax.KindPropertyAccessExpression {
			return nil
		}
		p := n.AsPropertyAccessExpression()
		if p.Name() != nil && p.Name().Kind == syntax.KindIdentifier && p.Name().Text() == "prototype" {
			if p.Expression.Kind == syntax.KindIdentifier {
				return p.Expression
			}
			return nil
		}
		n = p.Expression
	}
	return nil
}

func (x *Extractor) isPrototype(name code.NameID) bool {
	for _, p := range x.prototypes {
		if p == name {
			return true
		}
	}
	return false
}

// hoistAssignment makes definitions of exports.x = ..., X.prototype.y = ... and,
// for a function or class X of the file, X.y = ...
func (x *Extractor) hoistAssignment(n *node) {
	e := n.AsExpressionStatement().Expression
	if e.Kind != syntax.KindBinaryExpression || e.AsBinaryExpression().OperatorToken.Kind != syntax.KindEqualsToken {
		return
	}
	b := e.AsBinaryExpression()
	if b.Left.Kind != syntax.KindPropertyAccessExpression {
		return
	}
	left := b.Left.AsPropertyAccessExpression()
	id, start := x.spelled(left.Name())
	if id == 0 {
		return
	}
	kind := literalKind(b.Right)
	var flags code.DefFlags
	if kind == code.KindFunction {
		flags |= flagsOf(peel(b.Right)) & code.DefAsync
		if data := peel(b.Right).BodyData(); data != nil && data.AsteriskToken != nil {
			flags |= code.DefGenerator
		}
	}
	switch {
	case x.isExports(left.Expression):
		x.hoistExport(n, b.Right, id, start, kind, flags)
	case x.isExports(b.Left):
		x.hoistWhole(n, b.Right, id, start, kind, flags)
	case prototypeOf(left.Expression) != nil:
		owner, _ := x.spelled(prototypeOf(left.Expression))
		if kind == code.KindFunction {
			kind = code.KindMethod
		} else {
			kind = code.KindField
		}
		x.attach(n, owner, id, start, kind, flags)
	case left.Expression.Kind == syntax.KindIdentifier && !x.is(id, fixedPrototype):
		owner, _ := x.spelled(left.Expression)
		if owner == 0 {
			return
		}
		o := &x.bindings[x.find(owner, inValues)]
		if o.to != toDef {
			return
		}
		switch x.doc.Defs[o.id].Kind {
		case code.KindFunction, code.KindClass:
			flags |= code.DefStatic
		case code.KindVariable, code.KindConstant:
			if kind != code.KindFunction || x.script != syntax.JS {
				return
			}
		default:
			return
		}
		if kind == code.KindFunction {
			kind = code.KindMethod
		} else {
			kind = code.KindProperty
		}
		x.attach(n, owner, id, start, kind, flags)
	}
}

// attach defines a member of owner outside of it. Inside of another definition it
// belongs to that one, since a member with an owner stands at the top.
func (x *Extractor) attach(n *node, owner, id symID, start uint32, kind code.Kind, flags code.DefFlags) {
	b := &x.bindings[x.find(owner, inValues)]
	if b.to == toDef {
		k := memberKey{code.DefID(b.id), x.named(id)}
		if _, known := x.members[k]; known {
			return
		}
	}
	d := x.define(id, kind, x.spanOf(n), start, flags)
	if x.scope == code.NoDef {
		x.doc.Defs[d].Owner = x.named(owner)
	}
	if b.to == toDef {
		x.members[memberKey{code.DefID(b.id), x.named(id)}] = d
	}
	x.declared[n] = d
}

// assignedDefinition reads an assignment that hoistAssignment made a definition of.
func (x *Extractor) assignedDefinition(n *node, d code.DefID) {
	b := n.AsExpressionStatement().Expression.AsBinaryExpression()
	left := b.Left.AsPropertyAccessExpression()
	outer, who := x.scope, x.receiver()
	// What is assigned to is named by the code around, not by the definition.
	x.expr(left.Expression, code.RoleRead, false)
	x.scope = d
	x.doc.Defs[d].BodyStart = x.equals(b.Right, d)
	if x.doc.Defs[d].BodyStart == 0 && b.OperatorToken != nil {
		x.doc.Defs[d].BodyStart = x.start(b.OperatorToken)
	}
	t := x.typ(b.Type)
	r := peel(b.Right)
	class := prototypeOf(left.Expression)
	owned := x.doc.Defs[d].Owner != 0
	if class != nil {
		x.receiveAs(class)
	} else if owned {
		x.receiveStatic(left.Expression)
	}
	switch kind := x.doc.Defs[d].Kind; {
	case literalKind(r) == code.KindFunction && kind.Callable():
		x.assertions(b.Right)
		x.contextOf(t, b.Type)
		x.keepSelf = owned
		x.functionDefinition(r, d, t)
	case kind == code.KindClass && r.Kind == syntax.KindClassExpression:
		x.class(r, d)
	case x.isExports(b.Left) && r.Kind == syntax.KindObjectLiteralExpression:
		x.wholeObject(r, d)
	case r.Kind == syntax.KindObjectLiteralExpression && outer == code.NoDef && x.doc.Defs[d].Owner == 0:
		x.mergeDef(d, x.objectMembers(r, d))
	default:
		saved := x.measure
		x.measure = measure{}
		v := x.expr(b.Right, code.RoleRead, true)
		if t != 0 {
			v = x.of(t)
		}
		x.mergeDef(d, v)
		x.measured(d, x.measure.closure)
		x.measure = saved
	}
	x.scope = outer
	x.setReceiver(who)
}

// receiveAs makes an instance of the class that a name names the receiver.
func (x *Extractor) receiveAs(class *node) {
	id, _ := x.spelled(class)
	if id == 0 {
		return
	}
	if b := &x.bindings[x.find(id, inValues)]; b.to == toDef && x.doc.Defs[b.id].Kind == code.KindClass {
		x.setReceiver(x.instanceOf(code.DefID(b.id)))
	} else {
		x.setReceiver(nobody)
	}
}

// receiveStatic makes the class, function or object that a name names the receiver.
func (x *Extractor) receiveStatic(object *node) {
	id, _ := x.spelled(object)
	if id == 0 {
		return
	}
	switch b := &x.bindings[x.find(id, inValues)]; {
	case b.to != toDef:
		x.setReceiver(nobody)
	case x.doc.Defs[b.id].Kind == code.KindClass:
		x.setReceiver(x.ofClass(code.DefID(b.id)))
	default:
		x.setReceiver(receiver{self: x.defExpr(code.DefID(b.id)), def: code.NoDef})
	}
}

// memberAssignment reads a statement a.b = c that defines or exports something
// without being hoisted. It says whether it has read it.
func (x *Extractor) memberAssignment(n, e *node) bool {
	b := e.AsBinaryExpression()
	if b.Left.Kind != syntax.KindPropertyAccessExpression {
		if inner, id, at := x.innerExport(b.Right); inner != nil && x.free(b.Left, "exports") { // exports = module.exports = x
			x.expr(b.Left, code.RoleWrite, false)
			x.exportValue(inner, x.named(id), at)
			return true
		}
		return false
	}
	left := b.Left.AsPropertyAccessExpression()
	id, start := x.spelled(left.Name())
	if id == 0 {
		return false
	}
	switch {
	case left.Expression.Kind == syntax.KindThisKeyword:
		return x.script == syntax.JS && x.thisField(n, b, id, start)
	case x.isExports(left.Expression):
		x.exportValue(b, x.named(id), start)
		return true
	case x.isExports(b.Left):
		x.exportValue(b, x.named(x.fixed(fixedEquals)), start)
		return true
	case x.script == syntax.JS && prototypeOf(b.Left) != nil && x.is(id, fixedPrototype):
		return x.wholePrototype(b)
	}
	return false
}

// thisField makes a field of the first this.x = value in a class of JavaScript.
func (x *Extractor) thisField(n *node, b *syntax.BinaryExpression, id symID, start uint32) bool {
	if x.selfDef == code.NoDef || x.static || x.doc.Defs[x.selfDef].Kind != code.KindClass || x.nested > 0 && x.scope == code.NoDef {
		return false
	}
	k := memberKey{x.selfDef, x.named(id)}
	if _, known := x.members[k]; known {
		return false
	}
	class := &x.doc.Defs[x.selfDef]
	s := x.spanOf(n)
	if s.start < class.Start || s.end > class.End {
		return false // in X.prototype.y = function () { this.z = ... }
	}
	kind := code.KindField
	if literalKind(b.Right) == code.KindFunction {
		kind = code.KindMethod
	}
	outer := x.scope
	x.scope = x.selfDef
	d := x.define(id, kind, s, start, 0)
	x.scope = outer
	x.members[k] = d
	x.doc.Defs[d].BodyStart = x.equals(b.Right, d)
	t := x.typ(b.Type)
	if kind == code.KindMethod {
		x.assertions(b.Right)
		x.contextOf(t, b.Type)
		x.keepSelf = true
		x.functionDefinition(peel(b.Right), d, t)
		return true
	}
	if v := x.of(t); v != 0 {
		x.doc.Defs[d].Type = v
		x.traits[d].fixed = true
	}
	v := x.expr(b.Right, code.RoleRead, true)
	x.mergeDef(d, v)
	return true
}

// wholePrototype reads X.prototype = {...} and X.prototype = Object.create(Y.prototype).
func (x *Extractor) wholePrototype(b *syntax.BinaryExpression) bool {
	class := prototypeOf(b.Left)
	id, _ := x.spelled(class)
	r := peel(b.Right)
	if id == 0 || r == nil {
		return false
	}
	x.expr(b.Left, code.RoleWrite, false)
	owner := &x.bindings[x.find(id, inValues)]
	switch {
	case r.Kind == syntax.KindObjectLiteralExpression && x.scope == code.NoDef:
		who := x.receiver()
		for _, p := range r.AsObjectLiteralExpression().Properties.Nodes {
			x.receiveAs(class)
			x.prototypeMember(p, id, owner)
		}
		x.setReceiver(who)
		return true
	case owner.to == toDef && x.doc.Defs[owner.id].Kind == code.KindClass && x.doc.Defs[owner.id].Bases == 0:
		d := code.DefID(owner.id)
		base := baseOf(r)
		x.expr(b.Right, code.RoleRead, false)
		if base != nil {
			x.silent++
			e := x.simple(base)
			x.silent--
			if e != 0 {
				x.doc.Defs[d].Bases = x.builder.List(e)
			}
		}
		return true
	}
	x.expr(b.Right, code.RoleRead, false)
	return true
}

// baseOf is the Y in Object.create(Y.prototype) and new Y().
func baseOf(n *node) *node {
	switch n.Kind {
	case syntax.KindNewExpression:
		return n.AsNewExpression().Expression
	case syntax.KindCallExpression:
		c := n.AsCallExpression()
		if c.Expression.Kind != syntax.KindPropertyAccessExpression || c.Arguments == nil || len(c.Arguments.Nodes) == 0 {
			return nil
		}
		f := c.Expression.AsPropertyAccessExpression()
		if f.Name() == nil || f.Name().Text() != "create" || f.Expression.Kind != syntax.KindIdentifier || f.Expression.Text() != "Object" {
			return nil
		}
		if a := c.Arguments.Nodes[0]; a.Kind == syntax.KindPropertyAccessExpression {
			if p := a.AsPropertyAccessExpression(); p.Name() != nil && p.Name().Kind == syntax.KindIdentifier && strings.EqualFold(p.Name().Text(), "prototype") {
				return p.Expression
			}
		}
	}
	return nil
}

// prototypeMember reads a property of the object that becomes a prototype.
func (x *Extractor) prototypeMember(p *node, owner symID, class *binding) {
	before := len(x.doc.Defs)
	id, _ := symID(0), 0
	if name := p.Name(); name != nil {
		id, _ = x.memberName(name)
	}
	self := code.NoDef
	if class.to == toDef {
		self = code.DefID(class.id)
	}
	outer := x.scope
	x.objectMember(p, self, 0)
	x.scope = outer
	if len(x.doc.Defs) > before && id != 0 && x.doc.Defs[before].Parent == code.NoDef {
		x.doc.Defs[before].Owner = x.named(owner)
	}
}
