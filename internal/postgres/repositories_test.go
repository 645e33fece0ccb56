package postgres_test

import (
	"testing"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

func TestEnsureRepo(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	r, err := db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/a", Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
}
