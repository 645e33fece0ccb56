package adopt

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"manito/internal/code"
	"manito/internal/pack"
)

func TestRelative(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ root, name, want, reason string }{
		{"/srv/shop", "/srv/shop/src/a.js", "src/a.js", ""},
		{"/srv/shop/", "/srv/shop//src/./a.js", "src/a.js", ""},
		{"/srv/shop", "/srv/shopping/a.js", "/srv/shopping/a.js", ""}, // another folder
		{"/srv/shop", "/srv/shop", "/srv/shop", ""},
		{"/srv/shop", "./a.js", "a.js", ""},
		{"/srv/shop", "../other/a.js", "../other/a.js", ""},
		{"/", "/a.js", "/a.js", ""},
		{"", "/a.js", "/a.js", ""},
		{".", "a/b", "a/b", ""},
		{"legacy app", "legacy app/x y.js", "x y.js", ""},
		{`C:\proj`, `C:\proj\src\a.ts`, "src/a.ts", ""},
		{`C:\proj`, `src\a.ts`, "src/a.ts", ""},
		{`\\host\share`, `\\host\share\a.ts`, "a.ts", ""},
		{"/srv", `/srv/odd\name`, `odd\name`, ""}, // a backslash may stand in a name
		{"/srv", "", "", "it has no path"},
		{"/srv", " \t", "", "it has no path"},
		{"/srv", ".", "", "its path is no file"},
		{"/srv", "/", "", "its path is no file"},
		{"/srv", strings.Repeat("x", 3000), "", "its path is longer than can be stored"},
	} {
		if got, reason := relative(c.root, c.name); got != c.want || reason != c.reason {
			t.Errorf("relative(%q, %q) = %q, %q, not %q, %q", c.root, c.name, got, reason, c.want, c.reason)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]code.Kind{"Function": code.KindFunction, "CLASS": code.KindClass, "Type": code.KindType, "interface": code.KindInterface,
		"Variable": code.KindVariable, "File": code.KindFile, "Module": code.KindNamespace, "Endpoint": code.KindUnknown, "": code.KindUnknown} {
		if got := kindOf(word); got != want {
			t.Errorf("type %q is %s, not %s", word, got, want)
		}
	}
	for word, want := range map[string]code.EdgeKind{"call": code.EdgeCalls, "Calls": code.EdgeCalls, "reference": code.EdgeReads, "imports": code.EdgeImports, "exports": code.EdgeExports, "extends": code.EdgeExtends} {
		if got, ok := edgeOf(word); !ok || got != want {
			t.Errorf("relation %q is %s, not %s", word, got, want)
		}
	}
	for _, word := range []string{"", "defines", "smells like"} {
		if k, ok := edgeOf(word); ok {
			t.Errorf("relation %q is %s", word, k)
		}
	}
}

