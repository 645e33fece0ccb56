package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/migrate/bouncertest"
	"manito/internal/postgres/postgrestest"
)

// TestServer breaks a server of its own: settings, sessions and what outlives them belong
// to all databases of a server.
func TestServer(t *testing.T) {
	t.Parallel()
	p := postgrestest.NewPrivate(t)
	ctx := t.Context()
	conn := p.Connect(t, p.Admin)
	for _, setting := range []string{"max_prepared_transactions = 5", "archive_mode = on", "archive_command = '/bin/true'", "shared_preload_libraries = 'pg_stat_statements'"} {
		if _, err := conn.Exec(ctx, "alter system set "+setting); err != nil {
			t.Fatal(err)
		}
	}
	p.Kill(t) // what only a restart changes
	p.Restart(t)
	conn = p.Connect(t, p.Admin)
	run := func(c *pgx.Conn, sql string) {
		t.Helper()
		if _, err := c.Exec(context.WithoutCancel(ctx), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%v\nin: %s", err, sql)
		}
	}
	opt := Options{DSN: p.Admin, Schema: p.Schema}
	quiet := func(ids ...string) {
		t.Helper()
		o := opt
		o.Only = ids
		for _, f := range examine(t, o).Findings {
			t.Errorf("%s is found in health: %s: %s", f.ID, f.Object, f.Evidence)
		}
	}
	finds := func(id, object, evidence string) *Finding {
		t.Helper()
		o := opt
		o.Only = []string{id}
		var r *Report
		for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			r = examine(t, o) // a reloaded setting and a session's state take a moment to show
			if f := r.find(object); f != nil && strings.Contains(f.Evidence, evidence) {
				if f.Title == "" || f.Cause == "" || f.Breaks == "" || f.Fix.Advice == "" && len(f.Fix.SQL) == 0 {
					t.Errorf("%s is not explained: %+v", id, f)
				}
				return f
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s of %s (%s) is not found: %+v, skipped %+v", id, object, evidence, r.Findings, r.Skipped)
			}
		}
	}
	quiet("CONN-02", "CONN-06", "CONN-08", "CONN-09", "CACHE-01", "NOTIF-01", "QRY", "SET-01", "SET-04")
	quiet("DUR", "CONN-01", "CONN-03", "CONN-05", "CONN-07", "MIG-10", "PRIV-03", "PRIV-10", "TLS", "SET-02", "TAB-02", "VER")

	// Manito's own server cannot be told to lose data; a session can be.
	opt.DSN += " options='-c zero_damaged_pages=on'"
	finds("DUR-01", "zero_damaged_pages", "on")
	opt.DSN = p.Admin
	quiet("DUR-01")
	run(conn, "alter system set password_encryption = 'md5'")
	run(conn, "select pg_reload_conf()")
	finds("TLS-04", "password_encryption", "md5")
	run(conn, "alter system set max_connections = 33")
	run(conn, "select pg_reload_conf()")
	finds("SET-02", "max_connections", "restart")
	run(conn, "alter system reset password_encryption")
	run(conn, "alter system reset max_connections")
	run(conn, "select pg_reload_conf()")
	waitQuiet(t, opt, "TLS-04", "SET-02")

	var dir string
	if err := conn.QueryRow(ctx, "select current_setting('data_directory')").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	hba := filepath.Join(dir, "pg_hba.conf")
	before, err := os.ReadFile(hba)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hba, append(before, "\nhost all all 0.0.0.0/0 trust\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	finds("TLS-03", "pg_hba.conf line*", "trust")
	if err := os.WriteFile(hba, before, 0o600); err != nil {
		t.Fatal(err)
	}

	run(conn, fmt.Sprintf("alter role %s createrole; grant pg_write_server_files to %[1]s", p.Roles.App))
	finds("PRIV-03", "role "+p.Roles.App, "CREATEROLE, pg_write_server_files")
	run(conn, fmt.Sprintf("alter role %s nocreaterole; revoke pg_write_server_files from %[1]s", p.Roles.App))
	quiet("PRIV-03")
	run(conn, "create role chief1 superuser login; create role chief2 superuser login")
	finds("PRIV-10", "superusers", "chief1, chief2")
	run(conn, "drop role chief1; drop role chief2")
	quiet("PRIV-10")

	run(conn, "select pg_create_physical_replication_slot('left_behind', true)")
	finds("DUR-04", "slot left_behind", "inactive")
	run(conn, "select pg_drop_replication_slot('left_behind')")
	quiet("DUR-04")

	run(conn, "alter system set archive_command = '/bin/false'")
	run(conn, "select pg_reload_conf()")
	run(conn, "create table moved (id int primary key); select pg_switch_wal()")
	finds("DUR-03", "archiver", "failures")
	for range 3 {
		run(conn, "insert into moved select coalesce(max(id), 0) + 1 from moved")
		run(conn, "select pg_switch_wal()")
	}
	finds("DUR-08", "archiver", "files wait")
	run(conn, "alter system set archive_command = '/bin/true'")
	run(conn, "select pg_reload_conf()")
	run(conn, "drop table moved; select pg_switch_wal()")
	waitQuiet(t, opt, "DUR-03", "DUR-08")

	run(conn, "begin; create table pending (id int primary key); prepare transaction 'left'")
	finds("DUR-05", "prepared 'left'", "since")
	run(conn, "rollback prepared 'left'")
	quiet("DUR-05")

	var frozen string
	if err := conn.QueryRow(ctx, "select datfrozenxid::text from pg_database where datname = current_database()").Scan(&frozen); err != nil {
		t.Fatal(err)
	}
	run(conn, "update pg_database set datfrozenxid = '3600000000'::xid where datname = current_database()")
	finds("TAB-02", "database "+quote(p.Name), "transaction ids")
	run(conn, "update pg_database set datfrozenxid = '"+frozen+"'::xid where datname = current_database()")
	quiet("TAB-02")

	var crowd []*pgx.Conn
	for range 100 {
		crowd = append(crowd, p.Connect(t, p.Admin))
	}
	finds("CONN-01", "server", "of 117 connections")
	for _, c := range crowd {
		if err := c.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	waitQuiet(t, opt, "CONN-01")

	run(conn, "create role weak login superuser password 'manito_dev_password'")
	opt.DSN += " user=weak password=manito_dev_password"
	finds("TLS-05", "role weak", "examples")
	opt.DSN = p.Admin
	quiet("TLS-05")
	run(conn, "drop role weak")

	opt.Idle = time.Millisecond
	locker := p.Connect(t, p.Admin)
	run(locker, "begin; select pg_advisory_lock(7)")
	finds("MIG-10", fmt.Sprintf("session %d", locker.PgConn().PID()), "held")
	finds("CONN-03", fmt.Sprintf("session %d", locker.PgConn().PID()), "idle in transaction")
	run(locker, "rollback; select pg_advisory_unlock_all()")
	quiet("MIG-10", "CONN-03")
	opt.Idle = 0

	run(conn, "create extension if not exists pg_stat_statements schema public")
	quiet("SET-03")
	run(conn, "drop extension pg_stat_statements")
	finds("SET-03", "server", "pg_stat_statements")

	run(conn, "create extension pg_stat_statements schema public; select public.pg_stat_statements_reset()")
	quiet("QRY-01")
	for range 20 {
		run(conn, "select pg_sleep(0.105)")
	}
	finds("QRY-01", "query *", "20 calls, 10")
	run(conn, "select public.pg_stat_statements_reset()")
	quiet("QRY-01")
	run(conn, "drop extension pg_stat_statements")

	opt.Limits.Spill = 1 << 20
	quiet("QRY-02")
	run(conn, "set work_mem = '64kB'; select count(*) from (select md5(g::text) as m from generate_series(1, 200000) g order by 1 offset 1) s")
	run(conn, "select pg_stat_force_next_flush()")
	finds("QRY-02", "temporary files of database "+quote(p.Name), "a day")
	run(conn, "select pg_stat_reset()")
	waitQuiet(t, opt, "QRY-02")
	opt.Limits = Limits{}

	run(conn, "create table cold as select g as id, repeat('x', 900) as filler from generate_series(1, 40000) g; alter table cold add primary key (id)")
	run(conn, "select pg_stat_reset()")
	opt.Limits.Reads = 10000
	run(conn, "set max_parallel_workers_per_gather = 0")
	for range 5 {
		run(conn, "select count(*) from cold")
	}
	run(conn, "select pg_stat_force_next_flush()")
	finds("CACHE-01", "database "+quote(p.Name), "block reads were hits")
	opt.Limits = Limits{}
	quiet("CACHE-01") // too few reads to say anything
	run(conn, "drop table cold; select pg_stat_reset()")

	opt.Limits.Pool = 1000
	finds("CONN-02", "server", "the programs may open 1000")
	opt.Limits.Pool = 20
	quiet("CONN-02")
	opt.Limits = Limits{}
	run(conn, "alter role "+p.Roles.App+" connection limit 5000")
	finds("CONN-02", "connection limits of roles", "promise 5000")
	run(conn, "alter role "+p.Roles.App+" connection limit -1")
	quiet("CONN-02")

	opt.Limits.Free = 1
	finds("SET-04", "disk of *", "% of")
	opt.Limits = Limits{}
	quiet("SET-04")

	opt.Now = time.Now().Add(-time.Hour)
	finds("CONN-09", "server", "ahead of this machine")
	opt.Now = time.Time{}
	quiet("CONN-09")

	listener := p.Connect(t, p.Admin)
	run(listener, "listen news")
	run(listener, "begin")
	run(conn, "select count(pg_notify('news', g || repeat('x', 7900))) from generate_series(1, 3000) g")
	opt.Limits.Queue = 0.001
	finds("NOTIF-01", "server", "% used")
	run(listener, "rollback")
	run(listener, "unlisten *")
	run(conn, "notify news")
	waitQuiet(t, opt, "NOTIF-01")
	opt.Limits = Limits{}

	idle := p.Connect(t, p.Admin)
	run(idle, "begin; lock table "+pgx.Identifier{p.Schema, "repo"}.Sanitize()+" in access exclusive mode")
	waiting := p.Connect(t, p.Admin)
	done := make(chan error, 1)
	go func() {
		_, err := waiting.Exec(ctx, "select count(*) from "+pgx.Identifier{p.Schema, "repo"}.Sanitize(), pgx.QueryExecModeSimpleProtocol)
		done <- err
	}()
	finds("CONN-05", fmt.Sprintf("session %d", waiting.PgConn().PID()), fmt.Sprintf("blocked by session %d", idle.PgConn().PID()))
	// A locked table does not stop the doctor: it says what it could not look at.
	o := opt
	o.Only = []string{"DATA-01", "OWN-01"}
	if r := examine(t, o); len(r.Skipped) == 0 || !strings.Contains(r.Skipped[0].Reason, "lock") {
		t.Errorf("a locked table was taken for looked at: %+v", r.Skipped)
	}
	run(idle, "rollback")
	if err := <-done; err != nil {
		t.Error(err)
	}
	quiet("CONN-05")
}

// TestPooler looks through a pooler in both of its modes.
func TestPooler(t *testing.T) {
	t.Parallel()
	p := postgrestest.NewPrivate(t)
	through := func(mode string, only ...string) (*bouncertest.Bouncer, Options) {
		b := bouncertest.Start(t, bouncertest.Options{Mode: mode, DSN: p.Admin, Size: 2})
		return b, Options{DSN: b.DSN, Schema: p.Schema, Only: only}
	}
	_, opt := through("session", "CONN-06", "CONN-08")
	if r := examine(t, opt); len(r.Findings)+len(r.Skipped) > 0 {
		t.Errorf("a pooler in session mode: %+v, %+v", r.Findings, r.Skipped)
	}
	b, opt := through("transaction", "CONN-06", "CONN-08")
	r := examine(t, opt)
	if f := r.find("connection"); f == nil || f.ID != "CONN-06" || !strings.Contains(f.Evidence, "while the first was open") || len(r.Findings)+len(r.Skipped) != 1 {
		t.Errorf("a pooler in transaction mode: %+v, %+v", r.Findings, r.Skipped)
	}
	opt.DSN = p.Admin
	if r := examine(t, opt); len(r.Findings)+len(r.Skipped) > 0 {
		t.Errorf("without a pooler: %+v, %+v", r.Findings, r.Skipped)
	}

	// The pool of another database is used up, so that the doctor itself need not wait.
	opt.DSN = b.DSN
	elsewhere := b.DSN + " dbname=postgres"
	var holders []pgx.Tx
	for range 2 {
		conn, err := pgx.Connect(t.Context(), elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "select 1"); err != nil {
			t.Fatal(err)
		}
		holders = append(holders, tx)
	}
	third := make(chan error, 1)
	go func() {
		conn, err := pgx.Connect(t.Context(), elsewhere)
		if err == nil {
			_, err = conn.Exec(t.Context(), "select 1", pgx.QueryExecModeSimpleProtocol)
			err = errors.Join(err, conn.Close(context.WithoutCancel(t.Context())))
		}
		third <- err
	}()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if f := examine(t, opt).find("pool of postgres for *"); f != nil {
			if f.ID != "CONN-08" || !strings.Contains(f.Evidence, "1 programs wait") || !strings.Contains(f.Evidence, "2 connections of the server") {
				t.Errorf("%+v", f)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("CONN-08 does not see who waits")
		}
	}
	for _, tx := range holders {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-third; err != nil {
		t.Error(err)
	}
	opt.Only = []string{"CONN-08"}
	waitQuiet(t, opt, "CONN-08")
}

// waitQuiet waits until checks find nothing any more.
func waitQuiet(t *testing.T, opt Options, ids ...string) {
	t.Helper()
	opt.Only = ids
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r := examine(t, opt)
		if len(r.Findings) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still found: %+v", r.Findings)
		}
	}
}
