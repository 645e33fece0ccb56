package python

import (
	"manito/internal/code"
)

type scopeKind uint8

const (
	scopeModule scopeKind = iota
	scopeClass
	scopeFunction
	scopeLambda
	scopeComprehension
	scopeTypeParams // the type parameters of a function, class or alias (PEP 695), around it
)

// scope is a namespace of Python. Scopes are numbered in the order in which they
// are met, so that an inner scope has a larger number than those around it.
type scope struct {
	kind       scopeKind
	parent     int32
	def        code.DefID // the innermost Def around its code
	class      code.DefID // scopeClass: the class; a method's scope: its class; else NoDef
	head, tail int32      // its symbols, by symbol.next
	end        uint32     // first record after it
	until      uint32     // first record after the conditional statement that is being read in it
}

type symbolFlags uint8

const (
	symbolSelf    symbolFlags = 1 << iota // the first parameter of a method
	symbolCls                             // that of a class method
	symbolTypeVar                         // a variable that holds a TypeVar
	symbolRebound                         // a parameter that is assigned to
)

// symbol is a name in a scope.
type symbol struct {
	name  code.NameID
	scope int32
	next  int32       // in its scope
	outer int32       // the symbol of that name that it hides while its scope is open
	alias int32       // what `global` or `nonlocal` made of it: a symbol, aliasOpen, or noSymbol
	first uint32      // the record of the identifier that defines its variable
	bound int32       // its last binding
	expr  code.ExprID // what a use of it denotes when everything has been bound; 0 before the first such use
	vari  int32       // its variable: a DefID in modules and classes, else a LocalID; none when it has none
	flags symbolFlags
}

const (
	noSymbol  = -1
	aliasOpen = -2 // nonlocal: the symbol is found when the scope is read
	none      = -1
)

type bindingKind uint8

const (
	bindVariable bindingKind = iota
	bindNothing              // a variable that is set to None: something else is meant
	bindDef
	bindImport
)

// binding is one way in which a symbol gets its value.
type binding struct {
	kind        bindingKind
	conditional bool   // it may be skipped
	prev        int32  // the binding before it, or none
	id          int32  // DefID or ImportID
	at          uint32 // the first record that can see it
}

// What stands in reader.attributes for a name that the class's body binds: a
// variable, or what its subclasses do not make anew by assigning to it, which is
// a function, a property or a variable with a type.
const (
	classVariable = -1
	classMember   = -2
)

// attribute is an instance or class attribute that a method makes: self.x = ...
type attribute struct {
	def   code.DefID
	first uint32 // the record of the attribute expression that defines it
	typed bool   // it is written with a type
}

// slot collects the values of a variable.
type slot struct {
	values    [maxValues]code.ExprID
	count     uint8
	open      bool // it has values that are not known
	annotated bool // values[0] is declared and holds over all others
}

// maxValues is how many different values of one variable are told apart.
const maxValues = 4

func (s *slot) add(v code.ExprID) {
	if s.annotated {
		return
	}
	if v == 0 {
		s.open = true
		return
	}
	for _, known := range s.values[:s.count] {
		if known == v {
			return
		}
	}
	if s.count == maxValues {
		s.open = true
		return
	}
	s.values[s.count] = v
	s.count++
}

func (s *slot) declare(v code.ExprID) {
	if s.annotated || v == 0 {
		return
	}
	s.values[0], s.count, s.annotated, s.open = v, 1, true, false
}

// settle makes one expression of a slot's values. One that has unknown values
// besides known ones is a union with the unknown, so that link can tell.
func (r *reader) settle(s *slot) code.ExprID {
	if s.count == 0 {
		return 0
	}
	var v code.ExprID
	rest := s.values[:s.count]
	if !s.open {
		v, rest = rest[len(rest)-1], rest[:len(rest)-1]
	}
	for i := len(rest) - 1; i >= 0; i-- {
		v = r.b.Expr(code.OpUnion, int32(rest[i]), int32(v))
	}
	return v
}

// either is one of two values; what is not known stays part of it.
func (r *reader) either(x, y code.ExprID) code.ExprID {
	switch {
	case x == y:
		return x
	case x == 0:
		x, y = y, x
	}
	if x == r.nothing() {
		return y
	}
	if y == r.nothing() {
		return x
	}
	return r.b.Expr(code.OpUnion, int32(x), int32(y))
}

// name interns the text of a record.
func (r *reader) name(i uint32) code.NameID {
	rec := &r.recs[i]
	return r.b.NameBytes(r.text[rec.Start:rec.End])
}

func (r *reader) textOf(i uint32) []byte { return r.text[r.recs[i].Start:r.recs[i].End] }

// is says whether a record's text is a word.
func (r *reader) is(i uint32, word string) bool { return string(r.textOf(i)) == word }

// top is the innermost symbol that is open under a name.
func (r *reader) top(name code.NameID) int32 {
	if int(name) < len(r.current) {
		return r.current[name]
	}
	return noSymbol
}

func (r *reader) setTop(name code.NameID, s int32) {
	for int(name) >= len(r.current) {
		r.current = append(r.current, noSymbol)
	}
	r.current[name] = s
}

// find is the symbol of a name in one open scope.
func (r *reader) find(name code.NameID, scope int32) int32 {
	s := r.top(name)
	for s >= 0 && r.symbols[s].scope > scope {
		s = r.symbols[s].outer
	}
	if s >= 0 && r.symbols[s].scope == scope {
		return s
	}
	return noSymbol
}

