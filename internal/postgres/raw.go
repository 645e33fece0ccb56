package postgres

import (
	"encoding/binary"
	"errors"
	"slices"
)

// errForm says that the server sent a value in another form than the binary one
// of the column's type.
var errForm = errors.New("the server sent a value in an unexpected form")

// rawInt4 reads an int4 that is not null.
func rawInt4(b []byte) int32 {
	if len(b) != 4 {
		return 0
	}
	return int32(binary.BigEndian.Uint32(b))
}

// rawInt8 reads an int8 that is not null.
func rawInt8(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// rawInt8s reads an int8[] without nulls into a slice whose memory is used again.
func rawInt8s[T ~int64 | ~uint64](b []byte, into []T) ([]T, error) {
	n, b, err := rawArray(b, oidInt8, 12)
	into = slices.Grow(into[:0], n)[:n]
	for i := range into {
		into[i] = T(binary.BigEndian.Uint64(b[12*i+4:]))
	}
	return into, err
}

// rawInt4s reads an int4[] without nulls into a slice whose memory is used again.
func rawInt4s(b []byte, into []int32) ([]int32, error) {
	n, b, err := rawArray(b, oidInt4, 8)
	into = slices.Grow(into[:0], n)[:n]
	for i := range into {
		into[i] = int32(binary.BigEndian.Uint32(b[8*i+4:]))
	}
	return into, err
}

// rawInt2s reads an int2[] without nulls into a slice whose memory is used again.
func rawInt2s(b []byte, into []int16) ([]int16, error) {
	n, b, err := rawArray(b, oidInt2, 6)
	into = slices.Grow(into[:0], n)[:n]
	for i := range into {
		into[i] = int16(binary.BigEndian.Uint16(b[6*i+4:]))
	}
	return into, err
}

// rawArray checks the head of a one-dimensional array whose elements take size
// bytes with their lengths, and returns how many there are and where they begin.
func rawArray(b []byte, oid uint32, size int) (int, []byte, error) {
	if len(b) < 12 || binary.BigEndian.Uint32(b[8:]) != oid {
		return 0, nil, errForm
	}
	if binary.BigEndian.Uint32(b) == 0 {
		return 0, nil, nil
	}
	if len(b) < 20 || binary.BigEndian.Uint32(b) != 1 {
		return 0, nil, errForm
	}
	n := int(binary.BigEndian.Uint32(b[12:]))
	if n < 0 || len(b)-20 != n*size {
		return 0, nil, errForm
	}
	return n, b[20:], nil
}
