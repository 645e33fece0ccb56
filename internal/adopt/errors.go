package adopt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/migrate"
	"manito/internal/problem"
)

// connect opens a session by an address that was given as flag.
func connect(ctx context.Context, dsn, flag string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, problem.New(problem.Usage, "the address of %s cannot be read", flag).Because(err).
			Fix("write it as postgres://user:password@host:5432/database")
	}
	cfg.RuntimeParams["application_name"] = "manito adopt"
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // a pooler may give each transaction another session
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, refusal(ctx, cfg, flag, err)
	}
	return conn, nil
}

// address is where a configuration leads.
func address(cfg *pgx.ConnConfig) string {
	if strings.HasPrefix(cfg.Host, "/") {
		return fmt.Sprintf("%s/.s.PGSQL.%d", cfg.Host, cfg.Port)
	}
	return fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
}

// refusal explains why no session could be opened.
func refusal(ctx context.Context, cfg *pgx.ConnConfig, flag string, err error) error {
	if e := stopped(ctx, err); e != nil {
		return e
	}
	where := address(cfg)
	if e := migrate.Untrusted(where, err); e != nil {
		return e
	}
	switch sqlstate(err) {
	case "":
		return problem.New(problem.Unavailable, "no PostgreSQL answers at %s", where).Because(err).
			Fix("start the server, or correct the address in %s", flag)
	case "28P01":
		return problem.New(problem.Denied, "the server at %s refuses the password of %q", where, cfg.User).Because(err).
			Fix("correct the password in %s", flag)
	case "28000":
		return problem.New(problem.Denied, "the server at %s does not let %q in", where, cfg.User).Because(err).
			Fix("name a role that may log in, or add a line for it to pg_hba.conf")
	case "3D000":
		return problem.New(problem.NotFound, "the server at %s has no database %q", where, cfg.Database).Because(err).
			Fix("correct the name in %s; psql -l lists what there is", flag)
	case "42501":
		return problem.New(problem.Denied, "%q may not connect to database %q", cfg.User, cfg.Database).Because(err).
			Fix("GRANT CONNECT ON DATABASE %s TO %s;", quote(cfg.Database), quote(cfg.User))
	case "57P03":
		return problem.New(problem.Unavailable, "the server at %s is starting up, shutting down or not open to queries (in recovery)", where).Because(err).
			Fix("wait and try again, or name its primary")
	}
	return problem.New(problem.Unavailable, "the server at %s refused the connection", where).Because(err)
}

// explain gives a failed statement the kind that its reader can act on.
func explain(ctx context.Context, err error, doing string) error {
	if err == nil {
		return nil
	}
	var known *problem.Error
	if errors.As(err, &known) {
		return err
	}
	if e := stopped(ctx, err); e != nil {
		return e
	}
	code := sqlstate(err)
	switch {
	case code == "42501" && strings.Contains(err.Error(), "row-level security"):
		return problem.New(problem.Denied, "%s: row security hides rows from the role", doing).Because(err).
			Fix("give --dsn the owner of the tables, or a role with BYPASSRLS")
	case code == "42501":
		return problem.New(problem.Denied, "%s: the role lacks the right", doing).Because(err)
	case code == "55P03":
		return problem.New(problem.Conflict, "%s: another session holds the table", doing).Because(err).Fix("stop the old program, and run it again")
	case code == "40001" && strings.Contains(err.Error(), "recovery"):
		return problem.New(problem.Unavailable, "%s: the standby cancelled the reading to keep up with its primary", doing).Because(err).
			Fix("read from the primary, or raise max_standby_streaming_delay")
	case code == "25006":
		return problem.New(problem.Unsupported, "%s: the server is read-only (in recovery)", doing).Because(err).Fix("name the primary")
	case code == "53100":
		return problem.New(problem.Exhausted, "%s: the disk of the server is full", doing).Because(err).Fix("make room, and run it again: what was copied is found")
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), code == "" && connectionLost(err):
		return problem.New(problem.Unavailable, "%s: the server went away", doing).Because(err).Fix("run it again: what was copied is found")
	case code == "22P05", code == "22021":
		return problem.New(problem.Invalid, "%s: a text is not in the encoding of its database", doing).Because(err)
	}
	return problem.Wrap(err, problem.Internal, "%s", doing)
}

func connectionLost(err error) bool {
	var refused *pgconn.ConnectError
	return errors.As(err, &refused) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) || errors.Is(err, pgconn.ErrConnClosed) || strings.Contains(err.Error(), "unexpected EOF")
}

// stopped is the error for work that the caller's context ended; nil when it did not.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return nil
	}
	return problem.Wrap(err, problem.Interrupted, "stopped; run it again to go on")
}

func sqlstate(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// quote makes names an SQL identifier.
func quote(names ...string) string { return pgx.Identifier(names).Sanitize() }
