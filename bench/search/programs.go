package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// program is one that is measured.
type program struct {
	name  string
	index string                                           // the folder of its index
	build func(ctx context.Context) *exec.Cmd              // nil when it has none
	ask   func(context.Context, request) ([]answer, error) // the quickest times
	few   bool                                             // it is asked few questions only, and once
}

// built is what building an index took.
type built struct {
	Program string  `json:"program"`
	CPU     float64 `json:"cpu_s"`
	Peak    int64   `json:"peak_bytes"`
	Size    int64   `json:"size_bytes"`
}

// allQuestions is how many of each class are asked for all lines, which may be all lines there are.
const allQuestions = 20

// fewQuestions is how many of each class ripgrep is asked: it reads everything each time.
const fewQuestions = 8

func install(ctx context.Context, work string, c *corpus) ([]*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	zoekt := filepath.Join(work, "zoekt-bench")
	if out, err := exec.CommandContext(ctx, "go", "build", "-C", "bench/search/zoekt", "-o", zoekt, ".").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build of zoekt: %w: %s", err, out)
	}
	rg, err := exec.LookPath("rg")
	if err != nil {
		return nil, fmt.Errorf("%w (scripts/install-deps.sh installs ripgrep)", err)
	}
	indexed := func(name, bin string) *program {
		dir := filepath.Join(work, name)
		return &program{name: name, index: dir,
			build: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, bin, "-index", dir, "build") },
			ask: func(ctx context.Context, r request) ([]answer, error) {
				return askProcess(exec.CommandContext(ctx, bin, "-index", dir, "search"), r)
			},
		}
	}
	return []*program{indexed("manito", self), indexed("zoekt", zoekt), {
		name: "ripgrep", few: true,
		ask: func(ctx context.Context, r request) ([]answer, error) { return askRipgrep(ctx, rg, c.root, r) },
	}}, nil
}

// makes builds a program's index.
func (p *program) makes(ctx context.Context, c *corpus) (built, error) {
	if err := os.MkdirAll(p.index, 0o755); err != nil {
		return built{}, err
	}
	cmd := p.build(ctx)
	cmd.Stdin = strings.NewReader(strings.Join(c.paths, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return built{}, fmt.Errorf("%s: %w: %s", p.name, err, out)
	}
	best := built{Program: p.name, CPU: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), Peak: peak(cmd.ProcessState)}
	err := filepath.WalkDir(p.index, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			best.Size += info.Size()
		}
		return err
	})
	return best, err
}

func askProcess(cmd *exec.Cmd, r request) ([]answer, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(raw), &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, stderr.String())
	}
	var answers []answer
	if err := json.Unmarshal(out, &answers); err != nil {
		return nil, err
	}
	if len(answers) != len(r.Questions) {
		return nil, fmt.Errorf("%s has %d answers to %d questions", cmd.Path, len(answers), len(r.Questions))
	}
	return answers, nil
}

// askRipgrep times one process for each question, from its start to its end.
func askRipgrep(ctx context.Context, rg, root string, r request) ([]answer, error) {
	answers := make([]answer, len(r.Questions))
	for i, q := range r.Questions {
		args := []string{"--no-config", "--no-ignore", "--hidden", "--text", "--no-heading", "--color", "never", "-n", "-g", "*.go"}
		if !q.Regexp {
			args = append(args, "-F")
		}
		if !q.Case {
			args = append(args, "-i")
		}
		start := time.Now()
		out, err := exec.CommandContext(ctx, rg, append(args, "-e", q.Text, root)...).Output()
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
			return nil, fmt.Errorf("rg %q: %w", q.Text, err)
		}
		answers[i] = answer{Wall: int64(time.Since(start)), Lines: bytes.Count(out, []byte{'\n'})}
	}
	return answers, nil
}

// ask asks all programs the questions of a class.
func ask(ctx context.Context, programs []*program, set questions, most, rounds int) (class, error) {
	if most == 0 {
		set.list = set.list[:min(len(set.list), allQuestions)]
	}
	out := class{Name: set.name, Lines: most, Questions: len(set.list)}
	same := make([]bool, len(set.list))
	var first []answer
	for _, p := range programs {
		r := request{Questions: set.list, Lines: most, Times: rounds}
		if p.few {
			if most > 0 {
				continue // it cannot stop after so many
			}
			r.Questions = r.Questions[:min(len(r.Questions), fewQuestions)]
		}
		answers, err := p.ask(ctx, r)
		if err != nil {
			return class{}, err
		}
		if first == nil {
			first = answers
			for i := range same {
				same[i] = true
			}
		}
		walls := make([]float64, len(answers))
		for i, a := range answers {
			walls[i] = float64(a.Wall) / 1e6
			if a.Lines != first[i].Lines {
				same[i] = false
				if most == 0 {
					fmt.Fprintf(os.Stderr, "search: %+v: %d lines, %s has %d\n", set.list[i], first[i].Lines, p.name, a.Lines)
				}
			}
		}
		slices.Sort(walls)
		out.Times = append(out.Times, times{Program: p.name, P50: walls[len(walls)/2], P95: walls[len(walls)*95/100], Max: walls[len(walls)-1], Asked: len(walls)})
	}
	for _, s := range same {
		if s {
			out.Same++
		}
	}
	lines := make([]int, len(first))
	for i, a := range first {
		lines[i] = a.Lines
	}
	slices.Sort(lines)
	out.Median = lines[len(lines)/2]
	return out, nil
}
