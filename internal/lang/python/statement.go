package python

import (
	"bytes"

	"manito/internal/code"
)

// statements reads the children of a block. What isinstance tells about a
// variable after a statement holds to the end of the block.
func (r *reader) statements(i uint32) bool {
	depth := len(r.narrowed)
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if !r.statement(c) {
			return false
		}
	}
	r.narrowed = r.narrowed[:depth]
	return true
}

// statement reads one statement; it gives false when reading was stopped.
func (r *reader) statement(i uint32) bool {
	switch rec := &r.recs[i]; rec.Kind {
	case kFunction:
		return r.function(i, 0)
	case kClass:
		return r.class(i, 0)
	case kDecorated:
		if d := r.child(i, fDefinition); d != 0 {
			if r.recs[d].Kind == kClass {
				return r.class(d, i)
			}
			return r.function(d, i)
		}
		return r.statements(i)
	case kImport, kImportFuture, kImportFrom:
		r.importUses(i)
	case kIf:
		return r.ifStatement(i)
	case kFor:
		return r.forStatement(i)
	case kWhile:
		return r.whileStatement(i)
	case kTry:
		return r.tryStatement(i)
	case kWith:
		return r.withStatement(i)
	case kMatch:
		return r.matchStatement(i)
	case kReturn:
		r.returnStatement(i)
	case kAssert:
		r.each(i)
		if c := i + 1; c < rec.Next {
			r.narrow(c, true)
		}
	case kDelete:
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			r.deleted(c)
		}
	case kAssignment:
		r.assignment(i)
	case kAugmented:
		r.augmented(i)
	case kGlobal, kNonlocal:
		r.aliases(i)
	case kTypeAlias:
		r.typeAlias(i)
	case kExec:
		r.doc.Flags |= code.DocDynamic
		r.useAt(rec.Start, 0, code.RoleCall)
		r.each(i)
	case kBreak, kContinue:
	case kBlock, kModule, kDecorator, kElse, kFinally, kElif, kCase, kExcept, kWithItem, kError:
		return r.statements(i) // out of place: what surrounds it could not be read
	default:
		r.expr(i, false)
	}
	return true
}

// each reads the children of i as expressions whose values are not needed.
func (r *reader) each(i uint32) {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		r.expr(c, false)
	}
}

func (r *reader) ifStatement(i uint32) bool {
	r.structure()
	return r.branches(i)
}

// branches reads an if or elif with what follows it.
func (r *reader) branches(i uint32) bool {
	r.fn.cyclomatic++
	depth := len(r.narrowed)
	var condition uint32
	leaves := false
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		rec := &r.recs[c]
		switch {
		case rec.Field == fCondition:
			condition = c
			r.expr(c, true)
		case rec.Kind == kBlock && rec.Field == fConsequence:
			if condition != 0 {
				r.narrow(condition, true)
			}
			if !r.nested(c) {
				return false
			}
			r.narrowed = r.narrowed[:depth]
			leaves = r.leaves(c)
		case rec.Kind == kElif:
			r.fn.cognitive++
			leaves = false
			if !r.branches(c) {
				return false
			}
		case rec.Kind == kElse:
			r.fn.cognitive++
			leaves = false
			if !r.nested(c) {
				return false
			}
		default:
			r.statement(c)
		}
	}
	if leaves && condition != 0 && r.recs[i].Kind == kIf {
		r.narrow(condition, false) // if not isinstance(x, T): return
	}
	return true
}

// leaves says whether the code after a block is not reached from it.
func (r *reader) leaves(block uint32) bool {
	last := uint32(0)
	for c := block + 1; c < r.recs[block].Next; c = r.recs[c].Next {
		last = c
	}
	if last == 0 {
		return false
	}
	switch r.recs[last].Kind {
	case kReturn, kRaise, kBreak, kContinue:
		return true
	}
	return false
}

// nested reads a block or clause one level deeper.
func (r *reader) nested(i uint32) bool {
	r.fn.nesting++
	ok := r.statements(i)
	r.fn.nesting--
	return ok
}

// structure counts a statement or operator that breaks the flow where it is nested.
func (r *reader) structure() { r.fn.cognitive += 1 + r.fn.nesting }

func (r *reader) forStatement(i uint32) bool {
	r.structure()
	r.fn.cyclomatic++
	r.iteration(i, bytes.HasPrefix(r.textOf(i), []byte("async")))
	return r.loopBody(i)
}

// iteration reads the targets and the iterated value of a for.
func (r *reader) iteration(i uint32, async bool) {
	from := len(r.doc.Uses)
	var v code.ExprID
	left := uint32(0)
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fLeft:
			left = c
		case fRight:
			v = r.expr(c, true)
		}
	}
	if left == 0 {
		return
	}
	mid := len(r.doc.Uses)
	e := r.b.Unary(code.OpIter, v)
	if async {
		e = r.b.Unary(code.OpAwait, e)
	}
	r.assign(left, e)
	r.swap(from, mid)
}

