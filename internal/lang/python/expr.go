package python

import (
	"manito/internal/code"
)

// expr reads an expression: it records the uses in it and, when its value is
// wanted, says what is known of it.
func (r *reader) expr(i uint32, want bool) code.ExprID {
	rec := &r.recs[i]
	switch rec.Kind {
	case kIdentifier:
		return r.identifier(i, code.RoleRead)
	case kAttribute:
		return r.attribute(i, code.RoleRead)
	case kCall:
		return r.call(i, want)
	case kString, kConcatenated:
		return r.str(i, want)
	case kInteger:
		return r.builtin(want, "int")
	case kFloat:
		return r.builtin(want, "float")
	case kTrue, kFalse:
		return r.builtin(want, "bool")
	case kNone:
		return r.nothing()
	case kEllipsis, kBreak, kContinue, kKeywordSeparator, kPositionalSeparator, kWildcard, kImportPrefix, kAnd, kOr:
		return 0
	case kParenthesized, kType, kInterpolation, kAsTarget:
		return r.last(i, want)
	case kSubscript:
		return r.subscript(i, want)
	case kTuple, kExpressionList, kPatternList, kTuplePattern:
		return r.tuple(i, want)
	case kList, kSet, kListPattern:
		return r.sequence(i, want)
	case kDict:
		return r.dict(i, want)
	case kListComprehension, kSetComprehension, kGenerator, kDictComprehension:
		return r.comprehension(i, want)
	case kConditional:
		return r.conditionalExpr(i, want)
	case kBoolean:
		return r.boolean(i, 0, want)
	case kNot, kComparison:
		r.each(i)
		return r.builtin(want, "bool")
	case kBinary:
		return r.binary(i, want)
	case kUnary:
		return r.unary(i, want)
	case kLambda:
		return r.lambda(i, 0, 0, want)
	case kAwait:
		return r.b.Unary(code.OpAwait, r.last(i, want))
	case kYield:
		return r.yield(i)
	case kNamedExpression:
		return r.walrus(i)
	case kAssignment:
		return r.assignment(i)
	case kAugmented:
		r.augmented(i)
		return 0
	case kKeywordArgument:
		if v := r.child(i, fValue); v != 0 {
			r.expr(v, false)
		}
		return 0
	case kAsPattern:
		if i+1 < rec.Next {
			v := r.expr(i+1, true)
			if t := r.recs[i+1].Next; t < rec.Next {
				r.assign(t, v)
			}
		}
		return 0
	case kFunction, kClass, kDecorated, kIf, kFor, kWhile, kTry, kWith, kMatch, kReturn, kImport, kImportFrom, kImportFuture, kBlock, kGlobal, kNonlocal, kTypeAlias, kDelete, kAssert:
		r.statement(i) // out of place
		return 0
	}
	r.each(i)
	return 0
}

// last reads the children of i and is the value of the last.
func (r *reader) last(i uint32, want bool) code.ExprID {
	var v code.ExprID
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		v = r.expr(c, want)
	}
	return v
}

// identifier reads a name.
func (r *reader) identifier(i uint32, role code.Role) code.ExprID {
	name := r.name(i)
	if name == 0 {
		return 0
	}
	s, e := r.named(name, i)
	r.use(i, name, e, role)
	if s < 0 {
		return e
	}
	if f := r.symbols[s].flags; f != 0 {
		if v := r.receiver(s); v != 0 {
			return v
		}
	}
	if len(r.narrowed) > r.floor {
		return r.narrowedValue(e)
	}
	return e
}

// named is the symbol and the expression that a name denotes at the record i; a
// name that the file does not bind has no symbol.
func (r *reader) named(name code.NameID, i uint32) (int32, code.ExprID) {
	s := r.lookup(name)
	for s >= 0 && r.before(s, i) {
		s = r.lookupFrom(r.symbols[s].outer)
	}
	if s >= 0 {
		if e := r.denotes(s, i); e != 0 {
			return s, e
		}
	}
	return noSymbol, r.b.Expr(code.OpName, int32(name), 0)
}

// receiver is what self or cls denotes, unless it is assigned to; 0 for other symbols.
func (r *reader) receiver(s int32) code.ExprID {
	sym := &r.symbols[s]
	if sym.flags&symbolRebound != 0 {
		return 0
	}
	class := r.scopes[sym.scope].class
	switch {
	case class == code.NoDef:
	case sym.flags&symbolSelf != 0:
		return r.b.Expr(code.OpThis, int32(class), 0)
	case sym.flags&symbolCls != 0:
		return r.b.Expr(code.OpClass, int32(class), 0)
	}
	return 0
}

// attribute reads x.name.
func (r *reader) attribute(i uint32, role code.Role) code.ExprID {
	var v, e code.ExprID
	end := r.recs[i].Next
	for c := i + 1; c < end; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fObject:
			v = r.expr(c, true)
		case fAttribute:
			name := r.name(c)
			if name == 0 {
				break
			}
			if v != 0 && r.doc.Exprs[v].Op == code.OpThis && r.is(c, "__class__") {
				e = r.b.Expr(code.OpClass, r.doc.Exprs[v].A, 0)
				r.use(c, name, e, role)
				return e
			}
			e = r.b.Member(v, name)
			r.use(c, name, e, role)
		default:
			r.expr(c, false)
		}
	}
	if e != 0 && len(r.narrowed) > r.floor {
		return r.narrowedValue(e)
	}
	return e
}

