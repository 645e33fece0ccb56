package typescript

import (
	"manito/internal/code"
	syntax "manito/internal/syntax/typescript"
)

// function is what is remembered of the function that is being read.
type function struct {
	returns   code.ExprID // union of the returned values
	yields    code.ExprID
	count     int
	annotated bool        // the result is written: returned values need not be known
	expected  code.ExprID // what is returned by what is written
	body      bool        // inside a function at all
}

// contextual is where the parameter types of a function literal come from when
// they are not written: from the function it is passed to, or one by one.
type contextual struct {
	callee code.ExprID
	arg    int
	first  code.ExprID // the first parameter, when it is known by itself
	second code.ExprID
}

// receiver is what this and super are.
type receiver struct {
	self, home code.ExprID
	def        code.DefID
	static     bool
}

func (x *Extractor) receiver() receiver { return receiver{x.self, x.home, x.selfDef, x.static} }

func (x *Extractor) setReceiver(r receiver) {
	x.self, x.home, x.selfDef, x.static = r.self, r.home, r.def, r.static
}

// instanceOf is the receiver of a class's methods; ofClass of its static ones.
func (x *Extractor) instanceOf(d code.DefID) receiver {
	return receiver{self: x.builder.Expr(code.OpThis, int32(d), 0), home: x.builder.Expr(code.OpSuper, int32(d), 0), def: d}
}

func (x *Extractor) ofClass(d code.DefID) receiver {
	return receiver{self: x.builder.Expr(code.OpClass, int32(d), 0), home: x.builder.Expr(code.OpSuper, int32(d), 0), def: d, static: true}
}

// nobody is the receiver of a function that is called without one.
var nobody = receiver{def: code.NoDef}

// functionDefinition reads a function that is a definition. t is the type that
// its variable is declared with, or 0.
func (x *Extractor) functionDefinition(n *node, d code.DefID, t code.ExprID) {
	outer, saved := x.scope, x.measure
	x.scope, x.measure = d, measure{}
	who := x.receiver()
	if n.Kind != syntax.KindArrowFunction && !x.isMember(n) {
		r := nobody
		if x.doc.Defs[d].Kind == code.KindClass {
			r = x.instanceOf(d)
		}
		x.setReceiver(r)
	}
	result := x.functionParts(n, d)
	x.setReceiver(who)
	if result == 0 && t != 0 {
		result = x.builder.Call(x.of(t), 0)
	}
	def := &x.doc.Defs[d]
	if def.Kind != code.KindClass { // the Type of a class is not what calling it gives
		def.Type = result
	}
	x.traits[d].fixed = true
	if body := n.Body(); body != nil {
		if at := x.bodyStart(n, body); at > def.Start && at <= def.End {
			def.BodyStart = at
		}
		x.measured(d, true)
	}
	x.scope, x.measure = outer, saved
}

// isMember says whether a function's receiver is set by who reads it.
func (x *Extractor) isMember(n *node) bool {
	switch n.Kind {
	case syntax.KindMethodDeclaration, syntax.KindConstructor, syntax.KindGetAccessor, syntax.KindSetAccessor, syntax.KindMethodSignature:
		return true
	}
	return n.Kind == syntax.KindFunctionExpression && x.keepSelf
}

func (x *Extractor) bodyStart(n, body *node) uint32 {
	if n.Kind == syntax.KindArrowFunction {
		if arrow := n.AsArrowFunction().EqualsGreaterThanToken; arrow != nil {
			return x.start(arrow)
		}
	}
	return x.start(body)
}

// closure reads a function literal that is not the value of a definition, and gives its value.
func (x *Extractor) closure(n *node) code.ExprID {
	if d, ok := x.nameLiteral(n); ok {
		x.functionDefinition(n, d, 0)
		return x.defExpr(d)
	}
	x.nested++
	x.measure.closure = true
	x.measure.nesting++
	who := x.receiver()
	if n.Kind == syntax.KindFunctionExpression && !x.keepSelf {
		x.setReceiver(nobody)
	}
	result := x.functionParts(n, code.NoDef)
	x.setReceiver(who)
	x.measure.nesting--
	x.nested--
	return x.builder.Expr(code.OpFunc, -1, int32(result))
}

