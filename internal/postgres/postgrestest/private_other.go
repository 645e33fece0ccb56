//go:build !unix

package postgrestest

import (
	"context"
	"errors"
	"testing"
)

// errPrivate says why there is no private server.
var errPrivate = errors.New("a private server needs a Unix system")

// Private is a server of one test, which the test may kill.
type Private struct{ Database }

// NewPrivate cannot work here and fails the test.
func NewPrivate(t testing.TB) *Private {
	t.Helper()
	t.Fatal(errPrivate)
	return nil
}

// StartPrivate gives an error here.
func StartPrivate(context.Context) (*Private, error) { return nil, errPrivate }

// Close does nothing here.
func (p *Private) Close() error { return nil }

// Kill fails the test here.
func (p *Private) Kill(t testing.TB) { t.Fatal(errPrivate) }

// Restart fails the test here.
func (p *Private) Restart(t testing.TB) { t.Fatal(errPrivate) }
