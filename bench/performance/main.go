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
	// quietLoad is the load per CPU above which wall times say nothing.
	quietLoad = 0.3
)

// report is everything that was measured in one run.
type report struct {
	Date    string    `json:"date"`
	Machine string    `json:"machine"`
	CPUs    int       `json:"cpus"`
	Go      string    `json:"go"`
	Load    float64   `json:"load"` // the highest of the load averages seen before each measurement
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

func readReport() (*report, error) {
	raw, err := os.ReadFile(resultsFile)
	if err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.Unmarshal(raw, r)
}

// notice keeps the highest load and warns of it.
func (r *report) notice(what string) error {
	now, err := load()
	if err != nil {
		return err
	}
	r.Load = max(r.Load, now)
	note := ""
	if now > quietLoad*float64(r.CPUs) {
		note = "; the machine is busy: CPU seconds may be off by a quarter, wall times say nothing"
	}
	fmt.Fprintf(os.Stderr, "%s (load %.1f%s)\n", what, now, note)
	return nil
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
	if t.name == "go" {
		if err := r.notice("go/parser alone on " + t.title); err != nil {
			return nil, err
		}
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		run, err := measure(ctx, exec.CommandContext(ctx, self, "-parse", root), 0)
		if err != nil {
			return nil, err
		}
		out.Parser = &run.usage
	}
	if err := r.notice("manito on " + t.title); err != nil {
		return nil, err
	}
	if out.Manito, err = measureManito(ctx, bin, root, t); err != nil {
		return nil, err
	}
	for _, p := range peers() {
		if which == "none" || !slices.Contains(p.trees, t.name) || which == "quick" && p.slow && t.name != "typescript" {
			continue
		}
		if err := r.notice(p.name + " on " + t.title); err != nil {
			return nil, err
		}
		one, err := measurePeer(ctx, cache, root, &p, t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		out.Peers = append(out.Peers, one)
	}
	return out, nil
}
