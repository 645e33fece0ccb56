package graph

import (
	"context"
	"slices"

	"manito/internal/code"
	"manito/internal/mapfile"
)

// check looks at every number of the graph: offsets ascend, references stay
// inside, chains end. What passes cannot make a query run out of an array or not end.
func (g *Graph) check(ctx context.Context) error {
	checks := []func() error{g.checkTexts, g.checkNames, g.checkFiles, g.checkDefs, g.checkNodes, g.checkEdges, g.checkSites}
	for _, c := range checks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c(); err != nil {
			return err
		}
	}
	return nil
}

// ascending says whether offsets begin at 0, never fall and end at end.
func ascending(at []uint32, end int) bool {
	return len(at) > 0 && at[0] == 0 && int64(at[len(at)-1]) == int64(end) && slices.IsSorted(at)
}

// below says whether every number is less than limit.
func below(list []uint32, limit int) bool {
	for _, x := range list {
		if int64(x) >= int64(limit) {
			return false
		}
	}
	return true
}

func (g *Graph) checkTexts() error {
	texts := len(g.textAt) - 1
	if !ascending(g.textAt, len(g.textBlob)) {
		return mapfile.Corrupt("text offsets")
	}
	for _, list := range [][]uint32{g.filePath, g.fileLang, g.fileFamily, g.fileDialect, g.fileScope, g.pkgScope, g.extText} {
		if !below(list, texts) {
			return mapfile.Corrupt("text numbers")
		}
	}
	for i := 0; i < len(g.siteCount); i += 4 {
		if int64(g.siteCount[i]) >= int64(texts) || g.siteCount[i+1] > 255 {
			return mapfile.Corrupt("site counts")
		}
	}
	return nil
}

func (g *Graph) checkNames() error {
	n := g.numNames()
	if !ascending(g.nameAt, len(g.nameBlob)) || !ascending(g.nodesAt, len(g.nodes)) || !ascending(g.sitesAt, len(g.siteDef)) {
		return mapfile.Corrupt("name offsets")
	}
	if !below(g.nameFold, n) || !below(g.renamed, n) || !below(g.nodes, int(g.counts[countPackageBase])) {
		return mapfile.Corrupt("name numbers")
	}
	return nil
}

func (g *Graph) checkFiles() error {
	if !ascending(g.fileDef, len(g.defNode)) {
		return mapfile.Corrupt("file offsets")
	}
	for f := range g.filePath {
		if g.fileDef[f] >= g.fileDef[f+1] || !g.isFileDef(Def(g.fileDef[f])) || g.fileState[f] >= uint8(numStates) {
			return mapfile.Corrupt("file %d", f)
		}
		for d := g.fileDef[f] + 1; d < g.fileDef[f+1]; d++ {
			if g.isFileDef(Def(d)) {
				return mapfile.Corrupt("file %d holds another", f)
			}
		}
	}
	if !ascending(g.pkgAt, len(g.pkgFile)) || !below(g.pkgFile, len(g.filePath)) {
		return mapfile.Corrupt("package files")
	}
	for p := range g.pkgScope {
		if g.pkgAt[p] == g.pkgAt[p+1] {
			return mapfile.Corrupt("package %d has no files", p)
		}
	}
	return nil
}

func (g *Graph) checkDefs() error {
	names := g.numNames()
	if !ascending(g.outAt, len(g.edgeTarget)) || !below(g.defName, names) || !below(g.defNode, int(g.counts[countPackageBase])) {
		return mapfile.Corrupt("definition numbers")
	}
	f := 0
	for d := range g.defNode {
		for uint32(d) >= g.fileDef[f+1] {
			f++
		}
		switch p := g.defParent[d]; {
		case p&ownerBit != 0:
			if int(p&^ownerBit) >= names {
				return mapfile.Corrupt("owner of definition %d", d)
			}
		case p != 0 && g.fileDef[f]+p >= uint32(d):
			return mapfile.Corrupt("parent of definition %d", d)
		}
		if next := g.defNext[d]; next != None && (next <= uint32(d) || int(next) >= len(g.defNode) || g.defNode[next] != g.defNode[d]) {
			return mapfile.Corrupt("chain of definition %d", d)
		}
		if g.defKind[d] > uint8(code.KindParameter) {
			return mapfile.Corrupt("kind of definition %d", d)
		}
	}
	return nil
}

func (g *Graph) checkNodes() error {
	base, ext := g.counts[countPackageBase], g.counts[countExternalBase]
	if !ascending(g.inAt, len(g.inSource)) {
		return mapfile.Corrupt("node offsets")
	}
	for n, d := range g.nodeDef {
		var limit int
		switch {
		case uint32(n) < base:
			limit = len(g.defNode)
		case uint32(n) < ext:
			limit = len(g.pkgScope)
		default:
			limit = len(g.extText) / 4
		}
		if int64(d) >= int64(limit) || uint32(n) < base && g.defNode[d] != uint32(n) {
			return mapfile.Corrupt("node %d", n)
		}
	}
	for _, slot := range g.keyTable {
		if int64(slot) > int64(len(g.nodeKey)) {
			return mapfile.Corrupt("key table")
		}
	}
	return nil
}

func (g *Graph) checkEdges() error {
	if !below(g.edgeTarget, len(g.nodeKey)) || !below(g.inEdge, len(g.edgeTarget)) || !below(g.wideEdge, len(g.edgeTarget)) || !slices.IsSorted(g.wideEdge) {
		return mapfile.Corrupt("edge numbers")
	}
	for _, m := range g.edgeMeta {
		if int(m&15) >= code.NumEdgeKinds {
			return mapfile.Corrupt("edge kind")
		}
	}
	for n := range g.nodeKey {
		for i := g.inAt[n]; i < g.inAt[n+1]; i++ {
			d, e := g.inSource[i]>>4, g.inEdge[i]
			if int(d) >= len(g.defNode) || e < g.outAt[d] || e >= g.outAt[d+1] || g.edgeTarget[e] != uint32(n) || uint32(g.edgeMeta[e]&15) != g.inSource[i]&15 {
				return mapfile.Corrupt("edges to node %d", n)
			}
		}
	}
	return nil
}

func (g *Graph) checkSites() error {
	if !below(g.siteDef, len(g.defNode)) || !below(g.siteBy, len(g.siteDef)) || !ascending(g.sitesOf, len(g.siteBy)) {
		return mapfile.Corrupt("site numbers")
	}
	for _, n := range g.sitePkg {
		if n != None && (n < g.counts[countExternalBase] || int(n) >= len(g.nodeKey)) {
			return mapfile.Corrupt("site packages")
		}
	}
	return nil
}
