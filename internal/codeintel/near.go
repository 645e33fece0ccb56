package codeintel

import (
	"bytes"
	"cmp"
	"slices"

	"manito/internal/graph"
)

// near finds symbols whose names are much like one: a few letters changed, or
// one inside the other, case not counting. The nearest come first, then the most used.
func (x *Index) near(name string, limit int) []Symbol {
	want := []byte(graph.Fold(name))
	if len(want) < 2 {
		return nil
	}
	budget := 1
	switch {
	case len(want) >= 8:
		budget = 3
	case len(want) >= 4:
		budget = 2
	}
	type candidate struct {
		name string
		cost int
	}
	var list []candidate
	letters := letterSet(want)
	var folded []byte
	for n := range x.g.SymbolNames() {
		if len(n) > len(want)+24 {
			continue
		}
		folded = appendLower(folded[:0], n)
		cost := budget + 1
		if d := len(folded) - len(want); d >= -budget && d <= budget && distinctBits(letters^letterSet(folded)) <= 2*budget {
			cost = distance(want, folded, budget)
		}
		if cost > budget && (len(want) >= 4 && bytes.Contains(folded, want) || len(folded) >= 4 && bytes.Contains(want, folded)) {
			cost = budget + 1 + max(len(folded)-len(want), len(want)-len(folded))/4
		} else if cost > budget {
			continue
		}
		list = append(list, candidate{string(n), cost})
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.name, b.name)) })
	var out []Symbol
	for _, c := range list[:min(len(list), 4*limit)] {
		nodes := x.g.Named(c.name)
		best := nodes[0]
		for _, n := range nodes[1:min(len(nodes), 200)] {
			if x.g.CountIn(n, graph.AllKinds) > x.g.CountIn(best, graph.AllKinds) {
				best = n
			}
		}
		out = append(out, x.symbol(best))
		if len(out) == limit {
			break
		}
	}
	return out
}

func appendLower(dst, name []byte) []byte {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// letterSet has a bit for each of 64 classes of bytes.
func letterSet(b []byte) uint64 {
	var s uint64
	for _, c := range b {
		s |= 1 << (c & 63)
	}
	return s
}

func distinctBits(x uint64) int {
	n := 0
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours between two names (optimal string alignment), or limit+1 when it is more than limit.
func distance(a, b []byte, limit int) int {
	n := len(b)
	before, prev, cur := make([]int, n+1), make([]int, n+1), make([]int, n+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		least := i
		for j := 1; j <= n; j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
			least = min(least, cur[j])
		}
		if least > limit {
			return limit + 1
		}
		before, prev, cur = prev, cur, before
	}
	return min(prev[n], limit+1)
}
