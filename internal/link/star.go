package link

import (
	"strings"

	"manito/internal/code"
)

// starAllows says whether a star import of a Python module brings a name: what
// __all__ lists, or every name without a leading underscore when there is no
// __all__. The extractor gives __all__ the value OpObject with a field per
// listed name, in a union with the __all__ of other modules that are added to it.
func (e *evaluator) starAllows(mod Value, name string) bool {
	if !e.in.Rules.SubmodulesAreMembers || mod.kind != vModule || mod.b < 0 {
		return true
	}
	i, ok := e.exports[mod.b]["__all__"]
	if !ok {
		return !strings.HasPrefix(name, "_")
	}
	n := e.exported(mod.b, i, 0)
	if n.kind != eDef {
		return true // computed in a way that was not read
	}
	return e.listed(n.g, name, 0)
}

// listed looks a name up in the __all__ that definition g is.
func (e *evaluator) listed(g int32, name string, hops int) bool {
	t := e.def(g).Type
	if t == 0 || hops > maxHops {
		return true
	}
	return e.listedIn(e.defFile[g], t, name, hops)
}

func (e *evaluator) listedIn(file int32, x code.ExprID, name string, hops int) bool {
	doc := e.doc(file)
	switch ex := doc.Exprs[x]; ex.Op {
	case code.OpUnion:
		return e.listedIn(file, code.ExprID(ex.A), name, hops) || e.listedIn(file, code.ExprID(ex.B), name, hops)
	case code.OpObject:
		for list := code.ExprID(ex.A); list != 0; {
			cell := doc.Exprs[list]
			if f := doc.Exprs[cell.A]; f.Op == code.OpField && doc.Names[f.A] == name {
				return true
			}
			list = code.ExprID(cell.B)
		}
		return false
	case code.OpMember:
		if r := e.memberExpr(file, x); len(r.found) == 1 {
			return e.listed(r.found[0].g, name, hops+1)
		}
	case code.OpImport:
		if n := e.importEntity(file, code.ImportID(ex.A), 0); n.kind == eDef {
			return e.listed(n.g, name, hops+1)
		}
	}
	return true // not known: the name may be among it
}
