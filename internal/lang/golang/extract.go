package golang

import (
	"context"
	"go/ast"
	"go/token"
	"slices"

	"manito/internal/code"
	"manito/internal/lang"
	syntax "manito/internal/syntax/golang"
)

// maxDepth is how deep statements and expressions are followed; chains of binary
// operators and of else-if are walked in a loop and do not count. The deepest
// expression of the standard library is below 100.
const maxDepth = 2000

// maxDiagnostics bounds the syntax errors that are kept of one file.
const maxDiagnostics = 20

// Extractor reads Go files. Its buffers serve one file after the other.
type Extractor struct {
	builder code.Builder
	doc     *code.Document
	symbols symbols
	text    []byte
	outline bool

	scope code.DefID // the innermost definition around what is being read
	depth int        // of nested statements and expressions
	deep  bool       // maxDepth was reached

	// What the first pass found out about doc.Defs, by DefID.
	traits []trait
	// heads are the definitions of the top-level names in order; types with
	// members of their own are found in members. The second pass consumes both.
	heads    []code.DefID
	nextHead int
	members  memberTable // of package-level types
	inner    memberTable // of the local type that is being read
	moved    bool        // definitions inside functions were appended: Defs must be sorted

	measure  measure
	pending  []pendingConstraint
	unbound  []symID // names before a selector's dot that nothing in the file declares
	literals [numLiterals]code.ExprID

	// Stacks that save allocations; users remember the length they found and restore it.
	exprs  []code.ExprID
	bases  []code.ExprID
	fresh  []freshName
	chain  []*ast.BinaryExpr
	defs   []code.Def
	uses   []code.Use
	locals []code.Local
	nodes  []code.Expr
}

// trait is what the first pass knows of a definition before its type is evaluated.
type trait struct {
	shape   shape
	generic bool
}

// Extract implements lang.Extractor.
func (x *Extractor) Extract(ctx context.Context, in lang.Input) *code.Document {
	x.begin(in)
	file, errs := syntax.Parse(in.Text)
	x.header(file, in.Dialect)
	x.declareAll(file)
	for _, decl := range file.Decls {
		if ctx.Err() != nil {
			x.builder.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "deadline", Message: "reading was stopped before the end of the file"})
			break
		}
		x.topLevel(decl)
	}
	x.diagnose(errs)
	return x.finish()
}

func (x *Extractor) begin(in lang.Input) {
	x.doc = x.builder.Begin("go", in.Dialect, in.Text)
	x.symbols.begin()
	x.text, x.outline = in.Text, in.Outline
	x.scope, x.depth, x.deep, x.moved = code.NoDef, 0, false, false
	x.traits, x.heads, x.nextHead = x.traits[:0], x.heads[:0], 0
	x.members.reset()
	x.inner.reset()
	x.measure = measure{}
	x.pending, x.unbound = x.pending[:0], x.unbound[:0]
	x.literals = [numLiterals]code.ExprID{}
	x.exprs, x.bases, x.fresh, x.chain = x.exprs[:0], x.bases[:0], x.fresh[:0], x.chain[:0]
	// The large tables grow in buffers that are kept; finish copies them at their size.
	x.doc.Defs = x.defs[:0]
	x.doc.Uses = x.uses[:0]
	x.doc.Locals = x.locals[:0]
	x.doc.Exprs = append(x.nodes[:0], code.Expr{})
}

// header sets what the file says of itself before its declarations.
func (x *Extractor) header(file *ast.File, dialect string) {
	if name := file.Name; x.written(name) {
		x.doc.Package = x.symbols.name(name.Name)
	}
	head := x.text[:min(int(syntax.Offset(file.Package)), len(x.text))]
	x.doc.Constraint = constraintOf(head)
	if generated(head) {
		x.doc.Flags |= code.DocGenerated
	}
	if dialect == dialectTest {
		x.doc.Flags |= code.DocTest
	}
	if x.outline {
		x.doc.Flags |= code.DocOutline
	}
}

func (x *Extractor) diagnose(errs []syntax.Error) {
	if len(errs) > 0 {
		x.doc.Flags |= code.DocBroken
	}
	kept, last := 0, -1
	for _, e := range errs {
		start := x.clamp(e.Offset)
		line, _ := x.doc.Line(start)
		d := code.Diagnostic{Severity: code.SeverityError, Code: "syntax", Message: e.Message, Start: start, End: min(start+1, x.doc.Size)}
		switch {
		case e.TooDeep:
			x.deep = true
			continue
		case kept == maxDiagnostics || int(line) == last:
			continue // what follows on the same line is mostly a consequence
		}
		kept, last = kept+1, int(line)
		x.builder.Diagnose(d)
	}
	if x.deep {
		x.builder.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "too-deep", Message: "nested too deeply to be read whole"})
	}
}

