package codeintel

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// subject is what a question is about: one symbol, or the declarations of one
// name in one place that a person means as one: overloads and their
// implementation, a getter and its setter, merged declarations.
type subject struct {
	nodes []graph.Node // the first stands for all
}

func (s subject) primary() graph.Node { return s.nodes[0] }

// Ambiguous is the error for a name that several symbols bear. It wraps a problem.Error.
type Ambiguous struct {
	Query   string
	Choices []Symbol // the likeliest first, at most maxChoices
	Total   int
	problem *problem.Error
}

// Error lists how many there are; the fixes of the wrapped problem list them.
func (e *Ambiguous) Error() string { return e.problem.Error() }

// Unwrap is the problem.
func (e *Ambiguous) Unwrap() error { return e.problem }

// Missing is the error for a name that no symbol bears. It wraps a problem.Error.
type Missing struct {
	Query   string
	Near    []Symbol // symbols with names that are much like it
	problem *problem.Error
}

// Error says what was not found.
func (e *Missing) Error() string { return e.problem.Error() }

// Unwrap is the problem.
func (e *Missing) Unwrap() error { return e.problem }

const maxChoices = 20

// resolve finds what a query is about.
func (x *Index) resolve(raw string) (subject, error) {
	q, err := parseQuery(raw)
	if err != nil {
		return subject{}, err
	}
	if q.symbol != "" {
		return x.bySymbol(q)
	}
	if q.line > 0 {
		f, err := x.file(q.path, raw)
		if err != nil {
			return subject{}, err
		}
		return x.byPosition(q, f)
	}
	if q.path != "" {
		f, err := x.file(q.path, raw)
		if err == nil {
			return x.choose(q, x.matches(q, func(d graph.Def) bool { return x.g.FileOf(d) == f }))
		}
		// No such file: the colon may belong to the name.
		all := query{raw: q.raw, parts: append(nameParts(q.path), q.parts...)}
		if s, err := x.choose(all, x.matches(all, nil)); err == nil {
			return s, nil
		}
		return subject{}, err
	}
	if f, ok := x.g.FileByPath(strings.TrimPrefix(q.raw, "./")); ok {
		return subject{[]graph.Node{x.g.FileNode(f)}}, nil
	}
	found := x.matches(q, nil)
	if len(found) == 0 {
		if s, ok := x.place(q); ok {
			return s, nil
		}
	}
	return x.choose(q, found)
}

// bySymbol finds a whole symbol string; it names exactly one node.
func (x *Index) bySymbol(q query) (subject, error) {
	// The keys of files, packages and externals hash their whole string.
	for _, s := range []string{q.symbol, q.symbol + " "} {
		if n, ok := x.g.Find(code.ScopeKey(s)); ok && strings.TrimSpace(x.g.Symbol(n)) == strings.TrimSpace(s) {
			return subject{[]graph.Node{n}}, nil
		}
	}
	name := lastDescriptorName(q.symbol)
	for _, n := range x.g.Named(name) {
		if x.g.Symbol(n) == q.symbol {
			return subject{[]graph.Node{n}}, nil
		}
	}
	return subject{}, x.missing(q, name)
}

// lastDescriptorName is the name in the last descriptor of a symbol string.
func lastDescriptorName(s string) string {
	s = strings.TrimRight(s, ".#/!]:")
	if strings.HasSuffix(s, ")") {
		s = s[:max(0, strings.LastIndexByte(s, '('))]
	} else if i := strings.LastIndexByte(s, '+'); i > 0 && strings.Trim(s[i+1:], "0123456789") == "" && i+1 < len(s) {
		s = s[:i] // a disambiguator
	}
	if strings.HasSuffix(s, "`") {
		// Backticks inside are doubled: walk back to the one that stands alone.
		for i := len(s) - 2; i >= 0; i-- {
			if s[i] != '`' {
				continue
			}
			if i > 0 && s[i-1] == '`' {
				i--
				continue
			}
			return strings.ReplaceAll(s[i+1:len(s)-1], "``", "`")
		}
		return ""
	}
	i := strings.LastIndexAny(s, ".#/!]: ")
	return s[i+1:]
}

// byPosition finds what stands at a line, or at a line and column.
func (x *Index) byPosition(q query, f graph.FileNo) (subject, error) {
	g := x.g
	line := uint32(q.line - 1)
	first, end := g.FileDefs(f)
	if q.column > 0 {
		return x.byColumn(q, f, line, uint32(q.column-1))
	}
	inner := graph.Def(graph.None)
	for d := first; d < end; d++ {
		def := g.Definition(d)
		if def.Line == line || def.NameLine == line {
			return x.group(d), nil
		}
		if def.Line < line && line <= def.EndLine {
			inner = d // definitions come in order, so the last one that holds the line is the innermost
		}
	}
	if inner != graph.None {
		return x.group(inner), nil
	}
	if lines := g.File(f).Lines; lines > 0 && line >= lines {
		return subject{}, x.newMissing(q, nil, "%s has %d lines, not %d", g.Path(f), lines, q.line)
	}
	return subject{[]graph.Node{g.FileNode(f)}}, nil
}

