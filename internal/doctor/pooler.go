package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// poolers are the checks of the family CONN about what stands between a program and the
// server. Who waits is asked first: telling the modes apart may itself have to wait.
func poolers() []Check {
	return []Check{
		own{Info{ID: "CONN-08", Title: "Programs wait for the pooler", Severity: Medium, Safety: Advice,
			Cause:  "its pool is smaller than what the programs do at the same time, or a transaction holds a connection for long (CONN-03)",
			Breaks: "each of them waits before its first statement, and gives up after query_wait_timeout",
			Advice: "raise default_pool_size, as far as max_connections allows, or end what holds the connections"},
			"-- in the pooler's own database pgbouncer: SHOW POOLS; cl_waiting and maxwait say who waits, and for how long", queued},
		own{Info{ID: "CONN-06", Title: "A pooler gives each transaction another session", Severity: Medium, Safety: Advice,
			Cause:  "the address leads to a pooler in transaction mode",
			Breaks: "LISTEN, session locks, SET and temporary tables are another program's a moment later; two migrators both get the lock",
			Advice: "give the migrator and what listens a direct address"},
			"-- select pg_backend_pid() on one connection, then then in a transaction of a second while the first is open: a pooler in transaction mode gives both the same session", pooled},
	}
}

// behindPooler says whether something else than the server greeted this connection: a
// pooler has no process of the server to name.
func (s *session) behindPooler(ctx context.Context) (bool, error) {
	var pid uint32
	if err := s.tx.QueryRow(ctx, "select pg_backend_pid()").Scan(&pid); err != nil {
		return false, err
	}
	return pid != s.conn.PgConn().PID(), nil
}

// patienceForSession is how long a pooler may take to give a connection a session of the server.
const patienceForSession = 3 * time.Second

// pooled tells a pooler in transaction mode from one in session mode: in transaction mode
// the session that served a connection serves another one, while the first stays open.
func pooled(ctx context.Context, s *session) (out result, err error) {
	there, err := s.behindPooler(ctx)
	if err != nil || !there {
		return out, err
	}
	limited, cancel := context.WithTimeout(ctx, patienceForSession)
	defer cancel()
	first, err := pgx.ConnectConfig(limited, s.conn.Config())
	if err != nil {
		return out, ended(ctx, err)
	}
	defer func() { err = errors.Join(err, first.Close(context.WithoutCancel(ctx))) }()
	second, err := pgx.ConnectConfig(limited, s.conn.Config())
	if err != nil {
		return out, ended(ctx, err)
	}
	defer func() { err = errors.Join(err, second.Close(context.WithoutCancel(ctx))) }()
	var before, taken, after uint32
	if err := first.QueryRow(limited, "select pg_backend_pid()").Scan(&before); err != nil {
		return out, ended(ctx, err)
	}
	tx, err := second.BeginTx(limited, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return out, ended(ctx, err)
	}
	if err := tx.QueryRow(limited, "select pg_backend_pid()").Scan(&taken); err != nil {
		return out, ended(ctx, err)
	}
	said := fmt.Sprintf("process %d of the server served one connection, and then another while the first was open", before)
	if before != taken {
		if err := first.QueryRow(limited, "select pg_backend_pid()").Scan(&after); err != nil {
			return out, ended(ctx, err)
		}
		said = fmt.Sprintf("one connection was served by process %d of the server, then by %d", before, after)
	}
	if before == taken || before != after {
		out.findings = []Finding{{Object: "connection", Evidence: said}}
	}
	return out, tx.Rollback(ctx)
}

// ended passes over an error that comes of waiting too long for a session: a pooler that
// keeps one for each connection has none left.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// waiting is how long a program may wait for the pooler.
const waiting = time.Second

// queued asks the console of pgbouncer, which is a database of its own that only the
// users named in its configuration may enter.
func queued(ctx context.Context, s *session) (out result, err error) {
	there, err := s.behindPooler(ctx)
	if err != nil || !there {
		return out, err
	}
	config := s.conn.Config().Config.Copy()
	config.Database, config.RuntimeParams = "pgbouncer", map[string]string{}
	console, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return out, err
		}
		out.skipped = []Skipped{{Reason: fmt.Sprintf("missing right: the pooler's console does not let %q in: %v", config.User, err)}}
		return out, nil
	}
	defer func() { err = errors.Join(err, console.Close(context.WithoutCancel(ctx))) }()
	results, err := console.Exec(ctx, "SHOW POOLS").ReadAll()
	if err != nil {
		out.skipped = []Skipped{{Reason: "missing right: the pooler's console refuses SHOW POOLS: " + err.Error()}}
		return out, nil
	}
	for _, r := range results {
		column := func(row [][]byte, name string) string {
			i := slices.IndexFunc(r.FieldDescriptions, func(f pgconn.FieldDescription) bool { return f.Name == name })
			if i < 0 {
				return "0"
			}
			return string(row[i])
		}
		for _, row := range r.Rows {
			clients, err1 := strconv.Atoi(column(row, "cl_waiting"))
			seconds, err2 := strconv.Atoi(column(row, "maxwait"))
			if err := errors.Join(err1, err2); err != nil {
				return out, err
			}
			if clients == 0 || time.Duration(seconds)*time.Second < waiting {
				continue
			}
			out.findings = append(out.findings, Finding{Object: fmt.Sprintf("pool of %s for %s", quote(column(row, "database")), quote(column(row, "user"))),
				Evidence: fmt.Sprintf("%d programs wait, the first for %d s; %s connections of the server are in use", clients, seconds, column(row, "sv_active"))})
		}
	}
	return out, nil
}