// finish hands the Document out and keeps the buffers.
func (x *Extractor) finish() *code.Document {
	doc := x.doc
	x.settleConstraints()
	x.settleImports()
	if x.moved {
		x.sortDefs()
	}
	for _, name := range [...]string{"MethodByName", "FieldByName"} {
		if x.symbols.known(name) {
			doc.Flags |= code.DocDynamic
		}
	}
	if x.outline {
		doc.Uses = doc.Uses[:0]
	}
	doc.Names = slices.Clone(x.symbols.names)
	x.defs, doc.Defs = doc.Defs, slices.Clone(doc.Defs)
	x.uses, doc.Uses = doc.Uses, slices.Clone(doc.Uses)
	x.locals, doc.Locals = doc.Locals, slices.Clone(doc.Locals)
	x.nodes, doc.Exprs = doc.Exprs, slices.Clone(doc.Exprs)
	x.doc, x.text = nil, nil
	// Nothing of the tree may live on in the buffers.
	clear(x.chain[:cap(x.chain)])
	clear(x.members.lists)
	clear(x.inner.lists)
	return x.builder.Finish()
}

// sortDefs puts definitions that were found inside functions in their place and
// renumbers everything that names a definition.
func (x *Extractor) sortDefs() {
	doc := x.doc
	order := make([]int32, len(doc.Defs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return int(int64(doc.Defs[a].Start) - int64(doc.Defs[b].Start)) })
	place := make([]code.DefID, len(order))
	defs := make([]code.Def, len(order))
	for to, from := range order {
		place[from] = code.DefID(to)
		defs[to] = doc.Defs[from]
	}
	move := func(d code.DefID) code.DefID {
		if d == code.NoDef {
			return d
		}
		return place[d]
	}
	doc.Defs = defs
	for i := range doc.Defs {
		doc.Defs[i].Parent = move(doc.Defs[i].Parent)
	}
	for i := range doc.Locals {
		doc.Locals[i].Scope = move(doc.Locals[i].Scope)
	}
	for i := range doc.Uses {
		doc.Uses[i].Scope = move(doc.Uses[i].Scope)
	}
	for i := range doc.Exprs {
		switch e := &doc.Exprs[i]; e.Op {
		case code.OpDef, code.OpFunc:
			e.A = int32(move(code.DefID(e.A)))
		}
	}
}

// clamp keeps an offset inside the file.
func (x *Extractor) clamp(offset uint32) uint32 { return min(offset, x.doc.Size) }

// at is the offset of a position, inside the file.
func (x *Extractor) at(pos token.Pos) uint32 { return x.clamp(syntax.Offset(pos)) }

// written says whether an identifier stands in the file: the parser puts "_"
// where it misses one, which is told from a blank identifier by looking.
func (x *Extractor) written(id *ast.Ident) bool {
	if id == nil || id.Name == "" {
		return false
	}
	if id.Name != "_" {
		return true
	}
	at := syntax.Offset(id.NamePos)
	return id.NamePos.IsValid() && at < x.doc.Size && x.text[at] == '_' && !continues(x.text[at+1:])
}

// continues says whether text goes on with a character of an identifier.
func continues(text []byte) bool {
	return len(text) > 0 && (text[0] == '_' || text[0] >= 0x80 || '0' <= text[0] && text[0] <= '9' || 'a' <= text[0]|0x20 && text[0]|0x20 <= 'z')
}

// use records an identifier.
func (x *Extractor) use(pos token.Pos, name code.NameID, e code.ExprID, role code.Role) {
	x.doc.Uses = append(x.doc.Uses, code.Use{Start: uint32(pos) - 1, Name: name, Scope: x.scope, Expr: e, Role: role})
}

// denote is the expression of what a name denotes in the scope at hand.
func (x *Extractor) denote(id symID) code.ExprID {
	s := &x.symbols.all[id]
	if s.expr != 0 {
		return s.expr
	}
	switch s.bound.kind() {
	case boundDef:
		s.expr = x.builder.Expr(code.OpDef, s.bound.index(), 0)
	case boundLocal:
		s.expr = x.builder.Expr(code.OpLocal, s.bound.index(), 0)
	case boundImport:
		s.expr = x.builder.Expr(code.OpImport, s.bound.index(), 0)
	default:
		s.expr = x.builder.Expr(code.OpName, int32(s.name), 0)
	}
	return s.expr
}
