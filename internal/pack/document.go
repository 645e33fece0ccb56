package pack

import (
	"fmt"

	"manito/internal/code"
)

// version is the first byte of a packed Document. Raise it with the layout.
const version = 1

// Document packs a Document.
func (p *Packer) Document(doc *code.Document) []byte {
	w := writer{p.buf[:0]}
	w.b = append(w.b, version)
	w.string(doc.Language)
	w.string(doc.Dialect)
	w.uint(uint64(doc.Package))
	w.string(doc.Constraint)
	w.uint(uint64(doc.Size))
	w.uint(uint64(doc.Flags))
	w.starts(len(doc.Lines), func(i int) uint32 { return doc.Lines[i] })
	w.uint(uint64(len(doc.Names)))
	for _, n := range doc.Names {
		w.string(n)
	}
	w.exprs(doc.Exprs)
	w.defs(doc.Defs)
	w.locals(doc.Locals)
	w.imports(doc.Imports)
	w.exports(doc.Exports)
	w.uses(doc)
	w.uint(uint64(len(doc.Diagnostics)))
	for _, g := range doc.Diagnostics {
		w.b = append(w.b, byte(g.Severity))
		w.string(g.Code)
		w.string(g.Message)
		w.uint(uint64(g.Start))
		w.uint(uint64(g.End))
	}
	p.buf = w.b
	return p.enc.EncodeAll(w.b, make([]byte, 0, len(w.b)/2+64))
}

func (w *writer) starts(n int, at func(int) uint32) {
	w.uint(uint64(n))
	var last uint32
	for i := range n {
		v := at(i)
		w.uint(uint64(v - last))
		last = v
	}
}

func (w *writer) exprs(exprs []code.Expr) {
	w.uint(uint64(len(exprs)))
	for _, e := range exprs {
		w.b = append(w.b, byte(e.Op))
	}
	for _, e := range exprs {
		w.int(int64(e.A))
	}
	for _, e := range exprs {
		w.int(int64(e.B))
	}
}

func (w *writer) defs(defs []code.Def) {
	w.uint(uint64(len(defs)))
	for i := range defs {
		w.b = append(w.b, byte(defs[i].Kind))
	}
	var last uint32
	for i := range defs {
		d := &defs[i]
		w.uint(uint64(d.Start - last))
		last = d.Start
		w.uint(uint64(d.End - d.Start))
		w.int(int64(d.NameStart) - int64(d.Start))
		w.uint(above(d.BodyStart, d.Start))
		w.uint(uint64(d.DocEnd - d.DocStart))
		if d.DocEnd > d.DocStart {
			w.int(int64(d.DocEnd) - int64(d.Start))
		}
	}
	for i := range defs {
		d := &defs[i]
		w.uint(uint64(d.Name))
		w.uint(uint64(d.Owner))
		w.uint(uint64(d.Flags))
		w.int(int64(i) - int64(d.Parent))
	}
	for i := range defs {
		d := &defs[i]
		w.uint(uint64(d.Type))
		w.uint(uint64(d.Bases))
		w.uint(uint64(d.TypeParams))
		w.uint(uint64(d.Params))
		w.uint(uint64(d.Cyclomatic))
		w.uint(uint64(d.Cognitive))
		w.uint(uint64(d.Disambiguator))
	}
}

// above encodes an offset that is 0 or at least base.
func above(v, base uint32) uint64 {
	if v == 0 && base != 0 {
		return 0
	}
	return uint64(v-base) + 1
}

func (w *writer) locals(locals []code.Local) {
	w.uint(uint64(len(locals)))
	var last uint32
	var scope code.DefID
	for i := range locals {
		l := &locals[i]
		w.uint(uint64(l.Name))
		w.b = append(w.b, byte(l.Kind))
		w.int(int64(l.Scope) - int64(scope))
		scope = l.Scope
		w.int(int64(l.Start) - int64(last))
		last = l.Start
		w.uint(uint64(l.Type))
	}
}

