//go:build !cgo

// Package python is the grammar of Python; without cgo there is none.
package python

import "unsafe"

// Grammar is nil: this build was made without cgo.
func Grammar() unsafe.Pointer { return nil }
