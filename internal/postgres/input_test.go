package postgres_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"manito/internal/code"
	"manito/internal/link"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// nasty are texts that have broken programs before.
var nasty = []string{
	"'; DROP TABLE repo; --", `"; drop table "repo"`, "$1 $$ $tag$", `\x00 \' \\`, "null", "{a,b}", "1 or 1=1", "%_\\", "tab\tnewline\nreturn\r",
	"ünï©ödé 日本語 \U0001f600", " ", "`back`tick`", "unit\x1fseparator", "\u202eright to left",
}

// nastyCorpus puts them wherever a file can put a text.
func nastyCorpus() *corpus {
	c := newCorpus(small)
	for i := range c.files {
		f := &c.files[i]
		text := nasty[i%len(nasty)]
		f.path = fmt.Sprintf("%s/%d", text, i)
		f.scope = "scip-x m " + text + " . " + fmt.Sprint(i) + "/"
		f.row.Language, f.row.Encoding = text, text
		f.row.Dependencies = nil
		for k, t := range nasty {
			f.row.Dependencies = append(f.row.Dependencies, postgres.Dependency{Line: int32(k), Column: math.MaxInt32, Specifier: t, Scope: t, Reason: t, Kind: code.ImportType,
				TypeOnly: true, State: postgres.DependencyUnresolved})
		}
		f.row.Diagnostics = []postgres.Diagnostic{{Severity: code.SeverityHint, Code: text, Message: text, Line: math.MaxInt32, Column: math.MaxInt32}}
		var b code.Builder
		doc := b.Begin("go", text, []byte(strings.Repeat("x", 5000)))
		for k, t := range nasty {
			if k == 0 {
				b.AddDef(code.Def{Name: b.Name("Plain"), Kind: code.KindClass, Parent: code.NoDef, End: 4000})
			}
			b.AddDef(code.Def{Name: b.Name(t), Kind: code.Kind(6 + k), Parent: 0, Start: uint32(k), End: uint32(k), NameStart: uint32(k)})
			b.AddDef(code.Def{Name: b.Name(t), Owner: b.Name(t), Kind: code.Kind(6 + k), Parent: code.NoDef, Start: uint32(k), End: 4500, NameStart: uint32(k)})
		}
		_ = doc
		f.doc = b.Finish()
		slices.SortStableFunc(f.doc.Defs, func(a, b code.Def) int { return int(a.Start) - int(b.Start) })
		f.doc.Defs = slices.DeleteFunc(f.doc.Defs, func(d code.Def) bool { return false })
		f.fact = pack.NewPacker().Document(f.doc)
		f.hash[0] = byte(i)
	}
	c.relink(small)
	return c
}

func TestNastyTextsRoundTrip(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	c := nastyCorpus()
	deps := map[string][]postgres.Dependency{}
	for i := range c.files { // link gave every file its own again
		f := &c.files[i]
		f.row.Dependencies = nil
		for k, t := range nasty {
			f.row.Dependencies = append(f.row.Dependencies, postgres.Dependency{Line: int32(k), Column: math.MaxInt32, Specifier: t, Scope: t, Reason: t, Kind: code.ImportType, TypeOnly: true})
		}
		deps[f.path] = f.row.Dependencies
	}
	for k, text := range nasty {
		root := fmt.Sprint(text, k)
		c.scan(t, db, root, text)
		sound(t, db, root, text)
		repo, err := db.FindRepo(t.Context(), root)
		if err != nil || repo.Root != root || repo.Name != root {
			t.Fatalf("%+v %v", repo, err)
		}
		if k > 0 {
			continue
		}
		ref, err := db.FindRef(t.Context(), repo.ID, text)
		if err != nil || ref.Name != text {
			t.Fatalf("%+v %v", ref, err)
		}
		m, err := db.Current(t.Context(), repo.ID, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range m.Entries {
			i := slices.IndexFunc(c.files, func(f corpusFile) bool { return f.path == e.Path })
			if i < 0 || c.files[i].scope != e.Scope {
				t.Fatalf("%+v", e)
			}
			got, err := db.Dependencies(t.Context(), repo.ID, ref.ID, e.PathID)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(deps[e.Path])
			for i := range want { // the one character that joined texts cannot hold
				want[i].Specifier = strings.ReplaceAll(want[i].Specifier, "\x1f", "\ufffd")
				want[i].Scope, want[i].Reason = want[i].Specifier, want[i].Specifier
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", e.Path, diff)
			}
		}
		var want, got []string
		for i := range c.files {
			f := &c.files[i]
			for d := range f.doc.Defs {
				symbol := f.scope + f.doc.Descriptor(code.DefID(d))
				if fileLocal(f.doc, code.DefID(d)) {
					symbol = link.LocalScope(f.scope, f.path) + f.doc.Descriptor(code.DefID(d))
				}
				want = append(want, strings.ReplaceAll(symbol+" = "+f.doc.QualifiedName(code.DefID(d)), "\x1f", "\ufffd"))
			}
		}
		each(t, d.Connect(t, d.Reader), func(row pgx.CollectableRow) error {
			var s string
			err := row.Scan(&s)
			got = append(got, strings.ReplaceAll(s, "\x1f", "\ufffd"))
			return err
		}, `select symbol || ' = ' || qualified_name from graph_nodes where ord > 0 and project_id = $1`, repo.ID)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("symbols (-want +got):\n%s", diff)
		}
	}
}

