package migrate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"manito/internal/problem"
)

// TestMigrationValidation: every way in which files and ledger can come to contradict each other is named, says
// what to do, and keeps Up and Down from running.
func TestMigrationValidation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(fstest.MapFS)
		sql    string
		code   string
		text   string
		fix    string
		state  State
	}{
		{"file edited", func(f fstest.MapFS) { f["00002_b.sql"].Data = append(f["00002_b.sql"].Data, " \n"...) }, "",
			"edited", "00002_b.sql was applied", "--accept-checksum 2", StateInconsistent},
		{"file renamed", func(f fstest.MapFS) { f["00002_better.sql"] = f["00002_b.sql"]; delete(f, "00002_b.sql") }, "",
			"renamed", "was applied under the name 00002_b.sql", "rename the file back to 00002_b.sql", StateInconsistent},
		{"file renumbered", func(f fstest.MapFS) { f["00004_c.sql"] = f["00003_c.sql"]; f["00003_c.sql"] = file("select 1") }, "",
			"edited", "00003_c.sql was applied", "restore the file", StateInconsistent},
		{"file gone at the end", func(f fstest.MapFS) { delete(f, "00003_c.sql") }, "",
			"newer", "older than the database", "a newer one", StateNewer},
		{"file replaced by the next", func(f fstest.MapFS) {
			f["00003_b.sql"] = f["00002_b.sql"]
			f["00002_b.sql"] = f["00003_c.sql"]
			delete(f, "00003_c.sql")
		}, "",
			"edited", "00002_b.sql was applied", "restore the file", StateInconsistent},
		{"checksum edited in the ledger", nil, "update manito.migration set checksum = sha256('x') where version = 2",
			"edited", "or the ledger was", "--accept-checksum 2", StateInconsistent},
		{"name edited in the ledger", nil, "update manito.migration set name = '00001_x.sql' where version = 1",
			"renamed", "under the name 00001_x.sql", "rename", StateInconsistent},
		{"transaction edited in the ledger", nil, "update manito.migration set in_transaction = true where version = 2",
			"ledger", "edited by hand", "UPDATE migration SET in_transaction = false WHERE version = 2", StateInconsistent},
		{"version edited in the ledger", nil, "update manito.migration set version = 9 where version = 3",
			"newer", "00003_c.sql (version 9)", "newer one", StateNewer},
		{"row lost in the middle", nil, "delete from manito.migration where version = 2",
			"out-of-order", "00002_b.sql is not applied, but version 3 is", "--mark-applied 2", StateInconsistent},
		{"foreign row", nil, "insert into manito.migration (version, name, checksum, in_transaction, duration_ms, app_version) values (7, '00007_x.sql', sha256('x'), true, 0, 'manito 9')",
			"newer", "00007_x.sql", "manito 9", StateNewer},
	}
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				h := newHouse(t, c, "manito")
				if _, err := h.migrator("manito", sqlFiles(simple)).Up(t.Context()); err != nil {
					t.Fatal(err)
				}
				files := sqlFiles(simple)
				if tt.change != nil {
					tt.change(files)
				}
				if tt.sql != "" {
					exec1(t, c.connect(t, "postgres", h.database), tt.sql)
				}
				m := h.migrator("manito", files)
				before := one[string](t, c.connect(t, "postgres", h.database), "select string_agg(m::text, ',' order by version) from manito.migration m")
				for name, call := range map[string]func() error{
					"up":    func() error { _, err := m.Up(t.Context()); return err },
					"down":  func() error { _, err := m.Down(t.Context(), DownOptions{AllowDataLoss: true}); return err },
					"plan":  func() error { _, err := m.Plan(t.Context()); return err },
					"drift": func() error { _, err := m.Drift(t.Context(), DriftOptions{}); return err },
					"check": func() error { return m.Check(t.Context()) },
				} {
					err := call()
					fails(t, err, problem.Invalid, tt.text)
					if fixes := strings.Join(problem.Fixes(err), "\n"); !strings.Contains(fixes, tt.fix) {
						t.Errorf("%s: the fixes are %q, want %q", name, fixes, tt.fix)
					}
				}
				st, err := m.Status(t.Context())
				if err != nil || st.State != tt.state || len(st.Findings) == 0 || st.Findings[0].Code != tt.code || !strings.Contains(st.Findings[0].Fix, tt.fix) {
					t.Errorf("status: %s %+v, %v", st.State, st.Findings, err)
				}
				v, err := m.Validate(t.Context())
				if err != nil || !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Code == tt.code }) {
					t.Errorf("validate: %+v, %v", v.Findings, err)
				}
				if after := one[string](t, c.connect(t, "postgres", h.database), "select string_agg(m::text, ',' order by version) from manito.migration m"); after != before {
					t.Errorf("the ledger was changed: %s", after)
				}
			})
		}
	})
}

