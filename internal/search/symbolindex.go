package search

import (
	"math"
	"runtime"
	"strings"
	"sync"

	"manito/internal/code"
	"manito/internal/graph"
)

// Symbols finds symbols by name in one snapshot's graph. It is immutable and safe
// for concurrent use, and as long valid as the graph is open.
type Symbols struct {
	g *graph.Graph

	// Names that a symbol bears, by bytes. raw and folded hold them one after the
	// other; folded is graph.Fold of them.
	raw, folded     []byte
	rawAt, foldedAt []uint32
	letters         []uint64  // by name: letterSet of the folded form
	pairs           []uint64  // by name: pairSet of the folded form
	sizes           []uint8   // by name: letters of the folded form without signs, 255 for more
	humps           []uint64  // by name: bit i when a word of the name begins at byte i
	best            []float32 // by name: the greatest weight of its bearers
	nodeAt          []uint32  // by name: its bearers in nodes
	nodes           []graph.Node

	weights []float32 // by Def: see weigh
}

// NewSymbols reads the names of a graph.
func NewSymbols(g *graph.Graph) *Symbols {
	s := &Symbols{g: g, weights: make([]float32, g.NumDefs())}
	s.weighAll()
	for name, nodes := range g.SymbolsByName() {
		if len(name) == 0 {
			continue
		}
		s.rawAt = append(s.rawAt, uint32(len(s.raw)))
		s.foldedAt = append(s.foldedAt, uint32(len(s.folded)))
		s.nodeAt = append(s.nodeAt, uint32(len(s.nodes)))
		s.raw = append(s.raw, name...)
		s.folded = appendFold(s.folded, name)
		folded := s.folded[s.foldedAt[len(s.foldedAt)-1]:]
		set, size := pairSet(folded)
		s.letters, s.pairs, s.sizes = append(s.letters, letterSet(folded)), append(s.pairs, set), append(s.sizes, uint8(min(size, 255)))
		s.humps = append(s.humps, humpsOf(name, len(folded) == len(name)))
		best := float32(math.Inf(-1))
		for _, n := range nodes {
			best = max(best, s.weights[g.FirstDef(n)])
		}
		s.best = append(s.best, best)
		s.nodes = append(s.nodes, nodes...)
	}
	s.rawAt = append(s.rawAt, uint32(len(s.raw)))
	s.foldedAt = append(s.foldedAt, uint32(len(s.folded)))
	s.nodeAt = append(s.nodeAt, uint32(len(s.nodes)))
	return s
}

// Len is how many distinct names there are.
func (s *Symbols) Len() int { return len(s.letters) }

// Bytes is about how much memory the index takes.
func (s *Symbols) Bytes() int64 {
	return int64(cap(s.raw)+cap(s.folded)) + 4*int64(cap(s.rawAt)+cap(s.foldedAt)+cap(s.best)+cap(s.nodeAt)+cap(s.nodes)+cap(s.weights)) + 8*int64(cap(s.letters)+cap(s.pairs)+cap(s.humps)) + int64(cap(s.sizes))
}

func (s *Symbols) rawName(i int) []byte    { return s.raw[s.rawAt[i]:s.rawAt[i+1]] }
func (s *Symbols) foldedName(i int) []byte { return s.folded[s.foldedAt[i]:s.foldedAt[i+1]] }

// weighAll weighs every definition, files in parallel.
func (s *Symbols) weighAll() {
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for f := w; f < s.g.NumFiles(); f += workers {
				s.weighFile(graph.FileNo(f))
			}
		})
	}
	group.Wait()
}

// weighFile weighs a file's definitions.
func (s *Symbols) weighFile(f graph.FileNo) {
	place := placeWeight(s.g.Path(f), s.g.DocFlags(f))
	s.weights[s.g.FileDef(f)] = float32(place)
	first, end := s.g.FileDefs(f)
	for d := first; d < end; d++ {
		w := place + kindWeight(s.g.Kind(d))
		flags := s.g.Flags(d)
		if flags&code.DefExported != 0 {
			w += 5
		}
		if flags&code.DefTest != 0 && place > testPenalty/2 {
			w += testPenalty
		}
		if flags&code.DefDeprecated != 0 {
			w -= 3
		}
		w += min(40, 4*math.Log2(1+float64(s.g.CountIn(s.g.Node(d), graph.AllKinds))))
		s.weights[d] = float32(w)
	}
}

