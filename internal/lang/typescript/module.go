package typescript

import (
	"strings"

	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// specifier is the module that a string literal names, and where its text stands.
func (x *Extractor) specifier(n *node) (name code.NameID, start, end uint32) {
	if n == nil || n.Kind != syntax.KindStringLiteral && n.Kind != syntax.KindNoSubstitutionTemplateLiteral {
		return 0, 0, 0
	}
	id, start := x.quoted(n)
	if id == 0 {
		return 0, 0, 0
	}
	return x.named(id), start, start + uint32(len(x.symbols[id].text))
}

// addImport adds an import of a module; local is bound to it when it is a name.
func (x *Extractor) addImport(kind code.ImportKind, module *node, name code.NameID, local symID, nameStart uint32, typeOnly bool) (code.ImportID, bool) {
	m, start, end := x.specifier(module)
	if m == 0 {
		return 0, false
	}
	i := x.builder.AddImport(code.Import{
		Kind: kind, TypeOnly: typeOnly, Specifier: m, Name: name, Local: x.named(local), Scope: x.scope, Start: start, End: end, NameStart: nameStart, Optional: x.guarded > 0,
	})
	if local != 0 {
		x.bind(local, asAll, toImport, int32(i))
	}
	return i, true
}

func (x *Extractor) importExpr(i code.ImportID) code.ExprID {
	return x.builder.Expr(code.OpImport, int32(i), 0)
}

// hoistImport declares what an import declaration binds.
func (x *Extractor) hoistImport(n *node) {
	d := n.AsImportDeclaration()
	if d.ImportClause == nil {
		x.addImport(code.ImportSideEffect, d.ModuleSpecifier, 0, 0, 0, false)
		return
	}
	clause := d.ImportClause.AsImportClause()
	typeOnly := clause.PhaseModifier == syntax.KindTypeKeyword
	if id, start := x.spelled(clause.Name()); id != 0 {
		x.bindImport(code.ImportNamed, d.ModuleSpecifier, x.fixed(fixedDefault), id, start, id, start, typeOnly)
	}
	bindings := clause.NamedBindings
	if bindings == nil {
		return
	}
	if bindings.Kind == syntax.KindNamespaceImport {
		if id, start := x.spelled(bindings.AsNamespaceImport().Name()); id != 0 {
			x.bindImport(code.ImportModule, d.ModuleSpecifier, 0, id, start, id, start, typeOnly)
		}
		return
	}
	elements := bindings.AsNamedImports().Elements.Nodes
	if len(elements) == 0 && clause.Name() == nil {
		x.addImport(code.ImportSideEffect, d.ModuleSpecifier, 0, 0, 0, typeOnly)
	}
	for _, e := range elements {
		s := e.AsImportSpecifier()
		local, start := x.spelled(s.Name())
		if local == 0 {
			continue
		}
		written, writtenStart := local, start
		if s.PropertyName != nil {
			if written, writtenStart = x.propertyName(s.PropertyName); written == 0 {
				continue
			}
		}
		x.bindImport(code.ImportNamed, d.ModuleSpecifier, written, local, start, written, writtenStart, typeOnly || s.IsTypeOnly)
	}
}

// bindImport adds an import and the use of the name that is written in its clause.
func (x *Extractor) bindImport(kind code.ImportKind, module *node, name, local symID, localStart uint32, written symID, writtenStart uint32, typeOnly bool) {
	i, ok := x.addImport(kind, module, x.named(name), local, localStart, typeOnly)
	if !ok {
		x.bind(local, asAll, toNothing, 0)
		return
	}
	x.use(x.named(written), writtenStart, code.RoleImport, x.importExpr(i))
}

// hoistImportEquals declares import a = require("b") and import a = b.c.
func (x *Extractor) hoistImportEquals(n *node) {
	e := n.AsImportEqualsDeclaration()
	id, start := x.spelled(e.Name())
	if id == 0 {
		return
	}
	flags := flagsOf(n)
	if r := e.ModuleReference; r != nil && r.Kind == syntax.KindExternalModuleReference {
		x.bindImport(code.ImportModule, r.AsExternalModuleReference().Expression, 0, id, start, id, start, e.IsTypeOnly)
		if b := &x.bindings[x.find(id, inValues)]; b.to == toImport {
			x.exportOf(flags, x.named(id), start, x.importExpr(code.ImportID(b.id)))
		}
		return
	}
	d := x.define(id, code.KindConstant, x.spanOf(n), start, flags)
	x.declared[n] = d
	x.bind(id, asAll, toExpr, 0)
}

// importEquals reads the name behind import a = b.c.
func (x *Extractor) importEquals(n *node) {
	e := n.AsImportEqualsDeclaration()
	d, ok := x.declared[n]
	if !ok || e.ModuleReference == nil {
		return
	}
	id, start := x.spelled(e.Name())
	outer := x.scope
	x.scope = d
	target := x.spaceEntity(e.ModuleReference)
	x.scope = outer
	x.doc.Defs[d].Type = target
	x.traits[d].fixed = true
	if b := x.here(id, inValues); b != 0 && x.bindings[b].to == toExpr {
		x.bindings[b].expr = target
	}
	x.exportOf(x.doc.Defs[d].Flags, x.named(id), start, target)
}

// exportDeclaration reads export {a as b}, export {a} from "b" and export * from "b".
func (x *Extractor) exportDeclaration(n *node) {
	d := n.AsExportDeclaration()
	top := x.scope == code.NoDef
	clause := d.ExportClause
	star := x.named(x.fixed(fixedStar))
	switch {
	case clause == nil:
		i, ok := x.addImport(code.ImportReexport, d.ModuleSpecifier, star, 0, 0, d.IsTypeOnly)
		if ok && top {
			x.builder.AddExport(code.Export{Name: star, Import: i, Start: x.start(n)})
		}
	case clause.Kind == syntax.KindNamespaceExport:
		id, start := x.propertyName(clause.AsNamespaceExport().Name())
		i, ok := x.addImport(code.ImportReexport, d.ModuleSpecifier, star, 0, start, d.IsTypeOnly)
		if ok && top && id != 0 {
			x.builder.AddExport(code.Export{Name: x.named(id), Expr: x.importExpr(i), Import: -1, Start: start})
		}
	default:
		elements := clause.AsNamedExports().Elements.Nodes
		if len(elements) == 0 && d.ModuleSpecifier != nil {
			x.addImport(code.ImportSideEffect, d.ModuleSpecifier, 0, 0, 0, d.IsTypeOnly)
		}
		for _, e := range elements {
			x.exportSpecifier(e, d.ModuleSpecifier, d.IsTypeOnly, top)
		}
	}
}

func (x *Extractor) exportSpecifier(n, module *node, typeOnly, top bool) {
	s := n.AsExportSpecifier()
	exported, exportedStart := x.propertyName(s.Name())
	if exported == 0 {
		return
	}
	local, start := exported, exportedStart
	if s.PropertyName != nil {
		if local, start = x.propertyName(s.PropertyName); local == 0 {
			return
		}
	}
	var e code.ExprID
	if module != nil {
		i, ok := x.addImport(code.ImportReexport, module, x.named(local), 0, start, typeOnly || s.IsTypeOnly)
		if !ok {
			return
		}
		e = x.importExpr(i)
	} else {
		e = x.anything(local)
		x.markExported(e)
	}
	x.use(x.named(local), start, code.RoleImport, e)
	if top {
		x.builder.AddExport(code.Export{Name: x.named(exported), Expr: e, Import: -1, Start: exportedStart})
	}
}

// anything is what a name denotes in whatever meaning it has.
func (x *Extractor) anything(id symID) code.ExprID {
	for p := range uint8(numMeanings) {
		if b := x.find(id, p); b != 0 {
			return x.denotes(b)
		}
	}
	return x.builder.Expr(code.OpName, int32(x.named(id)), 0)
}

func (x *Extractor) markExported(e code.ExprID) {
	if d := x.doc.Exprs[e]; d.Op == code.OpDef {
		x.doc.Defs[d.A].Flags |= code.DefExported
	}
}

// exportAssignment reads export default x and export = x.
func (x *Extractor) exportAssignment(n *node) {
	a := n.AsExportAssignment()
	t := x.typ(a.Type)
	export := x.fixed(fixedDefault)
	if a.IsExportEquals {
		export = x.fixed(fixedEquals)
	}
	inner := peel(a.Expression)
	if inner == nil {
		return
	}
	if inner.Kind == syntax.KindIdentifier {
		x.assertions(a.Expression)
		id, start := x.spelled(inner)
		if id == 0 {
			return
		}
		e := x.anything(id)
		x.use(x.named(id), start, code.RoleImport, e)
		x.markExported(e)
		x.addDefault(export, e, start)
		return
	}
	if a.IsExportEquals {
		x.addDefault(export, x.expr(a.Expression, code.RoleRead, true), x.start(n))
		return
	}
	x.defaultExpression(n, a.Expression, inner, t)
}

func (x *Extractor) addDefault(export symID, e code.ExprID, start uint32) {
	if x.scope == code.NoDef && e != 0 {
		x.builder.AddExport(code.Export{Name: x.named(export), Expr: e, Import: -1, Start: start})
	}
}

// defaultExpression makes a definition of export default <expression>.
func (x *Extractor) defaultExpression(n, e, inner *node, t code.ExprID) {
	s := x.spanOf(n)
	start := x.clamp(x.text.Token(int(s.start) + len("export")))
	if !strings.HasPrefix(string(x.text[start:]), "default") || start > s.end {
		start = s.start
	}
	flags := code.DefExported | code.DefDefault | code.DefNoName
	kind := code.KindConstant
	switch literalKind(inner) {
	case code.KindFunction:
		kind = code.KindFunction
		flags |= flagsOf(inner) & code.DefAsync
	case code.KindClass:
		kind = code.KindClass
	}
	d := x.define(x.fixed(fixedDefault), kind, s, start, flags)
	x.exportOf(flags, 0, start, x.defExpr(d))
	outer := x.scope
	x.scope = d
	x.assertions(e)
	switch {
	case kind == code.KindFunction:
		x.functionDefinition(inner, d, t)
	case kind == code.KindClass:
		x.class(inner, d)
	case inner.Kind == syntax.KindObjectLiteralExpression:
		x.mergeDef(d, x.objectMembers(inner, d))
	default:
		saved := x.measure
		x.measure = measure{}
		v := x.expr(inner, code.RoleRead, true)
		if t != 0 {
			v = x.of(t)
		}
		x.mergeDef(d, v)
		x.measured(d, x.measure.closure)
		x.measure = saved
	}
	x.scope = outer
}

// dynamicImport reads import("x"): a Promise of the module.
func (x *Extractor) dynamicImport(c *syntax.CallExpression) code.ExprID {
	if c.Arguments == nil || len(c.Arguments.Nodes) == 0 {
		return 0
	}
	if i, ok := x.addImport(code.ImportDynamic, c.Arguments.Nodes[0], 0, 0, 0, false); ok {
		for _, a := range c.Arguments.Nodes[1:] {
			x.expr(a, code.RoleRead, false)
		}
		return x.promise(x.importExpr(i))
	}
	x.arguments(c.Arguments, passing{})
	return 0
}

// importType reads import("x").A<B>.
func (x *Extractor) importType(n *node) code.ExprID {
	t := n.AsImportTypeNode()
	var e code.ExprID
	if a := t.Argument; a != nil && a.Kind == syntax.KindLiteralType {
		if i, ok := x.addImport(code.ImportType, a.AsLiteralTypeNode().Literal, 0, 0, 0, true); ok {
			e = x.importExpr(i)
		}
	}
	e = x.qualify(e, t.Qualifier, code.RoleType)
	args := x.typeList(t.TypeArguments)
	if t.IsTypeOf || t.Qualifier == nil {
		return x.typeOf(e)
	}
	return x.applied(e, args)
}

// qualify reads the names behind import("x").
func (x *Extractor) qualify(e code.ExprID, n *node, role code.Role) code.ExprID {
	if n == nil || !x.enter() {
		return e
	}
	defer x.leave()
	if n.Kind == syntax.KindQualifiedName {
		q := n.AsQualifiedName()
		e = x.qualify(e, q.Left, code.RoleRead)
		n = q.Right
	}
	id, start := x.spelled(n)
	if id == 0 {
		return 0
	}
	e = x.builder.Member(e, x.named(id))
	x.use(x.named(id), start, role, e)
	return e
}

// references reads the /// <reference> comments. A path is relative to the file,
// whatever it looks like.
func (x *Extractor) references(f *syntax.SourceFile) {
	add := func(name string, start, end int) {
		if name == "" || start < 0 || end > len(x.text) || start > end {
			return
		}
		x.builder.AddImport(code.Import{
			Kind: code.ImportType, TypeOnly: true, Specifier: x.name(name), Scope: code.NoDef, Start: uint32(start), End: uint32(end),
		})
	}
	for _, r := range f.ReferencedFiles {
		name := r.FileName
		if name != "" && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "/") {
			name = "./" + name
		}
		add(name, r.Pos(), r.End())
	}
	for _, r := range f.TypeReferenceDirectives {
		add(r.FileName, r.Pos(), r.End())
	}
}
