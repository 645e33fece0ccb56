package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/graph/graphtest"
	"manito/internal/query"
)

// def is a definition of a test's repository: path, name with its owner, kind, and how often it is used.
type def struct {
	path, name string
	kind       code.Kind
	flags      code.DefFlags
	uses       int
	test       bool
}

// world makes a graph of definitions, each file a scope of its own.
func world(t testing.TB, defs []def) *graph.Graph {
	t.Helper()
	byPath := map[string][]def{}
	for _, d := range defs {
		byPath[d.path] = append(byPath[d.path], d)
	}
	const width = 8
	b := graph.NewBuilder([32]byte{7})
	for _, path := range slices.Sorted(func(yield func(string) bool) {
		for p := range byPath {
			if !yield(p) {
				return
			}
		}
	}) {
		list := byPath[path]
		uses := 0
		for _, d := range list {
			uses += d.uses
		}
		lines := len(list) + uses + 1
		var cb code.Builder
		doc := cb.Begin("go", "go", []byte(strings.Repeat("1234567\n", lines)))
		scope := "scip-go gomod m . " + path + "/"
		for i, d := range list {
			owner, name, has := strings.Cut(d.name, ".")
			if !has {
				owner, name = "", d.name
			}
			x := code.Def{Name: cb.Name(name), Kind: d.kind, Flags: d.flags, Parent: code.NoDef, Start: uint32(i * width), End: uint32(lines*width - 1), NameStart: uint32(i*width + 1)}
			if has {
				x.Owner = cb.Name(owner)
			}
			if d.test {
				doc.Flags |= code.DocTest
			}
			cb.AddDef(x)
		}
		doc = cb.Finish()
		var edges []code.Edge
		at := len(list)
		for i, d := range list {
			key := code.ScopeKey(scope) ^ code.DescriptorKey(doc.Descriptor(code.DefID(i)))
			for range d.uses {
				edges = append(edges, code.Edge{Source: -1, Target: key, Start: uint32(at * width), Kind: code.EdgeCalls})
				at++
			}
		}
		if err := b.AddFile(graph.File{Path: path, Language: "Go", Scope: scope, Package: true}, doc, edges, nil); err != nil {
			t.Fatal(err)
		}
	}
	g, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

const (
	fn  = code.KindFunction
	mth = code.KindMethod
	str = code.KindStruct
	fld = code.KindField
	exp = code.DefExported
)

// library is a repository with names that are easily confused.
func library(t testing.TB) *Symbols {
	return NewSymbols(world(t, []def{
		{path: "net/http/client.go", name: "Client", kind: str, flags: exp, uses: 20},
		{path: "net/http/client.go", name: "Client.Do", kind: mth, flags: exp, uses: 9},
		{path: "net/http/client.go", name: "Client.do", kind: mth, uses: 1},
		{path: "net/http/client.go", name: "NewRequest", kind: fn, flags: exp, uses: 12},
		{path: "net/http/client.go", name: "NewRequestWithContext", kind: fn, flags: exp, uses: 30},
		{path: "net/http/client_test.go", name: "NewRequestTest", kind: fn, flags: exp, uses: 40, test: true},
		{path: "net/http/client_test.go", name: "Client", kind: str, flags: exp, uses: 90, test: true},
		{path: "net/rpc/client.go", name: "Client", kind: str, flags: exp, uses: 2},
		{path: "net/rpc/client.go", name: "Client.Call", kind: mth, flags: exp},
		{path: "db/client.go", name: "client", kind: fld, uses: 50},
		{path: "config/parse.py", name: "parse_config_file", kind: fn, flags: exp, uses: 3},
		{path: "config/parse.ts", name: "parseConfig", kind: fn, flags: exp, uses: 3},
		{path: "config/retry.go", name: "RetryBackoff", kind: fn, flags: exp},
		{path: "config/retry.go", name: "httpRetryBackoffMax", kind: code.KindConstant},
		{path: "uni/größe.go", name: "ÄndereGröße", kind: fn},
		{path: "uni/größe.go", name: "_", kind: fn},
		{path: "uni/größe.go", name: "$__", kind: fn},
		{path: "uni/größe.go", name: "HTTPServer", kind: str, flags: exp},
	}))
}

func find(t testing.TB, s *Symbols, q SymbolQuery) (out []string) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 5
	}
	hits, _, err := s.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		out = append(out, fmt.Sprintf("%s %s %s", h.Match, s.g.QualifiedName(h.Def), s.g.Path(s.g.FileOf(h.Def))))
	}
	return out
}

