package term

import (
	"encoding/binary"
	"sort"
	"unsafe"

	"manito/internal/mapfile"
)

// Field is a part of a document.
type Field uint8

// The fields.
const (
	FieldName    Field = iota // the symbol's own name
	FieldContext              // path, container, signature
	FieldDoc                  // documentation
	FieldBody                 // the rest
	NumFields    = 4
)

// Fields are the texts of a document.
type Fields struct{ Name, Context, Doc, Body string }

// Params are the constants of BM25F, in the form of Robertson and Zaragoza, "The
// Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.6: what a
// field counts and how much its length takes away.
type Params struct {
	K1     float32            // how soon more occurrences stop to count
	Weight [NumFields]float32 // of an occurrence in a field
	B      [NumFields]float32 // 0: the field's length does not matter; 1: it divides
}

// Index is the inverted index of many documents, numbered from 0 in the order in
// which they were given. It does not change and may be used concurrently.
type Index struct {
	head    []uint32  // documents, Version
	average []float32 // terms of each field per document
	termAt  []uint32
	terms   []uint8 // one after the other, sorted
	count   []uint32
	postAt  []uint64
	// Postings of each term: how many documents further as a varint, then the part
	// of BM25F that does not depend on the query, tf/(k1+tf), in steps of 1/255.
	posts []uint8

	file *mapfile.File
}

func (x *Index) columns() []mapfile.Column {
	return []mapfile.Column{mapfile.Col(&x.head), mapfile.Col(&x.average), mapfile.Col(&x.termAt), mapfile.Col(&x.terms), mapfile.Col(&x.count), mapfile.Col(&x.postAt), mapfile.Col(&x.posts)}
}

// format of the files. Version counts changes of the layout; the rules of splitting have their own.
func format() mapfile.Format { return mapfile.Format{Magic: "MANITOTM", Version: 1} }

// Write writes the index to a file, whole or not at all.
func (x *Index) Write(path string) error { return format().Write(path, x.columns()...) }

// Open maps the file of an index. What is wrong with it wraps mapfile.ErrCorrupt
// or mapfile.ErrVersion, a missing file os.ErrNotExist. Close it after the last search.
func Open(path string) (*Index, error) {
	x := &Index{}
	f, err := format().Open(path, x.columns()...)
	if err != nil {
		return nil, err
	}
	if err := x.check(); err != nil {
		_ = f.Close() // the error that led here says more
		return nil, err
	}
	x.file = f
	return x, nil
}

// Close releases the file of an opened index.
func (x *Index) Close() error {
	if x.file == nil {
		return nil
	}
	return x.file.Close()
}

// check compares what belongs together; contents are protected by checksums.
func (x *Index) check() error {
	n := len(x.count)
	if len(x.head) != 2 || len(x.average) != NumFields || len(x.termAt) != n+1 || len(x.postAt) != n+1 || int(x.termAt[n]) != len(x.terms) || x.postAt[n] != uint64(len(x.posts)) {
		return mapfile.Corrupt("its sections do not fit each other")
	}
	if x.head[1] != Version {
		return mapfile.ErrVersion
	}
	return nil
}

// Len is the number of documents.
func (x *Index) Len() int { return int(x.head[0]) }

// Averages are the mean lengths of the fields. An index that is to be searched
// together with this one is built with them.
func (x *Index) Averages() [NumFields]float32 { return [NumFields]float32(x.average) }

// Bytes is the size of the index.
func (x *Index) Bytes() int64 {
	return int64(len(x.termAt)*4 + len(x.terms) + len(x.count)*4 + len(x.postAt)*8 + len(x.posts))
}

// term is the text of a term; it points into the index.
func (x *Index) term(i int) string {
	b := x.terms[x.termAt[i]:x.termAt[i+1]]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// find looks a term up.
func (x *Index) find(t string) (int, bool) {
	i := sort.Search(len(x.count), func(i int) bool { return x.term(i) >= t })
	return i, i < len(x.count) && x.term(i) == t
}

// Count is the number of documents that have a term.
func (x *Index) Count(t string) int {
	if i, ok := x.find(t); ok {
		return int(x.count[i])
	}
	return 0
}

// each calls f for the documents of term i, in order.
func (x *Index) each(i int, f func(doc uint32, impact uint8)) {
	p := x.posts[x.postAt[i]:x.postAt[i+1]]
	doc := ^uint32(0)
	for at := 0; at < len(p); {
		d := uint32(p[at])
		if at++; d >= 0x80 {
			v, n := binary.Uvarint(p[at-1:])
			d, at = uint32(v), at-1+n
		}
		doc += d + 1
		f(doc, p[at])
		at++
	}
}
