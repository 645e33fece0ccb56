package query_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"manito/internal/problem"
	"manito/internal/query"
)

func word(s string) query.Text {
	return query.Text{Value: query.Value{Text: s, Form: query.Word}}
}

func phrase(s string) query.Text {
	return query.Text{Value: query.Value{Text: s, Form: query.Phrase}}
}

func regex(s string) query.Text {
	return query.Text{Value: query.Value{Text: s, Form: query.Regexp}}
}

func is(f query.Field, s string) query.Is { return query.Is{Field: f, Value: query.Value{Text: s}} }

// shape compares trees without the places of their parts.
var shape = cmp.Options{cmpopts.IgnoreFields(query.Text{}, "At"), cmpopts.IgnoreFields(query.Is{}, "At")}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]query.Q{
		`parse`:                         word("parse"),
		`parse config`:                  query.And{word("parse"), word("config")},
		`"parse config"`:                phrase("parse config"),
		`"say \"hi\"\n"`:                phrase("say \"hi\"\n"),
		`/pars(e|ing)/`:                 regex("pars(e|ing)"),
		`/a\/b\\/`:                      regex(`a/b\\`),
		`/\d+\.\d+/`:                    regex(`\d+\.\d+`),
		`sym:ReadAll`:                   is(query.Symbol, "ReadAll"),
		`SYM:ReadAll`:                   is(query.Symbol, "ReadAll"),
		`file:"a b"`:                    query.Is{Field: query.File, Value: query.Value{Text: "a b", Form: query.Phrase}},
		`file:/_test\.go$/`:             query.Is{Field: query.File, Value: query.Value{Text: `_test\.go$`, Form: query.Regexp}},
		`lang:go repo:x`:                query.And{is(query.Language, "go"), is(query.Repo, "x")},
		`kind:function calls:f`:         query.And{is(query.Kind, "function"), is(query.Calls, "f")},
		`imports:net/http`:              is(query.Imports, "net/http"),
		`-test`:                         query.Not{word("test")},
		`a -file:x`:                     query.And{word("a"), query.Not{is(query.File, "x")}},
		`--a`:                           query.Not{query.Not{word("a")}},
		`-(a b)`:                        query.Not{query.And{word("a"), word("b")}},
		`a or b c`:                      query.Or{word("a"), query.And{word("b"), word("c")}},
		`(a OR b) and c`:                query.And{query.Or{word("a"), word("b")}, word("c")},
		`((a)) (b (c d))`:               query.And{word("a"), word("b"), word("c"), word("d")},
		`a or (b or c)`:                 query.Or{word("a"), word("b"), word("c")},
		`Or organ android`:              query.And{word("Or"), word("organ"), word("android")},
		`"or"`:                          phrase("or"),
		`f(x)`:                          word("f(x)"),
		`(f() or g(h(1)))`:              query.Or{word("f()"), word("g(h(1))")},
		`f(`:                            word("f("),
		`a-b x->y`:                      query.And{word("a-b"), word("x->y")},
		`std::vector http://x default:`: query.And{word("std::vector"), word("http://x"), word("default:")},
		`x:=1`:                          word("x:=1"),
		`file\:name \-x \(`:             query.And{word("file:name"), word("-x"), word("(")},
		`a\ b\nc\\`:                     word("a b\nc\\"),
		"größe\u3000名前":                 query.And{word("größe"), word("名前")},
	} {
		got, err := query.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(query.Query{Root: want}, got, shape); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		checkRoundTrip(t, got)
	}
}

