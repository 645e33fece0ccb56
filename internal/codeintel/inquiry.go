package codeintel

import (
	"context"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
)

// The steps of an inquiry: each looks for one cause why uses may be missing.

// values: a function or class that is taken as a value may be called through it.
func (q *inquiry) values(context.Context) error {
	g := q.x.g
	if q.ask == askUses || !callable(q.kind, q.flags) && !q.kind.IsType() || readIsCall(q.kind, q.flags) {
		return nil
	}
	for l := range g.In(q.node, readKinds) {
		if l.Flags&graph.LinkExported != 0 {
			continue
		}
		if !q.add(reasonValue, q.x.at(l.Source, l.Line, l.Column), "%s is taken as a value and may be called through it", q.name) {
			return nil
		}
	}
	if q.flags&code.DefDecorated == 0 {
		return nil
	}
	for d := q.def; d != graph.None; d = g.NextDef(d) {
		for l := range g.Out(d) {
			if l.Kind == code.EdgeDecorates && g.Class(l.Target) == graph.ClassSymbol {
				q.add(reasonDecorated, q.x.at(d, l.Line, l.Column), "a decorator of the repository gets %s and may call it", q.name)
			}
		}
	}
	return nil
}

func callable(k code.Kind, f code.DefFlags) bool { return k.Callable() && f&code.DefProperty == 0 }

// readIsCall says whether reading the symbol runs it.
func readIsCall(k code.Kind, f code.DefFlags) bool {
	return k == code.KindGetter || k == code.KindSetter || f&code.DefProperty != 0
}

func (q *inquiry) implicit(context.Context) error {
	if q.ask != askUses && q.member && q.traits.implicit(q.name) {
		def := q.x.g.Definition(q.def)
		q.add(reasonImplicit, q.x.at(q.def, def.NameLine, def.NameColumn), "the language calls %s without its name being written", q.name)
	}
	return nil
}

// sites looks at the unresolved uses of the symbol's name.
func (q *inquiry) sites(context.Context) error {
	g := q.x.g
	for _, name := range q.names() {
		files := cursor{g: g}
		for s := range g.Sites(name) {
			f := files.of(s.Source)
			if !q.roleCounts(s.Role) || !q.sees(f) {
				continue
			}
			reason, message := q.siteReason(s)
			if reason == "" {
				continue
			}
			if !q.add(reason, q.x.at(s.Source, s.Line, s.Column), message, name) {
				return nil
			}
		}
	}
	return nil
}

// cursor finds the files of definitions that come mostly in order.
type cursor struct {
	g          *graph.Graph
	f          graph.FileNo
	first, end graph.Def
}

func (c *cursor) of(d graph.Def) graph.FileNo {
	if d < c.first || d >= c.end {
		c.f = c.g.FileOf(d)
		c.first = c.g.FileDef(c.f)
		_, c.end = c.g.FileDefs(c.f)
	}
	return c.f
}

// names are the names under which the symbol is written where it is used: for a constructor that of its class.
func (q *inquiry) names() []string {
	if !constructor(q.kind, q.name) {
		return []string{q.name}
	}
	out := []string{q.x.g.OwnerName(q.def)}
	if q.kind != code.KindConstructor && q.name != "constructor" {
		out = append(out, q.name) // Base.__init__(self)
	}
	return out
}

// constructor says whether a method runs when an instance is made.
func constructor(k code.Kind, name string) bool {
	return k == code.KindConstructor || k == code.KindMethod && (name == "__init__" || name == "__new__" || name == "constructor")
}

// roleCounts says whether a use in a role is one that the question is about. A
// read may hand the function on, so that it counts for calls too.
func (q *inquiry) roleCounts(r code.Role) bool {
	if q.ask != askCalls {
		return true
	}
	switch r {
	case code.RoleCall, code.RoleNew, code.RoleDecorate, code.RoleRead, code.RoleReadWrite:
		return true
	case code.RoleWrite:
		return readIsCall(q.kind, q.flags)
	}
	return false
}