// nameLiteral makes a definition of a function expression with a name of its own.
func (x *Extractor) nameLiteral(n *node) (code.DefID, bool) {
	if n.Kind != syntax.KindFunctionExpression {
		return 0, false
	}
	id, start := x.spelled(n.AsFunctionExpression().Name())
	if id == 0 {
		return 0, false
	}
	flags := flagsOf(n)
	if n.BodyData().AsteriskToken != nil {
		flags |= code.DefGenerator
	}
	x.nested++
	d := x.define(id, code.KindFunction, span{start: x.start(n), end: x.end(n)}, start, flags)
	x.nested--
	return d, true
}

// functionParts reads the type parameters, parameters, result and body of a
// function and gives its result. Of a definition it sets the parameters.
func (x *Extractor) functionParts(n *node, d code.DefID) code.ExprID {
	if !x.enter() {
		return 0
	}
	defer x.leave()
	f := n.FunctionLikeData()
	ctx, keep := x.context, x.keepSelf
	x.context, x.keepSelf = contextual{}, false
	outer, wasInner, narrowed := x.function, x.inner, len(x.narrowed)
	x.function = function{body: true}
	x.inner = true
	x.open()
	if n.Kind == syntax.KindFunctionExpression && d != code.NoDef {
		if id, _ := x.spelled(n.AsFunctionExpression().Name()); id != 0 {
			x.bind(id, asValue, toDef, int32(d))
		}
	}
	typeParams := x.typeParameters(f.TypeParameters)
	params := x.parameters(f.Parameters, ctx, d)
	if d != code.NoDef {
		x.doc.Defs[d].TypeParams, x.doc.Defs[d].Params = typeParams, params
	}
	var result code.ExprID
	if f.Type != nil {
		result = x.of(x.typ(f.Type))
		x.function.annotated = result != 0
		if x.function.expected = result; n.ModifierFlags()&syntax.ModifierFlagsAsync != 0 {
			x.function.expected = x.builder.Unary(code.OpAwait, result)
		}
	}
	if f.FullSignature != nil {
		x.typ(f.FullSignature)
	}
	if body := n.Body(); body != nil {
		if body.Kind == syntax.KindBlock {
			statements := body.AsBlock().Statements.Nodes
			x.hoist(statements, false)
			if x.hasVar {
				x.hoistVars(statements)
			}
			x.statements(statements)
		} else {
			x.expecting(body, x.function.expected)
			x.returned(x.expr(body, code.RoleRead, !x.function.annotated))
		}
		if !x.function.annotated {
			result = x.inferred(n)
		}
	}
	x.close()
	x.function, x.inner, x.keepSelf = outer, wasInner, keep
	x.narrowed = x.narrowed[:narrowed]
	return result
}

// returned notes a value that the function at hand returns.
func (x *Extractor) returned(e code.ExprID) {
	if e != 0 && x.function.count < maxMerged {
		x.function.count++
		x.function.returns = x.builder.Union(x.function.returns, e)
	}
}

// inferred is what a function without a written result gives by its body.
func (x *Extractor) inferred(n *node) code.ExprID {
	if body := n.BodyData(); body != nil && body.AsteriskToken != nil {
		return x.function.yields
	}
	if n.ModifierFlags()&syntax.ModifierFlagsAsync != 0 {
		return x.promise(x.builder.Unary(code.OpAwait, x.function.returns))
	}
	return x.function.returns
}

// promise is a Promise of a value, which may be unknown.
func (x *Extractor) promise(e code.ExprID) code.ExprID {
	return x.builder.Unary(code.OpOf, x.builder.Expr(code.OpGeneric, int32(x.nameExpr(fixedPromise)), int32(x.builder.List(x.typeOf(e)))))
}

// nameExpr is a free name.
func (x *Extractor) nameExpr(fixed int) code.ExprID {
	return x.builder.Expr(code.OpName, int32(x.named(x.fixed(fixed))), 0)
}

// typeParameters declares type parameters and gives their list.
func (x *Extractor) typeParameters(list *syntax.NodeList) code.ExprID {
	if list == nil || len(list.Nodes) == 0 {
		return 0
	}
	mark := len(x.list)
	for _, n := range list.Nodes {
		x.list = append(x.list, x.typeParameter(n))
	}
	for _, n := range list.Nodes {
		p := n.AsTypeParameterDeclaration()
		if p.Constraint != nil {
			t := x.typ(p.Constraint)
			if id, _ := x.spelled(p.Name()); id != 0 {
				if b := &x.bindings[x.here(id, inTypes)]; b.to == toLocal {
					x.setLocal(code.LocalID(b.id), t)
				}
			}
		}
		if p.DefaultType != nil {
			x.typ(p.DefaultType)
		}
	}
	return x.takeList(mark)
}

