package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// surface is everything that the views say of a ref, sorted.
func surface(t testing.TB, conn *pgx.Conn, ref string) []string {
	t.Helper()
	var out []string
	for _, view := range []string{"files", "graph_nodes", "graph_edges", "symbol_references", "dependencies", "diagnostics"} {
		each(t, conn, func(row pgx.CollectableRow) error {
			var s string
			err := row.Scan(&s)
			out = append(out, view+" "+s)
			return err
		}, `select v::text from `+pgx.Identifier{view}.Sanitize()+` v where ref = $1`, ref)
	}
	slices.Sort(out)
	return out
}

// sound fails when a law of the store is broken.
func sound(t testing.TB, db *postgres.DB, root, ref string) {
	t.Helper()
	breaches, err := db.CheckIntegrity(t.Context(), repoID(t, db, root), ref, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(breaches) > 0 {
		t.Fatalf("breaches: %+v", breaches)
	}
}

// edit changes a few files of a corpus, or many, in one of the ways in which repositories change.
func (c *corpus) edit(r *rand.Rand, s shape) {
	s.seed = r.Uint64()
	other := newCorpus(s)
	swap := func(i int) { // other contents under the same name
		p, scope := c.files[i].path, c.files[i].scope
		c.files[i] = other.files[r.IntN(len(other.files))]
		c.files[i].path, c.files[i].scope = p, scope
	}
	switch r.IntN(7) {
	case 0: // one file changes
		swap(r.IntN(len(c.files)))
	case 1: // many change
		for range len(c.files) {
			swap(r.IntN(len(c.files)))
		}
	case 2: // one goes
		if len(c.files) > 3 {
			i := r.IntN(len(c.files))
			c.files = slices.Delete(c.files, i, i+1)
		}
	case 3: // one comes
		f := other.files[0]
		f.path = fmt.Sprintf("src/added%d.go", r.IntN(1000))
		if !slices.ContainsFunc(c.files, func(g corpusFile) bool { return g.path == f.path }) {
			c.files = append(c.files, f)
		}
	case 4: // one moves to another package
		i := r.IntN(len(c.files))
		c.files[i].scope = c.files[r.IntN(len(c.files))].scope
	case 5: // a copy
		f := c.files[r.IntN(len(c.files))]
		f.path = strings.TrimSuffix(f.path, ".go") + "_copy.go"
		if !slices.ContainsFunc(c.files, func(g corpusFile) bool { return g.path == f.path }) {
			c.files = append(c.files, f)
		}
	default: // only what is known about a file
		i := r.IntN(len(c.files))
		c.files[i].row.Flags ^= postgres.FileVendored
		c.files[i].row.Encoding = "utf-16le"
	}
	// Edges whose target may be gone are made anew; those of most files stay.
	if r.IntN(2) == 0 {
		c.externals = c.externals[:1+r.IntN(2)]
		if len(c.externals) == 1 {
			c.externals = slices.Clone(other.externals)
		}
	}
	c.relink(shape{files: s.files, defs: s.defs, edges: s.edges, seed: 7}) // the same choices for the same files
}

// TestProjectionIsTheSameHoweverItCameAbout edits a repository over and over:
// after each scan every law holds, and at the end the views say exactly what
// they say in a database that has seen only the last state.
func TestProjectionIsTheSameHoweverItCameAbout(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 5))
			s := shape{files: 14, defs: 25, edges: 15, names: 80, text: 100, pkg: 3, seed: seed}
			if seed == 3 {
				s.files, s.defs = 40, 60 // enough keys for several blocks of the index
			}
			d := postgrestest.New(t)
			db := d.Open(t)
			c := newCorpus(s)
			c.scan(t, db, "/r", "main")
			sound(t, db, "/r", "main")
			for range 8 {
				c.edit(r, s)
				c.scan(t, db, "/r", "main")
				sound(t, db, "/r", "main")
			}
			clean := postgrestest.New(t)
			c.scan(t, clean.Open(t), "/r", "main")
			want, got := surface(t, clean.Connect(t, clean.Reader), "main"), surface(t, d.Connect(t, d.Reader), "main")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("views (-clean +edited):\n%s", diff)
			}
		})
	}
}