// A file that is gone from the middle, with the numbers behind it still there, is a gap
// in the files already.
func TestFileMissingInTheMiddle(t *testing.T) {
	t.Parallel()
	files := sqlFiles(simple)
	delete(files, "00002_b.sql")
	_, err := New(Config{DSN: "host=/nowhere", Files: files}).Up(t.Context())
	fails(t, err, problem.Invalid, "00003_c.sql follows 00001_a.sql")
	got := compare([]File{{Version: 3, Name: "00003_c.sql"}}, []Applied{{Version: 2, Name: "00002_b.sql"}, {Version: 3, Name: "00003_c.sql", Checksum: Checksum{}.String()}})
	if len(got) == 0 || got[0].Code != "missing" || !strings.Contains(got[0].Fix, "restore 00002_b.sql") {
		t.Errorf("got %+v", got)
	}
}

func file(sql string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql + ";\n-- +goose Down\n" + sql + ";\n")}
}

// The states that a database passes through, as the app sees them at its start.
func TestCheckStates(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		state := func(m *Migrator) State {
			t.Helper()
			err := m.Check(t.Context())
			if err == nil {
				return StateCurrent
			}
			var st *StateError
			if !errors.As(err, &st) {
				t.Fatalf("no state: %v", err)
			}
			if len(problem.Fixes(err)) == 0 {
				t.Errorf("%v: no fix", err)
			}
			return st.State
		}
		want := func(m *Migrator, s State) {
			t.Helper()
			if got := state(m); got != s {
				t.Errorf("state %s, want %s (%v)", got, s, m.Check(t.Context()))
			}
			if rep, err := m.Status(t.Context()); err != nil || rep.State != s || (rep.Message == "") != (s == StateCurrent) {
				t.Errorf("status %+v, %v, want %s", rep, err, s)
			}
		}
		empty := c.database(t)
		want(New(Config{DSN: c.dsn("postgres", empty), Files: sqlFiles(simple)}), StateUninitialised)

		h := newHouse(t, c, "manito")
		files := sqlFiles(simple)
		app := New(Config{DSN: c.dsn(h.roles.App, h.database), Files: files})
		want(app, StatePending)
		if _, err := h.migrator("manito", files).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(app, StateCurrent)
		files["00004_bad.sql"] = file("create table ok (); create table broken (;")
		files["00005_next.sql"] = file("select 1")
		app = New(Config{DSN: c.dsn(h.roles.App, h.database), Files: files})
		want(app, StatePending)
		rep, err := h.migrator("manito", files).Up(t.Context())
		fails(t, err, problem.Invalid, "00004_bad.sql, line 2, failed; nothing of this file was applied")
		if len(rep.Applied) != 0 || rep.To != 3 {
			t.Errorf("report: %+v", rep)
		}
		if one[bool](t, c.connect(t, "postgres", h.database), "select to_regclass('manito.ok') is not null") {
			t.Error("the failed migration left a table")
		}
		want(app, StateFailed)
		files["00004_bad.sql"] = file("select 1")
		if rep, err := h.migrator("manito", files).Up(t.Context()); err != nil || len(rep.Applied) != 2 {
			t.Fatalf("the corrected file: %+v, %v", rep, err)
		}
		want(New(Config{DSN: c.dsn(h.roles.App, h.database), Files: files}), StateCurrent)
		exec1(t, c.connect(t, "postgres", h.database), "drop extension pg_trgm")
		want(New(Config{DSN: c.dsn(h.roles.App, h.database), Files: files}), StateUninitialised)
	})
}

