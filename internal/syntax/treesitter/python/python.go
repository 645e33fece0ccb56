//go:build cgo

// Package python is the grammar of Python, in a package of its own so that its
// tables are compiled once. Only lang/python may import it.
package python

import (
	"unsafe"

	python "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

// Grammar is the TSLanguage for treesitter.New.
func Grammar() unsafe.Pointer { return python.Language() }
