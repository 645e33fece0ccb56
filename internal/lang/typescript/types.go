package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// of is a value of a type.
func (x *Extractor) of(t code.ExprID) code.ExprID {
	if t == 0 {
		return 0
	}
	if e := x.doc.Exprs[t]; e.Op == code.OpTypeOf {
		return code.ExprID(e.A)
	}
	if x.primitive(t) {
		for i := typeString; i <= typeBoolean; i++ {
			if t == x.literals[i] {
				return x.literal(i - typeString)
			}
		}
	}
	return x.builder.Expr(code.OpOf, int32(t), 0)
}

// typeOf is the type of a value.
func (x *Extractor) typeOf(v code.ExprID) code.ExprID {
	if v == 0 {
		return 0
	}
	switch e := x.doc.Exprs[v]; e.Op {
	case code.OpOf:
		return code.ExprID(e.A)
	case code.OpBuiltin:
		for i := litString; i <= litBoolean; i++ {
			if v == x.literals[i] {
				return x.literal(i + typeString)
			}
		}
	}
	return x.builder.Expr(code.OpTypeOf, int32(v), 0)
}

// The types and values of the language that are made again and again.
const (
	litString = iota
	litNumber
	litBoolean
	typeString
	typeNumber
	typeBoolean
	numLiterals
)

// literal is a value (litString, ...) or type (typeString, ...) of the language.
func (x *Extractor) literal(i int) code.ExprID {
	if x.literals[i] == 0 {
		op := code.OpBuiltin
		if i >= typeString {
			op = code.OpName
		}
		id := x.named(x.fixed(fixedString + i%(typeString-litString)))
		x.literals[i] = x.builder.Expr(op, int32(id), 0)
	}
	return x.literals[i]
}

