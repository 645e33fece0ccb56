package trigram

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"path/filepath"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"

	"manito/internal/problem"
)

// Hash names a text: the SHA-256 of its bytes. The zero Hash names none.
type Hash [32]byte

const (
	// blockBytes is how much text a block has at most, unless a line is longer. Blocks
	// end with lines. The smaller they are, the more the lists say and the less has to
	// be unpacked to look for a match, but the larger the index is: with 1 kB it is
	// nine tenths of the text, with 4 kB six tenths and two to three times as slow.
	blockBytes = 1 << 10
	// maxText is how much text a segment should have. A Builder's memory is about 1.5 times that.
	maxText = 256 << 20
	// MaxDocument is how long a text may be.
	MaxDocument = 1 << 30
)

// Marks of blocks.
const (
	markASCII uint8 = 1 << iota // it has nothing else
	markCR                      // it has a carriage return before a line end
)

// Builder makes a segment from texts. It is not safe for concurrent use.
type Builder struct {
	docs     map[Hash]uint32
	hashes   []byte
	docBlock []uint32 // first block of each document; one more at the end
	textAt   []uint32 // of each block, compressed
	blockLen []uint32 // of each block, as it was
	line     []uint32 // first line of each block in its document
	sums     []uint32 // of each block, compressed
	marks    []byte
	text     []byte
	size     int64

	// Pairs of trigram and block, by the upper bits of the trigram, in the order of
	// the blocks: the block above, the trigram's lower bits below.
	pairs [numTrigrams >> pairBits][]uint32
	seen  [numTrigrams / 64]uint64
	fresh []uint32
	buf   []byte
}

// pairBits is how many bits of a trigram a pair keeps.
const (
	pairBits  = 9
	pairMask  = 1<<pairBits - 1
	maxBlocks = 1 << 22 // of a segment: half of what a pair can hold, for the text that goes over
)

// NewBuilder makes a Builder without texts.
func NewBuilder() *Builder { return &Builder{docs: map[Hash]uint32{}, docBlock: []uint32{0}} }

// Add adds a text. Adding it again does nothing. The text is not kept. A text longer than MaxDocument is an error.
func (b *Builder) Add(hash Hash, text []byte) error {
	if _, have := b.docs[hash]; have {
		return nil
	}
	if len(text) > MaxDocument {
		return problem.New(problem.Exhausted, "a text of %d bytes cannot be indexed; the longest is %d", len(text), MaxDocument).Fix("exclude the file from the scan")
	}
	b.docs[hash] = uint32(len(b.docs))
	b.hashes = append(b.hashes, hash[:]...)
	b.size += int64(len(text))
	line := uint32(0)
	newline := uint32(class['\n'])
	window := newline<<classBits | newline // so that the first bytes have a trigram that ends with them
	for len(text) > 0 {
		block := text[:cut(text)]
		text = text[len(block):]
		window = b.index(block, window)
		b.line = append(b.line, line)
		line += uint32(bytes.Count(block, []byte{'\n'}))
	}
	b.docBlock = append(b.docBlock, uint32(len(b.blockLen)))
	return nil
}

// Full says whether the segment should be written and another begun.
func (b *Builder) Full() bool { return b.size >= maxText || len(b.blockLen) >= maxBlocks }

// cut is the length of a text's first block.
func cut(text []byte) int {
	if len(text) <= blockBytes {
		return len(text)
	}
	if n := bytes.LastIndexByte(text[:blockBytes], '\n'); n >= 0 {
		return n + 1
	}
	if n := bytes.IndexByte(text[blockBytes:], '\n'); n >= 0 {
		return blockBytes + n + 1
	}
	return len(text)
}

