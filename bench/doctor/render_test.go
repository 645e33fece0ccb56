package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReport: the page is what the committed results say, and they keep the limit.
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
		t.Errorf("%s is stale; run go run ./bench/doctor -render:\n%s", docFile, diff)
	}
	if err := r.judge(); err != nil {
		t.Error(err)
	}
	if r.Tables != tables || len(r.Rows) == 0 {
		t.Errorf("%d tables, %d rows", r.Tables, len(r.Rows))
	}
}
