// Command search measures the text index beside zoekt and ripgrep: what building
// costs, how large it is, and how long questions drawn from the corpus itself take.
//
//	go run ./bench/search              prints the tables
//	go run ./bench/search -write       also keeps results.json and writes docs/search-speed.md
//
// Every program runs in a process of its own. The time of a question is the
// quickest of several rounds, so that a busy machine shows less.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	write := flag.Bool("write", false, "keep the results and write the page")
	rounds := flag.Int("rounds", 5, "how often each question is asked")
	child := flag.String("index", "", "the folder of the index: what the benchmark starts itself with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *child != "" && flag.Arg(0) == "build":
		err = makeIndex(ctx, *child)
	case *child != "" && flag.Arg(0) == "search":
		err = answerAll(ctx, *child)
	default:
		err = measure(ctx, *rounds, *write)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "search:", err)
		os.Exit(1)
	}
}

// results are what a run measured.
type results struct {
	At      time.Time `json:"at"`
	Go      string    `json:"go"`
	CPUs    int       `json:"cpus"`
	Load    string    `json:"load"` // of the machine before and after
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	Rounds  int       `json:"rounds"`
	Builds  []built   `json:"builds"`
	Classes []class   `json:"classes"`
	Limits  []limit   `json:"limits"`
}

// class is a kind of question with the times of each program.
type class struct {
	Name      string  `json:"name"`
	Lines     int     `json:"lines"` // at which a search may stop; 0 for all
	Questions int     `json:"questions"`
	Same      int     `json:"same"`   // of which all programs found equally many lines
	Median    int     `json:"median"` // lines found
	Times     []times `json:"times"`
}

type times struct {
	Program string  `json:"program"`
	P50     float64 `json:"p50_ms"`
	P95     float64 `json:"p95_ms"`
	Max     float64 `json:"max_ms"`
	Asked   int     `json:"asked"`
}

// limit is a figure that is promised.
type limit struct {
	What     string  `json:"what"`
	Measured float64 `json:"measured"`
	Most     float64 `json:"most"`
	Unit     string  `json:"unit"`
}

func measure(ctx context.Context, rounds int, write bool) (err error) {
	work, err := os.MkdirTemp("", "manito-search-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	c, err := readCorpus(filepath.Join(runtime.GOROOT(), "src"))
	if err != nil {
		return err
	}
	programs, err := install(ctx, work, c)
	if err != nil {
		return err
	}
	r := &results{At: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(), Load: load(), Files: len(c.paths), Bytes: c.bytes, Rounds: rounds}
	for _, p := range programs {
		if p.build == nil {
			continue
		}
		b, err := p.makes(ctx, c)
		if err != nil {
			return err
		}
		r.Builds = append(r.Builds, b)
	}
	sets := draw(c)
	for _, set := range sets {
		for _, most := range []int{stopAfter, 0} {
			times := rounds
			if most == 0 {
				times = 1 // some find everything in every file
			}
			cl, err := ask(ctx, programs, set, most, times)
			if err != nil {
				return err
			}
			r.Classes = append(r.Classes, cl)
			fmt.Fprintf(os.Stderr, "search: %s, %s: %+v\n", cl.Name, until(most), cl.Times)
		}
	}
	r.Load += " before, " + load() + " after"
	r.judge()
	page := r.page()
	fmt.Print(page)
	if !write {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile("bench/search/results.json", append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile("docs/search-speed.md", []byte(page), 0o644)
}
