package doctor

import "context"

// statements is the family QRY: what the queries cost.
func statements() []Check {
	return []Check{
		own{Info{ID: "QRY-01", Title: "A query takes long each time that it runs", Severity: Medium, Safety: Advice, needs: "pg_read_all_stats",
			Cause:  "no index fits it, its statistics are old, or it reads more than it needs",
			Breaks: "it holds a connection for that time, and everything behind it waits",
			Advice: "EXPLAIN (ANALYZE, BUFFERS) it; then an index, or another query"},
			slowSQL("{extension}"), slow},
		query{Info{ID: "QRY-02", Title: "Sorts and joins spill to disk", Severity: Low, Safety: Advice,
			Cause:  "work_mem is smaller than what the queries sort or hash",
			Breaks: "each such query waits for the disk",
			Advice: "log_temp_files = 0 names the queries; raise work_mem for the role that runs them"}, `
select 'temporary files of database ' || quote_ident(d.datname) as object, format('%s in %s files, %s a day', pg_size_pretty(d.temp_bytes), d.temp_files, pg_size_pretty((d.temp_bytes / k.days)::int8)) as evidence
from pg_stat_database d cross join lateral (select greatest(extract(epoch from clock_timestamp() - coalesce(d.stats_reset, pg_postmaster_start_time())) / 86400, 1)::numeric as days) k
where d.datname = current_database() and d.temp_bytes / k.days > @spill::int8 order by 1`},
	}
}

// slowSQL asks pg_stat_statements, which lives in the schema that is given; its columns
// had other names before PostgreSQL 13. A query should take less than a tenth of a second;
// below twenty calls one cold run decides.
func slowSQL(schema string) string {
	return `select 'query ' || k.queryid as object, format('%s calls, %s ms each, %s s in all: %s', k.calls, round(k.mean::numeric, 1), round(k.total::numeric / 1000, 1), left(regexp_replace(k.query, '\s+', ' ', 'g'), 200)) as evidence,
  case when k.mean > 1000 then 'medium' else 'low' end as severity
from (select s.queryid, s.calls, s.query, coalesce(to_jsonb(s) -> 'mean_exec_time', to_jsonb(s) -> 'mean_time')::float8 as mean, coalesce(to_jsonb(s) -> 'total_exec_time', to_jsonb(s) -> 'total_time')::float8 as total
  from ` + schema + `.pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = current_database() and s.calls >= 20) k
where k.mean > 100 and k.query !~* '^\s*(vacuum|analyze|reindex|create|alter|copy)' order by k.total desc limit 10`
}

func slow(ctx context.Context, s *session) (out result, err error) {
	rows, err := s.rows(ctx, `select quote_ident(n.nspname) as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`)
	if err != nil {
		return out, err
	}
	if len(rows) == 0 {
		out.skipped = []Skipped{{ByDesign: true, Reason: "pg_stat_statements is not installed in this database (SET-03)"}}
		return out, nil
	}
	rows, err = s.rows(ctx, slowSQL(rows[0]["schema"]))
	if sqlstate(err) == "55000" {
		out.skipped = []Skipped{{ByDesign: true, Reason: "pg_stat_statements is installed and not loaded: add it to shared_preload_libraries"}}
		return out, nil
	}
	if err != nil {
		return out, err
	}
	return collect(rows), nil
}
