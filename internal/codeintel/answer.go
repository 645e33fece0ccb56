package codeintel

import (
	"fmt"

	"manito/internal/code"
	"manito/internal/graph"
)

// Location is a place in a file.
type Location struct {
	File   string `json:"file"`
	Line   int    `json:"line"`             // from 1
	Column int    `json:"column,omitempty"` // from 1, in bytes; 0 for a whole line or file
}

// String is the form that terminals and editors make clickable: file:line:column.
func (l Location) String() string {
	switch {
	case l.Line == 0:
		return l.File
	case l.Column == 0:
		return fmt.Sprintf("%s:%d", l.File, l.Line)
	}
	return fmt.Sprintf("%s:%d:%d", l.File, l.Line, l.Column)
}

// Symbol names a symbol, file or package and says where it is defined first.
type Symbol struct {
	ID            string `json:"id"`             // the symbol string; for a file "file " and its path
	Name          string `json:"name"`           // as it is written
	QualifiedName string `json:"qualified_name"` // with what encloses it, joined by dots; for a file its path
	Kind          string `json:"kind"`           // code.Kind in lower case
	Language      string `json:"language,omitempty"`
	File          string `json:"file,omitempty"` // empty for what is outside of the repository
	Line          int    `json:"line,omitempty"`
	Column        int    `json:"column,omitempty"`
	EndLine       int    `json:"end_line,omitempty"`
	Visibility    string `json:"visibility,omitempty"` // exported, private, protected or internal
	Test          bool   `json:"test,omitempty"`       // it stands in a test file or is a test
}

// Location is where the symbol's name is written first.
func (s Symbol) Location() Location { return Location{s.File, s.Line, s.Column} }

// Tie says how sure an edge is and by what it was established.
type Tie struct {
	Kind      string `json:"kind"`      // code.EdgeKind: calls, instantiates, reads, ...
	Certainty string `json:"certainty"` // must, likely or may
	Evidence  string `json:"evidence"`  // scope, import, package, receiver, methodset, cha, vta, checker, scip or adopted
	Reason    string `json:"reason"`    // the rule, for people
}

// symbol describes a node.
func (x *Index) symbol(n graph.Node) Symbol {
	g := x.g
	switch g.Class(n) {
	case graph.ClassExternal:
		e := g.External(n)
		return Symbol{ID: e.Symbol, Name: e.Name, QualifiedName: e.Name, Kind: code.KindPackage.String()}
	case graph.ClassPackage:
		return Symbol{ID: g.Symbol(n), Name: g.Name(n), QualifiedName: g.PackagePath(n), Kind: code.KindPackage.String(), File: g.PackagePath(n)}
	}
	return x.define(g.FirstDef(n))
}

// define describes a definition.
func (x *Index) define(d graph.Def) Symbol { return x.defineAll([]graph.Def{d})[0] }

// defineAll describes many definitions. The strings of one file are made once.
func (x *Index) defineAll(defs []graph.Def) []Symbol {
	g := x.g
	out := make([]Symbol, len(defs))
	type file struct{ path, language string }
	files := map[graph.FileNo]file{}
	for i, w := range g.Words(defs) {
		d := defs[i]
		f := w.File
		known, ok := files[f]
		if !ok {
			known = file{g.Path(f), g.Language(f)}
			files[f] = known
		}
		kind, flags := g.Kind(d), g.Flags(d)
		s := &out[i]
		*s = Symbol{
			ID: w.Symbol, Name: w.Name, QualifiedName: w.QualifiedName, Kind: kind.String(), Language: known.language, File: known.path,
			Test: flags&code.DefTest != 0 || g.DocFlags(f)&code.DocTest != 0,
		}
		if kind == code.KindFile {
			continue
		}
		def := g.Definition(d)
		s.Line, s.Column, s.EndLine = int(def.NameLine)+1, int(def.NameColumn)+1, int(def.EndLine)+1
		s.Visibility = visibility(flags)
	}
	return out
}

func visibility(f code.DefFlags) string {
	switch {
	case f&code.DefPrivate != 0:
		return "private"
	case f&code.DefProtected != 0:
		return "protected"
	case f&code.DefExported != 0:
		return "exported"
	}
	return "internal"
}

// at is the place of a link or site.
func (x *Index) at(d graph.Def, line, column uint32) Location {
	return Location{x.g.Path(x.g.FileOf(d)), int(line) + 1, int(column) + 1}
}

func tie(l graph.Link, c code.Certainty) Tie {
	return Tie{Kind: l.Kind.String(), Certainty: c.String(), Evidence: l.Reason.Evidence().String(), Reason: l.Reason.String()}
}

// dispatchTie is the tie of a call that reaches its target through a method that the target stands in for.
func dispatchTie(l graph.Link, t graph.Target) Tie {
	return Tie{Kind: l.Kind.String(), Certainty: max(l.Certainty, t.Certainty).String(), Evidence: t.Reason.Evidence().String(), Reason: t.Reason.String()}
}
