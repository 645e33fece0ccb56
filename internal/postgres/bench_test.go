package postgres_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"manito/internal/postgres/postgrestest"
)

// BenchmarkScan stores the Go standard library and reports CPU seconds of this
// process and of the server by phase, and the size of every table. Run it alone:
//
//	go test -run '^$' -bench Scan -benchtime 1x ./internal/postgres
func BenchmarkScan(b *testing.B) {
	c := newGoroot(b)
	edges := 0
	for i := range c.files {
		edges += len(c.files[i].edges)
	}
	for b.Loop() {
		d := postgrestest.New(b)
		db := d.Open(b)
		ctx := b.Context()
		lease := acquire(b, db, "/std", "main")
		clock := newCPU(b, d)
		st, err := c.write(ctx, db, lease)
		if err != nil {
			b.Fatal(err)
		}
		clock.lap("write")
		if _, err := lease.Publish(ctx, c.publication(st)); err != nil {
			b.Fatal(err)
		}
		clock.lap("publish")
		if err := lease.Project(ctx, c.projection(st)); err != nil {
			b.Fatal(err)
		}
		clock.lap("project")
		report(b, d, edges)
	}
}

// report logs the size of every table.
func report(b *testing.B, d *postgrestest.Database, edges int) {
	conn := d.Connect(b, d.Admin)
	rows, err := conn.Query(b.Context(), `select relname, pg_table_size(c.oid), pg_indexes_size(c.oid), reltuples::int8 from pg_class c
		where relnamespace = $1::text::regnamespace and relkind = 'r' and pg_total_relation_size(c.oid) > 100000 order by pg_total_relation_size(c.oid) desc`, `"`+d.Schema+`"`)
	if err != nil {
		b.Fatal(err)
	}
	var total int64
	for rows.Next() {
		var name string
		var heap, index, n int64
		if err := rows.Scan(&name, &heap, &index, &n); err != nil {
			b.Fatal(err)
		}
		total += heap + index
		b.Logf("%-14s %8d rows %8.2f MB heap and toast %8.2f MB indexes", name, n, float64(heap)/1e6, float64(index)/1e6)
		if name == "edge_block" || name == "symbol_block" {
			b.ReportMetric(float64(heap+index)/float64(edges), strings.TrimSuffix(name, "_block")+"B/edge")
		}
	}
	b.ReportMetric(float64(total)/1e6, "MB")
}

// cpu reads the CPU seconds of this process and of the server's processes.
type cpu struct {
	b        *testing.B
	server   string // process group or parent of the server's processes
	own, pg  time.Duration
	postmast int
}

func newCPU(b *testing.B, d *postgrestest.Database) *cpu {
	conn := d.Connect(b, d.Admin)
	var dir string
	if err := conn.QueryRow(b.Context(), "select current_setting('data_directory')").Scan(&dir); err != nil {
		b.Fatal(err)
	}
	pid, err := os.ReadFile(dir + "/postmaster.pid")
	if err != nil {
		b.Fatal(err)
	}
	c := &cpu{b: b}
	c.postmast, _ = strconv.Atoi(strings.Fields(string(pid))[0])
	c.own, c.pg = c.now()
	return c
}

func (c *cpu) now() (own, pg time.Duration) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		c.b.Fatal(err)
	}
	own = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	entries, err := os.ReadDir("/proc")
	if err != nil {
		c.b.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // no process, or gone
		}
		f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		ppid, _ := strconv.Atoi(f[1])
		pid, _ := strconv.Atoi(e.Name())
		if ppid != c.postmast && pid != c.postmast {
			continue
		}
		fields := f[11:13] // user and system
		if pid == c.postmast {
			fields = f[11:15] // and those of its children that ended
		}
		for _, v := range fields {
			ticks, _ := strconv.ParseInt(v, 10, 64)
			pg += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return own, pg
}

func (c *cpu) lap(name string) {
	own, pg := c.now()
	c.b.Logf("%-10s own %.2f s, server %.2f s", name, (own - c.own).Seconds(), (pg - c.pg).Seconds())
	c.b.ReportMetric((own - c.own + pg - c.pg).Seconds(), fmt.Sprintf("cpu-s/%s", name))
	c.own, c.pg = own, pg
}
