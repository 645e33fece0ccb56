package codeintel

import (
	"context"

	"manito/internal/code"
	"manito/internal/graph"
)

// CallersInput asks who calls something.
type CallersInput struct {
	Symbol string
	Limit  int // of callers listed; 0 means 100, negative all
}

// Callers says who calls a symbol: the functions with the places of their calls.
// A class is called where it is instantiated, an accessor where it is read or
// written. A call of an interface or base method counts for the methods that
// stand in for it, with its certainty likely or may.
type Callers struct {
	Schema       string       `json:"schema"` // manito/callers/v1
	Symbol       Symbol       `json:"symbol"`
	Total        int          `json:"total"` // callers, listed or not
	Callers      []Caller     `json:"callers"`
	Completeness Completeness `json:"completeness"`
}

// Caller is a symbol (or the top-level code of a file) that calls.
type Caller struct {
	Symbol    Symbol `json:"symbol"`
	Certainty string `json:"certainty"` // of the surest of its calls
	Calls     []Call `json:"calls"`
}

// Call is one place of a call.
type Call struct {
	Location
	Tie
	// Through is the interface or base method, or the class, that is written there, when it is not the symbol itself.
	Through *Symbol `json:"through,omitempty"`
}

const defaultLimit = 100

func limitOf(n int) int {
	switch {
	case n == 0:
		return defaultLimit
	case n < 0:
		return 0
	}
	return n
}

// Callers answers who calls a symbol.
func (x *Index) Callers(ctx context.Context, in CallersInput) (out *Callers, err error) {
	defer x.g.Guard(&err)()
	s, err := x.resolve(in.Symbol)
	if err != nil {
		return nil, err
	}
	routes := x.routes(s, askCalls)
	defs, total := x.g.Users(inlets(routes), limitOf(in.Limit))
	out = &Callers{Schema: "manito/callers/v1", Symbol: x.symbol(s.primary()), Total: total, Callers: x.callers(defs, routes)}
	out.Completeness, err = x.completeness(ctx, s, askCalls)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// callers lists the calls of each definition, joining those of one symbol.
func (x *Index) callers(defs []graph.Def, routes []route) []Caller {
	out := make([]Caller, 0, len(defs))
	at := map[graph.Node]int{}
	through := map[graph.Node]*Symbol{}
	for _, d := range defs {
		n := x.g.Node(d)
		i, ok := at[n]
		if !ok {
			i = len(out)
			at[n] = i
			out = append(out, Caller{Symbol: x.symbol(n), Certainty: code.May.String()})
		}
		c := &out[i]
		best := certaintyOf(c.Certainty)
		for _, u := range x.usesIn(d, routes) {
			c.Calls = append(c.Calls, x.call(u, through))
			best = min(best, u.certainty())
		}
		c.Certainty = best.String()
	}
	return out
}

// call describes a use; through keeps the symbols that were described already.
func (x *Index) call(u use, through map[graph.Node]*Symbol) Call {
	c := Call{Location: x.at(u.link.Source, u.link.Line, u.link.Column), Tie: u.tie()}
	if u.route.way != routeDirect {
		s, ok := through[u.route.node]
		if !ok {
			sym := x.symbol(u.route.node)
			s = &sym
			through[u.route.node] = s
		}
		c.Through = s
	}
	return c
}

func certaintyOf(word string) code.Certainty {
	switch word {
	case code.Must.String():
		return code.Must
	case code.Likely.String():
		return code.Likely
	}
	return code.May
}
