package main

import (
	"context"
	"fmt"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/vector"
)

// meaning is the search by vectors alone, compared exactly.
type meaning struct {
	name string
	// train makes the embedder of a collection out of what may be learned from.
	train func(ctx context.Context, training []chunk.Chunk) (embed.Embedder, error)

	embedder embed.Embedder
	set      *vector.Set
}

func (m *meaning) Name() string { return m.name }

func (m *meaning) Index(ctx context.Context, c Collection) (err error) {
	if m.embedder, err = m.train(ctx, c.Training); err != nil {
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
