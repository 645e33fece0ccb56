// Package vector finds the nearest of many vectors by cosine: a Set holds them as
// signed bytes with the sign of each component beside, in memory or as a mapped
// file. The exact mode compares with every vector; the fast mode compares signs
// first and only looks at the vectors whose signs are nearest.
//
// It may be imported by embed, search and what stands above them.
package vector

import (
	"math"
	"slices"

	"manito/internal/mapfile"
)

// Quantize scales a vector so that its largest component becomes 127 and rounds.
// Only the direction is kept, which is all that cosine looks at; how long it was
// does not matter. A zero vector, or one with a component that is not a number,
// gives zeros, which are near to nothing.
func Quantize(dst []int8, v []float32) []int8 {
	largest := float32(0)
	for _, x := range v {
		if x != x || math.IsInf(float64(x), 0) {
			return append(dst, make([]int8, len(v))...)
		}
		largest = max(largest, x, -x)
	}
	if largest == 0 {
		return append(dst, make([]int8, len(v))...)
	}
	for _, x := range v {
		dst = append(dst, int8(math.RoundToEven(float64(x)/float64(largest)*127)))
	}
	return dst
}

// Set holds vectors of one dimension, numbered from 0. It does not change and may
// be used concurrently.
type Set struct {
	head  []uint32  // dimension, vectors
	model []uint8   // who made them: bytes that only the caller understands
	codes []int8    // one vector after the other
	scale []float32 // 1/length of each vector as it is in codes; 0 for zero vectors
	mean  []float32 // of the components of all vectors, each vector taken with length 1
	signs []uint64  // by vector: which components exceed the mean; words(dimension) each

	file *mapfile.File
}

func (s *Set) columns() []mapfile.Column {
	return []mapfile.Column{mapfile.Col(&s.head), mapfile.Col(&s.model), mapfile.Col(&s.codes), mapfile.Col(&s.scale), mapfile.Col(&s.mean), mapfile.Col(&s.signs)}
}

func format() mapfile.Format { return mapfile.Format{Magic: "MANITOVE", Version: 1} }

// words is how many 64-bit words the signs of a vector take.
func words(dimension int) int { return (dimension + 63) / 64 }

// New makes a set of vectors of a dimension, one after the other in codes, which
// the set keeps. model says who made them and comes back from Model, so that vectors
// of two models are never taken for each other.
func New(dimension int, codes []int8, model []byte) *Set {
	n := 0
	if dimension > 0 {
		n = len(codes) / dimension
	}
	s := &Set{head: []uint32{uint32(dimension), uint32(n)}, model: slices.Clone(model), codes: codes[:n*dimension], scale: make([]float32, n), mean: make([]float32, dimension)}
	sum := make([]float64, dimension)
	for i := range n {
		v := s.vector(i)
		length := 0
		for _, x := range v {
			length += int(x) * int(x)
		}
		if length == 0 {
			continue
		}
		s.scale[i] = float32(1 / math.Sqrt(float64(length)))
		for j, x := range v {
			sum[j] += float64(x) * float64(s.scale[i])
		}
	}
	for j, x := range sum {
		s.mean[j] = float32(x / float64(max(n, 1)))
	}
	w := words(dimension)
	s.signs = make([]uint64, n*w)
	for i := range n {
		s.sign(s.signs[i*w:i*w+w], s.vector(i), s.scale[i])
	}
	return s
}

// sign sets the bits of the components that exceed the mean. Without taking the
// mean away, components that have one sign nearly everywhere would tell nothing.
func (s *Set) sign(dst []uint64, v []int8, scale float32) {
	for j, x := range v {
		if float32(x)*scale > s.mean[j] {
			dst[j>>6] |= 1 << (j & 63)
		}
	}
}

func (s *Set) vector(i int) []int8 {
	d := int(s.head[0])
	return s.codes[i*d : i*d+d : i*d+d]
}

// Len is the number of vectors.
func (s *Set) Len() int { return int(s.head[1]) }

// Dimension is the number of components of each vector.
func (s *Set) Dimension() int { return int(s.head[0]) }

// Model says who made the vectors, as it was given to New.
func (s *Set) Model() []byte { return s.model }

// Vector is a vector's components; it must not be changed.
func (s *Set) Vector(i int) []int8 { return s.vector(i) }

// Write writes the set to a file, whole or not at all.
func (s *Set) Write(path string) error { return format().Write(path, s.columns()...) }

// Open maps the file of a set. What is wrong with it wraps mapfile.ErrCorrupt or
// mapfile.ErrVersion, a missing file os.ErrNotExist. Close it after the last search.
func Open(path string) (*Set, error) {
	s := &Set{}
	f, err := format().Open(path, s.columns()...)
	if err != nil {
		return nil, err
	}
	if len(s.head) != 2 || len(s.codes) != s.Len()*s.Dimension() || len(s.scale) != s.Len() || len(s.mean) != s.Dimension() || len(s.signs) != s.Len()*words(s.Dimension()) {
		_ = f.Close() // the error that led here says more
		return nil, mapfile.Corrupt("its sections do not fit each other")
	}
	s.file = f
	return s, nil
}

// Close releases the file of an opened set.
func (s *Set) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
