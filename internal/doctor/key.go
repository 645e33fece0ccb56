package doctor

// keys is the family KEY: what identifies a row, and what refers to it.
func keys() []Check {
	return []Check{
		query{Info{ID: "KEY-01", Title: "A table has no primary key", Severity: Medium, Safety: Advice,
			Cause:  "it was created without one",
			Breaks: "a row cannot be named: duplicates get in, and logical replication cannot carry UPDATE and DELETE",
			Advice: "ALTER TABLE … ADD PRIMARY KEY, on a unique index that is built concurrently"}, `
select r.ident as object, case when exists (select from pg_index i where i.indrelid = r.oid and i.indisunique and i.indpred is null) then 'no primary key, though a unique index' else 'neither primary key nor unique index' end as evidence
from rel r where r.relkind in ('r', 'p') and not r.relispartition and r.relpersistence <> 't' and not exists (select from pg_constraint k where k.conrelid = r.oid and k.contype = 'p') order by 1`},

		query{Info{ID: "KEY-02", Title: "A foreign key has no index", Severity: Medium, Safety: Guarded,
			Cause:  "PostgreSQL indexes the key that is referred to, not the column that refers",
			Breaks: "each DELETE or key change of the parent reads the whole child table, and holds locks meanwhile",
			Advice: "CREATE INDEX CONCURRENTLY on the column"}, `
select format('%s.%I', r.ident, k.conname) as object, pg_get_constraintdef(k.oid) as evidence,
  format('CREATE INDEX CONCURRENTLY %I ON %s (%s)', left(r.relname, 30) || '_' || left(c.plain, 25) || '_' || left(md5(k.conname), 4), r.ident, c.cols) as fix,
  format('DROP INDEX CONCURRENTLY %I.%I;', r.nspname, left(r.relname, 30) || '_' || left(c.plain, 25) || '_' || left(md5(k.conname), 4)) as undo,
  pg_get_userbyid(r.relowner)::text as role, 'SHARE UPDATE EXCLUSIVE' as lock, r.relkind = 'r' as concurrent, case when r.relkind = 'p' then 'advice' end as safety
from pg_constraint k join rel r on r.oid = k.conrelid,
  lateral (select string_agg(quote_ident(a.attname), ', ' order by u.n) as cols, string_agg(a.attname, '_' order by u.n) as plain from unnest(k.conkey) with ordinality u(att, n) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.att) c
where k.contype = 'f' and k.conparentid = 0
  and not exists (select from pg_index i where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
    and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey and k.conkey @> (i.indkey::int2[])[0:cardinality(k.conkey) - 1])
  -- Columns that alone name the row that is referred to are enough: the others follow from them.
  and not exists (select from pg_index i join pg_index u on u.indrelid = k.confrelid and u.indisunique and u.indisvalid and u.indpred is null and u.indexprs is null
    where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null and k.conkey @> (i.indkey::int2[])[0:u.indnkeyatts - 1]
    and (select array_agg(c.there) from unnest(k.conkey, k.confkey) c(here, there) where c.here = any ((i.indkey::int2[])[0:u.indnkeyatts - 1])) @> (u.indkey::int2[])[0:u.indnkeyatts - 1]) order by 1`},

		query{Info{ID: "KEY-03", Title: "A foreign key is doubled or compares different types", Severity: Medium, Safety: Advice,
			Cause:  "a migration ran twice without naming the constraint, or only one of two columns was widened",
			Breaks: "each write checks twice; comparing different types may not use the index",
			Advice: "drop the double: ALTER TABLE … DROP CONSTRAINT; give both columns one type"}, `
select format('%s.%I', r.ident, k.conname) as object, 'the same as ' || quote_ident(o.conname) as evidence, format('ALTER TABLE %s DROP CONSTRAINT %I', r.ident, k.conname) as fix,
  format('ALTER TABLE %s ADD CONSTRAINT %I %s;', r.ident, k.conname, pg_get_constraintdef(k.oid)) as undo, pg_get_userbyid(r.relowner)::text as role, 'ACCESS EXCLUSIVE' as lock, 'guarded' as safety
from pg_constraint k join rel r on r.oid = k.conrelid join pg_constraint o on o.conrelid = k.conrelid and o.contype = 'f' and o.conname < k.conname and o.conkey = k.conkey and o.confrelid = k.confrelid and o.confkey = k.confkey
  and o.confdeltype = k.confdeltype and o.confupdtype = k.confupdtype
where k.contype = 'f' and k.conparentid = 0 and not exists (select from pg_constraint e where e.conrelid = k.conrelid and e.contype = 'f' and e.conname < o.conname and e.conkey = k.conkey and e.confrelid = k.confrelid and e.confkey = k.confkey)
union all
select format('%s.%I', r.ident, k.conname), format('%I is %s, %s.%I is %s', a.attname, format_type(a.atttypid, a.atttypmod), k.confrelid::regclass, b.attname, format_type(b.atttypid, b.atttypmod)), null, null, null, null, 'advice'
from pg_constraint k join rel r on r.oid = k.conrelid, unnest(k.conkey, k.confkey) u(x, y) join pg_attribute a on a.attnum = u.x join pg_attribute b on b.attnum = u.y
where k.contype = 'f' and k.conparentid = 0 and a.attrelid = k.conrelid and b.attrelid = k.confrelid and a.atttypid <> b.atttypid order by 1`},

		query{Info{ID: "KEY-04", Title: "Columns are named like references to a table, and nothing keeps them to it", Severity: Low, Safety: Advice,
			Cause:  "the foreign key was forgotten, or left out for speed",
			Breaks: "rows may refer to what does not exist, and nothing says so",
			Advice: "look for such rows, then ALTER TABLE … ADD FOREIGN KEY … NOT VALID, and VALIDATE CONSTRAINT"}, `
select * from (with target as materialized (
  select t.oid, t.ident, t.relnamespace, k.atttypid, unnest(array[t.relname || '_id', regexp_replace(t.relname, '(ies|s)$', case when t.relname ~ 'ies$' then 'y' else '' end) || '_id']) as reference
  from rel t join pg_constraint p on p.conrelid = t.oid and p.contype = 'p' and cardinality(p.conkey) = 1 join pg_attribute k on k.attrelid = t.oid and k.attnum = p.conkey[1]
  where t.relkind in ('r', 'p') and not t.relispartition and k.attname in ('id', t.relname || '_id') and t.relnamespace not in (select oid from product)
), col as materialized (
  select r.oid, r.ident, r.relnamespace, a.attname, a.attnum, a.atttypid from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  where r.relkind in ('r', 'p') and not r.relispartition and a.attname ~ '_id$'
), pair as materialized (
  select t.ident, c.oid, c.ident as child, c.attname, c.attnum from target t join col c on c.attname::text = t.reference and c.relnamespace = t.relnamespace and c.atttypid = t.atttypid and c.oid <> t.oid
)
select x.ident as object, string_agg(distinct format('%s.%I', x.child, x.attname), ', ' order by format('%s.%I', x.child, x.attname)) as evidence, null::text as skip
from pair x where not exists (select from pg_constraint f where f.conrelid = x.oid and f.contype = 'f' and x.attnum = any (f.conkey)) group by x.ident) k
union all
select 'schema ' || quote_ident(nspname), null, 'Manito keeps no foreign keys between its tables: checking each row that a scan writes costs more than writing it; DATA-02 and DATA-06 look for what they would keep out' from product order by 1`},

		query{Info{ID: "KEY-05", Title: "Keys of both integers and UUIDs name the same kind of thing", Severity: Low, Safety: Advice,
			Cause:  "parts of the schema came from different hands",
			Breaks: "joins need casts, and a value of the wrong kind fails only when it is used",
			Advice: "decide on one kind of key, and carry the other over in a second column"}, `
select format('%I in schema %I', a.attname, r.nspname) as object, string_agg(distinct format_type(a.atttypid, null), ', ') || ': ' || string_agg(r.ident, ', ' order by r.ident) as evidence
from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.relkind in ('r', 'p') and a.attname ~ '(^id$|_id$)' and a.atttypid in ('int4'::regtype, 'int8'::regtype, 'uuid'::regtype)
group by r.nspname, a.attname having bool_or(a.atttypid = 'uuid'::regtype) and bool_or(a.atttypid <> 'uuid'::regtype) order by 1`},
	}
}

