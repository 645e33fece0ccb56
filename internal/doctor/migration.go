package doctor

import (
	"context"
	"fmt"
	"strings"
)

// migrations is the family MIG: what the ledger says, and what half-done migrations left.
func migrations() []Check {
	return []Check{
		query{Info{ID: "MIG-01", Title: "Two migration systems keep a ledger in one schema", Severity: High, Safety: Advice,
			Cause:  "the tool was changed, or a second program brought its own, and the old ledger stayed",
			Breaks: "each system takes the other's tables for its own or for missing: migrations run twice or never",
			Advice: "find out which ledger the deployed program reads, and rename the other: ALTER TABLE … RENAME TO …_old"}, `
select 'schema ' || quote_ident(k.nspname) as object, string_agg(k.ident, ', ' order by k.ident) as evidence
from (select r.nspname, r.ident, case when r.relname like 'migration%' then 'migration' when r.relname like 'databasechange%' then 'liquibase' when r.relname like 'knex%' then 'knex' when r.relname like 'bun%' then 'bun' else r.relname end as tool
  from rel r where r.relkind in ('r', 'p') and r.relname <> 'river_migration' and ` + isLedger + `) k
group by k.nspname having count(distinct k.tool) > 1 order by 1`},

		query{Info{ID: "MIG-02", Title: "The ledger does not keep a version from being recorded twice", Severity: High, Safety: Guarded,
			Cause:  "the table was made by hand, or by a tool that numbers its rows instead",
			Breaks: "two migrators at the same time both record, and one of them has applied the migration twice",
			Advice: "remove the duplicates (MIG-03), then create a unique index"}, `
select r.ident as object, 'no unique index on ' || quote_ident(a.attname) as evidence,
  format('CREATE UNIQUE INDEX %I ON %s (%I)', left(r.relname, 40) || '_' || a.attname || '_unique', r.ident, a.attname) as fix,
  format('DROP INDEX %I.%I;', r.nspname, left(r.relname, 40) || '_' || a.attname || '_unique') as undo, pg_get_userbyid(r.relowner)::text as role, 'SHARE' as lock
from rel r join lateral (` + ledgerKey + `) a on true
where r.relkind in ('r', 'p') and ` + isLedger + ` and r.relname not in ('goose_db_version', 'migration_attempt', 'migration_repair')
  and not exists (select from pg_index i where i.indrelid = r.oid and i.indisunique and i.indisvalid and i.indpred is null and a.attnum = any(i.indkey::int2[])) order by 1`},

		ledgers{Info{ID: "MIG-03", Title: "A version is recorded more than once", Severity: Critical, Safety: Guarded,
			Cause:  "two migrators ran at the same time, or a row was written by hand",
			Breaks: "the tool reads one of the rows, and which one is chance",
			Advice: "compare the rows and keep the one that tells the truth"}, "every ledger: versions with more than one row", duplicates},

		ledgers{Info{ID: "MIG-04", Title: "A migration is recorded as failed or unfinished", Severity: Critical, Safety: Guarded,
			Cause:  "it failed half-way; or it was applied, and a second migrator that lost the race wrote its failure over the success",
			Breaks: "some tools refuse to go on, others take the row for applied and never run the migration",
			Advice: "compare what the migration creates with the catalogue, then mark it applied or delete its row and run it again"}, "every ledger: rows whose status, success, dirty, is_applied or outcome says so", failures},

		query{Info{ID: "MIG-08", Title: "An index is invalid", Severity: High, Safety: Safe,
			Cause:  "CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY was interrupted",
			Breaks: "no query uses it and a UNIQUE one may not hold, while every write still pays for it",
			Advice: "REINDEX INDEX CONCURRENTLY, or drop it"}, `
select i.indexrelid::regclass::text as object, 'on ' || i.indrelid::regclass || case when i.indisready then ': not valid' else ': not ready and not valid' end as evidence,
  case when r.relname ~ '_cc(new|old)[0-9]*$' then format('DROP INDEX CONCURRENTLY %s', r.ident) else format('REINDEX INDEX CONCURRENTLY %s', r.ident) end as fix,
  case when r.relname ~ '_cc(new|old)[0-9]*$' then pg_get_indexdef(i.indexrelid) || ';' else 'DROP INDEX ' || r.ident || ';' end as undo,
  pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock, true as concurrent
from pg_index i join rel r on r.oid = i.indexrelid
where not (i.indisvalid and i.indisready) and r.relkind = 'i' and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) order by 1`},

		query{Info{ID: "MIG-09", Title: "A constraint was never validated", Severity: Medium, Safety: Guarded,
			Cause:  "it was added NOT VALID, and the second step was forgotten",
			Breaks: "older rows may break it, and the planner does not rely on it",
			Advice: "mend the rows that break it, then ALTER TABLE … VALIDATE CONSTRAINT"}, `
select format('%s.%I', r.ident, k.conname) as object, pg_get_constraintdef(k.oid) as evidence, format('ALTER TABLE %s VALIDATE CONSTRAINT %I', r.ident, k.conname) as fix,
  'none needed: it changes no row' as undo, pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock
from pg_constraint k join rel r on r.oid = k.conrelid where not k.convalidated and k.contype in ('f', 'c', 'n') order by 1`},

		query{Info{ID: "MIG-10", Title: "A session holds or awaits an advisory lock for long", Severity: Medium, Safety: Advice, needs: "pg_read_all_stats",
			Cause:  "a migrator hangs, or a pooler gave its session to somebody else",
			Breaks: "every other migrator waits",
			Advice: "look at the session; end it with pg_terminate_backend(pid) when it does nothing"}, `
select 'session ' || l.pid as object, format('%s since %s by %s, %s', case when bool_and(l.granted) then 'held' else 'awaited' end, date_trunc('second', min(a.state_change)), coalesce(nullif(min(a.application_name), ''), 'an unnamed program'), min(a.state)) as evidence
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database()) and a.state_change < clock_timestamp() - @idle::interval group by l.pid order by 1`},

		query{Info{ID: "MIG-11", Title: "The ledger's ids are texts", Severity: Low, Safety: Advice,
			Cause:  "migrations are named, not numbered",
			Breaks: "repair scripts that cast the id to integer or set the ledger's sequence fail: there is no sequence, and 'name'::integer is no number; texts sort 10 before 9",
			Advice: "write repairs that compare ids as texts; number new migrations with leading zeros"}, `
select r.ident as object, format('%I is %s', a.attname, format_type(a.atttypid, a.atttypmod)) as evidence
from rel r join lateral (` + ledgerKey + `) a on true
where r.relkind in ('r', 'p') and r.relname in ('migrations', 'migration', 'schema_migration') and a.atttypid in ('text'::regtype, 'varchar'::regtype) order by 1`},
	}
}

