package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"manito/internal/lang/golang"
)

// shop is a small module about which everything is known.
const shop = `
-- go.mod --
module example.com/shop

go 1.24
-- shop.go --
package shop

import "example.com/shop/money"

type Priced interface{ Price() int }

type Item struct{ n int }

func (i Item) Price() int { return money.Round(i.n) }

func Total(xs []Priced) (sum int) {
	for _, x := range xs {
		sum += x.Price()
	}
	return sum
}

func Main() int { return Total([]Priced{Item{1}}) }
-- money/money.go --
package money

func Round(n int) int { return n }

func Other() {}
`

// shopKey writes the module and gives the right answer key of shop, made by go/types.
func shopKey(t *testing.T) (root string, key *answerKey) {
	t.Helper()
	root = t.TempDir()
	for _, f := range txtar.Parse([]byte(shop)).Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	key, err := judgeGo(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return root, key
}

func scoreShop(t *testing.T, root string, key *answerKey) *scores {
	t.Helper()
	l, err := read(context.Background(), root, golang.Language())
	if err != nil {
		t.Fatal(err)
	}
	s, err := score(t.Context(), subject{language: "go"}, l, key, maxExamples)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// call finds the judge's word on the call of a name.
func call(t *testing.T, root string, key *answerKey, file, name string) *judgement {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := range key.files {
		for j := range key.files[i].calls {
			c := &key.files[i].calls[j]
			if key.files[i].path == file && strings.HasPrefix(lines[c.line-1][c.column-1:], name+"(") {
				return c
			}
		}
	}
	t.Fatalf("the judge sees no call of %s", name)
	return nil
}

// TestScore: when the key is right everything is right; each planted difference is
// seen as what it is, and nothing else.
func TestScore(t *testing.T) {
	t.Parallel()
	root, key := shopKey(t)
	s := scoreShop(t, root, key)
	if s.Calls.Right != (share{3, 3}) || s.Calls.Found != (share{2, 2}) || s.Dispatch.Found != (share{1, 1}) || s.Dispatch.OverridesFound != (share{1, 1}) ||
		s.Imports.Found != (share{1, 1}) || s.Imports.Right != (share{1, 1}) || s.Definitions.Found.Right != s.Definitions.Found.All || s.Completeness.Refuted != 0 || s.Completeness.Complete == 0 {
		t.Fatalf("the right key gives %+v", s)
	}
	tests := map[string]struct {
		plant func(key *answerKey)
		want  func(s *scores) bool
	}{
		"another target": {
			func(k *answerKey) { c := call(t, root, k, "shop.go", "Round"); c.targets[0].line += 2 },
			func(s *scores) bool { return s.Calls.Right == (share{2, 3}) && s.Calls.Found == (share{1, 2}) },
		},
		"outside": {
			func(k *answerKey) {
				c := call(t, root, k, "shop.go", "Round")
				c.class, c.targets = classExternal, nil
			},
			func(s *scores) bool { return s.Calls.Right == (share{2, 3}) && s.Calls.Found == (share{1, 1}) },
		},
		"not known to the judge": {
			func(k *answerKey) {
				c := call(t, root, k, "shop.go", "Round")
				c.class, c.targets = classUnknown, nil
			},
			func(s *scores) bool {
				return s.Calls.Right == (share{2, 2}) && s.Calls.Found == (share{1, 1}) && s.Calls.Judged.Right == s.Calls.Judged.All-1
			},
		},
		"a call that we do not see": {
			func(k *answerKey) {
				c := *call(t, root, k, "shop.go", "Total")
				c.column -= 3
				for i := range k.files {
					if k.files[i].path == "shop.go" {
						k.files[i].calls = append(k.files[i].calls, c)
					}
				}
			},
			func(s *scores) bool { return s.Calls.Found == (share{2, 3}) && s.Completeness.Refuted == 1 },
		},
		"another import": {
			func(k *answerKey) {
				for i := range k.files {
					for j := range k.files[i].imports {
						k.files[i].imports[j].targets = []place{{file: "elsewhere"}}
					}
				}
			},
			func(s *scores) bool { return s.Imports.Right == (share{0, 1}) && s.Imports.Found == (share{0, 1}) },
		},
		"a definition of another kind": {
			func(k *answerKey) { k.files[0].defs[0].kind = "macro" },
			func(s *scores) bool { return s.Definitions.Kind.Right == s.Definitions.Kind.All-1 },
		},
		"no such override": {
			func(k *answerKey) {
				for i := range k.files {
					k.files[i].overrides = nil
				}
			},
			func(s *scores) bool { return s.Dispatch.OverridesRight["likely"] == (share{0, 1}) },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root2, key := root, *key
			key.files = nil
			again, err := judgeGo(t.Context(), root2)
			if err != nil {
				t.Fatal(err)
			}
			key.files = again.files
			tt.plant(&key)
			if s := scoreShop(t, root2, &key); !tt.want(s) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestStaleKey: a key of other bytes than those on disk is refused.
func TestStaleKey(t *testing.T) {
	t.Parallel()
	root, key := shopKey(t)
	if err := os.WriteFile(filepath.Join(root, "money", "money.go"), []byte("package money\n\nfunc Round(n int) int { return n }\n\nfunc Another() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := read(t.Context(), root, golang.Language())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := score(t.Context(), subject{language: "go"}, l, key, 0); err == nil || !strings.Contains(err.Error(), "money/money.go") {
		t.Errorf("a key of other bytes is taken: %v", err)
	}
}
