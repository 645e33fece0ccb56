package graph

import (
	"context"
	"sync"

	"manito/internal/code"
)

type rankOnce struct {
	mu    sync.Mutex
	ranks []float64
}

// rankWeights say how much of a definition's rank flows along each kind of edge.
// Calls and instantiation say most about what matters; an import alone says little.
var rankWeights = [code.NumEdgeKinds]float64{
	code.EdgeCalls: 1, code.EdgeInstantiates: 1, code.EdgeReads: 0.5, code.EdgeWrites: 0.5, code.EdgeUsesType: 0.5,
	code.EdgeExtends: 1, code.EdgeImplements: 0.5, code.EdgeOverrides: 0.25, code.EdgeImports: 0.25, code.EdgeDecorates: 0.5, code.EdgeExports: 0.25,
}

const (
	rankDamping    = 0.85
	rankIterations = 20
)

// Ranks gives each node a share of the attention of somebody who follows edges
// at random: PageRank (Page, Brin, Motwani, Winograd 1999) with weighted edge
// kinds, 20 rounds, the shares adding up to 1. The order of additions is fixed,
// so that the same graph gives the same bits on every machine. The result is
// computed once for a graph and must not be changed.
func (g *Graph) Ranks(ctx context.Context) ([]float64, error) {
	g.ranks.mu.Lock()
	defer g.ranks.mu.Unlock()
	if g.ranks.ranks != nil {
		return g.ranks.ranks, nil
	}
	n := g.NumNodes()
	if n == 0 {
		return nil, nil
	}
	// What leaves each node in all.
	total := make([]float64, n)
	for d := range g.defNode {
		sum := 0.0
		for e := g.outAt[d]; e < g.outAt[d+1]; e++ {
			sum += rankWeights[g.edgeMeta[e]&15]
		}
		total[g.defNode[d]] += sum
	}
	rank, next := make([]float64, n), make([]float64, n)
	for i := range rank {
		rank[i] = 1 / float64(n)
	}
	for range rankIterations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lost := 0.0 // the share of nodes that nothing leaves goes to all
		for i, t := range total {
			if t == 0 {
				lost += rank[i]
			}
		}
		// float64() keeps a compiler from fusing the operations on some machines.
		base := float64((1-rankDamping)/float64(n)) + float64(float64(rankDamping*lost)/float64(n))
		for i := range next {
			next[i] = base
		}
		for d := range g.defNode {
			from := g.defNode[d]
			if total[from] == 0 {
				continue
			}
			share := float64(float64(rankDamping*rank[from]) / total[from])
			for e := g.outAt[d]; e < g.outAt[d+1]; e++ {
				next[g.edgeTarget[e]] += float64(share * rankWeights[g.edgeMeta[e]&15])
			}
		}
		rank, next = next, rank
	}
	g.ranks.ranks = rank
	return rank, nil
}
