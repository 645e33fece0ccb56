package python

import (
	"manito/internal/code"
)

func (r *reader) builtin(want bool, name string) code.ExprID {
	if !want {
		return 0
	}
	return r.b.Expr(code.OpBuiltin, int32(r.b.Name(name)), 0)
}

// nothing is None.
func (r *reader) nothing() code.ExprID {
	if r.unsaid == 0 {
		r.unsaid = r.builtin(true, "None")
	}
	return r.unsaid
}

// str reads a string with the expressions in it.
func (r *reader) str(i uint32, want bool) code.ExprID {
	rec := &r.recs[i]
	if i+1 < rec.Next {
		r.each(i)
	}
	if !want {
		return 0
	}
	for _, c := range r.text[rec.Start:min(rec.End, rec.Start+3)] {
		switch c {
		case 'b', 'B':
			return r.builtin(want, "bytes")
		case '"', '\'':
			return r.builtin(want, "str")
		}
	}
	return r.builtin(want, "str")
}

// typeOf is the type expression of a value.
func (r *reader) typeOf(v code.ExprID) code.ExprID {
	if v == 0 {
		return 0
	}
	if e := r.doc.Exprs[v]; e.Op == code.OpOf {
		return code.ExprID(e.A)
	}
	return r.b.Expr(code.OpTypeOf, int32(v), 0)
}

// of is a value of a type.
func (r *reader) of(t code.ExprID) code.ExprID {
	if t == 0 {
		return 0
	}
	switch e := r.doc.Exprs[t]; e.Op {
	case code.OpTypeOf:
		return code.ExprID(e.A)
	case code.OpBuiltin:
		return t
	}
	return r.b.Expr(code.OpOf, int32(t), 0)
}

// arrayOf is a container with elements of a value; one of the named built-in type when nothing is known of them.
func (r *reader) arrayOf(v code.ExprID, name string) code.ExprID {
	if v == 0 {
		return r.builtin(true, name)
	}
	return r.of(r.b.Expr(code.OpArray, int32(r.typeOf(v)), 0))
}

func (r *reader) mapOf(k, v code.ExprID) code.ExprID {
	if k == 0 && v == 0 {
		return r.builtin(true, "dict")
	}
	return r.of(r.b.Expr(code.OpMap, int32(r.typeOf(k)), int32(r.typeOf(v))))
}

// maxComponents bounds the tuples whose components are told apart.
const maxComponents = 16

func (r *reader) tuple(i uint32, want bool) code.ExprID {
	if !want {
		r.each(i)
		return 0
	}
	base := len(r.exprs)
	exact, known := true, false
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kListSplat, kListSplatPattern:
			exact = false
		}
		v := r.expr(c, len(r.exprs)-base < maxComponents)
		if len(r.exprs)-base < maxComponents {
			t := r.typeOf(v)
			known = known || t != 0
			r.exprs = append(r.exprs, t)
		} else {
			exact = false
		}
	}
	parts := r.exprs[base:]
	r.exprs = r.exprs[:base]
	if !exact || !known {
		return r.builtin(true, "tuple")
	}
	return r.of(r.b.Unary(code.OpTuple, r.b.List(parts...)))
}

// sequence reads a list or set.
func (r *reader) sequence(i uint32, want bool) code.ExprID {
	var s slot
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		ask := want && !s.open && s.count < maxValues
		v := r.expr(c, ask)
		if r.recs[c].Kind == kListSplat {
			v = 0
		}
		if ask {
			s.add(v)
		}
	}
	switch {
	case !want:
		return 0
	case r.recs[i].Kind == kSet:
		return r.arrayOf(r.settle(&s), "set")
	}
	return r.arrayOf(r.settle(&s), "list")
}

func (r *reader) dict(i uint32, want bool) code.ExprID {
	var keys, values slot
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Kind != kPair {
			r.expr(c, false)
			keys.open, values.open = true, true
			continue
		}
		ask := want && values.count < maxValues
		k, v := r.pair(c, ask)
		if ask {
			keys.add(k)
			values.add(v)
		}
	}
	if !want {
		return 0
	}
	return r.mapOf(r.settle(&keys), r.settle(&values))
}

func (r *reader) pair(i uint32, want bool) (k, v code.ExprID) {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fKey:
			k = r.expr(c, want)
		default:
			v = r.expr(c, want)
		}
	}
	return k, v
}
