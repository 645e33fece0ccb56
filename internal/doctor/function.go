package doctor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// functions is the family FUN: bodies that cannot run. PostgreSQL looks at most of a
// body only when it is called, so each function is called once, with sample values, in a
// read-only transaction, with the rights of its owner and a timeout. What the call does not
// come by is planned statement by statement (see rehearsal).
func functions() []Check {
	return []Check{
		bodies{Info{ID: "FUN-01", Title: "A function's variable and a column have the same name", Severity: High, Safety: Guarded,
			Cause:  "RETURNS TABLE and parameters make variables; one is called like a column of the query",
			Breaks: "each call ends with \"column reference is ambiguous\" (42702)",
			Advice: "qualify the column, or begin the body with #variable_conflict use_column"}, []string{"42702"}},
		bodies{Info{ID: "FUN-02", Title: "A function's query does not give the types that it promises", Severity: High, Safety: Guarded,
			Cause:  "RETURNS TABLE says text or float and the query gives varchar or real; plpgsql does not convert",
			Breaks: "each call ends with \"structure of query does not match function result type\" (42804)",
			Advice: "cast the column in the query"}, []string{"42804", "42P13"}},
		bodies{Info{ID: "FUN-03", Title: "A function uses an operator, a function, a table or a column that does not exist", Severity: High, Safety: Guarded,
			Cause:  "an extension is missing or out of the search_path, or the schema went on and the function did not",
			Breaks: "each call ends with \"does not exist\"",
			Advice: "install the extension, or bring the body up to date"}, []string{"42883", "42P01", "42703", "42704", "42725", "42601", "42846", "42803", "3F000"}},
	}
}

// bodies is a check that reads what calling every function showed.
type bodies struct {
	info   Info
	states []string // SQLSTATEs that it is about
}

func (c bodies) Describe() Info { return c.info }
func (c bodies) Probe() string {
	return bodiesSQL + "\n-- then, for each: BEGIN READ ONLY; SET LOCAL ROLE owner; SET LOCAL statement_timeout = '1s'; SELECT * FROM function(sample values); ROLLBACK; and a DO block that has EXPLAIN in the place of every statement of a plpgsql body"
}

// calls are what calling every function once showed.
type calls struct {
	failed  []failedCall
	skipped []Skipped
}

type failedCall struct {
	f   function
	err *pgconn.PgError
}

// function is an SQL or plpgsql function that could be called.
type function struct {
	ident, name, schema, owner, call, skip, definition string
	superuser                                          bool
	oid                                                string
	plpgsql                                            bool
	uncalled                                           bool   // a call would show nothing: its statements are only planned
	relation                                           string // of a trigger function: the table that it is for
}

const bodiesSQL = `select p.oid, p.oid::regprocedure::text as ident, p.proname as name, s.nspname as schema, pg_get_userbyid(p.proowner) as owner, o.rolsuper as super, l.lanname as language, p.prosrc as body, p.proisstrict as strict,
  (select string_agg(case when p.provariadic <> 0 and u.n = p.pronargs then 'variadic ' else '' end || coalesce(case when t.typtype = 'e' then (select quote_literal(e.enumlabel) from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder limit 1)
      when t.typcategory = 'A' then '''{}''' when t.typname in ('json', 'jsonb') then '''{}''' when t.typname = 'uuid' then '''00000000-0000-0000-0000-000000000000'''
      when t.typcategory = 'N' and t.typname not like 'reg%' then '1' when t.typcategory = 'B' then 'true' when t.typcategory = 'S' then '''a''' when t.typname in ('date', 'timestamp', 'timestamptz') then '''2001-01-01''' end,
      'null') || '::' || format_type(t.oid, null), ', ' order by u.n)
    from unnest(p.proargtypes::oid[]) with ordinality u(type, n) join pg_type t on t.oid = u.type) as args,
  exists (select from unnest(p.proargtypes::oid[]) u(type) join pg_type t on t.oid = u.type where t.typtype = 'p') as poly,
  has_function_privilege(p.oid, 'EXECUTE') and has_schema_privilege(s.oid, 'USAGE') as callable, p.prorettype = 'record'::regtype and p.proargmodes is null as untyped,
  pg_get_functiondef(p.oid) as definition
from scope s join pg_proc p on p.pronamespace = s.oid join pg_language l on l.oid = p.prolang join pg_roles o on o.oid = p.proowner
where p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype) and p.oid not in (select objid from member where classid = 'pg_proc'::regclass) order by 2`

// outside finds what acts beyond the transaction that the call is made in, so that rolling back would not undo it.
var outside = regexp.MustCompile(`(?is)\b(dblink\w*|copy\b[^;]*\bprogram|copy\b[^;]*'|pg_(read|ls|stat)_\w*file\w*|pg_file_\w+|lo_(import|export)|pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_promote|pg_notify|notify|pg_sleep\w*|pg_(try_)?advisory\w*|pg_logical_\w+|pg_create_\w+|pg_drop_\w+|pg_replication_\w+|pg_stat_reset\w*|http\w*\s*\(|set_config|query_to_xml\w*)`)

