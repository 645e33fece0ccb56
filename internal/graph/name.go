package graph

import (
	"bytes"
	"iter"
	"sort"
	"unicode"
	"unicode/utf8"
)

func (g *Graph) numNames() int { return len(g.nameAt) - 1 }

// findName finds the id of a name by its bytes.
func (g *Graph) findName(name string) (uint32, bool) {
	n := g.numNames()
	i := sort.Search(n, func(i int) bool { return string(g.nameBytes(uint32(i))) >= name })
	if i < n && string(g.nameBytes(uint32(i))) == name {
		return uint32(i), true
	}
	return 0, false
}

// Named lists the symbols with exactly this name, in (path, order) sequence. Files are not among them.
func (g *Graph) Named(name string) []Node {
	id, ok := g.findName(name)
	if !ok {
		return nil
	}
	return g.bearers(id)
}

func (g *Graph) bearers(id uint32) []Node {
	list := g.nodes[g.nodesAt[id]:g.nodesAt[id+1]]
	out := make([]Node, len(list))
	for i, n := range list {
		out[i] = Node(n)
	}
	return out
}

// NamedFold lists the symbols whose name is this one when case does not count, by name, then (path, order).
func (g *Graph) NamedFold(name string) []Node {
	want := Fold(name)
	i := sort.Search(len(g.nameFold), func(i int) bool { return compareFold(g.nameBytes(g.nameFold[i]), want) >= 0 })
	var out []Node
	for ; i < len(g.nameFold) && compareFold(g.nameBytes(g.nameFold[i]), want) == 0; i++ {
		out = append(out, g.bearers(g.nameFold[i])...)
	}
	return out
}

// WithPrefix yields the names of symbols that begin with a prefix, case not counting, in folded order.
func (g *Graph) WithPrefix(prefix string) iter.Seq[string] {
	want := Fold(prefix)
	return func(yield func(string) bool) {
		i := sort.Search(len(g.nameFold), func(i int) bool { return compareFold(g.nameBytes(g.nameFold[i]), want) >= 0 })
		for ; i < len(g.nameFold); i++ {
			id := g.nameFold[i]
			if !foldHasPrefix(g.nameBytes(id), want) {
				return
			}
			if g.nodesAt[id] == g.nodesAt[id+1] {
				continue
			}
			if !yield(string(g.nameBytes(id))) {
				return
			}
		}
	}
}

// SymbolNames yields every name that a symbol bears, by bytes. The slice is valid until the next one and must not be changed.
func (g *Graph) SymbolNames() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for id := range uint32(g.numNames()) {
			if g.nodesAt[id] < g.nodesAt[id+1] && !yield(g.nameBytes(id)) {
				return
			}
		}
	}
}

// Fold maps a name to the form in which names are compared when case does not
// count: each letter in lower case; bytes that are no UTF-8 stay as they are.
func Fold(name string) string {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			dst := make([]byte, 0, len(name)+4)
			for j := 0; j < len(name); {
				var piece [utf8.UTFMax]byte
				n, w := foldNext([]byte(name[j:min(len(name), j+utf8.UTFMax)]), &piece)
				dst = append(dst, piece[:w]...)
				j += n
			}
			return string(dst)
		}
	}
	return name
}

// foldNext writes the folded form of the first character of b and returns how many bytes it read and wrote.
func foldNext(b []byte, dst *[utf8.UTFMax]byte) (read, wrote int) {
	c := b[0]
	if c < utf8.RuneSelf {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst[0] = c
		return 1, 1
	}
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n <= 1 {
		dst[0] = c
		return 1, 1
	}
	return n, utf8.EncodeRune(dst[:], unicode.ToLower(r))
}

// compareFold compares the folded form of name with want, which is folded, without making it.
func compareFold(name []byte, want string) int {
	var piece [utf8.UTFMax]byte
	at := 0
	for len(name) > 0 {
		n, w := foldNext(name, &piece)
		for i := range w {
			switch {
			case at == len(want) || piece[i] > want[at]:
				return 1
			case piece[i] < want[at]:
				return -1
			}
			at++
		}
		name = name[n:]
	}
	if at < len(want) {
		return -1
	}
	return 0
}

func foldHasPrefix(name []byte, want string) bool {
	var piece [utf8.UTFMax]byte
	at := 0
	for len(name) > 0 && at < len(want) {
		n, w := foldNext(name, &piece)
		for i := 0; i < w && at < len(want); i++ {
			if piece[i] != want[at] {
				return false
			}
			at++
		}
		name = name[n:]
	}
	return at == len(want)
}

// orderFold orders two names by their folded form, then by bytes.
func orderFold(a, b []byte) int {
	if ascii(a) && ascii(b) {
		for i := 0; i < min(len(a), len(b)); i++ {
			x, y := lower(a[i]), lower(b[i])
			if x != y {
				return int(x) - int(y)
			}
		}
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare(a, b)
	}
	if c := compareFold(a, Fold(string(b))); c != 0 {
		return c
	}
	return bytes.Compare(a, b)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
