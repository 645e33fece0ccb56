package main

import (
	"context"
	"fmt"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/embed/builtin"
	"manito/internal/vector"
)

// school trains the built-in model on a collection, once for all that need it.
type school struct {
	of    *chunk.Chunk // the first that the model was trained on
	model *builtin.Model
}

func (s *school) train(ctx context.Context, training []chunk.Chunk) (*builtin.Model, error) {
	if s.of == &training[0] {
		return s.model, nil
	}
	m, err := builtin.Train(ctx, training)
	if err != nil {
		return nil, err
	}
	s.of, s.model = &training[0], m
	return m, nil
}

// meaning is the search by vectors alone, compared exactly.
type meaning struct {
	school   *school
	embedder embed.Embedder
	set      *vector.Set
}

func (m *meaning) Name() string { return "builtin" }

func (m *meaning) Index(ctx context.Context, c Collection) (err error) {
	if m.embedder, err = m.school.train(ctx, c.Training); err != nil {
		return err
	}
	model := m.embedder.Model()
	codes := make([][]int8, len(c.Chunks))
	err = m.embedder.Chunks(ctx, c.Chunks, func(first int, vectors [][]float32) error {
		for i, v := range vectors {
			codes[first+i] = vector.Quantize(nil, v)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var flat []int8
	for i, v := range codes {
		if len(v) != model.Dimension {
			return fmt.Errorf("%s made no vector of chunk %d", model, i)
		}
		flat = append(flat, v...)
	}
	m.set = vector.New(model.Dimension, flat, model.Bytes())
	return nil
}

func (m *meaning) Search(ctx context.Context, query string, k int) ([]int, error) {
	v, err := m.embedder.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	hits, _, err := m.set.Search(ctx, v, vector.Options{K: k, Mode: vector.Exact})
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.ID
	}
	return out, err
}