// The history of attempts is only ever added to, even by its owner.
func TestHistoryStays(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		if _, err := h.migrator("manito", sqlFiles(simple)).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		owner := c.connect(t, "postgres", h.database)
		exec1(t, owner, "set role "+quote(h.roles.Owner)+"; set search_path to manito")
		denied(t, owner, "23000", "delete from migration_attempt")
		denied(t, owner, "23000", "truncate migration_attempt")
		denied(t, owner, "23000", "update migration_attempt set outcome = 'failed'")
		exec1(t, owner, "insert into migration_repair (action, reason) values ('test', 'test')")
		denied(t, owner, "23000", "update migration_repair set reason = ''")
		denied(t, owner, "23000", "delete from migration_repair")
		denied(t, owner, "23514", "insert into migration (version, name, checksum, in_transaction, duration_ms, app_version) values (0, '', sha256(''), true, 0, '')")
	})
}

// Dry runs report and change nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "Odd Schema")
		watch := c.connect(t, "postgres", h.database)
		dump := func() string {
			return one[string](t, watch, "select string_agg(relname, ',' order by relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname not in ('pg_catalog', 'pg_toast', 'information_schema')") +
				one[string](t, watch, "select string_agg(nspname, ',' order by nspname) from pg_namespace")
		}
		exec1(t, watch, "create table public.x ()")
		before := dump()
		m := h.migrator("Odd Schema", sqlFiles(simple))
		rep, err := m.UpWith(t.Context(), UpOptions{DryRun: true})
		if err != nil || len(rep.Steps) != 3 || len(rep.Applied) != 0 || rep.To != 3 {
			t.Fatalf("%+v, %v", rep, err)
		}
		if s := rep.Steps[0]; s.Statements[0].SQL != `create table a (id bigint primary key, body text not null default '"Odd Schema"')` || s.Statements[0].Line != 2 || s.DataLoss || !s.Transaction {
			t.Errorf("step: %+v", s)
		}
		if after := dump(); after != before {
			t.Errorf("the dry run left %s", after)
		}
		plan, err := m.Plan(t.Context())
		if err != nil || len(plan.Steps) != 3 || plan.From != 0 || plan.To != 3 {
			t.Fatalf("%+v, %v", plan, err)
		}
		if _, err := m.UpWith(t.Context(), UpOptions{To: 2}); err != nil {
			t.Fatal(err)
		}
		before = dump()
		down, err := m.Down(t.Context(), DownOptions{DryRun: true})
		if err != nil || len(down.Steps) != 2 || down.Steps[0].Version != 2 || !down.Steps[1].DataLoss || down.To != 0 {
			t.Fatalf("%+v, %v", down, err)
		}
		_, err = m.Down(t.Context(), DownOptions{})
		fails(t, err, problem.Usage, "drops tables or columns")
		_, err = m.Down(t.Context(), DownOptions{To: 9})
		fails(t, err, problem.NotFound, "no applied version 9")
		_, err = m.UpWith(t.Context(), UpOptions{To: 9})
		fails(t, err, problem.NotFound, "no migration with version 9")
		if after := dump(); after != before {
			t.Errorf("refusals left %s", after)
		}
		bad := maps.Clone(sqlFiles(simple))
		bad["00003_c.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nselect 1;\nalter table a\n add column id int;\n-- +goose Down\nselect 1;\n")}
		_, err = h.migrator("Odd Schema", bad).UpWith(t.Context(), UpOptions{DryRun: true})
		fails(t, err, problem.Invalid, "00003_c.sql, line 3, failed in a scratch schema")
	})
}

