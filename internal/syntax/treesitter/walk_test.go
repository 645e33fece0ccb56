//go:build cgo

package treesitter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"manito/internal/syntax/treesitter"
	"manito/internal/syntax/treesitter/python"
)

// The walker reads the runtime's trees as they lie in memory. It must see what
// the runtime's own cursor sees.
func TestWalk(t *testing.T) {
	t.Parallel()
	language := sitter.NewLanguage(python.Grammar())
	selection := treesitter.Selection{Kinds: []string{""}, Fields: []string{""}}
	kinds := map[string]treesitter.Kind{}
	for id := range uint16(language.NodeKindCount()) {
		if !language.NodeKindIsVisible(id) {
			continue
		}
		name := language.NodeKindForId(id)
		if !language.NodeKindIsNamed(id) {
			name = `"` + name + `"`
		}
		if _, ok := kinds[name]; !ok && name != `"ERROR"` && name != "ERROR" {
			kinds[name] = treesitter.Kind(len(selection.Kinds))
			selection.Kinds = append(selection.Kinds, name)
		}
	}
	fields := map[string]treesitter.Field{"": 0}
	for id := uint16(1); id <= uint16(language.FieldCount()); id++ {
		name := language.FieldNameForId(id)
		fields[name] = treesitter.Field(len(selection.Fields))
		selection.Fields = append(selection.Fields, name)
	}
	ours, err := treesitter.New(python.Grammar(), selection)
	if err != nil {
		t.Fatal(err)
	}
	theirs := sitter.NewParser()
	defer theirs.Close()
	if err := theirs.SetLanguage(language); err != nil {
		t.Fatal(err)
	}
	compare := func(text string) {
		tree, ok := ours.Parse(context.Background(), []byte(text))
		if !ok {
			t.Fatal("stopped")
		}
		other := theirs.Parse([]byte(text), nil)
		defer other.Close()
		cursor := other.Walk()
		defer cursor.Close()
		i := 0
		var visit func() error
		visit = func() error {
			n := cursor.Node()
			if i == len(tree.Records) {
				return fmt.Errorf("no record for %s at %d", n.Kind(), n.StartByte())
			}
			r := tree.Records[i]
			name := n.Kind()
			if !n.IsNamed() {
				name = `"` + name + `"`
			}
			want := treesitter.Record{Start: uint32(n.StartByte()), End: uint32(n.EndByte()), Next: r.Next, Kind: kinds[name], Field: fields[cursor.FieldName()]}
			if n.IsError() {
				want.Kind = treesitter.KindError
			}
			if n.IsMissing() {
				want.Flags = treesitter.Missing
			}
			if r != want {
				return fmt.Errorf("record %d is %+v, the cursor has %s %+v", i, r, name, want)
			}
			i++
			for more := cursor.GotoFirstChild(); more; {
				if err := visit(); err != nil {
					return err
				}
				if more = cursor.GotoNextSibling(); !more {
					cursor.GotoParent()
				}
			}
			if int(r.Next) != i {
				return fmt.Errorf("record %+v goes on to %d, its last descendant is before %d", r, r.Next, i)
			}
			return nil
		}
		if err := visit(); err != nil {
			t.Fatalf("%v\nin %q", err, text)
		}
		if i != len(tree.Records) {
			t.Fatalf("%d records, the cursor sees %d nodes in %q", len(tree.Records), i, text)
		}
		if tree.Broken != other.RootNode().HasError() {
			t.Fatalf("broken %v, the root has errors %v in %q", tree.Broken, other.RootNode().HasError(), text)
		}
	}
	sound := `# comment
@dec(1)
async def f[T: int](a, *b: List[int], c: x.Y | None = None, **k) -> Dict[str, "X"]:
    """doc"""
    with a as b, c() as (d, e): pass
    try: pass
    except (A, B) as e: pass
    finally: pass
    if (n := 3) > 2 and not x: pass  # odd
    elif y: pass
    else: pass
    self.y: List["Foo"] = z = 3; x += 1
    for i, (a, *b) in zip(q, r): yield from x
    return [a for a in b if c], {k: v for k in x}, lambda z, *a, k=1: f"{a!r:>{w}} {b}" "x"
match x, y:
    case Foo(a, b=c) | Bar(): pass
    case {"k": v, **kw}: pass
class A(B[int], metaclass=M): x = 1 if y else 2
print >>f, "x"
a[1:2, b].c()()
`
	compare(sound)
	compare("")
	r := rand.New(rand.NewPCG(3, 3))
	for range 400 {
		text := []byte(sound)
		for range 1 + r.IntN(6) {
			at := r.IntN(len(text))
			end := min(len(text), at+r.IntN(30))
			switch r.IntN(3) {
			case 0:
				text = append(text[:at:at], text[end:]...)
			case 1:
				text = append(text[:end:end], text[at:]...)
			default:
				text[at] = "(){}[]:,\n\t\"'=@\xff\x00"[r.IntN(16)]
			}
		}
		compare(string(text))
	}
}
