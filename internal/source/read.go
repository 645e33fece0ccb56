package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"manito/internal/problem"
)

// folderReader reads files below a folder. It never leaves the folder: a
// directory that was replaced by a link after the listing is not followed.
type folderReader struct {
	path   string
	limit  int64 // bytes; a larger file is not read
	root   *os.Root
	direct directReader
}

func newFolderReader(path string, limit int64) (*folderReader, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, statProblem(path, err)
	}
	r := &folderReader{path: path, limit: limit, root: root}
	r.direct.open(path)
	return r, nil
}

func (r *folderReader) close() error {
	r.direct.close()
	return r.root.Close()
}

func (r *folderReader) read(_ context.Context, f *File, buf []byte) ([]byte, error) {
	name := f.Path
	if f.raw != "" {
		name = f.raw
	}
	if text, err, ok := r.direct.read(name, r.limit, buf); ok {
		return text, r.blame(err)
	}
	text, err := r.readPortably(filepath.FromSlash(name), buf)
	return text, r.blame(err)
}

// readPortably reads without the system's own way of staying below a directory.
func (r *folderReader) readPortably(name string, buf []byte) ([]byte, error) {
	info, err := r.root.Lstat(name) // opening a named pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if info.Size() > r.limit {
		return nil, tooLarge(info.Size(), r.limit)
	}
	buf = grow(buf, info.Size())
	n, err := io.ReadFull(f, buf)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it was cut in between: what is there counts
	}
	return buf[:n], err
}

// errNotRegular says that something else took a file's place since the listing.
var errNotRegular = errors.New("it is no regular file any more")

// blame turns an error into the file's own.
func (r *folderReader) blame(err error) error {
	var refusal *fileError
	switch {
	case err == nil, errors.As(err, &refusal):
		return err
	case errors.Is(err, fs.ErrNotExist):
		// A tree that is gone, or a disk, must not pass for one whose files were all deleted.
		if _, rootErr := os.Stat(r.path); rootErr != nil {
			return problem.New(problem.Unavailable, "the folder %s went away during the scan", r.path).Because(rootErr).Fix("scan again when it is back")
		}
		return &fileError{SkipVanished, "the file was deleted during the scan"}
	case errors.Is(err, fs.ErrPermission):
		return &fileError{SkipUnreadable, "the file may not be read by this user"}
	}
	return &fileError{SkipUnreadable, "the file could not be read: " + reasonText(err)}
}

// grow returns a slice of n bytes, never nil, in buf when it is large enough.
func grow(buf []byte, n int64) []byte {
	if buf != nil && int64(cap(buf)) >= n {
		return buf[:n]
	}
	return make([]byte, n, max(n, 2*int64(cap(buf))))
}
