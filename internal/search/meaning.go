package search

import (
	"context"

	"manito/internal/problem"
)

// ByMeaning searches by vectors only. Without any it fails with problem.Unavailable.
func (x *Index) ByMeaning(ctx context.Context, r Request) (*Found, error) {
	return nil, problem.New(problem.Unavailable, "the snapshot has no vectors").Fix("search by words: --mode words")
}