// TestPositionsSurvive: a file whose content was not kept has every position that its
// nodes and edges have, and its Document keeps the laws.
func TestPositionsSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.Custom(func(t *rapid.T) position {
			if rapid.IntRange(0, 5).Draw(t, "unknown") == 0 {
				return position{}
			}
			return position{rapid.IntRange(0, 400).Draw(t, "row"), rapid.IntRange(0, 3000).Draw(t, "column"), true}
		})
		f := &file{path: rapid.StringMatching(`[a-z/. ]{1,20}x`).Draw(t, "path"), content: -1, lines: rapid.IntRange(0, 50).Draw(t, "lines"), size: int64(rapid.IntRange(0, 1000).Draw(t, "size"))}
		kinds := rapid.SampledFrom([]code.Kind{code.KindFunction, code.KindClass, code.KindVariable, code.KindUnknown, code.KindNamespace})
		for i := range rapid.IntRange(1, 12).Draw(t, "nodes") {
			f.nodes = append(f.nodes, &node{id: string(rune('a' + i)), file: f, kind: kinds.Draw(t, "kind"), name: rapid.StringN(1, 8, -1).Filter(func(s string) bool { return !strings.ContainsRune(s, 0) }).Draw(t, "name"),
				start: place.Draw(t, "start"), end: place.Draw(t, "end"), def: code.NoDef})
		}
		for i := range rapid.IntRange(0, 12).Draw(t, "edges") {
			f.edges = append(f.edges, edge{"graph_edges", int64(i), rapid.SampledFrom(f.nodes).Draw(t, "source"), rapid.SampledFrom(f.nodes).Draw(t, "target"), code.EdgeCalls, place.Draw(t, "at")})
		}
		doc := f.describe(&code.Builder{}, nil)
		if err := doc.Check(); err != nil {
			t.Fatal(err)
		}
		keys := map[code.Key]bool{}
		for _, n := range f.nodes {
			keys[n.key] = true
			line, column := doc.Line(doc.Defs[n.def].Start)
			if n.start.known && (int(line) != n.start.row || int(column) != n.start.column) {
				t.Fatalf("%q at %+v is at %d:%d", n.name, n.start, line, column)
			}
		}
		if len(keys) != len(f.nodes) || len(doc.Defs) != len(f.nodes) {
			t.Fatalf("%d nodes have %d keys and %d definitions", len(f.nodes), len(keys), len(doc.Defs))
		}
		p := &plan{placed: map[string]int64{"graph_edges": int64(len(f.edges))}}
		want := len(f.edges)
		packer := pack.NewPacker()
		block := f.tie(p, doc, packer)
		if block.Len()+len(p.rest) != want || int64(block.Len()) != p.placed["graph_edges"] {
			t.Fatalf("%d edges became %d and %d left over", want, block.Len(), len(p.rest))
		}
		again, err := pack.NewUnpacker().Document(identify(doc, packer))
		if err != nil || again.Check() != nil {
			t.Fatal(err, again.Check())
		}
	})
}

// TestNamesAreFound: with the content at hand, a definition knows where its name is written.
func TestNamesAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, name string
		from       uint32
		want       int
	}{
		{"function foo() {}", "foo", 0, 9},
		{"foobar foo", "foo", 0, 7},
		{"$foo foo_ foo", "foo", 0, 10},
		{"nothing", "foo", 0, -1},
		{"", "foo", 0, -1},
		{"foo", "foo", 9, -1},
		{strings.Repeat(" ", 500) + "foo", "foo", 0, -1}, // too far off to be its heading
	} {
		if got := named([]byte(c.text), c.from, c.name); got != c.want {
			t.Errorf("%q in %.20q: %d, not %d", c.name, c.text, got, c.want)
		}
	}
}

// FuzzRow reads any JSON as a row and as metadata: nothing may panic, and a position is
// either unknown or within bounds.
func FuzzRow(f *testing.F) {
	for _, s := range []string{`{}`, `{"metadata": null}`, `{"metadata": "{\"startPosition\": {\"row\": 3}}"}`, `{"metadata": {"startPosition": {"row": 1e300, "column": "7"}}}`, `{"metadata": "{broken"}`, `{"name": 7, "path": ["a"]}`,
		`{"metadata": {"startPosition": []}}`, `[]`, `{"file_path": "\ud800"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v nodeRow
		if json.Unmarshal([]byte(s), &v) != nil {
			return
		}
		var m struct {
			Start point `json:"startPosition"`
		}
		v.Metadata.object(&m)
		for _, p := range []position{m.Start.position(), at(v.Name, v.Path)} {
			if p.row < 0 || p.row > maxRow || p.column < 0 || p.column > maxColumn || !p.known && p != (position{}) {
				t.Errorf("position %+v", p)
			}
		}
		if name, reason := relative(v.Name.text, v.Path.or(v.FilePath).text); (name == "") == (reason == "") || len(scope(name)) > maxPath || utf8.ValidString(s) && !utf8.ValidString(name) {
			t.Errorf("path %q, %q", name, reason)
		}
	})
}
