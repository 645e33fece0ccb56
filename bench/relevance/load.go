package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"manito/bench/corpus"
	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/source"
)

// codeFile is one file of a corpus as a scan reads it.
type codeFile struct {
	path string
	text []byte
	doc  *code.Document
}

// loaded is a corpus as it was read, its files in the order of their paths.
type loaded struct {
	files    []codeFile
	others   []codeFile // what is not code of the corpus' language, without doc
	language lang.Language
}

// load fetches a corpus and extracts its files.
func load(ctx context.Context, dir string, c corpusSpec) (*loaded, error) {
	root, err := corpus.Fetch(ctx, dir, c.pin)
	if err != nil {
		return nil, err
	}
	language, err := languageOf(c.reader)
	if err != nil {
		return nil, err
	}
	if len(c.sources) > 0 {
		language.Sources = c.sources
	}
	all, err := extractAll(ctx, root, language)
	if err != nil {
		return nil, fmt.Errorf("corpus %s: %w", c.name, err)
	}
	l := &loaded{language: language}
	for _, f := range all {
		switch {
		case c.pin.Registry == corpus.GOROOT && strings.HasPrefix(f.path, "cmd/"):
		case f.doc == nil:
			l.others = append(l.others, f)
		default:
			l.files = append(l.files, f)
		}
	}
	if len(l.files) == 0 {
		return nil, fmt.Errorf("corpus %s: no file of %s below %s", c.name, c.reader, root)
	}
	return l, nil
}

// extractAll reads the files below root and extracts those of one language. Tests
// are left out: the questions are about the code that they test.
func extractAll(ctx context.Context, root string, language lang.Language) (files []codeFile, err error) {
	tree, err := source.Open(ctx, source.Input{Location: root, Isolated: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	all := make([]codeFile, len(tree.Files))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			ex := language.NewExtractor()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(tree.Files) {
					return nil
				}
				t := &tree.Files[i]
				if t.Vendored || strings.Contains("/"+t.Path, "/testdata/") {
					continue
				}
				c, err := tree.Read(ctx, t)
				if err != nil {
					return err
				}
				if c.Skip != source.SkipNone || c.Outline || c.Binary {
					continue
				}
				text := slices.Clone(c.Bytes)
				if !slices.Contains(language.Sources, c.Language) {
					all[i] = codeFile{path: t.Path, text: text}
					continue
				}
				doc := ex.Extract(ctx, lang.Input{Text: text, Dialect: ex.Dialect(path.Base(t.Path), c.Language)})
				if doc.Flags&code.DocTest == 0 {
					all[i] = codeFile{path: t.Path, text: text, doc: doc}
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(f codeFile) bool { return f.path == "" }), nil
}

// places lists the symbols of a corpus as labels write them, "path:qualified name",
// with the numbers of the lines on which they stand.
func places(files []codeFile) map[string][]int {
	at := map[string][]int{}
	for _, f := range files {
		for d := range f.doc.Defs {
			line, _ := f.doc.Line(f.doc.Defs[d].Start)
			name := f.path + ":" + f.doc.QualifiedName(code.DefID(d))
			at[name] = append(at[name], int(line)+1)
		}
	}
	return at
}
