package link

import (
	"cmp"
	"slices"
	"strconv"

	"manito/internal/code"
)

// dispatch adds the edges by which a call of an interface or base method reaches
// its implementations: "overrides" from a method to the method that it stands in
// for, and "implements" from a type to an interface whose methods it has.
func (l *linker) dispatch() {
	e := &evaluator{linker: l, own: int32(len(l.files))} // writes no memo
	if l.in.Rules.StructuralInterfaces {
		e.structural()
	}
	if l.in.Rules.VirtualMethods {
		e.virtual()
	}
}

func (e *evaluator) add(g int32, ed code.Edge) {
	f := e.defFile[g]
	ed.Source = code.DefID(g - e.base[f])
	ed.Start = e.def(g).NameStart
	e.out[f].Edges = append(e.out[f].Edges, ed)
}

// virtual adds, for each method of a class, the nearest base method of the same name.
func (e *evaluator) virtual() {
	for g := range e.defFile {
		g := int32(g)
		d := e.def(g)
		e.refuel()
		switch d.Kind {
		case code.KindMethod, code.KindGetter, code.KindSetter:
		default:
			continue
		}
		if d.Parent == code.NoDef || d.Flags&(code.DefStatic|code.DefOverload) != 0 {
			continue
		}
		class := e.base[e.defFile[g]] + int32(d.Parent)
		if !e.def(class).Kind.IsType() {
			continue
		}
		open, ext := code.SiteNoMember, int32(0)
		done := map[int32]bool{}
		for _, b := range e.bases(Value{kind: vInst, a: e.canon[class]}, &open, &ext) {
			m, ok := e.ownMember(b.v.a, e.defName(g), vInst)
			if !ok || done[m] {
				continue
			}
			m = e.impl[m]
			done[m] = true
			if !e.def(m).Kind.Callable() {
				break
			}
			e.add(g, code.Edge{Target: e.key(m), Kind: code.EdgeOverrides, Certainty: code.May, Reason: code.ReasonOverride})
			if b.depth == 1 && e.def(b.v.a).Kind != code.KindInterface {
				break // what the base overrides in turn is its own edge
			}
		}
	}
}

// method is an entry of a method set.
type method struct {
	g int32
}

