package golang

import (
	"go/ast"

	"manito/internal/code"
)

// Members of struct and interface types: the first pass declares them, the
// second reads their types.

// maxMemberDepth bounds how deep anonymous structs inside types get definitions of their own.
const maxMemberDepth = 32

// memberTable remembers the first definition of each field or method list, in the order of the source.
type memberTable struct {
	lists []memberList
	next  int
}

type memberList struct {
	list  *ast.FieldList
	first code.DefID
}

func (m *memberTable) reset() { m.lists, m.next = m.lists[:0], 0 }

func (m *memberTable) add(list *ast.FieldList, first code.DefID) {
	m.lists = append(m.lists, memberList{list, first})
}

// take finds the first definition of a list. Lists are asked for in the order of
// the source; those before it that nobody asked for are passed over.
func (m *memberTable) take(list *ast.FieldList) (code.DefID, bool) {
	for m.next < len(m.lists) && m.lists[m.next].list.Opening < list.Opening {
		m.next++
	}
	if m.next < len(m.lists) && m.lists[m.next].list == list {
		m.next++
		return m.lists[m.next-1].first, true
	}
	return code.NoDef, false
}

// declareMembers declares the fields and methods of a struct or interface type
// that stands directly in a declaration, also behind pointers, slices and maps.
func (x *Extractor) declareMembers(t ast.Expr, parent code.DefID, table *memberTable, depth int) {
	if depth > maxMemberDepth {
		return
	}
	for {
		switch e := t.(type) {
		case *ast.ParenExpr:
			t = e.X
		case *ast.StarExpr:
			t = e.X
		case *ast.ArrayType:
			t = e.Elt
		case *ast.MapType:
			t = e.Value
		case *ast.ChanType:
			t = e.Value
		case *ast.StructType:
			x.declareFields(e.Fields, parent, table, depth)
			return
		case *ast.InterfaceType:
			x.declareMethods(e.Methods, parent, table)
			return
		default:
			return
		}
	}
}

func (x *Extractor) declareFields(list *ast.FieldList, parent code.DefID, table *memberTable, depth int) {
	table.add(list, code.DefID(len(x.doc.Defs)))
	floor := x.at(list.Opening + 1)
	for _, field := range list.List {
		first := code.DefID(len(x.doc.Defs))
		start, end := x.at(field.Pos()), x.at(field.End())
		if len(field.Names) == 0 {
			if name := embeddedName(field.Type); x.written(name) {
				x.declareMember(name, parent, code.KindField, code.DefEmbedded, start, end, floor)
			}
		}
		for _, name := range field.Names {
			if x.written(name) {
				x.declareMember(name, parent, code.KindField, 0, start, end, floor)
			}
		}
		if len(field.Names) > 0 && int(first) < len(x.doc.Defs) {
			x.declareMembers(field.Type, first, table, depth+1)
		}
		floor = end
	}
}

func (x *Extractor) declareMethods(list *ast.FieldList, parent code.DefID, table *memberTable) {
	table.add(list, code.DefID(len(x.doc.Defs)))
	floor := x.at(list.Opening + 1)
	for _, field := range list.List {
		end := x.at(field.End())
		if t, ok := field.Type.(*ast.FuncType); ok {
			flags := code.DefAbstract
			if variadic(t) {
				flags |= code.DefVariadic
			}
			for _, name := range field.Names {
				if x.written(name) {
					x.declareMember(name, parent, code.KindMethod, flags, x.at(field.Pos()), end, floor)
				}
			}
		}
		floor = end
	}
}

func (x *Extractor) declareMember(name *ast.Ident, parent code.DefID, kind code.Kind, flags code.DefFlags, start, end, floor uint32) {
	if x.scope == code.NoDef { // a member of a type inside a function is out of reach
		flags |= exportFlag(name.Name)
	}
	d := code.Def{
		Name: x.symbols.name(name.Name), Kind: kind, Flags: flags, Parent: parent,
		Start: start, End: end, NameStart: x.at(name.Pos()),
	}
	x.document(&d, floor)
	x.define(d, trait{})
}

// embeddedName is the identifier that names an embedded field; nil when there is none.
func embeddedName(t ast.Expr) *ast.Ident {
	for {
		switch e := t.(type) {
		case *ast.ParenExpr:
			t = e.X
		case *ast.StarExpr:
			t = e.X
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.SelectorExpr:
			return e.Sel
		case *ast.Ident:
			return e
		default:
			return nil
		}
	}
}

