package doctor

// scale is the family SCL: what keeps a schema of several tenants from being divided.
func scale() []Check {
	return []Check{
		query{Info{ID: "SCL-01", Title: "A table's key does not begin with what the other keys begin with", Severity: Low, Safety: Advice,
			Cause:  "the tables are divided by a column such as the tenant, and this one was made without it",
			Breaks: "a tenant cannot be moved, partitioned or deleted whole, and a reference may cross from one to another",
			Advice: "put the column first in the primary key and into the foreign keys, or keep the table apart on purpose"}, `
select * from (with keyed as (
  select r.oid, r.ident, r.relnamespace, p.conkey, a.attname, a.atttypid from rel r join pg_constraint p on p.conrelid = r.oid and p.contype = 'p' join pg_attribute a on a.attrelid = r.oid and a.attnum = p.conkey[1]
  where r.relkind in ('r', 'p') and not r.relispartition and not ` + isLedger + `
), tenant as (
  select k.relnamespace, k.attname, k.atttypid, count(*) as n from keyed k where k.attname ~ '_id$' and cardinality(k.conkey) > 1 group by 1, 2, 3
  having count(*) >= 3 and count(*) * 2 > (select count(*) from keyed o where o.relnamespace = k.relnamespace)
)
select k.ident as object, case when a.attnum is null then format('%I is not in it; the keys of %s tables begin with it', t.attname, t.n)
  else format('its key is %s; those of %s tables begin with %I', (select string_agg(quote_ident(x.attname), ', ' order by x.attnum) from pg_attribute x where x.attrelid = k.oid and x.attnum = any (k.conkey)), t.n, t.attname) end as evidence
from tenant t join keyed k on k.relnamespace = t.relnamespace left join pg_attribute a on a.attrelid = k.oid and a.attname = t.attname and not a.attisdropped
where a.attnum is null or not a.attnum = any (k.conkey)
union all
select format('%s.%I', k.ident, f.conname), format('it does not carry %I: a row may refer to one of another', t.attname)
from tenant t join keyed k on k.relnamespace = t.relnamespace and k.attname = t.attname join pg_constraint f on f.conrelid = k.oid and f.contype = 'f' join keyed o on o.oid = f.confrelid and o.attname = t.attname
where not k.conkey[1] = any (f.conkey) ) k order by 1`},
	}
}
