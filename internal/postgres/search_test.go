package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"manito/internal/code"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// TestWordsAreThoseOfSQL holds the two ways of telling words apart together: what a
// query asks for must be what the program stored.
func TestWordsAreThoseOfSQL(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	conn := d.Connect(t, d.Reader)
	check := func(t interface {
		Fatalf(string, ...any)
		Helper()
	}, text string) {
		t.Helper()
		var sql []string
		if err := conn.QueryRow(context.Background(), `select search_words($1)`, text).Scan(&sql); err != nil {
			t.Fatalf("search_words(%q): %v", text, err)
		}
		want := map[string]bool{}
		for _, w := range postgres.Words(text) {
			want[w] = true
		}
		for _, w := range sql {
			if !want[w] {
				t.Fatalf("%q: SQL has the word %q, the program has %q", text, w, postgres.Words(text))
			}
		}
		if len(sql) != min(16, len(want)) {
			t.Fatalf("%q: SQL has %q, the program %q", text, sql, postgres.Words(text))
		}
	}
	for _, text := range []string{
		"", "parseHTTPRequest", "HTTPServer", "utf8", "x509.Certificate", "snake_case_name", "getURLForID", "aBCd", "ABCDe", "a1B2", "Größe ändern", "ÉTÉ été",
		"日本語Text", "how are retries computed", "foo\tbar\nbaz", "--", "ABC", "Ab", "iOS", "é", "x" + strings.Repeat("y", 100), strings.Repeat("ä", 80), `quote'and"backslash\`,
	} {
		check(t, text)
	}
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("abzABZ019_-. äÉ日\n'")), 0, 40, -1)
	rapid.Check(t, func(r *rapid.T) { check(r, letters.Draw(r, "text")) })
}

// vectorsOf makes n hashes with vectors.
func vectorsOf(r *rand.Rand, n, dimension int) (hashes [][32]byte, vectors []int8) {
	for range n {
		var h [32]byte
		for i := range h {
			h[i] = byte(r.Uint32())
		}
		hashes = append(hashes, h)
	}
	for range n * dimension {
		vectors = append(vectors, int8(r.IntN(255)-127))
	}
	return hashes, vectors
}

// stored reads all vectors of a model.
func readVectors(t testing.TB, db *postgres.DB, repo, model int32) (hashes [][32]byte, vectors []int8) {
	t.Helper()
	if err := db.Vectors(t.Context(), repo, model, func(h [32]byte, v []int8) error {
		hashes, vectors = append(hashes, h), append(vectors, v...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return hashes, vectors
}

// TestEmbeddingStorage is the box "Embedding storage" of the seed: the dimension is
// stored with the model and held by the database, several models live side by side,
// and what SQL computes as nearest is what brute force over what was given finds.
func TestEmbeddingStorage(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	ctx := t.Context()
	repo, err := db.EnsureRepo(ctx, postgres.RepoInput{Root: "/srv/embedded", Name: "embedded"})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	type set struct {
		model   postgres.Model
		hashes  [][32]byte
		vectors []int8
	}
	var sets []set
	for i, m := range []postgres.Model{
		{Name: "builtin", Version: "1", Dimension: 384, Digest: [32]byte{1}},
		{Name: "text-embedding-3-small", Version: "2024-01", Dimension: 1536},
		{Name: "builtin", Version: "1", Dimension: 384, Digest: [32]byte{2}}, // trained anew: another model
	} {
		stored, err := db.EnsureModel(ctx, repo.ID, m, []byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		again, err := db.EnsureModel(ctx, repo.ID, m, []byte("other"))
		if err != nil || again.ID != stored.ID {
			t.Fatalf("the same model again is %d (%v), was %d", again.ID, err, stored.ID)
		}
		if b, err := db.ModelBytes(ctx, repo.ID, stored.ID); err != nil || string(b) != string([]byte{byte(i)}) {
			t.Fatalf("bytes of the model: %q, %v", b, err)
		}
		s := set{model: stored}
		s.hashes, s.vectors = vectorsOf(r, 700, m.Dimension)
		for part := range 2 { // in two goes, as a job that was resumed
			n := 350 * m.Dimension
			if err := db.PutVectors(ctx, repo.ID, stored, s.hashes[350*part:350*part+350], s.vectors[n*part:n*part+n]); err != nil {
				t.Fatal(err)
			}
		}
		sets = append(sets, s)
	}
	conn := d.Connect(t, d.Reader)
	for _, s := range sets {
		hashes, vectors := readVectors(t, db, repo.ID, s.model.ID)
		if !slices.Equal(hashes, s.hashes) || !slices.Equal(vectors, s.vectors) {
			t.Fatalf("the vectors of model %d are not those that were stored", s.model.ID)
		}
		known, err := db.Embedded(ctx, repo.ID, s.model.ID)
		if err != nil || len(known) != len(s.hashes) || !known[s.hashes[0]] || !known[s.hashes[699]] {
			t.Fatalf("%d chunks are known to have vectors of model %d (%v)", len(known), s.model.ID, err)
		}
		// The ten nearest by scalar product over the stored view, and by brute force.
		q := s.vectors[:s.model.Dimension]
		floats := make([]float32, len(q))
		for i, x := range q {
			floats[i] = float32(x)
		}
		type near struct {
			hash string
			dot  float64
		}
		var want []near
		for i, h := range s.hashes {
			dot := 0.0
			for j, x := range s.vectors[i*s.model.Dimension : (i+1)*s.model.Dimension] {
				dot += float64(x) * float64(q[j])
			}
			want = append(want, near{hex16(h), dot})
		}
		sort.Slice(want, func(i, j int) bool {
			return want[i].dot > want[j].dot || want[i].dot == want[j].dot && want[i].hash < want[j].hash
		})
		rows, err := conn.Query(ctx, `
			select e.chunk_hash, (select sum(a * b) from unnest(e.embedding, $2::float4[]) u(a, b))::float8 as dot
			from embeddings e where e.model_id = $1 order by dot desc, e.chunk_hash limit 10`, s.model.ID, floats)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n near, err error) { return n, row.Scan(&n.hash, &n.dot) })
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want[:10]) {
			t.Errorf("model %d: nearest in SQL %v, by brute force %v", s.model.ID, got, want[:10])
		}
		var dimension int
		if err := conn.QueryRow(ctx, `select dimension from embedding_models where id = $1`, s.model.ID).Scan(&dimension); err != nil || dimension != s.model.Dimension {
			t.Errorf("the model says dimension %d (%v), has %d", dimension, err, s.model.Dimension)
		}
	}
	// A vector of another dimension is refused by the program, and by the database itself.
	wrong := sets[0].model
	if err := db.PutVectors(ctx, repo.ID, wrong, sets[1].hashes[:1], sets[1].vectors[:1536]); problem.KindOf(err) != problem.Invalid || !strings.Contains(err.Error(), "its dimension is 384") {
		t.Errorf("a vector of another dimension: %v", err)
	}
	wrong.Dimension = 1536
	if err := db.PutVectors(ctx, repo.ID, wrong, sets[1].hashes[:1], sets[1].vectors[:1536]); err == nil {
		t.Error("the database took a vector of another dimension")
	}
	if err := db.DeleteModel(ctx, repo.ID, sets[0].model.ID); err != nil {
		t.Fatal(err)
	}
	if hashes, _ := readVectors(t, db, repo.ID, sets[0].model.ID); len(hashes) != 0 {
		t.Error("the vectors outlived their model")
	}
	if hashes, _ := readVectors(t, db, repo.ID, sets[2].model.ID); len(hashes) != 700 {
		t.Error("another model's vectors went too")
	}
}

const hexDigits = "0123456789abcdef"

func hex16(h [32]byte) string {
	var b strings.Builder
	for _, c := range h[:16] {
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// TestEmbeddingsSurviveAKill is the second half of the box: what was acknowledged
// is read back byte for byte after kill -9 of the server.
func TestEmbeddingsSurviveAKill(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p, err := postgrestest.StartPrivate(context.WithoutCancel(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	db := p.Open(t)
	repo, err := db.EnsureRepo(ctx, postgres.RepoInput{Root: "/srv/killed", Name: "killed"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := db.EnsureModel(ctx, repo.ID, postgres.Model{Name: "builtin", Version: "1", Dimension: 256, Digest: [32]byte{9}}, []byte("model"))
	if err != nil {
		t.Fatal(err)
	}
	hashes, vectors := vectorsOf(rand.New(rand.NewPCG(3, 4)), 2000, 256)
	if err := db.PutVectors(ctx, repo.ID, m, hashes, vectors); err != nil {
		t.Fatal(err)
	}
	db.Close()
	p.Kill(t)
	p.Restart(t)
	db = p.Open(t)
	gotHashes, gotVectors := readVectors(t, db, repo.ID, m.ID)
	if !slices.Equal(gotHashes, hashes) || !slices.Equal(gotVectors, vectors) {
		t.Fatal("the vectors read back after the kill are not those that were stored")
	}
	if b, err := db.ModelBytes(ctx, repo.ID, m.ID); err != nil || string(b) != "model" {
		t.Fatalf("the model read back after the kill: %q, %v", b, err)
	}
}

// TestSearchLog proves retention, opt-out, and the list of what found nothing.
func TestSearchLog(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	ctx := t.Context()
	repo, err := db.EnsureRepo(ctx, postgres.RepoInput{Root: "/srv/log", Name: "log"})
	if err != nil {
		t.Fatal(err)
	}
	const keep = 24 * time.Hour
	for _, s := range []postgres.Search{
		{Mode: "text", Query: "found", Results: 3, Took: 1500 * time.Microsecond},
		{Mode: "text", Query: "nothing", Took: time.Millisecond},
		{Mode: "text", Query: "nothing", Took: time.Millisecond},
		{Mode: "hybrid", Query: "once"},
		{Mode: "regex", Query: "cut off", Partial: true},
		{Mode: "text", Query: "bad \x00\xff" + strings.Repeat("é", 3000)},
	} {
		s.Repo = repo.ID
		if err := db.LogSearch(ctx, s, keep); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.LogSearch(ctx, postgres.Search{Repo: repo.ID, Mode: "text", Query: "private"}, 0); err != nil {
		t.Fatal(err)
	}
	all, err := db.Searches(ctx, postgres.SearchesInput{Repo: repo.ID, Limit: 100})
	if err != nil || len(all) != 6 {
		t.Fatalf("%d searches recorded (%v), want 6 without the one that was opted out", len(all), err)
	}
	if last := all[5]; last.Query != "found" || last.Results != 3 || last.Took != 1500*time.Microsecond || last.Repository != "log" {
		t.Errorf("the first search reads back as %+v", last)
	}
	empty, err := db.Searches(ctx, postgres.SearchesInput{Repo: repo.ID, Empty: true, Limit: 2})
	if err != nil || len(empty) != 2 || empty[0].Query != "nothing" || empty[0].Times != 2 {
		t.Errorf("searches without results: %+v, %v", empty, err)
	}
	for _, e := range empty {
		if e.Query == "cut off" {
			t.Error("a partial answer is no proof that there is nothing")
		}
	}
	admin := d.Connect(t, d.Admin)
	if _, err := admin.Exec(ctx, `update search_log set at = at - interval '2 days' where query = 'nothing'`); err != nil {
		t.Fatal(err)
	}
	if err := db.LogSearch(ctx, postgres.Search{Repo: repo.ID, Mode: "text", Query: "later"}, keep); err != nil {
		t.Fatal(err)
	}
	if all, err = db.Searches(ctx, postgres.SearchesInput{Limit: 100}); err != nil || len(all) != 5 {
		t.Errorf("%d searches after the old ones' time was up (%v), want 5", len(all), err)
	}
	if n, err := db.DeleteSearches(ctx, repo.ID); err != nil || n != 5 {
		t.Errorf("deleted %d (%v), want 5", n, err)
	}
}

// TestChunksAreReplacedByVersion proves that chunks of another version give way, that
// what is known is told, and that a word in more chunks than a row holds is found.
func TestChunksAreReplacedByVersion(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	ctx := t.Context()
	lease := acquire(t, db, "/srv/chunks", "head")
	many := postgres.FileChunks{PathID: 1, BlobID: 1, Path: "src/many.go"}
	for i := range int32(600) {
		many.Chunks = append(many.Chunks, postgres.Chunk{Hash: [32]byte{byte(i), byte(i >> 8)}, Kind: code.KindFunction, Line: i, EndLine: i, Title: "f\x1f\x00", Name: "retryRequest", Doc: "common " + strings.Repeat("word", int(i%7))})
	}
	put := func(version int32, files ...postgres.FileChunks) {
		t.Helper()
		if err := lease.PutChunks(ctx, version, func(yield func(postgres.FileChunks, error) bool) {
			for _, f := range files {
				if !yield(f, nil) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(1, many, postgres.FileChunks{PathID: 2, BlobID: 7}, postgres.FileChunks{PathID: 3, BlobID: 1, Chunks: many.Chunks[:1]})
	admin := d.Connect(t, d.Admin)
	count := func(want string) {
		t.Helper()
		var got string
		if err := admin.QueryRow(ctx, `select string_agg(path_id || ':' || version || ':' || parts || ':' || n, ' ' order by path_id)
			from (select path_id, version, count(*) as parts, sum(cardinality(kinds)) as n from chunk_block group by 1, 2) s`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("chunks stored: %s, want %s", got, want)
		}
	}
	count("1:1:3:600 3:1:1:1")
	many.Chunks = many.Chunks[:2]
	put(2, many)
	count("1:2:1:2 3:1:1:1")
	known, err := db.KnownChunks(ctx, lease.Repo(), 2)
	if err != nil || len(known) != 1 || !known[postgres.ChunkPlace{PathID: 1, BlobID: 1}] {
		t.Errorf("known of version 2: %v, %v", known, err)
	}
	failed := errors.New("no text")
	if err := lease.PutChunks(ctx, 2, func(yield func(postgres.FileChunks, error) bool) { yield(postgres.FileChunks{}, failed) }); !errors.Is(err, failed) {
		t.Errorf("a source that fails: %v", err)
	}
	if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := lease.PutChunks(ctx, 3, func(yield func(postgres.FileChunks, error) bool) { yield(many, nil) }); err == nil {
		t.Error("chunks were stored without the lease")
	}
}
