package doctor

import (
	"context"
	"fmt"
	"time"
)

// versions are the families VER and SET: what the server is and how it is set.
func versions() []Check {
	return []Check{
		age{},
		query{Info{ID: "SET-01", Title: "A setting switches off what the server needs to stay fast", Severity: High, Safety: Advice,
			Cause:  "it was changed to look into one query or one load, and stayed; or the server was never fitted to its data",
			Breaks: "without autovacuum and its counters tables grow and transaction ids run out; without a way to plan, queries take the next worse one",
			Advice: "ALTER SYSTEM RESET …; SELECT pg_reload_conf(); shared_buffers wants a quarter of the memory and a restart"}, `
select k.object, k.evidence, k.severity, k.fix, k.undo, 'superuser' as role, 'none' as lock, case when k.fix is not null then 'safe' end as safety
from (
  select name as object, name || ' = off' as evidence, 'high' as severity, null as fix, null as undo from pg_settings where name in ('autovacuum', 'track_counts') and setting = 'off'
  union all
  select name, name || ' = off for the whole server', 'medium', null, null from pg_settings where name ~ '^enable_' and boot_val = 'on' and setting = 'off' and source not in ('database', 'user', 'database user', 'session', 'client')
  union all
  select format('%s of %s', split_part(c.cfg, '=', 1), w.whose), c.cfg, 'medium', format('ALTER %s RESET %s', w.target, split_part(c.cfg, '=', 1)), format('ALTER %s SET %s = off;', w.target, split_part(c.cfg, '=', 1))
  from pg_db_role_setting st left join pg_database d on d.oid = st.setdatabase left join pg_roles r on r.oid = st.setrole, unnest(st.setconfig) c(cfg),
    lateral (select concat_ws(' in ', 'role ' || quote_ident(r.rolname), 'database ' || quote_ident(d.datname)) as whose, case when r.rolname is null then format('DATABASE %I', d.datname) else format('ROLE %I', r.rolname) || coalesce(format(' IN DATABASE %I', d.datname), '') end as target) w
  where (d.datname is null or d.datname = current_database()) and c.cfg ~ '^enable_[a-z_]+=off$'
  union all
  select 'shared_buffers', format('%s for a database of %s', pg_size_pretty(setting::int8 * 8192), pg_size_pretty(pg_database_size(current_database()))), 'low', null, null
  from pg_settings where name = 'shared_buffers' and setting::int8 <= 16384 and pg_database_size(current_database()) > 20 * setting::int8 * 8192
) k order by 1`},
		query{Info{ID: "SET-02", Title: "A changed setting waits for a restart, or the configuration does not parse", Severity: Medium, Safety: Advice,
			Cause:  "the file was changed, and the server read only what it can read while it runs",
			Breaks: "what is in force is not what the file says; a broken file keeps the next start from happening",
			Advice: "restart the server at a good moment; mend the line that is named"}, `
select name as object, 'waits for a restart; now ' || setting as evidence from pg_settings where pending_restart order by 1`},
		query{Info{ID: "SET-03", Title: "Nobody records which queries are slow", Severity: Note, Safety: Advice,
			Cause:  "pg_stat_statements is not loaded by default",
			Breaks: "after an incident nobody knows what ran",
			Advice: "shared_preload_libraries = 'pg_stat_statements', a restart, and CREATE EXTENSION pg_stat_statements"}, `
select 'server' as object, 'pg_stat_statements is not installed in this database' as evidence where not exists (select from pg_extension where extname = 'pg_stat_statements')`},
		room{},
	}
}

// endOfLife is the day of the last release of each major version, by the PostgreSQL
// project's versioning policy.
var endOfLife = map[int]string{12: "2024-11-21", 13: "2025-11-13", 14: "2026-11-12", 15: "2027-11-11", 16: "2028-11-09", 17: "2029-11-08", 18: "2030-11-14"}

// age is the check of the server's and the extensions' versions.
type age struct{}

func (age) Describe() Info {
	return Info{ID: "VER-01", Title: "The server or an extension is out of date", Severity: High, Safety: Guarded,
		Cause:  "nobody has upgraded it",
		Breaks: "after the end of life no defect and no security hole is mended any more",
		Advice: "upgrade to a supported major version: pg_upgrade, or dump and restore"}
}

const extensionsSQL = `select 'extension ' || quote_ident(e.extname) as object, format('%s is installed, %s is there', e.extversion, a.default_version) as evidence, 'low' as severity, format('ALTER EXTENSION %I UPDATE', e.extname) as fix,
  'none: PostgreSQL seldom brings the way back; restore from the backup' as undo, pg_get_userbyid(e.extowner)::text as role, 'ACCESS EXCLUSIVE on what it changes' as lock
from pg_extension e join pg_available_extensions a on a.name = e.extname where e.extversion <> a.default_version
  and exists (select from pg_extension_update_paths(e.extname) p where p.source = e.extversion and p.target = a.default_version and p.path is not null) order by 1`

func (age) Probe() string {
	return "select current_setting('server_version');\n" + extensionsSQL
}

func (age) run(ctx context.Context, s *session) (out result, err error) {
	rows, err := s.rows(ctx, extensionsSQL)
	if err != nil {
		return out, err
	}
	out = collect(rows)
	for i := range out.findings {
		out.findings[i].Fix.Verify = s.render(extensionsSQL, out.findings[i].Object)
	}
	now := s.now()
	major := s.server.number / 10000
	day, known := endOfLife[major]
	if !known {
		out.skipped = append(out.skipped, Skipped{Object: "server", ByDesign: true, Reason: fmt.Sprintf("the end of life of PostgreSQL %d is not known to this version of Manito", major)})
		return out, nil
	}
	end, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return out, err
	}
	switch left := end.Sub(now); {
	case left < 0:
		out.findings = append(out.findings, Finding{Object: "server", Evidence: fmt.Sprintf("PostgreSQL %s; version %d reached its end of life on %s", s.server.version, major, day)})
	case left < 180*24*time.Hour:
		out.findings = append(out.findings, Finding{Object: "server", Severity: Low, Evidence: fmt.Sprintf("PostgreSQL %s; version %d reaches its end of life on %s", s.server.version, major, day)})
	}
	return out, nil
}
