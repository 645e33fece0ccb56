// Package golang drives the parser of Go's standard library: bytes in, syntax
// tree and errors out. Its nouns are go/ast's. It may be imported by lang/golang.
package golang

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
)

// Error is a syntax error at a byte offset.
type Error struct {
	Offset  uint32
	Message string
	TooDeep bool // nesting beyond what the parser follows: the declaration that holds it is missing
}

// tooDeep is the parser's own message when it gives up on nesting.
const tooDeep = "exceeded max nesting depth"

// mode leaves out what costs and is not used: object resolution (the extractor
// does its own, per language rules) and comments (4 % of parsing; the few that
// document a declaration are found from its position). All errors are wanted
// because the parser drops the whole file after ten otherwise.
const mode = parser.SkipObjectResolution | parser.AllErrors

// Parse reads a file. The tree is never nil; after errors it holds what could
// be read. Errors are in order of their offsets.
func Parse(text []byte) (*ast.File, []Error) {
	file, errs := parse(token.NewFileSet(), text)
	if len(errs) == 0 {
		return file, nil
	}
	// An unclosed bracket makes the parser lose everything after it. Most files
	// are laid out so that their declarations can be told apart all the same.
	if parts, partErrs := parseParts(text); len(partErrs) <= len(errs) || errs[len(errs)-1].TooDeep {
		return parts, partErrs
	}
	return file, errs
}

func parse(fset *token.FileSet, text []byte) (*ast.File, []Error) {
	file, err := parser.ParseFile(fset, "", text, mode)
	if err == nil {
		return file, nil
	}
	list, ok := err.(scanner.ErrorList)
	if !ok {
		return file, []Error{{Message: err.Error()}}
	}
	errs := make([]Error, len(list))
	for i, e := range list {
		errs[i] = Error{Offset: uint32(min(max(e.Pos.Offset, 0), len(text))), Message: e.Msg, TooDeep: e.Msg == tooDeep}
	}
	sortErrors(errs)
	return file, errs
}

// sortErrors puts errors in the order of their offsets: the parser's own is by
// line, which a //line directive can set to anything.
func sortErrors(errs []Error) {
	slices.SortStableFunc(errs, func(a, b Error) int { return int(int64(a.Offset) - int64(b.Offset)) })
}

// Offset is the byte offset of a position in a tree of Parse. Positions that the
// parser made up are 0.
func Offset(pos token.Pos) uint32 {
	// A file set that holds one file begins at 1.
	return uint32(max(pos, 1) - 1)
}