// TestRefsShareWhatIsEqual scans two branches: neither changes what the other shows, and equal files are stored once.
func TestRefsShareWhatIsEqual(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	conn := d.Connect(t, d.Reader)
	a, b := newCorpus(small), changed(small)
	a.scan(t, db, "/r", "main")
	before := surface(t, conn, "main")
	count := func() (n int) {
		if err := d.Connect(t, d.Admin).QueryRow(t.Context(), `select count(*) from blob`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	blobs := count()
	b.scan(t, db, "/r", "branch")
	sound(t, db, "/r", "main")
	sound(t, db, "/r", "branch")
	if diff := cmp.Diff(before, surface(t, conn, "main")); diff != "" {
		t.Fatalf("main changed (-before +after):\n%s", diff)
	}
	clean := postgrestest.New(t)
	b.scan(t, clean.Open(t), "/r", "branch")
	if diff := cmp.Diff(surface(t, clean.Connect(t, clean.Reader), "branch"), surface(t, conn, "branch")); diff != "" {
		t.Fatalf("branch (-clean +shared):\n%s", diff)
	}
	if n := count() - blobs; n != 4 { // three changed files and one added
		t.Fatalf("the branch stored %d contents", n)
	}
}

// TestProjectionReadsFactsFromTheStore projects without any Document in memory.
func TestProjectionReadsFactsFromTheStore(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	c := newCorpus(small)
	lease := acquire(t, db, "/r", "main")
	st, err := c.write(t.Context(), db, lease)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lease.Publish(t.Context(), c.publication(st)); err != nil {
		t.Fatal(err)
	}
	ref, err := db.FindRef(t.Context(), lease.Repo(), "main")
	if err != nil || !ref.Pending() {
		t.Fatalf("%+v %v", ref, err)
	}
	p := c.projection(st)
	p.Document = nil
	if err := lease.Project(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ref, err = db.FindRef(t.Context(), lease.Repo(), "main")
	if err != nil || ref.Pending() {
		t.Fatalf("%+v %v", ref, err)
	}
	sound(t, db, "/r", "main")
	clean := postgrestest.New(t)
	c.scan(t, clean.Open(t), "/r", "main")
	if diff := cmp.Diff(surface(t, clean.Connect(t, clean.Reader), "main"), surface(t, d.Connect(t, d.Reader), "main")); diff != "" {
		t.Fatalf("views (-from memory +from the store):\n%s", diff)
	}
}

func TestProjectRefusesAnotherListOfFiles(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	c := newCorpus(small)
	lease := acquire(t, db, "/r", "main")
	st, err := c.write(t.Context(), db, lease)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lease.Publish(t.Context(), c.publication(st)); err != nil {
		t.Fatal(err)
	}
	c.files = c.files[1:]
	st.entries = st.entries[1:]
	if err := lease.Project(t.Context(), c.projection(st)); err == nil {
		t.Fatal("a projection without one of the files was accepted")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	c := newCorpus(small)
	st, _ := c.scan(t, db, "/r", "main")
	repo := repoID(t, db, "/r")
	where := map[string][]int32{}
	for i := range c.files {
		for _, d := range c.files[i].doc.Defs {
			name := c.files[i].doc.Names[d.Name]
			where[name] = append(where[name], st.entries[i].PathID)
		}
	}
	for name, paths := range where {
		slices.Sort(paths)
		found, err := db.Names(t.Context(), repo, name, postgres.NameExact, 10)
		if err != nil || len(found) != 1 || !slices.Equal(found[0].Paths, slices.Compact(paths)) {
			t.Fatalf("%s: %+v %v, want %v", name, found, err, paths)
		}
		for mode, pattern := range map[postgres.NameMode]string{
			postgres.NamePrefix: name[:2], postgres.NameSubstring: strings.ToUpper(name[1:]), postgres.NameFuzzy: strings.ToLower(name),
		} {
			found, err := db.Names(t.Context(), repo, pattern, mode, 1000)
			if err != nil || !slices.ContainsFunc(found, func(m postgres.NameMatch) bool { return m.Name == name && m.Score > 0 }) {
				t.Fatalf("%q does not find %q in mode %d: %+v %v", pattern, name, mode, found, err)
			}
		}
	}
	for _, pattern := range []string{"%", "_", `\`, "'; drop table name; --"} {
		found, err := db.Names(t.Context(), repo, pattern, postgres.NameSubstring, 10)
		if err != nil || len(found) > 0 {
			t.Fatalf("%q finds %+v %v", pattern, found, err)
		}
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	a, b := newCorpus(small), changed(small)
	a.scan(t, db, "/r", "main")
	b.scan(t, db, "/r", "main")
	b.scan(t, db, "/other", "main") // another repository is none of its business
	before := surface(t, d.Connect(t, d.Reader), "main")
	lease := acquire(t, db, "/r", "main")
	kept, err := lease.Sweep(t.Context(), 1)
	if err != nil || kept.Blobs != 0 || kept.Snapshots != 0 || kept.Blocks != 0 || kept.Names == 0 { // names are of the projection only
		t.Fatalf("the snapshot before was not kept: %+v %v", kept, err)
	}
	// What a scan leaves that dies before it publishes:
	left := newCorpus(shape{files: 3, defs: 5, edges: 3, names: 9, text: 50, pkg: 3, seed: 99})
	if _, err := left.write(t.Context(), db, lease); err != nil {
		t.Fatal(err)
	}
	swept, err := lease.Sweep(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if swept.Blobs != 4+3 || swept.Facts != 4+3 || swept.Nodes != 4 || swept.Blocks == 0 {
		t.Fatalf("%+v", swept)
	}
	again, err := lease.Sweep(t.Context(), 0)
	if err != nil || again != (postgres.Swept{}) {
		t.Fatalf("the second sweep: %+v %v", again, err)
	}
	sound(t, db, "/r", "main")
	sound(t, db, "/other", "main")
	if diff := cmp.Diff(before, surface(t, d.Connect(t, d.Reader), "main")); diff != "" {
		t.Fatalf("views (-before +after):\n%s", diff)
	}
	// What the views show stays while the projection of the next snapshot is pending.
	st, err := a.write(t.Context(), db, lease)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lease.Publish(t.Context(), a.publication(st)); err != nil {
		t.Fatal(err)
	}
	if _, err := lease.Sweep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	sound(t, db, "/r", "main")
	if diff := cmp.Diff(before, surface(t, d.Connect(t, d.Reader), "main")); diff != "" {
		t.Fatalf("views (-before +after a sweep while pending):\n%s", diff)
	}
	if err := lease.Project(t.Context(), a.projection(st)); err != nil {
		t.Fatal(err)
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.scan(t, db, "/r", "main") // what was swept can come back
	sound(t, db, "/r", "main")
}

func TestRemoveRepo(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	c := newCorpus(small)
	c.scan(t, db, "/other", "main")
	empty := rowCounts(t, d)
	c.scan(t, db, "/r", "main")
	lease := acquire(t, db, "/r", "main")
	if err := db.RemoveRepo(t.Context(), lease.Repo()); err == nil {
		t.Fatal("a repository was removed while it was scanned")
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.RemoveRepo(t.Context(), lease.Repo()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, rowCounts(t, d)); diff != "" {
		t.Fatalf("rows (-before +after):\n%s", diff)
	}
	sound(t, db, "/other", "main")
}

// rowCounts counts the rows of every table.
func rowCounts(t testing.TB, d *postgrestest.Database) map[string]int {
	t.Helper()
	conn := d.Connect(t, d.Admin)
	var tables []string
	each(t, conn, func(row pgx.CollectableRow) error {
		var s string
		err := row.Scan(&s)
		tables = append(tables, s)
		return err
	}, `select relname from pg_class where relnamespace = (select oid from pg_namespace where nspname = $1) and relkind = 'r'`, d.Schema)
	counts := map[string]int{}
	for _, table := range tables {
		var n int
		if err := conn.QueryRow(t.Context(), `select count(*) from `+pgx.Identifier{table}.Sanitize()).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}
