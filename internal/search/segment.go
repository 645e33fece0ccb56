package search

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"manito/internal/chunk"
	"manito/internal/code"
	"manito/internal/mapfile"
	"manito/internal/term"
)

// segment is an immutable set of chunked files: a table of chunks and the inverted
// index of their words. A snapshot's index has one or several; of each only those
// files count that the snapshot has.
type segment struct {
	name string // of its files; follows from what is in it

	head          []uint32 // files, chunks, chunk.Version
	keys          []uint8  // by file: its key, 32 bytes
	fileAt        []uint32 // by file: its first chunk; one more for the end
	def           []int32  // by chunk: code.DefID
	kind          []uint8
	line, endLine []uint32
	start, end    []uint32
	hashes        []uint8 // by chunk: 32 bytes
	titleAt       []uint32
	titles        []uint8
	terms         *term.Index
	table         *mapfile.File
	bytes         int64 // of the files' texts
	sizes         []uint32
}

func (s *segment) columns() []mapfile.Column {
	return []mapfile.Column{mapfile.Col(&s.head), mapfile.Col(&s.keys), mapfile.Col(&s.fileAt), mapfile.Col(&s.def), mapfile.Col(&s.kind), mapfile.Col(&s.line), mapfile.Col(&s.endLine),
		mapfile.Col(&s.start), mapfile.Col(&s.end), mapfile.Col(&s.hashes), mapfile.Col(&s.titleAt), mapfile.Col(&s.titles), mapfile.Col(&s.sizes)}
}

func tableFormat() mapfile.Format { return mapfile.Format{Magic: "MANITOCH", Version: 1} }

const (
	tableSuffix = ".chunks"
	termsSuffix = ".terms"
)

func (s *segment) files() int  { return int(s.head[0]) }
func (s *segment) chunks() int { return int(s.head[1]) }

func (s *segment) key(file int) [32]byte { return [32]byte(s.keys[32*file:]) }

// hash is the SHA-256 of a chunk.
func (s *segment) hash(c int) [32]byte { return [32]byte(s.hashes[32*c:]) }

func (s *segment) title(c int) string { return string(s.titles[s.titleAt[c]:s.titleAt[c+1]]) }

// openSegment maps a segment. A damaged or missing part is an error that wraps
// mapfile.ErrCorrupt, mapfile.ErrVersion or os.ErrNotExist.
func openSegment(dir, name string) (*segment, error) {
	s := &segment{name: name}
	var err error
	if s.table, err = tableFormat().Open(filepath.Join(dir, name+tableSuffix), s.columns()...); err != nil {
		return nil, err
	}
	if err = s.check(); err == nil {
		s.terms, err = term.Open(filepath.Join(dir, name+termsSuffix))
	}
	if err == nil && s.terms.Len() != s.chunks() {
		err = errors.Join(mapfile.Corrupt("the words are those of other chunks"), s.terms.Close())
	}
	if err != nil {
		return nil, errors.Join(err, s.table.Close())
	}
	for _, n := range s.sizes {
		s.bytes += int64(n)
	}
	return s, nil
}

func (s *segment) check() error {
	if len(s.head) != 3 {
		return mapfile.Corrupt("its head has %d numbers", len(s.head))
	}
	files, chunks := s.files(), s.chunks()
	if s.head[2] != chunk.Version {
		return mapfile.ErrVersion
	}
	ok := len(s.keys) == 32*files && len(s.sizes) == files && len(s.fileAt) == files+1 && int(s.fileAt[files]) == chunks && len(s.hashes) == 32*chunks && len(s.titleAt) == chunks+1 && int(s.titleAt[chunks]) == len(s.titles)
	for _, n := range []int{len(s.def), len(s.kind), len(s.line), len(s.endLine), len(s.start), len(s.end)} {
		ok = ok && n == chunks
	}
	if !ok {
		return mapfile.Corrupt("its sections do not fit each other")
	}
	return nil
}

func (s *segment) close() error {
	return errors.Join(s.terms.Close(), s.table.Close())
}

// makeSegment makes a segment of files' chunks and writes it. averages are those of
// the segment that it is searched together with, nil for the first.
func makeSegment(ctx context.Context, dir string, files []File, list []FileChunks, averages *[term.NumFields]float32) (name string, own [term.NumFields]float32, err error) {
	s := &segment{fileAt: []uint32{0}, titleAt: []uint32{0}}
	digest := sha256.New()
	fmt.Fprintf(digest, "%d %d %v\n", chunk.Version, term.Version, averages)
	var chunks []*chunk.Chunk
	for i := range list {
		f := &files[list[i].File]
		key := f.key()
		digest.Write(key[:])
		s.keys = append(s.keys, key[:]...)
		s.sizes = append(s.sizes, uint32(min(f.Size, 1<<32-1)))
		for j := range list[i].Chunks {
			c := &list[i].Chunks[j]
			chunks = append(chunks, c)
			s.def, s.kind = append(s.def, int32(c.Def)), append(s.kind, uint8(c.Kind))
			s.line, s.endLine = append(s.line, c.Line), append(s.endLine, c.EndLine)
			s.start, s.end = append(s.start, c.Start), append(s.end, c.End)
			s.hashes = append(s.hashes, c.Hash[:]...)
			s.titles = append(s.titles, c.Title()...)
			s.titleAt = append(s.titleAt, uint32(len(s.titles)))
		}
		s.fileAt = append(s.fileAt, uint32(len(chunks)))
	}
	s.head = []uint32{uint32(len(list)), uint32(len(chunks)), chunk.Version}
	name = hex.EncodeToString(digest.Sum(nil)[:16])
	index, err := term.Build(ctx, len(chunks), func(i int) term.Fields { return fieldsOf(chunks[i]) }, term.Options{Params: term.Defaults(), Averages: averages})
	if err != nil {
		return "", own, err
	}
	if err := index.Write(filepath.Join(dir, name+termsSuffix)); err != nil {
		return "", own, err
	}
	return name, index.Averages(), tableFormat().Write(filepath.Join(dir, name+tableSuffix), s.columns()...)
}

// fieldsOf are the texts by which a chunk is found.
func fieldsOf(c *chunk.Chunk) term.Fields {
	return term.Fields{Name: c.Name, Context: c.Context(), Doc: c.Doc, Body: c.Body}
}

// split cuts files into chunks, several at a time, in the order of the files.
func split(ctx context.Context, files []File, texts []fileText) ([]FileChunks, error) {
	out := make([]FileChunks, len(texts))
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			for i := w; i < len(texts); i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				t := &texts[i]
				out[i] = FileChunks{File: t.file, Chunks: chunk.Split(files[t.file].Path, t.doc, t.text)}
			}
			return nil
		})
	}
	return out, group.Wait()
}

// fileText is a file that was read.
type fileText struct {
	file int
	text []byte
	doc  *code.Document
}
