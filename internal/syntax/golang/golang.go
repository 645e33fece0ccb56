// Package golang drives the parser of Go's standard library: bytes in, syntax
// tree and errors out. Its nouns are go/ast's. It may be imported by lang/golang.
package golang

import (
	"bytes"
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
	// TooDeep marks nesting beyond what the parser follows; the tree ends with the
	// declaration before the one that is too deep.
	TooDeep bool
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
	file, errs := parse(text)
	if i := slices.IndexFunc(errs, func(e Error) bool { return e.TooDeep }); i >= 0 {
		// The parser leaves nothing of such a file. Read it again up to the
		// declaration that holds the nesting.
		if cut := declarationBefore(text, errs[i].Offset); cut > 0 {
			file, _ = parse(text[:cut])
		}
	}
	return file, errs
}

func parse(text []byte) (*ast.File, []Error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, mode)
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
	// The list is sorted by line, which a //line directive can set to anything.
	slices.SortStableFunc(errs, func(a, b Error) int { return int(int64(a.Offset) - int64(b.Offset)) })
	return file, errs
}

// Offset is the byte offset of a position in a tree of Parse. Positions that the
// parser made up are 0.
func Offset(pos token.Pos) uint32 {
	// A file set that holds one file begins at 1.
	return uint32(max(pos, 1) - 1)
}

// declarationBefore finds where the last top-level declaration before an offset
// begins, by the layout that gofmt gives every file; 0 when there is none.
func declarationBefore(text []byte, offset uint32) int {
	cut := 0
	for _, word := range []string{"\nfunc ", "\nvar ", "\ntype ", "\nconst "} {
		cut = max(cut, bytes.LastIndex(text[:offset], []byte(word)))
	}
	return cut
}
