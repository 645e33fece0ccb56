package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// enum reads an enum declaration that is definition d.
func (x *Extractor) enum(n *node, d code.DefID) {
	e := n.AsEnumDeclaration()
	outer := x.scope
	x.scope = d
	x.traits[d].fixed = true
	x.open()
	if e.Members != nil {
		x.bodyAt(d, e.Members.Pos()-1)
		for _, m := range e.Members.Nodes {
			id, start := x.memberName(m.Name())
			if id == 0 {
				continue
			}
			member := x.define(id, code.KindEnumMember, x.spanOf(m), start, flagsOf(m)&code.DefAmbient|code.DefReadonly)
			x.declared[m] = member
			x.bind(id, asValue|asType, toDef, int32(member))
		}
		for _, m := range e.Members.Nodes {
			x.computed(m.Name())
			if init := m.AsEnumMember().Initializer; init != nil {
				if member, ok := x.declared[m]; ok {
					x.doc.Defs[member].BodyStart = x.equals(init, member)
					x.scope = member
				}
				x.expr(init, code.RoleRead, false)
				x.scope = d
			}
		}
	}
	x.close()
	x.scope = outer
}

// space reads a namespace or module block that is definition d.
func (x *Extractor) space(n *node, d code.DefID) {
	if !x.enter() {
		return
	}
	defer x.leave()
	m := n.AsModuleDeclaration()
	outer, wasInner := x.scope, x.inner
	who := x.receiver()
	x.setReceiver(nobody)
	siblings := x.spaces[memberKey{x.scope, x.doc.Defs[d].Name}]
	x.scope, x.inner = d, false
	x.traits[d].fixed = true
	x.open()
	for _, other := range siblings {
		if other != n {
			x.borrow(other, d)
		}
	}
	if body := m.Body; body != nil {
		if at := x.start(body); at > x.doc.Defs[d].Start && at <= x.doc.Defs[d].End {
			x.doc.Defs[d].BodyStart = at
		}
		x.open()
		if body.Kind == syntax.KindModuleDeclaration {
			x.hoistSpace(body)
			if inner, ok := x.declared[body]; ok {
				x.space(body, inner)
			}
		} else if body.Kind == syntax.KindModuleBlock {
			statements := body.AsModuleBlock().Statements.Nodes
			x.hoist(statements, false)
			if x.hasVar {
				x.hoistVars(statements)
			}
			x.statements(statements)
		}
		x.close()
	}
	x.close()
	x.scope, x.inner = outer, wasInner
	x.setReceiver(who)
}

// borrow makes the exported names of another block of the same namespace visible.
func (x *Extractor) borrow(other *node, d code.DefID) {
	body := other.AsModuleDeclaration().Body
	if body == nil || body.Kind != syntax.KindModuleBlock {
		return
	}
	ambient := other.Flags&syntax.NodeFlagsAmbient != 0
	bind := func(name *node) {
		if id, _ := x.spelled(name); id != 0 {
			b := x.bind(id, asAll, toExpr, 0)
			x.bindings[b].expr = x.builder.Member(x.defExpr(d), x.named(id))
		}
	}
	for _, s := range body.AsModuleBlock().Statements.Nodes {
		if s.ModifierFlags()&syntax.ModifierFlagsExport == 0 && !ambient {
			continue
		}
		switch s.Kind {
		case syntax.KindVariableStatement:
			for _, v := range s.AsVariableStatement().DeclarationList.AsVariableDeclarationList().Declarations.Nodes {
				bind(v.Name())
			}
		case syntax.KindFunctionDeclaration, syntax.KindClassDeclaration, syntax.KindInterfaceDeclaration, syntax.KindTypeAliasDeclaration, syntax.KindEnumDeclaration, syntax.KindModuleDeclaration:
			bind(s.Name())
		}
	}
}
