package adopt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/pack"
)

// language is Document.Language of what was taken over: no extractor's, so that answers
// about it promise as little as about the most dynamic language.
const language = "adopted"

// extractor is the version of the rules by which rows become a Document.
const extractor = 1

// scope is what owns the definitions of a file. It is none that a module system makes:
// a scan of the same repository gives its symbols other names.
func scope(name string) string {
	return language + " . . . " + string(code.AppendName(nil, name)) + "/"
}

// fileKey is the key under which edges know a file.
func fileKey(name string) code.Key { return code.ScopeKey("file " + name) }

// made is a file as it will be stored.
type made struct {
	*file
	doc   *code.Document // nil for a file of which nothing but itself is known
	fact  []byte         // packed
	block pack.Block
	hash  [32]byte // of the content
	z     []byte   // the content, packed; nil when it was not kept
	lines int32
}

// describe makes the Document of a file: its nodes are definitions, its diagnostics are
// kept, and it is marked as an outline, because nobody knows which uses are missing. A
// file whose content was not kept has the lines that its positions need.
func (f *file) describe(b *code.Builder, content []byte) *code.Document {
	doc := b.Begin(language, "", content)
	doc.Flags |= code.DocOutline
	if content == nil {
		f.ruled(doc)
	}
	type definition struct {
		n          *node
		start, end uint32
	}
	var defs []definition
	for _, n := range f.nodes {
		if n.whole || n.same != nil {
			continue
		}
		start := offset(doc, n.start)
		end := offset(doc, n.end)
		if !n.end.known || end < start {
			end = min(start+uint32(len(n.name)), doc.Size)
		}
		defs = append(defs, definition{n, start, end})
	}
	slices.SortFunc(defs, func(x, y definition) int {
		return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(y.end, x.end), cmp.Compare(x.n.kind, y.n.kind), strings.Compare(x.n.name, y.n.name), strings.Compare(x.n.id, y.n.id))
	})
	for _, d := range defs {
		def := code.Def{Name: b.Name(d.n.name), Kind: d.n.kind, Parent: code.NoDef, Start: d.start, End: d.end, NameStart: d.start, Flags: code.DefNoName}
		if i := named(content, d.start, d.n.name); i >= 0 {
			def.NameStart, def.Flags = d.start+uint32(i), 0
			def.End = max(def.End, def.NameStart)
		}
		d.n.def = b.AddDef(def)
	}
	slices.SortFunc(f.diagnostics, func(x, y diagnostic) int { return cmp.Compare(x.ord, y.ord) })
	for _, d := range f.diagnostics {
		start := offset(doc, d.at)
		b.Diagnose(code.Diagnostic{Severity: d.severity, Code: d.code, Message: d.message, Start: start, End: start})
	}
	doc = b.Finish()
	key := code.ScopeKey(scope(f.path))
	for _, n := range f.nodes {
		switch {
		case n.whole:
			n.key = fileKey(f.path)
		case n.same == nil:
			n.key = key ^ code.DescriptorKey(doc.Descriptor(n.def))
		}
	}
	return doc
}

// heading is how far behind its start the name of a definition is looked for.
const heading = 400

// named is where a name stands as a word behind an offset; -1 when it does not.
func named(content []byte, from uint32, name string) int {
	if int(from) >= len(content) {
		return -1
	}
	part := content[from:min(len(content), int(from)+heading+len(name))]
	word := func(c byte) bool {
		return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
	}
	for at := 0; ; {
		i := bytes.Index(part[at:], []byte(name))
		if i < 0 {
			return -1
		}
		i += at
		end := i + len(name)
		if (i == 0 || !word(part[i-1])) && (end == len(part) || !word(part[end])) {
			return i
		}
		at = i + 1
	}
}

// ruled gives a Document without content as many lines as the file is said to have, each
// wide enough for the positions in it.
func (f *file) ruled(doc *code.Document) {
	rows := max(1, min(f.lines, maxRow))
	width := map[int]int{}
	need := func(p position, extra int) {
		if p.known {
			rows = max(rows, p.row+1)
			width[p.row] = max(width[p.row], p.column+extra+1)
		}
	}
	need(position{known: true}, 0)
	for _, n := range f.nodes {
		need(n.start, len(n.name))
		need(n.end, 0)
		if !n.start.known {
			need(position{known: true}, len(n.name))
		}
	}
	for _, e := range f.edges {
		need(e.at, 0)
	}
	for _, d := range f.diagnostics {
		need(d.at, 0)
	}
	doc.Lines = make([]uint32, rows)
	size := uint64(0)
	for i := range rows {
		if size+maxColumn*2 > 1<<32-1 {
			doc.Lines = doc.Lines[:i] // what lies behind is at the end of the file
			break
		}
		doc.Lines[i] = uint32(size)
		size += uint64(max(1, width[i]))
	}
	doc.Size = uint32(max(size, uint64(min(f.size, 1<<31))))
}

// offset is where a position lies; one outside of the file is at the end of its line or
// of the file, an unknown one at the beginning.
func offset(doc *code.Document, p position) uint32 {
	switch {
	case !p.known:
		return 0
	case p.row >= len(doc.Lines):
		return doc.Size
	}
	end := doc.Size
	if p.row+1 < len(doc.Lines) {
		end = doc.Lines[p.row+1] - 1
	}
	return uint32(min(uint64(doc.Lines[p.row])+uint64(p.column), uint64(end)))
}

// tie packs the edges that leave a file. Two that say the same are one.
func (f *file) tie(p *plan, doc *code.Document, packer *pack.Packer) pack.Block {
	slices.SortFunc(f.edges, func(x, y edge) int { return cmp.Or(strings.Compare(x.table, y.table), cmp.Compare(x.ord, y.ord)) })
	seen := map[pack.EdgeAt]bool{}
	var edges []pack.EdgeAt
	for _, e := range f.edges {
		line, column := doc.Line(offset(doc, e.at))
		packed := pack.EdgeAt{Source: e.source.def, Target: e.target.key, Line: line, Column: column, Kind: e.kind, Certainty: code.May, Reason: code.ReasonAdopted}
		if seen[packed] {
			p.leave(e.table, e.ord, reason{text: "another row says the same"})
			p.placed[e.table]--
			continue
		}
		seen[packed] = true
		edges = append(edges, packed)
	}
	return packer.NewBlock(edges, nil)
}

// identify names a Document by what it holds. The name stands in its dialect, which says
// how a content was read: by what the predecessor knew of it.
func identify(doc *code.Document, packer *pack.Packer) []byte {
	sum := sha256.Sum256(packer.Document(doc))
	doc.Dialect = language + "-" + hex.EncodeToString(sum[:12])
	return packer.Document(doc)
}
