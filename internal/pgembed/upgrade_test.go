//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// contents is a database with one of each thing that is easily lost.
const contents = `
	create schema "Odd schema";
	create table "Odd schema"."odd "" table" (id int generated always as identity primary key, "odd column" text, twice int generated always as (id * 2) stored);
	insert into "Odd schema"."odd "" table" ("odd column") select 'line' || chr(10) || 'tab' || chr(9) || '\N ü ' || n from generate_series(1, 1000) n;
	create table child (parent int references "Odd schema"."odd "" table" (id) deferrable, payload bytea, list int8[], doc jsonb, at timestamptz);
	create table parts (k int, v text) partition by list (k);
	create table parts_1 partition of parts for values in (1);
	create table parts_2 partition of parts for values in (2);
	insert into parts values (1, 'one'), (2, 'two'), (2, null);
	create sequence counter; select nextval('counter') from generate_series(1, 41);
	create table audit (what text);
	create function note() returns trigger language plpgsql as $$ begin insert into audit values (tg_op); return new; end $$;
	create trigger noted after insert on child for each row execute function note();
	insert into child select n, decode(md5(n::text), 'hex'), array[n, null, -n], jsonb_build_object('n', n), to_timestamp(n) from generate_series(1, 1000) n;
	create materialized view sums as select k, count(*) as n from parts group by k;
	create extension pg_trgm;
	create index on parts using gin (v gin_trgm_ops);
	grant select on child to manito_reader;`

// schema is what a program of ours would make in a new database: the same without rows,
// but with rows of its own that must give way.
var schema = strings.NewReplacer(
	"insert into \"Odd", "-- insert into \"Odd", "insert into child", "-- insert into child",
	"insert into parts values", "-- ", " select nextval('counter') from generate_series(1, 41);", "",
).Replace(contents) + "; insert into audit values ('made by the schema');"

// fill makes roles and databases in a cluster.
func fill(t *testing.T, c *Cluster) {
	t.Helper()
	exec1(t, c, `create role manito_reader nologin`)
	exec1(t, c, `create role "Odd role" login password 'secret' connection limit 3 createdb`)
	exec1(t, c, `grant manito_reader to "Odd role" with admin option`)
	exec1(t, c, `alter role "Odd role" set work_mem = '7MB'`)
	for _, name := range []string{"manito", "Odd name"} {
		if err := c.EnsureDatabase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	exec1(t, c, `alter database manito owner to "Odd role"`)
	exec1(t, c, `revoke connect on database manito from public`)
	exec1(t, c, `grant connect on database manito to manito_reader`)
	exec1(t, c, `alter database manito set search_path = "Odd schema", public`)
	exec1(t, c, `alter role "Odd role" in database manito set statement_timeout = '9s'`)
	conn := connect(t, c.DSN("manito"))
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "set search_path = public; "+contents); err != nil {
		t.Fatal(err)
	}
}

// wantFilled checks that everything of fill is there.
func wantFilled(t *testing.T, c *Cluster) {
	t.Helper()
	dsn := c.DSN("manito")
	for sql, want := range map[string]string{
		`select count(*) || ' ' || sum(twice) || ' ' || md5(string_agg("odd column", '' order by id)) from "odd "" table"`: "1000 1001000 ",
		`select count(*) || ' ' || md5(string_agg(c::text, '' order by parent)) from child c`:                              "1000 ",
		`select string_agg(k || coalesce(v, '-'), ' ' order by k, v) from parts`:                                           "1one 2two 2-",
		`select sum(n)::text from sums`:                                          "3",
		`select nextval('counter')::text`:                                        "42",
		`select count(*) || min(what) from audit`:                                "1000INSERT",
		`select current_setting('search_path')`:                                  `"Odd schema", public`,
		`select datdba::regrole::text from pg_database where datname = 'manito'`: `"Odd role"`,
		`select has_database_privilege('public', 'manito', 'connect')::text || has_database_privilege('manito_reader', 'manito', 'connect')::text`:    "falsetrue",
		`select has_table_privilege('manito_reader', 'child', 'select')::text`:                                                                        "true",
		`select rolconnlimit || ' ' || rolcreatedb || ' ' || rolcanlogin || array_to_string(rolconfig, ' ') from pg_roles where rolname = 'Odd role'`: "3 true truework_mem=7MB",
		`select rolname from pg_roles where rolname = 'manito_reader' and pg_has_role('Odd role', oid, 'member')`:                                     "manito_reader",
		`select count(*)::text from pg_database where datname = 'Odd name'`:                                                                           "1",
		`select array_to_string(setconfig, ' ') from pg_db_role_setting where setrole = '"Odd role"'::regrole and setdatabase <> 0`:                   "statement_timeout=9s",
		`select extname::text from pg_extension where extname = 'pg_trgm'`:                                                                            "pg_trgm",
	} {
		if got := ask1[string](t, dsn, sql); !strings.HasPrefix(got, want) {
			t.Errorf("%s\n gives %q, want %q", sql, got, want)
		}
	}
	// The identity goes on where it was.
	if got := ask1[string](t, dsn, `insert into "odd "" table" ("odd column") values ('next') returning id::text`); got != "1001" {
		t.Errorf("the next row has id %s, want 1001", got)
	}
	// The hashed password came along.
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = "Odd role", "secret"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Errorf("the role cannot log in: %v", err)
	} else {
		conn.Close(t.Context())
	}
}

