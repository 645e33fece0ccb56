package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// hoist declares what a list of statements declares in the innermost scope. In
// the list of a block, var declarations belong to the function around it.
func (x *Extractor) hoist(statements []*node, block bool) {
	for i, n := range statements {
		x.hoistStatement(statements, i, n, block)
	}
}

func (x *Extractor) hoistStatement(list []*node, i int, n *node, block bool) {
	switch n.Kind {
	case syntax.KindFunctionDeclaration:
		x.hoistFunction(list, i, n)
	case syntax.KindClassDeclaration:
		x.hoistType(n, code.KindClass, asValue|asType)
	case syntax.KindInterfaceDeclaration:
		x.hoistType(n, code.KindInterface, asType)
	case syntax.KindTypeAliasDeclaration, syntax.KindJSTypeAliasDeclaration:
		x.hoistType(n, code.KindType, asType)
	case syntax.KindEnumDeclaration:
		x.hoistType(n, code.KindEnum, asAll)
	case syntax.KindModuleDeclaration:
		x.hoistSpace(n)
	case syntax.KindVariableStatement:
		if l := n.AsVariableStatement().DeclarationList; !block || l.Flags&blockScoped != 0 {
			x.hoistVariables(l, n)
		}
	case syntax.KindImportDeclaration, syntax.KindJSImportDeclaration:
		x.hoistImport(n)
	case syntax.KindImportEqualsDeclaration:
		x.hoistImportEquals(n)
	case syntax.KindLabeledStatement:
		x.hoistStatement(list, i, n.AsLabeledStatement().Statement, block)
	case syntax.KindExpressionStatement:
		x.hoistAssignment(n)
	}
}

// span is the range of a declaration and of what documents it.
type span struct {
	start, end uint32
	docStart   uint32
	docEnd     uint32
}

// spanOf measures a declaration: from its first token that is no decorator to its end.
func (x *Extractor) spanOf(n *node) span {
	s := span{end: x.end(n)}
	from := n.Pos()
	if m := n.Modifiers(); m != nil && m.ModifierFlags&syntax.ModifierFlagsDecorator != 0 {
		for _, d := range m.Nodes {
			if d.Kind != syntax.KindDecorator {
				break
			}
			from = d.End()
		}
	}
	s.start = min(x.clamp(x.text.Token(from)), s.end)
	s.docStart, s.docEnd = x.comment(n, min(s.start, x.start(n)))
	if s.docStart == s.docEnd && from != n.Pos() { // between the decorators and the declaration
		s.docStart, s.docEnd = x.commentIn(uint32(from), s.start)
	}
	return s
}

// define adds a definition at the place at hand.
func (x *Extractor) define(id symID, kind code.Kind, s span, nameStart uint32, flags code.DefFlags) code.DefID {
	if x.scope == code.NoDef && x.nested > 0 {
		flags |= code.DefFileLocal
	}
	d := code.Def{
		Name: x.named(id), Kind: kind, Flags: flags, Parent: x.scope,
		Start: s.start, End: s.end, NameStart: nameStart, DocStart: s.docStart, DocEnd: s.docEnd,
	}
	if s.docEnd > s.docStart && deprecates(string(x.text[s.docStart:s.docEnd])) {
		d.Flags |= code.DefDeprecated
	}
	x.traits = append(x.traits, trait{})
	return x.builder.AddDef(d)
}

// flagsOf turns modifiers into flags.
func flagsOf(n *node) code.DefFlags {
	var f code.DefFlags
	m := n.ModifierFlags()
	for _, p := range [...]struct {
		modifier syntax.ModifierFlags
		flag     code.DefFlags
	}{
		{syntax.ModifierFlagsPrivate, code.DefPrivate}, {syntax.ModifierFlagsProtected, code.DefProtected}, {syntax.ModifierFlagsStatic, code.DefStatic},
		{syntax.ModifierFlagsReadonly, code.DefReadonly}, {syntax.ModifierFlagsAbstract, code.DefAbstract}, {syntax.ModifierFlagsAsync, code.DefAsync},
		{syntax.ModifierFlagsDefault, code.DefDefault}, {syntax.ModifierFlagsDecorator, code.DefDecorated}, {syntax.ModifierFlagsExport, code.DefExported},
	} {
		if m&p.modifier != 0 {
			f |= p.flag
		}
	}
	if n.Flags&syntax.NodeFlagsAmbient != 0 || m&syntax.ModifierFlagsAmbient != 0 {
		f |= code.DefAmbient
	}
	return f
}

// nameOrDefault is the name of a declaration; one without a name is the default
// export, named "default" after the keyword.
func (x *Extractor) nameOrDefault(n, name *node, s span) (id symID, start uint32, flags code.DefFlags) {
	if id, start = x.spelled(name); id != 0 {
		return id, start, 0
	}
	if n.ModifierFlags()&syntax.ModifierFlagsDefault == 0 {
		return 0, 0, 0
	}
	start = s.start
	for _, m := range n.ModifierNodes() {
		if m.Kind == syntax.KindDefaultKeyword {
			start = x.start(m)
		}
	}
	return x.fixed(fixedDefault), start, code.DefNoName
}

// exportOf records the export that a modifier makes of a top-level definition.
func (x *Extractor) exportOf(flags code.DefFlags, name code.NameID, start uint32, e code.ExprID) {
	if flags&code.DefExported == 0 || x.scope != code.NoDef || x.inner || x.nested > 0 {
		return
	}
	if flags&code.DefDefault != 0 {
		name = x.named(x.fixed(fixedDefault))
	}
	x.builder.AddExport(code.Export{Name: name, Expr: e, Import: -1, Start: start})
}

