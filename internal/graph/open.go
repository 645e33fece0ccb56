package graph

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/zeebo/xxh3"

	"manito/internal/mapfile"
)

// Open maps a graph file into memory. When nobody has written to the file since
// WriteFile did, it checks the header only and so takes a fraction of a
// millisecond whatever the size; else it verifies the whole. What it finds wrong
// wraps ErrCorrupt or ErrVersion, and a missing file os.ErrNotExist. Use Guard
// around work on an opened graph. Close it when no more work will begin.
func Open(path string) (*Graph, error) {
	b, unmap, err := mapfile.Map(path, headerSize)
	if err != nil {
		return nil, fmt.Errorf("open graph file: %w", err)
	}
	g, err := decode(b)
	if err == nil {
		g.mapped, g.unmap = b, unmap
		err = g.trust(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open graph file %s: %w", path, err), unmap())
	}
	return g, nil
}

// sealTime is the time of last change that WriteFile gives a file. It follows from
// the header, which has the checksums of the rest, so that whoever writes to the
// file later leaves another time behind, and whoever opens it then knows that it
// must be looked at.
func sealTime(head []byte) time.Time {
	return time.Unix(1_000_000_000+int64(binary.LittleEndian.Uint64(head[56:])%500_000_000), 0)
}

// trust verifies the file unless it has the time of its seal.
func (g *Graph) trust(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	seal := sealTime(g.mapped)
	if info.ModTime().Equal(seal) {
		return nil
	}
	if err := g.Verify(context.Background()); err != nil {
		return err
	}
	// Copied or restored, but sound. That it may not be ours to mark only costs the next one the time to look again.
	_ = os.Chtimes(path, seal, seal)
	return nil
}

// Decode reads a graph from the bytes of a graph file, which must not change while the graph is used.
func Decode(b []byte) (*Graph, error) {
	g, err := decode(b)
	if err != nil {
		return nil, err
	}
	g.mapped = b
	return g, nil
}

// Close releases the mapped file. The graph must not be used afterwards. A graph
// that was built rather than opened needs no Close.
func (g *Graph) Close() error {
	unmap := g.unmap
	if unmap == nil {
		return nil
	}
	*g = Graph{}
	return unmap()
}

// Verify reads the whole graph: the checksum of each section, then that every
// number stays inside the array it points into. A graph that passes can be used
// without Guard. It takes about 0.1 s for each 100 MB.
func (g *Graph) Verify(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil { // a page of the map that cannot be read
			fault, ok := r.(runtime.Error)
			if !ok {
				panic(r)
			}
			err = mapfile.Corrupt("%v", fault)
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if g.mapped != nil {
		for i, c := range g.columns() {
			if err := ctx.Err(); err != nil {
				return err
			}
			e := g.mapped[headerSize+entrySize*i:]
			off, length := binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
			if xxh3.Hash(g.mapped[off:off+length]) != binary.LittleEndian.Uint64(e[24:]) {
				return mapfile.Corrupt("the checksum of section %d is wrong", c.id)
			}
		}
	}
	return g.check(ctx)
}

// Guard turns a crash on a damaged graph file into an error that wraps
// ErrCorrupt. Use it with defer, around everything that reads a graph that was
// opened and not verified:
//
//	defer g.Guard(&err)()
//
// It looks at the file only after a crash: when the file is sound the crash is a
// defect of the program and goes on.
func (g *Graph) Guard(err *error) func() {
	if g.mapped == nil {
		return func() {}
	}
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		r := recover()
		if r == nil {
			return
		}
		if _, ok := r.(runtime.Error); !ok {
			panic(r)
		}
		if bad := g.Verify(context.Background()); bad != nil {
			*err = bad
			return
		}
		panic(r)
	}
}
