package migrate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// site is one look at the database: what is there of this installation.
type site struct {
	server
	schema  string
	prefix  string // of the role names
	roles   Roles
	missing []string // roles that do not exist

	hasSchema bool
	owner     string   // the role that owns the schema; empty without one
	hasLedger bool     // the ledger is there and is ours
	objects   []string // up to five of the objects in a schema that has no ledger
	count     int      // how many such objects there are
	trgm      string   // the schema that pg_trgm lives in; empty when it is not installed
	member    bool     // the session's user may become the owner
}

// ledgerMark is the comment on the ledger's table. It tells our table from another
// program's of the same name, and its number tells the ledger's own versions apart.
const ledgerMark = "Manito's migration ledger, format 1"

// look reads the site. It changes nothing and works for any role that may connect.
//
// Everything about the schema is read by one statement, and so at one moment: between two
// statements another migrator may create the ledger, and its tables would then look like
// another program's. Objects that an extension put there are no program's.
func (m *Migrator) look(ctx context.Context, conn *pgx.Conn, srv server) (site, error) {
	s := site{server: srv, schema: m.cfg.Schema}
	err := conn.QueryRow(ctx, `
		with home as (select oid, nspowner from pg_namespace where nspname = $1),
		objects(class, oid, name) as (
			select 'pg_class'::regclass, c.oid, c.relname::text from pg_class c join home on home.oid = c.relnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
			union all
			select 'pg_proc'::regclass, p.oid, p.proname || '()' from pg_proc p join home on home.oid = p.pronamespace),
		strangers as (select name from objects o where not exists (select from pg_depend d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e'))
		select coalesce((select r.rolname from home join pg_roles r on r.oid = home.nspowner), ''),
		       coalesce((select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm'), ''),
		       exists (select from home join pg_class c on c.relnamespace = home.oid join pg_description d on d.objoid = c.oid and d.objsubid = 0
		               where d.classoid = 'pg_class'::regclass and c.relname = 'migration' and d.description = $2),
		       (select count(*) from strangers), array(select name from strangers order by name limit 5)`, s.schema, ledgerMark).
		Scan(&s.owner, &s.trgm, &s.hasLedger, &s.count, &s.objects)
	if err != nil {
		return s, explain(ctx, err, "looking at the schema")
	}
	s.hasSchema = s.owner != ""
	if s.hasLedger {
		s.count, s.objects = 0, nil
	}
	if err := m.name(&s); err != nil {
		return s, err
	}
	return s, s.lookRoles(ctx, conn)
}

// name settles the role names: those of the schema's owner, because a copy of a
// database keeps its roles; before there is a schema, those that are configured.
func (m *Migrator) name(s *site) error {
	prefix := m.cfg.RolePrefix
	if s.hasSchema {
		found, ok := strings.CutSuffix(s.owner, "_owner")
		switch {
		case !ok || found == "":
			return problem.New(problem.Conflict, "schema %q belongs to %q, which is no owner role of Manito", s.schema, s.owner).
				Fix("choose another schema with POSTGRES_SCHEMA").
				Fix("or, when it is Manito's: ALTER SCHEMA %s OWNER TO %s;", quote(s.schema), quote(RolesFor(m.prefix(s.Database)).Owner))
		case prefix != "" && prefix != found:
			return problem.New(problem.Conflict, "schema %q belongs to %q, but the configured role prefix is %q", s.schema, s.owner, prefix).
				Fix("set the role prefix to %q, or leave it out", found)
		}
		prefix = found
	}
	if prefix == "" {
		prefix = m.prefix(s.Database)
	}
	s.prefix, s.roles = prefix, RolesFor(prefix)
	return nil
}

// prefix is the role prefix for a database in which the schema does not exist yet.
func (m *Migrator) prefix(database string) string {
	if m.cfg.RolePrefix != "" {
		return m.cfg.RolePrefix
	}
	return DefaultRolePrefix(database, m.cfg.Schema)
}

