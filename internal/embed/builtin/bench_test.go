//go:build unix

package builtin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"manito/internal/chunk"
	"manito/internal/embed/builtin"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/vector"
)

// library is the Go standard library without its commands, in chunks, and its size.
func library(b *testing.B) (all []chunk.Chunk, size int64) {
	root := filepath.Join(runtime.GOROOT(), "src")
	x := golang.Language().NewExtractor()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "vendor" || p == filepath.Join(root, "cmd")):
			return filepath.SkipDir
		case !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		size += int64(len(text))
		all = append(all, chunk.Split(p[len(root)+1:], x.Extract(b.Context(), lang.Input{Text: text, Dialect: x.Dialect(d.Name(), "go")}), text)...)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return all, size
}

// vectors trains on chunks and embeds them.
func vectors(b *testing.B, all []chunk.Chunk) (*builtin.Model, *vector.Set) {
	m, err := builtin.Train(b.Context(), all)
	if err != nil {
		b.Fatal(err)
	}
	var codes []int8
	err = m.Chunks(b.Context(), all, func(_ int, vs [][]float32) error {
		for _, v := range vs {
			codes = vector.Quantize(codes, v)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return m, vector.New(m.Model().Dimension, codes, m.Model().Bytes())
}

// BenchmarkTrain reports how much source is trained on and embedded in a second of
// one busy processor (user and system time), and how many of the ten nearest to a
// question the fast search finds of those that the exact one finds.
func BenchmarkTrain(b *testing.B) {
	all, size := library(b)
	for b.Loop() {
		before := busy(b)
		m, set := vectors(b, all)
		b.ReportMetric(float64(size)/1e6/(busy(b)-before).Seconds(), "MB/CPU-s")
		found, asked := 0, 0
		for i := 0; i < len(all) && asked < 3000; i += 61 {
			if all[i].Doc == "" {
				continue
			}
			q, err := m.Query(b.Context(), all[i].Doc[:min(len(all[i].Doc), 120)])
			if err != nil {
				b.Fatal(err)
			}
			fast, _, err := set.Search(b.Context(), q, vector.Options{K: 10})
			if err != nil {
				b.Fatal(err)
			}
			exact, _, err := set.Search(b.Context(), q, vector.Options{K: 10, Mode: vector.Exact})
			if err != nil {
				b.Fatal(err)
			}
			for _, h := range exact {
				asked++
				if slices.Contains(fast, h) {
					found++
				}
			}
		}
		b.ReportMetric(float64(found)/float64(asked), "recall@10")
	}
	b.ReportMetric(float64(len(all)), "chunks")
}

// busy is the time for which this process has kept processors busy.
func busy(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
