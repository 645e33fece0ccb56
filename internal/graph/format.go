package graph

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"manito/internal/mapfile"
)

// The file format. All numbers are little-endian.
//
//	header   magic 8, version 4, sections 4, digest 32, file size 8, checksum of header and table 8
//	table    per section: id 4, element size 4, offset 8, length in bytes 8, checksum 8
//	sections each at a multiple of 64, in the order of the table, zero bytes between them
//
// Checksums are XXH3 64. Opening checks the header and the table only, so that
// it takes no time that grows with the graph; Verify checks the rest.
const (
	magic         = "MANITOGR"
	formatVersion = 1
	headerSize    = 64
	entrySize     = 32
	align         = 64
)

// ErrCorrupt is wrapped by every error about a graph file whose contents are not
// what a Graph's WriteFile wrote. The file can be thrown away and made again.
var ErrCorrupt = mapfile.ErrCorrupt

// ErrVersion is wrapped by the error about a graph file of another version of the format.
var ErrVersion = mapfile.ErrVersion

// column is one array of a Graph as a section.
type column struct {
	id uint32
	mapfile.Column
}

func col[T mapfile.Element](id uint32, p *[]T) column { return column{id, mapfile.Col(p)} }

// columns lists the sections. The ids are stored: append only.
func (g *Graph) columns() []column {
	return []column{
		col(1, &g.counts),
		col(2, &g.textAt), col(3, &g.textBlob),
		col(4, &g.nameAt), col(5, &g.nameBlob), col(6, &g.nameFold), col(7, &g.nodesAt), col(8, &g.nodes), col(9, &g.sitesAt), col(10, &g.renamed),
		col(11, &g.fileDef), col(12, &g.filePath), col(13, &g.fileLang), col(14, &g.fileFamily), col(15, &g.fileDialect), col(16, &g.fileScope),
		col(17, &g.fileState), col(18, &g.fileFlags), col(19, &g.fileMarks), col(20, &g.fileSize), col(21, &g.fileLines), col(22, &g.fileDiags), col(23, &g.fileHash),
		col(24, &g.defNode), col(25, &g.defName), col(26, &g.defParent), col(27, &g.defKind), col(28, &g.defFlags), col(29, &g.defDis),
		col(30, &g.defLine), col(31, &g.defEndLine), col(32, &g.defNameLine), col(33, &g.defNameCol), col(34, &g.defStart), col(35, &g.defEnd),
		col(36, &g.defBody), col(37, &g.defDocStart), col(38, &g.defDocEnd), col(39, &g.defCyc), col(40, &g.defCog), col(41, &g.defNext), col(42, &g.outAt), col(43, &g.defMarks),
		col(44, &g.nodeKey), col(45, &g.nodeDef), col(46, &g.inAt), col(47, &g.keyTable), col(48, &g.pkgScope), col(49, &g.pkgAt), col(50, &g.pkgFile), col(51, &g.extText),
		col(52, &g.edgeTarget), col(53, &g.edgeLine), col(54, &g.edgeCol), col(55, &g.edgeMeta), col(56, &g.wideEdge), col(57, &g.wideCol), col(58, &g.inSource), col(59, &g.inEdge),
		col(60, &g.siteDef), col(61, &g.siteLine), col(62, &g.siteCol), col(63, &g.siteMeta), col(64, &g.siteCount), col(65, &g.sitePkg), col(66, &g.sitesOf), col(67, &g.siteBy),
	}
}

// layout is the header and table of a graph, with the sections' bytes.
func (g *Graph) layout() (head []byte, sections [][]byte, size int64) {
	cols := g.columns()
	head = make([]byte, headerSize+entrySize*len(cols))
	at := int64(len(head))
	for i, c := range cols {
		at = (at + align - 1) &^ (align - 1)
		b := c.Bytes()
		e := head[headerSize+entrySize*i:]
		binary.LittleEndian.PutUint32(e, c.id)
		binary.LittleEndian.PutUint32(e[4:], uint32(c.Size()))
		binary.LittleEndian.PutUint64(e[8:], uint64(at))
		binary.LittleEndian.PutUint64(e[16:], uint64(len(b)))
		binary.LittleEndian.PutUint64(e[24:], xxh3.Hash(b))
		sections = append(sections, b)
		at += int64(len(b))
	}
	copy(head, magic)
	binary.LittleEndian.PutUint32(head[8:], formatVersion)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(cols)))
	copy(head[16:48], g.digest[:])
	binary.LittleEndian.PutUint64(head[48:], uint64(at))
	seal(head)
	return head, sections, at
}

