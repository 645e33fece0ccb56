package graph

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// WriteTo writes the graph as a file's contents.
func (g *Graph) WriteTo(w io.Writer) (int64, error) {
	head, sections, size := g.layout()
	return write(w, head, sections, size)
}

func write(w io.Writer, head []byte, sections [][]byte, size int64) (int64, error) {
	out := bufio.NewWriterSize(w, 1<<20)
	written := int64(0)
	put := func(b []byte) error {
		n, err := out.Write(b)
		written += int64(n)
		return err
	}
	if err := put(head); err != nil {
		return written, err
	}
	var zero [align]byte
	for _, s := range sections {
		if pad := (align - written%align) % align; pad > 0 {
			if err := put(zero[:pad]); err != nil {
				return written, err
			}
		}
		if err := put(s); err != nil {
			return written, err
		}
	}
	if written != size {
		return written, fmt.Errorf("graph: wrote %d of %d bytes", written, size)
	}
	return written, out.Flush()
}

// WriteFile writes the graph to a file so that the file is there whole or not at
// all: under another name first, synced, then renamed. The folder must exist.
func (g *Graph) WriteFile(path string) error {
	if err := g.writeFile(path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write graph file %s: %w", path, err)
	}
	return nil
}

// abandoned is the age at which a file that was being written counts as left behind by a process that was killed.
const abandoned = time.Hour

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

const temporary = ".graph-*"

func (g *Graph) writeFile(path string) (err error) {
	if err := sweep(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write graph file: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return fmt.Errorf("write graph file: %w", err)
	}
	renamed := false
	defer func() {
		if err != nil && !renamed {
			if closing := tmp.Close(); closing != nil && !errors.Is(closing, os.ErrClosed) {
				err = errors.Join(err, closing)
			}
			err = fmt.Errorf("write graph file %s: %w", path, errors.Join(err, os.Remove(tmp.Name())))
		}
	}()
	head, sections, size := g.layout()
	if _, err = write(tmp, head, sections, size); err != nil {
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
	if sealing := os.Chtimes(path, sealTime(head), sealTime(head)); sealing != nil {
		return fmt.Errorf("write graph file %s: %w", path, sealing)
	}
	return nil
}

// Bytes is the size of the graph as a file.
func (g *Graph) Bytes() int64 {
	cols := g.columns()
	size := int64(headerSize + entrySize*len(cols))
	for _, c := range cols {
		size = (size+align-1)&^(align-1) + int64(len(c.get()))
	}
	return size
}
