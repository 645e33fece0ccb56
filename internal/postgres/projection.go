package postgres

import (
	"iter"

	"manito/internal/code"
)

// Projection is what a scan knows and the stored snapshot does not say. The
// rest is read from the database.
type Projection struct {
	// Files are the files of the snapshot, in any order, each once.
	Files iter.Seq[File]
	// Externals are the external packages that edges, sites and dependencies name.
	Externals []External
	// Document returns the Document of a fact when it is in memory, else nil; it is then
	// read from the store. It may be nil, and it may be called from several goroutines.
	Document func(fact int32) *code.Document
}

// File is one file of the snapshot as SQL users see it.
type File struct {
	PathID   int32
	Language string // as package source names it; "" when unknown
	Encoding string // "utf-8", "utf-16le", "binary", ...
	Size     int64  // bytes in the repository; also for files that were not read
	Flags    FileFlags

	Dependencies []Dependency // one per distinct import
	Diagnostics  []Diagnostic
}

// FileFlags qualify a file: the low 16 bits are code.DocFlags. They are stored: append only.
type FileFlags uint32

// The flags that a file has beyond those of its Document.
const (
	FileVendored FileFlags = 1 << (16 + iota) // third-party code kept in the repository
	FileBinary                                // not text
	FileUnread                                // listed, but its content is not stored (no permission, too large)
	FileManifest                              // configures a build or a package: go.mod, package.json
)

// DependencyState says what became of an import. The numbers are stored: append only.
type DependencyState int16

// The states of a dependency.
const (
	DependencyUnresolved DependencyState = iota
	DependencyResolved                   // leads into the repository
	DependencyExternal                   // a package outside of it
	DependencyStandard                   // the language's own library
)

// Dependency is one import of a file.
type Dependency struct {
	Line      int32 // 0-based
	Column    int32 // 0-based, in bytes
	Specifier string
	Kind      code.ImportKind
	TypeOnly  bool
	Optional  bool
	State     DependencyState
	Target    int32    // path id of the file it leads to; 0 when it leads to no single file
	Scope     string   // the scope or directory it leads to; "" when unresolved or external
	External  code.Key // the external package; 0 when there is none
	Reason    string   // how it was resolved or why not
}

// Diagnostic is a diagnostic of a file with its position as line and column.
type Diagnostic struct {
	Severity     code.Severity
	Code         string
	Message      string
	Line, Column int32 // 0-based; both 0 when it is about the whole file
}

// External is a package outside of the repository.
type External struct {
	Key      code.Key // code.ScopeKey(Symbol)
	Symbol   string   // "<scheme> <manager> <name> <version> "
	Manager  string
	Name     string
	Version  string
	Standard bool // the language's own library
}