func TestSymbolsAreFoundInEveryWay(t *testing.T) {
	t.Parallel()
	s := library(t)
	for _, c := range []struct {
		query string
		first string   // the best hit
		also  []string // names that must be among the hits
	}{
		{query: "Client", first: "exact Client net/http/client.go", also: []string{"exact Client net/rpc/client.go", "exact Client net/http/client_test.go", "same but for case client db/client.go"}},
		{query: "client", first: "exact client db/client.go"},
		{query: "rpc.Client", first: "exact Client net/rpc/client.go"},
		{query: "net/rpc.Client", first: "exact Client net/rpc/client.go"},
		{query: "(*Client).Do", first: "exact Client.Do net/http/client.go"},
		{query: "Client.do", first: "exact Client.do net/http/client.go", also: []string{"same but for case Client.Do net/http/client.go"}},
		{query: "http.Client.Do", first: "exact Client.Do net/http/client.go"},
		{query: "Cleint.Call", first: "exact Client.Call net/rpc/client.go"},
		{query: "NewReq", first: "prefix NewRequest net/http/client.go", also: []string{"prefix NewRequestWithContext net/http/client.go"}},
		{query: "newRequest", first: "same but for case NewRequest net/http/client.go"},
		{query: "NRWC", first: "humps NewRequestWithContext net/http/client.go"},
		{query: "newcon", first: "humps NewRequestWithContext net/http/client.go"},
		{query: "nrc", first: "humps NewRequestWithContext net/http/client.go"},
		{query: "hs", first: "humps HTTPServer uni/größe.go"},
		{query: "WithContext", first: "word NewRequestWithContext net/http/client.go"},
		{query: "equestWith", first: "substring NewRequestWithContext net/http/client.go"},
		{query: "parseconfig", first: "same but for case parseConfig config/parse.ts", also: []string{"prefix parse_config_file config/parse.py"}},
		{query: "parse_config", first: "same words parseConfig config/parse.ts", also: []string{"prefix parse_config_file config/parse.py"}},
		{query: "parse config", first: "same words parseConfig config/parse.ts"},
		{query: "retry backoff", first: "same words RetryBackoff config/retry.go", also: []string{"substring httpRetryBackoffMax config/retry.go"}},
		{query: "NewReqeust", first: "fuzzy NewRequest net/http/client.go"},
		{query: "NwRequest", first: "fuzzy NewRequest net/http/client.go"},
		{query: "HTPServer", first: "fuzzy HTTPServer uni/größe.go"},
		{query: "ändereGröße", first: "same but for case ÄndereGröße uni/größe.go"},
		{query: "_", first: "exact _ uni/größe.go"},
		{query: "$__", first: "exact $__ uni/größe.go"},
		{query: "größe", first: "word ÄndereGröße uni/größe.go"},
	} {
		got := find(t, s, SymbolQuery{Name: c.query})
		if len(got) == 0 || got[0] != c.first {
			t.Errorf("%q finds %q, want first %q", c.query, got, c.first)
		}
		for _, a := range c.also {
			if !slices.Contains(got, a) {
				t.Errorf("%q finds %q, want %q among them", c.query, got, a)
			}
		}
	}
	for _, q := range []string{"", " ", "zzqqy", "Server.Do", "rpc.Client.Do"} {
		if got := find(t, s, SymbolQuery{Name: q}); len(got) > 0 {
			t.Errorf("%q finds %q", q, got)
		}
	}
	if got := find(t, s, SymbolQuery{Name: "NewReq", Exactly: true}); len(got) > 0 {
		t.Errorf("exactly NewReq: %q", got)
	}
	if _, _, err := s.Find(t.Context(), SymbolQuery{Name: strings.Repeat("x", 2000), Limit: 1}); err == nil {
		t.Error("a name of 2000 bytes was looked for")
	}
	only := find(t, s, SymbolQuery{Name: "Client", Keep: func(d graph.Def) bool { return s.g.Kind(d) == fld }})
	if diff := cmp.Diff([]string{"same but for case client db/client.go"}, only); diff != "" {
		t.Error(diff)
	}
}

