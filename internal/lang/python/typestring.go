package python

import (
	"manito/internal/code"
)

// typeString reads an annotation that is written as a string: "List[Foo]".
func (r *reader) typeString(i uint32) code.ExprID {
	text, start, ok := r.literal(i)
	if !ok {
		r.expr(i, false)
		return 0
	}
	p := stringType{r: r, text: text, start: start, seen: uint32(len(r.recs)), until: uint32(len(text))}
	uses := len(r.doc.Uses)
	t := p.union(0)
	p.space()
	if !p.ok() {
		r.doc.Uses = r.doc.Uses[:uses] // not a type: a text
		return 0
	}
	return t
}

// stringType reads a type out of a text. Names in it are looked up when it is
// evaluated, which is after the module was read.
type stringType struct {
	r      *reader
	text   []byte
	start  uint32 // the offset of the text in the file
	at     uint32
	until  uint32
	seen   uint32 // the record whose view of names it has
	failed bool
}

func (p *stringType) ok() bool { return !p.failed && p.at == p.until }

func (p *stringType) space() {
	for p.at < p.until {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// take skips a character, if it is the next one.
func (p *stringType) take(c byte) bool {
	p.space()
	if p.at < p.until && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

const maxTypeDepth = 40

// union is T | U | ...
func (p *stringType) union(depth int) code.ExprID {
	t := p.single(depth)
	for !p.failed && p.take('|') {
		t = p.r.alternative(t, p.single(depth))
	}
	return t
}

// single is a.b.C[...], a literal, or (T).
func (p *stringType) single(depth int) code.ExprID {
	p.space()
	if depth > maxTypeDepth || p.at >= p.until {
		p.failed = true
		return 0
	}
	switch c := p.text[p.at]; {
	case c == '(':
		p.at++
		t := p.union(depth + 1)
		p.failed = p.failed || !p.take(')')
		return t
	case c == '\'' || c == '"': // a string in the string
		return p.quoted(depth)
	case c == '.':
		for range 3 {
			p.failed = p.failed || !p.take('.')
		}
		return 0
	case c == '[': // the parameters of a Callable
		p.at++
		return p.r.b.List(p.list(depth, ']')...)
	}
	t, none := p.dotted()
	if p.failed || none {
		return t
	}
	if !p.take('[') {
		return p.r.bare(t)
	}
	return p.arguments(t, depth)
}

// word is the next identifier, or nothing.
func (p *stringType) word() (code.NameID, uint32) {
	p.space()
	from := p.at
	for p.at < p.until && isName(p.text[from:p.at+1]) {
		p.at++
	}
	if p.at == from {
		p.failed = true
		return 0, 0
	}
	return p.r.b.NameBytes(p.text[from:p.at]), p.start + from
}

// dotted is a name with its attributes; none says that it is None.
func (p *stringType) dotted() (t code.ExprID, none bool) {
	r := p.r
	name, at := p.word()
	if p.failed {
		return 0, false
	}
	switch r.doc.Names[name] {
	case "None":
		return r.nothing(), true
	case "True", "False", "not", "and", "or", "lambda", "if", "else", "in", "is", "for":
		p.failed = true
		return 0, false
	}
	p.space()
	role := code.RoleType
	if p.at < p.until && p.text[p.at] == '.' {
		role = code.RoleRead
	}
	t = r.typeNamed(name, p.seen, at, role)
	for p.at < p.until && p.text[p.at] == '.' {
		p.at++
		name, at = p.word()
		if p.failed {
			return 0, false
		}
		p.space()
		role = code.RoleType
		if p.at < p.until && p.text[p.at] == '.' {
			role = code.RoleRead
		}
		t = r.b.Member(t, name)
		r.doc.Uses = append(r.doc.Uses, code.Use{Start: at, Name: name, Scope: r.def, Expr: t, Role: role})
	}
	return t, false
}

// quoted is a type in quotes of its own.
func (p *stringType) quoted(depth int) code.ExprID {
	quote := p.text[p.at]
	p.at++
	end := p.at
	for end < p.until && p.text[end] != quote {
		end++
	}
	if end == p.until {
		p.failed = true
		return 0
	}
	outer := p.until
	p.until = end
	t := p.union(depth + 1)
	p.space()
	p.failed = p.failed || p.at != end
	p.until = outer
	p.at = end + 1
	return t
}

// list is T, U, ... up to a closing bracket.
func (p *stringType) list(depth int, closing byte) []code.ExprID {
	var list []code.ExprID
	for !p.failed && !p.take(closing) {
		list = append(list, p.union(depth+1))
		if !p.take(',') {
			p.failed = p.failed || !p.take(closing)
			break
		}
	}
	return list
}

// arguments are what stands in the brackets after a generic type.
func (p *stringType) arguments(h code.ExprID, depth int) code.ExprID {
	r := p.r
	form := r.form(h)
	switch shapeOf(form) {
	case shapeLiteral, shapeFirst:
		var t code.ExprID
		if shapeOf(form) == shapeFirst {
			t = p.union(depth + 1)
		}
		p.skip()
		return t
	}
	list := p.list(depth, ']')
	if p.failed {
		return 0
	}
	switch shapeOf(form) {
	case shapeCallable:
		var params, result code.ExprID
		if len(list) > 0 {
			params = list[0]
		}
		if len(list) > 1 {
			result = list[1]
		}
		if params != 0 && r.doc.Exprs[params].Op != code.OpList {
			params = 0
		}
		return r.b.Expr(code.OpSignature, int32(params), int32(result))
	case shapeTuple:
		if len(list) == 2 && list[1] == 0 {
			return r.arrayType(list[0], form)
		}
	}
	return r.applied(h, form, list)
}

// skip goes to the end of the brackets that are open.
func (p *stringType) skip() {
	for depth := 1; depth > 0; p.at++ {
		if p.at >= p.until {
			p.failed = true
			return
		}
		switch p.text[p.at] {
		case '[':
			depth++
		case ']':
			depth--
		case '\'', '"':
			quote := p.text[p.at]
			for p.at++; p.at < p.until && p.text[p.at] != quote; p.at++ {
			}
			if p.at >= p.until {
				p.failed = true
				return
			}
		}
	}
}
