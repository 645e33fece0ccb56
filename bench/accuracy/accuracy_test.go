package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/bench/corpus"
)

// TestAccuracy scores every package against its committed answer key and holds the
// figures of each language to what is promised. Where a registry's client is
// missing, the language is skipped; in CI that is a failure.
func TestAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 350,000 lines of other people's code")
	}
	dir, err := corpus.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	byLanguage := map[string][]subject{}
	for _, s := range subjects() {
		byLanguage[s.language] = append(byLanguage[s.language], s)
	}
	for language, packages := range byLanguage {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			var all []*scores
			for _, s := range packages {
				r, err := scoreSubject(t.Context(), dir, "keys", s, 0)
				var away *corpus.Unavailable
				if errors.As(err, &away) && os.Getenv("CI") == "" {
					t.Skipf("not judged, because a package cannot be had on this machine: %v", err)
				}
				if err != nil {
					t.Fatalf("%s: %v", s.name(), err)
				}
				t.Logf("%s: imports right %s, found %s; calls right %s, found %s; complete %d of %d, refuted %d", r.Package, r.Imports.Right, r.Imports.Found,
					r.Calls.Right, r.Calls.Found, r.Completeness.Complete, r.Completeness.Asked, r.Completeness.Refuted)
				all = append(all, r)
			}
			for _, b := range totals(all)[0].breaches() {
				t.Error(b)
			}
		})
	}
}

// TestBreaches holds the limits to what they refuse.
func TestBreaches(t *testing.T) {
	t.Parallel()
	good := func() *total {
		return &total{language: "python", importsRight: share{99, 100}, importsFound: share{99, 100}, callsRight: share{95, 100}, callsFound: share{70, 100}, refuted: share{1, 100}}
	}
	if b := good().breaches(); len(b) != 0 {
		t.Errorf("figures at the limits are refused: %v", b)
	}
	for name, spoil := range map[string]func(*total){
		"imports right": func(s *total) { s.importsRight.Right-- },
		"imports found": func(s *total) { s.importsFound.Right-- },
		"calls right":   func(s *total) { s.callsRight.Right-- },
		"calls found":   func(s *total) { s.callsFound.Right-- },
		"refuted":       func(s *total) { s.refuted.Right++ },
		"nothing":       func(s *total) { s.callsFound = share{} },
	} {
		s := good()
		spoil(s)
		if b := s.breaches(); len(b) != 1 {
			t.Errorf("%s: %d breaches %v, want one", name, len(b), b)
		}
	}
}

// TestKeys reads every committed key back byte for byte and finds what it should hold.
func TestKeys(t *testing.T) {
	t.Parallel()
	total := 0
	for _, s := range subjects() {
		raw, err := os.ReadFile(s.keyFile("keys"))
		if err != nil {
			t.Errorf("%s is not judged: %v", s.name(), err)
			continue
		}
		total += len(raw)
		k, err := readKey(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: %v", s.name(), err)
			continue
		}
		calls := 0
		for _, f := range k.files {
			calls += len(f.calls)
		}
		if k.judge == "" || len(k.files) < 5 || calls < 100 {
			t.Errorf("%s: judge %q, %d files, %d calls", s.name(), k.judge, len(k.files), calls)
		}
		var again bytes.Buffer
		if err := k.write(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), raw) {
			t.Errorf("%s: the key that was read is written otherwise", s.name())
		}
	}
	if total > 3<<20 {
		t.Errorf("the keys have %d bytes, at most 3 MiB may be committed", total)
	}
	committed, err := filepath.Glob("keys/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range committed {
		if !slices.ContainsFunc(subjects(), func(s subject) bool { return s.keyFile("keys") == f }) {
			t.Errorf("%s belongs to no package", f)
		}
	}
}

// TestReport: the page is what the committed results say.
func TestReport(t *testing.T) {
	t.Parallel()
	all, err := readResults(filepath.Join("..", "..", resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", docFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(page), string(render(all))); diff != "" {
		t.Errorf("%s is stale; run go run ./bench/accuracy report:\n%s", docFile, diff)
	}
}
