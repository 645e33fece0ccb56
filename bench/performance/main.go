// Command performance measures what a scan and its questions cost, beside other
// programs that read the same sources and beside Go's parser alone as the physical
// yardstick. It counts the CPU seconds of all processes, PostgreSQL's included.
// It needs Linux's /proc and a built bin/manito.
//
//	go run ./bench/performance [-trees go,typescript,python] [-peers all|quick|none]   measure and print
//	go run ./bench/performance -write     also keep the results and write docs/performance.md
//	go run ./bench/performance -render    write docs/performance.md from the kept results
package main

import (
	"cmp"
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

	"manito/bench/corpus"
)

const (
	resultsFile = "bench/performance/results.json"
	docFile     = "docs/performance.md"
	// times is how often Manito and the yardstick are measured; the median by CPU counts.
	times = 3
	// quiet is how many CPUs others may keep busy before wall times say nothing. The
	// kernel's own threads, which write files out, are among them.
	quiet = 0.5
)

// report is everything that was measured in one run.
type report struct {
	Date    string    `json:"date"`
	Machine string    `json:"machine"`
	CPUs    int       `json:"cpus"`
	Go      string    `json:"go"`
	Others  float64   `json:"others"` // the most CPUs that other processes kept busy during a measurement
	Commit  string    `json:"commit"`
	Results []*result `json:"results"`
}

// result is what was measured on one tree.
type result struct {
	Tree   string        `json:"tree"`
	Title  string        `json:"title"`
	Pins   []string      `json:"pins"`
	Files  int           `json:"files"`
	Lines  int           `json:"lines"`
	Bytes  int64         `json:"bytes"`
	Manito *manitoResult `json:"manito"`
	Parser *usage        `json:"parser,omitempty"` // go/parser alone, on Go's tree
	Peers  []peerResult  `json:"peers"`
	// Before says when and with what it was measured, if that was not with the rest.
	Before string `json:"before,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "performance:", err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("performance", flag.ContinueOnError)
	names := flags.String("trees", "go,typescript,python", "trees to measure on")
	which := flags.String("peers", "quick", "all, quick (those that take minutes only on the small tree) or none")
	bin := flags.String("bin", "bin/manito", "the program to measure")
	write := flags.Bool("write", false, "keep the results and write "+docFile)
	again := flags.Bool("render", false, "write "+docFile+" from the kept results")
	parse := flags.String("parse", "", "internal: parse the Go files below a folder and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *parse != "":
		return parseAll(*parse)
	case *again:
		r, err := readReport()
		if err != nil {
			return err
		}
		return os.WriteFile(docFile, render(r), 0o644)
	}
	if runtime.GOOS != "linux" {
		return errors.New("processes are measured through Linux's /proc; on other systems nothing can be told")
	}
	cache, err := corpus.DefaultDir()
	if err != nil {
		return err
	}
	program, err := filepath.Abs(*bin)
	if err != nil {
		return err
	}
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%w (build it first: make build)", err)
	}
	r := newReport()
	for _, t := range trees() {
		if !slices.Contains(strings.Split(*names, ","), t.name) {
			continue
		}
		one, err := r.measure(ctx, cache, program, &t, *which)
		if err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
		r.Results = append(r.Results, one)
	}
	os.Stdout.Write(render(r))
	if !*write {
		return nil
	}
	if err := r.keepOthers(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(resultsFile, append(text, '\n'), 0o644), os.WriteFile(docFile, render(r), 0o644))
}

func newReport() *report {
	r := &report{Date: time.Now().UTC().Format("2006-01-02 15:04 UTC"), CPUs: runtime.NumCPU(), Go: runtime.Version(), Machine: "unknown"}
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				r.Machine = strings.TrimSpace(v)
				break
			}
		}
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
	}
	return r
}

// keepOthers takes over the kept results of trees that were not measured this time.
func (r *report) keepOthers() error {
	old, err := readReport()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	measured := r.Results
	r.Results = nil
	for _, t := range trees() {
		same := func(o *result) bool { return o.Tree == t.name }
		if i := slices.IndexFunc(measured, same); i >= 0 {
			r.Results = append(r.Results, measured[i])
		} else if i := slices.IndexFunc(old.Results, same); i >= 0 {
			one := old.Results[i]
			if one.Before == "" {
				one.Before = fmt.Sprintf("%s, manito %s", old.Date, old.Commit)
			}
			r.Results = append(r.Results, one)
		}
	}
	return nil
}

func readReport() (*report, error) {
	raw, err := os.ReadFile(resultsFile)
	if err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.Unmarshal(raw, r)
}

// notice tells that something was measured, and keeps by how much others disturbed it.
func (r *report) notice(what string, u usage) {
	r.Others = max(r.Others, u.Others)
	note := ""
	if u.Others > quiet {
		note = "; the machine is busy: CPU seconds may be off by a quarter, wall times say nothing"
	}
	fmt.Fprintf(os.Stderr, "%s: %.2f CPU s, %.1f s (others used %.2f CPUs%s)\n", what, u.CPU, u.Wall, u.Others, note)
}

func (r *report) measure(ctx context.Context, cache, bin string, t *tree, which string) (*result, error) {
	root, err := t.prepare(ctx, cache)
	if err != nil {
		return nil, err
	}
	out := &result{Tree: t.name, Title: t.title}
	for _, p := range t.pins {
		out.Pins = append(out.Pins, p.String())
	}
	if out.Files, out.Lines, out.Bytes, err = t.count(root); err != nil { // reads everything, so that all start with a warm cache
		return nil, err
	}
	// The yardstick and Manito take turns: what the machine does meanwhile hits both.
	var parsers []usage
	var scans []*manitoResult
	for range times {
		if t.name == "go" {
			self, err := os.Executable()
			if err != nil {
				return nil, err
			}
			run, err := measure(ctx, exec.CommandContext(ctx, self, "-parse", root), 0)
			if err != nil {
				return nil, err
			}
			r.notice("go/parser alone on "+t.title, run.usage)
			parsers = append(parsers, run.usage)
		}
		one, err := measureManito(ctx, bin, root, t, len(scans) == 0)
		if err != nil {
			return nil, err
		}
		r.notice("manito on "+t.title, one.Scan)
		scans = append(scans, one)
	}
	out.Manito = median(scans)
	if len(parsers) > 0 {
		slices.SortFunc(parsers, func(a, b usage) int { return cmp.Compare(a.CPU, b.CPU) })
		out.Parser = &parsers[len(parsers)/2]
	}
	for _, p := range peers() {
		if which == "none" || !slices.Contains(p.trees, t.name) || which == "quick" && p.slow && t.name != "typescript" {
			continue
		}
		one, err := measurePeer(ctx, cache, root, &p, t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		r.notice(p.name+" on "+t.title, one.Usage)
		out.Peers = append(out.Peers, one)
	}
	return out, nil
}

// median is the run in the middle by CPU, with what only one of the runs was asked.
func median(runs []*manitoResult) *manitoResult {
	asked := runs[0].Questions
	low, high := runs[0].Scan.CPU, runs[0].Scan.CPU
	for _, r := range runs {
		low, high = min(low, r.Scan.CPU), max(high, r.Scan.CPU)
	}
	slices.SortFunc(runs, func(a, b *manitoResult) int { return cmp.Compare(a.Scan.CPU, b.Scan.CPU) })
	out := runs[len(runs)/2]
	out.Questions, out.Range = asked, [2]float64{low, high}
	return out
}
