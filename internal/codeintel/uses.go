package codeintel

import (
	"slices"

	"manito/internal/code"
	"manito/internal/graph"
)

// useKinds are the kinds of edges that are references.
var useKinds = graph.KindsOf(code.EdgeCalls, code.EdgeInstantiates, code.EdgeReads, code.EdgeWrites, code.EdgeUsesType, code.EdgeExtends, code.EdgeImplements, code.EdgeImports, code.EdgeDecorates, code.EdgeExports)

// callKinds are the kinds of edges that run a symbol: calls, making instances,
// decorating, and for accessors reading and writing.
func callKinds(k code.Kind, f code.DefFlags) graph.Kinds {
	kinds := graph.KindsOf(code.EdgeCalls, code.EdgeInstantiates, code.EdgeDecorates)
	if readIsCall(k, f) {
		kinds |= graph.KindsOf(code.EdgeReads, code.EdgeWrites)
	}
	return kinds
}

// route is one way on which uses reach a subject.
type route struct {
	node  graph.Node // what is written
	kinds graph.Kinds
	// way says what is written: the subject itself, a method it stands in for, or the class that it constructs.
	way       routeWay
	certainty code.Certainty // of dispatch
	reason    code.Reason    // of dispatch
}

type routeWay uint8

const (
	routeDirect routeWay = iota
	routeDispatch
	routeConstructor
)

// routes lists the ways on which calls (or all uses) reach a subject: directly,
// through the methods it stands in for, and for a constructor through its class.
func (x *Index) routes(s subject, ask question) []route {
	g := x.g
	var out []route
	seen := map[graph.Node]bool{}
	for _, n := range s.nodes {
		seen[n] = true
		kinds := useKinds
		if d := g.FirstDef(n); ask == askCalls && d != graph.None {
			kinds = callKinds(g.Kind(d), g.Flags(d))
		}
		out = append(out, route{node: n, kinds: kinds})
	}
	for _, n := range s.nodes {
		d := g.FirstDef(n)
		if d == graph.None {
			continue
		}
		kinds := callKinds(g.Kind(d), g.Flags(d))
		if ask == askUses {
			kinds |= graph.KindsOf(code.EdgeReads, code.EdgeWrites)
		}
		for _, b := range g.Bases(n) {
			if !seen[b.Node] {
				seen[b.Node] = true
				out = append(out, route{b.Node, kinds, routeDispatch, b.Certainty, b.Reason})
			}
		}
		if constructor(g.Kind(d), g.Name(n)) {
			for _, c := range x.constructed(d) {
				if !seen[c] {
					seen[c] = true
					out = append(out, route{node: c, kinds: graph.KindsOf(code.EdgeInstantiates), way: routeConstructor})
				}
			}
		}
	}
	return out
}

// constructed lists the classes whose instances are made by a constructor: its own, and those below it that have none.
func (x *Index) constructed(d graph.Def) []graph.Node {
	g := x.g
	class := g.Parent(d)
	if class == graph.None || !g.Kind(class).IsType() {
		return nil
	}
	name := g.Name(g.Node(d))
	out := []graph.Node{g.Node(class)}
	for i := 0; i < len(out); i++ {
		for l := range g.In(out[i], graph.KindsOf(code.EdgeExtends)) {
			sub := g.Node(l.Source)
			if slices.Contains(out, sub) || !g.Kind(l.Source).IsType() {
				continue
			}
			own := false
			for _, c := range g.Children(l.Source) {
				own = own || g.Name(g.Node(c)) == name
			}
			if !own {
				out = append(out, sub)
			}
		}
	}
	return out
}

// inlets are the routes as the graph takes them.
func inlets(routes []route) []graph.Inlet {
	out := make([]graph.Inlet, len(routes))
	for i, r := range routes {
		out[i] = graph.Inlet{Node: r.node, Kinds: r.kinds}
	}
	return out
}

// use is one edge that reaches a subject on a route.
type use struct {
	link  graph.Link
	route route
}

// usesIn lists the uses written in a definition, by position.
func (x *Index) usesIn(d graph.Def, routes []route) []use {
	var out []use
	for l := range x.g.Out(d) {
		for _, r := range routes {
			if l.Target == r.node && r.kinds.Has(l.Kind) {
				out = append(out, use{l, r})
				break
			}
		}
	}
	return out
}

// tie says how the use is tied to the subject.
func (u use) tie() Tie {
	if u.route.way != routeDispatch {
		return tie(u.link, u.link.Certainty)
	}
	return Tie{Kind: u.link.Kind.String(), Certainty: u.certainty().String(), Evidence: u.route.reason.Evidence().String(), Reason: u.route.reason.String()}
}

func (u use) certainty() code.Certainty { return max(u.link.Certainty, u.route.certainty) }
