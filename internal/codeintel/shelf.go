package codeintel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"manito/internal/graph"
	"manito/internal/problem"
)

// Snapshot is a published state of a repository.
type Snapshot struct {
	Repo   int32
	ID     int32
	Digest [32]byte // the canonical digest; names the graph file
}

// Snapshots is what a Shelf needs of the store.
type Snapshots interface {
	// Current is the snapshot that a ref of a repository shows now; a repository or
	// ref that does not exist or was never published gives problem.NotFound.
	Current(ctx context.Context, repo, ref string) (Snapshot, error)
	// Feed adds every file of a snapshot to a Builder, in path order, and its external packages.
	Feed(ctx context.Context, s Snapshot, b *graph.Builder) error
	// Text reads the contents of a snapshot's files.
	Text(s Snapshot) TextSource
}

// ShelfConfig says how a Shelf works.
type ShelfConfig struct {
	Snapshots Snapshots
	// File is where the graph file of a snapshot lies; nil keeps graphs in memory only.
	File func(digest [32]byte) string
	// Search says where the search files of a snapshot lie and how they are made again; nil keeps none.
	Search func(s Snapshot, g *graph.Graph) SearchFiles
	// Budget bounds the bytes of graphs that are kept open without being used; 0 keeps none.
	Budget int64
}

// Shelf keeps graphs open between questions. It is safe for concurrent use.
type Shelf struct {
	config ShelfConfig

	mu     sync.Mutex
	open   map[[32]byte]*shelved
	clock  int64
	closed bool
}

// shelved is a graph on the shelf. Its fields are guarded by Shelf.mu, except that
// whoever made it writes index, size and err before closing ready.
type shelved struct {
	ready chan struct{}
	index *Index
	size  int64
	err   error
	users int
	used  int64
	stale bool // not to be handed out any more
}

// NewShelf makes an empty shelf.
func NewShelf(c ShelfConfig) *Shelf {
	return &Shelf{config: c, open: make(map[[32]byte]*shelved)}
}

// Use calls work with the index of the snapshot that a ref shows now. The index
// must not be used after work returns. When the graph file turns out to be
// damaged it is made again and work is called a second time.
func (s *Shelf) Use(ctx context.Context, repo, ref string, work func(*Index) error) error {
	snap, err := s.config.Snapshots.Current(ctx, repo, ref)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		e, err := s.take(ctx, snap)
		if err != nil {
			return err
		}
		err = work(e.index)
		damaged := errors.Is(err, graph.ErrCorrupt)
		if dropErr := s.give(snap, e, damaged); dropErr != nil {
			return errors.Join(err, dropErr)
		}
		if !damaged || attempt > 0 {
			return err
		}
	}
}

// take finds a snapshot's index or opens it; only one of several callers does.
func (s *Shelf) take(ctx context.Context, snap Snapshot) (*shelved, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, problem.New(problem.Unavailable, "the program is shutting down")
	}
	e := s.open[snap.Digest]
	mine := e == nil
	if mine {
		e = &shelved{ready: make(chan struct{})}
		s.open[snap.Digest] = e
	}
	e.users++
	s.clock++
	e.used = s.clock
	s.mu.Unlock()
	if mine {
		e.index, e.size, e.err = s.load(ctx, snap)
		close(e.ready)
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.give(snap, e, false))
	}
	if e.err != nil {
		err := e.err
		if !mine && ctx.Err() == nil && errors.Is(err, context.Canceled) {
			// Whoever was opening it gave up; this caller did not.
			if dropErr := s.give(snap, e, false); dropErr != nil {
				return nil, dropErr
			}
			return s.take(ctx, snap)
		}
		return nil, errors.Join(err, s.give(snap, e, false))
	}
	return e, nil
}

// give returns what take gave. A damaged or failed one leaves the shelf at once.
func (s *Shelf) give(snap Snapshot, e *shelved, damaged bool) error {
	s.mu.Lock()
	e.users--
	failed := false
	select {
	case <-e.ready:
		failed = e.err != nil
	default:
	}
	if (damaged || failed) && !e.stale {
		e.stale = true
		if s.open[snap.Digest] == e {
			delete(s.open, snap.Digest)
		}
	}
	var closing []*Index
	if e.stale && e.users == 0 && e.index != nil {
		closing = append(closing, e.index)
		e.index = nil
	}
	closing = append(closing, s.evict()...)
	s.mu.Unlock()
	var errs []error
	if damaged && s.config.File != nil {
		if err := os.Remove(s.config.File(snap.Digest)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove the damaged graph file: %w", err))
		}
	}
	for _, x := range closing {
		errs = append(errs, x.close())
	}
	return errors.Join(errs...)
}

// evict takes the longest unused graphs off the shelf until the rest fit the budget. It is called with the lock held.
func (s *Shelf) evict() []*Index {
	var out []*Index
	for {
		total := int64(0)
		var oldest *shelved
		var digest [32]byte
		for d, e := range s.open {
			select {
			case <-e.ready:
			default:
				continue
			}
			total += e.size
			if e.users == 0 && (oldest == nil || e.used < oldest.used) {
				oldest, digest = e, d
			}
		}
		if total <= s.config.Budget || oldest == nil {
			return out
		}
		delete(s.open, digest)
		oldest.stale = true
		if oldest.index != nil {
			out = append(out, oldest.index)
			oldest.index = nil
		}
	}
}

// Close closes every graph that is not in use; those in use are closed when they are given back.
func (s *Shelf) Close() error {
	s.mu.Lock()
	s.closed = true
	s.config.Budget = 0
	closing := s.evict()
	for d, e := range s.open {
		e.stale = true
		delete(s.open, d)
	}
	s.mu.Unlock()
	var errs []error
	for _, x := range closing {
		errs = append(errs, x.close())
	}
	return errors.Join(errs...)
}

// load opens a snapshot's graph file; when there is none, or it is damaged or of
// another version, it makes the graph from the store and writes the file.
func (s *Shelf) load(ctx context.Context, snap Snapshot) (*Index, int64, error) {
	options := Options{Text: s.config.Snapshots.Text(snap)}
	file := ""
	if s.config.File != nil {
		file = s.config.File(snap.Digest)
		g, err := graph.Open(file)
		switch {
		case err == nil && g.Digest() == snap.Digest:
			return s.shelve(snap, g, options), fileSize(file), nil
		case err == nil:
			if err := g.Close(); err != nil {
				return nil, 0, err
			}
		case errors.Is(err, os.ErrNotExist), errors.Is(err, graph.ErrCorrupt), errors.Is(err, graph.ErrVersion):
		default:
			return nil, 0, err
		}
	}
	b := graph.NewBuilder(snap.Digest)
	if err := s.config.Snapshots.Feed(ctx, snap, b); err != nil {
		return nil, 0, err
	}
	g, err := b.Build(ctx)
	if err != nil {
		return nil, 0, err
	}
	if file == "" {
		return s.shelve(snap, g, options), g.Bytes(), nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, 0, problem.Wrap(err, problem.Internal, "folder of graph files")
	}
	if err := g.WriteFile(file); err != nil {
		return nil, 0, err
	}
	// The mapped file costs no memory that the system cannot take back.
	opened, err := graph.Open(file)
	if err != nil {
		return nil, 0, err
	}
	return s.shelve(snap, opened, options), fileSize(file), nil
}

func (s *Shelf) shelve(snap Snapshot, g *graph.Graph, o Options) *Index {
	if s.config.Search != nil {
		o.Search = s.config.Search(snap, g)
	}
	return New(g, o)
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // it was just opened; without a size it only counts for nothing in the budget
	}
	return info.Size()
}
