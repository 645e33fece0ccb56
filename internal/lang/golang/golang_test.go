package golang_test

import (
	"testing"

	"manito/internal/lang/golang"
	"manito/internal/lang/langtest"
)

func TestExtractor(t *testing.T) {
	t.Parallel()
	langtest.Run(t, golang.Language(), "testdata")
}

func FuzzExtractor(f *testing.F) { langtest.Fuzz(f, golang.Language(), "testdata") }
