package graph

import (
	"path"
	"slices"
	"strconv"
	"unsafe"

	"manito/internal/code"
)

// Definition is what is known of one Def, without its strings that cost to make.
type Definition struct {
	Kind                 code.Kind
	Flags                code.DefFlags
	Disambiguator        uint16
	Line, EndLine        uint32 // of the whole declaration, 0-based, inclusive
	NameLine, NameColumn uint32
	Start, End           uint32 // byte offsets of the declaration
	Body                 uint32 // 0 when there is none
	DocStart, DocEnd     uint32
	Cyclomatic           uint16
	Cognitive            uint16
}

// Definition returns what is known of a definition.
func (g *Graph) Definition(d Def) Definition {
	return Definition{
		Kind: code.Kind(g.defKind[d]), Flags: code.DefFlags(g.defFlags[d]), Disambiguator: g.defDis[d],
		Line: g.defLine[d], EndLine: g.defEndLine[d], NameLine: g.defNameLine[d], NameColumn: g.defNameCol[d],
		Start: g.defStart[d], End: g.defEnd[d], Body: g.defBody[d], DocStart: g.defDocStart[d], DocEnd: g.defDocEnd[d],
		Cyclomatic: g.defCyc[d], Cognitive: g.defCog[d],
	}
}

// Kind is the kind of a definition; code.KindFile for a file as a whole.
func (g *Graph) Kind(d Def) code.Kind { return code.Kind(g.defKind[d]) }

// Flags are the flags of a definition.
func (g *Graph) Flags(d Def) code.DefFlags { return code.DefFlags(g.defFlags[d]) }

// Node is the node that a definition defines.
func (g *Graph) Node(d Def) Node { return Node(g.defNode[d]) }

// FirstDef is the first definition of a symbol or the Def of a file; None for packages and externals.
func (g *Graph) FirstDef(n Node) Def {
	if uint32(n) >= g.counts[countPackageBase] {
		return None
	}
	return Def(g.nodeDef[n])
}

// NextDef is the next definition of the same symbol, in path order, or None.
func (g *Graph) NextDef(d Def) Def { return Def(g.defNext[d]) }

// Defs lists the definitions of a node in path order; packages and externals have none.
func (g *Graph) Defs(n Node) []Def {
	var out []Def
	for d := g.FirstDef(n); d != None; d = g.NextDef(d) {
		out = append(out, d)
	}
	return out
}

// Parent is the enclosing definition, or None at the top of a file. For a member
// that stands outside of its type (Go methods) it is the type's definition,
// preferably in the same file.
func (g *Graph) Parent(d Def) Def {
	switch p := g.defParent[d]; {
	case p == 0:
		return None
	case p&ownerBit != 0:
		return g.owner(d, p&^ownerBit)
	default:
		return Def(g.fileDef[g.FileOf(d)] + p)
	}
}

// owner finds the type in d's scope whose name stands before d.
func (g *Graph) owner(d Def, name uint32) Def {
	f := g.FileOf(d)
	best := Def(None)
	for _, n := range g.nodes[g.nodesAt[name]:g.nodesAt[name+1]] {
		for t := g.FirstDef(Node(n)); t != None; t = g.NextDef(t) {
			if !g.Kind(t).IsType() || g.defParent[t] != 0 {
				continue
			}
			switch tf := g.FileOf(t); {
			case tf == f:
				return t
			case best == None && g.fileScope[tf] == g.fileScope[f]:
				best = t
			}
		}
	}
	return best
}

// Name is the name of a node: of a symbol as it is defined, of a file its base
// name, of a package the last part of its path, of an external package its name.
func (g *Graph) Name(n Node) string {
	switch g.Class(n) {
	case ClassExternal:
		return g.text(g.extText[4*int(g.nodeDef[n])+2])
	case ClassPackage:
		return path.Base(g.PackagePath(n))
	}
	return string(g.nameBytes(g.defName[g.nodeDef[n]]))
}