// ledgerKey is the column of ledger r that tells migrations apart.
const ledgerKey = `select k.attname, k.attnum, k.atttypid, k.atttypmod from pg_attribute k where k.attrelid = r.oid and k.attnum > 0 and not k.attisdropped
  and k.attname in ('version', 'version_id', 'version_num', 'migration_id', 'change_id', 'installed_rank', 'migration_name', 'name', 'id')
  order by array_position(array['version', 'version_id', 'version_num', 'migration_id', 'change_id', 'installed_rank', 'migration_name', 'id', 'name'], k.attname::text) limit 1`

// ledgers is a check that asks every ledger.
type ledgers struct {
	info  Info
	probe string
	ask   func(ctx context.Context, s *session, l ledger) ([]Finding, error)
}

func (c ledgers) Describe() Info { return c.info }
func (c ledgers) Probe() string  { return "-- " + c.probe }

func (c ledgers) run(ctx context.Context, s *session) (out result, err error) {
	all, err := s.ledgers(ctx)
	if err != nil {
		return out, err
	}
	for _, l := range all {
		if !l.readable {
			out.skipped = append(out.skipped, Skipped{Object: l.ident, Reason: "missing right: SELECT"})
			continue
		}
		found, err := c.ask(ctx, s, l)
		if err != nil {
			return out, err
		}
		out.findings = append(out.findings, found...)
	}
	return out, nil
}

// ledger is a table that records migrations.
type ledger struct {
	ident, schema, name, key, owner string
	readable                        bool
	columns                         map[string]bool
}

