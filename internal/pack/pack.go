// Package pack turns facts and edges into the bytes that are stored, and back.
//
// A Document becomes a column-wise varint encoding under zstd: equal Documents
// give equal bytes, on any machine and with any number of workers. The edges of
// a file become a Block: a sorted dictionary of target keys and one 64-bit word
// per edge, which PostgreSQL keeps as int8[] so that SQL can unpack it too.
//
// It imports code only. scan writes with it; codeintel and postgres read.
package pack

import (
	"encoding/binary"
	"errors"

	"github.com/klauspost/compress/zstd"
)

// Packer compresses; it is not safe for concurrent use. Keep one per worker.
type Packer struct {
	enc *zstd.Encoder
	buf []byte
}

// NewPacker returns a Packer.
func NewPacker() *Packer {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return &Packer{enc: enc}
}

// Text compresses a file's bytes.
func (p *Packer) Text(text []byte) []byte {
	return p.enc.EncodeAll(text, make([]byte, 0, len(text)/3+64))
}

// Unpacker decompresses; it is safe for concurrent use.
type Unpacker struct{ dec *zstd.Decoder }

// maxUnpacked bounds what one row may expand to, so that a damaged row cannot exhaust memory.
const maxUnpacked = 1 << 30

// NewUnpacker returns an Unpacker.
func NewUnpacker() *Unpacker {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		panic(err) // the options are constants
	}
	return &Unpacker{dec: dec}
}

// Text is the inverse of Packer.Text.
func (u *Unpacker) Text(z []byte) ([]byte, error) { return u.dec.DecodeAll(z, nil) }

var errTruncated = errors.New("packed bytes end early")

// writer appends varints.
type writer struct{ b []byte }

func (w *writer) uint(v uint64) {
	for v >= 0x80 {
		w.b = append(w.b, byte(v)|0x80)
		v >>= 7
	}
	w.b = append(w.b, byte(v))
}

func (w *writer) int(v int64) { w.uint(uint64(v<<1) ^ uint64(v>>63)) }

func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// reader takes varints; after an error every further value is 0 and err is set.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = errTruncated
	}
	r.b = nil
}

func (r *reader) uint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := uint64(r.b[0])
		r.b = r.b[1:]
		return v
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// count reads a length and refuses one that the remaining bytes cannot hold at one byte an item.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}
