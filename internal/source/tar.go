package source

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"manito/internal/problem"
)

// zstdWindow bounds the memory that unpacking zstd takes: zstd's own largest
// window without --ultra --long.
const zstdWindow = 128 << 20

// tar unpacks a tar archive into a temporary file and lists it.
func (a *archive) tar(ctx context.Context, f *os.File, format, dir string) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return problem.Wrap(err, problem.Invalid, "cannot read %s", a.tree.Root)
	}
	spool, err := newSpool(dir)
	if err != nil {
		return err
	}
	a.tree.reader = spool
	stream, done, err := a.decompress(ctx, f, format)
	if err != nil {
		return err
	}
	defer done()
	if err := a.members(tar.NewReader(stream), spool); err != nil {
		return err
	}
	return spool.flush()
}

// decompress opens the stream inside of an archive.
func (a *archive) decompress(ctx context.Context, f *os.File, format string) (stream io.Reader, done func(), err error) {
	packed := &countingReader{from: f}
	in := bufio.NewReaderSize(packed, 256<<10)
	done = func() {}
	switch format {
	case "gzip":
		stream, err = gzip.NewReader(in)
	case "bzip2":
		stream = bzip2.NewReader(in)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true)); err == nil {
			stream, done = d, d.Close
		}
	default:
		stream = in
	}
	if err != nil {
		return nil, nil, a.damaged(err)
	}
	return a.watched(ctx, stream, packed), done, nil
}

func (a *archive) damaged(err error) error {
	return problem.New(problem.Invalid, "the archive %s is damaged, or holds no tar", a.tree.Root).Because(err).Fix("get it again")
}

// members goes through the entries of a tar archive.
func (a *archive) members(r *tar.Reader, spool *spool) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var limit *problem.Error
		switch {
		case errors.As(err, &limit), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return err
		case err != nil && !errors.Is(err, tar.ErrInsecurePath): // which add finds, and more
			return a.damaged(err)
		}
		e := entry{name: h.Name, size: h.Size, exec: h.Mode&0o100 != 0, link: h.Linkname}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse: //nolint:staticcheck // old archives have TypeRegA
			if e.size > a.tree.limits.FileSize {
				break // listed by its size, its bytes are passed over
			}
			if e.handle, err = spool.take(r, e.size, a); err != nil {
				return err
			}
		case tar.TypeDir:
			e.kind = entryDirectory
		case tar.TypeSymlink:
			e.kind = entrySymlink
		case tar.TypeLink:
			e.kind = entryHardlink
		case tar.TypeXGlobalHeader:
			if commit := h.PAXRecords["comment"]; isHash(commit) {
				a.tree.Commit = commit // as git archive writes it
			}
			continue
		default:
			e.kind = entrySpecial
		}
		if err := a.add(e); err != nil {
			return err
		}
	}
}

// countingReader counts what was read of the packed file.
type countingReader struct {
	from io.Reader
	n    int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

// readerFunc is a function as an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// watched counts what comes out of the decompression, also what is passed over,
// and stops a bomb.
func (a *archive) watched(ctx context.Context, from io.Reader, packed *countingReader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := from.Read(p)
		if limit := a.grow(int64(n), packed.n); limit != nil {
			return 0, limit
		}
		return n, err
	})
}

// spool is a temporary file that holds the files of an archive one behind the other.
type spool struct {
	file *os.File
	name string // to be removed by close, "" when it is gone already
	size int64
	out  *bufio.Writer
}

func newSpool(dir string) (*spool, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, problem.Wrap(err, problem.Denied, "cannot make the folder for temporary files")
		}
	}
	f, err := os.CreateTemp(dir, "manito-archive-")
	if err != nil {
		return nil, problem.Wrap(err, problem.Exhausted, "cannot make a temporary file for the archive")
	}
	s := &spool{file: f, name: f.Name(), out: bufio.NewWriterSize(f, 256<<10)}
	if os.Remove(s.name) == nil { // where the system allows it nobody else can open it, and a crash leaves nothing
		s.name = ""
	}
	return s, nil
}

// take stores one file and returns where it is.
func (s *spool) take(r io.Reader, size int64, a *archive) (int64, error) {
	at := s.size
	// The holes of a sparse file are not in the stream, where the rest is counted.
	s.size += size
	if err := a.bounded(s.size, a.packed); err != nil {
		return 0, err
	}
	n, err := io.Copy(s.out, r)
	var limit *problem.Error
	switch {
	case errors.As(err, &limit), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 0, err
	case err != nil && isWriteError(err):
		return 0, unwritten(err)
	case err != nil:
		return 0, a.damaged(err)
	case n != size:
		return 0, a.damaged(io.ErrUnexpectedEOF)
	}
	return at, nil
}

// flush brings everything into the file; until then nothing can be read.
func (s *spool) flush() error {
	if err := s.out.Flush(); err != nil {
		return unwritten(err)
	}
	return nil
}

func unwritten(err error) error {
	return problem.New(problem.Exhausted, "cannot write the temporary file for the archive").Because(err).Fix("free some space, or set TMPDIR")
}

// isWriteError tells a failure of the temporary file from one of the archive.
func isWriteError(err error) bool {
	var pathError *os.PathError
	return errors.As(err, &pathError) && pathError.Op == "write"
}

func (s *spool) read(_ context.Context, f *File, buf []byte) ([]byte, error) {
	buf = grow(buf, f.Size)
	if _, err := s.file.ReadAt(buf, f.at); err != nil && !errors.Is(err, io.EOF) {
		return nil, problem.Wrap(err, problem.Unavailable, "cannot read the temporary file of the archive")
	}
	return buf, nil
}

func (s *spool) close() error {
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}
