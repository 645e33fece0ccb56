// Package lang says what a language is to Manito: an Extractor that reads one
// file, a Modules that knows how its files find each other, and Rules by which
// link evaluates its expressions. Each language is one folder below this one
// and one line in lang/all; nothing registers itself.
//
// It may be imported by link, scan, codeintel, cli and the language folders.
package lang

import (
	"context"

	"manito/internal/code"
)

// Language is one language, or a family that shares an extractor and a module system.
type Language struct {
	Name         string   // "go", "typescript", "python": Document.Language
	Sources      []string // the source languages it reads, as package source names them: "typescript", "tsx", "javascript", "jsx"
	Version      int      // of the extractor; raise it whenever the same bytes give another Document
	Rules        Rules
	NewExtractor func() Extractor                                            // one per worker
	NewModules   func(ctx context.Context, repo Repository) (Modules, error) // one per link
}

// Input is what an extractor sees of a file.
type Input struct {
	Text    []byte // valid until Extract returns; keep no reference
	Dialect string // from Dialect
	Outline bool   // only definitions are wanted: the file is minified or too large
}

// Extractor turns the bytes of one file into its Document. It is a pure
// function of Input and never fails: what it cannot read it says in
// Document.Diagnostics. It need not be safe for concurrent use. It must return
// soon after ctx is done, with what it has and a diagnostic "deadline".
type Extractor interface {
	Extract(ctx context.Context, in Input) *code.Document
	// Dialect chooses how a file is to be read, by its base name and source language.
	Dialect(base, source string) string
}

// Repository is what a module system may look at: the paths of all files, and
// the contents of those that configure it.
type Repository interface {
	// Files lists the files that were extracted for this language, by path.
	Files() []File
	// Exists says whether the repository has a file of any language at a slash-separated path.
	Exists(path string) bool
	// Manifests lists the paths of all files with a base name, sorted: "go.mod", "package.json".
	Manifests(base string) []string
	// Read returns the bytes of a manifest.
	Read(path string) ([]byte, error)
	// Module is the name to fall back on for files under no manifest: the repository's name.
	Name() string
}

// File is a file of the language at hand.
type File struct {
	Path string // slash-separated, relative to the repository's root
	Doc  *code.Document
}

// Modules is a language's module system over one repository. After it is made
// it must be safe for concurrent use and must not change.
type Modules interface {
	// Scope is the scope to which the file's top-level definitions belong: the first
	// part of their symbol strings ("scip-go gomod example.com/m . pkg/"; SCIP
	// grammar, ending in a namespace descriptor). Files with the same scope share
	// their top-level names (Go packages); a language whose files are modules gives
	// each its own.
	Scope(path string) string
	// Resolve finds the module that an import names.
	Resolve(from string, imp *code.Import, specifier string) Target
}

// TargetKind says what a module specifier led to.
type TargetKind uint8

// The kinds of targets.
const (
	TargetUnresolved TargetKind = iota // nothing was found; Reason says why
	TargetScope                        // one scope of the repository: a Go package, a TypeScript or Python file
	TargetDirectory                    // a directory that is a module without a file of its own (Python namespace package)
	TargetExternal                     // a package outside of the repository, or the language's own library
	TargetFile                         // a file that is no code of this language (JSON, CSS, an image)
)

// Target is where an import leads.
type Target struct {
	Kind TargetKind
	// Scope is the target's scope for TargetScope; for TargetDirectory the scope prefix of the files below it.
	Scope string
	// Path is the file (TargetScope of a one-file scope, TargetFile) or the directory.
	Path string
	// Package names an external package in SCIP's words: manager, name, version ("" when unknown): "npm react 18.2.0".
	Manager, Package, Version string
	// Namespace is what was imported of the package, where a package holds several
	// things that are imported on their own: "net/http" of Go's std. "" is the package as a whole.
	Namespace string
	// Standard marks the language's own library.
	Standard bool
	// Reason says for people how it was found or why it was not: "tsconfig paths", "workspace package", "no such file".
	Reason  string
	Lookups []string // the paths that were asked for, found or not: what an incremental link must watch
}

// Rules are the facts about a language that link needs and no single file knows.
type Rules struct {
	// CallMakesInstance: calling a class gives an instance of it (Python). Otherwise calling a type converts (Go).
	CallMakesInstance bool
	// PackageScope: files of one scope share their top-level names without importing each other (Go).
	PackageScope bool
	// SubmodulesAreMembers: a module's member may be a file below it (Python).
	SubmodulesAreMembers bool
	// StructuralInterfaces: a type implements every interface whose methods it has (Go).
	StructuralInterfaces bool
	// VirtualMethods: a call of a method may reach an override in a subtype (Python, TypeScript).
	VirtualMethods bool
	// Builtins are the names that the language itself declares.
	Builtins map[string]Builtin
}

// Builtin is what link needs to know of a name that the language declares.
type Builtin struct {
	Type   bool   // it names a type
	Result string // for a function, the type it returns when that is a built-in type; "" unknown
	// Element: calling it gives (or it is) a container whose elements are those of its first argument (Python's list, sorted, reversed; JavaScript's Array.from)
	Element bool
	// Same: calling it gives its first argument's value back (Python's cast has its own rule)
	Same bool
}
