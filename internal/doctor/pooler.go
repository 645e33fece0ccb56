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

// poolers are the checks of the family CONN about what stands between a program and the server.
func poolers() []Check {
	return []Check{
		own{Info{ID: "CONN-06", Title: "A pooler gives each transaction another session", Severity: Medium, Safety: Advice,
			Cause:  "the address leads to a pooler in transaction mode",
			Breaks: "LISTEN, session locks, SET and temporary tables are another program's a moment later; two migrators both get the lock",
			Advice: "give the migrator and what listens a direct address"},
			"-- select pg_backend_pid() on one connection, then in a transaction of a second, then on the first again: a pooler in transaction mode has given the first one's session away", pooled},
		own{Info{ID: "CONN-08", Title: "Programs wait for the pooler", Severity: Medium, Safety: Advice,
			Cause:  "its pool is smaller than what the programs do at the same time, or a transaction holds a connection for long (CONN-03)",
			Breaks: "each of them waits before its first statement, and gives up after query_wait_timeout",
			Advice: "raise default_pool_size, as far as max_connections allows, or end what holds the connections"},
			"-- in the pooler's own database pgbouncer: SHOW POOLS; cl_waiting and maxwait say who waits, and for how long", queued},
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

// pooled tells a pooler in transaction mode from one in session mode: a second connection
// takes the session that the first has given back, and the first finds another.
func pooled(ctx context.Context, s *session) (out result, err error) {
	there, err := s.behindPooler(ctx)
	if err != nil || !there {
		return out, err
	}
	var conns [2]*pgx.Conn
	for i := range conns {
		if conns[i], err = pgx.ConnectConfig(ctx, s.conn.Config()); err != nil {
			return out, err
		}
		defer func() { err = errors.Join(err, conns[i].Close(context.WithoutCancel(ctx))) }()
	}
	pid := func(q interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) (n uint32, err error) {
		return n, q.QueryRow(ctx, "select pg_backend_pid()").Scan(&n)
	}
	before, err := pid(conns[0])
	if err != nil {
		return out, err
	}
	tx, err := conns[1].BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return out, err
	}
	taken, err := pid(tx)
	if err != nil {
		return out, errors.Join(err, tx.Rollback(ctx))
	}
	after, err := pid(conns[0])
	if err = errors.Join(err, tx.Rollback(ctx)); err != nil {
		return out, err
	}
	if before == taken || before != after {
		out.findings = []Finding{{Object: "connection", Evidence: fmt.Sprintf("one connection was served by process %d, then by %d, while another was served by %d", before, after, taken)}}
	}
	return out, nil
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
