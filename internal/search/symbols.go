package search

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"

	"manito/internal/graph"
	"manito/internal/problem"
)

// SymbolQuery asks for symbols by name.
type SymbolQuery struct {
	// Name is a name or the beginning, the humps or any part of one, perhaps with
	// owners, packages or folders before it: Do, Client.Do, http.Client.Do, NewReq, nre.
	Name string
	// Exactly leaves out names that only look alike: nothing but MatchFolded and better.
	Exactly bool
	// Keep says whether a definition may be in the answer; nil keeps all.
	Keep  func(graph.Def) bool
	Limit int
}

// SymbolHit is a symbol that was found.
type SymbolHit struct {
	Node   graph.Node
	Def    graph.Def // the definition that fits best
	Match  Match
	Typos  int     // typing errors, for MatchFuzzy
	Close  float64 // how closely it fits within its Match, 0 to 1
	Weight float64 // of the definition: kind, visibility, references, place, tests
	Score  float64 // all of them; hits are ordered by it, then by path and line
}

// maxName bounds a name that is looked for; nothing longer is a name.
const maxName = 1024

// Find finds symbols, the best first. Total counts what fits, as far as it was
// looked at: it is a lower bound when more than Limit fit.
func (s *Symbols) Find(ctx context.Context, q SymbolQuery) (hits []SymbolHit, total int, err error) {
	if len(q.Name) > maxName {
		return nil, 0, problem.New(problem.Usage, "a symbol's name of %d bytes is too long", len(q.Name))
	}
	owners, name := splitOwners(q.Name)
	p := newPattern(name)
	if len(p.folded) == 0 || q.Limit <= 0 {
		return nil, 0, ctx.Err()
	}
	f := finder{s: s, q: q, owners: owners}
	f.offer(s.scan(func(lo, hi int) []found { return s.fitting(&p, lo, hi, q.Exactly) }))
	if err := f.expand(ctx); err != nil {
		return nil, 0, err
	}
	if p.budget > 0 && !q.Exactly && f.weak() {
		f.offer(s.scan(func(lo, hi int) []found { return s.misspelt(&p, lo, hi) }))
		if err := f.expand(ctx); err != nil {
			return nil, 0, err
		}
	}
	return f.results(), f.total, nil
}

// splitOwners takes a qualified name apart: what stands before the last sign of
// membership, nearest last, and the name. A name that is only signs is a name.
func splitOwners(raw string) (owners []string, name string) {
	fields := strings.FieldsFunc(raw, func(r rune) bool { return strings.ContainsRune(".#/:()*", r) })
	if len(fields) == 0 {
		return nil, raw
	}
	return fields[:len(fields)-1], fields[len(fields)-1]
}

// found is a name that fits.
type found struct {
	name  int32
	match Match
	typos int8
	close float32
	bound float32 // the score of its best bearer
}

func (f found) score() float64 {
	return matchScores[f.match] - 30*float64(f.typos) + 50*float64(f.close)
}

// fitting finds the names from lo to hi that fit without typing errors.
func (s *Symbols) fitting(p *pattern, lo, hi int, exactly bool) (out []found) {
	letters, pairs := s.letters[lo:hi], s.pairs[lo:hi]
	for k, have := range letters {
		if p.letters&^have != 0 {
			continue
		}
		i := lo + k
		folded := s.foldedName(i)
		paired := p.pairs&^pairs[k] == 0
		if !paired && folded[bits.TrailingZeros64(s.humps[i])] != p.squeezed[0] {
			continue // neither in one piece nor by its words
		}
		m, close := p.fit(s.rawName(i), folded, s.humps[i], paired)
		if m == MatchNone || exactly && m < MatchFolded {
			continue
		}
		f := found{name: int32(i), match: m, close: float32(close)}
		f.bound = float32(f.score()) + s.best[i]
		out = append(out, f)
	}
	return out
}

