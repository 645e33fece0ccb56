// Package langtest holds every language to the same laws. A language's test is
// one call of Run over a folder of inputs:
//
//	testdata/
//		scopes.go            an input, read as a file named scopes.go
//		scopes.go.snap       what the extractor says of it, under each line
//		broken.go.txt        an input whose name would confuse other tools: read as broken.go
//
// The snapshot is compared with the extractor's answer; `go test -update`
// rewrites it. The laws (see Laws) are checked for every input, for its
// truncations, for damaged copies and for deep nesting.
//
// Repository builds a lang.Repository out of a txtar archive, for tests of
// module systems. It may be imported by tests only.
package langtest

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manito/internal/code"
	"manito/internal/lang"
)

var update = flag.Bool("update", false, "rewrite the snapshots instead of comparing with them")

// Input is one file of a folder of inputs.
type Input struct {
	Base    string // the base name it is read under
	Dialect string
	Text    []byte
}

// Run compares the snapshots of dir and checks the laws over its inputs.
func Run(t *testing.T, l lang.Language, dir string) {
	t.Helper()
	inputs := Inputs(t, l, dir)
	if len(inputs) == 0 {
		t.Fatalf("%s holds no inputs", dir)
	}
	expected := map[string]bool{}
	for name, in := range inputs {
		expected[name+".snap"] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := Laws(t, l, in)
			compare(t, filepath.Join(dir, name+".snap"), Snapshot(in.Text, doc))
			Damage(t, l, in)
		})
	}
	t.Run("nesting", func(t *testing.T) {
		t.Parallel()
		for _, dialect := range dialects(inputs) {
			Nesting(t, l, dialect)
		}
	})
	snaps, err := filepath.Glob(filepath.Join(dir, "*.snap"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range snaps {
		if !expected[filepath.Base(s)] {
			t.Errorf("%s: the input of this snapshot is gone", s)
		}
	}
}

// Inputs reads the inputs of dir, by file name.
func Inputs(t testing.TB, l lang.Language, dir string) map[string]Input {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := l.NewExtractor()
	inputs := make(map[string]Input)
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".snap") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(e.Name(), ".txt")
		inputs[e.Name()] = Input{Base: base, Dialect: x.Dialect(base, Source(l, base)), Text: text}
	}
	return inputs
}

// Source names the source language of a base name: that of its extension, when
// the language reads it, else the language's first.
func Source(l lang.Language, base string) string {
	want := map[string]string{
		".go": "go", ".py": "python", ".pyi": "python", ".ts": "typescript", ".mts": "typescript", ".cts": "typescript",
		".tsx": "tsx", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "jsx",
	}[filepath.Ext(base)]
	for _, s := range l.Sources {
		if s == want {
			return s
		}
	}
	return l.Sources[0]
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no snapshot (go test -update writes it): %v", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := 0; i < len(g) || i < len(w); i++ {
		if line(g, i) != line(w, i) {
			t.Fatalf("%s:%d (go test -update rewrites it)\n got %q\nwant %q", path, i+1, line(g, i), line(w, i))
		}
	}
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

func dialects(inputs map[string]Input) []string {
	var all []string
	seen := map[string]bool{}
	for _, in := range inputs {
		if !seen[in.Dialect] {
			seen[in.Dialect] = true
			all = append(all, in.Dialect)
		}
	}
	return all
}

func extract(x lang.Extractor, dialect string, text []byte) *code.Document {
	return x.Extract(context.Background(), lang.Input{Text: text, Dialect: dialect})
}
