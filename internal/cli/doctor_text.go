package cli

import (
	"fmt"
	"strings"

	"manito/internal/doctor"
)

// printReport shows the report as text: the findings, worst first and those of a kind
// together, what was done, what could not be looked at, and at the end, where a terminal
// shows it, what it comes to. With the plan, each fix is shown in full.
func (a *app) printReport(r *doctor.Report, plan bool) error {
	p := a.printer()
	for _, g := range r.Groups() {
		mark := p.yellow
		if g.Severity.AtLeast(doctor.High) {
			mark = func(s string) string { return p.paint("31", s) }
		}
		p.line("%s %s %s", mark(string(g.Severity)), p.faint(g.ID), p.bold(g.Title))
		p.line("  why       %s", g.Cause)
		p.line("  breaks    %s", g.Breaks)
		for _, f := range g.Findings {
			p.finding(f)
		}
		p.line("")
	}
	if plan && len(r.Plan) > 0 {
		p.line("%s", p.bold("plan, in this order"))
		for i, s := range r.Plan {
			p.step(i+1, s)
		}
		p.line("")
	}
	p.skipped("not looked at", r.Missed())
	p.skipped("left alone by design", r.LeftAlone())
	for _, x := range r.Actions {
		if x.Outcome != "applied" && x.Reason != "" && x.Outcome != "not applied" {
			p.line("%s %s: %s: %s", p.yellow(x.Outcome), x.ID, x.Object, x.Reason)
		}
	}
	p.line("%s", r.Verdict())
	p.line("%s", r.Summary())
	return p.flush()
}

// finding shows one object of a kind of finding, and the beginning of its fix.
func (p *printer) finding(f doctor.Finding) {
	p.line("  %s", p.bold(f.Object))
	p.line("    evidence  %s", f.Evidence)
	if len(f.Fix.SQL) == 0 {
		p.line("    to do     %s", f.Fix.Advice)
		return
	}
	first, rest := strings.SplitN(f.Fix.SQL[0], "\n", 2)[0], ""
	if first != f.Fix.SQL[0] || len(f.Fix.SQL) > 1 {
		rest = " …"
	}
	p.line("    fix       %s;%s %s", first, rest, p.faint(string(f.Fix.Safety)+", "+f.Fix.DryRun))
}

// step shows one step of the plan in full.
func (p *printer) step(n int, s doctor.Step) {
	const indent = "\n            "
	p.line("%s", p.bold(fmt.Sprintf("%3d. %s %s", n, s.ID, s.Object)))
	p.line("  fix       %s", strings.ReplaceAll(s.Script(), "\n", indent))
	p.line("  by        %s; lock: %s; %s", s.Role, s.Lock, s.Safety)
	p.line("  undo      %s", strings.ReplaceAll(strings.TrimSpace(s.Undo), "\n", indent))
	p.line("  tried     %s", s.DryRun)
}

func (p *printer) skipped(head string, all []doctor.Skipped) {
	if len(all) == 0 {
		return
	}
	p.line("%s", p.bold(head))
	var rows [][]string
	for _, k := range all {
		rows = append(rows, []string{k.ID, k.Object, p.faint(k.Reason)})
	}
	p.table("  ", rows)
	p.line("")
}
