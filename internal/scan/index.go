package scan

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"manito/internal/graph"
	"manito/internal/lang"
	"manito/internal/link"
)

// IndexPath is where the index file of a snapshot lies below a folder.
func IndexPath(dir string, digest [32]byte) string {
	return filepath.Join(dir, hex.EncodeToString(digest[:16])+".graph")
}

// index writes the file that queries map into memory.
func (r *run) index(ctx context.Context) error {
	if r.s.IndexDir == "" {
		return nil
	}
	file := IndexPath(r.s.IndexDir, r.report.Digest)
	if _, err := os.Stat(file); err == nil && r.report.Unchanged {
		r.report.Index = file
		return nil
	}
	b := graph.NewBuilder(r.report.Digest)
	b.Grow(len(r.files), r.report.Stats.Definitions, r.report.Stats.Edges)
	for i := range r.files {
		f, t := &r.files[i], &r.tree.Files[i]
		gf := graph.File{Path: t.Path, Language: t.Language, Size: uint32(min(t.Size, 1<<32-1)), Lines: uint32(f.lines), Hash: f.hash, Diagnostics: uint32(len(f.diags))}
		if f.doc != nil {
			gf.Diagnostics += uint32(len(f.doc.Diagnostics))
		}
		o := r.outcome(i)
		if o == nil {
			gf.State = graph.StateUnsupported
			if f.lang >= 0 {
				gf.State, gf.Family = graph.StateUnread, r.s.Languages[f.lang].Name
			}
			if err := b.AddFile(gf, nil, nil, nil); err != nil {
				return err
			}
			continue
		}
		describe(&gf, &r.s.Languages[f.lang], o)
		if err := b.AddFile(gf, f.doc, o.Edges, o.Sites); err != nil {
			return err
		}
	}
	for _, x := range r.externals {
		b.AddExternal(graph.External{Key: x.Key, Symbol: x.Symbol, Manager: x.Manager, Name: x.Name, Version: x.Version})
	}
	g, err := b.Build(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.s.IndexDir, 0o700); err != nil {
		return fmt.Errorf("folder of index files: %w", err)
	}
	if err := g.WriteFile(file); err != nil {
		return err
	}
	r.report.Index = file
	return r.prune(ctx)
}

// prune removes the graph files of snapshots that no ref shows any more.
func (r *run) prune(ctx context.Context) error {
	list, err := r.s.DB.Status(ctx, 0)
	if err != nil {
		return err
	}
	shown := map[string]bool{}
	for _, st := range list {
		shown[filepath.Base(IndexPath(r.s.IndexDir, st.Manifest.Digest))] = true
	}
	entries, err := os.ReadDir(r.s.IndexDir)
	if err != nil {
		return fmt.Errorf("folder of index files: %w", err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".graph" || shown[e.Name()] {
			continue
		}
		// A process that has the file mapped keeps its contents.
		if err := os.Remove(filepath.Join(r.s.IndexDir, e.Name())); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("index file of an old snapshot: %w", err)
		}
	}
	return nil
}

func describe(gf *graph.File, language *lang.Language, o *link.File) {
	gf.Scope, gf.Keys, gf.Package = o.Scope, o.Keys, language.Rules.PackageScope
}
