package code

import (
	"bytes"
	"slices"
	"strings"
)

// Builder makes one Document. It keeps one copy of equal names and of equal
// expressions. A Builder may be used for many files one after the other, which
// saves its tables; it is not safe for concurrent use.
type Builder struct {
	doc   *Document
	names map[string]NameID
	table []int32 // open addressing over doc.Exprs; 0 is empty
	mask  uint32
}

// Begin starts a Document for bytes read in a dialect of a language.
func (b *Builder) Begin(language, dialect string, text []byte) *Document {
	b.doc = &Document{Language: language, Dialect: dialect, Size: uint32(len(text)), Names: []string{""}, Exprs: []Expr{{}}}
	b.doc.Lines = LineStarts(text)
	if b.names == nil || len(b.names) > 1<<14 {
		b.names = make(map[string]NameID, 256)
	} else {
		clear(b.names)
	}
	if b.table == nil || len(b.table) > 1<<16 {
		b.table = make([]int32, 1<<10)
	} else {
		clear(b.table)
	}
	b.mask = uint32(len(b.table) - 1)
	return b.doc
}

// LineStarts returns the offset of the first byte of each line; lines end after "\n".
func LineStarts(text []byte) []uint32 {
	lines := make([]uint32, 1, 1+bytes.Count(text, []byte{'\n'}))
	for at := 0; ; {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return lines
		}
		at += i + 1
		lines = append(lines, uint32(at))
	}
}

// Name interns a name. The string is copied when it is new, so that it may point into a buffer.
func (b *Builder) Name(s string) NameID {
	if s == "" {
		return 0
	}
	if id, ok := b.names[s]; ok {
		return id
	}
	s = strings.Clone(s)
	id := NameID(len(b.doc.Names))
	b.doc.Names = append(b.doc.Names, s)
	b.names[s] = id
	return id
}

// NameBytes is Name for bytes; a name that is there already costs no allocation.
func (b *Builder) NameBytes(s []byte) NameID {
	if len(s) == 0 {
		return 0
	}
	if id, ok := b.names[string(s)]; ok {
		return id
	}
	return b.Name(string(s))
}

// Expr interns an expression.
func (b *Builder) Expr(op Op, a, c int32) ExprID {
	e := Expr{Op: op, A: a, B: c}
	h := hashExpr(e) & b.mask
	for {
		id := b.table[h]
		if id == 0 {
			break
		}
		if b.doc.Exprs[id] == e {
			return ExprID(id)
		}
		h = (h + 1) & b.mask
	}
	id := int32(len(b.doc.Exprs))
	b.doc.Exprs = append(b.doc.Exprs, e)
	b.table[h] = id
	if uint32(id)*2 > b.mask {
		b.grow()
	}
	return ExprID(id)
}

func hashExpr(e Expr) uint32 {
	h := uint64(e.Op)<<56 ^ uint64(uint32(e.A))<<24 ^ uint64(uint32(e.B))
	h *= 0x9e3779b97f4a7c15
	return uint32(h >> 32)
}

func (b *Builder) grow() {
	b.table = make([]int32, len(b.table)*4)
	b.mask = uint32(len(b.table) - 1)
	for id := 1; id < len(b.doc.Exprs); id++ {
		h := hashExpr(b.doc.Exprs[id]) & b.mask
		for b.table[h] != 0 {
			h = (h + 1) & b.mask
		}
		b.table[h] = int32(id)
	}
}

// The methods below name the operations; each returns 0 when its main operand is unknown.

// Member is x.name.
func (b *Builder) Member(x ExprID, name NameID) ExprID {
	if x == 0 || name == 0 {
		return 0
	}
	return b.Expr(OpMember, int32(x), int32(name))
}

// Unary is an operation with one expression operand: OpNew, OpElem, OpKey, OpAwait, OpDeref, OpAddr, OpOf, OpPointer, OpArray, OpTypeOf, OpNullable, OpKeyOf.
func (b *Builder) Unary(op Op, x ExprID) ExprID {
	if x == 0 {
		return 0
	}
	return b.Expr(op, int32(x), 0)
}

