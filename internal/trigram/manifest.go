package trigram

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

const manifestSuffix = ".manifest"

// ManifestName is the name of a snapshot's manifest.
func ManifestName(digest [32]byte) string {
	return segmentPrefix + hex.EncodeToString(digest[:16]) + manifestSuffix
}

func isManifest(name string) bool {
	return strings.HasPrefix(name, segmentPrefix) && strings.HasSuffix(name, manifestSuffix)
}

// none is the segment of a file that has no text.
const none = ^uint32(0)

// manifest says where the texts of a snapshot's files are.
type manifest struct {
	digest   [32]byte
	segments []string
	segment  []uint32 // of each file
	doc      []uint32 // of each file
}

func (m *manifest) write(dir string) error {
	parts := [][]byte{[]byte(strings.Join(m.segments, "\n")), pack(m.segment), pack(m.doc)}
	return writeFile(filepath.Join(dir, ManifestName(m.digest)), layout(manifestMagic, m.digest, parts), parts)
}

func readManifest(path string) (*manifest, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open text index: %w", err)
	}
	m, err := decodeManifest(b)
	if err == nil && ManifestName(m.digest) != filepath.Base(path) {
		err = corrupt("it is %s", ManifestName(m.digest))
	}
	if err != nil {
		return nil, fmt.Errorf("open text index %s: %w", path, err)
	}
	return m, nil
}

func decodeManifest(b []byte) (*manifest, error) {
	digest, parts, err := sections(b, manifestMagic, 3, func(int) bool { return false })
	if err != nil {
		return nil, err
	}
	m := &manifest{digest: digest}
	if len(parts[0]) > 0 {
		m.segments = strings.Split(string(parts[0]), "\n")
	}
	if len(parts[1])%4 != 0 || len(parts[1]) != len(parts[2]) {
		return nil, corrupt("its sections do not fit each other")
	}
	for i := range len(parts[1]) / 4 {
		m.segment, m.doc = append(m.segment, u32(parts[1], i)), append(m.doc, u32(parts[2], i))
		if s := m.segment[i]; s != none && int64(s) >= int64(len(m.segments)) {
			return nil, corrupt("file %d is in segment %d of %d", i, s, len(m.segments))
		}
	}
	for _, s := range m.segments {
		if !isSegment(s) || filepath.Base(s) != s {
			return nil, corrupt("a segment cannot have the name %q", s)
		}
	}
	return m, nil
}

// Index is an opened manifest with its segments. It does not change and is safe
// for concurrent use. Close it when no more searches will begin.
type Index struct {
	manifest *manifest
	segments []*segment
	files    [][]uint32 // per segment: the files, by document
	filesAt  [][]uint32 // per segment: the first of each document's files
}

// Open opens the index of a snapshot. What it finds wrong with a file wraps
// ErrCorrupt or ErrVersion, and a missing file os.ErrNotExist; in each case Update
// makes the index again.
func Open(dir string, digest [32]byte) (_ *Index, err error) {
	m, err := readManifest(filepath.Join(dir, ManifestName(digest)))
	if err != nil {
		return nil, err
	}
	ix := &Index{manifest: m}
	defer guard(&err)()
	defer func() {
		if err != nil {
			err = errors.Join(err, ix.Close())
		}
	}()
	if m.digest != digest {
		return nil, corrupt("%s is of another snapshot", ManifestName(digest))
	}
	for _, name := range m.segments {
		s, err := openSegment(dir, name)
		if err != nil {
			return nil, err
		}
		ix.segments = append(ix.segments, s)
	}
	return ix, ix.place()
}

// place finds the files of each document.
func (ix *Index) place() error {
	for _, s := range ix.segments {
		ix.filesAt = append(ix.filesAt, make([]uint32, s.docs+1))
	}
	for f, s := range ix.manifest.segment {
		if s == none {
			continue
		}
		if doc := ix.manifest.doc[f]; int64(doc) >= int64(ix.segments[s].docs) {
			return corrupt("file %d is document %d of %d of %s", f, doc, ix.segments[s].docs, ix.segments[s].name)
		}
		ix.filesAt[s][ix.manifest.doc[f]+1]++
	}
	next := make([][]uint32, len(ix.segments))
	for s, at := range ix.filesAt {
		for i := 1; i < len(at); i++ {
			at[i] += at[i-1]
		}
		ix.files = append(ix.files, make([]uint32, at[len(at)-1]))
		next[s] = append(next[s], at...)
	}
	for f, s := range ix.manifest.segment {
		if s == none {
			continue
		}
		n := &next[s][ix.manifest.doc[f]]
		ix.files[s][*n] = uint32(f)
		*n++
	}
	return nil
}

// Files is how many files the snapshot has, those without a text among them.
func (ix *Index) Files() int { return len(ix.manifest.segment) }

// Text is a file's text. ok is false when the index has none.
func (ix *Index) Text(file uint32) (text []byte, ok bool, err error) {
	if int64(file) >= int64(ix.Files()) || ix.manifest.segment[file] == none {
		return nil, false, nil
	}
	defer guard(&err)()
	text, err = ix.segments[ix.manifest.segment[file]].document(int(ix.manifest.doc[file]))
	return text, err == nil, err
}

// Verify reads everything and returns what is damaged as an error that wraps ErrCorrupt.
func (ix *Index) Verify(ctx context.Context) (err error) {
	defer guard(&err)()
	for _, s := range ix.segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.verify(); err != nil {
			return fmt.Errorf("text index %s: %w", s.name, err)
		}
	}
	return nil
}

// Close releases the files. The index must not be used afterwards.
func (ix *Index) Close() error {
	var errs []error
	for _, s := range ix.segments {
		errs = append(errs, s.close())
	}
	ix.segments = nil
	return errors.Join(errs...)
}

// guard turns the fault of a mapped page that is no longer there, because the
// file was cut off, into an error that wraps ErrCorrupt. Other panics go on.
func guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		r := recover()
		if r == nil {
			return
		}
		if fault, ok := r.(interface {
			error
			Addr() uintptr
		}); ok {
			*err = corrupt("%v", fault)
			return
		}
		panic(r)
	}
}
