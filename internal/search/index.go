package search

import (
	"errors"
	"sort"
	"sync"

	"manito/internal/code"
	"manito/internal/embed/builtin"
	"manito/internal/graph"
	"manito/internal/mapfile"
	"manito/internal/term"
	"manito/internal/trigram"
	"manito/internal/vector"
)

// Index is one snapshot, open for search. It does not change and is safe for
// concurrent use.
type Index struct {
	g        *graph.Graph
	texts    *trigram.Index
	segments []*segment
	live     [][]uint64 // by segment: a bit for each chunk that the snapshot has
	fileNo   [][]uint32 // by segment: the snapshot's number of each file, noSegment for none
	where    []position // by file of the snapshot
	chunks   int

	dir     string
	model   string // of the vectors; "" for none
	vectors []*vector.Set
	loading sync.Mutex
	loaded  *builtin.Model
	// provided are the vectors of the provider that was asked last, retired those before.
	provided *provided
	retired  []*provided

	symbols sync.Once
	names   *Symbols
}

// position is a file in a segment; segment is -1 for a file without chunks.
type position struct{ segment, position int }

// Open opens the index of a graph's snapshot. Damaged(err) says that Update has to make it first.
func Open(dir string, g *graph.Graph) (_ *Index, err error) {
	x := &Index{g: g, dir: dir}
	m, f, err := readManifest(dir, g.Digest())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, x.Close())
		}
	}()
	if len(m.segment) != g.NumFiles() {
		return nil, mapfile.Corrupt("it has %d files, the graph %d", len(m.segment), g.NumFiles())
	}
	if x.texts, err = trigram.Open(dir, g.Digest()); err != nil {
		return nil, err
	}
	if x.texts.Files() != g.NumFiles() {
		return nil, mapfile.Corrupt("the text index has %d files, the graph %d", x.texts.Files(), g.NumFiles())
	}
	for _, name := range m.segments() {
		s, err := openSegment(dir, name)
		if err != nil {
			return nil, err
		}
		x.segments = append(x.segments, s)
		numbers := make([]uint32, s.files())
		for i := range numbers {
			numbers[i] = noSegment
		}
		x.fileNo = append(x.fileNo, numbers)
		x.live = append(x.live, make([]uint64, (s.chunks()+63)/64))
	}
	if x.model = string(m.model); x.model != "" {
		if err := x.openVectors(); err != nil {
			return nil, err
		}
	}
	return x, x.place(m)
}

// place marks the chunks that the snapshot has.
func (x *Index) place(m *manifest) error {
	x.where = make([]position, len(m.segment))
	for file, n := range m.segment {
		if n == noSegment {
			x.where[file].segment = -1
			continue
		}
		at := int(m.position[file])
		if int(n) >= len(x.segments) || at >= x.segments[n].files() {
			return mapfile.Corrupt("file %d is in no segment", file)
		}
		x.fileNo[n][at] = uint32(file)
		x.where[file] = position{int(n), at}
		s := x.segments[n]
		for c := s.fileAt[at]; c < s.fileAt[at+1]; c++ {
			x.live[n][c/64] |= 1 << (c % 64)
			x.chunks++
		}
	}
	return nil
}

// Close releases the files. It must not be called before the last search is over.
func (x *Index) Close() error {
	var errs []error
	if x.texts != nil {
		errs = append(errs, x.texts.Close())
	}
	for _, s := range x.segments {
		errs = append(errs, s.close())
	}
	for _, v := range x.vectors {
		errs = append(errs, v.Close())
	}
	if x.provided != nil {
		errs = append(errs, x.provided.close())
	}
	for _, v := range x.retired {
		errs = append(errs, v.close())
	}
	return errors.Join(errs...)
}

// Symbols are the names of the snapshot, read when they are first asked for.
func (x *Index) Symbols() *Symbols {
	x.symbols.Do(func() { x.names = NewSymbols(x.g) })
	return x.names
}

// Text is the text index.
func (x *Index) Text() *trigram.Index { return x.texts }

// Stats are the sizes of an index.
type Stats struct {
	Chunks   int // that the snapshot has
	Segments int
	Stored   int // chunks in the segments, those of other snapshots among them
}

// Stats counts.
func (x *Index) Stats() Stats {
	st := Stats{Chunks: x.chunks, Segments: len(x.segments)}
	for _, s := range x.segments {
		st.Stored += s.chunks()
	}
	return st
}

// Place is where a chunk is.
type Place struct {
	File          graph.FileNo
	Def           graph.Def // None for a section, and for what a file says outside of its symbols
	Kind          code.Kind
	Title         string // of a section; "" when Def says it
	Line, EndLine uint32 // 0-based, inclusive
	Start, End    uint32 // bytes of the file
	Hash          [32]byte
}

// chunkID is a chunk of an index.
type chunkID struct{ segment, doc int }

// placeOf finds where a chunk is.
func (x *Index) placeOf(id chunkID) Place {
	s := x.segments[id.segment]
	file := sort.Search(s.files(), func(i int) bool { return s.fileAt[i+1] > uint32(id.doc) })
	p := Place{File: graph.FileNo(x.fileNo[id.segment][file]), Def: graph.None, Kind: code.Kind(s.kind[id.doc]), Line: s.line[id.doc], EndLine: s.endLine[id.doc],
		Start: s.start[id.doc], End: s.end[id.doc], Hash: s.hash(id.doc)}
	first, end := x.g.FileDefs(p.File)
	if d := s.def[id.doc]; d >= 0 && first+graph.Def(d) < end {
		p.Def = first + graph.Def(d)
	} else {
		p.Title = s.title(id.doc)
	}
	return p
}

// termSegments are the segments as term.Search takes them.
func (x *Index) termSegments() []term.Segment {
	out := make([]term.Segment, len(x.segments))
	for i, s := range x.segments {
		out[i] = term.Segment{Index: s.terms, Live: x.live[i]}
	}
	return out
}
