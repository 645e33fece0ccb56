// Package python is the Python language: an extractor over tree-sitter's
// grammar, the module system of packages, source roots and manifests, and the
// rules by which link evaluates Python's expressions. It may be imported by
// lang/all.
//
// The extractor reads a file in two passes over a flat tree: the first enters
// what binds a name, the second resolves every identifier as Python's scopes
// say and evaluates what is known of values. Some conventions are Python's alone:
//
//   - A property is a KindGetter, its setter and deleter are KindSetters; all
//     carry DefProperty. __init__ is a KindConstructor, a Protocol a KindInterface.
//   - self and cls are Locals and not among Def.Params: a call does not pass them.
//   - A field that methods make (self.x = ...) is a Def of the class, written
//     where it is first assigned.
//   - A name that is bound in several ways (try: import a except: import b)
//     denotes an OpUnion of them.
//   - A module's __all__ has a Type that lists what it names: an OpObject with a
//     field per name, joined by OpUnion with the __all__ of the modules it adds.
//     When nothing is known of it the Type is 0.
//   - What contextlib.contextmanager makes is an OpObject with __enter__.
//   - A TypeVar of the module that annotations name is a type parameter of the
//     function or class that names it.
//   - getattr, eval and the like with computed names are uses without a name.
package python

import (
	"manito/internal/lang"
	"manito/internal/syntax/treesitter"
)

// version of the extractor; raise it whenever the same bytes give another Document.
const version = 1

const languageName = "python"

// Available says whether this build can read Python: its parser needs cgo.
const Available = treesitter.Available

// Language is Python.
func Language() lang.Language {
	return lang.Language{
		Name:    languageName,
		Sources: []string{"python"},
		Version: version,
		Rules: lang.Rules{
			CallMakesInstance:    true,
			SubmodulesAreMembers: true,
			VirtualMethods:       true,
			Builtins:             builtins(),
		},
		NewExtractor: func() lang.Extractor { return newExtractor() },
		NewModules:   newModules,
	}
}
