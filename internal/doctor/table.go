package doctor

// tables is the family TAB: rows that are dead, statistics that are missing, numbers that run out.
func tables() []Check {
	return []Check{
		query{Info{ID: "TAB-01", Title: "A table is full of dead rows, or is never vacuumed", Severity: Medium, Safety: Guarded,
			Cause:  "autovacuum is switched off, or something holds it back: a long transaction, a replication slot, a prepared transaction",
			Breaks: "reads go through rows that are gone, and the transaction ids run towards their end",
			Advice: "VACUUM (ANALYZE) the table, after what holds it back is gone"}, `
select r.ident as object, 'autovacuum is off for this table' as evidence, format('ALTER TABLE %s RESET (autovacuum_enabled)', r.ident) as fix, format('ALTER TABLE %s SET (autovacuum_enabled = off);', r.ident) as undo,
  pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock, false as concurrent, 'safe' as safety
from rel r where r.relkind = 'r' and exists (select from unnest(r.reloptions) o where o ~* '^autovacuum_enabled=(off|false|0|no)')
union all
select r.ident, format('%s dead rows beside %s living ones, last vacuum %s', u.n_dead_tup, u.n_live_tup, coalesce(greatest(u.last_vacuum, u.last_autovacuum)::text, 'never')),
  format('VACUUM (ANALYZE) %s', r.ident), 'none needed: it changes no row', pg_get_userbyid(r.relowner)::text, 'SHARE UPDATE EXCLUSIVE', true, 'guarded'
from rel r join pg_stat_user_tables u on u.relid = r.oid
where u.n_dead_tup > 10000 and u.n_dead_tup > u.n_live_tup / 2 and not exists (select from unnest(r.reloptions) o where o ~* '^autovacuum_enabled=(off|false|0|no)') order by 1`},

		query{Info{ID: "TAB-02", Title: "Transaction ids are running out", Severity: Critical, Safety: Advice,
			Cause:  "vacuum cannot freeze: it is off, too slow, or held back by an old transaction, slot or prepared transaction",
			Breaks: "at the end the server takes no more writes until it is vacuumed by hand",
			Advice: "end what holds vacuum back (CONN-03, DUR-04, DUR-05), then VACUUM FREEZE the oldest tables"}, `
select 'database ' || quote_ident(d.datname) as object, format('%s of 2,000,000,000 %s used', u.n, u.what) as evidence, case when u.n > 1500000000 then 'critical' when u.n > 1000000000 then 'high' else 'medium' end as severity
from pg_database d, lateral (values (age(d.datfrozenxid), 'transaction ids'), (mxid_age(d.datminmxid), 'multixact ids')) u(n, what) where u.n > 500000000 order by 1`},

		query{Info{ID: "TAB-03", Title: "The planner knows nothing about a table", Severity: Low, Safety: Safe,
			Cause:  "it was filled by a restore or an upgrade, and nothing has analysed it since",
			Breaks: "plans are chosen blindly",
			Advice: "ANALYZE"}, `
select r.ident as object, format('%s, never analysed', pg_size_pretty(pg_relation_size(r.oid))) as evidence, format('ANALYZE %s', r.ident) as fix, 'none needed: it changes no row' as undo,
  pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock, true as concurrent
from rel r join pg_stat_user_tables u on u.relid = r.oid
where r.relkind = 'r' and greatest(u.last_analyze, u.last_autoanalyze) is null and pg_relation_size(r.oid) >= 81920
  and not exists (select from pg_class c where c.oid = r.oid and c.reltuples > 0) order by 1`},

		query{Info{ID: "TAB-05", Title: "A trigger is switched off", Severity: Medium, Safety: Guarded,
			Cause:  "it was switched off for a load or a restore, and never on again",
			Breaks: "what it guards is not guarded; for a foreign key that means rows without a parent",
			Advice: "check the rows that came in meanwhile, then ALTER TABLE … ENABLE TRIGGER"}, `
select format('%s.%I', r.ident, t.tgname) as object, case when t.tgisinternal then 'belongs to a constraint; disabled' else 'disabled' end as evidence,
  format('ALTER TABLE %s ENABLE TRIGGER %I', r.ident, t.tgname) as fix, format('ALTER TABLE %s DISABLE TRIGGER %I;', r.ident, t.tgname) as undo,
  case when t.tgisinternal then 'superuser' else pg_get_userbyid(r.relowner)::text end as role, 'SHARE ROW EXCLUSIVE' as lock, case when t.tgisinternal then 'high' end as severity
from pg_trigger t join rel r on r.oid = t.tgrelid where t.tgenabled = 'D' order by 1`},
	}
}