func (s *session) ledgers(ctx context.Context) ([]ledger, error) {
	rows, err := s.rows(ctx, `select r.ident, r.nspname, r.relname, a.attname as key, pg_get_userbyid(r.relowner) as owner,
		has_table_privilege(r.oid, 'SELECT') and has_schema_privilege(r.relnamespace, 'USAGE') as readable,
		(select string_agg(c.attname, ' ') from pg_attribute c where c.attrelid = r.oid and c.attnum > 0 and not c.attisdropped) as columns
		from rel r join lateral (`+ledgerKey+`) a on true where r.relkind in ('r', 'p') and r.relname not in ('migration_attempt', 'migration_repair') and `+isLedger+` order by 1`)
	if err != nil {
		return nil, err
	}
	var out []ledger
	for _, r := range rows {
		l := ledger{ident: r["ident"], schema: r["nspname"], name: r["relname"], key: r["key"], owner: r["owner"], readable: r["readable"] == "t", columns: map[string]bool{}}
		for _, c := range strings.Fields(r["columns"]) {
			l.columns[c] = true
		}
		out = append(out, l)
	}
	return out, nil
}

// duplicates finds versions with several rows. goose adds a row for every up and down,
// so that there only rows of the same direction in a row would be duplicates.
func duplicates(ctx context.Context, s *session, l ledger) (out []Finding, err error) {
	if l.columns["is_applied"] {
		return nil, nil
	}
	key := quote(l.key)
	rows, err := s.rows(ctx, "select "+key+"::text as id, count(*) as n from "+l.ident+" where "+key+" is not null group by "+key+" having count(*) > 1 order by 1")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		where := key + "::text = " + literal(r["id"])
		f := Finding{Object: l.ident + " " + r["id"], Evidence: r["n"] + " rows"}
		f.Fix = l.archive(where+" and ctid <> (select k.ctid from "+l.ident+" k where k."+where+" order by "+l.best()+" limit 1)", "recorded more than once")
		f.Fix.SQL = append(f.Fix.SQL, "DELETE FROM "+l.ident+" d WHERE d."+where+" AND d.ctid <> (SELECT k.ctid FROM "+l.ident+" k WHERE k."+where+" ORDER BY "+l.best()+" LIMIT 1)")
		f.Fix.Undo = "INSERT INTO " + l.ident + " SELECT (jsonb_populate_record(null::" + l.ident + ", a.entry)).* FROM " + l.archived() + " a WHERE a.entry ->> " + literal(l.key) + " = " + literal(r["id"]) + ";"
		f.Fix.Verify = "SELECT count(*) FROM " + l.ident + " WHERE " + where + " HAVING count(*) > 1;"
		out = append(out, f)
	}
	return out, nil
}

// best orders the rows of one version so that the one that tells of success comes first.
func (l ledger) best() string {
	switch {
	case l.columns["status"]:
		return "(k.status in ('success', 'ok', 'applied')) desc, k.ctid"
	case l.columns["success"]:
		return "k.success desc, k.ctid"
	}
	return "k.ctid"
}

// archived is where rows of the ledger are kept before they are changed.
func (l ledger) archived() string { return quote(l.schema) + "." + quote(l.name+"_archive") }

// archive starts a fix that first keeps the rows that it is about to change.
func (l ledger) archive(where, why string) Fix {
	return Fix{Safety: Guarded, Role: l.owner, Lock: "ROW EXCLUSIVE", Transaction: true, SQL: []string{
		"CREATE TABLE IF NOT EXISTS " + l.archived() + " (archived_at timestamptz NOT NULL DEFAULT now(), archived_by text NOT NULL DEFAULT session_user, reason text NOT NULL, entry jsonb NOT NULL)",
		"ALTER TABLE " + l.archived() + " OWNER TO " + quote(l.owner),
		"INSERT INTO " + l.archived() + " (reason, entry) SELECT " + literal(why) + ", to_jsonb(m) FROM " + l.ident + " m WHERE m." + where,
	}}
}

