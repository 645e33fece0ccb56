package graph

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/code"
)

var kindsOfDefs = []code.Kind{code.KindFunction, code.KindMethod, code.KindClass, code.KindInterface, code.KindGetter, code.KindSetter, code.KindField, code.KindVariable, code.KindNamespace, code.KindMacro, code.KindConstructor}

// drawSpecs makes a random small repository whose edges all have ends.
func drawSpecs(t *rapid.T) []fileSpec {
	nfiles := rapid.IntRange(1, 5).Draw(t, "files")
	specs := make([]fileSpec, nfiles)
	var keys []code.Key
	for i := range specs {
		s := &specs[i]
		s.path = fmt.Sprintf("d%d/f%d.go", i/2, i)
		s.scope = fmt.Sprintf("scip-go gomod m . d%d/", i/2)
		s.pkg = rapid.Bool().Draw(t, "pkg")
		if !s.pkg {
			s.scope += fmt.Sprintf("`f%d.go`/", i)
		}
		for d := range rapid.IntRange(0, 6).Draw(t, "defs") {
			def := defSpec{name: rapid.SampledFrom([]string{"Run", "run", "Stop", "x y", "Ü", "init"}).Draw(t, "name"), parent: -1, kind: rapid.SampledFrom(kindsOfDefs).Draw(t, "kind")}
			switch rapid.IntRange(0, 3).Draw(t, "place") {
			case 0:
				def.parent = d - 1
			case 1:
				def.owner = "Owner"
			case 2:
				def.flags |= code.DefFileLocal
			}
			s.defs = append(s.defs, def)
		}
		keys = append(keys, fileKey(s.path))
		if s.pkg {
			keys = append(keys, code.ScopeKey(s.scope))
		}
		doc, _, _ := s.document()
		for d := range s.defs {
			keys = append(keys, s.key(doc, d))
		}
	}
	for i := range specs {
		s := &specs[i]
		for range rapid.IntRange(0, 8).Draw(t, "edges") {
			s.edges = append(s.edges, edgeSpec{
				source: rapid.IntRange(-1, len(s.defs)-1).Draw(t, "source"), target: rapid.SampledFrom(keys).Draw(t, "target"),
				kind: code.EdgeKind(rapid.IntRange(0, code.NumEdgeKinds-1).Draw(t, "ekind")), certainty: code.Certainty(rapid.IntRange(0, 2).Draw(t, "certainty")), reason: code.Reason(rapid.IntRange(0, 22).Draw(t, "reason")),
			})
		}
		for range rapid.IntRange(0, 4).Draw(t, "sites") {
			s.sites = append(s.sites, siteSpec{
				source: rapid.IntRange(-1, len(s.defs)-1).Draw(t, "ssource"), name: rapid.SampledFrom([]string{"", "Run", "Other"}).Draw(t, "sname"),
				role: code.Role(rapid.IntRange(0, 9).Draw(t, "role")), reason: code.SiteUnknownReceiver + code.Reason(rapid.IntRange(0, 9).Draw(t, "sreason")),
			})
		}
	}
	return specs
}