func TestIrreversible(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		files := sqlFiles(map[string]string{
			"00001_a.sql": simple["00001_a.sql"],
			"00002_m.sql": "-- irreversible: the rows of both tables are mixed\n-- +goose Up\nupdate a set body = '';\n",
			"00003_x.sql": "-- +goose Up\ncreate table x ();\n-- +goose Down\ndrop table x;\n",
		})
		m := h.migrator("manito", files)
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := m.Down(t.Context(), DownOptions{To: 1, AllowDataLoss: true})
		fails(t, err, problem.Unsupported, "cannot be undone: the rows of both tables are mixed")
		if rep, err := m.Down(t.Context(), DownOptions{To: Previous, AllowDataLoss: true}); err != nil || rep.To != 2 || len(rep.Undone) != 1 {
			t.Errorf("%+v, %v", rep, err)
		}
	})
}

func TestRepair(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		setup := func(t *testing.T) (house, *Migrator, func(string)) {
			h := newHouse(t, c, "manito")
			m := h.migrator("manito", sqlFiles(simple))
			if _, err := m.Up(t.Context()); err != nil {
				t.Fatal(err)
			}
			admin := c.connect(t, "postgres", h.database)
			return h, m, func(sql string) { exec1(t, admin, sql) }
		}
		repair := func(t *testing.T, m *Migrator, o RepairOptions, actions ...string) *RepairReport {
			t.Helper()
			o.DryRun = true
			dry, err := m.Repair(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			o.DryRun = false
			rep, err := m.Repair(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var got, planned []string
			for i, a := range rep.Actions {
				got = append(got, a.Action)
				planned = append(planned, dry.Actions[i].Action)
				if !a.Done || dry.Actions[i].Done || a.SQL == "" || a.SQL != dry.Actions[i].SQL {
					t.Errorf("action %+v, dry %+v", a, dry.Actions[i])
				}
			}
			if !slices.Equal(got, actions) || !slices.Equal(planned, actions) {
				t.Errorf("actions %v, planned %v, want %v", got, planned, actions)
			}
			if again, err := m.Repair(t.Context(), RepairOptions{}); err != nil || len(again.Actions) > 0 {
				t.Errorf("again: %+v, %v", again, err)
			}
			return rep
		}
		t.Run("nothing", func(t *testing.T) {
			_, m, _ := setup(t)
			repair(t, m, RepairOptions{})
		})
		t.Run("abandoned attempt", func(t *testing.T) {
			h, m, sql := setup(t)
			sql("insert into manito.migration_attempt (version, name, direction, host, pid, backend_pid, app_version) values (3, 'x', 'up', 'h', 1, 1, '')")
			repair(t, m, RepairOptions{}, "abandon")
			if n := one[int](t, c.connect(t, "postgres", h.database), "select count(*) from manito.migration_repair where action = 'abandon'"); n != 1 {
				t.Errorf("%d rows of history", n)
			}
		})
		t.Run("edited file", func(t *testing.T) {
			h, _, _ := setup(t)
			files := sqlFiles(simple)
			files["00002_b.sql"].Data = append(files["00002_b.sql"].Data, "-- a comment\n"...)
			m := h.migrator("manito", files)
			_, err := m.Repair(t.Context(), RepairOptions{AcceptChecksum: []int64{2}})
			fails(t, err, problem.Usage, "needs a reason")
			_, err = m.Repair(t.Context(), RepairOptions{AcceptChecksum: []int64{9}, Reason: "x"})
			fails(t, err, problem.NotFound, "version 9")
			if rep, err := m.Repair(t.Context(), RepairOptions{}); err != nil || len(rep.Actions) > 0 {
				t.Errorf("a checksum is not accepted by itself: %+v, %v", rep, err)
			}
			repair(t, m, RepairOptions{AcceptChecksum: []int64{2}, Reason: "only a comment"}, "accept-checksum")
			if err := m.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if got := one[string](t, c.connect(t, "postgres", h.database), "select reason || before::text from manito.migration_repair"); !strings.Contains(got, "only a comment") || !strings.Contains(got, "checksum") {
				t.Errorf("history: %s", got)
			}
		})
		t.Run("lost row", func(t *testing.T) {
			_, m, sql := setup(t)
			sql("delete from manito.migration where version = 2")
			repair(t, m, RepairOptions{MarkApplied: []int64{2}, Reason: "the row was deleted by hand"}, "mark-applied")
			if err := m.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if rep, err := m.Down(t.Context(), DownOptions{To: 1, AllowDataLoss: true}); err != nil || len(rep.Undone) != 2 || rep.Undone[0].Version != 3 {
				t.Errorf("down in order of version: %+v, %v", rep, err)
			}
		})
		t.Run("lost row, catalogue differs", func(t *testing.T) {
			_, m, sql := setup(t)
			sql("delete from manito.migration where version = 2; drop index manito.a_body")
			_, err := m.Repair(t.Context(), RepairOptions{MarkApplied: []int64{2}, Reason: "x"})
			fails(t, err, problem.Conflict, "ADD index a_body")
			_, err = m.Repair(t.Context(), RepairOptions{MarkApplied: []int64{2, 9}, Reason: "x"})
			fails(t, err, problem.NotFound, "version 9")
		})
		// The predecessor's malady: a migration is recorded as failed although everything it
		// makes is there.
		t.Run("failed but applied", func(t *testing.T) {
			h, m, sql := setup(t)
			sql("delete from manito.migration where version = 3")
			sql("insert into manito.migration_attempt (version, name, direction, host, pid, backend_pid, app_version, outcome, ended_at, error) values (3, '00003_c.sql', 'up', 'h', 1, 1, '', 'failed', now(), 'duplicate key')")
			if st, err := m.Status(t.Context()); err != nil || st.State != StateFailed {
				t.Errorf("%+v, %v", st, err)
			}
			repair(t, m, RepairOptions{}, "mark-applied")
			if err := m.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if got := one[string](t, c.connect(t, "postgres", h.database), "select before::text from manito.migration_repair where action = 'mark-applied'"); !strings.Contains(got, "duplicate key") {
				t.Errorf("the failed attempt is not archived: %s", got)
			}
		})
		t.Run("failed and not applied", func(t *testing.T) {
			_, m, sql := setup(t)
			sql("delete from manito.migration where version = 3; drop function manito.twice(int)")
			sql("insert into manito.migration_attempt (version, name, direction, host, pid, backend_pid, app_version, outcome, ended_at) values (3, '00003_c.sql', 'up', 'h', 1, 1, '', 'failed', now())")
			repair(t, m, RepairOptions{})
		})
		// Rows do not show in a catalogue: such a file is never marked by itself.
		t.Run("failed with rows", func(t *testing.T) {
			h, _, sql := setup(t)
			files := sqlFiles(simple)
			files["00004_d.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table d (i int);\ninsert into d values (1);\n-- +goose Down\ndrop table d;\n")}
			m := h.migrator("manito", files)
			sql(fmt.Sprintf("set role %s; create table manito.d (i int); reset role", quote(h.roles.Owner)))
			sql("insert into manito.migration_attempt (version, name, direction, host, pid, backend_pid, app_version, outcome, ended_at) values (4, '00004_d.sql', 'up', 'h', 1, 1, '', 'failed', now())")
			repair(t, m, RepairOptions{})
			repair(t, m, RepairOptions{MarkApplied: []int64{4}, Reason: "the row was inserted by hand"}, "mark-applied")
		})
		t.Run("invalid indexes", func(t *testing.T) {
			h, m, sql := setup(t)
			sql("update pg_index set indisvalid = false where indexrelid = 'manito.a_body'::regclass")
			sql(fmt.Sprintf("set role %s; create index a_body_ccnew on manito.a (body); reset role", quote(h.roles.Owner)))
			sql("update pg_index set indisvalid = false, indisready = false where indexrelid = 'manito.a_body_ccnew'::regclass")
			if st, err := m.Status(t.Context()); err != nil || len(st.Invalid) != 2 {
				t.Errorf("%+v, %v", st.Invalid, err)
			}
			repair(t, m, RepairOptions{}, "reindex", "drop-index")
			if rep, err := m.Drift(t.Context(), DriftOptions{}); err != nil || len(rep.Changes) > 0 {
				t.Errorf("%+v, %v", rep, err)
			}
			sql("delete from manito.migration where version in (2, 3); update pg_index set indisvalid = false where indexrelid = 'manito.a_body'::regclass")
			repair(t, m, RepairOptions{}, "drop-index")
		})
	})
}

