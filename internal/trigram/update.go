package trigram

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"manito/internal/problem"
)

// Snapshot is what an index is to be made of.
type Snapshot struct {
	Digest [32]byte // names the manifest
	Files  []Hash   // of each file's text, by file number; the zero Hash for files without one
	// Texts gives the texts of some hashes, none of them zero, each once and preferably in this order.
	Texts func(ctx context.Context, hashes []Hash, give func(Hash, []byte) error) error
	// Distrust reads every byte of the segments that could be used, and leaves the damaged ones out. Set it after an ErrCorrupt.
	Distrust bool
}

// Change is what Update did.
type Change struct {
	Added    int   // texts that no segment had
	Moved    int   // texts that were put from small or mostly unused segments into a new one
	Bytes    int64 // of both
	Segments int   // of the index
}

const (
	manySegments = 8        // above, the smallest are put together
	fewSegments  = 4        // until there are so few
	maxMove      = 16 << 20 // bytes of text that one Update moves: a third of a second
)

// Update makes the index of a snapshot in a folder, from the segments that are
// there and a new one with the texts that they do not have. Open then opens it.
// Indexes that are open are not disturbed, and several Updates may run at once.
func Update(ctx context.Context, dir string, snap Snapshot) (change Change, err error) {
	u := &update{ctx: ctx, dir: dir, snap: snap, where: map[Hash]place{}, builder: NewBuilder()}
	defer guard(&err)()
	defer func() { err = errors.Join(err, u.close()) }()
	if err := u.open(); err != nil {
		return Change{}, err
	}
	u.choose()
	if err := u.move(); err != nil {
		return Change{}, err
	}
	if err := u.add(); err != nil {
		return Change{}, err
	}
	if err := u.flush(); err != nil {
		return Change{}, err
	}
	return u.change, u.finish()
}

// place is a document of a segment.
type place struct {
	segment string
	doc     uint32
}

type update struct {
	ctx     context.Context
	dir     string
	snap    Snapshot
	have    []*candidate
	where   map[Hash]place // of the texts of the snapshot
	builder *Builder
	fresh   []Hash // in the builder
	change  Change
}

// candidate is a segment that may be used.
type candidate struct {
	*segment
	live  int64    // bytes of texts that the snapshot uses from here
	total int64    // bytes of all its texts
	docs  []uint32 // of texts that the snapshot uses from here
	away  bool     // what is used is moved
}

// open opens the segments that are there. Damaged ones are removed.
func (u *update) open() error {
	entries, err := os.ReadDir(u.dir)
	if err != nil {
		return fmt.Errorf("update text index: %w", err)
	}
	for _, e := range entries {
		if !isSegment(e.Name()) {
			continue
		}
		if err := u.ctx.Err(); err != nil {
			return err
		}
		s, err := openSegment(u.dir, e.Name())
		if err == nil && u.snap.Distrust {
			if err = s.verify(); err != nil {
				err = errors.Join(err, s.close())
			}
		}
		switch {
		case errors.Is(err, ErrCorrupt) || errors.Is(err, ErrVersion):
			if err := os.Remove(filepath.Join(u.dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("update text index: %w", err)
			}
			continue
		case errors.Is(err, fs.ErrNotExist):
			continue // swept meanwhile
		case err != nil:
			return err
		}
		u.have = append(u.have, &candidate{segment: s})
	}
	return nil
}

// choose decides from which segment each text is taken, and which segments are given up.
func (u *update) choose() {
	wanted := make(map[Hash]bool, len(u.snap.Files))
	for _, h := range u.snap.Files {
		if h != (Hash{}) {
			wanted[h] = true
		}
	}
	for _, c := range u.have {
		for d := range c.segment.docs {
			n := c.bytes(d)
			c.total += n
			if wanted[c.hash(d)] {
				c.live += n
			}
		}
	}
	slices.SortStableFunc(u.have, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.live, a.live), cmp.Compare(a.name, b.name))
	})
	used := 0
	for _, c := range u.have {
		c.live = 0
		for d := range c.segment.docs {
			h := c.hash(d)
			if _, taken := u.where[h]; taken || !wanted[h] {
				continue
			}
			u.where[h] = place{segment: c.name, doc: uint32(d)}
			c.docs = append(c.docs, uint32(d))
			c.live += c.bytes(d)
		}
		if len(c.docs) > 0 {
			used++
		}
	}
	budget := int64(maxMove)
	give := func(c *candidate) {
		if !c.away && len(c.docs) > 0 && c.live <= budget {
			c.away = true
			budget -= c.live
			used--
		}
	}
	for _, c := range u.have {
		if c.live < c.total/2 {
			give(c)
		}
	}
	if used > manySegments {
		bySize := slices.Clone(u.have)
		slices.SortStableFunc(bySize, func(a, b *candidate) int { return cmp.Compare(a.live, b.live) })
		for _, c := range bySize {
			if used > fewSegments {
				give(c)
			}
		}
	}
}

