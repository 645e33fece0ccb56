package graph

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/code"
)

// drawArrows makes a random graph of n vertices.
func drawArrows(t *rapid.T, n int) [][2]int {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]int {
		return [2]int{rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")}
	}), 0, 3*n).Draw(t, "arrows")
}

func digraph(n int, arrows [][2]int) *Digraph {
	var list [][2]uint32
	for _, a := range arrows {
		list = append(list, [2]uint32{uint32(a[0]), uint32(a[1])})
	}
	return NewDigraph(n, list)
}

const far = 1 << 20

// distances is Floyd and Warshall's algorithm; [v][v] is the length of the shortest cycle through v.
func distances(n int, arrows [][2]int, loops bool) [][]int {
	d := make([][]int, n)
	for i := range d {
		d[i] = slices.Repeat([]int{far}, n)
	}
	for _, a := range arrows {
		if a[0] != a[1] || loops {
			d[a[0]][a[1]] = 1
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				d[i][j] = min(d[i][j], d[i][k]+d[k][j])
			}
		}
	}
	return d
}

func TestCyclesAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		arrows := drawArrows(t, n)
		loops := rapid.Bool().Draw(t, "loops")
		dist := distances(n, arrows, loops)
		want := map[string]int{} // members -> length of the shortest cycle
		for v := range n {
			members := []uint32{}
			shortest := far
			for w := range n {
				if v == w || dist[v][w] < far && dist[w][v] < far {
					members = append(members, uint32(w))
					shortest = min(shortest, dist[w][w])
				}
			}
			if len(members) > 1 || dist[v][v] == 1 {
				want[fmt.Sprint(members)] = shortest
			}
		}
		d := digraph(n, arrows)
		cycles, err := d.Cycles(context.Background(), loops)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for i, c := range cycles {
			got[fmt.Sprint(c.Members)] = len(c.Example)
			if !c.Shortest {
				t.Fatal("a small component was not searched whole")
			}
			for j, v := range c.Example {
				w := c.Example[(j+1)%len(c.Example)]
				if !slices.Contains(d.Successors(v), w) {
					t.Fatalf("the example %v goes from %d to %d, where there is no arrow", c.Example, v, w)
				}
			}
			if c.Example[0] != slices.Min(c.Example) {
				t.Fatalf("the example %v does not begin with its smallest", c.Example)
			}
			if i > 0 && len(cycles[i-1].Members) < len(c.Members) {
				t.Fatal("a larger cycle follows a smaller one")
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("cycles and lengths (-want +got):\n%s", d)
		}
	})
}

func TestComponentsAreInReverseTopologicalOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		arrows := drawArrows(t, n)
		d := digraph(n, arrows)
		component, count, err := d.Components(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		layers, err := d.Layers(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range arrows {
			from, to := component[a[0]], component[a[1]]
			if from < to || int(from) >= count {
				t.Fatalf("an arrow from component %d to %d of %d", from, to, count)
			}
			if from != to && layers[a[0]] <= layers[a[1]] {
				t.Fatalf("an arrow from layer %d to %d", layers[a[0]], layers[a[1]])
			}
			if from == to && layers[a[0]] != layers[a[1]] {
				t.Fatal("one component, two layers")
			}
		}
		for v := range n {
			if layers[v] == 0 {
				continue
			}
			// Some arrow out of the component leads exactly one layer down.
			ok := false
			for _, a := range arrows {
				ok = ok || component[a[0]] == component[v] && layers[a[1]]+1 == layers[v]
			}
			if !ok {
				t.Fatalf("vertex %d is higher than it must be", v)
			}
		}
	})
}

// TestDeepGraphNeedsNoStack: a chain and a ring of a million vertices.
func TestDeepGraphNeedsNoStack(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	arrows := make([][2]uint32, n)
	for i := range arrows {
		arrows[i] = [2]uint32{uint32(i), uint32((i + 1) % n)}
	}
	d := NewDigraph(n, arrows)
	cycles, err := d.Cycles(context.Background(), true)
	if err != nil || len(cycles) != 1 || len(cycles[0].Example) != n {
		t.Fatalf("%d cycles, %v", len(cycles), err)
	}
}