// byColumn finds the definition or use whose name covers a column.
func (x *Index) byColumn(q query, f graph.FileNo, line, column uint32) (subject, error) {
	g := x.g
	first, end := g.FileDefs(f)
	for d := first; d < end; d++ {
		def := g.Definition(d)
		width := uint32(len(g.Name(g.Node(d))))
		if def.Flags&code.DefNoName == 0 && def.NameLine == line && def.NameColumn <= column && column < def.NameColumn+width {
			return x.group(d), nil
		}
	}
	var nodes []graph.Node
	at, width := uint32(0), uint32(0)
	for d := g.FileDef(f); d < end; d++ {
		for l := range g.Out(d) {
			if l.Line != line || l.Column > column || l.Kind == code.EdgeOverrides || l.Kind == code.EdgeImplements && l.Reason == code.ReasonMethodSet {
				continue
			}
			w := max(1, uint32(len(g.Name(l.Target))))
			switch {
			case column >= l.Column+w:
			case len(nodes) > 0 && l.Column == at:
				if !slices.Contains(nodes, l.Target) {
					nodes = append(nodes, l.Target)
				}
			case len(nodes) == 0 || l.Column > at:
				nodes, at, width = []graph.Node{l.Target}, l.Column, w
			}
		}
	}
	if len(nodes) > 0 && column < at+width {
		return subject{nodes}, nil
	}
	for _, s := range g.SitesIn(g.FileDef(f), end) {
		if s.Line == line && s.Column <= column && column < s.Column+max(1, uint32(len(s.Name))) {
			return subject{}, x.newMissing(q, nil, "%s is %q, which is not resolved: %s", q.raw, s.Name, s.Reason)
		}
	}
	e := x.newMissing(q, nil, "no symbol is written at %s (local variables are none)", q.raw)
	e.problem.Fix("leave the column out to ask for the definition around line %d: %s:%d", q.line, g.Path(f), q.line)
	return subject{}, e
}

// match is a symbol that fits a query, and how well.
type match struct {
	def  graph.Def
	rank int // 0: the parts follow each other in the name; 1: with gaps; 2 and 3: the same when case does not count
}

// matches finds the symbols that fit the parts of a query, the best fits only. accept chooses among definitions; nil takes all.
func (x *Index) matches(q query, accept func(graph.Def) bool) []match {
	g := x.g
	if len(q.parts) == 0 {
		return nil
	}
	name := q.parts[len(q.parts)-1]
	best := 4
	var out []match
	try := func(nodes []graph.Node, parts []string, worse int, fold bool) {
		for _, n := range nodes {
			for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
				if accept != nil && !accept(d) {
					continue
				}
				r, ok := x.fits(d, parts, fold)
				if r += worse; ok && r <= best {
					if r < best {
						best, out = r, nil
					}
					out = append(out, match{d, r})
					break // one definition stands for the symbol
				}
			}
		}
	}
	try(g.Named(name), q.parts, 0, false)
	if q.raw != name {
		try(g.Named(q.raw), []string{q.raw}, 0, false) // a name with dots or slashes in it
	}
	if len(out) == 0 && !strings.HasPrefix(name, "#") {
		// Box#secret may mean the private name #secret.
		private := append(slices.Clone(q.parts[:len(q.parts)-1]), "#"+name)
		try(g.Named("#"+name), private, 0, false)
	}
	if len(out) == 0 {
		folded := make([]string, len(q.parts))
		for i, p := range q.parts {
			folded[i] = graph.Fold(p)
		}
		try(g.NamedFold(name), folded, 2, true)
	}
	return out
}

// fits says whether the parts are the end of a definition's full name (rank 0), or stand in it in this order with its own name last (rank 1).
func (x *Index) fits(d graph.Def, parts []string, fold bool) (rank int, ok bool) {
	if len(parts) == 1 {
		return 0, true
	}
	gaps := false
	// Where files share the names of their package, a file's name says little: log.Print is a package's, even if some log.go has a Print.
	packaged := x.g.Packaged(x.g.FileOf(d))
	for i, full := range x.fullNames(d) {
		if fold {
			for i := range full {
				full[i] = graph.Fold(full[i])
			}
		}
		if len(full) >= len(parts) && slices.Equal(full[len(full)-len(parts):], parts) {
			if i >= fileNames || !packaged || len(parts) <= qualifiedParts(x.g, d) {
				return 0, true
			}
			gaps = true
		}
		gaps = gaps || subsequence(parts, full)
	}
	return 1, gaps
}

// subsequence says whether parts stand in full in this order, the last one at the end.
func subsequence(parts, full []string) bool {
	i := len(parts) - 1
	for j := len(full) - 1; j >= 0 && i >= 0; j-- {
		if full[j] == parts[i] {
			i--
		} else if j == len(full)-1 {
			return false
		}
	}
	return i < 0
}

// qualifiedParts is the number of parts of a definition's qualified name.
func qualifiedParts(g *graph.Graph, d graph.Def) int {
	return strings.Count(g.QualifiedName(d), ".") + 1
}

// fileNames is how many of the first of fullNames begin with the file.
const fileNames = 2

