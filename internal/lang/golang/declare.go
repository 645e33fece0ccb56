package golang

import (
	"go/ast"
	"go/token"
	"strings"
	"unicode"
	"unicode/utf8"

	"manito/internal/code"
)

// The first pass: it gives every package-level definition and its members their
// DefID and binds the package-level names, so that the second pass, which reads
// types and bodies in order, can name what is declared further down.

// shape is what a type's literals hold, as far as its own declaration says.
type shape uint8

const (
	shapeUnknown  shape = iota
	shapeFields         // a struct: keys are fields
	shapeElements       // an array, slice or map: keys are values
)

func (x *Extractor) declareAll(file *ast.File) {
	floor := x.at(file.Name.End())
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			x.declareFunc(decl, floor)
		case *ast.GenDecl:
			if decl.Tok == token.IMPORT {
				x.importAll(decl)
			} else {
				x.declareGroup(decl, floor)
			}
		}
		floor = x.at(decl.End())
	}
}

func (x *Extractor) declareFunc(decl *ast.FuncDecl, floor uint32) {
	if !x.written(decl.Name) {
		x.heads = append(x.heads, code.NoDef)
		return
	}
	name := decl.Name.Name
	id := x.symbols.lookup(name)
	d := code.Def{
		Name: x.symbols.all[id].name, Kind: code.KindFunction, Flags: exportFlag(name), Parent: code.NoDef,
		Start: x.at(decl.Pos()), End: x.at(decl.End()), NameStart: x.at(decl.Name.Pos()),
	}
	if decl.Body != nil {
		d.BodyStart = x.at(decl.Body.Lbrace)
	}
	if variadic(decl.Type) {
		d.Flags |= code.DefVariadic
	}
	if decl.Recv != nil {
		d.Kind = code.KindMethod
		if len(decl.Recv.List) > 0 {
			base, pointer := receiverBase(decl.Recv.List[0].Type)
			if pointer {
				d.Flags |= code.DefPointer
			}
			if base != nil && x.written(base) {
				d.Owner = x.symbols.name(base.Name)
			}
		}
	}
	if name == "_" || name == "init" && decl.Recv == nil {
		d.Flags |= code.DefFileLocal
	}
	if decl.Recv == nil && x.doc.Flags&code.DocTest != 0 && isTest(name) {
		d.Flags |= code.DefTest
	}
	x.document(&d, floor)
	def := x.define(d, trait{generic: decl.Type.TypeParams != nil})
	x.heads = append(x.heads, def)
	if decl.Recv == nil && d.Flags&code.DefFileLocal == 0 {
		x.declareTop(id, def)
	}
}

// declareGroup declares what a type, var or const declaration declares.
func (x *Extractor) declareGroup(decl *ast.GenDecl, floor uint32) {
	grouped := decl.Lparen.IsValid()
	if grouped && len(decl.Specs) > 1 {
		floor = x.at(decl.Lparen + 1) // the comment over a group of one belongs to that one
	}
	for _, spec := range decl.Specs {
		start, end := x.at(decl.Pos()), x.at(decl.End())
		if grouped {
			start, end = x.at(spec.Pos()), x.at(spec.End())
		}
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			def := x.declareType(spec, code.NoDef, start, end, floor, &x.members)
			x.heads = append(x.heads, def)
		case *ast.ValueSpec:
			x.declareValues(spec, decl.Tok, start, end, floor)
		}
		floor = x.at(spec.End())
	}
}

func (x *Extractor) declareValues(spec *ast.ValueSpec, tok token.Token, start, end, floor uint32) {
	kind := code.KindVariable
	if tok == token.CONST {
		kind = code.KindConstant
	}
	first := len(x.heads)
	for _, name := range spec.Names {
		if !x.written(name) {
			x.heads = append(x.heads, code.NoDef)
			continue
		}
		id := x.symbols.lookup(name.Name)
		d := code.Def{
			Name: x.symbols.all[id].name, Kind: kind, Flags: exportFlag(name.Name), Parent: code.NoDef,
			Start: start, End: end, NameStart: x.at(name.Pos()),
		}
		if len(spec.Values) > 0 {
			d.BodyStart = x.equals(name.End(), spec.Values[0].Pos())
		}
		if name.Name == "_" {
			d.Flags |= code.DefFileLocal
		}
		x.document(&d, floor)
		def := x.define(d, trait{})
		x.heads = append(x.heads, def)
		if name.Name != "_" {
			x.declareTop(id, def)
		}
	}
	if spec.Type != nil {
		if len(x.heads) > first && x.heads[first] != code.NoDef {
			x.declareMembers(spec.Type, x.heads[first], &x.members, 0)
		}
		return
	}
	for i, value := range spec.Values {
		if i >= len(spec.Names) {
			break
		}
		if u, ok := value.(*ast.UnaryExpr); ok && u.Op == token.AND {
			value = u.X
		}
		if lit, ok := value.(*ast.CompositeLit); ok && lit.Type != nil && x.heads[first+i] != code.NoDef {
			x.declareMembers(lit.Type, x.heads[first+i], &x.members, 0)
		}
	}
}

