package langtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"manito/internal/code"
	"manito/internal/lang"
)

// Laws checks an input against what every extractor must keep, and returns its Document:
//
//   - Document.Check finds nothing; language, dialect, size and lines are those of the input;
//   - names of definitions, locals and uses are spelled as the bytes they point at;
//   - the same bytes give the same Document: again, in a fresh extractor, and after other bytes;
//   - nothing of the Document points into the bytes, which the caller may reuse;
//   - an outline says so, has no uses, and names only definitions that the full reading has;
//   - a reading that was stopped either is complete or says "deadline".
func Laws(t testing.TB, l lang.Language, in Input) *code.Document {
	t.Helper()
	x := l.NewExtractor()
	text := bytes.Clone(in.Text)
	doc := extract(x, in.Dialect, text)
	if err := sound(l, in, doc); err != nil {
		t.Fatalf("%s: %v", in.Base, err)
	}
	shot := Snapshot(in.Text, doc)
	for i := range text {
		text[i] = 'x'
	}
	if !bytes.Equal(shot, Snapshot(in.Text, doc)) {
		t.Fatalf("%s: the Document changes when its bytes are overwritten", in.Base)
	}
	extract(x, in.Dialect, text)
	extract(x, in.Dialect, in.Text[:len(in.Text)/2])
	if again := extract(x, in.Dialect, in.Text); !reflect.DeepEqual(doc, again) {
		t.Fatalf("%s: an extractor that has read other bytes gives another Document", in.Base)
	}
	if fresh := extract(l.NewExtractor(), in.Dialect, in.Text); !reflect.DeepEqual(doc, fresh) {
		t.Fatalf("%s: a fresh extractor gives another Document", in.Base)
	}
	outline := x.Extract(context.Background(), lang.Input{Text: in.Text, Dialect: in.Dialect, Outline: true})
	if err := outlined(l, in, doc, outline); err != nil {
		t.Fatalf("%s: outline: %v", in.Base, err)
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	part := x.Extract(stopped, lang.Input{Text: in.Text, Dialect: in.Dialect})
	if err := sound(l, in, part); err != nil {
		t.Fatalf("%s: stopped: %v", in.Base, err)
	}
	if !reflect.DeepEqual(doc, part) && !diagnosed(part, "deadline") {
		t.Fatalf("%s: a stopped reading is incomplete and has no diagnostic \"deadline\"", in.Base)
	}
	return doc
}

// Damage checks truncations of an input and copies with random bytes in them:
// an extractor must neither panic nor give an unsound Document.
func Damage(t testing.TB, l lang.Language, in Input) {
	t.Helper()
	x := l.NewExtractor()
	try := func(what string, text []byte) {
		t.Helper()
		cut := Input{Base: in.Base, Dialect: in.Dialect, Text: text}
		if err := sound(l, cut, extract(x, in.Dialect, text)); err != nil {
			t.Fatalf("%s, %s: %v\n%q", in.Base, what, err, tail(text))
		}
	}
	step := max(1, len(in.Text)/400)
	for n := 0; n < len(in.Text); n += step {
		try(fmt.Sprintf("first %d bytes", n), in.Text[:n])
		try(fmt.Sprintf("without its first %d bytes", n), in.Text[n:])
	}
	r := rand.New(rand.NewPCG(1, uint64(len(in.Text))))
	for round := range 200 {
		text := bytes.Clone(in.Text)
		for range 1 + r.IntN(8) {
			text = spoil(r, text)
		}
		try(fmt.Sprintf("damage %d", round), text)
	}
	for round := range 50 {
		text := make([]byte, r.IntN(2000))
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		try(fmt.Sprintf("noise %d", round), text)
	}
}

// spoil changes one place of a text: a byte, a range left out, a range written twice, a bracket put in.
func spoil(r *rand.Rand, text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	at := r.IntN(len(text))
	end := min(len(text), at+r.IntN(40))
	switch r.IntN(4) {
	case 0:
		text[at] = byte(r.Uint32())
		return text
	case 1:
		return append(text[:at:at], text[end:]...)
	case 2:
		return append(text[:end:end], text[at:]...)
	}
	const odd = "(){}[]<>:;,.=*&\"'`\n\x00\xff@#"
	return append(append(text[:at:at], odd[r.IntN(len(odd))]), text[at:]...)
}

// Nesting checks that deep nesting costs neither the stack nor the laws.
func Nesting(t testing.TB, l lang.Language, dialect string) {
	t.Helper()
	const deep = 200_000
	x := l.NewExtractor()
	heads := []string{""}
	if l.Name == "go" { // whose parser reads nothing that has no package clause
		heads = []string{"package p\nvar v = ", "package p\nfunc f() {\n"}
	}
	for _, unit := range []string{"(", "[", "{", "<", "-", "!", "a.", "a(", "f(x)[", "{a:", "if(a){", "if a {\n", "func() {", "()=>", "*", "a+(", "x=", "[[", ")", "}", "\"a\"+", "lambda:", "not "} {
		for _, head := range heads {
			in := Input{Base: "deep", Dialect: dialect, Text: []byte(head + strings.Repeat(unit, deep))}
			if err := sound(l, in, extract(x, dialect, in.Text)); err != nil {
				t.Fatalf("%q and %d times %q: %v", head, deep, unit, err)
			}
		}
	}
}

// Fuzz runs the cheap laws over what the fuzzer makes of dir's inputs. Start it
// with -fuzzminimizetime=1s, for minimising what is merely interesting costs most of the time else.
func Fuzz(f *testing.F, l lang.Language, dir string) {
	x := l.NewExtractor()
	inputs := Inputs(f, l, dir)
	known := dialects(inputs)
	slices.Sort(known)
	for _, in := range inputs {
		f.Add(in.Text, uint8(slices.Index(known, in.Dialect)))
	}
	f.Fuzz(func(t *testing.T, text []byte, choice uint8) {
		in := Input{Base: "fuzz", Dialect: known[int(choice)%len(known)], Text: text}
		doc := extract(x, in.Dialect, text)
		if err := sound(l, in, doc); err != nil {
			t.Fatal(err)
		}
		if again := extract(x, in.Dialect, text); !reflect.DeepEqual(doc, again) {
			t.Fatal("the same bytes give another Document")
		}
	})
}

func sound(l lang.Language, in Input, doc *code.Document) error {
	switch {
	case doc == nil:
		return fmt.Errorf("no Document")
	case doc.Language != l.Name || doc.Dialect != in.Dialect:
		return fmt.Errorf("language %q dialect %q, want %q %q", doc.Language, doc.Dialect, l.Name, in.Dialect)
	case int(doc.Size) != len(in.Text):
		return fmt.Errorf("size %d, want %d", doc.Size, len(in.Text))
	case !reflect.DeepEqual(doc.Lines, code.LineStarts(in.Text)):
		return fmt.Errorf("the lines are not those of the text")
	}
	if err := doc.Check(); err != nil {
		return err
	}
	at := func(start uint32, name code.NameID) bool {
		return bytes.HasPrefix(in.Text[start:], []byte(doc.Names[name]))
	}
	for i := range doc.Defs {
		if d := &doc.Defs[i]; d.Flags&code.DefNoName == 0 && !at(d.NameStart, d.Name) {
			return fmt.Errorf("definition %s is not written at %d", doc.Descriptor(code.DefID(i)), d.NameStart)
		}
	}
	for _, b := range doc.Locals {
		if !at(b.Start, b.Name) {
			return fmt.Errorf("local %s is not written at %d", doc.Names[b.Name], b.Start)
		}
	}
	for _, u := range doc.Uses {
		if !at(u.Start, u.Name) {
			return fmt.Errorf("use of %s is not written at %d", doc.Names[u.Name], u.Start)
		}
	}
	if n := len(doc.Diagnostics); n > 24 {
		return fmt.Errorf("%d diagnostics", n)
	}
	return nil
}

func outlined(l lang.Language, in Input, full, outline *code.Document) error {
	if err := sound(l, in, outline); err != nil {
		return err
	}
	if outline.Flags&code.DocOutline == 0 || len(outline.Uses) > 0 {
		return fmt.Errorf("flags %b and %d uses", outline.Flags, len(outline.Uses))
	}
	all := make(map[string]uint32, len(full.Defs))
	for i := range full.Defs {
		all[full.Descriptor(code.DefID(i))] = full.Defs[i].Start
	}
	for i := range outline.Defs {
		s := outline.Descriptor(code.DefID(i))
		if start, ok := all[s]; !ok || start != outline.Defs[i].Start {
			return fmt.Errorf("%s at %d is not in the full reading", s, outline.Defs[i].Start)
		}
	}
	return nil
}

func diagnosed(doc *code.Document, kind string) bool {
	for _, d := range doc.Diagnostics {
		if d.Code == kind {
			return true
		}
	}
	return false
}

func tail(text []byte) []byte {
	return text[max(0, len(text)-200):]
}
