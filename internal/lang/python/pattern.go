package python

import (
	"bytes"

	"manito/internal/code"
)

func (r *reader) matchStatement(i uint32) bool {
	r.structure()
	var subject code.ExprID
	var key code.ExprID
	n := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		rec := &r.recs[c]
		switch {
		case rec.Field == fSubject:
			subject = r.expr(c, true)
			before := len(r.doc.Uses)
			key = r.key(c)
			r.doc.Uses = r.doc.Uses[:before]
			n++
		case rec.Kind == kBlock:
			if n > 1 {
				subject, key = 0, 0
			}
			for k := c + 1; k < rec.Next; k = r.recs[k].Next {
				var ok bool
				if r.recs[k].Kind == kCase {
					ok = r.caseClause(k, subject, key)
				} else {
					ok = r.statement(k)
				}
				if !ok {
					return false
				}
			}
		default:
			if !r.statement(c) {
				return false
			}
		}
	}
	return true
}

func (r *reader) caseClause(i uint32, subject, key code.ExprID) bool {
	depth := len(r.narrowed)
	r.fn.nesting++
	defer func() {
		r.fn.nesting--
		r.narrowed = r.narrowed[:depth]
	}()
	patterns := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		rec := &r.recs[c]
		switch {
		case rec.Kind == kCasePattern:
			if patterns++; patterns > 1 {
				subject = 0 // case a, b: a sequence
			}
			if rec.Next > c+1 { // not "case _"
				r.fn.cyclomatic++
			}
			v := r.pattern(c, subject)
			if v != 0 && key != 0 && patterns == 1 {
				r.narrowed = append(r.narrowed, narrowing{key, v})
			} else if patterns > 1 {
				r.narrowed = r.narrowed[:depth]
			}
		case rec.Kind == kIfClause:
			r.fn.cyclomatic++
			r.each(c)
			if c+1 < rec.Next {
				r.narrow(c+1, true)
			}
		case rec.Kind == kBlock:
			if !r.statements(c) {
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

// pattern reads a pattern that v is matched against. It gives what v is known to be when it matches, or 0.
func (r *reader) pattern(i uint32, v code.ExprID) code.ExprID {
	rec := &r.recs[i]
	switch rec.Kind {
	case kCasePattern:
		var t code.ExprID
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			t = r.pattern(c, v)
		}
		return t
	case kDottedName:
		if rec.Next == i+2 { // a capture
			r.assign(i+1, v)
			return 0
		}
		r.path(i, code.RoleRead)
	case kAsPattern:
		var t code.ExprID
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			if r.recs[c].Kind != kIdentifier {
				t = r.pattern(c, v)
				continue
			}
			if t != 0 {
				v = t
			}
			r.assign(c, v)
		}
		return t
	case kUnionPattern:
		var s slot
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			s.add(r.pattern(c, v))
		}
		if !s.open {
			return r.settle(&s)
		}
	case kClassPattern:
		return r.classPattern(i)
	case kListPattern, kTuplePattern:
		single := rec.Kind == kTuplePattern && i+1 < rec.Next && r.recs[i+1].Next == rec.Next && rec.End-r.recs[i+1].End <= 1
		if single { // (pattern)
			return r.pattern(i+1, v)
		}
		n, star := 0, false
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			if r.splat(c) {
				star = true
			}
			if star {
				r.pattern(c, 0)
			} else {
				r.pattern(c, r.component(v, n))
			}
			n++
		}
	case kDictPattern:
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			switch {
			case r.recs[c].Field == fKey && r.recs[c].Kind == kDottedName:
				r.path(c, code.RoleRead)
			case r.recs[c].Field == fKey:
				r.expr(c, false)
			case r.recs[c].Kind == kSplatPattern:
				r.pattern(c, 0)
			default:
				r.pattern(c, r.b.Unary(code.OpElem, v))
			}
		}
	case kSplatPattern:
		rest := "list"
		if bytes.HasPrefix(r.textOf(i), []byte("**")) {
			rest = "dict"
		}
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			r.assign(c, r.builtin(true, rest))
		}
	case kKeywordPattern:
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			if c > i+1 {
				r.pattern(c, 0)
			}
		}
	default:
		return r.expr(i, true)
	}
	return 0
}

// splat says whether a pattern of a sequence takes the rest of it.
func (r *reader) splat(i uint32) bool {
	return r.recs[i].Kind == kSplatPattern || r.recs[i].Kind == kCasePattern && i+1 < r.recs[i].Next && r.recs[i+1].Kind == kSplatPattern
}

// path reads a dotted name as a value.
func (r *reader) path(i uint32, role code.Role) code.ExprID {
	var e code.ExprID
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		own := code.RoleRead
		if r.recs[c].Next == r.recs[i].Next {
			own = role
		}
		if c == i+1 {
			e = r.identifier(c, own)
			continue
		}
		name := r.name(c)
		if name == 0 {
			continue
		}
		e = r.b.Member(e, name)
		r.use(c, name, e, own)
	}
	return e
}

// classPattern is C(p, attribute=q).
func (r *reader) classPattern(i uint32) code.ExprID {
	c := i + 1
	if c >= r.recs[i].Next || r.recs[c].Kind != kDottedName {
		r.captureRest(c, r.recs[i].Next, 0)
		return 0
	}
	v := r.b.Unary(code.OpOf, r.path(c, code.RoleType))
	r.captureRest(r.recs[c].Next, r.recs[i].Next, v)
	return v
}

// captureRest reads the arguments of a class pattern.
func (r *reader) captureRest(c, end uint32, v code.ExprID) {
	for ; c < end; c = r.recs[c].Next {
		k := c
		if r.recs[c].Kind == kCasePattern && c+1 < r.recs[c].Next {
			k = c + 1
		}
		if r.recs[k].Kind != kKeywordPattern || k+1 >= r.recs[k].Next {
			r.pattern(c, 0)
			continue
		}
		name := r.name(k + 1)
		if name == 0 {
			continue
		}
		e := r.b.Member(v, name)
		r.use(k+1, name, e, code.RoleRead)
		for p := r.recs[k+1].Next; p < r.recs[k].Next; p = r.recs[p].Next {
			r.pattern(p, e)
		}
	}
}
