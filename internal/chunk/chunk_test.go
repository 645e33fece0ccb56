package chunk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/chunk"
	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
)

func read(t testing.TB, l lang.Language, name, text string) []chunk.Chunk {
	t.Helper()
	x := l.NewExtractor()
	source := l.Sources[0]
	doc := x.Extract(t.Context(), lang.Input{Text: []byte(text), Dialect: x.Dialect(filepath.Base(name), source)})
	return chunk.Split(name, doc, []byte(text))
}

// lines prints chunks so that a test can say what it expects of them.
func lines(cs []chunk.Chunk) []string {
	var out []string
	for _, c := range cs {
		out = append(out, fmt.Sprintf("%d-%d %s %s | %s | %s | %s", c.Line+1, c.EndLine+1, c.Kind, c.Title(), c.Signature, flat(c.Doc), flat(c.Body)))
	}
	return out
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

const goFile = `// Copyright 2020 Somebody. All rights reserved.
// Use is governed by a licence.

// Package pool keeps connections.
//
//go:generate stringer
package pool

import "time"

const retries = 3

// Wait is how long to wait.
const Wait = time.Second

// Pool holds connections.
type Pool struct {
	size int // how many
	idle []conn
}

// Take waits for a connection.
func (p *Pool) Take(wait time.Duration) (conn, error) {
	return p.idle[0], nil
}

type conn interface {
	// Close ends it.
	Close() error
	Ping() bool
}
`

func TestGo(t *testing.T) {
	t.Parallel()
	want := []string{
		`1-31 file pool.go |  | Package pool keeps connections. | package pool import "time" const retries = 3`,
		`14-14 constant Wait | const Wait | Wait is how long to wait. | = time.Second`,
		`17-20 struct Pool | type Pool struct | Pool holds connections. | { size int // how many idle []conn }`,
		`23-25 method Pool.Take | func (p *Pool) Take(wait time.Duration) (conn, error) | Take waits for a connection. | { return p.idle[0], nil }`,
		`27-31 interface conn | type conn interface |  | { Close Ping() bool }`,
		`29-29 method conn.Close | Close() error | Close ends it. | `,
	}
	if d := cmp.Diff(want, lines(read(t, golang.Language(), "a/pool.go", goFile))); d != "" {
		t.Error(d)
	}
}

const pyFile = `#!/usr/bin/env python
"""Reads settings."""
import os

DEBUG = False

class Settings(Base):
    """All settings."""
    name = "x"

    def load(self, path):
        """Load them from a file."""
        return open(path)

def main():
    print(Settings().load(os.environ["X"]))
`

func TestPython(t *testing.T) {
	t.Parallel()
	got := lines(read(t, python.Language(), "settings.py", pyFile))
	want := []string{
		`1-16 file settings.py |  | Reads settings. | import os DEBUG = False`,
		`7-13 class Settings | class Settings(Base) | All settings. | : name = "x" load`,
		`11-13 method Settings.load | def load(self, path) | Load them from a file. | : return open(path)`,
		`15-16 function main | def main() |  | : print(Settings().load(os.environ["X"]))`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

const tsFile = `import {a} from "./a";

/**
 * Calls back later.
 * @param ms how late
 */
export const later = (ms: number) => {
  return a(ms);
};

export class Queue<T> {
  private items: T[] = [];
  /** Adds one. */
  push(item: T): void { this.items.push(item); }
}

later(3);
`

func TestTypeScript(t *testing.T) {
	t.Parallel()
	got := lines(read(t, typescript.Language(), "queue.ts", tsFile))
	for _, want := range []string{"Calls back later. @param ms how late", "method Queue.push | push(item: T): void | Adds one. | { this.items.push(item); }", "private items: T[] = []; push }", `import {a} from "./a";`} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	text := "intro\n\n# Install\nwith care\n\n## Docker\n```sh\n# not a heading\nrun\n```\nSetext\n------\nlast\n# End #\nx\n"
	want := []string{
		"1-2 file README.md |  |  | intro",
		"3-5 file Install |  |  | # Install with care",
		"6-10 file Install > Docker |  |  | ## Docker ```sh # not a heading run ```",
		"11-13 file Install > Setext |  |  | Setext ------ last",
		"14-15 file End |  |  | # End # x",
	}
	if d := cmp.Diff(want, lines(chunk.Split("docs/README.md", nil, []byte(text)))); d != "" {
		t.Error(d)
	}
	if got := chunk.Split("a/go.sum", nil, []byte("x")); got != nil {
		t.Errorf("a lock file gives %v", got)
	}
	if got := chunk.Split("a.bin", nil, []byte("x\x00y")); got != nil {
		t.Errorf("a binary gives %v", got)
	}
	for _, c := range chunk.Split("big.yaml", nil, []byte(strings.Repeat(strings.Repeat("key: value\n", 20)+"\n", 100))) {
		if len(c.Body) > 8<<10 {
			t.Errorf("a section of %d bytes", len(c.Body))
		}
	}
}

// TestHash: a chunk that only moved keeps its hash; any other change gives another.
func TestHash(t *testing.T) {
	t.Parallel()
	hashes := func(cs []chunk.Chunk) map[string][32]byte {
		out := map[string][32]byte{}
		for _, c := range cs {
			out[c.Title()] = c.Hash
		}
		return out
	}
	before := hashes(read(t, golang.Language(), "a/pool.go", goFile))
	moved := hashes(read(t, golang.Language(), "a/pool.go", strings.Replace(goFile, "\nconst retries", "\n\n\nconst retries", 1)))
	if d := cmp.Diff(before, moved); d != "" {
		t.Errorf("empty lines above: %s", d)
	}
	for _, edit := range [][2]string{{"p.idle[0], nil", "p.idle[1], nil"}, {"// Take waits", "// Take sleeps"}, {"(wait time", "(w time"}} {
		after := hashes(read(t, golang.Language(), "a/pool.go", strings.Replace(goFile, edit[0], edit[1], 1)))
		for title, h := range before {
			if changed := after[title] != h; changed != (title == "Pool.Take") {
				t.Errorf("%q for %q: the hash of %s changed: %v", edit[1], edit[0], title, changed)
			}
		}
	}
	if other := hashes(read(t, golang.Language(), "b/pool.go", goFile)); other["Pool.Take"] == before["Pool.Take"] {
		t.Error("the path is not part of the hash")
	}
}

// TestNothingIsLost: every word of the standard library's source that is not in a licence or directive is in a chunk of its file.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(runtime.GOROOT(), "src", "net", "http", "*.go"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files of net/http: %v", len(files), err)
	}
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z')
		})
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for _, c := range read(t, golang.Language(), filepath.Base(f), string(text)) {
			if len(c.Body) > chunk.MaxBody*9/10 || len(c.Doc) > chunk.MaxDoc*3/4 {
				have = nil
				break
			}
			for _, w := range words(c.Context() + " " + c.Name + " " + c.Doc + " " + c.Body) {
				have[w] = true
			}
		}
		if have == nil {
			continue // bounded
		}
		for i, line := range strings.Split(string(text), "\n") {
			if i < 6 || strings.HasPrefix(strings.TrimSpace(line), "//") {
				continue
			}
			for _, w := range words(line) {
				if !have[w] {
					t.Errorf("%s:%d: %q is in no chunk", f, i+1, w)
				}
			}
		}
	}
}

