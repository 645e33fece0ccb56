package codeintel

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// ImpactInput asks what a change of something reaches.
type ImpactInput struct {
	Symbol string
	Depth  int // 0 means 5, negative no bound
	Limit  int // of symbols found; 0 means 5000, negative no bound
}

// Impact lists what depends on a symbol, directly and through others: whoever
// calls, reads, writes, names as a type, extends, implements, overrides or is
// decorated by it, by file. A class is changed with its members.
type Impact struct {
	Schema       string       `json:"schema"` // manito/impact/v1
	Symbol       Symbol       `json:"symbol"`
	Depth        int          `json:"depth"`    // the bound, 0 for none
	Total        int          `json:"total"`    // symbols reached
	ByDepth      []int        `json:"by_depth"` // [0] at depth 1
	Files        []ImpactFile `json:"files"`
	Tests        []Symbol     `json:"tests"`     // tests and test files reached, nearest first
	Truncated    bool         `json:"truncated"` // the limit cut the search off
	Deeper       bool         `json:"deeper"`    // more lies beyond the depth
	Completeness Completeness `json:"completeness"`
}

// ImpactFile is what is reached in one file.
type ImpactFile struct {
	File    string          `json:"file"`
	Test    bool            `json:"test,omitempty"`
	Nearest int             `json:"nearest"` // the least depth
	Symbols []ImpactReached `json:"symbols"`
}

// ImpactReached is a symbol that a change reaches, with one edge on a shortest way to it.
type ImpactReached struct {
	Symbol Symbol   `json:"symbol"`
	Depth  int      `json:"depth"`
	Path   string   `json:"path_certainty"` // of the least certain step on the way
	On     string   `json:"on"`             // the qualified name of what it depends on
	At     Location `json:"at"`             // where it does
	Tie
	Dispatch string `json:"dispatch,omitempty"` // the method behind On that the call reaches
}

const (
	impactDepth = 5
	impactLimit = 5000
)

// Impact answers what a change of a symbol reaches.
func (x *Index) Impact(ctx context.Context, in ImpactInput) (out *Impact, err error) {
	defer x.g.Guard(&err)()
	s, err := x.resolve(in.Symbol)
	if err != nil {
		return nil, err
	}
	g := x.g
	o := graph.ReachOptions{Depth: bound(in.Depth, impactDepth), Limit: bound(in.Limit, impactLimit), Imports: true}
	seeds := x.seeds(s)
	r, err := g.Impact(ctx, seeds, o)
	if err != nil {
		return nil, problem.Wrap(err, problem.KindOf(err), "impact of %s", in.Symbol)
	}
	out = &Impact{Schema: "manito/impact/v1", Symbol: x.symbol(s.primary()), Depth: o.Depth, Total: len(r.Nodes), ByDepth: []int{}, Files: []ImpactFile{}, Tests: []Symbol{}, Truncated: r.Truncated, Deeper: r.Deeper}
	x.listReached(out, r.Nodes)
	for i := range out.Files {
		slices.SortStableFunc(out.Files[i].Symbols, func(a, b ImpactReached) int {
			return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Symbol.Line, b.Symbol.Line))
		})
	}
	slices.SortStableFunc(out.Files, func(a, b ImpactFile) int {
		return cmp.Or(cmp.Compare(a.Nearest, b.Nearest), cmp.Compare(a.File, b.File))
	})
	out.Completeness, err = x.impactCompleteness(ctx, s, seeds, r, o)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// listReached describes what was reached, by file.