func TestHighlightsAreWhatMadeItFit(t *testing.T) {
	t.Parallel()
	s := library(t)
	for _, c := range []struct {
		query, name, want string
		match             Match
	}{
		{"client", "Client", "[Client]", MatchFolded},
		{"http.NewReq", "NewRequest", "[NewReq]uest", MatchPrefix},
		{"parse_conf", "parseConfig", "[parseConf]ig", MatchPrefix},
		{"nrc", "NewRequestWithContext", "[N]ew[R]equestWith[C]ontext", MatchHumps},
		{"newcon", "NewRequestWithContext", "[New]RequestWith[Con]text", MatchHumps},
		{"context", "NewRequestWithContext", "NewRequestWith[Context]", MatchWord},
		{"quest", "NewRequest", "NewRe[quest]", MatchSubstring},
		{"configfile", "parse_config_file", "parse_[config_file]", MatchSubstring},
		{"nope", "NewRequest", "NewRequest", MatchFuzzy},
	} {
		got, at := "", 0
		for _, r := range s.Highlight(c.query, c.name, c.match) {
			got += c.name[at:r.Start] + "[" + c.name[r.Start:r.End] + "]"
			at = r.End
		}
		if got += c.name[at:]; got != c.want {
			t.Errorf("%q in %s: %s, want %s", c.query, c.name, got, c.want)
		}
	}
}

// slow is optimal string alignment without the band.
func slow(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestDistanceEqualsTheWholeTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.StringMatching(`[abc]{0,12}`).Draw(r, "a")
		b := rapid.StringMatching(`[abc]{0,12}`).Draw(r, "b")
		limit := rapid.IntRange(1, 3).Draw(r, "limit")
		if got, want := distance([]byte(a), []byte(b), limit), min(slow(a, b), limit+1); got != want {
			r.Fatalf("distance(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
	})
}

// TestFindEqualsBruteForce holds the bounded search to one that looks at everything.
func TestFindEqualsBruteForce(t *testing.T) {
	t.Parallel()
	names := []string{"get", "getName", "getNames", "GetName", "name", "get_name", "setName", "getNode", "gn", "Getter", "forget", "target"}
	rapid.Check(t, func(r *rapid.T) {
		var defs []def
		for i := range rapid.IntRange(1, 60).Draw(r, "n") {
			defs = append(defs, def{path: fmt.Sprintf("p%d/f%d.go", i%7, i), name: rapid.SampledFrom(names).Draw(r, "name"), kind: rapid.SampledFrom([]code.Kind{fn, mth, str, fld}).Draw(r, "kind"),
				uses: rapid.IntRange(0, 6).Draw(r, "uses"), test: rapid.Bool().Draw(r, "test")})
		}
		s := NewSymbols(world(t, defs))
		query := rapid.SampledFrom([]string{"get", "getName", "gn", "name", "gename", "Get", "getnaem", "t"}).Draw(r, "query")
		limit := rapid.IntRange(1, 10).Draw(r, "limit")
		p := newPattern(query)
		var all []SymbolHit
		for _, typos := range []bool{false, true} {
			if typos && (len(all) >= limit || p.budget == 0 || slices.ContainsFunc(all, func(h SymbolHit) bool { return h.Match >= MatchPrefix })) {
				break
			}
			list := s.fitting(&p, 0, s.Len(), false)
			if typos {
				list = s.misspelt(&p, 0, s.Len())
			}
			for _, f := range list {
				for _, n := range s.nodes[s.nodeAt[f.name]:s.nodeAt[f.name+1]] {
					d := s.g.FirstDef(n)
					all = append(all, SymbolHit{Node: n, Def: d, Match: f.match, Typos: int(f.typos), Close: float64(f.close), Weight: float64(s.weights[d]), Score: f.score() + float64(s.weights[d])})
				}
			}
		}
		sort.Slice(all, func(i, j int) bool { return compareHits(all[i], all[j]) < 0 })
		got, total, err := s.Find(context.Background(), SymbolQuery{Name: query, Limit: limit})
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(all[:min(len(all), limit)], got, cmp.Transformer("none", func(h []SymbolHit) []SymbolHit { return append([]SymbolHit{}, h...) })); diff != "" {
			r.Fatal(diff)
		}
		if total != len(all) {
			r.Fatalf("total %d, want %d", total, len(all))
		}
	})
}

