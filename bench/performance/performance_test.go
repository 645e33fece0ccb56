package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReport: the page is what the committed results say.
func TestReport(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", resultsFile))
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", docFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(page), string(render(&r))); diff != "" {
		t.Errorf("%s is stale; run go run ./bench/performance -render:\n%s", docFile, diff)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	// The work is done by a grandchild, whose CPU counts all the same.
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "echo out; sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; true")
	r, err := measure(t.Context(), cmd, 0)
	if err != nil {
		t.Fatal(err)
	}
	if string(r.out) != "out\n" || r.CPU < 0.01 || r.Wall <= 0 || r.Peak < 1<<16 || r.server != 0 {
		t.Errorf("got %q %+v", r.out, r.usage)
	}
	_, err = measure(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", "echo first >&2; echo why >&2; exit 3"), 0)
	if err == nil || !strings.Contains(err.Error(), "why") || strings.Contains(err.Error(), "first\n") {
		t.Errorf("a command that fails gives %v", err)
	}
}

// TestServerCounts: what a process that is no child does in between counts, also when its children have ended.
func TestServerCounts(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	server := exec.CommandContext(t.Context(), "sh", "-c", "read x; (i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done); echo done; read y; true")
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	before, err := serverCPU(server.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	after, err := serverCPU(server.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if after <= before {
		t.Errorf("CPU went from %g to %g", before, after)
	}
	if _, err := in.Write([]byte("end\n")); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := serverCPU(server.Process.Pid); err == nil {
		t.Error("a server that is gone is measured")
	}
}

func TestServerAt(t *testing.T) {
	t.Parallel()
	r := running{samples: []sample{{0, 0}, {1, 0.5}, {2, 2}}}
	for at, want := range map[float64]float64{0.5: 0, 1: 0.5, 1.9: 0.5, 5: 2} {
		if got := r.serverAt(at); got != want {
			t.Errorf("at %g: %g, want %g", at, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	run := func(cpu float64) *manitoResult { return &manitoResult{Scan: usage{CPU: cpu}} }
	first := run(3)
	first.Questions = map[string][]float64{"def": {1}}
	got := median([]*manitoResult{first, run(1), run(2)})
	if got.Scan.CPU != 2 || got.Range != [2]float64{1, 3} || got.Questions["def"] == nil {
		t.Errorf("got %+v", got)
	}
}

// TestBroken: a figure above its promise is called broken, one at it is kept.
func TestBroken(t *testing.T) {
	t.Parallel()
	for cpu, want := range map[float64]string{2.5: "kept", 2.51: "**broken**"} {
		r := &report{Results: []*result{{Tree: "typescript", Title: "x", Manito: &manitoResult{Scan: usage{CPU: cpu}}}}}
		if page := string(render(r)); !strings.Contains(page, "| scan, CPU of all processes | 2.5 s | ") || strings.Contains(page, "| kept |") != (want == "kept") {
			t.Errorf("%g s is not %s:\n%s", cpu, want, page)
		}
	}
}
