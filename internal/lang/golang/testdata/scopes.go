package scopes

import "errors"

type T struct{ next *T }

func (t *T) Next() *T { return t.next }

var x = 1

func shadow(x int) (y int, err error) {
	x := x // an error for the compiler: x is a parameter of the same scope
	if x := x + 1; x > 0 {
		x := x
		_ = x
	} else if y := x; y > 0 {
		_ = y
	} else {
		_ = y + x
	}
	for x := 0; x < 10; x++ {
		x := x
		_ = func(x string) (r string) { r = x; return }
	}
	switch x := any(x).(type) {
	case int:
		x++
	case *T, error:
		_ = x
	case nil:
	default:
		_ = x
	}
	switch y, err = shadow(1); {
	case y > 1:
		x, z := 1, 2
		_, _ = x, z
	}
	ch := make(chan *T)
	select {
	case v := <-ch:
		v.Next()
	case v, ok := <-ch:
		_, _ = v.next, ok
	case ch <- nil:
	}
	a, err := shadow(a)
	a, b := shadow(a)
	_ = b
outer:
	for i := range 10 {
		if i == 1 {
			continue outer
		}
		goto outer
	}
	errors := errors.New("x")
	_ = errors.Error
	const k = 1
	const (
		m string = "s"
		n
	)
	var p, q = shadow(k)
	var f func(n int) error
	f = func(n int) error { return f(n + p) }
	len := len(m + n)
	_ = q
	return len, f(k)
}

func loops(xs []*T, m map[string]*T, ch chan *T, seq func(yield func(*T) bool)) {
	for i, x := range xs {
		_, _ = i, x.next
	}
	for k, v := range m {
		_, _ = k, v.Next().next
	}
	for v := range ch {
		v.Next()
	}
	for v := range seq {
		v.Next()
	}
	for i := range xs {
		xs[i].Next()
	}
	var i int
	for i = range xs {
	}
	for i, m["a"] = range xs {
	}
	if v, ok := m["a"]; ok {
		v.Next()
	}
	if v, ok := any(i).(*T); ok {
		v.Next()
	}
	(*m["x"]).next, i = nil, i+1
	i++
	i <<= 2
	xs[0].next = nil
}
