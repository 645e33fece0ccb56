// Package stored feeds codeintel from the store: the current snapshot of a ref,
// the files, definitions and edges of a snapshot, and the contents of its files.
//
// It may be imported by cli and server.
package stored

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"manito/internal/code"
	"manito/internal/codeintel"
	"manito/internal/graph"
	"manito/internal/lang"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/problem"
)

// Store implements codeintel.Snapshots over a database.
type Store struct {
	DB        *postgres.DB
	Languages []lang.Language
}

// Current implements codeintel.Snapshots. repo is a root or a name.
func (s *Store) Current(ctx context.Context, repo, ref string) (codeintel.Snapshot, error) {
	r, err := s.DB.FindRepo(ctx, repo)
	if err != nil {
		return codeintel.Snapshot{}, err
	}
	list, err := s.DB.Status(ctx, r.ID)
	if err != nil {
		return codeintel.Snapshot{}, err
	}
	for _, st := range list {
		if st.Ref.Name == ref && st.Ref.Snapshot != 0 {
			return codeintel.Snapshot{Repo: r.ID, ID: st.Ref.Snapshot, Digest: st.Manifest.Digest}, nil
		}
	}
	return codeintel.Snapshot{}, problem.New(problem.NotFound, "%s has no published snapshot called %s", r.Name, ref).Fix("manito scan %s", r.Root)
}

// feedBatch is how many files are read from the store at a time, so that a large repository is never in memory as a whole.
const feedBatch = 512

// Feed implements codeintel.Snapshots.
func (s *Store) Feed(ctx context.Context, snap codeintel.Snapshot, b *graph.Builder) error {
	m, err := s.DB.Snapshot(ctx, snap.Repo, snap.ID)
	if err != nil {
		return err
	}
	files, externals, err := s.projected(ctx, snap)
	if err != nil {
		return err
	}
	for _, x := range externals {
		b.AddExternal(graph.External{Key: x.Key, Symbol: x.Symbol, Manager: x.Manager, Name: x.Name, Version: x.Version})
	}
	u := pack.NewUnpacker()
	for batch := range slices.Chunk(m.Entries, feedBatch) {
		docs, blocks, err := s.read(ctx, snap.Repo, batch, u)
		if err != nil {
			return err
		}
		for i := range batch {
			e := &batch[i]
			if err := s.add(b, e, files[e.PathID], docs[e.FactID], blocks[e.BlockID]); err != nil {
				return err
			}
		}
	}
	return nil
}

// projected reads the file rows and external packages of the ref that shows the snapshot.
func (s *Store) projected(ctx context.Context, snap codeintel.Snapshot) (map[int32]postgres.ProjectedFile, []postgres.External, error) {
	refs, err := s.DB.Refs(ctx, snap.Repo)
	if err != nil {
		return nil, nil, err
	}
	for _, ref := range refs {
		if ref.Projected != snap.ID {
			continue
		}
		list, err := s.DB.Files(ctx, snap.Repo, ref.ID)
		if err != nil {
			return nil, nil, err
		}
		files := make(map[int32]postgres.ProjectedFile, len(list))
		for _, f := range list {
			files[f.PathID] = f
		}
		externals, err := s.DB.Externals(ctx, snap.Repo, ref.ID)
		return files, externals, err
	}
	return nil, nil, problem.New(problem.Unavailable, "the snapshot is published, but its rows are still being made and its graph file is not here").Fix("ask again in a moment; when the scan was killed, scan again to finish it")
}

// edges are the stored edges and sites of one file.
type edges struct {
	block *pack.Block
	sites []pack.SiteAt
}