func (r *reader) loopBody(i uint32) bool {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		rec := &r.recs[c]
		switch {
		case rec.Field == fLeft || rec.Field == fRight || rec.Field == fCondition:
		case rec.Kind == kElse:
			r.fn.cognitive++
			if !r.nested(c) {
				return false
			}
		case rec.Kind == kBlock:
			if !r.nested(c) {
				return false
			}
		default:
			if !r.statement(c) {
				return false
			}
		}
	}
	return true
}

func (r *reader) whileStatement(i uint32) bool {
	r.structure()
	r.fn.cyclomatic++
	depth := len(r.narrowed)
	if c := r.child(i, fCondition); c != 0 {
		r.expr(c, true)
		r.narrow(c, true)
	}
	ok := r.loopBody(i)
	r.narrowed = r.narrowed[:depth]
	return ok
}

func (r *reader) tryStatement(i uint32) bool {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		var ok bool
		switch r.recs[c].Kind {
		case kExcept:
			ok = r.except(c)
		case kElse:
			r.fn.cognitive++
			ok = r.nested(c)
		case kFinally:
			ok = r.statements(c)
		default:
			ok = r.statement(c)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (r *reader) except(i uint32) bool {
	r.structure()
	r.fn.cyclomatic++
	var caught code.ExprID
	values := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		rec := &r.recs[c]
		switch {
		case rec.Kind == kBlock:
			if !r.nested(c) {
				return false
			}
		case rec.Field == fAlias:
			r.assign(c, caught)
		case rec.Field == fValue && values == 1: // except E, e
			r.assign(c, caught)
		case rec.Field == fValue && rec.Kind == kAsPattern:
			if c+1 < rec.Next {
				caught = r.caught(c + 1)
				if t := r.recs[c+1].Next; t < rec.Next {
					r.assign(t, caught)
				}
			}
		case rec.Field == fValue:
			values++
			caught = r.caught(c)
		default:
			r.expr(c, false)
		}
	}
	return true
}

// caught is the exception that a handler for i gets.
func (r *reader) caught(i uint32) code.ExprID {
	if r.recs[i].Kind == kParenthesized && i+1 < r.recs[i].Next {
		i++
	}
	if r.recs[i].Kind != kTuple {
		return r.b.Unary(code.OpOf, r.expr(i, true))
	}
	var s slot
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		s.add(r.b.Unary(code.OpOf, r.expr(c, true)))
	}
	return r.settle(&s)
}

func (r *reader) withStatement(i uint32) bool {
	async := bytes.HasPrefix(r.textOf(i), []byte("async"))
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		rec := &r.recs[c]
		if rec.Kind != kWithItem {
			if !r.statement(c) {
				return false
			}
			continue
		}
		v := c + 1
		if v >= rec.Next {
			continue
		}
		if r.recs[v].Kind != kAsPattern {
			r.expr(v, false)
			continue
		}
		if v+1 >= r.recs[v].Next {
			continue
		}
		value := r.entered(v+1, async)
		if t := r.recs[v+1].Next; t < r.recs[v].Next {
			r.assign(t, value)
		}
	}
	return true
}

// entered is what "as" gives for the context manager i.
func (r *reader) entered(i uint32, async bool) code.ExprID {
	v := r.expr(i, true)
	if v == 0 {
		return 0
	}
	if e := r.doc.Exprs[v]; e.Op == code.OpCall && r.doc.Exprs[e.A].Op == code.OpName && r.doc.Names[r.doc.Exprs[e.A].A] == "open" {
		return v // a file is its own context
	}
	if async {
		return r.b.Unary(code.OpAwait, r.b.Call(r.b.Member(v, r.b.Name("__aenter__")), 0))
	}
	return r.b.Call(r.b.Member(v, r.b.Name("__enter__")), 0)
}

func (r *reader) returnStatement(i uint32) {
	var v code.ExprID
	n := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		v = r.expr(c, !r.fn.declared)
		n++
	}
	switch {
	case r.fn.declared:
	case n == 0:
		r.fn.returns.add(r.nothing())
	default:
		r.fn.returns.add(v)
	}
}

// deleted reads what del deletes.
func (r *reader) deleted(i uint32) {
	switch r.recs[i].Kind {
	case kIdentifier:
		r.identifier(i, code.RoleWrite)
	case kAttribute:
		r.attribute(i, code.RoleWrite)
	case kExpressionList, kTuple, kList, kParenthesized:
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			r.deleted(c)
		}
	default:
		r.expr(i, false)
	}
}

// aliases are the names after global and nonlocal.
func (r *reader) aliases(i uint32) {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Kind == kIdentifier {
			r.identifier(c, code.RoleRead)
		}
	}
}
