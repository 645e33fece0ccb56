package doctor

// indexes is the family IDX: indexes that cost and do not help, and those that are missing.
func indexes() []Check {
	return []Check{
		query{Info{ID: "IDX-01", Title: "An index has never been used", Severity: Low, Safety: Advice,
			Cause:  "the query that it was made for is gone, or never came",
			Breaks: "every write pays for it",
			Advice: "look at the standbys too, then DROP INDEX CONCURRENTLY"}, `
select coalesce(k.ident, 'all indexes') as object, k.evidence, k.skip from (
  select r.ident, format('0 scans since %s, %s', date_trunc('day', d.stats_reset), pg_size_pretty(pg_relation_size(r.oid))) as evidence, null as skip
  from rel r join pg_index i on i.indexrelid = r.oid join pg_stat_user_indexes u on u.indexrelid = r.oid join pg_stat_database d on d.datname = current_database()
  where u.idx_scan = 0 and not i.indisunique and not i.indisexclusion and i.indisvalid and d.stats_reset <= now() - @unused::interval and pg_relation_size(r.oid) > 1048576
    and not exists (select from pg_constraint f where f.contype = 'f' and f.conrelid = i.indrelid and f.conkey[1] = i.indkey[0])
  union all
  select null, null, format('the statistics are kept since %s; they have to be %s old to call an index unused', coalesce(date_trunc('second', d.stats_reset)::text, 'an unknown time'), justify_interval(@unused::interval))
  from pg_stat_database d where d.datname = current_database() and coalesce(d.stats_reset > now() - @unused::interval, true)
) k order by 1`},

		query{Info{ID: "IDX-02", Title: "An index is contained in another", Severity: Medium, Safety: Guarded,
			Cause:  "two migrations made the same index under two names, or a longer one made the shorter one needless",
			Breaks: "every write pays twice, and the cache holds both",
			Advice: "DROP INDEX CONCURRENTLY"}, `
select r.ident as object, case when o.indnatts = i.indnatts then 'the same columns as ' else 'its columns are the first of ' end || o.indexrelid::regclass || ': ' || pg_get_indexdef(i.indexrelid) as evidence,
  format('DROP INDEX CONCURRENTLY %s', r.ident) as fix, pg_get_indexdef(i.indexrelid) || ';' as undo, pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock, true as concurrent
from pg_index i join rel r on r.oid = i.indexrelid and r.relkind = 'i' and not r.relispartition join pg_am m on m.oid = r.relam
join lateral (select x.* from pg_index x join pg_class xc on xc.oid = x.indexrelid
  where x.indrelid = i.indrelid and x.indexrelid <> i.indexrelid and x.indisvalid and xc.relam = r.relam
    and pg_get_expr(x.indpred, x.indrelid) is not distinct from pg_get_expr(i.indpred, i.indrelid) and i.indexprs is null and x.indexprs is null
    and ((x.indkey::int2[])[0:i.indnatts - 1] = (i.indkey::int2[])[0:i.indnatts - 1] and i.indnkeyatts = i.indnatts and x.indnkeyatts >= i.indnkeyatts)
    and (x.indclass::oid[])[0:i.indnkeyatts - 1] = (i.indclass::oid[])[0:i.indnkeyatts - 1] and (x.indoption::int2[])[0:i.indnkeyatts - 1] = (i.indoption::int2[])[0:i.indnkeyatts - 1] and (x.indcollation::oid[])[0:i.indnkeyatts - 1] = (i.indcollation::oid[])[0:i.indnkeyatts - 1]
    and (x.indnatts > i.indnatts or x.indnatts = i.indnatts and (x.indisunique and not i.indisunique or x.indexrelid < i.indexrelid and x.indisunique = i.indisunique))
  order by x.indnatts, x.indexrelid limit 1) o on true
where i.indisvalid and not i.indisreplident and not i.indisprimary and (not i.indisunique or o.indnatts = i.indnatts) and (m.amname = 'btree' or o.indnatts = i.indnatts)
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by 1`},

		query{Info{ID: "IDX-03", Title: "A big table is read from end to end again and again", Severity: Low, Safety: Advice,
			Cause:  "no index fits the query's condition",
			Breaks: "each such query takes longer with every row",
			Advice: "find the query in pg_stat_statements and EXPLAIN it"}, `
select r.ident as object, format('%s sequential scans read %s rows; %s index scans; %s', u.seq_scan, u.seq_tup_read, coalesce(u.idx_scan, 0), pg_size_pretty(pg_relation_size(r.oid))) as evidence
from rel r join pg_stat_user_tables u on u.relid = r.oid where r.relpages > 10000 and u.seq_scan > 100 and u.seq_scan > 10 * coalesce(u.idx_scan, 0) order by 1`},

		query{Info{ID: "IDX-04", Title: "An index covers a column that is nearly always NULL", Severity: Low, Safety: Advice,
			Cause:  "the index was made before the data",
			Breaks: "most of it is never looked up",
			Advice: "make it partial: … WHERE column IS NOT NULL"}, `
select r.ident as object, format('%I is NULL in %s %% of the rows, %s', a.attname, round(100 * t.stanullfrac::numeric, 1), pg_size_pretty(pg_relation_size(r.oid))) as evidence, null as skip
from rel r join pg_index i on i.indexrelid = r.oid join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
join lateral (select s.null_frac as stanullfrac from pg_stats s where (s.schemaname, s.tablename, s.attname) = (r.nspname, (select c.relname from pg_class c where c.oid = i.indrelid), a.attname) limit 1) t on true
where i.indnkeyatts = 1 and not i.indisunique and i.indpred is null and t.stanullfrac > 0.9 and r.relpages > 100
union all
select r.ident, null, 'missing right: SELECT on ' || i.indrelid::regclass || ', without which its statistics are not shown'
from rel r join pg_index i on i.indexrelid = r.oid where i.indnkeyatts = 1 and not i.indisunique and i.indpred is null and i.indkey[0] <> 0 and r.relpages > 100 and not has_table_privilege(i.indrelid, 'SELECT') order by 1`},

		query{Info{ID: "IDX-05", Title: "An index is mostly empty space", Severity: Medium, Safety: Guarded,
			Cause:  "many rows were deleted or moved, and the pages of an index are only given back when they are wholly empty",
			Breaks: "every scan of it reads several times the pages that it needs, and they fill the memory",
			Advice: "REINDEX INDEX CONCURRENTLY"}, `
select r.ident as object, format('%s, about %s are needed for %s entries of %s bytes (estimated from the statistics)', pg_size_pretty(pg_relation_size(r.oid)), pg_size_pretty(8192 * k.pages), r.reltuples::int8, k.width) as evidence,
  format('REINDEX INDEX CONCURRENTLY %s', r.ident) as fix, 'none needed: it changes no row' as undo, pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock, true as concurrent, null as skip
from rel r join pg_am m on m.oid = r.relam and m.amname = 'btree' join pg_index i on i.indexrelid = r.oid and i.indisvalid and i.indexprs is null join pg_class t on t.oid = i.indrelid
cross join lateral (select count(*) as n, sum(coalesce(s.avg_width, 0) * (1 - coalesce(s.null_frac, 0))) as bytes from pg_attribute a join pg_stats s on (s.schemaname, s.tablename, s.attname) = (r.nspname, t.relname, a.attname) where a.attrelid = t.oid and a.attnum = any (i.indkey::int2[])) c
cross join lateral (select round(c.bytes)::int8 as width, (2 + ceil(r.reltuples * (c.bytes + 20) / (8192 * 0.85)))::int8 as pages) k
where r.relkind = 'i' and r.reltuples >= 0 and c.n = i.indnatts and r.relpages > 256 and r.relpages > 2.5 * k.pages and not exists (select from pg_stat_progress_create_index p where p.index_relid = r.oid)
union all
select r.ident, null, null, null, null, null, null, 'missing right: SELECT on ' || i.indrelid::regclass || ', without which its statistics are not shown'
from rel r join pg_index i on i.indexrelid = r.oid and i.indexprs is null where r.relkind = 'i' and r.relpages > 256 and not has_table_privilege(i.indrelid, 'SELECT') order by 1`},

		query{Info{ID: "IDX-06", Title: "Most updates of a table have to change every index", Severity: Low, Safety: Advice,
			Cause:  "the updates change a column that is indexed, or the pages have no room for the new version of the row",
			Breaks: "each update writes to all indexes of the table, and leaves a dead entry in each",
			Advice: "lower the table's fillfactor (85, then VACUUM FULL or wait), or drop the index on the column that always changes"}, `
select r.ident as object, format('%s of %s updates stayed within their page, %s indexes', u.n_tup_hot_upd, u.n_tup_upd, n.n) as evidence
from rel r join pg_stat_user_tables u on u.relid = r.oid cross join lateral (select count(*) as n from pg_index i where i.indrelid = r.oid) n
where n.n > 1 and u.n_tup_upd > 10000 and u.n_tup_upd > u.n_live_tup and u.n_tup_hot_upd < u.n_tup_upd / 5 order by 1`},

		query{Info{ID: "IDX-07", Title: "The sort order of the operating system has changed below an index", Severity: Critical, Safety: Advice, version: 150000,
			Cause:  "the C library or ICU was updated, or the data moved to another system",
			Breaks: "indexes on text are out of order: rows are not found, and unique ones let duplicates in",
			Advice: "REINDEX DATABASE CONCURRENTLY, then ALTER DATABASE … REFRESH COLLATION VERSION"}, `
select 'database ' || quote_ident(d.datname) as object, format('built with version %s, the system has %s', d.datcollversion, pg_database_collation_actual_version(d.oid)) as evidence
from pg_database d where d.datname = current_database() and d.datcollversion <> pg_database_collation_actual_version(d.oid)
union all
select 'collation ' || quote_ident(c.collname), format('built with version %s, the system has %s', c.collversion, pg_collation_actual_version(c.oid))
from pg_collation c where c.collversion <> pg_collation_actual_version(c.oid) and exists (select from pg_attribute a join rel r on r.oid = a.attrelid and r.relkind = 'i' where a.attcollation = c.oid) order by 1`},
	}
}