// seal writes the header's own checksum, which covers everything but itself.
func seal(head []byte) { binary.LittleEndian.PutUint64(head[56:], headSum(head)) }

func headSum(head []byte) uint64 {
	return xxh3.Hash(slices.Concat(head[:56], head[headerSize:]))
}

// decode makes a Graph that looks into b, which must not change while it is used.
func decode(b []byte) (*Graph, error) {
	if len(b) < headerSize {
		return nil, mapfile.Corrupt("it has %d bytes, less than a header", len(b))
	}
	if string(b[:8]) != magic {
		return nil, mapfile.Corrupt("it does not begin as one")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return nil, fmt.Errorf("%w: %d, this program reads %d", ErrVersion, v, formatVersion)
	}
	g := &Graph{}
	copy(g.digest[:], b[16:48])
	cols := g.columns()
	n := int(binary.LittleEndian.Uint32(b[12:]))
	head := headerSize + entrySize*len(cols)
	if n != len(cols) || len(b) < head {
		return nil, mapfile.Corrupt("its table of contents has %d of %d entries", n, len(cols))
	}
	if binary.LittleEndian.Uint64(b[56:]) != headSum(b[:head]) {
		return nil, mapfile.Corrupt("its header's checksum is wrong")
	}
	if size := binary.LittleEndian.Uint64(b[48:]); size != uint64(len(b)) {
		return nil, mapfile.Corrupt("it has %d of %d bytes", len(b), size)
	}
	for i, c := range cols {
		e := b[headerSize+entrySize*i:]
		id, size := binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint32(e[4:])
		off, length := binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
		if id != c.id || int(size) != c.Size() || off%align != 0 || off < uint64(head) || off > uint64(len(b)) || length > uint64(len(b))-off || length%uint64(size) != 0 {
			return nil, mapfile.Corrupt("section %d is out of place", c.id)
		}
		c.Point(b[off : off+length : off+length])
	}
	if err := g.checkLengths(); err != nil {
		return nil, err
	}
	return g, nil
}

// checkLengths compares the lengths of arrays that belong together. It looks at few bytes, so that opening stays quick.
func (g *Graph) checkLengths() error {
	files, defs, nodes, edges, names := len(g.filePath), len(g.defNode), len(g.nodeKey), len(g.edgeTarget), len(g.nameAt)-1
	lens := func(want int, got ...int) bool {
		for _, n := range got {
			if n != want {
				return false
			}
		}
		return true
	}
	ok := len(g.counts) == numCounts && names >= 1 && len(g.textAt) >= 2 &&
		lens(files, len(g.fileLang), len(g.fileFamily), len(g.fileDialect), len(g.fileScope), len(g.fileState), len(g.fileFlags), len(g.fileMarks), len(g.fileSize), len(g.fileLines), len(g.fileDiags), len(g.fileHash)/32, len(g.fileDef)-1) &&
		lens(defs, len(g.defName), len(g.defParent), len(g.defKind), len(g.defFlags), len(g.defDis), len(g.defLine), len(g.defEndLine), len(g.defNameLine), len(g.defNameCol), len(g.defStart), len(g.defEnd), len(g.defBody), len(g.defDocStart), len(g.defDocEnd), len(g.defCyc), len(g.defCog), len(g.defNext), len(g.outAt)-1, len(g.sitesOf)-1, len(g.defMarks)) &&
		lens(nodes, len(g.nodeDef), len(g.inAt)-1) &&
		lens(edges, len(g.edgeLine), len(g.edgeCol), len(g.edgeMeta), len(g.inSource), len(g.inEdge)) &&
		lens(names, len(g.nameFold), len(g.nodesAt)-1, len(g.sitesAt)-1) &&
		lens(len(g.siteDef), len(g.siteLine), len(g.siteCol), len(g.siteMeta), len(g.sitePkg), len(g.siteBy)) &&
		len(g.wideEdge) == len(g.wideCol) && len(g.pkgAt) == len(g.pkgScope)+1 && len(g.extText)%4 == 0 && len(g.siteCount)%4 == 0 &&
		len(g.keyTable) > 0 && len(g.keyTable)&(len(g.keyTable)-1) == 0 &&
		len(g.fileHash) == 32*files
	if !ok {
		return mapfile.Corrupt("its sections do not fit each other")
	}
	base, ext := int(g.counts[countPackageBase]), int(g.counts[countExternalBase])
	if base > ext || ext > nodes || ext-base != len(g.pkgScope) || nodes-ext != len(g.extText)/4 {
		return mapfile.Corrupt("its counts do not fit its sections")
	}
	return nil
}
