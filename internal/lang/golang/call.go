package golang

import (
	"go/ast"
	"go/token"

	"manito/internal/code"
)

// call reads a call or conversion and gives its result.
func (x *Extractor) call(e *ast.CallExpr, want bool) code.ExprID {
	if id, ok := e.Fun.(*ast.Ident); ok && id.Name != "_" {
		s := x.symbols.lookup(id.Name)
		if p := x.symbols.all[s].predeclared; p != notPredeclared && x.symbols.all[s].bound == 0 {
			x.use(id.NamePos, x.symbols.all[s].name, x.denote(s), code.RoleCall)
			return x.predeclaredCall(id.Name, p, e.Args, want)
		}
	}
	f, conversion := x.callee(e.Fun, e.Lparen)
	if !want {
		x.arguments(e.Args)
		return 0
	}
	if conversion {
		x.arguments(e.Args)
		return x.builder.Unary(code.OpOf, f)
	}
	if f == 0 || !x.infers(f) {
		x.arguments(e.Args)
		return x.builder.Call(f, 0)
	}
	base := len(x.exprs)
	for _, a := range e.Args {
		x.push(x.value(a, true))
	}
	return x.builder.Call(f, x.list(base))
}

func (x *Extractor) arguments(list []ast.Expr) {
	for _, a := range list {
		x.value(a, false)
	}
}

// infers says whether the arguments of a call can decide the type of its result:
// those of a generic function do, and of functions of other files nothing is known.
func (x *Extractor) infers(f code.ExprID) bool {
	switch e := x.doc.Exprs[f]; e.Op {
	case code.OpName:
		return true
	case code.OpDef:
		return x.traits[e.A].generic
	case code.OpMember:
		return x.doc.Exprs[e.A].Op == code.OpImport
	}
	return false
}

// callee reads what is called: a function, or the type of a conversion when that
// is certain. A callee without a name is a use of no name at the parenthesis.
func (x *Extractor) callee(fun ast.Expr, lparen token.Pos) (f code.ExprID, conversion bool) {
	switch fun := fun.(type) {
	case *ast.Ident:
		role := code.RoleCall
		if s := x.symbols.all[x.symbols.lookup(fun.Name)]; s.bound.is(boundLocal) && x.doc.Locals[s.bound.index()].Kind == code.KindTypeParameter {
			role = code.RoleType // nothing is called
		}
		f = x.ident(fun, role)
		return f, x.isType(f)
	case *ast.SelectorExpr:
		return x.selector(fun, code.RoleCall), false
	case *ast.FuncLit:
		return x.value(fun, true), false // its body is read in place: there is nothing to refer to
	case *ast.ParenExpr:
		if star, ok := ast.Unparen(fun).(*ast.StarExpr); ok {
			if f, conversion = x.pointed(star); conversion {
				return f, true
			}
			break
		}
		if x.depth >= maxDepth {
			x.deep = true
			return 0, false
		}
		x.depth++
		f, conversion = x.callee(fun.X, lparen)
		x.depth--
		return f, conversion
	case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.StructType, *ast.InterfaceType:
		return x.typ(fun, code.RoleType), true
	case *ast.IndexExpr:
		if x.instantiates(fun, true) {
			base := x.named(fun.X, code.RoleCall)
			return x.typeArguments(base, fun.Index), x.isType(base)
		}
		f = x.elem(x.value(fun.X, true))
		x.value(fun.Index, false)
	case *ast.IndexListExpr:
		base := x.named(fun.X, code.RoleCall)
		return x.typeArguments(base, fun.Indices...), x.isType(base)
	default:
		f = x.value(fun, true)
	}
	if lparen.IsValid() {
		x.use(lparen, 0, f, code.RoleCall)
	}
	return f, false
}

// isType says whether an expression surely denotes a type.
func (x *Extractor) isType(f code.ExprID) bool {
	switch e := x.doc.Exprs[f]; e.Op {
	case code.OpDef:
		return x.doc.Defs[e.A].Kind.IsType()
	case code.OpLocal:
		return x.doc.Locals[e.A].Kind == code.KindTypeParameter
	}
	return false
}

