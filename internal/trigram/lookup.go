package trigram

import (
	"cmp"
	"slices"
	"sort"
)

// having are the blocks whose trigrams allow that they contain a text in whatever
// case, or the documents when byDoc is set. A text with a line end in it may lie in two
// blocks, and so must be looked for by document.
func (s *segment) having(text string, byDoc bool) (set, error) {
	text = foldString(text)
	var out set
	var err error
	switch {
	case text == "":
		return set{all: true}, nil
	case len(text) < 3:
		out, err = s.ending(text)
		if byDoc {
			out.ids = s.documents(out.ids)
		}
	default:
		out, err = s.containing(text, byDoc)
	}
	return out, err
}

// containing looks the trigrams of a text up, the rarest first.
func (s *segment) containing(text string, byDoc bool) (set, error) {
	var trigrams []uint32
	window := uint32(0)
	for i := range len(text) {
		window = (window<<classBits | uint32(class[text[i]])) & (numTrigrams - 1)
		if i >= 2 {
			trigrams = append(trigrams, window)
		}
	}
	slices.Sort(trigrams)
	trigrams = slices.Compact(trigrams)
	lists := make([]list, len(trigrams))
	for i, t := range trigrams {
		l, ok, err := s.list(t)
		if err != nil || !ok {
			return set{}, err
		}
		lists[i] = l
	}
	slices.SortStableFunc(lists, func(a, b list) int { return cmp.Compare(a.count, b.count) })
	ids, err := lists[0].blocks(nil)
	if err != nil {
		return set{}, err
	}
	if byDoc {
		ids = s.documents(ids)
	}
	var other []uint32
	for _, l := range lists[1:] {
		if len(ids) == 0 {
			break
		}
		if !byDoc {
			if ids, err = l.intersect(ids); err != nil {
				return set{}, err
			}
			continue
		}
		if other, err = l.blocks(other[:0]); err != nil {
			return set{}, err
		}
		other = s.documents(other)
		ids = intersect(set{ids: ids}, set{ids: other}).ids
	}
	return set{ids: ids}, nil
}

// ending joins the lists of all trigrams that end with one or two bytes: every byte
// of a block has a trigram that ends with it.
func (s *segment) ending(text string) (set, error) {
	end, step := uint32(0), uint32(1)
	for i := range len(text) {
		end = end<<classBits | uint32(class[text[i]])
		step <<= classBits
	}
	words := make([]uint64, (s.blocks+63)/64)
	var ids []uint32
	for t := end; t < numTrigrams; t += step {
		l, ok, err := s.list(t)
		if err != nil {
			return set{}, err
		}
		if !ok {
			continue
		}
		if ids, err = l.blocks(ids[:0]); err != nil {
			return set{}, err
		}
		for _, b := range ids {
			words[b/64] |= 1 << (b % 64)
		}
	}
	ids = ids[:0]
	for b := range uint32(s.blocks) {
		if words[b/64]&(1<<(b%64)) != 0 {
			ids = append(ids, b)
		}
	}
	return set{ids: ids}, nil
}

// documents are the documents of ascending blocks, in the same memory.
func (s *segment) documents(blocks []uint32) []uint32 {
	out := blocks[:0]
	doc := 0
	for _, b := range blocks {
		if int(b) >= int(u32(s.docBlock, doc+1)) {
			// The next ones are near more often than not.
			for step := 0; step < 8 && int(b) >= int(u32(s.docBlock, doc+1)); step++ {
				doc++
			}
			if int(b) >= int(u32(s.docBlock, doc+1)) {
				doc += sort.Search(s.docs-doc, func(i int) bool { return b < u32(s.docBlock, doc+i+1) })
			}
		}
		if n := len(out); n == 0 || out[n-1] != uint32(doc) {
			out = append(out, uint32(doc))
		}
	}
	return out
}
