package trigram

import (
	"bytes"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"manito/internal/problem"
)

// Pattern is what is looked for in texts.
type Pattern struct {
	Text   string
	Regexp bool // Text is a regex, not a literal
	Case   bool // upper and lower case differ
}

// Matcher is a compiled Pattern. It is safe for concurrent use.
//
// A literal matches wherever its bytes are; without Case, wherever they are after
// simple Unicode case folding of both. A regex matches within a line, whose ends (\n or
// \r\n) are no part of it, unless it asks for line ends itself (\n, (?s)., \A, \z): then
// it matches in the whole text. Matches do not overlap, and the leftmost wins.
type Matcher struct {
	pattern Pattern
	need    need
	whole   bool // must be looked for in whole documents, not in blocks
	lit     literal
	re      *regexp.Regexp
	anchors []literal // one of them is in each match and so in its line
}

// Compile prepares a pattern. Its errors are of kind problem.Usage.
func Compile(p Pattern) (*Matcher, error) {
	if p.Text == "" {
		return nil, problem.New(problem.Usage, "nothing to look for").Fix("say what to look for")
	}
	m := &Matcher{pattern: p}
	if !p.Regexp {
		m.lit = literal{text: p.Text}
		if !p.Case {
			m.lit = m.lit.folded()
		}
		m.need = need{op: needLiteral, lit: m.lit}
		m.whole = strings.Contains(p.Text, "\n")
		return m, nil
	}
	flags := syntax.Perl &^ syntax.OneLine
	if !p.Case {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(p.Text, flags)
	if err != nil {
		why := err.Error()
		var bad *syntax.Error
		if errors.As(err, &bad) {
			why = bad.Code.String() + ": " + bad.Expr
		}
		return nil, problem.New(problem.Usage, "the regex /%s/ cannot be read (%s)", p.Text, why).Fix("regexes are RE2: https://github.com/google/re2/wiki/Syntax")
	}
	if m.whole = crossesLines(tree, namesLineEnd(p.Text)); !m.whole {
		stayInLine(tree)
	}
	if m.re, err = regexp.Compile(tree.String()); err != nil {
		return nil, problem.Wrap(err, problem.Usage, "the regex /%s/ cannot be used", p.Text)
	}
	m.need = needs(tree)
	if lits, ok := m.need.anchors(); ok {
		m.anchors = lits
	}
	return m, nil
}

// Pattern is what was compiled.
func (m *Matcher) Pattern() Pattern { return m.pattern }

// Indexed says whether the index narrows down where to look: a search for a regex
// without a literal has to read everything.
func (m *Matcher) Indexed() bool { return m.need.op != needNothing }

// namesLineEnd says whether a regex spells a line end, or sets the flag with which a dot is one too.
func namesLineEnd(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\n':
			return true
		case '(':
			flags, ok := strings.CutPrefix(pattern[i:], "(?")
			if end := strings.IndexAny(flags, "-:)<"); ok && end > 0 && strings.Contains(flags[:end], "s") {
				return true
			}
		case '\\':
			i++
			for _, esc := range []string{"n", "x0a", "x0A", "x{a}", "x{A}", "x{0a}", "x{0A}", "012"} {
				if strings.HasPrefix(pattern[min(i, len(pattern)):], esc) {
					return true
				}
			}
		}
	}
	return false
}

// crossesLines says whether a regex asks for line ends. Classes such as \s and
// [^x] have them too, and the parser makes any character of (.|\s); but only a
// regex that spells them means them.
func crossesLines(re *syntax.Regexp, named bool) bool {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText:
		return true
	case syntax.OpAnyChar:
		return named
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, '\n')
	case syntax.OpCharClass:
		return named && hasLineEnd(re.Rune)
	}
	return slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return crossesLines(sub, named) })
}

func hasLineEnd(class []rune) bool {
	for i := 0; i < len(class); i += 2 {
		if class[i] <= '\n' && '\n' <= class[i+1] {
			return true
		}
	}
	return false
}

// stayInLine takes line ends out of the classes of a regex.
func stayInLine(re *syntax.Regexp) {
	if re.Op == syntax.OpAnyChar {
		re.Op = syntax.OpAnyCharNotNL
	}
	if re.Op == syntax.OpCharClass && hasLineEnd(re.Rune) {
		var out []rune
		for i := 0; i < len(re.Rune); i += 2 {
			from, to := re.Rune[i], re.Rune[i+1]
			if from > '\n' || to < '\n' {
				out = append(out, from, to)
				continue
			}
			if from < '\n' {
				out = append(out, from, '\n'-1)
			}
			if to > '\n' {
				out = append(out, '\n'+1, to)
			}
		}
		if re.Rune = out; len(out) == 0 {
			re.Op = syntax.OpNoMatch
		}
	}
	for _, sub := range re.Sub {
		stayInLine(sub)
	}
}

// span is a piece of a text, from a byte to before another.
type span struct{ from, to int }

