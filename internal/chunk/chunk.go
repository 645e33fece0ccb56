// Package chunk cuts files into what search finds: a Chunk is one symbol with
// its name, container, kind, signature, documentation and body, or a section of
// a file that has no symbols. It is a pure function of a file's path, bytes and
// Document.
//
// A symbol is never cut in two, because a reader wants it as a whole and words
// are weighed against its length anyway; MaxBody bounds what a chunk carries of
// tables and generated code. Text search still finds the rest.
//
// It may be imported by embed, search and what stands above them.
package chunk

import (
	"crypto/sha256"
	"encoding/binary"
	"path"
	"strings"

	"manito/internal/code"
)

// Version is that of the rules by which files are cut. It is part of each hash:
// raise it whenever the same file gives other chunks.
const Version = 1

// Bounds of a chunk's parts, in bytes.
const (
	MaxSignature = 512
	MaxDoc       = 8 << 10
	MaxBody      = 64 << 10
)

// Chunk is what search finds.
type Chunk struct {
	Def       code.DefID // NoDef for a section, and for what a file says outside of its symbols
	Kind      code.Kind  // KindFile for sections and files
	Path      string     // slash-separated, relative to the repository's root
	Name      string     // of the symbol; a section's heading; the file's base name
	Container string     // qualified name of what the symbol stands in, or the headings above, joined by " > "; "" at the top
	Signature string     // the declaration without its body, in one line
	Doc       string     // documentation without comment marks
	Body      string     // text; of what has chunks of its own only the name is left

	Start, End    uint32 // bytes of the file
	Line, EndLine uint32 // 0-based, inclusive

	// Hash is SHA-256 over Version and the parts above the places, so that a chunk
	// that only moved keeps it.
	Hash [32]byte
}

// Title is the qualified name of a symbol, or the heading of a section with those above it.
func (c *Chunk) Title() string {
	switch {
	case c.Container == "":
		return c.Name
	case c.Kind == code.KindFile:
		return c.Container + " > " + c.Name
	}
	return c.Container + "." + c.Name
}

// Context is what names the surroundings of a chunk: path, container and signature, a line each.
func (c *Chunk) Context() string {
	return c.Path + "\n" + c.Container + "\n" + c.Signature
}

// Text is the chunk as one text of at most limit bytes (0: no limit) for embedders
// that read prose and code alike: title, path, signature, documentation, body.
func (c *Chunk) Text(limit int) string {
	var b strings.Builder
	put := func(part string) {
		if part != "" {
			b.WriteString(part)
			b.WriteByte('\n')
		}
	}
	put(c.Title())
	put(c.Path)
	put(c.Doc)
	put(c.Signature)
	put(c.Body)
	if s := b.String(); limit > 0 && len(s) > limit {
		return cut(s, limit)
	} else {
		return s
	}
}

// sum sets the hash.
func (c *Chunk) sum() {
	h := sha256.New()
	var n [8]byte
	number := func(x uint64) {
		binary.LittleEndian.PutUint64(n[:], x)
		h.Write(n[:])
	}
	number(Version)
	number(uint64(c.Kind))
	for _, s := range []string{c.Path, c.Name, c.Container, c.Signature, c.Doc, c.Body} {
		number(uint64(len(s)))
		h.Write([]byte(s))
	}
	h.Sum(c.Hash[:0])
}

// Split cuts a file into chunks, in the order in which they begin. doc is nil for
// a file that no extractor reads. Files that are not text give none.
func Split(name string, doc *code.Document, text []byte) []Chunk {
	if !isText(text) {
		return nil
	}
	var out []Chunk
	if doc == nil || len(doc.Defs) == 0 {
		out = sections(name, text)
	} else {
		out = symbols(name, doc, text)
	}
	for i := range out {
		out[i].sum()
	}
	return out
}

// base is a file's name without its folder.
func base(name string) string { return path.Base(name) }
