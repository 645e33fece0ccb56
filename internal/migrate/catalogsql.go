package migrate

// catalogQueries read one kind of object each, as (kind, name, parent, included,
// definition, create, alter, drop). $1 is the schema's name, $2 the names of the
// ledger's own objects. Definitions are compared between servers of one major version;
// the server's deparser writes them, which makes them independent of how the SQL that
// created the objects was formatted.
var catalogQueries = []string{
	schemaQuery, typesQuery, sequencesQuery, tablesQuery, columnsQuery, attributesQuery, constraintsQuery, indexesQuery,
	functionsQuery, viewsQuery, triggersQuery, rulesQuery, policiesQuery, statisticsQuery, operatorsQuery,
	ownersQuery, grantsQuery, defaultGrantsQuery, commentsQuery,
}

// relations are the tables, views and sequences of the schema without the ledger's.
const relations = `relations as (
	select c.oid, c.relname, c.relkind, c.relowner, c.relacl, quote_ident(c.relname) as id, n.oid as schema_id,
	       case c.relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end as kind
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1 and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'c') and c.relname <> all ($2::text[])
	  and not exists (select from pg_depend d join pg_class l on l.oid = d.refobjid
		where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
		  and d.deptype in ('a', 'i') and l.relnamespace = n.oid and l.relname = any ($2::text[]))
	  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)`

// routines are the functions of the schema without the ledger's and extensions'.
const routines = `routines as (
	select p.*, format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) as id
	from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	where n.nspname = $1 and p.proname <> all ($2::text[])
	  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
)`

const schemaQuery = `
	select 'schema', '{{schema}}', '', false, '', 'create schema {{schema}} authorization {{owner}}', '', 'drop schema {{schema}} cascade'
	from pg_namespace where nspname = $1 and $2::text[] is not null`

const typesQuery = `with ` + relations + `
	select 'type', quote_ident(t.typname), '', false, x.def, format('create type %I as %s', t.typname, x.def), '', format('drop type %I', t.typname)
	from pg_type t join pg_namespace n on n.oid = t.typnamespace
	cross join lateral (select case t.typtype
		when 'e' then (select 'enum (' || string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) || ')' from pg_enum e where e.enumtypid = t.oid)
		when 'c' then (select '(' || string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) || ')'
			from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
		else (select 'range (subtype = ' || format_type(r.rngsubtype, null) || ')' from pg_range r where r.rngtypid = t.oid) end as def) x
	where n.nspname = $1 and (t.typtype in ('e', 'r') or t.typtype = 'c' and exists (select from relations c where c.oid = t.typrelid and c.relkind = 'c'))
	  and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
	union all
	select 'type', quote_ident(t.typname), '', false, x.def, format('create domain %I as %s', t.typname, x.def), '', format('drop domain %I', t.typname)
	from pg_type t join pg_namespace n on n.oid = t.typnamespace
	cross join lateral (select concat_ws(' ', format_type(t.typbasetype, t.typtypmod), 'default ' || t.typdefault, case when t.typnotnull then 'not null' end,
		(select string_agg(pg_get_constraintdef(c.oid, true), ' ' order by c.conname) from pg_constraint c where c.contypid = t.oid and c.contype = 'c')) as def) x
	where n.nspname = $1 and t.typtype = 'd'`

const sequencesQuery = `with ` + relations + `
	select 'sequence', c.id, coalesce((select 'column ' || t.id || '.' || quote_ident(a.attname) from pg_depend d
			join relations t on t.oid = d.refobjid join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
			where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')), ''),
		exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i'),
		x.def, format('create sequence %s %s', c.id, x.def), format('alter sequence %s %s', c.id, x.def), format('drop sequence %s', c.id)
	from relations c join pg_sequence s on s.seqrelid = c.oid
	cross join lateral (select format('as %s increment by %s minvalue %s maxvalue %s start with %s cache %s %s', format_type(s.seqtypid, null),
		s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then 'cycle' else 'no cycle' end) as def) x`

// columnText is a column as CREATE TABLE writes it, without its not null.
const columnText = `concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
	case when a.attcollation <> t.typcollation then 'collate ' || (select quote_ident(l.collname) from pg_collation l where l.oid = a.attcollation) end,
	case a.attidentity when 'a' then 'generated always as identity' when 'd' then 'generated by default as identity' end,
	case a.attgenerated when 's' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid, true) || ') stored'
		when 'v' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid, true) || ') virtual' end)`