// typ reads a type and gives it as a type expression; 0 when it says nothing
// that has members: any, unknown, void, null and the like.
func (x *Extractor) typ(n *node) code.ExprID {
	if n == nil || !x.enter() {
		return 0
	}
	defer x.leave()
	switch n.Kind {
	case syntax.KindStringKeyword:
		return x.literal(typeString)
	case syntax.KindNumberKeyword:
		return x.literal(typeNumber)
	case syntax.KindBooleanKeyword:
		return x.literal(typeBoolean)
	case syntax.KindTypeReference:
		return x.reference(n)
	case syntax.KindArrayType:
		return x.arrayOf(x.typ(n.AsArrayTypeNode().ElementType))
	case syntax.KindUnionType:
		var out code.ExprID
		for _, p := range n.AsUnionTypeNode().Types.Nodes {
			t := x.typ(p)
			// The members of strings and numbers lead nowhere: what matters of "string | Foo" is Foo.
			out = x.joined(out, t)
		}
		return out
	case syntax.KindIntersectionType:
		var out code.ExprID
		for _, p := range n.AsIntersectionTypeNode().Types.Nodes {
			out = x.intersect(out, x.typ(p))
		}
		return out
	case syntax.KindLiteralType:
		return x.literalType(n.AsLiteralTypeNode().Literal)
	case syntax.KindTypeLiteral:
		return x.objectType(n.AsTypeLiteralNode().Members)
	case syntax.KindFunctionType, syntax.KindConstructorType:
		return x.signature(n)
	case syntax.KindParenthesizedType:
		return x.typ(n.AsParenthesizedTypeNode().Type)
	case syntax.KindOptionalType:
		return x.typ(n.AsOptionalTypeNode().Type)
	case syntax.KindRestType:
		return x.typ(n.AsRestTypeNode().Type)
	case syntax.KindNamedTupleMember:
		return x.typ(n.AsNamedTupleMember().Type)
	case syntax.KindTupleType:
		mark := len(x.list)
		for _, e := range n.AsTupleTypeNode().Elements.Nodes {
			t := x.typ(e)
			x.list = append(x.list, t)
		}
		if list := x.takeList(mark); list != 0 {
			return x.builder.Expr(code.OpTuple, int32(list), 0)
		}
		return 0
	case syntax.KindTypeQuery:
		q := n.AsTypeQueryNode()
		v := x.valueEntity(q.ExprName)
		if args := x.typeList(q.TypeArguments); args != 0 && v != 0 {
			v = x.builder.Expr(code.OpGeneric, int32(v), int32(args))
		}
		return x.typeOf(v)
	case syntax.KindTypeOperator:
		o := n.AsTypeOperatorNode()
		t := x.typ(o.Type)
		switch o.Operator {
		case syntax.KindKeyOfKeyword:
			return x.builder.Unary(code.OpKeyOf, t)
		case syntax.KindReadonlyKeyword:
			return t
		}
		return 0
	case syntax.KindIndexedAccessType:
		return x.indexed(n)
	case syntax.KindConditionalType:
		return x.conditional(n)
	case syntax.KindInferType:
		return x.infer(n)
	case syntax.KindMappedType:
		return x.mapped(n)
	case syntax.KindTemplateLiteralType:
		for _, s := range n.AsTemplateLiteralTypeNode().TemplateSpans.Nodes {
			x.typ(s.AsTemplateLiteralTypeSpan().Type)
		}
		return x.literal(typeString)
	case syntax.KindImportType:
		return x.importType(n)
	case syntax.KindThisType:
		if x.selfDef != code.NoDef {
			return x.builder.Expr(code.OpThis, int32(x.selfDef), 0)
		}
		return 0
	case syntax.KindTypePredicate:
		p := n.AsTypePredicateNode()
		if p.ParameterName != nil && p.ParameterName.Kind == syntax.KindIdentifier {
			if id, start := x.spelled(p.ParameterName); id != 0 {
				if b := x.find(id, inValues); b != 0 && x.bindings[b].to == toLocal {
					x.use(x.named(id), start, code.RoleRead, x.denotes(b))
				}
			}
		}
		x.typ(p.Type)
		if p.AssertsModifier != nil {
			return 0
		}
		return x.literal(typeBoolean)
	case syntax.KindExpressionWithTypeArguments:
		e := n.AsExpressionWithTypeArguments()
		base := x.typeEntity(e.Expression, code.RoleType)
		return x.applied(base, x.typeList(e.TypeArguments))
	case syntax.KindJSDocNullableType:
		return x.typ(n.AsJSDocNullableType().Type)
	case syntax.KindJSDocNonNullableType:
		return x.typ(n.AsJSDocNonNullableType().Type)
	case syntax.KindJSDocOptionalType:
		return x.typ(n.AsJSDocOptionalType().Type)
	case syntax.KindJSDocVariadicType:
		return x.arrayOf(x.typ(n.AsJSDocVariadicType().Type))
	}
	return 0
}

// joined is either of two types. Types of the language itself stand back behind others.
func (x *Extractor) joined(a, b code.ExprID) code.ExprID {
	switch {
	case a == 0 || x.primitive(a):
		if b == 0 {
			return a
		}
		return b
	case b == 0 || x.primitive(b):
		return a
	}
	return x.builder.Union(a, b)
}

func (x *Extractor) primitive(t code.ExprID) bool {
	return t == x.literals[typeString] || t == x.literals[typeNumber] || t == x.literals[typeBoolean]
}

func (x *Extractor) arrayOf(t code.ExprID) code.ExprID {
	return x.builder.Expr(code.OpArray, int32(t), 0)
}

func (x *Extractor) literalType(n *node) code.ExprID {
	switch n.Kind {
	case syntax.KindStringLiteral, syntax.KindNoSubstitutionTemplateLiteral:
		return x.literal(typeString)
	case syntax.KindNumericLiteral, syntax.KindPrefixUnaryExpression:
		return x.literal(typeNumber)
	case syntax.KindTrueKeyword, syntax.KindFalseKeyword:
		return x.literal(typeBoolean)
	}
	return 0
}

