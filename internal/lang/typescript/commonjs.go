package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// sawCommonJS notes that a file speaks Node's older module language, which makes it a module.
func (x *Extractor) sawCommonJS() {
	if x.script != syntax.Declaration {
		x.commonJS = true
	}
}

// isRequireOf says whether an expression is require("x"), or a member of it.
func isRequireOf(n *node) bool {
	if n = peel(n); n == nil {
		return false
	}
	if n.Kind == syntax.KindPropertyAccessExpression {
		if n = peel(n.AsPropertyAccessExpression().Expression); n == nil {
			return false
		}
	}
	return requireArgument(n) != nil
}

// requireArgument is the string in require("x"), nil when a node is something else.
func requireArgument(n *node) *node {
	if n == nil || n.Kind != syntax.KindCallExpression {
		return nil
	}
	c := n.AsCallExpression()
	if c.Expression.Kind != syntax.KindIdentifier || c.Expression.Text() != "require" || c.Arguments == nil || len(c.Arguments.Nodes) != 1 {
		return nil
	}
	if a := c.Arguments.Nodes[0]; a.Kind == syntax.KindStringLiteral || a.Kind == syntax.KindNoSubstitutionTemplateLiteral {
		return a
	}
	return nil
}

// requireFree says whether require is Node's: the file does not bind the name.
func (x *Extractor) requireFree() bool { return x.find(x.lookup("require"), inValues) == 0 }

// requireName declares const a = require("b") and const a = require("b").c.
func (x *Extractor) requireName(id symID, start uint32, init *node, flags code.DefFlags) bool {
	init = peel(init)
	if !isRequireOf(init) || !x.requireFree() || x.here(id, inValues) != 0 {
		return false
	}
	kind, name := code.ImportModule, symID(0)
	call := init
	if init.Kind == syntax.KindPropertyAccessExpression {
		p := init.AsPropertyAccessExpression()
		call = peel(p.Expression)
		kind = code.ImportNamed
		if name, _ = x.spelled(p.Name()); name == 0 {
			return false
		}
	}
	i, ok := x.addImport(kind, requireArgument(call), x.named(name), id, start, false)
	if !ok {
		return false
	}
	x.sawCommonJS()
	x.exportOf(flags, x.named(id), start, x.importExpr(i))
	return true
}

// requirePattern declares const {a, b: c} = require("d").
func (x *Extractor) requirePattern(name, init *node, flags code.DefFlags) bool {
	argument := requireArgument(peel(init))
	if argument == nil || !x.requireFree() || !plainPattern(name) {
		return false
	}
	for _, n := range name.AsBindingPattern().Elements.Nodes {
		e := n.AsBindingElement()
		local, start := x.spelled(e.Name())
		key, keyStart := local, start
		if e.PropertyName != nil {
			key, keyStart = x.propertyName(e.PropertyName)
		}
		if local == 0 || key == 0 {
			continue
		}
		if i, ok := x.addImport(code.ImportNamed, argument, x.named(key), local, start, false); ok {
			x.use(x.named(key), keyStart, code.RoleImport, x.importExpr(i))
			x.exportOf(flags, x.named(local), start, x.importExpr(i))
		}
	}
	x.sawCommonJS()
	return true
}

// plainPattern says whether an object pattern only names properties.
func plainPattern(n *node) bool {
	if n.Kind != syntax.KindObjectBindingPattern {
		return false
	}
	for _, n := range n.AsBindingPattern().Elements.Nodes {
		if n.Kind != syntax.KindBindingElement {
			return false
		}
		e := n.AsBindingElement()
		if e.DotDotDotToken != nil || e.Initializer != nil || e.Name() == nil || e.Name().Kind != syntax.KindIdentifier || e.PropertyName != nil && e.PropertyName.Kind == syntax.KindComputedPropertyName {
			return false
		}
	}
	return true
}

// isRequired says whether requirePattern has declared a pattern.
func (x *Extractor) isRequired(name, init *node) bool {
	return requireArgument(peel(init)) != nil && x.requireFree() && plainPattern(name)
}

// requireUse reads the words of an import by require that is a declaration.
func (x *Extractor) requireUse(init *node) {
	init = peel(init)
	call := init
	if init.Kind == syntax.KindPropertyAccessExpression {
		call = peel(init.AsPropertyAccessExpression().Expression)
	}
	x.identifier(call.AsCallExpression().Expression, code.RoleCall)
	if init == call {
		return
	}
	if id, start := x.spelled(init.AsPropertyAccessExpression().Name()); id != 0 {
		// The import that the declaration made stands for the member.
		for i := len(x.doc.Imports) - 1; i >= 0; i-- {
			if m := &x.doc.Imports[i]; m.Start < start && m.Name == x.named(id) {
				x.use(x.named(id), start, code.RoleImport, x.importExpr(code.ImportID(i)))
				return
			}
		}
	}
}

// requireCall reads require("x") as an expression: the module.
func (x *Extractor) requireCall(c *syntax.CallExpression, callee *node) (code.ExprID, bool) {
	if callee != c.Expression || callee.Text() != "require" || c.Arguments == nil || len(c.Arguments.Nodes) != 1 || !x.requireFree() {
		return 0, false
	}
	i, ok := x.addImport(code.ImportDynamic, c.Arguments.Nodes[0], 0, 0, 0, false)
	if !ok {
		return 0, false
	}
	x.identifier(callee, code.RoleCall)
	x.sawCommonJS()
	return x.importExpr(i), true
}
