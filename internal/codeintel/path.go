package codeintel

import (
	"context"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// PathInput asks how one thing depends on another.
type PathInput struct {
	From, To string
	Kinds    []string // edge kinds to follow; empty means all that are uses
	Limit    int      // of symbols looked at from each end; 0 means 200000, negative no bound
}

// Path is a shortest way from one symbol to another along uses. A call of an
// interface or base method also leads to the methods that stand in for it.
type Path struct {
	Schema string     `json:"schema"` // manito/path/v1
	From   Symbol     `json:"from"`
	To     Symbol     `json:"to"`
	Found  bool       `json:"found"`
	Cut    bool       `json:"cut"` // the search was cut off at its limit, so that not found means not known
	Steps  []PathStep `json:"steps"`
}

// PathStep is one edge of the way.
type PathStep struct {
	From Symbol   `json:"from"`
	To   Symbol   `json:"to"`
	At   Location `json:"at"`
	Tie
	Dispatch bool `json:"dispatch,omitempty"` // what is written there is a method that To stands in for
}

const pathLimit = 200_000

// Path answers how one symbol depends on another.
func (x *Index) Path(ctx context.Context, in PathInput) (out *Path, err error) {
	defer x.g.Guard(&err)()
	from, err := x.resolve(in.From)
	if err != nil {
		return nil, err
	}
	to, err := x.resolve(in.To)
	if err != nil {
		return nil, err
	}
	kinds := useKinds &^ graph.KindsOf(code.EdgeExports)
	if len(in.Kinds) > 0 {
		if kinds, err = parseKinds(in.Kinds); err != nil {
			return nil, err
		}
	}
	way, cut, err := x.g.ShortestPath(ctx, x.seeds(from), to.nodes, kinds, bound(in.Limit, pathLimit))
	if err != nil {
		return nil, err
	}
	out = &Path{Schema: "manito/path/v1", From: x.symbol(from.primary()), To: x.symbol(to.primary()), Found: way != nil, Cut: cut, Steps: []PathStep{}}
	for _, s := range way {
		step := PathStep{From: x.symbol(s.From), To: x.symbol(s.To), At: x.at(s.Link.Source, s.Link.Line, s.Link.Column), Tie: tie(s.Link, s.Certainty), Dispatch: s.Dispatch}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}

// parseKinds reads edge kinds by their words.
func parseKinds(words []string) (graph.Kinds, error) {
	var out graph.Kinds
next:
	for _, w := range words {
		for k := range code.EdgeKind(code.NumEdgeKinds) {
			if k.String() == w {
				out |= graph.KindsOf(k)
				continue next
			}
		}
		e := problem.New(problem.Usage, "there is no edge kind %q", w)
		for k := range code.EdgeKind(code.NumEdgeKinds) {
			e.Fix("%s", k)
		}
		return 0, e
	}
	return out, nil
}
