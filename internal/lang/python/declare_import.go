package python

import (
	"bytes"

	"manito/internal/code"
)

// guard notes what an if around imports says of them.
func (r *reader) guard(i uint32) {
	r.optional = max(r.optional, r.recs[i].Next)
	if c := r.child(i, fCondition); c != 0 && r.hasWord(c, "TYPE_CHECKING") {
		if body := r.child(i, fConsequence); body != 0 {
			r.typeOnly = max(r.typeOnly, r.recs[body].Next)
		}
	}
}

// catchesImportError says whether a try statement goes on when an import fails.
func (r *reader) catchesImportError(i uint32) bool {
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Kind != kExcept {
			continue
		}
		bare := true
		for v := c + 1; v < r.recs[c].Next; v = r.recs[v].Next {
			if r.recs[v].Field != fValue {
				continue
			}
			bare = false
			text := r.textOf(v)
			for _, name := range [...]string{"ImportError", "ModuleNotFoundError", "Exception", "AttributeError"} {
				if bytes.Contains(text, []byte(name)) {
					return true
				}
			}
		}
		if bare {
			return true
		}
	}
	return false
}

// importAt is an Import with what its place says of it.
func (r *reader) importAt(i uint32, m code.Import) code.Import {
	m.Scope = r.scopes[r.here()].def
	m.Optional = i < r.optional
	m.TypeOnly = i < r.typeOnly
	return m
}

// bindImport binds a name to an import.
func (r *reader) bindImport(i, local uint32, id code.ImportID) {
	name := r.name(local)
	if name == 0 {
		return
	}
	s := r.symbol(name, r.here())
	if to := r.symbols[s].alias; to >= 0 {
		s = to
	} else if to == aliasOpen {
		return
	}
	if sym := &r.symbols[s]; sym.bound < 0 {
		sym.first = local
	}
	r.bind(s, binding{kind: bindImport, id: int32(id), conditional: i < r.scopes[r.here()].until, at: i})
	r.note[local] = int32(id) + 1
}

// declareImport is import a.b.c, x as y; and from __future__ import z.
func (r *reader) declareImport(i uint32) {
	future := r.recs[i].Kind == kImportFuture
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		dotted, local := c, uint32(0)
		if r.recs[c].Kind == kAliasedImport {
			if dotted, local = r.child(c, fName), r.child(c, fAlias); dotted == 0 || local == 0 {
				continue
			}
		}
		if r.recs[dotted].Kind != kDottedName || dotted+1 >= r.recs[dotted].Next || r.recs[dotted+1].Start == r.recs[dotted+1].End {
			continue
		}
		if local == 0 {
			local = dotted + 1 // import a.b.c binds a
		}
		m := code.Import{
			Kind: code.ImportModule, Specifier: r.dotted(dotted), Local: r.name(local), NameStart: r.recs[local].Start,
			Start: r.recs[dotted].Start, End: r.recs[dotted].End,
		}
		if future {
			m.Kind, m.Name, m.Specifier = code.ImportNamed, m.Specifier, r.b.Name("__future__")
		}
		r.bindImport(i, local, r.b.AddImport(r.importAt(i, m)))
	}
}

// dotted interns a dotted name; where space stands in it, without that.
func (r *reader) dotted(i uint32) code.NameID {
	if int(r.recs[i].End-r.recs[i].Start) == r.width(i) {
		return r.name(i)
	}
	var text []byte
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if len(text) > 0 {
			text = append(text, '.')
		}
		text = append(text, r.textOf(c)...)
	}
	return r.b.NameBytes(text)
}

// width is the length of a dotted name without space.
func (r *reader) width(i uint32) int {
	n := -1
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		n += int(r.recs[c].End-r.recs[c].Start) + 1
	}
	return n
}

// declareFrom is from ..m.n import p as q, r; and from m import *.
func (r *reader) declareFrom(i uint32) {
	var base code.Import
	module := r.child(i, fModuleName)
	if module == 0 {
		return
	}
	base.Start, base.End = r.recs[module].Start, r.recs[module].End
	path := module
	if r.recs[module].Kind == kRelativeImport {
		path = 0
		for c := module + 1; c < r.recs[module].Next; c = r.recs[c].Next {
			switch r.recs[c].Kind {
			case kImportPrefix:
				base.Relative = uint8(min(255, bytes.Count(r.textOf(c), []byte{'.'})))
			case kDottedName:
				path = c
			}
		}
	}
	if path != 0 {
		if r.recs[path].Start == r.recs[path].End {
			return
		}
		base.Specifier = r.dotted(path)
	} else if base.Relative == 0 {
		return
	}
	for c := r.recs[module].Next; c < r.recs[i].Next; c = r.recs[c].Next {
		m := base
		name := c
		var local uint32
		switch r.recs[c].Kind {
		case kWildcard:
			m.Kind = code.ImportStar
			r.b.AddImport(r.importAt(i, m))
			continue
		case kAliasedImport:
			if name, local = r.child(c, fName), r.child(c, fAlias); name == 0 || local == 0 {
				continue
			}
		case kDottedName:
		default:
			continue
		}
		if r.recs[name].Start == r.recs[name].End {
			continue
		}
		if local == 0 {
			local = name + 1
		}
		m.Kind, m.Name, m.Local, m.NameStart = code.ImportNamed, r.dotted(name), r.name(local), r.recs[local].Start
		if m.Local == 0 {
			continue
		}
		r.bindImport(i, local, r.b.AddImport(r.importAt(i, m)))
	}
}

// declareAlias is global x and nonlocal x.
func (r *reader) declareAlias(i uint32) {
	here := r.here()
	for c := i + 1; c < r.recs[i].Next; c = r.recs[c].Next {
		if r.recs[c].Kind != kIdentifier {
			continue
		}
		name := r.name(c)
		if name == 0 {
			continue
		}
		if here == 0 {
			continue // at the top, global says nothing
		}
		s := r.symbol(name, here)
		if r.symbols[s].bound >= 0 {
			continue // bound before: not valid Python
		}
		if r.recs[i].Kind == kNonlocal {
			r.symbols[s].alias = aliasOpen
			continue
		}
		to := r.symbol(name, 0)
		r.symbols[s].alias = to
	}
}
