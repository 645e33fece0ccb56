package stored

import (
	"bytes"
	"context"
	"slices"

	"manito/internal/code"
	"manito/internal/codeintel"
	"manito/internal/graph"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/problem"
	"manito/internal/scan"
	"manito/internal/search"
)

// Corpus gives a snapshot as search takes it, from the store and the snapshot's graph.
func (s *Store) Corpus(ctx context.Context, snap codeintel.Snapshot, g *graph.Graph) (search.Corpus, error) {
	m, err := s.DB.Snapshot(ctx, snap.Repo, snap.ID)
	if err != nil {
		return search.Corpus{}, err
	}
	files, _, err := s.projected(ctx, snap)
	if err != nil {
		return search.Corpus{}, err
	}
	c := search.Corpus{Digest: snap.Digest, Files: make([]search.File, g.NumFiles())}
	entries := make([]postgres.Entry, g.NumFiles())
	for i := range c.Files {
		f := g.File(graph.FileNo(i))
		at, ok := slices.BinarySearchFunc(m.Entries, f.Path, func(e postgres.Entry, p string) int { return bytes.Compare([]byte(e.Path), []byte(p)) })
		if !ok {
			return search.Corpus{}, problem.New(problem.Internal, "the graph has the file %s, the snapshot has not", f.Path)
		}
		e := m.Entries[at]
		entries[i] = e
		row := files[e.PathID]
		c.Files[i] = search.File{Path: f.Path, Hash: f.Hash, Size: row.Size, Text: e.BlobID != 0 && row.Flags&postgres.FileBinary == 0}
		if f.State == graph.StateRead {
			c.Files[i].Reader = scan.Reader(s.Languages, f.Family, f.Dialect, f.Flags)
		}
	}
	c.Texts = func(ctx context.Context, files []int, yield func(int, []byte) error) error {
		return postgres.Texts(ctx, s.DB, snap.Repo, files, func(f int) int32 { return entries[f].BlobID }, pack.NewUnpacker().Text, yield)
	}
	c.Documents = func(ctx context.Context, files []int) ([]*code.Document, error) {
		out := make([]*code.Document, len(files))
		wanted := map[int32][]int{}
		var facts []int32
		for i, f := range files {
			if id := entries[f].FactID; id != 0 {
				if wanted[id] == nil {
					facts = append(facts, id)
				}
				wanted[id] = append(wanted[id], i)
			}
		}
		u := pack.NewUnpacker()
		err := s.DB.ReadFacts(ctx, snap.Repo, facts, func(fact int32, z []byte) error {
			doc, err := u.Document(z)
			for _, i := range wanted[fact] {
				out[i] = doc
			}
			return err
		})
		return out, err
	}
	return c, nil
}
