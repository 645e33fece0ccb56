package postgres

import "context"

// Size is what a table occupies.
type Size struct {
	Table string
	Rows  int64 // the planner's estimate; -1 before the first ANALYZE
	Heap  int64 // bytes of the table itself, its free space and visibility maps included
	Toast int64 // bytes of values kept apart, with their index
	Index int64 // bytes of its indexes
}

// Total is all bytes of the table.
func (s Size) Total() int64 { return s.Heap + s.Toast + s.Index }

// Sizes lists the tables of the schema, largest first.
func (db *DB) Sizes(ctx context.Context) ([]Size, error) { panic("skeleton") }
