package typescript

import (
	"context"
	"testing"

	"github.com/microsoft/typescript-go/shim/bind"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/langtest"
	syntax "manito/internal/syntax/typescript"
)

// TestBinding holds the extractor's scopes against the compiler's binder: every
// name that the compiler looks up must be bound to one of the declarations that
// the compiler finds, and to nothing where it finds nothing.
func TestBinding(t *testing.T) {
	t.Parallel()
	for name, in := range langtest.Inputs(t, Language(), "testdata/extract") {
		if name == "broken.ts" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checked, wrong := compareBinding(t, in)
			if wrong > 0 {
				t.Errorf("%d of %d names are bound otherwise", wrong, checked)
			}
		})
	}
}

func compareBinding(t *testing.T, in langtest.Input) (checked, wrong int) {
	t.Helper()
	file, _, err := syntax.Parse(in.Text, dialectOf(in.Dialect).script)
	if err != nil {
		t.Fatal(err)
	}
	doc := new(Extractor).Extract(context.Background(), lang.Input{Text: in.Text, Dialect: in.Dialect})
	uses := make(map[int]code.ExprID, len(doc.Uses))
	for _, u := range doc.Uses {
		if e := doc.Exprs[u.Expr]; e.Op != code.OpMember || uses[int(u.Start)] == 0 {
			if old := doc.Exprs[uses[int(u.Start)]]; old.Op == code.OpUnknown || old.Op == code.OpMember {
				uses[int(u.Start)] = u.Expr
			}
		}
	}
	for _, n := range bind.New(file).Names() {
		e, ok := uses[n.Start]
		if !ok {
			switch n.Text {
			case "undefined", "arguments", "const":
				continue // words of the language rather than names
			}
			wrong++
			line, column := doc.Line(uint32(n.Start))
			t.Errorf("%d:%d: %s is no use", line+1, column+1, n.Text)
			continue
		}
		at, end := 0, 0
		switch x := doc.Exprs[e]; x.Op {
		case code.OpDef:
			at, end = int(doc.Defs[x.A].NameStart), int(doc.Defs[x.A].NameStart)
			if doc.Names[doc.Defs[x.A].Name] != n.Text { // const f = function g() { g() }: one definition with two names
				end = int(doc.Defs[x.A].End)
			}
		case code.OpLocal:
			at = int(doc.Locals[x.A].Start)
		case code.OpImport:
			at = int(doc.Imports[x.A].NameStart)
		case code.OpName:
			at = -1
		default:
			continue
		}
		checked++
		found := n.Implicit || at < 0 && len(n.Declared) == 0
		if x := doc.Exprs[e]; x.Op == code.OpDef && doc.Defs[x.A].Kind == code.KindClass && doc.Defs[x.A].Params != 0 {
			found = true // a function that is a class: the compiler finds the type by another way
		}
		for _, d := range n.Declared {
			found = found || d == at || d+1 == at || at <= d && d < end // d+1: the name in quotes
		}
		if !found {
			wrong++
			line, column := doc.Line(uint32(n.Start))
			t.Errorf("%d:%d: %s is bound to %s, the compiler finds %v", line+1, column+1, n.Text, langtest.Expr(doc, e), n.Declared)
		}
	}
	return checked, wrong
}
