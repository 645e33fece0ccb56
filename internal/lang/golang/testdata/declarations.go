//go:build linux && !cgo

// Package declarations shows what is a definition.
package declarations

import (
	"fmt"
	str "strings"

	_ "embed"
	. "math"
)

// Answer is exported.
const Answer = 42

const (
	first Level = iota + 1 // the lowest
	second
	_
	untyped = "s"
	again
)

// Level is a defined type.
//
// Deprecated: use nothing.
type Level int

type (
	// Server serves.
	Server struct {
		// Name is documented above.
		Name, Host string `json:"name"`
		level      Level  // documented after
		*Base
		fmt.Stringer
		limits struct {
			max, min int
			inner    []struct{ deep bool }
		}
		handlers map[string]func(*Server) error
	}

	Base struct{ id int }

	// Reader reads.
	Reader interface {
		// Read has a comment.
		Read(p []byte) (n int, err error)
		Close() error
		fmt.Stringer
	}

	Number interface {
		~int | ~float64
		comparable
	}

	Alias   = Server
	Seconds = []Level
	Hook    func(s *Server, names ...string) (bool, error)
)

var (
	a, b      = 1, "two"
	c, d      = pair()
	_     any = Answer
	table     = []struct {
		in   string
		want int
	}{{"x", 1}, {in: "y", want: Pi}}
)

var handler = func(s *Server) error { return nil }

func pair() (int, *Server) { return 1, &Server{Name: "n", Base: &Base{id: 1}} }

func init() {}
func init() {}
func _()    {}

// Start is a method.
func (s *Server) Start(level Level, more ...string) (err error) {
	type local struct {
		Server
		x int
	}
	l := local{x: 1}
	l.Start(l.level)
	_ = str.ToUpper(s.Name) + l.Name
	return s.handlers["a"](s)
}

func (Level) String() string { return "" }

func external(int, string) bool
