package golang

import "manito/internal/lang"

// predeclared says what the extractor must know of a name of the universe block.
type predeclared uint8

const (
	notPredeclared predeclared = iota
	predeclaredType
	predeclaredValue // true, false, nil, iota
	predeclaredCall  // a function whose result is of no interest or a built-in type
	predeclaredMake
	predeclaredNew
	predeclaredSame // append, min, max: the value of an argument
)

// predeclaredOf classifies a name.
func predeclaredOf(name string) predeclared {
	switch name {
	case "any", "bool", "byte", "comparable", "complex64", "complex128", "error", "float32", "float64", "int", "int8", "int16", "int32", "int64",
		"rune", "string", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr":
		return predeclaredType
	case "true", "false", "nil", "iota":
		return predeclaredValue
	case "cap", "clear", "close", "complex", "copy", "delete", "imag", "len", "panic", "print", "println", "real", "recover":
		return predeclaredCall
	case "make":
		return predeclaredMake
	case "new":
		return predeclaredNew
	case "append", "min", "max":
		return predeclaredSame
	}
	return notPredeclared
}

// builtins is what link must know of the universe block.
func builtins() map[string]lang.Builtin {
	all := make(map[string]lang.Builtin)
	for _, name := range []string{
		"any", "bool", "byte", "comparable", "complex64", "complex128", "error", "float32", "float64", "int", "int8", "int16", "int32", "int64",
		"rune", "string", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
	} {
		all[name] = lang.Builtin{Type: true}
	}
	for _, name := range []string{"true", "false", "nil", "iota", "clear", "close", "delete", "panic", "print", "println", "make", "new"} {
		all[name] = lang.Builtin{}
	}
	for name, result := range results {
		all[name] = lang.Builtin{Result: result}
	}
	for _, name := range []string{"append", "min", "max"} {
		all[name] = lang.Builtin{Same: true}
	}
	return all
}

// results are the types of the functions that give one of the built-in types.
// real and imag give float32 for a complex64: neither type has members, so that the difference cannot show.
var results = map[string]string{
	"len": "int", "cap": "int", "copy": "int", "complex": "complex128", "real": "float64", "imag": "float64", "recover": "any",
}
