package trigram

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"
)

func built(f interface{ Fatal(...any) }, texts ...string) []byte {
	b := NewBuilder()
	for _, text := range texts {
		if err := b.Add(sha256.Sum256([]byte(text)), []byte(text)); err != nil {
			f.Fatal(err)
		}
	}
	head, parts := b.parts()
	out := head
	for _, p := range parts {
		out = append(out, p...)
		out = append(out, make([]byte, padded(len(p))-len(p))...)
	}
	return out
}

// reseal makes the checksums of a damaged segment right, so that what lies behind them is reached.
func reseal(b []byte) {
	const head = headerSize + entrySize*numSections
	if len(b) < head {
		return
	}
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], numSections)
	binary.LittleEndian.PutUint64(b[48:], uint64(len(b)))
	parts := make([][]byte, numSections)
	for i := range parts {
		e := b[headerSize+entrySize*i:]
		off, length := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:])
		if off <= uint64(len(b)) && length <= uint64(len(b))-off {
			parts[i] = b[off : off+length]
		}
	}
	for _, s := range [][3]int{{sectionTextAt, sectionText, sectionSums}, {sectionListAt, sectionPostings, sectionListSum}} {
		at, data, sums := parts[s[0]], parts[s[1]], parts[s[2]]
		for i := 0; 4*i+8 <= len(at) && 4*i+4 <= len(sums); i++ {
			if from, to := u32(at, i), u32(at, i+1); from <= to && int64(to) <= int64(len(data)) {
				binary.LittleEndian.PutUint32(sums[4*i:], uint32(xxh3.Hash(data[from:to])))
			}
		}
	}
	for i, p := range parts {
		binary.LittleEndian.PutUint64(b[headerSize+entrySize*i+16:], xxh3.Hash(p))
	}
	binary.LittleEndian.PutUint64(b[56:], headSum(b[:head]))
}

// FuzzSegment opens and searches damaged segments: it must come to an error or an
// answer. A change is a place and a byte.
func FuzzSegment(f *testing.F) {
	seed := built(f, "one needle\ntwo\r\nthree straße\n", strings.Repeat("filler of a line\n", 600), "needle", "", "x\xffy\n")
	f.Add([]byte{}, true)
	f.Add([]byte{0, 0, 0, 70, 1}, true)
	f.Add([]byte{0, 0, 1, 144, 255, 0, 0, 2, 2, 7}, true)
	f.Add([]byte{0, 0, 0, 9, 1}, false)
	f.Fuzz(func(t *testing.T, changes []byte, sealed bool) {
		b := append([]byte{}, seed...)
		for ; len(changes) >= 5; changes = changes[5:] {
			b[int(binary.BigEndian.Uint32(changes))%len(b)] = changes[4]
		}
		if sealed {
			reseal(b)
		}
		s, err := decodeSegment(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Fatal(err)
			}
			return
		}
		m := &manifest{segments: []string{"a"}}
		for d := range s.docs {
			m.segment, m.doc = append(m.segment, 0), append(m.doc, uint32(d))
		}
		ix := &Index{manifest: m, segments: []*segment{s}}
		if err := ix.place(); err != nil {
			t.Fatal(err)
		}
		for _, p := range []Pattern{{Text: "needle"}, {Text: "e"}, {Text: "straße", Case: true}, {Text: `\w+ \w`, Regexp: true}, {Text: "e\n.*o", Regexp: true}} {
			matcher, err := Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			_, err = ix.Search(context.Background(), Or{Has{matcher}, Not{Has{matcher}}}, Limits{Context: 1}, func(File) bool { return true })
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
		}
		if err := s.verify(); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	})
}

// FuzzManifest reads damaged manifests.
func FuzzManifest(f *testing.F) {
	parts := [][]byte{[]byte(segmentName([32]byte{1}) + "\n" + segmentName([32]byte{2})), pack([]uint32{0, none, 1}), pack([]uint32{0, 0, 1})}
	seed := layout(manifestMagic, [32]byte{3}, parts)
	for _, p := range parts {
		seed = append(seed, p...)
		seed = append(seed, make([]byte, padded(len(p))-len(p))...)
	}
	if m, err := decodeManifest(seed); err != nil || len(m.segments) != 2 || len(m.doc) != 3 {
		f.Fatal(m, err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := decodeManifest(b); err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
			t.Fatal(err)
		}
	})
}

// FuzzPattern compares a search of any pattern in any text with the pattern alone.
func FuzzPattern(f *testing.F) {
	f.Add("needle", "one needle\ntwo", false, false)
	f.Add(`(a|b)+c\s`, "abac \nc", true, true)
	f.Add(`(?i)k.ſ`, "K\xffs", true, true)
	f.Add(`[^a]b\n`, "cb\r\nb\n", true, false)
	f.Fuzz(func(t *testing.T, pattern, text string, isRegex, cases bool) {
		if len(pattern) > 200 || len(text) > 20_000 {
			return
		}
		m, err := Compile(Pattern{Text: pattern, Regexp: isRegex, Case: cases})
		if err != nil {
			return
		}
		// The text stands among others, so that there is something to leave out.
		s, err := decodeSegment(built(t, "other\n", text, "more\n"))
		if err != nil {
			t.Fatal(err)
		}
		doc := 1
		if s.docs < 3 {
			return // the text is one of the others
		}
		ix := &Index{manifest: &manifest{segments: []string{"a"}, segment: []uint32{0}, doc: []uint32{uint32(doc)}}, segments: []*segment{s}}
		if err := ix.place(); err != nil {
			t.Fatal(err)
		}
		found := false
		if _, err := ix.Search(context.Background(), Has{m}, Limits{}, func(File) bool { found = true; return true }); err != nil {
			t.Fatal(err)
		}
		if want := alone(m, []byte(text)); found != want {
			t.Fatalf("%+v in %q: %v, alone %v", m.pattern, text, found, want)
		}
	})
}

// alone looks for a pattern without an index: in the whole text, or line by line.
func alone(m *Matcher, text []byte) bool {
	if m.re == nil {
		p := &piece{text: text}
		return len(m.find(p, nil, 1)) > 0
	}
	if m.whole {
		return len(text) > 0 && len(m.run(text, 0, nil, 2)) > 0
	}
	for at := 0; at < len(text); {
		end, next := lineEnd(text, at)
		if m.re.Match(text[at:end]) {
			return true
		}
		at = next
	}
	return false
}