// conditionalExpr reads a if c else b. What c says of a's names is known while a is read.
func (r *reader) conditionalExpr(i uint32, want bool) code.ExprID {
	r.fn.cyclomatic++
	r.structure()
	r.fn.nesting++
	depth := len(r.narrowed)
	var values [2]code.ExprID
	first := i + 1
	if first < r.recs[i].Next {
		if condition := r.recs[first].Next; condition < r.recs[i].Next {
			r.narrow(condition, true)
		}
	}
	n := 0
	for c := first; c < r.recs[i].Next; c = r.recs[c].Next {
		v := r.expr(c, want && n != 1)
		r.narrowed = r.narrowed[:depth]
		switch n {
		case 0:
			values[0] = v
		case 2:
			values[1] = v
		}
		n++
	}
	r.fn.nesting--
	if !want {
		return 0
	}
	return r.either(values[0], values[1])
}

// boolean reads a and b, a or b. A row of equal operators counts once for cognitive complexity.
func (r *reader) boolean(i uint32, around operator, want bool) code.ExprID {
	r.fn.cyclomatic++
	depth := len(r.narrowed)
	and := false
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Kind == kAnd {
			and = true
		}
	}
	mine := opOr
	if and {
		mine = opAnd
	}
	if around != mine {
		r.fn.cognitive++
	}
	var values [2]code.ExprID
	n := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if k := r.recs[c].Kind; k == kAnd || k == kOr {
			continue
		}
		var v code.ExprID
		if r.recs[c].Kind == kBoolean {
			v = r.boolean(c, mine, want)
		} else {
			v = r.expr(c, want)
		}
		if n < 2 {
			values[n] = v
		}
		if n == 0 {
			r.narrow(c, and)
		}
		n++
	}
	r.narrowed = r.narrowed[:depth]
	switch {
	case !want:
		return 0
	case and:
		return values[1]
	}
	return r.either(values[0], values[1])
}

// operator is the boolean operator around another, for counting rows of them.
type operator uint8

const (
	opAnd operator = 1 + iota
	opOr
)

// binary knows only what a string does: it stays one.
func (r *reader) binary(i uint32, want bool) code.ExprID {
	var left code.ExprID
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		v := r.expr(c, want && r.recs[c].Field == fLeft)
		if r.recs[c].Field == fLeft {
			left = v
		}
	}
	if left != 0 && want {
		if e := r.doc.Exprs[left]; e.Op == code.OpBuiltin {
			switch r.doc.Names[e.A] {
			case "str", "bytes":
				return left
			}
		}
	}
	return 0
}

func (r *reader) unary(i uint32, want bool) code.ExprID {
	v := r.last(i, want)
	if v != 0 && r.doc.Exprs[v].Op == code.OpBuiltin {
		return v // a number
	}
	return 0
}

func (r *reader) walrus(i uint32) code.ExprID {
	target, value := r.child(i, fName), r.child(i, fValue)
	from := len(r.doc.Uses)
	var v code.ExprID
	if value != 0 {
		v = r.expr(value, true)
	}
	if target == 0 {
		return v
	}
	mid := len(r.doc.Uses)
	r.assign(target, v)
	r.swap(from, mid)
	if e := r.variable(target); e != 0 {
		return e
	}
	return v
}

// subscript reads x[i]. Of a class it is the class with type arguments.
func (r *reader) subscript(i uint32, want bool) code.ExprID {
	value := i + 1
	if value >= r.recs[i].Next {
		return 0
	}
	v := r.expr(value, true)
	first := r.recs[value].Next
	if r.generalClass(v) {
		base := len(r.args)
		for c := first; c < r.recs[i].Next; c = r.recs[c].Next {
			r.args = append(r.args, c)
		}
		t := r.apply(v, r.args[base:])
		r.args = r.args[:base]
		return t
	}
	enum := v != 0 && r.doc.Exprs[v].Op == code.OpDef && r.doc.Defs[r.doc.Exprs[v].A].Kind == code.KindEnum
	sliced := false
	for c := first; c < r.recs[i].Next; c = r.recs[c].Next {
		r.expr(c, false)
		sliced = sliced || r.recs[c].Kind == kSlice
	}
	switch {
	case !want || v == 0:
		return 0
	case enum: // Color["RED"]
		return r.of(v)
	case !sliced:
		return r.b.Unary(code.OpElem, v)
	}
	switch e := r.doc.Exprs[v]; e.Op {
	case code.OpBuiltin:
		return v
	case code.OpOf:
		if r.doc.Exprs[e.A].Op == code.OpArray {
			return v
		}
	}
	return 0
}

// generalClass says whether a value is surely a class or a form of typing.
func (r *reader) generalClass(v code.ExprID) bool {
	if v == 0 {
		return false
	}
	if e := r.doc.Exprs[v]; e.Op == code.OpDef {
		k := r.doc.Defs[e.A].Kind
		return k == code.KindClass || k == code.KindInterface || k == code.KindType
	}
	return shapeOf(r.form(v)) != shapeNone
}
