package trigram_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/trigram"
)

// expression is a regex as Go and as ripgrep spell it.
type expression struct{ ours, rg string }

func same(s string) expression { return expression{s, s} }

// expressions draws regexes, within lines or across them.
func expressions(across bool) *rapid.Generator[expression] {
	atoms := []expression{
		same(`.`), same(`.*`), {`\w`, `[0-9A-Za-z_]`}, {`\w+`, `[0-9A-Za-z_]+`}, {`\d`, `[0-9]`}, {`\bfoo`, `(?-u:\b)foo`}, {`r\b`, `r(?-u:\b)`}, // ripgrep 13 does not find \b^ on lines but the first
		same(`[a-f]`), same(`[^a-f]`), same(`[Kk]`), same(`[é日]`), same(`^`), same(`$`), same(`o+`), same(`\p{L}`), same(`(?i:foo)`),
	}
	if across {
		atoms = append(atoms, same(`\n`), same(`\n`), expression{`\s+`, `[\t\n\f\r ]+`})
	} else {
		atoms = append(atoms, expression{`\s`, `[\t\f\r ]`})
	}
	atom := rapid.OneOf(rapid.SampledFrom(atoms), rapid.Map(rapid.SampledFrom(words), func(w string) expression {
		return same(strings.ReplaceAll(regexp.QuoteMeta(w), "\r", `\r`))
	}))
	var node func(depth int) *rapid.Generator[expression]
	node = func(depth int) *rapid.Generator[expression] {
		if depth == 0 {
			return atom
		}
		return rapid.Custom(func(t *rapid.T) expression {
			a := node(depth-1).Draw(t, "left")
			switch rapid.IntRange(0, 7).Draw(t, "how") {
			case 0, 1, 2, 3:
				b := node(depth-1).Draw(t, "right")
				return expression{a.ours + b.ours, a.rg + b.rg}
			case 4:
				b := node(depth-1).Draw(t, "right")
				return expression{"(?:" + a.ours + "|" + b.ours + ")", "(?:" + a.rg + "|" + b.rg + ")"}
			case 5:
				q := rapid.SampledFrom([]string{"?", "*", "+", "{1,3}", "{2}", "*?"}).Draw(t, "times")
				return expression{"(?:" + a.ours + ")" + q, "(?:" + a.rg + ")" + q}
			case 6:
				return expression{"(" + a.ours + ")", "(" + a.rg + ")"}
			}
			return a
		})
	}
	return rapid.Custom(func(t *rapid.T) expression {
		if !across {
			return node(rapid.IntRange(0, 3).Draw(t, "depth")).Draw(t, "regex")
		}
		a, b := node(2).Draw(t, "first"), node(2).Draw(t, "second")
		return expression{a.ours + `\n` + b.ours, a.rg + `\n` + b.rg}
	})
}

// literals draws texts to look for: pieces of the tree, or others.
func literals(tr tree) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := tr[rapid.IntRange(0, len(tr)-1).Draw(t, "file")]
		if len(text) > 0 && rapid.IntRange(0, 3).Draw(t, "own") > 0 {
			from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
			to := min(len(text), from+rapid.IntRange(1, 12).Draw(t, "length"))
			s := strings.ToValidUTF8(string(text[from:to]), "")
			s, _, _ = strings.Cut(s, "\n")
			if s = strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "\ufffd", ""); s != "" {
				return s
			}
		}
		n := rapid.IntRange(1, 3).Draw(t, "words")
		s := ""
		for range n {
			s += rapid.SampledFrom(words).Draw(t, "word")
		}
		return s
	})
}

// byLine are the lines that match a regex, each looked at alone.
func byLine(tr tree, re *regexp.Regexp) map[place]bool {
	out := map[place]bool{}
	for f, text := range tr {
		lines := bytes.SplitAfter(text, []byte{'\n'})
		for i, l := range lines {
			if len(l) == 0 {
				continue
			}
			if end, ok := bytes.CutSuffix(l, []byte{'\n'}); ok {
				l = bytes.TrimSuffix(end, []byte{'\r'})
			}
			if re.Match(l) {
				out[place{f, i}] = true
			}
		}
	}
	return out
}

// byText are the lines that the matches of a regex in whole texts cover.
func byText(tr tree, re *regexp.Regexp) map[place]bool {
	out := map[place]bool{}
	for f, text := range tr {
		for _, loc := range re.FindAllIndex(text, -1) {
			if loc[0] == loc[1] && loc[0] == len(text) && (len(text) == 0 || text[len(text)-1] == '\n') {
				continue
			}
			first := bytes.Count(text[:loc[0]], []byte{'\n'})
			last := bytes.Count(text[:max(loc[0], loc[1]-1)], []byte{'\n'})
			for l := first; l <= last; l++ {
				out[place{f, l}] = true
			}
		}
	}
	return out
}

