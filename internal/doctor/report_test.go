package doctor

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"html"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// reports are what faces may have to write: a sick database, a healthy one, one that could
// not be looked at, and one whose names are written to break the format.
func reports(t *testing.T) map[string]*Report {
	t.Helper()
	p, opt := seeded(t)
	opt.DryRun, opt.Hold = time.Minute, time.Minute
	blind := opt
	blind.DSN, blind.DryRun = p.as(other), 0
	healthy := newPatient(t)
	hostile := `x</td><script>alert(1)</script>|` + "`" + ` *a* [l](http://x) & "q" ` + "\n# head\n```\n"
	nasty := examine(t, healthy.options("OWN"))
	nasty.Database = hostile
	nasty.Findings = []Finding{{ID: "OWN-01", Severity: Critical, Title: "t", Object: hostile, Evidence: hostile, Cause: "c", Breaks: "b",
		Fix: Fix{Safety: Safe, SQL: []string{hostile}, Role: hostile, Lock: hostile, Undo: hostile, DryRun: hostile, Transaction: true}}}
	nasty.Plan = []Step{{"OWN-01", hostile, nasty.Findings[0].Fix}}
	nasty.Skipped = []Skipped{{ID: "OWN-02", Object: hostile, Reason: hostile}, {ID: "OWN-02", Object: hostile, Reason: hostile, ByDesign: true}}
	nasty.Actions = []Action{{ID: "OWN-01", Object: hostile, Outcome: "rolled back", Reason: hostile}}
	nasty.Notes = []string{hostile}
	return map[string]*Report{"sick": examine(t, opt), "healthy": examine(t, healthy.options()), "blind": examine(t, blind), "hostile": nasty}
}

// TestReports writes every report in every format.
func TestReports(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	all := reports(t)
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			var sarif, markdown, page bytes.Buffer
			for write, to := range map[*bytes.Buffer]func(io.Writer) error{&sarif: r.SARIF, &markdown: r.Markdown, &page: r.HTML} {
				if err := to(write); err != nil {
					t.Fatal(err)
				}
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(sarif.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("SARIF: %v", err)
			}
			wellFormed(t, page.Bytes())
			shown := html.UnescapeString(page.String())
			for _, f := range r.Findings {
				for _, must := range []string{f.ID, f.Title, f.Object, f.Evidence} {
					if !strings.Contains(markdown.String(), cell(must)) || !strings.Contains(shown, must) {
						t.Errorf("%q is missing", must)
					}
				}
			}
			for _, k := range r.Skipped {
				if !strings.Contains(markdown.String(), cell(k.Reason)) || !strings.Contains(shown, k.Reason) {
					t.Errorf("what was not looked at is missing: %+v", k)
				}
			}
			if planned := strings.Contains(markdown.String(), "\n## Plan\n"); planned != (len(r.Plan) > 0) {
				t.Errorf("a plan of %d steps, shown: %v", len(r.Plan), planned)
			}
		})
	}
	hostile := all["hostile"]
	var markdown, page bytes.Buffer
	if err := hostile.Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if err := hostile.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "<script") {
		t.Error("a name became a part of the page")
	}
	fenced := false
	for line := range strings.Lines(markdown.String()) {
		if strings.HasPrefix(line, "````") {
			fenced = !fenced
		} else if !fenced && (strings.Contains(line, "<script") || strings.HasPrefix(line, "# head") || strings.HasPrefix(line, "```")) {
			t.Errorf("a name became a part of the page: %q", line)
		}
	}

	// A schema that takes anything would prove nothing.
	for _, broken := range []string{`{"version":"2.1.0"}`, `{"version":"2.0.0","runs":[]}`, `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{}}]}]}`} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(broken))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("the schema takes %s", broken)
		}
	}
}

// wellFormed holds a page to the strictness of XML: every element is closed, in order.
func wellFormed(t *testing.T, page []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Errorf("HTML: %v", err)
			return
		}
	}
}

// TestGroups loses nothing and repeats nothing.
func TestGroups(t *testing.T) {
	t.Parallel()
	r := &Report{Findings: []Finding{{ID: "A-01", Object: "x", Severity: High, Cause: "one"}, {ID: "A-01", Object: "y", Severity: High, Cause: "two"}, {ID: "A-01", Object: "z", Severity: High, Cause: "one"}, {ID: "A-01", Object: "w", Severity: Low, Cause: "one"}}}
	text, err := json.Marshal(r.Groups())
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, g := range r.Groups() {
		sizes = append(sizes, len(g.Findings))
	}
	if len(sizes) != 3 || sizes[0] != 2 || sizes[1] != 1 || sizes[2] != 1 {
		t.Errorf("%v %s", sizes, text)
	}
	if got := r.Counts(); len(got) != 2 || got[0] != (Count{High, 3}) || got[1] != (Count{Low, 1}) {
		t.Errorf("%v", got)
	}
}
