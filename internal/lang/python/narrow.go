package python

import (
	"manito/internal/code"
)

// narrowing is what isinstance told about an expression.
type narrowing struct {
	key   code.ExprID // the expression
	value code.ExprID // what it is known to be; 0 when it was assigned to since
}

// narrow notes what holds when the condition i is true, or false. The condition
// has been read already: nothing is recorded.
func (r *reader) narrow(i uint32, truth bool) {
	switch r.recs[i].Kind {
	case kParenthesized:
		if i+1 < r.recs[i].Next {
			r.narrow(i+1, truth)
		}
	case kNot:
		if i+1 < r.recs[i].Next {
			r.narrow(i+1, !truth)
		}
	case kBoolean:
		all := opOr
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			if r.recs[c].Kind == kAnd {
				all = opAnd
			}
		}
		if (all == opAnd) != truth { // one of them holds: it is not known which
			return
		}
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			if k := r.recs[c].Kind; k != kAnd && k != kOr {
				r.narrow(c, truth)
			}
		}
	case kCall:
		if truth {
			r.narrowInstance(i)
		}
	}
}

// narrowInstance is isinstance(x, T).
func (r *reader) narrowInstance(i uint32) {
	f := i + 1
	if f >= r.recs[i].Next || r.recs[f].Kind != kIdentifier || !r.is(f, "isinstance") {
		return
	}
	args := r.recs[f].Next
	if args >= r.recs[i].Next || r.recs[args].Kind != kArguments {
		return
	}
	x := args + 1
	if x >= r.recs[args].Next {
		return
	}
	t := r.recs[x].Next
	if t >= r.recs[args].Next || r.recs[t].Next != r.recs[args].Next {
		return
	}
	if r.lookup(r.name(f)) >= 0 {
		return
	}
	if r.recs[x].Kind == kNamedExpression {
		if x = r.child(x, fName); x == 0 {
			return
		}
	}
	before := len(r.doc.Uses)
	key := r.key(x)
	var s slot
	r.instances(t, &s)
	r.doc.Uses = r.doc.Uses[:before]
	if v := r.settle(&s); key != 0 && v != 0 && !s.open {
		r.narrowed = append(r.narrowed, narrowing{key, v})
	}
}

// instances adds instances of the classes in the second argument of isinstance.
func (r *reader) instances(i uint32, s *slot) {
	switch r.recs[i].Kind {
	case kIdentifier, kAttribute:
		s.add(r.b.Unary(code.OpOf, r.key(i)))
	case kTuple, kParenthesized:
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			r.instances(c, s)
		}
	case kBinary:
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			r.instances(c, s)
		}
	default:
		s.add(0)
	}
}

// key is the expression of a variable or attribute before it is narrowed, or 0 for anything else.
func (r *reader) key(i uint32) code.ExprID {
	switch r.recs[i].Kind {
	case kIdentifier:
		name := r.name(i)
		if name == 0 {
			return 0
		}
		_, e := r.named(name, i)
		return e
	case kAttribute:
		object, attribute := r.child(i, fObject), r.child(i, fAttribute)
		if object == 0 || attribute == 0 {
			return 0
		}
		switch r.recs[object].Kind {
		case kIdentifier, kAttribute:
			return r.b.Member(r.expr(object, true), r.name(attribute))
		}
	}
	return 0
}

// narrowedValue is what an expression is known to be here.
func (r *reader) narrowedValue(e code.ExprID) code.ExprID {
	for k := len(r.narrowed) - 1; k >= r.floor; k-- {
		if n := &r.narrowed[k]; n.key == e {
			if n.value == 0 {
				return e
			}
			return n.value
		}
	}
	return e
}

// forget drops what is known of an expression that is assigned to, and of its attributes.
func (r *reader) forget(e code.ExprID) {
	if e == 0 {
		return
	}
	for k := range r.narrowed {
		key := r.narrowed[k].key
		for {
			if key == e {
				r.narrowed[k].value = 0
				break
			}
			x := r.doc.Exprs[key]
			if x.Op != code.OpMember {
				break
			}
			key = code.ExprID(x.A)
		}
	}
}
