package postgres_test

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/link"
	"manito/internal/pack"
	"manito/internal/postgres"
)

// goroot is the Go standard library as the repository of a module system.
type goroot struct {
	root  string
	files []lang.File
	all   map[string]bool
}

func (r *goroot) Files() []lang.File            { return r.files }
func (r *goroot) Exists(p string) bool          { return r.all[p] }
func (r *goroot) Read(p string) ([]byte, error) { return os.ReadFile(filepath.Join(r.root, p)) }
func (r *goroot) Name() string                  { return "go" }
func (r *goroot) Manifests(base string) (out []string) {
	for p := range r.all {
		if filepath.Base(p) == base {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// newGoroot is the Go standard library as a corpus: real definitions and edges.
func newGoroot(t testing.TB) *corpus {
	t.Helper()
	repo := &goroot{root: filepath.Join(runtime.GOROOT(), "src"), all: map[string]bool{}}
	language := golang.Language()
	extractor := language.NewExtractor()
	packer := pack.NewPacker()
	c := &corpus{}
	err := filepath.WalkDir(repo.root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(repo.root, p)
		if err != nil {
			return err
		}
		repo.all[rel] = true
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		doc := extractor.Extract(t.Context(), lang.Input{Text: text, Dialect: extractor.Dialect(filepath.Base(p), "go")})
		repo.files = append(repo.files, lang.File{Path: rel, Doc: doc})
		c.files = append(c.files, corpusFile{path: rel, doc: doc, hash: sha256.Sum256(text), text: packer.Text(text), fact: packer.Document(doc),
			row: postgres.File{Language: "go", Encoding: "utf-8", Size: int64(len(text)), Flags: postgres.FileFlags(doc.Flags)}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	modules, err := language.NewModules(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	result, err := link.Link(t.Context(), link.Input{Rules: language.Rules, Modules: modules, Files: repo.files, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range result.Files {
		from, f := &result.Files[i], &c.files[i]
		f.scope = from.Scope
		for _, e := range from.Edges {
			line, column := f.doc.Line(e.Start)
			f.edges = append(f.edges, pack.EdgeAt{Source: e.Source, Target: e.Target, Line: line, Column: column, Kind: e.Kind, Certainty: e.Certainty, Reason: e.Reason})
		}
		for _, s := range from.Sites {
			line, column := f.doc.Line(s.Start)
			f.sites = append(f.sites, pack.SiteAt{Source: s.Source, Name: s.Name, Line: line, Column: column, Role: s.Role, Reason: s.Reason, Package: s.Package})
		}
		for _, m := range from.Imports {
			f.row.Dependencies = append(f.row.Dependencies, postgres.Dependency{Specifier: m.Path, State: postgres.DependencyResolved, Scope: m.Path, Reason: m.Reason})
		}
	}
	for _, x := range result.Externals {
		c.externals = append(c.externals, postgres.External{Key: x.Key, Symbol: x.Symbol, Manager: x.Manager, Name: x.Package, Version: x.Version, Standard: x.Standard})
	}
	c.seal()
	return c
}
