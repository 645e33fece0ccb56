package search

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
	"manito/internal/query"
	"manito/internal/trigram"
)

// plan is a query made ready for one snapshot.
type plan struct {
	x     *Index
	text  string      // the query as it was written, for the places of mistakes
	q     query.Query // its tree
	words string      // what is looked for in every way: the words outside of a minus
	names []query.Value
	built map[query.Is]property // what was found for each field

	texts  map[query.Text]map[graph.FileNo]bool // the files that have a phrase or regex, or what a minus takes away
	once   sync.Once
	bits   [][]uint64 // see allowed
	common []common   // phrases and regexes that many files have
}

// property is what a field's value stands for: files, definitions, or both.
type property struct {
	file func(graph.FileNo) bool
	def  func(graph.Def) bool // nil when the field is about files
}

// newPlan compiles a query. Its errors point at a character of it.
func (x *Index) newPlan(text string, q query.Query, repo func(query.Value) bool) (*plan, error) {
	p := &plan{x: x, text: text, q: q, built: map[query.Is]property{}}
	var words []string
	var failed error
	query.Walk(q.Root, func(n query.Q, not bool) {
		if failed != nil {
			return
		}
		switch n := n.(type) {
		case query.Text:
			switch {
			case not, n.Form == query.Regexp:
			default:
				words = append(words, n.Text)
			}
		case query.Is:
			if n.Field == query.Symbol && !not {
				p.names = append(p.names, n.Value)
			}
			key := n
			key.At = 0
			if _, ok := p.built[key]; !ok {
				p.built[key], failed = p.property(n, repo)
			}
		}
	})
	p.words = strings.Join(words, " ")
	return p, failed
}

// allowed has, by segment, a bit for each chunk that may be found. It is made when
// the best chunks of all hold too few of them.
func (p *plan) allowed(keep func(graph.FileNo, graph.Def) bool) [][]uint64 {
	p.once.Do(func() {
		x := p.x
		for n, s := range x.segments {
			bits := make([]uint64, len(x.live[n]))
			for i, file := range x.fileNo[n] {
				if file == noSegment {
					continue
				}
				f := graph.FileNo(file)
				first, end := x.g.FileDefs(f)
				for c := s.fileAt[i]; c < s.fileAt[i+1]; c++ {
					def := graph.Def(graph.None)
					if d := s.def[c]; d >= 0 && first+graph.Def(d) < end {
						def = first + graph.Def(d)
					}
					if keep(f, def) {
						bits[c/64] |= 1 << (c % 64)
					}
				}
			}
			p.bits = append(p.bits, bits)
		}
	})
	return p.bits
}

// property finds what a field's value stands for.
func (p *plan) property(n query.Is, repo func(query.Value) bool) (property, error) {
	match, err := p.matcher(n)
	if err != nil {
		return property{}, err
	}
	g := p.x.g
	switch n.Field {
	case query.Repo:
		is := repo(n.Value)
		return property{file: func(graph.FileNo) bool { return is }}, nil
	case query.File:
		return property{file: fileSet(g, func(f graph.FileNo) bool { return match(g.Path(f)) })}, nil
	case query.Language:
		return p.language(n)
	case query.Kind:
		kind, ok := kindNamed(n.Text)
		if !ok {
			return property{}, query.Fail(p.text, n.At, "an unknown kind of symbol, %q,", n.Text).Fix("kinds are class, struct, interface, enum, type, function, method, field, property, variable, constant, and file")
		}
		return p.defs(func(d graph.Def) bool { return kind(g.Kind(d)) }), nil
	case query.Symbol:
		return p.symbol(n, match), nil
	case query.Calls:
		return p.calls(n, match), nil
	default:
		return p.imports(match), nil
	}
}

// matcher says whether a string has a field's value: as a part of it for words and
// phrases, case not counting unless the query says so.
func (p *plan) matcher(n query.Is) (func(string) bool, error) {
	sensitive := p.q.Case.Sensitive(n.Value)
	if n.Form == query.Regexp {
		expr := n.Text
		if !sensitive {
			expr = "(?i)" + expr
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, query.Fail(p.text, n.At, "a regex that cannot be read (%s)", err)
		}
		return re.MatchString, nil
	}
	if sensitive {
		return func(s string) bool { return strings.Contains(s, n.Text) }, nil
	}
	want := graph.Fold(n.Text)
	return func(s string) bool { return strings.Contains(graph.Fold(s), want) }, nil
}