func (w *writer) imports(imports []code.Import) {
	w.uint(uint64(len(imports)))
	for i := range imports {
		m := &imports[i]
		w.b = append(w.b, byte(m.Kind), flag(m.TypeOnly)|flag(m.Optional)<<1, m.Relative)
		w.uint(uint64(m.Specifier))
		w.uint(uint64(m.Name))
		w.uint(uint64(m.Local))
		w.int(int64(m.Scope))
		w.uint(uint64(m.Start))
		w.uint(uint64(m.End - m.Start))
		w.uint(uint64(m.NameStart))
	}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (w *writer) exports(exports []code.Export) {
	w.uint(uint64(len(exports)))
	for i := range exports {
		x := &exports[i]
		w.uint(uint64(x.Name))
		w.uint(uint64(x.Expr))
		w.int(int64(x.Import))
		w.uint(uint64(x.Start))
	}
}

// uses stores a use's name only where it is not the name of what its expression denotes.
func (w *writer) uses(doc *code.Document) {
	w.starts(len(doc.Uses), func(i int) uint32 { return doc.Uses[i].Start })
	for i := range doc.Uses {
		u := &doc.Uses[i]
		b := byte(u.Role)
		if u.Name != denoted(doc, u.Expr) {
			b |= 0x80
		}
		w.b = append(w.b, b)
	}
	var scope code.DefID
	for i := range doc.Uses {
		u := &doc.Uses[i]
		w.int(int64(u.Scope) - int64(scope))
		scope = u.Scope
	}
	var expr code.ExprID
	for i := range doc.Uses {
		u := &doc.Uses[i]
		w.int(int64(u.Expr) - int64(expr))
		expr = u.Expr
	}
	for i := range doc.Uses {
		u := &doc.Uses[i]
		if u.Name != denoted(doc, u.Expr) {
			w.uint(uint64(u.Name))
		}
	}
}

// denoted is the name that an expression ends in, 0 when it has none.
func denoted(doc *code.Document, x code.ExprID) code.NameID {
	if uint64(x) >= uint64(len(doc.Exprs)) {
		return 0
	}
	e := doc.Exprs[x]
	switch e.Op {
	case code.OpDef:
		if uint64(e.A) < uint64(len(doc.Defs)) {
			return doc.Defs[e.A].Name
		}
	case code.OpLocal:
		if uint64(e.A) < uint64(len(doc.Locals)) {
			return doc.Locals[e.A].Name
		}
	case code.OpImport:
		if uint64(e.A) < uint64(len(doc.Imports)) {
			return doc.Imports[e.A].Local
		}
	case code.OpName, code.OpBuiltin:
		return code.NameID(e.A)
	case code.OpMember:
		return code.NameID(e.B)
	}
	return 0
}

// Document is the inverse of Packer.Document. Damaged bytes give an error, never a Document that breaks its laws.
func (u *Unpacker) Document(z []byte) (*code.Document, error) {
	raw, err := u.dec.DecodeAll(z, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack document: %w", err)
	}
	if len(raw) == 0 || raw[0] != version {
		return nil, fmt.Errorf("unpack document: layout %d is not known", first(raw))
	}
	r := &reader{b: raw[1:]}
	doc := &code.Document{Language: r.string(), Dialect: r.string(), Package: code.NameID(r.uint()), Constraint: r.string(), Size: uint32(r.uint()), Flags: code.DocFlags(r.uint())}
	doc.Lines = r.starts()
	doc.Names = make([]string, r.count())
	for i := range doc.Names {
		doc.Names[i] = r.string()
	}
	r.exprs(doc)
	r.defs(doc)
	r.locals(doc)
	r.imports(doc)
	r.exports(doc)
	r.uses(doc)
	if n := r.count(); n > 0 {
		doc.Diagnostics = make([]code.Diagnostic, n)
	}
	for i := range doc.Diagnostics {
		doc.Diagnostics[i] = code.Diagnostic{Severity: code.Severity(r.byte()), Code: r.string(), Message: r.string(), Start: uint32(r.uint()), End: uint32(r.uint())}
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes are left over", len(r.b))
	}
	if r.err == nil && int(doc.Package) >= len(doc.Names) {
		r.err = fmt.Errorf("package name out of range")
	}
	if r.err != nil {
		return nil, fmt.Errorf("unpack document: %w", r.err)
	}
	if err := doc.Check(); err != nil {
		return nil, fmt.Errorf("unpack document: %w", err)
	}
	return doc, nil
}

func first(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	return int(b[0])
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) starts() []uint32 {
	n := r.count()
	if n == 0 {
		return nil
	}
	out := make([]uint32, n)
	var last uint32
	for i := range out {
		last += uint32(r.uint())
		out[i] = last
	}
	return out
}

func (r *reader) exprs(doc *code.Document) {
	doc.Exprs = make([]code.Expr, r.count())
	for i := range doc.Exprs {
		doc.Exprs[i].Op = code.Op(r.byte())
	}
	for i := range doc.Exprs {
		doc.Exprs[i].A = int32(r.int())
	}
	for i := range doc.Exprs {
		doc.Exprs[i].B = int32(r.int())
	}
}

func (r *reader) defs(doc *code.Document) {
	n := r.count()
	if n == 0 {
		return
	}
	doc.Defs = make([]code.Def, n)
	for i := range doc.Defs {
		doc.Defs[i].Kind = code.Kind(r.byte())
	}
	var last uint32
	for i := range doc.Defs {
		d := &doc.Defs[i]
		last += uint32(r.uint())
		d.Start = last
		d.End = d.Start + uint32(r.uint())
		d.NameStart = uint32(int64(d.Start) + r.int())
		if v := r.uint(); v > 0 {
			d.BodyStart = d.Start + uint32(v-1)
		}
		if size := uint32(r.uint()); size > 0 {
			d.DocEnd = uint32(int64(d.Start) + r.int())
			d.DocStart = d.DocEnd - size
		}
	}
	for i := range doc.Defs {
		d := &doc.Defs[i]
		d.Name = code.NameID(r.uint())
		d.Owner = code.NameID(r.uint())
		d.Flags = code.DefFlags(r.uint())
		d.Parent = code.DefID(int64(i) - r.int())
	}
	for i := range doc.Defs {
		d := &doc.Defs[i]
		d.Type = code.ExprID(r.uint())
		d.Bases = code.ExprID(r.uint())
		d.TypeParams = code.ExprID(r.uint())
		d.Params = code.ExprID(r.uint())
		d.Cyclomatic = uint16(r.uint())
		d.Cognitive = uint16(r.uint())
		d.Disambiguator = uint16(r.uint())
	}
}

func (r *reader) locals(doc *code.Document) {
	n := r.count()
	if n == 0 {
		return
	}
	doc.Locals = make([]code.Local, n)
	var last uint32
	var scope code.DefID
	for i := range doc.Locals {
		l := &doc.Locals[i]
		l.Name = code.NameID(r.uint())
		l.Kind = code.Kind(r.byte())
		scope += code.DefID(r.int())
		l.Scope = scope
		last = uint32(int64(last) + r.int())
		l.Start = last
		l.Type = code.ExprID(r.uint())
	}
}

func (r *reader) imports(doc *code.Document) {
	n := r.count()
	if n == 0 {
		return
	}
	doc.Imports = make([]code.Import, n)
	for i := range doc.Imports {
		m := &doc.Imports[i]
		m.Kind = code.ImportKind(r.byte())
		flags := r.byte()
		m.TypeOnly, m.Optional = flags&1 != 0, flags&2 != 0
		m.Relative = r.byte()
		m.Specifier = code.NameID(r.uint())
		m.Name = code.NameID(r.uint())
		m.Local = code.NameID(r.uint())
		m.Scope = code.DefID(r.int())
		m.Start = uint32(r.uint())
		m.End = m.Start + uint32(r.uint())
		m.NameStart = uint32(r.uint())
	}
}

func (r *reader) exports(doc *code.Document) {
	n := r.count()
	if n == 0 {
		return
	}
	doc.Exports = make([]code.Export, n)
	for i := range doc.Exports {
		doc.Exports[i] = code.Export{Name: code.NameID(r.uint()), Expr: code.ExprID(r.uint()), Import: code.ImportID(r.int()), Start: uint32(r.uint())}
	}
}

func (r *reader) uses(doc *code.Document) {
	starts := r.starts()
	if len(starts) == 0 {
		return
	}
	doc.Uses = make([]code.Use, len(starts))
	named := make([]bool, len(starts))
	for i := range doc.Uses {
		b := r.byte()
		doc.Uses[i].Start = starts[i]
		doc.Uses[i].Role = code.Role(b & 0x7f)
		named[i] = b&0x80 != 0
	}
	var scope code.DefID
	for i := range doc.Uses {
		scope += code.DefID(r.int())
		doc.Uses[i].Scope = scope
	}
	var expr code.ExprID
	for i := range doc.Uses {
		expr += code.ExprID(r.int())
		doc.Uses[i].Expr = expr
	}
	for i := range doc.Uses {
		if named[i] {
			doc.Uses[i].Name = code.NameID(r.uint())
		} else {
			doc.Uses[i].Name = denoted(doc, doc.Uses[i].Expr)
		}
	}
}
