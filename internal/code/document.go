package code

// Document is what one file says. All positions are byte offsets into the
// file's stored bytes; all names are indexes into Names.
type Document struct {
	Language string // "go", "typescript", "python", ...: chooses the rules of link
	Dialect  string // how the bytes were read: "go", "ts", "tsx", "d.ts", "js", "jsx", "py", "pyi", ...

	// Package is the package clause for languages that have one (Go, Java), else "".
	Package NameID
	// Constraint is the build constraint written in the file (Go: the //go:build expression), else "".
	Constraint string
	// Size is the length of the bytes that were read.
	Size uint32
	// Lines holds the offset of the first byte of each line; Lines[0] is 0.
	Lines []uint32

	Names   []string // Names[0] is ""; the others are distinct and not empty
	Defs    []Def    // sorted by Start, so that a parent stands before its children
	Locals  []Local
	Imports []Import
	Exports []Export
	Exprs   []Expr // Exprs[0] is OpUnknown; an expression's operands stand before it
	Uses    []Use  // sorted by Start

	Diagnostics []Diagnostic
	// Flags says what kind of file it is and how much of it was read.
	Flags DocFlags
}

// DocFlags qualify a Document.
type DocFlags uint16

// The flags of a Document.
const (
	DocOutline     DocFlags = 1 << iota // only definitions were taken (too large or minified): uses are missing
	DocBroken                           // the parser reported errors: parts may be missing
	DocTest                             // the file is a test by its language's rules
	DocGenerated                        // the file says it was generated
	DocModule                           // the file has its own scope by its own words (ES import or export)
	DocDynamic                          // the file evaluates code or names at run time (eval, exec, reflection by name)
	DocDeclaration                      // the file only declares (.d.ts, .pyi)
)

// NameID is an index into Document.Names.
type NameID uint32

// DefID is an index into Document.Defs; NoDef stands for the file itself.
type DefID int32

// NoDef is the parent of a top-level definition and the scope of top-level code.
const NoDef DefID = -1

// LocalID is an index into Document.Locals.
type LocalID int32

// ImportID is an index into Document.Imports.
type ImportID int32

// ExprID is an index into Document.Exprs; 0 is "nothing is known".
type ExprID int32

// Def is the definition of a symbol: something with a name that other places,
// in this file or another, can refer to, or that holds code which refers.
// Parameters and local variables are Locals, not Defs; functions and classes
// written inside a function are Defs.
type Def struct {
	Name   NameID
	Owner  NameID // the type a member is attached to when it stands outside of it (Go methods, Rust impl), else 0
	Kind   Kind
	Flags  DefFlags
	Parent DefID // the enclosing Def or NoDef; with Owner set, NoDef

	Start, End uint32 // the whole declaration, without its comment, decorators included
	NameStart  uint32 // the identifier; its length is that of the name, except for Flags&DefNoName
	BodyStart  uint32 // where the body begins (the signature is Start..BodyStart); 0 when there is none
	DocStart   uint32 // the documentation comment or string; DocStart == DocEnd when there is none
	DocEnd     uint32

	// Type is a value expression: the value of a variable, field or constant; the
	// RESULT of calling a function (OpTuple when it gives several); for an alias or
	// a defined type, a type expression of what stands behind it; 0 when unknown.
	Type ExprID
	// Bases is an OpList of type expressions: superclasses, implemented or embedded
	// interfaces, embedded structs; 0 when there are none.
	Bases ExprID
	// TypeParams and Params are OpLists of OpLocal, in order of declaration; 0 when there are none.
	TypeParams ExprID
	Params     ExprID

	Cyclomatic uint16 // 1 + branches (McCabe); 0 for what has no body
	Cognitive  uint16 // cognitive complexity (SonarSource's definition, without recursion)

	// Disambiguator numbers definitions of one file whose descriptors are equal: 0, 1, 2 ... It is set by Finish.
	Disambiguator uint16
}

// DefFlags qualify a Def. They are stored: append only.
type DefFlags uint32

