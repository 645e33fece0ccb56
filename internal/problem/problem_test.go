package problem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestKindsHaveWordsCodesAndStatuses(t *testing.T) {
	t.Parallel()
	words := map[string]bool{}
	for k := Internal; k <= Incomplete; k++ {
		w := k.String()
		if w == "" || words[w] {
			t.Errorf("kind %d has the word %q", k, w)
		}
		words[w] = true
		if c := k.ExitCode(); !slices.Contains([]int{2, 3, 4, 5, 130}, c) {
			t.Errorf("%s exits with %d", w, c)
		}
		if s := k.Status(); s < 200 || s > 599 {
			t.Errorf("%s has status %d", w, s)
		}
	}
	if Kind(200).ExitCode() != 3 || Kind(200).Status() != 500 || Kind(200).String() != "internal" {
		t.Error("an unknown kind is not internal")
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	inner := New(NotFound, "no such thing").Fix("make one")
	for _, test := range []struct {
		err  error
		want Kind
	}{
		{errors.New("x"), Internal},
		{inner, NotFound},
		{fmt.Errorf("F(1): %w", inner), NotFound},
		{Wrap(inner, Conflict, "outer"), Conflict},
		{context.Canceled, Interrupted},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), Unavailable},
	} {
		if got := KindOf(test.err); got != test.want {
			t.Errorf("%v: %s, want %s", test.err, got, test.want)
		}
	}
}

func TestFixesAreCollectedOutermostFirst(t *testing.T) {
	t.Parallel()
	inner := New(NotFound, "inner").Fix("a").Fix("b")
	outer := New(Conflict, "outer").Fix("c").Fix("a").Because(fmt.Errorf("between: %w", inner))
	if got := Fixes(fmt.Errorf("x: %w", outer)); !slices.Equal(got, []string{"c", "a", "b"}) {
		t.Errorf("fixes %q", got)
	}
	if Wrap(nil, Internal, "x") != nil || Fixes(nil) != nil {
		t.Error("nothing is wrong, and yet there is an error")
	}
	if got := outer.Error(); got != "outer: between: inner" {
		t.Errorf("message %q", got)
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	work := func(fail bool) (err error) {
		defer Call(&err, "Publish(%q)", "head")
		if fail {
			return New(Denied, "not yours").Fix("ask")
		}
		return nil
	}
	if err := work(false); err != nil {
		t.Error(err)
	}
	err := work(true)
	if err.Error() != `Publish("head"): not yours` || KindOf(err) != Denied || len(Fixes(err)) != 1 {
		t.Errorf("%v, %s, %q", err, KindOf(err), Fixes(err))
	}
}
