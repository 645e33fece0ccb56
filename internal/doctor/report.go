package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Count is how many findings there are of one severity.
type Count struct {
	Severity Severity
	N        int
}

// Counts are the findings by severity, worst first, without those that there are none of.
func (r *Report) Counts() []Count {
	var out []Count
	for _, s := range Severities() {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			out = append(out, Count{s, n})
		}
	}
	return out
}

// counts is Counts in words.
func (r *Report) counts() string {
	var out []string
	for _, c := range r.Counts() {
		out = append(out, fmt.Sprintf("%d %s", c.N, c.Severity))
	}
	if len(out) == 0 {
		return "nothing was found"
	}
	return strings.Join(out, ", ")
}

// Summary is the report in one sentence.
func (r *Report) Summary() string {
	s := fmt.Sprintf("%d checks of database %s on PostgreSQL %s as %s: %s", r.Checks, r.Database, r.Server, r.Role, r.counts())
	if n := len(r.Missed()); n > 0 {
		s += fmt.Sprintf("; %d not looked at", n)
	}
	if n := len(r.LeftAlone()); n > 0 {
		s += fmt.Sprintf("; %d left alone by design", n)
	}
	return s
}

// Verdict is what the findings come to, in a sentence for somebody who reads no further.
func (r *Report) Verdict() string {
	var s string
	switch {
	case r.Worst(Critical):
		s = "Something is broken or data is at risk: the critical findings come first"
	case r.Worst(High):
		s = "It works, and will break or can be broken into: see the high findings"
	case r.Worst(Low):
		s = "It works; what was found costs time or hides the next failure"
	case r.Incomplete():
		s = "Nothing is wrong with what could be looked at"
	default:
		s = "Nothing is wrong"
	}
	if r.Incomplete() {
		s += ". Some things could not be looked at, and may be wrong"
	}
	return s + "."
}

// Group is the findings of one check that have severity, cause and consequence in common.
type Group struct {
	ID                   string
	Severity             Severity
	Title, Cause, Breaks string
	Findings             []Finding
}

// Groups are the findings, worst first, those of one kind together.
func (r *Report) Groups() []Group {
	var out []Group
	for _, f := range r.Findings {
		i := slices.IndexFunc(out, func(g Group) bool {
			return g.ID == f.ID && g.Severity == f.Severity && g.Title == f.Title && g.Cause == f.Cause && g.Breaks == f.Breaks
		})
		if i < 0 {
			i = len(out)
			out = append(out, Group{ID: f.ID, Severity: f.Severity, Title: f.Title, Cause: f.Cause, Breaks: f.Breaks})
		}
		out[i].Findings = append(out[i].Findings, f)
	}
	return out
}

// Missed is what could not be looked at and should have been, and LeftAlone what the
// doctor leaves alone by itself.
func (r *Report) Missed() []Skipped { return r.skipped(false) }

// LeftAlone is what the doctor does not look at by design, such as a function that acts
// outside of its transaction.
func (r *Report) LeftAlone() []Skipped { return r.skipped(true) }

func (r *Report) skipped(design bool) (out []Skipped) {
	for _, k := range r.Skipped {
		if k.ByDesign == design {
			out = append(out, k)
		}
	}
	return out
}

// Script is the SQL of a fix as people run it.
func (f Fix) Script() string { return strings.Join(f.SQL, ";\n") + ";" }
