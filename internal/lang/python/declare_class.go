package python

import (
	"bytes"

	"manito/internal/code"
)

// class is what is known of a class beyond its Def.
type class struct {
	params   []typeParam  // the TypeVars that it is generic over
	inherits []code.DefID // its superclasses in this file
	enum     bool
	record   bool // its annotated variables are fields of the instances: dataclass, NamedTuple, TypedDict
	protocol bool
	test     bool
}

// typeParam is a type parameter by name.
type typeParam struct {
	name  code.NameID
	local code.LocalID
}

func (r *reader) declareClass(i uint32) {
	h := r.headerOf(i)
	if h.name == 0 || r.recs[h.name].Start == r.recs[h.name].End {
		return
	}
	sc := r.scopes[r.here()]
	t := r.traitsOf(i)
	name := r.name(h.name)
	word := r.textOf(h.name)
	rec := &r.recs[i]
	c := class{record: t.dataclass}
	if h.bases != 0 {
		r.readBases(h.bases, &c)
	}
	if r.test && bytes.HasPrefix(word, []byte("Test")) {
		c.test = true
	}
	d := code.Def{Name: name, Kind: code.KindClass, Parent: sc.def, Start: rec.Start, End: rec.End, NameStart: r.recs[h.name].Start, BodyStart: r.colon(i, h)}
	d.Flags = t.flags | r.visibility(word, sc.def)
	switch {
	case c.enum:
		d.Kind = code.KindEnum
	case c.protocol:
		d.Kind = code.KindInterface
	}
	if c.test {
		d.Flags |= code.DefTest
	}
	r.documentation(&d, h.body)
	id := r.addDef(d)
	r.bindDef(i, name, id, t)
	outer := r.here()
	if h.typeParams != 0 {
		outer = r.declareTypeParams(h.typeParams, id, rec.Next)
	}
	scope := r.newScope(scopeClass, outer, id, id, rec.Next)
	r.note[i] = scope
	r.classScope[id] = scope
	r.classOf[id] = int32(len(r.classes))
	r.classes = append(r.classes, c)
	if h.body != 0 {
		r.members(h.body, id)
		r.scopes[scope].end = r.recs[h.body].Next
		r.later(h.body, scope)
	}
}

// members notes the names that the body of a class binds, so that a method which
// assigns to one before it is written (self.x = ..., def x further down) does
// not seem to make it.
func (r *reader) members(block uint32, class code.DefID) {
	for c := block + 1; c < r.recs[block].Next; c = r.recs[c].Next {
		switch r.recs[c].Kind {
		case kFunction, kClass:
			r.member(r.child(c, fName), class, classMember)
		case kDecorated:
			if d := r.child(c, fDefinition); d != 0 {
				r.member(r.child(d, fName), class, classMember)
			}
		case kAssignment:
			how := int32(classVariable)
			if r.child(c, fType) != 0 {
				how = classMember
			}
			r.memberTargets(c, class, how)
		case kIf, kElif, kElse, kTry, kExcept, kBlock, kWith:
			r.members(c, class)
		}
	}
}

func (r *reader) member(i uint32, class code.DefID, how int32) {
	if i == 0 {
		return
	}
	if name := r.name(i); name != 0 {
		r.attributes[attributeKey{class, name}] = how
	}
}

func (r *reader) memberTargets(i uint32, class code.DefID, how int32) {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		switch {
		case r.recs[c].Kind == kAssignment:
			r.memberTargets(c, class, how)
		case r.recs[c].Field != fLeft:
		case r.recs[c].Kind == kIdentifier:
			r.member(c, class, how)
		case r.recs[c].Kind == kPatternList || r.recs[c].Kind == kTuplePattern:
			for p := c + 1; p < r.recs[c].Next; p = r.recs[p].Next {
				if r.recs[p].Kind == kIdentifier {
					r.member(p, class, how)
				}
			}
		}
	}
}

