package pack

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"manito/internal/code"
)

// Block is what one file's edges are stored as, in one layer.
//
// A narrow word holds an edge, from bit 0: kind 4, certainty 2, reason 5,
// column 10, line 17, target index 13, source + 1 13 (source 0 is the file
// itself). Where a field does not fit, the whole block is wide, with two words
// an edge: kind 4, certainty 2, reason 5, source + 1 21, target index 32; then
// line 32, column 32 with the column in the low half. Lines and columns are
// 0-based, columns count bytes. Edges are sorted by source, line, column, kind
// and target, and none stands twice.
type Block struct {
	Targets []code.Key // ascending, distinct
	Wide    bool
	Words   []int64
	Sites   []byte // packed []SiteAt; nil when there are none
}

// EdgeAt is an edge with its position as line and column.
type EdgeAt struct {
	Source       code.DefID
	Target       code.Key
	Line, Column uint32
	Kind         code.EdgeKind
	Certainty    code.Certainty
	Reason       code.Reason
}

// SiteAt is an unresolved site with its position as line and column.
type SiteAt struct {
	Source       code.DefID
	Name         code.NameID
	Line, Column uint32
	Role         code.Role
	Reason       code.Reason
	Package      code.Key // the external package for SiteExternal, else 0
}

const (
	kindBits, certaintyBits, reasonBits = 4, 2, 5
	columnBits, lineBits, targetBits    = 10, 17, 13
	sourceBits                          = 13
	wideSourceBits                      = 21

	certaintyShift  = kindBits
	reasonShift     = certaintyShift + certaintyBits
	columnShift     = reasonShift + reasonBits
	lineShift       = columnShift + columnBits
	targetShift     = lineShift + lineBits
	sourceShift     = targetShift + targetBits
	wideSourceShift = columnShift
	wideTargetShift = wideSourceShift + wideSourceBits
)

// NewBlock packs edges and sites. It sorts and thins out the given slices in place.
func (p *Packer) NewBlock(edges []EdgeAt, sites []SiteAt) Block {
	slices.SortFunc(edges, compareEdges)
	edges = slices.CompactFunc(edges, func(a, b EdgeAt) bool {
		return a.Source == b.Source && a.Line == b.Line && a.Column == b.Column && a.Kind == b.Kind && a.Target == b.Target
	})
	var b Block
	b.Targets = make([]code.Key, len(edges))
	for i := range edges {
		b.Targets[i] = edges[i].Target
	}
	slices.Sort(b.Targets)
	b.Targets = slices.Compact(b.Targets)
	b.Wide = len(b.Targets) > 1<<targetBits
	for i := range edges {
		e := &edges[i]
		if e.Line >= 1<<lineBits || e.Column >= 1<<columnBits || int(e.Source)+1 >= 1<<sourceBits {
			b.Wide = true
			break
		}
	}
	width := 1
	if b.Wide {
		width = 2
	}
	b.Words = make([]int64, 0, len(edges)*width)
	for i := range edges {
		e := &edges[i]
		t, _ := slices.BinarySearch(b.Targets, e.Target)
		w := uint64(e.Kind) | uint64(e.Certainty)<<certaintyShift | uint64(e.Reason)<<reasonShift
		if b.Wide {
			w |= uint64(e.Source+1)<<wideSourceShift | uint64(t)<<wideTargetShift
			b.Words = append(b.Words, int64(w), int64(uint64(e.Line)<<32|uint64(e.Column)))
			continue
		}
		w |= uint64(e.Column)<<columnShift | uint64(e.Line)<<lineShift | uint64(t)<<targetShift | uint64(e.Source+1)<<sourceShift
		b.Words = append(b.Words, int64(w))
	}
	b.Sites = p.sites(sites)
	return b
}

func compareEdges(a, b EdgeAt) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Certainty, b.Certainty), cmp.Compare(a.Reason, b.Reason))
}

// Len is the number of edges.
func (b *Block) Len() int {
	if b.Wide {
		return len(b.Words) / 2
	}
	return len(b.Words)
}

