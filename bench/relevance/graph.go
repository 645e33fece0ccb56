package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path"
	"runtime"
	"strings"

	"manito/internal/graph"
	"manito/internal/lang"
	"manito/internal/link"
)

// repository is what a language's module system sees of a corpus.
type repository struct {
	name      string
	files     []lang.File
	texts     map[string][]byte
	manifests map[string][]string
}

func (r *repository) Files() []lang.File             { return r.files }
func (r *repository) Name() string                   { return r.name }
func (r *repository) Manifests(base string) []string { return r.manifests[base] }
func (r *repository) Exists(p string) bool           { return r.texts[p] != nil }

func (r *repository) Read(p string) ([]byte, error) {
	text, ok := r.texts[p]
	if !ok {
		return nil, fmt.Errorf("%s is not in the corpus", p)
	}
	return text, nil
}

// linkGraph links a corpus as a scan does it and makes its graph: what symbols refer
// to each other counts in search. Files that are not code tell where modules are.
func linkGraph(ctx context.Context, name string, language lang.Language, files, others []codeFile) (*graph.Graph, error) {
	r := &repository{name: name, texts: map[string][]byte{}, manifests: map[string][]string{}}
	for _, f := range files {
		r.texts[f.path] = f.text
		r.files = append(r.files, lang.File{Path: f.path, Doc: f.doc})
	}
	for _, f := range others {
		r.texts[f.path] = f.text
		r.manifests[path.Base(f.path)] = append(r.manifests[path.Base(f.path)], f.path)
	}
	modules, err := language.NewModules(ctx, r)
	if err != nil {
		return nil, err
	}
	linked, err := link.Link(ctx, link.Input{Rules: language.Rules, Modules: modules, Files: r.files, Workers: runtime.GOMAXPROCS(0)})
	if err != nil {
		return nil, err
	}
	b := graph.NewBuilder(sha256.Sum256([]byte(name)))
	for i, f := range files {
		out := &linked.Files[i]
		gf := graph.File{
			Path: f.path, Language: strings.TrimPrefix(path.Ext(f.path), "."), Size: uint32(len(f.text)), Lines: uint32(len(f.doc.Lines)),
			Hash: sha256.Sum256(f.text), Scope: out.Scope, Keys: out.Keys, Package: language.Rules.PackageScope,
		}
		if err := b.AddFile(gf, f.doc, out.Edges, out.Sites); err != nil {
			return nil, err
		}
	}
	for _, x := range linked.Externals {
		b.AddExternal(graph.External{Key: x.Key, Symbol: x.Symbol, Manager: x.Manager, Name: x.Package, Version: x.Version})
	}
	return b.Build(ctx)
}

func hashOf(text []byte) [32]byte { return sha256.Sum256(text) }
