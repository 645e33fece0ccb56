package search

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/problem"
	"manito/internal/vector"
)

// Provider is a model that somebody else serves, and the vectors that are stored of
// it. They cost money, so that they are kept in the store; files that a search can map
// are made of them beside the others, and may be deleted.
type Provider struct {
	// Embedder embeds questions. Its Model has the dimension of the stored vectors.
	Embedder embed.Embedder
	// State changes whenever other vectors are stored: files of another state are made anew.
	State []byte
	// Vectors hands over what is stored: hashes of chunks with signed bytes, which are
	// valid during the call only.
	Vectors func(ctx context.Context, yield func(hash [32]byte, vector []int8) error) error
}

const providedSuffix = ".provided"

func providedName(segment string, m embed.Model) string {
	return segment + "-" + modelName(m) + providedSuffix
}

// provided are the vectors of one state of a provider's model.
type provided struct {
	stamp []byte
	sets  []*vector.Set // by segment
	have  int           // chunks of the snapshot that have a vector
}

func (p *provided) close() error {
	var errs []error
	for _, s := range p.sets {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// provide maps a provider's vectors, those that were mapped last if nothing has changed.
func (x *Index) provide(ctx context.Context, p *Provider) (*provided, error) {
	x.loading.Lock()
	defer x.loading.Unlock()
	model := p.Embedder.Model()
	stamp := append(model.Bytes(), p.State...)
	if x.provided != nil && bytes.Equal(x.provided.stamp, stamp) {
		return x.provided, nil
	}
	v := &provided{stamp: stamp, sets: make([]*vector.Set, len(x.segments))}
	err := x.openProvided(v, model)
	if err == nil {
		err = x.makeProvided(ctx, v, p)
	}
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	for i, s := range v.sets {
		v.have += covered(s, x.live[i])
	}
	if x.provided != nil { // other searches may still look into it
		x.retired = append(x.retired, x.provided)
	}
	x.provided = v
	return v, nil
}

// openProvided maps the files that are there and of this state.
func (x *Index) openProvided(v *provided, model embed.Model) error {
	for i, s := range x.segments {
		set, err := vector.Open(filepath.Join(x.dir, providedName(s.name, model)))
		switch {
		case err == nil && bytes.Equal(set.Model(), v.stamp) && set.Len() == s.chunks():
			v.sets[i] = set
		case err == nil:
			if err := set.Close(); err != nil {
				return err
			}
		case !Damaged(err):
			return err
		}
	}
	return nil
}

// makeProvided makes the files that are missing. Chunks without a stored vector have
// one of zeros, which is never found.
func (x *Index) makeProvided(ctx context.Context, v *provided, p *Provider) error {
	model := p.Embedder.Model()
	at := map[[32]byte][]chunkID{}
	codes := make([][]int8, len(x.segments))
	for i, s := range x.segments {
		if v.sets[i] != nil {
			continue
		}
		codes[i] = make([]int8, s.chunks()*model.Dimension)
		for c := range s.chunks() {
			h := s.hash(c)
			at[h] = append(at[h], chunkID{i, c})
		}
	}
	if len(at) > 0 {
		err := p.Vectors(ctx, func(hash [32]byte, code []int8) error {
			if len(code) != model.Dimension {
				return problem.New(problem.Invalid, "a stored vector of the model %s has %d dimensions, the model has %d", model.Name, len(code), model.Dimension)
			}
			for _, id := range at[hash] {
				copy(codes[id.segment][id.doc*model.Dimension:], code)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i, s := range x.segments {
		if v.sets[i] != nil {
			continue
		}
		path := filepath.Join(x.dir, providedName(s.name, model))
		if err := vector.New(model.Dimension, codes[i], v.stamp).Write(path); err != nil {
			return err
		}
		codes[i] = nil
		set, err := vector.Open(path)
		if err != nil {
			return err
		}
		v.sets[i] = set
	}
	return nil
}

// covered counts the vectors of a set that are allowed and not zero.
func covered(s *vector.Set, allow []uint64) (n int) {
	for i := range s.Len() {
		if allow[i/64]&(1<<(i%64)) == 0 {
			continue
		}
		for _, x := range s.Vector(i) {
			if x != 0 {
				n++
				break
			}
		}
	}
	return n
}

// EachChunk cuts all text files of a corpus into chunks, some files at a time, and
// hands over each chunk once, though it stands in several places.
func EachChunk(ctx context.Context, c *Corpus, yield func(*chunk.Chunk) error) error {
	var files []int
	for i := range c.Files {
		if f := &c.Files[i]; f.Text && f.Size > 0 {
			files = append(files, i)
		}
	}
	seen := map[[32]byte]bool{}
	return Chunks(ctx, c, files, func(f FileChunks) error {
		for i := range f.Chunks {
			if h := f.Chunks[i].Hash; !seen[h] {
				seen[h] = true
				if err := yield(&f.Chunks[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
