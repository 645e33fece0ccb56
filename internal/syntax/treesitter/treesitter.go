// Package treesitter drives the C runtime of tree-sitter: one call into C per
// file parses it, walks the tree and hands back a flat array of records, so that
// no language pays for a call per node. It is the parser of every language that
// has no parser of its own in Go.
//
// Its nouns: a Parser belongs to one worker and one language; a Tree is what it
// makes of a file, a pre-order array of Records; a Fault is a place where the
// text breaks the grammar. Which nodes become Records, and under which numbers,
// the language says in a Selection.
//
// The runtime needs cgo. Without it (CGO_ENABLED=0) Available is false and New
// fails. Only language folders may import this package; each grammar has a
// package of its own below, because the larger ones take a minute to compile.
package treesitter

// Kind is a node kind as a language numbers it, from 1. Names and numbers meet
// in a Selection.
type Kind uint8

// KindError is the kind of a node that stands for text outside of the grammar;
// below it stand the nodes that could still be read.
const KindError Kind = 255

// Field is the part that a node plays in its parent, as a language numbers it, from 1.
type Field uint8

// Record is one node of a Tree. Its layout is that of C's struct record.
type Record struct {
	Start, End uint32 // bytes of the file
	Next       uint32 // index of the first record that is not below this one: its next sibling, if its parent goes on
	Kind       Kind
	Field      Field
	Flags      Flags
	_          uint8
}

// Flags qualify a Record.
type Flags uint8

// The flags of a Record.
const (
	Missing Flags = 1 << iota // not in the text: the parser put it there to go on
	Cut                       // nodes below it were left out, see Tree.Deep
)

// Fault is a place where the text breaks the grammar.
type Fault struct {
	Start, End uint32
	Missing    string // the token that is missing here, or "" for text that fits nowhere
}

// Tree is a file's syntax tree.
type Tree struct {
	// Records hold the nodes that the Selection keeps, in pre-order; the first is
	// the root. They are valid until the Parser is used again.
	Records []Record
	Faults  []Fault // at most 20
	Broken  bool    // the text breaks the grammar somewhere
	Deep    bool    // nodes more than 4,000 levels down were left out
}

// Selection says which nodes of a grammar become records. A node that is left
// out passes its children on to its parent.
type Selection struct {
	// Kinds holds the grammar's name of each Kind; Kinds[0] and "" stand for
	// nothing. Tokens are written with quotes: `"async"`.
	Kinds []string
	// Fields holds the grammar's name of each Field; Fields[0] is not used.
	Fields []string
	// Leaves names nodes, kept or not, below which nothing is wanted.
	Leaves []string
}