// structural matches every concrete type's method set against every interface's.
func (e *evaluator) structural() {
	type iface struct {
		g       int32
		names   []string
		methods map[string]method
	}
	var ifaces []iface
	sets := make(map[int32]map[string]method)
	byName := make(map[string][]int32) // method name -> concrete types
	sig := make(map[int32]string)
	signature := func(g int32) string {
		s, ok := sig[g]
		if !ok {
			e.refuel()
			s = e.signature(g)
			sig[g] = s
		}
		return s
	}
	methodsOf := make(map[int32][]int32) // canon type -> methods
	for g := range e.defFile {
		g := int32(g)
		d := e.def(g)
		if d.Kind != code.KindMethod {
			continue
		}
		var owner int32
		switch {
		case d.Owner != 0:
			f := e.defFile[g]
			o, ok := e.top[topKey{e.fileScope[f], e.doc(f).Names[d.Owner]}]
			if !ok {
				continue
			}
			owner = e.canon[o]
		case d.Parent != code.NoDef:
			owner = e.canon[e.base[e.defFile[g]]+int32(d.Parent)]
		}
		methodsOf[owner] = append(methodsOf[owner], g)
	}
	// methodSet collects own and promoted methods; complete is false when an embedded type is not known.
	methodSet := func(g int32) (set map[string]method, complete bool) {
		e.refuel()
		set = map[string]method{}
		open, ext := code.SiteNoMember, int32(0)
		own := append([]visit{{Value{kind: vInst, a: g}, 0}}, e.bases(Value{kind: vInst, a: g}, &open, &ext)...)
		for _, v := range own {
			for _, m := range methodsOf[v.v.a] {
				name := e.defName(m)
				if _, ok := set[name]; !ok {
					set[name] = method{g: m}
				}
			}
			if e.def(v.v.a).Kind == code.KindType {
				if u := e.underlying(v.v); u.kind == vInst && u.a != v.v.a && e.def(u.a).Kind == code.KindInterface {
					for _, m := range methodsOf[u.a] {
						if _, ok := set[e.defName(m)]; !ok {
							set[e.defName(m)] = method{g: m}
						}
					}
				}
			}
		}
		return set, open == code.SiteNoMember || open == code.SiteBuiltin
	}
	for g := range e.defFile {
		g := int32(g)
		if e.canon[g] != g {
			continue
		}
		d := e.def(g)
		if !d.Kind.IsType() || d.Kind == code.KindTypeParameter || d.Flags&code.DefAlias != 0 {
			continue
		}
		if d.Kind == code.KindInterface {
			set, _ := methodSet(g)
			if len(set) == 0 {
				continue
			}
			names := make([]string, 0, len(set))
			for n := range set {
				names = append(names, n)
			}
			slices.Sort(names)
			ifaces = append(ifaces, iface{g, names, set})
			continue
		}
		if len(methodsOf[g]) == 0 && d.Bases == 0 {
			continue
		}
		set, _ := methodSet(g)
		if len(set) == 0 {
			continue
		}
		sets[g] = set
		for n := range set {
			byName[n] = append(byName[n], g)
		}
	}
	type pair struct{ impl, target int32 }
	overrides := map[pair]bool{}
	perMethod := map[int32]int{}
	for _, in := range ifaces {
		rare := in.names[0]
		for _, n := range in.names {
			if len(byName[n]) < len(byName[rare]) {
				rare = n
			}
		}
		candidates := byName[rare]
		for _, t := range candidates {
			if !e.satisfies(sets[t], in.names, in.methods, signature, e.fileScope[e.defFile[t]] == e.fileScope[e.defFile[in.g]]) {
				continue
			}
			e.add(t, code.Edge{Target: e.key(in.g), Kind: code.EdgeImplements, Certainty: code.Must, Reason: code.ReasonMethodSet})
			for _, n := range in.names {
				// The method may be an interface's: what a struct that embeds an interface hands on.
				p := pair{sets[t][n].g, in.methods[n].g}
				if p.impl != p.target && !overrides[p] {
					overrides[p] = true
					perMethod[p.target]++
				}
			}
		}
	}
	list := make([]pair, 0, len(overrides))
	for p := range overrides {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b pair) int { return cmp.Or(cmp.Compare(a.impl, b.impl), cmp.Compare(a.target, b.target)) })
	for _, p := range list {
		ed := code.Edge{Target: e.key(p.target), Kind: code.EdgeOverrides, Certainty: code.May, Reason: code.ReasonMethodSet}
		if perMethod[p.target] == 1 && e.def(p.impl).Flags&code.DefAbstract == 0 {
			ed.Certainty, ed.Reason = code.Likely, code.ReasonOneImpl
		}
		e.add(p.impl, ed)
	}
}

// satisfies compares names and signatures; unexported methods match in their own package only.
func (e *evaluator) satisfies(set map[string]method, names []string, want map[string]method, signature func(int32) string, samePackage bool) bool {
	for _, n := range names {
		if _, ok := set[n]; !ok {
			return false
		}
		// A member of a type inside of a function does not count as exported; its name on the other side tells.
		if !samePackage && (e.def(want[n].g).Flags|e.def(set[n].g).Flags)&code.DefExported == 0 {
			return false
		}
	}
	for _, n := range names {
		a, b := set[n].g, want[n].g
		if a != b && signature(a) != signature(b) {
			return false
		}
	}
	return true
}

// signature renders a method's parameter and result types with every name
// resolved, so that equal strings mean identical types. Type parameters render
// as "?" and so match each other.
func (e *evaluator) signature(g int32) string {
	d := e.def(g)
	file := e.defFile[g]
	doc := e.doc(file)
	b := []byte{'('}
	for p := d.Params; p != 0; p = code.ExprID(doc.Exprs[p].B) {
		head := doc.Exprs[doc.Exprs[p].A]
		if head.Op == code.OpLocal {
			b = e.appendType(b, file, doc.Locals[head.A].Type, 0)
		} else {
			b = e.appendType(b, file, code.ExprID(doc.Exprs[p].A), 0)
		}
		b = append(b, ',')
	}
	if d.Flags&code.DefVariadic != 0 {
		b = append(b, "..."...)
	}
	b = append(b, ')')
	b = e.appendType(b, file, d.Type, 0)
	return string(b)
}

