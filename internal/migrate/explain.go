package migrate

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/problem"
)

// SQLSTATE codes that are acted upon.
const (
	codeLockNotAvailable = "55P03"
	codeDeadlock         = "40P01"
	codePrivilege        = "42501"
	codeCanceled         = "57014"
)

// sqlstate is the SQLSTATE of an error, or empty when the server did not send it.
func sqlstate(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// explain gives an error of the server its kind. An error that already has one keeps it.
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
	case code == codePrivilege:
		return problem.New(problem.Denied, "%s: the role has not the right", doing).Because(err).
			Fix("connect as the migrator or as a superuser")
	case code == codeLockNotAvailable, code == codeDeadlock:
		return problem.New(problem.Conflict, "%s: another session holds the lock", doing).Because(err).
			Fix("wait until it is done, or find it: SELECT pid, state, query FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids(…))")
	case len(code) == 5 && code[:2] == "53":
		return problem.New(problem.Exhausted, "%s: the server is out of a resource", doing).Because(err).
			Fix("free disk space, memory or connections on the server")
	case len(code) == 5 && (code[:2] == "57" || code[:2] == "08"), code == "" && connectionLost(err):
		return problem.New(problem.Unavailable, "%s: the connection was lost", doing).Because(err).
			Fix("try again when the server is back")
	}
	return problem.Wrap(err, problem.Internal, "%s", doing)
}

// connectionLost says whether an error means that the session is gone.
func connectionLost(err error) bool {
	var e *pgconn.ConnectError
	return errors.As(err, &e) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) || errors.Is(err, io.ErrUnexpectedEOF)
}
