package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzPatterns compiles and matches any pattern in bounded time and without a panic.
func FuzzPatterns(f *testing.F) {
	for _, p := range []string{"a", "*.o", "**/a/**", "[!a-z]?*", "a\\", "[[:alpha:]", "**/**/**/x", "!/x/", "\xef\xbb\xbf#", "a  \\ "} {
		f.Add(p, "a/b/c.o", false)
	}
	f.Fuzz(func(t *testing.T, text, path string, fold bool) {
		list := parsePatterns([]byte(text), fold)
		base := lastElement(path)
		for _, dir := range []bool{false, true} {
			first := list.decide(path, base, dir)
			if again := list.decide(path, base, dir); again != first {
				t.Fatalf("%q on %q: %v, then %v", text, path, first, again)
			}
		}
		for i := range list.patterns {
			if p := &list.patterns[i]; p.kind == patternBaseGlob || p.kind == patternPathGlob {
				if got, want := p.glob.match(path), slowMatch(&p.glob, 0, path, map[[2]int]bool{}); got != want {
					t.Fatalf("glob of %q on %q: %v, want %v", text, path, got, want)
				}
			}
		}
	})
}

// slowMatch matches by trying every way, remembering what failed.
func slowMatch(g *glob, s int, text string, failed map[[2]int]bool) bool {
	if s == len(g.states) {
		return text == ""
	}
	key := [2]int{s, len(text)}
	if failed[key] {
		return false
	}
	st := &g.states[s]
	one := func(ok bool) bool { return ok && slowMatch(g, s+1, text[1:], failed) }
	matched := false
	switch {
	case st.op == globSkip:
		matched = slowMatch(g, s+1, text, failed) || slowMatch(g, s+3, text, failed)
	case st.op == globStar || st.op == globDeep:
		matched = slowMatch(g, s+1, text, failed) ||
			text != "" && (st.op != globStar || text[0] != '/') && slowMatch(g, s, text[1:], failed)
	case text == "":
	case st.op == globByte:
		matched = one(g.folded(text[0]) == st.c)
	case st.op == globAny:
		matched = one(text[0] != '/')
	case st.op == globClass:
		c := g.folded(text[0])
		matched = one(st.set[c/64]&(1<<(c%64)) != 0)
	}
	if !matched {
		failed[key] = true
	}
	return matched
}

// FuzzIndex reads any bytes as an index without a panic.
func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	git(f, dir, "init", "-q")
	write(f, dir, map[string]string{"a": "", "dir/b": "", "dir/c": ""})
	git(f, dir, "add", ".")
	for _, version := range []string{"2", "4"} {
		git(f, dir, "update-index", "--index-version", version)
		data, err := os.ReadFile(filepath.Join(dir, ".git/index"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		index, err := parseGitIndex(data, 20)
		if err == nil && !slices.IsSorted(index.names) {
			t.Fatalf("names are not sorted: %q", index.names)
		}
		if err == nil && index.hasBelow("dir") && !slices.ContainsFunc(index.names, func(n string) bool { return strings.HasPrefix(n, "dir/") }) {
			t.Fatal("hasBelow invents")
		}
	})
}

// FuzzConfig reads any bytes as a configuration without a panic.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("[core]\n\tbare = \"a\\tb\" ; c\n[a \"b\"] c"))
	f.Fuzz(func(t *testing.T, text []byte) {
		parseGitConfig(text, func(section, _, name, _ string) {
			if section == "" || name == "" {
				t.Fatal("a variable without a name")
			}
		})
	})
}
