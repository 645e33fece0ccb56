package link

import (
	"slices"

	"manito/internal/code"
	"manito/internal/lang"
)

// user links the uses of one file.
type user struct {
	evaluator
	file int32
	doc  *code.Document
	out  *File
}

// linkUses resolves every use of a file into edges and sites.
func (l *linker) linkUses(file int32) {
	u := &user{evaluator: evaluator{linker: l, own: file}, file: file, doc: l.doc(file), out: &l.out[file]}
	u.out.Edges = make([]code.Edge, 0, len(u.doc.Uses)/3+8)
	u.imports()
	for i := range u.doc.Uses {
		u.use(&u.doc.Uses[i])
	}
	l.memo[file], l.memoSet[file] = nil, nil
}

// imports makes the edges from the file to what it imports.
func (u *user) imports() {
	for i := range u.out.Imports {
		imp := &u.doc.Imports[i]
		o := &u.out.Imports[i]
		switch o.Target {
		case lang.TargetUnresolved, lang.TargetDirectory:
			if o.Target == lang.TargetUnresolved {
				u.out.Sites = append(u.out.Sites, code.Site{Source: code.NoDef, Name: imp.Specifier, Start: imp.Start, Role: code.RoleImport, Reason: code.SiteUnresolvedModule})
			}
		default:
			u.out.Edges = append(u.out.Edges, code.Edge{Source: code.NoDef, Target: o.Key, Start: imp.Start, Kind: code.EdgeImports, Certainty: code.Must, Reason: code.ReasonImportPath})
		}
	}
}

func (u *user) use(use *code.Use) {
	u.refuel()
	if use.Expr == 0 {
		switch {
		case use.Name != 0:
			u.site(use, code.SiteUnknownReceiver, 0)
		case use.Role == code.RoleCall || use.Role == code.RoleNew:
			u.site(use, code.SiteDynamic, 0)
		}
		return
	}
	ex := u.doc.Exprs[use.Expr]
	switch ex.Op {
	case code.OpLocal:
		if use.Role == code.RoleCall {
			u.site(use, code.SiteValue, 0) // a function held in a parameter or local variable
		}
	case code.OpDef:
		u.edge(use, u.base[u.file]+ex.A, code.ReasonFileScope, code.Must)
	case code.OpImport:
		u.entity(use, u.importEntity(u.file, code.ImportID(ex.A), 0))
	case code.OpName:
		u.entity(use, u.name(u.file, u.doc.Names[ex.A]))
	case code.OpMember:
		u.member(use, ex)
	case code.OpSuper:
		if use.Role == code.RoleCall {
			u.superCall(use, ex)
		}
	case code.OpUnion:
		var c choice
		u.bound(&c, use.Expr)
		u.choose(use, c)
	case code.OpThis, code.OpClass, code.OpBuiltin:
	default:
		if use.Role == code.RoleCall && use.Name == 0 {
			u.site(use, code.SiteValue, 0)
		}
	}
}

// superCall is super(...): a call of the base's constructor.
func (u *user) superCall(use *code.Use, ex code.Expr) {
	v := Value{kind: vSuper, a: u.canon[u.base[u.file]+ex.A]}
	for _, name := range []string{"constructor", "__init__"} {
		if r := u.typeMember(v, name); len(r.found) == 1 {
			u.edge(use, r.found[0].g, code.ReasonSuper, code.Must)
			return
		}
	}
	open, ext := code.SiteNoMember, int32(0)
	bases := u.bases(v, &open, &ext)
	if len(bases) > 0 {
		u.edge(use, bases[0].v.a, code.ReasonSuper, code.Must)
		return
	}
	u.site(use, open, ext)
}

func (u *user) entity(use *code.Use, n entity) {
	switch n.kind {
	case eDef:
		u.edge(use, n.g, n.reason, code.Must)
	case eModule:
		u.module(use, n.mod)
	case eExternal:
		// An import edge says that the module is imported, and the member that is taken of it has its own site.
		if use.Role != code.RoleImport && !(n.module && use.Role == code.RoleRead) {
			u.site(use, code.SiteExternal, n.ext)
		}
	case eBuiltin:
		// The language's own names are not worth a row each.
	case eValue:
		switch {
		case n.value.kind == vUnion, n.value.kind == vFunc, n.value.kind == vType:
			c := choice{partial: n.value.partial, reason: n.reason, site: code.SiteValue}
			c.values(n.value)
			u.choose(use, c)
		case use.Role == code.RoleCall || use.Role == code.RoleNew:
			u.callValue(use, n.value)
		}
	default:
		u.site(use, n.reason, 0)
	}
}