// TestAnyText: places are inside of the file and in order, parts within their bounds, whatever the file holds.
func TestAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("(#{0,3} ?[a-z é]{0,6}\n|===\n|```\n|\n|/\\*|\"\"\"|// x\n){0,40}").Draw(t, "text")
		name := rapid.SampledFrom([]string{"a.md", "a.rst", "a.yaml", "Makefile"}).Draw(t, "name")
		at := uint32(0)
		kept := 0
		for _, c := range chunk.Split(name, nil, []byte(text)) {
			if c.Start < at || c.End < c.Start || int(c.End) > len(text) || c.EndLine < c.Line || int(c.EndLine) > strings.Count(text, "\n") {
				t.Fatalf("%q: %d-%d, lines %d-%d after %d", text, c.Start, c.End, c.Line, c.EndLine, at)
			}
			if strings.TrimSpace(text[c.Start:c.End]) != c.Body || c.Kind != code.KindFile {
				t.Fatalf("%q: body %q is not %q", text, c.Body, text[c.Start:c.End])
			}
			at = c.End
			kept += len(strings.Join(strings.Fields(c.Body), ""))
		}
		if want := len(strings.Join(strings.Fields(text), "")); kept != want {
			t.Fatalf("%q: %d bytes of %d kept", text, kept, want)
		}
	})
}

func TestTextKeepsItsLimit(t *testing.T) {
	t.Parallel()
	c := chunk.Chunk{Name: "a", Body: strings.Repeat("é", 100)}
	for limit := 1; limit < 30; limit++ {
		if s := c.Text(limit); len(s) > limit || strings.ContainsRune(s, '�') {
			t.Errorf("limit %d: %q", limit, s)
		}
	}
}
