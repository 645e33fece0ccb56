package graph

import "iter"

// SymbolsByName yields every name that a symbol bears, by bytes, with the symbols
// that bear it in (path, order) sequence. Both slices are valid until the next name
// and must not be changed.
func (g *Graph) SymbolsByName() iter.Seq2[[]byte, []Node] {
	return func(yield func([]byte, []Node) bool) {
		var nodes []Node
		for id := range uint32(g.numNames()) {
			list := g.nodes[g.nodesAt[id]:g.nodesAt[id+1]]
			if len(list) == 0 {
				continue
			}
			nodes = nodes[:0]
			for _, n := range list {
				nodes = append(nodes, Node(n))
			}
			if !yield(g.nameBytes(id), nodes) {
				return
			}
		}
	}
}
