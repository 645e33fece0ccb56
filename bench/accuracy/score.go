package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// share counts how many of something are as they should be.
type share struct {
	Right int `json:"right"`
	All   int `json:"all"`
}

func (s *share) add(ok bool) {
	s.All++
	if ok {
		s.Right++
	}
}

func (s *share) plus(o share) { s.Right, s.All = s.Right+o.Right, s.All+o.All }

// of is the share in per cent; of nothing all is right.
func (s share) of() float64 {
	if s.All == 0 {
		return 100
	}
	return 100 * float64(s.Right) / float64(s.All)
}

func (s share) String() string {
	if s.All == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f %% of %d", s.of(), s.All)
}

// scores are the figures of one package.
type scores struct {
	Package  string `json:"package"`
	Language string `json:"language"`
	Judge    string `json:"judge"`
	Heavy    bool   `json:"heavy_in_dispatch"` // why it was chosen
	Files    int    `json:"files"`
	Lines    int    `json:"lines"`

	Imports struct { // files and directories
		Right share `json:"right"`
		Found share `json:"found"`
	} `json:"imports"`
	Names struct { // names in import and export clauses
		Right share `json:"right"`
		Found share `json:"found"`
	} `json:"names"`
	Calls struct {
		Right share `json:"right"` // edges with certainty must where the judge knows the call
		Found share `json:"found"` // calls that the judge resolves statically in the repository
		// Judged is the share of all calls of which the judge knows what they reach.
		Judged share `json:"judged"`
		// Unresolved is the share of the judge's static calls that we list as unresolved, with a reason.
		Unresolved share `json:"unresolved"`
		// Beyond counts our call edges at places where the judge's parser sees no call.
		Beyond int `json:"beyond"`
	} `json:"calls"`
	Dispatch struct {
		Found share            `json:"found"` // calls of interface or abstract methods, to that method
		Right map[string]share `json:"right"` // edges that are not certain, by certainty
		// Overrides: pairs of a method and the one it stands in for.
		OverridesRight map[string]share `json:"overrides_right"` // by certainty
		OverridesFound share            `json:"overrides_found"`
	} `json:"dispatch"`
	Definitions struct {
		Found share `json:"found"` // at the same line and column
		Kind  share `json:"kind"`  // of those found
	} `json:"definitions"`
	Completeness completeness `json:"completeness"`

	Misses map[string]int `json:"misses"` // static calls that were not found, by cause
	Wrong  map[string]int `json:"wrong"`  // wrong call edges, by cause
	// Examples are at most maxExamples lines for people.
	Examples []string `json:"examples"`
}

const maxExamples = 20

// scorer compares one linked tree with one answer key.
type scorer struct {
	l   *linked
	key *answerKey
	out *scores

	names  map[place]string      // the judge's definitions by place
	method map[place]bool        // those that are methods
	calls  map[place]judgement   // by place
	edges  map[place][]code.Edge // our calls and instantiations, by place
	sites  map[place]code.Site   // our unresolved calls, by place
	over   map[string][]string   // our overrides, by thing
	notes  map[string][]string   // examples by cause
}

// score compares a linked package with its answer key.
func score(ctx context.Context, of subject, l *linked, key *answerKey, examples int) (*scores, error) {
	s := &scorer{l: l, key: key, out: &scores{Package: of.pin.String(), Language: of.language, Judge: key.judge, Heavy: of.dispatch, Misses: map[string]int{}, Wrong: map[string]int{}},
		names: map[place]string{}, method: map[place]bool{}, calls: map[place]judgement{}, edges: map[place][]code.Edge{}, sites: map[place]code.Site{}, notes: map[string][]string{}}
	s.out.Dispatch.Right, s.out.Dispatch.OverridesRight = map[string]share{}, map[string]share{}
	for i := range key.files {
		f := &key.files[i]
		n, ok := l.byPath[f.path]
		if !ok {
			return nil, fmt.Errorf("%s was judged and is not in the tree", f.path)
		}
		if sum := sumOf(l.files[n].content.Bytes); sum != f.sum {
			return nil, fmt.Errorf("%s has hash %s, but %s was judged", f.path, sum, f.sum)
		}
		s.out.Files++
		s.out.Lines += l.files[n].content.Lines
		s.learn(f)
	}
	for i := range key.files {
		f := &key.files[i]
		n := l.byPath[f.path]
		if l.files[n].doc == nil {
			return nil, fmt.Errorf("%s was judged and no extractor reads it", f.path)
		}
		s.definitions(f, n)
		s.imports(f, n)
		s.collect(n)
		s.fileCalls(f, n)
		s.overrides(f, n)
	}
	s.examples(examples)
	return s.out, s.complete(ctx)
}

