package langtest

import (
	"strconv"
	"strings"

	"manito/internal/code"
)

// maxDepth bounds the rendering of an expression: the table is a graph with
// shared parts, whose full text can be exponentially long.
const maxDepth = 12

// Expr renders an expression: "call(import[fmt].Println, [builtin(string)])".
func Expr(doc *code.Document, id code.ExprID) string {
	var s strings.Builder
	render(&s, doc, id, 0)
	return s.String()
}

func render(s *strings.Builder, doc *code.Document, id code.ExprID, depth int) {
	if id <= 0 || int(id) >= len(doc.Exprs) {
		s.WriteByte('?')
		return
	}
	if depth > maxDepth || s.Len() > 4000 {
		s.WriteString("...")
		return
	}
	e := doc.Exprs[id]
	unary := func(word string, operands ...int32) {
		s.WriteString(word)
		s.WriteByte('(')
		for i, o := range operands {
			if i > 0 {
				s.WriteString(", ")
			}
			render(s, doc, code.ExprID(o), depth+1)
		}
		s.WriteByte(')')
	}
	named := func(word, name string) {
		s.WriteString(word + "(" + name + ")")
	}
	def := func(id int32) string {
		if id < 0 {
			return "-"
		}
		return doc.Descriptor(code.DefID(id))
	}
	switch e.Op {
	case code.OpDef:
		named("def", def(e.A))
	case code.OpLocal:
		s.WriteString(localName(doc, code.LocalID(e.A)))
	case code.OpImport:
		m := &doc.Imports[e.A]
		s.WriteString("import[" + strings.Repeat(".", int(m.Relative)) + doc.Names[m.Specifier])
		if m.Name != 0 {
			s.WriteString(":" + doc.Names[m.Name])
		}
		s.WriteByte(']')
	case code.OpName:
		named("name", doc.Names[e.A])
	case code.OpMember:
		render(s, doc, code.ExprID(e.A), depth+1)
		s.WriteString("." + doc.Names[e.B])
	case code.OpBuiltin:
		named("builtin", doc.Names[e.A])
	case code.OpResult:
		s.WriteString("result(")
		render(s, doc, code.ExprID(e.A), depth+1)
		s.WriteString(", " + strconv.Itoa(int(e.B)) + ")")
	case code.OpArg:
		s.WriteString("arg(")
		render(s, doc, code.ExprID(e.A), depth+1)
		s.WriteString(", " + strconv.Itoa(int(e.B/16)) + ":" + strconv.Itoa(int(e.B%16)) + ")")
	case code.OpThis:
		named("this", def(e.A))
	case code.OpSuper:
		named("super", def(e.A))
	case code.OpClass:
		named("class", def(e.A))
	case code.OpFunc:
		s.WriteString("func(" + def(e.A) + ", ")
		render(s, doc, code.ExprID(e.B), depth+1)
		s.WriteByte(')')
	case code.OpField:
		s.WriteString(doc.Names[e.A] + ": ")
		render(s, doc, code.ExprID(e.B), depth+1)
	case code.OpList:
		s.WriteByte('[')
		for first := true; ; first = false {
			if !first {
				s.WriteString(", ")
			}
			render(s, doc, code.ExprID(e.A), depth+1)
			if e.B <= 0 || s.Len() > 4000 {
				break
			}
			e = doc.Exprs[e.B]
		}
		s.WriteByte(']')
	case code.OpCall, code.OpSignature, code.OpGeneric, code.OpMap, code.OpUnion, code.OpIntersect:
		unary(binary[e.Op], e.A, e.B)
	default:
		word, ok := single[e.Op]
		if !ok {
			word = "op" + strconv.Itoa(int(e.Op))
		}
		unary(word, e.A)
	}
}

var (
	binary = map[code.Op]string{
		code.OpCall: "call", code.OpSignature: "signature", code.OpGeneric: "generic", code.OpMap: "map", code.OpUnion: "union", code.OpIntersect: "intersect",
	}
	single = map[code.Op]string{
		code.OpNew: "new", code.OpElem: "elem", code.OpKey: "key", code.OpAwait: "await", code.OpDeref: "deref", code.OpAddr: "addr", code.OpOf: "of",
		code.OpObject: "object", code.OpPointer: "pointer", code.OpArray: "array", code.OpTuple: "tuple", code.OpTypeOf: "typeof",
		code.OpNullable: "nullable", code.OpKeyOf: "keyof",
	}
)

// localName tells locals of one name apart by their number: "x%3".
func localName(doc *code.Document, id code.LocalID) string {
	return doc.Names[doc.Locals[id].Name] + "%" + strconv.Itoa(int(id))
}
