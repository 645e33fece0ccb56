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
