package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// class reads a class declaration or expression that is definition d.
func (x *Extractor) class(n *node, d code.DefID) {
	if !x.enter() {
		return
	}
	defer x.leave()
	c := n.ClassLikeData()
	outer, who, wasFunction, saved := x.scope, x.receiver(), x.function, x.measure
	x.scope = d
	x.decorators(n)
	x.open()
	if n.Kind == syntax.KindClassExpression {
		if id, _ := x.spelled(n.Name()); id != 0 {
			x.bind(id, asValue|asType, toDef, int32(d))
		}
	}
	typeParams := x.typeParameters(c.TypeParameters)
	bases := x.heritage(c.HeritageClauses, n.Kind != syntax.KindInterfaceDeclaration)
	x.doc.Defs[d].TypeParams, x.doc.Defs[d].Bases = typeParams, bases
	x.traits[d].fixed = true
	if c.Members != nil {
		x.bodyAt(d, c.Members.Pos()-1)
		x.measure, x.function = measure{}, function{}
		x.defineMembers(c.Members.Nodes, d)
		for _, m := range c.Members.Nodes {
			x.member(m, d)
		}
	}
	x.close()
	x.scope, x.function, x.measure = outer, wasFunction, saved
	x.setReceiver(who)
}

// bodyAt sets where the body of a definition begins, if a brace is there.
func (x *Extractor) bodyAt(d code.DefID, at int) {
	def := &x.doc.Defs[d]
	if at > int(def.Start) && at <= int(def.End) && at < len(x.text) && x.text[at] == '{' {
		def.BodyStart = uint32(at)
	}
}

// heritage reads extends and implements clauses and gives the list of bases.
func (x *Extractor) heritage(clauses *syntax.NodeList, class bool) code.ExprID {
	if clauses == nil {
		return 0
	}
	mark := len(x.list)
	for _, n := range clauses.Nodes {
		h := n.AsHeritageClause()
		if h.Types == nil {
			continue
		}
		for _, t := range h.Types.Nodes {
			if t.Kind != syntax.KindExpressionWithTypeArguments {
				continue
			}
			e := t.AsExpressionWithTypeArguments()
			var base code.ExprID
			switch {
			case h.Token == syntax.KindImplementsKeyword:
				base = x.typeEntity(e.Expression, code.RoleImplement)
			case !class:
				base = x.typeEntity(e.Expression, code.RoleExtend)
			default:
				base = x.expr(e.Expression, code.RoleExtend, true)
			}
			args := x.typeList(e.TypeArguments)
			if base != 0 && args != 0 {
				base = x.builder.Expr(code.OpGeneric, int32(base), int32(args))
			}
			x.list = append(x.list, base)
		}
	}
	return x.takeList(mark)
}

// defineMembers defines the members of a class or interface before any of them is read.
func (x *Extractor) defineMembers(members []*node, owner code.DefID) {
	for i, n := range members {
		x.defineMember(members, i, n, owner)
	}
}

func (x *Extractor) defineMember(members []*node, i int, n *node, owner code.DefID) {
	if n.Flags&syntax.NodeFlagsReparsed != 0 && n.Kind != syntax.KindPropertySignature {
		return
	}
	var kind code.Kind
	flags := flagsOf(n)
	name := n.Name()
	switch n.Kind {
	case syntax.KindPropertyDeclaration:
		kind = code.KindField
		p := n.AsPropertyDeclaration()
		if literalKind(p.Initializer) == code.KindFunction {
			kind = code.KindMethod
			flags |= flagsOf(peel(p.Initializer)) & code.DefAsync
		}
		if isQuestion(p.PostfixToken) {
			flags |= code.DefOptional
		}
	case syntax.KindPropertySignature:
		kind = code.KindProperty
		if isQuestion(n.PostfixToken()) {
			flags |= code.DefOptional
		}
	case syntax.KindMethodDeclaration:
		kind = code.KindMethod
		m := n.AsMethodDeclaration()
		if m.AsteriskToken != nil {
			flags |= code.DefGenerator
		}
		if isQuestion(m.PostfixToken) {
			flags |= code.DefOptional
		}
		if m.Body == nil && flags&(code.DefAmbient|code.DefAbstract) == 0 && implementedMember(members, i) {
			flags |= code.DefOverload
		}
	case syntax.KindMethodSignature:
		kind = code.KindMethod
		flags |= code.DefAbstract
		if isQuestion(n.PostfixToken()) {
			flags |= code.DefOptional
		}
	case syntax.KindConstructor:
		kind = code.KindConstructor
		if n.Body() == nil && flags&code.DefAmbient == 0 && implementedMember(members, i) {
			flags |= code.DefOverload
		}
	case syntax.KindGetAccessor:
		kind = code.KindGetter
	case syntax.KindSetAccessor:
		kind = code.KindSetter
	default:
		return
	}
	flags &^= code.DefExported | code.DefDefault
	s := x.spanOf(n)
	var id symID
	var start uint32
	if kind == code.KindConstructor {
		id, start = x.constructorName(n, s)
	} else {
		id, start = x.memberName(name)
	}
	if id == 0 {
		return
	}
	if name != nil && name.Kind == syntax.KindPrivateIdentifier {
		flags |= code.DefPrivate
	}
	d := x.define(id, kind, s, start, flags)
	x.declared[n] = d
	if k := (memberKey{owner, x.named(id)}); flags&code.DefOverload == 0 {
		x.members[k] = d
	}
}