// instantiates tells a generic type or function with one argument, X[A], from
// an indexed value: by what the file declares X to be; where X is of another
// file, by whether A can only be a type. A name of another file in A leaves both
// possible: called, it is taken for a type, for few programs call a function out
// of a table at a constant.
func (x *Extractor) instantiates(e *ast.IndexExpr, called bool) bool {
	switch base := e.X.(type) {
	case *ast.Ident:
		switch s := &x.symbols.all[x.symbols.lookup(base.Name)]; s.bound.kind() {
		case boundDef:
			return x.traits[s.bound.def()].generic
		case boundLocal, boundImport:
			return false
		}
	case *ast.SelectorExpr:
		pkg, ok := base.X.(*ast.Ident)
		if !ok {
			return false
		}
		if s := &x.symbols.all[x.symbols.lookup(pkg.Name)]; s.bound != 0 && !s.bound.is(boundImport) {
			return false
		}
	default:
		return false
	}
	if x.typeSyntax(e.Index) {
		return true
	}
	if !called {
		return false
	}
	argument := e.Index
	for {
		star, ok := argument.(*ast.StarExpr)
		if !ok {
			break
		}
		argument = star.X
	}
	switch argument := argument.(type) {
	case *ast.Ident:
		s := &x.symbols.all[x.symbols.lookup(argument.Name)]
		return s.bound == 0 && s.predeclared == notPredeclared
	case *ast.SelectorExpr:
		pkg, ok := argument.X.(*ast.Ident)
		return ok && x.symbols.all[x.symbols.lookup(pkg.Name)].bound.is(boundImport)
	}
	return false
}

// typeSyntax says whether an expression can only be a type, as far as this file tells.
func (x *Extractor) typeSyntax(e ast.Expr) bool {
	for {
		switch t := e.(type) {
		case *ast.Ident:
			s := &x.symbols.all[x.symbols.lookup(t.Name)]
			switch s.bound.kind() {
			case boundDef:
				return x.doc.Defs[s.bound.def()].Kind.IsType()
			case boundLocal:
				return x.doc.Locals[s.bound.index()].Kind == code.KindTypeParameter
			case boundImport:
				return false
			}
			return s.predeclared == predeclaredType
		case *ast.ParenExpr:
			e = t.X
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.StructType, *ast.InterfaceType:
			return true
		default:
			return false
		}
	}
}

// predeclaredCall reads the arguments of a call of the universe block's name and
// gives its result. A package may redeclare such a name in another file; then
// link finds the declaration, and only the result's type may be wrong.
func (x *Extractor) predeclaredCall(name string, p predeclared, arguments []ast.Expr, want bool) code.ExprID {
	switch p {
	case predeclaredType:
		x.arguments(arguments)
		if !want {
			return 0
		}
		return x.builtin(name)
	case predeclaredMake:
		if len(arguments) == 0 {
			return 0
		}
		t := x.typ(arguments[0], code.RoleType)
		x.arguments(arguments[1:])
		return x.builder.Unary(code.OpOf, t)
	case predeclaredNew:
		return x.predeclaredNew(arguments)
	case predeclaredSame:
		var v code.ExprID
		for _, a := range arguments {
			// An argument that is a plain constant takes the type of the others.
			if u := x.value(a, want && (v == 0 || x.doc.Exprs[v].Op == code.OpBuiltin)); u != 0 && (v == 0 || x.doc.Exprs[v].Op == code.OpBuiltin) {
				v = u
			}
		}
		return v
	}
	x.arguments(arguments)
	if result := results[name]; result != "" && want {
		return x.builtin(result)
	}
	return 0
}

// predeclaredNew is new(T), or since Go 1.26 new(value).
func (x *Extractor) predeclaredNew(arguments []ast.Expr) code.ExprID {
	if len(arguments) == 0 {
		return 0
	}
	var v code.ExprID
	switch a := ast.Unparen(arguments[0]).(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.StarExpr, *ast.IndexExpr, *ast.IndexListExpr,
		*ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.StructType, *ast.InterfaceType:
		if x.variable(a) {
			v = x.builder.Unary(code.OpAddr, x.value(a, true))
		} else {
			v = x.builder.Unary(code.OpOf, x.builder.Unary(code.OpPointer, x.typ(a, code.RoleType)))
		}
	default:
		v = x.builder.Unary(code.OpAddr, x.value(a, true))
	}
	x.arguments(arguments[1:])
	return v
}

// variable says whether an expression begins with what this file knows to be no type.
func (x *Extractor) variable(e ast.Expr) bool {
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.ParenExpr:
			e = t.X
		case *ast.SelectorExpr:
			pkg, ok := t.X.(*ast.Ident)
			if !ok {
				return true
			}
			b := x.symbols.all[x.symbols.lookup(pkg.Name)].bound
			return b.is(boundLocal) || b.is(boundDef)
		case *ast.Ident:
			s := &x.symbols.all[x.symbols.lookup(t.Name)]
			switch s.bound.kind() {
			case boundDef:
				return !x.doc.Defs[s.bound.def()].Kind.IsType()
			case boundLocal:
				return x.doc.Locals[s.bound.index()].Kind != code.KindTypeParameter
			}
			return s.predeclared != notPredeclared && s.predeclared != predeclaredType
		default:
			return false
		}
	}
}
