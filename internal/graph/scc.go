package graph

import (
	"context"
	"slices"
)

// Digraph is a plain directed graph in compressed form: the successors of v are
// Next[At[v]] to Next[At[v+1]], ascending and without repeats.
type Digraph struct {
	At   []uint32
	Next []uint32
}

// Len is the number of vertices.
func (d *Digraph) Len() int { return max(0, len(d.At)-1) }

// Successors are the vertices that v has an arrow to.
func (d *Digraph) Successors(v uint32) []uint32 { return d.Next[d.At[v]:d.At[v+1]] }

// NewDigraph makes a Digraph of n vertices from arrows; repeats are dropped.
func NewDigraph(n int, arrows [][2]uint32) *Digraph {
	slices.SortFunc(arrows, func(a, b [2]uint32) int {
		if a[0] != b[0] {
			return int(int64(a[0]) - int64(b[0]))
		}
		return int(int64(a[1]) - int64(b[1]))
	})
	arrows = slices.Compact(arrows)
	d := &Digraph{At: make([]uint32, n+1), Next: make([]uint32, len(arrows))}
	for i, a := range arrows {
		d.At[a[0]+1]++
		d.Next[i] = a[1]
	}
	for v := 1; v <= n; v++ {
		d.At[v] += d.At[v-1]
	}
	return d
}

