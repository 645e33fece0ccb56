package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

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
func (db *DB) Sizes(ctx context.Context) (sizes []Size, err error) {
	defer problem.Call(&err, "Sizes()")
	scan := func(row pgx.CollectableRow) (s Size, err error) {
		return s, row.Scan(&s.Table, &s.Rows, &s.Heap, &s.Toast, &s.Index)
	}
	sizes, err = query(ctx, db, scan, `
		select c.relname, c.reltuples::int8, pg_table_size(c.oid) - t.size, t.size, pg_indexes_size(c.oid)
		from pg_class c cross join lateral (select coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0) as size) t
		where c.relnamespace = (select oid from pg_namespace where nspname = current_schema()) and c.relkind = 'r'
		order by pg_total_relation_size(c.oid) desc, c.relname`)
	return sizes, explain(ctx, err, "measuring tables")
}