// ripgrep runs rg over a tree that was written to a folder.
func ripgrep(t failer, dir string, args ...string) map[place]bool {
	t.Helper()
	cmd := exec.Command("rg", append([]string{"--no-config", "-uuu", "--text", "--encoding", "none", "--no-heading", "--color", "never", "-H", "-n", "--null", "--no-column"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	nothing := strings.Contains(stderr.String(), "No files were searched") // a tree without texts
	if err != nil && !(errors.As(err, &exit) && (exit.ExitCode() == 1 || nothing)) {
		t.Fatalf("rg %q: %v: %s (scripts/install-deps.sh installs ripgrep)", args, err, stderr.String())
	}
	found := map[place]bool{}
	for l := range bytes.SplitSeq(out, []byte{'\n'}) {
		// A name, a zero byte, a number, a colon and the line, which may have zero bytes itself.
		name, rest, ok := bytes.Cut(l, []byte{0})
		number, _, colon := bytes.Cut(rest, []byte{':'})
		if !ok || !colon {
			continue
		}
		f, err1 := strconv.Atoi(strings.TrimPrefix(string(name), "./"))
		n, err2 := strconv.Atoi(string(number))
		if err1 != nil || err2 != nil {
			t.Fatalf("rg %q printed %q", args, l)
		}
		found[place{f, n - 1}] = true
	}
	return found
}

// write writes a tree to a folder, with plain line ends if asked to.
func write(t failer, dir string, tr tree, plain bool) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	for i, text := range tr {
		if plain {
			text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		}
		if text != nil {
			if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// scratch are folders for one check of a property.
func scratch(t *testing.T, rt *rapid.T) (index, files string) {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		rt.Fatal(err)
	}
	index, files = filepath.Join(dir, "index"), filepath.Join(dir, "files")
	if err := errors.Join(os.Mkdir(index, 0o700), os.Mkdir(files, 0o700)); err != nil {
		rt.Fatal(err)
	}
	return index, files
}

func diff(t failer, what string, want, got map[place]bool) {
	t.Helper()
	if !maps.Equal(want, got) {
		t.Fatalf("%s: %s", what, cmp.Diff(want, got, cmp.AllowUnexported(place{})))
	}
}

// TestLiteralsAsRipgrep compares every literal with ripgrep and with Go's regexp.
func TestLiteralsAsRipgrep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		index, dir := scratch(t, rt)
		tr := trees(false).Draw(rt, "tree")
		ix := open(rt, index, tr)
		defer ix.Close()
		write(rt, dir, tr, false)
		for range 4 {
			p := trigram.Pattern{Text: literals(tr).Draw(rt, "literal"), Case: rapid.Bool().Draw(rt, "case")}
			files, report := search(rt, ix, trigram.Has{Matcher: compile(rt, p)}, trigram.Limits{LineBytes: 1 << 20})
			if report.Partial != trigram.Complete {
				rt.Fatalf("%v", report)
			}
			args := []string{"-F", "-e", p.Text}
			pattern := regexp.QuoteMeta(p.Text)
			if !p.Case {
				args = append(args, "-i")
				pattern = "(?i)" + pattern
			}
			got := places(files)
			diff(rt, fmt.Sprintf("rg %q", args), ripgrep(rt, dir, args...), got)
			diff(rt, "Go "+pattern, byText(tr, regexp.MustCompile(pattern)), got)
			var whole *regexp.Regexp
			if !strings.Contains(p.Text, "\r") { // one before a line end is not shown
				whole = regexp.MustCompile("^(?:" + strings.Replace(pattern, "(?i)", "(?i:", 1) + map[bool]string{true: "", false: ")"}[p.Case] + ")+$")
			}
			checkLines(rt, tr, files, whole)
		}
	})
}

// checkLines checks what is said of lines against the text itself.
func checkLines(t failer, tr tree, files []trigram.File, whole *regexp.Regexp) {
	t.Helper()
	for _, f := range files {
		text := tr[f.File]
		lines := bytes.SplitAfter(text, []byte{'\n'})
		starts, clean := []int{0}, utf8.Valid(text)
		for _, l := range lines {
			starts = append(starts, starts[len(starts)-1]+len(l))
		}
		for i, l := range f.Lines {
			if i > 0 && f.Lines[i-1].Number >= l.Number {
				t.Fatalf("line %d comes after line %d", l.Number, f.Lines[i-1].Number)
			}
			if string(text[l.Offset:int(l.Offset)+len(l.Text)]) != l.Text || int(l.Offset) < starts[l.Number] || int(l.Offset)+len(l.Text) > starts[l.Number+1] {
				t.Fatalf("the text of line %d is not there: %+v", l.Number, l)
			}
			if !l.Match {
				continue
			}
			if first := starts[l.Number] + int(l.Column); whole != nil && clean && first != int(l.Offset)+l.Ranges[0].Start {
				t.Fatalf("column %d of %+v", l.Column, l)
			}
			for _, r := range l.Ranges {
				if whole != nil && !whole.MatchString(l.Text[r.Start:r.End]) {
					t.Fatalf("%q is highlighted for %s", l.Text[r.Start:r.End], whole)
				}
				if clean && !utf8.ValidString(l.Text[r.Start:r.End]) {
					t.Fatalf("the range %v cuts a character of %q", r, l.Text)
				}
			}
		}
	}
}

// emptyLine is what ripgrep 13 does not find: an end of a line before a beginning, in an empty line.
var emptyLine = regexp.MustCompile(`\$[()?:*+]*\^`)

// TestRegexesAsRipgrep compares regexes within lines with ripgrep and with Go's regexp.
func TestRegexesAsRipgrep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		index, dir := scratch(t, rt)
		tr := trees(true).Draw(rt, "tree")
		ix := open(rt, index, tr)
		defer ix.Close()
		write(rt, dir, tr, true) // to ripgrep, \r is a part of the line
		for range 4 {
			e := expressions(false).Draw(rt, "regex")
			p := trigram.Pattern{Text: e.ours, Regexp: true, Case: rapid.Bool().Draw(rt, "case")}
			files, _ := search(rt, ix, trigram.Has{Matcher: compile(rt, p)}, trigram.Limits{LineBytes: 1 << 20})
			args, flags := []string{"-e", e.rg}, "(?m)"
			if !p.Case {
				args, flags = append(args, "-i"), "(?mi)"
			}
			got := places(files)
			diff(rt, "Go "+e.ours, byLine(tr, regexp.MustCompile(flags+e.ours)), got)
			if !emptyLine.MatchString(e.rg) {
				diff(rt, fmt.Sprintf("rg %q", args), ripgrep(rt, dir, args...), got)
			}
			checkLines(rt, tr, files, nil)
		}
	})
}

