package search

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/query"
)

// snapshot is a repository of Go files with its graph and its corpus. read counts
// the texts and documents that were asked for.
type snapshot struct {
	g      *graph.Graph
	corpus Corpus
	texts  []string
	docs   []string
}

func snap(t testing.TB, files map[string]string) *snapshot {
	t.Helper()
	s := &snapshot{}
	var paths []string
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	digest := sha256.New()
	for _, p := range paths {
		fmt.Fprintf(digest, "%q %q\n", p, files[p])
	}
	s.corpus.Digest = [32]byte(digest.Sum(nil))
	b := graph.NewBuilder(s.corpus.Digest)
	language := golang.Language()
	documents := make([]*code.Document, len(paths))
	for i, p := range paths {
		text := files[p]
		f := File{Path: p, Hash: sha256.Sum256([]byte(text)), Size: int64(len(text)), Text: true}
		gf := graph.File{Path: p, Language: "Go", Size: uint32(len(text)), Hash: f.Hash, Scope: "scip-go gomod m . " + filepath.Dir(p) + "/", Package: true}
		if strings.HasSuffix(p, ".go") {
			documents[i] = language.NewExtractor().Extract(t.Context(), lang.Input{Text: []byte(text), Dialect: "go"})
			f.Reader = "go/1"
		} else {
			gf.State, gf.Language, gf.Scope, gf.Package = graph.StateUnsupported, "Markdown", "", false
		}
		s.corpus.Files = append(s.corpus.Files, f)
		if err := b.AddFile(gf, documents[i], nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.corpus.Texts = func(_ context.Context, list []int, yield func(int, []byte) error) error {
		for _, f := range list {
			s.texts = append(s.texts, paths[f])
			if err := yield(f, []byte(files[paths[f]])); err != nil {
				return err
			}
		}
		return nil
	}
	s.corpus.Documents = func(_ context.Context, list []int) ([]*code.Document, error) {
		out := make([]*code.Document, len(list))
		for i, f := range list {
			s.docs = append(s.docs, paths[f])
			out[i] = documents[f]
		}
		return out, nil
	}
	var err error
	if s.g, err = b.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// open makes and opens the index.
func (s *snapshot) open(t testing.TB, dir string) *Index {
	t.Helper()
	if _, err := Update(t.Context(), UpdateInput{Dir: dir, Corpus: s.corpus}); err != nil {
		t.Fatal(err)
	}
	x, err := Open(dir, s.g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// ask searches and gives the places.
func ask(t testing.TB, x *Index, text string, how func(context.Context, Request) (*Found, error)) (out []string) {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	found, err := how(t.Context(), Request{Text: text, Query: q, Limit: 10})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, r := range found.Results {
		name := r.Title
		if r.Def != graph.None {
			name = x.g.QualifiedName(r.Def)
		}
		out = append(out, fmt.Sprintf("%s:%d %s", x.g.Path(r.File), r.Line+1, name))
	}
	return out
}

// garden is a repository of n files about different things.
func garden(n int) map[string]string {
	things := []string{"retry", "lease", "snapshot", "cursor", "parser", "token", "vector", "socket", "ledger", "beacon"}
	files := map[string]string{"README.md": "# Garden\n\n## Watering\n\nWater the roses.\n"}
	for i := range n {
		a, b := things[i%10], things[i/10%10]
		upper := strings.ToUpper(a[:1]) + a[1:] + strings.ToUpper(b[:1]) + b[1:]
		files[fmt.Sprintf("p%02d/f%03d.go", i%7, i)] = fmt.Sprintf("package p%02d\n\n// Make%s%d makes a %s for the %s number %d.\nfunc Make%s%d(x int) int {\n\treturn x + %d\n}\n\ntype %s%d struct{ %s int }\n", i%7, upper, i, a, b, i, upper, i, i, upper, i, b)
	}
	return files
}

func TestEveryWayFindsAndFiltersHold(t *testing.T) {
	t.Parallel()
	x := snap(t, garden(60)).open(t, t.TempDir())
	first := func(text, want string, how func(context.Context, Request) (*Found, error)) {
		t.Helper()
		got := ask(t, x, text, how)
		if want == "" && len(got) == 0 {
			return
		}
		if len(got) == 0 || got[0] != want {
			t.Errorf("%s: %q, want first %q", text, got, want)
		}
	}
	first("MakeRetryLease10", "p03/f010.go:4 MakeRetryLease10", x.Ranked)
	first("sym:MakeRetryLease10", "p03/f010.go:4 MakeRetryLease10", x.ByName)
	first("MakeRetryLeas10", "p03/f010.go:4 MakeRetryLease10", x.Ranked)
	first("watering roses", "README.md:3 Garden > Watering", x.Ranked)
	first("lease number 10", "p03/f010.go:4 MakeRetryLease10", x.ByWords)
	first("RetryLease10 kind:struct", "p03/f010.go:8 RetryLease10", x.ByWords)
	first("lease number 10 -file:p03", "", func(ctx context.Context, r Request) (*Found, error) {
		found, err := x.ByWords(ctx, r)
		if err == nil {
			for _, res := range found.Results {
				if strings.HasPrefix(x.g.Path(res.File), "p03/") {
					t.Errorf("-file:p03 let %s through", x.g.Path(res.File))
				}
			}
			found.Results = nil
		}
		return found, err
	})
	first(`"Water the roses"`, "README.md:3 Garden > Watering", x.Ranked)
	first("kind:struct sym:RetryLease10", "p03/f010.go:8 RetryLease10", x.Ranked)
	first("lang:markdown water", "README.md:3 Garden > Watering", x.Ranked)
	first("zzzqqq", "", x.ByName)
	if got := ask(t, x, "something that makes a lease", x.ByMeaning); len(got) == 0 || !strings.Contains(strings.Join(got, " "), "Lease") {
		t.Errorf("by meaning: %q", got)
	}
	for text, want := range map[string]string{"lang:cobol x": "at character 6", "kind:thing": "at character 6", "x file:/(/": "regex"} {
		q, err := query.Parse(text)
		if err == nil {
			_, err = x.Ranked(t.Context(), Request{Text: text, Query: q, Limit: 1})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestUpdateReadsWhatIsNew proves that a second snapshot with one changed file reads
// that file only, that both snapshots are served meanwhile, and that the answers by
// name and text are those of an index made from nothing.
func TestUpdateReadsWhatIsNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := garden(80)
	old := snap(t, files)
	before := old.open(t, dir)
	files["p01/f001.go"] = strings.ReplaceAll(files["p01/f001.go"], "makes a lease", "makes a perpetuum")
	now := snap(t, files)
	after := now.open(t, dir)
	if diff := cmp.Diff([]string{"p01/f001.go"}, now.texts); diff != "" {
		t.Errorf("texts that were read: %s", diff)
	}
	if slices.Sort(now.docs); !slices.Equal(slices.Compact(now.docs), []string{"p01/f001.go"}) {
		t.Errorf("files that were cut again: %q", now.docs)
	}
	if got := ask(t, after, "perpetuum", after.Ranked); len(got) == 0 || !strings.HasPrefix(got[0], "p01/f001.go:4 ") {
		t.Errorf("the new text: %q", got)
	}
	if got := ask(t, before, `"makes a perpetuum"`, before.Ranked); len(got) > 0 {
		t.Errorf("the snapshot before has the new text: %q", got)
	}
	if st := after.Stats(); st.Segments != 2 || st.Stored != st.Chunks+3 {
		t.Errorf("sizes after: %+v", st)
	}
	clean := snap(t, files).open(t, t.TempDir())
	for _, text := range []string{"MakeSnapshotCursor32", "sym:Lease", "kind:struct Beacon", `"makes a retry"`, "perpetuum"} {
		if diff := cmp.Diff(ask(t, clean, text, clean.ByName), ask(t, after, text, after.ByName)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if err := Sweep(dir, [][32]byte{now.corpus.Digest}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, old.g); !Damaged(err) {
		t.Errorf("the swept snapshot opens: %v", err)
	}
	again, err := Open(dir, now.g)
	if err != nil {
		t.Fatalf("after the sweep: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestManyUpdatesStayFew edits a file again and again: segments are put together, and what is dead is dropped.
func TestManyUpdatesStayFew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := garden(40)
	for i := range 25 {
		files["p01/f001.go"] = fmt.Sprintf("package p01\n\n// Edit%d is the edit that was made as number %d.\nfunc Edit%d() int { return %d }\n", i, i, i, i)
		files[fmt.Sprintf("p01/new%02d.go", i)] = fmt.Sprintf("package p01\n\nfunc New%d() int { return 1 }\n", i)
		s := snap(t, files)
		if _, err := Update(t.Context(), UpdateInput{Dir: dir, Corpus: s.corpus, NoVectors: true}); err != nil {
			t.Fatal(err)
		}
		x, err := Open(dir, s.g)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, x, fmt.Sprintf("sym:Edit%d", i), x.ByName); len(got) == 0 || got[0] != fmt.Sprintf("p01/f001.go:4 Edit%d", i) {
			t.Fatalf("edit %d: %q", i, got)
		}
		if got := ask(t, x, "New3 returns", x.ByWords); i >= 3 && (len(got) == 0 || got[0] != "p01/new03.go:3 New3") {
			t.Fatalf("edit %d: New3 gives %q", i, got)
		}
		if st := x.Stats(); st.Segments > manySegments+1 || st.Stored > 2*st.Chunks+10 {
			t.Fatalf("edit %d: %+v", i, st)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		if err := Sweep(dir, [][32]byte{s.corpus.Digest}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamageIsFoundAndMended damages or removes each file in turn.
func TestDamageIsFoundAndMended(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := snap(t, garden(60))
	x := s.open(t, dir)
	want := ask(t, x, "lease for the retry", x.Ranked)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 6 {
		t.Fatalf("only %d search files", len(entries))
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		for _, damage := range []func(b []byte) []byte{
			func(b []byte) []byte { return b[:len(b)/2] },
			func(b []byte) []byte { b[len(b)*2/3] ^= 0x55; return b },
			func(b []byte) []byte { return nil },
		} {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if b = damage(b); b == nil {
				err = os.Remove(path)
			} else if err = os.Remove(path); err == nil {
				err = os.WriteFile(path, b, 0o600) // another file: what is open keeps its own
			}
			if err != nil {
				t.Fatal(err)
			}
			y, err := Open(dir, s.g)
			if err == nil { // only what is looked at shows damage; the index of texts is looked at block by block
				err = y.texts.Verify(t.Context())
				if err == nil {
					_, err = y.embedder()
				}
				if e := y.Close(); e != nil {
					t.Fatal(e)
				}
			}
			if !Damaged(err) {
				t.Fatalf("%s: damage gives %v", e.Name(), err)
			}
			if _, err := Update(t.Context(), UpdateInput{Dir: dir, Corpus: s.corpus, Distrust: true}); err != nil {
				t.Fatalf("%s: mending: %v", e.Name(), err)
			}
			y, err = Open(dir, s.g)
			if err != nil {
				t.Fatalf("%s: after mending: %v", e.Name(), err)
			}
			if diff := cmp.Diff(want, ask(t, y, "lease for the retry", y.Ranked)); diff != "" {
				t.Errorf("%s: other answers after mending: %s", e.Name(), diff)
			}
			if err := y.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCancelledSearchesEnd(t *testing.T) {
	t.Parallel()
	x := snap(t, garden(60)).open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q, err := query.Parse("lease retry")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Ranked(ctx, Request{Text: "lease retry", Query: q, Limit: 5}); err == nil {
		t.Error("a cancelled search gave an answer")
	}
}

// TestCommonTextsAreConditionsToo asks with a phrase that more files have than are looked at beforehand.
func TestCommonTextsAreConditionsToo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := snap(t, garden(commonText+30))
	if _, err := Update(t.Context(), UpdateInput{Dir: dir, Corpus: s.corpus, NoVectors: true}); err != nil {
		t.Fatal(err)
	}
	x, err := Open(dir, s.g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	if got := ask(t, x, `"func Make" lang:markdown`, x.Ranked); len(got) > 0 {
		t.Errorf("files without the phrase: %q", got)
	}
	if got := ask(t, x, `/func Make\w+/ MakeRetryLease10`, x.Ranked); len(got) == 0 || got[0] != "p03/f010.go:4 MakeRetryLease10" {
		t.Errorf("with the regex: %q", got)
	}
	if got := ask(t, x, `roses or "func Make"`, x.Ranked); len(got) == 0 {
		t.Error("one of two was not enough")
	}
	if got := ask(t, x, `roses -"func Make"`, x.Ranked); len(got) == 0 || got[0] != "README.md:3 Garden > Watering" {
		t.Errorf("without the phrase: %q", got)
	}
	if _, err := x.ByMeaning(t.Context(), Request{Text: "roses", Query: query.Query{Root: query.Text{Value: query.Value{Text: "roses"}}}}); err == nil || !strings.Contains(err.Error(), "no vectors") {
		t.Errorf("by meaning without vectors: %v", err)
	}
}
