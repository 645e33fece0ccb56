package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// alias reads a type alias that is definition d.
func (x *Extractor) alias(n *node, d code.DefID) {
	a := n.AsTypeAliasDeclaration()
	outer, who := x.scope, x.receiver()
	x.scope = d
	x.open()
	x.doc.Defs[d].TypeParams = x.typeParameters(a.TypeParameters)
	if a.Type != nil {
		x.doc.Defs[d].BodyStart = x.equals(a.Type, d)
		x.setReceiver(x.instanceOf(d))
		before := len(x.doc.Defs)
		x.doc.Defs[d].Type = x.aliased(a.Type, d, false)
		if len(x.doc.Defs) == before {
			x.doc.Defs[d].Flags |= code.DefAlias
		}
	}
	x.traits[d].fixed = true
	x.close()
	x.scope = outer
	x.setReceiver(who)
}

// aliased reads the type behind an alias, or the declared type of a variable or
// property. The members of object types in it become members of d. What remains
// is given as a type; with whole, the object types are part of it.
func (x *Extractor) aliased(t *node, d code.DefID, whole bool) code.ExprID {
	if !x.enter() {
		return 0
	}
	defer x.leave()
	switch t.Kind {
	case syntax.KindParenthesizedType:
		return x.aliased(t.AsParenthesizedTypeNode().Type, d, whole)
	case syntax.KindTypeLiteral:
		members := t.AsTypeLiteralNode().Members
		if members == nil {
			return 0
		}
		x.defineMembers(members.Nodes, d)
		var rest code.ExprID
		for _, m := range members.Nodes {
			if m.Kind == syntax.KindCallSignature {
				rest = x.builder.Union(rest, x.signature(m))
				continue
			}
			x.member(m, d)
		}
		if whole {
			rest = x.intersect(rest, x.definedObject(members.Nodes))
		}
		return rest
	case syntax.KindIntersectionType:
		var rest code.ExprID
		for _, p := range t.AsIntersectionTypeNode().Types.Nodes {
			rest = x.intersect(rest, x.aliased(p, d, whole))
		}
		return rest
	case syntax.KindUnionType:
		var rest code.ExprID
		for _, p := range t.AsUnionTypeNode().Types.Nodes {
			rest = x.joined(rest, x.aliased(p, d, whole))
		}
		return rest
	}
	return x.typ(t)
}

// definedObject is the object type whose members are definitions.
func (x *Extractor) definedObject(members []*node) code.ExprID {
	mark := len(x.list)
	for _, m := range members {
		if d, ok := x.declared[m]; ok && x.doc.Defs[d].Kind != code.KindSetter {
			x.list = append(x.list, x.builder.Expr(code.OpField, int32(x.doc.Defs[d].Name), int32(x.defExpr(d))))
		}
	}
	list := x.takeList(mark)
	if list == 0 {
		return 0
	}
	return x.typeOf(x.builder.Expr(code.OpObject, int32(list), 0))
}

func (x *Extractor) intersect(a, b code.ExprID) code.ExprID {
	switch {
	case a == 0 || a == b:
		return b
	case b == 0:
		return a
	}
	return x.builder.Expr(code.OpIntersect, int32(a), int32(b))
}