// The flags of a Def.
const (
	DefExported    DefFlags = 1 << iota // visible outside of its file's scope by the language's own rule
	DefPrivate                          // marked private (#x, private, leading double underscore)
	DefProtected                        // marked protected (protected, leading underscore)
	DefStatic                           // belongs to the class, not to the instance
	DefAbstract                         // has no body and must be provided by a subtype; interface methods
	DefAsync                            // calling it gives an awaitable of Type
	DefGenerator                        // calling it gives an iterator over Type
	DefTest                             // a test, benchmark, example or fuzz function
	DefDeprecated                       // its documentation or decorator says so
	DefFileLocal                        // cannot be seen from other files of its scope although it stands at the top (Go's init and _)
	DefNoName                           // the name is not written at NameStart (default exports, constructors of some languages)
	DefOptional                         // may be absent
	DefReadonly                         // cannot be assigned
	DefOverload                         // a declaration without a body that a later definition of the same name implements
	DefAlias                            // a KindType that is only another name for its Type; method sets are shared
	DefEmbedded                         // a field whose members are promoted (Go)
	DefProperty                         // a method that is read like a field (Python's @property, accessors)
	DefClassMethod                      // gets the class as its first argument
	DefPointer                          // the receiver is a pointer (Go)
	DefDefault                          // the file's default export
	DefDecorated                        // a decorator or annotation may hand it to code that calls it
	DefVariadic                         // takes any number of arguments
	DefAmbient                          // declared to exist elsewhere (declare, extern)
)

// Local is a binding inside a function: a parameter, variable or type
// parameter. It has no symbol; uses of it end in it.
type Local struct {
	Name  NameID
	Kind  Kind   // KindParameter, KindVariable, KindConstant, KindTypeParameter; KindField and KindMethod for members of anonymous types
	Scope DefID  // the Def in which it is bound
	Start uint32 // where its name is written first
	Type  ExprID // a value expression (annotation: OpOf; else its initial value, OpUnion of several); for type parameters the constraint as a type expression
}

// ImportKind says what an import brings in.
type ImportKind uint8

// The kinds of imports.
const (
	ImportModule     ImportKind = iota // the module as a value: import x, import * as x, const x = require("x")
	ImportNamed                        // one exported name: import {a as b}, from m import a
	ImportStar                         // every exported name into this scope: from m import *, import . "m"
	ImportSideEffect                   // nothing is bound: import "x", import _ "x"
	ImportDynamic                      // an expression: import("x"), __import__("x"), require in an expression
	ImportReexport                     // the module is only handed on: export {a} from "x", export * from "x"
	ImportType                         // a type-position import: import("x").T, /// <reference path>
)

// Import is one imported binding; a statement that binds three names is three Imports.
type Import struct {
	Kind      ImportKind
	TypeOnly  bool   // erased at run time
	Relative  uint8  // number of leading dots (Python), else 0
	Specifier NameID // the module as written, without quotes and leading dots; "" for `from . import a`
	Name      NameID // ImportNamed and ImportReexport: the exported name that is asked for ("default" for a default import; "*" for all)
	Local     NameID // the name bound in this file, 0 when none is
	Scope     DefID  // where it is written; NoDef at the top
	Start     uint32 // the specifier as written (inside the quotes)
	End       uint32
	NameStart uint32 // the local binding (or, where none is written, the imported name); 0 when neither is written
	Optional  bool   // guarded (try/except ImportError, TYPE_CHECKING, conditional require)
}

// Export is a name that other files can ask of this one. For languages in
// which every top-level name can be imported (Python, Go within a package) the
// extractor lists them all.
type Export struct {
	Name   NameID   // "default" for a default export, "=" for `export =` and `module.exports =`, "*" for all names of Import
	Expr   ExprID   // what it denotes (OpDef, OpImport, any value); 0 when Name is "*"
	Import ImportID // the re-exported module when Name is "*"; else -1
	Start  uint32
}

// Role says what a use does with the symbol. The numbers are stored: append only.
type Role uint8

// The roles of uses.
const (
	RoleRead Role = iota
	RoleWrite
	RoleReadWrite
	RoleCall   // the symbol is called (or, for a type, converted to or instantiated: link decides by language and kind)
	RoleNew    // an instance is made: new X, composite literal
	RoleType   // named in a type position
	RoleExtend // named as a superclass, base, embedded type
	RoleImplement
	RoleImport // named in an import or export clause
	RoleDecorate
	numRoles
)

var roleWords = [numRoles]string{"read", "write", "read_write", "call", "new", "type", "extend", "implement", "import", "decorate"}

// String is the role in lower case.
func (r Role) String() string {
	if r < numRoles {
		return roleWords[r]
	}
	return "read"
}

// Use is an occurrence of an identifier that is not its definition.
type Use struct {
	Start uint32 // the identifier's first byte; its length is that of Name
	Name  NameID // as written; 0 for a computed member or a call of an anonymous value
	Scope DefID  // the innermost Def that contains it: the source of the edge
	Expr  ExprID // what it denotes: OpLocal, OpDef, OpImport, OpName, OpMember ...
	Role  Role
}