// typeParameter declares one type parameter.
func (x *Extractor) typeParameter(n *node) code.ExprID {
	id, start := x.spelled(n.AsTypeParameterDeclaration().Name())
	if id == 0 {
		return 0
	}
	l := x.addLocal(id, start, code.KindTypeParameter, asType)
	if l < 0 {
		return 0
	}
	return x.builder.Expr(code.OpLocal, int32(l), 0)
}

// takeList makes an OpList of the scratch list from a mark on.
func (x *Extractor) takeList(mark int) code.ExprID {
	e := x.builder.List(x.list[mark:]...)
	x.list = x.list[:mark]
	return e
}

// parameters declares and reads parameters and gives their list. d is the definition they belong to.
func (x *Extractor) parameters(list *syntax.NodeList, ctx contextual, d code.DefID) code.ExprID {
	if list == nil || len(list.Nodes) == 0 {
		return 0
	}
	for _, n := range list.Nodes {
		if name := n.AsParameterDeclaration().Name(); !x.isThis(name) {
			x.declarePattern(name, code.KindParameter)
		}
	}
	mark := len(x.list)
	i := 0
	for _, n := range list.Nodes {
		p := n.AsParameterDeclaration()
		if x.isThis(p.Name()) {
			if p.Type != nil {
				if t := x.of(x.typ(p.Type)); t != 0 {
					x.setReceiver(receiver{self: t, def: code.NoDef})
				}
			}
			continue
		}
		e := x.parameter(n, ctx, i, d)
		x.list = append(x.list, e)
		i++
	}
	return x.takeList(mark)
}

func (x *Extractor) isThis(name *node) bool {
	return name != nil && name.Kind == syntax.KindIdentifier && name.Text() == "this"
}

// parameter reads parameter i and gives its OpLocal; 0 when it is a pattern.
func (x *Extractor) parameter(n *node, ctx contextual, i int, d code.DefID) code.ExprID {
	p := n.AsParameterDeclaration()
	x.decorators(n)
	if d != code.NoDef && p.DotDotDotToken != nil {
		x.doc.Defs[d].Flags |= code.DefVariadic
	}
	var value code.ExprID
	written := false
	if p.Type != nil {
		value = x.of(x.typ(p.Type))
		written = value != 0
	}
	if !written {
		value = x.contextualParameter(ctx, i)
	}
	if p.Initializer != nil {
		init := x.expr(p.Initializer, code.RoleRead, !written)
		if !written {
			value = x.builder.Union(value, init)
		}
	}
	name := p.Name()
	if name == nil {
		return 0
	}
	if isPattern(name) {
		x.pattern(name, value)
		return 0
	}
	id, start := x.spelled(name)
	if id == 0 {
		return 0
	}
	b := x.find(id, inValues)
	if written {
		x.annotate(b, value)
	} else {
		x.merge(b, value)
	}
	if n.Parent != nil && n.Parent.Kind == syntax.KindConstructor && x.selfDef != code.NoDef {
		x.parameterProperty(n, id, start, value)
	}
	if x.outline {
		return 0
	}
	return x.denotes(b)
}

// contextualParameter is parameter i of a function literal by the place where it stands.
func (x *Extractor) contextualParameter(ctx contextual, i int) code.ExprID {
	switch {
	case i == 0 && ctx.first != 0:
		return ctx.first
	case i == 1 && ctx.second != 0:
		return ctx.second
	case ctx.callee == 0 || i > 15:
		return 0
	}
	return x.builder.Expr(code.OpArg, int32(ctx.callee), int32(ctx.arg*16+i))
}

// contextOf makes a declared function type the context of the function literal that is read next.
func (x *Extractor) contextOf(t code.ExprID, annotation *node) {
	if t == 0 {
		x.context = contextual{}
		return
	}
	x.context = contextual{
		// The parameters of a value of type t are those of the first argument of a function that takes one.
		callee: x.builder.Unary(code.OpOf, x.builder.Expr(code.OpSignature, int32(x.builder.List(t)), 0)),
		first:  x.props(annotation, t),
	}
}
