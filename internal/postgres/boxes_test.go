package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"manito/internal/code"
	"manito/internal/link"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// The tests of this file carry the names of the acceptance boxes that the
// project started from. Each looks at a scan that was stored a moment ago, and at
// one that was reported as published before its process and all processes of
// the server were killed.

// look is a stored scan that a test looks at.
type look struct {
	db   *postgres.DB
	conn *pgx.Conn // as the reader
	repo postgres.Repo
	ref  postgres.Ref
	c    *corpus
}

// survivor is a server whose processes were all killed after a scan was published, made once.
var survivor struct {
	sync.Mutex
	private *postgrestest.Private
}

// TestMain runs the tests, or plays a scanning process that a test kills.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
	}
	code := postgrestest.Main(m)
	if survivor.private != nil {
		if err := survivor.private.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// boxes runs a check on a fresh scan and on one that survived kill -9.
func boxes(t *testing.T, check func(t *testing.T, l look)) {
	t.Parallel()
	t.Run("stored", func(t *testing.T) {
		d := postgrestest.New(t)
		db := d.Open(t)
		c := newCorpus(small)
		c.scan(t, db, "/r", "main")
		check(t, newLook(t, d, db, c))
	})
	t.Run("killed", func(t *testing.T) {
		p := survive(t)
		check(t, newLook(t, &p.Database, p.Open(t), newCorpus(small)))
	})
}

// survive makes the survivor.
func survive(t *testing.T) *postgrestest.Private {
	t.Helper()
	survivor.Lock()
	defer survivor.Unlock()
	if survivor.private != nil {
		return survivor.private
	}
	p, err := postgrestest.StartPrivate(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	survivor.private = p
	cmd := startChild(t, p.App, p.Schema, "published")
	p.Kill(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	p.Restart(t)
	return p
}

func newLook(t *testing.T, d *postgrestest.Database, db *postgres.DB, c *corpus) look {
	t.Helper()
	repo, err := db.FindRepo(t.Context(), "/r")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := db.FindRef(t.Context(), repo.ID, "main")
	if err != nil {
		t.Fatal(err)
	}
	return look{db: db, conn: d.Connect(t, d.Reader), repo: repo, ref: ref, c: c}
}

func TestScanResultInsertion(t *testing.T) {
	boxes(t, func(t *testing.T, l look) {
		ctx := t.Context()
		m, err := l.db.Current(ctx, l.repo.ID, "main")
		if err != nil {
			t.Fatal(err)
		}
		if m.Digest != l.c.digest || m.Commit != "c0ffee" || m.Snapshot != l.ref.Snapshot || l.ref.Pending() {
			t.Fatalf("snapshot %d digest %x commit %q, ref %+v", m.Snapshot, m.Digest, m.Commit, l.ref)
		}
		var stats map[string]any
		if err := json.Unmarshal(m.Stats, &stats); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"files": float64(len(l.c.files)), "null": nil, "list": []any{1.0, 2.0}}
		if diff := cmp.Diff(want, stats); diff != "" {
			t.Fatalf("stats (-want +got):\n%s", diff)
		}
		sorted := slices.Clone(l.c.files)
		slices.SortFunc(sorted, func(a, b corpusFile) int { return strings.Compare(a.path, b.path) })
		if len(m.Entries) != len(sorted) {
			t.Fatalf("%d entries, want %d", len(m.Entries), len(sorted))
		}
		packer := pack.NewPacker()
		for i, e := range m.Entries {
			f := &sorted[i]
			if e.Path != f.path || e.Scope != f.scope {
				t.Fatalf("entry %d is %q in %q, want %q in %q", i, e.Path, e.Scope, f.path, f.scope)
			}
			z, err := l.db.ReadBlob(ctx, l.repo.ID, e.BlobID)
			if err != nil || !bytes.Equal(z, f.text) {
				t.Fatalf("%s: the content differs: %v", e.Path, err)
			}
			err = l.db.ReadFacts(ctx, l.repo.ID, []int32{e.FactID}, func(_ int32, z []byte) error {
				if !bytes.Equal(z, f.fact) {
					t.Fatalf("%s: the fact differs", e.Path)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want := packer.NewBlock(slices.Clone(f.edges), slices.Clone(f.sites))
			var got pack.Block
			err = l.db.ReadBlocks(ctx, l.repo.ID, []int32{e.BlockID}, func(_ int32, b *pack.Block) error {
				got = pack.Block{Targets: slices.Clone(b.Targets), Wide: b.Wide, Words: slices.Clone(b.Words)}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			err = l.db.ReadSites(ctx, l.repo.ID, []int32{e.BlockID}, func(_ int32, z []byte) error {
				got.Sites = bytes.Clone(z)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: the edges differ", e.Path)
			}
		}
		scans, err := l.db.Scans(ctx, l.repo.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(scans) != 1 || scans[0].Status != postgres.ScanPublished || scans[0].Snapshot != m.Snapshot || scans[0].FinishedAt.Before(scans[0].StartedAt) {
			t.Fatalf("scans %+v", scans)
		}
		breaches, err := l.db.CheckIntegrity(ctx, l.repo.ID, "main", 10)
		if err != nil || len(breaches) > 0 {
			t.Fatalf("breaches %+v, %v", breaches, err)
		}
	})
}

func TestFileMetadataStorage(t *testing.T) {
	boxes(t, func(t *testing.T, l look) {
		got := map[string]string{}
		each(t, l.conn, func(row pgx.CollectableRow) error {
			var p, language, encoding, sha, dialect, scope, flags string
			var size, lines, key int64
			err := row.Scan(&p, &language, &encoding, &sha, &dialect, &scope, &size, &lines, &key, &flags)
			got[p] = fmt.Sprint(language, encoding, sha, dialect, scope, size, lines, key, flags)
			return err
		}, `select path, language, encoding, sha256, dialect, scope, size, lines, key, concat(outline, broken, test, generated, vendored, "binary", unread, manifest) from files where ref = 'main'`)
		want := map[string]string{}
		for i := range l.c.files {
			f := &l.c.files[i]
			want[f.path] = fmt.Sprint("go", "utf-8", hex.EncodeToString(f.hash[:]), "go", f.scope, int64(f.doc.Size), int64(len(f.doc.Lines)), int64(link.FileKey(f.path)), "ffffffff")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("files (-want +got):\n%s", diff)
		}
		files, err := l.db.Files(t.Context(), l.repo.ID, l.ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			i := slices.IndexFunc(l.c.files, func(c corpusFile) bool { return c.path == f.Path })
			if sha256.Sum256(l.c.files[i].text) != f.Hash || f.Lines != int32(len(l.c.files[i].doc.Lines)) {
				t.Fatalf("%+v", f)
			}
		}
	})
}

func TestDependencyTracking(t *testing.T) {
	boxes(t, func(t *testing.T, l look) {
		var got []string
		each(t, l.conn, func(row pgx.CollectableRow) error {
			var s string
			err := row.Scan(&s)
			got = append(got, s)
			return err
		}, `select concat_ws(' ', path, line, "column", specifier, kind, type_only, optional, state, target_path, target_scope, manager, package, version, reason) from dependencies where path = $1 order by line`, l.c.files[3].path)
		p := l.c.files[3].path
		want := []string{
			p + " 2 9 example.com/m/zero module f f resolved " + l.c.files[0].scope + " module of the repository",
			p + " 3 1 fmt module f f standard gomod fmt  standard library",
			p + " 4 1 golang.org/x/sync side_effect f f external gomod golang.org/x/sync v0.1.0 go.mod",
			p + " 5 1 no.such/module module f t unresolved not in go.mod",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("dependencies (-want +got):\n%s", diff)
		}
		files, err := l.db.Files(t.Context(), l.repo.ID, l.ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			i := slices.IndexFunc(l.c.files, func(c corpusFile) bool { return c.path == f.Path })
			deps, err := l.db.Dependencies(t.Context(), l.repo.ID, l.ref.ID, f.PathID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(l.c.files[i].row.Dependencies, deps); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", f.Path, diff)
			}
			diagnostics, err := l.db.Diagnostics(t.Context(), l.repo.ID, l.ref.ID, f.PathID)
			if err != nil {
				t.Fatal(err)
			}
			if len(diagnostics) != len(l.c.files[i].row.Diagnostics) || len(diagnostics) == 1 && diagnostics[0].Diagnostic != l.c.files[i].row.Diagnostics[0] {
				t.Fatalf("%s: diagnostics %+v", f.Path, diagnostics)
			}
		}
		externals, err := l.db.Externals(t.Context(), l.repo.ID, l.ref.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l.c.externals, externals); diff != "" {
			t.Fatalf("externals (-want +got):\n%s", diff)
		}
	})
}

// nodeLine is a definition as one line, to be compared with the view.
func nodeLine(f *corpusFile, keys []code.Key, i int) string {
	d := &f.doc.Defs[i]
	line, _ := f.doc.Line(d.Start)
	end, _ := f.doc.Line(d.End - 1)
	nameLine, column := f.doc.Line(d.NameStart)
	scope, flags := f.scope, d.Flags
	if fileLocal(f.doc, code.DefID(i)) {
		scope, flags = link.LocalScope(f.scope, f.path), flags|code.DefFileLocal
	}
	return fmt.Sprintf("%s %d %s %s %s %s%s %d-%d %d:%d %d %d", f.path, int64(keys[i]), d.Kind, f.doc.Names[d.Name], f.doc.QualifiedName(code.DefID(i)), scope, f.doc.Descriptor(code.DefID(i)),
		line+1, end+1, nameLine+1, column+1, d.Cyclomatic, flags)
}

func TestGraphNodeCreation(t *testing.T) {
	boxes(t, func(t *testing.T, l look) {
		var want, got []string
		for i := range l.c.files {
			f := &l.c.files[i]
			for d, keys := 0, keysOf(f); d < len(keys); d++ {
				want = append(want, nodeLine(f, keys, d))
			}
		}
		each(t, l.conn, func(row pgx.CollectableRow) error {
			var s string
			err := row.Scan(&s)
			got = append(got, s)
			return err
		}, `select format('%s %s %s %s %s %s %s-%s %s:%s %s %s', path, key, kind, name, qualified_name, symbol, line, end_line, name_line, name_column, cyclomatic, flags) from graph_nodes where ord > 0`)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("definitions (-want +got):\n%s", diff)
		}
		var files, packages int
		if err := l.conn.QueryRow(t.Context(), `select count(*) filter (where kind = 'file'), count(*) filter (where kind = 'package') from graph_nodes`).Scan(&files, &packages); err != nil {
			t.Fatal(err)
		}
		if files != len(l.c.files) || packages != len(l.c.externals) {
			t.Fatalf("%d files, %d packages", files, packages)
		}
	})
}

// edgeLines are the edges of a file as lines, to be compared with the view.
func edgeLines(f *corpusFile, titles map[code.Key]string) (out []string) {
	keys := keysOf(f)
	packer := pack.NewPacker()
	b := packer.NewBlock(slices.Clone(f.edges), nil)
	for i := range b.Len() {
		e, err := b.Edge(i)
		if err != nil {
			panic(err)
		}
		source, title := link.FileKey(f.path), f.path
		if e.Source != code.NoDef {
			source, title = keys[e.Source], f.doc.QualifiedName(e.Source)
		}
		out = append(out, fmt.Sprintf("%s %d %s %s %d %s %d:%d %s %s %s", f.path, int64(source), title, e.Kind, int64(e.Target), titles[e.Target], e.Line+1, e.Column+1, e.Certainty, e.Reason.Evidence(), e.Reason))
	}
	return out
}

// titles names what edges lead to.
func (c *corpus) titles() map[code.Key]string {
	titles := map[code.Key]string{}
	for i := range c.files {
		f := &c.files[i]
		for d, k := range keysOf(f) {
			titles[k] = f.doc.QualifiedName(code.DefID(d))
		}
		titles[link.FileKey(f.path)] = f.path
		titles[code.ScopeKey(f.scope)] = f.scope
	}
	for _, x := range c.externals {
		titles[x.Key] = x.Name
	}
	return titles
}

const edgeLine = `format('%s %s %s %s %s %s %s:%s %s %s %s', path, source, source_name, kind, target, target_name, line, "column", certainty, evidence, reason)`

func TestGraphEdgeCreation(t *testing.T) {
	boxes(t, func(t *testing.T, l look) {
		titles := l.c.titles()
		var want, got []string
		for i := range l.c.files {
			want = append(want, edgeLines(&l.c.files[i], titles)...)
		}
		each(t, l.conn, func(row pgx.CollectableRow) error {
			var s string
			err := row.Scan(&s)
			got = append(got, s)
			return err
		}, `select `+edgeLine+` from graph_edges`)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("edges (-want +got):\n%s", diff)
		}
		var n int
		if err := l.conn.QueryRow(t.Context(), `select count(*) from graph_edges`).Scan(&n); err != nil || n != len(want) {
			t.Fatalf("count(*) gives %d, %v; want %d", n, err, len(want))
		}
	})
}

func TestSymbolReferenceStorage(t *testing.T) {
	boxes(t, func(t *testing.T, l look) {
		type reference struct {
			path         string
			line, column int64
			kind         string
		}
		want := map[code.Key][]reference{}
		packer := pack.NewPacker()
		for i := range l.c.files {
			f := &l.c.files[i]
			b := packer.NewBlock(slices.Clone(f.edges), nil)
			for k := range b.Len() {
				e, err := b.Edge(k)
				if err != nil {
					t.Fatal(err)
				}
				want[e.Target] = append(want[e.Target], reference{f.path, int64(e.Line) + 1, int64(e.Column) + 1, e.Kind.String()})
			}
		}
		order := func(a, b reference) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
		ask := func(statement string, args ...any) (out []reference) {
			each(t, l.conn, func(row pgx.CollectableRow) error {
				var r reference
				err := row.Scan(&r.path, &r.line, &r.column, &r.kind)
				out = append(out, r)
				return err
			}, statement, args...)
			slices.SortFunc(out, order)
			return out
		}
		compare := func(what string, want, got []reference) {
			t.Helper()
			slices.SortFunc(want, order)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(reference{})); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", what, diff)
			}
		}
		got := map[code.Key][]reference{}
		each(t, l.conn, func(row pgx.CollectableRow) error {
			var r reference
			var key int64
			err := row.Scan(&key, &r.path, &r.line, &r.column, &r.kind)
			got[code.Key(key)] = append(got[code.Key(key)], r)
			return err
		}, `select key, path, line, "column", kind from symbol_references`)
		for k, refs := range want {
			slices.SortFunc(got[k], order)
			compare("symbol_references", refs, got[k])
		}
		symbols := 0
		for i := range l.c.files {
			f := &l.c.files[i]
			for d, k := range keysOf(f) {
				if d%4 != i%4 { // a part of them is enough
					continue
				}
				scope := f.scope
				if fileLocal(f.doc, code.DefID(d)) {
					scope = link.LocalScope(f.scope, f.path)
				}
				symbol := scope + f.doc.Descriptor(code.DefID(d))
				compare(symbol, want[k], ask(`select path, line, "column", kind from references_to($1)`, symbol))
				symbols++
			}
		}
		first := &l.c.files[0]
		compare("file", want[link.FileKey(first.path)], ask(`select path, line, "column", kind from references_to($1)`, "file "+first.path))
		compare("package", want[code.ScopeKey(first.scope)], ask(`select path, line, "column", kind from references_to($1)`, first.scope))
		compare("external", want[l.c.externals[0].Key], ask(`select path, line, "column", kind from references_to($1)`, l.c.externals[0].Symbol))
		if symbols == 0 || len(ask(`select path, line, "column", kind from references_to('no such symbol')`)) != 0 {
			t.Fatal("references to nothing")
		}
		// By name: all symbols of that name.
		byName, byPackage := map[string][]reference{}, map[string][]reference{}
		done := map[code.Key]bool{}
		for i := range l.c.files {
			f := &l.c.files[i]
			for d, k := range keysOf(f) {
				if !done[k] {
					done[k] = true
					name := f.doc.QualifiedName(code.DefID(d))
					byName[name] = append(byName[name], want[k]...)
					name = path.Base(f.scope) + "." + name
					byPackage[name] = append(byPackage[name], want[k]...)
				}
			}
		}
		for _, named := range []map[string][]reference{byName, byPackage} {
			asked := 0
			for name, refs := range named {
				if strings.Contains(name, ".") && asked < 10 {
					asked++
					compare(name, refs, ask(`select path, line, "column", kind from references_to($1)`, name))
				}
			}
		}
	})
}

// each collects the rows of a statement on a plain connection.
func each(t testing.TB, conn *pgx.Conn, row func(pgx.CollectableRow) error, statement string, args ...any) {
	t.Helper()
	rows, err := conn.Query(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (struct{}, error) { return struct{}{}, row(r) })
	if err != nil {
		t.Fatal(err)
	}
}
