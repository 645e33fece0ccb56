package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/problem"
)

// Limits of a probe. A doctor that makes a busy server wait is part of the disease.
const (
	probeTimeout = "5s"
	lockTimeout  = "200ms"
	closing      = 5 * time.Second
)

// oldest is the first server version that the probes are written for.
const oldest = 120000

// Scope is a schema that is examined and the role that should own what is in it.
type Scope struct {
	Name  string   `json:"name"`
	Owner string   `json:"owner"`
	App   []string `json:"app"` // roles that programs run as
}

// server is what the session learnt about where it is.
type server struct {
	version, database, user string
	number                  int
	superuser, monitor      bool
	settings                bool // it sees settings that tell where things are
	recovery                bool
}

// session is a connection with what is to be examined through it.
type session struct {
	opt    Options
	conn   *pgx.Conn
	tx     pgx.Tx // of the probe or fix under way
	server server
	scopes []Scope
	calls  *calls // outcome of calling every function once, kept for the checks that read it
	about  string // the one object that counts while a fix is judged; "" for all
	fixing bool   // a fix is under way: only what there is counts, not how to repair it
}

// open connects and finds out who is asking what.
func open(ctx context.Context, opt Options) (*session, error) {
	cfg, err := pgx.ParseConfig(opt.DSN)
	if err != nil {
		return nil, problem.New(problem.Usage, "the database address cannot be read").Because(err).Fix("write it as postgres://user:password@host:5432/database")
	}
	cfg.RuntimeParams["application_name"] = "manito-doctor"
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // leaves no prepared statement behind in a pooler
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, refusal(ctx, cfg, err)
	}
	s := &session{opt: opt, conn: conn}
	if err := s.begin(ctx, pgx.ReadOnly, func() error { return s.orient(ctx) }); err != nil {
		s.close(ctx)
		return nil, err
	}
	return s, nil
}

// close ends the session, also when the caller's context has ended.
func (s *session) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	_ = s.conn.Close(ctx) // the server notices a closed socket by itself
}

// now is this machine's clock, or what the caller says that it is.
func (s *session) now() time.Time {
	if s.opt.Now.IsZero() {
		return time.Now()
	}
	return s.opt.Now
}

// refusal explains why there is no connection.
func refusal(ctx context.Context, cfg *pgx.ConnConfig, err error) error {
	if ctx.Err() != nil {
		return problem.Wrap(err, problem.KindOf(ctx.Err()), "connecting was stopped")
	}
	switch code := sqlstate(err); code {
	case "":
		return problem.New(problem.Unavailable, "no PostgreSQL answers at %s:%d", cfg.Host, cfg.Port).Because(err).
			Fix("start the server, or correct the address").Fix("check sslmode and its certificates when the cause speaks of TLS")
	case "3D000":
		return problem.New(problem.NotFound, "the server has no database %q", cfg.Database).Because(err).Fix("correct the name in --dsn or DATABASE_URL")
	case "28P01", "28000", "42501":
		return problem.New(problem.Denied, "the server does not let %q into database %q", cfg.User, cfg.Database).Because(err).Fix("correct the user and the password, or ask for the right to connect")
	default:
		return problem.New(problem.Unavailable, "the server at %s:%d refused the connection", cfg.Host, cfg.Port).Because(err)
	}
}

// sqlstate is the SQLSTATE of an error, or empty when the server did not send it.
func sqlstate(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// begin runs work in a transaction that is always rolled back.
func (s *session) begin(ctx context.Context, mode pgx.TxAccessMode, work func() error) error {
	tx, err := s.conn.BeginTx(ctx, pgx.TxOptions{AccessMode: mode})
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "beginning a transaction")
	}
	s.tx = tx
	err = s.limit(ctx)
	if err == nil {
		err = work()
	}
	s.tx = nil
	if end := tx.Rollback(context.WithoutCancel(ctx)); err == nil && end != nil {
		err = problem.Wrap(end, problem.Unavailable, "ending a transaction")
	}
	return err
}

