//go:build !cgo

package treesitter

import (
	"context"
	"unsafe"

	"manito/internal/problem"
)

// Available says whether this build can parse: whether it was made with cgo.
const Available = false

// Parser parses files of one language; in this build there is none.
type Parser struct{}

// New fails: this build was made without cgo.
func New(unsafe.Pointer, Selection) (*Parser, error) {
	return nil, problem.New(problem.Unsupported, "this build of manito has no tree-sitter parsers, because it was made without cgo").
		Fix("use a release binary, or build with CGO_ENABLED=1 and a C compiler")
}

// Parse gives no Tree.
func (*Parser) Parse(context.Context, []byte) (Tree, bool) { return Tree{}, false }
