// Command doctor measures how long the doctor takes on databases of 1,000 tables,
// beside the physical limit: reading the catalogues that it judges from end to end, once
// and as often as there are checks, with nothing done to the rows. The server is one of
// its own. It needs Linux's /proc.
//
//	go run ./bench/doctor            measure and print; exit status 1 when the limit is broken
//	go run ./bench/doctor -write     also keep the results and write bench/doctor/RESULTS.md
//	go run ./bench/doctor -render    write bench/doctor/RESULTS.md from the kept results
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/doctor"
	"manito/internal/pgembed"
)

const (
	resultsFile = "bench/doctor/results.json"
	docFile     = "bench/doctor/RESULTS.md"
	tables      = 1000
	times       = 3
	limit       = 5 * time.Second // for an examination of a database that is well
)

// report is what was measured in one run.
type report struct {
	Machine, Date, Postgres string
	Load                    string // what waited for a CPU when it began, of this program nothing
	Tables, Checks          int
	Rows                    []row
}

// row is one measurement: the median by wall time.
type row struct {
	Database, What string
	Wall, CPU      float64 // seconds; CPU of this process and of the server together
	Findings       int
	Tried          int // fixes that were run and rolled back
}

func main() {
	write := flag.Bool("write", false, "keep the results and write "+docFile)
	only := flag.Bool("render", false, "write "+docFile+" from the kept results")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *write, *only); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, write, only bool) error {
	r := &report{}
	if only {
		raw, err := os.ReadFile(resultsFile)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, r); err != nil {
			return err
		}
		return os.WriteFile(docFile, render(r), 0o644)
	}
	if err := measure(ctx, r); err != nil {
		return err
	}
	fmt.Print(string(render(r)))
	if write {
		raw, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := errors.Join(os.WriteFile(resultsFile, append(raw, '\n'), 0o644), os.WriteFile(docFile, render(r), 0o644)); err != nil {
			return err
		}
	}
	return r.judge()
}

// quiet is the load of the machine up to which wall times say something.
const quiet = 0.5

// judge holds the examination of the database that is well to the limit: by wall time on
// a quiet machine, by CPU on one that has other work.
func (r *report) judge() error {
	var load float64
	if _, err := fmt.Sscan(r.Load, &load); err != nil {
		return err
	}
	for _, row := range r.Rows {
		took := row.Wall
		if load > quiet {
			took = row.CPU
		}
		if row.Database == well && row.What == plain && took > limit.Seconds() {
			return fmt.Errorf("an examination of a database that is well took %.2f s; the limit is %s", took, limit)
		}
	}
	return nil
}

// The databases and what is done with them.
const (
	well    = "well"
	sick    = "sick"
	plain   = "db doctor"
	without = "db doctor --no-dry-run"
	planned = "db doctor --plan"
	once    = "catalogues read once"
	often   = "catalogues scanned once per check"
)