// TestSymbolSpeed prints the figures of the issue over the graph file that
// MANITO_GRAPH names (the standard library's), or a made one of a million symbols.
func TestSymbolSpeed(t *testing.T) {
	if os.Getenv("MANITO_BENCH") == "" {
		t.Skip("a measurement: MANITO_BENCH=1, and MANITO_GRAPH for a graph file")
	}
	var g *graph.Graph
	var err error
	if path := os.Getenv("MANITO_GRAPH"); path != "" {
		if g, err = graph.Open(path); err == nil {
			defer g.Close()
		}
	} else {
		g, err = graphtest.Million().Build(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	s := NewSymbols(g)
	t.Logf("%d definitions, %d names: made in %s, %d MB", g.NumDefs(), s.Len(), time.Since(begin).Round(time.Millisecond), s.Bytes()>>20)
	r := rand.New(rand.NewPCG(1, 1))
	kinds := map[string]func(string) string{
		"exact":       func(n string) string { return n },
		"prefix":      func(n string) string { return n[:(len(n)+2)/2] },
		"substring":   func(n string) string { return n[len(n)/4 : len(n)-len(n)/4] },
		"typo":        func(n string) string { i := r.IntN(len(n) - 1); return n[:i] + n[i+1:] },
		"two letters": func(n string) string { return n[:2] },
	}
	for _, kind := range []string{"exact", "prefix", "substring", "typo", "two letters"} {
		var took []time.Duration
		for range 400 {
			i := r.IntN(s.Len())
			name := string(s.rawName(i))
			if len(name) < 4 {
				continue
			}
			q := kinds[kind](name)
			begin := time.Now()
			if _, _, err := s.Find(t.Context(), SymbolQuery{Name: q, Limit: 20}); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		t.Logf("%-12s p50 %s  p95 %s  max %s", kind, took[len(took)/2], took[len(took)*95/100], took[len(took)-1])
	}
}

// TestHybridSpeed prints how long hybrid searches take over the graph file that
// MANITO_GRAPH names and the search files in MANITO_SEARCH_DIR.
func TestHybridSpeed(t *testing.T) {
	if os.Getenv("MANITO_BENCH") == "" || os.Getenv("MANITO_SEARCH_DIR") == "" {
		t.Skip("a measurement: MANITO_BENCH=1, MANITO_GRAPH for a graph file and MANITO_SEARCH_DIR for the folder of its search files")
	}
	g, err := graph.Open(os.Getenv("MANITO_GRAPH"))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	begin := time.Now()
	x, err := Open(os.Getenv("MANITO_SEARCH_DIR"), g)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	t.Logf("opened in %s: %+v", time.Since(begin), x.Stats())
	r := rand.New(rand.NewPCG(2, 2))
	words := func(n int) string {
		var out []string
		for range n {
			out = append(out, strings.Join(strings.FieldsFunc(string(x.Symbols().foldedName(r.IntN(x.Symbols().Len()))), func(c rune) bool { return c == '_' }), " "))
		}
		return strings.Join(out, " ")
	}
	questions := []string{"read all bytes from a reader", "how are tcp connections accepted", "parse a duration string", "what decides that a certificate has expired", "write a file atomically", "where are garbage collector cycles started", "error", "the http header is parsed"}
	for _, kind := range []string{"question", "name", "two names"} {
		var took []time.Duration
		for i := range 120 {
			text := questions[i%len(questions)]
			switch kind {
			case "name":
				text = `"` + string(x.Symbols().rawName(r.IntN(x.Symbols().Len()))) + `"`
			case "two names":
				text = words(2)
			}
			q, err := query.Parse(text)
			if err != nil {
				continue
			}
			begin := time.Now()
			if _, err := x.Ranked(t.Context(), Request{Text: text, Query: q, Limit: 20}); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		t.Logf("%-10s p50 %s  p95 %s  max %s", kind, took[len(took)/2], took[len(took)*95/100], took[len(took)-1])
	}
}
