package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// ReadFacts hands over packed Documents in any order. The bytes are valid during
// the call only. A fact that is missing gives problem.NotFound after the others.
func (db *DB) ReadFacts(ctx context.Context, repo int32, facts []int32, yield func(fact int32, z []byte) error) (err error) {
	defer problem.Call(&err, "ReadFacts(%d, %d facts)", repo, len(facts))
	return db.readPacked(ctx, "fact", `select fact_id, z from fact where repo_id = $1 and fact_id = any ($2)`, repo, facts, yield)
}

// readPacked runs a statement that gives ids with bytes, in batches.
func (db *DB) readPacked(ctx context.Context, what, statement string, repo int32, ids []int32, yield func(int32, []byte) error) error {
	found := 0
	for part := range slices.Chunk(ids, batch) {
		err := db.eachRaw(ctx, func(v [][]byte) error {
			found++
			return yield(rawInt4(v[0]), v[1])
		}, statement, repo, part)
		if err != nil {
			return explain(ctx, err, "reading "+what+"s")
		}
	}
	if found < len(ids) {
		return problem.New(problem.NotFound, "%d of %d %ss are not stored (any more)", len(ids)-found, len(ids), what).
			Fix("scan again: manito scan")
	}
	return nil
}

// each runs a statement and hands its rows over one by one.
func (db *DB) each(ctx context.Context, row func(pgx.Rows) error, statement string, args ...any) error {
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	return each(ctx, conn, row, statement, args...)
}

// eachRaw is each for hot statements: the values come as the server sent them,
// in binary, and are valid during the call only.
func (db *DB) eachRaw(ctx context.Context, row func(v [][]byte) error, statement string, args ...any) error {
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	return eachRaw(ctx, conn, row, statement, args...)
}

// queryer is a connection or a transaction.
type queryer interface {
	Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error)
}

func each(ctx context.Context, q queryer, row func(pgx.Rows) error, statement string, args ...any) error {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func eachRaw(ctx context.Context, q queryer, row func(v [][]byte) error, statement string, args ...any) error {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for _, f := range rows.FieldDescriptions() {
		if f.Format != pgx.BinaryFormatCode && f.DataTypeOID != oidText { // the two forms of a text are the same
			return errForm
		}
	}
	for rows.Next() {
		if err := row(rows.RawValues()); err != nil {
			return err
		}
	}
	return rows.Err()
}
