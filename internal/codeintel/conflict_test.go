package codeintel

import (
	"fmt"
	"slices"
	"testing"
)

// TestConflictDetection: of what the predecessor called conflicts, this version finds
// circular dependencies. Five repositories have one, five only look as if they had.
func TestConflictDetection(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		archive string
		want    [][]string // the members of each cycle, sorted
	}{
		"two files of one folder": {"-- a.ts --\nimport { b } from './b'\nexport const a = () => b()\n-- b.ts --\nimport { a } from './a'\nexport const b = () => a()\n",
			[][]string{{"a.ts", "b.ts"}}},
		"across folders": {"-- a/one.js --\nimport { two } from '../b/two.js'\nexport function one() { return two() }\n-- b/two.js --\nimport { one } from '../a/one.js'\nexport function two() { return one() }\n",
			[][]string{{"a/one.js", "b/two.js"}}},
		"three in a ring, and a tail": {"-- a.ts --\nimport './b'\n-- b.ts --\nimport './c'\n-- c.ts --\nimport './a'\nimport './tail'\n-- tail.ts --\nexport const x = 1\n",
			[][]string{{"a.ts", "b.ts", "c.ts"}}},
		"through a re-export": {"-- index.ts --\nexport * from './part'\n-- part.ts --\nimport { helper } from './index'\nexport const part = () => helper()\n",
			[][]string{{"index.ts", "part.ts"}}},
		"two rings, in Python and in required modules": {"-- p/a.py --\nfrom p import b\n-- p/b.py --\nfrom p import a\n-- p/__init__.py --\n-- x.js --\nconst y = require('./y')\nmodule.exports = y\n-- y.js --\nconst x = require('./x')\nmodule.exports = x\n",
			[][]string{{"p/a.py", "p/b.py"}, {"x.js", "y.js"}}},

		"a chain":                       {"-- a.ts --\nimport './b'\n-- b.ts --\nimport './c'\n-- c.ts --\nexport const x = 1\n", nil},
		"a diamond":                     {"-- a.ts --\nimport './b'\nimport './c'\n-- b.ts --\nimport './d'\n-- c.ts --\nimport './d'\n-- d.ts --\nexport const x = 1\n", nil},
		"the same base name elsewhere":  {"-- a/util.js --\nimport { x } from '../b/util.js'\nexport const y = x\n-- b/util.js --\nimport { z } from './other.js'\nexport const x = z\n-- b/other.js --\nexport const z = 1\n", nil},
		"types alone come back":         {"-- a.ts --\nimport { b } from './b'\nexport interface A { n: number }\nexport const a = b\n-- b.ts --\nimport type { A } from './a'\nexport const b: A = { n: 1 }\n", nil},
		"an import in text and comment": {"-- a.js --\nimport { b } from './b.js'\nexport const a = b\n-- b.js --\n// import { a } from './a.js'\nexport const b = \"import './a.js'\"\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := newWorld(t, test.archive).Cycles(t.Context(), CyclesInput{})
			if err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for _, c := range found.Cycles {
				slices.Sort(c.Members)
				got = append(got, c.Members)
				if len(c.Example) == 0 || c.Example[0].At.Line == 0 {
					t.Errorf("a cycle without a place where it is written: %+v", c)
				}
			}
			slices.SortFunc(got, func(a, b []string) int { return slices.Compare(a, b) })
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
