package graph

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"manito/internal/code"
)

func TestDamagedFilesAreErrors(t *testing.T) {
	t.Parallel()
	g := build(t, flat(50, [][2]int{{0, 1}, {1, 2}, {2, 0}}, code.EdgeCalls))
	good := encode(t, g)
	dir := t.TempDir()
	path := filepath.Join(dir, "x.graph")
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{0, 1, headerSize - 1, headerSize, 500, len(good) / 2, len(good) - 1} {
		write(good[:n])
		if og, err := Open(path); err == nil {
			og.Close()
			t.Errorf("a file cut to %d of %d bytes was opened", n, len(good))
		} else if !strings.Contains(err.Error(), ErrCorrupt.Error()) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	write(append(slices.Clone(good), 0))
	if _, err := Open(path); err == nil {
		t.Error("a file with a byte too many was opened")
	}
	other := slices.Clone(good)
	other[8]++
	write(other)
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), ErrVersion.Error()) {
		t.Errorf("another version: %v", err)
	}
	// Any single byte that changes is found when the file is opened or verified.
	head := headerSize + entrySize*len(g.columns())
	for i := 0; i < len(good); i += 1 + i/64 {
		bad := slices.Clone(good)
		bad[i] ^= 0x40
		og, err := Decode(bad)
		if err == nil {
			err = og.Verify(context.Background())
		}
		if err == nil && !padding(g, i, head) {
			t.Fatalf("byte %d of %d changed and nobody noticed", i, len(good))
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("a missing file: %v", err)
	}
}

// padding says whether a byte lies between sections.
func padding(g *Graph, at, head int) bool {
	if at < head {
		return false
	}
	_, sections, _ := g.layout()
	off := int64(head)
	for _, s := range sections {
		off = (off + align - 1) &^ (align - 1)
		if int64(at) >= off && int64(at) < off+int64(len(s)) {
			return false
		}
		off += int64(len(s))
	}
	return true
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = u.Unwrap()
		if os.IsNotExist(err) {
			return err
		}
	}
}

// TestGuard: a query on a damaged mapped file, or one that shrinks while it is mapped, gives an error instead of a crash.
func TestGuard(t *testing.T) {
	t.Parallel()
	specs := flat(20000, [][2]int{{0, 1}, {1, 2}, {2, 0}}, code.EdgeCalls)
	good := encode(t, build(t, specs))
	query := func(g *Graph) (err error) {
		defer g.Guard(&err)()
		for n := range Node(g.NumNodes()) {
			_ = g.Symbol(n)
			for range g.In(n, AllKinds) {
			}
		}
		return nil
	}
	path := filepath.Join(t.TempDir(), "x.graph")
	open := func(b []byte) *Graph {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	g := open(good)
	if err := query(g); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}

	bad := slices.Clone(good)
	for i := len(bad) / 4; i < len(bad)*3/4; i++ {
		bad[i] = 0xee
	}
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), ErrCorrupt.Error()) {
		t.Fatalf("overwritten: %v", err)
	}
	// Damage that leaves the time alone is found when it makes a query fail.
	if err := os.Chtimes(path, sealTime(bad), sealTime(bad)); err != nil {
		t.Fatal(err)
	}
	g, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := query(g); err == nil || !strings.Contains(err.Error(), ErrCorrupt.Error()) {
		t.Fatalf("damaged: %v", err)
	}
	g.Close()

	// A sound file that was copied is sealed again.
	g = open(good)
	g.Close()
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(sealTime(good)) {
		t.Fatalf("the copy's time is %v (%v)", info.ModTime(), err)
	}

	g = open(good)
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if err := query(g); err == nil || !strings.Contains(err.Error(), ErrCorrupt.Error()) {
		t.Fatalf("cut while mapped: %v", err)
	}
	g.Close()
}

func TestGuardLetsDefectsThrough(t *testing.T) {
	t.Parallel()
	g, err := Decode(encode(t, build(t, flat(2, nil, code.EdgeCalls))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Fatal("the defect was taken for damage")
		}
	}()
	func() (err error) {
		defer g.Guard(&err)()
		_ = g.Symbol(Node(g.NumNodes()))
		return nil
	}()
}

func TestWriteFileIsWholeOrNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.graph")
	g := build(t, flat(5, [][2]int{{0, 1}}, code.EdgeCalls))
	left := filepath.Join(dir, ".mapped-killed")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(left, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over the first
		if err := g.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v, want the one file", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != g.Bytes() || !info.ModTime().Equal(sealTime(encode(t, g))) {
		t.Fatalf("size %d, want %d; time %v", info.Size(), g.Bytes(), info.ModTime())
	}
	if err := g.WriteFile(filepath.Join(dir, "no", "x.graph")); err == nil {
		t.Fatal("wrote into a folder that does not exist")
	}
}