func (s *Store) read(ctx context.Context, repo int32, batch []postgres.Entry, u *pack.Unpacker) (map[int32]*code.Document, map[int32]edges, error) {
	var facts, ids []int32
	for _, e := range batch {
		if e.FactID != 0 {
			facts = append(facts, e.FactID)
		}
		if e.BlockID != 0 {
			ids = append(ids, e.BlockID)
		}
	}
	docs := make(map[int32]*code.Document, len(facts))
	err := s.DB.ReadFacts(ctx, repo, facts, func(fact int32, z []byte) error {
		doc, err := u.Document(z)
		docs[fact] = doc
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	blocks := make(map[int32]edges, len(ids))
	err = s.DB.ReadBlocks(ctx, repo, ids, func(id int32, b *pack.Block) error {
		kept := *b
		kept.Targets, kept.Words = slices.Clone(b.Targets), slices.Clone(b.Words)
		blocks[id] = edges{block: &kept}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = s.DB.ReadSites(ctx, repo, ids, func(id int32, z []byte) error {
		sites, err := u.Sites(z)
		e := blocks[id]
		e.sites = sites
		blocks[id] = e
		return err
	})
	return docs, blocks, err
}

func (s *Store) add(b *graph.Builder, e *postgres.Entry, row postgres.ProjectedFile, doc *code.Document, stored edges) error {
	f := graph.File{Path: e.Path, Language: row.Language, Size: uint32(min(row.Size, 1<<32-1)), Lines: uint32(row.Lines), Hash: row.Hash}
	if doc == nil {
		f.State = graph.StateUnsupported
		for _, l := range s.Languages {
			if slices.Contains(l.Sources, row.Language) {
				f.State, f.Family = graph.StateUnread, l.Name
			}
		}
		return b.AddFile(f, nil, nil, nil)
	}
	f.Scope = e.Scope
	for _, l := range s.Languages {
		if l.Name == doc.Language {
			f.Package = l.Rules.PackageScope
		}
	}
	var list []code.Edge
	if stored.block != nil {
		list = make([]code.Edge, stored.block.Len())
		for i := range list {
			at, err := stored.block.Edge(i)
			if err != nil {
				return fmt.Errorf("stored edges of %s: %w", e.Path, err)
			}
			list[i] = code.Edge{Source: at.Source, Target: at.Target, Start: offset(doc, at.Line, at.Column), Kind: at.Kind, Certainty: at.Certainty, Reason: at.Reason}
		}
	}
	sites := make([]code.Site, len(stored.sites))
	for i, at := range stored.sites {
		sites[i] = code.Site{Source: at.Source, Name: at.Name, Start: offset(doc, at.Line, at.Column), Role: at.Role, Reason: at.Reason, Package: at.Package}
	}
	return b.AddFile(f, doc, list, sites)
}

// offset is the inverse of Document.Line.
func offset(doc *code.Document, line, column uint32) uint32 {
	if int(line) >= len(doc.Lines) {
		return doc.Size
	}
	return doc.Lines[line] + column
}

// Text implements codeintel.Snapshots.
func (s *Store) Text(snap codeintel.Snapshot) codeintel.TextSource {
	return &text{store: s, snap: snap}
}

// text reads contents of a snapshot's files.
type text struct {
	store *Store
	snap  codeintel.Snapshot
}

// Texts implements codeintel.TextSource. Ids of the contents come from the
// snapshot, which is read once a call.
func (t *text) Texts(ctx context.Context, paths []string) ([][]byte, error) {
	m, err := t.store.DB.Snapshot(ctx, t.snap.Repo, t.snap.ID)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(paths))
	wanted := map[int32][]int{}
	var ids []int32
	for i, p := range paths {
		at, ok := slices.BinarySearchFunc(m.Entries, p, func(e postgres.Entry, p string) int { return bytes.Compare([]byte(e.Path), []byte(p)) })
		if !ok || m.Entries[at].BlobID == 0 {
			continue
		}
		id := m.Entries[at].BlobID
		if wanted[id] == nil {
			ids = append(ids, id)
		}
		wanted[id] = append(wanted[id], i)
	}
	if len(ids) == 0 {
		return out, nil
	}
	u := pack.NewUnpacker()
	err = t.store.DB.ReadBlobs(ctx, t.snap.Repo, ids, func(id int32, z []byte) error {
		if len(z) == 0 {
			return nil
		}
		b, err := u.Text(z)
		for _, i := range wanted[id] {
			out[i] = b
		}
		return err
	})
	return out, err
}

// Folder reads contents from a folder where they are still what was scanned,
// and asks another source for the rest. One-shot commands use it: a file on the
// disk is nearer than a snapshot in the database.
type Folder struct {
	Root string
	// Hash is what the snapshot says of a path's bytes.
	Hash func(path string) ([32]byte, bool)
	Rest codeintel.TextSource
}

// Texts implements codeintel.TextSource.
func (f *Folder) Texts(ctx context.Context, paths []string) ([][]byte, error) {
	out := make([][]byte, len(paths))
	var missing []string
	var at []int
	for i, p := range paths {
		if want, ok := f.Hash(p); ok && filepath.IsLocal(p) {
			if b, err := os.ReadFile(filepath.Join(f.Root, filepath.FromSlash(p))); err == nil && sha256.Sum256(b) == want && !bytes.HasPrefix(b, []byte{0xff, 0xfe}) && !bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
				out[i] = b
				continue
			}
		}
		missing = append(missing, p)
		at = append(at, i)
	}
	if len(missing) == 0 {
		return out, nil
	}
	rest, err := f.Rest.Texts(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, b := range rest {
		out[at[i]] = b
	}
	return out, nil
}
