package typescript

import (
	"context"
	"errors"
	"slices"

	"manito/internal/code"
	"manito/internal/lang"
	syntax "manito/internal/syntax/typescript"
)

type node = syntax.Node

// Extractor reads files of the TypeScript family.
//
// It walks a tree once. Entering a list of statements it first declares what
// they declare (declare.go), since names may be used before; then it reads the
// statements, emitting uses and evaluating what it can (stmt.go, expr.go,
// types.go). Definitions found later than others that stand behind them are put
// in order at the end.
type Extractor struct {
	scopes
	builder code.Builder
	doc     *code.Document
	text    syntax.Text
	done    <-chan struct{} // closed when the deadline is over

	script  syntax.Script
	outline bool
	stopped bool // the deadline is over
	deep    bool // something was too deep to be read
	depth   int
	silent  int // above 0, uses are not recorded: the expression is evaluated a second time
	ticks   int // statements since the deadline was looked at

	scope       code.DefID // the innermost definition
	inner       bool       // in a function or block: variables are locals
	objectDepth int        // object literals around the place whose properties are definitions
	guarded     int        // try blocks around the place
	nested      int        // functions and blocks without a definition around the place

	self, home  code.ExprID // this; the value whose base super is
	selfDef     code.DefID  // the class that this is an instance of, else NoDef
	static      bool        // this is the class itself
	keepSelf    bool        // the function expression that is read next has the receiver at hand
	function    function    // the function at hand
	measure     measure
	narrowed    []narrowing
	expect      code.ExprID // what the expression that is read next should be
	context     contextual  // for the function literal that is read next
	declared    map[*node]code.DefID
	members     map[memberKey]code.DefID
	traits      []trait
	prototypes  []code.NameID // names X with X.prototype.y = ... in the file
	own         map[code.NameID]code.DefID
	hasVar      bool // the file has var declarations to hoist
	moved       bool // a definition was added out of order
	commonJS    bool
	spaces      map[memberKey][]*node
	wholeExport bool
	literals    [numLiterals]code.ExprID
	fixedNames  [numFixed]symID
	inferVisit  func(*node) bool
	spine       []*node       // scratch for chains of operators
	list        []code.ExprID // scratch for lists
	tests       bool

	// Buffers that live from file to file.
	defs   []code.Def
	uses   []code.Use
	locals []code.Local
	nodes  []code.Expr
}

// memberKey names a member of a definition.
type memberKey struct {
	owner code.DefID
	name  code.NameID
}

// trait is what extraction remembers of a definition.
type trait struct {
	assigned uint8 // how many values were merged into its type
	fixed    bool  // its type is written, or follows from what it is
}

// maxDepth bounds the recursion into a tree. The parser's limit on brackets
// keeps hand-written nesting far below it; what it cuts are chains like a.b.c of
// thousands of parts.
const maxDepth = 4000

// maxDiagnostics is how many syntax errors of a file are reported.
const maxDiagnostics = 20

// Extract implements lang.Extractor.
func (x *Extractor) Extract(ctx context.Context, in lang.Input) *code.Document {
	x.begin(ctx, in)
	if ctx.Err() != nil {
		x.stopped = true
		return x.finish()
	}
	file, text, err := syntax.Parse(in.Text, x.script)
	x.text = text
	switch {
	case errors.Is(err, syntax.ErrTooDeep):
		x.deep = true
		return x.finish()
	case err != nil:
		x.doc.Flags |= code.DocBroken
		x.builder.Diagnose(code.Diagnostic{Severity: code.SeverityError, Code: "unreadable", Message: err.Error()})
		return x.finish()
	}
	x.diagnose(syntax.Errors(file, maxDiagnostics))
	x.file(file)
	return x.finish()
}

func (x *Extractor) begin(ctx context.Context, in lang.Input) {
	x.doc = x.builder.Begin(languageName, in.Dialect, in.Text)
	x.scopes.begin()
	d := dialectOf(in.Dialect)
	x.done, x.script, x.outline, x.text = ctx.Done(), d.script, in.Outline, ""
	x.stopped, x.deep, x.depth, x.silent, x.ticks = false, false, 0, 0, 0
	x.scope, x.inner, x.nested, x.objectDepth, x.guarded = code.NoDef, false, 0, 0, 0
	x.self, x.home, x.selfDef, x.static, x.keepSelf = 0, 0, code.NoDef, false, false
	x.function, x.measure, x.narrowed, x.context, x.expect = function{}, measure{}, x.narrowed[:0], contextual{}, 0
	x.traits, x.prototypes = x.traits[:0], x.prototypes[:0]
	x.hasVar, x.moved, x.commonJS, x.wholeExport, x.tests = false, false, false, false, d.test
	x.literals, x.fixedNames = [numLiterals]code.ExprID{}, [numFixed]symID{}
	x.list, x.spine = x.list[:0], x.spine[:0]
	if x.declared == nil || len(x.declared) > 1<<11 {
		x.declared = make(map[*node]code.DefID, 256)
		x.members = make(map[memberKey]code.DefID, 256)
		x.own = make(map[code.NameID]code.DefID)
		x.spaces = make(map[memberKey][]*node)
	} else {
		clear(x.declared)
		clear(x.members)
		clear(x.own)
		clear(x.spaces)
	}
	if d.module {
		x.doc.Flags |= code.DocModule
	}
	if d.script == syntax.Declaration {
		x.doc.Flags |= code.DocDeclaration
	}
	if in.Outline {
		x.doc.Flags |= code.DocOutline
	}
	// The large tables grow in buffers that are kept; finish copies them at their size.
	x.doc.Uses = x.uses[:0]
	x.doc.Locals = x.locals[:0]
	x.doc.Defs = x.defs[:0]
	x.doc.Exprs = append(x.nodes[:0], code.Expr{})
}

