package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// fails checks an error's kind, message and that it says what to do.
func fails(t *testing.T, err error, kind problem.Kind, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q", text)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("the error is %q; want %q", err, text)
	}
	if got := problem.KindOf(err); got != kind {
		t.Errorf("%v: kind %s, want %s", err, got, kind)
	}
	if len(problem.Fixes(err)) == 0 {
		t.Errorf("%v: no fix", err)
	}
}

// denied runs a statement that must fail with a SQLSTATE.
func denied(t *testing.T, conn *pgx.Conn, code, sql string) {
	t.Helper()
	_, err := conn.Exec(context.Background(), sql)
	if sqlstate(err) != code {
		t.Errorf("%s: %v, want SQLSTATE %s", sql, err, code)
	}
}

func TestInitRights(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, schema := range []string{"manito", "Odd Schema"} {
			h := newHouse(t, c, schema)
			m := h.migrator(schema, sqlFiles(simple))
			if _, err := m.Up(t.Context()); err != nil {
				t.Fatal(err)
			}
			app, reader, migrator := c.connect(t, h.roles.App, h.database), c.connect(t, h.roles.Reader, h.database), c.connect(t, h.roles.Migrator, h.database)
			// The search path is the role's own: names need no schema.
			exec1(t, app, "insert into a (id) values (-1)")
			exec1(t, app, "update a set body = 'x' where id = -1")
			exec1(t, app, "delete from a where id = -1")
			if n := one[int](t, app, "select count(*) from migration"); n != 3 {
				t.Errorf("the app reads %d rows of the ledger", n)
			}
			denied(t, app, "42501", "create table mine ()")
			denied(t, app, "42501", "drop table a")
			denied(t, app, "42501", "alter table a add column y int")
			denied(t, app, "42501", "insert into migration (version, name, checksum, in_transaction, duration_ms, app_version) values (9, '', '', true, 0, '')")
			denied(t, app, "42501", "delete from migration")
			denied(t, app, "42501", "delete from migration_attempt")
			denied(t, app, "42501", "set role "+quote(h.roles.Owner))
			if n := one[int](t, reader, "select count(*) from a_view"); n != 1000 {
				t.Errorf("the reader sees %d rows", n)
			}
			if n := one[int](t, reader, "select twice(2)"); n != 4 {
				t.Errorf("the reader calls twice: %d", n)
			}
			denied(t, reader, "42501", "select * from a")
			denied(t, reader, "42501", "select * from migration")
			denied(t, reader, "25006", "create table mine ()")
			// The migrator is nothing until it becomes the owner.
			denied(t, migrator, "42501", "select * from "+quote(schema)+".a")
			exec1(t, migrator, "set role "+quote(h.roles.Owner))
			exec1(t, migrator, "create table "+quote(schema)+".next (id int generated always as identity)")
			exec1(t, app, "insert into next default values")
			// A stranger has nothing.
			admin := c.connect(t, "postgres", h.database)
			stranger := "stranger_" + h.database
			exec1(t, admin, "create role "+stranger+" login")
			s := c.connect(t, stranger, h.database)
			denied(t, s, "42501", "select "+quote(schema)+".twice(1)")
			exec1(t, admin, "drop role "+stranger)
		}
	})
}