// readBases tells special classes by the names of their bases.
func (r *reader) readBases(bases uint32, c *class) {
	for b := bases + 1; b < r.recs[bases].Next; b = r.recs[b].Next {
		if r.recs[b].Kind == kKeywordArgument {
			if v := r.child(b, fValue); v != 0 && (r.hasWord(v, "EnumMeta") || r.hasWord(v, "EnumType")) {
				c.enum = true
			}
			continue
		}
		word := r.headWord(b)
		switch string(word) {
		case "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum", "TextChoices", "IntegerChoices":
			c.enum = true
		case "NamedTuple", "TypedDict", "BaseModel", "Struct":
			c.record = true
		case "Protocol":
			c.protocol = true
		case "object":
		default:
			if bytes.HasSuffix(word, []byte("TestCase")) || bytes.HasSuffix(word, []byte("Tests")) && r.test {
				c.test = true
			}
			if r.recs[b].Kind == kIdentifier {
				if s := r.top(r.name(b)); s >= 0 && r.symbols[s].bound >= 0 {
					if k := r.bindings[r.symbols[s].bound]; k.kind == bindDef && r.doc.Defs[k.id].Kind.IsType() {
						known := &r.classes[r.classOf[code.DefID(k.id)]]
						c.inherits = append(c.inherits, code.DefID(k.id))
						c.enum = c.enum || known.enum
						c.record = c.record || known.record
						c.test = c.test || known.test
					}
				}
			}
		}
	}
}

// declareTypeParams opens a scope with the type parameters in brackets after a name.
func (r *reader) declareTypeParams(i uint32, def code.DefID, end uint32) int32 {
	scope := r.newScope(scopeTypeParams, r.here(), def, code.NoDef, end)
	r.note[i] = scope
	r.stack = append(r.stack, scope)
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if t := r.typeParamName(c); t != 0 && r.recs[c].Kind == kType {
			r.typeParameter(t, scope, def)
		}
	}
	return scope
}

// typeParamName is the identifier that a type parameter is called by: T of T, T: bound, *T and **T.
func (r *reader) typeParamName(i uint32) uint32 {
	for c := i; c < r.recs[i].Next; c++ {
		if r.recs[c].Kind == kIdentifier {
			if r.recs[c].Start < r.recs[c].End {
				return c
			}
			return 0
		}
	}
	return 0
}

func (r *reader) typeParameter(i uint32, scope int32, def code.DefID) {
	name := r.name(i)
	s := r.symbol(name, scope)
	sym := &r.symbols[s]
	if sym.vari != none {
		return
	}
	sym.first = i
	sym.vari = int32(r.b.AddLocal(code.Local{Name: name, Kind: code.KindTypeParameter, Scope: def, Start: r.recs[i].Start}))
	r.locals = append(r.locals, slot{})
	r.bind(s, binding{kind: bindVariable, id: sym.vari})
}

// declareTypeAlias is "type X[T] = ...".
func (r *reader) declareTypeAlias(i uint32) {
	left := r.child(i, fLeft)
	if left == 0 {
		return
	}
	t := r.typeParamName(left)
	if t == 0 {
		return
	}
	p := r.placeOf(i)
	if right := r.child(i, fRight); right != 0 {
		p.body = r.equals(right)
	}
	r.bindName(t, r.here(), p)
	id := r.scopes[r.here()].def
	if s := r.find(r.name(t), r.here()); s >= 0 && r.symbols[s].first == t && r.global(r.here()) {
		id = code.DefID(r.symbols[s].vari)
		r.doc.Defs[id].Kind = code.KindType
		r.doc.Defs[id].Flags |= code.DefAlias
	}
	for c := t + 1; c < r.recs[left].Next; c++ {
		if r.recs[c].Kind == kTypeParameter {
			r.declareTypeParams(c, id, r.recs[i].Next)
			break
		}
	}
}
