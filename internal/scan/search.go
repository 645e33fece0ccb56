package scan

import (
	"context"
	"encoding/binary"
	"iter"
	"path/filepath"
	"strconv"

	"github.com/zeebo/xxh3"

	"manito/internal/chunk"
	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/search"
)

// SearchDir is the folder of a repository's search files below the folder of index files.
func SearchDir(indexDir string, repo int32) string {
	return filepath.Join(indexDir, "search", strconv.Itoa(int(repo)))
}

// Reader names the extractor that made a Document, and how, for search.File.
func Reader(languages []lang.Language, language, dialect string, flags code.DocFlags) string {
	for i := range languages {
		if languages[i].Name == language {
			return language + "/" + strconv.Itoa(languages[i].Version) + " " + dialect + " " + strconv.Itoa(int(flags&code.DocOutline))
		}
	}
	return language
}

// ChunkVersion is the version of what is stored about chunks: it follows from the
// rules of cutting and from the extractors.
func ChunkVersion(languages []lang.Language) int32 {
	b := binary.LittleEndian.AppendUint32(nil, chunk.Version)
	for i := range languages {
		b = append(b, languages[i].Name...)
		b = binary.LittleEndian.AppendUint32(b, uint32(languages[i].Version))
	}
	return int32(xxh3.Hash(b) & (1<<31 - 1))
}

// search makes what searches need: the snapshot is published, so that readers of the
// graph wait for none of it, and a scan that dies here leaves a snapshot whose search
// files the next search makes.
func (r *run) search(ctx context.Context) error {
	if r.s.Search == SearchNever {
		return nil
	}
	if r.s.Search == SearchKept {
		if there, err := r.searched(ctx); err != nil || !there {
			return err
		}
	}
	r.report.Searchable = true
	c := r.corpus()
	// Learning what words mean takes longest and so comes last: until then searches do without it.
	if err := r.searchFiles(ctx, &c, true); err != nil {
		return err
	}
	if err := r.storeChunks(ctx, &c); err != nil {
		return err
	}
	if r.s.NoVectors {
		return nil
	}
	return r.searchFiles(ctx, &c, false)
}

// searched says whether anything of the repository was made ready for searches.
func (r *run) searched(ctx context.Context) (bool, error) {
	if r.s.IndexDir != "" {
		made, err := search.Made(SearchDir(r.s.IndexDir, r.repo.ID))
		if made || err != nil {
			return made, err
		}
	}
	return r.s.DB.HasChunks(ctx, r.repo.ID)
}

// searchFiles brings the search files up to the snapshot and removes what no snapshot uses.
func (r *run) searchFiles(ctx context.Context, c *search.Corpus, noVectors bool) error {
	if r.s.IndexDir == "" {
		return nil
	}
	dir := SearchDir(r.s.IndexDir, r.repo.ID)
	in := search.UpdateInput{Dir: dir, Corpus: *c, NoVectors: noVectors, Progress: func(done, total int) { r.clock.at(done, total) }}
	_, err := search.Update(ctx, in)
	if search.Damaged(err) { // what an earlier scan left cannot be used
		in.Distrust = true
		_, err = search.Update(ctx, in)
	}
	if err != nil || noVectors && !r.s.NoVectors {
		return err
	}
	return r.sweepSearch(ctx, dir)
}

// corpus is the snapshot as search takes it.
func (r *run) corpus() search.Corpus {
	c := search.Corpus{Digest: r.report.Digest, Files: make([]search.File, len(r.files))}
	for i := range r.files {
		f, t := &r.files[i], &r.tree.Files[i]
		c.Files[i] = search.File{Path: t.Path, Hash: f.hash, Size: t.Size, Text: f.read && !f.binary}
		if f.doc != nil {
			c.Files[i].Reader = Reader(r.s.Languages, f.doc.Language, f.doc.Dialect, f.doc.Flags)
		}
	}
	c.Documents = func(_ context.Context, files []int) ([]*code.Document, error) {
		out := make([]*code.Document, len(files))
		for i, f := range files {
			out[i] = r.files[f].doc
		}
		return out, nil
	}
	c.Texts = func(ctx context.Context, files []int, yield func(int, []byte) error) error {
		return postgres.Texts(ctx, r.s.DB, r.repo.ID, files, func(f int) int32 { return r.files[f].blob }, pack.NewUnpacker().Text, yield)
	}
	return c
}

// sweepSearch removes the search files of snapshots that no ref of the repository shows.
func (r *run) sweepSearch(ctx context.Context, dir string) error {
	list, err := r.s.DB.Status(ctx, r.repo.ID)
	if err != nil {
		return err
	}
	keep := make([][32]byte, len(list))
	for i := range list {
		keep[i] = list[i].Manifest.Digest
	}
	return search.Sweep(dir, keep)
}

// storeChunks stores the chunks that SQL users see: those of files that are new.
func (r *run) storeChunks(ctx context.Context, c *search.Corpus) error {
	version := ChunkVersion(r.s.Languages)
	known, err := r.s.DB.KnownChunks(ctx, r.repo.ID, version)
	if err != nil {
		return err
	}
	var missing []int
	for i := range r.files {
		if f := &r.files[i]; c.Files[i].Text && !known[postgres.ChunkPlace{PathID: f.path, BlobID: f.blob}] {
			missing = append(missing, i)
		}
	}
	if err := r.lease.PutChunks(ctx, version, r.chunkRows(ctx, c, missing)); err != nil {
		return err
	}
	return r.lease.SetSearchIndex(ctx, postgres.SearchIndex{Snapshot: r.report.Snapshot, Version: version})
}

// chunkRows cuts files into chunks as they are stored.
func (r *run) chunkRows(ctx context.Context, c *search.Corpus, files []int) iter.Seq2[postgres.FileChunks, error] {
	return func(yield func(postgres.FileChunks, error) bool) {
		stopped := false
		err := search.Chunks(ctx, c, files, func(f search.FileChunks) error {
			if stopped {
				return nil
			}
			out := postgres.FileChunks{PathID: r.files[f.File].path, BlobID: r.files[f.File].blob, Path: c.Files[f.File].Path, Chunks: make([]postgres.Chunk, len(f.Chunks))}
			for i := range f.Chunks {
				x := &f.Chunks[i]
				out.Chunks[i] = postgres.Chunk{Hash: x.Hash, Kind: x.Kind, Line: int32(x.Line), EndLine: int32(x.EndLine), Title: x.Title(), Name: x.Name, Context: x.Container + "\n" + x.Signature, Doc: x.Doc}
			}
			stopped = !yield(out, nil)
			return nil
		})
		if err != nil && !stopped {
			yield(postgres.FileChunks{}, err)
		}
	}
}