// bothMajors are options that find the system's PostgreSQL and, first, the other one.
func bothMajors(t *testing.T, root string) Options {
	t.Helper()
	return Options{Root: root, BinDir: otherPostgres(t), Logger: slogtest(t)}
}

// withoutDump is a folder with the system's server programs but not its clients.
func withoutDump(t *testing.T, major int) string {
	t.Helper()
	root := emptyRoot(t)
	b, err := makeBase(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	p, ok, err := newFinder(Options{}, b).forMajor(t.Context(), major)
	if err != nil || !ok {
		t.Fatalf("PostgreSQL %d is not installed: %v", major, err)
	}
	dir := filepath.Join(filepath.Dir(root), "bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "initdb"} { // not linked: the clients are looked for behind links
		real, err := filepath.EvalSymlinks(p.path(name))
		if err != nil {
			t.Fatal(err)
		}
		run(t, "cp", real, dir)
	}
	if err := os.Symlink(filepath.Join(p.real, "..", "lib"), filepath.Join(dir, "..", "lib")); err != nil { // it must be there
		t.Fatal(err)
	}
	return dir
}

// TestUpgrade: everything arrives in the newer version, by pg_dump and without it; the
// old data folder stays as it was.
func TestUpgrade(t *testing.T) {
	for _, method := range []string{"pg_dump", "copy"} {
		t.Run(method, func(t *testing.T) {
			root := readyRoot(t)
			c := open(t, Options{Root: root, BinDir: "/nowhere"})
			from, old := c.Major(), c.DataDir()
			fill(t, c)
			wantCounter := ask1[int64](t, c.DSN("manito"), "select last_value from counter")
			c.Close()

			o := bothMajors(t, root)
			// The data decides: the newer programs do not open it, which is said.
			c = open(t, o)
			if c.Major() != from {
				t.Fatalf("the major is %d, want still %d", c.Major(), from)
			}
			if said := strings.Join(c.Notices(), " "); !strings.Contains(said, itoa(otherMajor)+".") || !strings.Contains(said, "upgraded") {
				t.Errorf("said is %q", said)
			}
			_, err := Upgrade(t.Context(), o, UpgradeOptions{})
			wantProblem(t, err, problem.Conflict, "in use")
			c.Close()
			c = open(t, o)
			if said := c.Notices(); len(said) > 0 {
				t.Errorf("said again is %q", said)
			}
			c.Close()

			u := UpgradeOptions{To: otherMajor}
			calls := 0
			if method == "copy" {
				t.Setenv("PATH", withoutDump(t, from)+":/usr/bin:/bin")
				u.Schema = func(ctx context.Context, database, dsn string) error {
					calls++
					made := map[string]string{
						"manito":   "set search_path = public; " + schema,
						"postgres": "create table written (n bigint)",
					}
					conn, err := pgx.Connect(ctx, dsn)
					if err != nil {
						return err
					}
					defer conn.Close(ctx)
					_, err = conn.Exec(ctx, made[database])
					return err
				}
			}
			report, err := Upgrade(t.Context(), o, u)
			if err != nil {
				t.Fatalf("Upgrade: %v\n%s", err, strings.Join(problem.Fixes(err), "\n"))
			}
			if report.From != from || report.To != otherMajor || report.Method != method || report.Old != old {
				t.Errorf("the report is %+v", report)
			}
			if method == "copy" && calls != 3 {
				t.Errorf("the schema was made %d times, want once for each database", calls)
			}
			rows := map[string]int64{}
			for _, d := range report.Databases {
				rows[d.Name] = d.Rows
			}
			if rows["manito"] != 1000+1000+3+1000 {
				t.Errorf("rows by database: %v", rows)
			}
			wantStopped(t, root)
			c = open(t, o)
			if c.Major() != otherMajor || c.DataDir() == old {
				t.Fatalf("afterwards it is PostgreSQL %d in %s", c.Major(), c.DataDir())
			}
			wantFilled(t, c)
			c.Close()

			// The old folder is whole: put in use again it has it all.
			b, err := findBase(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.setCurrent(from); err != nil {
				t.Fatal(err)
			}
			c = open(t, Options{Root: root})
			if got := ask1[int64](t, c.DSN("manito"), "select last_value from counter"); got != wantCounter {
				t.Errorf("the old counter is at %d, want %d", got, wantCounter)
			}
			c.Close()
			_, err = Upgrade(t.Context(), o, u)
			wantProblem(t, err, problem.Conflict, itoa(otherMajor), "mv ")
		})
	}
}

// TestUpgradeFails: whatever fails, the old data folder stays in use and nothing of the
// new one is left.
func TestUpgradeFails(t *testing.T) {
	root := readyRoot(t)
	c := open(t, Options{Root: root})
	from := c.Major()
	fill(t, c)
	c.Close()
	o := bothMajors(t, root)

	_, err := Upgrade(t.Context(), o, UpgradeOptions{To: from})
	if problem.KindOf(err) != problem.Usage {
		t.Errorf("to the same version: %v", err)
	}
	_, err = Upgrade(t.Context(), Options{Root: emptyRoot(t)}, UpgradeOptions{})
	if problem.KindOf(err) != problem.NotFound {
		t.Errorf("of nothing: %v", err)
	}
	_, err = Upgrade(t.Context(), Options{Root: root}, UpgradeOptions{To: otherMajor})
	wantProblem(t, err, problem.Unsupported, "no PostgreSQL newer than", "MANITO_PG_BIN")

	t.Setenv("PATH", withoutDump(t, from)+":/usr/bin:/bin")
	_, err = Upgrade(t.Context(), o, UpgradeOptions{})
	wantProblem(t, err, problem.Unsupported, "pg_dump")

	broken := errors.New("broken schema")
	for name, schema := range map[string]func(ctx context.Context, database, dsn string) error{
		"failing": func(context.Context, string, string) error { return broken },
		"empty":   func(context.Context, string, string) error { return nil },
	} {
		_, err = Upgrade(t.Context(), o, UpgradeOptions{Schema: schema})
		if err == nil || !strings.Contains(err.Error(), "unchanged") {
			t.Errorf("with a %s schema: %v", name, err)
		}
		if name == "failing" && !errors.Is(err, broken) {
			t.Errorf("the schema's error is lost: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Upgrade(ctx, o, UpgradeOptions{Schema: func(ctx context.Context, database, dsn string) error {
		cancel()
		return ctx.Err()
	}})
	if problem.KindOf(err) != problem.Interrupted {
		t.Errorf("cancelled: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, "db", itoa(otherMajor)+"*")); len(left) != 1 { // the lock
		t.Errorf("left is %v", left)
	}
	wantStopped(t, root)
	c = open(t, Options{Root: root})
	if c.Major() != from {
		t.Errorf("the major is %d, want %d", c.Major(), from)
	}
	wantFilled(t, c)
}

// TestOldProgramsGone: without the programs that made the data nothing is touched, and
// what to install is named.
func TestOldProgramsGone(t *testing.T) {
	t.Parallel()
	root := readyRoot(t)
	b, err := findBase(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	// Data of a version that no machine has.
	major := status(t, root).Major
	if err := os.Rename(b.dataDir(major), b.dataDir(14)); err != nil {
		t.Fatal(err)
	}
	if err := b.setCurrent(14); err != nil {
		t.Fatal(err)
	}
	o := bothMajors(t, root)
	_, err = Open(t.Context(), o)
	wantProblem(t, err, problem.Unsupported, "PostgreSQL 14", "no longer installed", itoa(otherMajor), "install")
	_, err = Upgrade(t.Context(), o, UpgradeOptions{})
	wantProblem(t, err, problem.Unsupported, "PostgreSQL 14", "no longer installed")
	if _, err := os.Stat(filepath.Join(b.dataDir(14), "PG_VERSION")); err != nil {
		t.Errorf("the data was touched: %v", err)
	}
}