// typeList reads type arguments and gives their list; 0 when there are none.
func (x *Extractor) typeList(list *syntax.NodeList) code.ExprID {
	if list == nil || len(list.Nodes) == 0 {
		return 0
	}
	mark := len(x.list)
	for _, n := range list.Nodes {
		t := x.typ(n)
		x.list = append(x.list, t)
	}
	return x.takeList(mark)
}

func (x *Extractor) applied(t, args code.ExprID) code.ExprID {
	if t == 0 || args == 0 {
		return t
	}
	return x.builder.Expr(code.OpGeneric, int32(t), int32(args))
}

// head and tail take an OpList apart.
func (x *Extractor) head(list code.ExprID) code.ExprID { return code.ExprID(x.doc.Exprs[list].A) }
func (x *Extractor) tail(list code.ExprID) code.ExprID { return code.ExprID(x.doc.Exprs[list].B) }

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

// objectType reads an object type that is not what an alias, interface, property
// or variable is declared as. Its members are locals: nothing outside can name them.
func (x *Extractor) objectType(members *syntax.NodeList) code.ExprID {
	if members == nil {
		return 0
	}
	mark := len(x.list)
	var call code.ExprID
	for _, m := range members.Nodes {
		var id symID
		var start uint32
		if name := m.Name(); name != nil {
			x.computed(name)
			id, start = x.memberName(name)
		}
		var value code.ExprID
		switch m.Kind {
		case syntax.KindPropertySignature:
			value = x.of(x.typ(m.AsPropertySignatureDeclaration().Type))
		case syntax.KindMethodSignature:
			value = x.of(x.signature(m))
		case syntax.KindGetAccessor:
			value = x.closureParts(m)
		case syntax.KindSetAccessor:
			x.closureParts(m)
			continue
		case syntax.KindCallSignature:
			call = x.builder.Union(call, x.signature(m))
			continue
		default:
			x.signature(m)
			continue
		}
		if id == 0 || x.outline {
			continue
		}
		l := x.builder.AddLocal(code.Local{Name: x.named(id), Kind: code.KindVariable, Scope: x.scope, Start: start, Type: value})
		x.list = append(x.list, x.builder.Expr(code.OpField, int32(x.named(id)), int32(x.builder.Expr(code.OpLocal, int32(l), 0))))
	}
	list := x.takeList(mark)
	if list == 0 {
		return call
	}
	return x.intersect(call, x.typeOf(x.builder.Expr(code.OpObject, int32(list), 0)))
}

// signature reads the type of a function, in a scope of its own.
func (x *Extractor) signature(n *node) code.ExprID {
	f := n.FunctionLikeData()
	x.open()
	defer x.close()
	x.typeParameters(f.TypeParameters)
	var params code.ExprID
	if f.Parameters != nil {
		for _, p := range f.Parameters.Nodes {
			if id, _ := x.spelled(p.AsParameterDeclaration().Name()); id != 0 {
				x.bind(id, asValue, toNothing, 0)
			}
		}
		mark := len(x.list)
		for _, p := range f.Parameters.Nodes {
			d := p.AsParameterDeclaration()
			t := x.typ(d.Type)
			if !x.isThis(d.Name()) {
				x.list = append(x.list, t)
			}
		}
		params = x.takeList(mark)
	}
	result := x.typ(f.Type)
	if n.Kind == syntax.KindIndexSignature {
		return 0
	}
	return x.builder.Expr(code.OpSignature, int32(params), int32(result))
}

