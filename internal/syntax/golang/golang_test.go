package golang_test

import (
	"strings"
	"testing"

	"manito/internal/syntax/golang"
)

func TestParse(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("(", 200_000)
	tests := []struct {
		name, text string
		decls      int
		errors     []golang.Error
		first      golang.Error // where only the first error is of interest
	}{
		{name: "whole", text: "package p\n\nvar a = 1\nfunc f() {}\n", decls: 2},
		{name: "empty", text: "", errors: []golang.Error{{Message: "expected ';', found 'EOF'"}, {Message: "expected 'IDENT', found 'EOF'"}, {Message: "expected 'package', found 'EOF'"}}},
		{
			name: "line directives do not move errors", text: "package p\n//line x.go:900\nvar = 1\n//line a.go:1\nvar = 2\n", decls: 2,
			errors: []golang.Error{
				{Offset: 30, Message: "expected 'IDENT', found '='"}, {Offset: 32, Message: "expected type, found 1"},
				{Offset: 52, Message: "expected 'IDENT', found '='"}, {Offset: 54, Message: "expected type, found 2"},
			},
		},
		{
			name: "more errors than the parser's usual limit", text: "package p\n" + strings.Repeat("func f( {}\n", 30) + "func last() {}\n", decls: -1,
		},
		{
			name: "the declarations around one that is too deep", text: "package p\nvar a = 1\nvar b = " + deep + "\nfunc f() {}\n", decls: 2,
			errors: []golang.Error{{Offset: 100_028, Message: "exceeded max nesting depth", TooDeep: true}},
		},
		{
			name: "the declarations around a broken one", text: "package p\nimport \"fmt\"\nfunc f( {\n\tg(\"a\"\n}\ntype T struct{ a int }\nvar s = `\nfunc none() {}\n`\nfunc g() { fmt.Println() }\n", decls: 5,
			first: golang.Error{Offset: 31, Message: "expected ')', found '{'"},
		},
		{
			name: "a layout of its own", text: "package p\nfunc f() {\nvar x int\nfunc() {\nx =\n}()\n}\n", decls: 1,
			first: golang.Error{Offset: 44, Message: "expected operand, found '}'"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file, errs := golang.Parse([]byte(test.text))
			if file == nil {
				t.Fatal("no tree")
			}
			if test.decls < 0 {
				if len(file.Decls) == 0 || len(errs) < 20 {
					t.Fatalf("%d declarations, %d errors", len(file.Decls), len(errs))
				}
				return
			}
			if len(file.Decls) != test.decls {
				t.Errorf("%d declarations, want %d", len(file.Decls), test.decls)
			}
			if test.first != (golang.Error{}) {
				if len(errs) == 0 || errs[0] != test.first {
					t.Errorf("errors %v, want first %v", errs, test.first)
				}
				return
			}
			if len(errs) != len(test.errors) {
				t.Fatalf("errors %v, want %v", errs, test.errors)
			}
			for i, e := range test.errors {
				if errs[i] != e {
					t.Errorf("error %d is %+v, want %+v", i, errs[i], e)
				}
			}
		})
	}
}

func TestOffset(t *testing.T) {
	t.Parallel()
	file, _ := golang.Parse([]byte("package p\nvar name = 1\n"))
	if got := golang.Offset(file.Decls[0].Pos()); got != 10 {
		t.Errorf("the declaration is at %d, want 10", got)
	}
	if got := golang.Offset(0); got != 0 {
		t.Errorf("no position is at %d, want 0", got)
	}
}
