package postgres

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/jackc/pgx/v5"
)

// rows encodes rows in the binary format of COPY (PostgreSQL's manual, COPY,
// "Binary Format"). Every column is appended with its length; the caller must
// append exactly as many columns as it announces, with the types of the table.
type rows struct {
	b []byte
	n int // rows begun
}

// copyHead is the signature, no flags and no header extension.
const copyHead = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// The type ids of array elements, from the server's pg_type.dat.
const (
	oidInt8 = 20
	oidInt2 = 21
	oidInt4 = 23
	oidText = 25
)

// row begins a row of columns.
func (r *rows) row(columns int) {
	if len(r.b) == 0 {
		r.b = append(r.b, copyHead...)
	}
	r.b = binary.BigEndian.AppendUint16(r.b, uint16(columns))
	r.n++
}

func (r *rows) null()        { r.b = append(r.b, 0xff, 0xff, 0xff, 0xff) }
func (r *rows) int2(v int16) { r.b = append(r.b, 0, 0, 0, 2, byte(v>>8), byte(v)) }
func (r *rows) int4(v int32) {
	r.b = binary.BigEndian.AppendUint32(append(r.b, 0, 0, 0, 4), uint32(v))
}
func (r *rows) int8(v int64) {
	r.b = binary.BigEndian.AppendUint64(append(r.b, 0, 0, 0, 8), uint64(v))
}

func (r *rows) bool(v bool) {
	r.b = append(r.b, 0, 0, 0, 1, 0)
	if v {
		r.b[len(r.b)-1] = 1
	}
}

func (r *rows) text(s string) {
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(len(s)))
	r.b = append(r.b, s...)
}

func (r *rows) bytes(s []byte) {
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(len(s)))
	r.b = append(r.b, s...)
}

// array appends the head of a one-dimensional array whose elements, lengths
// included, take size bytes.
func (r *rows) array(oid uint32, elements, size int) {
	if elements == 0 {
		r.b = binary.BigEndian.AppendUint32(r.b, 12)
		r.b = binary.BigEndian.AppendUint64(r.b, 0) // no dimensions, no nulls
		r.b = binary.BigEndian.AppendUint32(r.b, oid)
		return
	}
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(20+size))
	r.b = binary.BigEndian.AppendUint64(r.b, 1<<32) // one dimension, no nulls
	r.b = binary.BigEndian.AppendUint32(r.b, oid)
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(elements))
	r.b = binary.BigEndian.AppendUint32(r.b, 1) // the first has index 1
}

func (r *rows) grow(n int) []byte {
	at := len(r.b)
	if cap(r.b)-at < n {
		r.b = append(r.b, make([]byte, n)...)
	} else {
		r.b = r.b[:at+n]
	}
	return r.b[at:]
}

// int8s appends an int8[]; the elements may be of any 64-bit integer type.
func int8s[T ~int64 | ~uint64](r *rows, vs []T) {
	r.array(oidInt8, len(vs), 12*len(vs))
	b := r.grow(12 * len(vs))
	for i, v := range vs {
		at := b[12*i : 12*i+12]
		binary.BigEndian.PutUint32(at, 8)
		binary.BigEndian.PutUint64(at[4:], uint64(v))
	}
}

func (r *rows) int4s(vs []int32) {
	r.array(oidInt4, len(vs), 8*len(vs))
	b := r.grow(8 * len(vs))
	for i, v := range vs {
		binary.BigEndian.PutUint64(b[8*i:], 4<<32|uint64(uint32(v)))
	}
}

func (r *rows) int2s(vs []int16) {
	r.array(oidInt2, len(vs), 6*len(vs))
	b := r.grow(6 * len(vs))
	for i, v := range vs {
		at := b[6*i : 6*i+6]
		binary.BigEndian.PutUint32(at, 2)
		binary.BigEndian.PutUint16(at[4:], uint16(v))
	}
}

// joined appends a text of parts with the unit separator between them, which
// takes less room than a text[] and compresses better. The parts must not hold it.
func (r *rows) joined(parts []string) {
	size := max(0, len(parts)-1)
	for _, p := range parts {
		size += len(p)
	}
	r.b = binary.BigEndian.AppendUint32(r.b, uint32(size))
	for i, p := range parts {
		if i > 0 {
			r.b = append(r.b, separator)
		}
		r.b = append(r.b, p...)
	}
}

// separator stands between the parts of a joined text.
const separator = 0x1f

// copyTo sends the rows by one COPY statement on a connection. Outside of a
// transaction block it is a transaction of its own. It may be repeated.
func (r *rows) copyTo(ctx context.Context, conn *pgx.Conn, statement string) error {
	if r.n == 0 {
		return nil
	}
	r.b = append(r.b, 0xff, 0xff)
	_, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(r.b), statement)
	r.b = r.b[:len(r.b)-2]
	return err
}

// reset empties the buffer and keeps its memory.
func (r *rows) reset() { r.b, r.n = r.b[:0], 0 }
