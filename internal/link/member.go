package link

import (
	"manito/internal/code"
)

// found is a definition that a member expression may denote.
type found struct {
	g        int32
	owner    Value // the instance or type through which it was found
	promoted bool  // it belongs to a base or embedded type
}

// lookup is the outcome of resolving a member.
type lookup struct {
	found   []found
	partial bool        // some alternative of the receiver is unknown or has no such member
	module  entity      // when the receiver is a module: what the member is
	site    code.Reason // when nothing was found
	ext     int32
}

// memberExpr resolves the member expression x of a file.
func (e *evaluator) memberExpr(file int32, x code.ExprID) lookup {
	doc := e.doc(file)
	ex := doc.Exprs[x]
	return e.memberOf(e.val(file, code.ExprID(ex.A), nil), doc.Names[ex.B])
}

// memberOf resolves a member of a value.
func (e *evaluator) memberOf(v Value, name string) lookup {
	if v.ent != 0 {
		if g, ok := e.members[memberKey{e.canon[v.ent-1], name}]; ok {
			return lookup{found: []found{{g: g, owner: v}}}
		}
	}
	switch v.kind {
	case vModule, vDir:
		n := e.moduleMember(v, name, 0)
		switch n.kind {
		case eDef:
			return lookup{found: []found{{g: n.g}}, module: n}
		case eExternal:
			return lookup{site: code.SiteExternal, ext: n.ext}
		case eNone:
			return lookup{site: n.reason}
		}
		return lookup{module: n}
	case vExternal:
		return lookup{site: code.SiteExternal, ext: v.a}
	case vBuiltin, vArray, vMap, vTuple, vAwait, vMethod:
		return lookup{site: code.SiteBuiltin}
	case vSpace:
		if g, ok := e.members[memberKey{v.a, name}]; ok {
			return lookup{found: []found{{g: g}}}
		}
		return lookup{site: code.SiteNoMember}
	case vType, vInst, vSuper:
		return e.typeMember(v, name)
	case vUnion:
		return e.unionMember(v, name)
	case vBoth:
		out := lookup{site: code.SiteNoMember}
		for _, a := range v.ext.vals {
			r := e.memberOf(a, name)
			if len(r.found) > 0 {
				return r
			}
			if r.site != code.SiteNoMember {
				out = r
			}
		}
		return out
	case vFunc:
		// A function as a value: its own members (nested functions are not reachable so), or the language's.
		if g, ok := e.members[memberKey{e.canon[v.a], name}]; ok && e.def(g).Flags&code.DefStatic != 0 {
			return lookup{found: []found{{g: g}}}
		}
		return lookup{site: code.SiteBuiltin}
	case vObject:
		switch f := e.doc(v.file).Exprs[e.fieldExpr(v, name)]; f.Op {
		case code.OpDef: // a field or method of an anonymous type that has a definition
			return lookup{found: []found{{g: e.base[v.file] + f.A}}}
		case code.OpLocal: // one inside a function: bound in its file
			return lookup{site: code.SiteBuiltin}
		}
		if field := e.field(v, name); field.kind == vFunc {
			return lookup{found: []found{{g: field.a}}}
		}
		return lookup{site: code.SiteNoMember}
	case vSig, vClosure:
		return lookup{site: code.SiteBuiltin}
	}
	return lookup{site: code.SiteUnknownReceiver}
}

func (e *evaluator) unionMember(v Value, name string) lookup {
	out := lookup{partial: v.partial}
	for _, a := range v.ext.vals {
		r := e.memberOf(a, name)
		if len(r.found) == 0 {
			out.partial = true
			out.site, out.ext = r.site, r.ext
			continue
		}
		out.partial = out.partial || r.partial
		for _, f := range r.found {
			known := false
			for _, o := range out.found {
				known = known || e.key(o.g) == e.key(f.g)
			}
			if !known {
				out.found = append(out.found, f)
			}
		}
	}
	return out
}

// visit is a type on the way through the bases.
type visit struct {
	v     Value
	depth int
}