func TestWhatCannotBeStoredIsRefused(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	lease := acquire(t, db, "/r", "main")
	w := lease.Writer()
	for name, text := range map[string]string{"NUL": "a\x00b", "UTF-8": "a\xffb", "length": strings.Repeat("a", 2001)} {
		for what, attempt := range map[string]func() error{
			"root":  func() error { _, err := db.EnsureRepo(t.Context(), postgres.RepoInput{Root: text}); return err },
			"ref":   func() error { _, err := take(t.Context(), db, "/other", text); return err },
			"path":  func() error { _, err := w.Path(t.Context(), text); return err },
			"scope": func() error { _, err := w.Scope(t.Context(), text); return err },
			"name":  func() error { _, err := db.Names(t.Context(), lease.Repo(), text, postgres.NameExact, 1); return err },
		} {
			if err := attempt(); problem.KindOf(err) != problem.Invalid {
				t.Errorf("%s in %s: %v", name, what, err)
			}
		}
	}
	id, err := w.Path(t.Context(), strings.Repeat("é", 1000))
	if err != nil || id == 0 {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatalf("2,000 bytes are too many after all: %v", err)
	}
	if id, err := w.Scope(t.Context(), ""); id != 0 || err != nil {
		t.Fatal(id, err)
	}
}

// TestBadTextsInFilesAreMended stores names and messages that PostgreSQL cannot keep: the rest of the file is kept.
func TestBadTextsInFilesAreMended(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	c := newCorpus(small)
	var b code.Builder
	b.Begin("go", "go", []byte("xxxxxxxxxx\n"))
	b.AddDef(code.Def{Name: b.Name("a\x00b"), Kind: code.KindFunction, Parent: code.NoDef, End: 5})
	b.AddDef(code.Def{Name: b.Name("a\xffb"), Kind: code.KindFunction, Parent: code.NoDef, Start: 5, End: 10, NameStart: 5})
	b.AddDef(code.Def{Name: b.Name(strings.Repeat("long", 2000)), Kind: code.KindFunction, Parent: code.NoDef, Start: 5, End: 10, NameStart: 5})
	c.files[0].doc = b.Finish()
	c.files[0].row.Diagnostics = []postgres.Diagnostic{{Severity: code.SeverityError, Code: "c\x00", Message: "m\xff"}}
	c.relink(small)
	c.files[0].row.Dependencies[0].Specifier = "\x00\xff\x1f"
	c.scan(t, db, "/r", "main")
	sound(t, db, "/r", "main")
	var names string
	if err := d.Connect(t, d.Reader).QueryRow(t.Context(), `select string_agg(left(name, 10), ' ' order by ord) from graph_nodes where path = $1 and ord > 0`, c.files[0].path).Scan(&names); err != nil || names != "a\ufffdb a\ufffdb longlonglo" {
		t.Fatalf("%q %v", names, err)
	}
}