// learn enters the definitions of a file, by which targets are compared.
func (s *scorer) learn(f *judged) {
	for _, d := range f.defs {
		p := place{f.path, d.line, d.column}
		s.names[p] = f.path + " " + d.name
		s.method[p] = d.kind == code.KindMethod.String()
	}
	for _, c := range f.calls {
		s.calls[place{f.path, c.line, c.column}] = c
	}
}

// thing is what is declared at a place. Declarations of one name in one place are
// one thing (overloads, merged declarations), and so are a class and its constructor.
func (s *scorer) thing(p place) string {
	name, ok := s.names[p]
	if !ok {
		return p.String()
	}
	for _, c := range []string{".constructor", ".__init__", ".__new__"} {
		if class, ok := strings.CutSuffix(name, c); ok {
			return class
		}
	}
	return name
}

func (s *scorer) things(ps []place) []string {
	var out []string
	for _, p := range ps {
		if t := s.thing(p); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// target is what one of our edges reaches.
func (s *scorer) target(k code.Key) (thing string, kind code.Kind) {
	ds := s.l.defs[k]
	if len(ds) == 0 {
		return "outside", 0
	}
	return s.thing(ds[0].place), ds[0].kind
}

// hits says whether an edge reaches one of the places that the judge names.
// A symbol may have several definitions under build constraints.
func (s *scorer) hits(k code.Key, targets []string) bool {
	for _, d := range s.l.defs[k] {
		if slices.Contains(targets, s.thing(d.place)) {
			return true
		}
	}
	return false
}

func (s *scorer) definitions(f *judged, n int) {
	ours := map[place][]string{}
	doc := s.l.files[n].doc
	for i := range doc.Defs {
		p := s.l.at(n, doc.Defs[i].NameStart)
		ours[p] = append(ours[p], doc.Defs[i].Kind.String())
	}
	for _, d := range f.defs {
		kinds, ok := ours[place{f.path, d.line, d.column}]
		s.out.Definitions.Found.add(ok)
		if ok {
			right := slices.Contains(kinds, d.kind) || s.out.Language == "python" && d.kind == "variable" && (slices.Contains(kinds, "constant") || slices.Contains(kinds, "type"))
			s.out.Definitions.Kind.add(right) // Python's constants and type aliases are assignments like others
			if !right {
				s.note("definition of another kind", "%s:%d:%d %s: %s, we say %s", f.path, d.line, d.column, d.name, d.kind, strings.Join(kinds, ", "))
			}
		} else {
			s.note("definition not found", "%s:%d:%d %s %s", f.path, d.line, d.column, d.kind, d.name)
		}
	}
}

// collect enters our calls of a file.
func (s *scorer) collect(n int) {
	f := &s.l.files[n]
	for _, e := range f.out.Edges {
		switch e.Kind {
		case code.EdgeCalls, code.EdgeInstantiates, code.EdgeDecorates: // @f(x) calls f
			p := s.l.at(n, e.Start)
			s.edges[p] = append(s.edges[p], e)
		}
	}
	for _, x := range f.out.Sites {
		if x.Role == code.RoleCall || x.Role == code.RoleNew {
			s.sites[s.l.at(n, x.Start)] = x
		}
	}
}

func (s *scorer) fileCalls(f *judged, n int) {
	for _, c := range f.calls {
		p := place{f.path, c.line, c.column}
		s.out.Calls.Judged.add(c.class != classUnknown)
		if c.class == classUnknown {
			continue
		}
		targets := s.things(c.targets)
		hit := false
		for _, e := range s.edges[p] {
			right := s.hits(e.Target, targets)
			hit = hit || right
			if e.Certainty != code.Must {
				r := s.out.Dispatch.Right[e.Certainty.String()]
				r.add(right)
				s.out.Dispatch.Right[e.Certainty.String()] = r
				continue
			}
			s.out.Calls.Right.add(right)
			if !right {
				s.wrong(p, e, c, targets)
			}
		}
		switch c.class {
		case classDispatch:
			s.out.Dispatch.Found.add(hit)
		case classStatic:
			s.out.Calls.Found.add(hit)
			_, listed := s.sites[p]
			s.out.Calls.Unresolved.add(!hit && listed)
			if !hit {
				s.miss(p, targets)
			}
		}
	}
	for p, es := range s.edges {
		if p.file != f.path {
			continue
		}
		if _, ok := s.calls[p]; ok {
			continue
		}
		for _, e := range es {
			if e.Kind != code.EdgeCalls { // composite literals and decorators are no calls for a parser
				continue
			}
			s.out.Calls.Beyond++
			t, _ := s.target(e.Target)
			s.note("call edge where the judge's parser sees no call", "%s -> %s (%s)", p, t, e.Reason)
		}
	}
}

func (s *scorer) wrong(p place, e code.Edge, c judgement, targets []string) {
	ours, _ := s.target(e.Target)
	says := map[class]string{classStatic: "another definition", classDispatch: "another definition", classValue: "a function held in a variable", classExternal: "something outside of the repository", classBuiltin: "a built-in", classConvert: "a conversion"}[c.class]
	cause := fmt.Sprintf("%s; the judge says %s", e.Reason, says)
	s.out.Wrong[cause]++
	s.note("wrong: "+cause, "%s -> %s; judge: %s", p, ours, strings.Join(targets, ", "))
}

func (s *scorer) miss(p place, targets []string) {
	cause := "no use was seen here"
	switch site, ok := s.sites[p]; {
	case len(s.edges[p]) > 0:
		cause = "another target"
	case ok:
		cause = site.Reason.String()
	case s.used(p):
		cause = "seen, but not as a call"
	}
	s.out.Misses[cause]++
	s.note("missed: "+cause, "%s -> %s", p, strings.Join(targets, ", "))
}

// used says whether a use was extracted at a place.
func (s *scorer) used(p place) bool {
	n := s.l.byPath[p.file]
	doc := s.l.files[n].doc
	at := int(doc.Lines[p.line-1]) + p.column - 1
	i := sort.Search(len(doc.Uses), func(i int) bool { return int(doc.Uses[i].Start) >= at })
	return i < len(doc.Uses) && int(doc.Uses[i].Start) == at
}

// imports compares the modules and names that a file imports.
func (s *scorer) imports(f *judged, n int) {
	file := &s.l.files[n]
	type target struct {
		name string
		ok   bool
	}
	modules, names := map[place][]string{}, map[place][]code.Key{}
	for i := range file.doc.Imports {
		imp, o := &file.doc.Imports[i], &file.out.Imports[i]
		if o.Target == lang.TargetScope || o.Target == lang.TargetFile || o.Target == lang.TargetDirectory {
			p := s.l.at(n, imp.Start)
			if t := path.Clean(o.Path); !slices.Contains(modules[p], t) { // the root is "." for the judges
				modules[p] = append(modules[p], t)
			}
		}
	}
	for _, e := range file.out.Edges {
		if (e.Kind == code.EdgeImports || e.Kind == code.EdgeExports) && len(s.l.defs[e.Target]) > 0 {
			p := s.l.at(n, e.Start)
			names[p] = append(names[p], e.Target)
		}
	}
	for _, j := range f.imports {
		p := place{f.path, j.line, j.column}
		if j.class == className || len(modules[p]) == 0 && len(names[p]) > 0 {
			s.name(j, p, names[p])
			continue
		}
		var want []string
		for _, t := range j.targets {
			want = append(want, t.file)
		}
		hit := false
		for _, m := range modules[p] {
			right := slices.Contains(want, m)
			hit = hit || right
			if j.class != classUnknown {
				s.out.Imports.Right.add(right)
				if !right {
					s.note("wrong import", "%s -> %s; judge: %s", p, m, strings.Join(want, ", "))
				}
			}
		}
		if j.class == classModule {
			s.out.Imports.Found.add(hit)
			if !hit {
				s.note("missed import", "%s -> %s", p, strings.Join(want, ", "))
			}
		}
	}
}

func (s *scorer) name(j judgement, p place, ours []code.Key) {
	if j.class == classUnknown {
		return
	}
	want := s.things(j.targets)
	hit := false
	for _, k := range ours {
		right := s.hits(k, want)
		hit = hit || right
		s.out.Names.Right.add(right)
		if !right {
			t, _ := s.target(k)
			s.note("wrong imported name", "%s -> %s; judge: %s", p, t, strings.Join(want, ", "))
		}
	}
	if j.class == className {
		s.out.Names.Found.add(hit)
		if !hit {
			s.note("missed imported name", "%s -> %s", p, strings.Join(want, ", "))
		}
	}
}

// overrides compares which methods stand in for which. A method that stands in for
// one that stands in for a third does so for the third: the judges list all, we the nearest.
// What the judges do not speak of (accessors, fields) is left out.
func (s *scorer) overrides(f *judged, n int) {
	want, has := map[string][]string{}, map[string][]string{}
	for _, o := range f.overrides {
		p := s.thing(place{f.path, o.line, o.column})
		if t := s.thing(o.target); !slices.Contains(want[p], t) { // overloads are one thing
			want[p] = append(want[p], t)
		}
	}
	for _, e := range s.l.files[n].out.Edges {
		if e.Kind != code.EdgeOverrides || !s.method[s.l.at(n, e.Start)] {
			continue
		}
		p := s.thing(s.l.at(n, e.Start))
		t, _ := s.target(e.Target)
		has[p] = append(has[p], s.bases(t)...)
		r := s.out.Dispatch.OverridesRight[e.Certainty.String()]
		right := s.hits(e.Target, want[p])
		r.add(right)
		s.out.Dispatch.OverridesRight[e.Certainty.String()] = r
		if !right {
			s.note("wrong override", "%s -> %s (%s); judge: %s", p, t, e.Reason, strings.Join(want[p], ", "))
		}
	}
	for p, ts := range want {
		for _, t := range ts {
			hit := slices.Contains(has[p], t)
			s.out.Dispatch.OverridesFound.add(hit)
			if !hit {
				s.note("missed override", "%s -> %s", p, t)
			}
		}
	}
}

// bases are a thing and all that it stands in for.
func (s *scorer) bases(thing string) []string {
	if s.over == nil {
		s.over = map[string][]string{}
		for i := range s.l.files {
			if s.l.files[i].out == nil {
				continue
			}
			for _, e := range s.l.files[i].out.Edges {
				if e.Kind == code.EdgeOverrides {
					from := s.thing(s.l.at(i, e.Start))
					t, _ := s.target(e.Target)
					s.over[from] = append(s.over[from], t)
				}
			}
		}
	}
	out := []string{thing}
	for i := 0; i < len(out); i++ {
		for _, t := range s.over[out[i]] {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

func (s *scorer) note(cause, format string, args ...any) {
	s.notes[cause] = append(s.notes[cause], fmt.Sprintf(format, args...))
}

// examples takes some of each cause, the frequent causes first, spread over the files.
func (s *scorer) examples(most int) {
	causes := make([]string, 0, len(s.notes))
	for c := range s.notes {
		causes = append(causes, c)
		sort.Strings(s.notes[c])
	}
	slices.SortFunc(causes, func(a, b string) int {
		if d := len(s.notes[b]) - len(s.notes[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	each := max(1, most/max(1, len(causes)))
	for _, c := range causes {
		ns := s.notes[c]
		take := min(each, len(ns), most-len(s.out.Examples))
		for i := range take {
			s.out.Examples = append(s.out.Examples, c+": "+ns[i*len(ns)/take])
		}
	}
}

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