// typeMember finds a member of a type, an instance or super: own members first,
// then those of the bases in order. For languages with promoted members (Go)
// the shallowest wins and two of the same depth cancel each other; for the
// others the order is depth first with the last of repeated bases kept, which
// is Python's order for all but contrived hierarchies.
func (e *evaluator) typeMember(v Value, name string) lookup {
	if v.kind == vType && e.def(v.a).Flags&code.DefAlias != 0 {
		if i := e.instance(v); i.kind == vInst {
			i.kind = vType
			v = i
		}
	}
	if v.kind != vSuper {
		if g, ok := e.ownMember(v.a, name, v.kind); ok {
			return lookup{found: []found{{g: e.impl[g], owner: v}}, partial: v.partial}
		}
	}
	open := code.SiteNoMember
	ext := int32(0)
	order := e.bases(v, &open, &ext)
	var out lookup
	bestDepth := 0
	for _, b := range order {
		if len(out.found) > 0 && (!e.in.Rules.PackageScope || b.depth > bestDepth) {
			break
		}
		g, ok := e.ownMember(b.v.a, name, v.kind)
		if !ok {
			continue
		}
		if len(out.found) > 0 {
			// The interfaces that an interface embeds may have methods in common: they are one.
			if e.key(out.found[0].g) != e.key(g) && e.def(v.a).Kind != code.KindInterface {
				return lookup{site: code.SiteAmbiguous}
			}
			continue
		}
		bestDepth = b.depth
		owner := b.v
		out = lookup{found: []found{{g: e.impl[g], owner: owner, promoted: true}}, partial: v.partial}
	}
	if len(out.found) > 0 {
		return out
	}
	if u := e.underlying(v); v.kind == vInst && u.kind != vInst || u.a != v.a {
		if u.kind == vUnknown {
			return lookup{site: code.SiteUnknownReceiver}
		}
		return e.memberOf(u, name)
	}
	return lookup{site: open, ext: ext}
}

// ownMember is the member of a type by a name, as it is reached through an instance
// (vInst), the type itself (vType) or super. Where making an instance is not a
// call, a class's static members and those of its instances are two worlds, which
// may have the same names.
func (e *evaluator) ownMember(owner int32, name string, through vkind) (int32, bool) {
	g, ok := e.members[memberKey{owner, name}]
	if !ok || e.in.Rules.CallMakesInstance {
		return g, ok
	}
	for n := g; n >= 0; n = e.same[n] {
		if e.def(n).Flags&code.DefStatic != 0 == (through == vType) {
			return n, true
		}
	}
	return g, through != vInst
}

// bases lists the bases of a type, nearest first. A base that is not known, or
// outside of the repository, is noted in open: the member may be there.
func (e *evaluator) bases(v Value, open *code.Reason, ext *int32) []visit {
	var out []visit
	seen := map[int32]bool{v.a: true}
	var walk func(v Value, depth int)
	breadth := e.in.Rules.PackageScope
	queue := []visit{{v, 0}}
	expand := func(v Value, depth int) []visit {
		var next []visit
		for g := v.a; g >= 0; g = e.same[g] {
			if e.canon[g] != e.canon[v.a] {
				continue
			}
			d := e.def(g)
			file := e.defFile[g]
			doc := e.doc(file)
			for x := d.Bases; x != 0; x = code.ExprID(doc.Exprs[x].B) {
				b := e.typ(file, code.ExprID(doc.Exprs[x].A), e.bind(g, v, nil))
				switch b.kind {
				case vInst:
					next = append(next, visit{b, depth + 1})
					// A type defined by another has that one's fields (Go).
					if u := e.underlying(b); u.kind == vInst && u.a != b.a {
						next = append(next, visit{u, depth + 1})
					}
				case vBoth, vUnion:
					for _, a := range b.ext.vals {
						if a.kind == vInst {
							next = append(next, visit{a, depth + 1})
						}
					}
				case vExternal:
					*open, *ext = code.SiteExternal, b.a
				case vBuiltin, vArray, vMap, vTuple, vAwait:
					if *open == code.SiteNoMember {
						*open = code.SiteBuiltin
					}
				case vUnknown:
					if *open != code.SiteExternal {
						*open = code.SiteUnknownReceiver
					}
				}
			}
		}
		return next
	}
	if breadth {
		for len(queue) > 0 && len(out) < 256 {
			q := queue[0]
			queue = queue[1:]
			for _, b := range expand(q.v, q.depth) {
				if !seen[b.v.a] {
					seen[b.v.a] = true
					out = append(out, b)
					queue = append(queue, b)
				}
			}
		}
		return out
	}
	var all []visit
	onPath := map[int32]bool{v.a: true}
	walk = func(v Value, depth int) {
		if depth > 64 || len(all) > 512 {
			return
		}
		for _, b := range expand(v, depth) {
			if onPath[b.v.a] {
				continue
			}
			onPath[b.v.a] = true
			all = append(all, b)
			walk(b.v, depth+1)
			delete(onPath, b.v.a)
		}
	}
	walk(v, 0)
	last := make(map[int32]int, len(all))
	for i, b := range all {
		last[b.v.a] = i
	}
	for i, b := range all {
		if last[b.v.a] == i {
			out = append(out, b)
		}
	}
	return out
}

