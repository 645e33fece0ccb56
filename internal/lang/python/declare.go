package python

import (
	"bytes"

	"manito/internal/code"
	"manito/internal/syntax/treesitter"
)

// declare is the first pass: one run over the records, in order, that opens and
// shuts scopes as they come and enters what binds a name. Afterwards every scope
// has its symbols, and every Def, Local and static Import exists, in the order
// in which they are written.
func (r *reader) declare() {
	n := uint32(len(r.recs))
	module := r.newScope(scopeModule, none, code.NoDef, code.NoDef, n)
	r.stack = append(r.stack[:0], module)
	for i := uint32(0); i < n; i++ {
		for i >= r.scopes[r.stack[len(r.stack)-1]].end {
			r.leave()
		}
		for k := len(r.pending); k > 0 && r.pending[k-1].at == i; k-- {
			r.open(r.pending[k-1].scope)
			r.stack = append(r.stack, r.pending[k-1].scope)
			r.pending = r.pending[:k-1]
		}
		switch r.recs[i].Kind {
		case kFunction:
			r.declareFunction(i)
		case kClass:
			r.declareClass(i)
		case kDecorated:
			r.decorators = i
		case kLambda:
			r.declareLambda(i)
		case kListComprehension, kDictComprehension, kSetComprehension, kGenerator:
			r.note[i] = r.newScope(scopeComprehension, r.here(), r.scopes[r.here()].def, code.NoDef, r.recs[i].Next)
			r.stack = append(r.stack, r.note[i])
		case kForIn:
			r.targets(i, fLeft, place{})
		case kAssignment:
			r.declareAssignment(i)
		case kAugmented:
			r.targets(i, fLeft, r.placeOf(i))
		case kNamedExpression:
			r.declareWalrus(i)
		case kFor:
			r.conditional(i)
			r.targets(i, fLeft, place{})
		case kWhile, kMatch:
			r.conditional(i)
		case kIf:
			r.conditional(i)
			r.guard(i)
		case kTry:
			r.conditional(i)
			if r.catchesImportError(i) {
				r.optional = max(r.optional, r.recs[i].Next)
			}
		case kAsTarget:
			r.target(i, place{})
		case kExcept:
			r.declareExcept(i)
		case kCase:
			for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
				if r.recs[c].Kind == kCasePattern {
					r.capture(c)
				}
			}
		case kImport, kImportFuture:
			r.declareImport(i)
		case kImportFrom:
			r.declareFrom(i)
		case kGlobal, kNonlocal:
			r.declareAlias(i)
		case kTypeAlias:
			r.declareTypeAlias(i)
		case kString, kConcatenated:
			if i == r.documented.at && r.documented.def != code.NoDef {
				d := &r.doc.Defs[r.documented.def]
				d.DocStart, d.DocEnd = r.recs[i].Start, r.recs[i].End
			}
		}
	}
	for len(r.stack) > 0 {
		r.leave()
	}
}

// here is the innermost open scope of the first pass.
func (r *reader) here() int32 { return r.stack[len(r.stack)-1] }

// leave shuts the innermost scope.
func (r *reader) leave() {
	r.shut(r.here())
	r.stack = r.stack[:len(r.stack)-1]
}

// later opens a scope when the record at is reached.
func (r *reader) later(at uint32, scope int32) {
	r.pending = append(r.pending, pendingScope{at, scope})
}

type pendingScope struct {
	at    uint32
	scope int32
}

// child is the first child of i in a field, or 0, which is the root and no child.
func (r *reader) child(i uint32, field treesitter.Field) uint32 {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Field == field {
			return c
		}
	}
	return 0
}

// conditional notes that what is bound up to the end of i may be skipped.
func (r *reader) conditional(i uint32) {
	s := &r.scopes[r.here()]
	s.until = max(s.until, r.recs[i].Next)
}

// place says what part of the text a variable's definition covers.
type place struct {
	start, end uint32
	body       uint32 // offset of "=" or 0
	at         uint32 // the record from which on the binding is seen; 0: from the target on
	statement  bool   // start and end are set
	nothing    bool   // the value is None
	typed      bool   // it is written with a type
}

