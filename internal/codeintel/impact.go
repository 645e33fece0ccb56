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
	List   int // of symbols described, the nearest first; 0 means 200, negative all
}

// Impact says what depends on a symbol, directly and through others: whoever
// calls, reads, writes, names as a type, extends, implements, overrides or is
// decorated by it, by file. A class is changed with its members, a file with what
// it defines. All that was found is counted; the nearest symbols are described.
type Impact struct {
	Schema       string       `json:"schema"` // manito/impact/v1
	Symbol       Symbol       `json:"symbol"`
	Depth        int          `json:"depth"`    // the bound, 0 for none
	Total        int          `json:"total"`    // symbols reached
	Listed       int          `json:"listed"`   // of them, described below
	ByDepth      []int        `json:"by_depth"` // [0] at depth 1
	Files        []ImpactFile `json:"files"`    // all that are reached, nearest first
	TestCount    int          `json:"test_count"`
	Tests        []Symbol     `json:"tests"`     // tests and what stands in test files, nearest first, as many as are listed at most
	Truncated    bool         `json:"truncated"` // the limit cut the search off
	Deeper       bool         `json:"deeper"`    // more lies beyond the depth
	Completeness Completeness `json:"completeness"`
}

// ImpactFile is what is reached in one file.
type ImpactFile struct {
	File    string          `json:"file"`
	Test    bool            `json:"test,omitempty"`
	Nearest int             `json:"nearest"` // the least depth
	Count   int             `json:"count"`   // symbols reached in it
	Symbols []ImpactReached `json:"symbols"` // those that are listed, by depth and line
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
	impactList  = 200
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
	list := bound(in.List, impactList)
	if list == 0 {
		list = len(r.Nodes)
	}
	x.listReached(out, r.Nodes, list)
	out.Completeness, err = x.impactCompleteness(ctx, s, seeds, r, o)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// listReached counts what was reached by file and describes the nearest.
func (x *Index) listReached(out *Impact, nodes []graph.Reached, list int) {
	g := x.g
	listed := min(list, len(nodes)) // nodes come by depth
	out.Listed = listed
	defs := make([]graph.Def, listed)
	for i := range defs {
		defs[i] = nodes[i].Source
	}
	symbols := x.defineAll(defs)
	type place struct {
		file    graph.FileNo
		nearest int
		count   int
	}
	at := make([]int32, g.NumFiles()) // 1 + index into places
	places := make([]place, 0, len(nodes)/4)
	of := make([]int, len(nodes)) // index into places
	var tests []graph.Def
	isTest := x.testDefs()
	for i := range nodes {
		n := &nodes[i]
		for len(out.ByDepth) < n.Depth {
			out.ByDepth = append(out.ByDepth, 0)
		}
		out.ByDepth[n.Depth-1]++
		f := g.FileOf(n.Source)
		if at[f] == 0 {
			places = append(places, place{file: f, nearest: n.Depth})
			at[f] = int32(len(places))
		}
		j := int(at[f]) - 1
		of[i] = j
		places[j].count++
		if isTest[n.Source/64]&(1<<(n.Source%64)) != 0 {
			if out.TestCount++; len(tests) < list {
				tests = append(tests, n.Source)
			}
		}
	}
	out.Tests = append(out.Tests, x.defineAll(tests)...)
	// Files by the nearest symbol, then by path, which is the order of their numbers. They
	// were met by the nearest symbol already, so that each depth is sorted by itself.
	rank := make([]uint64, len(places)) // the file above the index into places
	for i, p := range places {
		rank[i] = uint64(p.file)<<32 | uint64(i)
	}
	for start := 0; start < len(places); {
		end := start + 1
		for end < len(places) && places[end].nearest == places[start].nearest {
			end++
		}
		slices.Sort(rank[start:end])
		start = end
	}
	position := make([]int, len(places))
	files := make([]graph.FileNo, len(places))
	for to, key := range rank {
		files[to] = graph.FileNo(key >> 32)
	}
	paths := g.Paths(files)
	out.Files = make([]ImpactFile, len(places))
	for to, key := range rank {
		p := places[uint32(key)]
		position[uint32(key)] = to
		out.Files[to] = ImpactFile{File: paths[to], Test: g.DocFlags(p.file)&code.DocTest != 0, Nearest: p.nearest, Count: p.count, Symbols: []ImpactReached{}}
	}
	order := make([]int, listed)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(position[of[a]], position[of[b]]), cmp.Compare(nodes[a].Depth, nodes[b].Depth), cmp.Compare(symbols[a].Line, symbols[b].Line), cmp.Compare(a, b))
	})
	all := make([]ImpactReached, 0, listed) // each file's symbols are a stretch of it
	names := map[graph.Node]string{}
	for i := 0; i < len(order); {
		j, start := of[order[i]], len(all)
		for ; i < len(order) && of[order[i]] == j; i++ {
			all = append(all, x.reached(nodes, order[i], symbols, names))
		}
		out.Files[position[j]].Symbols = all[start:len(all):len(all)]
	}
}

// reached describes node i of what was reached; names keeps the names that had to be made.
func (x *Index) reached(nodes []graph.Reached, i int, symbols []Symbol, names map[graph.Node]string) ImpactReached {
	n := &nodes[i]
	via := x.g.Via(*n)
	name := func(n graph.Node) string {
		v, ok := names[n]
		if !ok {
			v = x.symbol(n).QualifiedName
			names[n] = v
		}
		return v
	}
	e := ImpactReached{
		Symbol: symbols[i], Depth: n.Depth, Path: n.Certainty.String(),
		At: Location{symbols[i].File, int(via.Line) + 1, int(via.Column) + 1}, Tie: tie(via, via.Certainty),
	}
	if n.From >= 0 && nodes[n.From].Node == via.Target {
		e.On = symbols[n.From].QualifiedName // it was found before, so that it is listed too
	} else {
		e.On = name(via.Target)
	}
	if n.Dispatch != graph.None {
		e.Dispatch = name(n.Dispatch)
	}
	return e
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
	c, err := x.completeness(ctx, s, askChange)
	if err != nil || c.Status == Unknown {
		return c, err
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