func isQuestion(n *node) bool { return n != nil && n.Kind == syntax.KindQuestionToken }

// implementedMember says whether one of the members that follow number i has its name and a body.
func implementedMember(members []*node, i int) bool {
	n := members[i]
	for _, m := range members[i+1:] {
		if m.Kind != n.Kind {
			return false
		}
		if a, b := n.Name(), m.Name(); a != nil && b != nil && (a.Kind != b.Kind || a.Kind == syntax.KindIdentifier && a.Text() != b.Text()) {
			return false
		}
		if m.Body() != nil {
			return true
		}
	}
	return false
}

// constructorName finds the word "constructor", which is no node.
func (x *Extractor) constructorName(n *node, s span) (symID, uint32) {
	at := int(s.start)
	for _, m := range n.ModifierNodes() {
		if m.Kind != syntax.KindDecorator && m.Flags&syntax.NodeFlagsReparsed == 0 {
			at = x.text.Token(m.End())
		}
	}
	end := at + len("constructor")
	if end > len(x.text) || string(x.text[at:end]) != "constructor" { // 'constructor'() {}
		if at++; at+len("constructor") > len(x.text) || string(x.text[at:at+len("constructor")]) != "constructor" {
			return 0, 0
		}
	}
	return x.fixed(fixedConstructor), uint32(at)
}

// maxComputed bounds the text of a computed name that is taken as a name.
const maxComputed = 60

// memberName is the name of a member, as it is written: an identifier, the text
// of a string or number, or a short computed name with its brackets.
func (x *Extractor) memberName(n *node) (symID, uint32) {
	if n == nil {
		return 0, 0
	}
	if n.Kind != syntax.KindComputedPropertyName {
		return x.propertyName(n)
	}
	e := n.AsComputedPropertyName().Expression
	if e.Kind == syntax.KindStringLiteral || e.Kind == syntax.KindNoSubstitutionTemplateLiteral {
		return x.quoted(e)
	}
	start, end := int(x.start(n)), int(x.end(n))
	if end-start < 3 || end-start > maxComputed || e.Kind != syntax.KindIdentifier && e.Kind != syntax.KindPropertyAccessExpression {
		return 0, 0
	}
	return x.lookup(string(x.text[start:end])), uint32(start)
}

// propertyName is the name of a property that is not computed.
func (x *Extractor) propertyName(n *node) (symID, uint32) {
	switch n.Kind {
	case syntax.KindIdentifier, syntax.KindPrivateIdentifier:
		return x.spelled(n)
	case syntax.KindStringLiteral, syntax.KindNoSubstitutionTemplateLiteral:
		return x.quoted(n)
	case syntax.KindNumericLiteral, syntax.KindBigIntLiteral:
		start, end := int(x.start(n)), int(x.end(n))
		if start < end {
			return x.lookup(string(x.text[start:end])), uint32(start)
		}
	}
	return 0, 0
}

// computed reads the expression of a computed name.
func (x *Extractor) computed(name *node) {
	if name != nil && name.Kind == syntax.KindComputedPropertyName {
		x.expr(name.AsComputedPropertyName().Expression, code.RoleRead, false)
	}
}

// member reads a member of the class or interface at hand.
func (x *Extractor) member(n *node, owner code.DefID) {
	if x.stop() || n.Flags&syntax.NodeFlagsReparsed != 0 && n.Kind != syntax.KindPropertySignature {
		return
	}
	d, defined := x.declared[n]
	if !defined {
		d = code.NoDef
	}
	outer, who := x.scope, x.receiver()
	if defined {
		x.scope = d
	}
	if n.ModifierFlags()&syntax.ModifierFlagsStatic != 0 {
		x.setReceiver(x.ofClass(owner))
	} else {
		x.setReceiver(x.instanceOf(owner))
	}
	x.decorators(n)
	x.computed(n.Name())
	switch n.Kind {
	case syntax.KindPropertyDeclaration:
		p := n.AsPropertyDeclaration()
		x.field(p.Type, p.Initializer, d)
	case syntax.KindPropertySignature:
		x.field(n.AsPropertySignatureDeclaration().Type, nil, d)
	case syntax.KindMethodDeclaration, syntax.KindConstructor, syntax.KindGetAccessor, syntax.KindSetAccessor, syntax.KindMethodSignature:
		if defined {
			x.functionDefinition(n, d, 0)
		} else {
			x.keepSelf = true
			x.closureParts(n)
		}
	case syntax.KindCallSignature, syntax.KindConstructSignature:
		x.signature(n)
	case syntax.KindIndexSignature:
		x.signature(n)
	case syntax.KindClassStaticBlockDeclaration:
		x.setReceiver(x.ofClass(owner))
		x.staticBlock(n)
	}
	x.scope = outer
	x.setReceiver(who)
}