// siteReason says by which reason an unresolved use of the name may be one of the symbol; "" when it cannot.
func (q *inquiry) siteReason(s graph.Site) (reason, message string) {
	asMember := q.member && !constructor(q.kind, q.name)
	// A member's name written alone denotes something else.
	throughModule := q.traits.moduleValues && q.region == regionAll && !asMember
	switch s.Reason {
	case code.SiteUnknownReceiver:
		if asMember || throughModule {
			return reasonReceiver, "%s is used on something whose type is not known"
		}
	case code.SiteAmbiguous:
		if s.Through == graph.ThroughPartial {
			if asMember && !q.isOwn(s) {
				return reasonPartial, "%s is used on something that may also be of a type that is not known"
			}
			return "", ""
		}
		return reasonAmbiguous, "a use of %s has several candidates"
	case code.SiteNoMember:
		// Code that compiles gets the member from somewhere: an anonymous interface, a mapped type, a subtype.
		if asMember {
			return reasonNoMember, "%s is used on a type that does not visibly have it"
		}
	case code.SiteExternal, code.SiteBuiltin:
		if asMember && (s.Through == graph.ThroughValue || s.Through == graph.ThroughType && (q.x.g.Packaged(q.file) || q.openOwner())) {
			return reasonExternal, "%s is used on something that comes from outside of the repository"
		}
	case code.SiteUnresolvedModule:
		if q.region != regionFile {
			return reasonImport, "%s is used through an import that could not be resolved"
		}
	case code.SiteNoExport:
		if !asMember && q.region != regionFile {
			return reasonNoExport, "%s is asked of a module that does not visibly export it"
		}
	}
	return "", ""
}

// isOwn says whether an edge to the subject stands at a site.
func (q *inquiry) isOwn(s graph.Site) bool {
	for l := range q.x.g.Out(s.Source) {
		if l.Line == s.Line && l.Column == s.Column {
			for _, n := range q.s.nodes {
				if l.Target == n {
					return true
				}
			}
		}
	}
	return false
}

// owner is the type that the symbol is a member of, or None.
func (q *inquiry) owner() graph.Def {
	p := q.x.g.Parent(q.def)
	if p != graph.None && q.x.g.Kind(p).IsType() {
		return p
	}
	return graph.None
}

// openOwner says whether the member's type has a base that is not known.
func (q *inquiry) openOwner() bool {
	p := q.owner()
	return p != graph.None && q.x.g.OpenBase(p)
}

// computed looks at members and callees that are chosen at run time, and at files that evaluate code.
func (q *inquiry) computed(context.Context) error {
	g := q.x.g
	if strings.HasPrefix(q.name, "#") || !callable(q.kind, q.flags) && !q.member && !q.kind.IsType() {
		return nil
	}
	_, taken := q.at[reasonValue]
	member := q.member && !constructor(q.kind, q.name)
	files := cursor{g: g}
	for s := range g.Sites("") {
		f := files.of(s.Source)
		if s.Reason != code.SiteDynamic || !g.SameFamily(f, q.file) || q.region == regionPackage && !g.SameScope(f, q.file) {
			continue
		}
		if !(member && q.traits.computedMembers || taken || !member && q.region == regionAll && q.traits.moduleValues && q.holds(f)) {
			continue
		}
		if !q.add(reasonComputed, q.x.at(s.Source, s.Line, s.Column), "what is called is chosen at run time and may be %s", q.name) {
			return nil
		}
	}
	for _, f := range q.x.marked().dynamic {
		if !g.SameFamily(f, q.file) || q.region == regionPackage && !g.SameScope(f, q.file) {
			continue
		}
		switch {
		case q.traits.reflectsExported:
			if !member || q.flags&code.DefExported == 0 {
				continue
			}
		case !member && !taken && !q.holds(f) && !(g.EvaluatesScope(f) && (f == q.file || q.namesIt(f))):
			continue
		}
		if !q.add(reasonRunTimeCode, Location{File: g.Path(f)}, "a file evaluates code or looks names up at run time and may use %s", q.name) {
			return nil
		}
	}
	return nil
}

