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
	if len(doc.Imports) == 0 {
		return nil
	}
	out := make(importSpans, 0, 2*len(doc.Imports))
	alive := make(map[[2]uint32]bool) // specifiers of which one binding is not for types only
	for i := range doc.Imports {
		m := &doc.Imports[i]
		var f LinkFlags
		if m.TypeOnly || m.Kind == code.ImportType {
			f |= LinkErased
		} else {
			alive[[2]uint32{m.Start, m.End}] = true
		}
		if m.Scope != code.NoDef || m.Kind == code.ImportDynamic {
			f |= LinkDeferred
		}
		switch m.Kind {
		case code.ImportModule, code.ImportStar, code.ImportDynamic:
			f |= LinkModule
		}
		out = append(out, importSpan{m.Start, m.End, f})
		if m.NameStart != 0 {
			out = append(out, importSpan{m.NameStart, m.NameStart, f &^ LinkModule})
		}
	}
	for i := range out {
		if alive[[2]uint32{out[i].start, out[i].end}] {
			out[i].flags &^= LinkErased
		}
	}
	slices.SortFunc(out, func(a, b importSpan) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(b.flags, a.flags))
	})
	return out
}

func (s importSpans) at(offset uint32) LinkFlags {
	i, _ := slices.BinarySearchFunc(s, offset, func(x importSpan, o uint32) int {
		if x.start <= o {
			return -1
		}
		return 1
	})
	i-- // the last span that begins at the offset or before it
	if i < 0 || offset != s[i].start && offset >= s[i].end {
		return 0
	}
	flags := s[i].flags
	for j := i - 1; j >= 0 && s[j].start == s[i].start && s[j].end == s[i].end; j-- {
		flags |= s[j].flags & LinkModule // one of several bindings takes the whole module
	}
	return flags
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
