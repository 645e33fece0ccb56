package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"manito/bench/corpus"
)

// fetched loads a corpus. Where a registry's client is missing the test is skipped;
// in CI that is a failure.
func fetched(t *testing.T, c corpusSpec) *loaded {
	t.Helper()
	dir, err := corpus.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	l, err := load(t.Context(), dir, c)
	var away *corpus.Unavailable
	if errors.As(err, &away) && os.Getenv("CI") == "" {
		t.Skipf("a package cannot be had on this machine: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLabelsAreSymbols: every label of both halves names a symbol of its corpus.
func TestLabelsAreSymbols(t *testing.T) {
	t.Parallel()
	for _, c := range corpora() {
		if !c.natural {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := places(fetched(t, c).files)
			for _, half := range halves(true) {
				all, err := readQuestions(questionFiles, half)
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range all {
					for label := range q.Relevant {
						if q.Corpus == c.name && len(at[label]) == 0 {
							t.Errorf("%s: there is no symbol %s", q.ID, label)
						}
					}
				}
			}
		})
	}
}

// TestHalvesAreBalanced: both halves hold as many questions of each corpus, together
// at least 160, no two the same.
func TestHalvesAreBalanced(t *testing.T) {
	t.Parallel()
	total, seen := 0, map[string]string{}
	count := map[Half]map[string]int{}
	for _, half := range halves(true) {
		all, err := readQuestions(questionFiles, half)
		if err != nil {
			t.Fatal(err)
		}
		count[half] = map[string]int{}
		for _, q := range all {
			c, err := corpusNamed(q.Corpus)
			if err != nil || !c.natural {
				t.Errorf("%s: corpus %q has no questions: %v", q.ID, q.Corpus, err)
			}
			for _, key := range []string{q.ID, q.Corpus + strings.ToLower(q.Query)} {
				if seen[key] != "" {
					t.Errorf("%s is there twice", key)
				}
				seen[key] = q.ID
			}
			count[half][q.Corpus]++
			total++
		}
	}
	if total < 160 {
		t.Errorf("there are %d questions, at least 160 are wanted", total)
	}
	if len(count[Dev]) < 3 {
		t.Errorf("questions over %d corpora, want 3", len(count[Dev]))
	}
	for c, n := range count[Dev] {
		if d := n - count[Final][c]; d < -1 || d > 1 {
			t.Errorf("%s: %d questions to tune on, %d for the final run", c, n, count[Final][c])
		}
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"other half":    `[{"id":"raft-f01","corpus":"raft","query":"q","relevant":{"a.go:b":2}}]`,
		"no query":      `[{"id":"raft-d01","corpus":"raft","query":" ","relevant":{"a.go:b":2}}]`,
		"no answer":     `[{"id":"raft-d01","corpus":"raft","query":"q","relevant":{"a.go:b":1}}]`,
		"no label":      `[{"id":"raft-d01","corpus":"raft","query":"q","relevant":{}}]`,
		"grade":         `[{"id":"raft-d01","corpus":"raft","query":"q","relevant":{"a.go:b":2,"a.go:c":3}}]`,
		"place":         `[{"id":"raft-d01","corpus":"raft","query":"q","relevant":{"b":2}}]`,
		"unknown field": `[{"id":"raft-d01","corpus":"raft","query":"q","relevant":{"a.go:b":2},"x":1}]`,
		"no JSON":       `[`,
	} {
		if _, err := readQuestions(fstest.MapFS{"questions/dev.json": {Data: []byte(text)}}, Dev); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestFinalIsReadByTheFinalRunOnly: no other run opens the second half, and nothing
// else in the repository names its file.
func TestFinalIsReadByTheFinalRunOnly(t *testing.T) {
	t.Parallel()
	if slices.Contains(halves(false), Final) || !slices.Contains(halves(true), Final) {
		t.Fatalf("halves: %v without -final, %v with it", halves(false), halves(true))
	}
	secret := string(Final) + ".json"
	err := filepath.WalkDir(filepath.Join("..", ".."), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base != ".." && (strings.HasPrefix(base, ".") || base == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		switch ext := filepath.Ext(name); {
		case ext != ".go" && ext != ".sh" && ext != ".yml" && ext != ".yaml" && d.Name() != "Makefile":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%s names %s", name, secret)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