// holds says whether a file has the symbol's module as a value or all of its names.
func (q *inquiry) holds(f graph.FileNo) bool {
	q.findImporters()
	return q.holders[f]
}

// namesIt says whether a file imports the symbol by its name.
func (q *inquiry) namesIt(f graph.FileNo) bool {
	q.findImporters()
	return q.namers[f]
}

func (q *inquiry) findImporters() {
	if q.holders != nil {
		return
	}
	g := q.x.g
	q.holders, q.namers = map[graph.FileNo]bool{}, map[graph.FileNo]bool{}
	for l := range g.In(g.FileNode(q.file), linkKinds) {
		if l.Flags&graph.LinkModule != 0 || l.Reason == code.ReasonImportName { // from package import module
			q.holders[g.FileOf(l.Source)] = true
		}
	}
	for l := range g.In(q.node, linkKinds) {
		q.namers[g.FileOf(l.Source)] = true
	}
}

// structural looks for interfaces with a member of the same name that the
// symbol's type may satisfy without the graph knowing.
func (q *inquiry) structural(context.Context) error {
	g := q.x.g
	p := q.owner()
	if p == graph.None || g.Kind(p) == code.KindInterface || constructor(q.kind, q.name) || q.flags&code.DefStatic != 0 {
		return nil
	}
	if !q.traits.structural && !g.OpenBase(p) || strings.HasPrefix(q.name, "#") {
		return nil
	}
	related := map[graph.Node]bool{}
	for _, t := range g.Bases(q.node) {
		related[t.Node] = true
	}
	kinds := callKinds(q.kind, q.flags)
	if q.ask != askCalls {
		kinds = useKinds
	}
	for _, n := range g.Named(q.name) {
		d := g.FirstDef(n)
		if n == q.node || related[n] || !g.SameFamily(g.FileOf(d), q.file) {
			continue
		}
		if op := g.Parent(d); op == graph.None || g.Kind(op) != code.KindInterface && g.Kind(op) != code.KindType {
			continue
		}
		for l := range g.In(n, kinds) {
			if !q.add(reasonStructural, q.x.at(l.Source, l.Line, l.Column), "%s of an interface is used, and the type may satisfy it without saying so", q.name) {
				return nil
			}
		}
	}
	return nil
}

// moduleSites looks at imports that could not be resolved and may mean a file or package.
func (q *inquiry) moduleSites(context.Context) error {
	g := q.x.g
	for _, s := range g.UnresolvedImports() {
		f := g.FileOf(s.Source)
		if !g.SameFamily(f, q.file) || !endsIn(s.Name, q.moduleNames()) {
			continue
		}
		if !q.add(reasonImport, q.x.at(s.Source, s.Line, s.Column), "an import that could not be resolved may mean %s", q.name) {
			return nil
		}
	}
	return nil
}

// moduleNames are the words by which an import may end that means the file or package.
func (q *inquiry) moduleNames() []string {
	p := q.x.g.Path(q.file)
	if q.kind == code.KindPackage {
		return []string{q.name}
	}
	parts := strings.Split(p, "/")
	base := parts[len(parts)-1]
	stem, _, _ := strings.Cut(base, ".")
	out := []string{base, stem}
	if len(parts) > 1 && (stem == "index" || stem == "__init__") {
		out = append(out, parts[len(parts)-2])
	}
	return out
}

// endsIn says whether the last part of a specifier is one of the words.
func endsIn(specifier string, words []string) bool {
	last := specifier[strings.LastIndexAny(specifier, "/.")+1:]
	base := specifier[strings.LastIndexByte(specifier, '/')+1:]
	for _, w := range words {
		if w != "" && (last == w || base == w || strings.TrimSuffix(base, ".js") == w) {
			return true
		}
	}
	return false
}
