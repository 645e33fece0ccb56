package langtest

import (
	"context"
	"strings"
	"testing"

	"manito/internal/code"
	"manito/internal/lang"
)

// vocabulary is a language whose every word is a definition, for tests of the laws themselves.
type vocabulary struct{ spoil func(*code.Document) }

func (w vocabulary) Dialect(string, string) string { return "words" }

func (w vocabulary) Extract(_ context.Context, in lang.Input) *code.Document {
	var b code.Builder
	doc := b.Begin("words", in.Dialect, in.Text)
	at := 0
	for _, word := range strings.Fields(string(in.Text)) {
		at += strings.Index(string(in.Text[at:]), word)
		name, start, end := b.Name(word), uint32(at), uint32(at+len(word))
		id := b.AddDef(code.Def{Name: name, Kind: code.KindVariable, Parent: code.NoDef, Start: start, End: end, NameStart: start})
		if !in.Outline {
			b.AddUse(code.Use{Start: start, Name: name, Scope: id, Expr: b.Member(b.Expr(code.OpDef, int32(id), 0), name)})
		}
		at = int(end)
	}
	if in.Outline {
		doc.Flags |= code.DocOutline
	}
	if w.spoil != nil {
		w.spoil(doc)
	}
	return b.Finish()
}

func language(spoil func(*code.Document)) lang.Language {
	return lang.Language{Name: "words", Sources: []string{"words"}, NewExtractor: func() lang.Extractor { return vocabulary{spoil} }}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	in := Input{Base: "a.words", Dialect: "words", Text: []byte("\tone é two\nthree\n")}
	got := string(Snapshot(in.Text, Laws(t, language(nil), in)))
	want := `// language=words dialect=words
  	one é two
//	^^^ def one. kind=variable range=1:2-1:5
//	^^^ use read def(one.).one in one.
//	    ^^ def ` + "`é`" + `. kind=variable range=1:6-1:8
//	    ^^ use read def(` + "`é`" + `.).é in ` + "`é`" + `.
//	      ^^^ def two. kind=variable range=1:9-1:12
//	      ^^^ use read def(two.).two in two.
  three
//^^^^^ def three. kind=variable range=2:1-2:6
//^^^^^ use read def(three.).three in three.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*code.Document)
		want  string
	}{
		{"whole", func(*code.Document) {}, ""},
		{"another language", func(d *code.Document) { d.Language = "word" }, "language"},
		{"a size of its own", func(d *code.Document) { d.Size++ }, "size"},
		{"lines of its own", func(d *code.Document) { d.Lines = d.Lines[:1] }, "lines"},
		{"a misplaced definition", func(d *code.Document) { d.Defs[0].NameStart++ }, "definition one. is not written at 1"},
		{"a misplaced use", func(d *code.Document) { d.Uses[1].Start++ }, "use of two is not written at 5"},
		{"a misplaced local", func(d *code.Document) { d.Locals = append(d.Locals, code.Local{Name: 1, Scope: code.NoDef, Start: 4}) }, "local one is not written at 4"},
		{"what Check refuses", func(d *code.Document) { d.Defs[0].Parent = 7 }, "parent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := language(test.spoil)
			in := Input{Base: "a.words", Dialect: "words", Text: []byte("one two\nthree\n")}
			err := sound(l, in, extract(l.NewExtractor(), in.Dialect, in.Text))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestOutlined(t *testing.T) {
	t.Parallel()
	l := language(nil)
	in := Input{Base: "a.words", Dialect: "words", Text: []byte("one two")}
	x := l.NewExtractor()
	full := extract(x, in.Dialect, in.Text)
	outline := x.Extract(context.Background(), lang.Input{Text: in.Text, Dialect: in.Dialect, Outline: true})
	if err := outlined(l, in, full, outline); err != nil {
		t.Error(err)
	}
	if outlined(l, in, full, full) == nil {
		t.Error("a full reading passes for an outline")
	}
	full.Defs = full.Defs[:1]
	if outlined(l, in, full, outline) == nil {
		t.Error("an outline may name what the full reading has not")
	}
}
