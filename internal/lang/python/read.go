package python

import (
	"manito/internal/code"
)

// frame is where the second pass reads.
type frame struct {
	scope   int32      // the innermost scope
	flow    int32      // the innermost scope whose code runs in order with what is read: scope, or that around a comprehension
	visible int32      // the class whose names are seen, or noSymbol
	def     code.DefID // the scope of uses
	floor   int        // narrowings below it belong to a function around this one
}

// function is what is gathered while the body of a function is read.
type function struct {
	def        code.DefID
	returns    slot
	yields     slot
	declared   bool // it has a return annotation
	generator  bool
	cyclomatic uint32
	cognitive  uint32
	nesting    uint32
}

// read is the second pass. It gives false when it was stopped.
func (r *reader) read() bool {
	r.frame = frame{visible: noSymbol, def: code.NoDef}
	r.open(0)
	if !r.statements(0) {
		return false
	}
	r.settleAll()
	r.export()
	r.shut(0)
	return true
}

// enter opens a scope for reading; exit takes what it returns.
func (r *reader) enter(scope int32) frame {
	old := r.frame
	r.open(scope)
	r.scope = scope
	switch r.scopes[scope].kind {
	case scopeClass:
		r.flow, r.visible = scope, scope
	case scopeFunction, scopeLambda:
		r.flow, r.visible, r.floor = scope, noSymbol, len(r.narrowed)
	case scopeComprehension:
		r.visible = noSymbol
	}
	return old
}

func (r *reader) exit(scope int32, old frame) {
	r.shut(scope)
	r.frame = old
}

// settleAll gives variables their types.
func (r *reader) settleAll() {
	for i := range r.locals {
		if l := &r.doc.Locals[i]; l.Type == 0 {
			l.Type = r.settle(&r.locals[i])
		}
	}
	for i := range r.slots {
		if d := &r.doc.Defs[i]; d.Type == 0 && !d.Kind.Callable() {
			d.Type = r.settle(&r.slots[i])
		}
	}
}

// export lists what the module's names denote at its end.
func (r *reader) export() {
	end := uint32(len(r.recs))
	r.flow = noSymbol
	for s := r.scopes[0].head; s >= 0; s = r.symbols[s].next {
		sym := &r.symbols[s]
		if sym.bound < 0 {
			continue
		}
		first := sym.first
		if first == 0 || first >= end { // bound by definitions only
			for b := sym.bound; b >= 0; b = r.bindings[b].prev {
				if k := &r.bindings[b]; k.kind == bindDef {
					r.b.AddExport(code.Export{Name: sym.name, Expr: r.denotes(s, end), Import: -1, Start: r.doc.Defs[k.id].NameStart})
					break
				}
			}
			continue
		}
		r.b.AddExport(code.Export{Name: sym.name, Expr: r.denotes(s, end), Import: -1, Start: r.recs[first].Start})
	}
	r.settleExported()
}

// use records a use of an identifier.
func (r *reader) use(i uint32, name code.NameID, e code.ExprID, role code.Role) {
	r.doc.Uses = append(r.doc.Uses, code.Use{Start: r.recs[i].Start, Name: name, Scope: r.def, Expr: e, Role: role})
}

// useAt records a use without a name.
func (r *reader) useAt(start uint32, e code.ExprID, role code.Role) {
	r.doc.Uses = append(r.doc.Uses, code.Use{Start: start, Scope: r.def, Expr: e, Role: role})
}

// swap exchanges the uses recorded in from..mid with those since mid: what was
// read first but is written second.
func (r *reader) swap(from, mid int) {
	uses := r.doc.Uses
	switch tail := len(uses) - mid; {
	case tail == 0 || mid == from:
	case tail <= mid-from:
		r.spare = append(r.spare[:0], uses[mid:]...)
		copy(uses[from+tail:], uses[from:mid])
		copy(uses[from:], r.spare)
	default:
		r.spare = append(r.spare[:0], uses[from:mid]...)
		copy(uses[from:], uses[mid:])
		copy(uses[from+tail:], r.spare)
	}
}

// importUses records the names in an import statement as uses of what they bring in.
func (r *reader) importUses(i uint32) {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Field != fName {
			continue
		}
		dotted, local := c, uint32(0)
		if r.recs[c].Kind == kAliasedImport {
			dotted, local = r.child(c, fName), r.child(c, fAlias)
		} else if c+1 < r.recs[c].Next {
			local = c + 1
		}
		if dotted == 0 || local == 0 || r.note[local] == 0 {
			continue
		}
		e := r.b.Expr(code.OpImport, r.note[local]-1, 0)
		if local != dotted+1 || r.recs[i].Kind != kImport { // from m import x as y; import a.b as c
			last := dotted + 1
			for p := last; p < r.recs[dotted].Next; p = r.recs[p].Next {
				last = p
			}
			r.use(last, r.name(last), e, code.RoleImport)
			continue
		}
		for p := dotted + 1; p < r.recs[dotted].Next; p = r.recs[p].Next { // import a.b.c: each of a, a.b, a.b.c
			name := r.name(p)
			if p > dotted+1 {
				e = r.b.Member(e, name)
			}
			r.use(p, name, e, code.RoleImport)
		}
	}
}