func TestCase(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]query.Case{"a": query.CaseNo, "a case:yes": query.CaseYes, "case:no a": query.CaseNo, "(case:auto a) or b": query.CaseAuto, "case:yes a CASE:YES": query.CaseYes} {
		got, err := query.Parse(text)
		if err != nil || got.Case != want {
			t.Errorf("%s: %v, %v", text, got.Case, err)
		}
		checkRoundTrip(t, got)
	}
	for text, want := range map[string]bool{"abc": false, "aBc": true, "é": false, "É": true} {
		if got := query.CaseAuto.Sensitive(query.Value{Text: text}); got != want {
			t.Errorf("%s: sensitive is %v", text, got)
		}
	}
	for text, want := range map[string]bool{`\Sabc\W`: false, `\\S`: true, `a[B]`: true} {
		if got := query.CaseAuto.Sensitive(query.Value{Text: text, Form: query.Regexp}); got != want {
			t.Errorf("/%s/: sensitive is %v", text, got)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		byt  int
		col  int
		says string
	}{
		{``, 0, 0, "empty"},
		{"  \t ", 0, 0, "empty"},
		{`case:yes`, 0, 0, "nothing to look for"},
		{`a case:maybe`, 7, 7, "case: takes yes, no or auto"},
		{`case:yes a case:no`, 11, 11, "case:no after case:yes"},
		{`-case:yes a`, 0, 0, "cannot be excluded"},
		{`ä "b`, 3, 2, "not closed"},
		{`ä /b`, 3, 2, "not closed"},
		{`""`, 0, 0, "nothing between"},
		{`//`, 0, 0, "nothing in it"},
		{`"a"b`, 3, 3, "right after the end of a phrase"},
		{`/usr/bin`, 5, 5, "right after the end of a regex"},
		{`ä /x(y/`, 4, 3, "missing closing )"},
		{`/a\/b**/`, 5, 5, "invalid nested repetition operator"},
		{`/(?=x)/`, 1, 1, "invalid or unsupported Perl syntax"},
		{`a\d`, 1, 1, `unknown escape \d`},
		{`a\`, 1, 1, "backslash with nothing after it"},
		{`a )`, 2, 2, "closing bracket"},
		{`(a`, 0, 0, "opening bracket"},
		{`a ()`, 2, 2, "nothing to look for in them"},
		{`a -`, 2, 2, "minus with nothing after it"},
		{`or a`, 0, 0, `"or" with nothing on one side`},
		{`a or`, 2, 2, `"or" with nothing on one side`},
		{`and a`, 0, 0, `"and" with nothing before it`},
		{`a and`, 2, 2, `"and" with nothing after it`},
		{`a and or b`, 2, 2, `"and" with nothing after it`},
		{`ä simbol:x`, 3, 2, "unknown field simbol:"},
		{`file:`, 5, 5, "file: without a value"},
		{`file: x`, 5, 5, "file: without a value"},
		{`lang:/go/`, 5, 5, "a regex after lang:"},
		{`a rule:x`, 2, 2, "rule: is not there yet"},
		{`since:yesterday`, 0, 0, "since: is not there yet"},
		{"a \xff", 2, 2, "not UTF-8"},
		{strings.Repeat("(", 200) + "a", 101, 101, "inside each other"},
		{strings.Repeat("-", 9000), query.MaxBytes, query.MaxBytes, "9000 bytes"},
	} {
		_, err := query.Parse(c.text)
		var at *query.At
		var p *problem.Error
		if !errors.As(err, &at) || !errors.As(err, &p) {
			t.Errorf("%.40q: error %v does not say where", c.text, err)
			continue
		}
		if p.Kind != problem.Usage || len(p.Fixes) == 0 {
			t.Errorf("%.40q: kind %v, fixes %q", c.text, p.Kind, p.Fixes)
		}
		if at.Byte != c.byt || at.Column != c.col || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40q: %v, byte %d column %d; want %q, byte %d column %d", c.text, err, at.Byte, at.Column, c.says, c.byt, c.col)
		}
	}
	_, err := query.Parse("symb:x")
	var p *problem.Error
	if !errors.As(err, &p) || p.Fixes[0] != "did you mean sym:?" {
		t.Errorf("symb: gives %v, %q", err, p.Fixes)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	const text = `a -"b c" (file:d or /e/)`
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	query.Walk(q.Root, func(q query.Q, not bool) {
		switch q := q.(type) {
		case query.Text:
			got = append(got, fmt.Sprintf("%c %v", text[q.At], not))
		case query.Is:
			got = append(got, fmt.Sprintf("%c %v", text[q.At], not))
		}
	})
	if diff := cmp.Diff([]string{`a false`, `" true`, `d false`, `/ false`}, got); diff != "" {
		t.Error(diff)
	}
}

func checkRoundTrip(t interface{ Errorf(string, ...any) }, q query.Query) {
	printed := q.String()
	if len(printed) > query.MaxBytes {
		return
	}
	again, err := query.Parse(printed)
	if err != nil {
		t.Errorf("%q is printed as %q, which does not parse: %v", q, printed, err)
		return
	}
	if diff := cmp.Diff(q, again, shape, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%q does not parse to itself:\n%s", printed, diff)
	}
}

// trees draws queries that Parse could have made.
func trees() *rapid.Generator[query.Query] {
	values := rapid.Custom(func(t *rapid.T) query.Value {
		v := query.Value{Form: query.Form(rapid.IntRange(0, 2).Draw(t, "form"))}
		if v.Form == query.Regexp {
			v.Text = rapid.SampledFrom([]string{`a+`, `/`, `\\`, `[/]\d`, `x\.y`, ` `, `(a|b)`, `"`, "é", "\n"}).Draw(t, "regex")
			return v
		}
		v.Text = rapid.StringOfN(rapid.SampledFrom([]rune("ab:()/\\\"-. \n\té\u3000名OR")), 1, 8, -1).Filter(func(s string) bool {
			return v.Form == query.Phrase || s != "OR"
		}).Draw(t, "text")
		return v
	})
	var node func(depth int) *rapid.Generator[query.Q]
	node = func(depth int) *rapid.Generator[query.Q] {
		return rapid.Custom(func(t *rapid.T) query.Q {
			parts := func() []query.Q { return rapid.SliceOfN(node(depth-1), 2, 3).Draw(t, "parts") }
			kind := rapid.IntRange(0, 4).Draw(t, "node")
			if depth == 0 {
				kind %= 2
			}
			switch kind {
			case 0:
				return query.Text{Value: values.Draw(t, "value")}
			case 1:
				f := query.Field(rapid.SampledFrom([]query.Field{query.Symbol, query.File, query.Repo, query.Calls, query.Imports}).Draw(t, "field"))
				return query.Is{Field: f, Value: values.Filter(func(v query.Value) bool { return !strings.HasPrefix(v.Text, ":") }).Draw(t, "value")}
			case 2:
				return query.Not{Q: node(depth-1).Draw(t, "part")}
			case 3:
				var and query.And
				for _, p := range parts() {
					if nested, ok := p.(query.And); ok {
						and = append(and, nested...)
					} else {
						and = append(and, p)
					}
				}
				return and
			}
			var or query.Or
			for _, p := range parts() {
				if nested, ok := p.(query.Or); ok {
					or = append(or, nested...)
				} else {
					or = append(or, p)
				}
			}
			return or
		})
	}
	return rapid.Custom(func(t *rapid.T) query.Query {
		return query.Query{Root: node(3).Draw(t, "root"), Case: query.Case(rapid.IntRange(0, 2).Draw(t, "case"))}
	})
}

func TestPrintedTreesParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkRoundTrip(t, trees().Draw(t, "query")) })
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`a -"b c" (file:d or /e\/f/) case:yes`, `f(x, y)`, `--(a\ b)`, `simbol:x`, "\xff", `a::b http://`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := query.Parse(text)
		if err != nil {
			var at *query.At
			if !errors.As(err, &at) || at.Byte > len(text) || at.Column > at.Byte {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		checkRoundTrip(t, q)
	})
}

// TestDocumentation parses every example of the page that describes the language.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/search-syntax.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, refused := 0, 0
	for block := range strings.SplitSeq(string(page), "```query") {
		block, _, ok := strings.Cut(block, "```")
		if !ok || strings.HasPrefix(block, "# ") {
			continue
		}
		wrong := strings.HasPrefix(block, " refused")
		for line := range strings.Lines(block) {
			example, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
			if example == "" || example == "refused" {
				continue
			}
			q, err := query.Parse(example)
			switch {
			case wrong:
				refused++
				if err == nil {
					t.Errorf("%s is said to be refused", example)
				}
			case err != nil:
				t.Errorf("%s: %v", example, err)
			default:
				examples++
				checkRoundTrip(t, q)
			}
		}
	}
	if examples < 25 || refused < 5 {
		t.Errorf("found %d examples and %d refused ones", examples, refused)
	}
	for _, f := range query.Fields() {
		if !strings.Contains(string(page), "\n"+f+":") {
			t.Errorf("%s: has no example", f)
		}
	}
}
