package postgres

import (
	"cmp"
	"math"
	"slices"

	"manito/internal/code"
)

// The index from symbols to files is a sequence of blocks by ascending key, as
// SQL compares int8. Each lists keys, for each the file that defines it, and for
// each the files that mention it. All functions here are pure.

// place says that a file defines or mentions a key.
type place struct {
	key  int64
	path int32
}

func comparePlaces(a, b place) int {
	if a.key != b.key { // sorting hundreds of thousands is felt
		return cmp.Compare(a.key, b.key)
	}
	return cmp.Compare(a.path, b.path)
}

// symbolBlock is one row of symbol_block; its places are sorted and distinct.
type symbolBlock struct {
	lo       int64
	defined  []place
	mentions []place
}

// blockKeys is how many keys a new block gets; one that grows past twice as many is cut.
const blockKeys = 64

// buildSymbols makes the whole index. It sorts the given places.
func buildSymbols(defined, mentions []place) []symbolBlock {
	slices.SortFunc(defined, comparePlaces)
	slices.SortFunc(mentions, comparePlaces)
	return cutSymbols(math.MinInt64, slices.Compact(defined), slices.Compact(mentions))
}

// cutSymbols makes blocks from sorted places. The first begins at lo; there is always one.
func cutSymbols(lo int64, defined, mentions []place) []symbolBlock {
	var out []symbolBlock
	for {
		d, m := 0, 0
		for n := 0; n < blockKeys && (d < len(defined) || m < len(mentions)); n++ {
			var key int64
			switch {
			case d == len(defined):
				key = mentions[m].key
			case m == len(mentions):
				key = defined[d].key
			default:
				key = min(defined[d].key, mentions[m].key)
			}
			for d < len(defined) && defined[d].key == key {
				d++
			}
			for m < len(mentions) && mentions[m].key == key {
				m++
			}
		}
		out = append(out, symbolBlock{lo, defined[:d], mentions[:m]})
		defined, mentions = defined[d:], mentions[m:]
		switch {
		case len(defined) == 0 && len(mentions) == 0:
			return out
		case len(defined) == 0:
			lo = mentions[0].key
		case len(mentions) == 0:
			lo = defined[0].key
		default:
			lo = min(defined[0].key, mentions[0].key)
		}
	}
}

const (
	// maxStep is the largest step that one element of sources can say.
	maxStep = math.MaxInt16
	// alsoDefined stands before the files that define a key beside the first.
	alsoDefined = math.MinInt16
)

// steps appends the difference between two ascending path ids.
func steps(into []int16, from, to int32) []int16 {
	step := to - from
	for step > maxStep {
		jump := min((step-1)/maxStep, maxStep)
		into = append(into, int16(-jump))
		step -= jump * maxStep
	}
	return append(into, int16(step))
}

// encode makes the arrays of the row; see the comments of the table's columns.
func (b *symbolBlock) encode() (keys []int64, paths []int32, sources []int16) {
	d, m := 0, 0
	for d < len(b.defined) || m < len(b.mentions) {
		var key int64
		switch {
		case d == len(b.defined):
			key = b.mentions[m].key
		case m == len(b.mentions):
			key = b.defined[d].key
		default:
			key = min(b.defined[d].key, b.mentions[m].key)
		}
		keys, paths = append(keys, key), append(paths, 0)
		last := int32(0)
		for ; m < len(b.mentions) && b.mentions[m].key == key; m++ {
			sources = steps(sources, last, b.mentions[m].path)
			last = b.mentions[m].path
		}
		first := d
		for ; d < len(b.defined) && b.defined[d].key == key; d++ {
			switch d - first {
			case 0:
				paths[len(paths)-1] = b.defined[d].path
				continue
			case 1:
				sources = append(sources, alsoDefined)
			}
			sources = steps(sources, b.defined[d-1].path, b.defined[d].path)
		}
		sources = append(sources, 0)
	}
	return keys, paths, sources
}

// decodeSymbols is the inverse of encode.
func decodeSymbols(lo int64, keys []int64, paths []int32, sources []int16) (symbolBlock, error) {
	b := symbolBlock{lo: lo}
	if len(keys) != len(paths) {
		return b, errForm
	}
	at := 0
	for i := range keys {
		if paths[i] != 0 {
			b.defined = append(b.defined, place{keys[i], paths[i]})
		}
		for id, also := int32(0), false; ; at++ {
			if at == len(sources) {
				return b, errForm
			}
			v := sources[at]
			if v == 0 {
				at++
				break
			}
			switch {
			case v == alsoDefined:
				id, also = paths[i], true
			case v < 0:
				id += -int32(v) * maxStep
			case also:
				id += int32(v)
				b.defined = append(b.defined, place{keys[i], id})
			default:
				id += int32(v)
				b.mentions = append(b.mentions, place{keys[i], id})
			}
		}
	}
	if at != len(sources) {
		return b, errForm
	}
	return b, nil
}

// change is a place that appears or vanishes.
type change struct {
	place
	mention bool
	add     bool
}

// apply changes a block, whose range holds all the changes, and returns what it
// becomes: nothing when it is empty and not the first, several when it has grown.
func (b *symbolBlock) apply(changes []change) []symbolBlock {
	defined := applyPlaces(b.defined, changes, false)
	mentions := applyPlaces(b.mentions, changes, true)
	if len(defined) == 0 && len(mentions) == 0 && b.lo != math.MinInt64 {
		return nil
	}
	if distinctKeys(defined)+distinctKeys(mentions) > 2*blockKeys {
		return cutSymbols(b.lo, defined, mentions)
	}
	return []symbolBlock{{b.lo, defined, mentions}}
}

func applyPlaces(places []place, changes []change, mention bool) []place {
	gone := map[place]bool{}
	out := make([]place, 0, len(places)+len(changes))
	for _, c := range changes {
		switch {
		case c.mention != mention:
		case c.add:
			out = append(out, c.place)
		default:
			gone[c.place] = true
		}
	}
	for _, p := range places {
		if !gone[p] {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, comparePlaces)
	return slices.Compact(out)
}

func distinctKeys(places []place) int {
	n := 0
	for i := range places {
		if i == 0 || places[i].key != places[i-1].key {
			n++
		}
	}
	return n
}

// diffKeys appends the changes that lead from the keys of a file to others. It sorts both.
func diffKeys(into []change, from, to []code.Key, path int32, mention bool) []change {
	slices.Sort(from)
	slices.Sort(to)
	from, to = slices.Compact(from), slices.Compact(to)
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		switch {
		case j == len(to) || i < len(from) && from[i] < to[j]:
			into = append(into, change{place{int64(from[i]), path}, mention, false})
			i++
		case i == len(from) || to[j] < from[i]:
			into = append(into, change{place{int64(to[j]), path}, mention, true})
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return into
}
