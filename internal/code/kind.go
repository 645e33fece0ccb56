package code

// Kind says what a symbol is. The numbers are stored: append only.
type Kind uint8

// The kinds of symbols, in SCIP's and LSP's words.
const (
	KindUnknown Kind = iota
	KindFile
	KindPackage   // an external or in-repository package as a whole
	KindNamespace // a namespace or module block inside a file
	KindClass
	KindStruct
	KindInterface
	KindTrait
	KindEnum
	KindEnumMember
	KindType // alias or defined type with no members of its own
	KindFunction
	KindMethod
	KindConstructor
	KindGetter
	KindSetter
	KindField
	KindProperty
	KindVariable
	KindConstant
	KindMacro
	KindTypeParameter
	KindParameter
	numKinds
)

var kindWords = [numKinds]string{
	"unknown", "file", "package", "namespace", "class", "struct", "interface", "trait", "enum", "enum_member",
	"type", "function", "method", "constructor", "getter", "setter", "field", "property", "variable", "constant",
	"macro", "type_parameter", "parameter",
}

// String is the kind in lower case, as it stands in JSON and in SQL.
func (k Kind) String() string {
	if k < numKinds {
		return kindWords[k]
	}
	return "unknown"
}

// ParseKind is the inverse of String; unknown words give false.
func ParseKind(word string) (Kind, bool) {
	for i, w := range kindWords {
		if w == word {
			return Kind(i), true
		}
	}
	return KindUnknown, false
}

// Callable says whether a symbol of this kind has a body that calls and can be called.
func (k Kind) Callable() bool {
	switch k {
	case KindFunction, KindMethod, KindConstructor, KindGetter, KindSetter, KindMacro:
		return true
	}
	return false
}

// IsType says whether a symbol of this kind names a type, so that it can have members and instances.
func (k Kind) IsType() bool {
	switch k {
	case KindClass, KindStruct, KindInterface, KindTrait, KindEnum, KindType, KindTypeParameter:
		return true
	}
	return false
}
