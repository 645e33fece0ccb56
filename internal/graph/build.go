package graph

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"manito/internal/code"
)

// Build makes the Graph. The Builder must not be used afterwards.
func (b *Builder) Build(ctx context.Context) (*Graph, error) {
	g := b.g
	g.fileDef = append(g.fileDef, uint32(len(g.defKind)))
	g.outAt = append(g.outAt, uint32(len(g.edgeMeta)))
	g.counts = make([]uint32, numCounts)
	steps := []func() error{b.makeNodes, b.resolve, b.reverse, b.makeNames, b.makeSites, b.makeTexts}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	b.g = nil
	return g, nil
}

// makeNodes numbers files, symbols, packages and externals and fills the key table.
func (b *Builder) makeNodes() error {
	g := b.g
	defs := len(b.keys)
	size := 1024
	for size < 2*(defs+len(g.filePath)+len(b.externals)) {
		size *= 2
	}
	g.keyTable = make([]uint32, size)
	g.defNode = make([]uint32, defs)
	g.defNext = make([]uint32, defs)
	last := make([]uint32, 0, defs) // by node: its last Def so far
	for d, key := range b.keys {
		g.defNext[d] = None
		n, fresh := g.insert(key, uint32(d))
		g.defNode[d] = uint32(n)
		if fresh {
			last = append(last, uint32(d))
			continue
		}
		if first := Def(g.nodeDef[n]); !b.sameSymbol(first, Def(d)) {
			return fmt.Errorf("graph: the symbols %s in %s and %s in %s have the same key %x", b.describe(first), b.path(first), b.describe(Def(d)), b.path(Def(d)), key)
		}
		g.defNext[last[n]] = uint32(d)
		last[n] = uint32(d)
	}
	b.keys = nil
	g.counts[countPackageBase] = uint32(len(g.nodeKey))
	b.makePackages()
	g.counts[countExternalBase] = uint32(len(g.nodeKey))
	b.makeExternals()
	return nil
}

// insert finds the node with a key or makes it.
func (g *Graph) insert(key uint64, def uint32) (Node, bool) {
	mask := uint64(len(g.keyTable) - 1)
	h := key & mask
	for g.keyTable[h] != 0 {
		if n := g.keyTable[h] - 1; g.nodeKey[n] == key {
			return Node(n), false
		}
		h = (h + 1) & mask
	}
	n := uint32(len(g.nodeKey))
	g.keyTable[h] = n + 1
	g.nodeKey = append(g.nodeKey, key)
	g.nodeDef = append(g.nodeDef, def)
	return Node(n), true
}

// sameSymbol compares two definitions by what their symbol strings are made of. Names are still in order of arrival here.
func (b *Builder) sameSymbol(x, y Def) bool {
	g := b.g
	fx, fy := g.FileOf(x), g.FileOf(y)
	if g.fileScope[fx] != g.fileScope[fy] || g.defKind[x] == uint8(code.KindFile) || g.defKind[y] == uint8(code.KindFile) {
		return false
	}
	return b.describe(x) == b.describe(y)
}

// describe is the descriptor of a definition before the names are sorted.
func (b *Builder) describe(d Def) string {
	g := b.g
	names := b.names.list
	type part struct {
		name uint32
		kind code.Kind
		dis  uint16
	}
	var parts []part
	base := g.fileDef[g.FileOf(d)]
	for {
		parts = append(parts, part{g.defName[d], code.Kind(g.defKind[d]), g.defDis[d]})
		p := g.defParent[d]
		if p&ownerBit != 0 {
			parts = append(parts, part{p &^ ownerBit, code.KindClass, 0})
			break
		}
		if p == 0 {
			break
		}
		d = Def(base + p)
	}
	var dst []byte
	for _, p := range slices.Backward(parts) {
		dst = appendPart(dst, names[p.name], p.kind, p.dis)
	}
	return string(dst)
}

func (b *Builder) path(d Def) string { return b.texts.list[b.g.filePath[b.g.FileOf(d)]] }

// makePackages gives each scope that files share a node, by symbol.
func (b *Builder) makePackages() {
	g := b.g
	files := make(map[uint32][]uint32)
	for f, s := range g.fileScope {
		if g.fileMarks[f]&markPackage != 0 && s != 0 {
			files[s] = append(files[s], uint32(f))
		}
	}
	scopes := make([]uint32, 0, len(files))
	for s := range files {
		scopes = append(scopes, s)
	}
	slices.SortFunc(scopes, func(x, y uint32) int { return cmp.Compare(b.texts.list[x], b.texts.list[y]) })
	g.pkgAt = append(g.pkgAt, 0)
	for _, s := range scopes {
		if _, fresh := g.insert(uint64(code.ScopeKey(b.texts.list[s])), uint32(len(g.pkgScope))); !fresh {
			continue
		}
		g.pkgScope = append(g.pkgScope, s)
		g.pkgFile = append(g.pkgFile, files[s]...)
		g.pkgAt = append(g.pkgAt, uint32(len(g.pkgFile)))
	}
}

