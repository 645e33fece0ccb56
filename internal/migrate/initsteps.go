package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// stepList compares a server with what an installation needs and lists what is missing.
type stepList struct {
	site       site
	conn       *pgx.Conn
	extensions string // the schema for pg_trgm when there is none yet
	options    InitOptions
	steps      []initStep
}

func (l *stepList) add(what, format string, args ...any) {
	l.steps = append(l.steps, initStep{what: what, sql: fmt.Sprintf(format, args...)})
}

// gather lists the steps in the order in which they must run. chosen says that the
// operator named the role prefix, and so wants roles that may exist already.
func (l *stepList) gather(ctx context.Context, chosen bool) error {
	for _, part := range []func(context.Context) error{
		func(ctx context.Context) error { return l.roles(ctx, chosen) },
		l.membership, l.database, l.schema, l.defaults, l.extension, l.settings,
	} {
		if err := part(ctx); err != nil {
			return explain(ctx, err, "looking for what is missing")
		}
	}
	return l.passwords()
}

// roleMark is the comment that says whose a role is. It keeps Init from taking over a
// role that happens to have a fitting name.
func (l *stepList) roleMark() string {
	return fmt.Sprintf("Manito: schema %s in database %s", l.site.schema, l.site.Database)
}

func (l *stepList) roles(ctx context.Context, chosen bool) error {
	names := l.site.roles
	for _, role := range []struct {
		name  string
		login bool
	}{{names.Owner, false}, {names.Migrator, true}, {names.App, true}, {names.Reader, true}} {
		var login, inherit, powerful bool
		var mark string
		err := l.conn.QueryRow(ctx, `select rolcanlogin, rolinherit, rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication,
				coalesce(shobj_description(oid, 'pg_authid'), '')
			from pg_roles where rolname = $1`, role.name).Scan(&login, &inherit, &powerful, &mark)
		attributes := "nologin"
		if role.login {
			attributes = "login"
		}
		if role.name == names.Migrator {
			// It must become the owner on purpose, not be one by accident.
			attributes += " noinherit"
		}
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			l.add("create the role "+role.name, "create role %s %s", quote(role.name), attributes)
			l.add("mark the role "+role.name, "comment on role %s is %s", quote(role.name), literal(l.roleMark()))
			continue
		case err != nil:
			return err
		case mark != l.roleMark() && !l.site.hasSchema && !chosen:
			return problem.New(problem.Conflict, "the role %q exists and is not marked as this installation's", role.name).
				Fix("choose other names with the role prefix").
				Fix("or, when it is meant: COMMENT ON ROLE %s IS %s;", quote(role.name), literal(l.roleMark()))
		case powerful:
			return problem.New(problem.Conflict, "the role %q has the right of a superuser, to create roles or databases, to replicate or to bypass row security", role.name).
				Fix("ALTER ROLE %s NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS NOREPLICATION;", quote(role.name))
		case login != role.login, role.name == names.Migrator && inherit:
			l.add("set how the role "+role.name+" logs in", "alter role %s %s", quote(role.name), attributes)
		}
	}
	return nil
}

// membership makes the migrator, and whoever installs without being superuser, members
// of the owner.
func (l *stepList) membership(ctx context.Context) error {
	owner := l.site.roles.Owner
	members := []string{l.site.roles.Migrator}
	if !l.site.superuser {
		members = append(members, l.site.User)
	}
	for _, member := range members {
		var is bool
		// 16 has membership without the right to SET ROLE, which its creator gets first.
		condition := "true"
		if l.site.number >= 160000 {
			condition = "m.set_option"
		}
		err := l.conn.QueryRow(ctx, `select exists (select from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles u on u.oid = m.member
			where g.rolname = $1 and u.rolname = $2 and `+condition+`)`, owner, member).Scan(&is)
		if err != nil {
			return err
		}
		if !is {
			l.add("let "+member+" become the owner", "grant %s to %s", quote(owner), quote(member))
			l.steps[len(l.steps)-1].member = member
		}
	}
	return nil
}

