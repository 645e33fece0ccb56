package doctor

import (
	"strings"
	"testing"
)

const adopted = "an adoption is of a whole database, with all its repositories"

// accepted are what the doctor says about a healthy database, and why that stays.
var accepted = map[string]string{
	"SET-03":                     "pg_stat_statements needs a restart, which is the operator's to choose",
	"SEQ-05 manito.repo.repo_id": "two thousand million repositories are enough; the number is part of every key",
	"CONN-04":                    "the pool sets statement_timeout for each session",
	"SCL-01 manito.search_log":   "one search can go over all repositories",

	"SEQ-05 manito.adoption.adoption_id": "a database is adopted once or twice in its life",
	"SCL-01 manito.adoption":             adopted,
	"SCL-01 manito.adopted_table":        adopted,
	"SCL-01 manito.adopted_project":      adopted,
	"SCL-01 manito.adopted_row":          adopted,
	"SCL-01 manito.adopted_rest":         adopted,
}

// TestHealthy is the figure that a doctor is judged by: on what is well it says nothing.
func TestHealthy(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	for _, schema := range []string{"shop", p.Schema, ""} {
		opt := p.options()
		opt.Schema = schema
		r := examine(t, opt)
		for _, f := range r.Findings {
			why := accepted[f.ID]
			if why == "" {
				why = accepted[f.ID+" "+strings.Replace(f.Object, quote(p.Schema)+".", "manito.", 1)]
			}
			if f.Severity.AtLeast(High) || why == "" {
				t.Errorf("schema %q: %s %s of %s: %s", schema, f.Severity, f.ID, f.Object, f.Evidence)
			}
		}
		for _, k := range r.Skipped {
			if !k.ByDesign {
				t.Errorf("schema %q: not looked at: %+v", schema, k)
			}
		}
	}
}
