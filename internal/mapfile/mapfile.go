// Package mapfile keeps arrays of numbers in files that are mapped into memory:
// a Format names the kind of file and its version, a Column is one array. Files
// are written whole or not at all, and opened in a time that does not grow with
// them.
//
// It may be imported by the packages that keep such files: graph, trigram, term, vector, embed, search.
package mapfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// The layout of a file. All numbers are little-endian.
//
//	header   magic 8, version 4, sections 4, file size 8, checksum of header and table 8, zeros 32
//	table    per section: element size 4, zeros 4, offset 8, length in bytes 8, checksum 8
//	sections each at a multiple of 64, in the order of the table, zero bytes between them
//
// Checksums are XXH3 64.
const (
	headerSize = 64
	entrySize  = 32
	align      = 64
)

// ErrCorrupt is wrapped by every error about a file whose contents are not what
// was written. The file can be thrown away and made again.
var ErrCorrupt = errors.New("the file is damaged")

// ErrVersion is wrapped by the error about a file of another version of its format.
var ErrVersion = errors.New("the file has another format version")

// Format is a kind of file.
type Format struct {
	Magic   string // 8 bytes with which every file of the format begins
	Version uint32
}

// Corrupt makes an error that wraps ErrCorrupt.
func Corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// Column is one array of a file.
type Column struct {
	size int // of an element
	get  func() []byte
	set  func([]byte)
}

// Size is the size of an element in bytes.
func (c Column) Size() int { return c.size }

// Bytes is the array as it stands in a file. It must not be changed.
func (c Column) Bytes() []byte { return c.get() }

// Point makes the array that of a file's bytes, whose length is a multiple of Size
// and which must not change while the array is used.
func (c Column) Point(b []byte) { c.set(b) }

// Element is what arrays consist of.
type Element interface {
	int8 | uint8 | uint16 | int32 | uint32 | uint64 | float32
}

// Col is the column of an array. On little-endian machines reading and writing
// look at the same memory in another way; on others they copy.
func Col[T Element](p *[]T) Column {
	var zero T
	size := int(unsafe.Sizeof(zero))
	c := Column{size: size}
	c.get = func() []byte {
		if len(*p) == 0 {
			return nil
		}
		raw := unsafe.Slice((*byte)(unsafe.Pointer(&(*p)[0])), len(*p)*size)
		if littleEndian() || size == 1 {
			return raw
		}
		return swapped(raw, size)
	}
	c.set = func(b []byte) {
		n := len(b) / size
		switch {
		case n == 0:
			*p = nil
			return
		case size > 1 && (!littleEndian() || uintptr(unsafe.Pointer(&b[0]))%uintptr(size) != 0):
			// Another byte order, or memory that does not begin where the element type needs it.
			if !littleEndian() {
				b = swapped(b, size)
			}
			out := make([]T, n)
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), n*size), b)
			*p = out
			return
		}
		*p = unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
	}
	return c
}

// littleEndian says whether this machine's memory has the order of the file.
func littleEndian() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 1
}

// swapped is a copy with the bytes of each element turned around.
func swapped(b []byte, size int) []byte {
	out := make([]byte, len(b))
	for i := 0; i+size <= len(b); i += size {
		for j := range size {
			out[i+j] = b[i+size-1-j]
		}
	}
	return out
}

// layout is the header and table of a file, with its sections' bytes.
func (f Format) layout(cols []Column) (head []byte, sections [][]byte, size int64) {
	head = make([]byte, headerSize+entrySize*len(cols))
	at := int64(len(head))
	for i, c := range cols {
		at = (at + align - 1) &^ (align - 1)
		b := c.get()
		e := head[headerSize+entrySize*i:]
		binary.LittleEndian.PutUint32(e, uint32(c.size))
		binary.LittleEndian.PutUint64(e[8:], uint64(at))
		binary.LittleEndian.PutUint64(e[16:], uint64(len(b)))
		binary.LittleEndian.PutUint64(e[24:], xxh3.Hash(b))
		sections = append(sections, b)
		at += int64(len(b))
	}
	copy(head[:8], f.Magic)
	binary.LittleEndian.PutUint32(head[8:], f.Version)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(cols)))
	binary.LittleEndian.PutUint64(head[16:], uint64(at))
	binary.LittleEndian.PutUint64(head[24:], headSum(head))
	return head, sections, at
}

// headSum covers the header but for itself, and the table.
func headSum(head []byte) uint64 {
	return xxh3.Hash(slices.Concat(head[:24], head[32:]))
}

// Decode points the columns into b, which must not change while they are used.
// It checks the header and the table, and the sections' checksums when verify is
// set. Errors wrap ErrCorrupt or ErrVersion. That the columns fit each other is
// for the caller to check.
func (f Format) Decode(b []byte, verify bool, cols ...Column) error {
	if len(b) < headerSize {
		return Corrupt("it has %d bytes, less than a header", len(b))
	}
	if string(b[:8]) != f.Magic {
		return Corrupt("it does not begin as one")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != f.Version {
		return fmt.Errorf("%w: %d, this program reads %d", ErrVersion, v, f.Version)
	}
	n := int(binary.LittleEndian.Uint32(b[12:]))
	head := headerSize + entrySize*len(cols)
	if n != len(cols) || len(b) < head {
		return Corrupt("its table of contents has %d of %d entries", n, len(cols))
	}
	if binary.LittleEndian.Uint64(b[24:]) != headSum(b[:head]) {
		return Corrupt("its header's checksum is wrong")
	}
	if size := binary.LittleEndian.Uint64(b[16:]); size != uint64(len(b)) {
		return Corrupt("it has %d of %d bytes", len(b), size)
	}
	for i, c := range cols {
		e := b[headerSize+entrySize*i:]
		size := binary.LittleEndian.Uint32(e)
		off, length := binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
		if int(size) != c.size || off%align != 0 || off < uint64(head) || off > uint64(len(b)) || length > uint64(len(b))-off || length%uint64(size) != 0 {
			return Corrupt("section %d is out of place", i)
		}
		section := b[off : off+length : off+length]
		if verify && xxh3.Hash(section) != binary.LittleEndian.Uint64(e[24:]) {
			return Corrupt("the checksum of section %d is wrong", i)
		}
		c.set(section)
	}
	return nil
}

// sealed is the checksum by which a whole file is known.
func sealed(head []byte) uint64 { return binary.LittleEndian.Uint64(head[24:]) }
