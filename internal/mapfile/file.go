package mapfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
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
	b, unmap, err := Map(path, headerSize)
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

// Write writes the columns to a file so that it is there whole or not at all. The folder must exist.
func (f Format) Write(path string, cols ...Column) error {
	head, sections, size := f.layout(cols)
	return Replace(path, sealTime(head), func(w io.Writer) error { return write(w, head, sections, size) })
}

func tooShort(size, least int64) error {
	return Corrupt("it has %d bytes, not even the %d of a header", size, least)
}

// read is Map for systems that cannot.
func read(path string, least int64) ([]byte, func() error, error) {
	b, err := os.ReadFile(path)
	if err == nil && int64(len(b)) < least {
		err = fmt.Errorf("%s: %w", path, tooShort(int64(len(b)), least))
	}
	return b, func() error { return nil }, err
}