func (s *site) lookRoles(ctx context.Context, conn *pgx.Conn) error {
	all := []string{s.roles.Owner, s.roles.Migrator, s.roles.App, s.roles.Reader}
	rows, err := conn.Query(ctx, `select r from unnest($1::text[]) with ordinality u(r, n)
		where not exists (select from pg_roles where rolname = r) order by n`, all)
	if err != nil {
		return explain(ctx, err, "looking for the roles")
	}
	if s.missing, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return explain(ctx, err, "looking for the roles")
	}
	for _, r := range s.missing {
		if r == s.roles.Owner {
			return nil
		}
	}
	// 16 tells the right to become a role from the right to inherit from it.
	privilege := "MEMBER"
	if s.number >= 160000 {
		privilege = "SET"
	}
	err = conn.QueryRow(ctx, `select pg_has_role(session_user, $1, $2)`, s.roles.Owner, privilege).Scan(&s.member)
	return explain(ctx, err, "looking for the rights of the session's user")
}

// ready is the error that keeps migrations from running here; nil when they can.
func (s *site) ready() error {
	switch {
	case !s.hasLedger && s.count > 0:
		return &StateError{State: StateForeign, err: s.foreign()}
	case len(s.missing) > 0:
		return problem.New(problem.NotFound, "the role %s does not exist", strings.Join(s.missing, ", ")).
			Fix("create the roles and the schema: manito db init")
	case !s.hasSchema:
		return problem.New(problem.NotFound, "database %q has no schema %q", s.Database, s.schema).
			Fix("create it: manito db init")
	case s.trgm == "":
		return problem.New(problem.NotFound, "database %q lacks the extension pg_trgm", s.Database).
			Fix("manito db init creates it, when the server has the contrib modules installed")
	case !s.member:
		return problem.New(problem.Denied, "%q may not become %q, who owns the schema", s.User, s.roles.Owner).
			Fix("connect as %q", s.roles.Migrator).
			Fix("GRANT %s TO %s;", quote(s.roles.Owner), quote(s.User))
	}
	return nil
}

// foreign describes a schema that is somebody else's.
func (s *site) foreign() *problem.Error {
	list := strings.Join(s.objects, ", ")
	if s.count > len(s.objects) {
		list += ", …"
	}
	return problem.New(problem.Conflict, "schema %q holds %d objects of another program (%s) and no ledger of Manito", s.schema, s.count, list).
		Fix("choose another schema with POSTGRES_SCHEMA").
		Fix("take over the data of an older Manito: manito db adopt")
}

// searchPath is the search path of migrations: the schema, then that of pg_trgm, then
// temporary objects. pg_catalog is not listed and so comes first: nothing shadows it.
func (s *site) searchPath() string {
	path := quote(s.schema)
	if s.trgm != "" && s.trgm != s.schema && s.trgm != "pg_catalog" {
		path += ", " + quote(s.trgm)
	}
	return path + ", pg_temp"
}

// become makes a session the owner's, with the settings of a migration. When the
// migrator dies, the server notices within seconds and ends the statement, and with the
// session the lock goes; platforms on which it cannot look refuse that setting. When its
// machine dies, keep-alives notice within two minutes instead of two hours; a Unix
// socket ignores them.
func (s *site) become() string {
	return fmt.Sprintf(`set role %s; set search_path to %s; set statement_timeout to 0;
		set idle_in_transaction_session_timeout to '10min'; set lock_timeout to 0;
		set tcp_keepalives_idle to 60; set tcp_keepalives_interval to 10; set tcp_keepalives_count to 6;
		do $check$ begin
			perform set_config('client_connection_check_interval', '2s', false);
		exception when invalid_parameter_value then
			null;
		end $check$`, quote(s.roles.Owner), s.searchPath())
}

// milliseconds is a duration as PostgreSQL's settings take it.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