// choice is what a name denotes that is bound in several ways: in the branches of
// a condition, or by an import with another definition where it fails.
type choice struct {
	defs    []int32
	reason  code.Reason
	partial bool        // one of the ways is not a definition of the repository
	site    code.Reason // why it is not
	ext     int32
}

func (c *choice) add(g int32, reason code.Reason) {
	if !slices.Contains(c.defs, g) {
		c.defs = append(c.defs, g)
		c.reason = reason
	}
}

// values adds the functions and types among a value's alternatives.
func (c *choice) values(v Value) {
	for _, a := range alternatives(v) {
		if a.kind == vFunc || a.kind == vType {
			c.add(a.a, c.reason)
		} else {
			c.partial = true
		}
	}
}

// bound adds what an expression denotes.
func (u *user) bound(c *choice, x code.ExprID) {
	var n entity
	switch ex := u.doc.Exprs[x]; ex.Op {
	case code.OpUnion:
		u.bound(c, code.ExprID(ex.A))
		u.bound(c, code.ExprID(ex.B))
		return
	case code.OpDef:
		c.add(u.impl[u.base[u.file]+ex.A], code.ReasonFileScope)
		return
	case code.OpImport:
		n = u.importEntity(u.file, code.ImportID(ex.A), 0)
	case code.OpName:
		n = u.name(u.file, u.doc.Names[ex.A])
	case code.OpMember:
		r := u.memberExpr(u.file, x)
		for _, f := range r.found {
			c.add(f.g, code.ReasonUnionMember)
		}
		c.partial = c.partial || r.partial || len(r.found) == 0
		return
	default:
		n = entity{kind: eValue, value: u.val(u.file, x, nil), reason: code.ReasonFileScope}
	}
	switch n.kind {
	case eDef:
		c.add(n.g, n.reason)
	case eValue:
		if n.value.nothing() { // f = None: it is not called then
			return
		}
		c.reason = n.reason
		c.values(n.value)
	case eExternal:
		c.partial, c.site, c.ext = true, code.SiteExternal, n.ext
	case eBuiltin:
		c.partial, c.site = true, code.SiteBuiltin
	default:
		c.partial, c.site = true, n.reason
	}
}

// choose makes the edges of a choice. Which of the ways was taken is not known, so
// that only a name with one definition reaches it for certain.
func (u *user) choose(use *code.Use, c choice) {
	certainty := code.May
	switch {
	case len(c.defs) == 0 && (c.site == code.SiteBuiltin || c.site == code.SiteExternal && use.Role == code.RoleImport):
		return
	case len(c.defs) == 0 && c.site != 0:
		u.site(use, c.site, c.ext)
		return
	case len(c.defs) == 0:
		if use.Role == code.RoleCall || use.Role == code.RoleNew {
			u.site(use, code.SiteValue, 0)
		}
		return
	case len(c.defs) == 1 && !c.partial:
		certainty = code.Must
	case len(c.defs) == 1:
		certainty = code.Likely
	}
	for _, g := range c.defs {
		u.edge(use, g, c.reason, certainty)
	}
}

// module is a use of a module as a value: an edge to its file, except where an import edge already says so.
func (u *user) module(use *code.Use, mod Value) {
	if use.Role == code.RoleImport && mod.kind == vModule && mod.b >= 0 {
		u.out.Edges = append(u.out.Edges, code.Edge{Source: code.NoDef, Target: FileKey(u.files[mod.b].Path), Start: use.Start, Kind: code.EdgeImports, Certainty: code.Must, Reason: code.ReasonImportName})
		return
	}
	// const f = require("./f") where the module is one function: calling the module calls it.
	if mod.kind == vModule && mod.b >= 0 && (use.Role == code.RoleCall || use.Role == code.RoleNew) {
		for _, name := range []string{"=", "default"} {
			if i, ok := u.exports[mod.b][name]; ok {
				if n := u.exported(mod.b, i, 0); n.kind == eDef {
					u.edge(use, n.g, code.ReasonImportName, code.Must)
					return
				}
			}
		}
	}
}

func (u *user) member(use *code.Use, ex code.Expr) {
	recv := u.val(u.file, code.ExprID(ex.A), nil)
	r := u.memberOf(recv, u.doc.Names[ex.B])
	switch {
	case len(r.found) == 1:
		f := r.found[0]
		certainty := code.Must
		if r.partial || recv.partial {
			certainty = code.Likely
		}
		u.edge(use, f.g, u.reason(code.ExprID(ex.A), recv, r), certainty)
	case len(r.found) > 1:
		for _, f := range r.found {
			u.edge(use, f.g, code.ReasonUnionMember, code.May)
		}
	case r.module.kind == eModule:
		u.module(use, r.module.mod)
	case r.module.kind == eValue:
		if use.Role == code.RoleCall || use.Role == code.RoleNew {
			u.callValue(use, r.module.value)
		}
	case r.site == code.SiteBuiltin:
		// Members of built-in types are the language's own.
	case recv.kind == vObject:
		u.site(use, code.SiteNoMember, 0)
	default:
		u.site(use, r.site, r.ext)
	}
}

