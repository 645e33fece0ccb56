package mapfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// File is an opened file. Its columns must not be used after Close.
type File struct{ unmap func() error }

// Close releases the memory. Closing twice is no error.
func (f *File) Close() error {
	unmap := f.unmap
	if unmap == nil {
		return nil
	}
	f.unmap = nil
	return unmap()
}

// Open maps a file and points the columns into it. A file that nobody has written
// to since Write did is checked in its header only; else the whole is verified.
// What is wrong wraps ErrCorrupt or ErrVersion, a missing file os.ErrNotExist.
func (f Format) Open(path string, cols ...Column) (*File, error) {
	b, unmap, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	untouched, err := isSealed(path, b)
	if err == nil {
		err = f.Decode(b, !untouched, cols...)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), unmap())
	}
	if !untouched {
		// Copied or restored, but sound. That it may not be ours to mark only costs the next one the time to look again.
		_ = os.Chtimes(path, sealTime(b), sealTime(b))
	}
	return &File{unmap: unmap}, nil
}

// sealTime is the time of last change that Write gives a file. It follows from the
// header, which has the checksums of the rest, so that whoever writes to the file
// later leaves another time behind.
func sealTime(head []byte) time.Time {
	return time.Unix(1_000_000_000+int64(sealed(head)%500_000_000), 0)
}

func isSealed(path string, b []byte) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || len(b) < headerSize {
		return false, err
	}
	return info.ModTime().Equal(sealTime(b)), nil
}

// Bytes is the file's contents in memory.
func (f Format) Bytes(cols ...Column) ([]byte, error) {
	var b bytes.Buffer
	head, sections, size := f.layout(cols)
	b.Grow(int(size))
	if err := write(&b, head, sections, size); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func write(w io.Writer, head []byte, sections [][]byte, size int64) error {
	out := bufio.NewWriterSize(w, 1<<18)
	written := int64(0)
	put := func(b []byte) error {
		n, err := out.Write(b)
		written += int64(n)
		return err
	}
	if err := put(head); err != nil {
		return err
	}
	var zero [align]byte
	for _, s := range sections {
		if pad := (align - written%align) % align; pad > 0 {
			if err := put(zero[:pad]); err != nil {
				return err
			}
		}
		if err := put(s); err != nil {
			return err
		}
	}
	if written != size {
		return fmt.Errorf("wrote %d of %d bytes", written, size)
	}
	return out.Flush()
}

// abandoned is the age at which a file that was being written counts as left behind by a process that was killed.
const abandoned = time.Hour

const temporary = ".mapped-*"

// sweep removes what killed processes left in a folder.
func sweep(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, temporary))
	if err != nil {
		return err
	}
	for _, f := range left {
		if info, err := os.Stat(f); err == nil && time.Since(info.ModTime()) > abandoned {
			if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Write writes the columns to a file so that it is there whole or not at all:
// under another name first, synced, then renamed. The folder must exist.
func (f Format) Write(path string, cols ...Column) (err error) {
	if err := sweep(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	renamed := false
	defer func() {
		if err == nil {
			return
		}
		if !renamed {
			if closing := tmp.Close(); closing != nil && !errors.Is(closing, os.ErrClosed) {
				err = errors.Join(err, closing)
			}
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
		err = fmt.Errorf("write %s: %w", path, err)
	}()
	head, sections, size := f.layout(cols)
	if err = write(tmp, head, sections, size); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	renamed = true
	// Only now, because a temporary file with an old time would be swept by another process.
	if err = os.Chtimes(path, sealTime(head), sealTime(head)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// readFile is for systems that cannot map.
func readFile(path string) ([]byte, func() error, error) {
	b, err := os.ReadFile(path)
	return b, func() error { return nil }, err
}
