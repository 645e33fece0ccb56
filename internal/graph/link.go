package graph

import (
	"iter"
	"slices"
	"sort"

	"manito/internal/code"
)

// LinkFlags qualify a Link.
type LinkFlags uint8

// The flags of links.
const (
	LinkErased   LinkFlags = 1 << iota // an import that exists for types only and is gone at run time
	LinkDeferred                       // an import that is not made when the file is loaded: inside a function, or import("x")
	LinkModule                         // an import that gives the file the module itself or all of its names, not some names of it
	LinkExported                       // a read whose only purpose is to export what is read: module.exports = {f}
)

// Link is one edge, seen from either end.
type Link struct {
	Source       Def
	Target       Node
	Line, Column uint32 // where it is written, in the file of Source
	Kind         code.EdgeKind
	Certainty    code.Certainty
	Reason       code.Reason
	Flags        LinkFlags
}

// edgeMeta, from bit 0: kind 4, certainty 2, reason 5, flags 4.
const (
	metaCertainty = 4
	metaReason    = 6
	metaFlags     = 11
)

func packMeta(k code.EdgeKind, c code.Certainty, r code.Reason, f LinkFlags) uint16 {
	return uint16(k)&15 | uint16(c)&3<<metaCertainty | uint16(r)&31<<metaReason | uint16(f)&15<<metaFlags
}

func metaKind(m uint16) code.EdgeKind { return code.EdgeKind(m & 15) }

func (g *Graph) link(source Def, e uint32) Link {
	m := g.edgeMeta[e]
	l := Link{
		Source: source, Target: Node(g.edgeTarget[e]), Line: g.edgeLine[e], Column: uint32(g.edgeCol[e]),
		Kind: metaKind(m), Certainty: code.Certainty(m >> metaCertainty & 3), Reason: code.Reason(m >> metaReason & 31), Flags: LinkFlags(m >> metaFlags & 15),
	}
	if l.Column == wideColumn {
		i := sort.Search(len(g.wideEdge), func(i int) bool { return g.wideEdge[i] >= e })
		if i < len(g.wideEdge) && g.wideEdge[i] == e {
			l.Column = g.wideCol[i]
		}
	}
	return l
}

// Kinds is a set of edge kinds.
type Kinds uint16

// KindsOf makes a set.
func KindsOf(kinds ...code.EdgeKind) Kinds {
	var s Kinds
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// AllKinds is the set of all edge kinds.
const AllKinds Kinds = 1<<code.NumEdgeKinds - 1

// Has says whether a kind is in the set.
func (s Kinds) Has(k code.EdgeKind) bool { return s>>k&1 != 0 }

// Out yields the edges written in a definition (not in those inside of it), by position.
func (g *Graph) Out(d Def) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		for e := g.outAt[d]; e < g.outAt[d+1]; e++ {
			if !yield(g.link(d, e)) {
				return
			}
		}
	}
}

const overridesOnly Kinds = 1 << code.EdgeOverrides

// In yields the edges of some kinds that go to a node: first the overrides, then
// the others, both by the source's path and position.
func (g *Graph) In(n Node, kinds Kinds) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		for i := g.inAt[n]; i < g.inAt[n+1]; i++ {
			s := g.inSource[i]
			if !kinds.Has(code.EdgeKind(s & 15)) {
				if kinds == overridesOnly {
					return // they come first
				}
				continue
			}
			if !yield(g.link(Def(s>>4), g.inEdge[i])) {
				return
			}
		}
	}
}

// CountIn counts the edges of some kinds that go to a node.
func (g *Graph) CountIn(n Node, kinds Kinds) int {
	if kinds&AllKinds == AllKinds {
		return int(g.inAt[n+1] - g.inAt[n])
	}
	count := 0
	for _, s := range g.inSource[g.inAt[n]:g.inAt[n+1]] {
		count += int(kinds >> (s & 15) & 1)
	}
	return count
}

// CountSources counts the distinct definitions from which edges of some kinds go
// to a node. A definition that overrides the node and uses it too counts twice
// when both are asked for.
func (g *Graph) CountSources(n Node, kinds Kinds) int {
	count := 0
	last := uint32(None)
	// The sources ascend, so equal ones stand together.
	for _, s := range g.inSource[g.inAt[n]:g.inAt[n+1]] {
		if kinds.Has(code.EdgeKind(s&15)) && s>>4 != last {
			last = s >> 4
			count++
		}
	}
	return count
}

// Inlet is a node with the kinds of edges to it that are meant.
type Inlet struct {
	Node  Node
	Kinds Kinds
}

// Users are the definitions from which edges go to any of the inlets: the first
// of them in path order, at most limit (0: all), and the number of distinct nodes
// among all of them.
func (g *Graph) Users(inlets []Inlet, limit int) (first []Def, total int) {
	seen := g.visit()
	defer g.release(seen)
	for _, in := range inlets {
		taken, last := 0, uint32(None)
		for _, s := range g.inSource[g.inAt[in.Node]:g.inAt[in.Node+1]] {
			d := s >> 4
			if d == last || !in.Kinds.Has(code.EdgeKind(s&15)) {
				continue
			}
			last = d
			if seen.mark(g.defNode[d]) {
				total++
			}
			// Sources ascend (overrides aside), so that the first of all are among the first of each target.
			if limit == 0 || taken < limit {
				taken++
				first = append(first, Def(d))
			}
		}
	}
	slices.Sort(first)
	first = slices.Compact(first)
	if limit > 0 && len(first) > limit {
		first = first[:limit]
	}
	return first, total
}

// EdgeCounts counts all edges by kind, certainty and evidence.
func (g *Graph) EdgeCounts() map[EdgeClass]int {
	var raw [1 << metaFlags]int
	for _, m := range g.edgeMeta {
		raw[m&(1<<metaFlags-1)]++
	}
	out := make(map[EdgeClass]int)
	for m, n := range raw {
		if n > 0 {
			m := uint16(m)
			out[EdgeClass{metaKind(m), code.Certainty(m >> metaCertainty & 3), code.Reason(m >> metaReason & 31).Evidence()}] += n
		}
	}
	return out
}

// EdgeClass is what EdgeCounts tells apart.
type EdgeClass struct {
	Kind      code.EdgeKind
	Certainty code.Certainty
	Evidence  code.Evidence
}

// CountInByKind counts the edges that go to a node, by kind.
func (g *Graph) CountInByKind(n Node) [code.NumEdgeKinds]int {
	var out [code.NumEdgeKinds]int
	for _, s := range g.inSource[g.inAt[n]:g.inAt[n+1]] {
		out[s&15%uint32(code.NumEdgeKinds)]++
	}
	return out
}

// EdgesByFamily counts the edges of some kinds by the language of the file they are written in.
func (g *Graph) EdgesByFamily(kinds Kinds) map[string]int {
	out := make(map[string]int)
	for f := range g.filePath {
		n := 0
		for _, m := range g.edgeMeta[g.outAt[g.fileDef[f]]:g.outAt[g.fileDef[f+1]]] {
			n += int(kinds >> (m & 15) & 1)
		}
		out[g.Family(FileNo(f))] += n
	}
	return out
}