// callValue is a call of something that has no definition of its own name: an alias of a function, an exported expression.
func (u *user) callValue(use *code.Use, v Value) {
	switch v.kind {
	case vFunc:
		u.edge(use, v.a, code.ReasonImportPath, code.Must)
	case vType:
		u.edge(use, v.a, code.ReasonImportPath, code.Must)
	case vExternal:
		u.site(use, code.SiteExternal, v.a)
	default:
		u.site(use, code.SiteValue, 0)
	}
}

// reason says how a receiver's type was known.
func (u *user) reason(x code.ExprID, recv Value, r lookup) code.Reason {
	if r.module.kind == eDef {
		return r.module.reason
	}
	if len(r.found) > 0 && r.found[0].promoted && recv.kind != vSuper {
		return code.ReasonPromoted
	}
	switch recv.kind {
	case vType, vSpace:
		return code.ReasonStatic
	case vSuper:
		return code.ReasonSuper
	case vObject:
		return code.ReasonLiteral
	}
	for range 8 {
		ex := u.doc.Exprs[x]
		switch ex.Op {
		case code.OpThis, code.OpClass:
			return code.ReasonThis
		case code.OpNew:
			return code.ReasonNew
		case code.OpOf:
			return code.ReasonAnnotation
		case code.OpMember:
			return code.ReasonField
		case code.OpCall, code.OpResult, code.OpAwait:
			if ex.Op == code.OpCall && u.val(u.file, code.ExprID(ex.A), nil).kind == vType {
				return code.ReasonNew
			}
			return code.ReasonResult
		case code.OpElem, code.OpKey, code.OpIter:
			return code.ReasonElement
		case code.OpArg:
			return code.ReasonContextual
		case code.OpLocal:
			if t := u.doc.Locals[ex.A].Type; t != 0 {
				x = t
				continue
			}
		case code.OpDef:
			if t := u.doc.Defs[ex.A].Type; t != 0 {
				x = t
				continue
			}
		case code.OpDeref, code.OpAddr, code.OpUnion:
			x = code.ExprID(ex.A)
			continue
		}
		break
	}
	return code.ReasonAnnotation
}

// edge adds an edge from the use's scope to a definition.
func (u *user) edge(use *code.Use, g int32, reason code.Reason, certainty code.Certainty) {
	g = u.impl[g]
	source := use.Scope
	kind := u.edgeKind(use.Role, u.def(g).Kind)
	if use.Role == code.RoleImport {
		source = code.NoDef
	}
	u.out.Edges = append(u.out.Edges, code.Edge{Source: source, Target: u.key(g), Start: use.Start, Kind: kind, Certainty: certainty, Reason: reason})
}

// edgeKind says what a use in a role does to a symbol of a kind.
func (l *linker) edgeKind(role code.Role, kind code.Kind) code.EdgeKind {
	switch role {
	case code.RoleCall:
		if kind.IsType() {
			if l.in.Rules.CallMakesInstance || kind == code.KindClass {
				return code.EdgeInstantiates
			}
			return code.EdgeUsesType
		}
		return code.EdgeCalls
	case code.RoleNew:
		return code.EdgeInstantiates
	case code.RoleType:
		return code.EdgeUsesType
	case code.RoleExtend:
		return code.EdgeExtends
	case code.RoleImplement:
		return code.EdgeImplements
	case code.RoleImport:
		return code.EdgeImports
	case code.RoleDecorate:
		return code.EdgeDecorates
	case code.RoleWrite, code.RoleReadWrite:
		return code.EdgeWrites
	}
	if kind.IsType() && l.in.Rules.PackageScope {
		return code.EdgeUsesType // a type read as an expression: a conversion's or method expression's operand
	}
	return code.EdgeReads
}

func (u *user) site(use *code.Use, reason code.Reason, ext int32) {
	s := code.Site{Source: use.Scope, Name: use.Name, Start: use.Start, Role: use.Role, Reason: reason}
	if reason == code.SiteExternal {
		s.Package = u.externals[ext].Key
	}
	u.out.Sites = append(u.out.Sites, s)
}
