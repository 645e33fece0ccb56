package codeintel

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/internal/graph"
	"manito/internal/problem"
)

func TestParseQuery(t *testing.T) {
	t.Parallel()
	cases := map[string]query{
		"Do":                         {parts: []string{"Do"}},
		" Client.Do ":                {parts: []string{"Client", "Do"}},
		"net/http.Client.Do":         {parts: []string{"net", "http", "Client", "Do"}},
		"(*Client).Do":               {parts: []string{"Client", "Do"}},
		"http.(*Client).Do":          {parts: []string{"http", "Client", "Do"}},
		"*Client.Do":                 {parts: []string{"Client", "Do"}},
		"Client#do":                  {parts: []string{"Client", "do"}},
		"Box.#secret":                {parts: []string{"Box", "#secret"}},
		"Client::do":                 {parts: []string{"Client", "do"}},
		"Client->do":                 {parts: []string{"Client", "do"}},
		"f(a, b)":                    {parts: []string{"f"}},
		"m.f(a.b).g()":               {parts: []string{"m", "f", "g"}},
		"List[int].Len":              {parts: []string{"List", "Len"}},
		"Map<string, X>.get":         {parts: []string{"Map", "get"}},
		"It.[Symbol.iterator]":       {parts: []string{"It", "[Symbol.iterator]"}},
		"func Do":                    {parts: []string{"Do"}},
		"class  Foo":                 {parts: []string{"Foo"}},
		"def f(x):":                  {parts: []string{"f"}},
		"a.b.c":                      {parts: []string{"a", "b", "c"}},
		"`a.b`.c":                    {parts: []string{"a.b", "c"}},
		"client.go:12":               {path: "client.go", line: 12},
		"client.go:12:5":             {path: "client.go", line: 12, column: 5},
		"src/client.go:Client.Do":    {path: "src/client.go", parts: []string{"Client", "Do"}},
		"src/client.ts#run":          {path: "src/client.ts", parts: []string{"run"}},
		"src/a.rs::run":              {path: "src/a.rs", parts: []string{"run"}},
		"path/file.ts:fn":            {path: "path/file.ts", parts: []string{"fn"}},
		"file src/a.go":              {symbol: "file src/a.go"},
		"go gomod m . a/Do().":       {symbol: "go gomod m . a/Do()."},
		"external npm react 18.2.0 ": {symbol: "external npm react 18.2.0"},
	}
	for raw, want := range cases {
		got, err := parseQuery(raw)
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		want.raw = strings.TrimSpace(raw)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(query{})); d != "" {
			t.Errorf("%q (-want +got):\n%s", raw, d)
		}
	}
	for _, raw := range []string{"", "   ", "()", strings.Repeat("x", maxQuery+1)} {
		if _, err := parseQuery(raw); problem.KindOf(err) != problem.Usage || len(raw) < 100 && len(problem.Fixes(err)) == 0 {
			t.Errorf("%.20q: %v, want a usage error with a fix", raw, err)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"net/http.(*Client).Do", "a.ts:fn", "x.go:1:2", "scip-go gomod m . `a b`/F().", "Map<string, List<int>>.get(x)", "a::b->c#d", "[Symbol.iterator]", "`", "((((", "a:", ":", "::"} {
		f.Add(s)
	}
	w := newWorld(f, goBase)
	f.Fuzz(func(t *testing.T, s string) {
		q, err := parseQuery(s)
		if err != nil {
			if problem.KindOf(err) != problem.Usage {
				t.Fatalf("%q: %v is no usage error", s, err)
			}
			return
		}
		for _, p := range q.parts {
			if p == "" {
				t.Fatalf("%q has an empty part: %q", s, q.parts)
			}
		}
		if _, err := w.resolve(s); err != nil {
			switch problem.KindOf(err) {
			case problem.NotFound, problem.Ambiguous, problem.Usage:
			default:
				t.Fatalf("%q: %v", s, err)
			}
		}
	})
}

