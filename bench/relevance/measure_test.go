package main

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

func TestJudge(t *testing.T) {
	t.Parallel()
	relevant := map[string]int{"a": Answer, "b": Useful}
	best := 3 + 1/math.Log2(3)
	filler := make([]string, 10)
	for i := range filler {
		filler[i] = string(rune('p' + i))
	}
	for _, c := range []struct {
		name    string
		ranking []string
		want    marks
	}{
		{"nothing", nil, marks{}},
		{"best", []string{"a", "b"}, marks{1, 1, 1, 1}},
		{"the useful one first", []string{"b", "a"}, marks{0.5, 1, (1 + 3/math.Log2(3)) / best, 0.5}},
		{"only the useful one", []string{"x", "b"}, marks{0, 0.5, 1 / math.Log2(3) / best, 0}},
		{"the same place again counts once", []string{"x", "x", "x", "a"}, marks{0.5, 0.5, 3 / math.Log2(3) / best, 0.5}},
		{"after the tenth", append(filler, "a"), marks{0, 0, 0, 1.0 / 11}},
	} {
		got := judge(c.ranking, relevant)
		if !near(got.MRR, c.want.MRR) || !near(got.Recall, c.want.Recall) || !near(got.NDCG, c.want.NDCG) || !near(got.Deep, c.want.Deep) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestMean(t *testing.T) {
	t.Parallel()
	if got := mean([]marks{{1, 1, 1, 1}, {0, 0.5, 0, 0.5}}); got != (marks{0.5, 0.75, 0.5, 0.75}) {
		t.Errorf("got %+v", got)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	one, other := make([]marks, 200), make([]marks, 200)
	for i := range one {
		one[i].MRR = 0.5
		other[i].MRR = 0.5
	}
	if g := compare(one, other); g.significant() || g.Difference != 0 || g.P != 1 {
		t.Errorf("the same twice: %+v", g)
	}
	for i := range one {
		if i%2 == 0 {
			one[i].MRR = 1
		}
	}
	g := compare(one, other)
	if !g.significant() || !near(g.Difference, 0.25) || g.P != 0 || g.Low > 0.25 || g.High < 0.25 {
		t.Errorf("half of the queries better: %+v", g)
	}
	if back := compare(other, one); back.significant() || !near(back.Difference, -0.25) {
		t.Errorf("the worse one is said to be better: %+v", back)
	}
	for i := range one { // as often worse as better
		one[i].MRR = float64(i % 2)
	}
	if g := compare(one, other); g.significant() || g.Low > 0 || g.High < 0 {
		t.Errorf("noise is called a gain: %+v", g)
	}
	if a, b := compare(one, other), compare(one, other); a != b {
		t.Errorf("the same comparison twice: %+v and %+v", a, b)
	}
}
