package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// world is a random work tree: what is in it and what ignores what.
type world struct {
	Files, Links, Tracked, Deleted []string
	Ignore                         map[string]string // .gitignore files by directory
	Exclude, Global                string
	Nested, NoRepo                 string // a directory that is a repository; one with an empty .git
	Root                           string // the folder that is listed
	Fold                           bool
}

// drawWorld draws a world. Names and patterns come from the same few pieces, so that they meet often.
func drawWorld(t *rapid.T) world {
	name := rapid.SampledFrom([]string{"a", "b", "c", "ab", "abc", "a.o", "b.o", "A", "x y", "e ", "[a]", "é", "#c", "!d", ".x", `a\b`, "a*", "-", "]", "1", "\t", "\xff"})
	directory := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 1, 2).Draw(t, "dir"), "/")
	})
	path := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 1, 4).Draw(t, "path"), "/")
	})
	piece := rapid.OneOf(name, rapid.SampledFrom([]string{"*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[^b]", "[a-c]", "[[:alpha:]]", "[[:upper:]b]", "[[:alnum:]]", "[[:blank:]]", "[[:cntrl:]]", "[[:digit:]]", "[[:graph:]]", "[[:lower:]]", "[[:print:]]", "[[:punct:]]", "[[:space:]]", "[^[:xdigit:]]",
		"[]a]", "[]-a]", "[a", "[a-]", "[[:foo:]]", "[[:a]", "[\\]]", "[--a]", "[A-C]", "[A]", "\\", "\\a", "\\*", "\\ ", " ", "!", "#", "*.o", "a*", "***", "\\/", "\t"}))
	line := rapid.Custom(func(t *rapid.T) string {
		text := strings.Join(rapid.SliceOfN(piece, 1, 4).Draw(t, "pattern"), "")
		text = rapid.SampledFrom([]string{"", "", "", "", "!", "/", "**/", "\\"}).Draw(t, "before") + text
		return text + rapid.SampledFrom([]string{"", "", "", "", "/", " ", "\r", "/ ", "\\ "}).Draw(t, "after")
	})
	ignore := rapid.Custom(func(t *rapid.T) string {
		text := strings.Join(rapid.SliceOfN(line, 0, 6).Draw(t, "lines"), "\n")
		return rapid.SampledFrom([]string{"", "", "\xef\xbb\xbf", "# note\n", "\n"}).Draw(t, "first") + text +
			rapid.SampledFrom([]string{"", "\n", "\r\n"}).Draw(t, "last")
	})
	w := world{
		Files:   rapid.SliceOfNDistinct(path, 4, 24, rapid.ID[string]).Draw(t, "files"),
		Links:   rapid.SliceOfN(path, 0, 2).Draw(t, "links"),
		Ignore:  map[string]string{"": ignore.Draw(t, "top")},
		Exclude: rapid.OneOf(rapid.Just(""), ignore).Draw(t, "exclude"),
		Global:  rapid.OneOf(rapid.Just(""), ignore).Draw(t, "global"),
		Nested:  rapid.OneOf(rapid.Just(""), directory).Draw(t, "nested"),
		NoRepo:  rapid.OneOf(rapid.Just(""), rapid.Just(""), directory).Draw(t, "norepo"),
		Root:    rapid.OneOf(rapid.Just(""), rapid.Just(""), directory).Draw(t, "root"),
		Fold:    rapid.IntRange(0, 5).Draw(t, "fold") == 0,
	}
	if w.Fold {
		// Names that differ only in case are one file where git folds case. Here they
		// would be two, so there is none of the kind; the patterns still mix cases.
		for _, list := range [][]string{w.Files, w.Links} {
			for i := range list {
				list[i] = strings.ReplaceAll(list[i], "A", "Q")
			}
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "nestedIgnores") {
		w.Ignore[directory.Draw(t, "where")] = ignore.Draw(t, "ignore")
	}
	for _, f := range w.Files {
		switch rapid.IntRange(0, 9).Draw(t, "fate") {
		case 0, 1:
			w.Tracked = append(w.Tracked, f)
		case 2:
			w.Tracked = append(w.Tracked, f)
			w.Deleted = append(w.Deleted, f)
		}
	}
	return w
}

