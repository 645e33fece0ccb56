package mapfile_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"manito/internal/mapfile"
)

var format = mapfile.Format{Magic: "MANITOTT", Version: 3}

type arrays struct {
	a []uint8
	b []float32
	c []uint64
	d []int8
}

func (x *arrays) columns() []mapfile.Column {
	return []mapfile.Column{mapfile.Col(&x.a), mapfile.Col(&x.b), mapfile.Col(&x.c), mapfile.Col(&x.d)}
}

func sample() *arrays {
	return &arrays{a: []uint8{1, 2, 3}, b: []float32{1.5, -2, math.MaxFloat32}, c: []uint64{math.MaxUint64}, d: []int8{-7}}
}

func equal(x, y *arrays) bool {
	return slices.Equal(x.a, y.a) && slices.Equal(x.b, y.b) && slices.Equal(x.c, y.c) && slices.Equal(x.d, y.d)
}

func TestReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	want := sample()
	if err := format.Write(path, want.columns()...); err != nil {
		t.Fatal(err)
	}
	var got arrays
	f, err := format.Open(path, got.columns()...)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(&got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDamageIsFound changes every byte of a file once, cuts it at every length and asks for other columns.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	b, err := format.Bytes(sample().columns()...)
	if err != nil {
		t.Fatal(err)
	}
	var got arrays
	if err := format.Decode(b, true, got.columns()...); err != nil || !equal(&got, sample()) {
		t.Fatalf("%v, %v", got, err)
	}
	padding := 0
	for i := range b {
		c := slices.Clone(b)
		c[i] ^= 0x40
		switch err := format.Decode(c, true, new(arrays).columns()...); {
		case err == nil && b[i] == 0 && i >= 64+4*32:
			padding++ // between sections, where nobody reads
		case err == nil, !errors.Is(err, mapfile.ErrCorrupt) && !errors.Is(err, mapfile.ErrVersion):
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if padding > 3*64 {
		t.Errorf("%d changed bytes went unseen", padding)
	}
	for n := range b {
		if err := format.Decode(b[:n], true, new(arrays).columns()...); !errors.Is(err, mapfile.ErrCorrupt) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if err := format.Decode(b, true, new(arrays).columns()[:3]...); !errors.Is(err, mapfile.ErrCorrupt) {
		t.Errorf("other columns: %v", err)
	}
	other := mapfile.Format{Magic: format.Magic, Version: 4}
	if err := other.Decode(b, true, new(arrays).columns()...); !errors.Is(err, mapfile.ErrVersion) {
		t.Errorf("other version: %v", err)
	}
}

// TestTouchedFileIsVerified: a change inside a section is found on opening, because it leaves another time behind.
func TestTouchedFileIsVerified(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	if err := format.Write(path, sample().columns()...); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1]++
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := format.Open(path, new(arrays).columns()...); !errors.Is(err, mapfile.ErrCorrupt) {
		t.Errorf("a touched file: %v", err)
	}
	if _, err := format.Open(path+"y", new(arrays).columns()...); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