func (r *reader) placeOf(i uint32) place {
	return place{start: r.recs[i].Start, end: r.recs[i].End, at: r.recs[i].Next, statement: true}
}

// targets binds the targets in a field of i.
func (r *reader) targets(i uint32, field treesitter.Field, p place) {
	if c := r.child(i, field); c != 0 {
		r.target(c, p)
	}
}

// target binds what is assigned to.
func (r *reader) target(i uint32, p place) {
	switch r.recs[i].Kind {
	case kIdentifier:
		r.bindName(i, r.here(), p)
	case kAttribute:
		r.bindAttribute(i, p)
	case kPatternList, kTuplePattern, kListPattern, kListSplatPattern, kTuple, kList, kListSplat, kParenthesized, kExpressionList, kAsTarget, kDictSplatPattern:
		for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
			r.target(c, p)
		}
	}
}

// bindName binds an identifier as a variable of a scope.
func (r *reader) bindName(i uint32, scope int32, p place) {
	name := r.name(i)
	if name == 0 {
		return
	}
	s := r.symbol(name, scope)
	aliased := r.symbols[s].alias
	switch {
	case aliased == aliasOpen:
		return
	case aliased >= 0:
		s = aliased
	}
	sym := &r.symbols[s]
	sc := &r.scopes[sym.scope]
	if sym.vari == none {
		sym.first = i
		if !p.statement {
			p.start, p.end = r.recs[i].Start, r.recs[i].End
		}
		if r.global(sym.scope) {
			sym.vari = r.declareVariable(name, i, sym.scope, p)
		} else {
			sym.vari = int32(r.b.AddLocal(code.Local{Name: name, Kind: code.KindVariable, Scope: sc.def, Start: r.recs[i].Start}))
			r.locals = append(r.locals, slot{})
		}
	} else {
		sym.flags |= symbolRebound
	}
	b := binding{kind: bindVariable, conditional: aliased >= 0 || i < sc.until, id: sym.vari, at: p.at}
	if p.at == 0 {
		b.at = i
	}
	if p.nothing {
		b.kind = bindNothing
	}
	r.bind(s, b)
}

// declareVariable makes the Def of a variable of a module or class, unless a method made it already.
func (r *reader) declareVariable(name code.NameID, i uint32, scope int32, p place) int32 {
	sc := &r.scopes[scope]
	d := code.Def{Name: name, Kind: code.KindVariable, Parent: sc.def, Start: p.start, End: p.end, NameStart: r.recs[i].Start, BodyStart: p.body}
	d.Flags = r.visibility(r.textOf(i), sc.def)
	if sc.kind == scopeClass {
		if a, ok := r.attributes[attributeKey{sc.class, name}]; ok && a >= 0 {
			return int32(r.attrs[a].def)
		}
		d.Kind = code.KindField
	} else if constantName(r.textOf(i)) {
		d.Kind = code.KindConstant
	}
	id := r.addDef(d)
	if p.statement {
		r.documented.def = id
		r.documented.at = p.at
	}
	return int32(id)
}

// addDef adds a definition. Where the parser had to guess, a target may have been
// entered before a definition that is written in front of it; what stands behind
// in the table must not begin before.
func (r *reader) addDef(d code.Def) code.DefID {
	if n := len(r.doc.Defs); n > 0 && d.Start < r.doc.Defs[n-1].Start {
		d.Start = r.doc.Defs[n-1].Start
		d.End = max(d.End, d.Start)
		if d.BodyStart < d.Start {
			d.BodyStart = 0
		}
	}
	r.slots = append(r.slots, slot{})
	return r.b.AddDef(d)
}