const manyNames = goBase + `
-- c/c.go --
package c

type Box struct{}

func (Box) Open() {}
func (Box) Close() {}

const (
	One = 1
	Two = 2
)
-- c/c_test.go --
package c

func helper() {}
-- d/over.ts --
export function over(a: string): void
export function over(a: number): void
export function over(a: any): void {}
export function use() { over(1) }
export class Acc {
  get size(): number { return 1 }
  set size(n: number) {}
}
-- m/pkg/mod.py --
class Outer:
    class Inner:
        def deep(self): pass
def repeat(): pass
def repeat(): pass
`

func TestResolve(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manyNames)
	g := w.g
	cases := map[string]string{ // query -> qualified name @ file:line
		"a.Exported":               "Exported @ a/a.go:12",
		"a.helper":                 "helper @ a/a.go:4",
		"a/a.go:helper":            "helper @ a/a.go:4",
		"a.go:4":                   "helper @ a/a.go:4",
		"./a/a.go:4":               "helper @ a/a.go:4",
		"/home/me/repo/a/a.go:4":   "helper @ a/a.go:4",
		"a/a.go:6":                 "use @ a/a.go:6",
		"a/a.go:4:7":               "helper @ a/a.go:4",
		"a/a.go:6:25":              "helper @ a/a.go:4", // a use
		"b/b.go:5:37":              "Box.Open @ a/a.go:10",
		"a.Box.Open":               "Box.Open @ a/a.go:10",
		"a.(*Box).Open":            "Box.Open @ a/a.go:10",
		"example.com/m/a.Box.Open": "Box.Open @ a/a.go:10",
		"a.Box.n":                  "Box.n @ a/a.go:8",
		"Two":                      "Two @ c/c.go:10",
		"Box.Close":                "Box.Close @ c/c.go:6",
		"box.close":                "Box.Close @ c/c.go:6", // case does not count when nothing fits exactly
		"over":                     "over @ d/over.ts:3",   // the implementation stands for its overloads
		"over.ts:over":             "over @ d/over.ts:3",
		"Acc#size":                 "Acc.size @ d/over.ts:6",
		"Acc.prototype.size":       "",
		"deep":                     "Outer.Inner.deep @ m/pkg/mod.py:3",
		"m.pkg.mod.Outer.Inner":    "Outer.Inner @ m/pkg/mod.py:2",
		"m.Outer.deep":             "Outer.Inner.deep @ m/pkg/mod.py:3", // with gaps
		"repeat":                   "repeat @ m/pkg/mod.py:4",
		"a/a.go":                   "a/a.go @ a/a.go:0",
		"mod.py":                   "m/pkg/mod.py @ m/pkg/mod.py:0",
		"d/over.ts":                "d/over.ts @ d/over.ts:0",
		"Box":                      "ambiguous 2",
		"Open":                     "ambiguous 2",
		"helper":                   "ambiguous 2",
		"Missing":                  "",
		"a/a.go:Missing":           "",
		"nosuch.go:12":             "",
		"a/a.go:999":               "",
		"a/a.go:6:1":               "",
	}
	for raw, want := range cases {
		s, err := w.resolve(raw)
		got := ""
		var many *Ambiguous
		switch {
		case errors.As(err, &many):
			got = "ambiguous " + string(rune('0'+many.Total))
			if problem.KindOf(err) != problem.Ambiguous || len(problem.Fixes(err)) != many.Total || len(many.Choices) != many.Total {
				t.Errorf("%q: %v with fixes %q", raw, err, problem.Fixes(err))
			}
		case err != nil:
			if problem.KindOf(err) != problem.NotFound {
				t.Errorf("%q: %v", raw, err)
			}
		default:
			sym := w.symbol(s.primary())
			got = sym.QualifiedName + " @ " + Location{sym.File, max(sym.Line, 0), 0}.String()
			if sym.Kind == "file" {
				got += ":0"
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q (%v)", raw, got, want, err)
		}
	}
	// Whatever has a name can be named exactly: by its symbol string, and by the query that an ambiguity offers.
	for d := range graph.Def(g.NumDefs()) {
		n := g.Node(d)
		s, err := w.resolve(g.Symbol(n))
		if err != nil || len(s.nodes) != 1 || s.primary() != n {
			t.Errorf("%s: %v %v", g.Symbol(n), s, err)
		}
		if g.Class(n) != graph.ClassSymbol {
			continue
		}
		group := w.group(d)
		again, err := w.resolve(w.exact(group))
		if err != nil || !slices.Contains(again.nodes, n) && again.primary() != group.primary() {
			t.Errorf("%s names %v (%v), want %s", w.exact(group), again, err, g.Symbol(n))
		}
		def := g.Definition(d)
		place := Location{g.Path(g.FileOf(d)), int(def.NameLine) + 1, int(def.NameColumn) + 1}.String()
		if s, err := w.resolve(place); err != nil || !slices.Contains(s.nodes, n) {
			t.Errorf("%s is %v (%v), want %s", place, s, err, g.Symbol(n))
		}
	}
}