// dispatchModel is a brute-force answer to what a change reaches.
type dispatchModel struct {
	n         int
	uses      [][2]int // f calls g
	overrides [][2]int // m stands in for b
}

// step lists what depends on v directly, and by dispatch.
func (m *dispatchModel) step(v int) map[int]bool {
	out := map[int]bool{}
	for _, u := range m.uses {
		if u[1] == v {
			out[u[0]] = true
		}
	}
	for _, o := range m.overrides {
		if o[1] == v {
			out[o[0]] = true // a base changed: who stands in for it
		}
	}
	bases := map[int]bool{}
	for work := []int{v}; len(work) > 0; work = work[1:] {
		for _, o := range m.overrides {
			if o[0] == work[0] && !bases[o[1]] {
				bases[o[1]] = true
				work = append(work, o[1])
			}
		}
	}
	for _, u := range m.uses {
		if bases[u[1]] {
			out[u[0]] = true
		}
	}
	return out
}

func (m *dispatchModel) specs() []fileSpec {
	specs := flat(m.n, m.uses, code.EdgeCalls)
	doc, _, _ := specs[0].document()
	for _, o := range m.overrides {
		specs[0].edges = append(specs[0].edges, edgeSpec{source: o[0], target: specs[0].key(doc, o[1]), kind: code.EdgeOverrides, certainty: code.May, reason: code.ReasonOverride})
	}
	return specs
}

func TestImpactAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 14).Draw(t, "n")
		m := dispatchModel{n: n, uses: drawArrows(t, n)}
		for range rapid.IntRange(0, 5).Draw(t, "overrides") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "over"), rapid.IntRange(0, n-1).Draw(t, "base")
			if a != b {
				m.overrides = append(m.overrides, [2]int{a, b})
			}
		}
		depth := rapid.IntRange(1, 5).Draw(t, "depth")
		seed := rapid.IntRange(0, n-1).Draw(t, "seed")
		want := map[int]int{}
		level := []int{seed}
		seen := map[int]bool{seed: true}
		for k := 1; k <= depth; k++ {
			next := []int{}
			for _, v := range level {
				for w := range m.step(v) {
					if !seen[w] {
						seen[w] = true
						want[w] = k
						next = append(next, w)
					}
				}
			}
			level = next
		}
		g, err := tryBuild(m.specs())
		if err != nil {
			t.Fatal(err)
		}
		node := func(i int) Node { return g.Named(fmt.Sprintf("f%03d", i))[0] }
		r, err := g.Impact(context.Background(), []Node{node(seed)}, ReachOptions{Depth: depth})
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]int{}
		last := 0
		for _, x := range r.Nodes {
			var i int
			if _, err := fmt.Sscanf(g.Name(x.Node), "f%d", &i); err != nil {
				t.Fatal(err)
			}
			got[i] = x.Depth
			if x.Depth < last {
				t.Fatal("depths do not ascend")
			}
			last = x.Depth
			if via := g.Via(x); g.Node(x.Source) != x.Node || via.Source != x.Source || x.From >= 0 && x.Dispatch == None && via.Target != r.Nodes[x.From].Node {
				t.Fatal("the edge by which it was reached is not its own")
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("depth by symbol from f%03d (-want +got):\n%s\nuses %v overrides %v", seed, d, m.uses, m.overrides)
		}
		deeper := false
		for _, v := range level {
			for w := range m.step(v) {
				deeper = deeper || !seen[w]
			}
		}
		if r.Deeper != deeper {
			t.Fatalf("deeper is %v, want %v", r.Deeper, deeper)
		}
		if len(want) > 1 {
			r, err := g.Impact(context.Background(), []Node{node(seed)}, ReachOptions{Depth: depth, Limit: len(want) - 1})
			if err != nil || !r.Truncated || len(r.Nodes) != len(want)-1 {
				t.Fatalf("with a limit of %d: %d nodes, truncated %v, %v", len(want)-1, len(r.Nodes), r.Truncated, err)
			}
		}
	})
}

func TestShortestPathAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 14).Draw(t, "n")
		arrows := drawArrows(t, n)
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		g, err := tryBuild(flat(n, arrows, code.EdgeCalls))
		if err != nil {
			t.Fatal(err)
		}
		node := func(i int) Node { return g.Named(fmt.Sprintf("f%03d", i))[0] }
		want := distances(n, arrows, true)[from][to]
		if from == to {
			want = 0
		}
		way, cut, err := g.ShortestPath(context.Background(), []Node{node(from)}, []Node{node(to)}, AllKinds, 0)
		if err != nil || cut {
			t.Fatal(cut, err)
		}
		if want >= far {
			if way != nil {
				t.Fatalf("a way of %d steps where there is none", len(way))
			}
			return
		}
		if way == nil || len(way) != want {
			t.Fatalf("%d steps, want %d", len(way), want)
		}
		at := node(from)
		for _, s := range way {
			if s.From != at || g.Node(s.Link.Source) != s.From || !s.Dispatch && s.Link.Target != s.To {
				t.Fatal("the steps do not join")
			}
			at = s.To
		}
		if at != node(to) {
			t.Fatal("the way ends elsewhere")
		}
	})
}

// TestDispatch: a method of an interface with one and with two implementations.
func TestDispatch(t *testing.T) {
	t.Parallel()
	for bodies := 1; bodies <= 2; bodies++ {
		s := fileSpec{path: "a.go", scope: "scip-go gomod m . a/", pkg: true, defs: []defSpec{
			{name: "Doer", parent: -1, kind: code.KindInterface},
			{name: "Do", parent: 0, kind: code.KindMethod, flags: code.DefAbstract},
			{name: "main", parent: -1, kind: code.KindFunction},
		}}
		for i := range bodies {
			s.defs = append(s.defs, defSpec{name: "Do", owner: fmt.Sprintf("T%d", i), kind: code.KindMethod})
		}
		doc, _, _ := s.document()
		s.edges = []edgeSpec{{source: 2, target: s.key(doc, 1), kind: code.EdgeCalls}}
		for i := range bodies {
			s.edges = append(s.edges, edgeSpec{source: 3 + i, target: s.key(doc, 1), kind: code.EdgeOverrides, certainty: code.May, reason: code.ReasonMethodSet})
		}
		g := build(t, []fileSpec{s})
		iface, _ := g.Find(s.key(doc, 1))
		impl, _ := g.Find(s.key(doc, 3))
		main, _ := g.Find(s.key(doc, 2))
		want := code.Likely
		if bodies == 2 {
			want = code.May
		}
		targets := g.Implementations(iface)
		if len(targets) != bodies || targets[0].Node != impl || targets[0].Certainty != want {
			t.Fatalf("%d bodies: implementations %+v", bodies, targets)
		}
		if b := g.Bases(impl); len(b) != 1 || b[0].Node != iface || b[0].Certainty != want {
			t.Fatalf("%d bodies: bases %+v", bodies, b)
		}
		r, err := g.Impact(context.Background(), []Node{impl}, ReachOptions{Depth: 1})
		if err != nil || len(r.Nodes) != 1 || r.Nodes[0].Node != main || r.Nodes[0].Dispatch != impl || r.Nodes[0].Certainty != want {
			t.Fatalf("%d bodies: impact %+v %v", bodies, r, err)
		}
		way, _, err := g.ShortestPath(context.Background(), []Node{main}, []Node{impl}, AllKinds, 0)
		if err != nil || len(way) != 1 || !way[0].Dispatch || way[0].Certainty != want {
			t.Fatalf("%d bodies: way %+v %v", bodies, way, err)
		}
	}
}

