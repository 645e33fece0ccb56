package trigram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/problem"
	"manito/internal/trigram"
)

func has(t failer, text string) trigram.Has {
	return trigram.Has{Matcher: compile(t, trigram.Pattern{Text: text})}
}

func regex(t failer, text string) trigram.Has {
	return trigram.Has{Matcher: compile(t, trigram.Pattern{Text: text, Regexp: true, Case: true})}
}

func TestLines(t *testing.T) {
	t.Parallel()
	ix := opened(t, "first\r\nsecond foo\r\n\tfoo Foo end\nlast fo\xffo foo", "", "none")
	got, report := search(t, ix, has(t, "foo"), trigram.Limits{})
	want := []trigram.File{{File: 0, Lines: []trigram.Line{
		{Number: 1, Match: true, Column: 7, Offset: 7, Text: "second foo", Ranges: []trigram.Range{{Start: 7, End: 10}}},
		{Number: 2, Match: true, Column: 1, Offset: 19, Text: "\tfoo Foo end", Ranges: []trigram.Range{{Start: 1, End: 4}, {Start: 5, End: 8}}},
		{Number: 3, Match: true, Column: 10, Offset: 32, Text: "last fo\xffo foo", Ranges: []trigram.Range{{Start: 10, End: 13}}},
	}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if report.Files != 1 || report.Lines != 3 || report.Partial != trigram.Complete {
		t.Errorf("%+v", report)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	ix := opened(t, "0\n1\n2 x\n3\n4 x\n5\n6\n7\n8\n9 x")
	got, _ := search(t, ix, has(t, "x"), trigram.Limits{Context: 1})
	var lines []string
	for _, l := range got[0].Lines {
		lines = append(lines, fmt.Sprintf("%d %q %v", l.Number, l.Text, l.Match))
	}
	want := []string{`1 "1" false`, `2 "2 x" true`, `3 "3" false`, `4 "4 x" true`, `5 "5" false`, `8 "8" false`, `9 "9 x" true`}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	// Across the border of blocks.
	long := strings.Repeat("filler of a line\n", 300)
	at := strings.Count(long[:blockBytes], "\n")
	lines = nil
	rows := strings.SplitAfter(long, "\n")
	rows[at] = "needle in line\n"
	got, _ = search(t, opened(t, strings.Join(rows, "")), has(t, "needle"), trigram.Limits{Context: 2})
	for i, l := range got[0].Lines {
		if int(l.Number) != at-2+i || l.Text != strings.TrimSuffix(rows[l.Number], "\n") {
			t.Errorf("%+v", l)
		}
	}
	if len(got[0].Lines) != 5 {
		t.Errorf("%d lines", len(got[0].Lines))
	}
}

func TestLongLine(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("größe;", 50_000) + "needle" + strings.Repeat("größe;", 50_000)
	got, _ := search(t, opened(t, "a\n"+line+"\nb needle\n"), has(t, "NEEDLE"), trigram.Limits{LineBytes: 100})
	l := got[0].Lines[0]
	if !l.Cut || len(l.Text) > 100 || len(l.Text) < 90 || int(l.Column) != strings.Index(line, "needle") || !strings.HasPrefix(line[int(l.Offset)-2:], l.Text) {
		t.Fatalf("%+v", l)
	}
	if len(l.Ranges) != 1 || l.Text[l.Ranges[0].Start:l.Ranges[0].End] != "needle" || strings.ContainsRune(l.Text, '\ufffd') {
		t.Fatalf("%+v", l)
	}
	if l := got[0].Lines[1]; l.Number != 2 || l.Cut {
		t.Fatalf("%+v", l)
	}
}

func TestFolding(t *testing.T) {
	t.Parallel()
	ix := opened(t, "STRASSE Straße ſtraſſe", "ΚΌΣΜΟΣ", "\u212aelvin", "ⱥ Ⱥ", "İ i ı I")
	for text, want := range map[string]string{
		"straße": "0:8-15", "strasse": "0:0-7 0:16-26", "κόσμος": "1:0-12", "kelvin": "2:0-8", "Ⱥ": "3:0-3 3:4-6", "ⱥ ȺX": "", "ı": "4:5-7", "i": "2:6-7 4:3-4 4:8-9",
	} {
		files, _ := search(t, ix, has(t, text), trigram.Limits{})
		var got []string
		for _, f := range files {
			for _, r := range f.Lines[0].Ranges {
				got = append(got, fmt.Sprintf("%d:%d-%d", f.File, r.Start, r.End))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is found at %v, not at %s", text, got, want)
		}
	}
	if files, _ := search(t, ix, trigram.Has{Matcher: compile(t, trigram.Pattern{Text: "strasse", Case: true})}, trigram.Limits{}); len(files) != 0 {
		t.Errorf("with case, %v", files)
	}
}

func TestLineEnds(t *testing.T) {
	t.Parallel()
	ix := opened(t, "one;\r\ntwo;\nthree; \n\n", "four;\r")
	for pattern, want := range map[string]string{
		`;$`: "0:0 0:1", `^$`: "0:3", `;.$`: "0:2 1:0", `;\s$`: "0:2 1:0", `;\s*two`: "", `;\s*\ntwo`: "0:0 0:1", `(?s)one.*three`: "0:0 0:1 0:2",
		`[^;]three`: "", `\Aone`: "0:0", `\Atwo`: "", `three; \n\n\z`: "0:2 0:3", `(.|\s)*`: "0:0 0:1 0:2 0:3 1:0", "\\x0athree": "0:1 0:2", `x*`: "0:0 0:1 0:2 0:3 1:0",
	} {
		files, _ := search(t, ix, regex(t, pattern), trigram.Limits{})
		var got []string
		for _, f := range files {
			for _, l := range f.Lines {
				got = append(got, fmt.Sprintf("%d:%d", f.File, l.Number))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("/%s/ matches %v, not %s", pattern, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	texts := make([]string, 20)
	for i := range texts {
		texts[i] = strings.Repeat("x\n", 10)
	}
	ix := opened(t, texts...)
	for _, c := range []struct {
		limits              trigram.Limits
		files, lines, first int
		partial             trigram.Partial
		more                bool
	}{
		{trigram.Limits{}, 20, 200, 10, trigram.Complete, false},
		{trigram.Limits{Files: 3}, 3, 30, 10, trigram.LimitFiles, false},
		{trigram.Limits{Files: 20}, 20, 200, 10, trigram.Complete, false},
		{trigram.Limits{Lines: 25}, 3, 30, 10, trigram.LimitLines, false},
		{trigram.Limits{LinesPerFile: 4}, 20, 80, 4, trigram.Complete, true},
		{trigram.Limits{LinesPerFile: 10}, 20, 200, 10, trigram.Complete, false},
		{trigram.Limits{Time: time.Nanosecond}, 0, 0, 0, trigram.LimitTime, false},
	} {
		files, report := search(t, ix, has(t, "x"), c.limits)
		if report.Files != c.files || report.Lines != c.lines || report.Partial != c.partial || len(files) != c.files {
			t.Errorf("%+v: %+v", c.limits, report)
		}
		if len(files) > 0 && (len(files[0].Lines) != c.first || files[0].More != c.more) {
			t.Errorf("%+v: %d lines, more is %v", c.limits, len(files[0].Lines), files[0].More)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := ix.Search(ctx, has(t, "x"), trigram.Limits{}, func(trigram.File) bool { n++; cancel(); return true })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("cancelled after the first of %d files: %v", n, err)
	}
	ctx, cancel = context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if report, err := ix.Search(ctx, has(t, "x"), trigram.Limits{}, nil); err != nil || report.Partial != trigram.LimitTime {
		t.Errorf("past the deadline: %+v, %v", report, err)
	}
	n = 0
	report, err := ix.Search(t.Context(), has(t, "x"), trigram.Limits{}, func(trigram.File) bool { n++; return n < 2 })
	if err != nil || n != 2 || report.Partial != trigram.LimitFiles {
		t.Errorf("stopped at the second: %d, %+v, %v", n, report, err)
	}
}

// TestStreams shows that files are yielded before the others were read.
func TestStreams(t *testing.T) {
	t.Parallel()
	texts := make([]string, 200)
	for i := range texts {
		texts[i] = fmt.Sprintf("needle %d\n%s", i, strings.Repeat("filler\n", 100))
	}
	ix := opened(t, texts...)
	report, err := ix.Search(t.Context(), has(t, "needle"), trigram.Limits{}, func(trigram.File) bool { return false })
	if err != nil || report.Read > 1000 {
		t.Errorf("%d bytes were read for the first of %d files: %v", report.Read, len(texts), err)
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for _, p := range []trigram.Pattern{{}, {Regexp: true}, {Text: "a(", Regexp: true}, {Text: "(?=a)", Regexp: true}, {Text: "(a{1000}){1000}", Regexp: true}} {
		var e *problem.Error
		if _, err := trigram.Compile(p); !errors.As(err, &e) || e.Kind != problem.Usage || len(e.Fixes) == 0 {
			t.Errorf("%+v: %v", p, err)
		}
	}
	// Patterns that take exponential time elsewhere.
	ix := opened(t, strings.Repeat("a", 50_000))
	if files, _ := search(t, ix, regex(t, `(a*)*(a|a)*(a+)+b`), trigram.Limits{}); len(files) != 0 {
		t.Error(files)
	}
}

func TestIndexed(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{`foo`: true, `\d+`: false, `ab|cd`: true, `a|b`: false, `(foo)?`: false, `fo+`: true, `x*foo\w*`: true, `.`: false, `(abc|[^x])`: false} {
		if m := compile(t, trigram.Pattern{Text: pattern, Regexp: true}); m.Indexed() != want {
			t.Errorf("/%s/: indexed is %v", pattern, !want)
		}
	}
}

// TestFewBlocksAreRead holds the planner to reading little: the literals of a
// regex must narrow down where to look.
func TestFewBlocksAreRead(t *testing.T) {
	t.Parallel()
	texts := make([]string, 300)
	for i := range texts {
		texts[i] = fmt.Sprintf("func (c *Client) Method%03d(ctx context.Context) error {\n%s", i, strings.Repeat("\treturn nil\n", 50))
	}
	ix := opened(t, texts...)
	for _, pattern := range []string{`Method123\(`, `func \(\w+ \*Client\) Method12[34]\(`, `(Method007|Method008)\b.*error`, `(?i)METHOD1+0\(`, `^func .*Method299\(.*\{$`, `Metho[d]123`, `123\(ctx.*\n\treturn`} {
		files, report := search(t, ix, regex(t, pattern), trigram.Limits{})
		if len(files) == 0 || report.Read > 16*700 {
			t.Errorf("/%s/: %d files, %d bytes read", pattern, len(files), report.Read)
		}
	}
}

// TestExpressions compares trees of conditions with their meaning.
func TestExpressions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		index, _ := scratch(t, rt)
		tr := trees(true).Draw(rt, "tree")
		ix := open(rt, index, tr)
		defer ix.Close()
		type meaning func(file int, text []byte) bool
		var draw func(depth int) (trigram.Expr, meaning)
		draw = func(depth int) (trigram.Expr, meaning) {
			kind := rapid.IntRange(0, 5).Draw(rt, "kind")
			if depth == 0 {
				kind %= 3
			}
			switch kind {
			case 0:
				lit := literals(tr).Draw(rt, "literal")
				return trigram.Has{Matcher: compile(rt, trigram.Pattern{Text: lit, Case: true})}, func(_ int, text []byte) bool { return bytes.Contains(text, []byte(lit)) }
			case 1:
				e := expressions(false).Draw(rt, "regex")
				re := regexp.MustCompile("(?m)" + e.ours)
				return regex(rt, e.ours), func(_ int, text []byte) bool { return len(byLine(tree{text}, re)) > 0 }
			case 2:
				mask := rapid.IntRange(0, 63).Draw(rt, "files")
				return trigram.Where(func(f uint32) bool { return mask>>f&1 == 1 }), func(f int, _ []byte) bool { return mask>>f&1 == 1 }
			case 3:
				x, m := draw(depth - 1)
				return trigram.Not{Expr: x}, func(f int, text []byte) bool { return !m(f, text) }
			}
			a, ma := draw(depth - 1)
			b, mb := draw(depth - 1)
			if kind == 4 {
				return trigram.And{a, b}, func(f int, text []byte) bool { return ma(f, text) && mb(f, text) }
			}
			return trigram.Or{a, b}, func(f int, text []byte) bool { return ma(f, text) || mb(f, text) }
		}
		x, m := draw(3)
		files, _ := search(rt, ix, x, trigram.Limits{})
		var got, want []int
		for _, f := range files {
			got = append(got, int(f.File))
		}
		for f, text := range tr {
			if text != nil && m(f, text) {
				want = append(want, f)
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%v are found, not %v", got, want)
		}
		checkLines(rt, tr, files, nil)
	})
}
