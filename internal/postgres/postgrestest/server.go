package postgrestest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/migrate"
	"manito/internal/pgembed"
)

const (
	prefix         = "manito_test_"
	templatePrefix = "manito_template_"
	// keep is how long the databases of failed or killed tests stay.
	keep = 24 * time.Hour
	// lock is the advisory lock under which templates are made; the number is arbitrary.
	lock = 7420001
)

// server is a running server with the template for one version of the migrations.
type server struct {
	cluster  *pgembed.Cluster // nil for an external server
	url      string           // of an external server
	schema   string
	roles    migrate.Roles
	template string
}

// schemaName is the schema that the suite runs in.
func schemaName() string { return cmp.Or(os.Getenv("MANITO_TEST_SCHEMA"), migrate.DefaultSchema) }

// programs is the folder of the server's programs; empty takes what pgembed finds. With
// MANITO_TEST_DATABASE_URL it holds for the servers that tests have for themselves. A
// folder without a server is an error: pgembed would take another version in its place.
func programs() (string, error) {
	bin := os.Getenv("MANITO_TEST_PG_BIN")
	if bin == "" {
		return "", nil
	}
	if err := exec.Command(filepath.Join(bin, "postgres"), "--version").Run(); err != nil {
		return "", fmt.Errorf("MANITO_TEST_PG_BIN names %s, which holds no working postgres: %w", bin, err)
	}
	return bin, nil
}

// start starts or joins the server and makes the template when there is none.
func start(ctx context.Context) (*server, error) {
	s := &server{url: os.Getenv("MANITO_TEST_DATABASE_URL"), schema: schemaName()}
	if s.url == "" {
		bin, err := programs()
		if err != nil {
			return nil, err
		}
		root := filepath.Join(os.TempDir(), fmt.Sprintf("manito-test-postgres-%d", os.Geteuid()))
		if bin != "" { // a cluster of one major version is not another's
			sum := sha256.Sum256([]byte(bin))
			root += "-" + hex.EncodeToString(sum[:4])
		}
		if s.cluster, err = pgembed.Open(ctx, pgembed.Options{Root: root, BinDir: bin}); err != nil {
			return nil, err
		}
	}
	files := migrate.Files()
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q", s.schema)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(h, "%q%q", name, text)
	}
	digest := hex.EncodeToString(h.Sum(nil)[:6])
	s.template = templatePrefix + digest
	s.roles = migrate.RolesFor("manito_test_" + digest)
	if err := s.admin(ctx, func(conn *pgx.Conn) error { return s.prepare(ctx, conn) }); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// prepare makes the template, and drops what earlier runs left behind.
func (s *server) prepare(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", lock); err != nil {
		return err
	}
	if err := sweep(ctx, conn); err != nil {
		return err
	}
	var done bool
	err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and shobj_description(oid, 'pg_database') is not null)", s.template).Scan(&done)
	if err != nil || done {
		return err
	}
	// One without its mark was left half made.
	if err := drop(ctx, conn, s.template); err != nil {
		return err
	}
	name := pgx.Identifier{s.template}.Sanitize()
	if _, err := conn.Exec(ctx, "create database "+name); err != nil {
		return err
	}
	m := migrate.New(migrate.Config{DSN: s.dsn(s.template, "", ""), Schema: s.schema, RolePrefix: strings.TrimSuffix(s.roles.Owner, "_owner")})
	if _, err := m.Init(ctx, migrate.InitOptions{MigratorPassword: password, AppPassword: password, ReaderPassword: password}); err != nil {
		return err
	}
	if _, err := m.Up(ctx); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "comment on database "+name+" is 'template of Manito''s tests'")
	return err
}

// sweep drops databases of tests that ended more than a day ago.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `select datname from pg_database
		where datname ~ ('^' || $1 || '[0-9]+_') and substring(datname from '[0-9]+')::int8 < extract(epoch from now()) - $2::float8`, prefix, keep.Seconds())
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := drop(ctx, conn, name); err != nil {
			return err
		}
	}
	return nil
}

func drop(ctx context.Context, conn *pgx.Conn, name string) error {
	_, err := conn.Exec(ctx, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
	return err
}

// admin runs work on a connection to the server's maintenance database.
func (s *server) admin(ctx context.Context, work func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.dsn("postgres", "", ""))
	if err != nil {
		return err
	}
	return errors.Join(work(conn), conn.Close(ctx))
}

// dsn is a connection string for a database, for the superuser or for a user with a password.
func (s *server) dsn(database, user, password string) string {
	if s.cluster == nil && strings.Contains(s.url, "://") {
		u, err := url.Parse(s.url)
		if err != nil {
			return s.url // connecting with it says what is wrong
		}
		u.Path = "/" + database
		if user != "" {
			u.User = url.UserPassword(user, password)
		}
		return u.String()
	}
	dsn := s.url + " dbname=" + database
	if s.cluster != nil {
		dsn = s.cluster.DSN(database)
	}
	if user != "" {
		dsn += " user=" + user + " password=" + password // the last of two settings holds
	}
	return dsn
}

func (s *server) close() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.Close()
}
