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
	"manito/internal/search"
)

// store feeds questions from the database.
func (d *database) store() *stored.Store { return &stored.Store{DB: d.DB, Languages: all.Languages()} }

// withIndex opens the graph of the chosen snapshot for one question. A file that is
// missing, damaged or of another version is made again from the database.
func (a *app) withIndex(ctx context.Context, s *session, question func(context.Context, *session) error) (err error) {
	store := s.db.store()
	repo := s.chosen.repo
	near := &nearest{Store: store, root: repo.Root, snapshot: codeintel.Snapshot{Repo: repo.ID, ID: s.chosen.ref.Ref.Snapshot, Digest: s.chosen.ref.Manifest.Digest}}
	shelf := codeintel.NewShelf(codeintel.ShelfConfig{
		Snapshots: near,
		File:      func(digest [32]byte) string { return scan.IndexPath(indexDir(s.cfg), digest) },
		Search: func(snap codeintel.Snapshot, g *graph.Graph) codeintel.SearchFiles {
			files := codeintel.SearchFiles{
				Dir:       scan.SearchDir(indexDir(s.cfg), snap.Repo),
				Corpus:    func(ctx context.Context) (search.Corpus, error) { return store.Corpus(ctx, snap, g) },
				NoVectors: s.cfg.Search.Embeddings != "builtin",
				Making:    func() { a.note("the search files of this snapshot are being made") },
			}
			if s.cfg.Search.Embeddings == "openai" {
				files.Provider = a.provider(s).Search
			}
			return files
		},
	})
	defer func() { err = errors.Join(err, shelf.Close()) }()
	return shelf.Use(ctx, repo.Root, s.chosen.ref.Ref.Name, func(x *codeintel.Index) error {
		s.index, near.index = x, x
		return question(ctx, s)
	})
}

// nearest is the store for one question about one snapshot: which snapshot is
// known already, and texts come from the repository's folder where they are
// still what was scanned.
type nearest struct {
	*stored.Store
	snapshot codeintel.Snapshot
	root     string
	index    *codeintel.Index // once it is open
}

func (n *nearest) Current(context.Context, string, string) (codeintel.Snapshot, error) {
	return n.snapshot, nil
}

func (n *nearest) Text(snap codeintel.Snapshot) codeintel.TextSource {
	rest := n.Store.Text(snap)
	if st, err := os.Stat(n.root); err != nil || !st.IsDir() {
		return rest
	}
	return &stored.Folder{Root: n.root, Rest: rest, Hash: n.hash}
}

// hash is what the snapshot says of a file's bytes.
func (n *nearest) hash(path string) ([32]byte, bool) {
	if n.index == nil {
		return [32]byte{}, false
	}
	g := n.index.Graph()
	f, ok := g.FileByPath(path)
	if !ok {
		return [32]byte{}, false
	}
	h := g.File(f).Hash
	return h, h != [32]byte{}
}
