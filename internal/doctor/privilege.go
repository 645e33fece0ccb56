package doctor

// privileges is the family PRIV: who may do what.
func privileges() []Check {
	return []Check{
		query{Info{ID: "PRIV-01", Title: "A program's role lacks a right that it has elsewhere in the schema", Severity: Critical, Safety: Safe,
			Cause:  "the object was created later, or by another role than the one whose default privileges were set",
			Breaks: "statements on it end with \"permission denied\" (42501)",
			Advice: "GRANT the right"}, `
select case k.kind when 'SCHEMA' then 'schema ' else '' end || k.ident || ' for ' || k.rolname as object, k.rolname || ' lacks ' || array_to_string(k.missing, ', ') as evidence,
  format('GRANT %s ON %s %s TO %I', array_to_string(k.missing, ', '), k.kind, k.ident, k.rolname) as fix,
  format('REVOKE %s ON %s %s FROM %I;', array_to_string(k.missing, ', '), k.kind, k.ident, k.rolname) as undo, k.holder as role, 'none' as lock
from (
  select r.ident, a.rolname, pg_get_userbyid(r.relowner)::text as holder, case r.relkind when 'S' then 'SEQUENCE' else 'TABLE' end as kind,
    case when r.relkind = 'S' then array(select p from unnest(array['USAGE', 'SELECT']) p where not has_sequence_privilege(a.oid, r.oid, p))
         when r.relkind in ('v', 'm', 'f') then array(select 'SELECT' where not has_table_privilege(a.oid, r.oid, 'SELECT'))
         else array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p where not has_table_privilege(a.oid, r.oid, p)) end as missing
  from rel r join (select nspoid, rolname, oid from runtime union select s.oid, s.owner, s.ownerid from scope s join pg_roles o on o.oid = s.ownerid where o.rolcanlogin and not o.rolsuper) a on a.nspoid = r.relnamespace
  where r.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not r.relispartition and not ` + isLedger + `
    and not (r.relkind = 'S' and exists (select from pg_depend d join pg_class t on t.oid = d.refobjid where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.deptype in ('a', 'i')
        and (d.deptype = 'i' or t.relname in ('migrations', 'goose_db_version', 'django_migrations', 'knex_migrations', 'pgmigrations', 'bun_migrations'))))
  union all
  select quote_ident(n.nspname), a.rolname, pg_get_userbyid(n.nspowner)::text, 'SCHEMA', array(select 'USAGE' where not has_schema_privilege(a.oid, n.oid, 'USAGE'))
  from runtime a join pg_namespace n on n.oid = a.nspoid
) k where cardinality(k.missing) > 0 order by 1`},

		query{Info{ID: "PRIV-02", Title: "The next table that the owner creates will not be readable by the program", Severity: High, Safety: Safe,
			Cause:  "rights were granted on the tables that there were, and no default privileges were set for the role that creates them",
			Breaks: "the first statement on a table of the next migration ends with \"permission denied\"",
			Advice: "ALTER DEFAULT PRIVILEGES FOR ROLE owner"}, `
select format('next %s of %s in %s for %s', o.word, s.owner, s.nspname, a.rolname) as object, 'no default privilege gives ' || o.need || ' to ' || a.rolname as evidence,
  format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT %s ON %s TO %I', s.owner, s.nspname, o.grants, o.objects, a.rolname) as fix,
  format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE %s ON %s FROM %I;', s.owner, s.nspname, o.grants, o.objects, a.rolname) as undo, s.owner as role, 'none' as lock
from scope s join runtime a on a.nspoid = s.oid,
  (values ('r', 'INSERT', 'SELECT, INSERT, UPDATE, DELETE', 'TABLES', 'table'), ('S', 'USAGE', 'USAGE, SELECT', 'SEQUENCES', 'sequence')) o(type, need, grants, objects, word)
where s.ownerid is not null and s.ownerid <> a.oid and not pg_has_role(a.oid, s.ownerid, 'USAGE')
  and not exists (select from pg_default_acl d, aclexplode(d.defaclacl) x where d.defaclrole = s.ownerid and d.defaclnamespace in (0, s.oid) and d.defaclobjtype::text = o.type
    and x.grantee in (0, a.oid) and x.privilege_type = o.need) order by 1`},

		query{Info{ID: "PRIV-03", Title: "A program's role is stronger than a program needs", Severity: High, Safety: Advice,
			Cause:  "the role was given an attribute or a predefined role to make an error go away",
			Breaks: "one injection reads files of the server, runs programs on it or passes by row security",
			Advice: "ALTER ROLE … NOCREATEROLE NOREPLICATION NOBYPASSRLS, and REVOKE the predefined roles"}, `
select 'role ' || quote_ident(a.rolname) as object, array_to_string(e.excess, ', ') as evidence
from (select distinct rolname, oid from runtime) a join pg_roles r on r.oid = a.oid,
  lateral (select array_remove(array[case when r.rolcreaterole then 'CREATEROLE' end, case when r.rolreplication then 'REPLICATION' end, case when r.rolbypassrls then 'BYPASSRLS' end,
    (select string_agg(g.rolname, ', ' order by g.rolname) from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid
      and g.rolname in ('pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend'))], null) as excess) e
where cardinality(e.excess) > 0 order by 1`},

		query{Info{ID: "PRIV-04", Title: "Everybody who can connect has rights here", Severity: Medium, Safety: Safe,
			Cause:  "a grant to PUBLIC; schema public of servers before 15 came with CREATE for everybody",
			Breaks: "any role can create objects that shadow those of the product, or read its tables",
			Advice: "REVOKE … FROM PUBLIC"}, `
select 'schema ' || quote_ident(n.nspname) as object, 'PUBLIC may CREATE in it' as evidence, format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', n.nspname) as fix,
  format('GRANT CREATE ON SCHEMA %I TO PUBLIC;', n.nspname) as undo, pg_get_userbyid(n.nspowner)::text as role, 'none' as lock
from pg_namespace n where (n.nspname = 'public' or n.oid in (select oid from scope)) and exists (select from aclexplode(n.nspacl) x where x.grantee = 0 and x.privilege_type = 'CREATE')
union all
select r.ident, 'PUBLIC may ' || string_agg(x.privilege_type, ', ' order by x.privilege_type), format('REVOKE ALL ON %s %s FROM PUBLIC', case r.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, r.ident),
  format('GRANT %s ON %s TO PUBLIC;', string_agg(x.privilege_type, ', ' order by x.privilege_type), r.ident), pg_get_userbyid(r.relowner)::text, 'none'
from rel r, aclexplode(r.relacl) x where x.grantee = 0 and r.relkind in ('r', 'p', 'v', 'm', 'f', 'S') group by r.ident, r.relkind, r.relowner order by 1`},

		query{Info{ID: "PRIV-05", Title: "A program's role may create objects in the product's schema", Severity: Medium, Safety: Safe,
			Cause:  "GRANT ALL ON SCHEMA, or a program that creates its own tables at start",
			Breaks: "objects appear that no migration knows and that the wrong role owns",
			Advice: "REVOKE CREATE ON SCHEMA"}, `
select format('schema %I for %s', a.nspname, a.rolname) as object, a.rolname || ' has CREATE' as evidence, format('REVOKE CREATE ON SCHEMA %I FROM %I', a.nspname, a.rolname) as fix,
  format('GRANT CREATE ON SCHEMA %I TO %I;', a.nspname, a.rolname) as undo, pg_get_userbyid(n.nspowner)::text as role, 'none' as lock
from runtime a join pg_namespace n on n.oid = a.nspoid
where n.nspowner <> a.oid and exists (select from aclexplode(n.nspacl) x where x.grantee = a.oid and x.privilege_type = 'CREATE') order by 1`},

		query{Info{ID: "PRIV-06", Title: "Everybody may call a function that runs with its owner's rights", Severity: High, Safety: Safe,
			Cause:  "functions are executable by PUBLIC unless that is revoked, SECURITY DEFINER ones too",
			Breaks: "whoever can connect acts as the owner",
			Advice: "REVOKE EXECUTE … FROM PUBLIC, then GRANT it to those who need it"}, `
select p.oid::regprocedure::text as object, 'SECURITY DEFINER as ' || pg_get_userbyid(p.proowner) || ', EXECUTE for PUBLIC' as evidence,
  concat_ws(E';\n', format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure),
    (select string_agg(format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, a.rolname), E';\n') from runtime a where a.nspoid = s.oid)) as fix,
  format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC;', p.oid::regprocedure) as undo, pg_get_userbyid(p.proowner)::text as role, 'none' as lock
from scope s join pg_proc p on p.pronamespace = s.oid
where p.prosecdef and p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype) and p.oid not in (select objid from member where classid = 'pg_proc'::regclass)
  and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x where x.grantee = 0 and x.privilege_type = 'EXECUTE') order by 1`},

		query{Info{ID: "PRIV-07", Title: "Row security does not do what its policies say", Severity: High, Safety: Guarded,
			Cause:  "policies were written and never switched on, or switched on without any",
			Breaks: "policies that are off protect nothing; row security without a policy hides every row",
			Advice: "write a policy for the table, or switch row security off: ALTER TABLE … DISABLE ROW LEVEL SECURITY"}, `
select r.ident as object, format('%s policies, row security is off', count(*)) as evidence, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', r.ident) as fix,
  format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY;', r.ident) as undo, pg_get_userbyid(r.relowner)::text as role, 'ACCESS EXCLUSIVE' as lock, null as severity
from rel r join pg_policy p on p.polrelid = r.oid where not r.relrowsecurity group by r.ident, r.relowner
union all
select r.ident, 'row security is on, and there is no policy: nobody but the owner sees a row', null, null, null, null, 'medium'
from rel r where r.relrowsecurity and r.relkind in ('r', 'p') and not exists (select from pg_policy p where p.polrelid = r.oid) order by 1`},

		query{Info{ID: "PRIV-08", Title: "A column that seems to hold secrets, or a relation that row security does not reach, is open to everybody", Severity: High, Safety: Advice,
			Cause:  "rights were granted on all tables of the schema, to PUBLIC or to the role of an API that asks for no login",
			Breaks: "whoever reaches the API or the database reads it",
			Advice: "REVOKE the table's SELECT, then GRANT SELECT on the columns that may be seen; put a view before materialised and foreign tables"}, `
select format('%s.%I for %s', r.ident, a.attname, g.who) as object, 'SELECT on a column whose name tells of a secret' as evidence
from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped cross join lateral (
  select coalesce(quote_ident(o.rolname), 'PUBLIC') as who from (select x.grantee, x.privilege_type from aclexplode(r.relacl) x union select x.grantee, x.privilege_type from aclexplode(a.attacl) x) x left join pg_roles o on o.oid = x.grantee
  where x.privilege_type = 'SELECT' and (x.grantee = 0 or o.rolname ~ ` + apiRole + `)) g
where r.relkind in ('r', 'p', 'v', 'm', 'f') and a.attname ~* ` + secretName + ` and a.attname !~* ` + secretHash + `
union all
select format('%s for %s', r.ident, g.who), case r.relkind when 'm' then 'a materialised view, which row security never filters' else 'a foreign table, which row security never filters' end
from rel r cross join lateral (select coalesce(quote_ident(o.rolname), 'PUBLIC') as who from aclexplode(r.relacl) x left join pg_roles o on o.oid = x.grantee where x.privilege_type = 'SELECT' and (x.grantee = 0 or o.rolname ~ ` + apiRole + `)) g
where r.relkind in ('m', 'f') order by 1`},

		query{Info{ID: "PRIV-09", Title: "A role may hand on the rights that it was given", Severity: Medium, Safety: Safe,
			Cause:  "the right was granted WITH GRANT OPTION",
			Breaks: "rights appear that the owner did not give, and revoking one takes those that hang on it with it",
			Advice: "REVOKE GRANT OPTION FOR …"}, `
select format('%s for %I', r.ident, o.rolname) as object, format('%s, granted by %s, may be handed on', string_agg(x.privilege_type, ', ' order by x.privilege_type), min(pg_get_userbyid(x.grantor)::text)) as evidence,
  format('REVOKE GRANT OPTION FOR %s ON %s %s FROM %I', string_agg(x.privilege_type, ', ' order by x.privilege_type), k.kind, r.ident, o.rolname) as fix,
  format('GRANT %s ON %s %s TO %I WITH GRANT OPTION;', string_agg(x.privilege_type, ', ' order by x.privilege_type), k.kind, r.ident, o.rolname) as undo, pg_get_userbyid(r.relowner)::text as role, 'none' as lock
from rel r cross join lateral aclexplode(r.relacl) x join pg_roles o on o.oid = x.grantee cross join lateral (select case r.relkind when 'S' then 'SEQUENCE' else 'TABLE' end as kind) k
where x.is_grantable and x.grantee <> r.relowner and not o.rolsuper group by r.ident, o.rolname, k.kind, r.relowner order by 1`},

		query{Info{ID: "PRIV-10", Title: "Many roles are superusers", Severity: Medium, Safety: Advice,
			Cause:  "SUPERUSER was the quickest way to make an error go away",
			Breaks: "each of their passwords is the key to the whole server",
			Advice: "ALTER ROLE … NOSUPERUSER, and grant what is really needed"}, `
select 'superusers' as object, count(*) || ' that log in: ' || string_agg(rolname, ', ' order by rolname) as evidence from pg_roles where rolsuper and rolcanlogin having count(*) > 2`},

		query{Info{ID: "PRIV-11", Title: "A policy of row security lets everybody change every row", Severity: Medium, Safety: Advice,
			Cause:  "the policy was written USING (true) to make an error go away",
			Breaks: "row security is on and protects nothing",
			Advice: "write the condition that is meant, or restrict the policy with TO role"}, `
select format('%s.%I', r.ident, p.polname) as object, format('FOR %s USING (%s) WITH CHECK (%s) TO PUBLIC', case p.polcmd when '*' then 'ALL' when 'a' then 'INSERT' when 'w' then 'UPDATE' else 'DELETE' end, coalesce(pg_get_expr(p.polqual, p.polrelid), '-'), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')) as evidence
from pg_policy p join rel r on r.oid = p.polrelid
where r.relrowsecurity and p.polpermissive and p.polcmd <> 'r' and 0 = any (p.polroles) and coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true' and coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true' order by 1`},

		query{Info{ID: "PRIV-12", Title: "A view passes by the row security of its tables", Severity: High, Safety: Guarded, version: 150000,
			Cause:  "a view reads with its owner's rights unless it is told to use the caller's",
			Breaks: "whoever may read the view sees the rows that the policies would hide",
			Advice: "ALTER VIEW … SET (security_invoker = on), and grant the callers what it reads"}, `
select r.ident as object, format('reads %s with the rights of %s', string_agg(distinct t.oid::regclass::text, ', '), pg_get_userbyid(r.relowner)) as evidence,
  format('ALTER VIEW %s SET (security_invoker = on)', r.ident) as fix, format('ALTER VIEW %s RESET (security_invoker);', r.ident) as undo, pg_get_userbyid(r.relowner)::text as role, 'ACCESS EXCLUSIVE' as lock
from rel r join pg_rewrite w on w.ev_class = r.oid join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass join pg_class t on t.oid = d.refobjid and t.relrowsecurity
where r.relkind = 'v' and not exists (select from unnest(r.reloptions) o where o ~* '^security_invoker=(on|true|1|yes)')
  and exists (select from aclexplode(r.relacl) x where x.grantee <> r.relowner and x.privilege_type = 'SELECT') group by r.ident, r.relowner order by 1`},
	}
}

// Names that tell of a secret, of what only looks like one, and of a role that an API uses for callers without a login.
const (
	secretName = `'(^|_)(api_?key|secret|password|passwd|access_token|refresh_token|private_?key|credential)s?($|_)'`
	secretHash = `'(hash|digest|fingerprint|encrypted|cipher|_id|_at|count|last4|prefix|hint)'`
	apiRole    = `'^(anon|anonymous|authenticated|web_anon|api_anon|guest)$'`
)
