package migrate

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// Attempt is one try at one file.
type Attempt struct {
	ID         int64      `json:"id"`
	Version    int64      `json:"version"`
	Name       string     `json:"name"`
	Direction  string     `json:"direction"` // up or down
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	Outcome    string     `json:"outcome"` // running, ok, failed or abandoned
	SQLState   string     `json:"sqlstate,omitempty"`
	Error      string     `json:"error,omitempty"`
	Statement  int        `json:"statement,omitempty"` // which statement of the part failed, counted from 1
	Line       int        `json:"line,omitempty"`      // where in the file
	Host       string     `json:"host"`
	PID        int        `json:"pid"`         // of the migrator
	BackendPID int        `json:"backend_pid"` // of the server process that held the lock
}

// begin records that a try starts. It is durable before the first statement runs.
func (r *run) begin(ctx context.Context, f File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	r.started = time.Now()
	err = r.side.QueryRow(ctx, r.site.expand(`insert into {{schema}}.migration_attempt (version, name, direction, host, pid, backend_pid, app_version)
		values ($1, $2, $3, $4, $5, $6, $7) returning attempt_id`),
		f.Version, f.Name, r.direction, host, os.Getpid(), r.backend, r.m.cfg.AppVersion).Scan(&r.attempt)
	if err != nil {
		return explain(ctx, err, "recording the attempt")
	}
	r.open = true
	return nil
}

// finish closes the open attempt, if there is one. It runs also when ctx has ended. The
// caller holds the migration lock: without it the next holder may close it first.
func (r *run) finish(ctx context.Context, cause error) error {
	if !r.open {
		return nil
	}
	r.open = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	var err error
	if cause == nil {
		_, err = r.side.Exec(ctx, r.site.expand(`update {{schema}}.migration_attempt set outcome = 'ok', ended_at = clock_timestamp()
			where attempt_id = $1`), r.attempt)
	} else {
		var at *statementError
		var number, line *int
		if errors.As(cause, &at) {
			number, line = &at.number, &at.line
		}
		_, err = r.side.Exec(ctx, r.site.expand(`update {{schema}}.migration_attempt set outcome = 'failed', ended_at = clock_timestamp(),
			sqlstate = nullif($2, ''), error = $3, statement_number = $4, line = $5 where attempt_id = $1`),
			r.attempt, sqlstate(cause), cause.Error(), number, line)
	}
	return explain(ctx, err, "recording how the attempt ended")
}

// failed closes the open attempt when *err says that it failed. It is deferred.
func (r *run) failed(ctx context.Context, err *error) {
	if *err != nil {
		*err = errors.Join(*err, r.finish(ctx, *err))
	}
}

// settle closes the attempt that is open when the lock is given back: its statements and
// its ledger row went well, so that the ledger tells whether the commit did.
func (r *run) settle(ctx context.Context) error {
	if !r.open {
		return nil
	}
	var committed bool
	err := r.side.QueryRow(ctx, r.site.expand(`select ($2::text = 'up') = exists (select from {{schema}}.migration g
		join {{schema}}.migration_attempt a on a.version = g.version where a.attempt_id = $1 and ($2::text = 'down' or g.attempt_id = $1))`),
		r.attempt, r.direction).Scan(&committed)
	if err != nil {
		return explain(ctx, err, "recording how the attempt ended")
	}
	if committed {
		return r.finish(ctx, nil)
	}
	return r.finish(ctx, errNotCommitted)
}

// errNotCommitted is what the history says of a file whose commit failed, such as by a
// deferred constraint; the run's own error has the server's words.
var errNotCommitted = errors.New("the transaction was not committed")

// abandon closes the attempts of migrators that died and returns their ids. Only the
// holder of the migration lock may call it: an attempt runs only under that lock, so
// every open one is then somebody's who is gone. Whether it had committed is known from
// the ledger.
func abandon(ctx context.Context, conn *pgx.Conn, s *site) ([]int64, error) {
	rows, err := conn.Query(ctx, s.expand(`
		update {{schema}}.migration_attempt a set ended_at = clock_timestamp(), outcome = case
			when a.direction = 'up' and exists (select from {{schema}}.migration g where g.attempt_id = a.attempt_id) then 'ok'
			when a.direction = 'down' and not exists (select from {{schema}}.migration g where g.version = a.version) then 'ok'
			else 'abandoned' end
		where outcome = 'running' returning attempt_id`))
	if err != nil {
		return nil, explain(ctx, err, "closing the attempts of dead migrators")
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return ids, explain(ctx, err, "closing the attempts of dead migrators")
}

// readAttempts are the latest attempts, newest first.
func (s *site) readAttempts(ctx context.Context, conn *pgx.Conn, limit int) ([]Attempt, error) {
	if !s.hasLedger {
		return nil, nil
	}
	rows, err := conn.Query(ctx, s.expand(`
		select attempt_id, version, name, direction, started_at, ended_at, outcome, coalesce(sqlstate, ''), coalesce(error, ''),
		       coalesce(statement_number, 0), coalesce(line, 0), host, pid, backend_pid
		from {{schema}}.migration_attempt order by attempt_id desc limit $1`), limit)
	if err != nil {
		return nil, explain(ctx, err, "reading the attempts")
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Attempt])
	return out, explain(ctx, err, "reading the attempts")
}