// failures finds rows that say that a migration did not succeed.
func failures(ctx context.Context, s *session, l ledger) (out []Finding, err error) {
	var bad, good string
	switch {
	case l.columns["status"]:
		bad, good = "m.status::text in ('failed', 'error', 'running', 'pending')", "status = 'success'"
	case l.columns["dirty"]:
		bad, good = "m.dirty", "dirty = false"
	case l.columns["success"]:
		bad, good = "not m.success", "success = true"
	case l.columns["finished_at"] && l.columns["rolled_back_at"]:
		bad = "m.finished_at is null and m.rolled_back_at is null"
	default:
		return nil, nil
	}
	key := quote(l.key)
	rows, err := s.rows(ctx, "select m."+key+"::text as id, left(coalesce(to_jsonb(m) ->> 'status', '') || coalesce(': ' || nullif(coalesce(to_jsonb(m) ->> 'error_message', to_jsonb(m) ->> 'logs'), ''), ''), 300) as said from "+l.ident+" m where "+bad+" order by 1")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		f := Finding{Object: l.ident + " " + r["id"], Evidence: "recorded as " + firstOf(r["said"], "failed")}
		known := creates(r["id"])
		if len(known) == 0 {
			out = append(out, f)
			continue
		}
		there, missing, err := s.present(ctx, l.schema, known)
		if err != nil {
			return nil, err
		}
		where := key + "::text = " + literal(r["id"])
		f.Fix = l.archive(where, "recorded as failed")
		switch {
		case len(missing) == 0:
			f.Evidence += fmt.Sprintf("; all %d objects that it creates exist (%s): it was applied", len(there), strings.Join(there, ", "))
			f.Cause = "it was applied, and a second migrator that lost the race wrote its failure over the success"
			set := good
			if l.columns["error_message"] {
				set += ", error_message = NULL"
			}
			f.Fix.SQL = append(f.Fix.SQL, "UPDATE "+l.ident+" SET "+set+" WHERE "+where)
			f.Fix.Undo = "UPDATE " + l.ident + " SET status = 'failed' WHERE " + where + ";"
		case len(there) == 0:
			f.Evidence += fmt.Sprintf("; none of the %d objects that it creates exists: it was not applied", len(missing))
			f.Fix.SQL = append(f.Fix.SQL, "DELETE FROM "+l.ident+" WHERE "+where)
			f.Fix.Undo = "INSERT INTO " + l.ident + " SELECT (jsonb_populate_record(null::" + l.ident + ", a.entry)).* FROM " + l.archived() + " a WHERE a.entry ->> " + literal(l.key) + " = " + literal(r["id"]) + ";"
		default:
			f.Evidence += "; it was applied in part: " + strings.Join(there, ", ") + " exist, " + strings.Join(missing, ", ") + " do not"
			f.Fix = Fix{Advice: "run the missing statements of the migration by hand, then mark it applied"}
		}
		f.Fix.Verify = "SELECT * FROM " + l.ident + " m WHERE m." + where + " AND " + bad + ";"
		out = append(out, f)
	}
	return out, nil
}

// creates are the tables and functions that a migration of ManitoDebug creates, by its
// id; none for a migration that is not known.
func creates(id string) []string {
	switch {
	case strings.HasPrefix(id, "001_initial"):
		return []string{"projects", "scans", "files", "dependencies", "conflicts", "users", "cache"}
	case strings.HasPrefix(id, "002_semantic"):
		return []string{"search_logs", "global_search()", "search_projects()", "calculate_text_similarity()"}
	case strings.HasPrefix(id, "003_websocket"):
		return []string{"websocket_connections"}
	case strings.HasPrefix(id, "004_fix_global"), strings.HasPrefix(id, "005_") && strings.Contains(id, "ambiguous"), strings.HasPrefix(id, "006_") && strings.Contains(id, "ambiguity"):
		return []string{"global_search()"}
	case strings.HasPrefix(id, "004_ckg"):
		return []string{"graph_nodes", "graph_edges", "code_chunks", "embeddings", "diagnostics", "symbol_references"}
	}
	return nil
}

// present splits names into those that exist in a schema and those that do not; a
// function's name ends with ().
func (s *session) present(ctx context.Context, schema string, names []string) (there, missing []string, err error) {
	for _, name := range names {
		var found bool
		if err := s.tx.QueryRow(ctx, `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2)
			or exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1 and p.proname || '()' = $2)`, schema, name).Scan(&found); err != nil {
			return nil, nil, err
		}
		if found {
			there = append(there, name)
		} else {
			missing = append(missing, name)
		}
	}
	return there, missing, nil
}
