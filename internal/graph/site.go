package graph

import (
	"cmp"
	"iter"
	"slices"
	"sort"

	"manito/internal/code"
)

// Through says what a site's expression goes through before it leaves the repository.
type Through uint8

// The ways of a site.
const (
	ThroughNothing Through = iota // a name, or a member of a module named directly
	ThroughType                   // a member of a value whose type was named: its type is known to be another's
	ThroughPartial                // it IS an edge to another symbol of this name, but the receiver may also be of a type that is not known; the reason is code.SiteAmbiguous
	ThroughValue                  // a member of something that was called, indexed or iterated: what it is at run time is not known
)

// Site is a use that is no edge, with the reason why (or, with ThroughPartial, an edge that may not be the only one).
type Site struct {
	Source       Def
	Line, Column uint32
	Role         code.Role
	Reason       code.Reason
	Through      Through
	Package      Node // the external package of code.SiteExternal when it is known, else None
}

// siteMeta, from bit 0: role 4, reason - code.SiteUnknownReceiver 5, through 2.
func packSite(r code.Role, reason code.Reason, via Through) uint16 {
	return uint16(r)&15 | uint16(reason-code.SiteUnknownReceiver)&31<<4 | uint16(via)&3<<9
}

// Sites yields the unresolved sites with a name, in path order. The empty name
// stands for members and callees that are computed at run time.
//
// A site is kept only when it might matter to a symbol of the repository: those
// of the reasons unknown receiver, dynamic, unresolved module, no export,
// ambiguous and value always, and so are calls of external packages; missing
// members, globals and other uses of what is external or built-in only when a
// symbol of the repository has the same name.
func (g *Graph) Sites(name string) iter.Seq[Site] {
	return func(yield func(Site) bool) {
		id, ok := g.findName(name)
		if !ok {
			return
		}
		for i := g.sitesAt[id]; i < g.sitesAt[id+1]; i++ {
			if !yield(g.site(i)) {
				return
			}
		}
	}
}

func (g *Graph) site(i uint32) Site {
	m := g.siteMeta[i]
	return Site{
		Source: Def(g.siteDef[i]), Line: g.siteLine[i], Column: g.siteCol[i], Package: Node(g.sitePkg[i]),
		Role: code.Role(m & 15), Reason: code.SiteUnknownReceiver + code.Reason(m>>4&31), Through: Through(m >> 9 & 3),
	}
}

// CountSites counts the sites with a name.
func (g *Graph) CountSites(name string) int {
	id, ok := g.findName(name)
	if !ok {
		return 0
	}
	return int(g.sitesAt[id+1] - g.sitesAt[id])
}

// SitesIn lists the sites written in the definitions from first up to, not
// including, end, with their names, by definition and position.
func (g *Graph) SitesIn(first, end Def) []NamedSite {
	var out []NamedSite
	for _, i := range g.siteBy[g.sitesOf[first]:g.sitesOf[end]] {
		out = append(out, NamedSite{g.site(i), g.siteName(i)})
	}
	slices.SortStableFunc(out, func(a, b NamedSite) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

// NamedSite is a Site with its name.
type NamedSite struct {
	Site
	Name string
}

// Unresolved is how many uses of a language became no edge for a reason.
type Unresolved struct {
	Family string
	Reason code.Reason
	Called bool // the use is a call or makes an instance
	Count  int
}

// Unresolved counts all uses that became no edge, also those that Sites does not keep, by language, reason and whether they call.
func (g *Graph) Unresolved() []Unresolved {
	out := make([]Unresolved, 0, len(g.siteCount)/4)
	for i := 0; i+4 <= len(g.siteCount); i += 4 {
		c := g.siteCount[i:]
		out = append(out, Unresolved{g.text(c[0]), code.Reason(c[1]), c[2] == 1, int(c[3])})
	}
	return out
}

// Renamed says whether some file exports or imports the name under another one, so
// that the symbol may be meant where its name is not written.
func (g *Graph) Renamed(name string) bool {
	id, ok := g.findName(name)
	if !ok {
		return false
	}
	lo, hi := 0, len(g.renamed)
	for lo < hi {
		if mid := (lo + hi) / 2; g.renamed[mid] < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(g.renamed) && g.renamed[lo] == id
}

// UnresolvedImports lists the imports that could not be resolved, with what they
// ask for as their name. It looks at all sites of the graph.
func (g *Graph) UnresolvedImports() []NamedSite {
	want := packSite(code.RoleImport, code.SiteUnresolvedModule, ThroughNothing)
	var out []NamedSite
	for i, m := range g.siteMeta {
		if m == want {
			out = append(out, NamedSite{g.site(uint32(i)), g.siteName(uint32(i))})
		}
	}
	return out
}

// siteName is the name of site i.
func (g *Graph) siteName(i uint32) string {
	id := sort.Search(g.numNames(), func(n int) bool { return g.sitesAt[n+1] > i })
	return string(g.nameBytes(uint32(id)))
}
