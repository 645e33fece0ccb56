package golang

import (
	"go/ast"
	"go/scanner"
	"go/token"
)

// clause stands before each part of a file, so that the parser takes it for one.
const clause = "package p;"

// parseParts reads a file declaration by declaration. A declaration begins
// where its keyword stands at the very start of a line, as gofmt puts it; what
// is broken in one cannot reach the next.
func parseParts(text []byte) (*ast.File, []Error) {
	starts := partStarts(text)
	head := text
	if len(starts) > 0 {
		head = text[:starts[0]]
	}
	file, errs := parse(token.NewFileSet(), head)
	for i, start := range starts {
		if start < len(clause) {
			continue // there is no room for a package clause before it: errs has its absence already
		}
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		// Positions in the part are to be those in the file: the set is filled up
		// to where the part's own text has its place.
		fset := token.NewFileSet()
		if pad := start - len(clause) - 1; pad >= 0 {
			fset.AddFile("", fset.Base(), pad)
		}
		part, partErrs := parse(fset, append([]byte(clause), text[start:end]...))
		file.Decls = append(file.Decls, part.Decls...)
		for k, e := range partErrs {
			e.Offset = uint32(min(max(int(e.Offset)-len(clause), 0)+start, end))
			if k > 0 && int(e.Offset) == end && end < len(text) {
				break // what is missing at the end of the part follows from its first error
			}
			errs = append(errs, e)
		}
	}
	sortErrors(errs)
	return file, errs
}

// partStarts finds the keywords at the start of a line, comments and strings left out.
func partStarts(text []byte) []int {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(text)), text, nil, 0)
	var starts []int
	for {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return starts
		case token.FUNC, token.TYPE, token.VAR, token.CONST, token.IMPORT:
			if at := int(Offset(pos)); at == 0 || text[at-1] == '\n' {
				starts = append(starts, at)
			}
		}
	}
}
