package graph

import (
	"context"
	"slices"

	"manito/internal/code"
)

// impactKinds are the kinds of edges along which a change travels back: whoever
// calls, reads, writes, names as a type, extends, overrides or is decorated by
// what changed may have to change too.
var impactKinds = KindsOf(code.EdgeCalls, code.EdgeInstantiates, code.EdgeReads, code.EdgeWrites, code.EdgeUsesType, code.EdgeExtends, code.EdgeImplements, code.EdgeOverrides, code.EdgeDecorates)

// useKinds are the impact kinds by which something is used through a method that it stands in for.
var useKinds = KindsOf(code.EdgeCalls, code.EdgeReads, code.EdgeWrites)

// linkKinds are the kinds by which a file is tied to what it imports and exports.
var linkKinds = KindsOf(code.EdgeImports, code.EdgeExports)

// Reached is a node that a change reaches.
type Reached struct {
	Node  Node
	Depth int
	// From is what it depends on: an index into Reach.Nodes, or -1 for a seed.
	From int
	// Source is the definition of Node from which the edge goes by which it was
	// reached: the first one on a shortest way. Graph.Via tells the edge.
	Source Def
	// Dispatch is the overriding method that the edge reaches, None when it goes to
	// what it reaches: it calls the method of an interface or base that Dispatch stands in for.
	Dispatch Node
	edge     uint32
	// Certainty is that of the least certain step on the way.
	Certainty code.Certainty
}

// Via is the edge by which something was reached.
func (g *Graph) Via(r Reached) Link { return g.link(r.Source, r.edge) }

// ReachOptions bound a search.
type ReachOptions struct {
	Depth int // 0 means no bound
	Limit int // of nodes; 0 means no bound
	// Imports lists the files that import or re-export something reached, as far as nothing else reached them. They end there.
	Imports bool
}

// Reach is the outcome of a search.
type Reach struct {
	Nodes     []Reached // by depth, then in the order in which they were found; the seeds are not among them
	Truncated bool      // the limit cut it off
	Deeper    bool      // nodes lie beyond the depth
}

// Impact finds what a change of the seeds reaches: breadth first along the edges
// of impactKinds against their direction. A call of an interface or base method
// reaches the methods that stand in for it, in no extra step.
//
// A file as the source of an edge stands for its top-level code; the way ends there,
// unless the file is a seed, from which the way goes to the files that import it.
func (g *Graph) Impact(ctx context.Context, seeds []Node, o ReachOptions) (Reach, error) {
	s := &impact{g: g, o: o, seen: g.visit(), aliased: g.visit()}
	defer g.release(s.seen)
	defer g.release(s.aliased)
	var level []frontier
	for _, n := range seeds {
		if s.seen.mark(uint32(n)) {
			level = append(level, frontier{n, -1, code.Must, g.Class(n) != ClassSymbol})
		}
	}
	if o.Limit > 0 {
		s.out.Nodes = make([]Reached, 0, min(o.Limit, g.widely(seeds), 1<<14))
	}
	for depth := 1; len(level) > 0; depth++ {
		if err := ctx.Err(); err != nil {
			return Reach{}, err
		}
		if o.Depth > 0 && depth > o.Depth {
			s.out.Deeper = s.more(level)
			break
		}
		s.next = s.next[:0]
		for _, f := range level {
			if !s.expand(f, depth) {
				s.out.Truncated = true
				return s.out, nil
			}
		}
		level, s.next = s.next, level
	}
	return s.out, nil
}

// widely guesses how much a search from some nodes finds: what is used from many
// places is mostly reached from many more.
func (g *Graph) widely(seeds []Node) int {
	users := 0
	for _, n := range seeds {
		users += int(g.inAt[n+1] - g.inAt[n])
	}
	return 64 * users
}

type frontier struct {
	node      Node
	index     int // in Reach.Nodes, -1 for a seed
	certainty code.Certainty
	module    bool // a file or package that is a seed: whoever imports it
}

