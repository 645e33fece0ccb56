package doctor

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// psql runs a file on a database and returns what it printed.
func psql(t *testing.T, dsn, file string) (string, error) {
	t.Helper()
	program, err := exec.LookPath("psql")
	if err != nil {
		t.Fatalf("psql is needed (Debian: apt-get install postgresql-client): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-X", "-q", "-At", "-d", dsn, "-f", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out) + stderr.String()), err
}

// TestPlanFiles runs the written plan of the audit's database with psql, file by file,
// each with the rights of the role that it is for, and examines again.
func TestPlanFiles(t *testing.T) {
	t.Parallel()
	p, opt := seeded(t)
	opt.DryRun, opt.Hold = time.Minute, time.Minute
	r := examine(t, opt)
	dir := t.TempDir()
	files, err := r.WritePlan(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v: %v", files, err)
	}
	if _, err := r.WritePlan(dir); err == nil {
		t.Error("an earlier plan was overwritten")
	}
	readme, err := os.ReadFile(filepath.Join(dir, planReadme))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !bytes.Contains(readme, []byte("psql -X -d DATABASE -f "+f)) {
			t.Errorf("%s does not name %s", planReadme, f)
		}
	}
	verify := filepath.Join(dir, planVerify)
	if out, err := psql(t, p.Admin, verify); err != nil || out == "" {
		t.Errorf("the verify queries see nothing in a sick database: %v %s", err, out)
	}
	if out, err := psql(t, p.as(app), filepath.Join(dir, files[0])); err == nil || !strings.Contains(out, "for a superuser") {
		t.Errorf("a role without the right ran the superuser's file: %v %s", err, out)
	}
	elsewhere := newPatient(t)
	if out, err := psql(t, elsewhere.Admin, filepath.Join(dir, files[0])); err == nil || !strings.Contains(out, "for another database") {
		t.Errorf("the plan ran in another database: %v %s", err, out)
	}
	before := p.rows(t)
	for _, f := range files {
		if out, err := psql(t, p.Admin, filepath.Join(dir, f)); err != nil {
			text, _ := os.ReadFile(filepath.Join(dir, f)) // for the message only
			t.Fatalf("%s: %v\n%s\n%s", f, err, out, text)
		}
	}
	if got := p.rows(t); got != before {
		t.Errorf("rows changed: %s, was %s", got, before)
	}
	if out, err := psql(t, p.Admin, verify); err != nil || out != "" {
		t.Errorf("the verify queries are not silent afterwards: %v\n%s", err, out)
	}
	after := examine(t, opt)
	for _, f := range after.Findings {
		// What the plan mended may not come back in another shape either.
		if f.Severity.AtLeast(High) || len(f.Fix.SQL) > 0 && f.Fix.Safety != Advice {
			t.Errorf("left: %s %s of %s: %s", f.Severity, f.ID, f.Object, f.Evidence)
		}
	}
}

// TestPlanOrder keeps a step of another role from running before what it builds on, and
// gives what has a new owner by then to that owner.
func TestPlanOrder(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.exec(t, `alter table shop.orders owner to doctor_test_other; create index orders_again on shop.orders (customer_id)`)
	r := examine(t, p.options("OWN-01", "IDX-02"))
	i := slices.IndexFunc(r.Plan, func(s Step) bool { return s.ID == "OWN-01" })
	j := slices.IndexFunc(r.Plan, func(s Step) bool { return s.ID == "IDX-02" })
	if i < 0 || j < i || r.Plan[j].Role != owner {
		t.Errorf("%+v", r.Plan)
	}
	if f := r.find("shop.orders_again"); f != nil && f.Fix.Role != other {
		t.Errorf("before the plan the index belongs to %s, the finding says %s", other, f.Fix.Role)
	}
}

func TestPlanQuotes(t *testing.T) {
	t.Parallel()
	s := planScript{role: `r"; drop table x; --`, steps: []Step{{ID: "X-01", Object: "a\nb; drop table x", Fix: Fix{SQL: []string{"SELECT 1"}, Undo: "SELECT 2;\nSELECT 3", Lock: "l\n\\! rm", Safety: Safe, Transaction: true}}}}
	for line := range strings.Lines(s.text("d$plan$\n\\! x")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "--"), strings.HasPrefix(line, "SET "), line == `\set ON_ERROR_STOP on`, line == "BEGIN;", line == "SELECT 1;", line == "COMMIT;":
		case strings.HasPrefix(line, "DO $plan_$BEGIN IF current_database() <> E'd$plan$"), strings.HasPrefix(line, `\\! x`):
		default:
			t.Errorf("a line that runs: %q", line)
		}
	}
	if !strings.Contains(s.text("d"), `SET ROLE "r""; drop table x; --";`) {
		t.Error("the role is not quoted")
	}
}