// Call is the result of calling f with arguments (an OpList or 0).
func (b *Builder) Call(f, arguments ExprID) ExprID {
	if f == 0 {
		return 0
	}
	return b.Expr(OpCall, int32(f), int32(arguments))
}

// Result is component i of a tuple or multi-value.
func (b *Builder) Result(x ExprID, i int) ExprID {
	if x == 0 {
		return 0
	}
	return b.Expr(OpResult, int32(x), int32(i))
}

// Union is either of two expressions; an unknown one leaves the other.
func (b *Builder) Union(x, y ExprID) ExprID {
	switch {
	case x == 0 || x == y:
		return y
	case y == 0:
		return x
	}
	return b.Expr(OpUnion, int32(x), int32(y))
}

// List is an OpList of the expressions; unknown ones keep their place.
func (b *Builder) List(xs ...ExprID) ExprID {
	var list ExprID
	for i := len(xs) - 1; i >= 0; i-- {
		list = b.Expr(OpList, int32(xs[i]), int32(list))
	}
	return list
}

// AddDef appends a definition and returns its id. Parents must be added before their children.
func (b *Builder) AddDef(d Def) DefID {
	b.doc.Defs = append(b.doc.Defs, d)
	return DefID(len(b.doc.Defs) - 1)
}

// AddLocal appends a local binding.
func (b *Builder) AddLocal(l Local) LocalID {
	b.doc.Locals = append(b.doc.Locals, l)
	return LocalID(len(b.doc.Locals) - 1)
}

// AddImport appends an import.
func (b *Builder) AddImport(i Import) ImportID {
	b.doc.Imports = append(b.doc.Imports, i)
	return ImportID(len(b.doc.Imports) - 1)
}

// AddUse appends a use; uses may be added in any order.
func (b *Builder) AddUse(u Use) { b.doc.Uses = append(b.doc.Uses, u) }

// AddExport appends an export.
func (b *Builder) AddExport(e Export) { b.doc.Exports = append(b.doc.Exports, e) }

// Diagnose appends a diagnostic.
func (b *Builder) Diagnose(d Diagnostic) { b.doc.Diagnostics = append(b.doc.Diagnostics, d) }

// Finish sorts the uses, numbers equal descriptors and returns the Document. The
// Builder must not be used again before the next Begin.
func (b *Builder) Finish() *Document {
	doc := b.doc
	b.doc = nil
	byStart := func(x, y Use) int { return int(int64(x.Start) - int64(y.Start)) }
	if !slices.IsSortedFunc(doc.Uses, byStart) {
		slices.SortStableFunc(doc.Uses, byStart)
	}
	doc.number()
	return doc
}

// number sets the disambiguators: definitions with the same parent, owner, name
// and descriptor suffix are told apart by their order in the file.
func (doc *Document) number() {
	type slot struct {
		parent DefID
		owner  NameID
		name   NameID
		suffix Kind
	}
	seen := make(map[slot]uint16, len(doc.Defs))
	for i := range doc.Defs {
		d := &doc.Defs[i]
		s := slot{d.Parent, d.Owner, d.Name, suffixClass(d.Kind)}
		n := seen[s]
		d.Disambiguator = n
		if n < 1<<16-1 {
			seen[s] = n + 1
		}
	}
}

// suffixClass maps a kind to a representative of the kinds with the same descriptor suffix.
func suffixClass(k Kind) Kind {
	switch {
	case k == KindGetter || k == KindSetter || k == KindMacro || k == KindTypeParameter:
		return k
	case k.Callable():
		return KindFunction
	case k.IsType():
		return KindType
	case k == KindNamespace || k == KindPackage || k == KindFile:
		return KindNamespace
	}
	return KindVariable
}