// TestGraphTellsWhatItWasGiven compares everything a graph says with the documents it was made from.
func TestGraphTellsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		specs := drawSpecs(t)
		g, err := tryBuild(specs)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Verify(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := g.Stats().Dangling; n != 0 {
			t.Fatalf("%d edges lost their ends", n)
		}
		type edge struct {
			From, To  string
			Kind      code.EdgeKind
			Certainty code.Certainty
			Reason    code.Reason
			Line, Col uint32
		}
		want := map[edge]int{}
		names := map[string]map[string]bool{}
		for fi := range specs {
			s := &specs[fi]
			f, ok := g.FileByPath(s.path)
			if !ok || g.Path(f) != s.path {
				t.Fatalf("file %s is not found", s.path)
			}
			doc, edges, _ := s.document()
			first, end := g.FileDefs(f)
			if int(end-first) != len(s.defs) {
				t.Fatalf("%s has %d definitions, want %d", s.path, end-first, len(s.defs))
			}
			for i := range s.defs {
				d := first + Def(i)
				n, ok := g.Find(s.key(doc, i))
				if !ok || n != g.Node(d) || g.Key(n) != s.key(doc, i) {
					t.Fatalf("%s: definition %d is not found by its key", s.path, i)
				}
				if got, want := g.Symbol(n), s.symbol(doc, i); got != want {
					t.Fatalf("symbol %q, want %q", got, want)
				}
				if got, want := g.QualifiedName(d), doc.QualifiedName(code.DefID(i)); got != want {
					t.Fatalf("qualified name %q, want %q", got, want)
				}
				if !slices.Contains(g.Defs(n), d) {
					t.Fatalf("%s is not among the definitions of its symbol", g.Symbol(n))
				}
				if names[s.defs[i].name] == nil {
					names[s.defs[i].name] = map[string]bool{}
				}
				names[s.defs[i].name][g.Symbol(n)] = true
			}
			for _, e := range edges {
				from := "file " + s.path
				if e.Source >= 0 {
					from = s.symbol(doc, int(e.Source))
				}
				to, ok := g.Find(e.Target)
				if !ok {
					t.Fatalf("no node has the key of an edge's target")
				}
				line, col := doc.Line(e.Start)
				want[edge{from, g.Symbol(to), e.Kind, e.Certainty, e.Reason, line, col}]++
			}
		}
		outgoing, incoming := map[edge]int{}, map[edge]int{}
		of := func(l Link) edge {
			return edge{g.Symbol(g.Node(l.Source)), g.Symbol(l.Target), l.Kind, l.Certainty, l.Reason, l.Line, l.Column}
		}
		for d := range Def(g.NumDefs()) {
			for l := range g.Out(d) {
				outgoing[of(l)]++
			}
		}
		for n := range Node(g.NumNodes()) {
			for k := range code.EdgeKind(code.NumEdgeKinds) {
				count, sources := 0, map[Def]bool{}
				for l := range g.In(n, KindsOf(k)) {
					incoming[of(l)]++
					count++
					sources[l.Source] = true
				}
				if got := g.CountIn(n, KindsOf(k)); got != count {
					t.Fatalf("CountIn %d, want %d", got, count)
				}
				if got := g.CountSources(n, KindsOf(k)); got != len(sources) {
					t.Fatalf("CountSources %d, want %d", got, len(sources))
				}
			}
		}
		if d := cmp.Diff(want, outgoing); d != "" {
			t.Fatalf("outgoing edges (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want, incoming); d != "" {
			t.Fatalf("incoming edges (-want +got):\n%s", d)
		}
		for name, symbols := range names {
			got := map[string]bool{}
			for _, n := range g.Named(name) {
				got[g.Symbol(n)] = true
			}
			if d := cmp.Diff(symbols, got); d != "" {
				t.Fatalf("symbols named %q (-want +got):\n%s", name, d)
			}
			folded := map[string]bool{}
			for _, n := range g.NamedFold(strings.ToUpper(name)) {
				folded[g.Symbol(n)] = true
			}
			for s := range symbols {
				if !folded[s] {
					t.Fatalf("%s is not found by its name in capitals", s)
				}
			}
		}
		again, err := Decode(encode(t, g))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Verify(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(t, g), encode(t, again)) {
			t.Fatal("written, read and written again it is not the same")
		}
	})
}

type fataler interface{ Fatal(...any) }

func encode(t fataler, g *Graph) []byte {
	var b bytes.Buffer
	if _, err := g.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestOrderOfEdgesAndSitesDoesNotMatter: a graph made from a link's result and one made from stored blocks are the same bytes.
func TestOrderOfEdgesAndSitesDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		specs := drawSpecs(t)
		graphs := make([][]byte, 2)
		for round := range graphs {
			b := NewBuilder([32]byte{9})
			if round == 1 {
				b.Grow(2, 3, 5)
			}
			for i := range specs {
				s := &specs[i]
				doc, edges, sites := s.document()
				f := File{Path: s.path, Scope: s.scope, Package: s.pkg}
				if round == 1 {
					slices.Reverse(edges)
					slices.Reverse(sites)
					for d := range s.defs {
						f.Keys = append(f.Keys, s.key(doc, d))
					}
				}
				if err := b.AddFile(f, doc, edges, sites); err != nil {
					t.Fatal(err)
				}
			}
			g, err := b.Build(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			graphs[round] = encode(t, g)
		}
		if !bytes.Equal(graphs[0], graphs[1]) {
			t.Fatal("the order of edges and sites changed the graph")
		}
	})
}

