package postgres

import "context"

// ReadFacts hands over packed Documents in any order. The bytes are valid during
// the call only. A fact that is missing gives problem.NotFound after the others.
func (db *DB) ReadFacts(ctx context.Context, repo int32, facts []int32, yield func(fact int32, z []byte) error) error {
	panic("skeleton")
}