// database gives the rights on the database: to connect, and for the owner to make the
// scratch schema that a dry run and drift need.
func (l *stepList) database(ctx context.Context) error {
	r := l.site.roles
	for _, need := range []struct{ role, privilege string }{
		{r.Owner, "CREATE"}, {r.Migrator, "CONNECT"}, {r.App, "CONNECT"}, {r.Reader, "CONNECT"},
	} {
		var has bool
		// A grant of its own is wanted even where PUBLIC may connect, because closing the
		// database to everybody is what a careful operator does next.
		err := l.conn.QueryRow(ctx, `select exists (select from pg_database d, aclexplode(d.datacl) a join pg_roles r on r.oid = a.grantee
			where d.datname = current_database() and r.rolname = $1 and a.privilege_type = $2)`, need.role, need.privilege).Scan(&has)
		if err != nil {
			return err
		}
		if !has {
			l.add(fmt.Sprintf("grant %s on the database to %s", need.privilege, need.role),
				"grant %s on database %s to %s", strings.ToLower(need.privilege), quote(l.site.Database), quote(need.role))
		}
	}
	return nil
}

func (l *stepList) schema(ctx context.Context) error {
	s := &l.site
	if !s.hasSchema {
		l.add("create the schema "+s.schema, "create schema %s authorization %s", quote(s.schema), quote(s.roles.Owner))
		l.add("let the app and the reader use the schema", "%s", s.expand(`grant usage on schema {{schema}} to {{app}}, {{reader}}`))
		return nil
	}
	var usage, public bool
	err := l.conn.QueryRow(ctx, `
		select count(*) filter (where a.privilege_type = 'USAGE' and pg_get_userbyid(a.grantee) in ($2, $3)) = 2, bool_or(a.grantee = 0)
		from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a where n.nspname = $1`,
		s.schema, s.roles.App, s.roles.Reader).Scan(&usage, &public)
	if err != nil {
		return err
	}
	if public {
		l.add("close the schema to everybody else", "%s", s.expand(`revoke all on schema {{schema}} from public`))
	}
	if !usage {
		l.add("let the app and the reader use the schema", "%s", s.expand(`grant usage on schema {{schema}} to {{app}}, {{reader}}`))
	}
	return nil
}

// defaultPrivileges are the rights that the app has on whatever the owner creates next:
// the next table is usable without anybody thinking of it.
func (s *site) defaultPrivileges() []struct{ kind, privileges, sql string } {
	in := `alter default privileges for role {{owner}} in schema {{schema}} grant `
	return []struct{ kind, privileges, sql string }{
		{"r", "DELETE,INSERT,SELECT,UPDATE", s.expand(in + `select, insert, update, delete on tables to {{app}}`)},
		{"S", "SELECT,UPDATE,USAGE", s.expand(in + `usage, select, update on sequences to {{app}}`)},
		{"f", "EXECUTE", s.expand(in + `execute on routines to {{app}}`)},
	}
}

// defaults sets the default privileges of what the owner creates. PostgreSQL lets
// everybody execute a new function; only a setting for all schemas takes that away.
func (l *stepList) defaults(ctx context.Context) error {
	s := &l.site
	var closed bool
	err := l.conn.QueryRow(ctx, `select exists (select from pg_default_acl d where d.defaclrole = (select oid from pg_roles where rolname = $1)
		and d.defaclnamespace = 0 and d.defaclobjtype = 'f' and not exists (select from aclexplode(d.defaclacl) a where a.grantee = 0))`,
		s.roles.Owner).Scan(&closed)
	if err != nil {
		return err
	}
	if !closed {
		l.add("close new functions to everybody else", "%s", s.expand(`alter default privileges for role {{owner}} revoke execute on routines from public`))
	}
	for _, d := range s.defaultPrivileges() {
		var have string
		err := l.conn.QueryRow(ctx, `select coalesce(string_agg(distinct a.privilege_type, ',' order by a.privilege_type), '')
			from pg_default_acl d, aclexplode(d.defaclacl) a
			where d.defaclrole = (select oid from pg_roles where rolname = $1) and d.defaclnamespace = (select oid from pg_namespace where nspname = $2)
			  and d.defaclobjtype = $3::"char" and a.grantee = (select oid from pg_roles where rolname = $4)`,
			s.roles.Owner, s.schema, d.kind, s.roles.App).Scan(&have)
		if err != nil {
			return err
		}
		if have != d.privileges {
			l.add("give the app its rights on what is created next", "%s", d.sql)
		}
	}
	return nil
}

