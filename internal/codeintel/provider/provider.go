// Package provider has the chunks of a snapshot embedded by somebody else's server,
// keeps their vectors in the store, and gives them to searches.
//
// It may be imported by cli and server.
package provider

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"manito/internal/chunk"
	"manito/internal/embed"
	"manito/internal/embed/openai"
	"manito/internal/postgres"
	"manito/internal/problem"
	"manito/internal/search"
	"manito/internal/vector"
)

// Provider is one model of a server, for one repository.
type Provider struct {
	DB   *postgres.DB
	Repo int32
	// Options say how the server is asked. Expect is filled from what is stored.
	Options openai.Options
}

// Plan is what there is to do for a snapshot.
type Plan struct {
	Chunks    int // of the snapshot, each counted once
	Embedded  int // those that have a vector
	Dimension int // of the stored vectors; 0 as long as there is none
	openai.Cost
}

const (
	// wave is how many chunks are in memory at a time.
	wave = 2048
	// maxDimension is what the store takes.
	maxDimension = 16384
	// storing bounds how long a batch that was paid for is being stored after an interrupt.
	storing = 30 * time.Second
)

// Plan looks at what has no vector yet, and estimates what it takes. The server is
// not asked and no key is needed.
func (p *Provider) Plan(ctx context.Context, c *search.Corpus) (*Plan, error) {
	o := p.Options
	o.KeyVariable = ""
	e, err := openai.New(o)
	if err != nil {
		return nil, err
	}
	model, err := p.stored(ctx, e.Model())
	if err != nil {
		return nil, err
	}
	have, err := p.embedded(ctx, model)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Dimension: model.Dimension}
	plan.Known = o.Price > 0
	err = missing(ctx, c, have, func(list []chunk.Chunk) error {
		cost := e.Estimate(list)
		plan.Cost.Chunks += cost.Chunks
		plan.Requests += cost.Requests
		plan.Tokens += cost.Tokens
		plan.Price += cost.Price
		return nil
	}, &plan.Chunks)
	plan.Embedded = plan.Chunks - plan.Cost.Chunks
	return plan, err
}

// Embed sends every chunk that has no vector to the server, batch by batch, and stores
// each batch when it is finished, so that a run that was stopped or failed is gone on
// with by the next. done is told how many are stored, before the first and after each
// batch, and never twice at a time. The number of those that are stored is valid beside
// an error too. Errors are those of openai.Open, and of the store.
func (p *Provider) Embed(ctx context.Context, c *search.Corpus, done func(stored int)) (stored int, err error) {
	e, model, err := p.open(ctx)
	if err != nil {
		return 0, err
	}
	have, err := p.embedded(ctx, model)
	if err != nil {
		return 0, err
	}
	done(0)
	all := 0
	err = missing(ctx, c, have, func(list []chunk.Chunk) error {
		var failed error
		err := e.Chunks(ctx, list, func(first int, vectors [][]float32) error {
			if err := p.store(ctx, model, list[first:first+len(vectors)], vectors); err != nil {
				failed = errors.Join(failed, err)
				return err
			}
			stored += len(vectors)
			done(stored)
			return nil
		})
		var known *problem.Error
		switch {
		case failed != nil:
			return failed
		case errors.As(err, &known): // without what it says of this wave, which is a part only
			return known
		}
		return err
	}, &all)
	return stored, err
}

// open asks the server for the dimension, and records the model.
func (p *Provider) open(ctx context.Context) (*openai.Embedder, postgres.Model, error) {
	o := p.Options
	e, err := openai.New(o)
	if err != nil {
		return nil, postgres.Model{}, err
	}
	model, err := p.stored(ctx, e.Model())
	if err != nil {
		return nil, model, err
	}
	o.Expect = model.Dimension
	if e, err = openai.Open(ctx, o); err != nil {
		return nil, model, err
	}
	m := e.Model()
	if m.Dimension > maxDimension {
		return nil, model, problem.New(problem.Invalid, "the model %s gives vectors of %d dimensions, more than the %d that can be stored", m.Name, m.Dimension, maxDimension).
			Fix("ask for fewer with MANITO_EMBEDDINGS_DIMENSION, or choose another model")
	}
	model, err = p.DB.EnsureModel(ctx, p.Repo, postgres.Model{Name: m.Name, Version: m.Version, Dimension: m.Dimension, Digest: m.Digest}, nil)
	return e, model, err
}