func TestChoicesAreRanked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manyNames)
	_, err := w.resolve("helper")
	var many *Ambiguous
	if !errors.As(err, &many) {
		t.Fatal(err)
	}
	if many.Choices[0].File != "a/a.go" || many.Choices[1].File != "c/c_test.go" {
		t.Errorf("the test's helper is offered first: %+v", many.Choices)
	}
	if f := problem.Fixes(err)[0]; f != "a/a.go:helper  (function, a/a.go:4)" {
		t.Errorf("fix %q", f)
	}
}

func TestNearNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manyNames)
	for raw, want := range map[string]string{"Exporetd": "Exported", "exportd": "Exported", "Clos": "Close", "helpers": "helper", "repaet": "repeat"} {
		_, err := w.resolve(raw)
		var missing *Missing
		if !errors.As(err, &missing) || len(missing.Near) == 0 || missing.Near[0].Name != want {
			t.Errorf("%q: %v, near %+v, want %s", raw, err, missing, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"kitten", "sitting", 3}, {"abcdef", "uvwxyz", 4}} {
		if got := distance([]byte(c.a), []byte(c.b), 3); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance([]byte(c.b), []byte(c.a), 3); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manyNames)
	for name, want := range map[string]struct {
		match string
		names []string
	}{
		"Box":     {"exact", []string{"Box", "Box"}},
		"Exp":     {"prefix", []string{"Exported"}},
		"ex":      {"prefix", []string{"Exported"}},
		"Exporte": {"prefix", []string{"Exported"}},
		"Closs":   {"near", []string{"Close"}},
		"zzzzzz":  {"near", nil},
	} {
		f, err := w.Find(context.Background(), FindInput{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range f.Symbols {
			names = append(names, s.Name)
		}
		if f.Match != want.match || !slices.Equal(names, want.names) || f.Total != len(names) {
			t.Errorf("%s: %s %q, want %s %q", name, f.Match, names, want.match, want.names)
		}
	}
}

// TestPackageBeforeFile: where files share the names of their package, a name with one before it is the package's.
func TestPackageBeforeFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `
-- go.mod --
module m
-- link/all.go --
package link

func Link() {}
-- scan/link.go --
package scan

func Link() {}

func Only() {}
-- web/link.ts --
export function Wire() {}
`)
	for query, want := range map[string]string{
		"link.Link": "link/all.go", "scan.Link": "scan/link.go", // the package's
		"link.Only": "scan/link.go", // nothing else fits
		"link.Wire": "web/link.ts",  // a module is a file
	} {
		got, err := w.Definition(t.Context(), DefinitionInput{Symbol: query})
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got.Symbol.File != want {
			t.Errorf("%s is in %s, not %s", query, got.Symbol.File, want)
		}
	}
}
