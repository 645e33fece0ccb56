package graph

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
)

// Builder collects the files of a snapshot, one after the other in path order,
// and makes the Graph. It keeps no reference to a Document after AddFile. It is
// not safe for concurrent use.
type Builder struct {
	g        *Graph
	texts    table
	names    table
	lastPath string

	keys    []uint64 // by Def
	targets []uint64 // keys, by edge
	sites   []builderSite
	counts  map[siteClass]uint32
	renamed map[uint32]struct{}

	externals []External

	// Scratch of AddFile.
	docNames []uint32 // 1 + name id by code.NameID, 0 is not yet interned
	edges    []builderEdge
	buf      []byte
	lines    liner
}

type builderSite struct {
	name, def, line, col uint32
	pkg                  uint64 // key of an external package, or 0
	meta                 uint16
	always               bool // kept whatever its name
}

type siteClass struct {
	family uint32
	reason code.Reason
	called bool
}

type builderEdge struct {
	source uint32 // 0 the file, 1 + DefID
	start  uint32
	target uint64
	meta   uint16
}

// NewBuilder starts the graph of a snapshot with a digest.
func NewBuilder(digest [32]byte) *Builder {
	b := &Builder{
		g:       &Graph{digest: digest},
		counts:  make(map[siteClass]uint32),
		renamed: make(map[uint32]struct{}),
	}
	b.texts.id("")
	b.names.id("")
	return b
}

// Grow makes room for what is about to be added, which saves copying when the
// caller knows how much it is. Wrong numbers do no harm.
func (b *Builder) Grow(files, defs, edges int) {
	g := b.g
	for _, p := range []*[]uint32{&g.fileDef, &g.filePath, &g.fileLang, &g.fileFamily, &g.fileDialect, &g.fileScope, &g.fileSize, &g.fileLines, &g.fileDiags} {
		*p = slices.Grow(*p, files+1)
	}
	g.fileHash = slices.Grow(g.fileHash, 32*files)
	rows := files + defs
	for _, p := range []*[]uint32{&g.defName, &g.defParent, &g.defFlags, &g.defLine, &g.defEndLine, &g.defNameLine, &g.defNameCol, &g.defStart, &g.defEnd, &g.defBody, &g.defDocStart, &g.defDocEnd, &g.outAt} {
		*p = slices.Grow(*p, rows+1)
	}
	for _, p := range []*[]uint16{&g.defDis, &g.defCyc, &g.defCog} {
		*p = slices.Grow(*p, rows)
	}
	g.defKind, g.defMarks, b.keys = slices.Grow(g.defKind, rows), slices.Grow(g.defMarks, rows), slices.Grow(b.keys, rows)
	g.edgeLine, g.edgeCol, g.edgeMeta, b.targets = slices.Grow(g.edgeLine, edges), slices.Grow(g.edgeCol, edges), slices.Grow(g.edgeMeta, edges), slices.Grow(b.targets, edges)
}

// table gives strings numbers in order of arrival.
type table struct {
	ids  map[string]uint32
	list []string
}

func (t *table) id(s string) uint32 {
	if id, ok := t.ids[s]; ok {
		return id
	}
	if t.ids == nil {
		t.ids = make(map[string]uint32, 1024)
	}
	s = strings.Clone(s)
	id := uint32(len(t.list))
	t.ids[s] = id
	t.list = append(t.list, s)
	return id
}

// AddExternal adds a package outside of the repository, in any order and at any
// time before Build. Adding one twice does no harm.
func (b *Builder) AddExternal(e External) { b.externals = append(b.externals, e) }

// AddFile adds the next file in path order: its Document, its edges and its
// unresolved sites, both in any order. A file that was not read has a nil
// Document and nothing else. The slices may be used again by the caller.
func (b *Builder) AddFile(f File, doc *code.Document, edges []code.Edge, sites []code.Site) error {
	g := b.g
	switch {
	case f.Path == "" || len(g.filePath) > 0 && f.Path <= b.lastPath:
		return fmt.Errorf("graph: file %q follows %q, but files must come in path order, each once", f.Path, b.lastPath)
	case doc == nil && (len(edges) > 0 || len(sites) > 0):
		return fmt.Errorf("graph: file %s has edges but no document", f.Path)
	case doc == nil && f.State == StateRead:
		return fmt.Errorf("graph: file %s counts as read but has no document", f.Path)
	case doc != nil && f.Keys != nil && len(f.Keys) != len(doc.Defs):
		return fmt.Errorf("graph: file %s has %d keys for %d definitions", f.Path, len(f.Keys), len(doc.Defs))
	}
	defs := 1
	if doc != nil {
		defs += len(doc.Defs)
	}
	if len(g.defKind)+defs > maxDefs {
		return fmt.Errorf("graph: more than %d definitions", maxDefs)
	}
	if len(g.edgeMeta)+len(edges) >= None {
		return fmt.Errorf("graph: more than %d edges", uint32(None))
	}
	b.lastPath = f.Path
	b.addFile(&f, doc)
	if doc == nil {
		g.outAt = append(g.outAt, uint32(len(g.edgeMeta)))
		return nil
	}
	base := g.fileDef[len(g.fileDef)-1]
	if err := b.addDefs(&f, doc); err != nil {
		return err
	}
	if err := b.addEdges(&f, doc, edges); err != nil {
		return err
	}
	first := len(b.sites)
	b.addSites(doc, base, sites)
	b.addPartial(doc, base, edges)
	slices.SortFunc(b.sites[first:], func(x, y builderSite) int {
		return cmp.Or(cmp.Compare(x.line, y.line), cmp.Compare(x.col, y.col), cmp.Compare(x.def, y.def), cmp.Compare(x.meta, y.meta))
	})
	b.addRenames(doc)
	return nil
}