func TestInitAgain(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		db := c.database(t)
		m := New(Config{DSN: c.dsn("postgres", db), RolePrefix: "again_" + db, Files: fstest.MapFS{}})
		dropRoles(t, c, db, RolesFor("again_"+db))
		dry, err := m.Init(t.Context(), InitOptions{DryRun: true})
		if err != nil || len(dry.Steps) == 0 || dry.Steps[0].Done {
			t.Fatalf("dry run: %+v, %v", dry, err)
		}
		first, err := m.Init(t.Context(), InitOptions{})
		if err != nil || len(first.Steps) != len(dry.Steps) || !first.Steps[0].Done {
			t.Fatalf("first: %+v, %v", first, err)
		}
		second, err := m.Init(t.Context(), InitOptions{})
		if err != nil || len(second.Steps) != 0 {
			t.Fatalf("second run still does %+v, %v", second.Steps, err)
		}
		// What is taken away is given back, and only that.
		admin := c.connect(t, "postgres", db)
		exec1(t, admin, "revoke usage on schema manito from "+quote(first.Roles.Reader))
		exec1(t, admin, fmt.Sprintf("alter default privileges for role %s in schema manito revoke update on tables from %s", quote(first.Roles.Owner), quote(first.Roles.App)))
		exec1(t, admin, "grant create on schema manito to public")
		exec1(t, admin, "alter role "+quote(first.Roles.Owner)+" login")
		valid, err := m.Validate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		third, err := m.Init(t.Context(), InitOptions{})
		if err != nil || len(third.Steps) != 4 {
			t.Fatalf("third: %+v, %v", third.Steps, err)
		}
		if len(valid.Findings) < 4 {
			t.Errorf("validate found only %+v", valid.Findings)
		}
		if again, err := m.Init(t.Context(), InitOptions{}); err != nil || len(again.Steps) != 0 {
			t.Fatalf("fourth: %+v, %v", again.Steps, err)
		}
	})
}

// dropRoles removes roles at the end of the test, after the database that depends on them.
func dropRoles(t *testing.T, c *cluster, db string, roles Roles) {
	t.Helper()
	t.Cleanup(func() {
		admin := c.connect(t, "postgres", "postgres")
		exec1(t, admin, "drop database if exists "+quote(db)+" with (force)")
		for _, r := range []string{roles.Reader, roles.App, roles.Migrator, roles.Owner} {
			exec1(t, admin, "drop role if exists "+quote(r))
		}
	})
}

// A user without the rights is told the SQL; a superuser who runs exactly that SQL makes
// the installation complete.
func TestInitWithoutRights(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		db := c.database(t)
		admin := c.connect(t, "postgres", db)
		user := "weak_" + db
		exec1(t, admin, "create role "+quote(user)+" login")
		dropRoles(t, c, db, RolesFor(DefaultRolePrefix(db, "manito")))
		t.Cleanup(func() { exec1(t, c.connect(t, "postgres", "postgres"), "drop role "+quote(user)) })
		t.Cleanup(func() {
			exec1(t, c.connect(t, "postgres", "postgres"), "revoke "+quote(DefaultRolePrefix(db, "manito")+"_owner")+" from "+quote(user))
		})
		m := New(Config{DSN: c.dsn(user, db), Files: sqlFiles(simple)})
		rep, err := m.Init(t.Context(), InitOptions{AppPassword: "secret"})
		fails(t, err, problem.Denied, "may not")
		if len(rep.Needed) == 0 || strings.Contains(strings.Join(rep.Needed, " "), "SCRAM") {
			t.Fatalf("needed: %v", rep.Needed)
		}
		for _, st := range rep.Steps {
			if st.Done {
				t.Errorf("done without the right: %+v", st)
			}
		}
		if _, err := m.Up(t.Context()); err == nil {
			t.Fatal("up works without init")
		} else {
			fails(t, err, problem.NotFound, "does not exist")
		}
		for _, sql := range rep.Needed {
			if !strings.Contains(sql, "password") {
				exec1(t, admin, sql)
			}
		}
		if rep, err := m.Init(t.Context(), InitOptions{}); err != nil || len(rep.Steps) != 0 {
			t.Fatalf("after the superuser's work: %+v, %v", rep.Steps, err)
		}
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A role that may create roles and owns the database needs no superuser.
func TestInitAsDatabaseOwner(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		db := c.database(t)
		admin := c.connect(t, "postgres", db)
		user := "landlord_" + db
		roles := RolesFor(DefaultRolePrefix(db, "manito"))
		exec1(t, admin, "create role "+quote(user)+" login createrole")
		exec1(t, admin, "alter database "+quote(db)+" owner to "+quote(user))
		t.Cleanup(func() { exec1(t, c.connect(t, "postgres", "postgres"), "drop role "+quote(user)) })
		dropRoles(t, c, db, roles)
		m := New(Config{DSN: c.dsn(user, db), Files: sqlFiles(simple)})
		if rep, err := m.Init(t.Context(), InitOptions{}); err != nil {
			t.Fatalf("%+v: %v", rep, err)
		}
		if rep, err := m.Init(t.Context(), InitOptions{}); err != nil || len(rep.Steps) != 0 {
			t.Fatalf("again: %+v, %v", rep.Steps, err)
		}
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep, err := New(Config{DSN: c.dsn(roles.Migrator, db), Files: sqlFiles(simple)}).Validate(t.Context()); err != nil || len(rep.Findings) != 1 || rep.Findings[0].Code != "sum" {
			t.Errorf("validate: %+v, %v", rep, err)
		}
	})
}

