package graph

import (
	"cmp"
	"slices"

	"manito/internal/code"
)

// importSpans tells an import edge what kind of import it was written as.
type importSpans []importSpan

type importSpan struct {
	start, end uint32
	flags      LinkFlags
}

func importFlags(doc *code.Document) importSpans {
	var out importSpans
	for i := range doc.Imports {
		m := &doc.Imports[i]
		var f LinkFlags
		if m.TypeOnly || m.Kind == code.ImportType {
			f |= LinkErased
		}
		if m.Scope != code.NoDef || m.Kind == code.ImportDynamic {
			f |= LinkDeferred
		}
		if f == 0 {
			continue
		}
		out = append(out, importSpan{m.Start, m.End, f})
		if m.NameStart != 0 {
			out = append(out, importSpan{m.NameStart, m.NameStart, f})
		}
	}
	if len(out) == 0 {
		return nil
	}
	// One binding that is not erased keeps the whole import alive.
	for i := range doc.Imports {
		m := &doc.Imports[i]
		if m.TypeOnly || m.Kind == code.ImportType {
			continue
		}
		for j := range out {
			if out[j].start == m.Start && out[j].end == m.End {
				out[j].flags &^= LinkErased
			}
		}
	}
	slices.SortFunc(out, func(a, b importSpan) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	return out
}

func (s importSpans) at(offset uint32) LinkFlags {
	i, _ := slices.BinarySearchFunc(s, offset, func(x importSpan, o uint32) int {
		if x.start <= o {
			return -1
		}
		return 1
	})
	for i--; i >= 0; i-- {
		if x := s[i]; offset == x.start || offset < x.end {
			return x.flags
		} else if x.start < offset {
			return 0
		}
	}
	return 0
}

// exportStarts lists where definitions of the file are named in order to export them, ascending.
func exportStarts(doc *code.Document) []uint32 {
	var out []uint32
	for i := range doc.Exports {
		x := &doc.Exports[i]
		if int(x.Expr) < len(doc.Exprs) && doc.Exprs[x.Expr].Op == code.OpDef {
			out = append(out, x.Start)
		}
	}
	slices.Sort(out)
	return out
}