func (b *Builder) addFile(f *File, doc *code.Document) {
	g := b.g
	var marks uint8
	if f.Package {
		marks |= markPackage
	}
	flags, diagnostics := f.Flags, f.Diagnostics
	if doc != nil {
		flags |= doc.Flags
		diagnostics = max(diagnostics, uint32(len(doc.Diagnostics)))
		f.Family, f.Dialect = cmp.Or(f.Family, doc.Language), cmp.Or(f.Dialect, doc.Dialect)
		f.Size = max(f.Size, doc.Size)
		if f.Lines == 0 {
			f.Lines = countLines(doc)
		}
		if doc.Flags&code.DocDynamic != 0 && evaluates(doc) {
			marks |= markScope
		}
	}
	g.fileDef = append(g.fileDef, uint32(len(g.defKind)))
	g.filePath = append(g.filePath, b.texts.id(f.Path))
	g.fileLang = append(g.fileLang, b.texts.id(f.Language))
	g.fileFamily = append(g.fileFamily, b.texts.id(f.Family))
	g.fileDialect = append(g.fileDialect, b.texts.id(f.Dialect))
	g.fileScope = append(g.fileScope, b.texts.id(f.Scope))
	g.fileState = append(g.fileState, uint8(f.State))
	g.fileFlags = append(g.fileFlags, uint16(flags))
	g.fileMarks = append(g.fileMarks, marks)
	g.fileSize = append(g.fileSize, f.Size)
	g.fileLines = append(g.fileLines, f.Lines)
	g.fileDiags = append(g.fileDiags, diagnostics)
	g.fileHash = append(g.fileHash, f.Hash[:]...)
	end := uint32(0)
	if f.Lines > 0 {
		end = f.Lines - 1
	}
	b.addDef(defRow{
		key: uint64(fileKey(f.Path)), name: b.names.id(path.Base(f.Path)), kind: code.KindFile,
		endLine: end, end: f.Size,
	})
}

// countLines counts lines as an editor does: a last line without its line end counts, an empty one after it does not.
func countLines(doc *code.Document) uint32 {
	n := uint32(len(doc.Lines))
	if n > 0 && doc.Lines[n-1] == doc.Size {
		n--
	}
	return n
}

func fileKey(p string) code.Key { return code.ScopeKey("file " + p) }

type defRow struct {
	key                                uint64
	name, parent                       uint32
	kind                               code.Kind
	flags                              code.DefFlags
	dis, cyc, cog                      uint16
	line, endLine, nameLine, nameCol   uint32
	start, end, body, docStart, docEnd uint32
}

func (b *Builder) addDef(r defRow) {
	g := b.g
	b.keys = append(b.keys, r.key)
	g.defName = append(g.defName, r.name)
	g.defParent = append(g.defParent, r.parent)
	g.defKind = append(g.defKind, uint8(r.kind))
	g.defFlags = append(g.defFlags, uint32(r.flags))
	g.defDis = append(g.defDis, r.dis)
	g.defLine = append(g.defLine, r.line)
	g.defEndLine = append(g.defEndLine, r.endLine)
	g.defNameLine = append(g.defNameLine, r.nameLine)
	g.defNameCol = append(g.defNameCol, r.nameCol)
	g.defStart = append(g.defStart, r.start)
	g.defEnd = append(g.defEnd, r.end)
	g.defBody = append(g.defBody, r.body)
	g.defDocStart = append(g.defDocStart, r.docStart)
	g.defDocEnd = append(g.defDocEnd, r.docEnd)
	g.defCyc = append(g.defCyc, r.cyc)
	g.defCog = append(g.defCog, r.cog)
	g.defMarks = append(g.defMarks, 0)
}

// name interns a name of the current document.
func (b *Builder) name(doc *code.Document, id code.NameID) uint32 {
	if n := b.docNames[id]; n != 0 {
		return n - 1
	}
	n := b.names.id(doc.Names[id])
	b.docNames[id] = n + 1
	return n
}

