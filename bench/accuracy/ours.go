package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/codeintel"
	"manito/internal/graph"
	"manito/internal/lang"
	"manito/internal/link"
	"manito/internal/source"
)

// linked is a folder that was listed, extracted and linked as a scan does it, in memory.
type linked struct {
	language lang.Language
	tree     *source.Tree
	files    []linkedFile   // by path, as the tree's
	byPath   map[string]int // index into files
	defs     map[code.Key][]ownDef
	ext      []link.External
}

// linkedFile is one file; doc and out are nil when no extractor reads it.
type linkedFile struct {
	content source.Content
	doc     *code.Document
	out     *link.File
}

// ownDef is a definition as we see it.
type ownDef struct {
	place
	kind code.Kind
	name string // qualified
}

// view is what the module system sees of the tree.
type view struct {
	l     *linked
	files []lang.File
	bases map[string][]string
}

func (v *view) Files() []lang.File             { return v.files }
func (v *view) Manifests(base string) []string { return v.bases[base] }
func (v *view) Name() string                   { return v.l.tree.Name }
func (v *view) Exists(p string) bool {
	_, ok := v.l.byPath[p]
	return ok
}

func (v *view) Read(p string) ([]byte, error) {
	i, ok := v.l.byPath[p]
	if !ok {
		return nil, fmt.Errorf("%s is not in the tree", p)
	}
	return v.l.files[i].content.Bytes, nil
}

// read lists and extracts the files of one language below root and links them.
func read(ctx context.Context, root string, language lang.Language) (l *linked, err error) {
	tree, err := source.Open(ctx, source.Input{Location: root, Isolated: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	l = &linked{language: language, tree: tree, files: make([]linkedFile, len(tree.Files)), byPath: map[string]int{}, defs: map[code.Key][]ownDef{}}
	for i := range tree.Files {
		l.byPath[tree.Files[i].Path] = i
	}
	if err := l.extract(ctx); err != nil {
		return nil, err
	}
	return l, l.link(ctx)
}

func (l *linked) extract(ctx context.Context) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			ex := l.language.NewExtractor()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(l.files) {
					return nil
				}
				t := &l.tree.Files[i]
				c, err := l.tree.Read(ctx, t)
				if err != nil {
					return err
				}
				f := &l.files[i]
				f.content = c
				if c.Skip == source.SkipNone && slices.Contains(l.language.Sources, c.Language) {
					f.doc = ex.Extract(ctx, lang.Input{Text: c.Bytes, Dialect: ex.Dialect(path.Base(t.Path), c.Language), Outline: c.Outline})
				}
			}
		})
	}
	return g.Wait()
}

func (l *linked) link(ctx context.Context) error {
	v := &view{l: l, bases: map[string][]string{}}
	var at []int
	for i := range l.files {
		p := l.tree.Files[i].Path
		v.bases[path.Base(p)] = append(v.bases[path.Base(p)], p)
		if l.files[i].doc != nil {
			v.files = append(v.files, lang.File{Path: p, Doc: l.files[i].doc})
			at = append(at, i)
		}
	}
	modules, err := l.language.NewModules(ctx, v)
	if err != nil {
		return err
	}
	res, err := link.Link(ctx, link.Input{Rules: l.language.Rules, Modules: modules, Files: v.files, Workers: runtime.GOMAXPROCS(0)})
	if err != nil {
		return err
	}
	l.ext = res.Externals
	for n, i := range at {
		f := &l.files[i]
		f.out = &res.Files[n]
		p := l.tree.Files[i].Path
		l.defs[link.FileKey(p)] = []ownDef{{place{file: p}, code.KindFile, p}}
		for d := range f.doc.Defs {
			def := &f.doc.Defs[d]
			k := f.out.Keys[d]
			l.defs[k] = append(l.defs[k], ownDef{l.at(i, def.NameStart), def.Kind, f.doc.QualifiedName(code.DefID(d))})
		}
	}
	return nil
}

// at is a position in a file as the judges count.
func (l *linked) at(file int, offset uint32) place {
	line, column := l.files[file].doc.Line(offset)
	return place{l.tree.Files[file].Path, int(line) + 1, int(column) + 1}
}

// index opens the linked tree for questions.
func (l *linked) index(ctx context.Context) (*codeintel.Index, error) {
	b := graph.NewBuilder(sha256.Sum256([]byte(l.tree.Root)))
	for i := range l.files {
		f, t := &l.files[i], &l.tree.Files[i]
		gf := graph.File{Path: t.Path, Language: f.content.Language, Size: uint32(min(t.Size, 1<<32-1)), Lines: uint32(f.content.Lines), Hash: f.content.Hash}
		if f.doc == nil {
			gf.State = graph.StateUnsupported
			if slices.Contains(l.language.Sources, f.content.Language) {
				gf.State, gf.Family = graph.StateUnread, l.language.Name
			}
			if err := b.AddFile(gf, nil, nil, nil); err != nil {
				return nil, err
			}
			continue
		}
		gf.Scope, gf.Keys, gf.Package = f.out.Scope, f.out.Keys, l.language.Rules.PackageScope
		if err := b.AddFile(gf, f.doc, f.out.Edges, f.out.Sites); err != nil {
			return nil, err
		}
	}
	for _, x := range l.ext {
		b.AddExternal(graph.External{Key: x.Key, Symbol: x.Symbol, Manager: x.Manager, Name: x.Package, Version: x.Version})
	}
	g, err := b.Build(ctx)
	if err != nil {
		return nil, err
	}
	return codeintel.New(g, codeintel.Options{Text: l}), nil
}

// Texts implements codeintel.TextSource.
func (l *linked) Texts(_ context.Context, paths []string) ([][]byte, error) {
	out := make([][]byte, len(paths))
	for i, p := range paths {
		if n, ok := l.byPath[p]; ok {
			out[i] = l.files[n].content.Bytes
		}
	}
	return out, nil
}

// symbol is the symbol string of a definition.
func (l *linked) symbol(file int, d code.DefID) string {
	return strings.TrimSuffix(l.files[file].out.Scope, " ") + l.files[file].doc.Descriptor(d)
}
