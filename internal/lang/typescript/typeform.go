package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

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
