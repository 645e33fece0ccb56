// Package shim is the door into microsoft/typescript-go, whose packages are all
// internal: Go lets a module import them when its own path lies below theirs,
// and the replace directive of Manito's go.mod puts this folder there.
//
// It holds only names of what Manito uses, so that a new version of
// typescript-go, whose interface is declared unstable, is met in one place. It
// may be imported by syntax/typescript.
package shim

import (
	"github.com/microsoft/typescript-go/internal/ast"
	"github.com/microsoft/typescript-go/internal/core"
	"github.com/microsoft/typescript-go/internal/parser"
	"github.com/microsoft/typescript-go/internal/scanner"
)

// The types of a syntax tree.
type (
	Node          = ast.Node
	NodeList      = ast.NodeList
	SourceFile    = ast.SourceFile
	Kind          = ast.Kind
	NodeFlags     = ast.NodeFlags
	ModifierFlags = ast.ModifierFlags
	ScriptKind    = core.ScriptKind

	BinaryExpression = ast.BinaryExpression
	CallExpression   = ast.CallExpression
)

// The kinds of scripts.
const (
	ScriptKindJS  = core.ScriptKindJS
	ScriptKindJSX = core.ScriptKindJSX
	ScriptKindTS  = core.ScriptKindTS
	ScriptKindTSX = core.ScriptKindTSX
)

// Parse reads a file. The name must be absolute; of it only the extension counts. It panics on some broken input.
func Parse(name, text string, kind ScriptKind) *SourceFile {
	return parser.ParseSourceFile(ast.SourceFileParseOptions{FileName: name}, text, kind)
}

// SkipTrivia is the offset of the first token at or after an offset.
func SkipTrivia(text string, offset int) int { return scanner.SkipTrivia(text, offset) }
