package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/database"
)

// ledgerDDL creates the tables in which migrations are recorded. The app role may read
// them and nothing else: default privileges gave it more.
//
// An attempt is closed once and then stays: the trigger holds against the owner too, so
// that history is not lost by a careless statement.
const ledgerDDL = `
create table {{schema}}.migration (
	version        bigint primary key check (version > 0),
	name           text not null,
	checksum       bytea not null check (octet_length(checksum) = 32),
	in_transaction boolean not null,
	applied_at     timestamptz not null default clock_timestamp(),
	applied_by     text not null default session_user,
	duration_ms    bigint not null,
	app_version    text not null,
	attempt_id     bigint
);
create table {{schema}}.migration_attempt (
	attempt_id       bigint generated always as identity primary key,
	version          bigint not null,
	name             text not null,
	direction        text not null check (direction in ('up', 'down')),
	started_at       timestamptz not null default clock_timestamp(),
	ended_at         timestamptz,
	outcome          text not null default 'running' check (outcome in ('running', 'ok', 'failed', 'abandoned')),
	sqlstate         text,
	error            text,
	statement_number integer,
	line             integer,
	host             text not null,
	pid              integer not null,
	backend_pid      integer not null,
	app_version      text not null,
	check ((outcome = 'running') = (ended_at is null))
);
create table {{schema}}.migration_repair (
	repair_id   bigint generated always as identity primary key,
	repaired_at timestamptz not null default clock_timestamp(),
	repaired_by text not null default session_user,
	action      text not null,
	version     bigint,
	reason      text not null,
	before      jsonb,
	after       jsonb
);
create function {{schema}}.migration_history_stays() returns trigger language plpgsql
	set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'UPDATE' and tg_table_name = 'migration_attempt' then
		if old.outcome = 'running' and old.attempt_id = new.attempt_id and old.version = new.version then
			return new;
		end if;
	end if;
	raise exception 'the history of migrations is only ever added to' using errcode = 'integrity_constraint_violation';
end
$$;
create trigger migration_attempt_stays before update or delete on {{schema}}.migration_attempt
	for each row execute function {{schema}}.migration_history_stays();
create trigger migration_attempt_is_not_emptied before truncate on {{schema}}.migration_attempt
	for each statement execute function {{schema}}.migration_history_stays();
create trigger migration_repair_stays before update or delete on {{schema}}.migration_repair
	for each row execute function {{schema}}.migration_history_stays();
create trigger migration_repair_is_not_emptied before truncate on {{schema}}.migration_repair
	for each statement execute function {{schema}}.migration_history_stays();
revoke all on {{schema}}.migration, {{schema}}.migration_attempt, {{schema}}.migration_repair from {{app}}, {{reader}};
revoke all on function {{schema}}.migration_history_stays() from public, {{app}}, {{reader}};
grant select on {{schema}}.migration, {{schema}}.migration_attempt, {{schema}}.migration_repair to {{app}};
comment on table {{schema}}.migration_attempt is 'Every try at a migration; rows are closed once and never removed';
comment on table {{schema}}.migration_repair is 'What manito db repair changed, and why';
comment on table {{schema}}.migration is `

// ledgerObjects are the names of what ledgerDDL creates; a snapshot leaves them out.
var ledgerObjects = []string{"migration", "migration_attempt", "migration_repair", "migration_history_stays"}

// q are the quoted names of a site.
func (s *site) q() quoted { return quoted{s.schema, s.roles} }

// expand replaces the placeholders of an SQL text.
func (s *site) expand(sql string) string { return s.q().replacer().Replace(sql) }

// ledgerSQL is ledgerDDL for a site.
func (s *site) ledgerSQL() string { return s.expand(ledgerDDL) + literal(ledgerMark) }

// Applied is one row of the ledger.
type Applied struct {
	Version     int64     `json:"version"`
	Name        string    `json:"name"`
	Checksum    string    `json:"checksum"` // SHA-256 in hexadecimal
	Transaction bool      `json:"transaction"`
	AppliedAt   time.Time `json:"applied_at"`
	AppliedBy   string    `json:"applied_by"`
	DurationMS  int64     `json:"duration_ms"`
	AppVersion  string    `json:"app_version"`
}

