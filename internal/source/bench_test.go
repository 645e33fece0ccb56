package source

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// goroot is the source of the Go standard library.
func goroot(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out)) + "/src"
}

// BenchmarkList lists the Go standard library.
func BenchmarkList(b *testing.B) {
	root := goroot(b)
	for b.Loop() {
		t, err := Open(context.Background(), Input{Location: root})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(t.Files)), "files")
		if err := t.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads and hashes all of its files with one worker.
func BenchmarkRead(b *testing.B) {
	t, err := Open(context.Background(), Input{Location: goroot(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	var buf []byte
	for b.Loop() {
		total := 0
		for i := range t.Files {
			c, err := t.ReadInto(context.Background(), &t.Files[i], buf)
			if err != nil {
				b.Fatal(err)
			}
			total += len(c.Bytes)
			if c.Bytes != nil {
				buf = c.Bytes[:0]
			}
		}
		b.SetBytes(int64(total))
	}
}