// fileSet remembers what is asked of files, because each is asked about many times.
func fileSet(g *graph.Graph, is func(graph.FileNo) bool) func(graph.FileNo) bool {
	set := make([]bool, g.NumFiles())
	for f := range set {
		set[f] = is(graph.FileNo(f))
	}
	return func(f graph.FileNo) bool { return set[f] }
}

// defs is a property of definitions; a file has it when one of its definitions has.
func (p *plan) defs(is func(graph.Def) bool) property {
	g := p.x.g
	return property{def: is, file: fileSet(g, func(f graph.FileNo) bool {
		if is(g.FileDef(f)) {
			return true
		}
		first, end := g.FileDefs(f)
		for d := first; d < end; d++ {
			if is(d) {
				return true
			}
		}
		return false
	})}
}

// languageNames are short names that people write for languages.
var languageNames = map[string]string{
	"golang": "go", "ts": "typescript", "js": "javascript", "py": "python", "rb": "ruby", "rs": "rust", "sh": "shell", "bash": "shell", "md": "markdown", "yml": "yaml", "c++": "cpp", "c#": "csharp", "cs": "csharp",
}

// language is lang: of a name that people, the source room or an extractor use.
func (p *plan) language(n query.Is) (property, error) {
	g := p.x.g
	want := graph.Fold(n.Text)
	if long, ok := languageNames[want]; ok {
		want = long
	}
	found := false
	prop := property{file: fileSet(g, func(f graph.FileNo) bool {
		is := strings.ToLower(g.Language(f)) == want
		found = found || is
		return is
	})}
	if found {
		return prop, nil
	}
	var have []string
	for f := range g.NumFiles() {
		if l := strings.ToLower(g.Language(graph.FileNo(f))); l != "" && !slices.Contains(have, l) {
			have = append(have, l)
		}
	}
	slices.Sort(have)
	return property{}, query.Fail(p.text, n.At, "a language, %q, that no file is written in,", n.Text).Fix("the files here are %s", strings.Join(have, ", "))
}

// kindNamed finds the kinds that a word of a query means.
func kindNamed(word string) (func(code.Kind) bool, bool) {
	w := strings.ReplaceAll(strings.ToLower(word), "-", "_")
	switch w {
	case "func":
		w = "function"
	case "var":
		w = "variable"
	case "const":
		w = "constant"
	case "callable":
		return code.Kind.Callable, true
	}
	k, ok := code.ParseKind(w)
	return func(have code.Kind) bool { return have == k }, ok
}

// maxNamed bounds how many symbols a field's value stands for.
const maxNamed = 50000

// symbol is sym: of a definition whose name fits, or that stands in one.
func (p *plan) symbol(n query.Is, match func(string) bool) property {
	s := p.x.Symbols()
	set := map[graph.Node]bool{}
	pat := newPattern(n.Text)
	_, name := splitOwners(n.Text)
	owners, _ := splitOwners(n.Text)
	if n.Form == query.Word {
		pat = newPattern(name)
	}
	for i := range s.Len() {
		fits := false
		switch n.Form {
		case query.Regexp:
			fits = match(string(s.rawName(i)))
		case query.Phrase:
			fits = string(s.foldedName(i)) == string(pat.folded) && (!p.q.Case.Sensitive(n.Value) || string(s.rawName(i)) == n.Text)
		default:
			if pat.letters&^s.letters[i] == 0 && len(pat.folded) > 0 {
				m, _ := pat.fit(s.rawName(i), s.foldedName(i), s.humps[i], pat.pairs&^s.pairs[i] == 0)
				fits = m != MatchNone && (!p.q.Case.Sensitive(n.Value) || strings.Contains(string(s.rawName(i)), name))
			}
		}
		if !fits {
			continue
		}
		for _, node := range s.nodes[s.nodeAt[i]:s.nodeAt[i+1]] {
			if n.Form == query.Word && len(owners) > 0 {
				if _, ok := s.owned(p.x.g.FirstDef(node), owners); !ok {
					continue
				}
			}
			set[node] = true
		}
		if len(set) > maxNamed {
			break
		}
	}
	return p.nodes(set)
}

// nodes is the property of definitions of some symbols. A file has it when one of its definitions has.
func (p *plan) nodes(set map[graph.Node]bool) property {
	g := p.x.g
	files := make([]bool, g.NumFiles())
	for n := range set {
		for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
			files[g.FileOf(d)] = true
		}
	}
	return property{def: func(d graph.Def) bool { return set[g.Node(d)] }, file: func(f graph.FileNo) bool { return files[f] }}
}

var callKinds = graph.KindsOf(code.EdgeCalls, code.EdgeInstantiates)

