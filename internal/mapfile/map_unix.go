//go:build unix

package mapfile

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Map maps a file of at least so many bytes read-only, and gives what releases it.
// Machines of another byte order or word size read it instead, because there every
// array is copied in any case. A file that is shorter wraps ErrCorrupt.
func Map(path string, least int64) ([]byte, func() error, error) {
	if !littleEndian() || strconv.IntSize != 64 {
		return read(path, least)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	size := info.Size()
	if !info.Mode().IsRegular() || size < max(least, 1) {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, tooShort(size, least)), f.Close())
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		err = &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, nil, err
	}
	return b, func() error { return syscall.Munmap(b) }, nil
}

// syncDir makes a rename in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