const columnJoin = `pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum`

const defaultText = `case when a.attgenerated = '' then ' default ' || pg_get_expr(d.adbin, d.adrelid, true) end`

const tablesQuery = `with ` + relations + `
	select 'table', r.id, coalesce((select 'table ' || quote_ident(p.relname) from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid limit 1), ''), false,
		x.def,
		format('create %stable %s (%s)%s%s', case c.relpersistence when 'u' then 'unlogged ' else '' end, r.id,
			(select string_agg(` + columnText + ` || coalesce(` + defaultText + `, '') || case when a.attnotnull then ' not null' else '' end, ', ' order by a.attnum)
			 from ` + columnJoin + ` where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
			coalesce(' partition by ' || pg_get_partkeydef(c.oid), ''), coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')),
		'', format('drop table %s', r.id)
	from relations r join pg_class c on c.oid = r.oid
	cross join lateral (select concat_ws(' ', case c.relkind when 'p' then 'partitioned by ' || pg_get_partkeydef(c.oid) when 'f' then 'foreign' end,
		case c.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end,
		pg_get_expr(c.relpartbound, c.oid, true),
		'with (' || array_to_string(c.reloptions, ', ') || ')',
		case when c.relrowsecurity then 'row security' end, case when c.relforcerowsecurity then 'forced row security' end,
		case when c.relreplident <> 'd' then 'replica identity ' || c.relreplident::text end) as def) x
	where r.kind = 'table'`

const columnsQuery = `with ` + relations + `
	select 'column', r.id || '.' || quote_ident(a.attname), 'table ' || r.id, true, ` + columnText + `,
		format('alter table %s add column %s%s%s', r.id, ` + columnText + `, ` + defaultText + `, case when a.attnotnull then ' not null' else '' end),
		case when a.attidentity = '' and a.attgenerated = '' then format('alter table %s alter column %I type %s', r.id, a.attname, format_type(a.atttypid, a.atttypmod)) else '' end,
		format('alter table %s drop column %I', r.id, a.attname)
	from relations r join ` + columnJoin + ` on a.attrelid = r.oid
	where r.kind = 'table' and a.attnum > 0 and not a.attisdropped`

// attributesQuery are the properties of columns that change on their own.
const attributesQuery = `with ` + relations + `, columns as (
		select r.id as t, quote_ident(a.attname) as c, a.*, t.typstorage, d.adbin, d.adrelid
		from relations r join ` + columnJoin + ` on a.attrelid = r.oid
		where r.kind = 'table' and a.attnum > 0 and not a.attisdropped)
	select 'default', t || '.' || c, 'column ' || t || '.' || c, true, pg_get_expr(adbin, adrelid, true),
		format('alter table %s alter column %s set default %s', t, c, pg_get_expr(adbin, adrelid, true)),
		format('alter table %s alter column %s set default %s', t, c, pg_get_expr(adbin, adrelid, true)),
		format('alter table %s alter column %s drop default', t, c)
	from columns where adbin is not null and attgenerated = ''
	union all
	select 'not null', t || '.' || c, 'column ' || t || '.' || c, true, '', format('alter table %s alter column %s set not null', t, c), '',
		format('alter table %s alter column %s drop not null', t, c)
	from columns where attnotnull
	union all
	select 'storage', t || '.' || c, 'column ' || t || '.' || c, false, x.name, format('alter table %s alter column %s set storage %s', t, c, x.name),
		format('alter table %s alter column %s set storage %s', t, c, x.name),
		format('alter table %s alter column %s set storage %s', t, c, case typstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
	from columns cross join lateral (select case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end as name) x
	where attstorage <> typstorage
	union all
	select 'statistics', t || '.' || c, 'column ' || t || '.' || c, false, attstattarget::text, format('alter table %s alter column %s set statistics %s', t, c, attstattarget),
		format('alter table %s alter column %s set statistics %s', t, c, attstattarget), format('alter table %s alter column %s set statistics -1', t, c)
	from columns where coalesce(attstattarget, -1) >= 0
	union all
	select 'compression', t || '.' || c, 'column ' || t || '.' || c, false, x.name, format('alter table %s alter column %s set compression %s', t, c, x.name),
		format('alter table %s alter column %s set compression %s', t, c, x.name), format('alter table %s alter column %s set compression default', t, c)
	from columns cross join lateral (select case attcompression when 'l' then 'lz4' when 'p' then 'pglz' end as name) x
	where x.name is not null`