// testPenalty puts what stands in tests behind everything else that fits as well.
const testPenalty = -60

// placeWeight is how much a file's place says for what it defines.
func placeWeight(path string, flags code.DocFlags) float64 {
	w := -0.5 * float64(min(8, strings.Count(path, "/")))
	if flags&code.DocTest != 0 {
		w += testPenalty
	}
	if flags&code.DocGenerated != 0 {
		w -= 8
	}
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "vendor", "third_party", "node_modules", "testdata", "fixtures", "examples", "example", "internal", "deprecated":
			if part == "internal" {
				w -= 1
				continue
			}
			w -= 10
		}
	}
	return w
}

// kindWeight is how likely a kind of symbol is meant.
func kindWeight(k code.Kind) float64 {
	switch k {
	case code.KindClass, code.KindStruct, code.KindInterface, code.KindTrait, code.KindEnum:
		return 12
	case code.KindFunction, code.KindMethod, code.KindType, code.KindMacro:
		return 10
	case code.KindConstructor, code.KindGetter, code.KindSetter:
		return 8
	case code.KindConstant, code.KindVariable:
		return 6
	case code.KindNamespace, code.KindPackage, code.KindEnumMember:
		return 5
	case code.KindField, code.KindProperty:
		return 4
	}
	return 0
}

// appendFold appends the folded form of a name.
func appendFold(dst, name []byte) []byte {
	for _, c := range name {
		if c >= 0x80 {
			return append(dst, graph.Fold(string(name))...)
		}
	}
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// letterSet has a bit for each letter and digit that a folded name has, and some
// bits shared by all other bytes. Signs that squeeze leaves out have none.
func letterSet(folded []byte) uint64 {
	var set uint64
	for _, c := range folded {
		switch {
		case 'a' <= c && c <= 'z':
			set |= 1 << (c - 'a')
		case '0' <= c && c <= '9':
			set |= 1 << (26 + c - '0')
		case sign(c):
		default:
			set |= 1 << (36 + c%28)
		}
	}
	return set
}

// pairSet has a bit for each pair of neighbours in a folded name when signs do not
// count, by a hash; size is how many bytes that are no signs there are.
func pairSet(folded []byte) (set uint64, size int) {
	last := byte(0)
	for _, c := range folded {
		if sign(c) {
			continue
		}
		if size > 0 {
			set |= 1 << ((uint32(last)*0x9e3779b1 + uint32(c)*0x85ebca6b) >> 26)
		}
		last = c
		size++
	}
	return set, size
}

// sign says whether a byte stands between words of a name and means nothing.
func sign(c byte) bool { return c == '_' || c == '-' || c == ' ' || c == '$' || c == '@' }

// humpsOf has a bit for each byte of a name at which a word begins, as far as 64
// bytes go. positional says whether bytes of the folded name are where those of the name are.
func humpsOf(name []byte, positional bool) uint64 {
	if !positional {
		return 1
	}
	var set uint64
	for i := range name[:min(64, len(name))] {
		if beginsWord(name, i) {
			set |= 1 << i
		}
	}
	return max(1, set) // a name of signs is one word
}

// beginsWord says whether a word of a name begins at a byte: a capital after a
// small letter, the last of several capitals, what follows a sign, a run of digits.
func beginsWord(name []byte, i int) bool {
	c := name[i]
	if sign(c) {
		return false
	}
	if i == 0 || sign(name[i-1]) {
		return true
	}
	before := name[i-1]
	switch {
	case 'A' <= c && c <= 'Z':
		return before < 'A' || before > 'Z' || i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z'
	case '0' <= c && c <= '9':
		return before < '0' || before > '9'
	}
	return false
}
