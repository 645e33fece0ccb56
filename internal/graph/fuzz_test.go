package graph

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/zeebo/xxh3"

	"manito/internal/code"
)

// FuzzDecode gives the reader damaged files, their checksums made right again so
// that the damage gets as far as it can: a graph that passes Verify must answer
// every query without a crash.
func FuzzDecode(f *testing.F) {
	specs := flat(4, [][2]int{{0, 1}, {1, 2}, {2, 0}}, code.EdgeCalls)
	specs[0].defs = append(specs[0].defs, defSpec{name: "M", owner: "T", kind: code.KindMethod}, defSpec{name: "T", parent: -1, kind: code.KindStruct}, defSpec{name: "inner", parent: 1, kind: code.KindFunction})
	specs[0].sites = append(specs[0].sites, siteSpec{source: 0, name: "M", role: code.RoleCall, reason: code.SiteUnknownReceiver})
	specs = append(specs, fileSpec{path: "b/b.go", scope: "scip-go gomod m . b/"})
	f.Add(encode(f, build(f, specs, External{Key: 77, Symbol: "external npm react . ", Name: "react"})))
	f.Add(encode(f, build(f, nil)))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append([]byte(nil), b...)
		mend(b)
		g, err := Decode(b)
		if err != nil || g.Verify(context.Background()) != nil {
			return
		}
		exercise(t, g)
	})
}

// mend makes the checksums of a damaged file right.
func mend(b []byte) {
	n := len((&Graph{}).columns())
	if len(b) < headerSize+n*entrySize {
		return
	}
	for i := range n {
		e := b[headerSize+i*entrySize:]
		off, length := binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
		if off <= uint64(len(b)) && length <= uint64(len(b))-off {
			binary.LittleEndian.PutUint64(e[24:], xxh3.Hash(b[off:off+length]))
		}
	}
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], uint32(n))
	binary.LittleEndian.PutUint64(b[48:], uint64(len(b)))
	seal(b[:headerSize+n*entrySize])
}

// exercise calls everything that reads the arrays.
func exercise(t *testing.T, g *Graph) {
	ctx := context.Background()
	g.Stats()
	g.EdgeCounts()
	g.Unresolved()
	for n := range Node(g.NumNodes()) {
		g.Find(g.Key(n))
		g.Symbol(n)
		g.Named(g.Name(n))
		g.NamedFold(g.Name(n))
		g.Renamed(g.Name(n))
		for range g.In(n, AllKinds) {
		}
		for range g.Sites(g.Name(n)) {
		}
		g.CountSources(n, AllKinds)
		g.Implementations(n)
		g.Bases(n)
		if _, err := g.Impact(ctx, []Node{n}, ReachOptions{Depth: 3, Limit: 100, Imports: true}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := g.ShortestPath(ctx, []Node{n}, []Node{0}, AllKinds, 1000); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range g.Packages() {
		g.PackageFiles(n)
		g.PackagePath(n)
	}
	for _, n := range g.Externals() {
		g.External(n)
	}
	for fn := range FileNo(g.NumFiles()) {
		g.File(fn)
		g.FileByPath(g.Path(fn))
		g.ScopeFiles(fn)
		g.PackageOf(fn)
		g.FileNode(fn)
	}
	for d := range Def(g.NumDefs()) {
		g.Definition(d)
		g.QualifiedName(d)
		g.OwnerName(d)
		g.Parent(d)
		g.Children(d)
		g.OpenBase(d)
	}
	files := g.FileImports(Imports{Erased: true, Deferred: true})
	for _, d := range []*Digraph{files, g.FolderImports(files).Digraph, g.SymbolCalls(AllKinds)} {
		if _, err := d.Cycles(ctx, true); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Layers(ctx); err != nil {
			t.Fatal(err)
		}
	}
	g.Hubs(5, AllKinds)
	for range g.WithPrefix("f") {
	}
	if _, err := g.Ranks(ctx); err != nil {
		t.Fatal(err)
	}
}
