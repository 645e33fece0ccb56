package typescript

import (
	"testing"

	"manito/internal/lang/langtest"
)

func TestExtract(t *testing.T) { langtest.Run(t, Language(), "testdata/extract") }

func FuzzExtract(f *testing.F) { langtest.Fuzz(f, Language(), "testdata/extract") }