// nested runs work in a savepoint of the transaction under way and rolls back to it.
func (s *session) nested(ctx context.Context, work func() error) error {
	outer := s.tx
	inner, err := outer.Begin(ctx)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "setting a savepoint")
	}
	s.tx = inner
	err = work()
	s.tx = outer
	if end := inner.Rollback(context.WithoutCancel(ctx)); err == nil && end != nil {
		err = problem.Wrap(end, problem.Unavailable, "ending a savepoint")
	}
	return err
}

// limit bounds the statements of the transaction and makes names come out qualified.
func (s *session) limit(ctx context.Context) error {
	_, err := s.tx.Exec(ctx, "set local statement_timeout = '"+probeTimeout+"'; set local lock_timeout = '"+lockTimeout+"'; set local search_path = pg_catalog, pg_temp", pgx.QueryExecModeSimpleProtocol)
	return problem.Wrap(err, problem.Unavailable, "setting the limits of a probe")
}

// orient asks the server what it is and settles the scope.
func (s *session) orient(ctx context.Context) error {
	v := &s.server
	err := s.tx.QueryRow(ctx, `select current_setting('server_version_num')::int4, split_part(current_setting('server_version'), ' ', 1), current_database()::text, current_user::text,
		r.rolsuper, r.rolsuper or pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), pg_is_in_recovery(), r.rolsuper or pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
		from pg_roles r where r.rolname = current_user`).Scan(&v.number, &v.version, &v.database, &v.user, &v.superuser, &v.monitor, &v.recovery, &v.settings)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "asking the server what it is")
	}
	if v.number < oldest {
		return problem.New(problem.Unsupported, "the server is PostgreSQL %s; the doctor knows 12 and newer", v.version).Fix("upgrade the server: its version has been out of support for years")
	}
	// What is in schema public belongs to nobody in particular: the owner is who owns most of it.
	rows, err := s.tx.Query(ctx, `select n.nspname::text, coalesce(nullif($2, ''), case when n.nspname = 'public' then
			(select pg_get_userbyid(c.relowner) from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p') group by 1 order by count(*) desc, 1 limit 1) end,
			case when pg_get_userbyid(n.nspowner) = 'pg_database_owner' then (select pg_get_userbyid(d.datdba) from pg_database d where d.datname = current_database()) else pg_get_userbyid(n.nspowner) end)::text,
		array(select r.rolname::text from pg_roles r, (select count(*) all_tables from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p')) t
			where r.rolcanlogin and not r.rolsuper and (r.rolname = any($3::text[]) or cardinality($3::text[]) = 0 and t.all_tables > 0 and r.oid in (
				select x.grantee from pg_class c, aclexplode(c.relacl) x where c.relnamespace = n.oid and c.relkind in ('r', 'p') and x.privilege_type = 'INSERT'
				group by 1 having count(*) * 2 >= t.all_tables)) order by 1)
		from pg_namespace n where n.nspname = $1 or $1 = '' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
		s.opt.Schema, s.opt.Owner, append([]string{}, s.opt.App...))
	if err != nil {
		return problem.Wrap(err, problem.Internal, "listing the schemas")
	}
	s.scopes, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (c Scope, err error) {
		err = r.Scan(&c.Name, &c.Owner, &c.App)
		return c, err
	})
	if err != nil {
		return problem.Wrap(err, problem.Internal, "listing the schemas")
	}
	if len(s.scopes) == 0 && s.opt.Schema != "" {
		return problem.New(problem.NotFound, "database %q has no schema %q", v.database, s.opt.Schema).Fix("name another with --schema, or leave it out to examine all")
	}
	return s.roles(ctx)
}

// roles refuses names of roles that do not exist: every check about them would be silent.
func (s *session) roles(ctx context.Context) error {
	for _, role := range append(slices.Clone(s.opt.App), s.opt.Owner) {
		if role == "" {
			continue
		}
		var known bool
		if err := s.tx.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", role).Scan(&known); err != nil {
			return problem.Wrap(err, problem.Internal, "looking up role %q", role)
		}
		if !known {
			return problem.New(problem.NotFound, "the server has no role %q", role).Fix("correct --owner or --app")
		}
	}
	return nil
}

// look runs one check. A failure of the probe is a Skipped, never health.
func (s *session) look(ctx context.Context, c Check) (result, error) {
	info := c.Describe()
	skip := func(format string, args ...any) result {
		return result{skipped: []Skipped{{ID: info.ID, Reason: fmt.Sprintf(format, args...)}}}
	}
	switch {
	case info.version > s.server.number:
		out := skip("PostgreSQL %s does not know this yet (%d does)", s.server.version, info.version/10000)
		out.skipped[0].ByDesign = true
		return out, nil
	case info.needs != "" && !s.server.monitor:
		return skip("missing right: %q sees only its own sessions; GRANT %s TO %s shows the others", s.server.user, info.needs, quote(s.server.user)), nil
	}
	var got result
	var failed error
	work := func() error {
		got, failed = c.run(ctx, s)
		return nil
	}
	run := func() error { return s.begin(ctx, pgx.ReadOnly, work) }
	if s.tx != nil {
		run = func() error { return s.nested(ctx, work) }
	}
	if err := run(); err != nil && failed == nil {
		return result{}, err
	}
	if ctx.Err() != nil {
		return result{}, problem.Wrap(context.Cause(ctx), problem.KindOf(ctx.Err()), "the examination was stopped")
	}
	if failed != nil {
		if sqlstate(failed) == "" && s.conn.IsClosed() {
			return result{}, problem.Wrap(failed, problem.Unavailable, "the connection was lost in check %s", info.ID)
		}
		return skip("%s", reason(failed)), nil
	}
	for i := range got.findings {
		s.complete(c, &got.findings[i])
	}
	for i := range got.skipped {
		got.skipped[i].ID = info.ID
	}
	return got, nil
}

// reason says why a probe could not look.
func reason(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err.Error()
	}
	switch pg.Code {
	case "42501":
		return "missing right: " + pg.Message
	case "57014":
		return "took longer than " + probeTimeout
	case "55P03":
		return "a lock was not to be had within " + lockTimeout
	case "42P01", "42703", "42883":
		return "this server has not what the check asks: " + pg.Message
	}
	return pg.Message + " (" + pg.Code + ")"
}

// complete fills in what a finding has from its check.
func (s *session) complete(c Check, f *Finding) {
	info := c.Describe()
	f.ID, f.Title, f.Breaks = info.ID, info.Title, info.Breaks
	if f.Severity == "" {
		f.Severity = info.Severity
	}
	if f.Cause == "" {
		f.Cause = info.Cause
	}
	if f.Fix.Safety == "" {
		f.Fix.Safety = info.Safety
	}
	if len(f.Fix.SQL) == 0 {
		f.Fix = Fix{Safety: Advice, Advice: firstOf(f.Fix.Advice, info.Advice)}
		return
	}
	if q, ok := c.(query); ok && f.Fix.Verify == "" {
		f.Fix.Verify = s.render(q.sql, f.Object)
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// quote makes a name an SQL identifier, quoted only where it must be, as PostgreSQL prints it.
func quote(name string) string {
	plain := name != ""
	for i, r := range name {
		if !(r >= 'a' && r <= 'z' || r == '_' || i > 0 && r >= '0' && r <= '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return pgx.Identifier{name}.Sanitize()
}

// literal makes a text an SQL string literal, for SQL that people read; probes bind their values.
func literal(text string) string {
	s := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return "E" + strings.ReplaceAll(s, `\`, `\\`)
	}
	return s
}
