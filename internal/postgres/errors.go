package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/migrate"
	"manito/internal/problem"
)

// explain gives a failed statement the kind that its reader can act on. Errors
// that have a kind already and nil pass through.
func explain(ctx context.Context, err error, what string) error {
	if err == nil {
		return nil
	}
	var known *problem.Error
	if errors.As(err, &known) {
		return err
	}
	if e := stopped(ctx, err, what); e != nil {
		return e
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return explainServer(pg, err, what)
	}
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) || isBroken(err) {
		return problem.New(problem.Unavailable, "%s: the database does not answer", what).Because(err).
			Fix("see whether the server runs: manito status").
			Fix("try again; what was published is safe")
	}
	return problem.Wrap(err, problem.Internal, "%s", what)
}

// explainServer translates what the server says, by SQLSTATE (appendix A of PostgreSQL's manual).
func explainServer(pg *pgconn.PgError, err error, what string) error {
	switch {
	case pg.Code == "42501":
		return problem.New(problem.Denied, "%s: the database role lacks the right", what).Because(err).
			Fix("grant the roles their rights: manito db init")
	case pg.Code == "42P01" || pg.Code == "42703" || pg.Code == "42883" || pg.Code == "3F000":
		return problem.New(problem.Invalid, "%s: the schema is not the one that this program needs", what).Because(err).
			Fix("bring it up to date: manito db up")
	case pg.Code == "57014":
		return problem.New(problem.Exhausted, "%s: the statement took longer than its limit", what).Because(err).
			Fix("raise DB_STATEMENT_TIMEOUT")
	case pg.Code == "53100":
		return problem.New(problem.Exhausted, "%s: the database's disk is full", what).Because(err).
			Fix("make room on the disk of the data folder")
	case strings.HasPrefix(pg.Code, "53") || pg.Code == "22003" && strings.Contains(pg.Message, "integer out of range"):
		return problem.New(problem.Exhausted, "%s: the database is at a limit", what).Because(err)
	case pg.Code == "25006":
		return problem.New(problem.Unavailable, "%s: the server is read-only", what).Because(err).
			Fix("add target_session_attrs=read-write and list the primary in DATABASE_URL")
	case strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08"):
		return problem.New(problem.Unavailable, "%s: the server went away", what).Because(err).Fix("try again")
	case pg.Code == "55P03":
		return problem.New(problem.Conflict, "%s: another session holds the row or table", what).Because(err).Fix("try again")
	case pg.Code == "40001" || pg.Code == "40P01":
		return problem.New(problem.Conflict, "%s: another session was faster", what).Because(err).Fix("try again")
	case pg.Code == "23505":
		return problem.New(problem.Conflict, "%s: another process wrote the same at the same time", what).Because(err).
			Fix("run it again; what was written is found and used")
	case strings.HasPrefix(pg.Code, "22"):
		return problem.New(problem.Invalid, "%s: a value cannot be stored", what).Because(err)
	case strings.HasPrefix(pg.Code, "XX00"):
		return problem.New(problem.Internal, "%s: the server reports damaged data", what).Because(err).
			Fix("look at the server's log, then: manito db doctor")
	}
	return problem.Wrap(err, problem.Internal, "%s", what)
}

// refusal explains why no connection could be opened.
func refusal(ctx context.Context, cfg *pgx.ConnConfig, err error) error {
	if e := stopped(ctx, err, "connecting to the database"); e != nil {
		return e
	}
	var known *problem.Error // of a new session that was looked at
	if errors.As(err, &known) {
		return err
	}
	where := fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
	if strings.HasPrefix(cfg.Host, "/") {
		where = fmt.Sprintf("%s/.s.PGSQL.%d", cfg.Host, cfg.Port)
	}
	if e := migrate.Untrusted(where, err); e != nil {
		return e
	}
	if e := migrate.Unsuited(where, err); e != nil {
		return e
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return problem.New(problem.Unavailable, "no PostgreSQL answers at %s", where).Because(err).
			Fix("start the server, or correct DATABASE_URL")
	}
	switch {
	case pg.Code == "28P01":
		return problem.New(problem.Denied, "the server at %s refuses the password of %q", where, cfg.User).Because(err).
			Fix("correct the password in DATABASE_URL or POSTGRES_PASSWORD")
	case strings.HasPrefix(pg.Code, "28"):
		return problem.New(problem.Denied, "the server at %s does not let %q in", where, cfg.User).Because(err).
			Fix("create the role and let it log in, or add a line for it to pg_hba.conf")
	case pg.Code == "3D000":
		return problem.New(problem.NotFound, "the server at %s has no database %q", where, cfg.Database).Because(err).
			Fix("create it: createdb %s", cfg.Database)
	case pg.Code == "42501":
		return problem.New(problem.Denied, "%q may not connect to database %q", cfg.User, cfg.Database).Because(err)
	case pg.Code == "53300":
		return problem.New(problem.Exhausted, "the server at %s has no connection left", where).Because(err).
			Fix("raise max_connections, or lower DB_POOL_MAX of its clients")
	case pg.Code == "57P03":
		return problem.New(problem.Unavailable, "the server at %s is starting up or shutting down", where).Because(err).
			Fix("wait a moment and try again")
	}
	return problem.New(problem.Unavailable, "the server at %s refused the connection", where).Because(err)
}

// stopped is the error for work that the caller's context ended; nil when it did
// not. The context's own cause, such as a lost lease, is kept.
func stopped(ctx context.Context, err error, what string) error {
	if ctx.Err() == nil {
		return nil
	}
	var cause *problem.Error
	if errors.As(context.Cause(ctx), &cause) {
		return fmt.Errorf("%s: %w", what, cause)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return problem.Wrap(err, problem.Unavailable, "%s: stopped at the time limit", what)
	}
	return problem.Wrap(err, problem.Interrupted, "%s: stopped on request", what)
}

// isFull says whether the server has no connection left, for anybody or for this role.
func isFull(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53300"
}

// isBroken says whether an error means that the connection is gone.
func isBroken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08")
	}
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed)
}

// What an earlier scan must have left and has not.
var (
	errMissingBlock = problem.New(problem.Invalid, "edges that the snapshot names are missing").Fix("look for damage: manito db doctor")
	errMissingNodes = problem.New(problem.Invalid, "definitions that the snapshot names are missing").Fix("look for damage: manito db doctor")
	errMissingIndex = problem.New(problem.Invalid, "the index from symbols to files is missing").Fix("look for damage: manito db doctor")
)