// A build that was broken off leaves an invalid index; the next run clears it away.
func TestInvalidIndexIsRebuilt(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		m := h.migrator("manito", sqlFiles(simple))
		if _, err := m.UpWith(t.Context(), UpOptions{To: 1}); err != nil {
			t.Fatal(err)
		}
		admin := c.connect(t, "postgres", h.database)
		// Uniqueness that does not hold breaks a concurrent build off in a natural way.
		_, err := admin.Exec(t.Context(), "create unique index concurrently a_body on manito.a (body)")
		if sqlstate(err) != "23505" {
			t.Fatal(err)
		}
		exec1(t, admin, "alter table manito.a owner to "+quote(h.roles.Owner))
		if _, err := m.UpWith(t.Context(), UpOptions{To: 2}); err != nil {
			t.Fatal(err)
		}
		if got := one[string](t, admin, "select indisvalid || pg_get_indexdef(indexrelid) from pg_index where indexrelid = 'manito.a_body'::regclass"); got != "trueCREATE INDEX a_body ON manito.a USING btree (body)" {
			t.Errorf("the index is %s", got)
		}
		// An index of the name on another table is nobody's to drop.
		if _, err := m.Down(t.Context(), DownOptions{To: 1}); err != nil {
			t.Fatal(err)
		}
		exec1(t, admin, "create table manito.b (body text); create index a_body on manito.b (body)")
		_, err = m.UpWith(t.Context(), UpOptions{To: 2})
		fails(t, err, problem.Conflict, "on another table")
	})
}

