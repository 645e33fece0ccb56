package trigram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/trigram"
)

// update brings a folder up to date.
func update(t failer, dir string, snap trigram.Snapshot) trigram.Change {
	t.Helper()
	change, err := trigram.Update(context.Background(), dir, snap)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func segments(t failer, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.segment"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestIncremental changes a tree step by step: each index must answer as one that
// was made at once, and those that are open must not notice.
func TestIncremental(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		index, fresh := scratch(t, rt)
		tr := trees(true).Draw(rt, "tree")
		first := open(rt, index, tr)
		defer first.Close()
		x := has(rt, literals(tr).Draw(rt, "literal"))
		before, _ := search(rt, first, x, trigram.Limits{})
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			next := slices.Clone(tr)
			other := trees(true).Draw(rt, "other")
			next[rapid.IntRange(0, len(next)-1).Draw(rt, "file")] = other[0]
			if rapid.Bool().Draw(rt, "longer") {
				next = append(next, other...)
			}
			tr = next
			ix := open(rt, index, tr)
			got, _ := search(rt, ix, x, trigram.Limits{})
			dir, err := os.MkdirTemp(fresh, "")
			if err != nil {
				rt.Fatal(err)
			}
			whole := open(rt, dir, tr)
			want, _ := search(rt, whole, x, trigram.Limits{})
			if d := cmp.Diff(want, got); d != "" {
				rt.Fatal(d)
			}
			if err := errors.Join(ix.Verify(rt.Context()), ix.Close(), whole.Close()); err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(rt, "sweep") == 0 {
				age(rt, index)
				if _, err := trigram.Sweep(index, [][32]byte{tr.snapshot().Digest}); err != nil {
					rt.Fatal(err)
				}
			}
		}
		again, _ := search(rt, first, x, trigram.Limits{})
		if d := cmp.Diff(before, again); d != "" {
			rt.Fatal(d)
		}
	})
}

