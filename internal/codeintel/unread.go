package codeintel

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"manito/internal/code"
	"manito/internal/graph"
)

// A file that was not read, or only in part, may use anything. But what never
// has a name written in it cannot use it by that name: the words of such files
// are looked at once, so that a broken file far away does not make every answer
// doubtful.

// unreadBudget bounds the bytes of unread files that are looked at; the others count as mentioning everything.
const unreadBudget = 16 << 20

// unreadWords are the words of the files that were not or only partly read.
type unreadWords struct{ words once[wordFiles] }

// wordFiles tells which of the looked-at files have a word.
type wordFiles struct {
	read  map[graph.FileNo]bool
	files map[uint64][]graph.FileNo // by hash of the word, ascending
}

// mentions says whether a file has the word, as far as is known.
func (w *wordFiles) mentions(f graph.FileNo, name string) (mentions, known bool) {
	if !w.read[f] {
		return true, false
	}
	_, ok := slices.BinarySearch(w.files[xxh3.HashString(name)], f)
	return ok, true
}

// unreadFiles lists the files of which something is missing, and those in
// languages that are not read, if their ending is one of the hosts of some language.
func (x *Index) unreadFiles() []graph.FileNo {
	marked := x.marked()
	var all []graph.FileNo
	for _, f := range marked.unread {
		if x.g.State(f) == graph.StateUnread || hostOfAny(x.g.Path(f)) {
			all = append(all, f)
		}
	}
	all = append(all, marked.partly...)
	slices.Sort(all)
	return slices.Compact(all)
}

func hostOfAny(p string) bool {
	for _, family := range []string{"go", "typescript", "python"} {
		if slices.Contains(traitsOf(family).hosts, path.Ext(p)) {
			return true
		}
	}
	return false
}

// words reads the words of unread files, once for the index.
func (x *Index) words(ctx context.Context) (wordFiles, error) {
	return x.unread.words.do(func() (wordFiles, error) {
		w := wordFiles{read: map[graph.FileNo]bool{}, files: map[uint64][]graph.FileNo{}}
		if x.opts.Text == nil {
			return w, nil
		}
		var files []graph.FileNo
		var paths []string
		left := int64(unreadBudget)
		for _, f := range x.unreadFiles() {
			if size := int64(x.g.File(f).Size); size <= left {
				left -= size
				files = append(files, f)
				paths = append(paths, x.g.Path(f))
			}
		}
		if len(files) == 0 {
			return w, nil
		}
		texts, err := x.opts.Text.Texts(ctx, paths)
		if err != nil {
			return w, err
		}
		for i, f := range files {
			if i >= len(texts) || texts[i] == nil {
				continue
			}
			w.read[f] = true
			// A page without code mentions nothing, whatever its prose says.
			if page(paths[i]) && !bytes.Contains(texts[i], []byte("<script")) && !bytes.Contains(texts[i], []byte("{{")) && !bytes.Contains(texts[i], []byte("{%")) {
				continue
			}
			text := texts[i]
			if path.Ext(paths[i]) == ".s" { // Go's assembly writes a middle dot before a name
				text = bytes.ReplaceAll(text, []byte("·"), []byte(" "))
			}
			eachWord(text, func(word []byte) {
				h := xxh3.Hash(word)
				if list := w.files[h]; len(list) == 0 || list[len(list)-1] != f {
					w.files[h] = append(list, f)
				}
			})
		}
		return w, nil
	})
}

func page(p string) bool {
	e := path.Ext(p)
	return e == ".html" || e == ".htm"
}

// eachWord yields the runs of letters, digits, "_" and "$"; bytes beyond ASCII count as letters.
func eachWord(b []byte, yield func([]byte)) {
	start := -1
	for i, c := range b {
		if c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80 {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			yield(b[start:i])
			start = -1
		}
	}
	if start >= 0 {
		yield(b[start:])
	}
}

// files looks at the files that were not or only partly read and could use the symbol.
func (q *inquiry) files(ctx context.Context) error {
	g := q.x.g
	marked := q.x.marked()
	for _, f := range marked.partly {
		if !q.sees(f) {
			continue
		}
		if ok, err := q.mentioned(ctx, f); err != nil || !ok {
			if err != nil {
				return err
			}
			continue
		}
		if !q.add(reasonPartlyRead, Location{File: g.Path(f)}, "a file of which only a part could be read may use %s", q.name) {
			return nil
		}
	}
	for _, f := range marked.unread {
		code := reasonUnread
		message := "a file that could not be read may use %s"
		if g.State(f) == graph.StateUnsupported {
			if !q.host(f) {
				continue
			}
			code, message = reasonOtherLanguage, "a file in a language that is not read mentions %s"
		} else if !q.seesUnread(f) {
			continue
		}
		if ok, err := q.mentioned(ctx, f); err != nil || !ok {
			if err != nil {
				return err
			}
			continue
		}
		if !q.add(code, Location{File: g.Path(f)}, message, q.name) {
			return nil
		}
	}
	return nil
}

// seesUnread is sees for a file that has no scope because it was not read: its folder stands for it.
func (q *inquiry) seesUnread(f graph.FileNo) bool {
	g := q.x.g
	switch q.region {
	case regionFile:
		return false
	case regionPackage:
		return g.SameFamily(f, q.file) && path.Dir(g.Path(f)) == path.Dir(g.Path(q.file))
	}
	return g.SameFamily(f, q.file)
}

// host says whether a file in a language that is not read can hold code that uses the symbol.
func (q *inquiry) host(f graph.FileNo) bool {
	g := q.x.g
	p := g.Path(f)
	if !slices.Contains(q.traits.hosts, path.Ext(p)) || q.region == regionFile {
		return false
	}
	if g.Packaged(q.file) {
		if path.Ext(p) == ".s" { // assembly calls functions of its own package
			return !q.member && path.Dir(p) == path.Dir(g.Path(q.file))
		}
		return q.member && q.flags&code.DefExported != 0 // templates reach exported members
	}
	return true
}

// mentioned says whether a file may mention the symbol by any of its names.
func (q *inquiry) mentioned(ctx context.Context, f graph.FileNo) (bool, error) {
	g := q.x.g
	names := q.names()
	switch {
	case q.kind == code.KindFile:
		names = q.moduleNames()
	case q.kind == code.KindPackage:
		names = []string{q.name}
	}
	words, err := q.x.words(ctx)
	if err != nil {
		return false, err
	}
	if q.flags&code.DefDefault != 0 {
		// It is imported under any name; what must be written is its module's.
		names = q.moduleNames()
	}
	for _, name := range names {
		if g.Renamed(name) {
			return true, nil
		}
		for _, word := range plainWords(name) {
			if ok, _ := words.mentions(f, word); ok {
				return true, nil
			}
		}
	}
	return false, nil
}

// plainWords are the words as eachWord finds them of which a name consists: the longest has to be there.
func plainWords(name string) []string {
	longest := ""
	eachWord([]byte(strings.TrimPrefix(name, "#")), func(w []byte) {
		if len(w) > len(longest) {
			longest = string(w)
		}
	})
	if longest == "" {
		return []string{name}
	}
	return []string{longest}
}
