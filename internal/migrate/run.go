package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"manito/internal/problem"
)

// run is one Up or Down: two sessions, goose over our ledger, and the open attempt.
type run struct {
	m         *Migrator
	site      site
	byVersion map[int64]File
	direction string
	waitUntil time.Time

	side    *pgx.Conn // records attempts; never inside a migration's transaction
	session *sql.Conn // holds the lock and runs the migrations; nil without the lock
	backend int       // server process of session

	attempt int64     // id of the latest attempt
	started time.Time // of the latest attempt
	open    bool      // it is not closed yet
}

// statementError says which statement failed.
type statementError struct {
	file   string
	line   int // in the file, of the place that the server names
	number int // counted from 1
	err    error
}

func (e *statementError) Error() string { return fmt.Sprintf("%s:%d: %v", e.file, e.line, e.err) }
func (e *statementError) Unwrap() error { return e.err }

// execer is what statements run on: a transaction or a session.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// migrations gives goose our files as functions, so that statements, their settings and
// the attempts are ours and order, transactions and the ledger calls are goose's.
func (r *run) migrations() []*goose.Migration {
	out := make([]*goose.Migration, 0, len(r.m.files))
	for _, f := range r.m.files {
		out = append(out, goose.NewGoMigration(f.Version, r.function(f, f.Up), r.function(f, f.Down)))
	}
	return out
}

func (r *run) function(f File, part []Statement) *goose.GoFunc {
	if f.Transaction {
		return &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error { return r.inTransaction(ctx, tx, f, part) }}
	}
	// goose passes the pool here. Another session of it would not hold the lock, so the
	// statement runs on the session that does, which goose leaves idle meanwhile.
	return &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error { return r.alone(ctx, f, part) }}
}

// inTransaction runs one part of a file inside goose's transaction.
func (r *run) inTransaction(ctx context.Context, tx *sql.Tx, f File, part []Statement) (err error) {
	if err := r.next(ctx, f); err != nil {
		return err
	}
	defer r.failed(ctx, &err)
	settings := fmt.Sprintf(`set local search_path to %s; set local lock_timeout to '%s'`,
		r.site.searchPath(), milliseconds(r.m.cfg.LockTimeout))
	if _, err := tx.ExecContext(ctx, settings); err != nil {
		return err
	}
	r.m.reach(ctx, phaseBeforeDDL)
	if err := r.execute(ctx, tx, f, part); err != nil {
		return err
	}
	r.m.reach(ctx, phaseAfterDDL)
	if _, err := tx.ExecContext(ctx, r.site.grantReaderSQL()); err != nil {
		return fmt.Errorf("granting the views to the reader: %w", err)
	}
	return nil
}

// alone runs one part of a file that cannot have a transaction. On the way down the
// ledger row goes first: a crash then leaves a pending file whose index may be there, which
// the next Up accepts, and never an applied one whose index is gone.
func (r *run) alone(ctx context.Context, f File, part []Statement) (err error) {
	if err := r.next(ctx, f); err != nil {
		return err
	}
	defer r.failed(ctx, &err)
	r.m.reach(ctx, phaseBeforeDDL)
	restore := func(err error) error { return err }
	if r.direction == "down" {
		if restore, err = r.takeRow(ctx, f); err != nil {
			return err
		}
	} else {
		for _, s := range part {
			if err := r.clearIndex(ctx, s); err != nil {
				return err
			}
		}
	}
	if err := r.execute(ctx, r.session, f, part); err != nil {
		return restore(err)
	}
	r.m.reach(ctx, phaseAfterDDL)
	return nil
}

// takeRow deletes a file's ledger row and returns what puts it back when the statement
// that should undo the file has failed.
func (r *run) takeRow(ctx context.Context, f File) (func(error) error, error) {
	var row string
	err := r.session.QueryRowContext(ctx, r.site.expand(`delete from {{schema}}.migration where version = $1 returning to_jsonb(migration)::text`), f.Version).Scan(&row)
	if err != nil {
		return nil, fmt.Errorf("writing the ledger: %w", err)
	}
	return func(cause error) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		// On the second session: the first may be what failed.
		_, err := r.side.Exec(ctx, r.site.expand(`insert into {{schema}}.migration
			select * from jsonb_populate_record(null::{{schema}}.migration, $1::jsonb)`), row)
		if err != nil {
			return errors.Join(cause, fmt.Errorf("restoring the ledger row of %s: %w", f.Name, err))
		}
		return cause
	}, nil
}

// next closes the attempt of the file before, which goose has committed by now, and
// opens the one of this file, unless the work was stopped between the two.
func (r *run) next(ctx context.Context, f File) error {
	if r.open {
		r.m.reach(ctx, phaseAfterCommit)
	}
	if err := r.finish(ctx, nil); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.m.cfg.Logger.InfoContext(ctx, "migration", "file", f.Name, "direction", r.direction)
	return r.begin(ctx, f)
}