// A file without transaction that cannot be undone stays applied, with its row as it was.
func TestFailedDownWithoutTransaction(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		m := h.migrator("manito", sqlFiles(map[string]string{
			"00001_a.sql": simple["00001_a.sql"],
			"00002_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\ncreate unique index concurrently if not exists a_key on a (id, body);\n-- +goose Down\ndrop index concurrently if exists a_key;\n",
		}))
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		admin := c.connect(t, "postgres", h.database)
		exec1(t, admin, "alter table manito.a add constraint a_key unique using index a_key")
		row := one[string](t, admin, "select m::text from manito.migration m where version = 2")
		_, err := m.Down(t.Context(), DownOptions{To: Previous})
		fails(t, err, problem.Invalid, "00002_b.sql, line 5, failed")
		if after := one[string](t, admin, "select m::text from manito.migration m where version = 2"); after != row {
			t.Errorf("the ledger row was %s and is %s", row, after)
		}
	})
}

// A commit that fails is a failed attempt, and applies nothing.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		m := h.migrator("manito", sqlFiles(map[string]string{
			"00001_a.sql": "-- +goose Up\ncreate table a (id int primary key, b int references a deferrable initially deferred);\ninsert into a values (1, 2);\n-- +goose Down\ndrop table a;\n",
		}))
		_, err := m.Up(t.Context())
		fails(t, err, problem.Invalid, "00001_a.sql could not be committed")
		st, err := m.Status(t.Context())
		if err != nil || st.State != StateFailed || st.Version != 0 || len(st.Attempts) != 1 || st.Attempts[0].Outcome != "failed" {
			t.Errorf("%+v, %v", st, err)
		}
	})
}
