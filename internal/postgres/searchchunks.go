package postgres

import (
	"context"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/code"
	"manito/internal/problem"
)

// Chunk is what search finds, as SQL users see it.
type Chunk struct {
	Hash          [32]byte // over its texts, not over its place
	Kind          code.Kind
	Line, EndLine int32  // 0-based, inclusive
	Title         string // qualified name, or heading
	Name          string // its words weigh most
	Context       string // container, signature: its words weigh less
	Doc           string // its words weigh least
}

// FileChunks are the chunks of one file with one content, in the order of the file.
type FileChunks struct {
	PathID, BlobID int32
	Path           string // its words count as context of each chunk
	Chunks         []Chunk
}

// ChunkPlace is a file with one content.
type ChunkPlace struct{ PathID, BlobID int32 }

// KnownChunks finds for which files and contents chunks of a version are stored.
func (db *DB) KnownChunks(ctx context.Context, repo, version int32) (known map[ChunkPlace]bool, err error) {
	defer problem.Call(&err, "KnownChunks(%d, %d)", repo, version)
	known = map[ChunkPlace]bool{}
	err = db.eachRaw(ctx, func(v [][]byte) error {
		known[ChunkPlace{rawInt4(v[0]), rawInt4(v[1])}] = true
		return nil
	}, `select path_id, blob_id from chunk_block where repo_id = $1 and version = $2 and part = 0`, repo, version)
	return known, explain(ctx, err, "looking for known chunks")
}

// HasChunks says whether any chunk of a repository is stored, of whatever version.
func (db *DB) HasChunks(ctx context.Context, repo int32) (has bool, err error) {
	defer problem.Call(&err, "HasChunks(%d)", repo)
	err = db.pool.QueryRow(ctx, `select exists (select from search_index where repo_id = $1)`, repo).Scan(&has)
	return has, explain(ctx, err, "looking for chunks")
}

const (
	// partChunks is how many chunks a row holds: a word of a tsvector has at most 256 positions.
	partChunks = 256
	// partBytes bounds the words of a row; a tsvector holds at most 1 MB.
	partBytes = 512 << 10
	// chunkFiles is how many files one transaction of PutChunks stores at most.
	chunkFiles = 2000
)

