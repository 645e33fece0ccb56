package golang

import (
	"go/ast"
	"go/token"

	"manito/internal/code"
)

func (x *Extractor) stmts(list []ast.Stmt) {
	for _, s := range list {
		x.stmt(s)
	}
}

// block reads a block with a scope of its own.
func (x *Extractor) block(b *ast.BlockStmt) {
	if b == nil {
		return
	}
	x.symbols.open()
	x.stmts(b.List)
	x.symbols.close()
}

// nested reads the body of a statement that raises the nesting.
func (x *Extractor) nested(b *ast.BlockStmt) {
	x.measure.nesting++
	x.block(b)
	x.measure.nesting--
}

func (x *Extractor) stmt(s ast.Stmt) {
	if x.depth >= maxDepth {
		x.deep = true
		return
	}
	x.depth++
	switch s := s.(type) {
	case *ast.ExprStmt:
		x.value(s.X, false)
	case *ast.AssignStmt:
		x.assign(s)
	case *ast.IfStmt:
		x.ifStmt(s)
	case *ast.ReturnStmt:
		for _, r := range s.Results {
			x.value(r, false)
		}
	case *ast.BlockStmt:
		x.block(s)
	case *ast.DeclStmt:
		if d, ok := s.Decl.(*ast.GenDecl); ok {
			x.localDecl(d)
		}
	case *ast.ForStmt:
		x.measure.branch()
		x.symbols.open()
		if s.Init != nil {
			x.stmt(s.Init)
		}
		x.value(s.Cond, false)
		if s.Post != nil {
			x.stmt(s.Post)
		}
		x.nested(s.Body)
		x.symbols.close()
	case *ast.RangeStmt:
		x.rangeStmt(s)
	case *ast.SwitchStmt:
		x.switchStmt(s)
	case *ast.TypeSwitchStmt:
		x.typeSwitch(s)
	case *ast.SelectStmt:
		x.selectStmt(s)
	case *ast.GoStmt:
		x.call(s.Call, false)
	case *ast.DeferStmt:
		x.call(s.Call, false)
	case *ast.IncDecStmt:
		x.target(s.X, code.RoleReadWrite)
	case *ast.SendStmt:
		x.value(s.Chan, false)
		x.value(s.Value, false)
	case *ast.LabeledStmt:
		x.stmt(s.Stmt)
	case *ast.BranchStmt:
		if s.Label != nil {
			x.measure.cognitive++
		}
	}
	x.depth--
}

// ifStmt reads a chain of if and else if, which may be very long, in a loop.
func (x *Extractor) ifStmt(s *ast.IfStmt) {
	scopes := 0
	x.measure.branch()
	for {
		x.symbols.open()
		scopes++
		if s.Init != nil {
			x.stmt(s.Init)
		}
		x.value(s.Cond, false)
		x.nested(s.Body)
		next, ok := s.Else.(*ast.IfStmt)
		if !ok {
			break
		}
		x.measure.cyclomatic++
		x.measure.cognitive++
		s = next
	}
	if b, ok := s.Else.(*ast.BlockStmt); ok {
		x.measure.cognitive++
		x.nested(b)
	}
	for range scopes {
		x.symbols.close()
	}
}

func (x *Extractor) rangeStmt(s *ast.RangeStmt) {
	x.measure.branch()
	x.symbols.open()
	if s.Tok == token.DEFINE {
		v := x.value(s.X, true)
		key, isName := s.Key.(*ast.Ident)
		if isName && x.written(key) && key.Name != "_" {
			x.bindLocal(key, code.KindVariable, x.key(v))
		}
		value, isName := s.Value.(*ast.Ident)
		if isName && x.written(value) && value.Name != "_" {
			x.bindLocal(value, code.KindVariable, x.elem(v))
		}
	} else {
		x.target(s.Key, code.RoleWrite)
		x.target(s.Value, code.RoleWrite)
		x.value(s.X, false)
	}
	x.nested(s.Body)
	x.symbols.close()
}

func (x *Extractor) switchStmt(s *ast.SwitchStmt) {
	x.measure.cognitive += 1 + x.measure.nesting
	x.symbols.open()
	if s.Init != nil {
		x.stmt(s.Init)
	}
	x.value(s.Tag, false)
	x.measure.nesting++
	for _, c := range clauses(s.Body) {
		if c, ok := c.(*ast.CaseClause); ok {
			x.openClause(c.List != nil)
			for _, e := range c.List {
				x.value(e, false)
			}
			x.stmts(c.Body)
			x.symbols.close()
		}
	}
	x.measure.nesting--
	x.symbols.close()
}

func clauses(b *ast.BlockStmt) []ast.Stmt {
	if b == nil {
		return nil
	}
	return b.List
}

// openClause opens the scope of a clause and counts it, unless it is the default.
func (x *Extractor) openClause(counts bool) {
	if counts {
		x.measure.cyclomatic++
	}
	x.symbols.open()
}

// typeSwitch binds the name of `switch v := x.(type)` anew in each clause: to a
// value of the clause's type when there is one, else to the value switched on.
func (x *Extractor) typeSwitch(s *ast.TypeSwitchStmt) {
	x.measure.cognitive += 1 + x.measure.nesting
	x.symbols.open()
	if s.Init != nil {
		x.stmt(s.Init)
	}
	var name *ast.Ident
	var v code.ExprID
	switch a := s.Assign.(type) {
	case *ast.ExprStmt:
		v = x.switchedOn(a.X)
	case *ast.AssignStmt:
		if len(a.Lhs) == 1 && len(a.Rhs) == 1 {
			if id, ok := a.Lhs[0].(*ast.Ident); ok && x.written(id) && id.Name != "_" {
				name = id
			}
			v = x.switchedOn(a.Rhs[0])
		}
	}
	x.measure.nesting++
	for _, c := range clauses(s.Body) {
		c, ok := c.(*ast.CaseClause)
		if !ok {
			continue
		}
		x.openClause(c.List != nil)
		own := v
		for _, e := range c.List {
			if id, ok := e.(*ast.Ident); ok && id.Name == "nil" {
				x.ident(id, code.RoleRead)
				continue
			}
			if t := x.typ(e, code.RoleType); len(c.List) == 1 {
				own = x.builder.Unary(code.OpOf, t)
			}
		}
		if name != nil {
			x.bindLocal(name, code.KindVariable, own)
		}
		x.stmts(c.Body)
		x.symbols.close()
	}
	x.measure.nesting--
	x.symbols.close()
}

func (x *Extractor) switchedOn(e ast.Expr) code.ExprID {
	if a, ok := ast.Unparen(e).(*ast.TypeAssertExpr); ok {
		return x.value(a.X, true)
	}
	return x.value(e, true)
}

func (x *Extractor) selectStmt(s *ast.SelectStmt) {
	x.measure.cognitive += 1 + x.measure.nesting
	x.measure.nesting++
	for _, c := range clauses(s.Body) {
		if c, ok := c.(*ast.CommClause); ok {
			x.openClause(c.Comm != nil)
			if c.Comm != nil {
				x.stmt(c.Comm)
			}
			x.stmts(c.Body)
			x.symbols.close()
		}
	}
	x.measure.nesting--
}
