package golang

import (
	"bytes"
	"go/build/constraint"
	"strings"

	"manito/internal/code"
)

// The tree has no comments: those that matter are found from where they must stand.

// document finds the comment of a definition: the lines of comment that end on
// the line before it and lie after floor, else the comment that follows it on its last line.
func (x *Extractor) document(d *code.Def, floor uint32) {
	d.DocStart, d.DocEnd = x.commentAbove(d.Start, floor)
	if d.DocStart == d.DocEnd && d.Kind != code.KindFunction && d.Kind != code.KindMethod {
		d.DocStart, d.DocEnd = x.commentAfter(d.End)
	}
	if d.DocStart == d.DocEnd {
		return
	}
	comment := x.text[d.DocStart:d.DocEnd]
	if deprecates(comment) {
		d.Flags |= code.DefDeprecated
	}
	if handsOut(comment) {
		d.Flags |= code.DefDecorated
	}
}

// handsOut says whether a directive makes a definition known to code that Go
// does not see: to C, to a WebAssembly host, or to the linker.
func handsOut(comment []byte) bool {
	for _, directive := range [...]string{"//export ", "//go:linkname ", "//go:wasmexport "} {
		if at := bytes.Index(comment, []byte(directive)); at == 0 || at > 0 && comment[at-1] == '\n' {
			return true
		}
	}
	return false
}

func (x *Extractor) commentAbove(start, floor uint32) (from, to uint32) {
	text := x.text
	row := start // becomes the first byte of the row that the comment must end above
	for row > floor && (text[row-1] == ' ' || text[row-1] == '\t') {
		row--
	}
	for row > floor && text[row-1] == '\n' {
		end := trimRight(text, floor, row-1)
		head := floor + uint32(bytes.LastIndexByte(text[floor:end], '\n')+1)
		if head == floor && floor > 0 {
			break // this row begins with what stands before the definition
		}
		first := skipBlank(text, head, end)
		switch {
		case end-first < 2:
			return from, to
		case text[first] == '/' && text[first+1] == '/':
		case text[end-2] == '*' && text[end-1] == '/':
			open := bytes.LastIndex(text[floor:end-2], []byte("/*"))
			if open < 0 {
				return from, to
			}
			first = floor + uint32(open)
			head = floor + uint32(bytes.LastIndexByte(text[floor:first], '\n')+1)
			if skipBlank(text, head, first) != first || head == floor && floor > 0 {
				return from, to
			}
		default:
			return from, to
		}
		from, row = first, head
		if to == 0 {
			to = end
		}
	}
	return from, to
}

func (x *Extractor) commentAfter(end uint32) (from, to uint32) {
	from = skipBlank(x.text, end, x.doc.Size)
	if !bytes.HasPrefix(x.text[from:], []byte("//")) {
		return 0, 0
	}
	to = x.doc.Size
	if n := bytes.IndexByte(x.text[from:], '\n'); n >= 0 {
		to = from + uint32(n)
	}
	return from, trimRight(x.text, from, to)
}

func skipBlank(text []byte, from, to uint32) uint32 {
	for from < to && (text[from] == ' ' || text[from] == '\t') {
		from++
	}
	return from
}

func trimRight(text []byte, from, to uint32) uint32 {
	for to > from && (text[to-1] == ' ' || text[to-1] == '\t' || text[to-1] == '\r') {
		to--
	}
	return to
}

// deprecates says whether a comment has a paragraph that begins with "Deprecated:".
func deprecates(comment []byte) bool {
	at := bytes.Index(comment, []byte("Deprecated:"))
	if at < 0 {
		return false
	}
	line := comment[bytes.LastIndexByte(comment[:at], '\n')+1 : at]
	return len(bytes.Trim(line, "/* \t")) == 0
}

// constraintOf is the build constraint among the lines before the package
// clause, in the syntax of //go:build; the older +build lines are translated.
func constraintOf(head []byte) string {
	if !bytes.Contains(head, []byte("go:build ")) && !bytes.Contains(head, []byte("+build ")) {
		return ""
	}
	var old constraint.Expr
	for line := range bytes.Lines(head) {
		line := string(bytes.TrimSpace(line))
		switch {
		case constraint.IsGoBuild(line):
			if _, err := constraint.Parse(line); err != nil {
				continue // the go command refuses such a file; there is nothing to tell about it
			}
			return strings.TrimSpace(strings.TrimPrefix(line, "//go:build"))
		case constraint.IsPlusBuild(line):
			e, err := constraint.Parse(line)
			switch {
			case err != nil:
			case old == nil:
				old = e
			default:
				old = &constraint.AndExpr{X: old, Y: e}
			}
		}
	}
	if old == nil {
		return ""
	}
	return old.String()
}

// generated says whether a line before the package clause is the standard notice of generated code.
func generated(head []byte) bool {
	if !bytes.Contains(head, []byte("// Code generated ")) {
		return false
	}
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if bytes.HasPrefix(line, []byte("// Code generated ")) && bytes.HasSuffix(line, []byte(" DO NOT EDIT.")) {
			return true
		}
	}
	return false
}
