package doctor

import (
	"slices"
	"strings"
	"testing"
)

// TestMissingRights examines one sick database as roles with fewer and fewer rights: what
// the superuser finds, each of them finds too or says that it could not look.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	p, opt := seeded(t)
	p.exec(t, "insert into manito_dev.projects (id, name, path) values (900, 'x', '/x'); insert into manito_dev.files (project_id, file_path, content) values (1, 'y', '[object Object]'); create table manito_dev.heap (id int); alter table manito_dev.heap owner to doctor_test_dev; alter table manito_dev.heap set unlogged")
	all := examine(t, opt)
	for _, must := range []string{"SEQ-01", "DATA-01", "MIG-04", "FUN-01", "DUR-02"} {
		if !slices.ContainsFunc(all.Findings, func(f Finding) bool { return f.ID == must }) {
			t.Fatalf("the superuser does not find %s", must)
		}
	}
	for _, role := range []string{dev, clapp, other} {
		t.Run(role, func(t *testing.T) {
			as := opt
			as.DSN = p.as(role)
			r := examine(t, as)
			for _, f := range all.Findings {
				looked := slices.ContainsFunc(r.Findings, func(g Finding) bool { return g.ID == f.ID && g.Object == f.Object })
				if looked || slices.ContainsFunc(r.Skipped, func(k Skipped) bool {
					return k.ID == f.ID && (k.Object == "" || strings.HasPrefix(f.Object, k.Object)) && k.Reason != ""
				}) {
					continue
				}
				t.Errorf("%s of %s is neither found nor skipped: %s", f.ID, f.Object, f.Evidence)
			}
			if !r.Incomplete() {
				t.Error("it says that it has looked at everything")
			}
			if role == other && !slices.ContainsFunc(r.Skipped, func(k Skipped) bool { return strings.HasPrefix(k.Reason, "missing right") }) {
				t.Error("no right is named as missing")
			}
		})
	}
}

// TestForecast has a role without the right try the plan: it says so and names who may.
func TestForecast(t *testing.T) {
	t.Parallel()
	p, opt := seeded(t)
	opt.DSN, opt.Only, opt.DryRun = p.as(dev), []string{"OWN"}, 1e10
	r := examine(t, opt)
	f := r.find("table manito_dev.graph_nodes")
	if f == nil || !strings.Contains(f.Fix.DryRun, "must be owner of table graph_nodes") || f.Fix.Role != "superuser" {
		t.Errorf("%+v", f)
	}
	if r.find("objects of doctor_test_clapp") == nil {
		t.Errorf("OWN-03 is silent: %+v", r.Findings)
	}
	done := apply(t, opt, ApplyOptions{NoBackup: true})
	for _, a := range done.Actions {
		if a.Outcome == "applied" {
			t.Errorf("applied %+v", a)
		}
	}
}

// TestNames examines schemas and objects with the names that break a program which does not quote.
func TestNames(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.exec(t, `create schema "Odd "" Schema"; create table "Odd "" Schema"."t'; drop table x; --" (id serial primary key, "a b" text);
		alter table "Odd "" Schema"."t'; drop table x; --" owner to doctor_test_other; create unique index "Idx '" on "Odd "" Schema"."t'; drop table x; --" ("a b");
		create index "Idx 2" on "Odd "" Schema"."t'; drop table x; --" ("a b"); insert into "Odd "" Schema"."t'; drop table x; --" values (77, '[object Object]')`)
	opt := p.options()
	opt.Schema, opt.Owner = `Odd " Schema`, owner
	opt.DryRun = 1e11
	r := examine(t, opt)
	for _, want := range []string{"OWN-01", "SEQ-01", "IDX-02"} {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == want }) {
			t.Errorf("%s is silent", want)
		}
	}
	for _, k := range r.Skipped {
		if !k.ByDesign {
			t.Errorf("skipped %+v", k)
		}
	}
	for _, f := range r.Findings {
		if strings.HasPrefix(f.Fix.DryRun, "failed") {
			t.Errorf("%s of %s: %s\n%v", f.ID, f.Object, f.Fix.DryRun, f.Fix.SQL)
		}
	}
	after := apply(t, opt, ApplyOptions{NoBackup: true})
	for _, f := range after.Findings {
		if f.Severity.AtLeast(High) && f.Fix.Safety != Advice {
			t.Errorf("left: %s of %s: %s; %+v", f.ID, f.Object, f.Evidence, after.Actions)
		}
	}
}