func TestSymbolWithSeveralDefinitions(t *testing.T) {
	t.Parallel()
	scope := "scip-go gomod m . os/"
	open := defSpec{name: "Open", parent: -1, kind: code.KindFunction}
	specs := []fileSpec{
		{path: "os/open_linux.go", scope: scope, pkg: true, defs: []defSpec{open}},
		{path: "os/open_windows.go", scope: scope, pkg: true, defs: []defSpec{open}},
	}
	g := build(t, specs)
	nodes := g.Named("Open")
	if len(nodes) != 1 {
		t.Fatalf("%d symbols named Open, want one", len(nodes))
	}
	var paths []string
	for _, d := range g.Defs(nodes[0]) {
		paths = append(paths, g.Path(g.FileOf(d)))
	}
	if d := cmp.Diff([]string{"os/open_linux.go", "os/open_windows.go"}, paths); d != "" {
		t.Fatal(d)
	}
	if s := g.Stats(); s.Symbols != 1 || s.Definitions != 2 || s.Packages != 1 || s.Files != 2 {
		t.Fatalf("stats %+v", s)
	}
}

func TestDanglingEdgesAreCountedAndLeftOut(t *testing.T) {
	t.Parallel()
	specs := flat(3, [][2]int{{0, 1}, {1, 2}}, code.EdgeCalls)
	specs[0].edges = slices.Insert(specs[0].edges, 1, edgeSpec{source: 0, target: 4711, kind: code.EdgeCalls})
	g := build(t, specs)
	if err := g.Verify(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := g.Stats(); s.Dangling != 1 || s.Edges != 2 {
		t.Fatalf("stats %+v", s)
	}
	if n := g.CountIn(g.Named("f002")[0], AllKinds); n != 1 {
		t.Fatalf("f002 has %d edges in, want 1", n)
	}
}

func TestBuilderRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := flat(2, nil, code.EdgeCalls)[0]
	doc, _, _ := s.document()
	cases := map[string]struct {
		file  File
		doc   *code.Document
		edges []code.Edge
	}{
		"no path":              {File{}, doc, nil},
		"path before the last": {File{Path: "a"}, doc, nil},
		"same path":            {File{Path: "b"}, doc, nil},
		"edges, no document":   {File{Path: "c", State: StateUnread}, nil, []code.Edge{{}}},
		"read, no document":    {File{Path: "c"}, nil, nil},
		"too few keys":         {File{Path: "c", Keys: []code.Key{1}}, doc, nil},
		"source out of range":  {File{Path: "c"}, doc, []code.Edge{{Source: 2}}},
		"kind out of range":    {File{Path: "c"}, doc, []code.Edge{{Kind: 15}}},
		"offset out of range":  {File{Path: "c"}, doc, []code.Edge{{Start: 1 << 20}}},
		"site's reason":        {File{Path: "c"}, doc, []code.Edge{{Reason: code.SiteDynamic}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := NewBuilder([32]byte{})
			if err := b.AddFile(File{Path: "b"}, doc, nil, nil); err != nil {
				t.Fatal(err)
			}
			if err := b.AddFile(c.file, c.doc, c.edges, nil); err == nil {
				t.Fatal("it was taken")
			}
		})
	}
}

func TestKeyCollisionIsAnError(t *testing.T) {
	t.Parallel()
	specs := flat(2, nil, code.EdgeCalls)
	doc, _, _ := specs[0].document()
	b := NewBuilder([32]byte{})
	if err := b.AddFile(File{Path: "a.go", Scope: "s/", Keys: []code.Key{7, 7}}, doc, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(context.Background()); err == nil || !strings.Contains(err.Error(), "same key") {
		t.Fatalf("error %v, want one about the same key", err)
	}
}

func TestWideColumns(t *testing.T) {
	t.Parallel()
	var b code.Builder
	text := bytes.Repeat([]byte("x"), 200_000)
	b.Begin("typescript", "js", text)
	b.AddDef(code.Def{Name: b.Name("f"), Kind: code.KindFunction, Parent: code.NoDef, End: 10})
	doc := b.Finish()
	target := code.ScopeKey("s/") ^ code.DescriptorKey("f().")
	gb := NewBuilder([32]byte{})
	var edges []code.Edge
	starts := []uint32{5, 65534, 65535, 65536, 150_000}
	for _, at := range starts {
		edges = append(edges, code.Edge{Source: code.NoDef, Target: target, Start: at})
	}
	if err := gb.AddFile(File{Path: "min.js", Scope: "s/"}, doc, edges, nil); err != nil {
		t.Fatal(err)
	}
	g, err := gb.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for l := range g.In(g.Named("f")[0], AllKinds) {
		got = append(got, l.Column)
	}
	if d := cmp.Diff(starts, got); d != "" {
		t.Fatal(d)
	}
}
