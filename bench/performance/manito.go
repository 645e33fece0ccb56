package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// manitoResult is what Manito took and made.
type manitoResult struct {
	Scan      usage              `json:"scan"`
	Phases    map[string]float64 `json:"phases"`    // CPU seconds of the manito process, by phase
	Database  float64            `json:"database"`  // CPU seconds of PostgreSQL's processes
	Published float64            `json:"published"` // CPU seconds of all processes until the snapshot could be read
	Files     int                `json:"files"`
	Bytes     int64              `json:"bytes"` // of all files, those in other languages included
	Symbols   int                `json:"symbols"`
	Edges     int64              `json:"edges"`
	Sites     int                `json:"unresolved"`
	EdgeBytes int64              `json:"edge_bytes"` // of the table of edge blocks with its indexes
	Disk      int64              `json:"disk_bytes"` // of all tables with their indexes
	Index     int64              `json:"index_bytes"`
	Again     usage              `json:"again"` // a second scan of the same tree
	Range     [2]float64         `json:"range"` // the lowest and highest CPU of all runs
	// Questions are milliseconds from the start of a process to its end, by question; for SQL as psql measures the statement.
	Questions map[string][]float64 `json:"questions"`
}

// manito is a program with a home of its own.
type manito struct {
	bin, home string
}

func (m *manito) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.bin, args...)
	cmd.Env = append(os.Environ(), "MANITO_HOME="+m.home, "DATABASE_URL=", "POSTGRES_HOST=")
	return cmd
}

func (m *manito) json(ctx context.Context, into any, args ...string) error {
	out, err := m.command(ctx, append(args, "--json")...).Output()
	if err != nil {
		return fmt.Errorf("manito %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, into)
}

// start makes the cluster and its schema, which a scan of a tiny repository does, and returns the server's process.
func (m *manito) start(ctx context.Context) (server int, err error) {
	tiny := filepath.Join(m.home, "tiny")
	if err := os.MkdirAll(tiny, 0o755); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(tiny, "a.go"), []byte("package tiny\n\nfunc A() { B() }\n\nfunc B() {}\n"), 0o644); err != nil {
		return 0, err
	}
	if out, err := m.command(ctx, "scan", tiny).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("manito scan: %w: %s", err, out)
	}
	var status databaseStatus
	if err := m.json(ctx, &status, "db", "status"); err != nil {
		return 0, err
	}
	if status.Cluster.PID == 0 {
		return 0, fmt.Errorf("manito db status names no server of %s", m.home)
	}
	return status.Cluster.PID, nil
}