// Components numbers the strongly connected components of a graph by Tarjan's
// algorithm (1972), without recursion. The numbers are a reverse topological
// order: an arrow between components goes from a higher number to a lower one.
func (d *Digraph) Components(ctx context.Context) (component []uint32, count int, err error) {
	n := d.Len()
	component = make([]uint32, n)
	index := make([]uint32, n) // 1 + order of discovery, 0 is unseen
	low := make([]uint32, n)
	onStack := make([]bool, n)
	var stack []uint32 // Tarjan's
	type frame struct{ v, edge uint32 }
	var path []frame // the recursion's
	clock := uint32(0)
	for root := range uint32(n) {
		if index[root] != 0 {
			continue
		}
		if root%1024 == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		path = append(path[:0], frame{root, d.At[root]})
		clock++
		index[root], low[root] = clock, clock
		stack = append(stack, root)
		onStack[root] = true
		for len(path) > 0 {
			top := &path[len(path)-1]
			v := top.v
			if top.edge < d.At[v+1] {
				w := d.Next[top.edge]
				top.edge++
				switch {
				case index[w] == 0:
					clock++
					index[w], low[w] = clock, clock
					stack = append(stack, w)
					onStack[w] = true
					path = append(path, frame{w, d.At[w]})
				case onStack[w]:
					low[v] = min(low[v], index[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				p := path[len(path)-1].v
				low[p] = min(low[p], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			for {
				w := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				onStack[w] = false
				component[w] = uint32(count)
				if w == v {
					break
				}
			}
			count++
		}
	}
	return component, count, nil
}

// Cycle is a strongly connected component with more than one vertex, or a vertex with an arrow to itself.
type Cycle struct {
	Members []uint32 // ascending
	Example []uint32 // a cycle through some of them, beginning with the smallest; the way back to the first is not repeated
	// Shortest says that no cycle among the members is shorter than Example. In very
	// large components not every start is tried.
	Shortest bool
}

// cycleBudget bounds the arrows followed to find the shortest cycle of one component.
const cycleBudget = 20_000_000

// Cycles finds all cycles, the largest first, then by their smallest member. A
// vertex with an arrow to itself counts when selfLoops is set.
func (d *Digraph) Cycles(ctx context.Context, selfLoops bool) ([]Cycle, error) {
	component, count, err := d.Components(ctx)
	if err != nil {
		return nil, err
	}
	size := make([]uint32, count)
	for _, c := range component {
		size[c]++
	}
	slot := make(map[uint32]int)
	var out []Cycle
	for v, c := range component {
		v := uint32(v)
		if size[c] == 1 {
			if _, loop := slices.BinarySearch(d.Successors(v), v); loop && selfLoops {
				out = append(out, Cycle{Members: []uint32{v}})
			}
			continue
		}
		i, ok := slot[c]
		if !ok {
			i = len(out)
			slot[c] = i
			out = append(out, Cycle{})
		}
		out[i].Members = append(out[i].Members, v)
	}
	search := &cycleSearch{d: d, loops: selfLoops, component: component, dist: make([]uint32, d.Len()), prev: make([]uint32, d.Len())}
	for i := range out {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i].Example, out[i].Shortest = search.shortest(out[i].Members)
	}
	slices.SortStableFunc(out, func(a, b Cycle) int {
		if len(a.Members) != len(b.Members) {
			return len(b.Members) - len(a.Members)
		}
		return int(int64(a.Members[0]) - int64(b.Members[0]))
	})
	return out, nil
}

type cycleSearch struct {
	d          *Digraph
	loops      bool
	component  []uint32
	dist, prev []uint32 // dist is 1 + distance, 0 is unseen
	queue      []uint32
}

// shortest finds a shortest cycle inside of a component: breadth first from each
// member, in ascending order, never farther than the best so far. Members that
// were tried are left out of later rounds, because a shorter cycle through them
// would have been found.
func (s *cycleSearch) shortest(members []uint32) (best []uint32, exact bool) {
	budget := cycleBudget
	own := s.component[members[0]]
	for _, start := range members {
		if budget <= 0 {
			return rotate(best), false
		}
		limit := uint32(len(best)) // 0: none yet
		s.queue = append(s.queue[:0], start)
		s.dist[start] = 1
		found := uint32(None)
	search:
		for i := 0; i < len(s.queue); i++ {
			v := s.queue[i]
			if limit != 0 && s.dist[v]+1 > limit {
				break
			}
			for _, w := range s.d.Successors(v) {
				budget--
				switch {
				case w == start && (v != start || s.loops):
					found = v
					break search
				case w < start || s.component[w] != own || s.dist[w] != 0:
				default:
					s.dist[w] = s.dist[v] + 1
					s.prev[w] = v
					s.queue = append(s.queue, w)
				}
			}
		}
		if found != None && (limit == 0 || s.dist[found] < limit) {
			best = best[:0]
			for v := found; ; v = s.prev[v] {
				best = append(best, v)
				if v == start {
					break
				}
			}
			slices.Reverse(best)
		}
		for _, v := range s.queue {
			s.dist[v] = 0
		}
		if len(best) == 1 || len(best) == 2 && !s.loops {
			break // nothing shorter can come
		}
	}
	return rotate(best), true
}

// rotate makes a cycle begin with its smallest member.
func rotate(c []uint32) []uint32 {
	if len(c) == 0 {
		return nil
	}
	i := slices.Index(c, slices.Min(c))
	return append(slices.Clone(c[i:]), c[:i]...)
}

// Layers gives each vertex the length of the longest way down from its component
// to one that has no arrows out: 0 for those, and always more than what it has
// arrows to, except inside of a cycle, whose members share a layer.
func (d *Digraph) Layers(ctx context.Context) ([]uint32, error) {
	component, count, err := d.Components(ctx)
	if err != nil {
		return nil, err
	}
	// Components come in reverse topological order, so that one pass in their order is enough.
	order := make([]uint32, d.Len())
	for v := range order {
		order[v] = uint32(v)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return int(int64(component[a]) - int64(component[b])) })
	height := make([]uint32, count)
	for _, v := range order {
		c := component[v]
		for _, w := range d.Successors(v) {
			if cw := component[w]; cw != c {
				height[c] = max(height[c], height[cw]+1)
			}
		}
	}
	out := make([]uint32, d.Len())
	for v := range out {
		out[v] = height[component[v]]
	}
	return out, nil
}
