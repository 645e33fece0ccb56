package link

import (
	"slices"

	"manito/internal/code"
	"manito/internal/lang"
)

// ekind says what a name denotes.
type ekind uint8

const (
	eNone     ekind = iota // nothing was found; reason says why
	eDef                   // definition g
	eModule                // module target
	eExternal              // something of external package ext
	eBuiltin               // something of the language
	eValue                 // a value without a definition
)

// entity is what a name denotes, and why.
type entity struct {
	kind   ekind
	reason code.Reason
	g      int32
	ext    int32
	mod    Value // for eModule
	value  Value // for eValue, and for eDef members the value in the receiver's environment
	hasVal bool
	module bool   // for eExternal: the module itself, not a member of it
	name   string // for eBuiltin
}

func none(reason code.Reason) entity { return entity{kind: eNone, reason: reason} }

// entityValue is the value of what a name denotes.
func (e *evaluator) entityValue(n entity) Value {
	if n.hasVal {
		return n.value
	}
	switch n.kind {
	case eDef:
		return e.named(n.g)
	case eModule:
		return n.mod
	case eExternal:
		return Value{kind: vExternal, a: n.ext}
	case eBuiltin:
		return builtinValue(n.name)
	}
	return Value{}
}

// name resolves a name that its own file does not bind.
func (e *evaluator) name(file int32, name string) entity {
	if e.in.Rules.PackageScope {
		if g, ok := e.top[topKey{e.fileScope[file], name}]; ok {
			return entity{kind: eDef, g: g, reason: code.ReasonPackage}
		}
	}
	doc := e.doc(file)
	missing := entity{kind: eNone, reason: code.SiteGlobal}
	for i := range doc.Imports {
		imp := &doc.Imports[i]
		t := &e.targets[file][i]
		switch {
		case imp.Kind == code.ImportStar:
			mod := e.moduleValue(*t)
			if !e.starAllows(mod, name) {
				continue
			}
			m := e.moduleMember(mod, name, 0)
			switch m.kind {
			case eDef, eModule, eValue:
				m.reason = code.ReasonStarImport
				return m
			case eExternal:
				missing = m
			case eNone:
				if t.kind == lang.TargetUnresolved && missing.kind == eNone {
					missing.reason = code.SiteUnresolvedModule
				}
			}
		case e.in.Rules.PackageScope && imp.Kind == code.ImportModule && t.kind == lang.TargetScope && e.scopes[t.scope].pkg == name:
			// The package's clause differs from the last element of its path.
			return entity{kind: eModule, mod: e.moduleValue(*t), reason: code.ReasonImportName}
		}
	}
	if r, ok := e.globals[name]; ok {
		n := e.exported(r.file, r.export, 0)
		if n.kind == eDef {
			n.reason = code.ReasonPackage
		}
		return n
	}
	if _, ok := e.in.Rules.Builtins[name]; ok {
		return entity{kind: eBuiltin, name: name, reason: code.SiteBuiltin}
	}
	return missing
}

// maxHops bounds chains of re-exports; a longer one is a cycle.
const maxHops = 32

// importEntity is what an import binds.
func (e *evaluator) importEntity(file int32, i code.ImportID, hops int) entity {
	doc := e.doc(file)
	imp := &doc.Imports[i]
	t := e.targets[file][i]
	if b := e.bound[file]; b != nil && b[i].file != -2 {
		t = b[i]
	}
	mod := e.moduleValue(t)
	if mod.kind == vUnknown {
		return none(code.SiteUnresolvedModule)
	}
	if (imp.Kind == code.ImportNamed || imp.Kind == code.ImportReexport) && imp.Name != 0 && doc.Names[imp.Name] != "*" {
		if hops > maxHops {
			return none(code.SiteNoExport)
		}
		n := e.moduleMember(mod, doc.Names[imp.Name], hops+1)
		if n.kind == eDef && n.reason != code.ReasonReexport && n.reason != code.ReasonStarImport {
			n.reason = code.ReasonImportName
		}
		return n
	}
	if mod.kind == vExternal {
		return entity{kind: eExternal, ext: mod.a, reason: code.SiteExternal, module: true}
	}
	return entity{kind: eModule, mod: mod, reason: code.ReasonImportName}
}

// moduleMember is what a module exports under a name.
func (e *evaluator) moduleMember(mod Value, name string, hops int) entity {
	switch mod.kind {
	case vExternal:
		return entity{kind: eExternal, ext: mod.a, reason: code.SiteExternal}
	case vDir:
		return e.submodule(mod.ext.name+"/__init__.py", name)
	case vModule:
	default:
		return none(code.SiteUnresolvedModule)
	}
	if mod.b < 0 {
		if g, ok := e.top[topKey{mod.a, name}]; ok {
			return entity{kind: eDef, g: g, reason: code.ReasonImportPath}
		}
		return none(code.SiteNoExport)
	}
	file := mod.b
	if i, ok := e.exports[file][name]; ok {
		n := e.exported(file, i, hops)
		if n.kind != eNone || !e.in.Rules.SubmodulesAreMembers {
			return n
		}
	}
	if hops > maxHops {
		return none(code.SiteNoExport)
	}
	doc := e.doc(file)
	missing := none(code.SiteNoExport)
	if name != "default" || e.in.Rules.SubmodulesAreMembers {
		for i := range doc.Exports {
			if x := &doc.Exports[i]; doc.Names[x.Name] == "*" && x.Import >= 0 {
				if n := e.starMember(file, x.Import, name, hops, &missing); n.kind != eNone {
					return n
				}
			}
		}
		if e.in.Rules.SubmodulesAreMembers {
			for i := range doc.Imports {
				if doc.Imports[i].Kind == code.ImportStar && doc.Imports[i].Scope == code.NoDef {
					if n := e.starMember(file, code.ImportID(i), name, hops, &missing); n.kind != eNone {
						return n
					}
				}
			}
			if n := e.submodule(e.files[file].Path, name); n.kind != eNone {
				return n
			}
		}
	}
	// A module whose whole value is one thing: module.exports = x, export = x.
	if i, ok := e.exports[file]["="]; ok && name != "=" {
		whole := e.exported(file, i, hops+1)
		if name == "default" {
			return whole
		}
		r := e.memberOf(e.entityValue(whole), name)
		if len(r.found) > 0 {
			n := r.found[0]
			return entity{kind: eDef, g: n.g, reason: code.ReasonImportPath}
		}
		if whole.kind == eExternal {
			return whole
		}
	}
	return missing
}