// types is the family TYPE: columns of a type that does not hold what it seems to.
func types() []Check {
	const columns = `from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped where r.relkind in ('r', 'p') and not r.relispartition`
	return []Check{
		query{Info{ID: "TYPE-01", Title: "A column has a type that surprises", Severity: Low, Safety: Advice,
			Cause:  "the type is the short name that one remembers",
			Breaks: "json keeps no equality and parses at each read; timestamp forgets the time zone; char(n) pads; money depends on the server's locale; varchar(n) refuses the first longer value",
			Advice: "jsonb, timestamptz, text with a CHECK, numeric; each change rewrites the table unless noted in the manual"}, `
select r.ident as object, string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum) as evidence
` + columns + ` and (a.atttypid in ('json'::regtype, 'timestamp'::regtype, 'timetz'::regtype, 'bpchar'::regtype, 'money'::regtype) or a.atttypid = 'varchar'::regtype and a.atttypmod > 0) group by r.ident order by 1`},

		query{Info{ID: "TYPE-02", Title: "A table has a single column, or none that must be filled", Severity: Note, Safety: Advice,
			Cause:  "it was sketched and never finished",
			Breaks: "rows without any content are accepted",
			Advice: "NOT NULL where a row makes no sense without the value"}, `
select r.ident as object, count(*) || ' columns, none NOT NULL' as evidence ` + columns + ` group by r.ident having not bool_or(a.attnotnull) order by 1`},

		query{Info{ID: "TYPE-03", Title: "Vectors are kept as text", Severity: Medium, Safety: Advice,
			Cause:  "the extension for vectors was not there when the table was created",
			Breaks: "no distance can be computed in the database, no dimension is checked, and each value takes three times the space",
			Advice: "real[] with a CHECK on its length, or the type vector where pgvector is installed"}, `
select format('%s.%I', r.ident, a.attname) as object, format_type(a.atttypid, a.atttypmod) as evidence ` + columns + ` and a.attname ~* '(^|_)(embeddings?|vectors?)$' and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype) order by 1`},
	}
}
