package golang

import (
	"go/ast"

	"manito/internal/code"
)

// composite reads a composite literal and gives its value. A literal without a
// type, as an element of another, has the value that the other's elements have: elided.
func (x *Extractor) composite(e *ast.CompositeLit, elided code.ExprID) code.ExprID {
	v := elided
	switch t := e.Type.(type) {
	case nil:
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr:
		v = x.builder.Unary(code.OpNew, x.typ(t, code.RoleNew))
	default:
		v = x.builder.Unary(code.OpOf, x.typ(t, code.RoleType))
	}
	s := x.shape(v)
	if s == shapeUnknown && len(e.Elts) > 0 {
		s = shapeOf(e.Elts)
	}
	if x.depth >= maxDepth {
		x.deep = true
		return v
	}
	x.depth++
	if s == shapeElements {
		x.elements(e.Elts, v)
	} else {
		x.keyedFields(e.Elts, v)
	}
	x.depth--
	return v
}

func (x *Extractor) keyedFields(list []ast.Expr, v code.ExprID) {
	for _, e := range list {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			x.value(e, false)
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name != "_" {
			name := x.symbols.name(key.Name)
			x.use(key.NamePos, name, x.builder.Member(v, name), code.RoleWrite)
		} else {
			x.value(kv.Key, false)
		}
		x.value(kv.Value, false)
	}
}

func (x *Extractor) elements(list []ast.Expr, v code.ExprID) {
	var key, elem code.ExprID // made for the first element that needs them
	for _, e := range list {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if lit, ok := kv.Key.(*ast.CompositeLit); ok && lit.Type == nil {
				if key == 0 {
					key = x.key(v)
				}
				x.composite(lit, key)
			} else {
				x.value(kv.Key, false)
			}
			e = kv.Value
		}
		if lit, ok := e.(*ast.CompositeLit); ok && lit.Type == nil {
			if elem == 0 {
				elem = x.elem(v)
			}
			x.composite(lit, elem)
			continue
		}
		x.value(e, false)
	}
}

// shape is what a literal of a value's type holds, as far as this file tells.
func (x *Extractor) shape(v code.ExprID) shape {
	e := x.doc.Exprs[v]
	if e.Op != code.OpOf && e.Op != code.OpNew {
		return shapeUnknown
	}
	for e = x.doc.Exprs[e.A]; ; e = x.doc.Exprs[e.A] {
		switch e.Op {
		case code.OpPointer, code.OpGeneric:
		case code.OpArray, code.OpMap:
			return shapeElements
		case code.OpTypeOf, code.OpIntersect:
			return shapeFields
		case code.OpDef:
			return x.traits[e.A].shape
		default:
			return shapeUnknown
		}
	}
}

// shapeOf tells by the elements themselves: only names can be the keys of a
// struct, and its values cannot leave their type out. Names alone do not tell
// a struct from a map with constant keys; structs are by far more common.
func shapeOf(list []ast.Expr) shape {
	for _, e := range list {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if _, ok := kv.Key.(*ast.Ident); !ok {
				return shapeElements
			}
			e = kv.Value
		}
		if lit, ok := e.(*ast.CompositeLit); ok && lit.Type == nil {
			return shapeElements
		}
	}
	return shapeFields
}
