package main

import (
	"context"
	"errors"
	"fmt"

	"manito/internal/code"
	"manito/internal/codeintel"
	"manito/internal/problem"
)

// completeness is how the answers to "who calls this" stand up to the judge, for
// every function and method of the package.
type completeness struct {
	Asked      int `json:"asked"`
	Complete   int `json:"complete"`
	LowerBound int `json:"lower_bound"`
	Unknown    int `json:"unknown"`
	// Refuted counts answers that say complete although the judge knows a call that is not among them.
	Refuted  int      `json:"refuted"`
	Examples []string `json:"examples"`
	// Reasons counts the answers that are not complete by the reasons they give.
	Reasons map[string]int `json:"reasons"`
}

// callersKey is for each thing the places where the judge sees a call that reaches
// it or, through a method that it stands in for, may reach it.
func (s *scorer) callersKey() map[string]map[place]bool {
	direct := map[string]map[place]bool{}
	for p, c := range s.calls {
		if c.class != classStatic && c.class != classDispatch {
			continue
		}
		for _, t := range s.things(c.targets) {
			if direct[t] == nil {
				direct[t] = map[place]bool{}
			}
			direct[t][p] = true
		}
	}
	out := map[string]map[place]bool{}
	for t, ps := range direct {
		out[t] = map[place]bool{}
		for p := range ps {
			out[t][p] = true
		}
	}
	for i := range s.key.files {
		f := &s.key.files[i]
		for _, o := range f.overrides {
			t := s.thing(place{f.path, o.line, o.column})
			if out[t] == nil {
				out[t] = map[place]bool{}
			}
			for p := range direct[s.thing(o.target)] {
				out[t][p] = true
			}
		}
	}
	return out
}

// complete asks for the callers of everything that can be called.
func (s *scorer) complete(ctx context.Context) error {
	x, err := s.l.index(ctx)
	if err != nil {
		return err
	}
	want := s.callersKey()
	out := completeness{Reasons: map[string]int{}}
	for i := range s.key.files {
		n := s.l.byPath[s.key.files[i].path]
		f := &s.l.files[n]
		for d := range f.doc.Defs {
			def := &f.doc.Defs[d]
			if !def.Kind.Callable() || def.Flags&code.DefOverload != 0 {
				continue
			}
			node, ok := x.Graph().Find(f.out.Keys[d])
			if !ok {
				return fmt.Errorf("%s: %s is not in the graph", s.key.files[i].path, f.doc.QualifiedName(code.DefID(d)))
			}
			answer, err := x.Callers(ctx, codeintel.CallersInput{Symbol: x.Graph().Symbol(node), Limit: -1})
			if err != nil {
				var p *problem.Error
				if errors.As(err, &p) {
					return fmt.Errorf("callers of %s: %w", x.Graph().Symbol(node), err)
				}
				return err
			}
			out.count(answer, s.l.at(n, def.NameStart), want[s.thing(s.l.at(n, def.NameStart))])
		}
	}
	s.out.Completeness = out
	return nil
}

func (c *completeness) count(answer *codeintel.Callers, at place, want map[place]bool) {
	c.Asked++
	for _, r := range answer.Completeness.Reasons {
		c.Reasons[r.Code]++
	}
	switch answer.Completeness.Status {
	case codeintel.LowerBound:
		c.LowerBound++
		return
	case codeintel.Unknown:
		c.Unknown++
		return
	}
	c.Complete++
	listed := map[place]bool{}
	for _, caller := range answer.Callers {
		for _, call := range caller.Calls {
			listed[place{call.File, call.Line, call.Column}] = true
		}
	}
	for p := range want {
		if !listed[p] {
			c.Refuted++
			if len(c.Examples) < maxExamples {
				c.Examples = append(c.Examples, fmt.Sprintf("%s %s: the judge sees a call at %s", at, answer.Symbol.QualifiedName, p))
			}
			return
		}
	}
}
