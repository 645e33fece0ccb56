package python

import (
	"bytes"

	"manito/internal/code"
)

// maxArguments bounds the arguments whose values are kept with a call.
const maxArguments = 4

// call reads f(x, ...).
func (r *reader) call(i uint32, want bool) code.ExprID {
	f := i + 1
	end := r.recs[i].Next
	for f < end && r.recs[f].Field != fFunction {
		r.expr(f, false)
		f = r.recs[f].Next
	}
	if f >= end {
		return 0
	}
	args := r.recs[f].Next
	for args < end && r.recs[args].Field != fArguments {
		r.expr(args, false)
		args = r.recs[args].Next
	}
	if args >= end {
		args = 0
	}
	callee := f
	for r.recs[callee].Kind == kParenthesized && callee+1 < r.recs[callee].Next {
		callee++
	}
	if args != 0 && r.extendAll(callee, args) {
		return 0
	}
	var fn code.ExprID
	switch r.recs[callee].Kind {
	case kIdentifier:
		fn = r.identifier(callee, code.RoleCall)
		if fn != 0 && args != 0 && r.doc.Exprs[fn].Op == code.OpName {
			if v, done := r.callBuiltin(callee, args, want); done {
				return v
			}
		}
	case kAttribute:
		fn = r.attribute(callee, code.RoleCall)
	default: // f()(), table[k](), (a or b)()
		fn = r.expr(callee, true)
		at := r.recs[i].Start
		if args != 0 {
			at = r.recs[args].Start
		}
		r.useAt(at, fn, code.RoleCall)
	}
	if args == 0 {
		return r.b.Call(fn, 0)
	}
	if want && fn != 0 {
		if form := r.form(fn); form != "" {
			if v, done := r.callForm(form, fn, args); done {
				return v
			}
		}
		if e := r.doc.Exprs[fn]; e.Op == code.OpMember && r.doc.Names[e.B] == "__new__" {
			return r.made(args)
		}
	}
	if r.importer(fn) {
		return r.dynamicImport(args, fn)
	}
	list := r.arguments(args, fn, want && r.takesArguments(fn))
	if !want {
		return 0
	}
	return r.b.Call(fn, list)
}

// made is what X.__new__(C) gives: an instance of C.
func (r *reader) made(args uint32) code.ExprID {
	v := r.values(args)
	if len(v) == 0 || v[0] == 0 {
		return 0
	}
	if e := r.doc.Exprs[v[0]]; e.Op == code.OpClass {
		return r.b.Expr(code.OpThis, e.A, 0)
	}
	return r.b.Call(v[0], 0)
}

// takesArguments says whether the result of calling f may depend on its arguments.
func (r *reader) takesArguments(f code.ExprID) bool {
	if f == 0 {
		return false
	}
	switch e := r.doc.Exprs[f]; e.Op {
	case code.OpName, code.OpImport:
		return true
	case code.OpMember:
		return r.doc.Exprs[e.A].Op == code.OpImport
	case code.OpDef:
		return r.doc.Defs[e.A].TypeParams != 0
	}
	return false
}

// arguments reads the arguments of a call, and lists the values of the
// positional ones when they are wanted.
func (r *reader) arguments(i uint32, callee code.ExprID, want bool) code.ExprID {
	if r.recs[i].Kind != kArguments { // f(x for x in y)
		v := r.expr(i, want)
		if v == 0 {
			return 0
		}
		return r.b.List(v)
	}
	base := len(r.exprs)
	known := false
	at := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kKeywordArgument:
			if v := r.child(c, fValue); v != 0 {
				r.expr(v, false)
			}
			continue
		case kListSplat, kDictSplat:
			r.expr(c, false)
			want = false // what follows cannot be counted
			at = -1
			continue
		}
		ask := want && len(r.exprs)-base < maxArguments
		var v code.ExprID
		if r.recs[c].Kind == kLambda && at >= 0 {
			v = r.lambda(c, callee, at, ask)
		} else {
			v = r.expr(c, ask)
		}
		if at >= 0 {
			at++
		}
		if ask {
			known = known || v != 0
			r.exprs = append(r.exprs, v)
		}
	}
	values := r.exprs[base:]
	r.exprs = r.exprs[:base]
	if !known {
		return 0
	}
	return r.b.List(values...)
}

// argument is positional argument n of a call, or 0.
func (r *reader) argument(args uint32, n int) uint32 {
	if r.recs[args].Kind != kArguments {
		if n == 0 {
			return args
		}
		return 0
	}
	for c := args + 1; c < r.recs[args].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kKeywordArgument:
			continue
		case kListSplat, kDictSplat:
			return 0
		}
		if n == 0 {
			return c
		}
		n--
	}
	return 0
}

