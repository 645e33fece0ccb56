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

		query{Info{ID: "TAB-04", Title: "A partitioned table has no partition for the rows of tomorrow", Severity: High, Safety: Advice,
			Cause:  "nothing creates the next partition, or what did has stopped",
			Breaks: "from the end of the last partition on every INSERT fails (23514)",
			Advice: "CREATE TABLE … PARTITION OF … for the next months, and a DEFAULT partition to catch what is forgotten"}, `
select r.ident as object, format('the last partition ends at %s', k.ends) as evidence, case when k.ends <= now() then 'critical' end as severity
from rel r join pg_partitioned_table p on p.partrelid = r.oid and p.partstrat = 'r' and p.partdefid = 0 join pg_attribute a on a.attrelid = r.oid and a.attnum = p.partattrs[0] and a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
cross join lateral (select max((regexp_match(b.bound, $$TO \('([^']+)'$$))[1]::timestamptz) as ends, bool_or(b.bound like '%TO (MAXVALUE%') as open
  from pg_inherits i join pg_class c on c.oid = i.inhrelid cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b where i.inhparent = r.oid) k
where r.relkind = 'p' and not r.relispartition and not k.open and k.ends < now() + interval '1 day' order by 1`},

		query{Info{ID: "TAB-05", Title: "A trigger is switched off", Severity: Medium, Safety: Guarded,
			Cause:  "it was switched off for a load or a restore, and never on again",
			Breaks: "what it guards is not guarded; for a foreign key that means rows without a parent",
			Advice: "check the rows that came in meanwhile, then ALTER TABLE … ENABLE TRIGGER"}, `
select format('%s.%I', r.ident, t.tgname) as object, case when t.tgisinternal then 'belongs to a constraint; disabled' else 'disabled' end as evidence,
  format('ALTER TABLE %s ENABLE TRIGGER %I', r.ident, t.tgname) as fix, format('ALTER TABLE %s DISABLE TRIGGER %I;', r.ident, t.tgname) as undo,
  case when t.tgisinternal then 'superuser' else pg_get_userbyid(r.relowner)::text end as role, 'SHARE ROW EXCLUSIVE' as lock, case when t.tgisinternal then 'high' end as severity
from pg_trigger t join rel r on r.oid = t.tgrelid where t.tgenabled = 'D' order by 1`},

		query{Info{ID: "TAB-06", Title: "Views stand on views, or tables refer to one another in a circle", Severity: Low, Safety: Advice,
			Cause:  "each was built on the one before",
			Breaks: "a change of the lowest view has to drop all the others; rows of a circle cannot be inserted or restored one table after the other",
			Advice: "let views read tables; make one foreign key of the circle DEFERRABLE, or let it be NULL at first"}, `
select * from (with recursive seen as (
  select distinct w.ev_class as upper, d.refobjid as lower from pg_rewrite w join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> w.ev_class
  join rel r on r.oid = w.ev_class join pg_class c on c.oid = d.refobjid and c.relkind in ('v', 'm')
), stack as (
  select upper, lower, 1 as depth from seen
  union
  select k.upper, s.lower, k.depth + 1 from stack k join seen s on s.upper = k.lower where k.depth < 16
), link as (
  select distinct f.conrelid as a, f.confrelid as b from pg_constraint f join rel r on r.oid = f.conrelid where f.contype = 'f' and f.conrelid <> f.confrelid and f.conparentid = 0 and not f.condeferrable
    and not exists (select from pg_attribute x where x.attrelid = f.conrelid and x.attnum = any (f.conkey) and not x.attnotnull)
), reach as (
  select a, b from link
  union
  select r.a, l.b from reach r join link l on l.a = r.b
)
select s.upper::regclass::text as object, format('%s views below it', max(s.depth)) as evidence from stack s group by s.upper having max(s.depth) > 3
union all
select min(x.a::regclass::text), 'a circle of ' || string_agg(x.a::regclass::text, ', ' order by x.a::regclass::text) || ': no row can be the first'
from (select r.a, (select min(o.b::regclass::text) from reach o where o.a = r.a and exists (select from reach back where back.a = o.b and back.b = r.a)) as circle from reach r where r.a = r.b) x group by x.circle ) k order by 1`},
	}
}