func (x *Extractor) diagnose(errs []syntax.Error) {
	for _, e := range errs {
		x.doc.Flags |= code.DocBroken
		start := x.clamp(e.Start)
		x.builder.Diagnose(code.Diagnostic{Severity: code.SeverityError, Code: "syntax", Message: e.Message, Start: start, End: max(start, x.clamp(e.End))})
	}
}

// file reads the whole tree.
func (x *Extractor) file(f *syntax.SourceFile) {
	if f.ExternalModuleIndicator != nil {
		x.doc.Flags |= code.DocModule
	}
	x.hasVar = containsWord(string(x.text), "var")
	x.header()
	x.references(f)
	x.open()
	statements := f.Statements.Nodes
	if x.script == syntax.JS {
		x.scanPrototypes(statements)
	}
	x.hoist(statements, false)
	if x.hasVar {
		x.hoistVars(statements)
	}
	x.statements(statements)
	x.close()
}

// finish hands the Document out and keeps the buffers.
func (x *Extractor) finish() *code.Document {
	doc := x.doc
	if x.deep {
		doc.Flags |= code.DocBroken
		x.builder.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "too-deep", Message: "nested too deeply to be read whole"})
	}
	if x.stopped {
		x.builder.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "deadline", Message: "reading was stopped before the end of the file"})
	}
	if x.commonJS {
		doc.Flags |= code.DocModule
	}
	if x.tests {
		doc.Flags |= code.DocTest
	}
	x.settle()
	if x.moved {
		x.sortDefs()
	}
	if doc.Flags&code.DocModule == 0 {
		x.exportGlobals()
	}
	if x.outline {
		x.reduce()
	}
	doc.Names = slices.Clone(x.names)
	x.defs, doc.Defs = doc.Defs, slices.Clone(doc.Defs)
	x.uses, doc.Uses = doc.Uses, slices.Clone(doc.Uses)
	x.locals, doc.Locals = doc.Locals, slices.Clone(doc.Locals)
	x.nodes, doc.Exprs = doc.Exprs, slices.Clone(doc.Exprs)
	x.doc, x.text, x.done = nil, "", nil
	return x.builder.Finish()
}

// settle mends what only the whole file shows: a definition that a broken tree
// put outside of its parent loses it.
func (x *Extractor) settle() {
	defs := x.doc.Defs
	last := uint32(0)
	for i := range defs {
		d := &defs[i]
		if d.Start < last {
			x.moved = true
		}
		last = d.Start
		if d.Parent != code.NoDef {
			if p := &defs[d.Parent]; d.Start < p.Start || d.End > p.End {
				d.Parent = code.NoDef
				d.Flags |= code.DefFileLocal
			}
		}
	}
}

// sortDefs puts the definitions in the order of the text and renumbers everything that names one.
func (x *Extractor) sortDefs() {
	doc := x.doc
	order := make([]int32, len(doc.Defs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return int(int64(doc.Defs[a].Start) - int64(doc.Defs[b].Start)) })
	place := make([]int32, len(order))
	defs := make([]code.Def, len(order))
	for to, from := range order {
		place[from] = int32(to)
		defs[to] = doc.Defs[from]
	}
	move := func(d code.DefID) code.DefID {
		if d == code.NoDef {
			return d
		}
		return code.DefID(place[d])
	}
	copy(doc.Defs, defs)
	for i := range doc.Defs {
		doc.Defs[i].Parent = move(doc.Defs[i].Parent)
	}
	for i := range doc.Locals {
		doc.Locals[i].Scope = move(doc.Locals[i].Scope)
	}
	for i := range doc.Imports {
		doc.Imports[i].Scope = move(doc.Imports[i].Scope)
	}
	for i := range doc.Uses {
		doc.Uses[i].Scope = move(doc.Uses[i].Scope)
	}
	for i := range doc.Exprs {
		switch e := &doc.Exprs[i]; e.Op {
		case code.OpDef, code.OpThis, code.OpSuper, code.OpClass, code.OpFunc:
			e.A = int32(move(code.DefID(e.A)))
		}
	}
}

