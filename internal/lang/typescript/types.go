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

// head and tail take an OpList apart.
func (x *Extractor) head(list code.ExprID) code.ExprID { return code.ExprID(x.doc.Exprs[list].A) }
func (x *Extractor) tail(list code.ExprID) code.ExprID { return code.ExprID(x.doc.Exprs[list].B) }
