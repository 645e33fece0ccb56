package typescript

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/langtest"
)

var extensionsRead = []string{".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts"}

// TestResolve reads archives whose comment lists questions and answers, one a line:
//
//	from specifier -> path                      a file of the language
//	from specifier -> file path                 another file
//	from specifier -> external manager package version
//	from specifier -> standard package
//	from specifier -> unresolved
//
// A reason may follow behind " # ".
func TestResolve(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/resolve/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m := newTestModules(t, string(text))
			asked := 0
			for line := range strings.Lines(string(txtar.Parse(text).Comment)) {
				question, want, ok := strings.Cut(strings.TrimSpace(line), " -> ")
				if !ok {
					continue
				}
				asked++
				want, reason, hasReason := strings.Cut(want, " # ")
				from, specifier, _ := strings.Cut(question, " ")
				got := m.Resolve(from, &code.Import{}, specifier)
				if s := describeTarget(got); s != want {
					t.Errorf("%s asks for %q: %s (%s), want %s", from, specifier, s, got.Reason, want)
				}
				if hasReason && got.Reason != reason {
					t.Errorf("%s asks for %q: because of %q, want %q", from, specifier, got.Reason, reason)
				}
				if got.Reason == "" {
					t.Errorf("%s asks for %q: no reason", from, specifier)
				}
				if got.Kind == lang.TargetScope && got.Scope != m.Scope(got.Path) {
					t.Errorf("%s asks for %q: scope %q is not that of %s", from, specifier, got.Scope, got.Path)
				}
			}
			if asked == 0 {
				t.Error("no questions")
			}
		})
	}
}

func newTestModules(t *testing.T, archive string) lang.Modules {
	t.Helper()
	m, err := Language().NewModules(context.Background(), langtest.Repository(t, Language(), "repository", archive, extensionsRead...))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func describeTarget(t lang.Target) string {
	switch {
	case t.Kind == lang.TargetScope:
		return t.Path
	case t.Kind == lang.TargetFile:
		return "file " + t.Path
	case t.Kind == lang.TargetExternal && t.Standard:
		return "standard " + t.Package
	case t.Kind == lang.TargetExternal:
		return strings.TrimSpace(fmt.Sprintf("external %s %s %s", t.Manager, t.Package, t.Version))
	}
	return "unresolved"
}

func TestScope(t *testing.T) {
	t.Parallel()
	m := newTestModules(t, `
-- package.json --
{"name": "root", "version": "1.2.3"}
-- a.ts --
-- packages/one/package.json --
{"name": "@scope/one"}
-- packages/one/src/x.ts --
-- packages/nameless/package.json --
{"private": true}
-- packages/nameless/y.ts --
-- examples/a/package.json --
{"name": "example"}
-- examples/a/src/x.ts --
-- examples/b/package.json --
{"name": "example"}
-- examples/b/src/x.ts --
`)
	seen := map[string]string{}
	for path, want := range map[string]string{
		"a.ts":                   "ts npm root . `a.ts`/",
		"packages/one/src/x.ts":  "ts npm @scope/one . `src/x.ts`/",
		"packages/nameless/y.ts": "ts npm root . `packages/nameless/y.ts`/",
		"examples/a/src/x.ts":    "ts npm example . `src/x.ts`/",
		"examples/b/src/x.ts":    "ts npm repository . `examples/b/src/x.ts`/",
	} {
		got := m.Scope(path)
		if got != want {
			t.Errorf("scope of %s is %q, want %q", path, got, want)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s share the scope %q", path, other, got)
		}
		seen[got] = path
	}
	if got, want := newTestModules(t, "-- dir/a b.js --\n").Scope("dir/a b.js"), "ts npm repository . `dir/a b.js`/"; got != want {
		t.Errorf("without a package.json: %q, want %q", got, want)
	}
}

// TestLookups checks that every path that could change an answer is told.
func TestLookups(t *testing.T) {
	t.Parallel()
	m := newTestModules(t, "-- src/a.ts --\n-- src/b/index.tsx --\n")
	got := m.Resolve("src/a.ts", &code.Import{}, "./b")
	want := []string{"src/b.ts", "src/b.tsx", "src/b.d.ts", "src/b.js"}
	if describeTarget(got) != "src/b/index.tsx" {
		t.Fatalf("./b is %s", describeTarget(got))
	}
	for i, p := range want {
		if i >= len(got.Lookups) || got.Lookups[i] != p {
			t.Fatalf("looked at %v, want first %v", got.Lookups, want)
		}
	}
	if last := got.Lookups[len(got.Lookups)-1]; last != "src/b/index.tsx" {
		t.Errorf("the last look is at %s", last)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, "b", {"c": null}], // x` + "\n" + `"d": "\u00e9\n",}`, "[[[", `{"a":`, "\xff", `"\u12`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v := parseJSON(text)
		v.get("a").get("b").strs()
		parseManifest("", text)
		parseWorkspaceYAML("", text)
		targets(v)
		entry(v, "./x")
	})
}

func TestGlob(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"packages/*", "packages/a", true}, {"packages/*", "packages/a/b", false}, {"packages/**", "packages/a/b", true}, {"./packages/*/", "packages/a", true},
		{"**/*.ts", "a.ts", true}, {"**/*.ts", "x/y/a.ts", true}, {"src/**/*", "src/a", true}, {"src/**/*", "source/a", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"*.{ts,tsx}", "a.tsx", true}, {"*.{ts,tsx}", "a.js", false}, {"**", "", true}, {"", "", true}, {"a*b*c", "aXbYc", true}, {"a*b*c", "aXc", false},
	}
	for _, test := range tests {
		if got := matchGlob(test.pattern, test.name); got != test.want {
			t.Errorf("%q on %q: %v", test.pattern, test.name, got)
		}
	}
}
