package adopt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// target is Manito's schema as far as adoption has tables of its own there. It keeps
// one transaction open that holds the lock, and works on a second connection.
type target struct {
	schema string
	conn   *pgx.Conn
	lock   *pgx.Conn
	id     int32 // of the adoption
}

// openTarget connects twice; the store has been opened before, so that its schema is
// known to be there and up to date.
func openTarget(ctx context.Context, dsn, schema string) (t *target, err error) {
	t = &target{schema: schema}
	if t.conn, err = connect(ctx, dsn, "--into or DATABASE_URL"); err != nil {
		return nil, err
	}
	if t.lock, err = connect(ctx, dsn, "--into or DATABASE_URL"); err != nil {
		t.close(ctx)
		return nil, err
	}
	return t, nil
}

func (t *target) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for _, c := range []*pgx.Conn{t.conn, t.lock} {
		if c != nil {
			// What was committed is safe; the server notices a closed socket.
			_ = c.Close(ctx)
		}
	}
}

// name is a table of Manito's schema as SQL.
func (t *target) name(table string) string { return quote(t.schema, table) }

// lockKey is the advisory lock of adoptions into one schema of one database.
const lockKey = `hashtextextended('manito adopt ' || $1, 0)`

// exclude makes sure that one adoption runs at a time: wait is how long another one is
// waited for. The lock is held by a transaction, not by a session, so that it also
// lasts through a pooler that gives each transaction another session.
func (t *target) exclude(ctx context.Context, wait time.Duration) error {
	tx, err := t.lock.Begin(ctx)
	if err != nil {
		return explain(ctx, err, "locking")
	}
	if _, err := tx.Exec(ctx, `set local idle_in_transaction_session_timeout = 0`); err != nil {
		return explain(ctx, err, "locking")
	}
	for deadline := time.Now().Add(wait); ; {
		var got bool
		if err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(`+lockKey+`)`, t.schema).Scan(&got); err != nil {
			return explain(ctx, err, "locking")
		}
		switch {
		case got:
			return nil
		case time.Now().After(deadline):
			return t.busy(ctx)
		}
		select {
		case <-ctx.Done():
			return stopped(ctx, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// held is nil while the lock is still this process's.
func (t *target) held(ctx context.Context) error {
	var got bool
	err := t.lock.QueryRow(ctx, `select pg_try_advisory_xact_lock(`+lockKey+`)`, t.schema).Scan(&got)
	if err == nil && !got {
		err = errors.New("the transaction that held it was ended")
	}
	if err != nil {
		return problem.New(problem.Unavailable, "the lock of the adoption was lost").Because(err).Fix("run it again: what was copied is found")
	}
	return nil
}

func (t *target) busy(ctx context.Context) error {
	var host, schema, database string
	var pid int32
	var since time.Time
	err := t.conn.QueryRow(ctx, `select host, pid, started_at, database, schema from `+t.name("adoption")+` where status = 'running' order by started_at desc limit 1`).
		Scan(&host, &pid, &since, &database, &schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.New(problem.Conflict, "another process is adopting a database into schema %q", t.schema).Fix("wait for it to end, or give --wait 10m")
	}
	if err != nil {
		return explain(ctx, err, "asking who adopts")
	}
	return problem.New(problem.Conflict, "process %d on %s has been adopting schema %q of database %q since %s", pid, host, schema, database, since.Local().Format(time.DateTime)).
		Fix("wait for it to end, or give --wait 10m").Fix("or stop it: kill %d (on %s)", pid, host)
}

// adoption is what is recorded of one.
type adoption struct {
	id        int32
	status    string
	startedAt time.Time
}

// recorded is the adoption of a source; false when there is none.
func (t *target) recorded(ctx context.Context, w Where) (a adoption, there bool, err error) {
	err = t.conn.QueryRow(ctx, `select adoption_id, status, started_at from `+t.name("adoption")+` where cluster = $1 and database = $2 and schema = $3`, w.Cluster, w.Database, w.Schema).
		Scan(&a.id, &a.status, &a.startedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, explain(ctx, err, "looking for an earlier adoption")
}

// begin records that the adoption runs.
func (t *target) begin(ctx context.Context, w Where, app string) error {
	host, err := os.Hostname()
	if err != nil {
		return problem.Wrap(err, problem.Internal, "name of this machine")
	}
	err = t.conn.QueryRow(ctx, `
		insert into `+t.name("adoption")+` as a (cluster, database, schema, version, status, app_version, host, pid, started_at)
		values ($1, $2, $3, $4, 'running', $5, $6, $7, clock_timestamp())
		on conflict (cluster, database, schema) do update set version = excluded.version, status = 'running', app_version = excluded.app_version,
			host = excluded.host, pid = excluded.pid, started_at = excluded.started_at, finished_at = null, dropped_at = null
		returning adoption_id`, w.Cluster, w.Database, w.Schema, w.Version, app, host, os.Getpid()).Scan(&t.id)
	return explain(ctx, err, "recording the adoption")
}

// sums are what was copied, by table, as it was recorded with the rows.
func (t *target) sums(ctx context.Context) (map[string]Sum, error) {
	rows, err := t.conn.Query(ctx, `select source_table, rows, checksum from `+t.name("adopted_table")+` where adoption_id = $1`, t.id)
	if err != nil {
		return nil, explain(ctx, err, "reading what was copied")
	}
	defer rows.Close()
	out := map[string]Sum{}
	for rows.Next() {
		var name string
		var s Sum
		if err := rows.Scan(&name, &s.Rows, &s.Checksum); err != nil {
			return nil, explain(ctx, err, "reading what was copied")
		}
		out[name] = s
	}
	return out, explain(ctx, rows.Err(), "reading what was copied")
}

// sum adds up the rows of a table as they are stored here.
func (t *target) sum(ctx context.Context, name string) (Sum, error) {
	var s Sum
	err := t.reading(ctx, func(q asker) (err error) {
		s, err = sum(ctx, q, `select data as d from `+t.name("adopted_row")+` where adoption_id = $1 and source_table = $2`, t.id, name)
		return err
	})
	return s, explain(ctx, err, "adding up the copy of "+quote(name))
}

// reading gives work one snapshot of the target, without the time limit that the role has.
func (t *target) reading(ctx context.Context, work func(q asker) error) error {
	tx, err := t.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written; a failed rollback ends with the connection
	if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil {
		return err
	}
	return work(tx)
}

// rowsSQL selects every row of a table that was copied, as Source.rowsSQL does.
func (t *target) rowsSQL(name string) (string, []any) {
	return `select ord, old_id as id, data as d from ` + t.name("adopted_row") + ` where adoption_id = $1 and source_table = $2`, []any{t.id, name}
}

// copy replaces the copy of a table by what the source has, in one transaction.
func (t *target) copy(ctx context.Context, s *Source, tab *table, want Sum) error {
	doing := "copying " + quote(s.Schema, tab.name)
	tx, err := t.conn.Begin(ctx)
	if err != nil {
		return explain(ctx, err, doing)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing; a failed one ends with the connection
	if _, err := tx.Exec(ctx, `set local statement_timeout = 0; set local synchronous_commit = on`, pgx.QueryExecModeSimpleProtocol); err != nil {
		return explain(ctx, err, doing)
	}
	for _, gone := range []string{"adopted_rest", "adopted_row", "adopted_table"} {
		if _, err := tx.Exec(ctx, `delete from `+t.name(gone)+` where adoption_id = $1 and source_table = $2`, t.id, tab.name); err != nil {
			return explain(ctx, err, doing)
		}
	}
	rows, err := s.tx.Query(ctx, `select ord, id, d::text from (`+s.rowsSQL(tab)+`) s`)
	if err != nil {
		return explain(ctx, err, doing)
	}
	defer rows.Close()
	feed := &copying{rows: rows, adoption: t.id, table: tab.name}
	n, err := tx.CopyFrom(ctx, pgx.Identifier{t.schema, "adopted_row"}, []string{"adoption_id", "source_table", "ord", "old_id", "data"}, feed)
	if err != nil {
		return explain(ctx, fmt.Errorf("near row %d: %w", feed.n, err), doing)
	}
	if n != want.Rows {
		return problem.New(problem.Internal, "%s: %d rows were copied of %d", doing, n, want.Rows)
	}
	if _, err := tx.Exec(ctx, `insert into `+t.name("adopted_table")+` (adoption_id, source_table, columns, rows, checksum, copied_at) values ($1, $2, $3, $4, $5, clock_timestamp())`,
		t.id, tab.name, tab.columnNames(), want.Rows, want.Checksum); err != nil {
		return explain(ctx, err, doing)
	}
	return explain(ctx, tx.Commit(ctx), doing)
}

// copying hands the rows of one query to a COPY.
type copying struct {
	rows     pgx.Rows
	adoption int32
	table    string
	n        int64
}

func (c *copying) Next() bool {
	c.n++
	return c.rows.Next()
}

func (c *copying) Values() ([]any, error) {
	var ord int64
	var id *string
	var data string
	if err := c.rows.Scan(&ord, &id, &data); err != nil {
		return nil, err
	}
	return []any{c.adoption, c.table, ord, id, data}, nil
}

func (c *copying) Err() error { return c.rows.Err() }

// forget drops the copies of tables that the source has no more.
func (t *target) forget(ctx context.Context, names []string) error {
	for _, gone := range []string{"adopted_rest", "adopted_row", "adopted_table"} {
		if _, err := t.conn.Exec(ctx, `delete from `+t.name(gone)+` where adoption_id = $1 and source_table <> all ($2)`, t.id, names); err != nil {
			return explain(ctx, err, "forgetting tables that are gone")
		}
	}
	return nil
}

// finish records, in one transaction, what became of the projects and of the rows that
// are in no graph, and that the adoption is complete.
func (t *target) finish(ctx context.Context, projects []Project, rest []leftover) error {
	const doing = "recording the adoption"
	tx, err := t.conn.Begin(ctx)
	if err != nil {
		return explain(ctx, err, doing)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing; a failed one ends with the connection
	if _, err := tx.Exec(ctx, `set local statement_timeout = 0; set local synchronous_commit = on`, pgx.QueryExecModeSimpleProtocol); err != nil {
		return explain(ctx, err, doing)
	}
	for _, old := range []string{"adopted_project", "adopted_rest"} {
		if _, err := tx.Exec(ctx, `delete from `+t.name(old)+` where adoption_id = $1`, t.id); err != nil {
			return explain(ctx, err, doing)
		}
	}
	for _, p := range projects {
		if _, err := tx.Exec(ctx, `insert into `+t.name("adopted_project")+` (adoption_id, old_id, repo_id, ref) values ($1, $2, $3, $4)`, t.id, p.ID, p.repo, p.Ref); err != nil {
			return explain(ctx, err, doing)
		}
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{t.schema, "adopted_rest"}, []string{"adoption_id", "source_table", "ord", "reason"},
		pgx.CopyFromSlice(len(rest), func(i int) ([]any, error) { return []any{t.id, rest[i].table, rest[i].ord, rest[i].text()}, nil }))
	if err != nil {
		return explain(ctx, err, doing)
	}
	if _, err := tx.Exec(ctx, `update `+t.name("adoption")+` set status = 'published', finished_at = clock_timestamp() where adoption_id = $1`, t.id); err != nil {
		return explain(ctx, err, doing)
	}
	return explain(ctx, tx.Commit(ctx), doing)
}

// identity is the system identifier of the target's server, "" where it may not be
// asked for, and the name of the database.
func (t *target) identity(ctx context.Context) (cluster, database string, err error) {
	if err := t.conn.QueryRow(ctx, `select current_database()`).Scan(&database); err != nil {
		return "", "", explain(ctx, err, "asking the server what it is")
	}
	err = t.conn.QueryRow(ctx, `select system_identifier::text from pg_control_system()`).Scan(&cluster)
	if sqlstate(err) == "42501" {
		return "", database, nil
	}
	return cluster, database, explain(ctx, err, "asking the server what it is")
}

// sameServer says whether an address leads to the server of the source.
func (s *Source) sameServer(cfg *pgx.ConnConfig) bool { return address(cfg) == s.Server }

// contents reads contents of files from their copy.
func (t *target) contents(ctx context.Context, ords []int64) (map[int64]string, error) {
	if len(ords) == 0 {
		return map[int64]string{}, nil
	}
	return readContents(ctx, t.conn, `select ord, data ->> 'content' from `+t.name("adopted_row")+` where adoption_id = $1 and source_table = 'files' and ord = any ($2)`, t.id, ords)
}

// contents reads contents of files from the old schema.
func (s *Source) contents(ctx context.Context, ords []int64) (map[int64]string, error) {
	tab, ok := s.lookup("files")
	if len(ords) == 0 || !ok {
		return map[int64]string{}, nil
	}
	return readContents(ctx, s.tx, `select ord, d ->> 'content' from (`+s.rowsSQL(tab)+`) s where ord = any ($1)`, ords)
}

func readContents(ctx context.Context, q asker, statement string, args ...any) (map[int64]string, error) {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return nil, explain(ctx, err, "reading contents")
	}
	defer rows.Close()
	out := map[int64]string{}
	for rows.Next() {
		var ord int64
		var text *string
		if err := rows.Scan(&ord, &text); err != nil {
			return nil, explain(ctx, err, "reading contents")
		}
		if text != nil {
			out[ord] = *text
		}
	}
	return out, explain(ctx, rows.Err(), "reading contents")
}
