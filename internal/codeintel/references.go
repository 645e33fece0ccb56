package codeintel

import (
	"cmp"
	"context"
	"slices"

	"manito/internal/code"
	"manito/internal/graph"
)

// ReferencesInput asks where something is used.
type ReferencesInput struct {
	Symbol string
	Limit  int // of places listed; 0 means 100, negative all
	// Direct leaves out the uses of the interface and base methods that the symbol stands in for.
	Direct bool
}

// References lists every place where a symbol is used, by file.
type References struct {
	Schema       string           `json:"schema"` // manito/references/v1
	Symbol       Symbol           `json:"symbol"`
	Definitions  []Location       `json:"definitions"`
	Total        int              `json:"total"` // places, listed or not
	ByKind       map[string]int   `json:"by_kind"`
	Files        []FileReferences `json:"files"`
	Completeness Completeness     `json:"completeness"`
}

// FileReferences are the places in one file, by position.
type FileReferences struct {
	File       string      `json:"file"`
	References []Reference `json:"references"`
}

// Reference is one place where the symbol is used.
type Reference struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Tie
	In      string  `json:"in,omitempty"`      // the qualified name of the definition it stands in; empty at the top of the file
	Through *Symbol `json:"through,omitempty"` // what is written there, when it is not the symbol itself
}

// References answers where a symbol is used.
func (x *Index) References(ctx context.Context, in ReferencesInput) (out *References, err error) {
	defer x.g.Guard(&err)()
	s, err := x.resolve(in.Symbol)
	if err != nil {
		return nil, err
	}
	g := x.g
	routes := x.routes(s, askUses)
	if in.Direct {
		routes = slices.DeleteFunc(routes, func(r route) bool { return r.way == routeDispatch })
	}
	out = &References{Schema: "manito/references/v1", Symbol: x.symbol(s.primary()), ByKind: map[string]int{}, Definitions: []Location{}, Files: []FileReferences{}}
	for _, n := range s.nodes {
		for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
			def := g.Definition(d)
			out.Definitions = append(out.Definitions, x.at(d, def.NameLine, def.NameColumn))
		}
	}
	for _, r := range routes {
		for k, c := range g.CountInByKind(r.node) {
			if r.kinds.Has(code.EdgeKind(k)) && c > 0 {
				out.ByKind[code.EdgeKind(k).String()] += c
				out.Total += c
			}
		}
	}
	limit := limitOf(in.Limit)
	defs, _ := g.Users(inlets(routes), limit) // each of them has at least one place
	var places []use
	for _, d := range defs {
		places = append(places, x.usesIn(d, routes)...)
	}
	// Definitions come in path order, but one that stands inside of another has its uses between the other's.
	slices.SortStableFunc(places, func(a, b use) int {
		fa, fb := g.FileOf(a.link.Source), g.FileOf(b.link.Source)
		return cmp.Or(cmp.Compare(fa, fb), cmp.Compare(a.link.Line, b.link.Line), cmp.Compare(a.link.Column, b.link.Column), cmp.Compare(a.link.Kind, b.link.Kind))
	})
	if limit > 0 && len(places) > limit {
		places = places[:limit]
	}
	through := map[graph.Node]*Symbol{}
	for _, u := range places {
		c := x.call(u, through)
		if n := len(out.Files); n == 0 || out.Files[n-1].File != c.File {
			out.Files = append(out.Files, FileReferences{File: c.File})
		}
		f := &out.Files[len(out.Files)-1]
		ref := Reference{Line: c.Line, Column: c.Column, Tie: c.Tie, Through: c.Through}
		if g.Kind(u.link.Source) != code.KindFile {
			ref.In = g.QualifiedName(u.link.Source)
		}
		f.References = append(f.References, ref)
	}
	out.Completeness, err = x.completeness(ctx, s, askUses)
	if err != nil {
		return nil, err
	}
	return out, nil
}