// QualifiedName is the name of a definition with those of what encloses it,
// joined by dots: "Client.Do". That of a file is its path.
func (g *Graph) QualifiedName(d Def) string {
	if g.isFileDef(d) {
		return g.Path(g.FileOf(d))
	}
	return string(g.appendQualified(nil, d, g.fileDef[g.FileOf(d)]))
}

// appendQualified writes a qualified name; base is the Def of d's file.
func (g *Graph) appendQualified(dst []byte, d Def, base uint32) []byte {
	switch p := g.defParent[d]; {
	case p&ownerBit != 0:
		dst = append(append(dst, g.nameBytes(p&^ownerBit)...), '.')
	case p != 0 && base+p < uint32(d):
		dst = append(g.appendQualified(dst, Def(base+p), base), '.')
	}
	return append(dst, g.nameBytes(g.defName[d])...)
}

// Words are the three strings by which people and programs name a definition.
type Words struct {
	Symbol, Name, QualifiedName string
	File                        FileNo
}

// Words gives the words of many definitions in one piece of memory, which is many
// times cheaper than asking for each. Files have a file's words.
func (g *Graph) Words(defs []Def) []Words {
	type ends struct{ symbol, name, qualified int }
	at := make([]ends, len(defs))
	buf := make([]byte, 0, 128*len(defs))
	out := make([]Words, len(defs))
	for i, d := range defs {
		f := g.FileOf(d)
		out[i].File = f
		if g.isFileDef(d) {
			buf = append(append(buf, "file "...), g.textBytes(g.filePath[f])...)
			at[i].symbol = len(buf)
			buf = append(buf, g.nameBytes(g.defName[d])...)
			at[i].name = len(buf)
			buf = append(buf, g.textBytes(g.filePath[f])...)
		} else {
			buf = g.appendSymbolIn(buf, d, f)
			at[i].symbol = len(buf)
			buf = append(buf, g.nameBytes(g.defName[d])...)
			at[i].name = len(buf)
			buf = g.appendQualified(buf, d, g.fileDef[f])
		}
		at[i].qualified = len(buf)
	}
	all := string(buf)
	start := 0
	for i, e := range at {
		out[i].Symbol, out[i].Name, out[i].QualifiedName = all[start:e.symbol], all[e.symbol:e.name], all[e.name:e.qualified]
		start = e.qualified
	}
	return out
}

// OwnerName is the name of what a definition is a member of, "" at the top of a file.
func (g *Graph) OwnerName(d Def) string {
	switch p := g.defParent[d]; {
	case p&ownerBit != 0:
		return string(g.nameBytes(p &^ ownerBit))
	case p != 0:
		return string(g.nameBytes(g.defName[Def(g.fileDef[g.FileOf(d)]+p)]))
	}
	return ""
}

// Symbol is the symbol string of a node, in SCIP's grammar. That of a file is "file " and its path.
func (g *Graph) Symbol(n Node) string {
	switch g.Class(n) {
	case ClassExternal:
		return g.text(g.extText[4*int(g.nodeDef[n])])
	case ClassPackage:
		return g.text(g.pkgScope[g.nodeDef[n]])
	case ClassFile:
		return "file " + g.Path(g.FileOf(Def(g.nodeDef[n])))
	}
	return string(g.appendSymbol(make([]byte, 0, 96), Def(g.nodeDef[n])))
}

func (g *Graph) appendSymbol(dst []byte, d Def) []byte {
	f := g.FileOf(d)
	return g.appendSymbolIn(dst, d, f)
}

func (g *Graph) appendSymbolIn(dst []byte, d Def, f FileNo) []byte {
	dst = append(dst, g.textBytes(g.fileScope[f])...)
	if g.fileLocal(d, f) {
		dst = append(code.AppendName(dst, path.Base(g.Path(f))), '/')
	}
	return g.appendDescriptor(dst, d, g.fileDef[f])
}

// fileLocal says whether a definition or one of its parents cannot be seen from other files of its scope.
func (g *Graph) fileLocal(d Def, f FileNo) bool {
	base := g.fileDef[f]
	for {
		if code.DefFlags(g.defFlags[d])&code.DefFileLocal != 0 {
			return true
		}
		p := g.defParent[d]
		if p == 0 || p&ownerBit != 0 || base+p >= uint32(d) {
			return false
		}
		d = Def(base + p)
	}
}