func (b *Builder) makeExternals() {
	g := b.g
	slices.SortFunc(b.externals, func(x, y External) int { return cmp.Compare(x.Symbol, y.Symbol) })
	for _, e := range b.externals {
		if _, fresh := g.insert(uint64(e.Key), uint32(len(g.extText)/4)); !fresh {
			continue
		}
		g.extText = append(g.extText, b.texts.id(e.Symbol), b.texts.id(e.Manager), b.texts.id(e.Name), b.texts.id(e.Version))
	}
	b.externals = nil
}

// resolve turns target keys into nodes. An edge to something that nothing
// defines is left out and counted: it has no end to go to.
func (b *Builder) resolve() error {
	g := b.g
	g.edgeTarget = make([]uint32, len(b.targets))
	dangling := 0
	for e, key := range b.targets {
		n, ok := g.Find(code.Key(key))
		if !ok {
			dangling++
			n = None
		}
		g.edgeTarget[e] = uint32(n)
	}
	b.targets = nil
	g.counts[countDangling] = uint32(dangling)
	if dangling > 0 {
		b.dropDangling()
	}
	return nil
}

func (b *Builder) dropDangling() {
	g := b.g
	kept, wide := uint32(0), 0
	nextWide := 0
	for d := 0; d+1 < len(g.outAt); d++ {
		from, to := g.outAt[d], g.outAt[d+1]
		g.outAt[d] = kept
		for e := from; e < to; e++ {
			isWide := nextWide < len(g.wideEdge) && g.wideEdge[nextWide] == e
			if g.edgeTarget[e] != None {
				g.edgeTarget[kept], g.edgeLine[kept], g.edgeCol[kept], g.edgeMeta[kept] = g.edgeTarget[e], g.edgeLine[e], g.edgeCol[e], g.edgeMeta[e]
				if isWide {
					g.wideEdge[wide], g.wideCol[wide] = kept, g.wideCol[nextWide]
					wide++
				}
				kept++
			}
			if isWide {
				nextWide++
			}
		}
		// The loop's next round reads the old value of outAt[d+1] as its from, which is to.
	}
	g.outAt[len(g.outAt)-1] = kept
	g.edgeTarget, g.edgeLine, g.edgeCol, g.edgeMeta = g.edgeTarget[:kept], g.edgeLine[:kept], g.edgeCol[:kept], g.edgeMeta[:kept]
	g.wideEdge, g.wideCol = g.wideEdge[:wide], g.wideCol[:wide]
}

// reverse makes the adjacency by target by counting. Edges are in order of their
// source, so each target's list comes out in that order too, except that
// overrides come before all others: whether a method has any, and which, is asked
// for every call of it.
func (b *Builder) reverse() error {
	g := b.g
	nodes := len(g.nodeKey)
	g.inAt = make([]uint32, nodes+1)
	overrides := make([]uint32, nodes)
	for e, n := range g.edgeTarget {
		g.inAt[n+1]++
		if metaKind(g.edgeMeta[e]) == code.EdgeOverrides {
			overrides[n]++
		}
	}
	for i := 1; i < len(g.inAt); i++ {
		g.inAt[i] += g.inAt[i-1]
	}
	first := slices.Clone(g.inAt[:nodes])
	rest := overrides // where the next other edge goes
	for n := range rest {
		rest[n] += g.inAt[n]
	}
	g.inSource = make([]uint32, len(g.edgeTarget))
	g.inEdge = make([]uint32, len(g.edgeTarget))
	for d := range g.defNode {
		for e := g.outAt[d]; e < g.outAt[d+1]; e++ {
			n, kind := g.edgeTarget[e], g.edgeMeta[e]&15
			at := &rest[n]
			if code.EdgeKind(kind) == code.EdgeOverrides {
				at = &first[n]
			}
			g.inSource[*at] = uint32(d)<<4 | uint32(kind)
			g.inEdge[*at] = e
			*at++
		}
	}
	return nil
}

