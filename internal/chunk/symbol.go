package chunk

import (
	"bytes"
	"sort"
	"strings"

	"manito/internal/code"
)

// nestedLines is how many lines a function inside a function must have to be a
// chunk of its own: shorter ones say little apart from what they stand in.
const nestedLines = 12

// splitter cuts one file with symbols.
type splitter struct {
	path string
	doc  *code.Document
	text []byte
	own  []bool         // by DefID: has a chunk of its own
	kids [][]code.DefID // by DefID: the nearest definitions inside that have chunks; the last entry is the file's
}

func symbols(path string, doc *code.Document, text []byte) []Chunk {
	s := &splitter{path: path, doc: doc, text: text, own: make([]bool, len(doc.Defs)), kids: make([][]code.DefID, len(doc.Defs)+1)}
	parents := make([]bool, len(doc.Defs)) // has a callable or a type inside
	for i := len(doc.Defs) - 1; i >= 0; i-- {
		d := &doc.Defs[i]
		s.own[i] = s.deserves(d, parents[i])
		if d.Parent != code.NoDef && (d.Kind.Callable() || d.Kind.IsType() && d.Kind != code.KindTypeParameter || parents[i]) {
			parents[d.Parent] = true
		}
	}
	for i := range doc.Defs {
		if s.own[i] {
			p := doc.Defs[i].Parent
			for p != code.NoDef && !s.own[p] {
				p = doc.Defs[p].Parent
			}
			if p == code.NoDef {
				p = code.DefID(len(doc.Defs))
			}
			s.kids[p] = append(s.kids[p], code.DefID(i))
		}
	}
	var out []Chunk
	if c, ok := s.file(); ok {
		out = append(out, c)
	}
	for i := range doc.Defs {
		if s.own[i] {
			out = append(out, s.symbol(code.DefID(i)))
		}
	}
	return out
}

// deserves says whether a definition is a chunk of its own: types, callables
// (inside of other callables only the longer ones), and of variables and
// constants those that are documented, long or hold functions. Fields and short
// constants are read with what they stand in.
func (s *splitter) deserves(d *code.Def, parent bool) bool {
	first, _ := s.doc.Line(d.Start)
	last, _ := s.doc.Line(max(d.End, d.Start+1) - 1)
	lines := last - first + 1
	switch {
	case d.Kind == code.KindTypeParameter || d.Kind == code.KindParameter || d.Flags&code.DefOverload != 0:
		return false
	case d.Kind.Callable():
		if d.Parent != code.NoDef && s.doc.Defs[d.Parent].Kind.Callable() {
			return lines >= nestedLines
		}
		// Interface methods and declarations are lines of what they stand in, unless they are documented.
		return d.BodyStart != 0 || d.Parent == code.NoDef || d.DocEnd > d.DocStart
	case d.Kind.IsType() || d.Kind == code.KindNamespace:
		return true
	case d.Parent != code.NoDef && s.doc.Defs[d.Parent].Kind.IsType():
		return parent
	case d.Parent != code.NoDef && s.doc.Defs[d.Parent].Kind.Callable():
		return parent && lines >= nestedLines
	}
	return parent || d.DocEnd > d.DocStart || lines >= 3
}

// symbol makes the chunk of a definition.
func (s *splitter) symbol(id code.DefID) Chunk {
	d := &s.doc.Defs[id]
	c := Chunk{Def: id, Kind: d.Kind, Path: s.path, Name: s.doc.Names[d.Name], Start: d.Start, End: d.End}
	switch {
	case d.Owner != 0:
		c.Container = s.doc.Names[d.Owner]
	case d.Parent != code.NoDef:
		c.Container = s.doc.QualifiedName(d.Parent)
	}
	c.Line, _ = s.doc.Line(d.Start)
	c.EndLine, _ = s.doc.Line(max(d.End, d.Start+1) - 1)
	c.Doc = cut(comment(s.slice(d.DocStart, d.DocEnd)), MaxDoc)

	body := d.Start
	if d.BodyStart > d.Start {
		body = d.BodyStart
		c.Signature = cut(oneLine(s.slice(d.Start, d.BodyStart)), MaxSignature)
	} else if line := s.slice(d.Start, d.End); len(line) > 0 {
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		c.Signature = cut(oneLine(line), MaxSignature)
		body = d.Start + uint32(len(line))
	}
	var holes []hole
	if d.DocEnd > d.DocStart && d.DocStart >= body {
		holes = append(holes, hole{d.DocStart, d.DocEnd, ""}) // a documentation string
	}
	c.Body = s.without(body, d.End, append(holes, s.holes(s.kids[id])...))
	return c
}

// hole is a range of text that another chunk has, with what stands for it.
type hole struct {
	start, end uint32
	name       string
}

func (s *splitter) holes(defs []code.DefID) []hole {
	var out []hole
	for _, k := range defs {
		d := &s.doc.Defs[k]
		start := d.Start
		if d.DocEnd > d.DocStart && d.DocStart < start {
			start = d.DocStart
		}
		out = append(out, hole{start, d.End, s.doc.Names[d.Name]})
	}
	return out
}

// without is the text of a range, each hole replaced by its name, cut at MaxBody.
func (s *splitter) without(start, end uint32, holes []hole) string {
	if len(holes) == 0 {
		return cut(strings.TrimSpace(string(s.slice(start, end))), MaxBody)
	}
	sort.SliceStable(holes, func(i, j int) bool { return holes[i].start < holes[j].start })
	var b strings.Builder
	at := start
	for _, h := range holes {
		if h.end <= at || h.start >= end {
			continue
		}
		b.Write(s.slice(at, h.start))
		b.WriteString(h.name)
		at = h.end
		if b.Len() > MaxBody {
			break
		}
	}
	if at < end {
		b.Write(s.slice(at, end))
	}
	return cut(squeeze(b.String()), MaxBody)
}

// file makes the chunk of what a file says outside of its symbols: the comment at
// its head, imports, short constants, statements.
func (s *splitter) file() (Chunk, bool) {
	var holes []hole
	for _, h := range s.holes(s.kids[len(s.doc.Defs)]) {
		h.name = ""
		holes = append(holes, h)
	}
	rest := s.without(0, uint32(len(s.text)), holes)
	head, rest := heading(rest)
	c := Chunk{Def: code.NoDef, Kind: code.KindFile, Path: s.path, Name: base(s.path), Doc: cut(head, MaxDoc), Body: rest, End: uint32(len(s.text))}
	c.EndLine, _ = s.doc.Line(uint32(max(len(s.text), 1) - 1))
	return c, c.Doc != "" || c.Body != ""
}

// heading takes the comments off the head of a file's text. Licences are dropped: they say the same in every file.
func heading(text string) (doc, rest string) {
	rest = text
	for {
		rest = strings.TrimSpace(rest)
		n := commentLength(rest)
		if n == 0 {
			return strings.TrimSpace(doc), rest
		}
		// Groups of line comments end at an empty line.
		words := comment([]byte(rest[:n]))
		if !licence(words) {
			doc += words + "\n"
		}
		rest = rest[n:]
	}
}

// slice is a range of the text, clipped to it.
func (s *splitter) slice(start, end uint32) []byte {
	n := uint32(len(s.text))
	start, end = min(start, n), min(end, n)
	if start >= end {
		return nil
	}
	return s.text[start:end]
}
