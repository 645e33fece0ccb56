package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// stop says whether the deadline is over; it looks at the clock now and then.
func (x *Extractor) stop() bool {
	if x.ticks++; x.ticks&255 == 0 {
		select {
		case <-x.done:
			x.stopped = true
		default:
		}
	}
	return x.stopped
}

// statements reads a list of statements whose names are declared.
func (x *Extractor) statements(list []*node) {
	mark := len(x.narrowed)
	for _, n := range list {
		if x.stop() {
			break
		}
		x.statement(n)
		// if (!(a instanceof A)) return; leaves a an A for the rest of the list.
		if n.Kind == syntax.KindIfStatement {
			if i := n.AsIfStatement(); i.ElseStatement == nil && leaves(i.ThenStatement) {
				x.narrowIf(i.Expression, false)
			}
		}
	}
	x.narrowed = x.narrowed[:mark]
}

// leaves says whether a statement never lets control go on behind it.
func leaves(n *node) bool {
	switch n.Kind {
	case syntax.KindReturnStatement, syntax.KindThrowStatement, syntax.KindContinueStatement, syntax.KindBreakStatement:
		return true
	case syntax.KindBlock:
		if s := n.AsBlock().Statements.Nodes; len(s) > 0 {
			return leaves(s[len(s)-1])
		}
	}
	return false
}

// statement reads one statement.
func (x *Extractor) statement(n *node) {
	if n == nil || !x.enter() {
		return
	}
	defer x.leave()
	switch n.Kind {
	case syntax.KindExpressionStatement:
		x.expressionStatement(n)
	case syntax.KindVariableStatement:
		x.variables(n.AsVariableStatement().DeclarationList, 0)
	case syntax.KindReturnStatement:
		x.returnStatement(n.AsReturnStatement().Expression)
	case syntax.KindIfStatement:
		x.ifStatement(n, false)
	case syntax.KindBlock:
		x.block(n)
	case syntax.KindFunctionDeclaration:
		if d, ok := x.declared[n]; ok {
			x.functionDefinition(n, d, 0)
		} else if n.Flags&syntax.NodeFlagsReparsed == 0 {
			x.closureParts(n)
		}
	case syntax.KindClassDeclaration:
		if d, ok := x.declared[n]; ok {
			x.class(n, d)
		} else {
			x.classExpression(n)
		}
	case syntax.KindInterfaceDeclaration:
		if d, ok := x.declared[n]; ok {
			x.interfaceOf(n, d)
		}
	case syntax.KindTypeAliasDeclaration, syntax.KindJSTypeAliasDeclaration:
		if d, ok := x.declared[n]; ok {
			x.alias(n, d)
		}
	case syntax.KindEnumDeclaration:
		if d, ok := x.declared[n]; ok {
			x.enum(n, d)
		}
	case syntax.KindModuleDeclaration:
		if d, ok := x.declared[n]; ok {
			x.space(n, d)
		}
	case syntax.KindImportEqualsDeclaration:
		x.importEquals(n)
	case syntax.KindExportDeclaration:
		x.exportDeclaration(n)
	case syntax.KindExportAssignment:
		x.exportAssignment(n)
	case syntax.KindForStatement:
		x.forStatement(n)
	case syntax.KindForInStatement, syntax.KindForOfStatement:
		x.forEach(n)
	case syntax.KindWhileStatement:
		w := n.AsWhileStatement()
		x.expr(w.Expression, code.RoleRead, false)
		mark := len(x.narrowed)
		x.narrowIf(w.Expression, true)
		x.loop(w.Statement)
		x.narrowed = x.narrowed[:mark]
	case syntax.KindDoStatement:
		d := n.AsDoStatement()
		x.loop(d.Statement)
		x.expr(d.Expression, code.RoleRead, false)
	case syntax.KindSwitchStatement:
		x.switchStatement(n)
	case syntax.KindTryStatement:
		x.tryStatement(n)
	case syntax.KindThrowStatement:
		x.expr(n.AsThrowStatement().Expression, code.RoleRead, false)
	case syntax.KindLabeledStatement:
		x.statement(n.AsLabeledStatement().Statement)
	case syntax.KindBreakStatement:
		if n.AsBreakStatement().Label != nil {
			x.measure.cognitive++
		}
	case syntax.KindContinueStatement:
		if n.AsContinueStatement().Label != nil {
			x.measure.cognitive++
		}
	case syntax.KindWithStatement:
		w := n.AsWithStatement()
		x.doc.Flags |= code.DocDynamic
		x.expr(w.Expression, code.RoleRead, false)
		x.statement(w.Statement)
	}
}

func (x *Extractor) returnStatement(e *node) {
	if e == nil {
		return
	}
	if a := peel(e); a != nil && a.Kind == syntax.KindArrayLiteralExpression && !x.function.annotated && e == a {
		// What hooks return is taken apart by position.
		x.returned(x.tuple(a))
		return
	}
	x.expecting(e, x.function.expected)
	x.returned(x.expr(e, code.RoleRead, !x.function.annotated))
}

// block reads a block in a scope of its own.
func (x *Extractor) block(n *node) {
	statements := n.AsBlock().Statements.Nodes
	wasInner, where := x.inner, x.atTop()
	x.inner = true
	if where {
		x.nested++
	}
	x.open()
	x.hoist(statements, true)
	x.statements(statements)
	x.close()
	if where {
		x.nested--
	}
	x.inner = wasInner
}