// dynamic finds SQL that is put together at run time, which no look at the body can judge.
var dynamic = regexp.MustCompile(`(?is)\bexecute\b`)

// callAll calls every function once.
func (s *session) callAll(ctx context.Context) (*calls, error) {
	if s.calls != nil {
		return s.calls, nil
	}
	rows, err := s.rows(ctx, bodiesSQL)
	if err != nil {
		return nil, err
	}
	// A body that calls a function that reaches outside reaches outside itself.
	reach := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for _, r := range rows {
			if reach[r["name"]] {
				continue
			}
			bad := r["language"] != "sql" && r["language"] != "plpgsql" || outside.MatchString(r["body"])
			for name := range reach {
				bad = bad || regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(name)+`\b`).MatchString(r["body"])
			}
			if bad {
				reach[r["name"]], changed = true, true
			}
		}
	}
	out := &calls{}
	for _, r := range rows {
		f := function{oid: r["oid"], ident: r["ident"], name: r["name"], schema: r["schema"], owner: r["owner"], superuser: r["super"] == "t", definition: r["definition"], plpgsql: r["language"] == "plpgsql"}
		f.call = "select * from " + quote(f.schema) + "." + quote(f.name) + "(" + r["args"] + ")"
		if s.about != "" && f.ident != s.about {
			continue // another's fix is being judged
		}
		planned := false // it cannot be called, and its statements can be planned
		switch {
		case r["language"] != "sql" && r["language"] != "plpgsql":
			f.skip = "it is written in " + r["language"] + ": only sql and plpgsql can be called without effects"
		case r["callable"] != "t":
			f.skip = "missing right: EXECUTE"
		case outside.MatchString(r["body"]):
			f.skip = "its body reaches outside of the transaction (" + strings.ToLower(strings.Join(strings.Fields(outside.FindString(r["body"])), " ")) + ")"
		case reach[f.name]:
			f.skip = "its body calls a function that reaches outside of the transaction"
		case dynamic.MatchString(r["body"]) && f.superuser:
			f.skip, planned = "its body puts SQL together at run time and would run with a superuser's rights", true
		case r["poly"] == "t":
			f.skip = "it takes arguments of any type"
		case r["untyped"] == "t":
			f.skip, planned = "it returns records whose columns only its caller names", true
		case r["strict"] == "t" && strings.Contains(r["args"], "null::"):
			f.skip, planned = "no sample value is known for one of its arguments, and with NULL it does not run", true
		}
		if planned && f.plpgsql {
			f.uncalled = true
		} else if f.skip != "" {
			out.skipped = append(out.skipped, Skipped{Object: f.ident, Reason: f.skip, ByDesign: !strings.HasPrefix(f.skip, "missing right")})
			continue
		}
		failed, err := s.judge(ctx, f)
		if err != nil {
			return nil, err
		}
		var pg *pgconn.PgError
		switch {
		case f.uncalled && (failed == nil || errors.Is(failed, errNotUnderstood)):
			out.skipped = append(out.skipped, Skipped{Object: f.ident, ByDesign: true, Reason: f.skip})
		case failed == nil:
		case errors.Is(failed, errNotUnderstood):
			out.skipped = append(out.skipped, Skipped{Object: f.ident, ByDesign: true, Reason: failed.Error()})
		case !errors.As(failed, &pg):
			return nil, failed
		default:
			out.failed = append(out.failed, failedCall{f, pg})
		}
	}
	if err := s.rehearseTriggers(ctx, out); err != nil {
		return nil, err
	}
	s.calls = out
	return out, nil
}

// path is the search_path that programs call the function with.
func (f function) path() string {
	if f.schema == "public" {
		return f.schema
	}
	return quote(f.schema) + ", public"
}

// become makes the transaction under way that of the function's caller: read-only, short,
// with the rights of its owner and the path that programs call it with.
func (s *session) become(ctx context.Context, f function) error {
	setup := "set local transaction_read_only = on; set local statement_timeout = '1s'; set local search_path = " + f.path()
	if s.server.superuser || f.owner != s.server.user {
		var may bool
		if err := s.tx.QueryRow(ctx, "select pg_has_role(current_user, $1::name, 'MEMBER')", f.owner).Scan(&may); err != nil {
			return err
		}
		if may {
			setup += "; set local role " + pgx.Identifier{f.owner}.Sanitize()
		}
	}
	_, err := s.tx.Exec(ctx, setup, pgx.QueryExecModeSimpleProtocol)
	return err
}

