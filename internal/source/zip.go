package source

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"manito/internal/problem"
)

// zip lists a zip archive. From then on the file belongs to the tree's reader.
func (a *archive) zip(f *os.File, size int64) error {
	broken := func(err error) error {
		return problem.New(problem.Invalid, "the zip archive %s is damaged", a.tree.Root).Because(err).Fix("get it again")
	}
	region, err := zipDirectory(f, size)
	if err != nil {
		return broken(err)
	}
	// A directory entry takes 46 bytes and more; reading it takes several times as much.
	if region/46/4 > int64(a.tree.limits.Files) {
		return problem.New(problem.Exhausted, "%s has more than %d files", a.tree.Root, a.tree.limits.Files).Fix("raise the limit on files")
	}
	r, err := zip.NewReader(f, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // which add finds, and more
		return broken(err)
	}
	z := &zipReader{file: f, entries: r.File, limit: a.tree.limits.FileSize}
	a.tree.reader = z
	if commit := strings.TrimSpace(r.Comment); isHash(commit) {
		a.tree.Commit = commit // as git archive writes it
	}
	for i, member := range r.File {
		declared := int64(member.UncompressedSize64)
		e := entry{name: strings.ReplaceAll(member.Name, `\`, "/"), size: declared, exec: member.Mode()&0o100 != 0, handle: int64(i)}
		switch mode := member.Mode(); {
		case strings.HasSuffix(e.name, "/") || mode.IsDir():
			e.kind = entryDirectory
		case mode&fs.ModeSymlink != 0:
			e.kind = entrySymlink
			if target, err := z.unpack(i, maxEntryName, nil); err == nil {
				e.link = string(target) // a link whose target cannot be told stays a link
			}
		case !mode.IsRegular():
			e.kind = entrySpecial
		}
		if err := a.grow(declared, a.packed); err != nil {
			return err
		}
		if err := a.add(e); err != nil {
			return err
		}
	}
	return nil
}

// zipDirectory is the length of the part of a zip file that may hold its
// directory, which is read into memory as a whole.
func zipDirectory(f io.ReaderAt, size int64) (int64, error) {
	tail := make([]byte, min(size, 66<<10)) // the end record and the longest comment
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < 22 {
		return 0, errors.New("it has no directory")
	}
	end := size - int64(len(tail)) + int64(at)
	length, offset := int64(binary.LittleEndian.Uint32(tail[at+12:])), int64(binary.LittleEndian.Uint32(tail[at+16:]))
	if offset == 0xffffffff || length == 0xffffffff { // the real figures stand in another record, near or far
		return end, nil
	}
	return max(length, end-offset), nil
}

// zipReader reads the members of a zip archive where they lie.
type zipReader struct {
	file    *os.File
	entries []*zip.File
	limit   int64
}

func (z *zipReader) read(_ context.Context, f *File, buf []byte) ([]byte, error) {
	return z.unpack(int(f.at), z.limit, buf)
}

// unpack unpacks one member, which must have the size that it declares.
func (z *zipReader) unpack(i int, limit int64, buf []byte) ([]byte, error) {
	member := z.entries[i]
	size := int64(member.UncompressedSize64)
	if size > limit || size < 0 {
		return nil, tooLarge(size, limit)
	}
	if member.Flags&1 != 0 {
		return nil, &fileError{SkipUnreadable, "the archive's entry is encrypted"}
	}
	r, err := member.Open()
	if err != nil {
		return nil, &fileError{SkipUnreadable, "the archive's entry cannot be unpacked: " + err.Error()}
	}
	defer r.Close()
	buf = grow(buf, size)
	if _, err = io.ReadFull(r, buf); err == nil {
		// The checksum is compared at the end, which must be here.
		var rest [1]byte
		var n int
		if n, err = r.Read(rest[:]); n > 0 {
			err = errors.New("it is longer than it declares")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &fileError{SkipUnreadable, "the archive's entry is damaged: " + err.Error()}
	}
	return buf, nil
}

func (z *zipReader) close() error { return z.file.Close() }