// makeNames sorts the names, renumbers whoever refers to them and makes the indexes.
func (b *Builder) makeNames() error {
	g := b.g
	b.dropSites()
	n := len(b.names.list)
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(b.names.list[x], b.names.list[y]) })
	renumber := make([]uint32, n)
	g.nameAt = make([]uint32, 1, n+1)
	for to, from := range order {
		renumber[from] = uint32(to)
		g.nameBlob = append(g.nameBlob, b.names.list[from]...)
		g.nameAt = append(g.nameAt, uint32(len(g.nameBlob)))
	}
	if len(g.nameBlob) >= None {
		return fmt.Errorf("graph: more than 4 GiB of names")
	}
	for d := range g.defName {
		g.defName[d] = renumber[g.defName[d]]
		if p := g.defParent[d]; p&ownerBit != 0 {
			g.defParent[d] = ownerBit | renumber[p&^ownerBit]
		}
	}
	for i := range b.sites {
		b.sites[i].name = renumber[b.sites[i].name]
	}
	for r := range b.renamed {
		g.renamed = append(g.renamed, renumber[r])
	}
	slices.Sort(g.renamed)
	b.names = table{}

	g.nameFold = order // used again
	for i := range g.nameFold {
		g.nameFold[i] = uint32(i)
	}
	slices.SortFunc(g.nameFold, func(x, y uint32) int { return orderFold(g.nameBytes(x), g.nameBytes(y)) })

	// Postings of symbols; files and what has no Def are left out.
	g.nodesAt = make([]uint32, n+1)
	symbols := int(g.counts[countPackageBase])
	for v := range symbols {
		if d := g.nodeDef[v]; code.Kind(g.defKind[d]) != code.KindFile {
			g.nodesAt[g.defName[d]+1]++
		}
	}
	for i := 1; i <= n; i++ {
		g.nodesAt[i] += g.nodesAt[i-1]
	}
	at := slices.Clone(g.nodesAt[:n])
	g.nodes = make([]uint32, g.nodesAt[n])
	for v := range symbols {
		d := g.nodeDef[v]
		if code.Kind(g.defKind[d]) == code.KindFile {
			continue
		}
		g.nodes[at[g.defName[d]]] = uint32(v)
		at[g.defName[d]]++
	}
	return nil
}

// dropSites forgets the sites that can matter to no symbol because none bears their name.
func (b *Builder) dropSites() {
	g := b.g
	born := make([]bool, len(b.names.list))
	for d, n := range g.defName {
		if code.Kind(g.defKind[d]) != code.KindFile {
			born[n] = true
		}
	}
	b.sites = slices.DeleteFunc(b.sites, func(s builderSite) bool { return !s.always && !born[s.name] })
}

func (b *Builder) makeSites() error {
	g := b.g
	// Sites came in path order; a stable distribution by name keeps it.
	n := g.numNames()
	g.sitesAt = make([]uint32, n+1)
	for i := range b.sites {
		g.sitesAt[b.sites[i].name+1]++
	}
	for i := 1; i <= n; i++ {
		g.sitesAt[i] += g.sitesAt[i-1]
	}
	at := slices.Clone(g.sitesAt[:n])
	total := len(b.sites)
	g.siteDef, g.siteLine, g.siteCol, g.siteMeta, g.sitePkg = make([]uint32, total), make([]uint32, total), make([]uint32, total), make([]uint16, total), make([]uint32, total)
	for i := range b.sites {
		s := &b.sites[i]
		to := at[s.name]
		at[s.name]++
		g.siteDef[to], g.siteLine[to], g.siteCol[to], g.siteMeta[to] = s.def, s.line, s.col, s.meta
		g.sitePkg[to] = None
		if n, ok := g.Find(code.Key(s.pkg)); s.pkg != 0 && ok {
			g.sitePkg[to] = uint32(n)
		}
	}
	b.sites = nil
	// The same sites by where they are written; the names ascend within one definition.
	g.sitesOf = make([]uint32, len(g.defNode)+1)
	for _, d := range g.siteDef {
		g.sitesOf[d+1]++
	}
	for i := 1; i < len(g.sitesOf); i++ {
		g.sitesOf[i] += g.sitesOf[i-1]
	}
	at = slices.Clone(g.sitesOf[:len(g.defNode)])
	g.siteBy = make([]uint32, total)
	for i, d := range g.siteDef {
		g.siteBy[at[d]] = uint32(i)
		at[d]++
	}
	classes := make([]siteClass, 0, len(b.counts))
	for c := range b.counts {
		classes = append(classes, c)
	}
	slices.SortFunc(classes, func(x, y siteClass) int {
		called := 0
		if x.called != y.called {
			called = 1
			if y.called {
				called = -1
			}
		}
		return cmp.Or(cmp.Compare(b.texts.list[x.family], b.texts.list[y.family]), cmp.Compare(x.reason, y.reason), called)
	})
	for _, c := range classes {
		called := uint32(0)
		if c.called {
			called = 1
		}
		g.siteCount = append(g.siteCount, c.family, uint32(c.reason), called, b.counts[c])
	}
	return nil
}

func (b *Builder) makeTexts() error {
	g := b.g
	var blob bytes.Buffer
	g.textAt = make([]uint32, 1, len(b.texts.list)+1)
	for _, s := range b.texts.list {
		blob.WriteString(s)
		if blob.Len() >= None {
			return fmt.Errorf("graph: more than 4 GiB of paths and scopes")
		}
		g.textAt = append(g.textAt, uint32(blob.Len()))
	}
	g.textBlob = blob.Bytes()
	b.texts = table{}
	return nil
}
