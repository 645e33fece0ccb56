package adopt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Sum is what a table amounts to, in whatever order its rows come.
type Sum struct {
	Rows     int64  `json:"rows"`
	Checksum string `json:"checksum"`
}

// sumSQL adds up two 60-bit pieces of each row's SHA-256. A row is hashed as the text
// of its jsonb, which is the same on all server versions: keys are in one order and
// numbers are kept as they were written.
func sumSQL(rows string) string {
	return fmt.Sprintf(`
		select count(*), coalesce(sum(('x' || substr(h, 1, 15))::bit(60)::int8::numeric), 0)::text, coalesce(sum(('x' || substr(h, 16, 15))::bit(60)::int8::numeric), 0)::text
		from (select encode(sha256(convert_to(s.d::text, 'UTF8')), 'hex') as h from (%s) s) hashed`, rows)
}

// asker is a connection or a transaction.
type asker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func sum(ctx context.Context, q asker, rows string, args ...any) (s Sum, err error) {
	var a, b string
	if err := q.QueryRow(ctx, sumSQL(rows), args...).Scan(&s.Rows, &a, &b); err != nil {
		return s, err
	}
	h := sha256.Sum256([]byte(fmt.Sprintf("%d %s %s", s.Rows, a, b)))
	s.Checksum = hex.EncodeToString(h[:12])
	return s, nil
}

// sum adds up a table of the old schema.
func (s *Source) sum(ctx context.Context, q asker, t *table) (Sum, error) {
	found, err := sum(ctx, q, s.rowsSQL(t))
	return found, explain(ctx, err, "adding up "+quote(s.Schema, t.name))
}
