// Package term finds chunks by words. A Splitter turns names, prose and code
// into terms; an Index holds the terms of many documents in four fields and
// ranks them by BM25F; Search asks several indexes as if they were one.
//
// It may be imported by embed, search and what stands above them.
package term

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"golang.org/x/text/unicode/norm"
)

// Version is that of the rules by which text becomes terms. Raise it whenever
// the same text gives other terms: indexes of another version must not be asked.
const Version = 1

// maxTerm bounds a term, in bytes; longer runs of letters are data.
const maxTerm = 40

// Kind says what a text is, which decides about its stop words.
type Kind uint8

// The kinds of text.
const (
	Prose Kind = iota // documentation, queries: words of English that carry no meaning are left out
	Name              // identifiers and paths: nothing is left out
	Code              // bodies: the words of Prose and those that every program is made of are left out
)

// Splitter turns texts into terms. It remembers what it has split, which makes
// it fast and unfit for concurrent use. The zero value is ready.
type Splitter struct {
	stems map[string]string
	words map[string][]string // by run of identifier characters
}

// maxRemembered bounds each of a Splitter's memories.
const maxRemembered = 1 << 18

// Append appends the terms of a text in the order in which they stand. Terms are
// parts of identifiers (HTTPServer: http, server), without case, diacritics and
// the endings of English (Porter2, https://snowballstem.org/algorithms/english/stemmer.html);
// numbers stay with the letters before them (utf8, x509); scripts that do not
// put spaces between words give each pair of neighbours.
func (s *Splitter) Append(dst []string, text string, kind Kind) []string {
	for run := range runs(text) {
		for _, w := range s.split(run) {
			if !stopped(w, kind) {
				dst = append(dst, w)
			}
		}
	}
	return dst
}

// Whole appends identifiers of several parts as one term each, so that httpserver
// finds HTTPServer.
func (s *Splitter) Whole(dst []string, text string) []string {
	for run := range runs(text) {
		if parts := s.split(run); len(parts) > 1 && len(run) <= maxTerm {
			dst = append(dst, s.stem(fold(strings.ReplaceAll(run, "_", ""))))
		}
	}
	return dst
}

// runs yields the maximal runs of letters, digits, marks and underscores.
func runs(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		start := -1
		for i := 0; i < len(text); {
			c := text[i]
			n, in := 1, identifier(c)
			if c >= utf8.RuneSelf {
				var r rune
				r, n = utf8.DecodeRuneInString(text[i:])
				in = unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
			}
			switch {
			case in && start < 0:
				start = i
			case !in && start >= 0:
				if !yield(text[start:i]) {
					return
				}
				start = -1
			}
			i += n
		}
		if start >= 0 {
			yield(text[start:])
		}
	}
}

// identifier says whether an ASCII character is one of runs.
func identifier(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// split gives the terms of one run.
func (s *Splitter) split(run string) []string {
	if w, ok := s.words[run]; ok {
		return w
	}
	if s.words == nil || len(s.words) >= maxRemembered {
		s.words = make(map[string][]string, 1<<10)
	}
	run = strings.Clone(run) // so that the memory does not keep whole files
	var out []string
	for part := range parts(run) {
		out = s.term(out, part)
	}
	s.words[run] = out
	return out
}

// term appends the terms of one part of an identifier: one, unless its script has no spaces.
func (s *Splitter) term(dst []string, part string) []string {
	w := fold(part)
	if r, _ := utf8.DecodeRuneInString(w); spaceless(r) {
		return pairs(dst, w)
	}
	switch n := len(w); {
	case n == 0 || n > maxTerm:
		return dst
	case w[0] >= '0' && w[0] <= '9':
		if n < 2 || n > 5 {
			return dst // digits say little, long numbers are data
		}
		return append(dst, w)
	}
	return append(dst, s.stem(w))
}

func (s *Splitter) stem(w string) string {
	if t, ok := s.stems[w]; ok {
		return t
	}
	if s.stems == nil || len(s.stems) >= maxRemembered {
		s.stems = make(map[string]string, 1<<10)
	}
	t := english.Stem(w, true)
	s.stems[w] = t
	return t
}

// class of a character inside of an identifier.
type class uint8

const (
	other class = iota
	lower
	upper
	digit
)

func classOf(r rune) class {
	switch {
	case 'a' <= r && r <= 'z':
		return lower
	case 'A' <= r && r <= 'Z':
		return upper
	case '0' <= r && r <= '9' || unicode.IsDigit(r):
		return digit
	case r < utf8.RuneSelf:
		return other
	case unicode.IsUpper(r) || unicode.IsTitle(r):
		return upper
	}
	return lower
}

// parts yields the parts of an identifier: they end at underscores, before an
// upper-case letter that follows another kind or begins a lower-case run, and
// after digits. HTTPServer2Go gives HTTP, Server2, Go.
func parts(run string) func(func(string) bool) {
	return func(yield func(string) bool) {
		start, last := 0, other
		capital := 0 // where the latest upper-case letter stands
		for i, r := range run {
			c := classOf(r)
			end := -1
			switch {
			case c == other && last == other:
			case c == other:
				end = i
			case last == other:
				start = i
			case c == upper && last != upper, c == lower && last == digit:
				end = i
			case c == lower && last == upper && capital > start && !(r == 's' && ends(run[i+1:])):
				end = capital
			}
			if end > start {
				if !yield(run[start:end]) {
					return
				}
				start = end
			}
			if c == upper {
				capital = i
			}
			last = c
		}
		if last != other && start < len(run) {
			yield(run[start:])
		}
	}
}

// ends says whether an acronym's plural ends here: URLs, IDsByName.
func ends(rest string) bool {
	r, n := utf8.DecodeRuneInString(rest)
	return n == 0 || classOf(r) != lower
}

// fold takes case and diacritics away.
func fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return norm.NFC.String(b.String())
}

// spaceless says whether words of a character's script are written without spaces.
func spaceless(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Hangul)
}

// pairs appends each two neighbouring characters; a single one is a term by itself.
func pairs(dst []string, w string) []string {
	rs := []rune(w)
	if len(rs) == 1 {
		return append(dst, w)
	}
	for i := 0; i+2 <= len(rs); i++ {
		dst = append(dst, string(rs[i:i+2]))
	}
	return dst
}
