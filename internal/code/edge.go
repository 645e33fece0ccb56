package code

// EdgeKind says how the source of an edge relates to its target. The numbers are stored: append only.
type EdgeKind uint8

// The kinds of edges.
const (
	EdgeCalls        EdgeKind = iota
	EdgeInstantiates          // new X, composite literal, calling a class
	EdgeReads                 // the value is read, or a function is taken as a value
	EdgeWrites
	EdgeUsesType   // named in a type position, converted to
	EdgeExtends    // superclass, embedded struct or interface
	EdgeImplements // type -> interface: declared, or the method sets match
	EdgeOverrides  // method -> the method of a base or interface that it stands in for
	EdgeImports    // file -> file, file -> package, or file -> symbol for a named import
	EdgeDecorates
	EdgeExports // file -> symbol named in an export clause
	numEdgeKinds
)

var edgeWords = [numEdgeKinds]string{"calls", "instantiates", "reads", "writes", "uses_type", "extends", "implements", "overrides", "imports", "decorates", "exports"}

// String is the kind in lower case, as it stands in JSON and in SQL.
func (k EdgeKind) String() string {
	if k < numEdgeKinds {
		return edgeWords[k]
	}
	return "reads"
}

// NumEdgeKinds is the number of edge kinds.
const NumEdgeKinds = int(numEdgeKinds)

// Certainty says how sure an edge is. There is no value for a guess: a guess is never an edge.
type Certainty uint8

// The certainties.
const (
	Must   Certainty = iota // statically determined
	Likely                  // a dispatch target that analysis supports
	May                     // a dispatch target that the hierarchy allows
)

// String is the certainty in lower case.
func (c Certainty) String() string {
	switch c {
	case Must:
		return "must"
	case Likely:
		return "likely"
	}
	return "may"
}

// Evidence says by what an edge was established. The numbers are stored: append only.
type Evidence uint8

// The evidences.
const (
	EvidenceScope     Evidence = iota // lexical binding in one file
	EvidenceImport                    // resolved import and export closure
	EvidencePackage                   // unique in the package's scope
	EvidenceReceiver                  // the receiver's type is known
	EvidenceMethodSet                 // the method set matches
	EvidenceCHA                       // class hierarchy
	EvidenceVTA                       // variable type analysis
	EvidenceChecker                   // a compiler's type checker
	EvidenceSCIP                      // an imported index
	EvidenceAdopted                   // the database of a predecessor said so
	numEvidences
)

var evidenceWords = [numEvidences]string{"scope", "import", "package", "receiver", "methodset", "cha", "vta", "checker", "scip", "adopted"}

// String is the evidence in lower case.
func (e Evidence) String() string {
	if e < numEvidences {
		return evidenceWords[e]
	}
	return "scope"
}

// Reason is the rule that established an edge or left a site unresolved, in
// more detail than Evidence. The numbers are stored: append only.
type Reason uint8

// The reasons of edges.
const (
	ReasonFileScope   Reason = iota // bound in the same file
	ReasonPackage                   // declared in another file of the same package
	ReasonImportName                // named import
	ReasonImportPath                // member of an imported module
	ReasonReexport                  // through one or more re-exports
	ReasonStarImport                // through a star import
	ReasonThis                      // receiver is this or self
	ReasonSuper                     // receiver is super
	ReasonNew                       // receiver was constructed here
	ReasonAnnotation                // receiver's declared type
	ReasonField                     // receiver is a field with a known type
	ReasonResult                    // receiver is the result of a call with a known result type
	ReasonElement                   // receiver is an element of a container with a known element type
	ReasonStatic                    // member of a type named directly
	ReasonPromoted                  // member of an embedded or base type
	ReasonMethodSet                 // all methods of the interface are there
	ReasonOneImpl                   // the only implementation in the repository
	ReasonDeclared                  // written in an extends or implements clause
	ReasonOverride                  // same name in a subtype
	ReasonUnionMember               // one of the types that the receiver may have
	ReasonContextual                // the receiver's type comes from where its function is passed
	ReasonChecker                   // a type checker said so
	ReasonLiteral                   // member of an object literal
	ReasonAdopted                   // taken over from the database of a predecessor, not established here
	numEdgeReasons
)

