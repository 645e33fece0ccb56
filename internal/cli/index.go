package cli

import (
	"context"
	"errors"
	"os"

	"manito/internal/codeintel"
	"manito/internal/codeintel/stored"
	"manito/internal/graph"
	"manito/internal/lang/all"
	"manito/internal/scan"
)

// store feeds questions from the database.
func (d *database) store() *stored.Store { return &stored.Store{DB: d.DB, Languages: all.Languages()} }

// withIndex opens the graph of the chosen snapshot for one question. A file that is
// missing, damaged or of another version is made again from the database.
func (a *app) withIndex(ctx context.Context, s *session, question func(context.Context, *session) error) (err error) {
	store := s.db.store()
	repo := s.chosen.repo
	shelf := codeintel.NewShelf(codeintel.ShelfConfig{
		Snapshots: &pinned{Store: store, snapshot: codeintel.Snapshot{Repo: repo.ID, ID: s.chosen.ref.Ref.Snapshot, Digest: s.chosen.ref.Manifest.Digest}, root: repo.Root},
		File:      func(digest [32]byte) string { return scan.IndexPath(indexDir(s.cfg), digest) },
		Languages: store.Families(),
	})
	defer func() { err = errors.Join(err, shelf.Close()) }()
	return shelf.Use(ctx, repo.Root, s.chosen.ref.Ref.Name, func(x *codeintel.Index) error {
		s.index = x
		return question(ctx, s)
	})
}

// pinned is the store with the snapshot that was chosen already, and with the
// repository's folder as the nearest source of texts.
type pinned struct {
	*stored.Store
	snapshot codeintel.Snapshot
	root     string
	graph    *graph.Graph
}

func (p *pinned) Current(context.Context, string, string) (codeintel.Snapshot, error) {
	return p.snapshot, nil
}

func (p *pinned) Text(snap codeintel.Snapshot) codeintel.TextSource {
	rest := p.Store.Text(snap)
	if st, err := os.Stat(p.root); err != nil || !st.IsDir() {
		return rest
	}
	return &stored.Folder{Root: p.root, Rest: rest, Hash: p.hash}
}

func (p *pinned) hash(string) ([32]byte, bool) { return [32]byte{}, false }
