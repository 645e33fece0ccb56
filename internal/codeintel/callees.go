package codeintel

import (
	"cmp"
	"context"
	"slices"

	"manito/internal/code"
	"manito/internal/graph"
)

// CalleesInput asks what something calls.
type CalleesInput struct {
	Symbol string
	Limit  int // of callees listed; 0 means 100, negative all
}

// Callees says what a symbol calls: inside of the repository, outside of it, and
// the calls of which is not known what they reach. A class calls what its members
// call, a file what stands in it.
type Callees struct {
	Schema       string         `json:"schema"` // manito/callees/v1
	Symbol       Symbol         `json:"symbol"`
	Total        int            `json:"total"` // callees in the repository, listed or not
	Callees      []Callee       `json:"callees"`
	External     []ExternalCall `json:"external"`
	Unresolved   []OpenCall     `json:"unresolved"`
	Completeness Completeness   `json:"completeness"`
}

// Callee is a symbol that is called, with the places of the calls.
type Callee struct {
	Symbol    Symbol `json:"symbol"`
	Certainty string `json:"certainty"` // of the surest of the calls
	Calls     []Call `json:"calls"`
}

// ExternalCall is a call of something outside of the repository.
type ExternalCall struct {
	Name    string `json:"name"`
	Package string `json:"package,omitempty"`
	Location
}

// OpenCall is a call of which is not known what it reaches.
type OpenCall struct {
	Name   string `json:"name,omitempty"` // empty when it is computed
	Reason string `json:"reason"`
	Location
}

// Callees answers what a symbol calls.
func (x *Index) Callees(ctx context.Context, in CalleesInput) (out *Callees, err error) {
	defer x.g.Guard(&err)()
	s, err := x.resolve(in.Symbol)
	if err != nil {
		return nil, err
	}
	g := x.g
	out = &Callees{Schema: "manito/callees/v1", Symbol: x.symbol(s.primary()), Callees: []Callee{}, External: []ExternalCall{}, Unresolved: []OpenCall{}}
	at := map[graph.Node]int{}
	through := map[graph.Node]*Symbol{}
	add := func(n graph.Node, c Call) {
		i, ok := at[n]
		if !ok {
			i = len(out.Callees)
			at[n] = i
			out.Callees = append(out.Callees, Callee{Symbol: x.symbol(n), Certainty: code.May.String()})
		}
		e := &out.Callees[i]
		e.Calls = append(e.Calls, c)
		e.Certainty = min(certaintyOf(e.Certainty), certaintyOf(c.Certainty)).String()
	}
	spans := x.bodies(s)
	for _, span := range spans {
		for d := span.first; d < span.end; d++ {
			for l := range g.Out(d) {
				if g.Class(l.Target) != graph.ClassSymbol {
					continue
				}
				t := g.FirstDef(l.Target)
				if !callKinds(g.Kind(t), g.Flags(t)).Has(l.Kind) {
					continue
				}
				add(l.Target, x.call(use{l, route{}}, through))
				for _, m := range g.Implementations(l.Target) {
					add(m.Node, x.call(use{l, route{node: l.Target, way: routeDispatch, certainty: m.Certainty, reason: m.Reason}}, through))
				}
			}
		}
		for _, site := range g.SitesIn(span.first, span.end) {
			if site.Role != code.RoleCall && site.Role != code.RoleNew || site.Through == graph.ThroughPartial {
				continue
			}
			place := x.at(site.Source, site.Line, site.Column)
			if site.Reason == code.SiteExternal {
				call := ExternalCall{Name: site.Name, Location: place}
				if site.Package != graph.None {
					call.Package = g.External(site.Package).Name
				}
				out.External = append(out.External, call)
				continue
			}
			out.Unresolved = append(out.Unresolved, OpenCall{Name: site.Name, Reason: site.Reason.String(), Location: place})
		}
	}
	slices.SortStableFunc(out.Callees, func(a, b Callee) int {
		return cmp.Or(cmp.Compare(a.Calls[0].File, b.Calls[0].File), cmp.Compare(a.Calls[0].Line, b.Calls[0].Line), cmp.Compare(a.Calls[0].Column, b.Calls[0].Column))
	})
	out.Total = len(out.Callees)
	if limit := limitOf(in.Limit); limit > 0 {
		out.Callees = out.Callees[:min(len(out.Callees), limit)]
	}
	out.Completeness = x.calleesCompleteness(s, out)
	return out, nil
}

// span is a range of definitions.
type span struct{ first, end graph.Def }

// bodies are the definitions whose code is the subject's: a function's own, a
// class's with all that stands in it or belongs to it, a file's with all of it.
func (x *Index) bodies(s subject) []span {
	g := x.g
	var out []span
	for _, n := range s.nodes {
		for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
			switch k := g.Kind(d); {
			case k == code.KindFile:
				_, end := g.FileDefs(g.FileOf(d))
				out = append(out, span{d, end})
			case k.IsType() || k == code.KindNamespace:
				out = append(out, span{d, x.endOf(d)})
				for _, c := range g.Children(d) {
					if c < d || c >= x.endOf(d) {
						out = append(out, span{c, x.endOf(c)})
					}
				}
			default:
				out = append(out, span{d, d + 1})
			}
		}
	}
	return out
}

// endOf is the first definition after d that does not stand inside of it.
func (x *Index) endOf(d graph.Def) graph.Def {
	_, end := x.g.FileDefs(x.g.FileOf(d))
	stop := x.g.Definition(d).End
	for c := d + 1; c < end; c++ {
		if x.g.Definition(c).Start >= stop {
			return c
		}
	}
	return end
}

func (x *Index) calleesCompleteness(s subject, out *Callees) Completeness {
	g := x.g
	c := Completeness{Status: Complete, Reasons: []Reason{}}
	reason := func(code, message string, places []Location) {
		c.Status = LowerBound
		c.Reasons = append(c.Reasons, Reason{Code: code, Message: message, Count: len(places), Examples: append([]Location{}, places[:min(len(places), maxExamples)]...)})
	}
	if len(out.Unresolved) > 0 {
		var places []Location
		for _, u := range out.Unresolved {
			places = append(places, u.Location)
		}
		reason(reasonReceiver, "calls of which is not known what they reach", places)
	}
	for _, n := range s.nodes {
		for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
			f := g.FileOf(d)
			if g.Family(f) == "" || g.State(f) != graph.StateRead {
				return Completeness{Status: Unknown, Reasons: []Reason{{Code: reasonLanguage, Message: g.Path(f) + " is not read, so that nothing is known of what it calls", Count: 1, Examples: []Location{{File: g.Path(f)}}}}}
			}
			if g.DocFlags(f)&(code.DocBroken|code.DocOutline) != 0 {
				reason(reasonPartlyRead, "only a part of the file could be read", []Location{{File: g.Path(f)}})
			}
		}
	}
	return c
}