func TestTwoInstallationsOnOneServer(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		a := newHouse(t, c, "manito")
		b := newHouse(t, c, "manito")
		if a.roles.Owner == b.roles.Owner {
			t.Fatalf("both use %s", a.roles.Owner)
		}
		// A second schema in the first database shares pg_trgm and nothing else.
		other := New(Config{DSN: c.dsn("postgres", a.database), Schema: "second", Files: sqlFiles(simple)})
		rep, err := other.Init(t.Context(), InitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		dropRoles(t, c, a.database, rep.Roles)
		if _, err := other.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := a.migrator("manito", sqlFiles(simple)).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := one[string](t, c.connect(t, "postgres", a.database), "select string_agg(nspname, ',' order by nspname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where relname = 'a'"); got != "manito,second" {
			t.Errorf("table a is in %s", got)
		}
		app := c.connect(t, a.roles.App, a.database)
		denied(t, app, "42501", "select * from second.a")
		// Roles that carry the fitting name but belong to somebody else are not taken.
		admin := c.connect(t, "postgres", "postgres")
		db := c.database(t)
		roles := RolesFor(DefaultRolePrefix(db, "manito"))
		exec1(t, admin, "create role "+quote(roles.App)+" login")
		dropRoles(t, c, db, roles)
		_, err = New(Config{DSN: c.dsn("postgres", db)}).Init(t.Context(), InitOptions{})
		fails(t, err, problem.Conflict, "not marked as this installation's")
	})
}

func TestInitForeignSchema(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		db := c.database(t)
		admin := c.connect(t, "postgres", db)
		exec1(t, admin, "create schema manito")
		m := New(Config{DSN: c.dsn("postgres", db), Files: sqlFiles(simple)})
		_, err := m.Init(t.Context(), InitOptions{})
		fails(t, err, problem.Conflict, "no owner role of Manito")

		h := newHouse(t, c, "manito")
		admin = c.connect(t, "postgres", h.database)
		exec1(t, admin, "create table manito.customers (); create table manito.migration (); create function manito.f() returns int language sql as 'select 1'")
		m = h.migrator("manito", sqlFiles(simple))
		for name, call := range map[string]func() error{
			"up":   func() error { _, err := m.Up(t.Context()); return err },
			"plan": func() error { _, err := m.Plan(t.Context()); return err },
			"check": func() error {
				err := m.Check(t.Context())
				var st *StateError
				if !errors.As(err, &st) || st.State != StateForeign {
					t.Errorf("check: %v", err)
				}
				return err
			},
			"init": func() error {
				_, err := New(Config{DSN: c.dsn("postgres", h.database)}).Init(t.Context(), InitOptions{})
				return err
			},
		} {
			t.Log(name)
			fails(t, call(), problem.Conflict, "holds 3 objects of another program (customers, f(), migration)")
		}
	})
}

