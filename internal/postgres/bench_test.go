//go:build unix

package postgres_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"manito/internal/code"
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

		// One file gets the contents of another and is scanned again.
		c.files[100].doc, c.files[100].fact, c.files[100].text, c.files[100].hash = c.files[200].doc, c.files[200].fact, c.files[200].text, c.files[200].hash
		c.files[100].edges, c.files[100].sites = nil, nil
		c.seal()
		clock.lap("other")
		began := time.Now()
		if st, err = c.write(ctx, db, lease); err != nil {
			b.Fatal(err)
		}
		clock.lap("write-one")
		if _, err := lease.Publish(ctx, c.publication(st)); err != nil {
			b.Fatal(err)
		}
		clock.lap("publish-one")
		if err := lease.Project(ctx, c.projection(st)); err != nil {
			b.Fatal(err)
		}
		clock.lap("project-one")
		b.Logf("one file: %s", time.Since(began))
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

// BenchmarkQueries asks SQL users' questions of a generated repository of a
// million definitions and five million edges, and reports milliseconds: counting
// the edges, and the references of symbols chosen at random, by symbol.
//
//	go test -run '^$' -bench Queries -benchtime 1x ./internal/postgres
func BenchmarkQueries(b *testing.B) {
	c := newCorpus(shape{files: 20000, defs: 50, edges: 250, names: 250000, text: 64, pkg: 20, seed: 1})
	d := postgrestest.New(b)
	c.scan(b, d.Open(b), "/generated", "main")
	conn := d.Connect(b, d.Reader)
	ask := func(statement string, args ...any) (time.Duration, int) {
		began := time.Now()
		rows, err := conn.Query(b.Context(), statement, args...)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for rows.Next() {
			n++
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began), n
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	for b.Loop() {
		took, _ := ask(`select count(*) from graph_edges`)
		b.ReportMetric(ms(took), "ms/count")
		var times []time.Duration
		found := 0
		for i := range 200 {
			f := &c.files[i*97]
			def := code.DefID(2 + i%(len(f.doc.Defs)-2)) // the first two are local
			took, n := ask(`select * from references_to($1)`, f.scope+f.doc.Descriptor(def))
			times = append(times, took)
			found += n
		}
		slices.Sort(times)
		b.ReportMetric(ms(times[len(times)/2]), "ms/refs-p50")
		b.ReportMetric(ms(times[len(times)*95/100]), "ms/refs-p95")
		b.ReportMetric(float64(found)/float64(len(times)), "refs/symbol")
		took, n := ask(`select * from references_to($1)`, c.files[0].scope+c.files[0].doc.Descriptor(2))
		b.ReportMetric(ms(took), "ms/refs-hub")
		b.ReportMetric(float64(n), "refs/hub")
		took, _ = ask(`select * from graph_edges where path = $1`, c.files[500].path)
		b.ReportMetric(ms(took), "ms/file")
		took, _ = ask(`select * from symbols_named($1)`, c.files[7].doc.QualifiedName(5))
		b.ReportMetric(ms(took), "ms/named")
	}
	report(b, d, len(c.files)*252)
}
