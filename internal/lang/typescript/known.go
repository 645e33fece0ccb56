package typescript

import "manito/internal/code"

// knownCallee is a function of the language or of React whose result follows
// from its arguments in a way that no declaration in the repository says.
type knownCallee uint8

const (
	unknownCall   knownCallee = iota
	callValues                // Object.values(x)
	callEntries               // Object.entries(x)
	callKeys                  // Object.keys(x)
	callFrom                  // Array.from(x), Array.of is like an array literal
	callSame                  // Object.freeze(x), Object.assign(x, ...), structuredClone(x)
	callAll                   // Promise.all([...])
	callResolve               // Promise.resolve(x)
	callCreate                // Object.create(x)
	callState                 // useState(x)
	callRef                   // useRef(x)
	callMemo                  // useMemo(() => x)
	callCallback              // useCallback(f)
	callLazy                  // lazy(() => import("x"))
	callComponent             // memo(f), forwardRef(f)
)

var languageCalls = map[string]map[string]knownCallee{
	"Object": {
		"values": callValues, "entries": callEntries, "keys": callKeys, "getOwnPropertyNames": callKeys, "freeze": callSame, "seal": callSame,
		"assign": callSame, "create": callCreate,
	},
	"Array":   {"from": callFrom},
	"Promise": {"all": callAll, "resolve": callResolve},
	"Reflect": {"ownKeys": callKeys},
}

var reactCalls = map[string]knownCallee{
	"useState": callState, "useRef": callRef, "createRef": callRef, "useMemo": callMemo, "useCallback": callCallback, "lazy": callLazy, "memo": callComponent, "forwardRef": callComponent,
}

// recognised is a known callee with what its type arguments say.
type recognised struct {
	known   knownCallee
	typeArg code.ExprID
	props   code.ExprID
}

// knownCall recognises a known callee.
func (x *Extractor) knownCall(f code.ExprID) (k recognised) {
	if f == 0 {
		return k
	}
	e := x.doc.Exprs[f]
	var args code.ExprID
	if e.Op == code.OpGeneric {
		args = code.ExprID(e.B)
		k.typeArg = x.head(args)
		e = x.doc.Exprs[e.A]
	}
	switch e.Op {
	case code.OpMember:
		object := x.doc.Exprs[e.A]
		switch object.Op {
		case code.OpName:
			if table, ok := languageCalls[x.names[object.A]]; ok {
				k.known = table[x.names[e.B]]
			}
		case code.OpImport:
			if imp := &x.doc.Imports[object.A]; x.isReact(imp) && (imp.Kind == code.ImportModule || imp.Name != 0 && x.names[imp.Name] == "default") {
				k.known = reactCalls[x.names[e.B]]
			}
		}
	case code.OpImport:
		switch imp := &x.doc.Imports[e.A]; {
		case imp.Kind == code.ImportNamed && x.isReact(imp):
			k.known = reactCalls[x.names[imp.Name]]
		case x.names[imp.Specifier] == "next/dynamic" || x.names[imp.Specifier] == "@loadable/component":
			k.known = callLazy
		}
	case code.OpName:
		if x.names[e.A] == "structuredClone" {
			k.known = callSame
		}
	}
	if k.known == callComponent && args != 0 {
		// forwardRef<Ref, Props>(props => ...), memo<Props>(props => ...)
		if t := x.tail(args); t != 0 {
			args = t
		}
		k.props = x.of(x.head(args))
	}
	return k
}

func (x *Extractor) isReact(imp *code.Import) bool {
	switch x.names[imp.Specifier] {
	case "react", "preact/hooks", "preact/compat", "preact":
		return true
	}
	return false
}

// knownResult is the result of a known call, given the value of its first argument.
func (x *Extractor) knownResult(k recognised, first code.ExprID) code.ExprID {
	switch k.known {
	case callValues:
		return x.of(x.arrayOf(x.typeOf(x.builder.Unary(code.OpElem, first))))
	case callEntries:
		pair := x.builder.List(x.literal(typeString), x.typeOf(x.builder.Unary(code.OpElem, first)))
		return x.of(x.arrayOf(x.builder.Expr(code.OpTuple, int32(pair), 0)))
	case callKeys:
		return x.of(x.arrayOf(x.literal(typeString)))
	case callFrom:
		return x.of(x.arrayOf(x.typeOf(x.builder.Unary(code.OpIter, first))))
	case callSame, callCreate, callCallback, callComponent:
		return first
	case callResolve:
		return x.promise(x.builder.Unary(code.OpAwait, first))
	case callAll:
		return x.promise(x.awaitedAll(first))
	case callState:
		t := k.typeArg
		if t == 0 {
			t = x.typeOf(x.resultIfFunction(first))
		}
		return x.of(x.builder.Expr(code.OpTuple, int32(x.builder.List(t, x.builder.Expr(code.OpSignature, 0, 0))), 0))
	case callRef:
		t := k.typeArg
		if t == 0 {
			t = x.typeOf(first)
		}
		if t == 0 {
			return 0
		}
		field := x.builder.Expr(code.OpField, int32(x.name("current")), int32(x.of(t)))
		return x.builder.Expr(code.OpObject, int32(x.builder.List(field)), 0)
	case callMemo:
		if k.typeArg != 0 {
			return x.of(k.typeArg)
		}
		return x.resultIfFunction(first)
	case callLazy:
		return x.lazy(first)
	}
	return 0
}

// resultIfFunction is what a value gives that may be a function literal: its result.
func (x *Extractor) resultIfFunction(v code.ExprID) code.ExprID {
	if e := x.doc.Exprs[v]; e.Op == code.OpFunc {
		return code.ExprID(e.B)
	}
	return v
}

// awaitedAll is the value of awaiting all elements of an array or tuple.
func (x *Extractor) awaitedAll(v code.ExprID) code.ExprID {
	if v == 0 {
		return 0
	}
	if e := x.doc.Exprs[v]; e.Op == code.OpOf && x.doc.Exprs[e.A].Op == code.OpTuple {
		mark := len(x.list)
		for l := code.ExprID(x.doc.Exprs[e.A].A); l != 0; l = x.tail(l) {
			x.list = append(x.list, x.typeOf(x.builder.Unary(code.OpAwait, x.of(x.head(l)))))
		}
		return x.of(x.builder.Expr(code.OpTuple, int32(x.takeList(mark)), 0))
	}
	return x.of(x.arrayOf(x.typeOf(x.builder.Unary(code.OpAwait, x.builder.Unary(code.OpElem, v)))))
}

// lazy is the component that () => import("x") stands for: the module's default export.
func (x *Extractor) lazy(v code.ExprID) code.ExprID {
	v = x.resultIfFunction(v)
	e := x.doc.Exprs[v]
	if e.Op != code.OpOf || x.doc.Exprs[e.A].Op != code.OpGeneric {
		return 0
	}
	t := x.head(code.ExprID(x.doc.Exprs[e.A].B))
	if t == 0 || x.doc.Exprs[t].Op != code.OpTypeOf {
		return 0
	}
	module := code.ExprID(x.doc.Exprs[t].A)
	if m := x.doc.Exprs[module]; m.Op == code.OpAwait { // async () => await import("x")
		return 0
	}
	if x.doc.Exprs[module].Op != code.OpImport {
		return 0
	}
	return x.builder.Member(module, x.named(x.fixed(fixedDefault)))
}
