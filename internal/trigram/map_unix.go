//go:build unix

package trigram

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// mapFile maps a file read-only.
func mapFile(path string) ([]byte, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	size := info.Size()
	if !info.Mode().IsRegular() || size < headerSize || int64(int(size)) != size {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, corrupt("it has %d bytes", size)), f.Close())
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
