package postgres

import (
	"context"

	"manito/internal/pack"
)

// Writer writes what a scan found: contents, facts, edges and paths. It hands
// out ids at once, encodes rows into buffers and sends full buffers by COPY on a
// few connections, each in a transaction of its own. Nothing it writes can be
// seen before it is published. Its methods may be called from several
// goroutines; they block while all connections are busy and return the first
// error of any COPY. Slices may be reused after a call.
type Writer struct {
	_ struct{}
}

// Writer returns a writer for the lease's repository. Close it with Flush.
func (l *Lease) Writer() *Writer { panic("skeleton") }

// BlobInput is a content that KnownBlobs did not find.
type BlobInput struct {
	Hash  [32]byte // SHA-256 of the bytes as they were read
	Size  int32    // bytes
	Lines int32    // number of "\n", plus one for an unfinished last line
	Z     []byte   // packed text
}

// Blob writes a content and returns its id. The same hash twice gives the same id.
func (w *Writer) Blob(ctx context.Context, in BlobInput) (int32, error) { panic("skeleton") }

// FactInput is a Document that KnownBlobs did not find.
type FactInput struct {
	Blob      int32
	Language  string
	Dialect   string
	Extractor int32
	Z         []byte // packed Document
}

// Fact writes a Document and returns its id. The same blob, language, dialect and extractor twice give the same id.
func (w *Writer) Fact(ctx context.Context, in FactInput) (int32, error) { panic("skeleton") }

// BlockInput is an edge block that KnownBlocks did not find.
type BlockInput struct {
	Digest [16]byte
	Fact   int32
	Layer  int16
	Block  *pack.Block
}

// Block writes an edge block and returns its id. The same digest twice gives the same id.
func (w *Writer) Block(ctx context.Context, in BlockInput) (int32, error) { panic("skeleton") }

// Path returns the id of a path, which is written when it is new. Paths with a
// NUL byte or invalid UTF-8 give problem.Invalid.
func (w *Writer) Path(ctx context.Context, path string) (int32, error) { panic("skeleton") }

// Scope returns the id of a scope (lang.Modules.Scope), which is written when it is
// new: a snapshot says for each file which scope its definitions belong to. The empty scope is 0.
func (w *Writer) Scope(ctx context.Context, scope string) (int32, error) { panic("skeleton") }

// Flush sends what is buffered and waits for every COPY. The writer may be used again.
func (w *Writer) Flush(ctx context.Context) error { panic("skeleton") }