type impact struct {
	g       *Graph
	o       ReachOptions
	seen    *visit // nodes in the answer, and seeds
	aliased *visit // base methods whose users were already added
	next    []frontier
	out     Reach
	probing bool // only look whether anything is left
	work    []Node
}

// more says whether anything would be reached from a level.
func (s *impact) more(level []frontier) bool {
	s.probing = true
	for _, f := range level {
		if !s.expand(f, 0) {
			return true
		}
	}
	return false
}

// expand adds what depends on a node directly; false when the limit is reached.
func (s *impact) expand(f frontier, depth int) bool {
	kinds := impactKinds
	if f.module {
		kinds |= linkKinds
	}
	if !s.users(f, f.node, kinds, None, f.certainty, depth) {
		return false
	}
	if f.module {
		return true
	}
	if s.o.Imports && !s.importers(f, depth) {
		return false
	}
	return s.bases(f, depth)
}

// bases adds the users of the methods that a method stands in for: they may reach it by dispatch.
func (s *impact) bases(f frontier, depth int) bool {
	s.work = append(s.work[:0], f.node)
	for i := 0; i < len(s.work); i++ {
		for d := s.g.FirstDef(s.work[i]); d != None; d = s.g.NextDef(d) {
			for e := s.g.outAt[d]; e < s.g.outAt[d+1]; e++ {
				if metaKind(s.g.edgeMeta[e]) != code.EdgeOverrides {
					continue
				}
				base := Node(s.g.edgeTarget[e])
				if !s.aliased.mark(uint32(base)) {
					continue
				}
				c := max(f.certainty, s.g.dispatchCertainty(base))
				if !s.users(f, base, useKinds, f.node, c, depth) {
					return false
				}
				s.work = append(s.work, base)
			}
		}
	}
	return true
}

func (s *impact) users(f frontier, n Node, kinds Kinds, dispatch Node, c code.Certainty, depth int) bool {
	g := s.g
	for i := g.inAt[n]; i < g.inAt[n+1]; i++ {
		src := g.inSource[i]
		if !kinds.Has(code.EdgeKind(src & 15)) {
			continue
		}
		d := src >> 4
		if !s.add(f, Def(d), g.inEdge[i], dispatch, c, depth) {
			return false
		}
	}
	return true
}

func (s *impact) add(f frontier, d Def, e uint32, dispatch Node, c code.Certainty, depth int) bool {
	g := s.g
	n := g.defNode[d]
	if s.seen.seen(n) {
		return true
	}
	if s.probing || s.o.Limit > 0 && len(s.out.Nodes) >= s.o.Limit {
		return false
	}
	s.seen.mark(n)
	c = max(c, code.Certainty(g.edgeMeta[e]>>metaCertainty&3))
	s.out.Nodes = append(s.out.Nodes, Reached{Node: Node(n), Depth: depth, From: f.index, Source: d, edge: e, Dispatch: dispatch, Certainty: c})
	if !g.isFileDef(d) {
		s.next = append(s.next, frontier{node: Node(n), index: len(s.out.Nodes) - 1, certainty: c})
	}
	return true
}

// importers adds the files that import or re-export a symbol by its name.
func (s *impact) importers(f frontier, depth int) bool {
	return s.users(f, f.node, linkKinds, None, f.certainty, depth)
}

// Step is one edge of a way.
type Step struct {
	From, To Node
	Link     Link // its Source is a definition of From
	// Dispatch: Link calls a method of an interface or base, and To stands in for it.
	Dispatch  bool
	Certainty code.Certainty
}

