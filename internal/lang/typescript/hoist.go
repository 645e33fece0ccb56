package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// hoistVariables declares the names of a declaration list. Its statement is nil in the head of a loop.
func (x *Extractor) hoistVariables(list, statement *node) {
	declarations := list.AsVariableDeclarationList().Declarations.Nodes
	var flags code.DefFlags
	var whole span
	if statement != nil {
		flags = flagsOf(statement)
		if !x.inner || holdsDefinition(declarations) {
			whole = x.spanOf(statement)
		}
	}
	constant := list.Flags&(syntax.NodeFlagsConst|syntax.NodeFlagsUsing) != 0
	for i, n := range declarations {
		d := n.AsVariableDeclaration()
		s := span{start: x.start(n), end: x.end(n)}
		if statement != nil && i == 0 {
			s.start, s.docStart, s.docEnd = whole.start, whole.docStart, whole.docEnd
			if len(declarations) == 1 {
				s.end = whole.end
			}
		} else if !x.inner {
			s.docStart, s.docEnd = x.commentIn(uint32(n.Pos()), s.start)
		}
		x.hoistVariable(d.Name(), n, s, flags, constant)
	}
}

// holdsDefinition says whether a local declaration makes definitions: of functions and classes.
func holdsDefinition(declarations []*node) bool {
	for _, n := range declarations {
		if k := literalKind(n.AsVariableDeclaration().Initializer); k != code.KindUnknown {
			return true
		}
	}
	return false
}

// peel takes parentheses, type assertions and the like off an expression.
func peel(n *node) *node {
	for n != nil {
		switch n.Kind {
		case syntax.KindParenthesizedExpression, syntax.KindNonNullExpression, syntax.KindAsExpression, syntax.KindSatisfiesExpression, syntax.KindTypeAssertionExpression:
			n = n.Expression()
		default:
			return n
		}
	}
	return nil
}

// literalKind says what a variable is that is initialised with a function or class.
func literalKind(init *node) code.Kind {
	if init = peel(init); init != nil {
		switch init.Kind {
		case syntax.KindArrowFunction, syntax.KindFunctionExpression:
			return code.KindFunction
		case syntax.KindClassExpression:
			return code.KindClass
		}
	}
	return code.KindUnknown
}

// hoistVariable declares the names of one declaration.
func (x *Extractor) hoistVariable(name, declaration *node, s span, flags code.DefFlags, constant bool) {
	d := declaration.AsVariableDeclaration()
	if name != nil && name.Kind != syntax.KindIdentifier {
		if x.requirePattern(name, d.Initializer, flags) {
			return
		}
		if !isPattern(name) || !x.enter() {
			return
		}
		for _, e := range name.AsBindingPattern().Elements.Nodes {
			if e.Kind == syntax.KindBindingElement {
				x.hoistElement(e.AsBindingElement().Name(), s, flags, constant)
			}
		}
		x.leave()
		return
	}
	id, start := x.spelled(name)
	if id == 0 || x.requireName(id, start, d.Initializer, flags) {
		return
	}
	kind := literalKind(d.Initializer)
	if kind == code.KindUnknown || d.Type != nil && kind == code.KindClass {
		x.hoistName(id, start, s, flags, constant)
		return
	}
	init := peel(d.Initializer)
	means := asValue
	if kind == code.KindClass || x.isPrototype(x.named(id)) {
		kind, means = code.KindClass, asValue|asType
	} else {
		flags |= flagsOf(init) & code.DefAsync
		if init.BodyData().AsteriskToken != nil {
			flags |= code.DefGenerator
		}
	}
	if x.here(id, inValues) != 0 { // declared again: the first stays
		return
	}
	def := x.define(id, kind, s, start, flags)
	x.traits[def].fixed = true
	if init.Kind == syntax.KindFunctionExpression || init.Kind == syntax.KindArrowFunction || init.Kind == syntax.KindClassExpression {
		x.declared[init] = def
	}
	x.bind(id, means, toDef, int32(def))
	x.exportOf(flags, x.named(id), start, x.defExpr(def))
}

