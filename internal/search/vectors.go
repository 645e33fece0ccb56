package search

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/embed/builtin"
	"manito/internal/mapfile"
	"manito/internal/vector"
)

// Each segment has a file of vectors for the model of the snapshot, numbered as its
// chunks are; what no snapshot needed when it was made has a vector of zeros, which
// is never found. The model is kept beside, under the name of its digest.

const (
	modelSuffix   = ".model"
	vectorsSuffix = ".vectors"
)

func modelName(m embed.Model) string { return hex.EncodeToString(m.Digest[:16]) }

func vectorsName(segment, model string) string { return segment + "-" + model + vectorsSuffix }

// modelFile is the file of a model: its bytes as they are, under mapfile's checks.
func modelFile() mapfile.Format { return mapfile.Format{Magic: "MANITOSV", Version: 1} }

func writeModel(dir string, m *builtin.Model) error {
	b, err := m.Bytes()
	if err != nil {
		return err
	}
	return modelFile().Write(filepath.Join(dir, modelName(m.Model())+modelSuffix), mapfile.Col(&b))
}

func readModel(dir, name string) (*builtin.Model, error) {
	var b []uint8
	f, err := modelFile().Open(filepath.Join(dir, name+modelSuffix), mapfile.Col(&b))
	if err != nil {
		return nil, err
	}
	m, err := builtin.Load(slices.Clone(b))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if modelName(m.Model()) != name {
		return nil, mapfile.Corrupt("the model is another one")
	}
	return m, nil
}

// embed gives every chunk of the snapshot its vector: with the model that is there
// while it knows most of the chunks, else with a new one. What a segment has under
// the model stays.
func (u *chunkUpdate) embed(ctx context.Context) error {
	if u.NoVectors || len(u.names) == 0 {
		return nil
	}
	var err error
	model := u.Model
	if model != nil {
		err = writeModel(u.Dir, model)
	} else {
		model, err = u.knownModel(ctx)
	}
	if err != nil {
		return err
	}
	if model == nil {
		all, err := u.everyChunk(ctx)
		if err != nil {
			return err
		}
		if len(all) < minTrain {
			return nil
		}
		if model, err = builtin.Train(ctx, all); err != nil {
			return err
		}
		if err := writeModel(u.Dir, model); err != nil {
			return err
		}
	}
	u.model = modelName(model.Model())
	for _, name := range u.names {
		if err := u.embedSegment(ctx, model, name); err != nil {
			return err
		}
	}
	return nil
}

// minTrain is how few chunks cannot teach a model what words have to do with each other.
const minTrain = 50

// knownModel is a model of this folder that is not stale: that of the snapshot before
// most likely. nil when there is none. Of several the first by name is taken, so that
// the same files give the same answer.
func (u *chunkUpdate) knownModel(ctx context.Context) (*builtin.Model, error) {
	entries, err := os.ReadDir(u.Dir)
	if err != nil {
		return nil, fmt.Errorf("search files: %w", err)
	}
	var now []chunk.Chunk
	for _, e := range entries {
		if filepath.Ext(e.Name()) != modelSuffix {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := readModel(u.Dir, e.Name()[:len(e.Name())-len(modelSuffix)])
		switch {
		case Damaged(err):
			if err := os.Remove(filepath.Join(u.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("search files: %w", err)
			}
			continue
		case err != nil:
			return nil, err
		}
		if now == nil {
			if now, err = u.hashes(); err != nil {
				return nil, err
			}
		}
		if m.Stale(now) < builtin.StaleAfter {
			return m, nil
		}
	}
	return nil, nil
}

// hashes are the snapshot's chunks by their hashes only, which is what staleness is told by.
func (u *chunkUpdate) hashes() (out []chunk.Chunk, err error) {
	for _, name := range u.names {
		s, err := openSegment(u.Dir, name)
		if err != nil {
			return nil, err
		}
		for _, at := range u.files[name] {
			for c := s.fileAt[at.position]; c < s.fileAt[at.position+1]; c++ {
				out = append(out, chunk.Chunk{Hash: s.hash(int(c))})
			}
		}
		if err := s.close(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// everyChunk cuts all files of the snapshot, in the order of their paths.
func (u *chunkUpdate) everyChunk(ctx context.Context) (out []chunk.Chunk, err error) {
	u.cut = map[int][]chunk.Chunk{}
	var files []int
	for i := range u.Corpus.Files {
		if f := &u.Corpus.Files[i]; f.Text && f.Size > 0 {
			files = append(files, i)
		}
	}
	for part := range slices.Chunk(files, 2048) {
		list, err := u.chunks(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			out = append(out, f.Chunks...)
			u.cut[f.File] = f.Chunks
		}
	}
	return out, nil
}

// embedSegment makes the vectors of a segment under a model unless they are there.
func (u *chunkUpdate) embedSegment(ctx context.Context, m *builtin.Model, name string) (err error) {
	path := filepath.Join(u.Dir, vectorsName(name, modelName(m.Model())))
	set, err := vector.Open(path)
	if err == nil {
		return set.Close()
	}
	if !Damaged(err) {
		return err
	}
	s, err := openSegment(u.Dir, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	dim := m.Model().Dimension
	codes := make([]int8, s.chunks()*dim)
	live := u.files[name]
	for part := range slices.Chunk(live, 2048) {
		files := make([]int, len(part))
		for i, at := range part {
			files[i] = at.file
		}
		list, err := u.again(ctx, files)
		if err != nil {
			return err
		}
		var flat []chunk.Chunk
		var ids []int
		for i, f := range list {
			first := int(s.fileAt[part[i].position])
			for j := range f.Chunks {
				flat, ids = append(flat, f.Chunks[j]), append(ids, first+j)
			}
		}
		var code []int8
		err = m.Chunks(ctx, flat, func(first int, vectors [][]float32) error {
			for i, v := range vectors {
				code = vector.Quantize(code[:0], v)
				copy(codes[ids[first+i]*dim:], code)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return vector.New(dim, codes, m.Model().Bytes()).Write(path)
}

// again gives the chunks of files, those that training has looked at from memory.
func (u *chunkUpdate) again(ctx context.Context, files []int) ([]FileChunks, error) {
	if u.cut == nil {
		return u.chunks(ctx, files)
	}
	out := make([]FileChunks, len(files))
	for i, f := range files {
		out[i] = FileChunks{File: f, Chunks: u.cut[f]}
	}
	return out, nil
}

// member is a file of the snapshot in a segment.
type member struct{ file, position int }
