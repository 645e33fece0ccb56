package scan

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/link"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/source"
)

// parallel runs work for 0..n-1 on the scanner's workers; each worker has its own state from begin.
func parallel[T any](ctx context.Context, workers, n int, begin func() T, work func(ctx context.Context, t T, i int) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, n)) {
		g.Go(func() error {
			t := begin()
			for {
				i := int(next.Add(1) - 1)
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := work(ctx, t, i); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// link resolves each language's files.
func (r *run) link(ctx context.Context) error {
	if err := r.writer.Flush(ctx); err != nil { // manifests may be read back from the store
		return err
	}
	r.results = make([]*link.Result, len(r.s.Languages))
	for li := range r.s.Languages {
		language := &r.s.Languages[li]
		var files []lang.File
		for i := range r.files {
			f := &r.files[i]
			if f.doc == nil || int(f.lang) != li {
				continue
			}
			f.pos = int32(len(files))
			files = append(files, lang.File{Path: r.tree.Files[i].Path, Doc: f.doc})
		}
		if len(files) == 0 {
			continue
		}
		repo := &repository{run: r, ctx: ctx, files: files}
		modules, err := language.NewModules(ctx, repo)
		if err != nil {
			return fmt.Errorf("module system of %s: %w", language.Name, err)
		}
		res, err := link.Link(ctx, link.Input{Rules: language.Rules, Modules: modules, Files: files, Workers: r.s.workers()})
		if err != nil {
			return fmt.Errorf("link %s: %w", language.Name, err)
		}
		r.results[li] = res
		for _, x := range res.Externals {
			r.externals = append(r.externals, postgres.External{Key: x.Key, Symbol: x.Symbol, Manager: x.Manager, Name: x.Package, Version: x.Version, Standard: x.Standard})
		}
	}
	return nil
}

// outcome is the link result of a file, nil when it has none.
func (r *run) outcome(i int) *link.File {
	f := &r.files[i]
	if f.doc == nil || f.lang < 0 {
		return nil
	}
	return &r.results[f.lang].Files[f.pos]
}

// write packs the edges of every file and stores what is not stored yet.
func (r *run) write(ctx context.Context) error {
	type worker struct {
		p *pack.Packer
		h *hasher
	}
	digests := make([][16]byte, len(r.files))
	r.clock.total(len(r.files))
	err := parallel(ctx, r.s.workers(), len(r.files), func() worker { return worker{pack.NewPacker(), newHasher()} }, func(_ context.Context, w worker, i int) error {
		f := &r.files[i]
		var keys []code.Key
		if o := r.outcome(i); o != nil {
			keys = o.Keys
			f.packed = w.p.NewBlock(edgesAt(f.doc, o.Edges), sitesAt(f.doc, o.Sites))
			f.nedges, f.nsites = f.packed.Len(), len(o.Sites)
			if f.nedges > 0 || f.nsites > 0 {
				digests[i] = f.packed.Digest(r.factIdentity(f))
			}
		}
		f.digest = w.h.file(r.tree.Files[i].Path, f, keys, &f.packed)
		return nil
	})
	if err != nil {
		return err
	}
	known, err := r.knownBlocks(ctx, digests)
	if err != nil {
		return err
	}
	for i := range r.files {
		f := &r.files[i]
		if f.path, err = r.writer.Path(ctx, r.tree.Files[i].Path); err != nil {
			return err
		}
		if o := r.outcome(i); o != nil {
			if f.scope, err = r.writer.Scope(ctx, o.Scope); err != nil {
				return err
			}
		}
		if digests[i] != ([16]byte{}) {
			if id, ok := known[digests[i]]; ok {
				f.block = id
			} else if f.block, err = r.writer.Block(ctx, postgres.BlockInput{Digest: digests[i], Block: &f.packed}); err != nil {
				return err
			}
		}
		r.clock.done(1, 0)
	}
	return r.writer.Flush(ctx)
}

func (r *run) knownBlocks(ctx context.Context, digests [][16]byte) (map[[16]byte]int32, error) {
	var ask [][16]byte
	for _, d := range digests {
		if d != ([16]byte{}) {
			ask = append(ask, d)
		}
	}
	return r.s.DB.KnownBlocks(ctx, r.repo.ID, ask)
}

// factIdentity is what a fact is known by, whatever its id: content, reading and extractor.
func (r *run) factIdentity(f *fileState) []byte {
	h := sha256.New()
	h.Write(f.hash[:])
	h.Write([]byte(f.doc.Language + "\x00" + f.doc.Dialect + "\x00"))
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(r.s.Languages[f.lang].Version)))
	return h.Sum(nil)
}

func edgesAt(doc *code.Document, edges []code.Edge) []pack.EdgeAt {
	out := make([]pack.EdgeAt, len(edges))
	for i := range edges {
		e := &edges[i]
		line, column := doc.Line(e.Start)
		out[i] = pack.EdgeAt{Source: e.Source, Target: e.Target, Line: line, Column: column, Kind: e.Kind, Certainty: e.Certainty, Reason: e.Reason}
	}
	return out
}

func sitesAt(doc *code.Document, sites []code.Site) []pack.SiteAt {
	out := make([]pack.SiteAt, len(sites))
	for i := range sites {
		s := &sites[i]
		line, column := doc.Line(s.Start)
		out[i] = pack.SiteAt{Source: s.Source, Name: s.Name, Line: line, Column: column, Role: s.Role, Reason: s.Reason, Package: s.Package}
	}
	return out
}

// repository is what a module system sees of the tree.
type repository struct {
	run   *run
	ctx   context.Context
	files []lang.File
	bases map[string][]string
}

func (p *repository) Files() []lang.File { return p.files }
func (p *repository) Name() string       { return p.run.tree.Name }

func (p *repository) find(name string) (int, bool) {
	return slices.BinarySearchFunc(p.run.tree.Files, name, func(f source.File, name string) int {
		return strings.Compare(f.Path, name)
	})
}

func (p *repository) Exists(name string) bool {
	_, ok := p.find(name)
	return ok
}

func (p *repository) Manifests(base string) []string {
	if p.bases == nil {
		p.bases = map[string][]string{}
		for i := range p.run.tree.Files {
			name := p.run.tree.Files[i].Path
			p.bases[path.Base(name)] = append(p.bases[path.Base(name)], name)
		}
	}
	return p.bases[base]
}

// Read returns the bytes that were scanned, from the store, so that a manifest
// that changes during the scan cannot make two truths.
func (p *repository) Read(name string) ([]byte, error) {
	i, ok := p.find(name)
	if !ok || !p.run.files[i].read {
		return nil, fmt.Errorf("%s is not among the files that were read", name)
	}
	z, err := p.run.s.DB.ReadBlob(p.ctx, p.run.repo.ID, p.run.files[i].blob)
	if err != nil {
		return nil, err
	}
	return pack.NewUnpacker().Text(z)
}
