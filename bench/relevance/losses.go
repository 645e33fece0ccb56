package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// losses keeps what every method answered, to learn from. Questions of the final
// half are not kept.
type losses struct {
	mu   sync.Mutex
	all  []*loss
	byID map[string]*loss
}

// loss is one query with what each method answered.
type loss struct {
	set, id, text string
	relevant      map[string]int
	marks         map[string]marks
	top           map[string][]string
}

const topKept = 3

func (l *losses) add(s *set, q *ask, method string, ranking []string, m marks) {
	if s.half == Final {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]*loss{}
	}
	key := s.name() + " " + q.id
	one := l.byID[key]
	if one == nil {
		one = &loss{set: s.name(), id: q.id, text: q.text, relevant: q.relevant, marks: map[string]marks{}, top: map[string][]string{}}
		l.byID[key] = one
		l.all = append(l.all, one)
	}
	one.marks[method] = m
	one.top[method] = slices.Clone(ranking[:min(topKept, len(ranking))])
}

// print lists the queries that a method answers worse than the best other one, the
// greatest losses first.
func (l *losses) print(out io.Writer, method string) error {
	best := func(one *loss) (name string, mrr float64) {
		for _, m := range slices.Sorted(maps.Keys(one.marks)) {
			if m != method && one.marks[m].MRR > mrr {
				name, mrr = m, one.marks[m].MRR
			}
		}
		return name, mrr
	}
	lost := func(one *loss) float64 {
		_, mrr := best(one)
		return mrr - one.marks[method].MRR
	}
	sorted := slices.Clone(l.all)
	slices.SortFunc(sorted, func(a, b *loss) int {
		return cmp.Or(cmp.Compare(lost(b), lost(a)), strings.Compare(a.set, b.set), strings.Compare(a.id, b.id))
	})
	for _, one := range sorted {
		name, mrr := best(one)
		m, known := one.marks[method]
		if !known || lost(one) <= 0 && m.MRR > 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s %s\n  %s\n  %s %.2f, best %s %.2f; wanted %s\n  found %s\n", one.set, one.id, one.text, method, m.MRR, name, mrr,
			strings.Join(slices.Sorted(maps.Keys(one.relevant)), " "), strings.Join(one.top[method], " ")); err != nil {
			return err
		}
	}
	return nil
}
