package doctor

// connections is the family CONN: sessions, and what they keep others from.
func connections() []Check {
	return []Check{
		query{Info{ID: "CONN-01", Title: "The server's connections are nearly used up", Severity: High, Safety: Advice,
			Cause:  "more programs, or bigger pools, than max_connections was made for",
			Breaks: "the next program is refused (53300), also the one that would repair it",
			Advice: "lower the pools, put a pooler in front, or raise max_connections (needs a restart)"}, `
select 'server' as object, format('%s of %s connections', n.used, m.most) as evidence
from (select count(*) as used from pg_stat_activity where backend_type = 'client backend') n, (select current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4 as most) m
where n.used > 0.8 * m.most`},

		query{Info{ID: "CONN-02", Title: "The programs may open more connections than the server has", Severity: High, Safety: Advice,
			Cause:  "pools were sized one by one, and max_connections was left at its default",
			Breaks: "when all pools fill at once, the last ones are refused (53300), and so is the migrator",
			Advice: "make the pools smaller, put a pooler in front, or raise max_connections (needs a restart)"}, `
select * from (with room as (
  select current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4 - coalesce(current_setting('reserved_connections', true), '0')::int4 as most,
    (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and (datname is distinct from current_database() or usename not in (select rolname from runtime))) as others
)
select 'server' as object, format('the programs may open %s, others hold %s, the server has %s', @pool::int4, others, most) as evidence, 'high' as severity from room where @pool::int4 > 0 and @pool::int4 + others > most
union all
select 'connection limits of roles', format('%s promise %s, the server has %s', string_agg(quote_ident(r.rolname), ', ' order by r.rolname), sum(r.rolconnlimit), min(most)), 'low'
from pg_roles r, room where r.rolcanlogin and not r.rolsuper and r.rolconnlimit > 0 having sum(r.rolconnlimit) > min(most) ) k order by 1`},

		query{Info{ID: "CONN-03", Title: "A transaction has been open for long", Severity: Medium, Safety: Advice, needs: "pg_read_all_stats",
			Cause:  "a program waits for something else while its transaction is open, or forgot to end it",
			Breaks: "its locks block others, and vacuum cannot remove what it might still see",
			Advice: "SELECT pg_terminate_backend(pid), then mend the program; set idle_in_transaction_session_timeout"}, `
select 'session ' || a.pid as object, format('%s for %s by %s as %s', a.state, date_trunc('second', now() - a.xact_start), coalesce(nullif(a.application_name, ''), 'an unnamed program'), a.usename) as evidence,
  case when a.state like 'idle in transaction%' or now() - a.xact_start > interval '6 hours' then 'medium' else 'low' end as severity
from pg_stat_activity a where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and a.datname = current_database()
  and (a.state like 'idle in transaction%' and clock_timestamp() - a.state_change > @idle::interval or now() - a.xact_start > interval '1 hour') order by 1`},

		query{Info{ID: "CONN-04", Title: "Nothing ends a statement or transaction of the program that hangs", Severity: Medium, Safety: Safe,
			Cause:  "PostgreSQL sets no limit by itself",
			Breaks: "one bad query or one forgotten transaction blocks the others for as long as it likes",
			Advice: "ALTER ROLE … SET"}, `
select format('role %I: %s', a.rolname, t.name) as object, 'neither the role nor the server sets it' as evidence, format('ALTER ROLE %I IN DATABASE %I SET %s = %L', a.rolname, current_database(), t.name, t.proposed) as fix,
  format('ALTER ROLE %I IN DATABASE %I RESET %s;', a.rolname, current_database(), t.name) as undo, 'superuser' as role, 'none' as lock
from (select distinct rolname, oid from runtime) a, (values ('statement_timeout', '60s'), ('idle_in_transaction_session_timeout', '60s')) t(name, proposed)
where not exists (select from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c(cfg) where s.setrole in (0, a.oid) and (s.setdatabase = 0 or d.datname = current_database()) and c.cfg like t.name || '=%' and c.cfg !~ '=0')
  and not exists (select from pg_settings p where p.name = t.name and p.setting <> '0' and p.source in ('configuration file', 'command line', 'environment variable')) order by 1`},

		query{Info{ID: "CONN-05", Title: "A session waits for a lock", Severity: Medium, Safety: Advice, needs: "pg_read_all_stats",
			Cause:  "another session holds what it needs, and is doing something long or nothing at all",
			Breaks: "a statement that waits for ACCESS EXCLUSIVE makes everybody behind it wait",
			Advice: "look at the session that blocks; end it with pg_terminate_backend(pid) when nobody needs it"}, `
select 'session ' || a.pid as object, format('waits for %s, blocked by session %s', date_trunc('second', now() - a.state_change), array_to_string(pg_blocking_pids(a.pid), ', ')) as evidence
from pg_stat_activity a where a.wait_event_type = 'Lock' and a.datname = current_database() and now() - a.state_change > interval '5 s' order by 1`},

		query{Info{ID: "CONN-07", Title: "The server is a read-only standby, or writes are switched off", Severity: High, Safety: Advice,
			Cause:  "the address leads to a standby, or default_transaction_read_only was set",
			Breaks: "every write fails (25006)",
			Advice: "point the programs at the primary, or RESET default_transaction_read_only"}, `
select 'server' as object, 'in recovery' as evidence where pg_is_in_recovery()
union all
select concat_ws(' in ', 'role ' || quote_ident(r.rolname), 'database ' || quote_ident(d.datname)), 'default_transaction_read_only = on'
from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c(cfg)
where c.cfg = 'default_transaction_read_only=on' and (d.datname is null or d.datname = current_database()) and (r.rolname is null or r.oid in (select oid from runtime union select ownerid from scope)) order by 1`},
	}
}
