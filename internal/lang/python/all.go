package python

import (
	"manito/internal/code"
)

// allNames is what a module's __all__ is known to list.
type allNames struct {
	set     bool // the module has one
	unknown bool // it has parts that cannot be read
	names   []code.NameID
	rest    []code.ExprID // the __all__ of other modules
}

// readAll reads what is assigned or added to __all__.
func (r *reader) readAll(i uint32, more bool) {
	if !more {
		r.starAll = allNames{names: r.starAll.names[:0], rest: r.starAll.rest[:0]}
	}
	r.starAll.set = true
	r.readAllPart(i)
}

func (r *reader) readAllPart(i uint32) {
	switch r.recs[i].Kind {
	case kList, kTuple, kParenthesized, kExpressionList, kListSplat, kConcatenated, kSet:
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			r.readAllPart(c)
		}
	case kBinary: // [...] + m.__all__
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			r.readAllPart(c)
		}
	case kString:
		r.readAllName(i)
	case kAttribute:
		e := r.attribute(i, code.RoleRead)
		if a := r.child(i, fAttribute); a != 0 && e != 0 && r.is(a, "__all__") {
			r.starAll.rest = append(r.starAll.rest, e)
			return
		}
		r.starAll.unknown = true
	case kCall: // list(m.__all__), tuple(...), sorted(...)
		args := r.child(i, fArguments)
		f := i + 1
		if f < r.recs[i].Next && r.recs[f].Kind == kIdentifier && args != 0 && (r.is(f, "list") || r.is(f, "tuple") || r.is(f, "sorted") || r.is(f, "set")) {
			r.identifier(f, code.RoleCall)
			for c := args + 1; c < r.recs[args].Next; c = r.recs[c].Next {
				r.readAllPart(c)
			}
			return
		}
		r.expr(i, false)
		r.starAll.unknown = true
	default:
		r.expr(i, false)
		r.starAll.unknown = true
	}
}

// readAllName is a use of the name that is exported.
func (r *reader) readAllName(i uint32) {
	text, start, ok := r.literal(i)
	if !ok || !isName(text) {
		return
	}
	name := r.b.NameBytes(text)
	r.starAll.names = append(r.starAll.names, name)
	e := code.ExprID(0)
	if s := r.find(name, 0); s >= 0 {
		e = r.denotes(s, uint32(len(r.recs)))
		if r.symbols[s].vari >= 0 && e == r.b.Expr(code.OpDef, r.symbols[s].vari, 0) {
			r.doc.Defs[r.symbols[s].vari].Flags |= code.DefExported
		}
	}
	if e == 0 {
		e = r.b.Expr(code.OpName, int32(name), 0) // from a star import, or made at run time
	}
	r.doc.Uses = append(r.doc.Uses, code.Use{Start: start, Name: name, Scope: r.def, Expr: e, Role: code.RoleImport})
}

// extendAll reads __all__.extend(...), append and remove.
func (r *reader) extendAll(callee, args uint32) bool {
	if r.scope != 0 || r.recs[callee].Kind != kAttribute || callee+1 >= r.recs[callee].Next || !r.is(callee+1, "__all__") {
		return false
	}
	method := r.child(callee, fAttribute)
	if method == 0 || !(r.is(method, "extend") || r.is(method, "append")) {
		return false
	}
	r.attribute(callee, code.RoleCall)
	for c := args + 1; c < r.recs[args].Next; c = r.recs[c].Next {
		r.readAllPart(c)
	}
	return true
}

// settleExported gives __all__ its Type. The module's scope is still open.
func (r *reader) settleExported() {
	if !r.starAll.set || r.starAll.unknown {
		return
	}
	all := r.find(r.b.Name("__all__"), 0)
	if all < 0 || r.symbols[all].vari < 0 {
		return
	}
	base := len(r.exprs)
	for _, name := range r.starAll.names {
		e := code.ExprID(0)
		if s := r.find(name, 0); s >= 0 {
			e = r.denotes(s, uint32(len(r.recs)))
		}
		r.exprs = append(r.exprs, r.b.Expr(code.OpField, int32(name), int32(e)))
	}
	t := r.b.Expr(code.OpObject, int32(r.b.List(r.exprs[base:]...)), 0)
	r.exprs = r.exprs[:base]
	for _, e := range r.starAll.rest {
		t = r.b.Expr(code.OpUnion, int32(t), int32(e))
	}
	r.doc.Defs[r.symbols[all].vari].Type = t
}
