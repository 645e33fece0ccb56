package doctor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// needsManito are the cases that only a database with Manito's own schema has.
func (b broken) needsManito() bool { return b.stored || strings.Contains(b.sql, "MANITO") }

// TestMajors runs the checks on every server that is installed, the old ones among them:
// each has to understand every probe, to be silent about the healthy shop, to see what is
// broken, and to find the defects of the audit.
func TestMajors(t *testing.T) {
	t.Parallel()
	var common int
	if err := newPatient(t).conn.QueryRow(t.Context(), "select current_setting('server_version_num')::int4 / 10000").Scan(&common); err != nil {
		t.Fatal(err)
	}
	for _, p := range programs(t) {
		t.Run(fmt.Sprintf("pg%d", p.major), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, p)
			m.init(t, "")
			m.start(t)
			healthy := m.patient(t, "healthy")
			r := examine(t, healthy.options())
			if len(r.Skipped) == 0 || r.Checks != len(Checks()) {
				t.Errorf("%d of %d checks ran", r.Checks, len(Checks()))
			}
			understood(t, r)
			for _, f := range r.Findings {
				switch f.ID {
				case "SET-03", "SET-04", "DUR-01": // no pg_stat_statements; a full disk; fsync is off to be fast
				case "VER-01":
					if p.major >= 15 {
						t.Errorf("%s of %s: %s", f.ID, f.Object, f.Evidence)
					}
				default:
					if f.ID == "PRIV-04" && f.Object == "schema public" && p.major < 15 || f.ID == "TLS-04" && p.major < 14 {
						continue // what newer versions mended
					}
					t.Errorf("found in health: %s of %s: %s", f.ID, f.Object, f.Evidence)
				}
			}
			old := r.find("server")
			if ends, err := time.Parse(time.DateOnly, endOfLife[p.major]); err != nil || time.Now().After(ends) != (old != nil && old.ID == "VER-01" && old.Severity == High) {
				t.Errorf("end of life of %d on %s: %+v, %v", p.major, ends, old, err)
			}

			sick := m.patient(t, "sick")
			text, err := os.ReadFile("testdata/seed.sql")
			if err != nil {
				t.Fatal(err)
			}
			seed := string(text)
			if p.major < 13 { // which brought this function
				seed = strings.ReplaceAll(seed, "gen_random_uuid()", "md5(random()::text)::uuid")
			}
			sick.exec(t, seed)
			r = examine(t, Options{DSN: sick.Admin, Schema: "manito_dev"})
			understood(t, r)
			for _, d := range everyDefect {
				if !r.has(d.id, d.object) {
					t.Errorf("%s of %s was not found", d.id, d.object)
				}
			}
			if p.major == common {
				return // TestChecks takes every case through its life on this version
			}
			for i, b := range cases {
				if b.needsManito() || b.since > p.major {
					continue
				}
				t.Run(strings.TrimSuffix(b.id+" "+b.name, " "), func(t *testing.T) {
					patient := m.patient(t, fmt.Sprintf("case%d", i))
					opt := patient.options(b.id)
					opt.DSN = patient.Admin
					if b.options != nil {
						b.options(&opt)
					}
					patient.exec(t, b.sql)
					if b.sqlAfter != "" {
						patient.exec(t, b.sqlAfter)
					}
					r := examine(t, opt)
					if f := r.find(patient.names(b.object)); f == nil || !strings.Contains(f.Evidence, b.evidence) {
						t.Errorf("%s was not found: %+v, skipped %+v", patient.names(b.object), r.Findings, r.Skipped)
					}
				})
			}
		})
	}
}

// understood fails for what a check could not look at, other than by its own decision.
func understood(t *testing.T, r *Report) {
	t.Helper()
	for _, k := range r.Skipped {
		if !k.ByDesign {
			t.Errorf("not looked at: %+v", k)
		}
	}
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Title == "" || f.Cause == "" || f.Breaks == "" }) {
		t.Error("a finding is not explained")
	}
}