func (b *Builder) addDefs(f *File, doc *code.Document) error {
	b.docNames = slices.Grow(b.docNames[:0], len(doc.Names))[:len(doc.Names)]
	clear(b.docNames)
	b.lines.reset(doc)
	scope := code.ScopeKey(f.Scope)
	var local code.Key
	for i := range doc.Defs {
		d := &doc.Defs[i]
		if d.Kind == code.KindFile || d.Kind > code.KindParameter {
			return fmt.Errorf("graph: %s: definition %d has kind %d, which is none of a definition", f.Path, i, d.Kind)
		}
		r := defRow{
			name: b.name(doc, d.Name), kind: d.Kind, flags: d.Flags, dis: d.Disambiguator, cyc: d.Cyclomatic, cog: d.Cognitive,
			start: d.Start, end: d.End, body: d.BodyStart, docStart: d.DocStart, docEnd: d.DocEnd,
		}
		switch {
		case d.Owner != 0:
			r.parent = ownerBit | b.name(doc, d.Owner)
		case d.Parent != code.NoDef:
			r.parent = uint32(d.Parent) + 1
		}
		r.line, _ = b.lines.at(d.Start)
		r.nameLine, r.nameCol = b.lines.at(d.NameStart)
		last := d.End
		if last > d.Start {
			last-- // End may be the first byte of the next line
		}
		r.endLine, _ = doc.Line(last)
		switch {
		case f.Keys != nil:
			r.key = uint64(f.Keys[i])
		default:
			b.buf = doc.AppendDescriptor(b.buf[:0], code.DefID(i))
			k := code.DescriptorKey(string(b.buf))
			if localTo(doc, code.DefID(i)) {
				if local == 0 {
					local = code.ScopeKey(f.Scope + string(code.AppendName(nil, path.Base(f.Path))) + "/")
				}
				r.key = uint64(local ^ k)
			} else {
				r.key = uint64(scope ^ k)
			}
		}
		b.addDef(r)
	}
	return nil
}

// localTo says whether a definition or one of its parents is seen in its file only.
func localTo(doc *code.Document, d code.DefID) bool {
	for ; d != code.NoDef; d = doc.Defs[d].Parent {
		if doc.Defs[d].Flags&code.DefFileLocal != 0 {
			return true
		}
	}
	return false
}

func (b *Builder) addEdges(f *File, doc *code.Document, edges []code.Edge) error {
	g := b.g
	b.edges = b.edges[:0]
	for i := range edges {
		e := &edges[i]
		if e.Source < code.NoDef || int(e.Source) >= len(doc.Defs) || int(e.Kind) >= code.NumEdgeKinds || e.Reason.IsSite() || e.Start > doc.Size {
			return fmt.Errorf("graph: %s: edge %d (source %d, kind %d, reason %d, at %d) is out of range", f.Path, i, e.Source, e.Kind, e.Reason, e.Start)
		}
		b.edges = append(b.edges, builderEdge{source: uint32(e.Source + 1), start: e.Start, target: uint64(e.Target), meta: packMeta(e.Kind, e.Certainty, e.Reason, 0)})
	}
	order := func(x, y builderEdge) int {
		return cmp.Or(cmp.Compare(x.source, y.source), cmp.Compare(x.start, y.start), cmp.Compare(x.meta&15, y.meta&15), cmp.Compare(x.target, y.target), cmp.Compare(x.meta, y.meta))
	}
	if !slices.IsSortedFunc(b.edges, order) {
		slices.SortFunc(b.edges, order)
	}
	imports, exports := importFlags(doc), exportStarts(doc)
	next := uint32(0) // the next source whose offset is to be written
	b.lines.reset(doc)
	for i := range b.edges {
		e := &b.edges[i]
		if i > 0 {
			if p := &b.edges[i-1]; p.source == e.source && p.start == e.start && p.meta&15 == e.meta&15 && p.target == e.target {
				continue
			}
		}
		for ; next <= e.source; next++ {
			g.outAt = append(g.outAt, uint32(len(g.edgeMeta)))
		}
		line, col := b.lines.at(e.start)
		switch metaKind(e.meta) {
		case code.EdgeImports:
			e.meta |= uint16(imports.at(e.start)) << metaFlags
		case code.EdgeReads:
			if _, ok := slices.BinarySearch(exports, e.start); ok {
				e.meta |= uint16(LinkExported) << metaFlags
			}
		}
		if col >= wideColumn {
			g.wideEdge = append(g.wideEdge, uint32(len(g.edgeMeta)))
			g.wideCol = append(g.wideCol, col)
			col = wideColumn
		}
		b.targets = append(b.targets, e.target)
		g.edgeLine = append(g.edgeLine, line)
		g.edgeCol = append(g.edgeCol, uint16(col))
		g.edgeMeta = append(g.edgeMeta, e.meta)
	}
	for ; next <= uint32(len(doc.Defs)); next++ {
		g.outAt = append(g.outAt, uint32(len(g.edgeMeta)))
	}
	return nil
}