// literal is the text of a string without interpolations and escapes, and where it begins.
func (r *reader) literal(i uint32) (text []byte, start uint32, ok bool) {
	if i == 0 || r.recs[i].Kind != kString || r.recs[i].Next != i+1 {
		return nil, 0, false
	}
	text, start = r.textOf(i), r.recs[i].Start
	n := 0
	for n < len(text) && n < 3 && text[n] != '"' && text[n] != '\'' {
		if c := text[n]; c == 'b' || c == 'B' || c == 'f' || c == 'F' {
			return nil, 0, false
		}
		n++
	}
	quote := 1
	if len(text) >= n+6 && text[n] == text[n+1] && text[n] == text[n+2] {
		quote = 3
	}
	if len(text) < n+2*quote {
		return nil, 0, false
	}
	start += uint32(n + quote)
	text = text[n+quote : len(text)-quote]
	return text, start, bytes.IndexByte(text, '\\') < 0
}

// isName says whether a text is one identifier.
func isName(s []byte) bool {
	for k, c := range s {
		switch {
		case c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80:
		case '0' <= c && c <= '9' && k > 0:
		default:
			return false
		}
	}
	return len(s) > 0
}

// callBuiltin reads a call of a name that the file does not bind, when the
// language says more of it than its result type.
func (r *reader) callBuiltin(callee, args uint32, want bool) (v code.ExprID, done bool) {
	switch string(r.textOf(callee)) {
	case "super":
		r.arguments(args, 0, false)
		return r.superOf(args), true
	case "type":
		x := r.argument(args, 0)
		if x == 0 || r.argument(args, 1) != 0 {
			return 0, false
		}
		v := r.expr(x, true)
		if v != 0 && r.doc.Exprs[v].Op == code.OpThis {
			return r.b.Expr(code.OpClass, r.doc.Exprs[v].A, 0), true
		}
		return 0, true
	case "getattr", "hasattr", "setattr", "delattr":
		return r.reflect(callee, args), true
	case "eval", "exec":
		r.doc.Flags |= code.DocDynamic
		r.useAt(r.recs[args].Start, 0, code.RoleCall)
		r.arguments(args, 0, false)
		return 0, true
	case "globals", "locals", "vars":
		r.doc.Flags |= code.DocDynamic
		r.arguments(args, 0, false)
		return r.builtin(want, "dict"), true
	case "__import__":
		return r.dynamicImport(args, 0), true
	case "enumerate":
		if !want {
			return 0, false
		}
		v := r.values(args)
		if len(v) == 0 {
			return 0, true
		}
		return r.pairs(r.builtin(true, "int"), r.b.Unary(code.OpIter, v[0])), true
	case "zip":
		if !want {
			return 0, false
		}
		v := r.values(args)
		if len(v) == 0 {
			return 0, true
		}
		for k := range v {
			v[k] = r.b.Unary(code.OpIter, v[k])
		}
		return r.pairs(v...), true
	case "map":
		if !want {
			return 0, false
		}
		if v := r.values(args); len(v) > 1 {
			return r.arrayOf(r.b.Call(v[0], r.b.List(r.b.Unary(code.OpIter, v[1]))), "map"), true
		}
		return 0, true
	case "filter":
		if !want {
			return 0, false
		}
		if v := r.values(args); len(v) > 1 {
			return r.arrayOf(r.b.Unary(code.OpIter, v[1]), "filter"), true
		}
		return 0, true
	case "next":
		if !want {
			return 0, false
		}
		if v := r.values(args); len(v) > 0 {
			return r.b.Unary(code.OpIter, v[0]), true
		}
		return 0, true
	case "min", "max":
		if !want {
			return 0, false
		}
		v := r.values(args)
		switch {
		case len(v) == 1:
			return r.b.Unary(code.OpIter, v[0]), true
		case len(v) > 1:
			var s slot
			for _, x := range v {
				s.add(x)
			}
			return r.settle(&s), true
		}
		return 0, true
	}
	return 0, false
}

// values reads the arguments of a call and gives the values of the positional
// ones; none when they cannot be counted.
func (r *reader) values(args uint32) []code.ExprID {
	list := r.arguments(args, 0, true)
	var v []code.ExprID
	for ; list != 0; list = code.ExprID(r.doc.Exprs[list].B) {
		v = append(v, code.ExprID(r.doc.Exprs[list].A))
	}
	return v
}

// pairs is a container of tuples.
func (r *reader) pairs(v ...code.ExprID) code.ExprID {
	for k := range v {
		v[k] = r.typeOf(v[k])
	}
	t := r.b.Unary(code.OpTuple, r.b.List(v...))
	return r.of(r.b.Expr(code.OpArray, int32(t), 0))
}

