package scan

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"manito/internal/code"
	"manito/internal/pack"
)

// The canonical digest of a snapshot is a function of the tree alone: the same
// bytes at the same paths give the same digest on any machine, with any number
// of workers, and whether the scan was incremental or not. It covers each
// file's path, content, definitions, edges and diagnostics. It leaves out ids,
// times and where the repository stands.

// hasher writes fixed-size values into a hash without allocating.
type hasher struct {
	h   hash.Hash
	buf []byte
}

func newHasher() *hasher { return &hasher{h: sha256.New(), buf: make([]byte, 0, 4096)} }

func (h *hasher) room(n int) {
	if len(h.buf)+n > cap(h.buf) {
		h.h.Write(h.buf)
		h.buf = h.buf[:0]
	}
}

func (h *hasher) u64(v uint64) {
	h.room(8)
	h.buf = binary.LittleEndian.AppendUint64(h.buf, v)
}

func (h *hasher) u32(v uint32) {
	h.room(4)
	h.buf = binary.LittleEndian.AppendUint32(h.buf, v)
}

func (h *hasher) string(s string) {
	h.u32(uint32(len(s)))
	if len(s) > cap(h.buf) {
		h.room(cap(h.buf))
		h.h.Write([]byte(s))
		return
	}
	h.room(len(s))
	h.buf = append(h.buf, s...)
}

func (h *hasher) sum() (d [32]byte) {
	h.h.Write(h.buf)
	h.buf = h.buf[:0]
	h.h.Sum(d[:0])
	h.h.Reset()
	return d
}

// file digests one file. Edges must be in the block's order.
func (h *hasher) file(path string, f *fileState, keys []code.Key, block *pack.Block) [32]byte {
	h.string(path)
	h.room(32)
	h.buf = append(h.buf, f.hash[:]...)
	if f.doc != nil {
		h.string(f.doc.Language)
		h.string(f.doc.Dialect)
		h.u32(uint32(f.doc.Flags))
		h.u32(uint32(len(f.doc.Defs)))
		for i := range f.doc.Defs {
			d := &f.doc.Defs[i]
			h.u64(uint64(keys[i]))
			h.u64(uint64(d.Kind)<<32 | uint64(d.Flags))
			h.u64(uint64(d.Start)<<32 | uint64(d.End))
		}
		h.u32(uint32(len(block.Words)))
		for _, w := range block.Words {
			h.u64(uint64(w))
		}
		for _, t := range block.Targets {
			h.u64(uint64(t))
		}
		for _, g := range f.doc.Diagnostics {
			h.diagnostic(g)
		}
	}
	for _, g := range f.diags {
		h.diagnostic(g)
	}
	return h.sum()
}

func (h *hasher) diagnostic(g code.Diagnostic) {
	h.string(g.Code)
	h.string(g.Message)
	h.u64(uint64(g.Start)<<32 | uint64(g.End))
}

// root digests the snapshot from its files in path order.
func (h *hasher) root(n int, at func(i int) (path string, digest [32]byte)) [32]byte {
	h.string("manito/snapshot/v1")
	for i := range n {
		path, d := at(i)
		h.string(path)
		h.room(32)
		h.buf = append(h.buf, d[:]...)
	}
	return h.sum()
}
