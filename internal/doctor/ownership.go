package doctor

// ownership is the family OWN: an object that the wrong role owns cannot be altered by
// the role that the migrations run as.
func ownership() []Check {
	return []Check{
		query{Info{ID: "OWN-01", Title: "An object is not owned by the role that should own it", Severity: Critical, Safety: Safe,
			Cause:  "it was created under another login, such as by hand or by a second deployment script",
			Breaks: "every migration that alters it, indexes it or grants on it stops with \"must be owner of\"",
			Advice: "name the role that should own the schema with --owner"}, `
select k.kind || ' ' || k.ident as object, 'owned by ' || k.holder || ', expected ' || k.owner as evidence,
  format('ALTER %s %s OWNER TO %I', k.verb, k.ident, k.owner) as fix, format('ALTER %s %s OWNER TO %I;', k.verb, k.ident, k.holder) as undo,
  'superuser' as role, 'ACCESS EXCLUSIVE' as lock
from (
  select lower(w.verb) as kind, w.verb, r.ident, pg_get_userbyid(r.relowner)::text as holder, r.owner, r.ownerid, r.relowner as holderid
  from rel r, lateral (select case r.relkind when 'S' then 'SEQUENCE' when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'f' then 'FOREIGN TABLE' else 'TABLE' end as verb) w
  where r.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and not (r.relkind = 'S' and exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')))
  union all
  select lower(w.verb), w.verb, format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), pg_get_userbyid(p.proowner)::text, s.owner, s.ownerid, p.proowner
  from scope s join pg_proc p on p.pronamespace = s.oid, lateral (select case p.prokind when 'p' then 'PROCEDURE' when 'a' then 'AGGREGATE' else 'FUNCTION' end as verb) w
  where p.oid not in (select objid from member where classid = 'pg_proc'::regclass)
  union all
  select case t.typtype when 'd' then 'domain' else 'type' end, case t.typtype when 'd' then 'DOMAIN' else 'TYPE' end, format('%I.%I', s.nspname, t.typname), pg_get_userbyid(t.typowner)::text, s.owner, s.ownerid, t.typowner
  from scope s join pg_type t on t.typnamespace = s.oid
  where t.typtype in ('e', 'd', 'r') and t.oid not in (select objid from member where classid = 'pg_type'::regclass)
) k where k.ownerid is not null and k.holderid <> k.ownerid order by 1`},

		query{Info{ID: "OWN-02", Title: "A schema is not owned by the role that owns what is in it", Severity: High, Safety: Safe,
			Cause:  "it was created by a superuser or another login than its tables",
			Breaks: "the owner of the tables cannot grant on the schema, and the schema's owner can drop tables that are not its own",
			Advice: "ALTER SCHEMA … OWNER TO the role that owns the tables"}, `
select 'schema ' || quote_ident(s.nspname) as object, format('owned by %s, while %s of %s tables belong to %s', pg_get_userbyid(s.nspowner), t.n, t.everything, t.holder) as evidence,
  format('ALTER SCHEMA %I OWNER TO %I', s.nspname, t.holder) as fix, format('ALTER SCHEMA %I OWNER TO %I;', s.nspname, pg_get_userbyid(s.nspowner)) as undo, 'superuser' as role, 'none on tables' as lock
from scope s, lateral (
  select pg_get_userbyid(c.relowner)::text as holder, c.relowner, count(*) as n, sum(count(*)) over () as everything from pg_class c
  where c.relnamespace = s.oid and c.relkind in ('r', 'p') group by 1, 2 order by 3 desc, 1 limit 1) t
where s.nspname <> 'public' and t.relowner <> s.nspowner and t.n * 2 > t.everything and (s.ownerid = t.relowner or s.ownerid = s.nspowner)
  and not (select rolsuper from pg_roles where oid = t.relowner) order by 1`},

		query{Info{ID: "OWN-03", Title: "This role cannot repair what is wrongly owned", Severity: High, Safety: Advice,
			Cause:  "changing an owner needs a superuser, or a member of the old and of the new owner",
			Breaks: "the plan for OWN-01 has to be handed to somebody else",
			Advice: "have a superuser run the plan (manito db doctor --plan --out DIR), or: GRANT old_owner, new_owner TO this_role"}, `
select 'objects of ' || pg_get_userbyid(r.relowner) as object, format('%s relations such as %s; %s is %sa member of %s and %sa member of %s', count(*), min(r.ident), current_user,
    case when pg_has_role(current_user, r.relowner, 'USAGE') then '' else 'not ' end, pg_get_userbyid(r.relowner),
    case when pg_has_role(current_user, r.ownerid, 'MEMBER') then '' else 'not ' end, min(r.owner)) as evidence
from rel r where r.ownerid is not null and r.relowner <> r.ownerid and r.relkind in ('r', 'p', 'v', 'm', 'S')
  and not (select rolsuper from pg_roles where rolname = current_user)
  and not (pg_has_role(current_user, r.relowner, 'USAGE') and pg_has_role(current_user, r.ownerid, 'MEMBER'))
group by r.relowner, r.ownerid order by 1`},

		query{Info{ID: "OWN-04", Title: "A schema's tables are owned by a superuser that logs in", Severity: Medium, Safety: Advice,
			Cause:  "the tables were created under the administrator's login",
			Breaks: "migrations need a superuser's password, and a SECURITY DEFINER function there has a superuser's rights",
			Advice: "create an owner that cannot log in, and give the objects to it: CREATE ROLE app_owner NOLOGIN; then manito db doctor --owner app_owner --fix"}, `
select 'schema ' || quote_ident(r.nspname) as object, format('%s relations belong to %s, a superuser with LOGIN', count(*), pg_get_userbyid(r.relowner)) as evidence
from rel r join pg_roles o on o.oid = r.relowner
where o.rolsuper and o.rolcanlogin and r.relkind in ('r', 'p') group by r.nspname, r.relowner order by 1`},

		query{Info{ID: "OWN-05", Title: "A program's role may change the migration ledger", Severity: High, Safety: Safe,
			Cause:  "rights were granted on all tables, the ledger among them",
			Breaks: "a defect or an injection in the program can make applied migrations pending again",
			Advice: "REVOKE INSERT, UPDATE, DELETE on the ledger from the role"}, `
select r.ident || ' by ' || a.rolname as object, a.rolname || ' may ' || string_agg(p, ', ' order by p) as evidence,
  format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM %I', r.ident, a.rolname) as fix, format('GRANT %s ON %s TO %I;', string_agg(p, ', ' order by p), r.ident, a.rolname) as undo,
  pg_get_userbyid(r.relowner)::text as role, 'none' as lock
from rel r join runtime a on a.nspoid = r.relnamespace, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
where r.relkind in ('r', 'p') and ` + isLedger + ` and r.relowner <> a.oid
  and exists (select from aclexplode(r.relacl) x where x.grantee = a.oid and x.privilege_type = p)
group by r.ident, a.rolname, r.relowner order by 1`},
	}
}

// isLedger says whether the relation r records migrations, by the names that the
// migration tools use.
const isLedger = `r.relname in ('migrations', 'migration', 'migration_attempt', 'migration_repair', 'schema_migrations', 'schema_migration', 'goose_db_version', 'flyway_schema_history', 'atlas_schema_revisions',
  'databasechangelog', 'databasechangeloglock', 'gorp_migrations', 'schema_version', 'river_migration', 'knex_migrations', 'knex_migrations_lock', '_prisma_migrations', 'alembic_version',
  'django_migrations', 'pgmigrations', 'bun_migrations', 'bun_migration_locks')`
