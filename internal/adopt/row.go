package adopt

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strconv"

	"manito/internal/problem"
)

// row is one row of a table of the predecessor.
type row struct {
	ord     int64
	id      string
	data    []byte // a JSON object; without the content of a file
	content int64  // bytes of the content of a file, -1 for none
}

// reader gives the rows of tables, from the old schema or from their copy.
type reader struct {
	q asker
	// sql selects the rows of a table as (ord, id, d); false when there is no such table.
	sql func(table string) (statement string, args []any, there bool)
}

// each hands over the rows of a table in their order.
func (r *reader) each(ctx context.Context, table string, yield func(row) error) error {
	statement, args, there := r.sql(table)
	if !there {
		return nil
	}
	rows, err := r.q.Query(ctx, `select ord, coalesce(id, ''), (d - 'content')::text, coalesce(octet_length(d ->> 'content'), -1)::int8 from (`+statement+`) s order by ord`, args...)
	if err != nil {
		return explain(ctx, err, "reading "+table)
	}
	defer rows.Close()
	for rows.Next() {
		var w row
		if err := rows.Scan(&w.ord, &w.id, &w.data, &w.content); err != nil {
			return explain(ctx, err, "reading "+table)
		}
		if err := yield(w); err != nil {
			return err
		}
	}
	return explain(ctx, rows.Err(), "reading "+table)
}

// decode reads a row into a struct of values.
func decode(table string, w row, into any) error {
	if err := json.Unmarshal(w.data, into); err != nil {
		return problem.Wrap(err, problem.Internal, "row %q of %s", w.id, table)
	}
	return nil
}

// value is what stands in a column, whatever its type is: installations differ in the
// types of keys, numbers and JSON.
type value struct {
	raw  json.RawMessage
	text string // of a string its content, else the JSON; "" for null
	null bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(b []byte) error {
	*v = value{raw: bytes.Clone(b)}
	switch {
	case bytes.Equal(b, []byte("null")):
		v.null = true
	case b[0] == '"':
		return json.Unmarshal(b, &v.text)
	default:
		v.text = string(b)
	}
	return nil
}

// missing says that there is no such column, or nothing in it.
func (v *value) missing() bool { return v.raw == nil || v.null }

// or is the first of two columns that has something in it: some were renamed.
func (v value) or(other value) value {
	if v.missing() {
		return other
	}
	return v
}

// number is a whole number from 0 to 2^31-1.
func (v *value) number() (int, bool) {
	n, err := strconv.ParseFloat(v.text, 64)
	if v.missing() || err != nil || n != math.Trunc(n) || n < 0 || n > math.MaxInt32 {
		return 0, false
	}
	return int(n), true
}

// object reads JSON, also where it was kept as text. What cannot be read gives nothing:
// the row is kept as it is.
func (v *value) object(into any) {
	b := []byte(v.raw)
	if len(b) > 0 && b[0] == '"' {
		b = []byte(v.text)
	}
	if len(b) > 0 {
		// A type that does not fit leaves its field empty.
		_ = json.Unmarshal(b, into)
	}
}

// position is a place in a file, counted from 0.
type position struct {
	row, column int
	known       bool
}

// bounds of positions that are believed; no source has more.
const (
	maxRow    = 1 << 22
	maxColumn = 1 << 20
)

// at makes a position of two columns, the line counted from 1.
func at(line, column value) position {
	l, ok := line.number()
	if !ok || l > maxRow {
		return position{}
	}
	c, ok := column.number()
	if !ok || c > maxColumn {
		c = 0
	}
	return position{max(l-1, 0), c, true}
}

// point is a position as the parser of the predecessor wrote it.
type point struct {
	Row    value `json:"row"`
	Column value `json:"column"`
}

func (p point) position() position {
	r, ok := p.Row.number()
	if !ok || r > maxRow {
		return position{}
	}
	c, ok := p.Column.number()
	if !ok || c > maxColumn {
		c = 0
	}
	return position{r, c, true}
}
