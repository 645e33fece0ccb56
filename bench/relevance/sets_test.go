package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"manito/bench/corpus"
	"manito/internal/code"
)

func TestSentenceQuery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ doc, name, want string }{
		{"ReadAll reads from r until an error or EOF and returns the data. A successful call\nreturns err == nil.", "ReadAll", "reads from r until an error or EOF and returns the data"},
		{"Get the plural form\nof a word, see `inflect()`.\n\nMore.", "inflect", "Get the plural form of a word, see"},
		{"Adds two numbers and gives their sum\n@param a one", "add", "Adds two numbers and gives their sum"},
		{"Copies the whole tree to another place\n:param tree: it", "copy", "Copies the whole tree to another place"},
		{"Too short.", "x", ""},
		{"go:linkname is what the linker wants to see here.", "x", ""},
		{"Deprecated: use something else that is better than this.", "x", ""},
		{"Foo is a Foo of a Foo in it.", "foo", ""},
	} {
		if got := sentenceQuery(c.doc, c.name); got != c.want {
			t.Errorf("%q without %s gives %q, want %q", c.doc, c.name, got, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	name := "setLatestConfiguration_now"
	for _, m := range mistakes() {
		seen := map[string]bool{}
		for seed := range uint64(200) {
			got := string(m.make(&typist{rand.New(rand.NewPCG(seed, 0))}, []rune(name)))
			if again := string(m.make(&typist{rand.New(rand.NewPCG(seed, 0))}, []rune(name))); again != got {
				t.Fatalf("%s: seed %d gives %q and %q", m.name, seed, got, again)
			}
			if got == name || !strings.EqualFold(got[:1], name[:1]) {
				t.Errorf("%s: %q", m.name, got)
			}
			want := len(name)
			switch m.name {
			case "drop", "two", "case":
				want--
			case "humps":
				want = len(got) // at most four letters of each of four parts
				if len(got) > 15 {
					t.Errorf("humps: %q", got)
				}
			}
			if len(got) != want {
				t.Errorf("%s: %q has %d letters, want %d", m.name, got, len(got), want)
			}
			seen[got] = true
		}
		if len(seen) < 2 && m.name != "case" {
			t.Errorf("%s makes one mistake only: %v", m.name, seen)
		}
	}
	if got := neighbours('s'); strings.Trim(got, "adwezx") != "" || len(got) != 6 {
		t.Errorf("beside s: %q", got)
	}
}

// TestNothingGivesTheAnswerAway: what is searched for by its documentation has none,
// neither where it is searched nor where methods learn, and its code is all there.
func TestNothingGivesTheAnswerAway(t *testing.T) {
	t.Parallel()
	for _, c := range corpora() {
		if c.docstrings == 0 || !c.quick {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := fetched(t, c)
			a := docstrings(c, l.files)
			sought := map[string]string{}
			for _, q := range a.sets[0].queries {
				for place := range q.relevant {
					sought[place] = q.text
				}
			}
			if len(sought) < 40 {
				t.Errorf("%d functions are looked for", len(sought))
			}
			found := map[string]bool{}
			for i := range a.Chunks {
				ch := &a.Chunks[i]
				text, ok := sought[a.places[i]]
				if ch.Doc != "" {
					t.Errorf("%s is documented: %q", a.places[i], ch.Doc)
				}
				if !ok {
					continue
				}
				found[a.places[i]] = true
				if strings.Contains(strings.Join(strings.Fields(ch.Body), " "), text) {
					t.Errorf("%s says %q in its body", a.places[i], text)
				}
				if ch.Body == "" || ch.Name == "" {
					t.Errorf("%s has lost its code: %+v", a.places[i], ch)
				}
			}
			if len(found) != len(sought) {
				t.Errorf("%d of %d functions are among what is searched", len(found), len(sought))
			}
			files := map[string]codeFile{}
			for _, f := range l.files {
				files[f.path] = f
			}
			documented := 0
			for i := range a.Training {
				ch := &a.Training[i]
				if ch.Doc == "" || ch.Def == code.NoDef {
					continue
				}
				documented++
				// Several definitions may bear one name; only the sought one is stripped.
				if text, ok := sought[placeOf(files[ch.Path], ch.Def)]; ok && sentenceQuery(ch.Doc, ch.Name) == text {
					t.Errorf("methods learn from the documentation of %s", placeOf(files[ch.Path], ch.Def))
				}
			}
			if documented == 0 {
				t.Error("methods learn from no documentation at all")
			}
		})
	}
}

// TestSetsAreTheSame: the same corpus gives the same queries.
func TestSetsAreTheSame(t *testing.T) {
	t.Parallel()
	dir, err := corpus.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	c, err := corpusNamed("raft")
	if err != nil {
		t.Fatal(err)
	}
	fetched(t, c)
	var texts [2]string
	for i := range texts {
		all, err := prepare(t.Context(), dir, c, halves(false))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			for _, s := range a.sets {
				for _, q := range s.queries {
					texts[i] += q.id + " " + q.text + "\n"
				}
			}
		}
	}
	if texts[0] != texts[1] || texts[0] == "" {
		t.Errorf("two preparations differ:\n%s\n%s", texts[0], texts[1])
	}
}