func TestRanks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		g, err := tryBuild(flat(n, drawArrows(t, n), code.EdgeCalls))
		if err != nil {
			t.Fatal(err)
		}
		r, err := g.Ranks(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range r {
			sum += x
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the shares add up to %v", sum)
		}
	})
	g := build(t, flat(4, [][2]int{{0, 3}, {1, 3}, {2, 3}, {3, 2}}, code.EdgeCalls))
	r, err := g.Ranks(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int) float64 { return r[g.Named(fmt.Sprintf("f%03d", i))[0]] }
	if at(3) <= at(2) || at(2) <= at(1) || at(1) != at(0) {
		t.Fatalf("ranks %v", r)
	}
}

func TestHubsAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 14).Draw(t, "n")
		arrows := drawArrows(t, n)
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		g, err := tryBuild(flat(n, arrows, code.EdgeCalls))
		if err != nil {
			t.Fatal(err)
		}
		sources := map[int]map[int]bool{}
		for _, a := range arrows {
			if sources[a[1]] == nil {
				sources[a[1]] = map[int]bool{}
			}
			sources[a[1]][a[0]] = true
		}
		var want []string
		for v, s := range sources {
			want = append(want, fmt.Sprintf("%05d f%03d", 99999-len(s), v))
		}
		slices.Sort(want)
		want = want[:min(limit, len(want))]
		var got []string
		for _, h := range g.Hubs(limit, AllKinds) {
			got = append(got, fmt.Sprintf("%05d %s", 99999-h.Sources, g.Name(h.Node)))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	})
}

func TestImportCycles(t *testing.T) {
	t.Parallel()
	file := func(path string, to ...string) fileSpec {
		s := fileSpec{path: path, scope: "scip-typescript npm m . `" + path + "`/"}
		for _, p := range to {
			s.edges = append(s.edges, edgeSpec{source: -1, target: fileKey(p), kind: code.EdgeImports})
		}
		return s
	}
	g := build(t, []fileSpec{
		file("a/one.ts", "b/two.ts"), file("a/three.ts"), file("b/two.ts", "a/three.ts"), file("c/four.ts", "c/five.ts"), file("c/five.ts", "c/four.ts"),
	}[:0:0])
	if g.NumFiles() != 0 {
		t.Fatal("an empty graph has files")
	}
	g = build(t, []fileSpec{
		file("a/one.ts", "b/two.ts"), file("a/three.ts"), file("b/two.ts", "a/three.ts"), file("c/five.ts", "c/four.ts"), file("c/four.ts", "c/five.ts"),
	}[:1])
	if g.Stats().Dangling != 1 {
		t.Fatal("an import of a file that is not there must dangle")
	}
	specs := []fileSpec{file("a/one.ts", "b/two.ts"), file("a/three.ts"), file("b/two.ts", "a/three.ts"), file("c/five.ts", "c/four.ts"), file("c/four.ts", "c/five.ts")}
	slices.SortFunc(specs, func(x, y fileSpec) int { return slices.Compare([]byte(x.path), []byte(y.path)) })
	g = build(t, specs)
	files := g.FileImports(Imports{Erased: true, Deferred: true})
	cycles, err := files.Cycles(context.Background(), false)
	if err != nil || len(cycles) != 1 || len(cycles[0].Members) != 2 || g.Path(FileNo(cycles[0].Members[0])) != "c/five.ts" {
		t.Fatalf("file cycles %+v %v", cycles, err)
	}
	folders := g.FolderImports(files)
	fc, err := folders.Cycles(context.Background(), false)
	if err != nil || len(fc) != 1 || folders.Paths[fc[0].Members[0]] != "a" || folders.Paths[fc[0].Members[1]] != "b" {
		t.Fatalf("folder cycles %+v %v: a and b depend on each other though their files do not", fc, err)
	}
}

