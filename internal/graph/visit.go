package graph

import "sync"

// visit marks nodes as seen without clearing between uses: a mark counts only
// when it carries the current generation.
type visit struct {
	stamp []uint32
	gen   uint32
}

func (v *visit) seen(n uint32) bool { return v.stamp[n] == v.gen }

// mark marks n and says whether it was not yet marked.
func (v *visit) mark(n uint32) bool {
	if v.stamp[n] == v.gen {
		return false
	}
	v.stamp[n] = v.gen
	return true
}

// visitPool hands out visits that are large enough for the graph's nodes.
type visitPool struct{ pool sync.Pool }

func (g *Graph) visit() *visit {
	v, _ := g.visits.pool.Get().(*visit)
	if v == nil {
		v = &visit{stamp: make([]uint32, g.NumNodes())}
	}
	v.gen++
	if v.gen == 0 { // the generations ran out
		clear(v.stamp)
		v.gen = 1
	}
	return v
}

func (g *Graph) release(v *visit) { g.visits.pool.Put(v) }
