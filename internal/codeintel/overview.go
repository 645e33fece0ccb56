package codeintel

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"

	"manito/internal/code"
	"manito/internal/graph"
)

// Overview is what a scan's summary and status show.
type Overview struct {
	Schema      string            `json:"schema"` // manito/overview/v1
	Digest      string            `json:"digest"` // of the snapshot
	Files       int               `json:"files"`
	Lines       int64             `json:"lines"`
	Bytes       int64             `json:"bytes"`
	Symbols     int               `json:"symbols"`
	Definitions int               `json:"definitions"`
	Packages    int               `json:"packages"`
	Externals   int               `json:"external_packages"`
	Edges       int               `json:"edges"`
	Dangling    int               `json:"dangling_edges"` // edges whose target is missing; 0 unless something went wrong
	Diagnostics int               `json:"diagnostics"`
	Languages   []Language        `json:"languages"`
	SymbolKinds map[string]int    `json:"symbol_kinds"`
	EdgeKinds   []EdgeCount       `json:"edge_kinds"` // by kind, certainty and evidence
	Unresolved  []UnresolvedCount `json:"unresolved"` // uses that became no edge, by language and reason
	Hubs        []HubSymbol       `json:"hubs"`       // the most used symbols
	FileCycles  CycleCount        `json:"file_cycles"`
	FolderLoops CycleCount        `json:"folder_cycles"`
}

// EdgeCount counts the edges of one kind, certainty and evidence.
type EdgeCount struct {
	Kind      string `json:"kind"`
	Certainty string `json:"certainty"`
	Evidence  string `json:"evidence"`
	Count     int    `json:"count"`
}

// UnresolvedCount counts uses that became no edge.
type UnresolvedCount struct {
	Family string `json:"family"`
	Reason string `json:"reason"`
	Calls  int    `json:"calls"` // of them, calls
	Count  int    `json:"count"`
	// Share is Count among all uses of the family that became an edge or not. Uses of
	// the language's own names are among neither.
	Share float64 `json:"share"`
	// Foreign says that what is used lies outside of the repository, so that there is nothing to resolve.
	Foreign bool `json:"foreign"`
}

// HubSymbol is a symbol that much depends on.
type HubSymbol struct {
	Symbol Symbol `json:"symbol"`
	Users  int    `json:"users"` // distinct definitions that use it
}

// CycleCount sums cycles up.
type CycleCount struct {
	Cycles  int      `json:"cycles"`
	Largest int      `json:"largest"`           // members of the largest
	Example []string `json:"example,omitempty"` // a shortest way round in the largest
}

// Overview sums the snapshot up.
func (x *Index) Overview(ctx context.Context) (out *Overview, err error) {
	defer x.g.Guard(&err)()
	g := x.g
	s := g.Stats()
	digest := g.Digest()
	out = &Overview{
		Schema: "manito/overview/v1", Digest: hex.EncodeToString(digest[:]), Files: s.Files, Symbols: s.Symbols, Definitions: s.Definitions, Packages: s.Packages,
		Externals: s.Externals, Edges: s.Edges, Dangling: s.Dangling, Languages: x.languages(), SymbolKinds: map[string]int{}, EdgeKinds: []EdgeCount{}, Unresolved: []UnresolvedCount{}, Hubs: []HubSymbol{},
	}
	for _, l := range out.Languages {
		out.Lines += l.Lines
		out.Bytes += l.Bytes
		out.Diagnostics += l.Diagnostics
	}
	for k, n := range g.KindCounts() {
		out.SymbolKinds[k.String()] = n
	}
	for c, n := range g.EdgeCounts() {
		out.EdgeKinds = append(out.EdgeKinds, EdgeCount{c.Kind.String(), c.Certainty.String(), c.Evidence.String(), n})
	}
	slices.SortFunc(out.EdgeKinds, func(a, b EdgeCount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(certaintyOf(a.Certainty), certaintyOf(b.Certainty)), cmp.Compare(a.Evidence, b.Evidence))
	})
	out.Unresolved = x.unresolved()
	for _, h := range g.Hubs(10, useKinds&^graph.KindsOf(code.EdgeImports, code.EdgeExports)) {
		out.Hubs = append(out.Hubs, HubSymbol{x.symbol(h.Node), h.Sources})
	}
	files := g.FileImports(graph.Imports{})
	if out.FileCycles, err = countCycles(ctx, files, func(v uint32) string { return g.Path(graph.FileNo(v)) }); err != nil {
		return nil, err
	}
	folders := g.FolderImports(files)
	if out.FolderLoops, err = countCycles(ctx, folders.Digraph, func(v uint32) string { return folders.Paths[v] }); err != nil {
		return nil, err
	}
	return out, nil
}

func countCycles(ctx context.Context, d *graph.Digraph, name func(uint32) string) (CycleCount, error) {
	cycles, err := d.Cycles(ctx, false)
	if err != nil || len(cycles) == 0 {
		return CycleCount{}, err
	}
	out := CycleCount{Cycles: len(cycles), Largest: len(cycles[0].Members)}
	for _, v := range cycles[0].Example {
		out.Example = append(out.Example, name(v))
	}
	return out, nil
}

// unresolved sums the uses that became no edge up, by language and reason, most first.
func (x *Index) unresolved() []UnresolvedCount {
	g := x.g
	total := map[string]int{}
	for f, n := range g.EdgesByFamily(useKinds) {
		total[f] += n
	}
	type class struct {
		family string
		reason code.Reason
	}
	at := map[class]int{}
	out := []UnresolvedCount{}
	for _, u := range g.Unresolved() {
		total[u.Family] += u.Count
		c := class{u.Family, u.Reason}
		i, ok := at[c]
		if !ok {
			i = len(out)
			at[c] = i
			foreign := u.Reason == code.SiteExternal || u.Reason == code.SiteBuiltin || u.Reason == code.SiteGlobal
			out = append(out, UnresolvedCount{Family: u.Family, Reason: u.Reason.String(), Foreign: foreign})
		}
		out[i].Count += u.Count
		if u.Called {
			out[i].Calls += u.Count
		}
	}
	for i := range out {
		out[i].Share = float64(out[i].Count) / float64(total[out[i].Family])
	}
	slices.SortStableFunc(out, func(a, b UnresolvedCount) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