// ShortestPath finds a shortest way from any of the sources to any of the targets along
// edges of some kinds, a call of an interface or base method also leading to the
// methods that stand in for it. It searches from both ends. It returns nil when
// there is none; limit bounds the nodes looked at on each side (0: no bound), and
// cut says that it was reached.
func (g *Graph) ShortestPath(ctx context.Context, from, to []Node, kinds Kinds, limit int) (way []Step, cut bool, err error) {
	p := &pathSearch{g: g, kinds: kinds, fwd: map[Node]hop{}, back: map[Node]hop{}}
	var heads, tails []Node
	for _, n := range from {
		if _, ok := p.fwd[n]; !ok {
			p.fwd[n] = hop{at: None}
			heads = append(heads, n)
		}
	}
	for _, n := range to {
		if _, ok := p.fwd[n]; ok {
			return []Step{}, false, nil
		}
		if _, ok := p.back[n]; !ok {
			p.back[n] = hop{at: None}
			tails = append(tails, n)
		}
	}
	for len(heads) > 0 && len(tails) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		var meet Node
		if len(heads) <= len(tails) {
			heads, meet = p.forward(heads)
		} else {
			tails, meet = p.backward(tails)
		}
		if meet != None {
			return p.way(meet), false, nil
		}
		if limit > 0 && (len(p.fwd) > limit || len(p.back) > limit) {
			return nil, true, nil
		}
	}
	return nil, false, nil
}

type hop struct {
	at   Node // the neighbour on the side from which the search came
	step Step
}

type pathSearch struct {
	g         *Graph
	kinds     Kinds
	fwd, back map[Node]hop
}

func (p *pathSearch) forward(level []Node) (next []Node, meet Node) {
	meet = None
	for _, n := range level {
		p.g.steps(n, p.kinds, func(s Step) {
			if _, ok := p.fwd[s.To]; ok {
				return
			}
			p.fwd[s.To] = hop{n, s}
			next = append(next, s.To)
			if _, ok := p.back[s.To]; ok && s.To < meet {
				meet = s.To
			}
		})
	}
	return next, meet
}

func (p *pathSearch) backward(level []Node) (next []Node, meet Node) {
	meet = None
	for _, n := range level {
		p.g.stepsBack(n, p.kinds, func(s Step) {
			if _, ok := p.back[s.From]; ok {
				return
			}
			p.back[s.From] = hop{n, s}
			next = append(next, s.From)
			if _, ok := p.fwd[s.From]; ok && s.From < meet {
				meet = s.From
			}
		})
	}
	return next, meet
}

func (p *pathSearch) way(meet Node) []Step {
	var out []Step
	for n := meet; p.fwd[n].at != None; n = p.fwd[n].at {
		out = append(out, p.fwd[n].step)
	}
	slices.Reverse(out)
	for n := meet; p.back[n].at != None; n = p.back[n].at {
		out = append(out, p.back[n].step)
	}
	return out
}

// steps yields the ways out of a node, dispatch included.
func (g *Graph) steps(n Node, kinds Kinds, yield func(Step)) {
	for d := g.FirstDef(n); d != None; d = g.NextDef(d) {
		for e := g.outAt[d]; e < g.outAt[d+1]; e++ {
			if !kinds.Has(metaKind(g.edgeMeta[e])) {
				continue
			}
			l := g.link(d, e)
			yield(Step{From: n, To: l.Target, Link: l, Certainty: l.Certainty})
			if useKinds.Has(l.Kind) {
				for _, t := range g.Implementations(l.Target) {
					yield(Step{From: n, To: t.Node, Link: l, Dispatch: true, Certainty: max(l.Certainty, t.Certainty)})
				}
			}
		}
	}
}

// stepsBack yields the ways into a node, dispatch included.
func (g *Graph) stepsBack(n Node, kinds Kinds, yield func(Step)) {
	for l := range g.In(n, kinds) {
		yield(Step{From: g.Node(l.Source), To: n, Link: l, Certainty: l.Certainty})
	}
	for _, base := range g.Bases(n) {
		for l := range g.In(base.Node, kinds&useKinds) {
			yield(Step{From: g.Node(l.Source), To: n, Link: l, Dispatch: true, Certainty: max(l.Certainty, base.Certainty)})
		}
	}
}