// calls is calls: of a definition that calls something whose name or qualified name fits.
func (p *plan) calls(n query.Is, match func(string) bool) property {
	s, g := p.x.Symbols(), p.x.g
	owners, name := splitOwners(n.Text)
	want := graph.Fold(name)
	callers := map[graph.Def]bool{}
	for i := range s.Len() {
		if n.Form == query.Regexp && !match(string(s.rawName(i))) || n.Form != query.Regexp && string(s.foldedName(i)) != want {
			continue
		}
		for _, node := range s.nodes[s.nodeAt[i]:s.nodeAt[i+1]] {
			if n.Form != query.Regexp {
				if _, ok := s.owned(g.FirstDef(node), owners); !ok {
					continue
				}
			}
			for l := range g.In(node, callKinds) {
				callers[l.Source] = true
			}
		}
	}
	files := make([]bool, g.NumFiles())
	for d := range callers {
		files[g.FileOf(d)] = true
	}
	return property{def: func(d graph.Def) bool { return callers[d] }, file: func(f graph.FileNo) bool { return files[f] }}
}

var importKinds = graph.KindsOf(code.EdgeImports)

// imports is imports: of a file that imports a file, folder or package whose path or name fits.
func (p *plan) imports(match func(string) bool) property {
	g := p.x.g
	files := make([]bool, g.NumFiles())
	mark := func(n graph.Node) {
		for l := range g.In(n, importKinds) {
			files[g.FileOf(l.Source)] = true
		}
	}
	for _, n := range g.Externals() {
		if match(g.External(n).Name) {
			mark(n)
		}
	}
	for _, n := range g.Packages() {
		if match(g.PackagePath(n)) || match(g.Symbol(n)) {
			mark(n)
		}
	}
	for f := range g.NumFiles() {
		if match(g.Path(graph.FileNo(f))) {
			mark(g.FileNode(graph.FileNo(f)))
		}
	}
	return property{file: func(f graph.FileNo) bool { return files[f] }}
}

// expr is the query for the text index: what must hold of a file.
func (p *plan) expr(q query.Q) (trigram.Expr, error) {
	switch q := q.(type) {
	case query.And:
		out := make(trigram.And, 0, len(q))
		for _, part := range q {
			e, err := p.expr(part)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	case query.Or:
		out := make(trigram.Or, 0, len(q))
		for _, part := range q {
			e, err := p.expr(part)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	case query.Not:
		e, err := p.expr(q.Q)
		return trigram.Not{Expr: e}, err
	case query.Text:
		m, err := p.textMatcher(q)
		if err != nil {
			return nil, err
		}
		return trigram.Has{Matcher: m}, nil
	case query.Is:
		prop := p.is(q)
		return trigram.Where(func(f uint32) bool { return prop.file(graph.FileNo(f)) }), nil
	}
	return nil, problem.New(problem.Internal, "a query's node of type %T", q)
}

func (p *plan) textMatcher(q query.Text) (*trigram.Matcher, error) {
	m, err := trigram.Compile(trigram.Pattern{Text: q.Text, Regexp: q.Form == query.Regexp, Case: p.q.Case.Sensitive(q.Value)})
	if err != nil {
		return nil, query.Fail(p.text, q.At, "what cannot be looked for (%s)", err)
	}
	return m, nil
}

func (p *plan) is(q query.Is) property {
	q.At = 0
	return p.built[q]
}

// keeper says whether a definition, or a file's own text when def is graph.None, is
// what the query's fields ask for. Words stand for themselves in the ranking and so
// hold; phrases, regexes and what a minus takes away hold by file.
func (p *plan) keeper(texts map[query.Text]map[graph.FileNo]bool) func(graph.FileNo, graph.Def) bool {
	var holds func(q query.Q, not bool, f graph.FileNo, d graph.Def) bool
	holds = func(q query.Q, not bool, f graph.FileNo, d graph.Def) bool {
		switch q := q.(type) {
		case query.And:
			for _, part := range q {
				if !holds(part, not, f, d) {
					return false
				}
			}
			return true
		case query.Or:
			for _, part := range q {
				if holds(part, not, f, d) {
					return true
				}
			}
			return false
		case query.Not:
			return !holds(q.Q, !not, f, d)
		case query.Text:
			if q.Form == query.Word && !not {
				return true
			}
			set, known := texts[q]
			return !known || set[f] // what is not known yet, settle asks for
		case query.Is:
			prop := p.is(q)
			if prop.def == nil {
				return prop.file(f)
			}
			return d != graph.None && prop.def(d)
		}
		return false
	}
	return func(f graph.FileNo, d graph.Def) bool { return holds(p.q.Root, false, f, d) }
}