// symbol is the symbol of a name in an open scope, made when it is not there.
func (r *reader) symbol(name code.NameID, scope int32) int32 {
	above, s := int32(noSymbol), r.top(name)
	for s >= 0 && r.symbols[s].scope > scope {
		above, s = s, r.symbols[s].outer
	}
	if s >= 0 && r.symbols[s].scope == scope {
		return s
	}
	id := int32(len(r.symbols))
	r.symbols = append(r.symbols, symbol{name: name, scope: scope, next: noSymbol, outer: s, alias: noSymbol, bound: none, vari: none})
	if above >= 0 {
		r.symbols[above].outer = id
	} else {
		r.setTop(name, id)
	}
	sc := &r.scopes[scope]
	if sc.tail >= 0 {
		r.symbols[sc.tail].next = id
	} else {
		sc.head = id
	}
	sc.tail = id
	return id
}

func (r *reader) newScope(kind scopeKind, parent int32, def, class code.DefID, end uint32) int32 {
	r.scopes = append(r.scopes, scope{kind: kind, parent: parent, def: def, class: class, head: noSymbol, tail: noSymbol, end: end})
	return int32(len(r.scopes) - 1)
}

// open makes the symbols of a scope those that their names denote.
func (r *reader) open(scope int32) {
	for s := r.scopes[scope].head; s >= 0; s = r.symbols[s].next {
		sym := &r.symbols[s]
		sym.outer = r.top(sym.name)
		r.setTop(sym.name, s)
	}
}

// shut undoes open.
func (r *reader) shut(scope int32) {
	for s := r.scopes[scope].head; s >= 0; s = r.symbols[s].next {
		sym := &r.symbols[s]
		r.current[sym.name] = sym.outer
	}
}

// bind adds a binding to a symbol.
func (r *reader) bind(s int32, b binding) {
	sym := &r.symbols[s]
	b.prev = sym.bound
	if b.kind <= bindNothing && sym.bound >= 0 {
		if last := &r.bindings[sym.bound]; last.kind <= bindNothing { // one variable, set again
			last.kind = min(last.kind, b.kind)
			if last.conditional && !b.conditional {
				last.conditional, last.at = false, b.at
			}
			return
		}
	}
	r.bindings = append(r.bindings, b)
	sym.bound = int32(len(r.bindings) - 1)
}

// lookup is the symbol that a name denotes where the second pass reads.
func (r *reader) lookup(name code.NameID) int32 { return r.lookupFrom(r.top(name)) }

// lookupFrom is lookup among a symbol and those that it hides.
func (r *reader) lookupFrom(s int32) int32 {
	for s >= 0 {
		sym := &r.symbols[s]
		if r.scopes[sym.scope].kind == scopeClass && sym.scope != r.visible {
			s = sym.outer // the names of a class are not seen from its functions
			continue
		}
		if sym.alias >= 0 {
			return sym.alias
		}
		if sym.alias != aliasOpen {
			return s
		}
		for s = sym.outer; s >= 0; s = r.symbols[s].outer {
			if k := r.scopes[r.symbols[s].scope].kind; k == scopeFunction || k == scopeLambda {
				break
			}
		}
	}
	return noSymbol
}

// before says whether a symbol of a class is used by code of its body before it
// is bound there: then the name is that of a scope around the class.
func (r *reader) before(s int32, i uint32) bool {
	sym := &r.symbols[s]
	if sym.scope != r.flow || r.scopes[sym.scope].kind != scopeClass {
		return false
	}
	for b := sym.bound; b >= 0; b = r.bindings[b].prev {
		if r.bindings[b].at <= i {
			return false
		}
	}
	return true
}

// denotes is the expression for a use of a symbol by the record i.
func (r *reader) denotes(s int32, i uint32) code.ExprID {
	sym := &r.symbols[s]
	if sym.bound < 0 {
		return 0
	}
	last := &r.bindings[sym.bound]
	if last.prev < 0 { // bound in one way, which is the rule
		if sym.expr == 0 {
			sym.expr = r.bindingExpr(sym, last)
		}
		return sym.expr
	}
	if sym.scope == r.flow {
		// Code of the symbol's own scope sees what was bound before it.
		if e := r.alternatives(sym, i); e != 0 {
			return e
		}
	}
	if sym.expr == 0 {
		sym.expr = r.alternatives(sym, uint32(len(r.recs)))
	}
	return sym.expr
}

// alternatives joins the bindings of a symbol that the record at can see: the
// last that is not conditional, and the conditional ones after it.
func (r *reader) alternatives(sym *symbol, at uint32) code.ExprID {
	var found [maxValues]code.ExprID
	n := 0
	var empty code.ExprID
	for i := sym.bound; i >= 0 && n < maxValues; i = r.bindings[i].prev {
		b := &r.bindings[i]
		if b.at > at {
			continue
		}
		e := r.bindingExpr(sym, b)
		if b.kind == bindNothing {
			empty = e
		} else {
			found[n] = e
			n++
		}
		if !b.conditional {
			break
		}
	}
	if n == 0 {
		return empty
	}
	e := found[0] // the last one
	for _, other := range found[1:n] {
		if other != e {
			e = r.b.Expr(code.OpUnion, int32(other), int32(e))
		}
	}
	return e
}

func (r *reader) bindingExpr(sym *symbol, b *binding) code.ExprID {
	switch b.kind {
	case bindDef:
		return r.b.Expr(code.OpDef, b.id, 0)
	case bindImport:
		return r.b.Expr(code.OpImport, b.id, 0)
	}
	if r.global(sym.scope) {
		return r.b.Expr(code.OpDef, sym.vari, 0)
	}
	return r.b.Expr(code.OpLocal, sym.vari, 0)
}

// global says whether the variables of a scope are definitions.
func (r *reader) global(scope int32) bool {
	k := r.scopes[scope].kind
	return k == scopeModule || k == scopeClass
}
