package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"runtime"
	"time"

	"manito/internal/trigram"
)

// makeIndex indexes the files whose paths are on standard input.
func makeIndex(ctx context.Context, dir string) error {
	var paths []string
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		paths = append(paths, lines.Text())
	}
	if err := lines.Err(); err != nil {
		return err
	}
	// As a scan does it: the hashes are known first, and the texts are read when they are asked for.
	snap := trigram.Snapshot{Files: make([]trigram.Hash, len(paths))}
	where := map[trigram.Hash]string{}
	for i, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		snap.Files[i] = sha256.Sum256(text)
		where[snap.Files[i]] = p
	}
	snap.Texts = func(_ context.Context, hashes []trigram.Hash, give func(trigram.Hash, []byte) error) error {
		for _, h := range hashes {
			text, err := os.ReadFile(where[h])
			if err == nil {
				err = give(h, text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	_, err := trigram.Update(ctx, dir, snap)
	return err
}

// request is what the program of an index reads, answer what it prints for each question.
type request struct {
	Questions []question `json:"questions"`
	Lines     int        `json:"lines"` // after which a search may stop; 0 for never
	Times     int        `json:"times"`
}

type answer struct {
	Wall  int64 `json:"wall_ns"` // the quickest time
	Lines int   `json:"lines"`
}

// answerAll answers the questions on standard input.
func answerAll(ctx context.Context, dir string) error {
	var r request
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return err
	}
	ix, err := trigram.Open(dir, [32]byte{})
	if err != nil {
		return err
	}
	answers := make([]answer, len(r.Questions))
	for round := range r.Times {
		for i, q := range r.Questions {
			start := time.Now()
			m, err := trigram.Compile(trigram.Pattern{Text: q.Text, Regexp: q.Regexp, Case: q.Case})
			if err != nil {
				return err
			}
			var found []trigram.File
			report, err := ix.Search(ctx, trigram.Has{Matcher: m}, trigram.Limits{Lines: r.Lines}, func(f trigram.File) bool {
				found = append(found, f)
				return true
			})
			if err != nil {
				return err
			}
			if took := int64(time.Since(start)); round == 0 || took < answers[i].Wall {
				answers[i].Wall = took
			}
			answers[i].Lines = report.Lines
		}
		runtime.GC()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		return err
	}
	return ix.Close()
}
