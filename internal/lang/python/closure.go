package python

import (
	"bytes"

	"manito/internal/code"
)

// comprehension reads its clauses before its body, which stands before them.
func (r *reader) comprehension(i uint32, want bool) code.ExprID {
	from := len(r.doc.Uses)
	depth := len(r.narrowed)
	scope := r.note[i]
	var body uint32
	entered := false
	var old frame
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch {
		case r.recs[c].Field == fBody:
			body = c
		case r.recs[c].Kind == kForIn:
			r.fn.cyclomatic++
			if !entered {
				old = r.firstIteration(c, scope)
				entered = true
				continue
			}
			r.iteration(c, bytes.HasPrefix(r.textOf(c), []byte("async")))
		case r.recs[c].Kind == kIfClause:
			r.fn.cyclomatic++
			r.each(c)
			if c+1 < r.recs[c].Next {
				r.narrow(c+1, true)
			}
		default:
			r.expr(c, false)
		}
	}
	if !entered {
		old = r.enter(scope)
	}
	mid := len(r.doc.Uses)
	var k, v code.ExprID
	if body != 0 {
		if r.recs[body].Kind == kPair {
			k, v = r.pair(body, want)
		} else {
			v = r.expr(body, want)
		}
	}
	r.swap(from, mid)
	r.narrowed = r.narrowed[:depth]
	r.exit(scope, old)
	switch {
	case !want:
		return 0
	case r.recs[i].Kind == kDictComprehension:
		return r.mapOf(k, v)
	case r.recs[i].Kind == kSetComprehension:
		return r.arrayOf(v, "set")
	case r.recs[i].Kind == kGenerator:
		return r.arrayOf(v, "generator")
	}
	return r.arrayOf(v, "list")
}

// firstIteration reads the first for of a comprehension, whose iterated value belongs to the scope around it.
func (r *reader) firstIteration(i uint32, scope int32) frame {
	from := len(r.doc.Uses)
	var v code.ExprID
	if right := r.child(i, fRight); right != 0 {
		for c := right; c < r.recs[i].Next; c = r.recs[c].Next {
			v = r.expr(c, true)
		}
	}
	mid := len(r.doc.Uses)
	old := r.enter(scope)
	if left := r.child(i, fLeft); left != 0 {
		e := r.b.Unary(code.OpIter, v)
		if bytes.HasPrefix(r.textOf(i), []byte("async")) {
			e = r.b.Unary(code.OpAwait, e)
		}
		r.assign(left, e)
	}
	r.swap(from, mid)
	return old
}

// lambda reads an anonymous function; callee and index say where it is passed to.
func (r *reader) lambda(i uint32, callee code.ExprID, index int, want bool) code.ExprID {
	scope := r.note[i]
	if scope == 0 {
		r.each(i)
		return 0
	}
	params, body := r.child(i, fParameters), r.child(i, fBody)
	if params != 0 {
		r.defaults(params)
		if callee != 0 {
			r.contextual(params, scope, callee, index)
		}
	}
	if body == 0 {
		return 0
	}
	fn := r.fn.nesting
	r.fn.nesting++
	old := r.enter(scope)
	v := r.expr(body, want)
	r.exit(scope, old)
	r.fn.nesting = fn
	if !want {
		return 0
	}
	return r.b.Expr(code.OpFunc, -1, int32(v))
}

// contextual types the parameters of a lambda by what the callee hands to it.
func (r *reader) contextual(params uint32, scope int32, callee code.ExprID, index int) {
	at := 0
	for c := params + 1; c < r.recs[params].Next && at < 16; c = r.recs[c].Next {
		if r.recs[c].Kind != kIdentifier {
			return
		}
		for s := r.scopes[scope].head; s >= 0; s = r.symbols[s].next {
			if r.symbols[s].first == c && r.symbols[s].vari >= 0 {
				r.locals[r.symbols[s].vari].add(r.b.Expr(code.OpArg, int32(callee), int32(index*16+at)))
			}
		}
		at++
	}
}

// defaults reads the default values of parameters, in the scope around the function.
func (r *reader) defaults(params uint32) {
	for c := params + 1; c < r.recs[params].Next; c = r.recs[c].Next {
		if v := r.child(c, fValue); v != 0 {
			r.expr(v, false)
		}
	}
}

// yield reads yield and yield from.
func (r *reader) yield(i uint32) code.ExprID {
	v := r.last(i, true)
	r.fn.generator = true
	if rest := bytes.TrimLeft(bytes.TrimPrefix(r.textOf(i), []byte("yield")), " \t\f\\\r\n"); bytes.HasPrefix(rest, []byte("from")) && i+1 < r.recs[i].Next && r.recs[i+1].Start > r.recs[i].Start+6 {
		r.fn.yields.add(r.b.Unary(code.OpIter, v))
		return 0
	}
	r.fn.yields.add(v)
	return 0
}
