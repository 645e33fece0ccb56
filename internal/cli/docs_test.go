package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"manito/internal/cli"
)

// TestPagesAreFresh compares the committed pages with what the program says now.
func TestPagesAreFresh(t *testing.T) {
	t.Parallel()
	for name, want := range cli.Pages() {
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/%s is stale: make docs (%v)", name, err)
		}
	}
}
