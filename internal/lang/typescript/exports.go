package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// free says whether an expression is a name that the file does not bind.
func (x *Extractor) free(n *node, name string) bool {
	return n.Kind == syntax.KindIdentifier && n.Text() == name && x.find(x.lookup(name), inValues) == 0
}

// isExports says whether an expression is exports or module.exports.
func (x *Extractor) isExports(n *node) bool {
	if n.Kind == syntax.KindPropertyAccessExpression {
		p := n.AsPropertyAccessExpression()
		return p.Name() != nil && p.Name().Kind == syntax.KindIdentifier && p.Name().Text() == "exports" && x.free(p.Expression, "module")
	}
	return x.free(n, "exports")
}

// ownExport is the definition behind exports.name, when the file makes one.
func (x *Extractor) ownExport(object *node, name code.NameID) code.DefID {
	if len(x.own) > 0 {
		if d, ok := x.own[name]; ok && x.isExports(object) {
			return d
		}
	}
	return code.NoDef
}

// hoistExport makes a definition of exports.name = value, unless the value is a name that has one.
func (x *Extractor) hoistExport(n, right *node, id symID, start uint32, kind code.Kind, flags code.DefFlags) {
	x.sawCommonJS()
	switch r := peel(right); {
	case kind != code.KindUnknown:
	case r == nil || r.Kind == syntax.KindIdentifier || r.Kind == syntax.KindVoidExpression || r.Kind == syntax.KindBinaryExpression || isRequireOf(r):
		return
	default:
		kind = code.KindVariable
	}
	if _, twice := x.own[x.named(id)]; twice || x.scope != code.NoDef {
		return
	}
	d := x.define(id, kind, x.spanOf(n), start, flags|code.DefExported)
	x.declared[n] = d
	x.own[x.named(id)] = d
	x.builder.AddExport(code.Export{Name: x.named(id), Expr: x.defExpr(d), Import: -1, Start: start})
}

// hoistWhole makes a definition of module.exports = value, when the value is an
// anonymous function or class, or an object.
func (x *Extractor) hoistWhole(n, right *node, id symID, start uint32, kind code.Kind, flags code.DefFlags) {
	x.sawCommonJS()
	if !x.is(id, fixedExports) || x.wholeExport || x.scope != code.NoDef {
		return
	}
	r := peel(right)
	switch {
	case r == nil:
		return
	case kind == code.KindFunction && r.Kind == syntax.KindFunctionExpression && r.AsFunctionExpression().Name() != nil, kind == code.KindClass && r.Name() != nil:
		return // it has a name of its own
	case kind == code.KindUnknown && r.Kind != syntax.KindObjectLiteralExpression:
		return
	case kind == code.KindUnknown:
		kind = code.KindConstant
	}
	x.wholeExport = true
	d := x.define(id, kind, x.spanOf(n), start, flags|code.DefExported|code.DefDefault)
	x.declared[n] = d
	x.builder.AddExport(code.Export{Name: x.named(x.fixed(fixedEquals)), Expr: x.defExpr(d), Import: -1, Start: start})
}

