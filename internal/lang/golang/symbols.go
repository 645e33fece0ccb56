package golang

import (
	"hash/maphash"

	"manito/internal/code"
)

// binding says what a name denotes in the scope at hand: 0 is nothing of this
// file, else the index of a definition, local or import, shifted, with its kind below.
type binding int32

const (
	boundDef    = 1
	boundLocal  = 2
	boundImport = 3
)

func bind(kind, index int32) binding { return binding(index<<2 | kind) }
func (b binding) kind() int32        { return int32(b) & 3 }
func (b binding) def() code.DefID    { return code.DefID(b >> 2) }
func (b binding) index() int32       { return int32(b) >> 2 }
func (b binding) is(kind int32) bool { return int32(b)&3 == kind }

// symID is an index into symbols.all; 0 is no symbol.
type symID int32

// symbol is one spelling. It carries what the spelling denotes at the place
// that is being read, so that resolving an identifier is one table lookup.
type symbol struct {
	text        string
	hash        uint32
	predeclared predeclared
	// The fields below hold for file number `file` only.
	file  uint32
	name  code.NameID
	bound binding
	depth int32       // of the scope in which it was bound
	expr  code.ExprID // the expression of what it denotes, made at its first use
	base  bool        // it stood before a selector's dot and nothing in the file declared it
}

// shadow remembers what a name denoted outside of the scope that bound it anew.
type shadow struct {
	sym   symID
	depth int32
	bound binding
	expr  code.ExprID
}

// maxSymbols is when the table of spellings is thrown away between files.
const maxSymbols = 1 << 13

// symbols is the table of spellings, which lives from file to file, and the
// stack of scopes of the file at hand.
type symbols struct {
	seed    maphash.Seed
	all     []symbol
	table   []symID // open addressing over all, at most half full
	file    uint32
	names   []string
	shadows []shadow
	marks   []int32
	depth   int32
}

// begin starts a file.
func (s *symbols) begin() {
	if s.all == nil || len(s.all) > maxSymbols {
		s.seed = maphash.MakeSeed()
		s.all = make([]symbol, 1, 1<<10)
		s.table = make([]symID, 1<<12)
	}
	s.file++
	if s.file == 0 { // the numbers have gone round: none of the old ones may look current
		for i := range s.all {
			s.all[i].file = 0
		}
		s.file = 1
	}
	s.names = append(s.names[:0], "")
	s.shadows, s.marks, s.depth = s.shadows[:0], s.marks[:0], 0
}

// lookup gives the symbol of a spelling, which must not be empty, and interns its name.
// The string is kept: it must not point into the file's bytes.
func (s *symbols) lookup(text string) symID {
	hash := uint32(maphash.String(s.seed, text))
	mask := uint32(len(s.table) - 1)
	at := hash & mask
	for {
		id := s.table[at]
		if id == 0 {
			return s.add(text, hash)
		}
		if e := &s.all[id]; e.hash == hash && e.text == text {
			if e.file != s.file {
				s.adopt(e)
			}
			return id
		}
		at = (at + 1) & mask
	}
}

// adopt makes a spelling known from an earlier file one of this file.
func (s *symbols) adopt(e *symbol) {
	e.file, e.name, e.bound, e.depth, e.expr, e.base = s.file, code.NameID(len(s.names)), 0, 0, 0, false
	s.names = append(s.names, e.text)
}

func (s *symbols) add(text string, hash uint32) symID {
	id := symID(len(s.all))
	s.all = append(s.all, symbol{text: text, hash: hash, predeclared: predeclaredOf(text)})
	s.adopt(&s.all[id])
	if 2*len(s.all) > len(s.table) {
		s.table = make([]symID, 4*len(s.table))
		for i := 1; i < len(s.all); i++ {
			s.place(symID(i))
		}
	} else {
		s.place(id)
	}
	return id
}

func (s *symbols) place(id symID) {
	mask := uint32(len(s.table) - 1)
	at := s.all[id].hash & mask
	for s.table[at] != 0 {
		at = (at + 1) & mask
	}
	s.table[at] = id
}

// open begins a scope; close ends the innermost one and restores what its names denoted before.
func (s *symbols) open() {
	s.marks = append(s.marks, int32(len(s.shadows)))
	s.depth++
}

func (s *symbols) close() {
	mark := s.marks[len(s.marks)-1]
	s.marks = s.marks[:len(s.marks)-1]
	for i := len(s.shadows) - 1; i >= int(mark); i-- {
		o := &s.shadows[i]
		e := &s.all[o.sym]
		e.bound, e.depth, e.expr = o.bound, o.depth, o.expr
	}
	s.shadows = s.shadows[:mark]
	s.depth--
}

// declare binds a name in the innermost scope.
func (s *symbols) declare(id symID, b binding) {
	e := &s.all[id]
	if s.depth > 0 {
		s.shadows = append(s.shadows, shadow{id, e.depth, e.bound, e.expr})
	}
	e.bound, e.depth, e.expr = b, s.depth, 0
}

// here says whether a name is bound in the innermost scope itself.
func (s *symbols) here(id symID) bool {
	e := &s.all[id]
	return e.bound != 0 && e.depth == s.depth
}

// name interns a spelling.
func (s *symbols) name(text string) code.NameID { return s.all[s.lookup(text)].name }

// known says whether a spelling has occurred in the file.
func (s *symbols) known(text string) bool {
	hash := uint32(maphash.String(s.seed, text))
	mask := uint32(len(s.table) - 1)
	for at := hash & mask; s.table[at] != 0; at = (at + 1) & mask {
		if e := &s.all[s.table[at]]; e.hash == hash && e.text == text {
			return e.file == s.file
		}
	}
	return false
}
