package graph

import (
	"bufio"
	"fmt"
	"io"

	"manito/internal/mapfile"
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

// WriteFile writes the graph to a file so that the file is there whole or not at all. The folder must exist.
func (g *Graph) WriteFile(path string) error {
	head, sections, size := g.layout()
	err := mapfile.Replace(path, sealTime(head), func(w io.Writer) error {
		_, err := write(w, head, sections, size)
		return err
	})
	if err != nil {
		return fmt.Errorf("graph file: %w", err)
	}
	return nil
}

// Bytes is the size of the graph as a file.
func (g *Graph) Bytes() int64 {
	cols := g.columns()
	size := int64(headerSize + entrySize*len(cols))
	for _, c := range cols {
		size = (size+align-1)&^(align-1) + int64(len(c.Bytes()))
	}
	return size
}
