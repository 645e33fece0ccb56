package codeintel

import (
	"context"
	"errors"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// SymbolInput asks what a symbol is.
type SymbolInput struct {
	Symbol string
	Limit  int // of members, users and callees named; 0 means 10, negative all
}

// SymbolAnswer says what a symbol is: its definitions with signature and
// documentation, what it belongs to, its members, and how much it is used.
type SymbolAnswer struct {
	Schema       string         `json:"schema"` // manito/symbol/v1
	Symbol       Symbol         `json:"symbol"`
	Definitions  []Definition   `json:"definitions"`
	Parent       *Symbol        `json:"parent,omitempty"`
	Members      []Symbol       `json:"members"`
	MemberCount  int            `json:"member_count"`
	Bases        []Relation     `json:"bases"`   // what it extends, implements or overrides
	Derived      []Relation     `json:"derived"` // what extends, implements or overrides it
	UsedBy       map[string]int `json:"used_by"` // places, by edge kind
	Callers      int            `json:"callers"` // distinct
	Completeness Completeness   `json:"completeness"`
}

// Relation is a symbol related by inheritance.
type Relation struct {
	Symbol Symbol `json:"symbol"`
	Tie
}

var inheritance = graph.KindsOf(code.EdgeExtends, code.EdgeImplements, code.EdgeOverrides)

// Symbol answers what a symbol is.
func (x *Index) Symbol(ctx context.Context, in SymbolInput) (out *SymbolAnswer, err error) {
	defer x.g.Guard(&err)()
	s, err := x.resolve(in.Symbol)
	if err != nil {
		return nil, err
	}
	g := x.g
	limit := in.Limit
	switch {
	case limit == 0:
		limit = 10
	case limit < 0:
		limit = g.NumNodes()
	}
	out = &SymbolAnswer{Schema: "manito/symbol/v1", Symbol: x.symbol(s.primary()), Members: []Symbol{}, Bases: []Relation{}, Derived: []Relation{}, UsedBy: map[string]int{}}
	if out.Definitions, err = x.definitions(ctx, s, false); err != nil {
		return nil, err
	}
	if d := g.FirstDef(s.primary()); d != graph.None {
		if p := g.Parent(d); p != graph.None {
			sym := x.define(p)
			out.Parent = &sym
		}
	}
	seen := map[graph.Node]bool{}
	for _, n := range s.nodes {
		for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
			for _, c := range g.Children(d) {
				m := g.Node(c)
				if seen[m] {
					continue
				}
				seen[m] = true
				if out.MemberCount++; len(out.Members) < limit {
					out.Members = append(out.Members, x.define(c))
				}
			}
			for l := range g.Out(d) {
				if inheritance.Has(l.Kind) && len(out.Bases) < limit {
					out.Bases = append(out.Bases, Relation{x.symbol(l.Target), tie(l, l.Certainty)})
				}
			}
		}
		for l := range g.In(n, inheritance) {
			if len(out.Derived) == limit {
				break
			}
			out.Derived = append(out.Derived, Relation{x.define(l.Source), tie(l, l.Certainty)})
		}
		for k, c := range g.CountInByKind(n) {
			if c > 0 {
				out.UsedBy[code.EdgeKind(k).String()] += c
			}
		}
	}
	_, out.Callers = g.Users(inlets(x.routes(s, askCalls)), 1)
	if out.Completeness, err = x.completeness(ctx, s, askCalls); err != nil {
		return nil, err
	}
	return out, nil
}

// FindInput asks which symbols fit a name.
type FindInput struct {
	Name  string // a name as Symbol understands it, or the beginning of one
	Limit int    // 0 means 100, negative all
}

// Found lists the symbols that fit a name, the likeliest first: those that bear
// it, else those whose name begins with it, else those whose name is much like it.
type Found struct {
	Schema  string   `json:"schema"` // manito/find/v1
	Match   string   `json:"match"`  // exact, prefix or near
	Total   int      `json:"total"`
	Symbols []Symbol `json:"symbols"`
}

// Find answers which symbols fit a name.
func (x *Index) Find(_ context.Context, in FindInput) (out *Found, err error) {
	defer x.g.Guard(&err)()
	out = &Found{Schema: "manito/find/v1", Match: "exact", Symbols: []Symbol{}}
	limit := limitOf(in.Limit)
	s, err := x.resolve(in.Name)
	var many *Ambiguous
	switch {
	case err == nil:
		out.Total = 1
		out.Symbols = append(out.Symbols, x.symbol(s.primary()))
		return out, nil
	case errors.As(err, &many):
		q, err := parseQuery(in.Name)
		if err != nil {
			return nil, err
		}
		if groups := x.groups(x.matches(q, nil)); len(groups) > 0 {
			x.take(out, groups, limit)
			return out, nil
		}
		out.Total, out.Symbols = many.Total, many.Choices
		return out, nil
	case problem.KindOf(err) != problem.NotFound:
		return nil, err
	}
	name := strings.TrimSpace(in.Name)
	var found []match
	for n := range x.g.WithPrefix(name) {
		for _, node := range x.g.Named(n) {
			found = append(found, match{def: x.g.FirstDef(node)})
		}
		if len(found) > 5000 {
			break
		}
	}
	if len(found) > 0 {
		out.Match = "prefix"
		x.take(out, x.groups(found), limit)
		return out, nil
	}
	out.Match = "near"
	out.Symbols = append(out.Symbols, x.near(name, 10)...)
	out.Total = len(out.Symbols)
	return out, nil
}

func (x *Index) take(out *Found, groups []subject, limit int) {
	groups = x.order(groups)
	out.Total = len(groups)
	if limit > 0 {
		groups = groups[:min(len(groups), limit)]
	}
	for _, s := range groups {
		out.Symbols = append(out.Symbols, x.symbol(s.primary()))
	}
}

// groups joins matches that a person means as one.
func (x *Index) groups(found []match) []subject {
	var out []subject
	taken := map[graph.Node]bool{}
	for _, m := range found {
		if taken[x.g.Node(m.def)] {
			continue
		}
		s := x.group(m.def)
		for _, n := range s.nodes {
			taken[n] = true
		}
		out = append(out, s)
	}
	return slices.Clip(out)
}
