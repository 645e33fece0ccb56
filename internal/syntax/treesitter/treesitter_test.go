//go:build cgo

package treesitter_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"manito/internal/syntax/treesitter"
	"manito/internal/syntax/treesitter/python"
)

const (
	module treesitter.Kind = 1 + iota
	function
	identifier
	call
	parenthesized
	async
	number
)

const name treesitter.Field = 1

func selection() treesitter.Selection {
	return treesitter.Selection{
		Kinds: []string{
			module: "module", function: "function_definition", identifier: "identifier", call: "call",
			parenthesized: "parenthesized_expression", async: `"async"`, number: "integer",
		},
		Fields: []string{name: "name"},
		Leaves: []string{"string"},
	}
}

func newParser(t testing.TB) *treesitter.Parser {
	t.Helper()
	p, err := treesitter.New(python.Grammar(), selection())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t testing.TB, p *treesitter.Parser, text string) treesitter.Tree {
	t.Helper()
	tree, ok := p.Parse(context.Background(), []byte(text))
	if !ok {
		t.Fatalf("parsing %.40q was stopped", text)
	}
	return tree
}

// The declarations that this package repeats must be those of the runtime that is linked.
func TestDeclarations(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tree-sitter/go-tree-sitter").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	comment, space := regexp.MustCompile(`//[^\n]*`), regexp.MustCompile(`\s+`)
	flat := func(text string) string {
		return strings.TrimSpace(space.ReplaceAllString(comment.ReplaceAllString(text, ""), " "))
	}
	var headers strings.Builder
	for _, name := range []string{"include/tree_sitter/api.h", "src/subtree.h", "src/parser.h", "src/length.h", "src/tree.h"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		headers.WriteString(flat(string(text)) + "\n")
	}
	ours, err := os.ReadFile("runtime.h")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(ours), "// clang-format off")
	body, _, _ = strings.Cut(body, "// clang-format on")
	n := 0
	check := func(declaration string) {
		n++
		if d := flat(declaration); !strings.Contains(headers.String(), d) {
			t.Errorf("the runtime's headers do not have:\n%s", d)
		}
	}
	for paragraph := range strings.SplitSeq(body, "\n\n") {
		switch {
		case flat(paragraph) == "" || strings.HasPrefix(paragraph, "#if") || strings.Contains(paragraph, "not looked into"):
		case strings.Contains(paragraph, "{") || strings.HasPrefix(paragraph, "#define"):
			check(strings.TrimSuffix(flat(paragraph), "/* and more */ };"))
		default:
			for line := range strings.SplitAfterSeq(paragraph, ";") {
				check(line)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d declarations were compared", n)
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	text := "async def f():\n  return g('a' \"b\", (h))\n"
	tree := parse(t, newParser(t), text)
	type node struct {
		kind  treesitter.Kind
		field treesitter.Field
		text  string
		next  uint32
	}
	want := []node{
		{module, 0, text, 8},
		{function, 0, strings.TrimSuffix(text, "\n"), 8},
		{async, 0, "async", 3},
		{identifier, name, "f", 4},
		{call, 0, "g('a' \"b\", (h))", 8},
		{identifier, 0, "g", 6},
		{parenthesized, 0, "(h)", 8},
		{identifier, 0, "h", 8},
	}
	var got []node
	for _, r := range tree.Records {
		got = append(got, node{r.Kind, r.Field, text[r.Start:r.End], r.Next})
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if tree.Broken || tree.Deep || len(tree.Faults) > 0 {
		t.Errorf("sound text: %+v", tree)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	tree := parse(t, p, "x = (1\ndef f():\n  pass\n")
	if !tree.Broken || len(tree.Faults) == 0 {
		t.Fatalf("an unclosed bracket went unnoticed: %+v", tree)
	}
	tree = parse(t, p, "import ,")
	if len(tree.Faults) != 1 || tree.Faults[0] != (treesitter.Fault{Start: 6, End: 6, Missing: "identifier"}) {
		t.Errorf("faults %+v, want a missing identifier", tree.Faults)
	}
	if last := tree.Records[len(tree.Records)-1]; last.Kind != identifier || last.Flags != treesitter.Missing {
		t.Errorf("the identifier that is not there: %+v", last)
	}
	tree = parse(t, p, strings.Repeat("def ) f\n\n", 1000))
	if len(tree.Faults) == 0 || len(tree.Faults) > 20 {
		t.Errorf("%d faults", len(tree.Faults))
	}
	if tree = parse(t, p, "x"); tree.Broken || len(tree.Faults) > 0 {
		t.Errorf("the faults of another file remain: %+v", tree)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for _, text := range []string{"", "\n", "\x00", "\xff\xfe", "# only a comment"} {
		if tree := parse(t, p, text); len(tree.Records) == 0 {
			t.Errorf("%q has no root", text)
		}
	}
}

// Neither the parser nor the walk may use the stack for the depth of a text.
func TestDeep(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	const deep = 200_000
	tree := parse(t, p, strings.Repeat("(", deep)+"1"+strings.Repeat(")", deep))
	if !tree.Deep {
		t.Error("nothing was left out")
	}
	cut := 0
	for i, r := range tree.Records {
		if int(r.Next) <= i || int(r.Next) > len(tree.Records) {
			t.Fatalf("record %d of %d: next %d", i, len(tree.Records), r.Next)
		}
		if r.Flags&treesitter.Cut != 0 {
			cut++
		}
	}
	if cut != 1 {
		t.Errorf("%d records say that something is left out, want 1", cut)
	}
	if tree := parse(t, p, strings.Repeat("(", 100)+"1"+strings.Repeat(")", 100)); tree.Deep || len(tree.Records) != 102 {
		t.Errorf("100 levels: deep %v, %d records", tree.Deep, len(tree.Records))
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	ctx, cancel := context.WithCancel(context.Background())
	text := bytes.Repeat([]byte("x = f(a, b, c)[1:2] + (1, 2, 3)\n"), 200_000)
	started := make(chan struct{})
	go func() {
		close(started)
		cancel()
	}()
	<-started
	if tree, ok := p.Parse(ctx, text); ok || len(tree.Records) > 0 {
		t.Errorf("a stopped parser gave %d records, %v", len(tree.Records), ok)
	}
	if tree := parse(t, p, "f(1)\n"); len(tree.Records) != 4 {
		t.Errorf("after a stop: %d records", len(tree.Records))
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for what, s := range map[string]treesitter.Selection{
		"kind":  {Kinds: []string{1: "no_such_node"}},
		"token": {Kinds: []string{1: `"identifier"`}},
		"field": {Kinds: []string{1: "module"}, Fields: []string{1: "no_such_field"}},
		"leaf":  {Leaves: []string{"no_such_node"}},
		"many":  {Kinds: make([]string, 256)},
	} {
		if _, err := treesitter.New(python.Grammar(), s); err == nil {
			t.Errorf("%s: a selection that does not fit the grammar was taken", what)
		}
	}
	if _, err := treesitter.New(nil, selection()); err == nil {
		t.Error("no grammar was taken for one")
	}
}

// Parsers share nothing: what one gives does not depend on what others do.
func TestParallel(t *testing.T) {
	t.Parallel()
	texts := make([]string, 8)
	want := make([][]treesitter.Record, len(texts))
	p := newParser(t)
	for i := range texts {
		texts[i] = strings.Repeat("def f(a):\n    return g(a)[h]\n\n", 40*(i+1))
		want[i] = append([]treesitter.Record(nil), parse(t, p, texts[i]).Records...)
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			p, err := treesitter.New(python.Grammar(), selection())
			if err != nil {
				t.Error(err)
				return
			}
			for round := range 20 {
				i := (worker + round) % len(texts)
				tree, ok := p.Parse(context.Background(), []byte(texts[i]))
				if !ok || !reflect.DeepEqual(tree.Records, want[i]) {
					t.Errorf("text %d differs when others parse", i)
				}
			}
		})
	}
	group.Wait()
}

// Noise must give well-formed records.
func TestNoise(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	r := rand.New(rand.NewPCG(7, 7))
	words := []string{"def ", "class ", "(", ")", "[", "]", "{", "}", ":", "\n", "    ", "\t", "if ", "x", "=", "'", "\"\"\"", "f'", "{", "lambda ", "\\", "#", "\xff", "\x00", "match ", "case ", "*", "@"}
	for range 300 {
		var text []byte
		for range r.IntN(300) {
			text = append(text, words[r.IntN(len(words))]...)
		}
		tree := parse(t, p, string(text))
		var open []uint32
		for i, rec := range tree.Records {
			for len(open) > 0 && open[len(open)-1] <= uint32(i) {
				open = open[:len(open)-1]
			}
			if rec.Next <= uint32(i) || rec.Start > rec.End || int(rec.End) > len(text) || len(open) > 0 && rec.Next > open[len(open)-1] {
				t.Fatalf("record %d %+v of %q", i, rec, text)
			}
			open = append(open, rec.Next)
		}
	}
}