// takeMembers finds the definitions that the first pass gave to the members of a list; NoDef when it gave none.
func (x *Extractor) takeMembers(list *ast.FieldList) code.DefID {
	if d, ok := x.members.take(list); ok {
		return d
	}
	d, _ := x.inner.take(list)
	return d
}

// seek finds the definition of a member among those from d on: anonymous types
// put the definitions of their own members between those of one list. From NoDef on there is none.
func (x *Extractor) seek(d code.DefID, name *ast.Ident) (code.DefID, bool) {
	if d == code.NoDef {
		return d, false
	}
	at := x.at(name.Pos())
	for int(d) < len(x.doc.Defs) && x.doc.Defs[d].NameStart < at {
		d++
	}
	return d, int(d) < len(x.doc.Defs) && x.doc.Defs[d].NameStart == at
}

// fields reads the fields of a struct type: it completes the definitions that the
// first pass made or, for an anonymous type inside a function, makes Locals of
// them. Embedded types are pushed on x.bases, the fields of an anonymous type on
// x.exprs as OpFields.
func (x *Extractor) fields(list *ast.FieldList, anonymous bool) {
	if list == nil {
		return
	}
	def := x.takeMembers(list)
	outer := x.scope
	for _, field := range list.List {
		if len(field.Names) == 0 {
			t := x.typ(field.Type, code.RoleExtend)
			if t != 0 {
				x.bases = append(x.bases, t)
			}
			if name := embeddedName(field.Type); x.written(name) {
				def = x.field(name, def, x.builder.Unary(code.OpOf, t), anonymous)
			}
			continue
		}
		if d, ok := x.seek(def, field.Names[0]); ok {
			x.scope = d // what the type names is used by the field
		}
		t := x.builder.Unary(code.OpOf, x.typ(field.Type, code.RoleType))
		x.scope = outer
		for _, name := range field.Names {
			if x.written(name) {
				def = x.field(name, def, t, anonymous)
			}
		}
	}
}

// field gives a field its type: to its definition, which is sought from def on,
// or to a Local made for it. It returns where to seek the next one.
func (x *Extractor) field(name *ast.Ident, def code.DefID, t code.ExprID, anonymous bool) code.DefID {
	id := x.symbols.name(name.Name)
	d, ok := x.seek(def, name)
	if ok {
		x.doc.Defs[d].Type, def = t, d+1
	}
	if !anonymous {
		return def
	}
	var member code.ExprID
	if ok {
		member = x.builder.Expr(code.OpDef, int32(d), 0)
	} else {
		member = x.localExpr(id, code.KindField, name, t)
	}
	x.push(x.builder.Expr(code.OpField, int32(id), int32(member)))
	return def
}

// methods reads the methods and embedded types of an interface type, as fields does those of a struct.
func (x *Extractor) methods(list *ast.FieldList, anonymous bool) {
	if list == nil {
		return
	}
	def := x.takeMembers(list)
	outer := x.scope
	for _, field := range list.List {
		t, ok := field.Type.(*ast.FuncType)
		if !ok || len(field.Names) == 0 {
			if t := x.typ(field.Type, code.RoleExtend); t != 0 {
				x.bases = append(x.bases, t)
			}
			continue
		}
		name := field.Names[0]
		if !x.written(name) {
			x.signature(t)
			continue
		}
		var member code.ExprID
		id := x.symbols.name(name.Name)
		if d, ok := x.seek(def, name); ok {
			x.scope = d
			x.symbols.open()
			parameters, result := x.parameters(t)
			x.symbols.close()
			x.doc.Defs[d].Params, x.doc.Defs[d].Type = parameters, x.builder.Unary(code.OpOf, result)
			x.scope = outer
			def = d + 1
			if anonymous {
				member = x.builder.Expr(code.OpDef, int32(d), 0)
			}
		} else {
			s := x.signature(t)
			if anonymous {
				member = x.localExpr(id, code.KindMethod, name, x.builder.Unary(code.OpOf, s))
			}
		}
		if anonymous {
			x.push(x.builder.Expr(code.OpField, int32(id), int32(member)))
		}
	}
}

// localExpr adds a Local that no name is bound to and gives the expression of it.
func (x *Extractor) localExpr(name code.NameID, kind code.Kind, id *ast.Ident, t code.ExprID) code.ExprID {
	l := x.builder.AddLocal(code.Local{Name: name, Kind: kind, Scope: x.scope, Start: x.at(id.Pos()), Type: t})
	return x.builder.Expr(code.OpLocal, int32(l), 0)
}
