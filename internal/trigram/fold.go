package trigram

import (
	"encoding/binary"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldRune is the representative of all letters that differ from r in case only
// (unicode.SimpleFold): the lower-case one for ASCII, else the smallest.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	case 0x2E80 <= r && r < 0xA640: // Chinese and its neighbours have no case
		return r
	}
	low := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		low = min(low, f)
	}
	if 'A' <= low && low <= 'Z' {
		low += 'a' - 'A'
	}
	return low
}

// foldString folds the case of a text. Bytes that are no UTF-8 stay as they are.
func foldString(s string) string { return string(fold(nil, []byte(s)).text) }

// folded is a text whose case is folded, with the way back to the places of the original.
type folded struct {
	text   []byte
	shifts []shift
}

// shift says that from a place of the folded text on, the original's place is so much further.
type shift struct{ at, by int }

// fold folds a text into memory that it may take from buf.
func fold(buf, text []byte) folded {
	f := folded{text: buf[:0]}
	by := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			f.text = append(f.text, lower[c])
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			f.text = append(f.text, c)
			i++
			continue
		}
		before := len(f.text)
		f.text = utf8.AppendRune(f.text, foldRune(r))
		i += n
		if m := len(f.text) - before; m != n {
			by += n - m
			f.shifts = append(f.shifts, shift{at: len(f.text), by: by})
		}
	}
	return f
}

// original is the place in the original text of a place in the folded one.
func (f *folded) original(at int) int {
	n := sort.Search(len(f.shifts), func(i int) bool { return f.shifts[i].at > at })
	if n == 0 {
		return at
	}
	return at + f.shifts[n-1].by
}

// lower is foldRune for ASCII, and leaves other bytes.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// lowerASCII writes a text of ASCII in lower case to memory of its length, eight bytes at a time.
func lowerASCII(dst, text []byte) {
	const each = 0x0101010101010101
	i := 0
	for ; i+8 <= len(text); i += 8 {
		v := binary.LittleEndian.Uint64(text[i:])
		// The upper bit of each byte says whether the byte is at least 'A', and whether it is above 'Z'.
		upper := ((v + (0x80-'A')*each) ^ (v + (0x7f-'Z')*each)) & (0x80 * each)
		binary.LittleEndian.PutUint64(dst[i:], v|upper>>2)
	}
	for ; i < len(text); i++ {
		dst[i] = lower[text[i]]
	}
}

// classBits is how many bits of a trigram one byte has; there are so few classes
// that all trigrams fit into a table, and so many that code falls into few collisions.
const (
	classBits   = 6
	numClasses  = 1 << classBits
	numTrigrams = 1 << (3 * classBits)
)

// class maps a byte of folded text to its class: letters, digits, and what code is
// full of have their own, the others share.
var class = func() (t [256]uint8) {
	const own = "abcdefghijklmnopqrstuvwxyz0123456789_ \t\n(){}[].,;:\"'=+-*/<>&|!#"
	for i := range t {
		if at := strings.IndexByte(own, byte(i)); at >= 0 {
			t[i] = uint8(at)
		} else {
			t[i] = 37 + uint8(i)%27
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = t[c+'a'-'A'] // so that ASCII need not be folded first
	}
	return t
}()

// ascii says whether a text has ASCII only.
func ascii(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
