package graph

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/internal/code"
)

func TestImportCycles(t *testing.T) {
	t.Parallel()
	file := func(path string, to ...string) fileSpec {
		s := fileSpec{path: path, scope: "scip-typescript npm m . `" + path + "`/"}
		for _, p := range to {
			s.edges = append(s.edges, edgeSpec{source: -1, target: fileKey(p), kind: code.EdgeImports})
		}
		return s
	}
	g := build(t, []fileSpec{
		file("a/one.ts", "b/two.ts"), file("a/three.ts"), file("b/two.ts", "a/three.ts"), file("c/four.ts", "c/five.ts"), file("c/five.ts", "c/four.ts"),
	}[:0:0])
	if g.NumFiles() != 0 {
		t.Fatal("an empty graph has files")
	}
	g = build(t, []fileSpec{
		file("a/one.ts", "b/two.ts"), file("a/three.ts"), file("b/two.ts", "a/three.ts"), file("c/five.ts", "c/four.ts"), file("c/four.ts", "c/five.ts"),
	}[:1])
	if g.Stats().Dangling != 1 {
		t.Fatal("an import of a file that is not there must dangle")
	}
	specs := []fileSpec{file("a/one.ts", "b/two.ts"), file("a/three.ts"), file("b/two.ts", "a/three.ts"), file("c/five.ts", "c/four.ts"), file("c/four.ts", "c/five.ts")}
	slices.SortFunc(specs, func(x, y fileSpec) int { return slices.Compare([]byte(x.path), []byte(y.path)) })
	g = build(t, specs)
	files := g.FileImports(Imports{Erased: true, Deferred: true})
	cycles, err := files.Cycles(context.Background(), false)
	if err != nil || len(cycles) != 1 || len(cycles[0].Members) != 2 || g.Path(FileNo(cycles[0].Members[0])) != "c/five.ts" {
		t.Fatalf("file cycles %+v %v", cycles, err)
	}
	folders := g.FolderImports(files)
	fc, err := folders.Cycles(context.Background(), false)
	if err != nil || len(fc) != 1 || folders.Paths[fc[0].Members[0]] != "a" || folders.Paths[fc[0].Members[1]] != "b" {
		t.Fatalf("folder cycles %+v %v: a and b depend on each other though their files do not", fc, err)
	}
}

// TestImportFlags: what a type-only, a deferred and a plain import look like as edges.
func TestImportFlags(t *testing.T) {
	t.Parallel()
	var b code.Builder
	text := make([]byte, 100)
	b.Begin("typescript", "ts", text)
	f := b.AddDef(code.Def{Name: b.Name("f"), Kind: code.KindFunction, Parent: code.NoDef, Start: 50, NameStart: 50, End: 99})
	spec := b.Name("./x")
	add := func(start uint32, typeOnly bool, scope code.DefID) {
		b.AddImport(code.Import{Kind: code.ImportNamed, TypeOnly: typeOnly, Specifier: spec, Name: b.Name("a"), Local: b.Name("a"), Scope: scope, Start: start, End: start + 3, NameStart: start - 5})
	}
	add(10, true, code.NoDef)
	add(20, false, code.NoDef)
	add(30, true, code.NoDef) // one binding is for types, the other is not
	add(30, false, code.NoDef)
	add(60, false, f)
	b.AddImport(code.Import{Kind: code.ImportModule, Specifier: spec, Local: b.Name("x"), Scope: code.NoDef, Start: 40, End: 43, NameStart: 38})
	add(40, false, code.NoDef) // import x, {a} from "./x"
	doc := b.Finish()
	gb := NewBuilder([32]byte{})
	var edges []code.Edge
	for _, at := range []uint32{10, 20, 30, 60, 5, 40, 38, 99} {
		edges = append(edges, code.Edge{Source: code.NoDef, Target: fileKey("x.ts"), Start: at, Kind: code.EdgeImports})
	}
	if err := gb.AddFile(File{Path: "a.ts", Scope: "s/"}, doc, edges, nil); err != nil {
		t.Fatal(err)
	}
	if err := gb.AddFile(File{Path: "x.ts", State: StateUnread}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	g, err := gb.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]LinkFlags{}
	for l := range g.Out(g.FileDef(0)) {
		got[l.Column] = l.Flags
	}
	if d := cmp.Diff(map[uint32]LinkFlags{5: LinkErased, 10: LinkErased, 20: 0, 30: 0, 38: 0, 40: LinkModule, 60: LinkDeferred, 99: 0}, got); d != "" {
		t.Fatal(d)
	}
}

// TestSitesKept: which unresolved uses can be asked for, and that all are counted.
func TestSitesKept(t *testing.T) {
	t.Parallel()
	s := fileSpec{path: "a.py", scope: "p/", defs: []defSpec{{name: "run", parent: -1, kind: code.KindFunction}, {name: "C", parent: -1, kind: code.KindClass}}}
	for r := code.SiteUnknownReceiver; r <= code.SiteValue; r++ {
		for _, name := range []string{"run", "other"} {
			s.sites = append(s.sites, siteSpec{source: 0, name: name, role: code.RoleCall, reason: r})
		}
	}
	s.sites = append(s.sites, siteSpec{source: 1, name: "Base", role: code.RoleExtend, reason: code.SiteExternal})
	g := build(t, []fileSpec{s})
	count := func(name string) map[code.Reason]int {
		out := map[code.Reason]int{}
		for x := range g.Sites(name) {
			out[x.Reason]++
		}
		return out
	}
	always := map[code.Reason]int{code.SiteExternal: 1, code.SiteUnknownReceiver: 1, code.SiteDynamic: 1, code.SiteUnresolvedModule: 1, code.SiteNoExport: 1, code.SiteAmbiguous: 1, code.SiteValue: 1}
	if d := cmp.Diff(always, count("other")); d != "" {
		t.Error("a name that no symbol bears: " + d)
	}
	born := map[code.Reason]int{code.SiteNoMember: 1, code.SiteGlobal: 1, code.SiteBuiltin: 1}
	for k, v := range always {
		born[k] = v
	}
	if d := cmp.Diff(born, count("run")); d != "" {
		t.Error("a name that a symbol bears: " + d)
	}
	total := 0
	for _, u := range g.Unresolved() {
		total += u.Count
		if u.Family != "go" {
			t.Errorf("family %q", u.Family)
		}
	}
	if total != len(s.sites) {
		t.Errorf("%d unresolved uses are counted, want %d", total, len(s.sites))
	}
	if d := g.Defs(g.Named("C")[0])[0]; !g.OpenBase(d) {
		t.Error("a class with an external base is not marked")
	}
	if d := g.Defs(g.Named("run")[0])[0]; g.OpenBase(d) {
		t.Error("a function is marked as having an unknown base")
	}
}
