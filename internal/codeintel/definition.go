package codeintel

import (
	"context"

	"manito/internal/code"
	"manito/internal/graph"
)

// DefinitionInput asks where something is defined.
type DefinitionInput struct {
	Symbol string
	Source bool // give the whole source text of each definition
}

// DefinitionAnswer lists where a symbol is defined. There are several places when
// build constraints, overloads or merged declarations give it several.
type DefinitionAnswer struct {
	Schema      string       `json:"schema"` // manito/definition/v1
	Symbol      Symbol       `json:"symbol"`
	Definitions []Definition `json:"definitions"`
}

// Definition is one place where a symbol is defined.
type Definition struct {
	Symbol
	StartLine     int    `json:"start_line"` // first line of the declaration, without its comment
	Signature     string `json:"signature,omitempty"`
	Documentation string `json:"documentation,omitempty"`
	Cyclomatic    int    `json:"cyclomatic,omitempty"`
	Cognitive     int    `json:"cognitive,omitempty"`
	Deprecated    bool   `json:"deprecated,omitempty"`
	Source        string `json:"source,omitempty"`
}

// Definition answers where a symbol is defined.
func (x *Index) Definition(ctx context.Context, in DefinitionInput) (out *DefinitionAnswer, err error) {
	defer x.g.Guard(&err)()
	s, err := x.resolve(in.Symbol)
	if err != nil {
		return nil, err
	}
	out = &DefinitionAnswer{Schema: "manito/definition/v1", Symbol: x.symbol(s.primary()), Definitions: []Definition{}}
	out.Definitions, err = x.definitions(ctx, s, in.Source)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// definitions describes every definition of a subject.
func (x *Index) definitions(ctx context.Context, s subject, source bool) ([]Definition, error) {
	g := x.g
	var defs []graph.Def
	var paths []string
	for _, n := range s.nodes {
		for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
			defs = append(defs, d)
			paths = append(paths, g.Path(g.FileOf(d)))
		}
	}
	texts, err := x.texts(ctx, paths)
	if err != nil {
		return nil, err
	}
	out := make([]Definition, 0, len(defs))
	for i, d := range defs {
		def := g.Definition(d)
		text := texts[paths[i]]
		e := Definition{
			Symbol: x.define(d), StartLine: int(def.Line) + 1, Signature: signature(text, def), Documentation: documentation(text, def),
			Cyclomatic: int(def.Cyclomatic), Cognitive: int(def.Cognitive), Deprecated: def.Flags&code.DefDeprecated != 0,
		}
		if source && int(def.End) <= len(text) && def.Start <= def.End {
			e.Source = printable(text[def.Start:def.End])
		}
		out = append(out, e)
	}
	return out, nil
}