// constraintsQuery leaves out the not-null constraints that 18 catalogues.
const constraintsQuery = `with ` + relations + `
	select 'constraint', r.id || '.' || quote_ident(c.conname), 'table ' || r.id, false, pg_get_constraintdef(c.oid, true),
		format('alter table %s add constraint %I %s', r.id, c.conname, pg_get_constraintdef(c.oid, true)), '', format('alter table %s drop constraint %I', r.id, c.conname)
	from pg_constraint c join relations r on r.oid = c.conrelid where c.contype <> 'n' and c.conparentid = 0 and c.contype <> 't'`

const indexesQuery = `with ` + relations + `
	select 'index', quote_ident(i.relname), r.kind || ' ' || r.id, false,
		pg_get_indexdef(i.oid, 0, true) || case when x.indisvalid then '' else ' invalid' end || case when x.indisclustered then ' clustered' else '' end,
		pg_get_indexdef(i.oid, 0, true), '', format('drop index %I', i.relname)
	from pg_index x join relations r on r.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
	where not exists (select from pg_constraint c where c.conindid = x.indexrelid and c.contype in ('p', 'u', 'x')) and not i.relispartition`

const functionsQuery = `with ` + routines + `
	select 'function', id, '', false, pg_get_functiondef(oid), pg_get_functiondef(oid), pg_get_functiondef(oid), 'drop routine ' || id
	from routines where prokind <> 'a'
	union all
	select 'function', r.id, '', false, concat_ws(' ', 'aggregate', format_type(r.prorettype, null), a.aggtransfn::text, format_type(a.aggtranstype, null), a.aggfinalfn::text, a.agginitval), 
		'-- create aggregate ' || r.id, '', 'drop routine ' || r.id
	from routines r join pg_aggregate a on a.aggfnoid = r.oid`

const viewsQuery = `with ` + relations + `
	select 'view', r.id, '', false, x.kind || x.def, x.create, case c.relkind when 'v' then x.create else '' end,
		format('drop %s%s', x.kind, r.id)
	from relations r join pg_class c on c.oid = r.oid
	cross join lateral (select case c.relkind when 'm' then 'materialized view ' else 'view ' end as kind, case c.relkind when 'm' then '' else 'or replace ' end as again,
		format('%s%s as %s', r.id, coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), rtrim(pg_get_viewdef(c.oid, true), ';')) as def) d
	cross join lateral (select d.kind, d.def, 'create ' || d.again || d.kind || d.def as create) x
	where r.kind = 'view'`

const triggersQuery = `with ` + relations + `
	select 'trigger', r.id || '.' || quote_ident(t.tgname), r.kind || ' ' || r.id, false,
		pg_get_triggerdef(t.oid, true) || case t.tgenabled when 'O' then '' when 'D' then ' disabled' when 'R' then ' on replicas' else ' always' end,
		pg_get_triggerdef(t.oid, true), '', format('drop trigger %I on %s', t.tgname, r.id)
	from pg_trigger t join relations r on r.oid = t.tgrelid where not t.tgisinternal and t.tgparentid = 0`

const rulesQuery = `with ` + relations + `
	select 'rule', r.id || '.' || quote_ident(w.rulename), r.kind || ' ' || r.id, false, pg_get_ruledef(w.oid, true), pg_get_ruledef(w.oid, true), '',
		format('drop rule %I on %s', w.rulename, r.id)
	from pg_rewrite w join relations r on r.oid = w.ev_class where w.rulename <> '_RETURN'`

