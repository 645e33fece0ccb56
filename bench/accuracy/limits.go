package main

import "fmt"

// limit is what a language's figures, summed over its packages, must reach, in per cent.
type limit struct {
	importsRight, importsFound float64
	callsRight, callsFound     float64
	refuted                    float64 // at most this share of the answers that say complete
}

// limits are the promises, by language. Calls are those that the judge resolves
// statically in the repository; no type checker is used on our side.
func limits() map[string]limit {
	return map[string]limit{
		"go":         {importsRight: 99, importsFound: 99, callsRight: 97, callsFound: 85, refuted: 1},
		"typescript": {importsRight: 99, importsFound: 99, callsRight: 97, callsFound: 80, refuted: 1},
		"python":     {importsRight: 99, importsFound: 99, callsRight: 95, callsFound: 70, refuted: 1},
	}
}

// total are the figures of one language.
type total struct {
	language                   string
	importsRight, importsFound share // of modules and names together
	callsRight, callsFound     share
	judged, dispatch           share
	complete, refuted          share // refuted of complete
}

// totals sums packages by language, in the order in which the languages come.
func totals(all []*scores) []*total {
	var out []*total
	at := map[string]*total{}
	for _, s := range all {
		t := at[s.Language]
		if t == nil {
			t = &total{language: s.Language}
			at[s.Language] = t
			out = append(out, t)
		}
		t.importsRight.plus(s.Imports.Right)
		t.importsRight.plus(s.Names.Right)
		t.importsFound.plus(s.Imports.Found)
		t.importsFound.plus(s.Names.Found)
		t.callsRight.plus(s.Calls.Right)
		t.callsFound.plus(s.Calls.Found)
		t.judged.plus(s.Calls.Judged)
		t.dispatch.plus(s.Dispatch.Found)
		t.complete.plus(share{s.Completeness.Complete, s.Completeness.Asked})
		t.refuted.plus(share{s.Completeness.Refuted, s.Completeness.Complete})
	}
	return out
}

// breaches lists the promises that a language's figures break.
func (t *total) breaches() []string {
	l := limits()[t.language]
	var out []string
	least := func(what string, s share, least float64) {
		if s.All == 0 || s.of() < least {
			out = append(out, fmt.Sprintf("%s: %s: %s, at least %g %% are promised", t.language, what, s, least))
		}
	}
	least("import edges that are right", t.importsRight, l.importsRight)
	least("imports that are found", t.importsFound, l.importsFound)
	least("call edges that are right", t.callsRight, l.callsRight)
	least("static calls that are found", t.callsFound, l.callsFound)
	if t.refuted.All > 0 && t.refuted.of() > l.refuted {
		out = append(out, fmt.Sprintf("%s: complete answers that are refuted: %s, at most %g %% are promised", t.language, t.refuted, l.refuted))
	}
	return out
}
