// Package golang is the Go language: an extractor over go/parser's trees, the
// module system of go.mod, go.work, vendor directories and GOROOT, and the rules
// by which link evaluates Go's expressions. It may be imported by lang/all.
//
// The extractor binds every identifier of a file lexically, exactly as the Go
// specification scopes it; names that the file does not declare are left to
// link as free names of the package. Three conventions are Go's alone:
//
//   - A channel of T is the type OpMap(T, T): ranging over a channel gives its
//     elements where ranging over a slice gives indexes, so that OpKey and OpElem
//     are both T. A function type that can be ranged over, func(yield func(K, V) bool),
//     is OpMap(K, V) for the same reason, and so are iter.Seq and iter.Seq2.
//     interface{} is OpBuiltin("any").
//   - An anonymous struct or interface type is OpTypeOf(OpObject(...)) whose
//     fields are the Defs (at package level) or Locals (inside functions) of its
//     fields and methods; what it embeds is joined with OpIntersect.
//   - Parameters without a name are Locals without a name, so that Params always
//     tells the whole signature.
package golang

import (
	"strings"

	"manito/internal/lang"
)

// version of the extractor; raise it whenever the same bytes give another Document.
const version = 1

// Language is Go.
func Language() lang.Language {
	return lang.Language{
		Name:    "go",
		Sources: []string{"go"},
		Version: version,
		Rules: lang.Rules{
			PackageScope:         true,
			StructuralInterfaces: true,
			Builtins:             builtins(),
		},
		NewExtractor: func() lang.Extractor { return new(Extractor) },
		NewModules:   newModules,
	}
}

// The dialects of Go.
const (
	dialectPlain = "go"
	dialectTest  = "go_test" // a file that only `go test` compiles
)

// Dialect implements lang.Extractor.
func (*Extractor) Dialect(base, _ string) string {
	if strings.HasSuffix(base, "_test.go") {
		return dialectTest
	}
	return dialectPlain
}
