package postgres

import (
	"encoding/binary"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxWord is how many characters of a word are kept, here and in the SQL function search_words.
const maxWord = 64

// Words takes a text apart as the SQL function search_words does: ASCII letters
// lose their case, identifiers fall apart where it changes ("parseHTTPRequest" is
// parse, http, request), and every other ASCII character but a digit ends a word.
// Words come in order, with repetitions.
func Words(text string) []string {
	var out []string
	var word []byte
	runes := 0
	flush := func() {
		if len(word) > 0 {
			out = append(out, string(word))
		}
		word, runes = word[:0], 0
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= utf8.RuneSelf:
			if utf8.RuneStart(c) {
				runes++
			}
		case isUpper(c):
			if i > 0 && (isLower(text[i-1]) || isDigit(text[i-1]) || isUpper(text[i-1]) && i+1 < len(text) && isLower(text[i+1])) {
				flush()
			}
			c += 'a' - 'A'
			runes++
		case isLower(c) || isDigit(c):
			runes++
		default:
			flush()
			continue
		}
		if runes <= maxWord {
			word = append(word, c)
		}
	}
	flush()
	return out
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// The weights of words, as a tsvector numbers them.
const (
	weightDoc     = 1 // C
	weightContext = 2 // B
	weightName    = 3 // A
)

// vector collects the words of a row of chunks: for each word the chunks that
// have it, each with the greatest weight, as the tsvector's positions.
type vector struct {
	words map[string][]uint16
	size  int // bytes of the words, once each
}

// add gives the chunk at a position (from 1) a word.
func (v *vector) add(word string, position, weight uint16) {
	list, known := v.words[word]
	if !known {
		v.size += len(word)
	}
	if n := len(list); n > 0 && list[n-1]&(1<<14-1) == position {
		list[n-1] = max(list[n-1], weight<<14|position)
		return
	}
	v.words[word] = append(list, weight<<14|position)
}

// vector appends a tsvector in the form of tsvectorrecv.
func (r *rows) vector(v *vector) {
	at := len(r.b)
	r.b = append(r.b, 0, 0, 0, 0)
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(len(v.words)))
	for _, w := range slices.Sorted(maps.Keys(v.words)) {
		r.b = append(append(r.b, w...), 0)
		r.b = binary.BigEndian.AppendUint16(r.b, uint16(len(v.words[w])))
		for _, p := range v.words[w] {
			r.b = binary.BigEndian.AppendUint16(r.b, p)
		}
	}
	binary.BigEndian.PutUint32(r.b[at:], uint32(len(r.b)-at-4))
}