// TestImportFlags: what a type-only, a deferred and a plain import look like as edges.
func TestImportFlags(t *testing.T) {
	t.Parallel()
	var b code.Builder
	text := make([]byte, 100)
	b.Begin("typescript", "ts", text)
	f := b.AddDef(code.Def{Name: b.Name("f"), Kind: code.KindFunction, Parent: code.NoDef, Start: 50, NameStart: 50, End: 99})
	spec := b.Name("./x")
	add := func(start uint32, typeOnly bool, scope code.DefID) {
		b.AddImport(code.Import{Kind: code.ImportNamed, TypeOnly: typeOnly, Specifier: spec, Name: b.Name("a"), Local: b.Name("a"), Scope: scope, Start: start, End: start + 3, NameStart: start - 5})
	}
	add(10, true, code.NoDef)
	add(20, false, code.NoDef)
	add(30, true, code.NoDef) // one binding is for types, the other is not
	add(30, false, code.NoDef)
	add(60, false, f)
	b.AddImport(code.Import{Kind: code.ImportModule, Specifier: spec, Local: b.Name("x"), Scope: code.NoDef, Start: 40, End: 43, NameStart: 38})
	add(40, false, code.NoDef) // import x, {a} from "./x"
	doc := b.Finish()
	gb := NewBuilder([32]byte{})
	var edges []code.Edge
	for _, at := range []uint32{10, 20, 30, 60, 5, 40, 38, 99} {
		edges = append(edges, code.Edge{Source: code.NoDef, Target: fileKey("x.ts"), Start: at, Kind: code.EdgeImports})
	}
	if err := gb.AddFile(File{Path: "a.ts", Scope: "s/"}, doc, edges, nil); err != nil {
		t.Fatal(err)
	}
	if err := gb.AddFile(File{Path: "x.ts", State: StateUnread}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	g, err := gb.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]LinkFlags{}
	for l := range g.Out(g.FileDef(0)) {
		got[l.Column] = l.Flags
	}
	if d := cmp.Diff(map[uint32]LinkFlags{5: LinkErased, 10: LinkErased, 20: 0, 30: 0, 38: 0, 40: LinkModule, 60: LinkDeferred, 99: 0}, got); d != "" {
		t.Fatal(d)
	}
}

// TestSitesKept: which unresolved uses can be asked for, and that all are counted.
func TestSitesKept(t *testing.T) {
	t.Parallel()
	s := fileSpec{path: "a.py", scope: "p/", defs: []defSpec{{name: "run", parent: -1, kind: code.KindFunction}, {name: "C", parent: -1, kind: code.KindClass}}}
	for r := code.SiteUnknownReceiver; r <= code.SiteValue; r++ {
		for _, name := range []string{"run", "other"} {
			s.sites = append(s.sites, siteSpec{source: 0, name: name, role: code.RoleCall, reason: r})
		}
	}
	s.sites = append(s.sites, siteSpec{source: 1, name: "Base", role: code.RoleExtend, reason: code.SiteExternal})
	g := build(t, []fileSpec{s})
	count := func(name string) map[code.Reason]int {
		out := map[code.Reason]int{}
		for x := range g.Sites(name) {
			out[x.Reason]++
		}
		return out
	}
	always := map[code.Reason]int{code.SiteExternal: 1, code.SiteUnknownReceiver: 1, code.SiteDynamic: 1, code.SiteUnresolvedModule: 1, code.SiteNoExport: 1, code.SiteAmbiguous: 1, code.SiteValue: 1}
	if d := cmp.Diff(always, count("other")); d != "" {
		t.Error("a name that no symbol bears: " + d)
	}
	born := map[code.Reason]int{code.SiteNoMember: 1, code.SiteGlobal: 1, code.SiteBuiltin: 1}
	for k, v := range always {
		born[k] = v
	}
	if d := cmp.Diff(born, count("run")); d != "" {
		t.Error("a name that a symbol bears: " + d)
	}
	total := 0
	for _, u := range g.Unresolved() {
		total += u.Count
		if u.Family != "go" {
			t.Errorf("family %q", u.Family)
		}
	}
	if total != len(s.sites) {
		t.Errorf("%d unresolved uses are counted, want %d", total, len(s.sites))
	}
	if d := g.Defs(g.Named("C")[0])[0]; !g.OpenBase(d) {
		t.Error("a class with an external base is not marked")
	}
	if d := g.Defs(g.Named("run")[0])[0]; g.OpenBase(d) {
		t.Error("a function is marked as having an unknown base")
	}
}