// misspelt finds the names from lo to hi that fit with typing errors only.
func (s *Symbols) misspelt(p *pattern, lo, hi int) (out []found) {
	var buffer [maxPattern + 8]byte
	size, budget := len(p.squeezed), p.budget
	least, most := uint8(max(0, min(255, size-budget))), uint8(min(255, size+budget))
	for k, n := range s.sizes[lo:hi] {
		// An error changes the length by one, takes one letter away and brings one in, and
		// parts three pairs of neighbours, each at most.
		if n < least || n > most {
			continue
		}
		i := lo + k
		if have := s.letters[i]; bits.OnesCount64(p.letters&^have) > budget || bits.OnesCount64(have&^p.letters) > budget {
			continue
		}
		if have := s.pairs[i]; bits.OnesCount64(p.pairs&^have) > 3*budget || bits.OnesCount64(have&^p.pairs) > 3*budget {
			continue
		}
		folded := s.foldedName(i)
		if len(folded) > maxPattern+3 {
			continue
		}
		typos := p.near(folded, buffer[:])
		if typos == 0 || typos > budget {
			continue
		}
		f := found{name: int32(i), match: MatchFuzzy, typos: int8(typos), close: 0.2}
		if folded[0] == p.folded[0] { // people rarely miss the first letter
			f.close = 0.7
		}
		f.bound = float32(f.score()) + s.best[i]
		out = append(out, f)
	}
	return out
}

// shardNames is how many names a goroutine looks at; fewer are not worth one.
const shardNames = 1 << 17

// scan looks at every name, in shards from lo to hi.
func (s *Symbols) scan(look func(lo, hi int) []found) []found {
	shards := max(1, min(runtime.GOMAXPROCS(0), s.Len()/shardNames))
	if shards == 1 {
		return look(0, s.Len())
	}
	parts := make([][]found, shards)
	var group sync.WaitGroup
	for shard := range shards {
		group.Go(func() { parts[shard] = look(shard*s.Len()/shards, (shard+1)*s.Len()/shards) })
	}
	group.Wait()
	return slices.Concat(parts...)
}

// finder expands names to symbols until no name that is left can have a better one.
type finder struct {
	s      *Symbols
	q      SymbolQuery
	owners []string
	names  names
	seen   int // bearers that were looked at
	top    hitHeap
	total  int
}

// names is a heap of names, the most promising first.
type names []found

func (n names) Len() int { return len(n) }
func (n names) Less(i, j int) bool {
	return n[i].bound > n[j].bound || n[i].bound == n[j].bound && n[i].name < n[j].name
}
func (n names) Swap(i, j int) { n[i], n[j] = n[j], n[i] }
func (n *names) Push(x any)   { *n = append(*n, x.(found)) }
func (n *names) Pop() any {
	old := *n
	x := old[len(old)-1]
	*n = old[:len(old)-1]
	return x
}

// hitHeap holds the best hits, the worst of them first.
type hitHeap []SymbolHit

func (h hitHeap) Len() int           { return len(h) }
func (h hitHeap) Less(i, j int) bool { return compareHits(h[i], h[j]) > 0 }
func (h hitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *hitHeap) Push(x any)        { *h = append(*h, x.(SymbolHit)) }
func (h *hitHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// compareHits orders hits; definitions are numbered by path and line.
func compareHits(a, b SymbolHit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Def, b.Def))
}

func (f *finder) offer(list []found) {
	f.names = list
	heap.Init(&f.names)
}

// maxBearers bounds how many symbols one search looks at: a name such as String has
// thousands. Those of the best names are looked at first.
const maxBearers = 20000

func (f *finder) expand(ctx context.Context) error {
	s, g := f.s, f.s.g
	for len(f.names) > 0 && f.seen < maxBearers {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := heap.Pop(&f.names).(found)
		if len(f.top) == f.q.Limit && float64(n.bound) < f.top[0].Score {
			f.total += int(s.nodeAt[n.name+1] - s.nodeAt[n.name])
			for _, rest := range f.names {
				f.total += int(s.nodeAt[rest.name+1] - s.nodeAt[rest.name])
			}
			return nil
		}
		for _, node := range s.nodes[s.nodeAt[n.name]:s.nodeAt[n.name+1]] {
			f.seen++
			best := SymbolHit{Def: graph.None, Score: math.Inf(-1)}
			for d := g.FirstDef(node); d != graph.None; d = g.NextDef(d) {
				if f.q.Keep != nil && !f.q.Keep(d) {
					continue
				}
				owned, ok := s.owned(d, f.owners)
				if !ok {
					continue
				}
				hit := SymbolHit{Node: node, Def: d, Match: n.match, Typos: int(n.typos), Close: float64(n.close), Weight: float64(s.weights[d])}
				hit.Score = n.score() + hit.Weight - owned
				if hit.Score > best.Score {
					best = hit
				}
			}
			if best.Def == graph.None {
				continue
			}
			f.total++
			switch {
			case len(f.top) < f.q.Limit:
				heap.Push(&f.top, best)
			case compareHits(best, f.top[0]) < 0:
				f.top[0] = best
				heap.Fix(&f.top, 0)
			}
		}
	}
	return nil
}

