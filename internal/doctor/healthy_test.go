package doctor

import "testing"

// TestHealthy is the figure that a doctor is judged by: on what is well it says nothing.
func TestHealthy(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	for _, schema := range []string{"shop", p.Schema, ""} {
		opt := p.options()
		opt.Schema = schema
		r := examine(t, opt)
		for _, f := range r.Findings {
			t.Logf("%q %s %s %s: %s", schema, f.Severity, f.ID, f.Object, f.Evidence)
			if f.Severity.AtLeast(High) {
				t.Errorf("schema %q: %s %s of %s: %s", schema, f.Severity, f.ID, f.Object, f.Evidence)
			}
		}
		for _, k := range r.Skipped {
			t.Logf("%q skipped %s %s: %s", schema, k.ID, k.Object, k.Reason)
		}
	}
}
