package graph

import (
	"path"
	"slices"

	"manito/internal/code"
)

// Imports says which imports make an arrow between files.
type Imports struct {
	Erased   bool // also those that exist for types only
	Deferred bool // also those that are not made when the file is loaded
}

// Takes says whether an import with these flags makes an arrow.
func (o Imports) Takes(f LinkFlags) bool {
	return (o.Erased || f&LinkErased == 0) && (o.Deferred || f&LinkDeferred == 0)
}

// FileImports is the graph of the repository's files: an arrow where one imports
// another, or something defined in it. Importing a package is importing each of
// its files, except the tests among them. Vertices are FileNos.
func (g *Graph) FileImports(o Imports) *Digraph {
	var arrows [][2]uint32
	add := func(from, to FileNo) {
		if from != to {
			arrows = append(arrows, [2]uint32{uint32(from), uint32(to)})
		}
	}
	for f := range FileNo(g.NumFiles()) {
		for l := range g.Out(g.FileDef(f)) {
			if l.Kind != code.EdgeImports || !o.Takes(l.Flags) {
				continue
			}
			switch g.Class(l.Target) {
			case ClassPackage:
				for _, to := range g.PackageFiles(l.Target) {
					if g.DocFlags(to)&code.DocTest == 0 {
						add(f, to)
					}
				}
			case ClassFile, ClassSymbol:
				for d := g.FirstDef(l.Target); d != None; d = g.NextDef(d) {
					add(f, g.FileOf(d))
				}
			}
		}
	}
	return NewDigraph(g.NumFiles(), arrows)
}

// Folders is a graph of folders, made from one of files.
type Folders struct {
	Paths []string // by vertex, sorted; "." is the root
	*Digraph
	vertex map[string]uint32
}

// Vertex is the number of a folder.
func (d *Folders) Vertex(path string) (uint32, bool) {
	v, ok := d.vertex[path]
	return v, ok
}

// FolderImports folds a graph of files into one of the folders that hold them; tests do not count.
func (g *Graph) FolderImports(files *Digraph) *Folders {
	out := &Folders{vertex: map[string]uint32{}}
	of := make([]string, g.NumFiles())
	for f := range of {
		of[f] = path.Dir(g.Path(FileNo(f)))
		if _, ok := out.vertex[of[f]]; !ok {
			out.vertex[of[f]] = 0
			out.Paths = append(out.Paths, of[f])
		}
	}
	slices.Sort(out.Paths)
	for i, p := range out.Paths {
		out.vertex[p] = uint32(i)
	}
	var arrows [][2]uint32
	for f := range uint32(files.Len()) {
		if g.DocFlags(FileNo(f))&code.DocTest != 0 {
			continue
		}
		from := out.vertex[of[f]]
		for _, t := range files.Successors(f) {
			if to := out.vertex[of[t]]; to != from {
				arrows = append(arrows, [2]uint32{from, to})
			}
		}
	}
	out.Digraph = NewDigraph(len(out.Paths), arrows)
	return out
}

// SymbolCalls is the graph of symbols along some kinds of edges. Vertices are Nodes; only symbols have arrows.
func (g *Graph) SymbolCalls(kinds Kinds) *Digraph {
	var arrows [][2]uint32
	for d := range g.defNode {
		if g.isFileDef(Def(d)) {
			continue
		}
		for e := g.outAt[d]; e < g.outAt[d+1]; e++ {
			if kinds.Has(metaKind(g.edgeMeta[e])) && g.edgeTarget[e] < g.counts[countPackageBase] {
				arrows = append(arrows, [2]uint32{g.defNode[d], g.edgeTarget[e]})
			}
		}
	}
	return NewDigraph(g.NumNodes(), arrows)
}

// Hub is a node that much depends on.
type Hub struct {
	Node    Node
	Sources int // distinct definitions that use it
}

// Hubs lists the symbols with the most distinct users along some kinds of edges, most first, then in (path, order) sequence.
func (g *Graph) Hubs(limit int, kinds Kinds) []Hub {
	var out []Hub
	least := 0
	for n := range Node(g.counts[countPackageBase]) {
		if g.isFileDef(Def(g.nodeDef[n])) || int(g.inAt[n+1]-g.inAt[n]) <= least {
			continue
		}
		c := g.CountSources(n, kinds)
		if c <= least {
			continue
		}
		i, _ := slices.BinarySearchFunc(out, c, func(h Hub, c int) int {
			if h.Sources >= c {
				return -1
			}
			return 1
		})
		out = slices.Insert(out, i, Hub{n, c})
		if len(out) > limit {
			out = out[:limit]
			least = out[limit-1].Sources
		}
	}
	return out
}