// closureParts reads a function that has no definition because its name says nothing.
func (x *Extractor) closureParts(n *node) code.ExprID {
	x.nested++
	x.measure.nesting++
	result := x.functionParts(n, code.NoDef)
	x.measure.nesting--
	x.nested--
	return result
}

func (x *Extractor) staticBlock(n *node) {
	body := n.AsClassStaticBlockDeclaration().Body
	if body == nil {
		return
	}
	wasInner, outer := x.inner, x.function
	x.inner, x.function = true, function{body: true}
	x.open()
	statements := body.AsBlock().Statements.Nodes
	x.hoist(statements, false)
	if x.hasVar {
		x.hoistVars(statements)
	}
	x.statements(statements)
	x.close()
	x.inner, x.function = wasInner, outer
}

// field reads the type and value of a field or property.
func (x *Extractor) field(annotation, init *node, d code.DefID) {
	var t code.ExprID
	switch {
	case annotation == nil:
	case d == code.NoDef:
		t = x.typ(annotation)
	default:
		t = x.aliased(annotation, d, true)
	}
	if d == code.NoDef {
		if init != nil {
			x.expr(init, code.RoleRead, false)
		}
		return
	}
	if v := x.of(t); v != 0 && !x.doc.Defs[d].Kind.Callable() {
		x.doc.Defs[d].Type = v
		x.traits[d].fixed = true
	}
	if init == nil {
		return
	}
	x.doc.Defs[d].BodyStart = x.equals(init, d)
	literal := peel(init)
	if x.doc.Defs[d].Kind == code.KindMethod {
		x.assertions(init)
		x.contextOf(t, annotation)
		x.keepSelf = true
		x.functionDefinition(literal, d, t)
		return
	}
	saved := x.measure
	x.measure = measure{}
	x.expecting(init, x.of(t))
	v := x.expr(init, code.RoleRead, true)
	x.mergeDef(d, v)
	x.traits[d].fixed = x.traits[d].fixed || x.decides(v)
	x.measured(d, x.measure.closure)
	x.measure = saved
}

// parameterProperty makes a field of a constructor's parameter with a modifier.
func (x *Extractor) parameterProperty(n *node, id symID, start uint32, value code.ExprID) {
	const property = syntax.ModifierFlagsPublic | syntax.ModifierFlagsPrivate | syntax.ModifierFlagsProtected | syntax.ModifierFlagsReadonly | syntax.ModifierFlagsOverride
	if n.ModifierFlags()&property == 0 {
		return
	}
	outer := x.scope
	x.scope = x.selfDef
	d := x.define(id, code.KindField, x.spanOf(n), start, flagsOf(n)&^code.DefExported)
	x.scope = outer
	x.doc.Defs[d].Type = value
	x.traits[d].fixed = true
	x.members[memberKey{x.selfDef, x.named(id)}] = d
}

// interfaceOf reads an interface declaration that is definition d.
func (x *Extractor) interfaceOf(n *node, d code.DefID) {
	i := n.AsInterfaceDeclaration()
	outer, who := x.scope, x.receiver()
	x.scope = d
	x.open()
	typeParams := x.typeParameters(i.TypeParameters)
	bases := x.heritage(i.HeritageClauses, false)
	x.doc.Defs[d].TypeParams, x.doc.Defs[d].Bases = typeParams, bases
	x.traits[d].fixed = true
	if i.Members != nil {
		x.bodyAt(d, i.Members.Pos()-1)
		x.defineMembers(i.Members.Nodes, d)
		for _, m := range i.Members.Nodes {
			x.member(m, d)
		}
	}
	x.close()
	x.scope = outer
	x.setReceiver(who)
}

// decorators reads the decorators of a declaration; they belong to it.
func (x *Extractor) decorators(n *node) {
	m := n.Modifiers()
	if m == nil || m.ModifierFlags&syntax.ModifierFlagsDecorator == 0 {
		return
	}
	for _, d := range m.Nodes {
		if d.Kind != syntax.KindDecorator {
			continue
		}
		e := d.AsDecorator().Expression
		if e.Kind == syntax.KindCallExpression {
			c := e.AsCallExpression()
			f := x.expr(c.Expression, code.RoleDecorate, true)
			x.typeList(c.TypeArguments)
			x.arguments(c.Arguments, passing{callee: f})
			continue
		}
		x.expr(e, code.RoleDecorate, false)
	}
}
