package python

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/syntax/treesitter"
	grammar "manito/internal/syntax/treesitter/python"
)

// Extractor reads Python files. Its parser and buffers serve one file after the other.
type Extractor struct {
	parser *treesitter.Parser
	err    error // why there is no parser
	reader reader
}

func newExtractor() *Extractor {
	x := &Extractor{}
	x.parser, x.err = treesitter.New(grammar.Grammar(), selection())
	return x
}

// reader is the state of reading one file.
type reader struct {
	b       code.Builder
	doc     *code.Document
	text    []byte
	recs    []treesitter.Record
	test    bool // the file is a test
	stopped func() bool

	// Tables of both passes.
	scopes     []scope
	symbols    []symbol
	bindings   []binding
	current    []int32 // by NameID: the innermost open symbol
	note       []int32 // by record: the scope of a definition, lambda, comprehension or type parameter list; the import + 1 of a bound name
	locals     []slot  // by LocalID
	slots      []slot  // by DefID
	classes    []class
	classOf    map[code.DefID]int32
	classScope map[code.DefID]int32
	attributes map[attributeKey]int32
	attrs      []attribute

	// The first pass.
	stack      []int32
	pending    []pendingScope
	decorators uint32 // the last decorated definition
	optional   uint32 // imports before this record are guarded
	typeOnly   uint32 // imports before this record are for type checkers only
	documented struct {
		at  uint32 // the record that documents def if it is a string
		def code.DefID
	}
	list []code.ExprID

	// The second pass.
	frame
	fn       function
	narrowed []narrowing
	exprs    []code.ExprID // a stack of operands
	args     []uint32      // a stack of records
	spare    []code.Use
	starAll  allNames
	unsaid   code.ExprID // the expression of None

	// Grown tables that are kept from file to file.
	defs      []code.Def
	uses      []code.Use
	localList []code.Local
	nodes     []code.Expr
}

// The dialects of Python.
const (
	dialectPlain = "py"
	dialectTest  = "py_test" // a file that pytest or unittest collects
	dialectStub  = "pyi"
)

// Dialect implements lang.Extractor.
func (*Extractor) Dialect(base, _ string) string {
	switch {
	case strings.HasSuffix(base, ".pyi"):
		return dialectStub
	case strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py") || base == "tests.py" || base == "conftest.py":
		return dialectTest
	}
	return dialectPlain
}

// Extract implements lang.Extractor.
func (x *Extractor) Extract(ctx context.Context, in lang.Input) *code.Document {
	r := &x.reader
	r.begin(in)
	if x.err != nil {
		r.doc.Flags |= code.DocOutline
		r.b.Diagnose(code.Diagnostic{Severity: code.SeverityError, Code: "unsupported", Message: x.err.Error()})
		return r.finish()
	}
	tree, ok := x.parser.Parse(ctx, in.Text)
	if !ok {
		r.deadline()
		return r.finish()
	}
	r.recs = tree.Records
	r.note = slices.Grow(r.note[:0], len(r.recs))[:len(r.recs)]
	clear(r.note)
	r.stopped = func() bool { return ctx.Err() != nil }
	r.diagnose(&tree)
	r.declare()
	if !in.Outline {
		if !r.read() {
			r.deadline()
		}
	}
	doc := r.finish()
	r.recs, r.text, r.stopped = nil, nil, nil
	return doc
}

