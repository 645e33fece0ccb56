package graph

import (
	"sort"

	"manito/internal/code"
)

// Node is a handle on something an edge can go to.
type Node uint32

// Def is a handle on a place where a symbol is defined, or on a file as a whole.
type Def uint32

// FileNo is a handle on a file.
type FileNo uint32

// None is the Def and the Node that do not exist.
const None = 1<<32 - 1

// Class says what a Node is.
type Class uint8

// The classes of nodes.
const (
	ClassSymbol Class = iota
	ClassFile
	ClassPackage  // a scope of the repository: a Go package, a module
	ClassExternal // a package outside of the repository
)

// String is the class in lower case.
func (c Class) String() string {
	switch c {
	case ClassFile:
		return "file"
	case ClassPackage:
		return "package"
	case ClassExternal:
		return "external"
	}
	return "symbol"
}

// Graph is one snapshot of a repository's code graph. It is immutable and safe
// for concurrent use.
//
// Every array below is a section of the file format; format.go lists them. The
// suffix At marks the offsets of a compressed row layout: the entries of row i
// are those from At[i] to At[i+1].
type Graph struct {
	digest [32]byte // of the snapshot it shows

	// Texts: paths, languages, scopes and external symbols, each once. Text 0 is "".
	textAt   []uint32
	textBlob []byte

	// Names, sorted by bytes, each once. Name 0 is "".
	nameAt   []uint32
	nameBlob []byte
	nameFold []uint32 // name ids ordered by their folded form, then by bytes
	nodesAt  []uint32 // by name: the symbols that bear it
	nodes    []uint32
	sitesAt  []uint32 // by name: the unresolved sites that bear it
	renamed  []uint32 // names that some file exports or imports under another name, ascending

	// Files, in path order. The Defs of file f are fileDef[f] (the file itself) to fileDef[f+1].
	fileDef     []uint32
	filePath    []uint32 // text
	fileLang    []uint32 // text: as people call it
	fileFamily  []uint32 // text: Document.Language; "" when no extractor reads it
	fileDialect []uint32 // text
	fileScope   []uint32 // text
	fileState   []uint8  // State
	fileFlags   []uint16 // code.DocFlags
	fileMarks   []uint8
	fileSize    []uint32
	fileLines   []uint32
	fileDiags   []uint32
	fileHash    []byte // 32 bytes each

	// Defs.
	defNode     []uint32
	defName     []uint32
	defParent   []uint32 // 0, or 1 + ordinal of the parent in its file, or ownerBit + name of the owner
	defKind     []uint8
	defFlags    []uint32
	defDis      []uint16
	defLine     []uint32 // first line of the declaration
	defEndLine  []uint32 // last line
	defNameLine []uint32
	defNameCol  []uint32
	defStart    []uint32 // byte offsets, as in code.Def
	defEnd      []uint32
	defBody     []uint32
	defDocStart []uint32
	defDocEnd   []uint32
	defCyc      []uint16
	defCog      []uint16
	defNext     []uint32 // the next Def of the same symbol, or None
	outAt       []uint32 // by Def: its edges
	defMarks    []uint8

	// Nodes: files and symbols in (path, order) sequence, then packages, then externals.
	nodeKey  []uint64
	nodeDef  []uint32 // first Def; for packages and externals their index
	inAt     []uint32 // by Node: the edges that go to it
	keyTable []uint32 // open addressing by key; 1 + Node, 0 is empty; the length is a power of two
	pkgScope []uint32 // text
	pkgAt    []uint32 // by package: its files
	pkgFile  []uint32
	extText  []uint32 // four texts each: symbol, manager, name, version

	// Edges, by source Def, then line, column, kind and target.
	edgeTarget []uint32
	edgeLine   []uint32
	edgeCol    []uint16 // wideColumn: see wideEdge
	edgeMeta   []uint16
	wideEdge   []uint32 // edges whose column does not fit, ascending
	wideCol    []uint32
	// The same edges by target Node; first the overrides, then the others, both by source Def and position.
	inSource []uint32 // source Def << 4 | kind
	inEdge   []uint32

	// Sites, by name, then file and position.
	siteDef  []uint32
	siteLine []uint32
	siteCol  []uint32
	siteMeta []uint16
	sitePkg  []uint32 // external node or None
	sitesOf  []uint32 // by Def: its sites, as entries of siteBy
	siteBy   []uint32
	// Counts of all uses that became no edge, kept as sites or not: four words
	// each: family (text), reason, 1 when called, count.
	siteCount []uint32

	counts []uint32 // countPackages ... see below

	visits visitPool
	ranks  rankOnce
	mapped []byte       // what the arrays look into; nil when they are ordinary memory
	unmap  func() error // nil when there is nothing to unmap
}

