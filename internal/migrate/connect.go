package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"manito/internal/problem"
)

// applicationName is what the migrator's sessions are called in pg_stat_activity.
const applicationName = "manito-migrate"

// oldest is the first server version that Manito's schema works on.
const oldest = 150000

// closing bounds what is done after the caller's context has ended: recording how an
// attempt ended, giving the lock back, closing a connection.
const closing = 10 * time.Second

// parseDSN reads the connection string. A statement whose context ends is cancelled on
// the server and its connection stays usable: the attempt can then still be recorded
// and the lock be given back.
func (m *Migrator) parseDSN() (*pgx.ConnConfig, error) {
	if m.cfg.DSN == "" {
		return nil, problem.New(problem.Usage, "no database is configured").Fix("set DATABASE_URL, or POSTGRES_HOST and its kin")
	}
	cfg, err := pgx.ParseConfig(m.cfg.DSN)
	if err != nil {
		return nil, problem.New(problem.Usage, "the database address cannot be read").Because(err).
			Fix("write it as postgres://user:password@host:5432/database")
	}
	cfg.RuntimeParams["application_name"] = applicationName
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: closing}
	}
	return cfg, nil
}

// connect opens a session and turns every way in which that fails into an error that
// says what to do. A server that has no connection left is asked again for a while.
func connect(ctx context.Context, cfg *pgx.ConnConfig) (conn *pgx.Conn, err error) {
	_, _ = poll(ctx, closing, func(ctx context.Context) (bool, error) { // the error of the last try is the one to explain
		conn, err = pgx.ConnectConfig(ctx, cfg)
		return sqlstate(err) != "53300", nil
	})
	if err != nil {
		return nil, refusal(ctx, cfg, err)
	}
	return conn, nil
}

// refusal explains why no session could be opened.
func refusal(ctx context.Context, cfg *pgx.ConnConfig, err error) error {
	if e := stopped(ctx, err); e != nil {
		return e
	}
	where := fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
	if strings.HasPrefix(cfg.Host, "/") {
		where = fmt.Sprintf("%s/.s.PGSQL.%d", cfg.Host, cfg.Port)
	}
	if e := Untrusted(where, err); e != nil {
		return e
	}
	if e := Unsuited(where, err); e != nil {
		return e
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return problem.New(problem.Unavailable, "no PostgreSQL answers at %s", where).Because(err).
			Fix("start the server, or correct the address in DATABASE_URL")
	}
	switch {
	case pg.Code == "28P01":
		return problem.New(problem.Denied, "the server at %s refuses the password of %q", where, cfg.User).Because(err).
			Fix("correct the password in DATABASE_URL or POSTGRES_PASSWORD")
	case pg.Code == "28000":
		return problem.New(problem.Denied, "the server at %s does not let %q in", where, cfg.User).Because(err).
			Fix("create the role and allow it to log in, or add a line for it to pg_hba.conf")
	case pg.Code == "3D000":
		return problem.New(problem.NotFound, "the server at %s has no database %q", where, cfg.Database).Because(err).
			Fix("create it: createdb %s", cfg.Database).
			Fix("or correct the name in DATABASE_URL or POSTGRES_DB")
	case pg.Code == "42501":
		return problem.New(problem.Denied, "%q may not connect to database %q", cfg.User, cfg.Database).Because(err).
			Fix("GRANT CONNECT ON DATABASE %s TO %s;", quote(cfg.Database), quote(cfg.User))
	case pg.Code == "53300":
		return problem.New(problem.Exhausted, "the server at %s has no connection left", where).Because(err).
			Fix("raise max_connections or lower the pools of its clients")
	case pg.Code == "57P03":
		return problem.New(problem.Unavailable, "the server at %s is starting up or shutting down", where).Because(err).
			Fix("wait and try again")
	}
	return problem.New(problem.Unavailable, "the server at %s refused the connection", where).Because(err)
}

// stopped is the error for work that the caller's context ended; nil when it did not.
func stopped(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return problem.Wrap(err, problem.Interrupted, "stopped on request")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return problem.Wrap(err, problem.Unavailable, "stopped at the time limit")
	}
	return nil
}

