package term_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"manito/internal/term"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		kind term.Kind
		want string
	}{
		{"HTTPServer", term.Name, "http server"},
		{"parseJSONFile", term.Name, "pars json file"},
		{"snake_case_name", term.Name, "snake case name"},
		{"SCREAMING_SNAKE", term.Name, "scream snake"},
		{"__init__", term.Name, "init"},
		{"utf8", term.Name, "utf8"},
		{"x509Cert", term.Name, "x509 cert"},
		{"sha256Sum", term.Name, "sha256 sum"},
		{"Base64URLEncoding", term.Name, "base64 url encod"},
		{"URLs", term.Name, "url"},
		{"userIDsByName", term.Name, "user id by name"},
		{"GoString", term.Name, "go string"},
		{"A", term.Name, "a"},
		{"aB", term.Name, "a b"},
		{"x_1_404", term.Name, "x 404"},
		{"0xdeadbeef1234567", term.Name, "xdeadbeef1234567"},
		{"naïveÉtat", term.Name, "naiv etat"},
		{"ПриветМир", term.Name, "привет мир"},
		{"連結リスト", term.Name, "連結 結リ リス スト"},
		{"path/to/file.go", term.Name, "path to file go"},
		{"the connections are closed when it returns", term.Prose, "connect close return"},
		{"func (s *Server) Close() error { return nil }", term.Code, "server close error"},
		{"bad\xff\xfeutf", term.Name, "bad utf"},
		{"", term.Name, ""},
		{"___", term.Name, ""},
		{strings.Repeat("a", 41), term.Name, ""},
	} {
		var s term.Splitter
		for range 2 { // the second time from memory
			if got := strings.Join(s.Append(nil, c.text, c.kind), " "); got != c.want {
				t.Errorf("%q: %q, want %q", c.text, got, c.want)
			}
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	var s term.Splitter
	for text, want := range map[string][]term.Weighted{
		"close the HTTPServer":  {{Term: "close", Weight: 1}, {Term: "http", Weight: 1}, {Term: "server", Weight: 1}, {Term: "httpserver", Weight: 1}},
		"read read_file":        {{Term: "read", Weight: 1.5}, {Term: "file", Weight: 1}, {Term: "readfil", Weight: 1}},
		"what is the":           {{Term: "what", Weight: 1}, {Term: "is", Weight: 1}, {Term: "the", Weight: 1}},
		"  ,;! ":                nil,
		"connections, connects": {{Term: "connect", Weight: 1.5}},
	} {
		if d := cmp.Diff(want, s.Query(text)); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// FuzzSplit: terms are valid, of bounded length, and splitting twice gives the same.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"HTTPServer2Go", "a_B1c", "É́x", "\xff漢字", "ǅungla ΣΑΣ ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s term.Splitter
		for _, kind := range []term.Kind{term.Prose, term.Name, term.Code} {
			got := s.Append(nil, text, kind)
			for _, w := range got {
				if w == "" || len(w) > 64 || utf8.ValidString(text) && !utf8.ValidString(w) {
					t.Fatalf("%q gives the term %q", text, w)
				}
			}
			if again := new(term.Splitter).Append(nil, text, kind); !slices.Equal(got, again) {
				t.Fatalf("%q gives %q, then %q", text, got, again)
			}
		}
		s.Query(text)
	})
}
