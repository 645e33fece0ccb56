package trigram_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"manito/internal/trigram"
)

// tree is a snapshot: the texts of its files, by number; nil for a file without a text.
type tree [][]byte

// GoString abbreviates the tree where a property has failed.
func (tr tree) GoString() string {
	out := ""
	for i, text := range tr {
		out += fmt.Sprintf("%d: %d bytes %.300q\n", i, len(text), text)
	}
	return out
}

func (tr tree) snapshot() trigram.Snapshot {
	texts := map[trigram.Hash][]byte{}
	snap := trigram.Snapshot{}
	id := sha256.New()
	for _, text := range tr {
		var h trigram.Hash
		if text != nil {
			h = sha256.Sum256(text)
			texts[h] = text
		}
		id.Write(h[:])
		snap.Files = append(snap.Files, h)
	}
	snap.Digest = [32]byte(id.Sum(nil))
	snap.Texts = func(_ context.Context, hashes []trigram.Hash, give func(trigram.Hash, []byte) error) error {
		for _, h := range hashes {
			text, ok := texts[h]
			if !ok {
				return fmt.Errorf("no text has the hash %x", h)
			}
			if err := give(h, text); err != nil {
				return err
			}
		}
		return nil
	}
	return snap
}

type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// open brings the index in a folder up to date with a tree and opens it.
func open(t failer, dir string, tr tree) *trigram.Index {
	t.Helper()
	snap := tr.snapshot()
	if _, err := trigram.Update(context.Background(), dir, snap); err != nil {
		t.Fatal(err)
	}
	ix, err := trigram.Open(dir, snap.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func opened(t *testing.T, texts ...string) *trigram.Index {
	t.Helper()
	tr := make(tree, len(texts))
	for i, s := range texts {
		tr[i] = []byte(s)
	}
	ix := open(t, t.TempDir(), tr)
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	})
	return ix
}

func compile(t failer, p trigram.Pattern) *trigram.Matcher {
	t.Helper()
	m, err := trigram.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// search collects what a search yields.
func search(t failer, ix *trigram.Index, x trigram.Expr, limits trigram.Limits) ([]trigram.File, trigram.Report) {
	t.Helper()
	var out []trigram.File
	report, err := ix.Search(context.Background(), x, limits, func(f trigram.File) bool {
		out = append(out, f)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, report
}

// place is a line of a file.
type place struct{ file, line int }

func places(files []trigram.File) map[place]bool {
	out := map[place]bool{}
	for _, f := range files {
		for _, l := range f.Lines {
			if l.Match {
				out[place{int(f.File), int(l.Number)}] = true
			}
		}
	}
	return out
}

// blockBytes is how much text a block has at most, unless a line is longer.
const blockBytes = 1024

// words are what drawn texts are made of: few, so that patterns drawn apart from them are found, and awkward.
var words = []string{
	"foo", "Foo", "FOO", "bar", "fooBar", "x1", "a", "b", "ab", "{", "}", "(", "_", ".", " ", "  ", "\t", "0", "42", "=", "err != nil",
	"straße", "STRASSE", "ſ", "S", "k", "\u212a", "σ", "ς", "Σ", "é", "É", "日本", "Ⱥ", "ⱥ", "ǆ", "ǅ", "İ", "ı", "\u00a0", "😀", "\r",
}

// dirty are words that are no UTF-8 or look binary.
var dirty = []string{"\x00", "\xff", "\xc3", "\xe6\x97", "\x01", "\ufffd"}

// trees draws trees of texts: clean UTF-8 only when clean is set.
func trees(clean bool) *rapid.Generator[tree] {
	from := words
	if !clean {
		from = append(append([]string{}, words...), dirty...)
	}
	word := rapid.SampledFrom(from)
	line := rapid.Custom(func(t *rapid.T) []byte {
		var out []byte
		n := rapid.IntRange(0, 6).Draw(t, "words")
		for range n {
			out = append(out, word.Draw(t, "word")...)
		}
		switch rapid.IntRange(0, 60).Draw(t, "length") {
		case 0: // longer than a block
			for base := out; len(base) > 0 && len(out) < 2*blockBytes; {
				out = append(out, base...)
			}
		}
		return out
	})
	text := rapid.Custom(func(t *rapid.T) []byte {
		out := []byte{}
		for range rapid.IntRange(0, 8).Draw(t, "lines") {
			l := line.Draw(t, "line")
			end := rapid.SampledFrom([]string{"\n", "\n", "\n", "\r\n"}).Draw(t, "end")
			times := rapid.SampledFrom([]int{1, 1, 1, 1, 1, 90}).Draw(t, "times") // so that there are several blocks
			if len(l) > blockBytes {
				times = 1
			}
			for range times {
				out = append(append(out, l...), end...)
			}
		}
		if rapid.Bool().Draw(t, "open") {
			out = append(out, line.Draw(t, "last")...)
		}
		return out
	})
	return rapid.Custom(func(t *rapid.T) tree {
		tr := make(tree, rapid.IntRange(1, 6).Draw(t, "files"))
		for i := range tr {
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0: // no text
			case 1:
				tr[i] = tr[rapid.IntRange(0, i).Draw(t, "twin")]
			default:
				tr[i] = text.Draw(t, "text")
			}
		}
		return tr
	})
}
