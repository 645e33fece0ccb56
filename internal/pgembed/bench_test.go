//go:build linux || darwin

package pgembed

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The three costs that decide whether a server should stay after its last user:
// joining one that runs, starting and stopping one, and making the cluster. CPU is
// that of this process and of its ended children, the server among them.

func benchRoot(b *testing.B) string {
	dir, err := os.MkdirTemp("/tmp", "mp")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "home")
}

func cycle(b *testing.B, o Options) {
	c, err := Open(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

func cpu() float64 {
	var total float64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			panic(err)
		}
		total += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
	}
	return total
}

func measure(b *testing.B, f func()) {
	before := cpu()
	for b.Loop() {
		f()
	}
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ms/op")
}

func BenchmarkJoin(b *testing.B) {
	o := Options{Root: benchRoot(b)}
	c, err := Open(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() { cycle(b, o) })
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkStartStop(b *testing.B) {
	o := Options{Root: benchRoot(b)}
	cycle(b, o)
	measure(b, func() { cycle(b, o) })
}

func BenchmarkFirstOpen(b *testing.B) {
	measure(b, func() {
		b.StopTimer()
		o := Options{Root: benchRoot(b)}
		b.StartTimer()
		cycle(b, o)
	})
}
