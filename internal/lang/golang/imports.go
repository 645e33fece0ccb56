package golang

import (
	"go/ast"
	"path"
	"strconv"
	"strings"

	"manito/internal/code"
)

func (x *Extractor) importAll(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		if spec, ok := spec.(*ast.ImportSpec); ok && spec.Path != nil {
			x.importOne(spec)
		}
	}
}

func (x *Extractor) importOne(spec *ast.ImportSpec) {
	specifier, err := strconv.Unquote(spec.Path.Value)
	if err != nil || specifier == "" {
		return // the parser has reported it
	}
	start := x.at(spec.Path.Pos()) + 1
	m := code.Import{
		Kind: code.ImportModule, Specifier: x.symbols.name(specifier), Scope: code.NoDef,
		Start: start, End: max(start, x.at(spec.Path.End())-1),
	}
	local := packageName(specifier)
	if spec.Name != nil {
		m.NameStart = x.at(spec.Name.Pos())
		local = spec.Name.Name
		switch local {
		case "_":
			m.Kind, local, m.NameStart = code.ImportSideEffect, "", 0
		case ".":
			m.Kind, local, m.NameStart = code.ImportStar, "", 0
		}
	}
	if local == "" {
		x.builder.AddImport(m)
		return
	}
	id := x.symbols.lookup(local)
	m.Local = x.symbols.all[id].name
	n := x.builder.AddImport(m)
	if x.symbols.all[id].bound == 0 {
		x.symbols.declare(id, bind(boundImport, int32(n)))
	}
}

// packageName guesses the name of the package at an import path from the
// conventions of its last element: major versions and gopkg.in's version
// suffixes are no part of it, nor is "go" set off by a dash or dot.
func packageName(specifier string) string {
	name := path.Base(specifier)
	if isMajor(name) && strings.Contains(specifier, "/") {
		name = path.Base(path.Dir(specifier))
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 && isMajor(name[i+1:]) {
		name = name[:i]
	}
	name = strings.TrimPrefix(name, "go-")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "-go"), ".go")
	if i := strings.LastIndexAny(name, "-."); i >= 0 && i+1 < len(name) {
		name = name[i+1:]
	}
	return name
}

// isMajor says whether a path element is a major version: v2, v10.
func isMajor(s string) bool {
	if len(s) < 2 || s[0] != 'v' {
		return false
	}
	for _, c := range []byte(s[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// settleImports corrects guesses by what the file itself proves. Go refuses an
// import that is not used; so when the guessed name of an import is never used,
// its true name is among the undeclared names that stand before a dot. It is
// taken when only one can be meant.
func (x *Extractor) settleImports() {
	var unsettled []code.ImportID
	for i := range x.doc.Imports {
		m := &x.doc.Imports[i]
		if m.Kind != code.ImportModule || m.NameStart != 0 || m.Local == 0 {
			continue
		}
		guess := &x.symbols.all[x.symbols.lookup(x.symbols.names[m.Local])]
		if guess.bound == bind(boundImport, int32(i)) && guess.expr != 0 {
			continue
		}
		if id := x.nameOfImport(x.symbols.names[m.Specifier]); id != 0 {
			x.settleImport(code.ImportID(i), id)
			continue
		}
		unsettled = append(unsettled, code.ImportID(i))
	}
	if len(unsettled) != 1 {
		return
	}
	var only symID
	for _, id := range x.unbound {
		switch s := &x.symbols.all[id]; {
		case !s.base:
		case only != 0:
			return
		default:
			only = id
		}
	}
	if only != 0 {
		x.settleImport(unsettled[0], only)
	}
}

// settleImport makes a free name the name of an import, in all its uses at once:
// they share one expression.
func (x *Extractor) settleImport(i code.ImportID, id symID) {
	s := &x.symbols.all[id]
	x.doc.Exprs[s.expr] = code.Expr{Op: code.OpImport, A: int32(i)}
	s.bound, s.base = bind(boundImport, int32(i)), false
	x.doc.Imports[i].Local = s.name
}

// nameOfImport chooses among the undeclared names before a dot: the one whose
// letters are those of a part of the path, or that contains or is contained in one.
func (x *Extractor) nameOfImport(specifier string) symID {
	elements := strings.Split(strings.ToLower(specifier), "/")
	elements = elements[max(0, len(elements)-3):]
	for i := range elements {
		elements[i] = letters(elements[i])
	}
	best, level, tie := symID(0), 0, false
	for _, id := range x.unbound {
		s := &x.symbols.all[id]
		if !s.base {
			continue
		}
		name, fit := strings.ToLower(s.text), 0
		for _, e := range elements {
			switch {
			case e == name:
				fit = max(fit, 3)
			case len(name) > 2 && strings.Contains(e, name):
				fit = max(fit, 2)
			case len(e) > 2 && strings.Contains(name, e):
				fit = max(fit, 1)
			}
		}
		switch {
		case fit > level:
			best, level, tie = id, fit, false
		case fit == level:
			tie = true
		}
	}
	if level == 0 || tie {
		return 0
	}
	return best
}

// letters is a path element without what no identifier can hold.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '~' {
			return -1
		}
		return r
	}, s)
}
