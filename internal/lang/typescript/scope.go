package typescript

import (
	"hash/maphash"
	"strings"

	"manito/internal/code"
)

// meaning is a set of what a name can mean at once: TypeScript keeps a value, a
// type and a namespace of one name apart.
type meaning uint8

const (
	asValue meaning = 1 << iota
	asType
	asSpace
	asAll = asValue | asType | asSpace
	// annotated is no meaning: the variable's type is written.
	annotated meaning = 1 << 7
)

// The places of the meanings in symbol.bound.
const (
	inValues = iota
	inTypes
	inSpaces
	numMeanings
)

// boundTo says what kind of thing a binding names.
type boundTo uint8

const (
	toNothing boundTo = iota // bound, but there is nothing to say: parameters of function types
	toDef
	toLocal
	toImport
	toExpr // an expression: import a = b.c
)

// binding is one name in one scope.
type binding struct {
	frame    int32 // the scope
	means    meaning
	to       boundTo
	assigned uint8 // how many values were merged into the local's type
	id       int32
	expr     code.ExprID // made at the first use
}

// symID is an index into scopes.symbols; 0 is no name.
type symID int32

// symbol is one spelling and what it means at the place that is being read, so
// that resolving an identifier is one table lookup.
type symbol struct {
	text string
	hash uint32
	// What follows holds for file number `file` only.
	file  uint32
	name  code.NameID
	bound [numMeanings]int32 // indexes into scopes.bindings; 0 is nothing
}

// shadow remembers what a name meant outside of the scope that bound it anew.
type shadow struct {
	sym   symID
	place uint8
	bound int32
}

// maxSymbols is when the spellings are forgotten between files.
const maxSymbols = 1 << 14

// scopes is the table of spellings, which lives from file to file, and the
// stack of scopes of the file at hand.
type scopes struct {
	seed     maphash.Seed
	symbols  []symbol
	table    []symID // open addressing, at most half full
	file     uint32
	names    []string
	bindings []binding
	shadows  []shadow
	marks    []int32 // where the shadows of each open scope begin
	frames   []int32 // the numbers of the open scopes
	last     int32   // the number given last
}

func (s *scopes) begin() {
	if s.symbols == nil || len(s.symbols) > maxSymbols {
		s.seed = maphash.MakeSeed()
		s.symbols = make([]symbol, 1, 1<<10)
		s.table = make([]symID, 1<<12)
	}
	s.file++
	if s.file == 0 { // the numbers have gone round: none of the old ones may look current
		for i := range s.symbols {
			s.symbols[i].file = 0
		}
		s.file = 1
	}
	s.names = append(s.names[:0], "")
	s.bindings = append(s.bindings[:0], binding{})
	s.shadows, s.marks, s.frames, s.last = s.shadows[:0], s.marks[:0], s.frames[:0], 0
}

// lookup gives the symbol of a spelling. The empty spelling is none.
func (s *scopes) lookup(text string) symID {
	if text == "" {
		return 0
	}
	hash := uint32(maphash.String(s.seed, text))
	mask := uint32(len(s.table) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		id := s.table[at]
		if id == 0 {
			return s.add(strings.Clone(text), hash)
		}
		if e := &s.symbols[id]; e.hash == hash && e.text == text {
			if e.file != s.file {
				s.adopt(e)
			}
			return id
		}
	}
}

// adopt makes a spelling of an earlier file one of this file.
func (s *scopes) adopt(e *symbol) {
	e.file, e.name, e.bound = s.file, code.NameID(len(s.names)), [numMeanings]int32{}
	s.names = append(s.names, e.text)
}

func (s *scopes) add(text string, hash uint32) symID {
	id := symID(len(s.symbols))
	s.symbols = append(s.symbols, symbol{text: text, hash: hash})
	s.adopt(&s.symbols[id])
	if 2*len(s.symbols) > len(s.table) {
		s.table = make([]symID, 4*len(s.table))
		for i := 1; i < len(s.symbols); i++ {
			s.place(symID(i))
		}
	} else {
		s.place(id)
	}
	return id
}

func (s *scopes) place(id symID) {
	mask := uint32(len(s.table) - 1)
	at := s.symbols[id].hash & mask
	for s.table[at] != 0 {
		at = (at + 1) & mask
	}
	s.table[at] = id
}

// name interns a spelling.
func (s *scopes) name(text string) code.NameID { return s.symbols[s.lookup(text)].name }

// open begins a scope.
func (s *scopes) open() {
	s.last++
	s.marks = append(s.marks, int32(len(s.shadows)))
	s.frames = append(s.frames, s.last)
}

// close ends the innermost scope and restores what its names meant before.
func (s *scopes) close() {
	mark := s.marks[len(s.marks)-1]
	s.marks = s.marks[:len(s.marks)-1]
	s.frames = s.frames[:len(s.frames)-1]
	for i := len(s.shadows) - 1; i >= int(mark); i-- {
		o := &s.shadows[i]
		s.symbols[o.sym].bound[o.place] = o.bound
	}
	s.shadows = s.shadows[:mark]
}

// frame is the number of the innermost scope.
func (s *scopes) frame() int32 { return s.frames[len(s.frames)-1] }

// bind gives a name meanings in the innermost scope and returns the index of the binding.
func (s *scopes) bind(id symID, means meaning, to boundTo, index int32) int32 {
	if id == 0 {
		return 0
	}
	b := int32(len(s.bindings))
	s.bindings = append(s.bindings, binding{frame: s.frame(), means: means, to: to, id: index})
	s.rebind(id, b)
	return b
}

// rebind makes an existing binding the current one of a name in the innermost scope.
func (s *scopes) rebind(id symID, b int32) {
	e := &s.symbols[id]
	for p := range uint8(numMeanings) {
		if s.bindings[b].means&(1<<p) != 0 {
			s.shadows = append(s.shadows, shadow{id, p, e.bound[p]})
			e.bound[p] = b
		}
	}
}

// find gives the binding of a name in one meaning; 0 when the file binds none.
func (s *scopes) find(id symID, place uint8) int32 { return s.symbols[id].bound[place] }

// here gives the binding of a name in one meaning in the innermost scope itself; 0 when there is none.
func (s *scopes) here(id symID, place uint8) int32 {
	if b := s.symbols[id].bound[place]; b != 0 && s.bindings[b].frame == s.frame() {
		return b
	}
	return 0
}