// superOf is super() in a method, and super(C, self).
func (r *reader) superOf(args uint32) code.ExprID {
	class := code.NoDef
	if x := r.argument(args, 0); x != 0 {
		before := len(r.doc.Uses)
		switch e := r.doc.Exprs[r.key(x)]; e.Op {
		case code.OpDef:
			if r.doc.Defs[e.A].Kind.IsType() {
				class = code.DefID(e.A)
			}
		case code.OpClass:
			class = code.DefID(e.A)
		case code.OpMember: // super(Outer.Inner, self)
			for d := r.def; d != code.NoDef && class == code.NoDef; d = r.doc.Defs[d].Parent {
				if r.doc.Defs[d].Kind.IsType() && int32(r.doc.Defs[d].Name) == e.B {
					class = d
				}
			}
		}
		r.doc.Uses = r.doc.Uses[:before]
	} else {
		for s := r.scope; s > 0; s = r.scopes[s].parent {
			if sc := &r.scopes[s]; sc.kind == scopeClass {
				class = sc.class
				break
			}
		}
	}
	if class == code.NoDef {
		return 0
	}
	return r.b.Expr(code.OpSuper, int32(class), 0)
}

// reflect reads getattr and its like: with the name in a literal it is a member, else it is dynamic.
func (r *reader) reflect(callee, args uint32) code.ExprID {
	x, name := r.argument(args, 0), r.argument(args, 1)
	if x == 0 || name == 0 {
		r.arguments(args, 0, false)
		return 0
	}
	var v, e code.ExprID
	get := r.is(callee, "getattr")
	for c := args + 1; c < r.recs[args].Next; c = r.recs[c].Next {
		switch c {
		case x:
			v = r.expr(c, true)
		case name:
			text, start, ok := r.literal(c)
			if !ok || !isName(text) {
				r.expr(c, false)
				if get || r.is(callee, "setattr") {
					r.doc.Flags |= code.DocDynamic
				}
				if get {
					r.useAt(r.recs[c].Start, 0, code.RoleCall)
				}
				continue
			}
			n := r.b.NameBytes(text)
			e = r.b.Member(v, n)
			role := code.RoleRead
			switch {
			case r.is(callee, "setattr"), r.is(callee, "delattr"):
				role = code.RoleWrite
			case !get:
				continue // hasattr asks because it does not know
			}
			r.doc.Uses = append(r.doc.Uses, code.Use{Start: start, Name: n, Scope: r.def, Expr: e, Role: role})
		default:
			r.expr(c, false)
		}
	}
	if get {
		return e
	}
	return 0
}

// importer says whether a function imports the module that its argument names.
func (r *reader) importer(f code.ExprID) bool {
	if f == 0 {
		return false
	}
	e := r.doc.Exprs[f]
	switch e.Op {
	case code.OpImport:
		m := &r.doc.Imports[e.A]
		return m.Name != 0 && imports(r.doc.Names[m.Specifier], r.doc.Names[m.Name])
	case code.OpMember:
		if o := r.doc.Exprs[e.A]; o.Op == code.OpImport && r.doc.Imports[o.A].Name == 0 {
			return imports(r.doc.Names[r.doc.Imports[o.A].Specifier], r.doc.Names[e.B])
		}
	}
	return false
}

func imports(module, function string) bool {
	return module == "importlib" && function == "import_module" || module == "pytest" && function == "importorskip"
}

// dynamicImport reads __import__("a.b"), importlib.import_module("a.b") and
// pytest.importorskip("a.b"): an import when the name is a literal, else dynamic.
func (r *reader) dynamicImport(args uint32, f code.ExprID) code.ExprID {
	x := r.argument(args, 0)
	text, start, ok := r.literal(x)
	r.arguments(args, 0, false)
	dots := 0
	for dots < len(text) && text[dots] == '.' {
		dots++
	}
	if ok && dots > 0 { // relative to the package that is named
		p := r.argument(args, 1)
		if p == 0 {
			for c := args + 1; c < r.recs[args].Next; c = r.recs[c].Next {
				if r.recs[c].Kind == kKeywordArgument && r.hasWord(c+1, "package") {
					p = r.child(c, fValue)
				}
			}
		}
		ok = p != 0 && (r.is(p, "__package__") || r.is(p, "__name__"))
	}
	name := text[dots:]
	for _, part := range bytes.Split(name, []byte{'.'}) {
		ok = ok && (isName(part) || dots > 0 && len(name) == 0)
	}
	if !ok || dots > 255 {
		r.doc.Flags |= code.DocDynamic
		r.useAt(r.recs[args].Start, 0, code.RoleCall)
		return 0
	}
	m := code.Import{Kind: code.ImportDynamic, Relative: uint8(dots), Start: start + uint32(dots), End: start + uint32(len(text)), Scope: r.def}
	if f == 0 {
		if top, _, dotted := bytes.Cut(name, []byte{'.'}); dotted { // __import__("a.b") gives a
			name = top
			m.End = m.Start + uint32(len(top))
		}
	}
	m.Specifier = r.b.NameBytes(name)
	if f != 0 && r.doc.Exprs[f].Op == code.OpMember && r.doc.Names[r.doc.Exprs[f].B] == "importorskip" {
		m.Optional = true
	}
	return r.b.Expr(code.OpImport, int32(r.b.AddImport(m)), 0)
}