// execute runs the statements one after the other.
func (r *run) execute(ctx context.Context, on execer, f File, part []Statement) error {
	for i, s := range part {
		sql := r.site.expand(s.SQL)
		if _, err := on.ExecContext(ctx, sql); err != nil {
			return &statementError{file: f.Name, line: s.Line + lineOffset(sql, err), number: i + 1, err: err}
		}
	}
	return nil
}

// lineOffset is how many lines below the statement's first the server saw the mistake.
func lineOffset(sql string, err error) int {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Position <= 0 {
		return 0
	}
	runes := []rune(sql) // Position counts characters from 1
	return strings.Count(string(runes[:min(int(pg.Position)-1, len(runes))]), "\n")
}

// start opens the sessions of a run. The caller calls the returned function at the end.
func (m *Migrator) start(ctx context.Context, s site, side *pgx.Conn, cfg *pgx.ConnConfig, direction string) (*run, *goose.Provider, func(), error) {
	r := &run{m: m, site: s, side: side, direction: direction, byVersion: map[int64]File{}, waitUntil: time.Now().Add(m.cfg.Wait)}
	for _, f := range m.files {
		r.byVersion[f.Version] = f
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, s.become())
		return err
	}))
	closeDB := func() {
		if err := db.Close(); err != nil {
			m.cfg.Logger.DebugContext(ctx, "closing the migrator's sessions", "error", err)
		}
	}
	provider, err := goose.NewProvider(goose.DialectCustom, db, nil,
		goose.WithStore(&ledger{r}), goose.WithSessionLocker(r), goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(r.migrations()...))
	if err != nil {
		closeDB()
		return nil, nil, nil, problem.Wrap(err, problem.Internal, "preparing the migrations")
	}
	return r, provider, closeDB, nil
}

// drive runs goose until it is done. A file that met a lock or a deadlock is tried
// again, after a pause in which the migration lock is free; everything else ends the run.
func (r *run) drive(ctx context.Context, goOn func(context.Context) ([]*goose.MigrationResult, error)) (done []Done, err error) {
	for try := 1; ; try++ {
		results, err := goOn(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			results = partial.Applied
		}
		for _, res := range results {
			f := r.byVersion[res.Source.Version]
			done = append(done, Done{Version: f.Version, Name: f.Name, Transaction: f.Transaction, DurationMS: res.Duration.Milliseconds(), Tries: try})
			try = 1
		}
		if err == nil {
			return done, nil
		}
		if code := sqlstate(err); ctx.Err() != nil || try >= r.m.cfg.Tries || code != codeLockNotAvailable && code != codeDeadlock {
			return done, r.failure(ctx, err)
		}
		pause := jitter(min(200*time.Millisecond<<min(try, 5), 5*time.Second))
		r.m.cfg.Logger.InfoContext(ctx, "a lock is held by another session; trying again", "try", try, "pause", pause)
		if err := sleep(ctx, pause); err != nil {
			return done, stopped(ctx, err)
		}
	}
}

// failure turns what ended a run into an error that says what to do.
func (r *run) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var at *statementError
	if !errors.As(err, &at) {
		return r.notStatement(ctx, err)
	}
	if e := stopped(ctx, at); e != nil {
		return e
	}
	state := "nothing of this file was applied"
	if f := r.byVersion[r.version(at.file)]; !f.Transaction {
		state = "this file has no transaction; the next run repairs what it left"
	}
	code := sqlstate(err)
	kind := problem.Invalid
	e := problem.New(kind, "migration %s, line %d, failed; %s", at.file, at.line, state).Because(at.err)
	switch {
	case code == codeLockNotAvailable, code == codeDeadlock:
		e.Kind = problem.Conflict
		return e.Fix("another session holds the table: end it, or run the migration when the database is quiet").
			Fix("SELECT pid, usename, state, xact_start, query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY xact_start;")
	case code == codePrivilege:
		e.Kind = problem.Denied
		return e.Fix("an object of the schema is not the owner's: manito db drift shows it").
			Fix("manito db init restores the roles and their rights")
	case strings.HasPrefix(code, "53"):
		e.Kind = problem.Exhausted
		return e.Fix("free disk space, memory or connections on the server, then run manito db up again")
	case code == "", strings.HasPrefix(code, "57"), strings.HasPrefix(code, "08"):
		e.Kind = problem.Unavailable
		return e.Fix("run manito db up again when the server is back")
	}
	return e.Fix("correct the file or the data it meets, then run manito db up again").
		Fix("see every try: manito db status")
}

// notStatement is failure for what no statement of a file caused.
func (r *run) notStatement(ctx context.Context, err error) error {
	var partial *goose.PartialError
	if code := sqlstate(err); strings.HasPrefix(code, "23") && errors.As(err, &partial) {
		return problem.New(problem.Invalid, "migration %s could not be committed; nothing of this file was applied", r.byVersion[partial.Failed.Source.Version].Name).Because(err).
			Fix("a deferred constraint does not hold: correct the file or the data it meets, then run manito db up again")
	}
	return explain(ctx, err, "running the migrations")
}

func (r *run) version(name string) int64 {
	for v, f := range r.byVersion {
		if f.Name == name {
			return v
		}
	}
	return 0
}
