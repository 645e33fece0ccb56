package code

import "fmt"

// Check tells whether the Document keeps its laws: indexes and ranges inside
// their tables and the file, definitions and uses in order, parents before
// children, operands before operations, distinct descriptors. It returns the first breach.
func (doc *Document) Check() error {
	size := doc.Size
	if len(doc.Names) == 0 || doc.Names[0] != "" {
		return fmt.Errorf("names: the first must be empty")
	}
	seen := make(map[string]bool, len(doc.Names))
	for i, n := range doc.Names {
		if seen[n] {
			return fmt.Errorf("names: %d %q stands twice", i, n)
		}
		seen[n] = true
	}
	if len(doc.Exprs) == 0 || doc.Exprs[0] != (Expr{}) {
		return fmt.Errorf("exprs: the first must be unknown")
	}
	for i := 1; i < len(doc.Exprs); i++ {
		if err := doc.checkExpr(i); err != nil {
			return err
		}
	}
	expr := func(what string, i int, e ExprID) error {
		if e < 0 || int(e) >= len(doc.Exprs) {
			return fmt.Errorf("%s %d: expression %d of %d", what, i, e, len(doc.Exprs))
		}
		return nil
	}
	var last uint32
	descriptors := make(map[string]DefID, len(doc.Defs))
	for i := range doc.Defs {
		d := &doc.Defs[i]
		switch {
		case int(d.Name) >= len(doc.Names) || int(d.Owner) >= len(doc.Names):
			return fmt.Errorf("def %d: name out of range", i)
		case d.Name == 0:
			return fmt.Errorf("def %d: no name", i)
		case d.Parent < NoDef || int(d.Parent) >= i:
			return fmt.Errorf("def %d %q: parent %d", i, doc.Names[d.Name], d.Parent)
		case d.Owner != 0 && d.Parent != NoDef:
			return fmt.Errorf("def %d %q: owner and parent", i, doc.Names[d.Name])
		case d.Start > d.End || d.End > size || d.NameStart > size || d.DocStart > d.DocEnd || d.DocEnd > size:
			return fmt.Errorf("def %d %q: range %d-%d name %d doc %d-%d in %d bytes", i, doc.Names[d.Name], d.Start, d.End, d.NameStart, d.DocStart, d.DocEnd, size)
		case d.BodyStart != 0 && (d.BodyStart < d.Start || d.BodyStart > d.End):
			return fmt.Errorf("def %d %q: body at %d outside %d-%d", i, doc.Names[d.Name], d.BodyStart, d.Start, d.End)
		case d.Start < last:
			return fmt.Errorf("def %d %q: starts at %d before its predecessor at %d", i, doc.Names[d.Name], d.Start, last)
		case d.Parent != NoDef && (d.Start < doc.Defs[d.Parent].Start || d.End > doc.Defs[d.Parent].End):
			return fmt.Errorf("def %d %q: outside of its parent", i, doc.Names[d.Name])
		}
		last = d.Start
		for _, e := range []ExprID{d.Type, d.Bases, d.TypeParams, d.Params} {
			if err := expr("def", i, e); err != nil {
				return err
			}
		}
		s := doc.Descriptor(DefID(i))
		if other, ok := descriptors[s]; ok {
			return fmt.Errorf("def %d and %d: both %s", other, i, s)
		}
		descriptors[s] = DefID(i)
	}
	for i, l := range doc.Locals {
		if int(l.Name) >= len(doc.Names) || l.Scope < NoDef || int(l.Scope) >= len(doc.Defs) || l.Start > size {
			return fmt.Errorf("local %d: out of range", i)
		}
		if err := expr("local", i, l.Type); err != nil {
			return err
		}
	}
	for i, m := range doc.Imports {
		if int(m.Specifier) >= len(doc.Names) || int(m.Name) >= len(doc.Names) || int(m.Local) >= len(doc.Names) || m.Start > m.End || m.End > size || m.Scope < NoDef || int(m.Scope) >= len(doc.Defs) {
			return fmt.Errorf("import %d: out of range", i)
		}
	}
	for i, x := range doc.Exports {
		if int(x.Name) >= len(doc.Names) || x.Name == 0 || int(x.Import) >= len(doc.Imports) || x.Start > size {
			return fmt.Errorf("export %d: out of range", i)
		}
		if err := expr("export", i, x.Expr); err != nil {
			return err
		}
	}
	last = 0
	for i, u := range doc.Uses {
		if int(u.Name) >= len(doc.Names) || u.Scope < NoDef || int(u.Scope) >= len(doc.Defs) || u.Role >= numRoles || u.Start < last || uint64(u.Start)+uint64(len(doc.Names[u.Name])) > uint64(size) {
			return fmt.Errorf("use %d %q at %d: out of range or order", i, doc.Names[min(int(u.Name), len(doc.Names)-1)], u.Start)
		}
		last = u.Start
		if err := expr("use", i, u.Expr); err != nil {
			return err
		}
	}
	for i, g := range doc.Diagnostics {
		if g.Start > g.End || g.End > size || g.Code == "" || g.Severity < SeverityError || g.Severity > SeverityHint {
			return fmt.Errorf("diagnostic %d: out of range", i)
		}
	}
	return nil
}

func (doc *Document) checkExpr(i int) error {
	e := doc.Exprs[i]
	if e.Op == OpUnknown || e.Op >= numOps {
		return fmt.Errorf("expr %d: operation %d", i, e.Op)
	}
	for side, k := range operands[e.Op] {
		v := e.A
		if side == 1 {
			v = e.B
		}
		ok := true
		switch k {
		case opndNone:
			ok = v == 0
		case opndExpr:
			ok = v >= 0 && int(v) < i
		case opndName:
			ok = v > 0 && int(v) < len(doc.Names)
		case opndDef:
			ok = v >= -1 && int(v) < len(doc.Defs)
		case opndLocal:
			ok = v >= 0 && int(v) < len(doc.Locals)
		case opndImport:
			ok = v >= 0 && int(v) < len(doc.Imports)
		}
		if !ok {
			return fmt.Errorf("expr %d: operation %d has operand %d", i, e.Op, v)
		}
	}
	return nil
}