// fullNames lists the full names of a definition, as parts: below its file with and without the ending, its folder, and its scope.
func (x *Index) fullNames(d graph.Def) [][]string {
	g := x.g
	f := g.FileOf(d)
	qualified := strings.Split(g.QualifiedName(d), ".")
	p := g.Path(f)
	below := func(prefix string) []string {
		parts := strings.FieldsFunc(prefix, func(r rune) bool { return r == '/' || r == '.' })
		return append(parts, qualified...)
	}
	out := [][]string{below(p), below(strings.TrimSuffix(p, path.Ext(p))), below(path.Dir(p))}
	if scope := g.File(f).Scope; scope != "" {
		if fields := strings.SplitN(scope, " ", 5); len(fields) == 5 {
			out = append(out, below(fields[2]+"/"+strings.ReplaceAll(fields[4], "`", "")), below(strings.ReplaceAll(fields[4], "`", "")))
		}
	}
	return out
}

// choose groups what belongs together and takes the only group, or says which there are.
func (x *Index) choose(q query, found []match) (subject, error) {
	if len(found) == 0 {
		name := q.raw
		if len(q.parts) > 0 {
			name = q.parts[len(q.parts)-1]
		}
		return subject{}, x.missing(q, name)
	}
	groups := x.groups(found)
	if len(groups) == 1 {
		return groups[0], nil
	}
	choices := x.order(groups)
	e := &Ambiguous{Query: q.raw, Total: len(choices)}
	e.problem = problem.New(problem.Ambiguous, "%q names %d symbols", q.raw, len(choices))
	for _, s := range choices[:min(len(choices), maxChoices)] {
		sym := x.symbol(s.primary())
		e.Choices = append(e.Choices, sym)
		e.problem.Fix("%s  (%s, %s)", x.exact(s), sym.Kind, Location{sym.File, sym.Line, 0})
	}
	if n := len(choices) - maxChoices; n > 0 {
		e.problem.Fix("... and %d more: say more of its name or its file", n)
	}
	return subject{}, e
}

// exact is a query that names a subject and nothing else.
func (x *Index) exact(s subject) string {
	d := x.g.FirstDef(s.primary())
	name := x.g.QualifiedName(d)
	q := x.g.Path(x.g.FileOf(d)) + ":" + name
	if parsed, err := parseQuery(q); err != nil || parsed.path != x.g.Path(x.g.FileOf(d)) || strings.Join(parsed.parts, ".") != name {
		return x.g.Symbol(s.primary())
	}
	return q
}

// group collects the declarations that a person means together with d: those of
// the same name with the same parent in the same file. The implementation comes
// first, then types before values, then the order in the file.
func (x *Index) group(d graph.Def) subject {
	g := x.g
	f := g.FileOf(d)
	name, qualified := g.Name(g.Node(d)), g.QualifiedName(d)
	var defs []graph.Def
	for _, n := range g.Named(name) {
		for o := g.FirstDef(n); o != graph.None; o = g.NextDef(o) {
			if g.FileOf(o) == f && (o == d || g.Parent(o) == g.Parent(d) && g.QualifiedName(o) == qualified) {
				defs = append(defs, o)
				break
			}
		}
	}
	slices.SortStableFunc(defs, func(a, b graph.Def) int {
		return cmp.Or(cmp.Compare(groupRank(g, a), groupRank(g, b)), cmp.Compare(a, b))
	})
	s := subject{}
	for _, o := range defs {
		s.nodes = append(s.nodes, g.Node(o))
	}
	return s
}

func groupRank(g *graph.Graph, d graph.Def) int {
	switch k, flags := g.Kind(d), g.Flags(d); {
	case flags&(code.DefOverload|code.DefAmbient) != 0:
		return 3
	case k.IsType() && k != code.KindTypeParameter:
		return 0
	case k.Callable():
		return 1
	}
	return 2
}

// order puts the likeliest choice first.
func (x *Index) order(groups []subject) []subject {
	g := x.g
	type ranked struct {
		s    subject
		key  [5]int
		path string
		line uint32
	}
	list := make([]ranked, len(groups))
	for i, s := range groups {
		d := g.FirstDef(s.primary())
		f := g.FileOf(d)
		r := ranked{s: s, path: g.Path(f), line: g.Definition(d).Line}
		flags := g.Flags(d)
		if g.DocFlags(f)&(code.DocTest|code.DocGenerated) != 0 || flags&code.DefTest != 0 {
			r.key[0] = 1
		}
		if flags&code.DefExported == 0 {
			r.key[1] = 1
		}
		switch k := g.Kind(d); {
		case k.IsType():
		case k.Callable():
			r.key[2] = 1
		default:
			r.key[2] = 2
		}
		for _, n := range s.nodes {
			r.key[3] -= g.CountIn(n, graph.AllKinds)
		}
		list[i] = r
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		return cmp.Or(slices.Compare(a.key[:], b.key[:]), cmp.Compare(a.path, b.path), cmp.Compare(a.line, b.line))
	})
	for i := range list {
		groups[i] = list[i].s
	}
	return groups
}
