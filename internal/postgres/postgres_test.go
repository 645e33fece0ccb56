package postgres_test

import (
	"os"
	"testing"

	"manito/internal/postgres/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }
