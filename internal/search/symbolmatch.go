package search

import (
	"bytes"
	"math/bits"
	"strings"

	"manito/internal/graph"
)

// Match says how a name fits a pattern. Better ones are greater.
type Match uint8

// The ways in which a name fits, from the weakest.
const (
	MatchNone      Match = iota
	MatchFuzzy           // with typing errors
	MatchSubstring       // somewhere inside
	MatchWord            // inside, from the beginning of a word
	MatchHumps           // the beginnings of its words: "nre" for NewRequest
	MatchPrefix          // it begins so
	MatchSqueezed        // but for case and signs between words: parse_config for parseConfig
	MatchFolded          // but for case
	MatchExact
)

var matchWords = [...]string{"none", "fuzzy", "substring", "word", "humps", "prefix", "same words", "same but for case", "exact"}

// String is the way in a few words.
func (m Match) String() string { return matchWords[m] }

// matchScores order the ways; what a definition weighs (see weigh) comes on top and
// is at most about 60, so that a way counts more than a weight except among neighbours.
var matchScores = [...]float64{0, 100, 200, 260, 330, 400, 500, 560, 620}

// pattern is a name that is looked for.
type pattern struct {
	raw      string
	folded   []byte
	squeezed []byte // folded without signs
	letters  uint64
	pairs    uint64
	budget   int // of typing errors; 0 for none
}

// newPattern makes a pattern of one name; words with spaces between are one name.
func newPattern(raw string) pattern {
	p := pattern{raw: strings.TrimSpace(raw)}
	p.folded = []byte(graph.Fold(p.raw))
	for _, c := range p.folded {
		if !sign(c) {
			p.squeezed = append(p.squeezed, c)
		}
	}
	if len(p.squeezed) == 0 {
		p.squeezed = p.folded
	}
	p.letters = letterSet(p.squeezed)
	p.pairs, _ = pairSet(p.squeezed)
	switch n := len(p.squeezed); {
	case n >= 12:
		p.budget = 3
	case n >= 5:
		p.budget = 2
	case n >= 3:
		p.budget = 1
	}
	return p
}

// fit says how a name fits, typing errors left out, and how closely within that
// way, 0 to 1. paired says whether the name may have the pattern in one piece.
func (p *pattern) fit(raw, folded []byte, humps uint64, paired bool) (Match, float64) {
	if !paired {
		if len(p.squeezed) > 1 && p.humps(folded, humps) {
			return MatchHumps, float64(len(p.squeezed)) / float64(len(folded))
		}
		return MatchNone, 0
	}
	if len(folded) == len(p.folded) && string(folded) == string(p.folded) {
		if string(raw) == p.raw {
			return MatchExact, 1
		}
		return MatchFolded, 1
	}
	if same, rest := p.squeezedPrefix(folded); same {
		if rest == 0 {
			return MatchSqueezed, 1
		}
		close := float64(len(p.squeezed)) / float64(len(folded))
		// A prefix that ends where a word ends fits better than one that cuts it.
		if end := len(folded) - rest; end < 64 && (humps>>end&1 != 0 || end < len(folded) && sign(folded[end])) {
			close = 0.5 + close/2
		} else {
			close /= 2
		}
		return MatchPrefix, close
	}
	if len(p.squeezed) > 1 && p.humps(folded, humps) {
		return MatchHumps, float64(len(p.squeezed)) / float64(len(folded))
	}
	if len(p.folded) < 2 {
		return MatchNone, 0
	}
	for at := 0; ; {
		i := bytes.Index(folded[at:], p.folded)
		if i < 0 {
			break
		}
		i += at
		if i < 64 && humps>>i&1 != 0 {
			return MatchWord, float64(len(p.folded)) / float64(len(folded))
		}
		at = i + 1
	}
	switch {
	case bytes.Contains(folded, p.folded):
		return MatchSubstring, float64(len(p.folded)) / float64(len(folded))
	case len(p.squeezed) != len(p.folded) || bytes.ContainsAny(folded, "_-"):
		if p.squeezedInside(folded) {
			return MatchSubstring, float64(len(p.squeezed)) / float64(len(folded)) / 2
		}
	}
	return MatchNone, 0
}

// squeezedPrefix says whether a name begins with the pattern when signs do not
// count, and how many bytes are left after it.
func (p *pattern) squeezedPrefix(folded []byte) (bool, int) {
	at := 0
	for i, c := range folded {
		if at == len(p.squeezed) {
			rest := len(folded) - i
			for _, c := range folded[i:] {
				if !sign(c) {
					return true, rest
				}
			}
			return true, 0
		}
		if c == p.squeezed[at] {
			at++
		} else if !sign(c) {
			return false, 0
		}
	}
	return at == len(p.squeezed), 0
}

// squeezedInside says whether a name has the pattern inside when signs do not count.
func (p *pattern) squeezedInside(folded []byte) bool {
	for i, c := range folded {
		if c == p.squeezed[0] {
			if ok, _ := p.squeezedPrefix(folded[i:]); ok {
				return true
			}
		}
	}
	return false
}

// humps says whether the pattern is made of beginnings of the name's words, in
// order, from the first word; words in between may be left out.
func (p *pattern) humps(folded []byte, humps uint64) bool {
	if humps&(humps-1) == 0 || folded[bits.TrailingZeros64(humps)] != p.squeezed[0] {
		return false
	}
	return humpsFrom(p.squeezed, folded, humps, bits.TrailingZeros64(humps), 0)
}

// humpsFrom matches the pattern's rest from a byte at which a word begins. depth
// bounds what a name made of one repeated letter can cost.
func humpsFrom(rest, folded []byte, humps uint64, at, depth int) bool {
	if depth > 12 {
		return false
	}
	n := 0
	for n < len(rest) && at+n < len(folded) && folded[at+n] == rest[n] {
		n++
		if n == len(rest) {
			return true
		}
		// The pattern may go on with a later word after each letter.
		for later := humps &^ (1<<min(63, at+n) - 1); later != 0; later &= later - 1 {
			h := bits.TrailingZeros64(later)
			if h >= len(folded) {
				break
			}
			if folded[h] == rest[n] && humpsFrom(rest[n:], folded, humps, h, depth+1) {
				return true
			}
		}
	}
	return false
}

// near is the number of typing errors between the pattern and a name, or budget+1.
func (p *pattern) near(folded, buffer []byte) int {
	squeezed := buffer[:0]
	for _, c := range folded {
		if !sign(c) {
			squeezed = append(squeezed, c)
		}
	}
	if d := len(squeezed) - len(p.squeezed); d > p.budget || -d > p.budget {
		return p.budget + 1
	}
	return distance(p.squeezed, squeezed, p.budget)
}

// maxPattern bounds the length of patterns and names that are compared letter by letter.
const maxPattern = 64

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours between two names (optimal string alignment, in the banded form:
// only cells within limit of the diagonal can matter), or limit+1 when it is more.
func distance(a, b []byte, limit int) int {
	if d := len(a) - len(b); len(a) > maxPattern || len(b) > maxPattern+3 || d > limit || -d > limit {
		return limit + 1
	}
	var rows [3][maxPattern + 5]uint8
	before, prev, cur := &rows[0], &rows[1], &rows[2]
	far := uint8(limit + 1)
	n := len(b)
	for j := range n + 1 {
		prev[j] = uint8(min(j, limit+1))
	}
	for i := 1; i <= len(a); i++ {
		lo, hi := max(1, i-limit), min(n, i+limit)
		cur[lo-1] = far
		if lo == 1 {
			cur[0] = uint8(min(i, limit+1))
		}
		least := cur[lo-1]
		for j := lo; j <= hi; j++ {
			d := prev[j-1]
			if a[i-1] != b[j-1] {
				d++
				up := far
				if j < i+limit {
					up = prev[j] + 1
				}
				d = min(d, up, cur[j-1]+1)
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d = min(d, before[j-2]+1)
				}
			}
			cur[j] = min(d, far)
			least = min(least, cur[j])
		}
		if least >= far {
			return limit + 1
		}
		before, prev, cur = prev, cur, before
	}
	return int(prev[n])
}
