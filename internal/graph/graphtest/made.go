// Package graphtest makes large graphs for benchmarks. Tests and bench may import it.
package graphtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
)

// Shape says how large a made graph is. It has the proportions of real ones:
// half of the edges stay in their file, the others go to symbols whose popularity
// falls off by Zipf's law, so that a few hubs have a large share of all edges.
type Shape struct {
	Files      int
	Defs       int // in each file
	Edges      int // in each file
	Sites      int // in each file
	Names      int // distinct
	Interfaces int // of 1000 definitions, methods that others stand in for
	Broken     int // of 1000 files
	Popularity float64
	Seed       uint64
}

// Million is a graph of a million symbols and five million edges.
func Million() Shape {
	return Shape{Files: 20_000, Defs: 50, Edges: 250, Sites: 25, Names: 250_000, Interfaces: 5, Broken: 2, Popularity: 1.07, Seed: 1}
}

// Small is Million at one hundredth.
func Small() Shape {
	s := Million()
	s.Files /= 100
	s.Names /= 100
	return s
}

const lineWidth = 40

// Path is the path of file f.
func (s Shape) Path(f int) string { return fmt.Sprintf("d%03d/p%02d/file%05d.ts", f/400, f/20%20, f) }

// Text is the contents of file f: a line for each definition and edge.
func (s Shape) Text(f int) []byte {
	var b strings.Builder
	for d := range s.Defs {
		line := fmt.Sprintf("export function %s() {", s.name(f, d))
		fmt.Fprintf(&b, "%-*s\n", lineWidth-1, line[:min(len(line), lineWidth-1)])
	}
	b.WriteString(strings.Repeat(strings.Repeat(" ", lineWidth-1)+"\n", s.Edges+s.Sites))
	return []byte(b.String())
}

// name is the name of definition d of file f: a few names are everywhere.
func (s Shape) name(f, d int) string {
	h := uint64(f*s.Defs+d) * 0x9e3779b97f4a7c15
	n := int(h % uint64(s.Names))
	if h>>60 == 0 { // one in sixteen has one of a hundred common names
		n %= 100
	}
	return fmt.Sprintf("name%06dOf", n)
}

// Build makes the graph.
func (s Shape) Build(ctx context.Context) (*graph.Graph, error) {
	rng := rand.New(rand.NewPCG(s.Seed, 2))
	total := s.Files * s.Defs
	zipf := rand.NewZipf(rng, s.Popularity, 8, uint64(total-1))
	// Popular symbols lie scattered over the repository.
	scattered := func(rank uint64) int { return int(rank * 7919 % uint64(total)) }
	scope := func(f int) string { return "typescript npm made . `" + s.Path(f) + "`/" }
	keys := make([]code.Key, total)
	b := graph.NewBuilder([32]byte{42})
	// The keys of all symbols first, because edges go anywhere.
	for f := range s.Files {
		doc := s.document(f, rng)
		k := code.ScopeKey(scope(f))
		for d := range doc.Defs {
			keys[f*s.Defs+d] = k ^ code.DescriptorKey(doc.Descriptor(code.DefID(d)))
		}
	}
	for f := range s.Files {
		doc := s.document(f, rng)
		if rng.IntN(1000) < s.Broken {
			doc.Flags |= code.DocBroken
		}
		edges := make([]code.Edge, 0, s.Edges)
		for e := range s.Edges {
			target := f*s.Defs + rng.IntN(s.Defs)
			if rng.IntN(2) == 0 {
				target = scattered(zipf.Uint64())
			}
			kind := code.EdgeCalls
			switch rng.IntN(10) {
			case 0, 1:
				kind = code.EdgeReads
			case 2:
				kind = code.EdgeUsesType
			}
			source := code.DefID(rng.IntN(s.Defs))
			if rng.IntN(1000) < s.Interfaces {
				kind = code.EdgeOverrides
			}
			edges = append(edges, code.Edge{Source: source, Target: keys[target], Start: uint32((s.Defs + e) * lineWidth), Kind: kind, Reason: code.ReasonImportName})
		}
		sites := make([]code.Site, 0, s.Sites)
		for i := range s.Sites {
			name := code.NameID(1 + rng.IntN(len(doc.Names)-1))
			sites = append(sites, code.Site{Source: code.DefID(rng.IntN(s.Defs)), Name: name, Start: uint32((s.Defs + s.Edges + i) * lineWidth), Role: code.RoleCall, Reason: code.SiteUnknownReceiver})
		}
		file := graph.File{Path: s.Path(f), Language: "typescript", Scope: scope(f), Keys: keys[f*s.Defs : (f+1)*s.Defs]}
		if err := b.AddFile(file, doc, edges, sites); err != nil {
			return nil, err
		}
	}
	return b.Build(ctx)
}

// document makes the Document of a file.
func (s Shape) document(f int, _ *rand.Rand) *code.Document {
	var b code.Builder
	lines := s.Defs + s.Edges + s.Sites
	doc := b.Begin("typescript", "ts", nil)
	doc.Size = uint32(lines * lineWidth)
	doc.Lines = make([]uint32, lines)
	for i := range doc.Lines {
		doc.Lines[i] = uint32(i * lineWidth)
	}
	doc.Flags = code.DocModule
	for d := range s.Defs {
		kind := code.KindFunction
		if d%5 == 4 {
			kind = code.KindClass
		}
		b.AddDef(code.Def{
			Name: b.Name(s.name(f, d)), Kind: kind, Flags: code.DefExported, Parent: code.NoDef,
			Start: uint32(d * lineWidth), NameStart: uint32(d*lineWidth + 16), BodyStart: uint32(d*lineWidth + lineWidth - 4), End: uint32((d+1)*lineWidth - 1),
			Cyclomatic: 1,
		})
	}
	return b.Finish()
}
