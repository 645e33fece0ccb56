package graph

import (
	"slices"

	"manito/internal/code"
)

// Target is a method that a call may reach by dispatch, or a method through which one is reached.
type Target struct {
	Node Node
	// Certainty is code.Likely when it is the only method with a body behind an
	// abstract one, else code.May.
	Certainty code.Certainty
	Reason    code.Reason // of the override nearest to Node
}

// OpenBase says whether a type has a base that lies outside of the repository or
// could not be resolved, so that it may have members and stand in for methods that the graph does not know.
func (g *Graph) OpenBase(d Def) bool { return g.defMarks[d]&markOpenBase != 0 }

// Implementations lists the methods that stand in for a method, directly or
// through others, except abstract ones, in (path, order) sequence: what a call of it may reach besides itself.
func (g *Graph) Implementations(n Node) []Target {
	if !g.Overridden(n) {
		return nil
	}
	var out []Target
	seen := map[Node]bool{n: true}
	work := []Node{n}
	for i := 0; i < len(work); i++ {
		for l := range g.In(work[i], 1<<code.EdgeOverrides) {
			m := g.Node(l.Source)
			if seen[m] {
				continue
			}
			seen[m] = true
			work = append(work, m)
			if g.Flags(l.Source)&code.DefAbstract == 0 {
				out = append(out, Target{m, l.Certainty, l.Reason})
			}
		}
	}
	c := g.dispatchCertainty(n)
	for i := range out {
		out[i].Certainty = c
	}
	slices.SortFunc(out, func(a, b Target) int { return int(int64(a.Node) - int64(b.Node)) })
	return out
}

// Overridden says whether other methods stand in for a method.
func (g *Graph) Overridden(n Node) bool {
	i := g.inAt[n]
	return i < g.inAt[n+1] && code.EdgeKind(g.inSource[i]&15) == code.EdgeOverrides
}

// abstract says whether a method has no body of its own, so that a call of it ends in another one.
func (g *Graph) abstract(n Node) bool {
	for d := g.FirstDef(n); d != None; d = g.NextDef(d) {
		if g.Flags(d)&code.DefAbstract != 0 {
			return true
		}
	}
	return false
}

// Bases lists the methods that a method stands in for, directly or through
// others, in (path, order) sequence: a call of one of them may reach it.
func (g *Graph) Bases(n Node) []Target {
	var out []Target
	seen := map[Node]bool{n: true}
	work := []Node{n}
	for i := 0; i < len(work); i++ {
		for d := g.FirstDef(work[i]); d != None; d = g.NextDef(d) {
			for l := range g.Out(d) {
				if l.Kind == code.EdgeOverrides && !seen[l.Target] {
					seen[l.Target] = true
					work = append(work, l.Target)
					out = append(out, Target{l.Target, code.May, l.Reason})
				}
			}
		}
	}
	for i := range out {
		out[i].Certainty = g.dispatchCertainty(out[i].Node)
	}
	slices.SortFunc(out, func(a, b Target) int { return int(int64(a.Node) - int64(b.Node)) })
	return out
}

// dispatchCertainty is how sure it is that a call of a method reaches one that
// stands in for it: code.Likely when the called one is abstract and only one
// method with a body is behind it, else code.May.
func (g *Graph) dispatchCertainty(n Node) code.Certainty {
	if !g.abstract(n) {
		return code.May
	}
	bodies := 0
	seen := []Node{n}
	work := []Node{n}
	for i := 0; i < len(work); i++ {
		for l := range g.In(work[i], 1<<code.EdgeOverrides) {
			m := g.Node(l.Source)
			if slices.Contains(seen, m) {
				continue
			}
			if g.Flags(l.Source)&code.DefAbstract == 0 {
				if bodies++; bodies > 1 {
					return code.May
				}
			}
			seen = append(seen, m)
			work = append(work, m)
		}
	}
	if bodies == 1 {
		return code.Likely
	}
	return code.May
}
