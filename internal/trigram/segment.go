package trigram

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"

	"manito/internal/mapfile"
)

const (
	segmentPrefix = "text-"
	segmentSuffix = ".segment"
)

func segmentName(digest [32]byte) string {
	return segmentPrefix + hex.EncodeToString(digest[:16]) + segmentSuffix
}

func isSegment(name string) bool {
	return strings.HasPrefix(name, segmentPrefix) && strings.HasSuffix(name, segmentSuffix)
}

// segment is an opened file of texts with their trigrams.
type segment struct {
	name   string
	digest [32]byte
	docs   int
	blocks int

	hashes, docBlock                          []byte
	textAt, blockLen, line, sums, marks, text []byte
	dirBits, dirBase                          []byte
	listAt, listSum, postings                 []byte

	unmap func() error
}

func openSegment(dir, name string) (*segment, error) {
	b, unmap, err := mapfile.Map(filepath.Join(dir, name), headerSize)
	if err != nil {
		return nil, fmt.Errorf("open text index: %w", err)
	}
	s, err := decodeSegment(b)
	if err == nil && segmentName(s.digest) != name {
		err = corrupt("it is %s", segmentName(s.digest))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open text index %s: %w", filepath.Join(dir, name), err), unmap())
	}
	s.name, s.unmap = name, unmap
	return s, nil
}

// decodeSegment reads a segment from a file's bytes, which must not change while it is used.
func decodeSegment(b []byte) (*segment, error) {
	digest, parts, err := sections(b, segmentMagic, numSections, func(i int) bool { return i == sectionText || i == sectionPostings })
	if err != nil {
		return nil, err
	}
	s := &segment{
		digest: digest, hashes: parts[sectionHashes], docBlock: parts[sectionDocBlock], textAt: parts[sectionTextAt],
		blockLen: parts[sectionBlockLen], line: parts[sectionLine], sums: parts[sectionSums], marks: parts[sectionMarks], text: parts[sectionText],
		dirBits: parts[sectionDirBits], dirBase: parts[sectionDirBase], listAt: parts[sectionListAt], listSum: parts[sectionListSum], postings: parts[sectionPostings],
	}
	s.docs, s.blocks = len(s.hashes)/32, len(s.marks)
	return s, s.check()
}

// check looks for numbers that would lead out of the arrays, so that no search has to.
func (s *segment) check() error {
	lists := len(s.listSum) / 4
	if len(s.hashes)%32 != 0 || len(s.docBlock) != 4*(s.docs+1) || len(s.textAt) != 4*(s.blocks+1) || len(s.blockLen) != 4*s.blocks ||
		len(s.line) != 4*s.blocks || len(s.sums) != 4*s.blocks || len(s.dirBits) != numTrigrams/8 || len(s.dirBase) != numTrigrams/16 ||
		len(s.listSum)%4 != 0 || len(s.listAt) != 4*(lists+1) {
		return corrupt("its sections do not fit each other")
	}
	ascends := func(array []byte, n int, end int) bool {
		from := uint32(0)
		for i := range n {
			if x := u32(array, i); x < from {
				return false
			} else {
				from = x
			}
		}
		return u32(array, 0) == 0 && int64(from) == int64(end)
	}
	if !ascends(s.docBlock, s.docs+1, s.blocks) || !ascends(s.textAt, s.blocks+1, len(s.text)) || !ascends(s.listAt, lists+1, len(s.postings)) {
		return corrupt("its parts are not in order")
	}
	n := 0
	for i := range numTrigrams / 64 {
		if int64(u32(s.dirBase, i)) != int64(n) {
			return corrupt("its directory is not in order")
		}
		n += bits.OnesCount64(binary.LittleEndian.Uint64(s.dirBits[8*i:]))
	}
	if n != lists {
		return corrupt("its directory has %d of %d lists", n, lists)
	}
	for i := range s.blocks {
		if u32(s.blockLen, i) == 0 || u32(s.blockLen, i) > MaxDocument {
			return corrupt("block %d has %d bytes", i, u32(s.blockLen, i))
		}
	}
	return nil
}

// hash is the hash of a document's text.
func (s *segment) hash(doc int) Hash { return Hash(s.hashes[32*doc:]) }

// span is the blocks of a document, the second not among them.
func (s *segment) span(doc int) (from, to int) {
	return int(u32(s.docBlock, doc)), int(u32(s.docBlock, doc+1))
}

// bytes is the length of a document's text.
func (s *segment) bytes(doc int) int64 {
	n := int64(0)
	for from, to := s.span(doc); from < to; from++ {
		n += int64(u32(s.blockLen, from))
	}
	return n
}

// block unpacks a block into memory that it may take from buf.
func (s *segment) block(no int, buf []byte) ([]byte, error) {
	packed := s.text[u32(s.textAt, no):u32(s.textAt, no+1)]
	if uint32(xxh3.Hash(packed)) != u32(s.sums, no) {
		return nil, corrupt("the checksum of block %d is wrong", no)
	}
	want := int(u32(s.blockLen, no))
	if n, err := s2.DecodedLen(packed); err != nil || n != want {
		return nil, corrupt("block %d does not have its %d bytes", no, want)
	}
	if cap(buf) < want {
		buf = make([]byte, want, max(want, blockBytes))
	}
	text, err := s2.Decode(buf[:cap(buf)], packed)
	if err != nil {
		return nil, corrupt("block %d cannot be unpacked: %v", no, err)
	}
	return text, nil
}

// document unpacks a document's whole text.
func (s *segment) document(doc int) ([]byte, error) {
	text := make([]byte, 0, s.bytes(doc))
	var buf []byte
	for no, to := s.span(doc); no < to; no++ {
		block, err := s.block(no, buf)
		if err != nil {
			return nil, err
		}
		text = append(text, block...)
		buf = block
	}
	return text, nil
}

// verify reads everything.
func (s *segment) verify() error {
	var buf []byte
	for no := range s.blocks {
		block, err := s.block(no, buf)
		if err != nil {
			return err
		}
		buf = block
	}
	var ids []uint32
	for t := range uint32(numTrigrams) {
		l, ok, err := s.list(t)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if ids, err = l.blocks(ids[:0]); err != nil {
			return err
		}
	}
	return nil
}

func (s *segment) close() error {
	if s.unmap == nil {
		return nil
	}
	unmap := s.unmap
	*s = segment{}
	return unmap()
}
