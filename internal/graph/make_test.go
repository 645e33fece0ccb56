package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"manito/internal/code"
)

// fileSpec is a file of a made-up repository.
type fileSpec struct {
	path  string
	scope string
	pkg   bool
	flags code.DocFlags
	defs  []defSpec
	edges []edgeSpec
	sites []siteSpec
}

type defSpec struct {
	name   string
	owner  string
	parent int // -1 for none
	kind   code.Kind
	flags  code.DefFlags
}

type edgeSpec struct {
	source    int // -1 is the file
	target    code.Key
	kind      code.EdgeKind
	certainty code.Certainty
	reason    code.Reason
}

type siteSpec struct {
	source int
	name   string
	role   code.Role
	reason code.Reason
}

// document makes the Document of a spec: one line for each definition, edge and
// site, so that every one has its own offset.
func (s *fileSpec) document() (*code.Document, []code.Edge, []code.Site) {
	const width = 20
	total := len(s.defs) + len(s.edges) + len(s.sites)
	text := []byte(strings.Repeat(strings.Repeat("x", width-1)+"\n", total))
	var b code.Builder
	doc := b.Begin("go", "go", text)
	doc.Flags = s.flags
	for i, d := range s.defs {
		def := code.Def{Name: b.Name(d.name), Kind: d.kind, Flags: d.flags, Parent: code.DefID(d.parent), Start: uint32(i * width), End: uint32(total*width - 1), NameStart: uint32(i*width + 1)}
		if d.owner != "" {
			def.Owner, def.Parent = b.Name(d.owner), code.NoDef
		}
		b.AddDef(def)
	}
	var edges []code.Edge
	var sites []code.Site
	for i, e := range s.edges {
		at := uint32((len(s.defs)+i)*width + 2)
		edges = append(edges, code.Edge{Source: code.DefID(e.source), Target: e.target, Start: at, Kind: e.kind, Certainty: e.certainty, Reason: e.reason})
	}
	for i, x := range s.sites {
		at := uint32((len(s.defs)+len(s.edges)+i)*width + 3)
		sites = append(sites, code.Site{Source: code.DefID(x.source), Name: b.Name(x.name), Start: at, Role: x.role, Reason: x.reason})
	}
	return b.Finish(), edges, sites
}

// key is the key of definition d of a file, computed the long way.
func (s *fileSpec) key(doc *code.Document, d int) code.Key {
	return code.ScopeKey(s.symbolScope(d)) ^ code.DescriptorKey(doc.Descriptor(code.DefID(d)))
}

func (s *fileSpec) symbolScope(d int) string {
	for i := d; i >= 0; i = s.defs[i].parent {
		if s.defs[i].flags&code.DefFileLocal != 0 {
			return s.scope + string(code.AppendName(nil, s.path[strings.LastIndexByte(s.path, '/')+1:])) + "/"
		}
		if s.defs[i].owner != "" {
			break
		}
	}
	return s.scope
}

func (s *fileSpec) symbol(doc *code.Document, d int) string {
	return s.symbolScope(d) + doc.Descriptor(code.DefID(d))
}

// build makes the graph of specs.
func build(t testing.TB, specs []fileSpec, externals ...External) *Graph {
	t.Helper()
	g, err := tryBuild(specs, externals...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func tryBuild(specs []fileSpec, externals ...External) (*Graph, error) {
	b := NewBuilder([32]byte{1, 2, 3})
	for i := range specs {
		s := &specs[i]
		doc, edges, sites := s.document()
		if err := doc.Check(); err != nil {
			return nil, fmt.Errorf("the test's own document: %w", err)
		}
		if err := b.AddFile(File{Path: s.path, Language: "Go", Scope: s.scope, Package: s.pkg}, doc, edges, sites); err != nil {
			return nil, err
		}
	}
	for _, e := range externals {
		b.AddExternal(e)
	}
	return b.Build(context.Background())
}

// flat makes one file with n functions f0..fn and edges between them.
func flat(n int, edges [][2]int, kind code.EdgeKind) []fileSpec {
	s := fileSpec{path: "a/a.go", scope: "scip-go gomod m . a/", pkg: true}
	for i := range n {
		s.defs = append(s.defs, defSpec{name: fmt.Sprintf("f%03d", i), parent: -1, kind: code.KindFunction})
	}
	doc, _, _ := s.document()
	sorted := slices.Clone(edges)
	slices.SortFunc(sorted, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for _, e := range slices.Compact(sorted) {
		s.edges = append(s.edges, edgeSpec{source: e[0], target: s.key(doc, e[1]), kind: kind})
	}
	return []fileSpec{s}
}
