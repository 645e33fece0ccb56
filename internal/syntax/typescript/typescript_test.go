package typescript_test

import (
	"errors"
	"strings"
	"testing"

	"manito/internal/syntax/typescript"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		script     typescript.Script
		statements int
		errors     []typescript.Error
	}{
		{name: "typescript", text: "interface A<T> { a: T }\nconst x = <A<number>>y;", statements: 2},
		{name: "tsx", text: "const x = <A b={c}>text</A>;", script: typescript.TSX, statements: 1},
		{name: "javascript with elements", text: "const x = <A b={c}>text</A>;", script: typescript.JS, statements: 1},
		{name: "declarations", text: "declare function f(): void; export const a: number;", script: typescript.Declaration, statements: 2},
		{name: "empty", text: ""},
		{name: "not UTF-8", text: "// \xe4\nconst a = \"\xe4\";", statements: 1},
		{name: "binary", text: "a\xff\xfe = 1", statements: 1, errors: []typescript.Error{{Message: "File appears to be binary."}}},
		{name: "errors", text: "let = ;\nfunction (", statements: 2, errors: []typescript.Error{
			{Start: 6, End: 7, Message: "Expression expected."}, {Start: 17, End: 18, Message: "Identifier expected."},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file, text, err := typescript.Parse([]byte(test.text), test.script)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != test.text {
				t.Errorf("text %q", text)
			}
			if n := len(file.Statements.Nodes); n != test.statements {
				t.Errorf("%d statements, want %d", n, test.statements)
			}
			got := typescript.Errors(file, 2)
			if len(got) > 0 && len(test.errors) == 0 {
				t.Fatalf("errors %+v", got)
			}
			for i, want := range test.errors {
				if i >= len(got) || got[i] != want {
					t.Errorf("errors %+v, want %+v", got, test.errors)
					break
				}
			}
		})
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	text := typescript.Text("  /* a */ // b\n\tname  x")
	for offset, want := range map[int]int{0: 16, 1: 16, 2: 16, 15: 16, 16: 16, 20: 22, 23: 23, 99: 23} {
		if got := text.Token(offset); got != want {
			t.Errorf("the token at or after %d is at %d, want %d", offset, got, want)
		}
	}
}

// What nests too deep is refused before the parser, whose stack it could overflow, sees it.
func TestTooDeep(t *testing.T) {
	t.Parallel()
	deep := []string{
		"(", "[", "{", "a(", "f(x)[", "{a:", "if(a){", "()=>{", "`${", "class{a=", "a?(", "async(", "async<T>(", "a<", "new a<", "{get a(){", "(\")\"", "<p>don't {\n",
		"/[(]/.x(", "a/(", "x = /\"/ [", "a /* ) */ (", "// )\n(",
	}
	for _, unit := range deep {
		for _, script := range []typescript.Script{typescript.TS, typescript.JS} {
			if _, _, err := typescript.Parse([]byte(strings.Repeat(unit, 100_000)), script); !errors.Is(err, typescript.ErrTooDeep) {
				t.Errorf("%q: %v", unit, err)
			}
		}
	}
	for _, unit := range []string{"!", "-", "x=", "a=>", "a?b:", "typeof ", "a:"} {
		if _, _, err := typescript.Parse([]byte(strings.Repeat(unit, 2_000_000)), typescript.TS); !errors.Is(err, typescript.ErrTooDeep) {
			t.Errorf("%q: %v", unit, err)
		}
	}
}

// What is long but not deep is parsed, however odd it looks.
func TestLong(t *testing.T) {
	t.Parallel()
	long := []string{
		"a(b);\n", "a < b;\n", "x = \"(\";\n", "x = /[(\"]/;\n", "x = `(${y}`;\n", "// (\n", "/* ( */", "{}", "if (a) /[(]/.test(b);\n", "a.", "\"a\"+", "a<b>(c),", "it('x', async () => {});\n",
		"async(a);\n", "a / b / c;\n", "x = y ? '(' : '[';\n", "if(a){}else ", "a = b ? c : d;\n", "x = \"\\\"(\";\n",
	}
	for _, unit := range long {
		if _, _, err := typescript.Parse([]byte(strings.Repeat(unit, 20_000)), typescript.TS); err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
	jsx := "const a = <div>\n" + strings.Repeat("  <p class=\"a\">don't (x) <b>{y}</b> <br/></p>\n", 20_000) + "</div>;"
	if _, _, err := typescript.Parse([]byte(jsx), typescript.TSX); err != nil {
		t.Errorf("elements: %v", err)
	}
}
