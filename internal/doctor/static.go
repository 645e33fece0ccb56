package doctor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errNotUnderstood says that a body could not be taken apart.
var errNotUnderstood = errors.New("its body could not be taken apart: branches that a call does not pass were not looked at")

// makes finds bodies that create what they then read, so that it is not there yet.
var makes = regexp.MustCompile(`(?is)\b(create|alter|drop)\b`)

// structure are the SQLSTATEs of names that such a body may bring about itself.
var structure = []string{"42P01", "42703", "42883", "42704", "3F000"}

// placeOf finds where in a DO block an error came up.
var placeOf = regexp.MustCompile(`inline_code_block line (\d+)`)

const scriptSQL = `select p.proname::text, p.prosrc,
  coalesce((select array_agg(coalesce(p.proargnames[u.n], '') order by u.n) from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality u(type, n)), '{}')::text[],
  coalesce((select array_agg(format_type(u.type, null) order by u.n) from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality u(type, n)), '{}')::text[],
  case when not p.proretset then null
    when p.proargmodes && '{o,b,t}'::"char"[] then (select array_agg(format_type(u.type, null) order by u.n) from unnest(p.proallargtypes, p.proargmodes) with ordinality u(type, mode, n) where u.mode in ('o', 'b', 't'))
    when t.typtype = 'c' then (select array_agg(format_type(a.atttypid, null) order by a.attnum) from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
    when t.typtype in ('b', 'd', 'e', 'r') then array[format_type(t.oid, null)] end::text[],
  coalesce((select substr(c, 13) from unnest(p.proconfig) c where c like 'search_path=%'), '')
from pg_proc p join pg_type t on t.oid = p.prorettype where p.oid = $1::oid`

// triggersSQL lists trigger functions with the tables that they are for.
const triggersSQL = `select distinct on (p.oid, t.tgrelid) p.oid, p.oid::regprocedure::text as ident, p.proname as name, s.nspname as schema, pg_get_userbyid(p.proowner) as owner, pg_get_functiondef(p.oid) as definition, p.prosrc as body, r.ident as relation
from scope s join pg_proc p on p.pronamespace = s.oid join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql' join pg_trigger t on t.tgfoid = p.oid and not t.tgisinternal join rel r on r.oid = t.tgrelid
where p.oid not in (select objid from member where classid = 'pg_proc'::regclass) order by p.oid, t.tgrelid`

// triggerVariables are what PostgreSQL gives to a trigger function.
var triggerVariables = []parameter{{"new", "record"}, {"old", "record"}, {"tg_name", "name"}, {"tg_when", "text"}, {"tg_level", "text"}, {"tg_op", "text"}, {"tg_relid", "oid"},
	{"tg_relname", "name"}, {"tg_table_name", "name"}, {"tg_table_schema", "name"}, {"tg_nargs", "int4"}, {"tg_argv", "text[]"}}

// rehearseOnce plans every statement of a function, in the savepoint under way, and
// returns the first error that is about its text, with its line; nil when there is none.
func (s *session) rehearseOnce(ctx context.Context, f function) error {
	var k routine
	var names, kinds []string
	var path string
	if err := s.tx.QueryRow(ctx, scriptSQL, f.oid).Scan(&k.name, &k.body, &names, &kinds, &k.columns, &path); err != nil {
		return err
	}
	if err := s.become(ctx, f); err != nil {
		return err
	}
	if path != "" { // of the function itself
		if _, err := s.tx.Exec(ctx, "set local search_path = "+path, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	for i, name := range names {
		k.params = append(k.params, parameter{name, kinds[i]})
	}
	if f.relation != "" {
		k.params = triggerVariables
		for _, v := range []string{"new", "old"} {
			k.before = append(k.before, "SELECT * INTO "+v+" FROM "+f.relation+" LIMIT 0;")
		}
	}
	// A missing right hides what comes after it, and has to be said.
	known := append(judged(k.body), "42501")
	text, lines, ok := rehearse(k, known)
	if !ok {
		return errNotUnderstood
	}
	_, err := s.tx.Exec(ctx, "DO $manito_rehearsal$"+text+"$manito_rehearsal$", pgx.QueryExecModeSimpleProtocol)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	if !slices.Contains(known, pg.Code) {
		return nil // such as a timeout of the whole: a call has looked at the rest
	}
	line := "?"
	if m := placeOf.FindStringSubmatch(pg.Where); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= len(lines) {
			line = strconv.Itoa(lines[n-1])
		}
	}
	pg.Where = fmt.Sprintf("PL/pgSQL function %s line %s", f.ident, line)
	return pg
}

// judged are the SQLSTATEs that a rehearsal of a body may be held to.
func judged(body string) (out []string) {
	for _, c := range functions() {
		for _, code := range c.(bodies).states {
			if !makes.MatchString(body) || !slices.Contains(structure, code) {
				out = append(out, code)
			}
		}
	}
	return out
}

// judge calls a function, and when that shows nothing about its text has its statements planned.
func (s *session) judge(ctx context.Context, f function) (failed error, err error) {
	if f.relation == "" && !f.uncalled {
		if err := s.nested(ctx, func() error {
			failed = s.callOnce(ctx, f)
			return nil
		}); err != nil {
			return nil, err
		}
		if failed != nil && (sqlstate(failed) == "" || known(sqlstate(failed))) || !f.plpgsql {
			return failed, nil
		}
	}
	var seen error
	if err := s.nested(ctx, func() error {
		seen = s.rehearseOnce(ctx, f)
		return nil
	}); err != nil {
		return nil, err
	}
	if seen != nil && (failed == nil || !errors.Is(seen, errNotUnderstood)) {
		failed = seen
	}
	return failed, nil
}

// rehearseTriggers plans the statements of every trigger function for every table that it
// is for. One that serves several tables may ask which it is for, so that an error counts
// when it comes up for all of them.
func (s *session) rehearseTriggers(ctx context.Context, out *calls) error {
	rows, err := s.rows(ctx, triggersSQL)
	if err != nil {
		return err
	}
	tables, failed := map[string]int{}, map[string]int{}
	for _, r := range rows {
		tables[r["oid"]]++
	}
	for _, r := range rows {
		f := function{oid: r["oid"], ident: r["ident"], name: r["name"], schema: r["schema"], owner: r["owner"], definition: r["definition"], relation: r["relation"], plpgsql: true}
		seen, err := s.judge(ctx, f)
		if err != nil {
			return err
		}
		var pg *pgconn.PgError
		switch {
		case seen == nil:
		case errors.Is(seen, errNotUnderstood):
			out.skipped = append(out.skipped, Skipped{Object: f.ident, ByDesign: true, Reason: seen.Error()})
		case errors.As(seen, &pg):
			if failed[f.oid]++; failed[f.oid] == tables[f.oid] {
				out.failed = append(out.failed, failedCall{f, pg})
			}
		default:
			return seen
		}
	}
	return nil
}
