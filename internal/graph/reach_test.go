package graph

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/code"
)

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