// move puts the texts of the segments that are given up into the builder.
func (u *update) move() error {
	for _, c := range u.have {
		if !c.away {
			continue
		}
		for _, d := range c.docs {
			text, err := c.document(int(d))
			if errors.Is(err, ErrCorrupt) {
				delete(u.where, c.hash(int(d))) // add asks for it
				continue
			}
			if err != nil {
				return err
			}
			u.change.Moved++
			if err := u.put(c.hash(int(d)), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// add asks for the texts that no segment has.
func (u *update) add() error {
	missing := map[Hash]bool{}
	var ask []Hash
	for _, h := range u.snap.Files {
		if _, have := u.where[h]; !have && h != (Hash{}) && !missing[h] {
			missing[h] = true
			ask = append(ask, h)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	err := u.snap.Texts(u.ctx, ask, func(h Hash, text []byte) error {
		if !missing[h] {
			return nil
		}
		delete(missing, h)
		u.change.Added++
		return u.put(h, text)
	})
	if err != nil {
		return fmt.Errorf("update text index: %w", err)
	}
	if len(missing) > 0 {
		return problem.New(problem.Internal, "the text index was not given the texts of %d of %d files", len(missing), len(ask))
	}
	return nil
}

func (u *update) put(h Hash, text []byte) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if err := u.builder.Add(h, text); err != nil {
		return err
	}
	u.change.Bytes += int64(len(text))
	u.fresh = append(u.fresh, h)
	if u.builder.Full() {
		return u.flush()
	}
	return nil
}

// flush writes the builder's segment.
func (u *update) flush() error {
	if u.builder.Docs() == 0 {
		return nil
	}
	name, err := u.builder.WriteFile(u.ctx, u.dir)
	if err != nil {
		return err
	}
	for i, h := range u.fresh {
		u.where[h] = place{segment: name, doc: uint32(i)}
	}
	u.builder, u.fresh = NewBuilder(), nil
	return nil
}

// finish writes the manifest.
func (u *update) finish() error {
	m := &manifest{digest: u.snap.Digest}
	number := map[string]uint32{}
	for _, h := range u.snap.Files {
		p, ok := u.where[h]
		if !ok {
			m.segment, m.doc = append(m.segment, none), append(m.doc, 0)
			continue
		}
		n, known := number[p.segment]
		if !known {
			n = uint32(len(m.segments))
			number[p.segment] = n
			m.segments = append(m.segments, p.segment)
		}
		m.segment, m.doc = append(m.segment, n), append(m.doc, p.doc)
	}
	u.change.Segments = len(m.segments)
	now := time.Now()
	for _, name := range m.segments {
		// Sweep looks at the age of what nobody refers to yet.
		if err := os.Chtimes(filepath.Join(u.dir, name), now, now); err != nil {
			return fmt.Errorf("update text index: %w", err)
		}
	}
	return m.write(u.dir)
}

func (u *update) close() error {
	var errs []error
	for _, c := range u.have {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// Sweep removes from a folder the manifests of other snapshots than those to keep,
// and then the segments that no manifest refers to, unless they are younger than an
// hour. Open indexes keep what they have mapped.
func Sweep(dir string, keep [][32]byte) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("sweep text index: %w", err)
	}
	used := map[string]bool{}
	for _, digest := range keep {
		used[ManifestName(digest)] = true
		m, err := readManifest(filepath.Join(dir, ManifestName(digest)))
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrVersion):
			continue
		case err != nil:
			return 0, err
		}
		for _, s := range m.segments {
			used[s] = true
		}
	}
	for _, e := range entries {
		if used[e.Name()] || !isSegment(e.Name()) && !isManifest(e.Name()) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && time.Since(info.ModTime()) < abandoned {
			continue
		}
		if err == nil {
			err = os.Remove(filepath.Join(dir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, fmt.Errorf("sweep text index: %w", err)
		}
		removed++
	}
	return removed, nil
}
