package trigram

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"
)

// A list of blocks is a number, count<<1 or count<<1|1, and then either the
// differences between one block and the next, all as varints, or for the lists
// of common trigrams a bit for each block, whichever is shorter.

// appendList encodes a list of ascending blocks of a segment that has so many.
func appendList(dst []byte, list []uint32, blocks int) []byte {
	mark := len(dst)
	dst = binary.AppendUvarint(dst, uint64(len(list))<<1)
	from := uint32(0)
	for _, b := range list {
		dst = binary.AppendUvarint(dst, uint64(b-from))
		from = b
	}
	if bytes := (blocks + 7) / 8; len(dst)-mark > bytes+3 {
		dst = binary.AppendUvarint(dst[:mark], uint64(len(list))<<1|1)
		start := len(dst)
		dst = append(dst, make([]byte, bytes)...)
		for _, b := range list {
			dst[start+int(b/8)] |= 1 << (b % 8)
		}
	}
	return dst
}

// list is an encoded list of blocks, checked.
type list struct {
	count int
	bits  bool
	data  []byte
	total uint32 // blocks of the segment
}

// list reads the head of a trigram's list. ok is false when no block has the trigram.
func (s *segment) list(trigram uint32) (l list, ok bool, err error) {
	word := binary.LittleEndian.Uint64(s.dirBits[8*(trigram/64):])
	bit := uint64(1) << (trigram % 64)
	if word&bit == 0 {
		return list{}, false, nil
	}
	n := binary.LittleEndian.Uint32(s.dirBase[4*(trigram/64):]) + uint32(bits.OnesCount64(word&(bit-1)))
	data := s.postings[u32(s.listAt, int(n)):u32(s.listAt, int(n)+1)]
	if uint32(xxh3.Hash(data)) != u32(s.listSum, int(n)) {
		return list{}, false, corrupt("the checksum of a list of trigram %d is wrong", trigram)
	}
	head, size := binary.Uvarint(data)
	l = list{count: int(head >> 1), bits: head&1 == 1, data: data[max(size, 0):], total: uint32(s.blocks)}
	if size <= 0 || head>>1 == 0 || head>>1 > uint64(s.blocks) || l.bits && len(l.data) != (s.blocks+7)/8 {
		return list{}, false, corrupt("a list of trigram %d cannot be read", trigram)
	}
	return l, true, nil
}

// blocks decodes a list.
func (l list) blocks(dst []uint32) ([]uint32, error) {
	dst = slices.Grow(dst, l.count)
	if l.bits {
		for i, c := range l.data {
			for ; c != 0; c &= c - 1 {
				dst = append(dst, uint32(i*8+bits.TrailingZeros8(c)))
			}
		}
		if len(dst) > 0 && dst[len(dst)-1] >= l.total {
			return nil, corrupt("a list names block %d of %d", dst[len(dst)-1], l.total)
		}
		return dst, nil
	}
	err := l.each(func(b uint32) { dst = append(dst, b) })
	return dst, err
}

// each goes through a list that is no bit set.
func (l list) each(visit func(uint32)) error {
	at, b := 0, uint64(0)
	for range l.count {
		if at == len(l.data) {
			return corrupt("a list is too short")
		}
		step := uint64(l.data[at])
		if step < 0x80 {
			at++
		} else {
			var n int
			if step, n = binary.Uvarint(l.data[at:]); n <= 0 {
				return corrupt("a list is too short")
			}
			at += n
		}
		if b += step; b >= uint64(l.total) || step > uint64(l.total) {
			return corrupt("a list names block %d of %d", b, l.total)
		}
		visit(uint32(b))
	}
	return nil
}

// intersect keeps the blocks that are in the list too.
func (l list) intersect(have []uint32) ([]uint32, error) {
	if l.bits {
		return slices.DeleteFunc(have, func(b uint32) bool { return l.data[b/8]&(1<<(b%8)) == 0 }), nil
	}
	kept, at := have[:0], 0
	err := l.each(func(b uint32) {
		for at < len(have) && have[at] < b {
			at++
		}
		if at < len(have) && have[at] == b {
			kept = append(kept, b)
			at++
		}
	})
	return kept, err
}

// set is some of the blocks or documents of a segment, ascending.
type set struct {
	all bool
	ids []uint32
}

func intersect(a, b set) set {
	switch {
	case a.all:
		return b
	case b.all:
		return a
	}
	var out []uint32
	for i, j := 0, 0; i < len(a.ids) && j < len(b.ids); {
		switch {
		case a.ids[i] < b.ids[j]:
			i++
		case a.ids[i] > b.ids[j]:
			j++
		default:
			out = append(out, a.ids[i])
			i++
			j++
		}
	}
	return set{ids: out}
}

func union(sets []set) set {
	var out []uint32
	for _, s := range sets {
		if s.all {
			return s
		}
		out = append(out, s.ids...)
	}
	if len(sets) > 1 {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return set{ids: out}
}
