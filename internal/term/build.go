package term

import (
	"context"
	"encoding/binary"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Options say how an index is built.
type Options struct {
	Params Params // Defaults() unless something else was measured
	// Averages are those of the index that this one is searched together with; nil
	// takes the means of its own documents.
	Averages *[NumFields]float32
	// Workers is how many documents are read at once; 0 for as many as there are processors.
	Workers int
}

// Defaults are the constants that were best on the development half of the natural
// questions of bench/relevance (MRR@10 .444 against .404 to .438 of others). For
// code without documentation K1 of 3, names of weight 10 and a B of bodies of 0.9
// are some points better; most of that comes back with vectors.
func Defaults() Params {
	return Params{K1: 1.2, Weight: [NumFields]float32{5, 1.5, 2, 1}, B: [NumFields]float32{0.3, 0.5, 0.3, 0.75}}
}

// entry is a term of a document as it is counted.
type entry struct {
	term uint32 // of the worker's own dictionary
	doc  uint32
	tf   [NumFields]uint8
}

// worker counts a range of the documents.
type worker struct {
	splitter Splitter
	ids      map[string]uint32
	terms    []string
	entries  []entry
	lengths  [][NumFields]uint16
	total    [NumFields]uint64
	seen     []uint32 // by term: 1 + the entry of the document at hand
	buf      []string
}

// Build indexes n documents, which fields gives by number. fields must be safe
// for concurrent use. The same documents give the same bytes, however many workers there are.
func Build(ctx context.Context, n int, fields func(i int) Fields, o Options) (*Index, error) {
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = max(1, min(workers, n/64))
	ws := make([]*worker, workers)
	group, ctx := errgroup.WithContext(ctx)
	for i := range ws {
		w := &worker{ids: map[string]uint32{}}
		ws[i] = w
		group.Go(func() error {
			for d := i * n / workers; d < (i+1)*n/workers; d++ {
				if d%256 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				w.document(uint32(d), fields(d))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return assemble(n, ws, o), nil
}

// document counts the terms of one document.
func (w *worker) document(doc uint32, f Fields) {
	begin := len(w.entries)
	var length [NumFields]int
	count := func(field Field, terms []string) {
		length[field] += len(terms)
		for _, t := range terms {
			id, ok := w.ids[t]
			if !ok {
				id = uint32(len(w.terms))
				w.ids[t] = id
				w.terms = append(w.terms, t)
				w.seen = append(w.seen, 0)
			}
			at := w.seen[id]
			if at == 0 {
				w.entries = append(w.entries, entry{term: id, doc: doc})
				at = uint32(len(w.entries) - begin)
				w.seen[id] = at
			}
			if e := &w.entries[begin+int(at)-1]; e.tf[field] < math.MaxUint8 {
				e.tf[field]++
			}
		}
	}
	w.buf = w.splitter.Append(w.buf[:0], f.Name, Name)
	count(FieldName, w.buf)
	named := length[FieldName]
	w.buf = w.splitter.Whole(w.buf[:0], f.Name)
	count(FieldName, w.buf)
	length[FieldName] = named // the whole name again is not a longer name
	w.buf = w.splitter.Append(w.buf[:0], f.Context, Name)
	count(FieldContext, w.buf)
	w.buf = w.splitter.Append(w.buf[:0], f.Doc, Prose)
	count(FieldDoc, w.buf)
	w.buf = w.splitter.Append(w.buf[:0], f.Body, Code)
	count(FieldBody, w.buf)
	for _, e := range w.entries[begin:] {
		w.seen[e.term] = 0
	}
	var short [NumFields]uint16
	for i, n := range length {
		w.total[i] += uint64(n)
		short[i] = uint16(min(n, math.MaxUint16))
	}
	w.lengths = append(w.lengths, short)
}

// assemble brings the workers' counts in order.
func assemble(n int, ws []*worker, o Options) *Index {
	x := &Index{head: []uint32{uint32(n), Version}, average: make([]float32, NumFields)}
	var all []string
	for _, w := range ws {
		all = append(all, w.terms...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	x.termAt = make([]uint32, 1, len(all)+1)
	for _, t := range all {
		x.terms = append(x.terms, t...)
		x.termAt = append(x.termAt, uint32(len(x.terms)))
	}
	for f := range x.average {
		sum := uint64(0)
		for _, w := range ws {
			sum += w.total[f]
		}
		x.average[f] = float32(float64(sum) / float64(max(n, 1)))
	}
	if o.Averages != nil {
		copy(x.average, o.Averages[:])
	}

	// Where each term's entries go: those of the first worker have the lower documents.
	x.count = make([]uint32, len(all))
	global := make([][]uint32, len(ws))
	for i, w := range ws {
		global[i] = make([]uint32, len(w.terms))
		for id, t := range w.terms {
			g, _ := slices.BinarySearch(all, t)
			global[i][id] = uint32(g)
		}
		for _, e := range w.entries {
			x.count[global[i][e.term]]++
		}
	}
	next := make([]int, len(all)+1)
	for t, c := range x.count {
		next[t+1] = next[t] + int(c)
	}
	type posting struct {
		doc    uint32
		impact uint8
	}
	posts := make([]posting, next[len(all)])
	at := slices.Clone(next)
	norm := x.norms(o.Params)
	for i, w := range ws {
		first := i * n / len(ws)
		for _, e := range w.entries {
			t := global[i][e.term]
			posts[at[t]] = posting{e.doc, norm.impact(&e.tf, &w.lengths[int(e.doc)-first])}
			at[t]++
		}
	}
	x.postAt = make([]uint64, 1, len(all)+1)
	x.posts = make([]uint8, 0, 2*len(posts)+len(posts)/8)
	for t := range all {
		last := ^uint32(0)
		for _, p := range posts[next[t]:next[t+1]] {
			x.posts = binary.AppendUvarint(x.posts, uint64(p.doc-last-1))
			x.posts = append(x.posts, p.impact)
			last = p.doc
		}
		x.postAt = append(x.postAt, uint64(len(x.posts)))
	}
	return x
}

// norms turns counts into impacts.
type norms struct {
	k1          float32
	weight      [NumFields]float32
	flat, slope [NumFields]float32 // the divisor of a field is flat + slope x length
}

func (x *Index) norms(p Params) norms {
	n := norms{k1: p.K1, weight: p.Weight}
	for f := range NumFields {
		n.flat[f] = 1 - p.B[f]
		if x.average[f] > 0 {
			n.slope[f] = p.B[f] / x.average[f]
		}
	}
	return n
}

// frequency is the weighted count of a term, each field divided by its length, and what each field gives of it.
func (n *norms) frequency(tf *[NumFields]uint8, length *[NumFields]uint16) (sum float32, parts [NumFields]float32) {
	for f, c := range tf {
		if c > 0 {
			parts[f] = n.weight[f] * float32(c) / (n.flat[f] + n.slope[f]*float32(length[f]))
			sum += parts[f]
		}
	}
	return sum, parts
}

// steps is how finely an impact is stored.
const steps = 255

func (n *norms) impact(tf *[NumFields]uint8, length *[NumFields]uint16) uint8 {
	sum, _ := n.frequency(tf, length)
	return uint8(max(1, steps*sum/(n.k1+sum)+0.5))
}