// Edge is edge i. A damaged word gives an error.
func (b *Block) Edge(i int) (EdgeAt, error) {
	var e EdgeAt
	var t uint64
	if b.Wide {
		w, pos := uint64(b.Words[2*i]), uint64(b.Words[2*i+1])
		e = EdgeAt{Kind: code.EdgeKind(w & (1<<kindBits - 1)), Certainty: code.Certainty(w >> certaintyShift & (1<<certaintyBits - 1)), Reason: code.Reason(w >> reasonShift & (1<<reasonBits - 1)),
			Source: code.DefID(w>>wideSourceShift&(1<<wideSourceBits-1)) - 1, Line: uint32(pos >> 32), Column: uint32(pos)}
		t = w >> wideTargetShift
	} else {
		w := uint64(b.Words[i])
		e = EdgeAt{Kind: code.EdgeKind(w & (1<<kindBits - 1)), Certainty: code.Certainty(w >> certaintyShift & (1<<certaintyBits - 1)), Reason: code.Reason(w >> reasonShift & (1<<reasonBits - 1)),
			Column: uint32(w >> columnShift & (1<<columnBits - 1)), Line: uint32(w >> lineShift & (1<<lineBits - 1)), Source: code.DefID(w>>sourceShift) - 1}
		t = w >> targetShift & (1<<targetBits - 1)
	}
	if t >= uint64(len(b.Targets)) {
		return e, fmt.Errorf("edge %d: target %d of %d", i, t, len(b.Targets))
	}
	e.Target = b.Targets[t]
	return e, nil
}

// Digest identifies the block's contents within the file whose fact it belongs to: the first 16 bytes of a SHA-256.
func (b *Block) Digest(fact []byte) [16]byte {
	h := sha256.New()
	h.Write(fact)
	buf := make([]byte, 0, 8*(len(b.Targets)+len(b.Words))+16)
	buf = append(buf, flag(b.Wide))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(len(b.Targets)))
	for _, t := range b.Targets {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(t))
	}
	for _, w := range b.Words {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(w))
	}
	h.Write(buf)
	h.Write(b.Sites)
	var d [16]byte
	copy(d[:], h.Sum(nil))
	return d
}

// sites packs unresolved sites, sorted by position.
func (p *Packer) sites(sites []SiteAt) []byte {
	if len(sites) == 0 {
		return nil
	}
	slices.SortFunc(sites, func(a, b SiteAt) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Reason, b.Reason))
	})
	packages := []code.Key{}
	for i := range sites {
		if k := sites[i].Package; k != 0 {
			packages = append(packages, k)
		}
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	w := writer{p.buf[:0]}
	w.uint(uint64(len(packages)))
	for _, k := range packages {
		w.b = binary.LittleEndian.AppendUint64(w.b, uint64(k))
	}
	w.uint(uint64(len(sites)))
	for i := range sites {
		w.b = append(w.b, byte(sites[i].Role)<<4|byte(sites[i].Reason-code.SiteUnknownReceiver))
	}
	var line uint32
	var source code.DefID
	for i := range sites {
		s := &sites[i]
		w.uint(uint64(s.Line - line))
		line = s.Line
		w.uint(uint64(s.Column))
		w.int(int64(s.Source) - int64(source))
		source = s.Source
		w.uint(uint64(s.Name))
		if s.Reason == code.SiteExternal {
			n := 0
			if s.Package != 0 {
				n, _ = slices.BinarySearch(packages, s.Package)
				n++
			}
			w.uint(uint64(n))
		}
	}
	p.buf = w.b
	return p.enc.EncodeAll(w.b, nil)
}

// Sites unpacks a block's unresolved sites.
func (u *Unpacker) Sites(z []byte) ([]SiteAt, error) {
	if len(z) == 0 {
		return nil, nil
	}
	raw, err := u.dec.DecodeAll(z, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack sites: %w", err)
	}
	r := &reader{b: raw}
	packages := make([]code.Key, r.count())
	for i := range packages {
		if len(r.b) < 8 {
			return nil, fmt.Errorf("unpack sites: %w", errTruncated)
		}
		packages[i] = code.Key(binary.LittleEndian.Uint64(r.b))
		r.b = r.b[8:]
	}
	sites := make([]SiteAt, r.count())
	for i := range sites {
		b := r.byte()
		sites[i].Role, sites[i].Reason = code.Role(b>>4), code.SiteUnknownReceiver+code.Reason(b&15)
	}
	var line uint32
	var source code.DefID
	for i := range sites {
		s := &sites[i]
		line += uint32(r.uint())
		s.Line = line
		s.Column = uint32(r.uint())
		source += code.DefID(r.int())
		s.Source = source
		s.Name = code.NameID(r.uint())
		if s.Reason == code.SiteExternal {
			if n := r.uint(); n > 0 && n <= uint64(len(packages)) {
				s.Package = packages[n-1]
			} else if n > 0 {
				r.fail()
			}
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("unpack sites: %w", r.err)
	}
	return sites, nil
}
