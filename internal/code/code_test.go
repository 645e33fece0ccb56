package code

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDescriptors(t *testing.T) {
	t.Parallel()
	var b Builder
	doc := b.Begin("go", "go", []byte(strings.Repeat("x", 100)))
	class := b.AddDef(Def{Name: b.Name("Client"), Kind: KindClass, Parent: NoDef, End: 90})
	b.AddDef(Def{Name: b.Name("Do"), Kind: KindMethod, Parent: class, Start: 1, End: 2})
	b.AddDef(Def{Name: b.Name("Do"), Kind: KindMethod, Parent: class, Start: 3, End: 4})
	b.AddDef(Def{Name: b.Name("size"), Kind: KindGetter, Parent: class, Start: 5, End: 6})
	b.AddDef(Def{Name: b.Name("size"), Kind: KindSetter, Parent: class, Start: 7, End: 8})
	b.AddDef(Def{Name: b.Name("a b`c"), Kind: KindField, Parent: class, Start: 9, End: 10})
	b.AddDef(Def{Name: b.Name("Close"), Owner: b.Name("Client"), Kind: KindMethod, Parent: NoDef, Start: 91, End: 92})
	if got := b.Finish(); got != doc {
		t.Fatal("Finish returns another Document")
	}
	want := []string{"Client#", "Client#Do().", "Client#Do(+1).", "Client#size(get).", "Client#size(set).", "Client#`a b``c`.", "Client#Close()."}
	for i, w := range want {
		if got := doc.Descriptor(DefID(i)); got != w {
			t.Errorf("definition %d: %s, want %s", i, got, w)
		}
	}
	if got := doc.QualifiedName(6); got != "Client.Close" {
		t.Errorf("qualified name %s", got)
	}
	if err := doc.Check(); err != nil {
		t.Error(err)
	}
}

func TestKeysDependOnScopeAndDescriptor(t *testing.T) {
	t.Parallel()
	keys := map[Key]string{}
	for _, scope := range []string{"go gomod a . x/", "go gomod a . y/"} {
		for _, descriptor := range []string{"", "x/", "F().", "F.", "F#"} {
			k := ScopeKey(scope) ^ DescriptorKey(descriptor)
			if other, ok := keys[k]; ok {
				t.Errorf("%s%s has the key of %s", scope, descriptor, other)
			}
			keys[k] = scope + descriptor
		}
	}
}

// TestLine compares with counting line feeds.
func TestLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab\n]{0,60}`).Draw(t, "text")
		doc := &Document{Lines: LineStarts([]byte(text))}
		at := rapid.IntRange(0, len(text)).Draw(t, "offset")
		line, column := doc.Line(uint32(at))
		before := text[:at]
		if int(line) != strings.Count(before, "\n") || int(column) != len(before)-strings.LastIndexByte(before, '\n')-1 {
			t.Fatalf("offset %d of %q is %d:%d", at, text, line, column)
		}
	})
}

// TestBuilderKeepsOneCopy of equal names and expressions, also past a growth of its table and in a second Document.
func TestBuilderKeepsOneCopy(t *testing.T) {
	t.Parallel()
	var b Builder
	for range 2 {
		doc := b.Begin("go", "go", nil)
		ids := map[ExprID]bool{}
		for i := range 3000 {
			n := b.Name(strings.Repeat("n", i%1500+1))
			x := b.Expr(OpName, int32(n), 0)
			if b.Expr(OpName, int32(n), 0) != x {
				t.Fatal("an equal expression has another number")
			}
			ids[x] = true
		}
		if len(ids) != 1500 || len(doc.Exprs) != 1501 || len(doc.Names) != 1501 {
			t.Fatalf("%d expressions, %d in the table, %d names", len(ids), len(doc.Exprs), len(doc.Names))
		}
		if b.Member(0, 1) != 0 || b.Unary(OpElem, 0) != 0 || b.Call(0, 0) != 0 || b.Union(3, 0) != 3 || b.Union(3, 3) != 3 {
			t.Fatal("what is not known makes no expression")
		}
		b.Finish()
	}
}

func TestCheckFindsBreaches(t *testing.T) {
	t.Parallel()
	good := func() *Document {
		var b Builder
		b.Begin("go", "go", []byte("package p"))
		d := b.AddDef(Def{Name: b.Name("f"), Kind: KindFunction, Parent: NoDef, Start: 1, End: 8})
		b.AddUse(Use{Start: 2, Name: b.Name("g"), Scope: d, Expr: b.Expr(OpDef, int32(d), 0)})
		return b.Finish()
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Document){
		"range outside of the file": func(d *Document) { d.Defs[0].End = 100 },
		"parent after child":        func(d *Document) { d.Defs[0].Parent = 0 },
		"name out of range":         func(d *Document) { d.Defs[0].Name = 9 },
		"same name twice":           func(d *Document) { d.Names[1] = d.Names[2] },
		"same descriptor twice":     func(d *Document) { d.Defs = append(d.Defs, d.Defs[0]) },
		"use past the end":          func(d *Document) { d.Uses[0].Start = 9 },
		"uses out of order":         func(d *Document) { d.Uses = append(d.Uses, Use{Start: 1, Scope: NoDef}) },
		"expression out of range":   func(d *Document) { d.Uses[0].Expr = 7 },
		"operand after operation":   func(d *Document) { d.Exprs = append(d.Exprs, Expr{OpElem, 2, 0}) },
		"unknown operation":         func(d *Document) { d.Exprs = append(d.Exprs, Expr{numOps, 0, 0}) },
		"first name not empty":      func(d *Document) { d.Names[0] = "x" },
		"diagnostic without a code": func(d *Document) { d.Diagnostics = []Diagnostic{{Severity: SeverityError}} },
	} {
		doc := good()
		spoil(doc)
		if doc.Check() == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for k := KindUnknown; k < numKinds; k++ {
		if got, ok := ParseKind(k.String()); !ok || got != k {
			t.Errorf("kind %d is %q and back %d", k, k, got)
		}
	}
	for r := range Reason(255) {
		if r < numEdgeReasons || r.IsSite() && r < siteReasonEnd {
			if r.String() == "" {
				t.Errorf("reason %d has no text", r)
			}
		}
		if r < numEdgeReasons && r.Evidence() >= numEvidences {
			t.Errorf("reason %d has no evidence", r)
		}
	}
}
