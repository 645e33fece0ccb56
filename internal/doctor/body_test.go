package doctor

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// FuzzRehearse has bodies taken apart that nobody would write: it must come to an end, and
// tell for each line that it writes which line it stands for.
func FuzzRehearse(f *testing.F) {
	text, err := os.ReadFile("testdata/functions.sql")
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?s)as \$\$(.*?)\$\$;`).FindAllStringSubmatch(string(text), -1) {
		f.Add(m[1])
	}
	for _, s := range []string{"", "<<", "<<a", "begin", "begin <<x>> for i in 1..", "declare", "declare c cursor", "#", "# option", "begin x := ; end", "begin return query (; end", "begin case; end case", "begin raise using x; end", "begin execute into using; end"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		out, lines, _ := rehearse(routine{name: "f", body: body, params: []parameter{{"a", "int4"}, {"", "text"}}, columns: []string{"int4"}}, []string{"42601"})
		if n := strings.Count(out, "\n"); n != len(lines) {
			t.Errorf("%d lines were written, %d are accounted for", n, len(lines))
		}
		for _, tok := range lex(body) {
			if tok.start >= tok.end || tok.end > len(body) {
				t.Fatalf("token %+v", tok)
			}
		}
	})
}

// TestLex takes bodies apart where quotes and comments mislead.
func TestLex(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"a := 'it''s; x';":     "a|:=|'it''s; x'|;",
		`e'a\'; b' || 1`:       `e|'a\'; b'|||||1`,
		"x -- ; no\n;":         "x|;",
		"/* a /* b */ ; */ y":  "y",
		"$q$ ; $q$ $1":         "$q$ ; $q$|$1",
		`"Odd ; Name".b`:       `"Odd ; Name"|.|b`,
		"1..10":                "1|..|10",
		"1.5..n":               "1.5|..|n",
		"<<l>> a << b":         "<<|l|>|>|a|<<|b",
		"a[1]::int":            "a|[|1|]|:|:|int",
		"$tag$ $$ $tag$ begin": "$tag$ $$ $tag$|begin",
		"'unfinished":          "'unfinished",
		"x/**/y":               "x|y",
		"SELECT é":             "SELECT|é",
	} {
		var got []string
		for _, tok := range lex(body) {
			got = append(got, body[tok.start:tok.end])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q gives %q, want %q", body, strings.Join(got, "|"), want)
		}
	}
}
