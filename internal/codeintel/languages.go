package codeintel

import (
	"cmp"
	"context"
	"slices"

	"manito/internal/graph"
)

// Languages lists the languages of the repository, those with the most lines first.
type Languages struct {
	Schema    string     `json:"schema"` // manito/languages/v1
	Languages []Language `json:"languages"`
}

// Language is one language as people call it.
type Language struct {
	Name        string `json:"name"`
	Family      string `json:"family,omitempty"` // the extractor that reads it; empty when none does
	Read        bool   `json:"read"`             // an extractor reads it, so that its symbols are in the graph
	Files       int    `json:"files"`
	Unread      int    `json:"unread_files"` // files that could not be read although an extractor exists
	Lines       int64  `json:"lines"`
	Bytes       int64  `json:"bytes"`
	Definitions int    `json:"definitions"`
	Diagnostics int    `json:"diagnostics"`
}

// Languages answers which languages the repository has.
func (x *Index) Languages(context.Context) (out *Languages, err error) {
	defer x.g.Guard(&err)()
	return &Languages{Schema: "manito/languages/v1", Languages: x.languages()}, nil
}

func (x *Index) languages() []Language {
	g := x.g
	at := map[string]int{}
	out := []Language{}
	for f := range graph.FileNo(g.NumFiles()) {
		file := g.File(f)
		name := cmp.Or(file.Language, "other")
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, Language{Name: name})
		}
		l := &out[i]
		l.Files++
		l.Lines += int64(file.Lines)
		l.Bytes += int64(file.Size)
		l.Diagnostics += int(file.Diagnostics)
		first, end := g.FileDefs(f)
		l.Definitions += int(end - first)
		switch file.State {
		case graph.StateRead:
			l.Read, l.Family = true, file.Family
		case graph.StateUnread:
			l.Unread++
			l.Family = cmp.Or(l.Family, file.Family)
		}
	}
	slices.SortStableFunc(out, func(a, b Language) int { return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Name, b.Name)) })
	return out
}
