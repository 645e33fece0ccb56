package doctor

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the report as a page for a colleague.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Database report: %s\n\n%s\n\n%s.\n\n", cell(r.Database), r.Verdict(), cell(r.Summary()))
	b.WriteString("| | |\n|---|---|\n")
	fmt.Fprintf(&b, "| examined | %s |\n| server | PostgreSQL %s |\n| as role | %s |\n", r.At.UTC().Format("2006-01-02 15:04 MST"), cell(r.Server), cell(r.Role))
	for _, s := range r.Schemas {
		fmt.Fprintf(&b, "| schema %s | owned by %s; programs run as %s |\n", cell(s.Name), cell(s.Owner), cell(firstOf(strings.Join(s.App, ", "), "nobody that is known")))
	}
	for _, c := range r.Counts() {
		fmt.Fprintf(&b, "| %s | %d |\n", c.Severity, c.N)
	}
	fmt.Fprintf(&b, "| not looked at | %d, and %d by design |\n", len(r.Missed()), len(r.LeftAlone()))
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n%s.\n", cell(n))
	}
	last := Severity("")
	for _, g := range r.Groups() {
		if g.Severity != last {
			last = g.Severity
			fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(string(last[:1]))+string(last[1:]))
		}
		fmt.Fprintf(&b, "\n### %s: %s\n\n- why: %s\n- breaks: %s\n", g.ID, cell(g.Title), cell(g.Cause), cell(g.Breaks))
		for _, f := range g.Findings {
			fmt.Fprintf(&b, "\n**%s**: %s", cell(f.Object), cell(f.Evidence))
			if len(f.Fix.SQL) == 0 {
				fmt.Fprintf(&b, "  \nto do: %s\n", cell(f.Fix.Advice))
			} else {
				fmt.Fprintf(&b, "\n\n%s\n", fence(f.Fix.Script()))
			}
		}
	}
	if len(r.Plan) > 0 {
		b.WriteString("\n## Plan\n\nIn this order. *Guarded* steps change rows or bodies or build something big, and want a backup first.\n\n| step | check | object | role | lock | safety | tried |\n|---|---|---|---|---|---|---|\n")
		for i, s := range r.Plan {
			fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s |\n", i+1, s.ID, cell(s.Object), cell(s.Role), cell(s.Lock), s.Safety, cell(s.DryRun))
		}
		b.WriteString("\n<details><summary>Undo of each step</summary>\n")
		for i, s := range r.Plan {
			fmt.Fprintf(&b, "\n%d. %s %s\n\n%s\n", i+1, s.ID, cell(s.Object), fence(s.Undo))
		}
		b.WriteString("\n</details>\n")
	}
	if len(r.Actions) > 0 {
		b.WriteString("\n## What was done\n\n| check | object | outcome | |\n|---|---|---|---|\n")
		for _, a := range r.Actions {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", a.ID, cell(a.Object), a.Outcome, cell(firstOf(a.Reason, a.Backup)))
		}
	}
	skipped := func(head, what string, all []Skipped) {
		if len(all) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| check | object | why |\n|---|---|---|\n", head, what)
		for _, k := range all {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", k.ID, cell(k.Object), cell(k.Reason))
		}
	}
	skipped("Not looked at", "This may be wrong all the same: what is missing is named.", r.Missed())
	skipped("Left alone by design", "Looking at this would have had effects, or does not apply here.", r.LeftAlone())
	_, err := io.WriteString(w, b.String())
	return err
}

// fence puts text into a code block that the text cannot end.
func fence(text string) string {
	f := "```"
	for strings.Contains(text, f) {
		f += "`"
	}
	return f + "sql\n" + text + "\n" + f
}

// cell makes a text safe inside of a Markdown line or table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "`", "\\`", "[", `\[`).Replace(s)
}
