//go:build cgo

package python_test

import (
	"testing"

	"manito/internal/lang/langtest"
	"manito/internal/lang/python"
)

func TestSnapshots(t *testing.T) { langtest.Run(t, python.Language(), "testdata") }
