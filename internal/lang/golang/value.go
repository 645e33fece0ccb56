package golang

import (
	"go/ast"
	"go/token"

	"manito/internal/code"
)

// literal numbers the built-in types that literals and operators have.
type literal int

const (
	literalInt literal = iota
	literalFloat
	literalImag
	literalRune
	literalString
	literalBool
	numLiterals
)

var literalNames = [numLiterals]string{"int", "float64", "complex128", "rune", "string", "bool"}

// literal is a value of a built-in type.
func (x *Extractor) literal(l literal) code.ExprID {
	if x.literals[l] == 0 {
		x.literals[l] = x.builtin(literalNames[l])
	}
	return x.literals[l]
}

func (x *Extractor) builtin(name string) code.ExprID {
	return x.builder.Expr(code.OpBuiltin, int32(x.symbols.name(name)), 0)
}

// ident reads an identifier and gives what it denotes.
func (x *Extractor) ident(id *ast.Ident, role code.Role) code.ExprID {
	if id.Name == "_" {
		return 0
	}
	s := x.symbols.lookup(id.Name)
	e := x.denote(s)
	x.use(id.NamePos, x.symbols.all[s].name, e, role)
	return e
}

// selector reads a.b and gives what it denotes.
func (x *Extractor) selector(e *ast.SelectorExpr, role code.Role) code.ExprID {
	var from code.ExprID
	switch base := ast.Unparen(e.X).(type) {
	case *ast.Ident:
		if base.Name != "_" {
			id := x.symbols.lookup(base.Name)
			if s := &x.symbols.all[id]; s.bound == 0 && !s.base && s.predeclared == notPredeclared {
				s.base = true
				x.unbound = append(x.unbound, id)
			}
			from = x.denote(id)
			x.use(base.NamePos, x.symbols.all[id].name, from, code.RoleRead)
		}
	case *ast.StarExpr: // (*T).Method, or a member of what a pointer to a pointer points at
		from, _ = x.pointed(base)
	default:
		from = x.value(e.X, true)
	}
	if e.Sel.Name == "_" {
		return 0
	}
	name := x.symbols.name(e.Sel.Name)
	m := x.builder.Member(from, name)
	x.use(e.Sel.NamePos, name, m, role)
	return m
}

// value reads an expression and gives its value. With want false the caller has
// no interest in the value, which is then left out where making it would cost.
func (x *Extractor) value(e ast.Expr, want bool) code.ExprID {
	switch e := e.(type) {
	case nil:
		return 0
	case *ast.Ident:
		v := x.ident(e, code.RoleRead)
		if want && v != 0 && x.doc.Exprs[v].Op == code.OpName {
			return x.universal(e.Name, v)
		}
		return v
	case *ast.BasicLit:
		if !want {
			return 0
		}
		return x.basicLit(e.Kind)
	}
	if x.depth >= maxDepth {
		x.deep = true
		return 0
	}
	x.depth++
	v := x.compound(e, want)
	x.depth--
	return v
}

// universal gives the predeclared constants the values of their types.
func (x *Extractor) universal(name string, v code.ExprID) code.ExprID {
	switch name {
	case "true", "false":
		return x.literal(literalBool)
	case "iota":
		return x.literal(literalInt)
	case "nil":
		return 0
	}
	return v
}

func (x *Extractor) basicLit(kind token.Token) code.ExprID {
	switch kind {
	case token.INT:
		return x.literal(literalInt)
	case token.FLOAT:
		return x.literal(literalFloat)
	case token.IMAG:
		return x.literal(literalImag)
	case token.CHAR:
		return x.literal(literalRune)
	}
	return x.literal(literalString)
}

