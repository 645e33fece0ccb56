package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"manito/internal/codeintel"
)

// printer writes text for people: colours where the output is a terminal, columns that line up, places that editors and terminals make clickable.
type printer struct {
	w     io.Writer
	buf   bytes.Buffer
	color bool
}

func (a *app) printer() *printer {
	color := a.color == "always"
	if a.color == "auto" {
		color = terminal(a.stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return &printer{w: a.stdout, color: color}
}

func (p *printer) flush() error {
	_, err := p.w.Write(p.buf.Bytes())
	return err
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.buf, format, args...)
	p.buf.WriteByte('\n')
}

func (p *printer) paint(code, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) bold(s string) string   { return p.paint("1", s) }
func (p *printer) faint(s string) string  { return p.paint("2", s) }
func (p *printer) green(s string) string  { return p.paint("32", s) }
func (p *printer) yellow(s string) string { return p.paint("33", s) }
func (p *printer) cyan(s string) string   { return p.paint("36", s) }

// width is how many columns a string takes on a terminal, colours left out.
func width(s string) int {
	n, escape := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			n++
		}
	}
	return n
}

// table writes rows with columns that line up; the last column is not padded.
func (p *printer) table(indent string, rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(c))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		b.WriteString(indent)
		for i, c := range r {
			b.WriteString(c)
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-width(c)+2))
			}
		}
		p.line("%s", strings.TrimRight(b.String(), " "))
	}
}

// heading names the symbol that a question was about.
func (p *printer) heading(s codeintel.Symbol) {
	p.line("%s %s  %s", p.faint(s.Kind), p.bold(s.QualifiedName), p.cyan(s.Location().String()))
}

// completeness says whether the answer is everything there is.
func (p *printer) completeness(c codeintel.Completeness) {
	switch c.Status {
	case codeintel.Complete:
		p.line("%s", p.green("complete: there is nothing else in the repository"))
		return
	case codeintel.LowerBound:
		p.line("%s", p.yellow("lower bound: there may be more, because"))
	default:
		p.line("%s", p.yellow("unknown, because"))
	}
	for _, r := range c.Reasons {
		where := ""
		if len(r.Examples) > 0 {
			var places []string
			for _, e := range r.Examples[:min(2, len(r.Examples))] {
				places = append(places, e.String())
			}
			where = p.faint("  " + strings.Join(places, " "))
		}
		p.line("  - %s%s", r.Message, where)
	}
}

// certainty marks what is not certain.
func (p *printer) certainty(c string) string {
	if c == "must" {
		return ""
	}
	return p.yellow(c)
}

// clip shortens a string to n columns.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		noun = strings.TrimSuffix(noun, "y") + "ies"
	} else {
		noun += "s"
	}
	return thousands(int64(n)) + " " + noun
}
