package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// blockScoped are the flags of let, const and using.
const blockScoped = syntax.NodeFlagsLet | syntax.NodeFlagsConst | syntax.NodeFlagsUsing

// variables reads the declarations of a list whose names are declared.
func (x *Extractor) variables(list *node, source code.ExprID) {
	for _, n := range list.AsVariableDeclarationList().Declarations.Nodes {
		x.variable(n, source)
	}
}

// variable reads one declaration; source is the value that a loop gives it.
func (x *Extractor) variable(n *node, source code.ExprID) {
	d := n.AsVariableDeclaration()
	name := d.Name()
	if name == nil {
		return
	}
	outer := x.scope
	defer func() { x.scope = outer }()
	if isPattern(name) {
		if id := x.firstName(name); id != 0 {
			x.enterVariable(id, name.Pos(), name.End())
		}
		if x.isRequired(name, d.Initializer) {
			x.requireUse(d.Initializer)
			return
		}
		value := source
		if d.Type != nil {
			value = x.of(x.typ(d.Type))
		}
		if d.Initializer != nil {
			init := x.expr(d.Initializer, code.RoleRead, d.Type == nil)
			if d.Type == nil {
				value = init
			}
		}
		x.pattern(name, value)
		return
	}
	id, start := x.spelled(name)
	if id == 0 {
		if d.Initializer != nil {
			x.expr(d.Initializer, code.RoleRead, false)
		}
		return
	}
	b := x.find(id, inValues)
	own := code.NoDef
	switch {
	case x.bindings[b].to == toImport && isRequireOf(d.Initializer):
		x.requireUse(d.Initializer)
		return
	case x.bindings[b].to == toDef && x.doc.Defs[x.bindings[b].id].NameStart == start:
		own = code.DefID(x.bindings[b].id)
		x.scope = own
	}
	x.initialise(own, b, d.Type, d.Initializer, source)
}

// initialise reads the type and the initial value of a variable with a simple name.
func (x *Extractor) initialise(own code.DefID, b int32, annotation, init *node, source code.ExprID) {
	var t code.ExprID
	switch {
	case annotation == nil:
	case own != code.NoDef && !x.inner:
		t = x.aliased(annotation, own, true)
		x.annotate(b, x.of(t))
	default:
		t = x.typ(annotation)
		x.annotate(b, x.of(t))
	}
	if own != code.NoDef && init != nil {
		x.doc.Defs[own].BodyStart = x.equals(init, own)
	}
	literal := peel(init)
	switch {
	case init == nil:
		x.merge(b, source)
	case own != code.NoDef && x.declared[literal] == own && x.isDeclared(literal):
		x.assertions(init)
		if literal.Kind == syntax.KindClassExpression {
			x.class(literal, own)
			return
		}
		x.contextOf(t, annotation)
		x.functionDefinition(literal, own, t)
	case own != code.NoDef && !x.inner && literal.Kind == syntax.KindObjectLiteralExpression:
		x.assertions(init)
		x.expecting(literal, x.expectedOf(init, t))
		x.merge(b, x.objectMembers(literal, own))
	default:
		if own != code.NoDef {
			x.exportChain(init, own)
		}
		x.expecting(init, x.of(t))
		saved := x.measure
		if own != code.NoDef {
			x.measure = measure{}
		}
		v := x.expr(init, code.RoleRead, true)
		x.merge(b, v)
		x.settleType(b, v)
		if own != code.NoDef {
			x.measured(own, x.measure.closure)
			x.measure = saved
		}
	}
}

// expectedOf is what a literal should be that a variable of type t is initialised with.
func (x *Extractor) expectedOf(init *node, t code.ExprID) code.ExprID {
	for t == 0 && init != nil {
		switch init.Kind {
		case syntax.KindSatisfiesExpression:
			x.silent++
			t = x.simpleType(init.AsSatisfiesExpression().Type)
			x.silent--
			init = init.Expression()
		case syntax.KindAsExpression:
			x.silent++
			t = x.simpleType(init.AsAsExpression().Type)
			x.silent--
			init = init.Expression()
		case syntax.KindParenthesizedExpression:
			init = init.Expression()
		default:
			return 0
		}
	}
	return x.of(t)
}

// simpleType is a type reference, which can be read twice without making anything new.
func (x *Extractor) simpleType(t *node) code.ExprID {
	if t == nil || t.Kind != syntax.KindTypeReference {
		return 0
	}
	if args := t.AsTypeReferenceNode().TypeArguments; args != nil {
		for _, a := range args.Nodes {
			if a.Kind != syntax.KindTypeReference || a.AsTypeReferenceNode().TypeArguments != nil {
				return 0
			}
		}
	}
	return x.typ(t)
}

func (x *Extractor) isDeclared(n *node) bool {
	_, ok := x.declared[n]
	return ok
}

// equals is where the "=" before an initial value stands.
func (x *Extractor) equals(init *node, d code.DefID) uint32 {
	at := init.Pos() - 1
	if at > int(x.doc.Defs[d].Start) && at < len(x.text) && x.text[at] == '=' && uint32(at) <= x.doc.Defs[d].End {
		return uint32(at)
	}
	return 0
}