// constantName says whether a name is written like a constant: MAX_SIZE.
func constantName(s []byte) bool {
	letters := 0
	for _, c := range s {
		switch {
		case 'A' <= c && c <= 'Z':
			letters++
		case c == '_' || '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return letters > 1
}

// visibility derives the flags that a name says by its underscores.
func (r *reader) visibility(name []byte, parent code.DefID) code.DefFlags {
	switch {
	case bytes.HasPrefix(name, []byte("__")) && bytes.HasSuffix(name, []byte("__")) && len(name) > 4:
		return code.DefExported
	case bytes.HasPrefix(name, []byte("__")) && parent != code.NoDef:
		return code.DefPrivate
	case bytes.HasPrefix(name, []byte("_")):
		return code.DefProtected
	}
	return code.DefExported
}

type attributeKey struct {
	class code.DefID
	name  code.NameID
}

// bindAttribute makes a field of self.x = ... in a method, when the class has none of that name yet.
func (r *reader) bindAttribute(i uint32, p place) {
	object := i + 1
	if object >= r.recs[i].Next || r.recs[object].Kind != kIdentifier {
		return
	}
	s := r.top(r.name(object))
	if s < 0 || r.symbols[s].flags&(symbolSelf|symbolCls) == 0 {
		return
	}
	method := &r.scopes[r.symbols[s].scope]
	c := r.child(i, fAttribute)
	if c == 0 || r.recs[c].Start == r.recs[c].End {
		return
	}
	name := r.name(c)
	key := attributeKey{method.class, name}
	if _, ok := r.attributes[key]; ok {
		return
	}
	if r.find(name, r.classScope[method.class]) >= 0 {
		return // bound by the class in a way that members does not see
	}
	if r.inherited(method.class, name, 0) {
		return
	}
	if !p.statement {
		p.start, p.end = r.recs[i].Start, r.recs[i].End
	}
	d := code.Def{Name: name, Kind: code.KindField, Parent: method.class, Start: p.start, End: p.end, NameStart: r.recs[c].Start, BodyStart: p.body}
	d.Flags = r.visibility(r.textOf(c), method.class)
	if r.symbols[s].flags&symbolCls != 0 {
		d.Flags |= code.DefStatic
	}
	r.attributes[key] = int32(len(r.attrs))
	r.attrs = append(r.attrs, attribute{def: r.addDef(d), first: i, typed: p.typed})
}

// inherited says whether a superclass in this file has a member of a name that
// its subclasses share: what they assign to a variable without a type is their own.
func (r *reader) inherited(class code.DefID, name code.NameID, depth int) bool {
	if depth > 8 {
		return false
	}
	for _, base := range r.classes[r.classOf[class]].inherits {
		if a, ok := r.attributes[attributeKey{base, name}]; ok && (a == classMember || a >= 0 && r.attrs[a].typed) {
			return true
		}
		if r.inherited(base, name, depth+1) {
			return true
		}
	}
	return false
}

func (r *reader) declareAssignment(i uint32) {
	p := r.placeOf(i)
	var left, right, typ uint32
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch r.recs[c].Field {
		case fLeft:
			left = c
		case fRight:
			right = c
		case fType:
			typ = c
		}
	}
	if left == 0 {
		return
	}
	if right != 0 {
		p.body = r.equals(right)
		if p.body < p.start {
			p.body = 0
		}
		p.nothing = r.recs[right].Kind == kNone
	}
	p.typed = typ != 0
	r.target(left, p)
	if r.recs[left].Kind != kIdentifier || !r.global(r.here()) {
		return
	}
	if s := r.find(r.name(left), r.here()); s >= 0 && r.symbols[s].first == left && r.symbols[s].vari >= 0 {
		r.refine(&r.symbols[s], typ, right)
	}
}

// equals is the offset of the "=" before the record right.
func (r *reader) equals(right uint32) uint32 {
	for at := r.recs[right].Start; at > 0; at-- {
		switch r.text[at-1] {
		case '=':
			return at - 1
		case ' ', '\t', '\n', '\r', '\f', '\\':
		default:
			return 0
		}
	}
	return 0
}

// refine changes the kind of a new variable by what is written beside it.
func (r *reader) refine(sym *symbol, typ, right uint32) {
	d := &r.doc.Defs[sym.vari]
	sc := &r.scopes[sym.scope]
	var word []byte // the last name of the annotation or of the function called
	switch {
	case typ != 0:
		word = r.headWord(typ)
	case right != 0 && r.recs[right].Kind == kCall:
		word = r.headWord(right + 1)
	case right != 0 && r.recs[right].Kind == kSubscript && isTypeForm(string(r.headWord(right+1))):
		d.Kind = code.KindType
		d.Flags |= code.DefAlias
		return
	}
	switch w := string(word); {
	case typ != 0 && w == "TypeAlias":
		d.Kind = code.KindType
		d.Flags |= code.DefAlias
	case typ != 0 && w == "Final":
		if sc.kind == scopeModule {
			d.Kind = code.KindConstant
		}
		d.Flags |= code.DefReadonly
	case typ == 0 && w == "NewType":
		d.Kind = code.KindType
	case typ == 0 && (w == "TypeVar" || w == "ParamSpec" || w == "TypeVarTuple"):
		sym.flags |= symbolTypeVar
	case typ == 0 && (w == "namedtuple" || w == "NamedTuple") && r.recs[right].Kind == kCall:
		d.Kind, d.BodyStart = code.KindClass, 0
		r.tupleFields(code.DefID(sym.vari), right)
		return
	}
	if sc.kind != scopeClass || d.Kind == code.KindType {
		return
	}
	class := &r.classes[r.classOf[sc.class]]
	switch {
	case class.enum && typ == 0 && right != 0 && !bytes.HasPrefix(r.textOf(sym.first), []byte("_")):
		d.Kind = code.KindEnumMember
		d.Flags |= code.DefStatic | code.DefReadonly
	case typ != 0 && string(word) == "ClassVar":
		d.Flags |= code.DefStatic
	case right != 0 && !(class.record && typ != 0):
		d.Flags |= code.DefStatic
	}
}

// headWord is the last name of an expression without its arguments and subscripts: "Optional" of typing.Optional[X].
func (r *reader) headWord(i uint32) []byte {
	for range 8 {
		switch r.recs[i].Kind {
		case kIdentifier:
			return r.textOf(i)
		case kAttribute:
			if c := r.child(i, fAttribute); c != 0 {
				return r.textOf(c)
			}
			return nil
		case kType, kGenericType, kSubscript, kCall, kDecorator, kParenthesized:
			if i+1 >= r.recs[i].Next {
				return nil
			}
			i++
		default:
			return nil
		}
	}
	return nil
}

// declareWalrus binds the target of := in the function around the comprehensions that it stands in.
func (r *reader) declareWalrus(i uint32) {
	c := r.child(i, fName)
	if c == 0 {
		return
	}
	scope := r.here()
	for r.scopes[scope].kind == scopeComprehension {
		scope = r.scopes[scope].parent
	}
	r.bindName(c, scope, place{})
}

func (r *reader) declareExcept(i uint32) {
	if c := r.child(i, fAlias); c != 0 {
		r.target(c, place{})
		return
	}
	// except E, e: the old form.
	values := 0
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Field == fValue {
			if values++; values == 2 {
				r.target(c, place{})
			}
		}
	}
}

// capture binds what a pattern of match captures: a name alone, the name after
// "as", and the rest of a sequence or mapping.
func (r *reader) capture(i uint32) {
	rec := &r.recs[i]
	switch rec.Kind {
	case kCasePattern, kListPattern, kTuplePattern, kUnionPattern:
		r.captures(i+1, rec.Next)
	case kDictPattern:
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			if r.recs[c].Field != fKey {
				r.capture(c)
			}
		}
	case kClassPattern, kKeywordPattern: // after the name of the class or attribute
		if i+1 < rec.Next {
			r.captures(r.recs[i+1].Next, rec.Next)
		}
	case kAsPattern, kSplatPattern:
		for c := i + 1; c < rec.Next; c = r.recs[c].Next {
			if r.recs[c].Kind == kIdentifier {
				r.bindName(c, r.here(), place{})
			} else {
				r.capture(c)
			}
		}
	case kDottedName:
		if rec.Next == i+2 {
			r.bindName(i+1, r.here(), place{})
		}
	}
}

func (r *reader) captures(c, end uint32) {
	for ; c < end; c = r.recs[c].Next {
		r.capture(c)
	}
}
