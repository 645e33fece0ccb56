package python

import "manito/internal/lang"

// builtins are the names that Python 3.13 declares by itself, those of Python 2
// that old code still names, and the variables that every module has.
func builtins() map[string]lang.Builtin {
	all := make(map[string]lang.Builtin, 256)
	for _, name := range exceptionNames {
		all[name] = lang.Builtin{Type: true}
	}
	for _, name := range typeNames {
		all[name] = lang.Builtin{Type: true}
	}
	for _, name := range elementNames {
		b := all[name]
		b.Element = true
		all[name] = b
	}
	for _, name := range otherNames {
		all[name] = lang.Builtin{}
	}
	for name, result := range resultTypes() {
		all[name] = lang.Builtin{Result: result}
	}
	return all
}

// exceptionNames are the exceptions and warnings.
var exceptionNames = [...]string{
	"ArithmeticError", "AssertionError", "AttributeError", "BaseException", "BaseExceptionGroup", "BlockingIOError", "BrokenPipeError", "BufferError",
	"BytesWarning", "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError",
	"DeprecationWarning", "EOFError", "EncodingWarning", "EnvironmentError", "Exception", "ExceptionGroup", "FileExistsError", "FileNotFoundError",
	"FloatingPointError", "FutureWarning", "GeneratorExit", "IOError", "ImportError", "ImportWarning", "IndentationError", "IndexError",
	"InterruptedError", "IsADirectoryError", "KeyError", "KeyboardInterrupt", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError",
	"NotADirectoryError", "NotImplementedError", "OSError", "OverflowError", "PendingDeprecationWarning", "PermissionError", "ProcessLookupError",
	"PythonFinalizationError", "RecursionError", "ReferenceError", "ResourceWarning", "RuntimeError", "RuntimeWarning", "StopAsyncIteration",
	"StopIteration", "SyntaxError", "SyntaxWarning", "SystemError", "SystemExit", "TabError", "TimeoutError", "TypeError", "UnboundLocalError",
	"UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError", "UnicodeWarning", "UserWarning", "ValueError", "Warning",
	"WindowsError", "ZeroDivisionError",
}

// typeNames are the types.
var typeNames = [...]string{
	"bool", "bytearray", "bytes", "classmethod", "complex", "dict", "enumerate", "filter", "float", "frozenset", "int", "list", "map", "memoryview",
	"object", "property", "range", "reversed", "set", "slice", "staticmethod", "str", "super", "tuple", "type", "zip", "basestring", "buffer", "file",
	"long", "unicode", "xrange",
}

// elementNames make a container of the elements of their argument.
var elementNames = [...]string{
	"frozenset", "iter", "aiter", "list", "reversed", "set", "sorted", "tuple",
}

// otherNames are functions whose result depends on what they are given, constants, and the variables of a module.
var otherNames = [...]string{
	"Ellipsis", "False", "None", "NotImplemented", "True", "__annotations__", "__build_class__", "__builtins__", "__cached__", "__class__", "__debug__",
	"__dict__", "__doc__", "__file__", "__import__", "__loader__", "__module__", "__name__", "__package__", "__path__", "__qualname__", "__spec__", "abs",
	"anext", "apply", "breakpoint", "coerce", "compile", "copyright", "credits", "divmod", "eval", "exec", "execfile", "exit", "getattr", "help",
	"intern", "license", "max", "min", "next", "pow", "quit", "reduce", "reload", "reveal_type", "round", "sum",
}

// resultTypes are the functions whose result is of one type.
func resultTypes() map[string]string {
	return map[string]string{
		"all": "bool", "any": "bool", "ascii": "str", "bin": "str", "callable": "bool", "chr": "str", "cmp": "int", "delattr": "None", "dir": "list",
		"format": "str", "globals": "dict", "hasattr": "bool", "hash": "int", "hex": "str", "id": "int", "input": "str", "isinstance": "bool",
		"issubclass": "bool", "len": "int", "locals": "dict", "oct": "str", "open": "file", "ord": "int", "print": "None", "raw_input": "str",
		"repr": "str", "setattr": "None", "unichr": "str", "vars": "dict",
	}
}