// PutChunks stores the chunks of files, replacing those of another version. Files
// without chunks are left out. Each transaction checks the lease; what was stored
// by an interrupted call is found by KnownChunks.
func (l *Lease) PutChunks(ctx context.Context, version int32, files iter.Seq2[FileChunks, error]) (err error) {
	defer problem.Call(&err, "PutChunks()")
	var r rows
	var paths, blobs []int32
	send := func() error {
		if len(paths) == 0 {
			return nil
		}
		err := l.db.transact(ctx, l.db.ingest, "storing chunks", func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `delete from chunk_block c using unnest($2::int4[], $3::int4[]) u(path_id, blob_id) where c.repo_id = $1 and c.path_id = u.path_id and c.blob_id = u.blob_id`, l.repo, paths, blobs)
			if err != nil {
				return err
			}
			if err := r.copyTo(ctx, tx.Conn(), `copy chunk_block (repo_id, path_id, blob_id, part, version, hashes, kinds, spans, titles, words) from stdin (format binary)`); err != nil {
				return err
			}
			return l.check(ctx, tx)
		})
		r.reset()
		paths, blobs = paths[:0], blobs[:0]
		return err
	}
	for f, err := range files {
		if err != nil {
			return err
		}
		if len(f.Chunks) == 0 {
			continue
		}
		paths, blobs = append(paths, f.PathID), append(blobs, f.BlobID)
		l.encodeChunks(&r, version, f)
		if len(r.b) >= chunk || len(paths) >= chunkFiles {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// encodeChunks appends the rows of one file.
func (l *Lease) encodeChunks(r *rows, version int32, f FileChunks) {
	pathWords := Words(clean(f.Path))
	part := int16(0)
	for rest := f.Chunks; len(rest) > 0; part++ {
		v := vector{words: map[string][]uint16{}}
		n := 0
		for n < min(len(rest), partChunks) && (n == 0 || v.size < partBytes) {
			v.chunk(&rest[n], pathWords, uint16(n+1))
			n++
		}
		hashes := make([]byte, 0, 16*n)
		kinds, spans, titles := make([]int16, n), make([]int64, n), make([]string, n)
		for i := range rest[:n] {
			c := &rest[i]
			hashes = append(hashes, c.Hash[:16]...)
			kinds[i], spans[i], titles[i] = int16(c.Kind), int64(c.Line)|int64(c.EndLine)<<32, cleanPart(c.Title)
		}
		r.row(10)
		r.int4(l.repo)
		r.int4(f.PathID)
		r.int4(f.BlobID)
		r.int2(part)
		r.int4(version)
		r.bytes(hashes)
		r.int2s(kinds)
		int8s(r, spans)
		r.joined(titles)
		r.vector(&v)
		rest = rest[n:]
	}
}

// maxDocWords bounds the words of one chunk's documentation: a licence in a comment is no documentation.
const maxDocWords = 2000

// chunk adds the words of one chunk.
func (v *vector) chunk(c *Chunk, path []string, position uint16) {
	for _, w := range Words(clean(c.Name)) {
		v.add(w, position, weightName)
	}
	for part := range strings.FieldsFuncSeq(clean(c.Name), notIdentifier) {
		// A whole name can be asked for in small letters.
		if whole := strings.ReplaceAll(asciiLower(part), "_", ""); len(whole) > 0 && len(whole) <= maxWord {
			v.add(whole, position, weightName)
		}
	}
	for _, w := range path {
		v.add(w, position, weightContext)
	}
	for _, w := range Words(clean(c.Context)) {
		v.add(w, position, weightContext)
	}
	for i, w := range Words(clean(c.Doc)) {
		if i == maxDocWords {
			break
		}
		v.add(w, position, weightDoc)
	}
}

func notIdentifier(r rune) bool {
	return r < 0x80 && r != '_' && !isUpper(byte(r)) && !isLower(byte(r)) && !isDigit(byte(r))
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if isUpper(c) {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// SearchIndex says which snapshot of a ref has all of its chunks stored.
type SearchIndex struct {
	Snapshot int32 // 0 for none
	Version  int32
	Chunks   int32 // filled by readers
}

// SearchIndex reads what is stored of a ref.
func (db *DB) SearchIndex(ctx context.Context, repo, ref int32) (x SearchIndex, err error) {
	defer problem.Call(&err, "SearchIndex(%d, %d)", repo, ref)
	found, err := query(ctx, db, func(row pgx.CollectableRow) (x SearchIndex, err error) {
		return x, row.Scan(&x.Snapshot, &x.Version, &x.Chunks)
	}, `select snapshot_id, version, chunks from search_index where repo_id = $1 and ref_id = $2`, repo, ref)
	if err != nil || len(found) == 0 {
		return x, explain(ctx, err, "reading the search index")
	}
	return found[0], nil
}

// SetSearchIndex records that all chunks of a snapshot of the lease's ref are stored.
func (l *Lease) SetSearchIndex(ctx context.Context, x SearchIndex) (err error) {
	defer problem.Call(&err, "SetSearchIndex(%d)", x.Snapshot)
	return l.db.transact(ctx, l.db.pool, "recording the search index", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into search_index (repo_id, ref_id, snapshot_id, version, chunks)
			select $1, $2, $3, $4, coalesce((select sum(cardinality(c.kinds)) from file f join chunk_block c using (repo_id, path_id, blob_id) where f.repo_id = $1 and f.ref_id = $2), 0)
			on conflict (repo_id, ref_id) do update set snapshot_id = excluded.snapshot_id, version = excluded.version, chunks = excluded.chunks, updated_at = now()`,
			l.repo, l.ref, x.Snapshot, x.Version)
		if err != nil {
			return err
		}
		return l.check(ctx, tx)
	})
}
