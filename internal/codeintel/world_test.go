package codeintel

import (
	"context"
	"crypto/sha256"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
	"manito/internal/link"
)

// world is a small repository that was read, linked and built as a scan does it.
type world struct {
	*Index
	texts map[string][]byte
}

// Texts implements TextSource.
func (w *world) Texts(_ context.Context, paths []string) ([][]byte, error) {
	out := make([][]byte, len(paths))
	for i, p := range paths {
		out[i] = w.texts[p]
	}
	return out, nil
}

var sources = map[string]string{".go": "go", ".ts": "typescript", ".tsx": "tsx", ".js": "javascript", ".jsx": "jsx", ".py": "python", ".pyi": "python"}

// tree is a lang.Repository of one language.
type tree struct {
	texts map[string][]byte
	files []lang.File
}

func (r *tree) Files() []lang.File { return r.files }
func (r *tree) Exists(p string) bool {
	_, ok := r.texts[p]
	return ok
}
func (r *tree) Manifests(base string) []string {
	var out []string
	for p := range r.texts {
		if path.Base(p) == base {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
func (r *tree) Read(p string) ([]byte, error) { return r.texts[p], nil }
func (r *tree) Name() string                  { return "world" }

// newWorld reads a txtar archive. A file whose contents are "<unreadable>" counts as one that could not be read.
func newWorld(t testing.TB, archive string) *world {
	t.Helper()
	texts := map[string][]byte{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		texts[f.Name] = f.Data
	}
	return worldOf(t, texts)
}

func worldOf(t testing.TB, texts map[string][]byte) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{texts: texts}
	paths := make([]string, 0, len(texts))
	for p := range texts {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	type read struct {
		file graph.File
		doc  *code.Document
		out  *link.File
	}
	files := map[string]*read{}
	b := graph.NewBuilder(sha256.Sum256([]byte(strings.Join(paths, "\n"))))
	languages := []lang.Language{golang.Language(), typescript.Language(), python.Language()}
	for _, l := range languages {
		r := &tree{texts: texts}
		x := l.NewExtractor()
		for _, p := range paths {
			source := sources[path.Ext(p)]
			if !slices.Contains(l.Sources, source) {
				continue
			}
			if strings.HasPrefix(string(texts[p]), "<unreadable>") {
				files[p] = &read{file: graph.File{Path: p, Language: source, Family: l.Name, State: graph.StateUnread}}
				texts[p] = nil
				continue
			}
			doc := x.Extract(ctx, lang.Input{Text: texts[p], Dialect: x.Dialect(path.Base(p), source)})
			if err := doc.Check(); err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			r.files = append(r.files, lang.File{Path: p, Doc: doc})
			files[p] = &read{file: graph.File{Path: p, Language: source, Package: l.Rules.PackageScope, Hash: sha256.Sum256(texts[p])}, doc: doc}
		}
		if len(r.files) == 0 {
			continue
		}
		modules, err := l.NewModules(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if modules == nil {
			modules = relative{r}
		}
		res, err := link.Link(ctx, link.Input{Rules: l.Rules, Modules: modules, Files: r.files, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.files {
			f := files[r.files[i].Path]
			f.out = &res.Files[i]
			f.file.Scope, f.file.Keys = f.out.Scope, f.out.Keys
		}
		for _, e := range res.Externals {
			b.AddExternal(graph.External{Key: e.Key, Symbol: e.Symbol, Manager: e.Manager, Name: e.Package, Version: e.Version})
		}
	}
	for _, p := range paths {
		f := files[p]
		if f == nil {
			f = &read{file: graph.File{Path: p, Language: strings.TrimPrefix(path.Ext(p), "."), State: graph.StateUnsupported, Size: uint32(len(texts[p]))}}
		}
		var edges []code.Edge
		var sites []code.Site
		if f.out != nil {
			edges, sites = f.out.Edges, f.out.Sites
		}
		if err := b.AddFile(f.file, f.doc, edges, sites); err != nil {
			t.Fatal(err)
		}
	}
	g, err := b.Build(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	if n := g.Stats().Dangling; n > 0 {
		t.Errorf("%d edges have no end", n)
	}
	w.Index = New(g, Options{Text: w})
	return w
}

// codes are the reason codes of a completeness, sorted.
func codes(c Completeness) []string {
	out := []string{}
	for _, r := range c.Reasons {
		out = append(out, r.Code)
	}
	slices.Sort(out)
	return out
}

// callersOf lists the qualified names of the callers of a symbol with their certainty.
func (w *world) callersOf(t testing.TB, symbol string) ([]string, Completeness) {
	t.Helper()
	a, err := w.Callers(context.Background(), CallersInput{Symbol: symbol, Limit: -1})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, c := range a.Callers {
		out = append(out, c.Symbol.QualifiedName+" "+c.Certainty)
	}
	slices.Sort(out)
	if a.Total != len(a.Callers) {
		t.Errorf("callers of %s: total %d, listed %d", symbol, a.Total, len(a.Callers))
	}
	return out, a.Completeness
}

// relative is a module system that knows relative imports only.
type relative struct{ r *tree }

func (m relative) Scope(p string) string { return "scip-typescript npm m . `" + p + "`/" }

func (m relative) Resolve(from string, _ *code.Import, specifier string) lang.Target {
	if !strings.HasPrefix(specifier, ".") {
		return lang.Target{Kind: lang.TargetExternal, Manager: "npm", Package: specifier}
	}
	for _, ext := range []string{".ts", ".tsx", ".js"} {
		if p := path.Join(path.Dir(from), specifier) + ext; m.r.Exists(p) {
			return lang.Target{Kind: lang.TargetScope, Scope: m.Scope(p), Path: p}
		}
	}
	return lang.Target{Kind: lang.TargetUnresolved}
}