// extension creates pg_trgm, once per database, in a schema of its own or public: in the
// schema of one installation, dropping that one would break the others.
func (l *stepList) extension(ctx context.Context) error {
	s := &l.site
	home := s.trgm
	if home == "" {
		home = l.extensions
	}
	var exists bool
	if err := l.conn.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, home).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		l.add("create the schema "+home+" for extensions", "create schema %s authorization %s", quote(home), quote(s.roles.Owner))
	}
	if s.trgm == "" {
		l.add("create the extension pg_trgm", "create extension pg_trgm schema %s", quote(home))
		s.trgm = home
	}
	for _, role := range []string{s.roles.Owner, s.roles.App, s.roles.Reader} {
		var usage bool
		err := l.conn.QueryRow(ctx, `select exists (select from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
			where n.nspname = $1 and a.privilege_type = 'USAGE' and (a.grantee = 0 or a.grantee = (select oid from pg_roles where rolname = $2)))`,
			home, role).Scan(&usage)
		if err != nil {
			return err
		}
		if !usage && (exists || role != s.roles.Owner) {
			l.add("let "+role+" use pg_trgm", "grant usage on schema %s to %s", quote(home), quote(role))
		}
	}
	return nil
}

// settings gives the roles their defaults in this database: where names are looked up,
// and limits that keep a forgotten session from blocking the others. A client may set
// others for itself.
func (l *stepList) settings(ctx context.Context) error {
	s := &l.site
	limits := []string{"statement_timeout=60s", "lock_timeout=5s", "idle_in_transaction_session_timeout=60s"}
	for _, want := range []struct {
		role     string
		settings []string
	}{
		{s.roles.App, limits},
		{s.roles.Reader, append([]string{"default_transaction_read_only=on"}, limits...)},
	} {
		var have []string
		err := l.conn.QueryRow(ctx, `select coalesce((select d.setconfig from pg_db_role_setting d
			where d.setrole = (select oid from pg_roles where rolname = $1) and d.setdatabase = (select oid from pg_database where datname = current_database())), '{}')`,
			want.role).Scan(&have)
		if err != nil {
			return err
		}
		in := fmt.Sprintf("alter role %s in database %s set ", quote(want.role), quote(s.Database))
		// The names in a search path are kept as identifiers, quoted only where needed, so
		// presence is compared and not the text.
		if !hasSetting(have, "search_path") {
			l.add("set the search path of "+want.role, "%ssearch_path to %s", in, s.searchPath())
		}
		for _, setting := range want.settings {
			name, value, _ := strings.Cut(setting, "=")
			if !hasSetting(have, name) {
				l.add("set "+name+" of "+want.role, "%s%s to %s", in, name, literal(value))
			}
		}
	}
	return nil
}

func hasSetting(have []string, name string) bool {
	for _, h := range have {
		if strings.HasPrefix(h, name+"=") {
			return true
		}
	}
	return false
}

// passwords sets the passwords that were given.
func (l *stepList) passwords() error {
	r := l.site.roles
	for _, p := range []struct{ role, password string }{
		{r.Migrator, l.options.MigratorPassword}, {r.App, l.options.AppPassword}, {r.Reader, l.options.ReaderPassword},
	} {
		if p.password == "" {
			continue
		}
		verifier, err := scramVerifier(p.password)
		if err != nil {
			return err
		}
		l.steps = append(l.steps, initStep{what: "set the password of " + p.role, secret: verifier,
			sql: fmt.Sprintf("alter role %s password %s", quote(p.role), literal(verifier))})
	}
	return nil
}
