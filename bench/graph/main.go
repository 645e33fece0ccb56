// Command graph measures the questions of codeintel in a warm process on a made
// graph of a million symbols and five million edges, hubs included: half of the
// symbols asked about are drawn evenly, half by how much they are used.
//
//	go run ./bench/graph [-files 20000] [-n 2000] [-only impact] [-json]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/codeintel"
	"manito/internal/graph"
	"manito/internal/graph/graphtest"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/graph:", err)
		os.Exit(1)
	}
}

// row is a line of the table; times are milliseconds. The CPU columns are the
// processor time of the asking thread: they hold on a busy machine too, where the
// wall clock does not.
type row struct {
	Name   string  `json:"name"`
	N      int     `json:"n"`
	P50    float64 `json:"p50_ms"`
	P95    float64 `json:"p95_ms"`
	Max    float64 `json:"max_ms"`
	CPU50  float64 `json:"cpu_p50_ms"`
	CPU95  float64 `json:"cpu_p95_ms"`
	CPUAll float64 `json:"cpu_mean_ms"` // of one, on average, all threads
}

// texts makes the contents of files as they are asked for.
type texts struct {
	shape  graphtest.Shape
	number map[string]int
}

func (t texts) Texts(_ context.Context, paths []string) ([][]byte, error) {
	out := make([][]byte, len(paths))
	for i, p := range paths {
		if f, ok := t.number[p]; ok {
			out[i] = t.shape.Text(f)
		}
	}
	return out, nil
}

func run(ctx context.Context) (err error) {
	shape := graphtest.Million()
	files := flag.Int("files", shape.Files, "files of 50 symbols and 250 edges each")
	n := flag.Int("n", 2000, "questions of each kind")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the questions")
	only := flag.String("only", "", "ask only the questions whose name begins with this")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	shape.Names = max(200, shape.Names**files/shape.Files)
	shape.Files = *files

	dir, err := os.MkdirTemp("", "manito-bench-graph")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "made.graph")

	var rows []row
	one := func(name string, work func() error) error {
		runtime.GC()
		r, err := measure(name, 1, func(int) error { return work() })
		rows = append(rows, r)
		return err
	}
	var g *graph.Graph
	if err := one("make documents and build", func() (err error) { g, err = shape.Build(ctx); return err }); err != nil {
		return err
	}
	if err := one("write file", func() error { return g.WriteFile(path) }); err != nil {
		return err
	}
	stats, size := g.Stats(), g.Bytes()
	g = nil
	runtime.GC()
	r, err := measure("open file", 50, func(int) error {
		o, err := graph.Open(path)
		if err != nil {
			return err
		}
		return o.Close()
	})
	if err != nil {
		return err
	}
	rows = append(rows, r)
	g, err = graph.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	if err := one("verify file", func() error { return g.Verify(ctx) }); err != nil {
		return err
	}

	number := make(map[string]int, shape.Files)
	for f := range shape.Files {
		number[shape.Path(f)] = f
	}
	x := codeintel.New(g, codeintel.Options{Text: texts{shape, number}})
	ask := subjects(g, *n)
	questions := []struct {
		name string
		work func(i int) error
	}{
		{"def", func(i int) error {
			_, err := x.Definition(ctx, codeintel.DefinitionInput{Symbol: ask[i].symbol})
			return err
		}},
		{"def by path:name", func(i int) error {
			_, err := x.Definition(ctx, codeintel.DefinitionInput{Symbol: ask[i].query})
			return accept(err)
		}},
		{"refs", func(i int) error {
			_, err := x.References(ctx, codeintel.ReferencesInput{Symbol: ask[i].symbol})
			return err
		}},
		{"callers", func(i int) error {
			_, err := x.Callers(ctx, codeintel.CallersInput{Symbol: ask[i].symbol})
			return err
		}},
		{"callees", func(i int) error {
			_, err := x.Callees(ctx, codeintel.CalleesInput{Symbol: ask[i].symbol})
			return err
		}},
		{"outline", func(i int) error {
			_, err := x.Outline(ctx, codeintel.OutlineInput{Path: ask[i].path})
			return err
		}},
		{"impact depth 5", func(i int) error {
			_, err := x.Impact(ctx, codeintel.ImpactInput{Symbol: ask[i].symbol, Depth: 5})
			return err
		}},
		{"impact depth 5, 500 symbols", func(i int) error {
			_, err := x.Impact(ctx, codeintel.ImpactInput{Symbol: ask[i].symbol, Depth: 5, Limit: 500})
			return err
		}},
		{"path", func(i int) error {
			_, err := x.Path(ctx, codeintel.PathInput{From: ask[i].symbol, To: ask[(i+1)%len(ask)].symbol, Limit: 20000})
			return err
		}},
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, f.Close())
		}()
	}
	for _, q := range questions {
		if !strings.HasPrefix(q.name, *only) {
			continue
		}
		for i := range min(50, *n) { // warm
			if err := q.work(i); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
		}
		r, err := measure(q.name, *n, q.work)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		rows = append(rows, r)
	}
	if err := one("rank", func() error { _, err := g.Ranks(ctx); return err }); err != nil {
		return err
	}
	if err := one("overview", func() error { _, err := x.Overview(ctx); return err }); err != nil {
		return err
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	out := struct {
		Graph    graph.Stats `json:"graph"`
		Bytes    int64       `json:"file_bytes"`
		PeakRSS  int64       `json:"peak_rss_bytes"`
		Measured []row       `json:"measured"`
	}{stats, size, usage.Maxrss * 1024, rows}
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	fmt.Printf("%d symbols, %d edges, %d sites; file %.0f MB; peak memory %.0f MB\n\n", stats.Symbols, stats.Edges, stats.Sites, float64(size)/1e6, float64(out.PeakRSS)/1e6)
	fmt.Printf("%-30s %6s %10s %10s %10s %12s %12s %12s\n", "", "n", "p50 ms", "p95 ms", "max ms", "cpu p50", "cpu p95", "cpu mean")
	for _, r := range rows {
		fmt.Printf("%-30s %6d %10.3f %10.3f %10.3f %12.3f %12.3f %12.3f\n", r.Name, r.N, r.P50, r.P95, r.Max, r.CPU50, r.CPU95, r.CPUAll)
	}
	return nil
}

