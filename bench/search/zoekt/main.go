// Command zoekt runs the questions of bench/search against zoekt, as a library in
// its own process and its own module, so that Manito's has none of its dependencies.
//
//	zoekt -index FOLDER build < LIST      indexes the files of a list of paths, one a line
//	zoekt -index FOLDER search < JSON     answers questions; prints JSON
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp/syntax"
	"runtime"
	"time"

	"github.com/sourcegraph/zoekt"
	"github.com/sourcegraph/zoekt/build"
	"github.com/sourcegraph/zoekt/query"
	"github.com/sourcegraph/zoekt/shards"
)

func main() {
	index := flag.String("index", "", "the folder of the index")
	flag.Parse()
	run := map[string]func(string) error{"build": makeIndex, "search": search}[flag.Arg(0)]
	if run == nil || *index == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*index); err != nil {
		fmt.Fprintln(os.Stderr, "zoekt:", err)
		os.Exit(1)
	}
}

func makeIndex(dir string) error {
	opts := build.Options{
		IndexDir: dir, DisableCTags: true,
		// So that it leaves no file out.
		SizeMax: 1 << 30, TrigramMax: 1 << 30,
	}
	opts.RepositoryDescription.Name = "corpus"
	opts.SetDefaults()
	b, err := build.NewBuilder(opts)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, err := os.ReadFile(lines.Text())
		if err != nil {
			return err
		}
		if err := b.AddFile(lines.Text(), text); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return b.Finish()
}

// question and answer are those of bench/search.
type question struct {
	Text   string `json:"text"`
	Regexp bool   `json:"regexp"`
	Case   bool   `json:"case"`
}

type request struct {
	Questions []question `json:"questions"`
	Lines     int        `json:"lines"` // 0 for all
	Times     int        `json:"times"`
}

type answer struct {
	Wall  int64 `json:"wall_ns"` // the quickest time
	Lines int   `json:"lines"`
}

func search(dir string) error {
	var r request
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return err
	}
	s, err := shards.NewDirectorySearcher(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	answers := make([]answer, len(r.Questions))
	// By rounds, so that what disturbs the machine for a while meets each question at most once.
	for time := range r.Times {
		for i, q := range r.Questions {
			took, lines, err := ask(s, q, r.Lines)
			if err != nil {
				return err
			}
			if time == 0 || int64(took) < answers[i].Wall {
				answers[i].Wall = int64(took)
			}
			answers[i].Lines = lines
		}
		runtime.GC()
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func ask(s zoekt.Searcher, q question, most int) (took time.Duration, lines int, err error) {
	start := time.Now()
	var x query.Q = &query.Substring{Pattern: q.Text, Content: true, CaseSensitive: q.Case}
	if q.Regexp {
		re, err := syntax.Parse(q.Text, syntax.Perl&^syntax.OneLine)
		if err != nil {
			return 0, 0, err
		}
		x = &query.Regexp{Regexp: re, Content: true, CaseSensitive: q.Case}
	}
	opts := &zoekt.SearchOptions{ShardMaxMatchCount: 1 << 30, TotalMaxMatchCount: 1 << 30, MaxDocDisplayCount: 1 << 30, MaxWallTime: time.Minute}
	if most > 0 {
		opts.ShardMaxMatchCount, opts.TotalMaxMatchCount = most, most
	}
	result, err := s.Search(context.Background(), x, opts)
	if err != nil {
		return 0, 0, err
	}
	for _, f := range result.Files {
		lines += len(f.LineMatches)
	}
	return time.Since(start), lines, nil
}