func (r *reader) begin(in lang.Input) {
	r.doc = r.b.Begin(languageName, in.Dialect, in.Text)
	r.text = in.Text
	r.recs = nil
	r.test = in.Dialect == dialectTest
	if r.test {
		r.doc.Flags |= code.DocTest
	}
	if in.Dialect == dialectStub {
		r.doc.Flags |= code.DocDeclaration
	}
	if in.Outline {
		r.doc.Flags |= code.DocOutline
	}
	if generated(in.Text) {
		r.doc.Flags |= code.DocGenerated
	}
	r.scopes, r.symbols, r.bindings, r.current = r.scopes[:0], r.symbols[:0], r.bindings[:0], r.current[:0]
	r.locals, r.slots, r.classes, r.attrs = r.locals[:0], r.slots[:0], r.classes[:0], r.attrs[:0]
	if r.classOf == nil {
		r.classOf = make(map[code.DefID]int32)
		r.classScope = make(map[code.DefID]int32)
		r.attributes = make(map[attributeKey]int32)
	} else {
		clear(r.classOf)
		clear(r.classScope)
		clear(r.attributes)
	}
	r.pending, r.decorators, r.optional, r.typeOnly = r.pending[:0], 0, 0, 0
	r.documented.at, r.documented.def = 0, code.NoDef
	r.narrowed, r.exprs, r.args = r.narrowed[:0], r.exprs[:0], r.args[:0]
	r.starAll = allNames{names: r.starAll.names[:0], rest: r.starAll.rest[:0]}
	r.unsaid = 0
	r.fn = function{def: code.NoDef}
	r.doc.Defs, r.doc.Uses, r.doc.Locals = r.defs[:0], r.uses[:0], r.localList[:0]
	r.doc.Exprs = append(r.nodes[:0], code.Expr{})
}

// finish hands the Document out with tables of their own size, and keeps the buffers.
func (r *reader) finish() *code.Document {
	doc := r.b.Finish()
	r.defs, doc.Defs = doc.Defs[:0], slices.Clone(doc.Defs)
	r.uses, doc.Uses = doc.Uses[:0], slices.Clone(doc.Uses)
	r.localList, doc.Locals = doc.Locals[:0], slices.Clone(doc.Locals)
	r.nodes, doc.Exprs = doc.Exprs[:0], slices.Clone(doc.Exprs)
	if len(r.recs) > 1<<22 { // one huge file must not leave huge buffers behind
		r.defs, r.uses, r.localList, r.nodes, r.note = nil, nil, nil, nil, nil
	}
	return doc
}

func (r *reader) deadline() {
	r.doc.Flags |= code.DocOutline
	r.doc.Uses = r.doc.Uses[:0]
	r.b.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "deadline", Message: "reading was stopped before the end of the file"})
}

func (r *reader) diagnose(tree *treesitter.Tree) {
	if tree.Broken {
		r.doc.Flags |= code.DocBroken
	}
	last := -1
	for _, f := range tree.Faults {
		line, _ := r.doc.Line(f.Start)
		if int(line) == last {
			continue // what follows on the same line is mostly a consequence
		}
		last = int(line)
		message := "this is not Python here"
		switch {
		case f.Missing != "":
			message = f.Missing + " is missing here"
		case f.End > f.Start:
			message = "cannot be read: " + excerpt(r.text[f.Start:f.End])
		}
		r.b.Diagnose(code.Diagnostic{Severity: code.SeverityError, Code: "syntax", Message: message, Start: f.Start, End: f.End})
	}
	if tree.Deep {
		r.doc.Flags |= code.DocBroken
		r.b.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "too-deep", Message: "nested too deeply to be read whole"})
	}
}

// excerpt is the beginning of a text on one line.
func excerpt(text []byte) string {
	line, _, more := bytes.Cut(text, []byte{'\n'})
	const most = 40
	if len(line) > most {
		line, more = line[:most], true
	}
	s := strings.ToValidUTF8(strings.TrimSpace(string(line)), "?")
	if more {
		s += " ..."
	}
	return s
}

// generated says whether the comments at the head of a file say that a program wrote it.
func generated(text []byte) bool {
	for range 12 {
		line, rest, more := bytes.Cut(text, []byte{'\n'})
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case line[0] != '#':
			return false
		default:
			low := bytes.ToLower(line)
			if bytes.Contains(low, []byte("@generated")) || bytes.Contains(low, []byte("generated by ")) ||
				bytes.Contains(low, []byte("do not edit")) || bytes.Contains(low, []byte("autogenerated")) {
				return true
			}
		}
		if !more {
			return false
		}
		text = rest
	}
	return false
}
