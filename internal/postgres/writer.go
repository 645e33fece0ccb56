package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/pack"
	"manito/internal/problem"
)

// Writer writes what a scan found: contents, facts, edges, paths and scopes. It
// hands out ids at once, encodes rows into buffers and sends full buffers by COPY
// on a few connections, each in a transaction of its own. Nothing it writes can
// be seen before it is published. Its methods may be called from several
// goroutines; they block while all connections are busy and return the first
// error of any COPY. Slices may be reused after a call.
type Writer struct {
	l *Lease

	mu     sync.Mutex
	blobs  map[[32]byte]int32
	facts  map[factKey]int32
	blocks map[[16]byte]int32
	paths  map[string]int32 // all of the repository once loaded
	scopes map[string]int32
	tables [numWritten]table
	group  *errgroup.Group
	ctx    context.Context // of group
	free   [][]byte        // buffers to use again
}

type factKey struct {
	blob, extractor   int32
	language, dialect string
}

// written numbers the tables that a Writer fills.
type written int

const (
	writtenBlob written = iota
	writtenFact
	writtenBlock
	writtenPath
	writtenScope
	numWritten
)

// table is what is about to be written into one table, and its stock of ids.
type table struct {
	rows      rows
	next, end int32
	stock     int32 // how many ids were taken last
}

// statements are, for each table, the COPY and the statement that takes ids.
var statements = [numWritten]struct{ copy, take string }{
	writtenBlob: {`copy blob (repo_id, blob_id, size, lines, hash, z) from stdin (format binary)`,
		`update repo set next_blob = next_blob + $2 where repo_id = $1 returning next_blob - $2`},
	writtenFact: {`copy fact (repo_id, fact_id, blob_id, extractor, language, dialect, z) from stdin (format binary)`,
		`update repo set next_fact = next_fact + $2 where repo_id = $1 returning next_fact - $2`},
	writtenBlock: {`copy edge_block (repo_id, block_id, layer, wide, digest, targets, e, sites) from stdin (format binary)`,
		`update repo set next_block = next_block + $2 where repo_id = $1 returning next_block - $2`},
	writtenPath: {`copy path (repo_id, path_id, key, path) from stdin (format binary)`,
		`update repo set next_path = next_path + $2 where repo_id = $1 returning next_path - $2`},
	writtenScope: {`copy scope (repo_id, scope_id, key, scope) from stdin (format binary)`,
		`update repo set next_scope = next_scope + $2 where repo_id = $1 returning next_scope - $2`},
}

// chunk is how many bytes of rows make one COPY: large enough that a commit costs
// little beside it, small enough that its transaction is short.
const chunk = 4 << 20

// Writer returns a writer for the lease's repository. End with Flush.
func (l *Lease) Writer() *Writer {
	w := &Writer{l: l, blobs: map[[32]byte]int32{}, facts: map[factKey]int32{}, blocks: map[[16]byte]int32{}}
	w.renew()
	return w
}

func (w *Writer) renew() {
	w.group, w.ctx = errgroup.WithContext(w.l.ctx)
	w.group.SetLimit(int(w.l.db.cfg.IngestConns))
}

// BlobInput is a content that KnownBlobs did not find.
type BlobInput struct {
	Hash  [32]byte // SHA-256 of the bytes as they were read
	Size  int32    // bytes
	Lines int32    // number of "\n", plus one for an unfinished last line
	Z     []byte   // packed text
}

// Blob writes a content and returns its id. The same hash twice gives the same id.
func (w *Writer) Blob(ctx context.Context, in BlobInput) (int32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, ok := w.blobs[in.Hash]; ok {
		return id, nil
	}
	id, r, err := w.begin(ctx, writtenBlob, 6)
	if err != nil {
		return 0, err
	}
	r.int4(in.Size)
	r.int4(in.Lines)
	r.bytes(in.Hash[:])
	r.bytes(in.Z)
	w.blobs[in.Hash] = id
	w.sendFull(writtenBlob)
	return id, nil
}

// FactInput is a Document that KnownBlobs did not find.
type FactInput struct {
	Blob      int32
	Language  string
	Dialect   string
	Extractor int32
	Z         []byte // packed Document
}

// Fact writes a Document and returns its id. The same blob, language, dialect and extractor twice give the same id.
func (w *Writer) Fact(ctx context.Context, in FactInput) (int32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := factKey{in.Blob, in.Extractor, in.Language, in.Dialect}
	if id, ok := w.facts[k]; ok {
		return id, nil
	}
	id, r, err := w.begin(ctx, writtenFact, 7)
	if err != nil {
		return 0, err
	}
	r.int4(in.Blob)
	r.int4(in.Extractor)
	r.text(in.Language)
	r.text(in.Dialect)
	r.bytes(in.Z)
	w.facts[k] = id
	w.sendFull(writtenFact)
	return id, nil
}

// BlockInput is an edge block that KnownBlocks did not find.
type BlockInput struct {
	Digest [16]byte
	Layer  int16
	Block  *pack.Block
}

