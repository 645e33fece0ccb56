package golang_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"manito/internal/lang"
	"manito/internal/lang/golang"
	syntax "manito/internal/syntax/golang"
)

// BenchmarkStandardLibrary compares reading the whole of GOROOT/src with parsing
// it alone, in CPU seconds (user and system) of two workers with GOGC=400. The
// two take turns, and the least of each counts.
func BenchmarkStandardLibrary(b *testing.B) {
	texts := standardLibrary(b)
	debug.SetGCPercent(400)
	x := [2]lang.Extractor{golang.Language().NewExtractor(), golang.Language().NewExtractor()}
	parse, extract := time.Hour, time.Hour
	for b.Loop() {
		parse = min(parse, work(b, texts, func(_ int, text []byte) { syntax.Parse(text) }))
		extract = min(extract, work(b, texts, func(worker int, text []byte) {
			x[worker].Extract(context.Background(), lang.Input{Text: text, Dialect: "go"})
		}))
	}
	b.ReportMetric(parse.Seconds(), "parse-cpu-s")
	b.ReportMetric(extract.Seconds(), "extract-cpu-s")
	b.ReportMetric(extract.Seconds()/parse.Seconds(), "ratio")
}

// BenchmarkExtract is for profiles: one worker, the standard library once per iteration.
func BenchmarkExtract(b *testing.B) {
	texts := standardLibrary(b)
	x := golang.Language().NewExtractor()
	uses, defs, exprs := 0, 0, 0
	for b.Loop() {
		for _, text := range texts {
			doc := x.Extract(context.Background(), lang.Input{Text: text, Dialect: "go"})
			uses, defs, exprs = uses+len(doc.Uses), defs+len(doc.Defs), exprs+len(doc.Exprs)
		}
	}
	b.ReportMetric(float64(uses)/float64(b.N), "uses")
	b.ReportMetric(float64(defs)/float64(b.N), "defs")
	b.ReportMetric(float64(exprs)/float64(b.N), "exprs")
}

func work(b *testing.B, texts [][]byte, do func(worker int, text []byte)) time.Duration {
	runtime.GC()
	before := cpu(b)
	var next atomic.Int64
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(texts) {
					return
				}
				do(worker, texts[i])
			}
		})
	}
	wg.Wait()
	return cpu(b) - before
}

func cpu(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func standardLibrary(b *testing.B) [][]byte {
	var texts [][]byte
	err := filepath.WalkDir(filepath.Join(runtime.GOROOT(), "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		texts = append(texts, text)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return texts
}
