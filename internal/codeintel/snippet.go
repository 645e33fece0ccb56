package codeintel

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"manito/internal/graph"
	qlang "manito/internal/query"
)

const (
	snippetLines = 3   // beside the line of the name
	snippetWidth = 240 // bytes of a line
	snippetLook  = 400 // lines of a symbol that are looked through
)

// highlightWords are what a query looks for in texts, folded; long words without
// their endings, because searches by words find other forms too.
func highlightWords(q qlang.Query) (words []string) {
	qlang.Walk(q.Root, func(n qlang.Q, not bool) {
		if not {
			return
		}
		value := qlang.Value{}
		switch n := n.(type) {
		case qlang.Text:
			value = n.Value
		case qlang.Is:
			if n.Field != qlang.Symbol {
				return
			}
			value = n.Value
		}
		if value.Form == qlang.Regexp || value.Text == "" {
			return
		}
		for _, w := range strings.FieldsFunc(graph.Fold(value.Text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len(w) < 3 || slices.Contains(words, w) || commonWords[w] {
				continue
			}
			if len(w) > 6 && len(w) == utf8.RuneCountInString(w) {
				w = w[:len(w)-2]
			}
			words = append(words, w)
		}
	})
	return words
}

// commonWords are not worth a mark.
var commonWords = map[string]bool{"the": true, "and": true, "for": true, "how": true, "are": true, "where": true, "what": true, "which": true, "does": true, "with": true, "that": true, "from": true, "when": true, "who": true, "why": true, "this": true, "into": true}

// snippet shows the line of a name and those lines of its symbol or section in which
// most words of the query stand. name, from and to count from 1.
func snippet(text []byte, name, from, to int, words []string, around int) []SearchLine {
	lines := bytes.Split(text, []byte("\n"))
	name, from, to = min(max(name, 1), len(lines)), max(from, 1), min(to, len(lines))
	type scored struct{ line, words int }
	var best []scored
	for n := from; n <= min(to, from+snippetLook); n++ {
		if n == name {
			continue
		}
		if c := countWords(lines[n-1], words); c > 0 {
			best = append(best, scored{n, c})
		}
	}
	slices.SortStableFunc(best, func(a, b scored) int { return b.words - a.words })
	show := []int{name}
	for _, b := range best[:min(len(best), snippetLines)] {
		show = append(show, b.line)
	}
	for _, n := range slices.Clone(show) {
		for k := max(1, n-around); around > 0 && k <= min(len(lines), n+around); k++ {
			show = append(show, k)
		}
	}
	slices.Sort(show)
	show = slices.Compact(show)
	out := make([]SearchLine, 0, len(show))
	for _, n := range show {
		out = append(out, snippetLine(lines[n-1], n, words))
	}
	return out
}

func countWords(line []byte, words []string) (n int) {
	folded := graph.Fold(string(line[:min(len(line), 4096)]))
	for _, w := range words {
		if strings.Contains(folded, w) {
			n++
		}
	}
	return n
}

// snippetLine is a line with its words marked; of a long one the part from the first mark on.
func snippetLine(line []byte, number int, words []string) SearchLine {
	s := strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "\uFFFD")
	out := SearchLine{Line: number, Text: s}
	folded := graph.Fold(s)
	if len(folded) == len(s) { // else places in the folded text are not those in the line
		for _, w := range words {
			for at := 0; ; {
				i := strings.Index(folded[at:], w)
				if i < 0 {
					break
				}
				out.Ranges = append(out.Ranges, SearchRange{at + i, at + i + len(w)})
				at += i + len(w)
			}
		}
	}
	slices.SortFunc(out.Ranges, func(a, b SearchRange) int { return a.Start - b.Start })
	out.Ranges = joined(out.Ranges)
	out.Match = len(out.Ranges) > 0
	if len(s) <= snippetWidth {
		return out
	}
	from := 0
	if out.Match && out.Ranges[0].End > snippetWidth {
		from = out.Ranges[0].Start - snippetWidth/4
	}
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	to := min(len(s), from+snippetWidth)
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to--
	}
	out.Text, out.Cut = s[from:to], true
	var kept []SearchRange
	for _, r := range out.Ranges {
		if r.Start >= from && r.End <= to {
			kept = append(kept, SearchRange{r.Start - from, r.End - from})
		}
	}
	out.Ranges = kept
	return out
}

// joined joins ranges that overlap.
func joined(ranges []SearchRange) (out []SearchRange) {
	for _, r := range ranges {
		if n := len(out); n > 0 && r.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}