// appendDescriptor writes what code.Document.AppendDescriptor writes, from the arrays; a test holds the two together.
func (g *Graph) appendDescriptor(dst []byte, d Def, base uint32) []byte {
	switch p := g.defParent[d]; {
	case p&ownerBit != 0:
		dst = append(code.AppendName(dst, view(g.nameBytes(p&^ownerBit))), '#')
	case p != 0 && base+p < uint32(d):
		dst = g.appendDescriptor(dst, Def(base+p), base)
	}
	return appendPart(dst, view(g.nameBytes(g.defName[d])), code.Kind(g.defKind[d]), g.defDis[d])
}

// appendPart writes one part of a descriptor: a name with SCIP's suffix for its kind.
func appendPart(dst []byte, name string, kind code.Kind, dis uint16) []byte {
	dst = code.AppendName(dst, name)
	call := kind.Callable() && kind != code.KindMacro
	if call {
		dst = append(dst, '(')
		switch kind {
		case code.KindGetter:
			dst = append(dst, "get"...)
		case code.KindSetter:
			dst = append(dst, "set"...)
		}
	}
	if dis > 0 {
		dst = append(dst, '+')
		dst = strconv.AppendUint(dst, uint64(dis), 10)
	}
	switch {
	case call:
		return append(dst, ")."...)
	case kind == code.KindMacro:
		return append(dst, '!')
	case kind == code.KindNamespace || kind == code.KindPackage || kind == code.KindFile:
		return append(dst, '/')
	case kind == code.KindTypeParameter:
		return append(dst, ']')
	case kind.IsType():
		return append(dst, '#')
	}
	return append(dst, '.')
}

// view is a string that looks into the graph's memory. It must not leave the package.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Children lists the definitions written directly inside of d, and for a type
// those of its members that stand outside of it, in (path, position) order.
// With a file it lists the file's top-level definitions.
func (g *Graph) Children(d Def) []Def {
	f := g.FileOf(d)
	base := g.fileDef[f]
	first, end := g.FileDefs(f)
	var out []Def
	if g.isFileDef(d) {
		for c := first; c < end; c++ {
			if g.defParent[c] == 0 || g.defParent[c]&ownerBit != 0 {
				out = append(out, c)
			}
		}
		return out
	}
	for c := d + 1; c < end && g.defStart[c] < g.defEnd[d]; c++ {
		if g.defParent[c] == uint32(d)-base {
			out = append(out, c)
		}
	}
	if !g.Kind(d).IsType() || g.defParent[d] != 0 {
		return out
	}
	// Members with an owner stand in the same scope.
	for _, sib := range g.ScopeFiles(f) {
		lo, hi := g.FileDefs(sib)
		for c := lo; c < hi; c++ {
			if p := g.defParent[c]; p&ownerBit != 0 && p&^ownerBit == g.defName[d] {
				out = append(out, c)
			}
		}
	}
	slices.Sort(out)
	return out
}

// HasOwner says whether a definition is a member that stands outside of its type (Go methods).
func (g *Graph) HasOwner(d Def) bool { return g.defParent[d]&ownerBit != 0 }

// Enclosing is the definition in which d is written, or None at the top of a file.
func (g *Graph) Enclosing(d Def) Def {
	p := g.defParent[d]
	if p == 0 || p&ownerBit != 0 {
		return None
	}
	return Def(g.fileDef[g.FileOf(d)] + p)
}

// KindCounts counts the definitions by kind, files left out.
func (g *Graph) KindCounts() map[code.Kind]int {
	var raw [256]int
	for _, k := range g.defKind {
		raw[k]++
	}
	out := make(map[code.Kind]int)
	for k, n := range raw {
		if n > 0 && code.Kind(k) != code.KindFile {
			out[code.Kind(k)] = n
		}
	}
	return out
}