// weak says whether nothing that was found shows that the name was spelt as it was meant.
func (f *finder) weak() bool {
	if len(f.top) == f.q.Limit {
		return false
	}
	return !slices.ContainsFunc(f.top, func(h SymbolHit) bool { return h.Match >= MatchPrefix })
}

func (f *finder) results() []SymbolHit {
	out := slices.Clone([]SymbolHit(f.top))
	slices.SortFunc(out, compareHits)
	return out
}

// owned says whether a definition stands in what the query names before the symbol,
// in that order from the inside out: types and namespaces, the file, its folders.
// Something in between may be left out; each that is costs a little.
func (s *Symbols) owned(d graph.Def, owners []string) (cost float64, ok bool) {
	if len(owners) == 0 {
		return 0, true
	}
	g := s.g
	path := g.Path(g.FileOf(d))
	qualified := g.QualifiedName(d)
	chain := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if n := len(chain); n > 0 {
		base, _, _ := strings.Cut(chain[n-1], ".")
		chain[n-1] = base
	}
	if i := strings.LastIndexByte(qualified, '.'); i > 0 {
		chain = append(chain, strings.Split(qualified[:i], ".")...)
	}
	at := len(chain) - 1
	for i := len(owners) - 1; i >= 0; i-- {
		want := graph.Fold(owners[i])
		for {
			if at < 0 {
				return 0, false
			}
			have := graph.Fold(chain[at])
			at--
			if have == want {
				break
			}
			if len(want) > 1 && strings.HasPrefix(have, want) {
				cost += 15
				break
			}
			if len(want) > 3 && distance([]byte(want), []byte(have[:min(len(have), maxPattern)]), 1) == 1 {
				cost += 40
				break
			}
			cost += 4
		}
	}
	return cost, true
}

// Range is a stretch of bytes, from Start up to, not including, End.
type Range struct{ Start, End int }

// Highlight says which bytes of a name made it fit.
func (s *Symbols) Highlight(query string, name string, m Match) []Range {
	_, last := splitOwners(query)
	p := newPattern(last)
	folded := appendFold(nil, []byte(name))
	if len(folded) != len(name) || m == MatchFuzzy || m == MatchNone {
		return nil
	}
	switch m {
	case MatchExact, MatchFolded, MatchSqueezed:
		return []Range{{0, len(name)}}
	case MatchHumps:
		return p.humpRanges(folded, humpsOf([]byte(name), true))
	}
	start := bytes.Index(folded, p.folded)
	if m == MatchPrefix {
		start = 0
	}
	for at := 0; m == MatchWord; at++ {
		i := bytes.Index(folded[at:], p.folded)
		if i < 0 {
			break
		}
		at += i
		if humpsOf([]byte(name), true)>>min(63, at)&1 != 0 {
			start = at
			break
		}
	}
	if start < 0 {
		for i := range folded {
			if ok, rest := p.squeezedPrefix(folded[i:]); ok && folded[i] == p.squeezed[0] {
				return []Range{{i, len(folded) - rest}}
			}
		}
		return nil
	}
	ok, rest := p.squeezedPrefix(folded[start:])
	if !ok {
		return nil
	}
	return []Range{{start, len(folded) - rest}}
}

// humpRanges are the bytes of a name that the letters of the pattern stand for.
func (p *pattern) humpRanges(folded []byte, humps uint64) []Range {
	var out []Range
	at := 0
	for rest := p.squeezed; len(rest) > 0; {
		placed := false
		for h := humps &^ (1<<min(63, at) - 1); h != 0; h &= h - 1 {
			start := bits.TrailingZeros64(h)
			n := 0
			for n < len(rest) && start+n < len(folded) && folded[start+n] == rest[n] {
				n++
			}
			// Take as many letters as leave a rest that can be placed.
			for ; n > 0; n-- {
				if n == len(rest) || p.placeable(rest[n:], folded, humps, start+n) {
					break
				}
			}
			if n > 0 {
				out = append(out, Range{start, start + n})
				rest, at, placed = rest[n:], start+n, true
				break
			}
		}
		if !placed {
			return nil
		}
	}
	return out
}

// placeable says whether letters can be made of beginnings of words from a byte on.
func (p *pattern) placeable(rest, folded []byte, humps uint64, from int) bool {
	for h := humps &^ (1<<min(63, from) - 1); h != 0; h &= h - 1 {
		if start := bits.TrailingZeros64(h); start < len(folded) && humpsFrom(rest, folded, humps, start, 0) {
			return true
		}
	}
	return false
}