// closeConn closes a session even when the caller's context has ended. A failure to
// say goodbye changes nothing: the server notices the closed socket.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	_ = conn.Close(ctx)
}

// preflight refuses servers on which a migration could not work or would not be safe.
func preflight(ctx context.Context, conn *pgx.Conn, cfg *pgx.ConnConfig) (server, error) {
	var s server
	// The simple protocol, because a pooler may not know prepared statements.
	err := conn.QueryRow(ctx, `
		select current_setting('server_version_num')::int, current_setting('server_version'),
		       current_database(), session_user, pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
		       r.rolsuper, r.rolcreaterole
		from pg_roles r where r.rolname = session_user`, pgx.QueryExecModeSimpleProtocol).
		Scan(&s.number, &s.Version, &s.Database, &s.User, &s.recovery, &s.readOnly, &s.superuser, &s.createrole)
	if err != nil {
		return s, explain(ctx, err, "asking the server what it is")
	}
	if err := s.fit(); err != nil {
		return s, err
	}
	s.pooled, err = Pooled(ctx, conn, cfg)
	return s, err
}

// server is what preflight learnt.
type server struct {
	Version  string // such as 15.18
	Database string
	User     string // session_user

	number                int // such as 150018
	superuser, createrole bool
	recovery, readOnly    bool
	pooled                bool // each transaction may be given another session
}

// fit is the error that makes a server useless for migrations.
func (s *server) fit() error {
	switch {
	case s.number < oldest:
		return problem.New(problem.Unsupported, "the server is PostgreSQL %s; Manito needs 15 or newer", s.Version).
			Fix("upgrade the server, or point DATABASE_URL at a newer one")
	case s.recovery:
		return problem.New(problem.Unsupported, "the server is a read-only standby").
			Fix("point DATABASE_URL at the primary, or list both hosts and add target_session_attrs=read-write")
	case s.readOnly:
		return problem.New(problem.Unsupported, "sessions of %q are read-only (default_transaction_read_only)", s.User).
			Fix("ALTER ROLE %s SET default_transaction_read_only = off;", quote(s.User)).
			Fix("SELECT setrole::regrole, setdatabase, setconfig FROM pg_db_role_setting; shows where it is set")
	}
	return nil
}

// pooledError refuses what needs a session: where each transaction is given another one,
// a session lock protects nothing and two migrators both get it.
func pooledError() error {
	return problem.New(problem.Unsupported, "the connection goes through a pooler in transaction mode, where no lock lasts").
		Fix("give the migrator a direct connection to PostgreSQL (usually port 5432): MANITO_MIGRATION_URL").
		Fix("or use a pool with pool_mode=session")
}

// Pooled says whether a pooler in transaction mode stands before the server: whether two
// transactions of one session, or two sessions, are served by one another's server
// process. A direct connection shows by the process that greeted it, and is asked one
// question; otherwise a second connection is opened for the time of the look. It uses
// neither prepared statements nor settings, and so leaves nothing in a shared session.
func Pooled(ctx context.Context, conn *pgx.Conn, cfg *pgx.ConnConfig) (bool, error) {
	pid := func(q interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) (pid uint32, err error) {
		err = q.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
		return pid, err
	}
	first, err := pid(conn)
	if err != nil {
		return false, explain(ctx, err, "looking for a pooler")
	}
	if first == conn.PgConn().PID() {
		return false, nil
	}
	other, err := connect(ctx, cfg)
	if err != nil {
		return false, err
	}
	defer closeConn(ctx, other)
	if theirs, err := pid(other); err != nil || theirs == first {
		return err == nil, explain(ctx, err, "looking for a pooler")
	}
	// While the other session holds a transaction, a shared server process shows itself:
	// either it is the other's now, or this session is given another one.
	for range 3 {
		tx, err := other.Begin(ctx)
		if err != nil {
			return false, explain(ctx, err, "looking for a pooler")
		}
		theirs, err := pid(tx)
		var ours uint32
		if err == nil {
			ours, err = pid(conn)
		}
		if err := errors.Join(err, tx.Rollback(ctx)); err != nil {
			return false, explain(ctx, err, "looking for a pooler")
		}
		if ours != first || theirs == first {
			return true, nil
		}
	}
	return false, nil
}
