package scan

import (
	"context"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/source"
)

const (
	// A batch of files is read, looked up in the store in one round trip, and extracted by one worker.
	batchFiles = 96
	batchBytes = 4 << 20
	// fileDeadline bounds the extraction of one file; real files take milliseconds.
	fileDeadline = 20 * time.Second
)

// batch is a run of files in path order.
type batch struct{ from, to int }

func (r *run) batches() []batch {
	var out []batch
	from, bytes := 0, int64(0)
	for i := range r.tree.Files {
		size := r.tree.Files[i].Size
		if i > from && (i-from >= batchFiles || bytes+size > batchBytes) {
			out = append(out, batch{from, i})
			from, bytes = i, 0
		}
		bytes += size
	}
	if from < len(r.tree.Files) {
		out = append(out, batch{from, len(r.tree.Files)})
	}
	return out
}

// extractor is what one worker keeps from file to file.
type extractor struct {
	packer     *pack.Packer
	unpacker   *pack.Unpacker
	extractors []lang.Extractor // by language, made when first needed
	buffers    [batchFiles][]byte
	contents   [batchFiles]source.Content
}

// extract reads every file and takes its Document, from the store when the same content was extracted before.
func (r *run) extract(ctx context.Context) error {
	r.files = make([]fileState, len(r.tree.Files))
	r.clock.total(len(r.files))
	batches := r.batches()
	begin := func() *extractor {
		return &extractor{packer: pack.NewPacker(), unpacker: pack.NewUnpacker(), extractors: make([]lang.Extractor, len(r.s.Languages))}
	}
	return parallel(ctx, r.s.workers(), len(batches), begin, func(ctx context.Context, x *extractor, i int) error {
		return r.extractBatch(ctx, x, batches[i])
	})
}

func (r *run) extractBatch(ctx context.Context, x *extractor, b batch) error {
	hashes := make([][32]byte, 0, b.to-b.from)
	for i := b.from; i < b.to; i++ {
		n := i - b.from
		c, err := r.tree.ReadInto(ctx, &r.tree.Files[i], x.buffers[n])
		if err != nil {
			return err
		}
		x.contents[n] = c
		if c.Skip == source.SkipNone {
			hashes = append(hashes, c.Hash)
		}
	}
	known, err := r.s.DB.KnownBlobs(ctx, r.repo.ID, hashes)
	if err != nil {
		return err
	}
	want := map[int32][]int{} // facts to read back, with the files that have them
	for i := b.from; i < b.to; i++ {
		c := &x.contents[i-b.from]
		fact, err := r.take(ctx, x, i, c, known)
		if err != nil {
			return err
		}
		if fact != 0 {
			want[fact] = append(want[fact], i)
		}
		size := int64(len(c.Bytes))
		if cap(c.Bytes) > cap(x.buffers[i-b.from]) && cap(c.Bytes) <= batchBytes {
			x.buffers[i-b.from] = c.Bytes[:0]
		}
		*c = source.Content{}
		r.clock.done(1, size)
	}
	return r.readFacts(ctx, x, want)
}

// take stores a file's content and its fact. It returns the fact to read back when the store has it.
func (r *run) take(ctx context.Context, x *extractor, i int, c *source.Content, known map[[32]byte]postgres.KnownBlob) (reuse int32, err error) {
	f, t := &r.files[i], &r.tree.Files[i]
	f.lang = -1
	f.diags = append(f.diags, t.Diagnostics...)
	f.diags = append(f.diags, c.Diagnostics...)
	t.Language, t.Vendored, t.Generated = c.Language, t.Vendored || c.Vendored, t.Generated || c.Generated
	if c.Language != "" {
		f.lang = r.s.language(c.Language)
	}
	if c.Skip != source.SkipNone {
		return 0, nil
	}
	f.read, f.hash, f.lines, f.binary = true, c.Hash, int32(c.Lines), c.Binary
	blob, seen := known[c.Hash]
	f.blob = blob.ID
	if !seen {
		in := postgres.BlobInput{Hash: c.Hash, Size: int32(len(c.Bytes)), Lines: f.lines}
		if !c.Binary { // of a binary file the hash and the size are kept, not the content
			in.Z = x.packer.Text(c.Bytes)
		}
		if f.blob, err = r.writer.Blob(ctx, in); err != nil {
			return 0, err
		}
	}
	if f.lang < 0 {
		return 0, nil
	}
	language := &r.s.Languages[f.lang]
	if x.extractors[f.lang] == nil {
		x.extractors[f.lang] = language.NewExtractor()
	}
	ex := x.extractors[f.lang]
	dialect := ex.Dialect(path.Base(t.Path), c.Language)
	if c.Outline {
		dialect += outlineDialect
	}
	for _, k := range blob.Facts {
		if k.Language == language.Name && k.Dialect == dialect && k.Extractor == int32(language.Version) {
			f.fact = k.ID
			return k.ID, nil
		}
	}
	doc, diag := extractOne(ctx, ex, lang.Input{Text: c.Bytes, Dialect: ex.Dialect(path.Base(t.Path), c.Language), Outline: c.Outline})
	if doc == nil {
		f.diags = append(f.diags, *diag)
		x.extractors[f.lang] = nil // its state may be broken
		return 0, ctx.Err()
	}
	f.doc, f.wasNew = doc, true
	f.fact, err = r.writer.Fact(ctx, postgres.FactInput{Blob: f.blob, Language: language.Name, Dialect: dialect, Extractor: int32(language.Version), Z: x.packer.Document(doc)})
	return 0, err
}

// outlineDialect marks facts that were taken as outlines: the same bytes read whole are another fact.
const outlineDialect = " outline"

// extractOne runs an extractor. A defect in it costs one file, which then says so, and not the scan.
func extractOne(ctx context.Context, ex lang.Extractor, in lang.Input) (doc *code.Document, diag *code.Diagnostic) {
	ctx, cancel := context.WithTimeout(ctx, fileDeadline)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			doc, diag = nil, &code.Diagnostic{Severity: code.SeverityError, Code: "internal", Message: fmt.Sprintf("the extractor failed on this file: %v (%s)", p, firstFrame(debug.Stack()))}
		}
	}()
	return ex.Extract(ctx, in), nil
}

// firstFrame is where a panic was raised, for the diagnostic.
func firstFrame(stack []byte) string {
	frames := strings.Split(string(stack), "\n")
	for i := range frames {
		if i+2 < len(frames) && strings.HasPrefix(frames[i], "panic(") {
			return strings.TrimSpace(frames[i+2])
		}
	}
	return "no frame"
}

func (r *run) readFacts(ctx context.Context, x *extractor, want map[int32][]int) error {
	if len(want) == 0 {
		return nil
	}
	ids := make([]int32, 0, len(want))
	for id := range want {
		ids = append(ids, id)
	}
	return r.s.DB.ReadFacts(ctx, r.repo.ID, ids, func(fact int32, z []byte) error {
		doc, err := x.unpacker.Document(z)
		if err != nil {
			return fmt.Errorf("stored facts of %s: %w", r.tree.Files[want[fact][0]].Path, err)
		}
		for _, i := range want[fact] {
			r.files[i].doc = doc
		}
		return nil
	})
}
