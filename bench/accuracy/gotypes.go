package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/types/typeutil"
)

// verdict is what a judge says of one call.
type verdict struct {
	class  byte // 's' static in the repository, 'i' interface method in the repository, 'x' outside, 'v' function value, 't' conversion, 'b' built-in
	target position
}

type place struct {
	file         string
	line, column int
}

// judgeGo asks go/types about every call of the module in root, tests included.
func judgeGo(root string) (map[place]verdict, map[string]bool, error) {
	fset := token.NewFileSet()
	pkgs, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax | packages.NeedModule | packages.NeedForTest, Dir: root, Fset: fset, Tests: true}, "./...")
	if err != nil {
		return nil, nil, err
	}
	out := map[place]verdict{}
	judged := map[string]bool{}
	rel := func(p token.Pos) (position, bool) {
		at := fset.Position(p)
		r, err := filepath.Rel(root, at.Filename)
		if err != nil || strings.HasPrefix(r, "..") {
			return position{}, false
		}
		return position{file: filepath.ToSlash(r), line: at.Line, column: at.Column}, true
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			fmt.Println("judge:", e)
		}
		for _, file := range p.Syntax {
			at, ok := rel(file.Package)
			if !ok {
				continue
			}
			judged[at.file] = true
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				id := calleeIdent(call.Fun)
				if id == nil {
					return true
				}
				where, _ := rel(id.Pos())
				v := verdict{class: 'v'}
				if tv, ok := p.TypesInfo.Types[call.Fun]; ok && tv.IsType() {
					v.class = 't'
				} else if _, ok := p.TypesInfo.Uses[id].(*types.Builtin); ok {
					v.class = 'b'
				} else if fn, ok := typeutil.Callee(p.TypesInfo, call).(*types.Func); ok {
					fn = fn.Origin()
					target, inside := rel(fn.Pos())
					recv := fn.Type().(*types.Signature).Recv()
					switch {
					case !inside || !fn.Pos().IsValid():
						v.class = 'x'
					case recv != nil && types.IsInterface(recv.Type()):
						v = verdict{'i', target}
					default:
						v = verdict{'s', target}
					}
				}
				out[place{where.file, where.line, where.column}] = v
				return true
			})
		}
	}
	return out, judged, nil
}

func calleeIdent(x ast.Expr) *ast.Ident {
	switch x := x.(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	case *ast.ParenExpr:
		return calleeIdent(x.X)
	case *ast.IndexExpr:
		return calleeIdent(x.X)
	case *ast.IndexListExpr:
		return calleeIdent(x.X)
	}
	return nil
}
