package postgres

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// query runs one statement and collects its rows.
func query[T any](ctx context.Context, db *DB, scan pgx.RowToFunc[T], statement string, args ...any) ([]T, error) {
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// notFound makes "no rows" a problem of that kind and leaves other errors alone.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.New(problem.NotFound, format, args...)
	}
	return err
}

// maxText bounds texts that are indexed: PostgreSQL refuses index entries above a third of a page.
const maxText = 2000

// checkText refuses what PostgreSQL cannot keep as an indexed text.
func checkText(what, s string) error {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		return problem.New(problem.Invalid, "the %s %.80q holds a NUL byte, which cannot be stored", what, s)
	case !utf8.ValidString(s):
		return problem.New(problem.Invalid, "the %s %.80q is not valid UTF-8", what, s)
	case len(s) > maxText:
		return problem.New(problem.Invalid, "the %s %.80q has %d bytes; at most %d can be stored", what, s, len(s), maxText)
	}
	return nil
}

// clean makes any text one that PostgreSQL can keep: it is for messages and
// names that come from files, where refusing would lose the rest of the file.
func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// cleanPart is clean for parts of a joined text.
func cleanPart(s string) string {
	s = clean(s)
	if strings.IndexByte(s, separator) < 0 {
		return s
	}
	return strings.ReplaceAll(s, string(rune(separator)), "\ufffd")
}

// split takes a joined text apart. It gives nil when the number of parts is not n.
func split(s string, n int) []string {
	if n == 0 && s == "" {
		return []string{}
	}
	parts := strings.Split(s, string(rune(separator)))
	if len(parts) != n {
		return nil
	}
	return parts
}