// atTop says whether the place is at the top of the file, where definitions have no parent.
func (x *Extractor) atTop() bool { return x.scope == code.NoDef }

func (x *Extractor) ifStatement(n *node, elseIf bool) {
	i := n.AsIfStatement()
	x.expr(i.Expression, code.RoleRead, false)
	if elseIf {
		x.measure.branches++
		x.measure.cognitive++
	} else {
		x.branch()
	}
	mark := len(x.narrowed)
	x.measure.nesting++
	x.narrowIf(i.Expression, true)
	x.statement(i.ThenStatement)
	x.narrowed = x.narrowed[:mark]
	x.measure.nesting--
	if e := i.ElseStatement; e != nil {
		x.narrowIf(i.Expression, false)
		if e.Kind == syntax.KindIfStatement {
			if x.enter() {
				x.ifStatement(e, true)
				x.leave()
			}
		} else {
			x.measure.cognitive++
			x.measure.nesting++
			x.statement(e)
			x.measure.nesting--
		}
		x.narrowed = x.narrowed[:mark]
	}
}

// loop counts a loop and reads its body.
func (x *Extractor) loop(body *node) {
	x.branch()
	x.measure.nesting++
	x.statement(body)
	x.measure.nesting--
}

// head reads the declarations in the head of a loop, in the scope of the loop.
func (x *Extractor) loopHead(init *node, source code.ExprID) {
	switch {
	case init == nil:
	case init.Kind == syntax.KindVariableDeclarationList:
		if init.Flags&blockScoped != 0 {
			wasInner := x.inner
			x.inner = true
			x.hoistVariables(init, nil)
			x.variables(init, source)
			x.inner = wasInner
			return
		}
		x.variables(init, source)
	case source != 0 || isTarget(init):
		x.assign(init, source)
	default:
		x.expr(init, code.RoleRead, false)
	}
}

func isTarget(n *node) bool {
	return n.Kind == syntax.KindObjectLiteralExpression || n.Kind == syntax.KindArrayLiteralExpression
}

func (x *Extractor) forStatement(n *node) {
	f := n.AsForStatement()
	x.open()
	if init := f.Initializer; init != nil && init.Kind != syntax.KindVariableDeclarationList {
		x.expr(init, code.RoleRead, false)
	} else {
		x.loopHead(init, 0)
	}
	x.expr(f.Condition, code.RoleRead, false)
	x.expr(f.Incrementor, code.RoleRead, false)
	x.loop(f.Statement)
	x.close()
}

func (x *Extractor) forEach(n *node) {
	f := n.AsForInOrOfStatement()
	x.open()
	// The names in the head are not yet there for what is iterated, but stand before it.
	var source code.ExprID
	of := n.Kind == syntax.KindForOfStatement
	value := x.expr(f.Expression, code.RoleRead, of)
	if of {
		if f.AwaitModifier != nil {
			value = x.builder.Unary(code.OpIter, value)
			source = x.builder.Unary(code.OpAwait, value)
		} else {
			source = x.builder.Unary(code.OpIter, value)
		}
	} else {
		source = x.literal(litString)
	}
	if init := f.Initializer; init != nil && init.Kind != syntax.KindVariableDeclarationList {
		x.assign(init, source)
	} else {
		x.loopHead(init, source)
	}
	x.loop(f.Statement)
	x.close()
}

func (x *Extractor) switchStatement(n *node) {
	s := n.AsSwitchStatement()
	x.expr(s.Expression, code.RoleRead, false)
	x.measure.cognitive += 1 + x.measure.nesting
	x.measure.nesting++
	wasInner, top := x.inner, x.atTop()
	x.inner = true
	if top {
		x.nested++
	}
	x.open()
	clauses := s.CaseBlock.AsCaseBlock().Clauses.Nodes
	for _, c := range clauses {
		x.hoist(c.AsCaseOrDefaultClause().Statements.Nodes, true)
	}
	for _, c := range clauses {
		clause := c.AsCaseOrDefaultClause()
		if c.Kind == syntax.KindCaseClause {
			x.measure.branches++
			x.expr(clause.Expression, code.RoleRead, false)
		}
		x.statements(clause.Statements.Nodes)
	}
	x.close()
	if top {
		x.nested--
	}
	x.inner = wasInner
	x.measure.nesting--
}

func (x *Extractor) tryStatement(n *node) {
	t := n.AsTryStatement()
	x.guarded++
	x.statement(t.TryBlock)
	x.guarded--
	if t.CatchClause != nil {
		c := t.CatchClause.AsCatchClause()
		x.branch()
		x.measure.nesting++
		x.open()
		if v := c.VariableDeclaration; v != nil {
			d := v.AsVariableDeclaration()
			x.declarePattern(d.Name(), code.KindVariable)
			if d.Name() != nil {
				if isPattern(d.Name()) {
					x.pattern(d.Name(), x.of(x.typ(d.Type)))
				} else if id, _ := x.spelled(d.Name()); id != 0 && d.Type != nil {
					x.annotate(x.find(id, inValues), x.of(x.typ(d.Type)))
				}
			}
		}
		x.statement(c.Block)
		x.close()
		x.measure.nesting--
	}
	x.statement(t.FinallyBlock)
}
