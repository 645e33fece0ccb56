package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// render is docs/performance.md.
func render(r *report) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# What it costs")
	p("")
	p("Written by `scripts/bench.sh -write`; do not edit. Measured %s on %s, %d CPUs, %s, manito %s.", r.Date, r.Machine, r.CPUs, r.Go, r.Commit)
	p("Other processes kept at most %.2f CPUs busy during a measurement.", r.Others)
	if r.Others > quiet {
		p("")
		p("**The machine was busy**: CPU seconds may be off by a quarter, wall times say nothing.")
	}
	p("")
	p("CPU seconds are those of all processes together, PostgreSQL's included; its cluster was initialised before. Peak memory is that of all")
	p("processes at the same moment, what they share counted once. Everything was read once before, so that files come from the cache.")
	for _, one := range r.Results {
		p("")
		p("## %s%s", strings.ToUpper(one.Title[:1]), one.Title[1:])
		p("")
		p("%s files, %s lines, %s of source (%s).", count(int64(one.Files)), count(int64(one.Lines)), bytesText(one.Bytes), strings.Join(one.Pins, ", "))
		if one.Before != "" {
			p("")
			p("Measured before the rest: %s.", one.Before)
		}
		figures(p, one)
		sideBySide(p, one)
		phases(p, one)
		questions(p, one)
	}
	return b.Bytes()
}

// figures are the promises with what was measured.
func figures(p func(string, ...any), r *result) {
	for _, t := range trees() {
		if t.name != r.Tree {
			continue
		}
		p("")
		p("| figure | promised at most | measured | |")
		p("|---|---|---|---|")
		for _, l := range t.limits {
			got, verdict := l.value(r), "kept"
			if got > l.most {
				verdict = "**broken**"
			}
			p("| %s | %g %s | %.3g %s | %s |", l.what, l.most, l.unit, got, l.unit, verdict)
		}
	}
}

func sideBySide(p func(string, ...any), r *result) {
	m := r.Manito
	p("")
	p("| program | what it makes | CPU | x | wall | peak memory | x | on disk | x | symbols | edges |")
	p("|---|---|---|---|---|---|---|---|---|---|---|")
	row := func(name, does string, u usage, disk, symbols, edges int64) {
		p("| %s | %s | %.2f s | %s | %.1f s | %s | %s | %s | %s | %s | %s |", name, does, u.CPU, ratio(u.CPU, m.Scan.CPU), u.Wall,
			bytesText(u.Peak), ratio(float64(u.Peak), float64(m.Scan.Peak)), bytesText(disk), ratio(float64(disk), float64(m.Disk)), count(symbols), count(edges))
	}
	row("**manito**", "graph in PostgreSQL", m.Scan, m.Disk, int64(m.Symbols), m.Edges)
	row("manito, again", "nothing has changed", m.Again, 0, 0, 0)
	if r.Parser != nil {
		row("go/parser alone", "syntax trees, thrown away", *r.Parser, 0, 0, 0)
	}
	for _, x := range r.Peers {
		if x.Missing != "" {
			p("| %s | not run: %s | | | | | | | | | |", x.Name, strings.ReplaceAll(x.Missing, "|", " "))
			continue
		}
		row(x.Name, x.Does, x.Usage, x.Disk, x.Symbols, x.Edges)
	}
	p("")
	p("x is the ratio to manito's first scan, the middle of %d (CPU from %.2f to %.2f s). Manito's disk is its tables with their indexes; the file that questions map into memory has %s more.",
		times, m.Range[0], m.Range[1], bytesText(m.Index))
}

func phases(p func(string, ...any), r *result) {
	m := r.Manito
	p("")
	p("Where manito's CPU went:")
	p("")
	p("| phase | CPU | of all |")
	p("|---|---|---|")
	sum := 0.0
	for _, phase := range []string{"list", "extract", "link", "write", "publish", "project", "index"} {
		if s, ok := m.Phases[phase]; ok {
			sum += s
			p("| %s | %.2f s | %.0f %% |", phase, s, 100*s/m.Scan.CPU)
		}
	}
	p("| PostgreSQL | %.2f s | %.0f %% |", m.Database, 100*m.Database/m.Scan.CPU)
	rest := m.Scan.CPU - sum - m.Database
	p("| starting, connecting, ending | %.2f s | %.0f %% |", rest, 100*rest/m.Scan.CPU)
	p("| **all** | **%.2f s** | of which until published %.2f s |", m.Scan.CPU, m.Published)
	p("")
	p("%s edges (%s bytes each on disk), %s places without an edge and with a reason.", count(m.Edges), fmt.Sprintf("%.1f", float64(m.EdgeBytes)/float64(max(1, m.Edges))), count(int64(m.Sites)))
}

func questions(p func(string, ...any), r *result) {
	asked := ""
	for _, t := range trees() {
		if t.name == r.Tree {
			asked = "`" + strings.Join(t.questions, "`, `") + "`"
		}
	}
	p("")
	p("Questions, from the start of the process to its end, in milliseconds, middle of %d; SQL as psql times the statement. Asked about %s:", repeats, asked)
	p("")
	p("| question | ms |")
	p("|---|---|")
	for _, q := range slices.Sorted(maps.Keys(r.Manito.Questions)) {
		var times []string
		for _, t := range r.Manito.Questions[q] {
			times = append(times, fmt.Sprintf("%.0f", t))
		}
		p("| %s | %s |", q, strings.Join(times, ", "))
	}
}

func ratio(a, b float64) string {
	switch {
	case a == 0 || b == 0:
		return ""
	case a/b >= 10:
		return fmt.Sprintf("%.0f", a/b)
	}
	return fmt.Sprintf("%.2g", a/b)
}

// count is a number with commas; nothing for 0.
func count(n int64) string {
	if n == 0 {
		return ""
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// bytesText is a number of bytes for people; nothing for 0.
func bytesText(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 1e6:
		return fmt.Sprintf("%d kB", n/1000)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