// memberValue is the value of v.name.
func (e *evaluator) memberValue(v Value, name string) Value {
	switch v.kind {
	case vUnknown:
		if v.ent == 0 {
			return Value{}
		}
	case vArray, vMap, vAwait:
		return Value{kind: vMethod, ext: &ext{vals: []Value{v}, name: name, depth: v.nesting()}}
	case vModule, vDir:
		return e.entityValue(e.moduleMember(v, name, 0))
	case vExternal:
		v.ent = 0
		return v
	case vUnion:
		return e.each(v, func(a Value) Value { return e.memberValue(a, name) })
	case vObject:
		if v.ent == 0 {
			return e.field(v, name)
		}
	}
	r := e.memberOf(v, name)
	if len(r.found) == 0 {
		switch {
		case r.site == code.SiteExternal:
			return Value{kind: vExternal, a: r.ext}
		case v.kind == vObject:
			return e.field(v, name)
		case v.kind == vInst:
			if u := e.underlying(v); u.kind != vInst && u.kind != vUnknown {
				return e.memberValue(u, name)
			}
		}
		return Value{}
	}
	var out Value
	for i, f := range r.found {
		m := e.foundValue(f)
		if i == 0 {
			out = m
		} else {
			out = either(out, m)
		}
	}
	out.partial = out.partial || r.partial
	return out
}

// foundValue is the value of a member in the environment of its owner.
func (e *evaluator) foundValue(f found) Value {
	d := e.def(f.g)
	var n *env
	if f.owner.kind == vInst || f.owner.kind == vType {
		n = e.bind(f.owner.a, f.owner, nil)
		if d.Owner != 0 && d.TypeParams != 0 && n != nil { // a method with its own names for the receiver's type parameters
			n = &env{file: e.defFile[f.g], list: d.TypeParams, vals: n.vals, up: n}
		}
	}
	switch {
	case d.Kind == code.KindNamespace || d.Kind.IsType():
		return e.named(f.g)
	case d.Kind == code.KindGetter || d.Flags&code.DefProperty != 0:
		fn := Value{kind: vFunc, a: f.g, ext: envExt(n)}
		return e.call(fn, e.defFile[f.g], 0, nil)
	case d.Kind == code.KindSetter:
		return Value{}
	case d.Kind.Callable():
		return Value{kind: vFunc, a: f.g, ext: envExt(n)}
	}
	if n != nil && d.Type != 0 && e.depth < maxDepth {
		e.depth++
		v := e.val(e.defFile[f.g], d.Type, n)
		e.depth--
		v.ent = f.g + 1
		return v
	}
	v := e.named(f.g)
	return v
}

// fieldExpr is the expression of a component of an object literal, 0 when it has none of that name.
func (e *evaluator) fieldExpr(v Value, name string) code.ExprID {
	doc := e.doc(v.file)
	for list := code.ExprID(v.a); list != 0; {
		cell := doc.Exprs[list]
		if f := doc.Exprs[cell.A]; f.Op == code.OpField && doc.Names[f.A] == name {
			return code.ExprID(f.B)
		}
		list = code.ExprID(cell.B)
	}
	return 0
}

// field is the value of a component of an object literal.
func (e *evaluator) field(v Value, name string) Value {
	x := e.fieldExpr(v, name)
	if x == 0 || e.depth >= maxDepth {
		return Value{}
	}
	e.depth++
	var n *env
	if v.ext != nil {
		n = v.ext.env
	}
	r := e.val(v.file, x, n)
	e.depth--
	return r
}