// wholeObject reads module.exports = {...}: each property is an export. A
// property that only names something exports that; the others are members of d.
func (x *Extractor) wholeObject(n *node, d code.DefID) {
	outer, who := x.scope, x.receiver()
	x.scope = d
	x.objectDepth++
	for _, p := range n.AsObjectLiteralExpression().Properties.Nodes {
		name := p.Name()
		id, start := symID(0), uint32(0)
		if name != nil {
			id, start = x.memberName(name)
		}
		x.setReceiver(receiver{self: x.defExpr(d), def: code.NoDef})
		var e code.ExprID
		switch {
		case p.Kind == syntax.KindShorthandPropertyAssignment && id != 0:
			e = x.identifier(name, code.RoleImport)
			x.markExported(e)
		case p.Kind == syntax.KindPropertyAssignment && id != 0 && peel(p.AsPropertyAssignment().Initializer).Kind == syntax.KindIdentifier:
			e = x.expr(p.AsPropertyAssignment().Initializer, code.RoleImport, true)
			x.markExported(e)
		case p.Kind == syntax.KindPropertyAssignment && id != 0 && isRequireOf(p.AsPropertyAssignment().Initializer):
			e = x.expr(p.AsPropertyAssignment().Initializer, code.RoleRead, true)
		case p.Kind == syntax.KindSpreadAssignment && requireArgument(p.AsSpreadAssignment().Expression) != nil && x.requireFree():
			// ...require("x") hands everything of x on.
			if i := x.doc.Exprs[x.expr(p.AsSpreadAssignment().Expression, code.RoleRead, true)]; i.Op == code.OpImport {
				star := x.named(x.fixed(fixedStar))
				x.builder.AddExport(code.Export{Name: star, Import: code.ImportID(i.A), Start: x.start(p)})
			}
		default:
			before := len(x.doc.Defs)
			if spread := x.objectMember(p, d, 0); spread != 0 {
				x.mergeDef(d, spread)
			}
			x.scope = d
			if len(x.doc.Defs) > before && id != 0 {
				e = x.defExpr(code.DefID(before))
			}
		}
		if e != 0 {
			x.builder.AddExport(code.Export{Name: x.named(id), Expr: e, Import: -1, Start: start})
		}
	}
	x.objectDepth--
	x.scope = outer
	x.setReceiver(who)
}

// exportValue reads exports.a = value where the value is a name, or no definition
// could be made, and gives the value. exports.a = exports.b = value is two exports.
func (x *Extractor) exportValue(b *syntax.BinaryExpression, name code.NameID, start uint32) code.ExprID {
	x.sawCommonJS()
	x.expr(b.Left, code.RoleWrite, false)
	var v code.ExprID
	if inner, id, at := x.innerExport(b.Right); inner != nil && x.enter() {
		v = x.exportValue(inner, x.named(id), at)
		x.leave()
	} else if r := peel(b.Right); r != nil && r.Kind == syntax.KindIdentifier {
		v = x.expr(b.Right, code.RoleImport, true)
		x.markExported(v)
	} else {
		v = x.expr(b.Right, code.RoleRead, true)
	}
	if v != 0 {
		x.builder.AddExport(code.Export{Name: name, Expr: v, Import: -1, Start: start})
	}
	return v
}

// innerExport is the assignment in exports.a = exports.b = value, with the name
// that it exports; nil when there is none.
func (x *Extractor) innerExport(n *node) (*syntax.BinaryExpression, symID, uint32) {
	if n.Kind != syntax.KindBinaryExpression {
		return nil, 0, 0
	}
	b := n.AsBinaryExpression()
	if b.OperatorToken.Kind != syntax.KindEqualsToken || b.Left.Kind != syntax.KindPropertyAccessExpression {
		return nil, 0, 0
	}
	left := b.Left.AsPropertyAccessExpression()
	id, at := x.spelled(left.Name())
	switch {
	case id == 0:
	case x.isExports(b.Left):
		return b, x.fixed(fixedEquals), at
	case x.isExports(left.Expression):
		return b, id, at
	}
	return nil, 0, 0
}

// exportChain records the exports in the initial value of definition d: var app = exports = module.exports = {}.
func (x *Extractor) exportChain(n *node, d code.DefID) {
	for n != nil && n.Kind == syntax.KindBinaryExpression {
		b := n.AsBinaryExpression()
		if b.OperatorToken.Kind != syntax.KindEqualsToken {
			return
		}
		if inner, id, at := x.innerExport(n); inner != nil {
			x.sawCommonJS()
			x.doc.Defs[d].Flags |= code.DefExported
			x.builder.AddExport(code.Export{Name: x.named(id), Expr: x.defExpr(d), Import: -1, Start: at})
		}
		n = b.Right
	}
}