func (e *evaluator) starMember(file int32, i code.ImportID, name string, hops int, missing *entity) entity {
	t := e.targets[file][i]
	mod := e.moduleValue(t)
	if !e.starAllows(mod, name) {
		return entity{}
	}
	n := e.moduleMember(mod, name, hops+1)
	switch n.kind {
	case eDef, eModule, eValue:
		n.reason = code.ReasonReexport
		return n
	case eExternal:
		*missing = n
	case eNone:
		if t.kind == lang.TargetUnresolved && missing.kind == eNone {
			missing.reason = code.SiteUnresolvedModule
		}
	}
	return entity{}
}

// submodule is a module below a package, when the language reaches it as a member.
func (e *evaluator) submodule(from, name string) entity {
	t := e.in.Modules.Resolve(from, &code.Import{Kind: code.ImportModule, Relative: 1}, name)
	if t.Kind != lang.TargetScope && t.Kind != lang.TargetDirectory {
		return none(code.SiteNoExport)
	}
	if t.Kind == lang.TargetScope {
		id, ok := e.scopeIDs[t.Scope]
		if !ok || len(e.scopes[id].files) == 0 {
			return none(code.SiteNoExport)
		}
		file := e.scopes[id].files[0]
		if f, ok := e.fileIDs[t.Path]; ok && e.fileScope[f] == id {
			file = f
		}
		if e.files[file].Path == from {
			return none(code.SiteNoExport)
		}
		return entity{kind: eModule, mod: Value{kind: vModule, a: id, b: file}, reason: code.ReasonImportPath}
	}
	return entity{kind: eModule, mod: Value{kind: vDir, ext: &ext{name: t.Path}}, reason: code.ReasonImportPath}
}

// exported is what entry i of a file's exports denotes.
func (e *evaluator) exported(file, i int32, hops int) entity {
	doc := e.doc(file)
	x := doc.Exports[i].Expr
	if x == 0 {
		return entity{kind: eValue, hasVal: true, reason: code.ReasonImportPath}
	}
	switch ex := doc.Exprs[x]; ex.Op {
	case code.OpDef:
		return entity{kind: eDef, g: e.impl[e.base[file]+ex.A], reason: code.ReasonImportPath}
	case code.OpImport:
		if hops > maxHops {
			return none(code.SiteNoExport)
		}
		n := e.importEntity(file, code.ImportID(ex.A), hops+1)
		if n.kind == eDef {
			n.reason = code.ReasonReexport
		}
		return n
	case code.OpName:
		return e.name(file, doc.Names[ex.A])
	case code.OpMember:
		if r := e.memberExpr(file, x); len(r.found) == 1 {
			return entity{kind: eDef, g: r.found[0].g, reason: code.ReasonReexport}
		}
	case code.OpUnion:
		if g, ok := e.sole(ref{file, i}, x, hops); ok {
			return entity{kind: eDef, g: g, reason: code.ReasonImportPath}
		}
	}
	return entity{kind: eValue, value: e.val(file, x, nil), hasVal: true, reason: code.ReasonImportPath}
}

// sole is the one definition to which all the ways lead in which an exported name
// is bound. A module that imports its own name (in a main guard, say) binds nothing new.
func (e *evaluator) sole(export ref, x code.ExprID, hops int) (g int32, ok bool) {
	if slices.Contains(e.open, export) || hops > maxHops {
		return 0, false
	}
	e.open = append(e.open, export)
	defer func() { e.open = e.open[:len(e.open)-1] }()
	doc := e.doc(export.file)
	g = -1
	for more := true; more; {
		leaf := doc.Exprs[x]
		if more = leaf.Op == code.OpUnion; more {
			x, leaf = code.ExprID(leaf.B), doc.Exprs[leaf.A]
		}
		var n entity
		switch leaf.Op {
		case code.OpDef:
			n = entity{kind: eDef, g: e.impl[e.base[export.file]+leaf.A]}
		case code.OpImport:
			if e.imports(export.file, code.ImportID(leaf.A), e.open) {
				continue
			}
			n = e.importEntity(export.file, code.ImportID(leaf.A), hops+1)
		}
		if n.kind != eDef || g >= 0 && e.key(g) != e.key(n.g) {
			return 0, false
		}
		g = n.g
	}
	return g, g >= 0
}

// imports says whether an import asks for one of the exports that are being looked at.
func (e *evaluator) imports(file int32, i code.ImportID, exports []ref) bool {
	doc := e.doc(file)
	imp, t := &doc.Imports[i], e.targets[file][i]
	if imp.Kind != code.ImportNamed || t.kind != lang.TargetScope || t.file < 0 {
		return false
	}
	x, ok := e.exports[t.file][doc.Names[imp.Name]]
	return ok && slices.Contains(exports, ref{t.file, x})
}