// hoistElement declares the names of an element of a binding pattern.
func (x *Extractor) hoistElement(name *node, s span, flags code.DefFlags, constant bool) {
	switch {
	case name == nil:
	case isPattern(name):
		if x.enter() {
			for _, e := range name.AsBindingPattern().Elements.Nodes {
				if e.Kind == syntax.KindBindingElement {
					x.hoistElement(e.AsBindingElement().Name(), s, flags, constant)
				}
			}
			x.leave()
		}
	default:
		if id, start := x.spelled(name); id != 0 {
			x.hoistName(id, start, s, flags, constant)
		}
	}
}

// hoistName declares one variable: a definition at the top, a local elsewhere.
func (x *Extractor) hoistName(id symID, start uint32, s span, flags code.DefFlags, constant bool) {
	if x.here(id, inValues) != 0 { // var twice, or a function of the name: one variable
		return
	}
	kind := code.KindVariable
	if constant {
		kind = code.KindConstant
	}
	if x.inner {
		x.addLocal(id, start, kind, asValue)
		return
	}
	d := x.define(id, kind, s, start, flags)
	x.bind(id, asValue, toDef, int32(d))
	x.exportOf(flags, x.named(id), start, x.defExpr(d))
}

func isPattern(n *node) bool {
	return n.Kind == syntax.KindObjectBindingPattern || n.Kind == syntax.KindArrayBindingPattern
}

// hoistVars declares the var names inside of the nested statements of a function or file.
func (x *Extractor) hoistVars(statements []*node) {
	for _, n := range statements {
		if n.Kind != syntax.KindVariableStatement {
			x.varsIn(n)
		}
	}
}

func (x *Extractor) varsIn(n *node) {
	if n == nil || !x.enter() {
		return
	}
	defer x.leave()
	switch n.Kind {
	case syntax.KindVariableStatement:
		if l := n.AsVariableStatement().DeclarationList; l.Flags&blockScoped == 0 {
			x.hoistVariables(l, n)
		}
	case syntax.KindVariableDeclarationList:
		if n.Flags&blockScoped == 0 {
			x.hoistVariables(n, nil)
		}
	case syntax.KindBlock:
		for _, s := range n.AsBlock().Statements.Nodes {
			x.varsIn(s)
		}
	case syntax.KindIfStatement:
		x.varsIn(n.AsIfStatement().ThenStatement)
		x.varsIn(n.AsIfStatement().ElseStatement)
	case syntax.KindDoStatement:
		x.varsIn(n.AsDoStatement().Statement)
	case syntax.KindWhileStatement:
		x.varsIn(n.AsWhileStatement().Statement)
	case syntax.KindForStatement:
		x.varsIn(n.AsForStatement().Initializer)
		x.varsIn(n.AsForStatement().Statement)
	case syntax.KindForInStatement, syntax.KindForOfStatement:
		x.varsIn(n.AsForInOrOfStatement().Initializer)
		x.varsIn(n.AsForInOrOfStatement().Statement)
	case syntax.KindWithStatement:
		x.varsIn(n.AsWithStatement().Statement)
	case syntax.KindLabeledStatement:
		x.varsIn(n.AsLabeledStatement().Statement)
	case syntax.KindSwitchStatement:
		for _, c := range n.AsSwitchStatement().CaseBlock.AsCaseBlock().Clauses.Nodes {
			for _, s := range c.AsCaseOrDefaultClause().Statements.Nodes {
				x.varsIn(s)
			}
		}
	case syntax.KindTryStatement:
		t := n.AsTryStatement()
		x.varsIn(t.TryBlock)
		if t.CatchClause != nil {
			x.varsIn(t.CatchClause.AsCatchClause().Block)
		}
		x.varsIn(t.FinallyBlock)
	}
}

// declarePattern declares the names of a parameter, a catch clause or the head of a loop as locals.
func (x *Extractor) declarePattern(name *node, kind code.Kind) {
	switch {
	case name == nil:
	case isPattern(name):
		if x.enter() {
			for _, e := range name.AsBindingPattern().Elements.Nodes {
				if e.Kind == syntax.KindBindingElement {
					x.declarePattern(e.AsBindingElement().Name(), kind)
				}
			}
			x.leave()
		}
	default:
		if id, start := x.spelled(name); id != 0 {
			x.addLocal(id, start, kind, asValue)
		}
	}
}