const policiesQuery = `with ` + relations + `
	select 'policy', r.id || '.' || quote_ident(p.polname), 'table ' || r.id, false, x.def, format('create policy %I on %s %s', p.polname, r.id, x.def), '',
		format('drop policy %I on %s', p.polname, r.id)
	from pg_policy p join relations r on r.oid = p.polrelid
	cross join lateral (select concat_ws(' ', case when p.polpermissive then 'as permissive' else 'as restrictive' end,
		'for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
		'to ' || (select string_agg(case when o = 0 then 'public' else e'\x01' || pg_get_userbyid(o) || e'\x01' end, ', ' order by o = 0, pg_get_userbyid(o)) from unnest(p.polroles) o),
		'using (' || pg_get_expr(p.polqual, p.polrelid, true) || ')', 'with check (' || pg_get_expr(p.polwithcheck, p.polrelid, true) || ')') as def) x`

const statisticsQuery = `with ` + relations + `
	select 'extended statistics', quote_ident(s.stxname), 'table ' || r.id, false, pg_get_statisticsobjdef(s.oid), pg_get_statisticsobjdef(s.oid), '', format('drop statistics %I', s.stxname)
	from pg_statistic_ext s join relations r on r.oid = s.stxrelid`

// operatorsQuery names what Manito's schema has none of, so that it shows as drift.
const operatorsQuery = `
	select 'operator', x.name, '', false, x.name, '-- create ' || x.name, '', 'drop ' || x.name
	from (select 'operator ' || o.oid::regoperator::text, o.oid, 'pg_operator'::regclass from pg_operator o where o.oprnamespace = (select oid from pg_namespace where nspname = $1)
		union all select format('operator class %I using %I', o.opcname, a.amname), o.oid, 'pg_opclass'::regclass from pg_opclass o join pg_am a on a.oid = o.opcmethod
			where o.opcnamespace = (select oid from pg_namespace where nspname = $1)
		union all select format('collation %I', collname), oid, 'pg_collation'::regclass from pg_collation where collnamespace = (select oid from pg_namespace where nspname = $1)
		union all select format('text search configuration %I', cfgname), oid, 'pg_ts_config'::regclass from pg_ts_config where cfgnamespace = (select oid from pg_namespace where nspname = $1)
	) x(name, oid, class)
	where $2::text[] is not null and not exists (select from pg_depend d where d.classid = x.class and d.objid = x.oid and d.deptype = 'e')`

const ownersQuery = `with ` + relations + `, ` + routines + `, owned(kind, id, alter_kind, owner) as (
		select 'schema', '{{schema}}', 'schema', nspowner from pg_namespace where nspname = $1
		union all select kind, id, case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end, relowner from relations
		union all select 'function', id, 'routine', proowner from routines
		union all select 'type', quote_ident(typname), case typtype when 'd' then 'domain' else 'type' end, typowner from pg_type
			where typnamespace = (select oid from pg_namespace where nspname = $1) and typtype in ('e', 'r', 'd'))
	select 'owner', kind || ' ' || id, kind || ' ' || id, true, e'\x01' || pg_get_userbyid(owner) || e'\x01',
		format(e'alter %s %s owner to \x01%s\x01', alter_kind, id, pg_get_userbyid(owner)), format(e'alter %s %s owner to \x01%s\x01', alter_kind, id, pg_get_userbyid(owner)),
		'-- alter ' || alter_kind || ' ' || id || ' owner to another role'
	from owned`