// age makes all files of a folder a day old.
func age(t failer, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-24 * time.Hour)
	for _, e := range entries {
		if err := os.Chtimes(filepath.Join(dir, e.Name()), old, old); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyNewTextsAreAdded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tr := make(tree, 100)
	for i := range tr {
		tr[i] = fmt.Appendf(nil, "text %d\n", i)
	}
	if c := update(t, dir, tr.snapshot()); c.Added != 100 || c.Moved != 0 || c.Segments != 1 {
		t.Errorf("first: %+v", c)
	}
	if c := update(t, dir, tr.snapshot()); c.Added != 0 || c.Moved != 0 || c.Bytes != 0 {
		t.Errorf("again: %+v", c)
	}
	most := 0
	for i := range 30 {
		tr[i] = fmt.Appendf(nil, "changed %d\n", i)
		c := update(t, dir, tr.snapshot())
		if c.Added != 1 || c.Moved > 40 {
			t.Errorf("change %d: %+v", i, c)
		}
		most = max(most, c.Segments)
	}
	if most < 3 || most > 9 {
		t.Errorf("there were up to %d segments", most)
	}
	// Most of what is there is used no more.
	c := update(t, dir, tr[:20].snapshot())
	if c.Added != 0 || c.Segments > 9 {
		t.Errorf("few are left: %+v", c)
	}
	age(t, dir)
	if _, err := trigram.Sweep(dir, [][32]byte{tr[:20].snapshot().Digest}); err != nil {
		t.Fatal(err)
	}
	if n := len(segments(t, dir)); n != c.Segments {
		t.Errorf("%d segments are kept for an index of %d", n, c.Segments)
	}
	ix, err := trigram.Open(dir, tr[:20].snapshot().Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	for i := range 20 {
		text, ok, err := ix.Text(uint32(i))
		if err != nil || !ok || !bytes.Equal(text, tr[i]) {
			t.Errorf("text %d is %q, %v, %v", i, text, ok, err)
		}
	}
	if _, ok, err := ix.Text(20); ok || err != nil {
		t.Errorf("there is a text too many: %v", err)
	}
}

func TestSameInputSameFiles(t *testing.T) {
	t.Parallel()
	tr := tree{[]byte("one\n"), []byte("two\n"), nil, []byte("one\n"), []byte{}}
	var all []map[string]string
	for range 2 {
		dir := t.TempDir()
		update(t, dir, tr.snapshot())
		files := map[string]string{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = string(text)
		}
		all = append(all, files)
	}
	if d := cmp.Diff(all[0], all[1]); d != "" || len(all[0]) != 2 {
		t.Errorf("%d files, %s", len(all[0]), d)
	}
}

// TestDamage changes every part of the files: a search never gives a wrong answer
// silently, and an update mends it.
func TestDamage(t *testing.T) {
	t.Parallel()
	tr := tree{}
	for i := range 40 {
		tr = append(tr, []byte(strings.Repeat(fmt.Sprintf("needle %d in a text\n", i), 30)))
	}
	snap := tr.snapshot()
	origin := t.TempDir()
	update(t, origin, snap)
	whole, err := trigram.Open(origin, snap.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	want, _ := search(t, whole, has(t, "needle 7 "), trigram.Limits{})
	entries, err := os.ReadDir(origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		good, err := os.ReadFile(filepath.Join(origin, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		cuts := map[string][]byte{"empty": {}, "cut": good[:len(good)/2], "short": good[:len(good)-1], "long": append(bytes.Clone(good), 0), "version": append(append(bytes.Clone(good[:8]), 99), good[9:]...), "magic": append([]byte("X"), good[1:]...)}
		for at := 0; at < len(good); at += max(1, len(good)/150) {
			b := bytes.Clone(good)
			b[at] ^= 1 << (at % 8)
			cuts[fmt.Sprintf("byte %d", at)] = b
		}
		for what, bad := range cuts {
			dir := t.TempDir()
			for _, f := range entries {
				text, err := os.ReadFile(filepath.Join(origin, f.Name()))
				if err == nil && f.Name() == e.Name() {
					text = bad
				}
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, f.Name()), text, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			damaged := func(err error) bool { return errors.Is(err, trigram.ErrCorrupt) || errors.Is(err, trigram.ErrVersion) }
			ix, err := trigram.Open(dir, snap.Digest)
			if err != nil {
				if !damaged(err) {
					t.Fatalf("%s of %s: %v", what, e.Name(), err)
				}
			} else {
				var got []trigram.File
				_, err := ix.Search(t.Context(), has(t, "needle 7 "), trigram.Limits{}, func(f trigram.File) bool { got = append(got, f); return true })
				if err != nil && !damaged(err) || err == nil && !cmp.Equal(want, got) {
					t.Fatalf("%s of %s: %v, %d files", what, e.Name(), err, len(got))
				}
				if err := ix.Verify(t.Context()); err != nil && !damaged(err) {
					t.Fatal(err)
				}
				if err := ix.Close(); err != nil {
					t.Fatal(err)
				}
			}
			again := snap
			again.Distrust = true
			update(t, dir, again)
			mended, err := trigram.Open(dir, snap.Digest)
			if err != nil {
				t.Fatalf("%s of %s is not mended: %v", what, e.Name(), err)
			}
			got, _ := search(t, mended, has(t, "needle 7 "), trigram.Limits{})
			if err := errors.Join(mended.Verify(t.Context()), mended.Close()); err != nil || !cmp.Equal(want, got) {
				t.Fatalf("%s of %s is not mended: %v, %d files", what, e.Name(), err, len(got))
			}
		}
	}
}

// TestCutWhileMapped cuts a file off under an open index.
func TestCutWhileMapped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tr := tree{}
	for i := range 400 {
		tr = append(tr, []byte(strings.Repeat(fmt.Sprintf("needle %x in a text\n", i*7919), 300)))
	}
	ix := open(t, dir, tr)
	defer ix.Close()
	if err := os.Truncate(segments(t, dir)[0], 8192); err != nil {
		t.Fatal(err)
	}
	_, err := ix.Search(t.Context(), has(t, "needle"), trigram.Limits{}, func(trigram.File) bool { return true })
	if !errors.Is(err, trigram.ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tr := tree{[]byte("one\n"), []byte("two\n")}
	good := tr.snapshot()
	update(t, dir, good)
	if _, err := trigram.Open(dir, [32]byte{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no manifest: %v", err)
	}
	if _, err := trigram.Update(t.Context(), filepath.Join(dir, "none"), good); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	next := tree{[]byte("one\n"), []byte("three\n")}.snapshot()
	away := errors.New("away")
	texts := next.Texts
	next.Texts = func(context.Context, []trigram.Hash, func(trigram.Hash, []byte) error) error { return away }
	if _, err := trigram.Update(t.Context(), dir, next); !errors.Is(err, away) {
		t.Errorf("texts that cannot be read: %v", err)
	}
	next.Texts = func(context.Context, []trigram.Hash, func(trigram.Hash, []byte) error) error { return nil }
	if _, err := trigram.Update(t.Context(), dir, next); err == nil || !strings.Contains(err.Error(), "1 of 1") {
		t.Errorf("texts that are not given: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	next.Texts = func(ctx context.Context, hashes []trigram.Hash, give func(trigram.Hash, []byte) error) error {
		cancel()
		return texts(ctx, hashes, give)
	}
	if _, err := trigram.Update(ctx, dir, next); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// The old index is as it was, and nothing unfinished is left.
	ix, err := trigram.Open(dir, good.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
	// What a killed process left goes when it is old.
	if err := os.WriteFile(filepath.Join(dir, "text-0123.segment"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := trigram.Sweep(dir, [][32]byte{good.Digest}); n != 0 || err != nil {
		t.Errorf("%d young files were removed, %v", n, err)
	}
	age(t, dir)
	if n, err := trigram.Sweep(dir, [][32]byte{good.Digest}); n != 1 || err != nil {
		t.Errorf("%d old files were removed, %v", n, err)
	}
}

// TestConcurrentUpdates runs updates of several snapshots at once.
func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	errs := make(chan error)
	const many = 8
	for i := range many {
		go func() {
			tr := tree{[]byte("shared needle\n"), fmt.Appendf(nil, "own needle %d\n", i/2)}
			snap := tr.snapshot()
			_, err := trigram.Update(context.Background(), dir, snap)
			if err == nil {
				var ix *trigram.Index
				if ix, err = trigram.Open(dir, snap.Digest); err == nil {
					report, searching := ix.Search(context.Background(), has(t, "needle"), trigram.Limits{}, func(trigram.File) bool { return true })
					if err = errors.Join(searching, ix.Close()); err == nil && report.Files != 2 {
						err = fmt.Errorf("%+v", report)
					}
				}
			}
			errs <- err
		}()
	}
	for range many {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
