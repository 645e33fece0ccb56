package codeintel

import (
	"context"

	"manito/internal/code"
	"manito/internal/graph"
)

// OutlineInput asks what a file defines.
type OutlineInput struct {
	Path string // or the end of it when only one file has that
}

// Outline is a file's definitions as a tree.
type Outline struct {
	Schema      string        `json:"schema"` // manito/outline/v1
	File        string        `json:"file"`
	Language    string        `json:"language,omitempty"`
	Lines       int           `json:"lines"`
	Diagnostics int           `json:"diagnostics"`
	Note        string        `json:"note,omitempty"` // when the file was read in part or not at all
	Symbols     []OutlineItem `json:"symbols"`
}

// OutlineItem is a definition with those inside of it.
type OutlineItem struct {
	Name       string        `json:"name"`
	Kind       string        `json:"kind"`
	ID         string        `json:"id"`
	Owner      string        `json:"owner,omitempty"` // the type, for a member that stands outside of it
	Line       int           `json:"line"`
	EndLine    int           `json:"end_line"`
	Signature  string        `json:"signature,omitempty"`
	Visibility string        `json:"visibility"`
	Cyclomatic int           `json:"cyclomatic,omitempty"`
	Children   []OutlineItem `json:"children,omitempty"`
}

// Outline answers what a file defines.
func (x *Index) Outline(ctx context.Context, in OutlineInput) (out *Outline, err error) {
	defer x.g.Guard(&err)()
	f, err := x.file(in.Path, in.Path)
	if err != nil {
		return nil, err
	}
	g := x.g
	file := g.File(f)
	texts, err := x.texts(ctx, []string{file.Path})
	if err != nil {
		return nil, err
	}
	out = &Outline{Schema: "manito/outline/v1", File: file.Path, Language: file.Language, Lines: int(file.Lines), Diagnostics: int(file.Diagnostics), Note: fileNote(file), Symbols: []OutlineItem{}}
	first, end := g.FileDefs(f)
	items, _ := x.outline(first, end, texts[file.Path])
	out.Symbols = append(out.Symbols, items...)
	return out, nil
}

// fileNote says what is missing of a file.
func fileNote(f graph.File) string {
	switch {
	case f.State == graph.StateUnsupported:
		return "no extractor reads this language"
	case f.State == graph.StateUnread:
		return "the file could not be read"
	case f.Flags&code.DocBroken != 0:
		return "the file has syntax errors; parts may be missing"
	case f.Flags&code.DocOutline != 0:
		return "the file is too large or minified; only its definitions were read"
	}
	return ""
}

// outline makes the tree of the definitions from d up to end; next is the first that does not belong to it.
func (x *Index) outline(d, end graph.Def, text []byte) (items []OutlineItem, next graph.Def) {
	g := x.g
	for d < end {
		def := g.Definition(d)
		item := OutlineItem{
			Name: g.Name(g.Node(d)), Kind: def.Kind.String(), ID: g.Symbol(g.Node(d)), Line: int(def.Line) + 1, EndLine: int(def.EndLine) + 1,
			Signature: signature(text, def), Visibility: visibility(def.Flags), Cyclomatic: int(def.Cyclomatic),
		}
		if g.HasOwner(d) {
			item.Owner = g.OwnerName(d)
		}
		stop := d + 1
		for stop < end && x.inside(stop, d) {
			stop++
		}
		item.Children, _ = x.outline(d+1, stop, text)
		items = append(items, item)
		d = stop
	}
	return items, d
}

// inside says whether a definition has another among its parents.
func (x *Index) inside(c, d graph.Def) bool {
	for p := x.g.Enclosing(c); p != graph.None && p >= d; p = x.g.Enclosing(p) {
		if p == d {
			return true
		}
	}
	return false
}