func (x *Extractor) defExpr(d code.DefID) code.ExprID {
	return x.builder.Expr(code.OpDef, int32(d), 0)
}

func (x *Extractor) hoistFunction(list []*node, i int, n *node) {
	if n.Flags&syntax.NodeFlagsReparsed != 0 {
		return // an @overload of a JSDoc comment: its name is that of the function behind it
	}
	f := n.AsFunctionDeclaration()
	s := x.spanOf(n)
	id, start, more := x.nameOrDefault(n, f.Name(), s)
	if id == 0 {
		return
	}
	flags := flagsOf(n) | more
	if f.AsteriskToken != nil {
		flags |= code.DefGenerator
	}
	if f.Body == nil && flags&code.DefAmbient == 0 && implemented(list, i, f.Name()) {
		flags |= code.DefOverload
	}
	kind := code.KindFunction
	means := asValue
	if x.isPrototype(x.named(id)) {
		kind, means = code.KindClass, asValue|asType
	}
	d := x.define(id, kind, s, start, flags)
	x.declared[n] = d
	if more&code.DefNoName == 0 {
		// The implementation stands for its overloads; without one, the first declaration for all.
		if old := x.here(id, inValues); old == 0 || f.Body != nil {
			x.bind(id, means, toDef, int32(d))
		}
	}
	if flags&code.DefOverload == 0 {
		x.exportOf(flags, x.named(id), start, x.defExpr(d))
	}
}

// implemented says whether one of the function declarations that follow number i has its name and a body.
func implemented(list []*node, i int, name *node) bool {
	for _, n := range list[i+1:] {
		if n.Kind != syntax.KindFunctionDeclaration {
			return false
		}
		f := n.AsFunctionDeclaration()
		if n.Flags&syntax.NodeFlagsReparsed != 0 {
			continue
		}
		if (f.Name() == nil) != (name == nil) || name != nil && f.Name().Text() != name.Text() {
			return false
		}
		if f.Body != nil {
			return true
		}
	}
	return false
}

func (x *Extractor) hoistType(n *node, kind code.Kind, means meaning) {
	s := x.spanOf(n)
	id, start, more := x.nameOrDefault(n, n.Name(), s)
	if id == 0 {
		return
	}
	flags := flagsOf(n) | more
	d := x.define(id, kind, s, start, flags)
	x.declared[n] = d
	if more&code.DefNoName == 0 {
		// Of merged declarations the first stands for all, and a class before interfaces.
		if old := x.here(id, inTypes); old == 0 || kind == code.KindClass {
			x.bind(id, means, toDef, int32(d))
		} else if means&asValue != 0 && x.here(id, inValues) == 0 {
			x.bind(id, asValue, toDef, int32(d))
		}
	}
	x.exportOf(flags, x.named(id), start, x.defExpr(d))
}

func (x *Extractor) hoistSpace(n *node) {
	m := n.AsModuleDeclaration()
	name := m.Name()
	s := x.spanOf(n)
	var id symID
	var start uint32
	flags := flagsOf(n)
	quoted := name != nil && name.Kind == syntax.KindStringLiteral
	if quoted {
		id, start = x.quoted(name)
		flags |= code.DefAmbient
	} else {
		id, start = x.spelled(name)
	}
	if id == 0 {
		return
	}
	d := x.define(id, code.KindNamespace, s, start, flags)
	x.declared[n] = d
	if quoted || m.Keyword == syntax.KindGlobalKeyword {
		return
	}
	if x.here(id, inSpaces) == 0 {
		means := asSpace
		if x.here(id, inValues) == 0 {
			means |= asValue
		}
		x.bind(id, means, toDef, int32(d))
	}
	k := memberKey{x.scope, x.named(id)}
	x.spaces[k] = append(x.spaces[k], n)
	x.exportOf(flags, x.named(id), start, x.defExpr(d))
}

// quoted is the text of a string literal, as it is written, and where it begins.
func (x *Extractor) quoted(n *node) (symID, uint32) {
	start, end := int(x.start(n))+1, n.End()
	if end > start && (x.text[end-1] == '"' || x.text[end-1] == '\'' || x.text[end-1] == '`') {
		end--
	}
	if start >= end || end > len(x.text) {
		return 0, 0
	}
	return x.lookup(string(x.text[start:end])), uint32(start)
}

// fixed names are asked for so often that their symbols are kept.
const (
	fixedDefault = iota
	fixedEquals
	fixedStar
	fixedThis
	fixedConstructor
	fixedPromise
	fixedObject
	fixedArray
	fixedExports
	fixedModule
	fixedRequire
	fixedPrototype
	fixedUndefined
	fixedArguments
	fixedGlobal
	fixedString
	fixedNumber
	fixedBoolean
	fixedClass
	fixedSuper
	numFixed
)

var fixedTexts = [numFixed]string{
	"default", "=", "*", "this", "constructor", "Promise", "Object", "Array", "exports", "module", "require", "prototype", "undefined", "arguments", "global", "string", "number", "boolean", "class", "super",
}

func (x *Extractor) fixed(i int) symID {
	if x.fixedNames[i] == 0 {
		x.fixedNames[i] = x.lookup(fixedTexts[i])
	}
	return x.fixedNames[i]
}

// is says whether a name is a fixed one, without adding it to the file's names.
func (x *Extractor) is(id symID, i int) bool { return x.symbols[id].text == fixedTexts[i] }
