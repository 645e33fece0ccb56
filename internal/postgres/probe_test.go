package postgres_test

import (
	"os"
	"testing"

	"manito/internal/postgres/postgrestest"
)

func TestProbe(t *testing.T) {
	if os.Getenv("PROBE") == "" {
		t.Skip()
	}
	c := newGoroot(t)
	d := postgrestest.New(t)
	c.scan(t, d.Open(t), "/std", "main")
	t.Fail()
}
