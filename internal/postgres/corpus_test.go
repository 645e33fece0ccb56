package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"manito/internal/code"
	"manito/internal/pack"
	"manito/internal/postgres"
)

// corpus is a generated repository: the same parameters give the same files.
type corpus struct {
	files     []corpusFile
	externals []postgres.External
	digest    [32]byte
}

// corpusFile is one file of it.
type corpusFile struct {
	path, scope string
	hash        [32]byte
	text        []byte // packed
	doc         *code.Document
	fact        []byte // packed
	edges       []pack.EdgeAt
	sites       []pack.SiteAt
	row         postgres.File // without PathID
}

// shape says how large a corpus is.
type shape struct {
	files, defs, edges, names int // defs and edges are per file, names in all
	text                      int // packed bytes per file
	pkg                       int // files per package
	seed                      uint64
}

// small has every feature and is stored in no time.
var small = shape{files: 12, defs: 20, edges: 40, names: 60, text: 300, pkg: 3, seed: 1}

// localKeyOf is the key of the scope of a file's DefFileLocal definitions.
func localKeyOf(scope, file string) code.Key {
	return code.ScopeKey(scope + string(code.AppendName(nil, path.Base(file))) + "/")
}

// fileLocal says whether definition d, or one that it stands in, cannot be seen outside of its file.
func fileLocal(doc *code.Document, d code.DefID) bool {
	for ; d != code.NoDef; d = doc.Defs[d].Parent {
		if doc.Defs[d].Flags&code.DefFileLocal != 0 {
			return true
		}
	}
	return false
}

func keysOf(f *corpusFile) []code.Key {
	keys := make([]code.Key, len(f.doc.Defs))
	scope, local := code.ScopeKey(f.scope), localKeyOf(f.scope, f.path)
	for i := range f.doc.Defs {
		keys[i] = scope ^ code.DescriptorKey(f.doc.Descriptor(code.DefID(i)))
		if fileLocal(f.doc, code.DefID(i)) {
			keys[i] ^= scope ^ local
		}
	}
	return keys
}