func (x *Index) listReached(out *Impact, nodes []graph.Reached) {
	g := x.g
	defs := make([]graph.Def, len(nodes))
	for i, n := range nodes {
		defs[i] = n.Via.Source
	}
	symbols := x.defineAll(defs)
	names := map[graph.Node]string{}
	for i, n := range nodes {
		names[g.Node(n.Via.Source)] = symbols[i].QualifiedName
	}
	name := func(n graph.Node) string {
		v, ok := names[n]
		if !ok {
			v = x.symbol(n).QualifiedName
			names[n] = v
		}
		return v
	}
	byFile := map[string]int{}
	for i, n := range nodes {
		for len(out.ByDepth) < n.Depth {
			out.ByDepth = append(out.ByDepth, 0)
		}
		out.ByDepth[n.Depth-1]++
		sym := symbols[i]
		at, ok := byFile[sym.File]
		if !ok {
			at = len(out.Files)
			byFile[sym.File] = at
			out.Files = append(out.Files, ImpactFile{File: sym.File, Test: g.DocFlags(g.FileOf(defs[i]))&code.DocTest != 0, Nearest: n.Depth})
		}
		e := ImpactReached{
			Symbol: sym, Depth: n.Depth, Path: n.Certainty.String(), On: name(n.Via.Target),
			At: Location{sym.File, int(n.Via.Line) + 1, int(n.Via.Column) + 1}, Tie: tie(n.Via, n.Via.Certainty),
		}
		if n.Dispatch != graph.None {
			e.Dispatch = name(n.Dispatch)
		}
		out.Files[at].Symbols = append(out.Files[at].Symbols, e)
		if sym.Test {
			out.Tests = append(out.Tests, sym)
		}
	}
}

// bound reads an input's bound: 0 stands for the default, a negative number for none.
func bound(n, standard int) int {
	switch {
	case n == 0:
		return standard
	case n < 0:
		return 0
	}
	return n
}

// seeds are the subject's nodes, with the members of types and namespaces and
// with what files and packages define.
func (x *Index) seeds(s subject) []graph.Node {
	g := x.g
	out := slices.Clone(s.nodes)
	seen := make(map[graph.Node]bool, len(out))
	for _, n := range out {
		seen[n] = true
	}
	add := func(n graph.Node) {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for i := 0; i < len(out); i++ {
		if g.Class(out[i]) == graph.ClassPackage {
			for _, f := range g.PackageFiles(out[i]) {
				add(g.FileNode(f))
			}
		}
		for d := g.FirstDef(out[i]); d != graph.None; d = g.NextDef(d) {
			if k := g.Kind(d); k == code.KindFile || k.IsType() || k == code.KindNamespace {
				for _, c := range g.Children(d) {
					add(g.Node(c))
				}
			}
		}
	}
	return out
}

// impactCompleteness: the answer is everything only if the uses of the seeds and of all that was reached are known.
func (x *Index) impactCompleteness(ctx context.Context, s subject, seeds []graph.Node, r graph.Reach, o graph.ReachOptions) (Completeness, error) {
	c, err := x.completeness(ctx, s, askUses)
	if err != nil || c.Status == Unknown {
		return c, err
	}
	calls, err := x.completeness(ctx, s, askCalls)
	if err != nil {
		return c, err
	}
	for _, r := range calls.Reasons {
		if !slices.ContainsFunc(c.Reasons, func(o Reason) bool { return o.Code == r.Code }) {
			c.Reasons = append(c.Reasons, r)
		}
	}
	if r.Truncated {
		c.Reasons = append(c.Reasons, Reason{Code: reasonTruncated, Message: fmt.Sprintf("the search ended at %d symbols", o.Limit), Count: 1, Examples: []Location{}})
	}
	if r.Deeper {
		c.Reasons = append(c.Reasons, Reason{Code: reasonDepth, Message: fmt.Sprintf("more lies beyond depth %d", o.Depth), Count: 1, Examples: []Location{}})
	}
	// One doubtful symbol on the way is enough; the members of a class are on the way too.
	way := seeds[len(s.nodes):]
	for _, n := range r.Nodes {
		if o.Depth == 0 || n.Depth < o.Depth {
			way = append(way, n.Node)
		}
	}
	for i, n := range way {
		if i%256 == 0 && ctx.Err() != nil {
			return c, ctx.Err()
		}
		if x.g.Class(n) != graph.ClassSymbol {
			continue
		}
		ask := askUses
		if d := x.g.FirstDef(n); callable(x.g.Kind(d), x.g.Flags(d)) {
			ask = askCalls
		}
		reason, err := x.firstReason(ctx, n, ask)
		if err != nil {
			return c, err
		}
		if reason != nil {
			sym := x.symbol(n)
			c.Reasons = append(c.Reasons, Reason{Code: reasonReached, Message: fmt.Sprintf("%s, which is on the way, may have more users: %s", sym.QualifiedName, reason.Message), Count: 1, Examples: append([]Location{sym.Location()}, reason.Examples...)})
			break
		}
	}
	if len(c.Reasons) > 0 {
		c.Status = LowerBound
	}
	return c, nil
}