// callOnce calls a function in the savepoint under way.
func (s *session) callOnce(ctx context.Context, f function) error {
	if err := s.become(ctx, f); err != nil {
		return err
	}
	_, err := s.tx.Exec(ctx, f.call, pgx.QueryExecModeSimpleProtocol)
	return err
}

func (c bodies) run(ctx context.Context, s *session) (out result, err error) {
	all, err := s.callAll(ctx)
	if err != nil {
		return out, err
	}
	for _, k := range all.skipped {
		// What is left alone by design is said once; what is missing keeps every check from being sure.
		if !k.ByDesign || c.info.ID == "FUN-01" {
			out.skipped = append(out.skipped, k)
		}
	}
	for _, k := range all.failed {
		switch {
		case slices.Contains(c.states, k.err.Code):
			out.findings = append(out.findings, s.finding(ctx, k))
		case k.err.Code == "42501":
			out.skipped = append(out.skipped, Skipped{Object: k.f.ident, Reason: "missing right: " + k.err.Message})
		case c.info.ID == "FUN-01" && !known(k.err.Code):
			out.skipped = append(out.skipped, Skipped{Object: k.f.ident, ByDesign: true, Reason: "with sample values it does not run to its end: " + k.err.Message + " (" + k.err.Code + ")"})
		}
	}
	return out, nil
}

// known says whether one of the checks is about a SQLSTATE.
func known(code string) bool {
	for _, c := range functions() {
		if slices.Contains(c.(bodies).states, code) {
			return true
		}
	}
	return false
}

// finding describes a failed call, with the repair when one is known that makes the call succeed.
func (s *session) finding(ctx context.Context, k failedCall) Finding {
	f := Finding{Object: k.f.ident, Evidence: k.err.Message + " (" + k.err.Code + ")"}
	if k.err.Detail != "" {
		f.Evidence += ": " + strings.Join(strings.Fields(k.err.Detail), " ")
	}
	if k.err.Where != "" {
		f.Evidence += "; " + strings.SplitN(k.err.Where, "\n", 2)[0]
	}
	if s.fixing || k.f.relation != "" {
		return f
	}
	sql := s.repair(ctx, k)
	if sql == nil {
		return f
	}
	role := k.f.owner
	if slices.ContainsFunc(sql, func(s string) bool { return strings.HasPrefix(s, "CREATE EXTENSION") }) {
		role = "superuser" // owners of functions rarely may
	}
	// What the function returns is passed over: only that it runs to its end counts.
	f.Fix = Fix{Safety: Guarded, SQL: sql, Role: role, Lock: "none", Transaction: true, Undo: k.f.definition + ";",
		Verify: "BEGIN READ ONLY; SET LOCAL search_path = " + k.f.path() + "; " + k.f.call + " OFFSET 1000000000; ROLLBACK;"}
	return f
}

// repair looks for changes after which a function runs. One repair uncovers the next
// defect, so it goes on until the call succeeds or nothing is known any more; nil then.
func (s *session) repair(ctx context.Context, k failedCall) []string {
	var first []string // statements before the function's
	f, failed := k.f, k.err
	for range 8 {
		next, before := mend(f, failed)
		if next == "" && before == "" {
			return nil
		}
		if before != "" {
			first = append(first, before)
		}
		if next != "" {
			f.definition = next
		}
		var all []string
		all = append(all, first...)
		if f.definition != k.f.definition {
			// The body is judged by calling it, with the path that it is called with.
			all = append(all, "SET LOCAL check_function_bodies = off", strings.TrimRight(f.definition, "\n"))
		}
		var err error
		if e := s.attempt(ctx, all, f, &err); e != nil {
			return nil // it may not be tried here, as in a read-only transaction of a standby
		}
		var pg *pgconn.PgError
		if err == nil || errors.Is(err, errNotUnderstood) {
			return all
		}
		if !errors.As(err, &pg) || pg.Code == failed.Code && pg.Message == failed.Message && pg.Detail == failed.Detail && pg.Where == failed.Where {
			return nil
		}
		if !known(pg.Code) {
			return all // what is left depends on the values
		}
		failed = pg
	}
	return nil
}

// attempt runs statements and the function after them, on a connection of its own whose
// transaction is rolled back: the one that examines is read-only.
func (s *session) attempt(ctx context.Context, sql []string, f function, outcome *error) error {
	conn, err := pgx.ConnectConfig(ctx, s.conn.Config())
	if err != nil {
		return err
	}
	other := &session{opt: s.opt, conn: conn, server: s.server, scopes: s.scopes}
	defer other.close(ctx)
	return other.begin(ctx, pgx.ReadWrite, func() error {
		for _, statement := range sql {
			if _, err := other.tx.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("trying a repair: %w", err)
			}
		}
		failed, err := other.judge(ctx, f)
		*outcome = failed
		return err
	})
}