// newCorpus generates a repository.
func newCorpus(s shape) *corpus {
	r := rand.New(rand.NewPCG(s.seed, 42))
	words := strings.Fields("get set make new parse read write open close load store find search index query user account order item list map tree node edge graph file path dir name id key value token lexer scanner builder factory manager handler service client server request response session")
	names := make([]string, s.names)
	for i := range names {
		var b strings.Builder
		for range 1 + r.IntN(3) {
			w := words[r.IntN(len(words))]
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
		fmt.Fprintf(&b, "%d", i%977)
		names[i] = b.String()
	}
	c := &corpus{}
	packer := pack.NewPacker()
	for i := range s.files {
		f := corpusFile{path: fmt.Sprintf("src/mod%d/pkg%d/file%d.go", i/(s.pkg*20), i/s.pkg, i)}
		f.scope = fmt.Sprintf("scip-go gomod example.com/m . src/mod%d/pkg%d/", i/(s.pkg*20), i/s.pkg)
		f.doc = newDocument(r, s, i, names)
		f.text = make([]byte, s.text)
		for k := 0; k < len(f.text); k += 8 {
			v := r.Uint64()
			for b := k; b < min(k+8, len(f.text)); b++ {
				f.text[b], v = byte(v), v>>8
			}
		}
		f.hash = sha256.Sum256(f.text)
		f.fact = packer.Document(f.doc)
		f.row = postgres.File{Language: "go", Encoding: "utf-8", Size: int64(f.doc.Size), Flags: postgres.FileFlags(f.doc.Flags)}
		c.files = append(c.files, f)
	}
	c.externals = []postgres.External{
		{Key: code.ScopeKey("scip-go gomod fmt . "), Symbol: "scip-go gomod fmt . ", Manager: "gomod", Name: "fmt", Standard: true},
		{Key: code.ScopeKey("scip-go gomod golang.org/x/sync v0.1.0 "), Symbol: "scip-go gomod golang.org/x/sync v0.1.0 ", Manager: "gomod", Name: "golang.org/x/sync", Version: "v0.1.0"},
	}
	c.link(r, s)
	c.seal()
	return c
}

// newDocument makes a file with types, their members, methods written outside of them, functions, nested functions and a local init.
func newDocument(r *rand.Rand, s shape, file int, names []string) *code.Document {
	lineLength := 36
	text := []byte(strings.Repeat(strings.Repeat("x", lineLength-1)+"\n", s.defs*4+2))
	var b code.Builder
	b.Begin("go", "go", text)
	at := uint32(lineLength)
	parent, owner := code.NoDef, code.NameID(0)
	for i := range s.defs {
		d := code.Def{Name: b.Name(names[r.IntN(len(names))]), Parent: code.NoDef, Start: at, End: at + uint32(lineLength*3), NameStart: at + 5, Cyclomatic: 1, Flags: code.DefExported}
		switch {
		case i == 0:
			d.Name, d.Kind, d.Flags = b.Name("init"), code.KindFunction, code.DefFileLocal
			b.AddDef(d)
			d.Name, d.Kind, d.Flags, d.Parent = b.Name("inner"), code.KindVariable, 0, 0
		case i%10 == 1:
			d.Kind, d.End = code.KindStruct, at+uint32(lineLength*3*4) // holds the next three
			owner = d.Name
		case i%10 <= 4 && parent != code.NoDef:
			d.Kind, d.Parent = code.KindField, parent
		case i%10 <= 7:
			d.Kind, d.Owner = code.KindMethod, owner
		default:
			d.Kind = code.KindFunction
		}
		id := b.AddDef(d)
		if i%10 == 1 {
			parent = id
			at += uint32(lineLength)
			if i+3 >= s.defs { // no room for members
				parent = code.NoDef
			}
			continue
		}
		if i%10 == 4 {
			parent = code.NoDef
		}
		at += uint32(lineLength * 3)
		_ = file
	}
	return b.Finish()
}

// link gives every file edges: to itself, to its neighbours, to popular symbols and to packages.
func (c *corpus) link(r *rand.Rand, s shape) {
	keys := make([][]code.Key, len(c.files))
	for i := range c.files {
		keys[i] = keysOf(&c.files[i])
	}
	zipf := rand.NewZipf(r, 1.2, 20, uint64(len(c.files)-1))
	for i := range c.files {
		f := &c.files[i]
		last := i
		for e := range s.edges {
			at := pack.EdgeAt{Source: code.DefID(r.IntN(len(f.doc.Defs)+1) - 1), Line: uint32(e*3 + 3), Column: uint32(r.IntN(90)), Kind: code.EdgeKind(r.IntN(5)), Reason: code.ReasonFileScope}
			switch x := r.IntN(20); {
			case x < 8:
				at.Target = keys[i][r.IntN(len(keys[i]))]
			case x < 16:
				if r.IntN(3) == 0 {
					last = max(0, min(len(c.files)-1, i-r.IntN(40)+3))
				}
				at.Target, at.Reason = keys[last][r.IntN(min(8, len(keys[last])))], code.ReasonPackage
			case x < 19:
				j := int(zipf.Uint64())
				at.Target, at.Reason = keys[j][r.IntN(min(4, len(keys[j])))], code.ReasonImportPath
			default:
				at.Target, at.Kind, at.Reason, at.Source = c.externals[r.IntN(len(c.externals))].Key, code.EdgeImports, code.ReasonImportName, code.NoDef
			}
			f.edges = append(f.edges, at)
		}
		f.edges = append(f.edges, pack.EdgeAt{Source: code.NoDef, Target: code.ScopeKey("file " + c.files[0].path), Kind: code.EdgeImports, Line: 1, Reason: code.ReasonImportName},
			pack.EdgeAt{Source: code.NoDef, Target: code.ScopeKey(c.files[0].scope), Kind: code.EdgeImports, Line: 2, Reason: code.ReasonImportPath})
		if i%5 == 3 { // a long line: the block is a wide one
			f.edges[0].Column = 1 << 20
		}
		f.sites = []pack.SiteAt{{Source: code.NoDef, Line: uint32(i % 7), Reason: code.SiteDynamic}}
		f.row.Dependencies = []postgres.Dependency{
			{Line: 1, Column: 8, Specifier: "example.com/m/zero", State: postgres.DependencyResolved, Scope: c.files[0].scope, Reason: "module of the repository"},
			{Line: 2, Specifier: "fmt", State: postgres.DependencyStandard, External: c.externals[0].Key, Reason: "standard library"},
			{Line: 3, Specifier: "golang.org/x/sync", Kind: code.ImportSideEffect, State: postgres.DependencyExternal, External: c.externals[1].Key, Reason: "go.mod"},
			{Line: 4, Specifier: "no.such/module", State: postgres.DependencyUnresolved, Optional: true, Reason: "not in go.mod"},
		}
		if i%5 == 0 {
			f.row.Diagnostics = []postgres.Diagnostic{{Severity: code.SeverityWarning, Code: "syntax", Message: "expected ';'", Line: 7, Column: 3}}
		}
	}
}

// seal computes the digest over all that was generated.
func (c *corpus) seal() {
	h := sha256.New()
	for i := range c.files {
		f := &c.files[i]
		fmt.Fprintf(h, "%q %x %x %v %v", f.path, f.hash, f.fact, f.edges, f.row)
	}
	h.Sum(c.digest[:0])
}

// stored is what became of a corpus in the database.
type stored struct {
	entries []postgres.Entry // in the order of the files
	blocks  []pack.Block
}

// write writes the parts of a corpus that are not stored yet, as a scan does.
func (c *corpus) write(ctx context.Context, db *postgres.DB, lease *postgres.Lease) (st stored, err error) {
	hashes := make([][32]byte, len(c.files))
	for i := range c.files {
		hashes[i] = c.files[i].hash
	}
	known, err := db.KnownBlobs(ctx, lease.Repo(), hashes)
	if err != nil {
		return st, err
	}
	w := lease.Writer()
	packer := pack.NewPacker()
	st.entries, st.blocks = make([]postgres.Entry, len(c.files)), make([]pack.Block, len(c.files))
	digests := make([][16]byte, len(c.files))
	for i := range c.files {
		f, e := &c.files[i], &st.entries[i]
		if e.PathID, err = w.Path(ctx, f.path); err != nil {
			return st, err
		}
		if e.ScopeID, err = w.Scope(ctx, f.scope); err != nil {
			return st, err
		}
		e.Path, e.Scope = f.path, f.scope
		if b, ok := known[f.hash]; ok {
			e.BlobID = b.ID
			for _, fact := range b.Facts {
				if fact.Dialect == f.doc.Dialect && fact.Extractor == 1 {
					e.FactID = fact.ID
				}
			}
		} else if e.BlobID, err = w.Blob(ctx, postgres.BlobInput{Hash: f.hash, Size: int32(f.doc.Size), Lines: int32(len(f.doc.Lines)), Z: f.text}); err != nil {
			return st, err
		}
		if e.FactID == 0 {
			e.FactID, err = w.Fact(ctx, postgres.FactInput{Blob: e.BlobID, Language: "go", Dialect: f.doc.Dialect, Extractor: 1, Z: f.fact})
			if err != nil {
				return st, err
			}
		}
		st.blocks[i] = packer.NewBlock(slices.Clone(f.edges), slices.Clone(f.sites))
		digests[i] = st.blocks[i].Digest(f.hash[:])
	}
	blocks, err := db.KnownBlocks(ctx, lease.Repo(), digests)
	if err != nil {
		return st, err
	}
	for i := range c.files {
		e := &st.entries[i]
		if id, ok := blocks[digests[i]]; ok {
			e.BlockID = id
			continue
		}
		if e.BlockID, err = w.Block(ctx, postgres.BlockInput{Digest: digests[i], Block: &st.blocks[i]}); err != nil {
			return st, err
		}
	}
	return st, w.Flush(ctx)
}

// publication is what a scan of the corpus publishes.
func (c *corpus) publication(st stored) postgres.Publication {
	return postgres.Publication{Commit: "c0ffee", Digest: c.digest, Entries: st.entries, Stats: map[string]any{"files": len(c.files), "null": nil, "list": []int{1, 2}}}
}

// projection is what a scan of the corpus hands over for SQL users.
func (c *corpus) projection(st stored) postgres.Projection {
	docs := map[int32]*code.Document{}
	for i := range c.files {
		docs[st.entries[i].FactID] = c.files[i].doc
	}
	return postgres.Projection{
		Files: func(yield func(postgres.File) bool) {
			for i := range c.files {
				row := c.files[i].row
				row.PathID = st.entries[i].PathID
				if !yield(row) {
					return
				}
			}
		},
		Externals: c.externals,
		Document:  func(fact int32) *code.Document { return docs[fact] },
	}
}

// acquire takes the lease of a repository whose name is its root.
func acquire(t testing.TB, db *postgres.DB, root, ref string) *postgres.Lease {
	t.Helper()
	lease, err := take(t.Context(), db, root, ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lease.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return lease
}

func take(ctx context.Context, db *postgres.DB, root, ref string) (*postgres.Lease, error) {
	repo, err := db.EnsureRepo(ctx, postgres.RepoInput{Root: root, Name: root})
	if err != nil {
		return nil, err
	}
	return db.AcquireScan(ctx, postgres.ScanInput{Repo: repo.ID, Ref: ref, Kind: postgres.RefBranch, Holder: postgres.ThisProcess()})
}

// scan stores, publishes and projects a corpus in one go, and gives the lease back.
func (c *corpus) scan(t testing.TB, db *postgres.DB, root, ref string) (stored, postgres.Published) {
	t.Helper()
	ctx := t.Context()
	lease, err := take(ctx, db, root, ref)
	if err != nil {
		t.Fatal(err)
	}
	st, err := c.write(ctx, db, lease)
	if err != nil {
		t.Fatal(err)
	}
	done, err := lease.Publish(ctx, c.publication(st))
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Project(ctx, c.projection(st)); err != nil {
		t.Fatal(err)
	}
	if err := lease.Release(ctx); err != nil {
		t.Fatal(err)
	}
	return st, done
}

// changed is a corpus a few edits later: files changed, added, removed and moved to another package.
func changed(s shape) *corpus {
	c := newCorpus(s)
	next := s
	next.seed += 1000
	other := newCorpus(next)
	for i := 0; i < len(c.files); i += 4 {
		other.files[i].path, other.files[i].scope = c.files[i].path, c.files[i].scope
		c.files[i] = other.files[i]
	}
	c.files = slices.Delete(c.files, 1, 2)
	c.files = append(c.files, other.files[1])
	c.files[len(c.files)-1].path = "src/added.go"
	c.relink(next)
	return c
}

// relink gives every file other edges, among what there is now.
func (c *corpus) relink(s shape) {
	for i := range c.files {
		c.files[i].edges, c.files[i].sites = nil, nil
	}
	c.link(rand.New(rand.NewPCG(s.seed, 43)), s)
	c.seal()
}