// Block writes an edge block and returns its id. The same digest twice gives the same id.
func (w *Writer) Block(ctx context.Context, in BlockInput) (int32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, ok := w.blocks[in.Digest]; ok {
		return id, nil
	}
	id, r, err := w.begin(ctx, writtenBlock, 8)
	if err != nil {
		return 0, err
	}
	r.int2(in.Layer)
	r.bool(in.Block.Wide)
	r.bytes(in.Digest[:])
	// SQL compares keys as signed numbers and does not rely on their order here; the words index the dictionary as it is.
	int8s(r, in.Block.Targets)
	int8s(r, in.Block.Words)
	if in.Block.Sites == nil {
		r.null()
	} else {
		r.bytes(in.Block.Sites)
	}
	w.blocks[in.Digest] = id
	w.sendFull(writtenBlock)
	return id, nil
}

// Path returns the id of a path, which is written when it is new. Paths with a
// NUL byte, with invalid UTF-8 or of more than 2,000 bytes give problem.Invalid.
func (w *Writer) Path(ctx context.Context, path string) (int32, error) {
	if err := checkText("path", path); err != nil {
		return 0, err
	}
	return w.intern(ctx, writtenPath, &w.paths, `select path_id, path from path where repo_id = $1`, path, fileKey(path))
}

// Scope returns the id of a scope (lang.Modules.Scope), which is written when it is
// new: a snapshot says for each file which scope its definitions belong to. The
// empty scope is 0. Scopes that cannot be stored give problem.Invalid, see Path.
func (w *Writer) Scope(ctx context.Context, scope string) (int32, error) {
	if scope == "" {
		return 0, nil
	}
	if err := checkText("scope", scope); err != nil {
		return 0, err
	}
	return w.intern(ctx, writtenScope, &w.scopes, `select scope_id, scope from scope where repo_id = $1`, scope, code.ScopeKey(scope))
}

// fileKey is the key of a file as a whole.
func fileKey(path string) code.Key { return code.ScopeKey("file " + path) }

// intern returns the id of a text, after loading those that the repository has.
func (w *Writer) intern(ctx context.Context, t written, ids *map[string]int32, load, text string, key code.Key) (int32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *ids == nil {
		known := map[string]int32{}
		err := w.l.db.eachRaw(ctx, func(v [][]byte) error {
			known[string(v[1])] = rawInt4(v[0])
			return nil
		}, load, w.l.repo)
		if err != nil {
			return 0, explain(ctx, err, "reading paths and scopes")
		}
		*ids = known
	}
	if id, ok := (*ids)[text]; ok {
		return id, nil
	}
	id, r, err := w.begin(ctx, t, 4)
	if err != nil {
		return 0, err
	}
	r.int8(int64(key))
	r.text(text)
	(*ids)[text] = id
	w.sendFull(t)
	return id, nil
}

// begin takes an id and begins a row with the repository and the id.
func (w *Writer) begin(ctx context.Context, t written, columns int) (int32, *rows, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, nil, stopped(w.ctx, err, "writing")
	}
	tab := &w.tables[t]
	if tab.next == tab.end {
		tab.stock = min(max(64, tab.stock*2), 4096)
		conn, err := w.l.db.acquire(ctx, w.l.db.pool)
		if err != nil {
			return 0, nil, err
		}
		defer conn.Release()
		if err := conn.QueryRow(ctx, statements[t].take, w.l.repo, tab.stock).Scan(&tab.next); err != nil {
			return 0, nil, explain(ctx, err, "taking ids")
		}
		tab.end = tab.next + tab.stock
	}
	id := tab.next
	tab.next++
	tab.rows.row(columns)
	tab.rows.int4(w.l.repo)
	tab.rows.int4(id)
	return id, &tab.rows, nil
}

// sendFull sends a table's buffer when it is full.
func (w *Writer) sendFull(t written) {
	if len(w.tables[t].rows.b) >= chunk {
		w.send(t)
	}
}

// send hands a table's buffer to a connection; it waits for a free one.
func (w *Writer) send(t written) {
	full := w.tables[t].rows
	if full.n == 0 {
		return
	}
	w.tables[t].rows = rows{}
	if n := len(w.free); n > 0 {
		w.tables[t].rows.b, w.free = w.free[n-1], w.free[:n-1]
	}
	ctx := w.ctx
	w.group.Go(func() error {
		err := w.l.db.copyIn(ctx, &full, statements[t].copy)
		w.recycle(full.b[:0])
		return err
	})
}

// recycle keeps a buffer for later; not when the writer is busy, so that the
// goroutine that sends never waits for the one that waits for it.
func (w *Writer) recycle(b []byte) {
	if w.mu.TryLock() {
		w.free = append(w.free, b)
		w.mu.Unlock()
	}
}

// copyIn runs one COPY in a transaction of its own.
func (db *DB) copyIn(ctx context.Context, r *rows, statement string) error {
	err := db.ingesting(ctx, func(conn *pgx.Conn) error { return r.copyTo(ctx, conn, statement) })
	return explain(ctx, err, "storing rows")
}

// Flush sends what is buffered and waits for every COPY. The writer may be used
// again; after an error only to give up.
func (w *Writer) Flush(ctx context.Context) (err error) {
	defer problem.Call(&err, "Flush()")
	w.mu.Lock()
	defer w.mu.Unlock()
	for t := range numWritten {
		w.send(t)
	}
	if err := w.group.Wait(); err != nil {
		return err
	}
	w.renew()
	return ctx.Err()
}
