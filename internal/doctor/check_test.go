package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestChecks takes each check through the life of its finding: silent before, found,
// explained, tried, cleared, undone, and nothing left to do a second time.
func TestChecks(t *testing.T) {
	t.Parallel()
	for _, b := range cases {
		t.Run(strings.TrimSuffix(b.id+" "+b.name, " "), func(t *testing.T) {
			t.Parallel()
			life(t, b)
		})
	}
}

func life(t *testing.T, b broken) {
	p := newPatient(t)
	opt := p.options(b.id)
	if b.stored {
		p.scan(t)
		opt.Schema = p.Schema
	}
	if b.options != nil {
		b.options(&opt)
	}
	object := p.names(b.object)
	if f := examine(t, opt).find(object); f != nil {
		t.Fatalf("found before it was broken: %s", f.Evidence)
	}
	p.exec(t, b.sql)
	if b.sqlAfter != "" {
		p.exec(t, b.sqlAfter)
	}

	opt.DryRun, opt.Hold = time.Minute, time.Minute
	r := examine(t, opt)
	f := r.find(object)
	if f == nil {
		t.Fatalf("%s was not found: %+v, skipped %+v", object, r.Findings, r.Skipped)
	}
	if f.ID != b.id || !strings.Contains(f.Evidence, b.evidence) {
		t.Errorf("%s: evidence %q, want %q in it", f.ID, f.Evidence, b.evidence)
	}
	if f.Title == "" || f.Cause == "" || f.Breaks == "" || !slices.Contains(Severities(), f.Severity) {
		t.Errorf("not explained: %+v", f)
	}
	for _, as := range p.lesser(b) {
		if opt.DSN != p.Admin {
			break // the case is about one role
		}
		less := opt
		less.DSN, less.DryRun = as, 0
		r := examine(t, less)
		seen := slices.ContainsFunc(r.Findings, func(g Finding) bool { return g.Object == f.Object })
		said := slices.ContainsFunc(r.Skipped, func(k Skipped) bool { return k.Reason != "" && !k.ByDesign })
		if !seen && !said {
			t.Errorf("%s neither finds it nor says what it lacks: %+v, skipped %+v", r.Role, r.Findings, r.Skipped)
		}
	}
	if b.clean != "" {
		p.exec(t, b.clean)
		if f := examine(t, opt).find(object); f != nil {
			t.Fatalf("still found after it was mended: %s", f.Evidence)
		}
		return
	}
	if len(f.Fix.SQL) == 0 || f.Fix.Role == "" || f.Fix.Lock == "" || f.Fix.Undo == "" || f.Fix.Verify == "" {
		t.Fatalf("the fix is not complete: %+v", f.Fix)
	}
	if f.Fix.DryRun != "ok" && !strings.HasPrefix(f.Fix.DryRun, "not dry-run: it cannot run inside") && !strings.HasPrefix(f.Fix.DryRun, "not dry-run: a rollback") {
		t.Fatalf("dry run: %s\n%s", f.Fix.DryRun, strings.Join(f.Fix.SQL, "\n"))
	}
	if f := examine(t, opt).find(object); f == nil {
		t.Fatal("the dry run changed the database")
	}
	if f.Fix.Safety == Guarded {
		if r := apply(t, opt, ApplyOptions{}); r.find(object) == nil {
			t.Fatal("a guarded fix was applied without a backup")
		}
	}
	r = apply(t, opt, ApplyOptions{NoBackup: true})
	if f := r.find(object); f != nil {
		t.Fatalf("still found after the fix: %s; %+v", f.Evidence, r.Actions)
	}
	if again := apply(t, opt, ApplyOptions{NoBackup: true}); slices.ContainsFunc(again.Actions, func(a Action) bool { return a.Outcome == "applied" }) {
		t.Errorf("a second time something was applied: %+v", again.Actions)
	}
	if b.undo {
		p.exec(t, f.Fix.Undo)
		if examine(t, opt).find(object) == nil {
			t.Errorf("the undo did not bring it back: %s", f.Fix.Undo)
		}
	}
}

// lesser are the addresses of roles with fewer rights than the superuser's: the owner of
// what is broken, and the program.
func (p *patient) lesser(b broken) []string {
	if b.stored {
		return []string{p.Admin + " options='-c role=" + p.Roles.Owner + "'", p.App}
	}
	return []string{p.Admin + " options='-c role=" + owner + "'", p.as(app)}
}

func apply(t *testing.T, opt Options, how ApplyOptions) *Report {
	t.Helper()
	r, err := Apply(t.Context(), opt, how)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// find is the finding of an object; a name that ends with * stands for any that begins so.
func (r *Report) find(object string) *Finding {
	for i, f := range r.Findings {
		if prefix, ok := strings.CutSuffix(object, "*"); f.Object == object || ok && strings.HasPrefix(f.Object, prefix) {
			return &r.Findings[i]
		}
	}
	return nil
}