// declareType declares a named type and its members; it returns NoDef when the name is missing.
func (x *Extractor) declareType(spec *ast.TypeSpec, parent code.DefID, start, end, floor uint32, table *memberTable) code.DefID {
	if !x.written(spec.Name) {
		return code.NoDef
	}
	name := spec.Name.Name
	id := x.symbols.lookup(name)
	d := code.Def{
		Name: x.symbols.all[id].name, Kind: code.KindType, Parent: parent,
		Start: start, End: end, NameStart: x.at(spec.Name.Pos()),
	}
	t := trait{generic: spec.TypeParams != nil}
	switch body := ast.Unparen(spec.Type).(type) {
	case *ast.StructType:
		d.Kind, d.BodyStart, t.shape = code.KindStruct, x.at(body.Fields.Opening), shapeFields
	case *ast.InterfaceType:
		d.Kind, d.BodyStart = code.KindInterface, x.at(body.Methods.Opening)
	case *ast.ArrayType, *ast.MapType:
		t.shape = shapeElements
	}
	if spec.Assign.IsValid() {
		d.Flags |= code.DefAlias
	}
	top := parent == code.NoDef && x.scope == code.NoDef && x.symbols.depth == 0
	switch {
	case name == "_" || !top && parent == code.NoDef:
		d.Flags |= code.DefFileLocal
	case top:
		d.Flags |= exportFlag(name)
	}
	x.document(&d, floor)
	def := x.define(d, t)
	switch {
	case name == "_":
	case top:
		x.declareTop(id, def)
	default:
		x.symbols.declare(id, bind(boundDef, int32(def)))
	}
	x.declareMembers(spec.Type, def, table, 0)
	return def
}

// define adds a definition; what a broken file makes of its ranges is fitted into its parent's.
func (x *Extractor) define(d code.Def, t trait) code.DefID {
	if d.Parent != code.NoDef {
		p := &x.doc.Defs[d.Parent]
		d.Start = min(max(d.Start, p.Start), p.End)
		d.End = min(d.End, p.End)
	}
	d.End = max(d.End, d.Start)
	if d.BodyStart < d.Start || d.BodyStart > d.End {
		d.BodyStart = 0
	}
	if n := len(x.doc.Defs); n > 0 && d.Start < x.doc.Defs[n-1].Start {
		x.moved = true
	}
	x.traits = append(x.traits, t)
	return x.builder.AddDef(d)
}

// declareTop binds a package-level name and exports it; of several declarations the first is taken.
func (x *Extractor) declareTop(id symID, def code.DefID) {
	if x.symbols.all[id].bound.is(boundDef) {
		return
	}
	x.symbols.declare(id, bind(boundDef, int32(def)))
	if d := &x.doc.Defs[def]; d.Flags&code.DefExported != 0 {
		x.builder.AddExport(code.Export{Name: d.Name, Expr: x.denote(id), Import: -1, Start: d.NameStart})
	}
}

// equals finds the "=" between a name and its value.
func (x *Extractor) equals(from, to token.Pos) uint32 {
	a, b := x.at(from), x.at(to)
	for i := b; i > a; i-- {
		if x.text[i-1] == '=' {
			return i - 1
		}
	}
	return 0
}

func exportFlag(name string) code.DefFlags {
	if token.IsExported(name) {
		return code.DefExported
	}
	return 0
}

func variadic(t *ast.FuncType) bool {
	if t.Params == nil || len(t.Params.List) == 0 {
		return false
	}
	_, ok := t.Params.List[len(t.Params.List)-1].Type.(*ast.Ellipsis)
	return ok
}

// receiverBase is the name of a receiver's type and whether it is a pointer.
func receiverBase(t ast.Expr) (base *ast.Ident, pointer bool) {
	for {
		switch e := t.(type) {
		case *ast.ParenExpr:
			t = e.X
		case *ast.StarExpr:
			t, pointer = e.X, true
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.Ident:
			return e, pointer
		default:
			return nil, pointer
		}
	}
}

// isTest says whether go test would run a function of this name.
func isTest(name string) bool {
	for _, prefix := range [...]string{"Test", "Benchmark", "Example", "Fuzz"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			r, _ := utf8.DecodeRuneInString(rest)
			return rest == "" || !unicode.IsLower(r)
		}
	}
	return false
}
