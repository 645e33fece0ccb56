package langtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"manito/internal/code"
)

// mark is one remark under a source line.
type mark struct {
	start  uint32
	length int
	rank   int // order among marks at one place: definition, local, use, diagnostic
	text   string
}

// Snapshot shows a Document along its source: each line indented by two, and
// under it one remark per definition, local, use and diagnostic that begins on
// it. Imports and exports, which may have no place of their own, stand at the end.
//
//	  func Max(a, b int) int {
//	//     ^^^ def Max(). kind=function flags=exported range=3:1-8:2 …
//	//         ^ local a%0 kind=parameter type=of(name(int))
//	//               ^^^ use type name(int) in Max().
func Snapshot(text []byte, doc *code.Document) []byte {
	marks := collect(doc)
	var out bytes.Buffer
	fmt.Fprintf(&out, "// language=%s dialect=%s", doc.Language, doc.Dialect)
	if doc.Package != 0 {
		fmt.Fprintf(&out, " package=%s", doc.Names[doc.Package])
	}
	if doc.Constraint != "" {
		fmt.Fprintf(&out, " constraint=%q", doc.Constraint)
	}
	fmt.Fprintf(&out, "%s\n", words(" flags=", uint32(doc.Flags), docFlags))
	for i, start := range doc.Lines {
		end := len(text)
		if i+1 < len(doc.Lines) {
			end = int(doc.Lines[i+1]) - 1
		}
		row := text[start:end]
		if i+1 == len(doc.Lines) && len(row) == 0 && len(marks) == 0 {
			break
		}
		if len(row) > 0 {
			out.WriteString("  ")
		}
		out.Write(row)
		out.WriteByte('\n')
		for len(marks) > 0 && (int(marks[0].start) <= end || i+1 == len(doc.Lines)) {
			m := marks[0]
			marks = marks[1:]
			out.WriteString("//")
			for _, r := range string(row[:min(len(row), int(m.start-start))]) {
				if r != '\t' {
					r = ' '
				}
				out.WriteRune(r)
			}
			fmt.Fprintf(&out, "%s %s\n", strings.Repeat("^", max(1, m.length)), m.text)
		}
	}
	for i := range doc.Imports {
		fmt.Fprintf(&out, "// import %d %s\n", i, describeImport(doc, &doc.Imports[i]))
	}
	for _, e := range doc.Exports {
		fmt.Fprintf(&out, "// export %s at %s = %s", doc.Names[e.Name], place(doc, e.Start), Expr(doc, e.Expr))
		if e.Import >= 0 {
			fmt.Fprintf(&out, " of import %d", e.Import)
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

func collect(doc *code.Document) []mark {
	marks := make([]mark, 0, len(doc.Defs)+len(doc.Locals)+len(doc.Uses)+len(doc.Diagnostics))
	for i := range doc.Defs {
		d := &doc.Defs[i]
		length := len(doc.Names[d.Name])
		if d.Flags&code.DefNoName != 0 {
			length = 1
		}
		marks = append(marks, mark{d.NameStart, length, 0, describeDef(doc, code.DefID(i))})
	}
	for i, l := range doc.Locals {
		s := fmt.Sprintf("local %s kind=%s%s%s", localName(doc, code.LocalID(i)), l.Kind, field(doc, " type=", l.Type), within(doc, l.Scope))
		marks = append(marks, mark{l.Start, len(doc.Names[l.Name]), 1, s})
	}
	for _, u := range doc.Uses {
		what := "use"
		if u.Name == 0 {
			what = "use of no name"
		}
		s := fmt.Sprintf("%s %s %s%s", what, u.Role, Expr(doc, u.Expr), within(doc, u.Scope))
		marks = append(marks, mark{u.Start, len(doc.Names[u.Name]), 2, s})
	}
	for _, g := range doc.Diagnostics {
		s := fmt.Sprintf("%s %s: %s", g.Severity, g.Code, g.Message)
		marks = append(marks, mark{g.Start, int(g.End - g.Start), 3, s})
	}
	slices.SortStableFunc(marks, func(a, b mark) int {
		if a.start != b.start {
			return int(int64(a.start) - int64(b.start))
		}
		return a.rank - b.rank
	})
	return marks
}

func describeDef(doc *code.Document, id code.DefID) string {
	d := &doc.Defs[id]
	var s strings.Builder
	fmt.Fprintf(&s, "def %s kind=%s%s range=%s-%s", doc.Descriptor(id), d.Kind, words(" flags=", uint32(d.Flags), defFlags), place(doc, d.Start), place(doc, d.End))
	if d.BodyStart != 0 {
		fmt.Fprintf(&s, " body=%s", place(doc, d.BodyStart))
	}
	if d.DocEnd > d.DocStart {
		fmt.Fprintf(&s, " doc=%s-%s", place(doc, d.DocStart), place(doc, d.DocEnd))
	}
	s.WriteString(field(doc, " type=", d.Type))
	s.WriteString(field(doc, " bases=", d.Bases))
	s.WriteString(field(doc, " typeparams=", d.TypeParams))
	s.WriteString(field(doc, " params=", d.Params))
	if d.Cyclomatic != 0 {
		fmt.Fprintf(&s, " cyclomatic=%d cognitive=%d", d.Cyclomatic, d.Cognitive)
	}
	return s.String()
}

func describeImport(doc *code.Document, m *code.Import) string {
	kinds := [...]string{"module", "named", "star", "side-effect", "dynamic", "reexport", "type"}
	s := kinds[m.Kind]
	if m.TypeOnly {
		s += " type-only"
	}
	if m.Optional {
		s += " optional"
	}
	s += fmt.Sprintf(" %q at %s-%s", strings.Repeat(".", int(m.Relative))+doc.Names[m.Specifier], place(doc, m.Start), place(doc, m.End))
	if m.Name != 0 {
		s += " name=" + doc.Names[m.Name]
	}
	if m.Local != 0 {
		s += " local=" + doc.Names[m.Local]
	}
	if m.NameStart != 0 {
		s += " named at " + place(doc, m.NameStart)
	}
	return s + within(doc, m.Scope)
}

func within(doc *code.Document, scope code.DefID) string {
	if scope == code.NoDef {
		return ""
	}
	return " in " + doc.Descriptor(scope)
}

func field(doc *code.Document, label string, e code.ExprID) string {
	if e == 0 {
		return ""
	}
	return label + Expr(doc, e)
}

func place(doc *code.Document, offset uint32) string {
	l, c := doc.Line(offset)
	return fmt.Sprintf("%d:%d", l+1, c+1)
}

func words(label string, bits uint32, names []string) string {
	var set []string
	for i, n := range names {
		if bits&(1<<i) != 0 {
			set = append(set, n)
		}
	}
	if len(set) == 0 {
		return ""
	}
	return label + strings.Join(set, "|")
}

// In the order of the constants of package code.
var (
	docFlags = []string{"outline", "broken", "test", "generated", "module", "dynamic", "declaration"}
	defFlags = []string{
		"exported", "private", "protected", "static", "abstract", "async", "generator", "test", "deprecated", "file-local", "no-name", "optional",
		"readonly", "overload", "alias", "embedded", "property", "class-method", "pointer", "default", "decorated", "variadic", "ambient",
	}
)
