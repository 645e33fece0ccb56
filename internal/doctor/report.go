package doctor

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// counts is how many findings there are of each severity, worst first, in words.
func (r *Report) counts() string {
	var out []string
	for _, s := range Severities() {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(out) == 0 {
		return "nothing was found"
	}
	return strings.Join(out, ", ")
}

// Summary is the report in one sentence.
func (r *Report) Summary() string {
	s := fmt.Sprintf("%d checks of database %s on PostgreSQL %s as %s: %s", r.Checks, r.Database, r.Server, r.Role, r.counts())
	if n := len(r.Skipped); n > 0 {
		s += fmt.Sprintf("; %d not looked at", n)
	}
	return s
}

// Markdown writes the report as a page for a colleague.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Database report: %s\n\n%s.\n", cell(r.Database), cell(r.Summary()))
	for _, severity := range Severities() {
		head := false
		for _, f := range r.Findings {
			if f.Severity != severity {
				continue
			}
			if !head {
				fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(string(severity[:1]))+string(severity[1:]))
				head = true
			}
			fmt.Fprintf(&b, "\n### %s: %s\n\n%s.\n\n- evidence: %s\n- why: %s\n- breaks: %s\n", f.ID, cell(f.Object), f.Title, cell(f.Evidence), f.Cause, f.Breaks)
			if len(f.Fix.SQL) == 0 {
				fmt.Fprintf(&b, "- to do: %s\n", cell(f.Fix.Advice))
			} else {
				fmt.Fprintf(&b, "- fix (%s, by %s, lock %s, %s):\n\n%s\n", f.Fix.Safety, cell(f.Fix.Role), cell(f.Fix.Lock), cell(f.Fix.DryRun), fence(strings.Join(f.Fix.SQL, ";\n")+";"))
			}
		}
	}
	if len(r.Skipped) > 0 {
		b.WriteString("\n## Not looked at\n\n| check | object | why |\n|---|---|---|\n")
		for _, k := range r.Skipped {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", k.ID, cell(k.Object), cell(k.Reason))
		}
	}
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

var page = template.Must(template.New("report").Funcs(template.FuncMap{"lines": func(s []string) string { return strings.Join(s, ";\n") + ";" }}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Database report: {{.Database}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}h2{font-size:1.1rem;margin:1.6rem 0 .3rem}pre{background:#f3f4f6;padding:.8rem;overflow-x:auto}dt{font-weight:600}dd{margin:0 0 .3rem}.critical,.high{color:#a4151c}.medium{color:#7a4b00}table{border-collapse:collapse}td,th{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}</style></head><body>
<h1>Database report: {{.Database}}</h1><p>{{.Summary}}.</p>
{{range .Findings}}<h2><span class="{{.Severity}}">{{.Severity}}</span> {{.ID}}: {{.Object}}</h2><p>{{.Title}}.</p>
<dl><dt>Evidence</dt><dd>{{.Evidence}}</dd><dt>Why</dt><dd>{{.Cause}}</dd><dt>Breaks</dt><dd>{{.Breaks}}</dd>
{{if .Fix.SQL}}<dt>Fix ({{.Fix.Safety}}, by {{.Fix.Role}}, lock {{.Fix.Lock}}, {{.Fix.DryRun}})</dt><dd><pre>{{lines .Fix.SQL}}</pre></dd><dt>Undo</dt><dd><pre>{{.Fix.Undo}}</pre></dd>{{else}}<dt>To do</dt><dd>{{.Fix.Advice}}</dd>{{end}}</dl>
{{end}}{{if .Skipped}}<h2>Not looked at</h2><table><tr><th>Check</th><th>Object</th><th>Why</th></tr>{{range .Skipped}}<tr><td>{{.ID}}</td><td>{{.Object}}</td><td>{{.Reason}}</td></tr>{{end}}</table>{{end}}
</body></html>
`))

// HTML writes the report as a page that needs nothing else.
func (r *Report) HTML(w io.Writer) error { return page.Execute(w, r) }

// The parts of SARIF 2.1.0 that a report needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Results     []sarifResult     `json:"results"`
		Invocations []sarifInvocation `json:"invocations"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		FullDescription  sarifText `json:"fullDescription"`
		Help             sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		// A finding keeps its identity over runs, so that a viewer knows what is new.
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Logical []sarifLogical `json:"logicalLocations"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
)

// SARIF writes the report in the format that code scanners exchange, version 2.1.0.
func (r *Report) SARIF(w io.Writer) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "manito db doctor", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	for _, c := range Checks() {
		i := c.Describe()
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{i.ID, sarifText{i.Title}, sarifText{i.Cause + ". " + i.Breaks}, sarifText{i.Advice}})
	}
	for _, f := range r.Findings {
		level := "note"
		if f.Severity.AtLeast(High) {
			level = "error"
		} else if f.Severity == Medium {
			level = "warning"
		}
		run.Results = append(run.Results, sarifResult{f.ID, level, sarifText{f.Title + ": " + f.Object + ": " + f.Evidence},
			[]sarifLocation{{[]sarifLogical{{r.Database + "." + f.Object, "object"}}}}, map[string]string{"manito/v1": f.ID + " " + f.Object}})
	}
	notes := []sarifNotification{}
	for _, k := range r.Skipped {
		notes = append(notes, sarifNotification{"note", sarifText{strings.TrimSpace(k.ID+" "+k.Object) + ": " + k.Reason}})
	}
	run.Invocations = []sarifInvocation{{true, notes}}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
