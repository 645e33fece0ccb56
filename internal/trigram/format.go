package trigram

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"manito/internal/mapfile"
)

// Both kinds of files have this form. All numbers are little-endian.
//
//	header   magic 8, version 4, sections 4, digest 32, file size 8, checksum of header and table 8
//	table    per section: offset 8, length 8, checksum 8
//	sections one after the other, each at a multiple of 8
//
// Checksums are XXH3 64. Opening checks all sections but the two large ones, the
// texts and the lists, whose parts have checksums of their own that are checked
// whenever a part is read: so a damaged byte is found before it is believed.
const (
	segmentMagic  = "MANITOTX"
	manifestMagic = "MANITOTM"
	formatVersion = 1
	headerSize    = 64
	entrySize     = 24
)

// ErrCorrupt is wrapped by every error about a file whose contents are not what
// this package wrote. The file can be thrown away and made again.
var ErrCorrupt = mapfile.ErrCorrupt

// ErrVersion is wrapped by the error about a file of another version of the format.
var ErrVersion = mapfile.ErrVersion

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// layout is the header and the table of a file with these sections.
func layout(magic string, digest [32]byte, sections [][]byte) []byte {
	head := make([]byte, headerSize+entrySize*len(sections))
	at := len(head)
	for i, s := range sections {
		e := head[headerSize+entrySize*i:]
		binary.LittleEndian.PutUint64(e, uint64(at))
		binary.LittleEndian.PutUint64(e[8:], uint64(len(s)))
		binary.LittleEndian.PutUint64(e[16:], xxh3.Hash(s))
		at += padded(len(s))
	}
	copy(head, magic)
	binary.LittleEndian.PutUint32(head[8:], formatVersion)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(sections)))
	copy(head[16:48], digest[:])
	binary.LittleEndian.PutUint64(head[48:], uint64(at))
	binary.LittleEndian.PutUint64(head[56:], headSum(head))
	return head
}

func padded(n int) int { return (n + 7) &^ 7 }

func headSum(head []byte) uint64 { return xxh3.Hash(slices.Concat(head[:56], head[headerSize:])) }

// sections finds the sections of a file and checks those that are not lazy.
func sections(b []byte, magic string, count int, lazy func(int) bool) (digest [32]byte, out [][]byte, err error) {
	if len(b) < headerSize {
		return digest, nil, corrupt("it has %d bytes, less than a header", len(b))
	}
	if string(b[:8]) != magic {
		return digest, nil, corrupt("it does not begin as one")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return digest, nil, fmt.Errorf("%w: %d, this program reads %d", ErrVersion, v, formatVersion)
	}
	head := headerSize + entrySize*count
	if n := binary.LittleEndian.Uint32(b[12:]); int64(n) != int64(count) || len(b) < head {
		return digest, nil, corrupt("its table of contents has %d of %d entries", n, count)
	}
	if binary.LittleEndian.Uint64(b[56:]) != headSum(b[:head]) {
		return digest, nil, corrupt("its header's checksum is wrong")
	}
	if size := binary.LittleEndian.Uint64(b[48:]); size != uint64(len(b)) {
		return digest, nil, corrupt("it has %d of %d bytes", len(b), size)
	}
	copy(digest[:], b[16:48])
	for i := range count {
		e := b[headerSize+entrySize*i:]
		off, length := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:])
		if off < uint64(head) || off > uint64(len(b)) || length > uint64(len(b))-off {
			return digest, nil, corrupt("section %d is out of place", i)
		}
		s := b[off : off+length : off+length]
		if !lazy(i) && xxh3.Hash(s) != binary.LittleEndian.Uint64(e[16:]) {
			return digest, nil, corrupt("the checksum of section %d is wrong", i)
		}
		out = append(out, s)
	}
	return digest, out, nil
}

// u32 reads one number of an array.
func u32(array []byte, i int) uint32 { return binary.LittleEndian.Uint32(array[4*i:]) }

// pack writes an array of numbers.
func pack(numbers []uint32) []byte {
	b := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