// assertions reads the types of the assertions that peel takes off.
func (x *Extractor) assertions(n *node) {
	for n != nil {
		switch n.Kind {
		case syntax.KindAsExpression:
			x.typ(n.AsAsExpression().Type)
		case syntax.KindSatisfiesExpression:
			x.typ(n.AsSatisfiesExpression().Type)
		case syntax.KindTypeAssertionExpression:
			x.typ(n.AsTypeAssertion().Type)
		case syntax.KindParenthesizedExpression, syntax.KindNonNullExpression:
		default:
			return
		}
		n = n.Expression()
	}
}

// firstName is the first name that a pattern declares.
func (x *Extractor) firstName(name *node) symID {
	if !isPattern(name) {
		id, _ := x.spelled(name)
		return id
	}
	if !x.enter() {
		return 0
	}
	defer x.leave()
	for _, e := range name.AsBindingPattern().Elements.Nodes {
		if e.Kind != syntax.KindBindingElement || e.AsBindingElement().Name() == nil {
			continue
		}
		if id := x.firstName(e.AsBindingElement().Name()); id != 0 {
			return id
		}
	}
	return 0
}

// enterVariable makes the definition of a name the scope, when it is declared between two offsets.
func (x *Extractor) enterVariable(id symID, from, to int) {
	if b := &x.bindings[x.find(id, inValues)]; b.to == toDef {
		if at := int(x.doc.Defs[b.id].NameStart); at >= from && at < to {
			x.scope = code.DefID(b.id)
		}
	}
}

// pattern reads a binding pattern whose names are declared; source is what it takes apart.
func (x *Extractor) pattern(p *node, source code.ExprID) {
	if !x.enter() {
		return
	}
	defer x.leave()
	object := p.Kind == syntax.KindObjectBindingPattern
	for i, n := range p.AsBindingPattern().Elements.Nodes {
		if n.Kind != syntax.KindBindingElement {
			continue
		}
		e := n.AsBindingElement()
		name := e.Name()
		if name == nil {
			continue
		}
		value := source
		switch {
		case e.DotDotDotToken != nil:
		case object:
			key := e.PropertyName
			if key == nil {
				key = name
			}
			value = x.component(key, source, e.PropertyName != nil)
		default:
			value = x.builder.Result(source, i)
		}
		if e.Initializer != nil {
			value = x.builder.Union(value, x.expr(e.Initializer, code.RoleRead, true))
		}
		if isPattern(name) {
			x.pattern(name, value)
			continue
		}
		if id, _ := x.spelled(name); id != 0 {
			x.merge(x.find(id, inValues), value)
		}
	}
}

// component reads the key of an object pattern and gives what it takes from the source.
func (x *Extractor) component(key *node, source code.ExprID, written bool) code.ExprID {
	if key.Kind == syntax.KindComputedPropertyName {
		x.expr(key.AsComputedPropertyName().Expression, code.RoleRead, false)
		return x.builder.Unary(code.OpElem, source)
	}
	id, start := x.propertyName(key)
	if id == 0 {
		return 0
	}
	value := x.builder.Member(source, x.named(id))
	if value != 0 || written {
		x.use(x.named(id), start, code.RoleRead, value)
	}
	return value
}

// maxMerged is how many values of a variable are looked at.
const maxMerged = 4

// merge adds a value to what is known of a variable. What is written wins over what is assigned.
func (x *Extractor) merge(b int32, e code.ExprID) {
	if b == 0 || e == 0 {
		return
	}
	switch v := &x.bindings[b]; v.to {
	case toLocal:
		l := &x.doc.Locals[v.id]
		if v.means&annotated != 0 || l.Kind == code.KindTypeParameter {
			return
		}
		if v.assigned < maxMerged {
			v.assigned++
			l.Type = x.builder.Union(l.Type, e)
		}
	case toDef:
		x.mergeDef(code.DefID(v.id), e)
	}
}

func (x *Extractor) mergeDef(d code.DefID, e code.ExprID) {
	def, t := &x.doc.Defs[d], &x.traits[d]
	if e == 0 || t.fixed || t.assigned >= maxMerged {
		return
	}
	switch def.Kind {
	case code.KindVariable, code.KindConstant, code.KindField, code.KindProperty:
		t.assigned++
		def.Type = x.builder.Union(def.Type, e)
	}
}

// settleType ends the merging of values into a variable whose initial value is
// known: in TypeScript it has given the variable its type. An empty array has not.
func (x *Extractor) settleType(b int32, v code.ExprID) {
	if b == 0 || !x.decides(v) {
		return
	}
	switch d := &x.bindings[b]; d.to {
	case toLocal:
		d.means |= annotated
	case toDef:
		x.traits[d.id].fixed = true
	}
}

func (x *Extractor) decides(v code.ExprID) bool {
	if v == 0 || x.script == syntax.JS {
		return false
	}
	e := x.doc.Exprs[v]
	return e.Op != code.OpOf || x.doc.Exprs[e.A] != code.Expr{Op: code.OpArray}
}

// annotate sets what is written of a variable's type; any says nothing.
func (x *Extractor) annotate(b int32, e code.ExprID) {
	if e == 0 {
		return
	}
	switch v := &x.bindings[b]; v.to {
	case toLocal:
		x.setLocal(code.LocalID(v.id), e)
		v.means |= annotated
	case toDef:
		if d := code.DefID(v.id); !x.traits[d].fixed {
			x.doc.Defs[d].Type = e
			x.traits[d].fixed = true
		}
	}
}