// grantsQuery has one row for each object and role, without the owner's own rights.
const grantsQuery = `with ` + relations + `, ` + routines + `, objects(kind, id, on_kind, owner, acl, column_name) as (
		select 'schema', '{{schema}}', 'schema', nspowner, coalesce(nspacl, acldefault('n', nspowner)), null from pg_namespace where nspname = $1
		union all select kind, id, case relkind when 'S' then 'sequence' else 'table' end, relowner, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)), null
			from relations where relkind <> 'c'
		union all select r.kind, r.id, 'table', r.relowner, a.attacl, quote_ident(a.attname) from relations r join pg_attribute a on a.attrelid = r.oid
			where a.attacl is not null and not a.attisdropped
		union all select 'function', id, 'routine', proowner, coalesce(proacl, acldefault('f', proowner)), null from routines
		union all select 'type', quote_ident(typname), 'type', typowner, coalesce(typacl, acldefault('T', typowner)), null from pg_type
			where typnamespace = (select oid from pg_namespace where nspname = $1) and typtype in ('e', 'r', 'd')),
	grants as (
		select o.kind, o.id, o.on_kind, o.column_name, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), 'public') as role,
			string_agg(lower(a.privilege_type) || case when a.is_grantable then '*' else '' end, ', ' order by a.privilege_type) as rights,
			string_agg(lower(a.privilege_type) || coalesce(' (' || o.column_name || ')', ''), ', ' order by a.privilege_type) as list
		from objects o, aclexplode(o.acl) a where a.grantee <> o.owner group by 1, 2, 3, 4, 5)
	select 'grant', format(e'%s %s%s to \x01%s\x01', kind, id, coalesce('.' || column_name, ''), role), kind || ' ' || id, false, rights,
		format(e'grant %s on %s %s to \x01%s\x01', list, on_kind, id, role),
		format(e'revoke all%s on %s %s from \x01%s\x01; grant %s on %s %s to \x01%s\x01', coalesce(' (' || column_name || ')', ''), on_kind, id, role, list, on_kind, id, role),
		format(e'revoke all%s on %s %s from \x01%s\x01', coalesce(' (' || column_name || ')', ''), on_kind, id, role)
	from grants`

const defaultGrantsQuery = `
	select 'default privilege', format(e'on %s of \x01%s\x01 to \x01%s\x01', x.what, x.owner, x.role), '', false, x.rights,
		format(e'alter default privileges for role \x01%s\x01 in schema {{schema}} grant %s on %s to \x01%s\x01', x.owner, x.rights, x.what, x.role),
		format(e'alter default privileges for role \x01%s\x01 in schema {{schema}} grant %s on %s to \x01%s\x01', x.owner, x.rights, x.what, x.role),
		format(e'alter default privileges for role \x01%s\x01 in schema {{schema}} revoke all on %s from \x01%s\x01', x.owner, x.what, x.role)
	from (select case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines' when 'T' then 'types' else 'schemas' end as what,
			pg_get_userbyid(d.defaclrole) as owner, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), 'public') as role,
			string_agg(lower(a.privilege_type), ', ' order by a.privilege_type) as rights
		from pg_default_acl d, aclexplode(d.defaclacl) a
		where d.defaclnamespace = (select oid from pg_namespace where nspname = $1) and $2::text[] is not null group by 1, 2, 3) x`

const commentsQuery = `with ` + relations + `, ` + routines + `, comments(kind, id, on_kind, parent, text) as (
		select r.kind, r.id, case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end,
			r.kind || ' ' || r.id, obj_description(c.oid, 'pg_class') from relations r join pg_class c on c.oid = r.oid
		union all select 'column', r.id || '.' || quote_ident(a.attname), 'column', case r.kind when 'table' then 'column ' || r.id || '.' || quote_ident(a.attname) else r.kind || ' ' || r.id end,
			col_description(r.oid, a.attnum) from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
		union all select 'function', id, 'routine', 'function ' || id, obj_description(oid, 'pg_proc') from routines
		union all select 'index', quote_ident(i.relname), 'index', 'index ' || quote_ident(i.relname), obj_description(i.oid, 'pg_class')
			from pg_index x join relations r on r.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
		union all select 'constraint', quote_ident(c.conname) || ' on ' || r.id, 'constraint', 'constraint ' || r.id || '.' || quote_ident(c.conname), obj_description(c.oid, 'pg_constraint')
			from pg_constraint c join relations r on r.oid = c.conrelid
		union all select 'trigger', quote_ident(t.tgname) || ' on ' || r.id, 'trigger', 'trigger ' || r.id || '.' || quote_ident(t.tgname), obj_description(t.oid, 'pg_trigger')
			from pg_trigger t join relations r on r.oid = t.tgrelid where not t.tgisinternal
		union all select 'type', quote_ident(t.typname), 'type', 'type ' || quote_ident(t.typname), obj_description(t.oid, 'pg_type')
			from pg_type t where t.typnamespace = (select oid from pg_namespace where nspname = $1) and t.typtype in ('e', 'r', 'd'))
	select 'comment', kind || ' ' || id, parent, false, text, format('comment on %s %s is %L', on_kind, id, text), format('comment on %s %s is %L', on_kind, id, text),
		format('comment on %s %s is null', on_kind, id)
	from comments where text is not null`