// index adds a block. A trigram belongs to the block that its last byte is in.
func (b *Builder) index(block []byte, window uint32) uint32 {
	no := uint32(len(b.blockLen))
	mark := uint8(0)
	folded := block
	if ascii(block) {
		mark |= markASCII // class folds it
	} else {
		b.buf = fold(b.buf, block).text
		folded = b.buf
	}
	if bytes.Contains(block, []byte("\r\n")) {
		mark |= markCR
	}
	fresh := b.fresh[:0]
	for _, c := range folded {
		window = (window<<classBits | uint32(class[c])) & (numTrigrams - 1)
		if w := &b.seen[window/64]; *w&(1<<(window%64)) == 0 {
			*w |= 1 << (window % 64)
			fresh = append(fresh, window)
		}
	}
	for _, t := range fresh {
		b.seen[t/64] = 0
		p := &b.pairs[t>>pairBits]
		*p = append(*p, no<<pairBits|t&pairMask)
	}
	b.fresh = fresh
	start := len(b.text)
	b.text = append(b.text, make([]byte, s2.MaxEncodedLen(len(block)))...)
	packed := s2.Encode(b.text[start:], block)
	b.text = b.text[:start+len(packed)]
	b.textAt = append(b.textAt, uint32(start))
	b.blockLen = append(b.blockLen, uint32(len(block)))
	b.sums = append(b.sums, uint32(xxh3.Hash(packed)))
	b.marks = append(b.marks, mark)
	return window
}

// Docs is how many texts were added.
func (b *Builder) Docs() int { return len(b.docs) }

// Bytes is how much text was added.
func (b *Builder) Bytes() int64 { return b.size }

// Name is the name of the file that the texts so far make, which follows from their hashes.
func (b *Builder) Name() string { return segmentName(b.digest()) }

func (b *Builder) digest() [32]byte {
	h := sha256.New()
	h.Write([]byte(segmentMagic))
	h.Write([]byte{formatVersion})
	h.Write(b.hashes)
	return [32]byte(h.Sum(nil))
}

// lists encodes the lists of all trigrams, with the directory that finds them.
func (b *Builder) lists() (dirBits, dirBase, at, sums, postings []byte) {
	var ats, listSums []uint32
	var sorted []uint32
	var base [numTrigrams / 64]uint32
	var present [numTrigrams / 64]uint64
	for upper, pairs := range b.pairs {
		var end [1<<pairBits + 1]uint32
		for _, p := range pairs {
			end[p&pairMask+1]++
		}
		for i := range 1 << pairBits {
			end[i+1] += end[i]
		}
		next := end
		sorted = append(sorted[:0], make([]uint32, len(pairs))...)
		for _, p := range pairs {
			sorted[next[p&pairMask]] = p >> pairBits
			next[p&pairMask]++
		}
		for lower := range 1 << pairBits {
			t := upper<<pairBits | lower
			if t%64 == 0 {
				base[t/64] = uint32(len(ats))
			}
			blocks := sorted[end[lower]:end[lower+1]]
			if len(blocks) == 0 {
				continue
			}
			present[t/64] |= 1 << (t % 64)
			mark := len(postings)
			ats = append(ats, uint32(mark))
			postings = appendList(postings, blocks, len(b.blockLen))
			listSums = append(listSums, uint32(xxh3.Hash(postings[mark:])))
		}
	}
	for _, w := range present {
		dirBits = binary.LittleEndian.AppendUint64(dirBits, w)
	}
	return dirBits, pack(base[:]), pack(append(ats, uint32(len(postings)))), pack(listSums), postings
}

// The sections of a segment, in their order.
const (
	sectionHashes = iota
	sectionDocBlock
	sectionTextAt
	sectionBlockLen
	sectionLine
	sectionSums
	sectionMarks
	sectionText
	sectionDirBits
	sectionDirBase
	sectionListAt
	sectionListSum
	sectionPostings
	numSections
)

// parts is the segment as a file: its header and its sections.
func (b *Builder) parts() (head []byte, out [][]byte) {
	out = make([][]byte, numSections)
	out[sectionHashes] = b.hashes
	out[sectionDocBlock] = pack(b.docBlock)
	out[sectionTextAt] = pack(append(b.textAt, uint32(len(b.text))))
	out[sectionBlockLen] = pack(b.blockLen)
	out[sectionLine] = pack(b.line)
	out[sectionSums] = pack(b.sums)
	out[sectionMarks] = b.marks
	out[sectionText] = b.text
	out[sectionDirBits], out[sectionDirBase], out[sectionListAt], out[sectionListSum], out[sectionPostings] = b.lists()
	return layout(segmentMagic, b.digest(), out), out
}

// WriteFile writes the segment into a folder, under the name that Name gives, so
// that the file is there whole or not at all.
func (b *Builder) WriteFile(ctx context.Context, dir string) (name string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	head, parts := b.parts()
	name = b.Name()
	return name, writeFile(filepath.Join(dir, name), head, parts)
}
