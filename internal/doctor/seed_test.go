package doctor

import (
	"os"
	"strings"
	"testing"
	"time"
)

// seeded is a database in the state of the audit.
func seeded(t *testing.T) (*patient, Options) {
	t.Helper()
	p := newPatient(t)
	text, err := os.ReadFile("testdata/seed.sql")
	if err != nil {
		t.Fatal(err)
	}
	p.exec(t, string(text))
	return p, Options{DSN: p.Admin, Schema: "manito_dev"}
}

// rows is a checksum over every row of the tables whose rows the doctor has no business with.
func (p *patient) rows(t *testing.T) string {
	t.Helper()
	var out string
	if err := p.conn.QueryRow(t.Context(), `select md5(string_agg(t.x, ',' order by t.x)) from (
		select 'p' || x::text from manito_dev.projects x union all select 'f' || x::text from manito_dev.files x
		union all select 'n' || x::text from manito_dev.graph_nodes x union all select 'e' || x::text from manito_dev.graph_edges x
		union all select 'm' || id || coalesce(description, '') || coalesce(checksum, '') || applied_at from manito_dev.migrations) t(x)`).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// everyDefect is what the audit lists, as the doctor names it.
var everyDefect = []struct{ id, object string }{
	{"OWN-01", "table manito_dev.graph_nodes"}, {"OWN-01", "table manito_dev.graph_edges"}, {"OWN-01", "table manito_dev.code_chunks"},
	{"OWN-01", "table manito_dev.embeddings"}, {"OWN-01", "table manito_dev.diagnostics"}, {"OWN-01", "table manito_dev.symbol_references"},
	{"OWN-01", "function manito_dev.search_code_chunks*"}, {"OWN-01", "function manito_dev.find_symbol_definitions*"},
	{"OWN-01", "function manito_dev.find_symbol_references*"}, {"OWN-01", "function manito_dev.get_dependency_graph*"},
	{"PRIV-01", "manito_dev.graph_nodes for doctor_test_dev"},
	{"MIG-04", "manito_dev.migrations 001_initial_schema"}, {"MIG-11", "manito_dev.migrations"},
	{"FUN-03", "manito_dev.calculate_text_similarity*"}, {"FUN-01", "manito_dev.search_projects*"}, {"FUN-02", "manito_dev.global_search*"},
	{"FUN-01", "manito_dev.search_code_chunks*"}, {"FUN-03", "manito_dev.find_symbol_definitions*"}, {"FUN-01", "manito_dev.find_symbol_references*"}, {"FUN-01", "manito_dev.get_dependency_graph*"},
	{"PATH-01", "role doctor_test_dev*"}, {"PATH-05", "schema manito_dev"},
	{"KEY-02", "manito_dev.scans.*"}, {"KEY-02", "manito_dev.files.*"}, {"KEY-02", "manito_dev.dependencies.*"}, {"KEY-02", "manito_dev.conflicts.*"},
	{"KEY-05", "id in schema manito_dev"}, {"IDX-02", "manito_dev.graph_nodes_type"}, {"IDX-02", "manito_dev.graph_edges_from"},
	{"TYPE-01", "manito_dev.projects"}, {"TYPE-03", "manito_dev.embeddings.embedding"}, {"SEQ-05", "manito_dev.projects.id"},
}

func (r *Report) has(id, object string) bool {
	for _, f := range r.Findings {
		if prefix, ok := strings.CutSuffix(object, "*"); f.ID == id && (f.Object == object || ok && strings.HasPrefix(f.Object, prefix)) {
			return true
		}
	}
	return false
}

// TestAudit finds everything that the audit lists, mends it without touching a row, and has nothing left to say that matters.
func TestAudit(t *testing.T) {
	t.Parallel()
	p, opt := seeded(t)
	opt.DryRun = time.Minute
	r := examine(t, opt)
	for _, d := range everyDefect {
		if !r.has(d.id, d.object) {
			t.Errorf("%s of %s was not found", d.id, d.object)
		}
	}
	for _, f := range r.Findings {
		if f.Severity.AtLeast(High) && f.Fix.Safety == Advice {
			t.Errorf("%s of %s cannot be fixed: %s", f.ID, f.Object, f.Evidence)
		}
		if strings.HasPrefix(f.Fix.DryRun, "failed") {
			t.Errorf("%s of %s: %s", f.ID, f.Object, f.Fix.DryRun)
		}
	}
	before := p.rows(t)
	if before != p.rows(t) {
		t.Fatal("the checksum is not stable")
	}
	after := apply(t, opt, ApplyOptions{NoBackup: true})
	for _, f := range after.Findings {
		if f.Severity.AtLeast(High) {
			t.Errorf("left: %s %s of %s: %s", f.Severity, f.ID, f.Object, f.Evidence)
		}
	}
	if got := p.rows(t); got != before {
		t.Errorf("rows changed: %s, was %s", got, before)
	}
	for _, a := range after.Actions {
		if a.Outcome == "rolled back" {
			t.Errorf("%s of %s: rolled back: %s", a.ID, a.Object, a.Reason)
		}
	}
}