// measure builds the databases on a server of its own and examines them.
func measure(ctx context.Context, r *report) (err error) {
	root, err := os.MkdirTemp("", "manito-bench-doctor")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	if err := os.Chmod(root, 0o755); err != nil { // the server's user has to enter
		return err
	}
	cluster, err := pgembed.Open(ctx, pgembed.Options{Root: root})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	r.Load = strings.Fields(string(load))[0]
	r.Machine, r.Date, r.Tables, r.Checks = machine(), time.Now().UTC().Format(time.DateOnly), tables, len(doctor.Checks())
	for _, name := range []string{well, sick} {
		if err := cluster.EnsureDatabase(ctx, name); err != nil {
			return err
		}
		dsn := cluster.DSN(name)
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		if err := build(ctx, conn, name); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
		opt := doctor.Options{DSN: dsn, Schema: "shop"}
		examine := func(change func(*doctor.Options)) func() (row, error) {
			return func() (row, error) {
				o := opt
				change(&o)
				got, err := doctor.Examine(ctx, o)
				if err != nil {
					return row{}, err
				}
				out := row{Findings: len(got.Findings)}
				for _, f := range got.Findings {
					if strings.HasPrefix(f.Fix.DryRun, "ok") {
						out.Tried++
					}
				}
				r.Postgres = got.Server
				return out, nil
			}
		}
		kinds := []struct {
			what  string
			times int
			do    func() (row, error)
		}{
			{once, times, func() (row, error) { return row{}, read(ctx, conn) }},
			{often, times, func() (row, error) { return row{}, scan(ctx, conn, r.Checks) }},
			{without, times, examine(func(*doctor.Options) {})},
			{plain, times, examine(func(o *doctor.Options) { o.DryRun = 20 * time.Second })},
			{planned, 1, examine(func(o *doctor.Options) { o.DryRun, o.Scratch = 2*time.Minute, true })},
		}
		for _, k := range kinds {
			if name == sick {
				if k.what == planned {
					continue // hundreds of indexes are built in it one after the other
				}
				k.times = 1
			}
			var all []row
			for range k.times {
				before, began := cpu(cluster.DataDir()), time.Now()
				got, err := k.do()
				if err != nil {
					return errors.Join(fmt.Errorf("%s, %s: %w", name, k.what, err), conn.Close(ctx))
				}
				got.Database, got.What, got.Wall, got.CPU = name, k.what, time.Since(began).Seconds(), cpu(cluster.DataDir())-before
				all = append(all, got)
			}
			slices.SortFunc(all, func(a, b row) int { return int(1e9 * (a.Wall - b.Wall)) })
			r.Rows = append(r.Rows, all[k.times/2])
			fmt.Fprintf(os.Stderr, "%s, %s: %.2f s, %d findings, %d tried\n", name, k.what, all[k.times/2].Wall, all[k.times/2].Findings, all[k.times/2].Tried)
		}
		if err := conn.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// build makes a shop of 1,000 tables with what belongs to them. In the one that is sick,
// one table of ten has a defect of each of five kinds.
func build(ctx context.Context, conn *pgx.Conn, kind string) error {
	ill := fmt.Sprint(kind == sick)
	script := `
do $$ begin
	if not exists (select from pg_roles where rolname = 'bench_owner') then create role bench_owner nologin; create role bench_app login; create role bench_other nologin; end if;
	execute format('alter role bench_app in database %I set statement_timeout = ''30s''', current_database());
	execute format('alter role bench_app in database %I set idle_in_transaction_session_timeout = ''30s''', current_database());
end $$;
create schema shop authorization bench_owner;
grant usage on schema shop to bench_app;
set role bench_owner;
alter default privileges in schema shop grant select, insert, update, delete on tables to bench_app;
alter default privileges in schema shop grant usage, select on sequences to bench_app;
`
	for from := 0; from < tables; from += 50 { // a transaction that locks everything would need more locks than there are
		script += fmt.Sprintf(`
do $$ begin
	for i in %d..%d loop
		execute format('create table shop.t%%1$s (id bigint generated by default as identity primary key, parent bigint not null references shop.%%2$s, name text not null, code text unique, n int not null default 0 check (n >= 0),
			price numeric, made timestamptz not null default now(), doc jsonb, tags text[], note text)', i, case when i = 0 then 't0' else 't' || i / 2 end);
		execute format('create index t%%1$s_parent on shop.t%%1$s (parent); create index t%%1$s_made on shop.t%%1$s (made, n)', i);
		if i %% 20 = 0 then execute format('create view shop.v%%1$s as select id, name from shop.t%%1$s', i); end if;
		if i %% 10 = 0 then execute format('create function shop.f%%1$s(a bigint) returns bigint language sql stable as ''select count(*) + a from shop.t%%1$s''', i); end if;
	end loop;
end $$;
`, from, from+49)
	}
	script += `
reset role;
do $$ begin
	for i in 0..999 by 10 loop
		exit when not ` + ill + `;
		execute format('alter table shop.t%1$s owner to bench_other; drop index shop.t%2$s_parent; create index t%3$s_again on shop.t%3$s (parent); revoke insert on shop.t%4$s from bench_app', i, i + 1, i + 2, i + 3);
		execute format('grant select on shop.t%1$s to public', i + 5);
	end loop;
end $$;
analyze;
`
	for part := range strings.SplitSeq(script, "$$;\n") {
		if strings.Contains(part, "$$") {
			part += "$$;"
		}
		if _, err := conn.Exec(ctx, part, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("building the database that is %s: %w", kind, err)
		}
	}
	return nil
}

// catalogues are what the checks judge.
func catalogues() []string {
	return []string{"pg_class", "pg_attribute", "pg_attrdef", "pg_index", "pg_constraint", "pg_depend", "pg_proc", "pg_type", "pg_sequence", "pg_statistic"}
}

// read takes every row of the catalogues, as the server stores them.
func read(ctx context.Context, conn *pgx.Conn) error {
	for _, c := range catalogues() {
		rows, err := conn.Query(ctx, "select * from pg_catalog."+c, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		for rows.Next() { // the bytes arrive; nobody looks at them
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// scan has the server go through every row of the catalogues n times.
func scan(ctx context.Context, conn *pgx.Conn, n int) error {
	for range n {
		for _, c := range catalogues() {
			if _, err := conn.Exec(ctx, "select count(*) from pg_catalog."+c, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
	}
	return nil
}

// render is the page of the results.
func render(r *report) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# How long the doctor takes\n\n<!-- Generated by `go run ./bench/doctor -write`; do not edit. -->\n\n")
	fmt.Fprintf(&b, "%d tables, each of ten columns with a primary key, a unique key, a foreign key, a check, two more indexes and a sequence; %d views, %d functions. %d checks, PostgreSQL %s, %s, %s, load of the machine by others %s. The median of %d runs by wall time, one run with `--plan` and of the database that is sick; CPU is that of the doctor and of the server together.\n\n",
		r.Tables, r.Tables/20, r.Tables/10, r.Checks, r.Postgres, r.Machine, r.Date, r.Load, times)
	fmt.Fprintf(&b, "The limit for `db doctor` on the database that is well is %.0f s: by wall time on a quiet machine, by CPU on one that has other work (a load above %.1f), where wall times say little. The first two rows are what physics asks for: every row of the ten catalogues that the checks judge goes over the wire once, and nothing is done with it; and the server goes through them as often as there are checks, and only counts.\n\n| database | what | wall, s | CPU, s | findings | fixes tried |\n|---|---|---|---|---|---|\n", limit.Seconds(), quiet)
	for _, row := range r.Rows {
		what, count := row.What, fmt.Sprintf("%d | %d", row.Findings, row.Tried)
		if what == once || what == often {
			count = "|"
		} else {
			what = "`" + what + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.2f | %s |\n", row.Database, what, row.Wall, row.CPU, count)
	}
	b.WriteString("\nThe database that is sick has a foreign owner, a foreign key without an index, an index twice, a lost right and a right of everybody in one table of ten. `db doctor` tries fixes for 20 s at most; `--plan` goes on for two minutes.\n")
	return []byte(b.String())
}

// machine says what the figures are of.
func machine() string {
	out, err := exec.Command("sh", "-c", "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1").Output()
	if err != nil {
		return fmt.Sprintf("%d CPUs", runtime.NumCPU())
	}
	return fmt.Sprintf("%s, %d CPUs", strings.TrimSpace(string(out)), runtime.NumCPU())
}

// cpu is the time, in seconds, that this process, the server and all that either has started have computed.
func cpu(dataDir string) float64 {
	text, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return 0
	}
	roots := map[string]bool{strings.Fields(string(text))[0]: true, fmt.Sprint(os.Getpid()): true}
	folders, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	ticks := 0
	for _, f := range folders {
		stat, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended; its time is in its parent's
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if pid := strings.Split(f, "/")[2]; !roots[pid] && !roots[fields[1]] {
			continue
		}
		for _, n := range fields[11:15] { // its own and that of children that have ended
			var t int
			if _, err := fmt.Sscan(n, &t); err == nil {
				ticks += t
			}
		}
	}
	return float64(ticks) / 100
}
