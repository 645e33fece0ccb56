package graph

import (
	"slices"

	"manito/internal/code"
)

// liner turns offsets into lines. Offsets mostly ascend, so it looks near the last one first.
type liner struct {
	starts []uint32
	last   int
}

func (l *liner) reset(doc *code.Document) { l.starts, l.last = doc.Lines, 0 }

func (l *liner) at(offset uint32) (line, column uint32) {
	n := len(l.starts)
	if n == 0 {
		return 0, offset
	}
	i := l.last
	if l.starts[i] > offset || i+8 < n && l.starts[i+8] <= offset {
		lo, hi := 0, n
		for lo+1 < hi {
			if mid := int(uint(lo+hi) >> 1); l.starts[mid] <= offset {
				lo = mid
			} else {
				hi = mid
			}
		}
		i = lo
	} else {
		for i+1 < n && l.starts[i+1] <= offset {
			i++
		}
	}
	l.last = i
	return uint32(i), offset - l.starts[i]
}

// addSites counts the sites and keeps those that might matter; which of the
// other reasons matter is known only in Build, when all names are there.
func (b *Builder) addSites(doc *code.Document, base uint32, sites []code.Site) {
	g := b.g
	family := g.fileFamily[len(g.fileFamily)-1]
	b.lines.reset(doc)
	for i := range sites {
		s := &sites[i]
		called := s.Role == code.RoleCall || s.Role == code.RoleNew
		b.counts[siteClass{family, s.Reason, called}]++
		if (s.Role == code.RoleExtend || s.Role == code.RoleImplement) && s.Source >= 0 && int(s.Source) < len(doc.Defs) {
			g.defMarks[base+1+uint32(s.Source)] |= markOpenBase
		}
		site := builderSite{def: base + uint32(s.Source+1), name: b.name(doc, s.Name)}
		via := ThroughNothing
		switch s.Reason {
		case code.SiteExternal, code.SiteNoMember, code.SiteGlobal, code.SiteBuiltin:
			if s.Reason == code.SiteExternal || s.Reason == code.SiteBuiltin {
				via = way(doc, s.Start)
				site.pkg = uint64(s.Package)
				site.always = called && s.Reason == code.SiteExternal // what a definition calls outside of the repository can be asked for
				if via == ThroughNothing && !site.always {
					continue // names something else for certain
				}
			}
		default:
			site.always = true
		}
		site.line, site.col = b.lines.at(s.Start)
		site.meta = packSite(s.Role, s.Reason, via)
		b.sites = append(b.sites, site)
	}
}

// usedKinds are the kinds of edges that come from a use of a name.
var usedKinds = KindsOf(code.EdgeCalls, code.EdgeInstantiates, code.EdgeReads, code.EdgeWrites, code.EdgeUsesType, code.EdgeDecorates)

// addPartial notes the edges that are not the whole truth about their use: the
// receiver may be of another type, one that is not known, with a member of the same name.
func (b *Builder) addPartial(doc *code.Document, base uint32, edges []code.Edge) {
	b.lines.reset(doc)
	last := uint32(None)
	for i := range edges {
		e := &edges[i]
		if e.Certainty == code.Must || !usedKinds.Has(e.Kind) || e.Start == last {
			continue
		}
		last = e.Start // the alternatives of one use stand together
		u, ok := useAt(doc, e.Start)
		if !ok || u.Name == 0 {
			continue
		}
		s := builderSite{def: base + uint32(e.Source+1), name: b.name(doc, u.Name), always: true, meta: packSite(u.Role, code.SiteAmbiguous, ThroughPartial)}
		s.line, s.col = b.lines.at(e.Start)
		b.sites = append(b.sites, s)
	}
}

// useAt is the use that stands at an offset.
func useAt(doc *code.Document, start uint32) (code.Use, bool) {
	i, ok := slices.BinarySearchFunc(doc.Uses, start, func(u code.Use, at uint32) int { return int(int64(u.Start) - int64(at)) })
	if !ok {
		return code.Use{}, false
	}
	return doc.Uses[i], true
}

// way finds what the expression of the use at an offset goes through.
func way(doc *code.Document, start uint32) Through {
	u, ok := useAt(doc, start)
	if !ok {
		return ThroughValue
	}
	return through(doc, u.Expr, 12)
}

// through walks an expression; past the given depth nothing is claimed to be known.
func through(doc *code.Document, x code.ExprID, depth int) Through {
	if depth == 0 || int(x) >= len(doc.Exprs) {
		return ThroughValue
	}
	e := doc.Exprs[x]
	switch e.Op {
	case code.OpImport, code.OpName, code.OpDef, code.OpThis, code.OpSuper, code.OpClass, code.OpBuiltin:
		return ThroughNothing
	case code.OpMember, code.OpPointer, code.OpAddr, code.OpDeref:
		return through(doc, code.ExprID(e.A), depth-1)
	case code.OpLocal:
		return max(ThroughType, through(doc, doc.Locals[e.A].Type, depth-1))
	case code.OpNew, code.OpOf:
		return max(ThroughType, throughTypeExpr(doc, code.ExprID(e.A), depth-1))
	}
	return ThroughValue
}

// throughTypeExpr is through for type expressions: a plain named type is known,
// one with type arguments may hand out what it was given.
func throughTypeExpr(doc *code.Document, x code.ExprID, depth int) Through {
	for ; depth > 0 && int(x) < len(doc.Exprs); depth-- {
		switch e := doc.Exprs[x]; e.Op {
		case code.OpImport, code.OpName, code.OpDef, code.OpBuiltin:
			return ThroughType
		case code.OpMember, code.OpPointer, code.OpNullable, code.OpArray, code.OpMap:
			x = code.ExprID(e.A)
		default:
			return ThroughValue
		}
	}
	return ThroughValue
}

// evaluates says whether a file that is code.DocDynamic evaluates code or asks for
// the names of a scope, by the names it writes. Reflection on values writes none of these.
func evaluates(doc *code.Document) bool {
	for _, n := range doc.Names {
		switch n {
		case "eval", "exec", "execfile", "globals", "locals", "vars", "compile", "Function", "import_module", "__import__", "__getattr__", "__getattribute__":
			return true
		}
	}
	return doc.Language == "typescript" || doc.Language == "javascript" // with (object) statements write no name
}

// addRenames notes the names under which a file hands on or takes in something of another name.
func (b *Builder) addRenames(doc *code.Document) {
	note := func(original, other code.NameID) {
		if original != 0 && original != other && doc.Names[original] != "*" && doc.Names[original] != "default" {
			b.renamed[b.name(doc, original)] = struct{}{}
		}
	}
	for i := range doc.Exports {
		x := &doc.Exports[i]
		if int(x.Expr) >= len(doc.Exprs) {
			continue
		}
		switch e := doc.Exprs[x.Expr]; e.Op {
		case code.OpDef:
			note(doc.Defs[e.A].Name, x.Name)
		case code.OpImport:
			note(doc.Imports[e.A].Name, x.Name)
		case code.OpMember:
			note(code.NameID(e.B), x.Name)
		}
	}
}