// indexed reads T[K].
func (x *Extractor) indexed(n *node) code.ExprID {
	i := n.AsIndexedAccessTypeNode()
	object := x.typ(i.ObjectType)
	if l := i.IndexType; l.Kind == syntax.KindLiteralType {
		switch k := l.AsLiteralTypeNode().Literal; k.Kind {
		case syntax.KindStringLiteral:
			id, start := x.quoted(k)
			if id == 0 {
				return 0
			}
			v := x.builder.Member(x.of(object), x.named(id))
			if v != 0 {
				x.use(x.named(id), start, code.RoleType, v)
			}
			return x.typeOf(v)
		case syntax.KindNumericLiteral:
			return x.typeOf(x.builder.Result(x.of(object), smallInt(k.Text())))
		}
	}
	x.typ(i.IndexType)
	return x.typeOf(x.builder.Unary(code.OpElem, x.of(object)))
}

// conditional reads A extends B ? C : D, whose infer names are seen in C.
func (x *Extractor) conditional(n *node) code.ExprID {
	c := n.AsConditionalTypeNode()
	x.typ(c.CheckType)
	x.open()
	x.inferNames(c.ExtendsType)
	x.typ(c.ExtendsType)
	yes := x.typ(c.TrueType)
	x.close()
	return x.joined(yes, x.typ(c.FalseType))
}

// inferNames declares the names after infer in a type.
func (x *Extractor) inferNames(n *node) {
	if n == nil || !x.enter() {
		return
	}
	defer x.leave()
	switch n.Kind {
	case syntax.KindInferType:
		x.typeParameter(n.AsInferTypeNode().TypeParameter)
		return
	case syntax.KindIdentifier, syntax.KindStringKeyword, syntax.KindNumberKeyword, syntax.KindAnyKeyword, syntax.KindUnknownKeyword, syntax.KindLiteralType:
		return
	case syntax.KindConditionalType: // its own extends clause has its own names
		c := n.AsConditionalTypeNode()
		x.inferNames(c.CheckType)
		x.inferNames(c.TrueType)
		x.inferNames(c.FalseType)
		return
	}
	if x.inferVisit == nil {
		x.inferVisit = func(n *node) bool { x.inferNames(n); return false }
	}
	n.ForEachChild(x.inferVisit)
}

func (x *Extractor) infer(n *node) code.ExprID {
	p := n.AsInferTypeNode().TypeParameter.AsTypeParameterDeclaration()
	id, _ := x.spelled(p.Name())
	constraint := x.typ(p.Constraint)
	if id == 0 {
		return 0
	}
	b := x.find(id, inTypes)
	if b == 0 || x.bindings[b].to != toLocal {
		return 0
	}
	if constraint != 0 {
		x.setLocal(code.LocalID(x.bindings[b].id), constraint)
	}
	return x.denotes(b)
}

// mapped reads { [K in C]: T }.
func (x *Extractor) mapped(n *node) code.ExprID {
	m := n.AsMappedTypeNode()
	p := m.TypeParameter.AsTypeParameterDeclaration()
	keys := x.typ(p.Constraint)
	x.open()
	defer x.close()
	parameter := x.typeParameter(m.TypeParameter)
	if parameter != 0 {
		x.setLocal(code.LocalID(x.doc.Exprs[parameter].A), keys)
	}
	x.typ(m.NameType)
	value := x.typ(m.Type)
	if m.Members != nil {
		for _, member := range m.Members.Nodes {
			x.typ(member)
		}
	}
	// { [K in keyof T]: T[K] } has the members of T.
	if keys != 0 && value != 0 && x.doc.Exprs[keys].Op == code.OpKeyOf && m.Type.Kind == syntax.KindIndexedAccessType {
		object := x.doc.Exprs[keys].A
		if v := x.doc.Exprs[value]; v.Op == code.OpTypeOf && x.doc.Exprs[v.A].Op == code.OpElem {
			if o := x.doc.Exprs[x.doc.Exprs[v.A].A]; o.Op == code.OpOf && o.A == object {
				return code.ExprID(object)
			}
		}
	}
	return x.builder.Expr(code.OpMap, int32(x.literal(typeString)), int32(value))
}

func smallInt(s string) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1000 {
			return 1 << 15
		}
		n = n*10 + int(c-'0')
	}
	return n
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
