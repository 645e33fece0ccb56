package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// jsx reads an element. A component's name is called; those of the platform's
// own elements, which begin in lower case, are no names of the program.
func (x *Extractor) jsx(n *node) {
	var tag, closing, attributes *node
	var typeArgs, children *syntax.NodeList
	switch n.Kind {
	case syntax.KindJsxElement:
		e := n.AsJsxElement()
		o := e.OpeningElement.AsJsxOpeningElement()
		tag, typeArgs, attributes, children = o.TagName, o.TypeArguments, o.Attributes, e.Children
		if e.ClosingElement != nil {
			closing = e.ClosingElement.AsJsxClosingElement().TagName
		}
	case syntax.KindJsxSelfClosingElement:
		e := n.AsJsxSelfClosingElement()
		tag, typeArgs, attributes = e.TagName, e.TypeArguments, e.Attributes
	case syntax.KindJsxFragment:
		children = n.AsJsxFragment().Children
	}
	var component code.ExprID
	if tag != nil && !intrinsic(tag) {
		component = x.expr(tag, code.RoleCall, true)
	}
	x.typeList(typeArgs)
	if attributes != nil {
		x.attributes(attributes, component)
	}
	if children != nil {
		for _, c := range children.Nodes {
			if c.Kind == syntax.KindJsxText {
				continue
			}
			if component != 0 && c.Kind == syntax.KindJsxExpression {
				c = c.AsJsxExpression().Expression
				if c != nil && needsContext(c, 0) {
					x.expect = x.builder.Member(x.argumentOf(component, 0), x.name("children"))
				}
			}
			x.expr(c, code.RoleRead, false)
		}
	}
	if closing != nil && !intrinsic(closing) {
		x.expr(closing, code.RoleRead, false)
	}
}

// attributes reads the attributes of an element of a component, or of the platform when that is 0.
func (x *Extractor) attributes(n *node, component code.ExprID) {
	for _, p := range n.AsJsxAttributes().Properties.Nodes {
		switch p.Kind {
		case syntax.KindJsxAttribute:
			a := p.AsJsxAttribute()
			init := a.Initializer
			if init == nil {
				continue
			}
			if init.Kind == syntax.KindJsxExpression {
				init = init.AsJsxExpression().Expression
			}
			if component != 0 && needsContext(init, 0) {
				if id, _ := x.spelled(a.Name()); id != 0 {
					x.expect = x.builder.Member(x.argumentOf(component, 0), x.named(id))
				}
			}
			x.expr(init, code.RoleRead, false)
		case syntax.KindJsxSpreadAttribute:
			x.expr(p.AsJsxSpreadAttribute().Expression, code.RoleRead, false)
		}
	}
}

// intrinsic says whether a tag is one of the platform's own: a-b, svg:rect, div.
func intrinsic(tag *node) bool {
	switch tag.Kind {
	case syntax.KindIdentifier:
		text := tag.Text()
		if text == "" {
			return true
		}
		if c := text[0]; 'a' <= c && c <= 'z' {
			return true
		}
		for i := range len(text) {
			if text[i] == '-' {
				return true
			}
		}
		return false
	case syntax.KindPropertyAccessExpression, syntax.KindThisKeyword:
		return false
	}
	return true
}
