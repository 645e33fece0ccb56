package codeintel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// memory is a Snapshots over documents in memory: each ref is a snapshot with one function of that name.
type memory struct {
	feeds  atomic.Int32
	refuse atomic.Bool
	gate   chan struct{} // when set, Feed waits for it
}

func (m *memory) Current(_ context.Context, _, ref string) (Snapshot, error) {
	if ref == "none" {
		return Snapshot{}, problem.New(problem.NotFound, "no ref %s", ref)
	}
	return Snapshot{Digest: sha256.Sum256([]byte(ref)), ID: int32(len(ref))}, nil
}

func (m *memory) Feed(ctx context.Context, s Snapshot, b *graph.Builder) error {
	m.feeds.Add(1)
	if m.gate != nil {
		select {
		case <-m.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if m.refuse.Load() {
		return problem.New(problem.Unavailable, "the database is away")
	}
	var cb code.Builder
	cb.Begin("go", "go", []byte("func f() {}\n"))
	for range s.ID {
		cb.AddDef(code.Def{Name: cb.Name("f"), Kind: code.KindFunction, Parent: code.NoDef, End: 11, NameStart: 5})
	}
	return b.AddFile(graph.File{Path: "f.go", Scope: "go gomod m . m/", Package: true}, cb.Finish(), nil, nil)
}

func (m *memory) Text(Snapshot) TextSource { return nil }

func newShelf(t *testing.T, budget int64) (*Shelf, *memory, string) {
	t.Helper()
	dir := t.TempDir()
	m := &memory{}
	s := NewShelf(ShelfConfig{Snapshots: m, Budget: budget, File: func(d [32]byte) string { return filepath.Join(dir, "sub", hex.EncodeToString(d[:8])+".graph") }})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, m, dir
}

func symbols(x *Index) int { return x.Graph().Stats().Symbols }

func TestShelfMakesAGraphOnceForAll(t *testing.T) {
	t.Parallel()
	s, m, _ := newShelf(t, 1<<30)
	var g errgroup.Group
	for range 16 {
		g.Go(func() error {
			return s.Use(context.Background(), "r", "main", func(x *Index) error {
				if n := symbols(x); n != 4 {
					t.Errorf("%d symbols", n)
				}
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := m.feeds.Load(); n != 1 {
		t.Errorf("the graph was made %d times", n)
	}
}

func TestShelfFindsTheFileOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s, m, _ := newShelf(t, 0)
	use := func() {
		t.Helper()
		if err := s.Use(context.Background(), "r", "main", func(*Index) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	use()
	other := NewShelf(ShelfConfig{Snapshots: m, File: s.config.File})
	if err := other.Use(context.Background(), "r", "main", func(*Index) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := m.feeds.Load(); n != 1 {
		t.Errorf("the graph was made %d times", n)
	}
}

func TestShelfMakesDamagedFilesAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	snap, _ := (&memory{}).Current(ctx, "", "main")
	for name, damage := range map[string]func([]byte) []byte{
		"cut":             func(b []byte) []byte { return b[:len(b)/2] },
		"empty":           func([]byte) []byte { return nil },
		"another format":  func(b []byte) []byte { b[8] = 99; return b },
		"another's graph": func(b []byte) []byte { b[20] ^= 1; return b },
		"overwritten": func(b []byte) []byte {
			for i := 3000; i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, m, _ := newShelf(t, 0)
			ask := func() error {
				return s.Use(ctx, "r", "main", func(x *Index) error {
					_, err := x.Symbol(ctx, SymbolInput{Symbol: "f.go:f"})
					return err
				})
			}
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			file := s.config.File(snap.Digest)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := ask(); err != nil {
				t.Fatalf("it was not made again: %v", err)
			}
			if n := m.feeds.Load(); n != 2 {
				t.Errorf("the graph was made %d times", n)
			}
		})
	}
}

func TestShelfKeepsItsBudget(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, m, _ := newShelf(t, 0)
	var size int64
	use := func(ref string) {
		t.Helper()
		err := s.Use(ctx, "r", ref, func(x *Index) error {
			size = x.Graph().Bytes()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	use("a")
	if len(s.open) != 0 {
		t.Errorf("%d graphs are open without a budget", len(s.open))
	}
	s.config.Budget = 2*size + size/2
	for _, ref := range []string{"a", "bb", "a", "ccc"} {
		use(ref)
	}
	names := map[string]bool{}
	for _, ref := range []string{"a", "bb", "ccc"} {
		snap, _ := m.Current(ctx, "", ref)
		names[ref] = s.open[snap.Digest] != nil
	}
	if !names["a"] || names["bb"] || !names["ccc"] {
		t.Errorf("open: %v; bb was used longest ago and should be gone", names)
	}
	// What is in use stays open over the budget, and works.
	s.config.Budget = 0
	err := s.Use(ctx, "r", "a", func(x *Index) error {
		use("bb")
		if symbols(x) != 1 {
			t.Error("it was closed while in use")
		}
		return nil
	})
	if err != nil || len(s.open) != 0 {
		t.Errorf("%d open, %v", len(s.open), err)
	}
}

func TestShelfPassesFailuresOn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, m, _ := newShelf(t, 1<<30)
	nothing := func(*Index) error { return nil }
	if err := s.Use(ctx, "r", "none", nothing); problem.KindOf(err) != problem.NotFound {
		t.Errorf("%v", err)
	}
	m.refuse.Store(true)
	if err := s.Use(ctx, "r", "main", nothing); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("%v", err)
	}
	m.refuse.Store(false)
	if err := s.Use(ctx, "r", "main", nothing); err != nil {
		t.Errorf("after a failure: %v", err)
	}
	own := errors.New("mine")
	if err := s.Use(ctx, "r", "main", func(*Index) error { return own }); !errors.Is(err, own) {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Use(ctx, "r", "main", nothing); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("after Close: %v", err)
	}
}

// TestShelfSurvivesImpatience: whoever waits for a graph that another caller stopped making gets it all the same.
func TestShelfSurvivesImpatience(t *testing.T) {
	t.Parallel()
	s, m, _ := newShelf(t, 1<<30)
	m.gate = make(chan struct{})
	impatient, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		if err := s.Use(impatient, "r", "main", func(*Index) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("the impatient caller got %v", err)
		}
	}()
	for m.feeds.Load() == 0 { // until it is making the graph
		select {
		case <-impatient.Done():
		default:
		}
	}
	done := make(chan error)
	go func() {
		done <- s.Use(context.Background(), "r", "main", func(*Index) error { return nil })
	}()
	stop()
	wg.Wait()
	close(m.gate)
	if err := <-done; err != nil {
		t.Errorf("the patient caller got %v", err)
	}
}