// stored finds the model as it is stored: with ID 0 when it is not.
func (p *Provider) stored(ctx context.Context, m embed.Model) (postgres.Model, error) {
	models, err := p.DB.Models(ctx, p.Repo)
	if err != nil {
		return postgres.Model{}, err
	}
	for _, s := range models {
		if s.Name == m.Name && s.Version == m.Version && s.Digest == m.Digest {
			return s, nil
		}
	}
	return postgres.Model{}, nil
}

func (p *Provider) embedded(ctx context.Context, m postgres.Model) (map[[32]byte]bool, error) {
	if m.ID == 0 {
		return nil, nil
	}
	return p.DB.Embedded(ctx, p.Repo, m.ID)
}

// store keeps a batch. It has been paid for, so that an interrupt does not lose it.
func (p *Provider) store(ctx context.Context, m postgres.Model, list []chunk.Chunk, vectors [][]float32) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storing)
	defer cancel()
	hashes := make([][32]byte, len(list))
	codes := make([]int8, 0, len(list)*m.Dimension)
	var code []int8
	for i := range list {
		hashes[i] = list[i].Hash
		code = vector.Quantize(code[:0], vectors[i])
		codes = append(codes, code...)
	}
	return p.DB.PutVectors(ctx, p.Repo, m, hashes, codes)
}

// missing hands over the chunks that have no vector, some at a time, and counts all.
func missing(ctx context.Context, c *search.Corpus, have map[[32]byte]bool, yield func([]chunk.Chunk) error, all *int) error {
	var list []chunk.Chunk
	err := search.EachChunk(ctx, c, func(x *chunk.Chunk) error {
		*all++
		if have[x.Hash] {
			return nil
		}
		if list = append(list, *x); len(list) < wave {
			return nil
		}
		err := yield(list)
		list = nil
		return err
	})
	if err != nil || len(list) == 0 {
		return err
	}
	return yield(list)
}

// A search waits for the server this long, and tries this often: what other ways of
// searching have found should not wait for one that is down.
const (
	searchExpiry   = 5 * time.Second
	searchMaxWait  = time.Second
	searchAttempts = 2
)

// Search gives searches the stored vectors, and has their queries embedded. Errors:
// those of openai.New; Unavailable when no vector of the model is stored.
func (p *Provider) Search(ctx context.Context) (*search.Provider, error) {
	o := p.Options
	o.RequestExpiry, o.MaxWait, o.Attempts = searchExpiry, searchMaxWait, searchAttempts
	e, err := openai.New(o)
	if err != nil {
		return nil, err
	}
	model, err := p.stored(ctx, e.Model())
	if err != nil {
		return nil, err
	}
	if model.Vectors == 0 {
		return nil, problem.New(problem.Unavailable, "there are no vectors of the model %s", o.Model).Fix("make them: manito embed").Fix("see what it takes: manito embed --dry-run")
	}
	o.Expect = model.Dimension
	if e, err = openai.New(o); err != nil {
		return nil, err
	}
	return &search.Provider{
		Embedder: e,
		State:    binary.LittleEndian.AppendUint64(fmt.Appendf(nil, "%d ", model.ID), uint64(model.Vectors)),
		Vectors: func(ctx context.Context, yield func([32]byte, []int8) error) error {
			return p.DB.Vectors(ctx, p.Repo, model.ID, yield)
		},
	}, nil
}
