package codeintel

import (
	"context"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
	qlang "manito/internal/query"
	"manito/internal/search"
)

// SuggestInput asks how a query that is being typed could go on.
type SuggestInput struct {
	Text  string // what was typed so far; its last word is completed
	Limit int    // 0 means 10
}

// Suggestions are ways in which a query could go on, the likeliest first.
type Suggestions struct {
	Schema string       `json:"schema"` // manito/suggest/v1
	Text   string       `json:"text"`   // as it was typed
	List   []Suggestion `json:"list"`
}

// Suggestion is one way to go on.
type Suggestion struct {
	Text   string    `json:"text"` // the whole query with its last word completed
	Word   string    `json:"word"` // the completed word
	Kind   string    `json:"kind"` // of the symbol in lower case; file, language, kind or field
	Symbol *Symbol   `json:"symbol,omitempty"`
	At     *Location `json:"at,omitempty"`
}

// Suggest completes the last word of a query: fields and their values, names of
// symbols, and paths of files.
func (x *Index) Suggest(ctx context.Context, in SuggestInput) (out *Suggestions, err error) {
	defer x.g.Guard(&err)()
	limit := in.Limit
	if limit <= 0 {
		limit = 10
	}
	out = &Suggestions{Schema: "manito/suggest/v1", Text: in.Text, List: []Suggestion{}}
	before, word := "", in.Text
	if i := strings.LastIndexAny(in.Text, " \t("); i >= 0 {
		before, word = in.Text[:i+1], in.Text[i+1:]
	}
	minus := ""
	if strings.HasPrefix(word, "-") {
		minus, word = "-", word[1:]
	}
	add := func(s Suggestion) {
		s.Text = before + minus + s.Word
		if len(out.List) < limit && !slices.ContainsFunc(out.List, func(o Suggestion) bool { return o.Word == s.Word }) {
			out.List = append(out.List, s)
		}
	}
	field, value, hasField := strings.Cut(word, ":")
	switch {
	case hasField && field == qlang.Language.String():
		for _, l := range x.languageWords() {
			if strings.HasPrefix(l, strings.ToLower(value)) {
				add(Suggestion{Word: field + ":" + l, Kind: "language"})
			}
		}
		return out, nil
	case hasField && field == qlang.Kind.String():
		for _, k := range x.kindWords() {
			if strings.HasPrefix(k, strings.ToLower(value)) {
				add(Suggestion{Word: field + ":" + k, Kind: "kind"})
			}
		}
		return out, nil
	case hasField && (field == qlang.File.String() || field == qlang.Imports.String()):
		x.suggestFiles(value, field+":", limit, add)
		return out, nil
	case hasField && (field == qlang.Symbol.String() || field == qlang.Calls.String()):
		return out, x.suggestSymbols(ctx, value, field+":", limit, add)
	case hasField || word == "":
		return out, nil
	}
	for _, f := range qlang.Fields() {
		if strings.HasPrefix(f, word) && len(word) >= 2 {
			add(Suggestion{Word: f + ":", Kind: "field"})
		}
	}
	if err := x.suggestSymbols(ctx, word, "", limit, add); err != nil {
		return nil, err
	}
	if len(word) >= 2 {
		x.suggestFiles(word, "file:", limit, add)
	}
	return out, nil
}

func (x *Index) suggestSymbols(ctx context.Context, name, field string, limit int, add func(Suggestion)) error {
	return x.searchWith(ctx, func(s *search.Index) error {
		hits, _, err := s.Symbols().Find(ctx, search.SymbolQuery{Name: name, Limit: 4 * limit})
		if err != nil {
			return err
		}
		defs := make([]graph.Def, len(hits))
		for i, h := range hits {
			defs[i] = h.Def
		}
		for _, sym := range x.defineAll(defs) {
			at := sym.Location()
			add(Suggestion{Word: field + sym.QualifiedName, Kind: sym.Kind, Symbol: &sym, At: &at})
		}
		return nil
	})
}

// suggestFiles completes the beginning of a file's name, or of its path.
func (x *Index) suggestFiles(begin, field string, limit int, add func(Suggestion)) {
	want := graph.Fold(begin)
	n := 0
	for f := range graph.FileNo(x.g.NumFiles()) {
		p := x.g.Path(f)
		if folded := graph.Fold(p); strings.HasPrefix(folded, want) || strings.HasPrefix(path.Base(folded), want) {
			add(Suggestion{Word: field + p, Kind: "file", At: &Location{File: p}})
			if n++; n == limit {
				return
			}
		}
	}
}

func (x *Index) languageWords() (words []string) {
	for f := range graph.FileNo(x.g.NumFiles()) {
		if l := strings.ToLower(x.g.Language(f)); l != "" && !strings.Contains(l, " ") && !slices.Contains(words, l) {
			words = append(words, l)
		}
	}
	slices.Sort(words)
	return words
}

func (x *Index) kindWords() (words []string) {
	for k := range x.g.KindCounts() {
		if k != code.KindUnknown {
			words = append(words, k.String())
		}
	}
	slices.Sort(words)
	return words
}
