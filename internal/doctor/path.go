package doctor

// paths is the family PATH: which object a name without a schema means.
func paths() []Check {
	return []Check{
		query{Info{ID: "PATH-01", Title: "A role's search_path misses the product's schema, or looks first where everybody may write", Severity: High, Safety: Safe,
			Cause:  "the path was set for another layout, or public was put in front",
			Breaks: "names without a schema mean nothing, or mean somebody else's table or function",
			Advice: "ALTER ROLE … SET search_path = the schema, public"}, `
select format('%s in %s', coalesce('role ' || quote_ident(r.rolname), 'every role'), coalesce('database ' || quote_ident(d.datname), 'every database')) as object, u.cfg || case when u.world then ': everybody may create in its first schema' else ': no schema under examination is in it' end as evidence,
  case when r.rolname is not null then format('ALTER ROLE %I', r.rolname) || case when d.datname is null then '' else format(' IN DATABASE %I', d.datname) end
    else format('ALTER DATABASE %I', d.datname) end || format(' SET search_path = %s, public', u.home) as fix,
  case when r.rolname is not null then format('ALTER ROLE %I', r.rolname) || case when d.datname is null then '' else format(' IN DATABASE %I', d.datname) end
    else format('ALTER DATABASE %I', d.datname) end || ' SET search_path = ' || substr(u.cfg, 13) || ';' as undo, 'superuser' as role, 'none' as lock
from pg_db_role_setting st left join pg_database d on d.oid = st.setdatabase left join pg_roles r on r.oid = st.setrole, unnest(st.setconfig) c(cfg),
  lateral (select c.cfg, (select quote_ident(min(s.nspname)) from scope s where s.nspname <> 'public') as home,
    exists (select from pg_namespace n where n.nspname = btrim(split_part(substr(c.cfg, 13), ',', 1), ' "') and exists (select from aclexplode(n.nspacl) x where x.grantee = 0 and x.privilege_type = 'CREATE')) as world,
    not exists (select from scope s, regexp_split_to_table(substr(c.cfg, 13), ',') e where btrim(e, ' "') = s.nspname) as missing) u
where c.cfg like 'search_path=%' and (d.datname is null or d.datname = current_database()) and (u.world or u.missing) and u.home is not null
  and (r.rolname is null or not r.rolsuper)
  and exists (select from scope s where st.setrole = 0 or st.setrole = s.ownerid or has_schema_privilege(st.setrole, s.oid, 'USAGE') and s.nspname <> 'public') order by 1`},

		query{Info{ID: "PATH-02", Title: "The same relation is in the product's schema and in public", Severity: High, Safety: Advice,
			Cause:  "a migration ran once without its search_path",
			Breaks: "which of the two a statement reads depends on the session's settings: rows seem to vanish",
			Advice: "compare the two, keep one, and drop or rename the other"}, `
select format('%I.%I', p.nspname, p.relname) as object, 'also public.' || quote_ident(p.relname) as evidence
from rel p where p.nspname <> 'public' and p.relkind in ('r', 'p', 'v', 'm')
  and exists (select from pg_class c where c.relnamespace = to_regnamespace('public') and c.relname = p.relname and c.relkind in ('r', 'p', 'v', 'm') and c.oid not in (select objid from member where classid = 'pg_class'::regclass)) order by 1`},

		query{Info{ID: "PATH-03", Title: "A function runs with its owner's rights under the caller's search_path", Severity: High, Safety: Safe,
			Cause:  "SECURITY DEFINER without SET search_path",
			Breaks: "a caller puts a table or operator of its own in front and acts as the owner",
			Advice: "ALTER FUNCTION … SET search_path"}, `
select p.oid::regprocedure::text as object, 'SECURITY DEFINER as ' || pg_get_userbyid(p.proowner) || ', no search_path of its own' as evidence,
  format('ALTER %s %s SET search_path = pg_catalog, %I, public, pg_temp', case p.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end, p.oid::regprocedure, s.nspname) as fix,
  format('ALTER %s %s RESET search_path;', case p.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end, p.oid::regprocedure) as undo, pg_get_userbyid(p.proowner)::text as role, 'none' as lock
from scope s join pg_proc p on p.pronamespace = s.oid
where p.prosecdef and p.prokind in ('f', 'p') and p.oid not in (select objid from member where classid = 'pg_proc'::regclass)
  and not exists (select from unnest(p.proconfig) g where g like 'search_path=%') order by 1`},

		query{Info{ID: "PATH-04", Title: "An extension lives in the product's schema", Severity: Low, Safety: Advice,
			Cause:  "CREATE EXTENSION ran while the product's schema was first in the path",
			Breaks: "dropping or dumping the schema takes the extension with it",
			Advice: "ALTER EXTENSION … SET SCHEMA, where the extension is relocatable"}, `
select 'extension ' || quote_ident(e.extname) as object, 'in schema ' || quote_ident(s.nspname) as evidence from pg_extension e join scope s on s.oid = e.extnamespace where s.nspname <> 'public' order by 1`},

		query{Info{ID: "PATH-05", Title: "A name has to be quoted, is cut short, or tells an environment", Severity: Low, Safety: Advice,
			Cause:  "a tool that quotes what it is given, or names that are put together",
			Breaks: "a statement without the quotes means something else; a dump of one environment cannot be loaded into another",
			Advice: "rename it together with the programs that use it"}, `
select r.ident as object, case when octet_length(r.relname) >= 63 then '63 bytes long: it was probably cut' else 'needs quotes' end as evidence
from rel r where r.relkind in ('r', 'p', 'v', 'm', 'S') and (octet_length(r.relname) >= 63 or quote_ident(r.relname) <> r.relname)
union all
select 'schema ' || quote_ident(s.nspname), 'names an environment' from scope s where s.nspname ~ '(^|_)(dev|prod|production|staging|test)$' order by 1`},
	}
}