// exportGlobals lists the top-level names of a script, which every other script sees.
func (x *Extractor) exportGlobals() {
	doc := x.doc
	for i := range doc.Defs {
		d := &doc.Defs[i]
		if d.Parent == code.NoDef && d.Owner == 0 && d.Flags&code.DefFileLocal == 0 {
			d.Flags |= code.DefExported
			x.builder.AddExport(code.Export{Name: d.Name, Expr: x.builder.Expr(code.OpDef, int32(i), 0), Import: -1, Start: d.NameStart})
		}
	}
}

// reduce leaves of an outline what it is for: definitions, imports and exports.
func (x *Extractor) reduce() {
	doc := x.doc
	doc.Uses, doc.Locals = doc.Uses[:0], doc.Locals[:0]
	for i := range doc.Defs {
		d := &doc.Defs[i]
		d.Type, d.Bases, d.TypeParams, d.Params = 0, 0, 0, 0
	}
	old := slices.Clone(doc.Exprs)
	exports := doc.Exports
	doc.Exprs = doc.Exprs[:1]
	for i := range exports {
		e := old[exports[i].Expr]
		exports[i].Expr = 0
		switch e.Op {
		case code.OpDef, code.OpImport, code.OpName:
			doc.Exprs = append(doc.Exprs, e)
			exports[i].Expr = code.ExprID(len(doc.Exprs) - 1)
		}
	}
}

// clamp keeps an offset inside the file.
func (x *Extractor) clamp(offset int) uint32 { return uint32(min(max(offset, 0), int(x.doc.Size))) }

// start is where a node's first token begins.
func (x *Extractor) start(n *node) uint32 { return x.clamp(x.text.Token(n.Pos())) }

// end is where a node ends.
func (x *Extractor) end(n *node) uint32 { return x.clamp(n.End()) }

// enter guards a recursion; each true must be paired with leave.
func (x *Extractor) enter() bool {
	if x.depth >= maxDepth {
		x.deep = true
		return false
	}
	x.depth++
	return true
}

func (x *Extractor) leave() { x.depth-- }

// spelled gives the symbol of an identifier as it is written, and where it is.
// Identifiers that the parser made up have none.
func (x *Extractor) spelled(n *node) (symID, uint32) {
	if n == nil || n.Kind != syntax.KindIdentifier && n.Kind != syntax.KindPrivateIdentifier {
		return 0, 0
	}
	text, end := n.Text(), n.End()
	start := end - len(text)
	if text == "" || end > len(x.text) {
		return 0, 0
	}
	if start >= 0 && string(x.text[start:end]) == text {
		return x.lookup(text), uint32(start)
	}
	// Written with escapes.
	start = x.text.Token(n.Pos())
	if start >= end {
		return 0, 0
	}
	return x.lookup(string(x.text[start:end])), uint32(start)
}

// named is the name of a symbol.
func (x *Extractor) named(id symID) code.NameID { return x.symbols[id].name }

// use records an identifier.
func (x *Extractor) use(name code.NameID, start uint32, role code.Role, e code.ExprID) {
	if x.silent == 0 && !x.outline {
		x.doc.Uses = append(x.doc.Uses, code.Use{Start: start, Name: name, Scope: x.scope, Expr: e, Role: role})
	}
}

// denotes is the expression of what a binding names.
func (x *Extractor) denotes(b int32) code.ExprID {
	d := &x.bindings[b]
	if d.expr != 0 {
		return d.expr
	}
	switch d.to {
	case toDef:
		d.expr = x.builder.Expr(code.OpDef, d.id, 0)
	case toLocal:
		if x.outline {
			return 0
		}
		d.expr = x.builder.Expr(code.OpLocal, d.id, 0)
	case toImport:
		d.expr = x.builder.Expr(code.OpImport, d.id, 0)
	}
	return d.expr
}

// addLocal adds a local and binds it.
func (x *Extractor) addLocal(id symID, start uint32, kind code.Kind, means meaning) code.LocalID {
	if x.outline {
		x.bind(id, means, toNothing, 0)
		return -1
	}
	l := x.builder.AddLocal(code.Local{Name: x.named(id), Kind: kind, Scope: x.scope, Start: start})
	x.bind(id, means, toLocal, int32(l))
	return l
}

// setLocal sets what is known of a local.
func (x *Extractor) setLocal(l code.LocalID, e code.ExprID) {
	if l >= 0 {
		x.doc.Locals[l].Type = e
	}
}
