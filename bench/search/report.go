package main

import (
	"fmt"
	"os"
	"strings"
)

// load is how busy the machine is, where it says so.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

func until(most int) string {
	if most == 0 {
		return "all lines"
	}
	return fmt.Sprintf("the first %d lines", most)
}

// judge compares the figures with what is promised.
func (r *results) judge() {
	manito, zoekt := r.Builds[0], r.Builds[1]
	r.Limits = []limit{
		{"build, CPU", manito.CPU, 3, "s"},
		{"build, CPU for 30 MB of source", manito.CPU * 30e6 / float64(r.Bytes), 1, "s"},
		{"build, CPU against zoekt's", manito.CPU / zoekt.CPU, 1.0 / 3, "x"},
		{"size against zoekt's", float64(manito.Size) / float64(zoekt.Size), 1.0 / 3, "x"},
	}
	for _, c := range r.Classes {
		what := c.Name + ", " + until(c.Lines)
		if regex := strings.HasPrefix(c.Name, "regexes"); c.Lines > 0 {
			if regex {
				r.Limits = append(r.Limits, limit{what + ", p95", c.Times[0].P95, 40, "ms"})
			} else {
				r.Limits = append(r.Limits, limit{what + ", p50", c.Times[0].P50, 2, "ms"}, limit{what + ", p95", c.Times[0].P95, 15, "ms"})
			}
		}
		r.Limits = append(r.Limits,
			limit{what + ", p50 against zoekt's", c.Times[0].P50 / c.Times[1].P50, 1, "x"},
			limit{what + ", p95 against zoekt's", c.Times[0].P95 / c.Times[1].P95, 1, "x"})
	}
}

// page is the results as a page of the documentation.
func (r *results) page() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# How fast text search is\n\nWritten by `go run ./bench/search -write`; do not edit. Measured %s on %d CPUs, %s; load of the machine: %s.\n\n", r.At.Format("2006-01-02 15:04 UTC"), r.CPUs, r.Go, r.Load)
	p("The Go standard library: %d files, %.1f MB. zoekt runs as a Go library, without ctags and without leaving any file out; ripgrep reads the files each time.\n", r.Files, float64(r.Bytes)/1e6)
	p("Each question is asked %d times, those for all lines once, and its quickest time counts, from the pattern's text to the lines with their highlights. A percentile is one over questions.\n\n", r.Rounds)
	p("| figure | at most | measured | |\n|---|---|---|---|\n")
	for _, l := range r.Limits {
		verdict := "kept"
		if l.Measured > l.Most {
			verdict = "**broken**"
		}
		p("| %s | %.3g %s | %.3g %s | %s |\n", l.What, l.Most, l.Unit, l.Measured, l.Unit, verdict)
	}
	p("\n## Building\n\n| program | CPU | peak memory | size | of the text |\n|---|---|---|---|---|\n")
	for _, x := range r.Builds {
		p("| %s | %.2f s | %.0f MB | %.1f MB | %.0f %% |\n", x.Program, x.CPU, float64(x.Peak)/1e6, float64(x.Size)/1e6, 100*float64(x.Size)/float64(r.Bytes))
	}
	p("\nReading the files is in the CPU; in manito's also hashing them, and its size has the text that snippets are taken from, as zoekt's has.\n\n## Asking\n\n")
	p("Half of the questions of each kind tell upper from lower case. \"Same\" is how many questions all programs found equally many lines for.\n\n")
	p("| questions | until | lines found, median | same | program | p50 | p95 | max |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Classes {
		for i, t := range c.Times {
			name, stop, median, same := "", "", "", ""
			if i == 0 {
				name, stop, median, same = fmt.Sprintf("%d %s", c.Questions, c.Name), until(c.Lines), fmt.Sprint(c.Median), fmt.Sprint(c.Same)
			}
			program := t.Program
			if t.Asked < c.Questions {
				program += fmt.Sprintf(" (%d asked)", t.Asked)
			}
			p("| %s | %s | %s | %s | %s | %.2f ms | %.2f ms | %.1f ms |\n", name, stop, median, same, program, t.P50, t.P95, t.Max)
		}
	}
	return b.String()
}