// accept takes the answer that a name is borne by several.
func accept(err error) error {
	var many *codeintel.Ambiguous
	if errors.As(err, &many) {
		return nil
	}
	return err
}

type subject struct{ symbol, query, path string }

// subjects draws the symbols to ask about.
func subjects(g *graph.Graph, n int) []subject {
	rng := rand.New(rand.NewPCG(11, 12))
	out := make([]subject, 0, n)
	for len(out) < n {
		var node graph.Node
		d := graph.Def(rng.IntN(g.NumDefs()))
		if len(out)%2 == 0 {
			node = g.Node(d)
		} else { // by popularity: the target of any edge
			found := false
			for l := range g.Out(d) {
				node, found = l.Target, true
				break
			}
			if !found {
				continue
			}
		}
		if g.Class(node) != graph.ClassSymbol {
			continue
		}
		d = g.FirstDef(node)
		path := g.Path(g.FileOf(d))
		out = append(out, subject{g.Symbol(node), path + ":" + g.QualifiedName(d), path})
	}
	return out
}

func measure(name string, n int, work func(i int) error) (row, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wall, own := make([]time.Duration, 0, n), make([]time.Duration, 0, n)
	before := cpu()
	for i := range n {
		start, mine := time.Now(), threadCPU()
		if err := work(i); err != nil {
			return row{}, err
		}
		wall = append(wall, time.Since(start))
		own = append(own, threadCPU()-mine)
	}
	spent := cpu() - before
	slices.Sort(wall)
	slices.Sort(own)
	at := func(times []time.Duration, p float64) float64 {
		return float64(times[min(n-1, int(p*float64(n)))].Microseconds()) / 1000
	}
	return row{Name: name, N: n, P50: at(wall, 0.5), P95: at(wall, 0.95), Max: at(wall, 1), CPU50: at(own, 0.5), CPU95: at(own, 0.95), CPUAll: spent.Seconds() * 1000 / float64(n)}, nil
}

// cpu is the processor time that this process has used.
func cpu() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadCPU is the processor time that this thread has used.
func threadCPU() time.Duration { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }

func clock(id int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