// appendType renders a type expression (or OpOf of one).
func (e *evaluator) appendType(b []byte, file int32, x code.ExprID, depth int) []byte {
	if x == 0 || depth > 12 {
		return append(b, '_')
	}
	doc := e.doc(file)
	ex := doc.Exprs[x]
	switch ex.Op {
	case code.OpOf:
		return e.appendType(b, file, code.ExprID(ex.A), depth)
	case code.OpBuiltin:
		return append(b, doc.Names[ex.A]...)
	case code.OpName:
		return e.appendEntity(b, e.name(file, doc.Names[ex.A]), doc.Names[ex.A])
	case code.OpDef:
		return e.appendDef(b, e.base[file]+ex.A)
	case code.OpImport:
		return e.appendEntity(b, e.importEntity(file, code.ImportID(ex.A), 0), e.lastName(file, x))
	case code.OpMember:
		if r := e.memberExpr(file, x); len(r.found) == 1 {
			return e.appendDef(b, r.found[0].g)
		}
		b = e.appendType(b, file, code.ExprID(ex.A), depth+1)
		b = append(b, '.')
		return append(b, doc.Names[ex.B]...)
	case code.OpLocal:
		return append(b, '?')
	case code.OpPointer:
		return e.appendType(append(b, '*'), file, code.ExprID(ex.A), depth+1)
	case code.OpArray:
		return e.appendType(append(b, '[', ']'), file, code.ExprID(ex.A), depth+1)
	case code.OpMap:
		b = e.appendType(append(b, "map["...), file, code.ExprID(ex.A), depth+1)
		return e.appendType(append(b, ']'), file, code.ExprID(ex.B), depth+1)
	case code.OpTuple, code.OpSignature, code.OpGeneric:
		b = append(b, '<')
		b = strconv.AppendUint(b, uint64(ex.Op), 10)
		if ex.Op == code.OpGeneric {
			b = e.appendType(b, file, code.ExprID(ex.A), depth+1)
		}
		list := code.ExprID(ex.A)
		if ex.Op == code.OpGeneric {
			list = code.ExprID(ex.B)
		}
		for ; list != 0; list = code.ExprID(doc.Exprs[list].B) {
			b = e.appendType(append(b, ','), file, code.ExprID(doc.Exprs[list].A), depth+1)
		}
		if ex.Op == code.OpSignature {
			b = e.appendType(append(b, ';'), file, code.ExprID(ex.B), depth+1)
		}
		return append(b, '>')
	}
	b = append(b, '#')
	return strconv.AppendUint(b, uint64(ex.Op), 10)
}

func (e *evaluator) appendEntity(b []byte, n entity, name string) []byte {
	switch n.kind {
	case eDef:
		return e.appendDef(b, n.g)
	case eExternal:
		b = append(b, '{')
		b = append(b, e.externals[n.ext].Symbol...)
		b = append(b, '}')
		return append(b, name...)
	case eModule:
		b = strconv.AppendUint(append(b, '{'), uint64(n.mod.a), 10)
		return append(b, '}')
	case eBuiltin:
		switch n.name { // aliases of the language
		case "byte":
			return append(b, "uint8"...)
		case "rune":
			return append(b, "int32"...)
		}
		return append(b, n.name...)
	}
	return append(b, name...)
}

func (e *evaluator) appendDef(b []byte, g int32) []byte {
	if d := e.def(g); d.Flags&code.DefAlias != 0 && d.Type != 0 {
		return e.appendType(b, e.defFile[g], d.Type, 8)
	}
	return strconv.AppendUint(append(b, '$'), uint64(e.key(g)), 36)
}