func (x *Extractor) compound(e ast.Expr, want bool) code.ExprID {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return x.selector(e, code.RoleRead)
	case *ast.CallExpr:
		return x.call(e, want)
	case *ast.BinaryExpr:
		return x.binary(e, want)
	case *ast.UnaryExpr:
		return x.unary(e, want)
	case *ast.StarExpr:
		return x.deref(x.value(e.X, want))
	case *ast.ParenExpr:
		return x.value(e.X, want)
	case *ast.CompositeLit:
		return x.composite(e, 0)
	case *ast.IndexExpr:
		return x.index(e, want)
	case *ast.IndexListExpr:
		base := x.value(e.X, true)
		return x.typeArguments(base, e.Indices...)
	case *ast.SliceExpr:
		v := x.value(e.X, want)
		x.value(e.Low, false)
		x.value(e.High, false)
		x.value(e.Max, false)
		return v
	case *ast.FuncLit:
		return x.funcLit(e)
	case *ast.TypeAssertExpr:
		x.value(e.X, false)
		if e.Type == nil {
			return 0
		}
		return x.builder.Unary(code.OpOf, x.typ(e.Type, code.RoleType))
	case *ast.KeyValueExpr: // only of broken code: literals read their own
		x.value(e.Key, false)
		x.value(e.Value, false)
		return 0
	case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.StructType, *ast.InterfaceType, *ast.Ellipsis:
		return x.typ(e, code.RoleType)
	}
	return 0
}

// binary reads a chain of binary operators, which may be very long, in a loop.
func (x *Extractor) binary(e *ast.BinaryExpr, want bool) code.ExprID {
	base := len(x.chain)
	for {
		x.chain = append(x.chain, e)
		left, ok := e.X.(*ast.BinaryExpr)
		if e.Op == token.LAND || e.Op == token.LOR {
			x.measure.cyclomatic++
			if !ok || left.Op != e.Op { // a run of one operator counts once
				x.measure.cognitive++
			}
		}
		if !ok {
			break
		}
		e = left
	}
	v := x.value(e.X, want)
	for len(x.chain) > base {
		e := x.chain[len(x.chain)-1]
		x.chain = x.chain[:len(x.chain)-1]
		right := x.value(e.Y, want)
		if !want {
			continue
		}
		switch e.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
			v = x.literal(literalBool)
		case token.SHL, token.SHR:
		default:
			// An operand that is a plain constant takes the type of the other.
			if v == 0 || right != 0 && x.doc.Exprs[v].Op == code.OpBuiltin {
				v = right
			}
		}
	}
	return v
}

func (x *Extractor) unary(e *ast.UnaryExpr, want bool) code.ExprID {
	v := x.value(e.X, want)
	if !want {
		return 0
	}
	switch e.Op {
	case token.AND:
		return x.builder.Unary(code.OpAddr, v)
	case token.ARROW:
		return x.elem(v)
	case token.NOT:
		return x.literal(literalBool)
	}
	return v
}

// index reads a[i], which may also be a generic function with its argument.
func (x *Extractor) index(e *ast.IndexExpr, want bool) code.ExprID {
	base := x.value(e.X, true)
	if x.instantiates(e, false) {
		return x.typeArguments(base, e.Index)
	}
	x.value(e.Index, false)
	if !want {
		return 0
	}
	return x.elem(base)
}

// named reads an expression whose last identifier gets a role.
func (x *Extractor) named(e ast.Expr, role code.Role) code.ExprID {
	switch e := e.(type) {
	case *ast.Ident:
		return x.ident(e, role)
	case *ast.SelectorExpr:
		return x.selector(e, role)
	}
	return x.value(e, true)
}

// typeArguments reads type arguments and applies a generic type or function to them.
func (x *Extractor) typeArguments(generic code.ExprID, arguments ...ast.Expr) code.ExprID {
	base := len(x.exprs)
	for _, a := range arguments {
		x.push(x.typ(a, code.RoleType))
	}
	return x.instance(generic, base)
}

// funcLit reads a function literal; its body belongs to the definition around it.
func (x *Extractor) funcLit(e *ast.FuncLit) code.ExprID {
	x.symbols.open()
	fresh := len(x.fresh)
	if e.Type.Params != nil {
		for _, field := range e.Type.Params.List {
			v := x.builder.Unary(code.OpOf, x.typ(field.Type, code.RoleType))
			for _, name := range field.Names {
				if x.written(name) && name.Name != "_" {
					x.freshLocal(name, code.KindParameter, v)
				}
			}
		}
	}
	result := x.builder.Unary(code.OpOf, x.results(e.Type.Results))
	x.bindFresh(fresh)
	if e.Body != nil && !x.outline {
		x.measure.body = true
		x.measure.nesting++
		x.stmts(e.Body.List)
		x.measure.nesting--
	}
	x.symbols.close()
	return x.builder.Expr(code.OpFunc, -1, int32(result))
}