// Positions in Graph.counts.
const (
	countPackageBase  = iota // the first package node
	countExternalBase        // the first external node
	countDangling            // edges whose target nothing defines; they were left out
	numCounts
)

const (
	ownerBit   = 1 << 31 // of defParent
	wideColumn = 1<<16 - 1
	// markOpenBase is a bit of defMarks.
	markOpenBase uint8 = 1
	// maxDefs is bounded by inSource, which keeps four bits for the kind.
	maxDefs = 1<<28 - 1
)

// Digest is the digest of the snapshot that the graph shows.
func (g *Graph) Digest() [32]byte { return g.digest }

// Stats are the sizes of a graph.
type Stats struct {
	Files, Symbols, Definitions, Packages, Externals, Names, Edges, Sites int
	Dangling                                                              int // edges whose target nothing defines; they were left out
}

// Stats returns the graph's sizes.
func (g *Graph) Stats() Stats {
	files := g.NumFiles()
	return Stats{
		Files:       files,
		Symbols:     int(g.counts[countPackageBase]) - files,
		Definitions: len(g.defNode) - files,
		Packages:    len(g.pkgScope),
		Externals:   len(g.extText) / 4,
		Names:       len(g.nameAt) - 2,
		Edges:       len(g.edgeTarget),
		Sites:       len(g.siteDef),
		Dangling:    int(g.counts[countDangling]),
	}
}

// NumNodes is the number of nodes; valid handles are below it.
func (g *Graph) NumNodes() int { return len(g.nodeKey) }

// NumDefs is the number of definitions, files included; valid handles are below it.
func (g *Graph) NumDefs() int { return len(g.defNode) }

// NumFiles is the number of files; valid handles are below it.
func (g *Graph) NumFiles() int { return len(g.filePath) }

// The strings that leave the package are copies, because a graph's arrays may be
// a mapped file that is unmapped while an answer is still being written out.

func (g *Graph) text(id uint32) string { return string(g.textBytes(id)) }

func (g *Graph) textBytes(id uint32) []byte { return g.textBlob[g.textAt[id]:g.textAt[id+1]] }

func (g *Graph) nameBytes(id uint32) []byte { return g.nameBlob[g.nameAt[id]:g.nameAt[id+1]] }

// Find returns the node with a key.
func (g *Graph) Find(key code.Key) (Node, bool) {
	mask := uint64(len(g.keyTable) - 1)
	for h, n := uint64(key)&mask, 0; n < len(g.keyTable); h, n = (h+1)&mask, n+1 {
		switch slot := g.keyTable[h]; {
		case slot == 0:
			return None, false
		case g.nodeKey[slot-1] == uint64(key):
			return Node(slot - 1), true
		}
	}
	return None, false
}

// Key is the node's key.
func (g *Graph) Key(n Node) code.Key { return code.Key(g.nodeKey[n]) }

// Class says what a node is.
func (g *Graph) Class(n Node) Class {
	switch {
	case uint32(n) >= g.counts[countExternalBase]:
		return ClassExternal
	case uint32(n) >= g.counts[countPackageBase]:
		return ClassPackage
	case g.isFileDef(Def(g.nodeDef[n])):
		return ClassFile
	}
	return ClassSymbol
}

func (g *Graph) isFileDef(d Def) bool { return code.Kind(g.defKind[d]) == code.KindFile }

// FileOf is the file that a definition stands in.
func (g *Graph) FileOf(d Def) FileNo {
	// fileDef has one entry more than there are files, so the search ends inside.
	i := sort.Search(len(g.fileDef), func(i int) bool { return g.fileDef[i] > uint32(d) })
	return FileNo(i - 1)
}

// FileDef is the Def that stands for a file as a whole.
func (g *Graph) FileDef(f FileNo) Def { return Def(g.fileDef[f]) }

// FileNode is the node of a file.
func (g *Graph) FileNode(f FileNo) Node { return Node(g.defNode[g.fileDef[f]]) }

// FileDefs is the range of the definitions of a file in order, without the file itself: from first up to, not including, end.
func (g *Graph) FileDefs(f FileNo) (first, end Def) {
	return Def(g.fileDef[f] + 1), Def(g.fileDef[f+1])
}

// FileByPath finds a file by its path.
func (g *Graph) FileByPath(path string) (FileNo, bool) {
	i := sort.Search(len(g.filePath), func(i int) bool { return string(g.textBytes(g.filePath[i])) >= path })
	if i < len(g.filePath) && string(g.textBytes(g.filePath[i])) == path {
		return FileNo(i), true
	}
	return None, false
}
