package code

// Op is an operation of the expression table. The numbers are stored: append only.
type Op uint8

// An Expr is a node of a small language in which an extractor says what a name
// denotes and what a value is, without knowing any other file. Package link
// evaluates it. "Value expressions" denote a thing at run time, "type
// expressions" a type; OpOf turns a type expression into a value of that type.
//
// Extractors add an Expr only through Builder, which keeps one copy of equal
// expressions, so that link can remember the answer by ExprID.
const (
	OpUnknown Op = iota

	// Names. A and B as noted; both 0 when not.
	OpDef     // A = DefID: a definition of this file
	OpLocal   // A = LocalID
	OpImport  // A = ImportID: what the import binds
	OpName    // A = NameID: a name not bound in this file: package scope, star imports, language built-ins, globals
	OpMember  // A = ExprID, B = NameID: A.B, of a module, a class or a value
	OpBuiltin // A = NameID: a value of a built-in type, by the type's name ("string", "int", "list")

	// Values made from values.
	OpCall   // A = ExprID callee, B = OpList of argument expressions or 0: the result of a call; calling a class gives an instance where the language says so
	OpNew    // A = ExprID type: a new instance
	OpResult // A = ExprID, B = index: one component of a tuple or multi-value
	OpElem   // A = ExprID: what indexing or iterating gives
	OpKey    // A = ExprID: what iterating over the keys gives
	OpAwait  // A = ExprID
	OpDeref  // A = ExprID: *p
	OpAddr   // A = ExprID: &v
	OpUnion  // A = ExprID, B = ExprID: either; chains to the right
	OpThis   // A = DefID of a type: its instance (this, self)
	OpSuper  // A = DefID of a type: its instance seen as its base (super)
	OpClass  // A = DefID of a type: the class itself as a value (cls)
	OpOf     // A = type expression: a value of that type
	OpFunc   // A = DefID of a function, or -1; B = value expression of its result: a function as a value (closures, arrow functions)
	OpObject // A = OpList of OpField: an object or dictionary literal
	OpField  // A = NameID, B = ExprID: one named component of an OpObject
	OpArg    // A = ExprID of a callee, B = argument index * 16 + parameter index: what the callee hands to a closure passed to it (contextual typing)

	// Types made from types.
	OpPointer   // A = type
	OpArray     // A = element type: array, slice, list, set, channel, iterator
	OpMap       // A = key type, B = value type
	OpTuple     // A = OpList
	OpSignature // A = OpList of parameter types or 0, B = result type or 0: a function type
	OpGeneric   // A = type, B = OpList of arguments: List<T>
	OpTypeOf    // A = value expression: typeof x
	OpNullable  // A = type: T | null, Optional[T]
	OpIntersect // A, B = types: T & U
	OpKeyOf     // A = type: names only, no members of its own

	// Structure.
	OpList // A = ExprID head, B = OpList tail or 0

	OpIter // A = ExprID: what a for loop over it gives (for a map: keys or pairs, as the language says); OpElem is what an index gives

	numOps
)

// Expr is one operation with its operands.
type Expr struct {
	Op   Op
	A, B int32
}

// operandKind says how Expr.A and Expr.B of an operation are to be read.
type operandKind uint8

const (
	opndNone operandKind = iota
	opndExpr
	opndName
	opndDef
	opndLocal
	opndImport
	opndInt
)

var operands = [numOps][2]operandKind{
	OpDef: {opndDef, opndNone}, OpLocal: {opndLocal, opndNone}, OpImport: {opndImport, opndNone}, OpName: {opndName, opndNone},
	OpMember: {opndExpr, opndName}, OpBuiltin: {opndName, opndNone},
	OpCall: {opndExpr, opndExpr}, OpNew: {opndExpr, opndNone}, OpResult: {opndExpr, opndInt}, OpElem: {opndExpr, opndNone},
	OpKey: {opndExpr, opndNone}, OpAwait: {opndExpr, opndNone}, OpDeref: {opndExpr, opndNone}, OpAddr: {opndExpr, opndNone},
	OpUnion: {opndExpr, opndExpr}, OpThis: {opndDef, opndNone}, OpSuper: {opndDef, opndNone}, OpClass: {opndDef, opndNone},
	OpOf: {opndExpr, opndNone}, OpFunc: {opndDef, opndExpr}, OpObject: {opndExpr, opndNone}, OpField: {opndName, opndExpr},
	OpArg: {opndExpr, opndInt}, OpPointer: {opndExpr, opndNone}, OpArray: {opndExpr, opndNone}, OpMap: {opndExpr, opndExpr},
	OpTuple: {opndExpr, opndNone}, OpSignature: {opndExpr, opndExpr}, OpGeneric: {opndExpr, opndExpr}, OpTypeOf: {opndExpr, opndNone},
	OpNullable: {opndExpr, opndNone}, OpIntersect: {opndExpr, opndExpr}, OpKeyOf: {opndExpr, opndNone}, OpList: {opndExpr, opndExpr}, OpIter: {opndExpr, opndNone},
}