// piece is a text that is looked through, with what was made from it so far.
type piece struct {
	text   []byte
	ascii  bool
	cr     bool // some line ends with \r\n
	folded folded
	done   bool // folded is made
	buf    []byte
}

func (p *piece) fold() *folded {
	if !p.done {
		p.done = true
		if p.ascii {
			if cap(p.buf) < len(p.text) {
				p.buf = make([]byte, len(p.text), max(len(p.text), blockBytes))
			}
			p.buf = p.buf[:len(p.text)]
			lowerASCII(p.buf, p.text)
			p.folded = folded{text: p.buf}
		} else {
			p.folded = fold(p.buf, p.text)
			p.buf = p.folded.text
		}
	}
	return &p.folded
}

// each calls visit for the places of a literal from left to right, until it returns false.
func (l literal) each(p *piece, visit func(span) bool) {
	if !l.fold {
		for at := 0; ; {
			n := bytes.Index(p.text[at:], []byte(l.text))
			if n < 0 || !visit(span{at + n, at + n + len(l.text)}) {
				return
			}
			at += n + len(l.text)
		}
	}
	f := p.fold()
	for at := 0; ; {
		n := bytes.Index(f.text[at:], []byte(l.text))
		if n < 0 {
			return
		}
		from := at + n
		at = from + len(l.text)
		if !visit(span{f.original(from), f.original(at)}) {
			return
		}
	}
}

// find appends the places of the pattern in a piece, most of them when there are more than most.
func (m *Matcher) find(p *piece, dst []span, most int) []span {
	if m.re == nil {
		m.lit.each(p, func(s span) bool {
			dst = append(dst, s)
			most--
			return most > 0
		})
		return dst
	}
	switch {
	case m.whole:
		return m.run(p.text, 0, dst, most)
	case len(m.anchors) > 0:
		return m.findAnchored(p, dst, most)
	case p.cr:
		for at := 0; at < len(p.text) && most > 0; {
			end, next := lineEnd(p.text, at)
			before := len(dst)
			dst = m.run(p.text[at:end], at, dst, most)
			most -= len(dst) - before
			at = next
		}
		return dst
	}
	return m.run(p.text, 0, dst, most)
}

// lacks says whether a piece of the text cannot match, because something that is
// needed is not in it. To look for literals takes a fraction of what a regex takes.
func (n need) lacks(p *piece, from, to int) bool {
	switch n.op {
	case needLiteral:
		if !n.lit.fold {
			return !bytes.Contains(p.text[from:to], []byte(n.lit.text))
		}
		return p.ascii && !bytes.Contains(p.fold().text[from:to], []byte(n.lit.text))
	case needAll:
		return slices.ContainsFunc(n.kids, func(k need) bool { return k.lacks(p, from, to) })
	case needOne:
		return !slices.ContainsFunc(n.kids, func(k need) bool { return !k.lacks(p, from, to) })
	}
	return false
}

// findAnchored runs the regex on the lines that have an anchor.
func (m *Matcher) findAnchored(p *piece, dst []span, most int) []span {
	if len(m.anchors) == 1 {
		done := 0 // lines before it were looked at
		m.anchors[0].each(p, func(s span) bool {
			if s.from < done {
				return true
			}
			from := bytes.LastIndexByte(p.text[:s.from], '\n') + 1
			end, next := lineEnd(p.text, from)
			done = next
			if m.need.lacks(p, from, end) {
				return true
			}
			before := len(dst)
			dst = m.run(p.text[from:end], from, dst, most)
			most -= len(dst) - before
			return most > 0
		})
		return dst
	}
	var lines []int
	for _, a := range m.anchors {
		done := 0
		a.each(p, func(s span) bool {
			if s.from < done {
				return true
			}
			from := bytes.LastIndexByte(p.text[:s.from], '\n') + 1
			_, done = lineEnd(p.text, from)
			lines = append(lines, from)
			return true
		})
	}
	slices.Sort(lines)
	for _, from := range slices.Compact(lines) {
		if most <= 0 {
			break
		}
		end, _ := lineEnd(p.text, from)
		if m.need.lacks(p, from, end) {
			continue
		}
		before := len(dst)
		dst = m.run(p.text[from:end], from, dst, most)
		most -= len(dst) - before
	}
	return dst
}

// run appends the matches of the regex in a text that begins at a place.
func (m *Matcher) run(text []byte, at int, dst []span, most int) []span {
	for _, loc := range m.re.FindAllIndex(text, most) {
		if loc[0] == loc[1] && loc[0] == len(text) && loc[0] > 0 && text[loc[0]-1] == '\n' {
			continue // after the last line end is no line
		}
		dst = append(dst, span{at + loc[0], at + loc[1]})
	}
	return dst
}

// lineEnd is where the line that begins at a place ends, without its line end, and where the next begins.
func lineEnd(text []byte, at int) (end, next int) {
	n := bytes.IndexByte(text[at:], '\n')
	if n < 0 {
		return len(text), len(text)
	}
	end, next = at+n, at+n+1
	if end > at && text[end-1] == '\r' {
		end--
	}
	return end, next
}