// readLedger is the ledger by version; empty when there is none yet.
func (s *site) readLedger(ctx context.Context, conn *pgx.Conn) ([]Applied, error) {
	if !s.hasLedger {
		return nil, nil
	}
	rows, err := conn.Query(ctx, s.expand(`select version, name, encode(checksum, 'hex'), in_transaction, applied_at, applied_by, duration_ms, app_version
		from {{schema}}.migration order by version`))
	if err != nil {
		return nil, explain(ctx, err, "reading the ledger")
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Applied])
	return out, explain(ctx, err, "reading the ledger")
}

// ledger is goose's store over our table. goose calls Insert and Delete in the
// migration's own transaction. A migration without transaction is given the pool
// instead; its row is written on the session that holds the lock, so that losing the
// lock means losing the right to record.
type ledger struct {
	run *run
}

var _ database.StoreExtender = (*ledger)(nil)

func (l *ledger) Tablename() string { return "migration" }

func (l *ledger) table() string { return quote(l.run.site.schema) + ".migration" }

// TableExists is always true: the runner creates the ledger before it starts goose,
// under the lock, where goose would create it without.
func (l *ledger) TableExists(context.Context, database.DBTxConn) (bool, error) { return true, nil }

// CreateVersionTable is never called, because TableExists is true.
func (l *ledger) CreateVersionTable(context.Context, database.DBTxConn) error {
	return errors.New("the ledger is created before the runner starts")
}

// on is the connection to write to.
func (l *ledger) on(db database.DBTxConn) database.DBTxConn {
	if _, pool := db.(*sql.DB); pool {
		return l.run.session
	}
	return db
}

func (l *ledger) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) (err error) {
	r := l.run
	defer r.failed(ctx, &err)
	f, ok := r.byVersion[req.Version]
	if !ok {
		return fmt.Errorf("version %d has no file", req.Version)
	}
	r.m.reach(ctx, phaseBeforeLedger)
	_, err = l.on(db).ExecContext(ctx, `insert into `+l.table()+` (version, name, checksum, in_transaction, duration_ms, app_version, attempt_id)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		f.Version, f.Name, f.Checksum[:], f.Transaction, time.Since(r.started).Milliseconds(), r.m.cfg.AppVersion, r.attempt)
	if err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	r.m.reach(ctx, phaseBeforeCommit)
	return nil
}

func (l *ledger) Delete(ctx context.Context, db database.DBTxConn, version int64) (err error) {
	defer l.run.failed(ctx, &err)
	l.run.m.reach(ctx, phaseBeforeLedger)
	_, err = l.on(db).ExecContext(ctx, `delete from `+l.table()+` where version = $1`, version)
	if err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	l.run.m.reach(ctx, phaseBeforeCommit)
	return nil
}

func (l *ledger) GetMigration(ctx context.Context, db database.DBTxConn, version int64) (*database.GetMigrationResult, error) {
	var at time.Time
	err := db.QueryRowContext(ctx, `select applied_at from `+l.table()+` where version = $1`, version).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, database.ErrVersionNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return &database.GetMigrationResult{Timestamp: at, IsApplied: true}, nil
}

func (l *ledger) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var v int64
	if err := db.QueryRowContext(ctx, `select coalesce(max(version), 0) from `+l.table()).Scan(&v); err != nil {
		return 0, fmt.Errorf("reading the ledger: %w", err)
	}
	return v, nil
}

// ListMigrations is newest first and ends with version 0, which goose expects to find
// and which stands for the empty schema.
func (l *ledger) ListMigrations(ctx context.Context, db database.DBTxConn) (_ []*database.ListMigrationsResult, err error) {
	rows, err := db.QueryContext(ctx, `select version from `+l.table()+` order by version desc`)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []*database.ListMigrationsResult
	for rows.Next() {
		r := &database.ListMigrationsResult{IsApplied: true}
		if err := rows.Scan(&r.Version); err != nil {
			return nil, fmt.Errorf("reading the ledger: %w", err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return append(out, &database.ListMigrationsResult{Version: 0, IsApplied: true}), nil
}

// ensureLedger creates the ledger unless it is there. The caller holds the lock.
func (s *site) ensureLedger(ctx context.Context, conn *pgx.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var there bool
		err := tx.QueryRow(ctx, `select exists (select from pg_class where relname = 'migration' and relnamespace = $1::regnamespace)`,
			quote(s.schema)).Scan(&there)
		if err != nil || there {
			return err
		}
		_, err = tx.Exec(ctx, s.ledgerSQL())
		return err
	})
	if err != nil {
		return explain(ctx, err, "creating the ledger")
	}
	s.hasLedger = true
	return nil
}
