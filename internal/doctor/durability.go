package doctor

// durability is the family DUR: what a crash would take.
func durability() []Check {
	return []Check{
		query{Info{ID: "DUR-01", Title: "A setting gives up committed data for speed", Severity: Critical, Safety: Advice,
			Cause:  "it was changed for a benchmark, a bulk load or a test, and stayed",
			Breaks: "after a crash the database is damaged, or has lost what it had confirmed",
			Advice: "set it back, for the server, the database and the roles: ALTER SYSTEM RESET …; SELECT pg_reload_conf()"}, `
select k.name || coalesce(k.place, '') as object, k.name || ' = ' || k.setting as evidence, k.severity, k.fix, k.undo, 'superuser' as role, 'none' as lock, case when k.fix is null then 'advice' else 'guarded' end as safety
from (
  select s.name, s.setting, null as place, w.severity, null as fix, null as undo
  from pg_settings s join (values ('fsync', 'off', 'critical'), ('full_page_writes', 'off', 'critical'), ('zero_damaged_pages', 'on', 'critical'), ('ignore_checksum_failure', 'on', 'critical'),
    ('synchronous_commit', 'off', 'high'), ('wal_level', 'minimal', 'low'), ('data_checksums', 'off', 'low')) w(name, bad, severity) on w.name = s.name and w.bad = s.setting
  where s.source not in ('database', 'user', 'database user')
  union all
  select split_part(c.cfg, '=', 1), split_part(c.cfg, '=', 2), format(' of %s', concat_ws(' in ', 'role ' || quote_ident(r.rolname), 'database ' || quote_ident(d.datname))), case when c.cfg like 'synchronous_commit=%' then 'high' else 'critical' end,
    format('ALTER %s RESET %s', case when r.rolname is null then format('DATABASE %I', d.datname) else format('ROLE %I', r.rolname) || coalesce(format(' IN DATABASE %I', d.datname), '') end, split_part(c.cfg, '=', 1)),
    format('ALTER %s SET %s = %L;', case when r.rolname is null then format('DATABASE %I', d.datname) else format('ROLE %I', r.rolname) || coalesce(format(' IN DATABASE %I', d.datname), '') end, split_part(c.cfg, '=', 1), split_part(c.cfg, '=', 2))
  from pg_db_role_setting st left join pg_database d on d.oid = st.setdatabase left join pg_roles r on r.oid = st.setrole, unnest(st.setconfig) c(cfg)
  where (d.datname is null or d.datname = current_database()) and c.cfg in ('synchronous_commit=off', 'zero_damaged_pages=on', 'ignore_checksum_failure=on')
) k order by 1`},

		query{Info{ID: "DUR-02", Title: "A table is emptied by a crash", Severity: Critical, Safety: Guarded,
			Cause:  "it is UNLOGGED, which makes loading faster",
			Breaks: "after a crash it is empty, and it is never on a standby",
			Advice: "ALTER TABLE … SET LOGGED"}, `
select r.ident as object, 'UNLOGGED, ' || pg_size_pretty(pg_relation_size(r.oid)) as evidence, format('ALTER TABLE %s SET LOGGED', r.ident) as fix, format('ALTER TABLE %s SET UNLOGGED;', r.ident) as undo,
  pg_get_userbyid(r.relowner)::text as role, 'ACCESS EXCLUSIVE, rewrites the table' as lock
from rel r where r.relpersistence = 'u' and r.relkind = 'r' and r.relname not in (/* leases of River, unlogged by design: */ 'river_leader', 'river_client', 'river_client_queue') order by 1`},

		query{Info{ID: "DUR-03", Title: "WAL is not being archived", Severity: Critical, Safety: Advice,
			Cause:  "archive_command fails, or its target is full",
			Breaks: "recovery to a point in time ends at the last archived file, and pg_wal grows until the disk is full",
			Advice: "read the server's log for what archive_command says"}, `
select 'archiver' as object, format('%s failures, last %s (%s); last success %s', failed_count, last_failed_time, last_failed_wal, coalesce(last_archived_time::text, 'never')) as evidence
from pg_stat_archiver where last_failed_time > coalesce(last_archived_time, '-infinity')`},

		query{Info{ID: "DUR-04", Title: "A replication slot that nobody reads keeps WAL", Severity: High, Safety: Advice,
			Cause:  "its standby or subscriber was taken down and the slot was left",
			Breaks: "pg_wal grows until the disk is full, and vacuum is held back",
			Advice: "bring the reader back, or SELECT pg_drop_replication_slot(name)"}, `
select 'slot ' || quote_ident(s.slot_name) as object, format('inactive, keeps %s of WAL%s', pg_size_pretty(w.kept), coalesce(', catalogue rows since transaction ' || coalesce(s.xmin, s.catalog_xmin), '')) as evidence,
  case when w.kept > 1073741824 then 'high' else 'medium' end as severity
from pg_replication_slots s, lateral (select pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, s.restart_lsn) as kept) w
where not s.active and not s.temporary and s.restart_lsn is not null order by 1`},

		query{Info{ID: "DUR-05", Title: "A prepared transaction was left behind", Severity: High, Safety: Advice,
			Cause:  "its coordinator died between PREPARE and COMMIT PREPARED",
			Breaks: "it holds its locks for ever, also over a restart, and keeps vacuum from removing rows",
			Advice: "ask the coordinator, then COMMIT PREPARED or ROLLBACK PREPARED"}, `
select 'prepared ' || quote_literal(gid) as object, format('since %s by %s in %s', date_trunc('second', prepared), owner, database) as evidence, case when prepared < now() - interval '5 min' then 'high' else 'low' end as severity
from pg_prepared_xacts where database = current_database() order by 1`},

		query{Info{ID: "DUR-08", Title: "WAL waits to be archived", Severity: High, Safety: Advice, needs: "pg_monitor",
			Cause:  "archive_command is slower than the writes, or hangs without failing",
			Breaks: "losing the disk now loses everything since the last archived file",
			Advice: "look at what archive_command does; archive_timeout bounds how long a quiet server waits"}, `
select 'archiver' as object, format('%s files wait; last success %s', n.n, coalesce(a.last_archived_time::text, 'never')) as evidence
from (select count(*) as n from pg_ls_archive_statusdir() where name like '%.ready') n, pg_stat_archiver a where n.n >= 3`},

		query{Info{ID: "DUR-10", Title: "A standby is far behind", Severity: High, Safety: Advice, needs: "pg_monitor",
			Cause:  "the network or the standby is slower than the writes, or its replay is paused or blocked",
			Breaks: "a failover would lose what it has not received, and reads from it are old",
			Advice: "look at the standby's log and at pg_stat_replication"}, `
select 'standby ' || coalesce(nullif(application_name, ''), client_addr::text, pid::text) as object, format('%s behind, replay lag %s', pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), replay_lag) as evidence
from pg_stat_replication where not pg_is_in_recovery() and (replay_lag > @lag::interval or pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 1073741824) order by 1`},
	}
}