// The extension may live anywhere; it is created in public, or where that is told.
func TestInitExtension(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		trgm := sqlFiles(map[string]string{"00001_a.sql": "-- +goose Up\ncreate table a (b text);\ncreate index a_b on a using gin (b gin_trgm_ops);\n-- +goose Down\ndrop table a;\n"})
		for _, tt := range []struct{ name, before, config, want string }{
			{"none", "select 1", "", "public"},
			{"no public", "drop schema public", "", "public"},
			{"own schema", "select 1", "extensions", "extensions"},
			{"there already", "create schema x; create extension pg_trgm schema x", "", "x"},
		} {
			db := c.database(t)
			admin := c.connect(t, "postgres", db)
			exec1(t, admin, tt.before)
			m := New(Config{DSN: c.dsn("postgres", db), ExtensionSchema: tt.config, Files: trgm})
			rep, err := m.Init(t.Context(), InitOptions{})
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			dropRoles(t, c, db, rep.Roles)
			if _, err := New(Config{DSN: c.dsn(rep.Roles.Migrator, db), Files: trgm}).Up(t.Context()); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if got := one[string](t, admin, "select extnamespace::regnamespace::text from pg_extension where extname = 'pg_trgm'"); got != tt.want {
				t.Errorf("%s: pg_trgm is in %s", tt.name, got)
			}
			app := c.connect(t, rep.Roles.App, db)
			if s := one[float32](t, app, "select similarity('manito', 'manita')"); s == 0 {
				t.Errorf("%s: similarity is %v", tt.name, s)
			}
		}
	})
}

func TestInitPasswords(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		db := c.database(t)
		m := New(Config{DSN: c.dsn("postgres", db), Files: fstest.MapFS{}})
		rep, err := m.Init(t.Context(), InitOptions{AppPassword: "it's \\ a secret", ReaderPassword: "other"})
		if err != nil {
			t.Fatal(err)
		}
		dropRoles(t, c, db, rep.Roles)
		for _, st := range rep.Steps {
			if strings.Contains(st.SQL, "secret") || strings.Contains(st.SQL, "SCRAM") {
				t.Errorf("the report shows %s", st.SQL)
			}
		}
		admin := c.connect(t, "postgres", "postgres")
		group := "needs_password"
		if !one[bool](t, admin, "select exists (select from pg_roles where rolname = $1)", group) {
			_, err := admin.Exec(t.Context(), "create role "+group)
			if code := sqlstate(err); err != nil && code != "42710" && code != "23505" {
				t.Fatal(err)
			}
		}
		exec1(t, admin, "grant "+group+" to "+quote(rep.Roles.App))
		connect := func(password string) error {
			conn, err := pgx.Connect(t.Context(), c.dsn(rep.Roles.App, db)+" password='"+password+"'")
			if err == nil {
				err = conn.Close(t.Context())
			}
			return err
		}
		if err := connect(`it\'s \\ a secret`); err != nil {
			t.Error(err)
		}
		if err := connect("wrong"); sqlstate(err) != "28P01" {
			t.Errorf("wrong password: %v", err)
		}
		// The migrator says what is wrong, and does not show the password.
		_, err = New(Config{DSN: c.dsn(rep.Roles.App, db) + " password=wrongpassword"}).Up(t.Context())
		fails(t, err, problem.Denied, "refuses the password")
		if strings.Contains(fmt.Sprint(err, problem.Fixes(err)), "wrongpassword") {
			t.Errorf("the error shows the password: %v", err)
		}
		_, err = m.Init(t.Context(), InitOptions{AppPassword: "gehëim"})
		fails(t, err, problem.Usage, "printable ASCII")
	})
}

// Many processes may initialise at once.
func TestInitConcurrently(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		db := c.database(t)
		dropRoles(t, c, db, RolesFor(DefaultRolePrefix(db, "manito")))
		errs := make(chan error, 6)
		for range cap(errs) {
			go func() {
				_, err := New(Config{DSN: c.dsn("postgres", db), Files: fstest.MapFS{}}).Init(t.Context(), InitOptions{})
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
