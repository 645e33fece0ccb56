package codeintel

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goBase = `
-- go.mod --
module example.com/m

go 1.26
-- a/a.go --
package a

// helper is called directly and only so.
func helper() int { return 1 }

func use() int { return helper() }

type Box struct{ n int }

func (b *Box) Open() int { return b.n }

func Exported() int { return helper() }
-- b/b.go --
package b

import "example.com/m/a"

func Run(b *a.Box) int { return b.Open() + a.Exported() }
`

const tsBase = `
-- package.json --
{"name": "m"}
-- a.ts --
export function plain(): number { return 1 }
function local(): number { return plain() }
export class Box {
  open(): number { return local() }
  #secret(): number { return 1 }
  run(): number { return this.#secret() }
}
-- b.ts --
import { plain, Box } from "./a"
export function use(): number { return plain() + new Box().open() }
`

const pyBase = `
-- pyproject.toml --
[project]
name = "m"
-- m/__init__.py --
-- m/a.py --
def plain():
    return 1

class Box:
    def open(self):
        return plain()
-- m/b.py --
from m.a import plain, Box

def use():
    box = Box()
    return plain() + box.open()
`

// TestPlantedDoubts: ordinary code gives complete answers, and each cause of doubt that is planted turns exactly the answers that it should.
func TestPlantedDoubts(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, base, plant string
		symbol            string
		callers           []string
		status            Status
		codes             []string
	}{
		{"go: direct calls only", goBase, "", "a.helper", []string{"Exported must", "use must"}, Complete, nil},
		{"go: a method with direct calls only", goBase, "", "Box.Open", []string{"Run must"}, Complete, nil},
		{"go: an exported function", goBase, "", "a.Exported", []string{"Run must"}, Complete, nil},
		{"go: taken as a value", goBase, "-- a/v.go --\npackage a\n\nvar table = []func() int{helper}\n", "a.helper", []string{"Exported must", "use must"}, LowerBound, []string{"taken_as_value"}},
		{"go: a broken file of the package that mentions it", goBase, "-- a/broken.go --\npackage a\n\nfunc broken() { helper( }\n", "a.helper", []string{"Exported must", "broken must", "use must"}, LowerBound, []string{"partly_read"}},
		{"go: a broken file elsewhere", goBase, "-- c/broken.go --\npackage c\n\nfunc broken() { helper( }\n", "a.helper", []string{"Exported must", "use must"}, Complete, nil},
		{"go: a broken file that does not mention it", goBase, "-- a/broken.go --\npackage a\n\nfunc broken() { other( }\n", "a.helper", []string{"Exported must", "use must"}, Complete, nil},
		{"go: an unreadable file of the package", goBase, "-- a/secret.go --\n<unreadable>\n", "a.helper", []string{"Exported must", "use must"}, LowerBound, []string{"unread"}},
		{"go: an unreadable file of another package", goBase, "-- c/secret.go --\n<unreadable>\n", "a.helper", []string{"Exported must", "use must"}, Complete, nil},
		{"go: an unreadable file and an exported function", goBase, "-- c/secret.go --\n<unreadable>\n", "a.Exported", []string{"Run must"}, LowerBound, []string{"unread"}},
		{"go: assembly of the package", goBase, "-- a/a.s --\nTEXT ·f(SB), 0, $0\n\tCALL ·helper(SB)\n", "a.helper", []string{"Exported must", "use must"}, LowerBound, []string{"other_language"}},
		{"go: an unknown receiver", goBase, "-- c/c.go --\npackage c\n\nimport \"example.org/elsewhere\"\n\nfunc f() { elsewhere.Make().Open() }\n", "Box.Open", []string{"Run must"}, LowerBound, []string{"unknown_receiver"}},
		{"go: an unknown receiver does not reach a function", goBase, "-- c/c.go --\npackage c\n\nimport \"example.org/elsewhere\"\n\nfunc f() { elsewhere.Make().helper() }\n", "a.helper", []string{"Exported must", "use must"}, Complete, nil},

		{"go: reflection by name and an exported method", goBase, "-- c/c.go --\npackage c\n\nimport \"reflect\"\n\nfunc f(v reflect.Value, s string) { v.MethodByName(s).Call(nil) }\n", "Box.Open", []string{"Run must"}, LowerBound, []string{"run_time_code"}},
		{"go: reflection by name and a function", goBase, "-- c/c.go --\npackage c\n\nimport \"reflect\"\n\nfunc f(v reflect.Value, s string) { v.MethodByName(s).Call(nil) }\n", "a.Exported", []string{"Run must"}, Complete, nil},
		{"go: a template that mentions an exported method", goBase, "-- page.html --\n<p>{{ .Open }}</p>\n", "Box.Open", []string{"Run must"}, LowerBound, []string{"other_language"}},
		{"go: prose that mentions it", goBase, "-- page.html --\n<p>Open the Box</p>\n", "Box.Open", []string{"Run must"}, Complete, nil},

		{"ts: direct calls only", tsBase, "", "a.ts:plain", []string{"local must", "use must"}, Complete, nil},
		{"ts: local to the module", tsBase, "", "a.ts:local", []string{"Box.open must"}, Complete, nil},
		{"ts: a method", tsBase, "", "Box.open", []string{"use must"}, Complete, nil},
		{"ts: a private member", tsBase, "-- c.ts --\nexport function f(x: any) { x.secret(); x[\"a\" + x]() }\n", "Box.#secret", []string{"Box.run must"}, Complete, nil},
		{"ts: an unresolved site of the same name", tsBase, "-- c.ts --\nexport function f(x: any) { x.open() }\n", "Box.open", []string{"use must"}, LowerBound, []string{"unknown_receiver"}},
		{"ts: an unresolved site of another name", tsBase, "-- c.ts --\nexport function f(x: any) { x.close() }\n", "Box.open", []string{"use must"}, Complete, nil},
		{"ts: a dynamic call and a method", tsBase, "-- c.ts --\nexport function f(x: any, k: string) { x[k]() }\n", "Box.open", []string{"use must"}, LowerBound, []string{"computed_access"}},
		{"ts: a dynamic call and a plain function", tsBase, "-- c.ts --\nexport function f(x: any, k: string) { x[k]() }\n", "a.ts:plain", []string{"local must", "use must"}, Complete, nil},
		{"ts: a dynamic call where the module is held as a value", tsBase, "-- c.ts --\nimport * as a from \"./a\"\nexport function f(x: any, k: string) { a[k]() }\n", "a.ts:plain", []string{"local must", "use must"}, LowerBound, []string{"computed_access"}},
		{"ts: taken as a value", tsBase, "-- c.ts --\nimport { plain } from \"./a\"\nexport const table = [plain]\n", "a.ts:plain", []string{"local must", "use must"}, LowerBound, []string{"taken_as_value"}},
		{"ts: an unparsed file", tsBase, "-- c.ts --\nimport { plain } from \"./a\"\nfunction f( { plain( \n", "a.ts:plain", []string{"local must", "use must"}, LowerBound, []string{"partly_read"}},
		{"ts: a component in another language", tsBase, "-- c.vue --\n<script>import { plain } from './a'; plain()</script>\n", "a.ts:plain", []string{"local must", "use must"}, LowerBound, []string{"other_language"}},
		{"ts: a page that does not mention it", tsBase, "-- c.html --\n<script>other()</script>\n", "a.ts:plain", []string{"local must", "use must"}, Complete, nil},
		{"ts: an interface with the same member", tsBase, "-- c.ts --\nexport interface Openable { open(): number }\nexport function f(o: Openable) { return o.open() }\n", "Box.open", []string{"use must"}, LowerBound, []string{"structural_type"}},
		{"ts: an interface that it says it implements", tsBase, "-- c.ts --\nexport interface Openable { pull(): number }\nexport class C implements Openable { pull() { return 1 } }\nexport function f(o: Openable) { return o.pull() }\n", "C.pull", []string{"f likely"}, Complete, nil},

		{"py: direct calls only", pyBase, "", "a.plain", []string{"Box.open must", "use must"}, Complete, nil},
		{"py: a method", pyBase, "", "Box.open", []string{"use must"}, Complete, nil},
		{"py: an unresolved site of the same name", pyBase, "-- m/c.py --\ndef f(x):\n    return x.open()\n", "Box.open", []string{"use must"}, LowerBound, []string{"unknown_receiver"}},
		{"py: a dynamic call", pyBase, "-- m/c.py --\ndef f(x, k):\n    return getattr(x, k)()\n", "Box.open", []string{"use must"}, LowerBound, nil},
		{"py: a dynamic call and a plain function", pyBase, "-- m/c.py --\nfrom m.a import plain\ndef f(x, k):\n    return getattr(x, k)()\n", "a.plain", []string{"Box.open must", "use must"}, Complete, nil},
		{"py: a dynamic call where the module is held as a value", pyBase, "-- m/c.py --\nfrom m import a\ndef f(k):\n    return getattr(a, k)()\n", "a.plain", []string{"Box.open must", "use must"}, LowerBound, []string{"computed_access", "run_time_code"}},
		{"py: a plain function and evaluated code that can see it", pyBase, "-- m/c.py --\nfrom m.a import plain\ndef f(s):\n    return eval(s)\n", "a.plain", []string{"Box.open must", "use must"}, LowerBound, []string{"run_time_code"}},
		{"py: a plain function and evaluated code that cannot see it", pyBase, "-- m/c.py --\ndef f(s):\n    return eval(s)\n", "a.plain", []string{"Box.open must", "use must"}, Complete, nil},
		{"py: evaluated code", pyBase, "-- m/c.py --\nfrom m.a import Box\ndef f(s):\n    return eval(s)\n", "Box.open", []string{"use must"}, LowerBound, []string{"computed_access", "run_time_code"}},
		{"py: an unparsed file", pyBase, "-- m/c.py --\nfrom m.a import plain\ndef f(:\n    return plain(\n", "a.plain", []string{"Box.open must", "use must"}, LowerBound, []string{"partly_read"}},
		{"py: taken as a value", pyBase, "-- m/c.py --\nfrom m.a import plain\nTABLE = [plain]\n", "a.plain", []string{"Box.open must", "use must"}, LowerBound, []string{"taken_as_value"}},
		{"py: called by syntax", pyBase, "-- m/c.py --\nclass C:\n    def __eq__(self, other):\n        return True\n", "C.__eq__", []string{}, LowerBound, []string{"called_by_language"}},
		{"py: a decorator of the repository", pyBase, "-- m/c.py --\ndef twice(f):\n    return f\n\n@twice\ndef done():\n    return 1\n", "c.done", []string{}, LowerBound, []string{"decorated"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.base+c.plant)
			callers, got := w.callersOf(t, c.symbol)
			if d := cmp.Diff(c.callers, callers); d != "" {
				t.Errorf("callers (-want +got):\n%s", d)
			}
			if got.Status != c.status {
				t.Errorf("status %s, want %s: %+v", got.Status, c.status, got.Reasons)
			}
			if c.codes != nil || c.status == Complete {
				want := c.codes
				if want == nil {
					want = []string{}
				}
				if d := cmp.Diff(want, codes(got)); d != "" {
					t.Errorf("reasons (-want +got):\n%s\n%+v", d, got.Reasons)
				}
			}
			for _, r := range got.Reasons {
				if r.Count < 1 || r.Message == "" || len(r.Examples) == 0 || r.Examples[0].File == "" {
					t.Errorf("a reason without count, words or example: %+v", r)
				}
			}
		})
	}
}

