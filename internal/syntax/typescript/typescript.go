// Package typescript drives microsoft/typescript-go, the TypeScript compiler's
// parser in Go: bytes of TypeScript, JavaScript or their JSX variants in, syntax
// tree and errors out. Its nouns are the compiler's own.
//
// The parser descends recursively, cannot be stopped, and reads some nested
// speculation again and again. A goroutine that outgrows its stack ends the
// process, so Parse first looks at how deep the bytes nest and refuses what no
// person writes (see tooDeep).
//
// It may be imported by lang/typescript.
package typescript

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/microsoft/typescript-go/shim"
)

// The types of a syntax tree. Positions are byte offsets; Node.Pos includes the
// white space and comments before the node, see Text.Token.
type (
	Node          = shim.Node
	NodeList      = shim.NodeList
	SourceFile    = shim.SourceFile
	Kind          = shim.Kind
	NodeFlags     = shim.NodeFlags
	ModifierFlags = shim.ModifierFlags

	BinaryExpression = shim.BinaryExpression
	CallExpression   = shim.CallExpression
)

// Script says which grammar a file is written in.
type Script uint8

// The scripts. JavaScript always allows JSX. In JavaScript the types of JSDoc
// comments stand in the tree where TypeScript would have them written.
const (
	TS Script = iota
	TSX
	JS
	Declaration // .d.ts: everything is ambient
)

// ErrTooDeep says that a file nests deeper than the parser can follow.
var ErrTooDeep = errors.New("nested too deep to be parsed")

// Error is a syntax error.
type Error struct {
	Start, End int
	Message    string
}

// Text is the text of a file as the parser sees it. It shares the caller's bytes.
type Text string

// Token is the offset of the first token at or after an offset.
func (t Text) Token(offset int) int {
	// Most tokens follow a blank or nothing at all.
	for range 2 {
		if offset >= len(t) {
			return len(t)
		}
		switch c := t[offset]; {
		case c == ' ':
			offset++
			continue
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			return offset
		}
		break
	}
	return min(shim.SkipTrivia(string(t), offset), len(t))
}

// Parse reads a file. The tree points into text, which must not change as long
// as the tree or the Text is in use. The error is ErrTooDeep, or says that the
// parser failed; syntax errors are no error, see Errors.
func Parse(text []byte, script Script) (file *SourceFile, t Text, err error) {
	t = Text(unsafe.String(unsafe.SliceData(text), len(text)))
	if tooDeep(text) {
		return nil, t, ErrTooDeep
	}
	defer func() {
		// The parser asserts what it believes of its input, now and then wrongly.
		if r := recover(); r != nil {
			file, err = nil, fmt.Errorf("the parser failed: %v", r)
		}
	}()
	name, kind := "/a.ts", shim.ScriptKindTS
	switch script {
	case TSX:
		name, kind = "/a.tsx", shim.ScriptKindTSX
	case JS:
		name, kind = "/a.jsx", shim.ScriptKindJSX
	case Declaration:
		name = "/a.d.ts"
	}
	return shim.Parse(name, string(t), kind), t, nil
}

// Errors are the first n syntax errors of a file, in order of their offsets.
func Errors(file *SourceFile, n int) []Error {
	var out []Error
	for _, d := range file.Diagnostics() {
		if len(out) == n {
			break
		}
		out = append(out, Error{Start: d.Pos(), End: d.End(), Message: d.String()})
	}
	return out
}