// build makes the world below a folder. What does not fit (a file where a
// directory is) is left out.
func (w *world) build(t *rapid.T, top string) {
	put := func(path, text string) {
		path = filepath.Join(top, path)
		if os.MkdirAll(filepath.Dir(path), 0o755) == nil {
			_ = os.WriteFile(path, []byte(text), 0o644)
		}
	}
	repository := func(dir string) {
		put(filepath.Join(dir, ".git/HEAD"), "ref: refs/heads/main\n")
		put(filepath.Join(dir, ".git/refs/.keep"), "")
		put(filepath.Join(dir, ".git/objects/.keep"), "")
		put(filepath.Join(dir, ".git/config"), "[core]\n\trepositoryformatversion = 0\n")
	}
	repository("")
	config := "[core]\n\trepositoryformatversion = 0\n\tignorecase = " + fmt.Sprint(w.Fold) + "\n"
	if w.Global != "" {
		put(".git/global", w.Global)
		config += "\texcludesFile = \"" + filepath.Join(top, ".git/global") + "\"\n"
	}
	put(".git/config", config)
	put(".git/info/exclude", w.Exclude)
	for _, f := range w.Files {
		put(f, "x")
	}
	var tracked []string
	for _, f := range w.Tracked {
		if info, err := os.Lstat(filepath.Join(top, f)); err == nil && info.Mode().IsRegular() {
			tracked = append(tracked, f)
		}
	}
	if len(tracked) > 0 {
		if out, err := tryGit(top, append([]string{"--literal-pathspecs", "add", "-f", "--"}, tracked...)...); err != nil {
			t.Fatalf("git add: %v: %s", err, out)
		}
	}
	for _, f := range w.Deleted {
		_ = os.Remove(filepath.Join(top, f))
	}
	for i, l := range w.Links {
		if os.MkdirAll(filepath.Dir(filepath.Join(top, l)), 0o755) == nil {
			_ = os.Symlink([]string{".", "a"}[i%2], filepath.Join(top, l))
		}
	}
	for dir, text := range w.Ignore {
		if info, err := os.Stat(filepath.Join(top, dir)); err == nil && info.IsDir() {
			put(filepath.Join(dir, gitIgnore), text)
		}
	}
	if w.Nested != "" {
		if info, err := os.Lstat(filepath.Join(top, w.Nested)); err == nil && info.IsDir() {
			repository(w.Nested)
		}
	}
	if w.NoRepo != "" {
		if info, err := os.Lstat(filepath.Join(top, w.NoRepo)); err == nil && info.IsDir() {
			_ = os.Mkdir(filepath.Join(top, w.NoRepo, ".git"), 0o755)
		}
	}
}

// gitLists is what git says is in a folder and what exists of it, without the
// entries that stand for nested repositories.
func gitLists(t *rapid.T, root string) []string {
	out, err := tryGit(root, "ls-files", "-z", "-c", "-o", "--exclude-standard")
	if err != nil {
		t.Fatalf("git ls-files: %v: %s", err, out)
	}
	var list []string
	for path := range strings.SplitSeq(out, "\x00") {
		if path == "" || strings.HasSuffix(path, "/") || !standsAt(root, path) {
			continue
		}
		list = append(list, path)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// standsAt tells whether a file or link is at a path, without following links on the way.
func standsAt(root, path string) bool {
	elements := strings.Split(path, "/")
	for i := range elements {
		info, err := os.Lstat(filepath.Join(root, filepath.Join(elements[:i+1]...)))
		if err != nil || i < len(elements)-1 && !info.IsDir() || i == len(elements)-1 && info.IsDir() {
			return false
		}
	}
	return true
}

// TestListingEqualsGit holds the listing of random work trees against git's own.
func TestListingEqualsGit(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			n := 0
			rapid.Check(t, func(rt *rapid.T) {
				n++
				top := filepath.Join(base, fmt.Sprint(n))
				w := drawWorld(rt)
				w.build(rt, top)
				defer os.RemoveAll(top)
				root := filepath.Join(top, w.Root)
				if info, err := os.Lstat(root); err != nil || !info.IsDir() || inside(top, root, w.Nested) {
					root = top
				}
				want := gitLists(rt, root)
				tree, err := Open(rt.Context(), Input{Location: root, Isolated: true})
				if err != nil {
					rt.Fatal(err)
				}
				defer tree.Close()
				var got []string
				for j := range tree.Files {
					got = append(got, rawPath(&tree.Files[j]))
				}
				slices.Sort(got)
				if len(want) == 0 && root != top {
					return // git lists nothing of an ignored folder; named by its path it is listed
				}
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("git (-) and this (+) differ in %s of %+v:\n%s", root, w, diff)
				}
			})
		})
	}
}

// inside tells whether a folder is in or below the nested repository.
func inside(top, root, nested string) bool {
	if nested == "" {
		return false
	}
	rel, err := filepath.Rel(filepath.Join(top, nested), root)
	return err == nil && filepath.IsLocal(rel)
}
