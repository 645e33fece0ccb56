package main

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/link"
)

// linked is a tree that was extracted and linked in memory, without a database.
type linked struct {
	language *lang.Language
	files    []lang.File
	result   *link.Result
	at       map[code.Key][]position // definitions by key
}

// position is a place in a file; line and column count from 1, columns in bytes.
type position struct {
	file         string
	line, column int
	kind         code.Kind
	name         string
}

// treeFiles is the module system's view of a folder.
type treeFiles struct {
	root  string
	all   map[string]bool
	bases map[string][]string
	files []lang.File
}

func (t *treeFiles) Files() []lang.File             { return t.files }
func (t *treeFiles) Exists(p string) bool           { return t.all[p] }
func (t *treeFiles) Manifests(base string) []string { return t.bases[base] }
func (t *treeFiles) Read(p string) ([]byte, error)  { return os.ReadFile(filepath.Join(t.root, p)) }
func (t *treeFiles) Name() string                   { return filepath.Base(t.root) }

// build extracts and links one language's files below root. accept chooses them by path and returns the source language.
func build(ctx context.Context, root string, language lang.Language, accept func(path string) (source string, ok bool)) (*linked, error) {
	t := &treeFiles{root: root, all: map[string]bool{}, bases: map[string][]string{}}
	var paths []string
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if b := d.Name(); rel != "." && (strings.HasPrefix(b, ".") || b == "node_modules" || b == "testdata" && language.Name == "go") {
				return filepath.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			paths = append(paths, rel)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	ex := language.NewExtractor()
	for _, p := range paths {
		t.all[p] = true
		t.bases[path.Base(p)] = append(t.bases[path.Base(p)], p)
		source, ok := accept(p)
		if !ok {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			return nil, err
		}
		doc := ex.Extract(ctx, lang.Input{Text: text, Dialect: ex.Dialect(path.Base(p), source)})
		t.files = append(t.files, lang.File{Path: p, Doc: doc})
	}
	modules, err := language.NewModules(ctx, t)
	if err != nil {
		return nil, err
	}
	if modules == nil {
		modules = newTmp(t)
	}
	res, err := link.Link(ctx, link.Input{Rules: language.Rules, Modules: modules, Files: t.files, Workers: 2})
	if err != nil {
		return nil, err
	}
	out := &linked{language: &language, files: t.files, result: res, at: map[code.Key][]position{}}
	for i, f := range t.files {
		for d := range f.Doc.Defs {
			def := &f.Doc.Defs[d]
			line, col := f.Doc.Line(def.NameStart)
			k := res.Files[i].Keys[d]
			out.at[k] = append(out.at[k], position{f.Path, int(line) + 1, int(col) + 1, def.Kind, f.Doc.QualifiedName(code.DefID(d))})
		}
	}
	sort.Slice(paths, func(a, b int) bool { return paths[a] < paths[b] })
	return out, nil
}