// TestRegexesAcrossLinesAsRipgrep compares regexes that name line ends.
func TestRegexesAcrossLinesAsRipgrep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		index, dir := scratch(t, rt)
		tr := trees(true).Draw(rt, "tree")
		ix := open(rt, index, tr)
		defer ix.Close()
		write(rt, dir, tr, false)
		for range 4 {
			e := expressions(true).Draw(rt, "regex")
			p := trigram.Pattern{Text: e.ours, Regexp: true, Case: rapid.Bool().Draw(rt, "case")}
			files, _ := search(rt, ix, trigram.Has{Matcher: compile(rt, p)}, trigram.Limits{LineBytes: 1 << 20})
			args, flags := []string{"-U", "-e", e.rg}, "(?m)"
			if !p.Case {
				args, flags = append(args, "-i"), "(?mi)"
			}
			got := places(files)
			diff(rt, "Go "+e.ours, byText(tr, regexp.MustCompile(flags+e.ours)), got)
			if !emptyLine.MatchString(e.rg) {
				diff(rt, fmt.Sprintf("rg %q", args), ripgrep(rt, dir, args...), got)
			}
			checkLines(rt, tr, files, nil)
		}
	})
}

// TestDirtyTexts compares regexes over texts that are no UTF-8 with Go's regexp,
// for which each byte that is no character is one.
func TestDirtyTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		index, _ := scratch(t, rt)
		tr := trees(false).Draw(rt, "tree")
		ix := open(rt, index, tr)
		defer ix.Close()
		for range 6 {
			across := rapid.Bool().Draw(rt, "across")
			e := expressions(across).Draw(rt, "regex")
			if rapid.IntRange(0, 3).Draw(rt, "replacement") == 0 {
				e.ours += "\ufffd"
			}
			files, _ := search(rt, ix, trigram.Has{Matcher: compile(rt, trigram.Pattern{Text: e.ours, Regexp: true, Case: true})}, trigram.Limits{})
			want := byLine
			if across {
				want = byText
			}
			diff(rt, "Go "+e.ours, want(tr, regexp.MustCompile("(?m)"+e.ours)), places(files))
			checkLines(rt, tr, files, nil)
		}
	})
}
