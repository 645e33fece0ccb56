package typescript

import (
	"path"
	"strings"

	syntax "manito/internal/syntax/typescript"
)

// dialect is how the bytes of a file are read. Its name is the extension that
// stands for it, with "_test" behind it for files that their name calls tests.
type dialect struct {
	base   string
	script syntax.Script
	module bool // the extension alone makes the file a module
	test   bool
}

var dialects = map[string]dialect{
	"ts":   {base: "ts", script: syntax.TS},
	"tsx":  {base: "tsx", script: syntax.TSX},
	"mts":  {base: "mts", script: syntax.TS, module: true},
	"cts":  {base: "cts", script: syntax.TS, module: true},
	"d.ts": {base: "d.ts", script: syntax.Declaration},
	"js":   {base: "js", script: syntax.JS},
	"jsx":  {base: "jsx", script: syntax.JS},
	"mjs":  {base: "mjs", script: syntax.JS, module: true},
	"cjs":  {base: "cjs", script: syntax.JS, module: true},
}

const testSuffix = "_test"

func dialectOf(word string) dialect {
	base, test := strings.CutSuffix(word, testSuffix)
	d, ok := dialects[base]
	if !ok {
		d = dialects["ts"]
	}
	d.test = test
	return d
}

// bySource is the dialect of files whose extension says nothing.
var bySource = map[string]string{"typescript": "ts", "tsx": "tsx", "javascript": "js", "jsx": "jsx"}

// Dialect implements lang.Extractor.
func (*Extractor) Dialect(base, source string) string {
	word := strings.TrimPrefix(path.Ext(base), ".")
	stem := strings.TrimSuffix(base, path.Ext(base))
	if declares(base) {
		return "d.ts"
	}
	if _, ok := dialects[word]; !ok {
		if word, ok = bySource[source]; !ok {
			word = "ts"
		}
	}
	for _, mark := range [...]string{".test", ".spec", ".cy", ".e2e", "_test", "-test", ".test-d", ".spec-d", ".tst"} {
		if strings.HasSuffix(stem, mark) {
			return word + testSuffix
		}
	}
	return word
}

// declares says whether a file only declares: a.d.ts, a.d.mts, a.d.cts, a.d.json.ts.
func declares(base string) bool {
	switch path.Ext(base) {
	case ".mts", ".cts":
		return strings.HasSuffix(base, ".d.mts") || strings.HasSuffix(base, ".d.cts")
	case ".ts":
		stem := strings.TrimSuffix(base, ".ts")
		return path.Ext(stem) == ".d" || path.Ext(strings.TrimSuffix(stem, path.Ext(stem))) == ".d"
	}
	return false
}
