package generics

import (
	"iter"
	"maps"
	"slices"
)

type List[T any] struct {
	head *node[T]
	size int
}

type node[E any] struct {
	value E
	next  *node[E]
}

type Pair[K comparable, V fmtter[K]] struct {
	Key K
	Val V
}

type fmtter[K any] interface{ Format(K) string }

func (l *List[T]) Push(v T) *List[T] {
	l.head = &node[T]{value: v, next: l.head}
	return l
}

func (p Pair[K, V]) Show() string { return p.Val.Format(p.Key) }

func (l *List[_]) Len() int { return l.size }

func (l *List[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for n := l.head; n != nil; n = n.next {
			if !yield(n.value) {
				return
			}
		}
	}
}

func Map[T, U any, S ~[]T](xs S, f func(T) U) []U {
	out := make([]U, 0, len(xs))
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}

func use(l *List[*List[int]], seq2 iter.Seq2[string, *List[int]]) {
	l.head.value.Push(1)
	for v := range l.All() {
		v.Push(2)
	}
	for k, v := range seq2 {
		_, _ = k, v.Len()
	}
	Map[int, string]([]int{1}, func(i int) string { return "" })
	Map[int](nil, nil)
	r := Map([]int{1}, func(i int) *List[int] { return nil })
	r[0].Push(1)
	p := Pair[string, fmtter[string]]{Key: "k"}
	p.Show()
	new(List[int]).Push(1)
	var table [3]func(int)
	table[0](1)
	Other[int](1)
	Other[Thing](1)
	other[i](1)
	Other[*Thing](1)
	Other[**slices.Thing](1)
	slices.Sort[[]int](nil)
	_ = slices.Sorted(maps.Keys(map[string]int{}))
	f := Map[int, int, []int]
	f(nil, nil)
}

type Constraint interface {
	~int | ~string | *List[int]
	Do()
}

func constrained[PT interface {
	*T
	Set(string)
}, T any](t T) {
	PT(&t).Set("x")
}

func (l List[T]) each(f func(int, T) (stop bool)) {}