// TestWideBlocksAreUnpacked stores a file with more lines, columns and definitions than a narrow word can say.
func TestWideBlocksAreUnpacked(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	c := newCorpus(small)
	f := &c.files[2]
	keys := keysOf(f)
	f.edges = append(f.edges, pack.EdgeAt{Source: 3, Target: keys[4], Line: 1<<17 + 5, Column: 3_000_000_000, Kind: code.EdgeExports, Certainty: code.May, Reason: code.ReasonLiteral})
	c.seal()
	st, _ := c.scan(t, db, "/r", "main")
	if !st.blocks[2].Wide {
		t.Fatal("the block is narrow")
	}
	sound(t, db, "/r", "main")
	want := edgeLines(f, c.titles())
	var got []string
	each(t, d.Connect(t, d.Reader), func(row pgx.CollectableRow) error {
		var s string
		err := row.Scan(&s)
		got = append(got, s)
		return err
	}, `select `+edgeLine+` from graph_edges where path = $1`, f.path)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("edges (-want +got):\n%s", diff)
	}
}

// TestFilesWithoutContents lists files that could not be read, that no extractor reads, or that hold nothing.
func TestFilesWithoutContents(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	c := newCorpus(small)
	lease := acquire(t, db, "/r", "main")
	st, err := c.write(t.Context(), db, lease)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.files {
		if i == 0 {
			continue // the others' edges lead there
		}
		st.entries[i].BlockID = 0
	}
	st.entries[1] = postgres.Entry{PathID: st.entries[1].PathID, BlobID: st.entries[1].BlobID}
	st.entries[2] = postgres.Entry{PathID: st.entries[2].PathID}
	c.files[2].row.Flags = postgres.FileUnread
	st.entries[0].BlockID = 0
	if _, err := lease.Publish(t.Context(), c.publication(st)); err != nil {
		t.Fatal(err)
	}
	if err := lease.Project(t.Context(), c.projection(st)); err != nil {
		t.Fatal(err)
	}
	sound(t, db, "/r", "main")
	var n, unread, nodes int
	if err := d.Connect(t, d.Reader).QueryRow(t.Context(), `select (select count(*) from files), (select count(*) from files where unread and sha256 is null), (select count(*) from graph_nodes where path = $1)`, c.files[2].path).Scan(&n, &unread, &nodes); err != nil || n != len(c.files) || unread != 1 || nodes != 1 {
		t.Fatal(n, unread, nodes, err)
	}
	// An empty repository is one too.
	empty := &corpus{}
	empty.scan(t, db, "/empty", "main")
	sound(t, db, "/empty", "main")
	c.files = nil
	empty.scan(t, db, "/r2", "main")
}

// TestConcurrentTransactionsLeaveNothingHalfDone runs many scans of many
// repositories at once, half of which are broken off in the middle of publishing.
func TestConcurrentTransactionsLeaveNothingHalfDone(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t, func(c *postgres.Config) { c.MaxConns, c.IngestConns = 12, 12 })
	c := newCorpus(shape{files: 3, defs: 4, edges: 5, names: 9, text: 40, pkg: 3, seed: 3})
	before := rowCounts(t, d)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			lease, err := take(t.Context(), db, fmt.Sprint("/", i), "main")
			if err != nil {
				t.Error(err)
				return
			}
			defer func() {
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			st, err := c.write(t.Context(), db, lease)
			if err != nil {
				t.Error(err)
				return
			}
			p := c.publication(st)
			if i%2 == 0 {
				p.Entries[2].FactID = 1 << 30 // refused after the snapshot's transaction has begun
			}
			_, err = lease.Publish(t.Context(), p)
			if (i%2 == 0) != (problem.KindOf(err) == problem.Invalid && err != nil) {
				t.Errorf("%d: %v", i, err)
			}
			if i%2 == 0 {
				if err := lease.Fail(t.Context(), errors.New("broken off")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	after := rowCounts(t, d)
	want := map[string]int{"repo": 200, "scan": 200, "ref": 200, "snapshot": 100}
	for table, n := range want {
		if after[table]-before[table] != n {
			t.Errorf("%s has %d rows, want %d", table, after[table]-before[table], n)
		}
	}
	var moved, failed int
	if err := d.Connect(t, d.Admin).QueryRow(t.Context(), `select (select count(*) from ref where snapshot_id is not null), (select count(*) from scan where status = 'failed' and not held)`).Scan(&moved, &failed); err != nil || moved != 100 || failed != 100 {
		t.Errorf("%d refs moved, %d scans failed, %v", moved, failed, err)
	}
	for deadline := time.Now().Add(30 * time.Second); db.Pool().InUse > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the pool is still in use: %+v", db.Pool())
		}
	}
}
