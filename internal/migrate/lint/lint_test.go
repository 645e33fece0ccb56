package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"manito/internal/migrate"
)

const base = `-- +goose Up
create table old (repo_id int4 not null, id bigint not null, body text, primary key (repo_id, id));
create table other (id bigint primary key);
create type mood as enum ('good');
create materialized view counts as select count(*) as n from old;
-- +goose Down
drop materialized view counts;
drop type mood;
drop table other;
drop table old;
`

// lintUp lints a second file with the given Up part, after one that made some tables.
func lintUp(t *testing.T, up string, transaction bool) *Report {
	t.Helper()
	text := "-- +goose Up\n" + up + ";\n-- +goose Down\nselect 1;\n"
	if !transaction {
		text = "-- +goose NO TRANSACTION\n-- +goose Up\n" + up + ";\n-- +goose Down\nvacuum old;\n"
	}
	rep, err := Run(t.Context(), fstest.MapFS{
		"00001_base.sql": &fstest.MapFile{Data: []byte(base)},
		"00002_next.sql": &fstest.MapFile{Data: []byte(text)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func codes(rep *Report) []string {
	out := []string{}
	for _, f := range rep.Findings {
		if !slices.Contains(out, f.Code) {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return out
}

func TestRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		up    string
		codes string // sorted, joined by spaces
	}{
		{"create tabel x ()", "syntax"},
		{"alter table old add column x int", ""},
		{"alter table old add column x int not null default 1", ""},
		{"alter table old add column x timestamptz not null default now()", ""},
		{"alter table old add column x uuid default gen_random_uuid()", "column-default"},
		{"alter table old add column x timestamptz default clock_timestamp()", "column-default"},
		{"alter table old add column x bigint generated always as identity", "column-default"},
		{"alter table old add column x serial", "column-default type"},
		{"alter table old add column x int not null", "column-not-null"},
		{"alter table old add column x text generated always as (body || 'x') stored", "generated"},
		{"alter table old alter column body set not null", "not-null"},
		{"alter table old add constraint c foreign key (id) references other", "constraint"},
		{"alter table old add constraint c foreign key (id) references other not valid", ""},
		{"alter table old add column x bigint references other", "constraint"},
		{"alter table old add constraint c check (id > 0)", "constraint"},
		{"alter table old add constraint c check (id > 0) not valid", ""},
		{"alter table old validate constraint c", ""},
		{"alter table old add constraint c unique (repo_id, id)", "unique"},
		{"alter table old add constraint c unique using index i", ""},
		{"alter table old add constraint c exclude (id with =)", "exclusion"},
		{"create index i on old (id)", "index"},
		{"drop index i", "index"},
		{"reindex index i", "index"},
		{"alter table old alter column id type numeric", "type-change"},
		{"alter table old rename to older", "rename"},
		{"alter table old rename column id to no", "rename"},
		{"alter table old set schema x", "rename"},
		{"alter type mood rename value 'good' to 'fine'", "rename"},
		{"drop table old", "drop"},
		{"drop view v", "drop"},
		{"drop function f(int)", "drop"},
		{"drop type mood", "drop"},
		{"drop table old cascade", "cascade drop"},
		{"alter table old drop column body", "drop"},
		{"alter table old alter column id drop not null", "drop"},
		{"truncate old", "truncate"},
		{"truncate old cascade", "cascade truncate"},
		{"cluster old", "rewrite"},
		{"alter table old set logged", "rewrite"},
		{"refresh materialized view counts", "rewrite"},
		{"refresh materialized view concurrently counts", ""},
		{"lock table old", "lock"},
		{"alter table old add column x int; alter table other add column x int", "many-locks"},
		{"alter table old attach partition other default", "partition"},
		{"alter table old detach partition other", "partition"},
		{"create trigger x before insert on old for each row execute function f()", "trigger"},
		{"create table x (); insert into other values (1)", "rows-and-objects"},
		{"create table x (i int); insert into x values (1)", ""},
		{"update old set body = ''", ""},
		{"create unlogged table x ()", "unlogged"},
		{"alter table old set unlogged", "unlogged"},
		{"set local synchronous_commit = off", "durability"},
		{"create table public.x ()", "schema-name"},
		{"select * from manito_prod.old", "schema-name"},
		{"create table {{schema}}.x ()", ""},
		{"select * from pg_catalog.pg_class", ""},
		{"create role x", "privileged"},
		{"alter table old owner to {{app}}", "privileged"},
		{"create extension hstore", "privileged"},
		{"grant {{owner}} to {{app}}", "privileged"},
		{"alter default privileges grant select on tables to {{app}}", "privileged"},
		{"grant select on old to public", "public"},
		{"revoke select on old from public", ""},
		{"grant select on old to {{app}}", ""},
		{"create function f() returns int language sql security definer as 'select 1'", "security-definer"},
		{"create function f() returns int language sql security definer set search_path = {{schema}}, pg_temp as 'select 1'", ""},
		{"set statement_timeout = 0", "setting"},
		{"set local statement_timeout = 0", ""},
		{"alter type mood add value 'bad'", ""},
		{"alter type mood add value 'bad'; create table x (m mood default 'bad')", "enum-value"},
		{"create table if not exists x ()", "if-exists"},
		{"create table x (); create index if not exists i on x (a)", "if-exists"},
		{"create table x (id bigint primary key, repo_id int)", "repository-key"},
		{"create table x (repo_id int, a int, unique (a, repo_id), primary key (repo_id, a))", "repository-key"},
		{"create table x (repo_id int, a int, unique (repo_id, a))", ""},
		{"create table x (repo_id bigint generated by default as identity primary key, root text unique)", ""},
		{"create table x (id int generated always as identity primary key)", "small-key"},
		{"create table x (id bigint generated always as identity primary key)", ""},
		{"create table x (a json)", "type"},
		{"create table x (a char(3))", "type"},
		{"create table x (a varchar(3))", "type"},
		{"create table x (a varchar)", ""},
		{"create table x (a timestamp)", "type"},
		{"create table x (a serial)", "type"},
		{"create table x (a money)", "type"},
		{"create table x (a jsonb, b timestamptz, c text)", ""},
		{"create domain d as int check (value > 0)", "domain"},
		{"create domain d as int", ""},
		// What this file made is nobody's yet.
		{"create table x (a int, b int); create index i on x (a); alter table x add constraint c unique (a); alter table x alter column b set not null; alter table x rename to y; create trigger t before insert on x for each row execute function f()", ""},
		{"create table x (a int); drop table x", ""},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		rep := lintUp(t, tt.up, true)
		if got := strings.Join(codes(rep), " "); got != tt.codes {
			t.Errorf("%s: got %q, want %q: %+v", tt.up, got, tt.codes, rep.Findings)
		}
		for _, f := range rep.Findings {
			seen[f.Code] = true
			if f.File != "00002_next.sql" || f.Line != 2 || f.Message == "" || f.Fix == "" || f.Severity != Rules[f.Code] {
				t.Errorf("%s: %+v", tt.up, f)
			}
		}
	}
	for code := range Rules {
		if !seen[code] {
			t.Errorf("no test finds %s", code)
		}
	}
}

func TestWithoutTransaction(t *testing.T) {
	t.Parallel()
	for up, want := range map[string]string{
		"create index concurrently if not exists i on old (id)": "",
		"drop index concurrently if exists i":                   "",
		"reindex index concurrently i":                          "",
		"vacuum old":                                            "",
		"vacuum (full) old":                                     "rewrite",
	} {
		if got := strings.Join(codes(lintUp(t, up, false)), " "); got != want {
			t.Errorf("%s: got %q, want %q", up, got, want)
		}
	}
}

// On the way down a table may go, but not what nobody named.
func TestDown(t *testing.T) {
	t.Parallel()
	for down, want := range map[string]string{
		"drop table old":                         "",
		"alter table old drop column body":       "",
		"drop table old cascade":                 "cascade",
		"drop tabel old":                         "syntax",
		"grant select on old to public":          "public",
		"drop table elsewhere.old":               "",
		"alter table elsewhere.old add column a": "syntax",
	} {
		rep, err := Run(t.Context(), fstest.MapFS{"00001_a.sql": &fstest.MapFile{Data: []byte("-- +goose Up\nselect 1;\n-- +goose Down\n" + down + ";\n")}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(codes(rep), " "); got != want {
			t.Errorf("%s: got %q, want %q", down, got, want)
		}
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		up, codes string
		allowed   int
	}{
		{"-- lint: allow drop: nothing reads it since release 3\nalter table old drop column body", "", 1},
		{"-- lint: allow drop: a reason\n-- lint: allow not-null: another\nalter table old drop column body, alter column id set not null", "", 2},
		{"-- lint: allow drop\nalter table old drop column body", "allow drop", 0},
		{"-- lint: allow rename: not needed\nalter table old drop column body", "allow drop", 0},
		{"-- lint: allow drop: only for the next statement\nselect 1;\nalter table old drop column body", "allow drop", 0},
	}
	for _, tt := range tests {
		rep := lintUp(t, tt.up, true)
		if got := strings.Join(codes(rep), " "); got != tt.codes || len(rep.Allowed) != tt.allowed {
			t.Errorf("%q: got %q and %d allowed, want %q and %d", tt.up, got, len(rep.Allowed), tt.codes, tt.allowed)
		}
	}
}

// A mistake is shown on its own line, and what the runner's parser finds is found here too.
func TestLines(t *testing.T) {
	t.Parallel()
	rep := lintUp(t, "create table x (\n  a int,\n  b itn(\n)", true)
	if len(rep.Findings) != 1 || rep.Findings[0].Line != 5 {
		t.Errorf("%+v", rep.Findings)
	}
	rep, err := Run(t.Context(), fstest.MapFS{"00001_a.sql": &fstest.MapFile{Data: []byte("-- +goose Up\nselect 1;\n")}})
	if err != nil || strings.Join(codes(rep), " ") != "no-down" {
		t.Errorf("%+v, %v", rep, err)
	}
}

// Manito's own migrations keep the rules.
func TestOwnMigrations(t *testing.T) {
	t.Parallel()
	rep, err := Run(t.Context(), migrate.Files())
	if err != nil {
		t.Fatal(err)
	}
	var grave []string
	for _, f := range rep.Findings {
		text := fmt.Sprintf("%s:%d: %s (%s): %s", f.File, f.Line, f.Code, f.Severity, f.Message)
		if f.Severity == migrate.High || f.Severity == migrate.Medium {
			grave = append(grave, text)
		}
		t.Log(text)
	}
	if rep.Statements == 0 || len(grave) > 0 {
		t.Errorf("%d statements, findings:\n%s", rep.Statements, strings.Join(grave, "\n"))
	}
}