// The reasons why a site is not an edge.
const (
	SiteUnknownReceiver  Reason = 64 + iota // the receiver's type is not known
	SiteNoMember                            // the receiver's type is known and has no such member in the repository
	SiteDynamic                             // the member or callee is computed at run time
	SiteExternal                            // belongs to a package outside of the repository
	SiteBuiltin                             // belongs to the language
	SiteGlobal                              // a name that nothing in the repository declares
	SiteUnresolvedModule                    // belongs to an import that could not be resolved
	SiteNoExport                            // the module was found and does not export the name
	SiteAmbiguous                           // several candidates, none preferred
	SiteValue                               // the callee is a function held in a variable, parameter or field
	siteReasonEnd
)

var reasonTexts = map[Reason]string{
	ReasonFileScope: "bound in the same file", ReasonPackage: "declared in the same package", ReasonImportName: "named import",
	ReasonImportPath: "member of an imported module", ReasonReexport: "through a re-export", ReasonStarImport: "through a star import",
	ReasonThis: "receiver is this or self", ReasonSuper: "receiver is super", ReasonNew: "receiver was constructed here",
	ReasonAnnotation: "receiver's declared type", ReasonField: "receiver is a field of known type", ReasonResult: "receiver is the result of a call of known type",
	ReasonElement: "receiver is an element of a container of known type", ReasonStatic: "member of a type named directly",
	ReasonPromoted: "member of an embedded or base type", ReasonMethodSet: "the method set matches", ReasonOneImpl: "the only implementation in the repository",
	ReasonDeclared: "declared in the type's heading", ReasonOverride: "same name in a subtype", ReasonUnionMember: "one of the receiver's possible types",
	ReasonContextual: "receiver's type comes from the call it is passed to", ReasonChecker: "a type checker resolved it", ReasonLiteral: "member of an object literal",
	ReasonAdopted:       "taken over from another database",
	SiteUnknownReceiver: "the receiver's type is unknown", SiteNoMember: "the receiver's type has no such member in the repository",
	SiteDynamic: "computed at run time", SiteExternal: "belongs to an external package", SiteBuiltin: "belongs to the language",
	SiteGlobal: "nothing in the repository declares it", SiteUnresolvedModule: "its import could not be resolved", SiteNoExport: "the module does not export it",
	SiteAmbiguous: "several candidates", SiteValue: "a function held in a variable",
}

// String is a short phrase for people.
func (r Reason) String() string { return reasonTexts[r] }

// IsSite says whether the reason belongs to an unresolved site rather than to an edge.
func (r Reason) IsSite() bool { return r >= 64 }

// Evidence is the evidence to which an edge's reason belongs.
func (r Reason) Evidence() Evidence {
	switch r {
	case ReasonFileScope, ReasonLiteral:
		return EvidenceScope
	case ReasonPackage:
		return EvidencePackage
	case ReasonImportName, ReasonImportPath, ReasonReexport, ReasonStarImport:
		return EvidenceImport
	case ReasonMethodSet, ReasonOneImpl:
		return EvidenceMethodSet
	case ReasonOverride, ReasonUnionMember:
		return EvidenceCHA
	case ReasonDeclared:
		return EvidenceScope
	case ReasonChecker:
		return EvidenceChecker
	case ReasonAdopted:
		return EvidenceAdopted
	}
	return EvidenceReceiver
}

// Key is the 64-bit key of a symbol: ScopeKey(scope) XOR DescriptorKey(descriptor).
type Key uint64

// Edge is a derived relation between a symbol of one file and a symbol anywhere.
type Edge struct {
	Source    DefID // a Def of the edge's own file; NoDef for the file
	Target    Key
	Start     uint32 // where it is written
	Kind      EdgeKind
	Certainty Certainty
	Reason    Reason
}

// Site is a use that is no edge, with the reason why.
type Site struct {
	Source DefID
	Name   NameID // in the Document's Names; 0 when computed
	Start  uint32
	Role   Role
	Reason Reason
	// Package is the key of the external package for SiteExternal, else 0.
	Package Key
}