// end stops the server, waits for the process that watches over it, and removes the home.
func (m *manito) end(ctx context.Context) error {
	out, err := m.command(ctx, "db", "stop").CombinedOutput()
	if err != nil {
		return fmt.Errorf("manito db stop: %w: %s", err, out)
	}
	for range 100 {
		if !named(m.home) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return os.RemoveAll(m.home)
}

// databaseStatus is what is taken of `manito db status --json`.
type databaseStatus struct {
	Cluster struct {
		PID int `json:"pid"`
	} `json:"cluster"`
	Tables struct {
		Bytes int64 `json:"bytes"`
		List  []struct {
			Name  string `json:"name"`
			Bytes int64  `json:"bytes"`
		} `json:"list"`
	} `json:"tables"`
}

// scanDocument is what is taken of `manito scan --json`.
type scanDocument struct {
	Stats struct {
		Files       int                `json:"files"`
		Bytes       int64              `json:"bytes"`
		Definitions int                `json:"definitions"`
		Edges       int                `json:"edges"`
		Unresolved  int                `json:"unresolved"`
		Seconds     map[string]float64 `json:"seconds"`
		CPUSeconds  map[string]float64 `json:"cpu_seconds"`
	} `json:"stats"`
}

// published are the phases after which readers see the snapshot.
var published = []string{"list", "extract", "link", "write", "publish"}

// measureManito scans a tree into a fresh cluster, twice, and asks about it.
func measureManito(ctx context.Context, bin, root string, t *tree, ask bool) (r *manitoResult, err error) {
	home, err := os.MkdirTemp("", "manito-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(home, 0o755); err != nil { // the server's user enters it
		return nil, err
	}
	m := &manito{bin: bin, home: home}
	defer func() {
		err = errors.Join(err, m.end(context.WithoutCancel(ctx)))
	}()
	server, err := m.start(ctx)
	if err != nil {
		return nil, err
	}
	r = &manitoResult{Questions: map[string][]float64{}}
	run, err := measure(ctx, m.command(ctx, "scan", root, "--json"), server)
	if err != nil {
		return nil, err
	}
	var doc scanDocument
	if err := json.Unmarshal(run.out, &doc); err != nil {
		return nil, err
	}
	r.Scan, r.Phases, r.Database = run.usage, doc.Stats.CPUSeconds, run.server
	r.Published = r.publishedCPU(doc.Stats.Seconds, run)
	r.Files, r.Bytes = doc.Stats.Files, doc.Stats.Bytes
	r.Symbols, r.Edges, r.Sites = doc.Stats.Definitions, int64(doc.Stats.Edges), doc.Stats.Unresolved
	var status databaseStatus
	if err := m.json(ctx, &status, "db", "status"); err != nil {
		return nil, err
	}
	r.Disk = status.Tables.Bytes
	for _, table := range status.Tables.List {
		if table.Name == "edge_block" {
			r.EdgeBytes = table.Bytes
		}
	}
	if r.Index, err = size(filepath.Join(home, "index")); err != nil {
		return nil, err
	}
	again, err := measure(ctx, m.command(ctx, "scan", root, "--json"), server)
	if err != nil {
		return nil, err
	}
	r.Again = again.usage
	if ask {
		err = m.ask(ctx, root, t, r)
	}
	return r, err
}

// publishedCPU is the CPU of all processes until the snapshot was published. The
// scan tells the CPU of its own process by phase; that of the server is the one
// that it had when the phases that follow began, counted back from the end.
func (r *manitoResult) publishedCPU(seconds map[string]float64, run *running) float64 {
	own, later := 0.0, 0.0
	for phase, s := range r.Phases {
		if slices.Contains(published, phase) {
			own += s
		} else {
			later += seconds[phase]
		}
	}
	return own + run.serverAt(r.Scan.Wall-later)
}

const repeats = 5

// ask measures questions from the command line and in SQL.
func (m *manito) ask(ctx context.Context, root string, t *tree, r *manitoResult) error {
	for _, q := range []string{"def", "callers", "refs", "impact"} {
		for _, symbol := range t.questions {
			var times []float64
			for range repeats {
				begin := time.Now()
				if out, err := m.command(ctx, q, symbol, "--json", "--repo", root).CombinedOutput(); err != nil {
					return fmt.Errorf("manito %s %s: %w: %s", q, symbol, err, out)
				}
				times = append(times, time.Since(begin).Seconds()*1000)
			}
			r.Questions[q] = append(r.Questions[q], middle(times))
		}
	}
	for _, symbol := range t.questions {
		var def struct {
			Symbol struct {
				ID string `json:"id"`
			} `json:"symbol"`
		}
		if err := m.json(ctx, &def, "def", symbol, "--repo", root); err != nil {
			return err
		}
		ms, err := m.sql(ctx, "select count(*) from references_to('"+strings.ReplaceAll(def.Symbol.ID, "'", "''")+"') where kind = 'calls'")
		if err != nil {
			return err
		}
		r.Questions["sql callers"] = append(r.Questions["sql callers"], ms)
	}
	ms, err := m.sql(ctx, "select count(*) from graph_edges")
	r.Questions["sql count"] = []float64{ms}
	return err
}

// timing is how psql tells the time of a statement.
var timing = regexp.MustCompile(`Time: ([0-9.]+) ms`)

// sql is the time of a statement in milliseconds: the middle of several runs on one connection.
func (m *manito) sql(ctx context.Context, statement string) (float64, error) {
	args := []string{"db", "shell", "--", "-X", "-q", "-A", "-t", "-c", `\timing on`}
	for range repeats {
		args = append(args, "-c", statement)
	}
	out, err := m.command(ctx, args...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", statement, err, out)
	}
	var times []float64
	for _, f := range timing.FindAllStringSubmatch(string(out), -1) {
		v, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			return 0, err
		}
		times = append(times, v)
	}
	if len(times) != repeats {
		return 0, fmt.Errorf("%s: psql timed %d of %d runs: %s", statement, len(times), repeats, out)
	}
	return middle(times), nil
}

func middle(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}

func slowest(times []float64) float64 {
	if len(times) == 0 {
		return 0
	}
	return slices.Max(times)
}