// TestCompletenessOfReferencesAndImpact: the same doubts reach the other two answers.
func TestCompletenessOfReferencesAndImpact(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sure := newWorld(t, tsBase)
	doubt := newWorld(t, tsBase+"-- c.ts --\nexport function f(x: any) { x.open() }\n")
	for _, w := range []*world{sure, doubt} {
		want := Complete
		if w == doubt {
			want = LowerBound
		}
		r, err := w.References(ctx, ReferencesInput{Symbol: "Box.open"})
		if err != nil || r.Completeness.Status != want {
			t.Errorf("references: %+v %v, want %s", r.Completeness, err, want)
		}
		i, err := w.Impact(ctx, ImpactInput{Symbol: "Box.open"})
		if err != nil || i.Completeness.Status != want {
			t.Errorf("impact: %+v %v, want %s", i.Completeness, err, want)
		}
		// local is called by open only, so what is not known of open is not known of local.
		i, err = w.Impact(ctx, ImpactInput{Symbol: "a.ts:local"})
		if err != nil || i.Completeness.Status != want {
			t.Errorf("impact on the way: %+v %v, want %s", i.Completeness, err, want)
		}
		if w == doubt && !slices.Contains(codes(i.Completeness), "reached") {
			t.Errorf("impact does not say that something on the way is in doubt: %+v", i.Completeness)
		}
	}
}

func TestUnsupportedLanguageIsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "-- a.zig --\nfn main() void {}\n-- b.go --\npackage b\n")
	r, err := w.References(context.Background(), ReferencesInput{Symbol: "a.zig"})
	if err != nil || r.Completeness.Status != Unknown {
		t.Fatalf("%+v %v, want unknown", r, err)
	}
}
