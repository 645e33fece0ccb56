package source

import (
	"errors"
	"fmt"
	"io/fs"
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
	name := rapid.SampledFrom([]string{"a", "b", "c", "ab", "abc", "a.o", "b.o", "A", "x y", "e ", "[a]", "é", "#c", "!d", ".x", `a\b`, "a*", "-", "]", "\xff"})
	directory := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 1, 2).Draw(t, "dir"), "/")
	})
	path := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 1, 4).Draw(t, "path"), "/")
	})
	piece := rapid.OneOf(name, rapid.SampledFrom([]string{"*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[^b]", "[a-c]", "[[:alpha:]]", "[[:upper:]b]",
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

// rawPath is a file's path as it is on disk.
func rawPath(f *File) string {
	if f.raw != "" {
		return f.raw
	}
	return f.Path
}

// TestIndexFormats lists tracked files that are ignored, from every form of git's index.
func TestIndexFormats(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"2", "3", "4", "split", "sparse", "sha256", "unmerged"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			init := []string{"init", "-q"}
			if format == "sha256" {
				init = append(init, "--object-format=sha256")
			}
			git(t, dir, init...)
			files := map[string]string{".gitignore": "*.log\nout/\n"}
			want := []string{".gitignore"}
			for i := range 40 {
				name := fmt.Sprintf("out/deep/%s/tracked-%d.log", strings.Repeat("x", i%9), i)
				files[filepath.Clean(name)] = "x"
				want = append(want, filepath.Clean(name))
			}
			write(t, dir, files)
			git(t, dir, "add", "-f", ".")
			git(t, dir, "commit", "-q", "-m", "first")
			write(t, dir, map[string]string{"out/not.log": "", "new.txt": ""})
			want = append(want, "new.txt")
			switch format {
			case "2", "4":
				git(t, dir, "update-index", "--index-version", format)
			case "3": // only an entry with an extended flag makes git write version 3
				git(t, dir, "add", "-N", "new.txt")
			case "split":
				git(t, dir, "update-index", "--split-index")
			case "sparse":
				git(t, dir, "sparse-checkout", "set", "--cone", "--sparse-index", "other")
				write(t, dir, map[string]string{"out/deep/x/tracked-1.log": "x"})
				want = []string{".gitignore", "new.txt", "out/deep/x/tracked-1.log"}
			case "unmerged":
				git(t, dir, "checkout", "-q", "-b", "other")
				write(t, dir, map[string]string{"out/deep/tracked-0.log": "a"})
				git(t, dir, "commit", "-qam", "a")
				git(t, dir, "checkout", "-q", "main")
				write(t, dir, map[string]string{"out/deep/tracked-0.log": "b"})
				git(t, dir, "commit", "-qam", "b")
				if _, err := tryGit(dir, "merge", "-q", "other"); err == nil {
					t.Fatal("the merge was to fail")
				}
			}
			slices.Sort(want)
			tree := openTree(t, Input{Location: dir})
			if diff := cmp.Diff(want, paths(tree)); diff != "" {
				t.Errorf("listing (-want +got):\n%s", diff)
			}
			if head := strings.TrimSpace(git(t, dir, "rev-parse", "HEAD")); tree.Commit != head || tree.Branch != "main" {
				t.Errorf("at %s on %q, want %s on main", tree.Commit, tree.Branch, head)
			}
		})
	}
}

// TestUserExcludes honours the user's own ignore file as git finds it.
func TestUserExcludes(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string // below home
		env   map[string]string
		local string // more of the repository's configuration
	}{
		{name: "default place", files: map[string]string{".config/git/ignore": "*.secret\n"}},
		{name: "xdg", files: map[string]string{"xdg/git/ignore": "*.secret\n"}, env: map[string]string{"XDG_CONFIG_HOME": "xdg"}},
		{name: "gitconfig", files: map[string]string{".gitconfig": "[core]\n\texcludesFile = ~/my ignores ; mine\n", "my ignores": "*.secret"}},
		{name: "included", files: map[string]string{".gitconfig": "[include]\n\tpath = more\n", "more": "[Core] ExcludesFile = \"~/i\"", "i": "*.secret"}},
		{name: "included if here", files: map[string]string{".gitconfig": "[includeIf \"gitdir:**/repo/.git\"]\n\tpath = more\n", "more": "[core]\nexcludesfile=~/i", "i": "*.secret"}},
		{name: "included if on branch", files: map[string]string{".gitconfig": "[includeIf \"onbranch:ma*\"]\n\tpath = more\n", "more": "[core]\nexcludesfile=~/i", "i": "*.secret"}},
		{name: "included elsewhere", files: map[string]string{".gitconfig": "[includeIf \"gitdir:/nowhere/\"]\n\tpath = more\n", "more": "[core]\nexcludesfile=~/i", "i": "*.secret"}},
		{name: "overridden", files: map[string]string{".gitconfig": "[core]\n\texcludesFile = ~/i\n", "i": "*.secret\n"}, local: "[core]\n\texcludesFile = \n"},
		{name: "global by environment", files: map[string]string{"g": "[core]\n\texcludesFile = ~/i\n", "i": "*.secret\n"}, env: map[string]string{"GIT_CONFIG_GLOBAL": "g"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("XDG_CONFIG_HOME", "")
			t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			for name, path := range test.env {
				t.Setenv(name, filepath.Join(home, path))
			}
			write(t, home, test.files)
			repo := filepath.Join(home, "repo")
			git(t, home, "init", "-q", repo)
			write(t, repo, map[string]string{"a.txt": "", "b.secret": ""})
			config, err := os.ReadFile(filepath.Join(repo, ".git/config"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, repo, map[string]string{".git/config": string(config) + test.local})
			want := userGit(t, repo, "ls-files", "-co", "--exclude-standard")
			tree, err := Open(t.Context(), Input{Location: repo})
			if err != nil {
				t.Fatal(err)
			}
			defer tree.Close()
			if diff := cmp.Diff(strings.Fields(want), paths(tree)); diff != "" {
				t.Errorf("git (-) and this (+) differ:\n%s", diff)
			}
			isolated := openTree(t, Input{Location: repo})
			if got := paths(isolated); len(got) != 2 {
				t.Errorf("isolated from the user's configuration, %q are listed", got)
			}
		})
	}
}

// TestConfigEqualsGit reads a configuration as git does.
func TestConfigEqualsGit(t *testing.T) {
	t.Parallel()
	text := "\xef\xbb\xbf# comment\n[core] bare = false ; no\n\tName = a \"b  c\" d  \r\n\tlong = one \\\n  two\n\tempty =\n\tflag\n\tescape = \"a\\tb\\\\ \\\"q\\\"\"\n" +
		"[remote \"Or\\\"igin\"]\n\turl = https://example.com/a#b\n\turl2 = \"https://example.com/a#b\"\n[old.Sub]\n\tkey-1 = x;y\n[core]\n\tname = second\n"
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	want := gitConfig{}
	for entry := range strings.SplitSeq(git(t, "", "config", "-z", "--list", "-f", path), "\x00") {
		if name, value, ok := strings.Cut(entry, "\n"); ok {
			want[name] = value
		} else if entry != "" {
			want[entry] = "true"
		}
	}
	r := configReader{config: gitConfig{}}
	r.file(path, 0)
	if diff := cmp.Diff(want, r.config); diff != "" {
		t.Errorf("git (-) and this (+) differ:\n%s", diff)
	}
	if len(want) < 8 {
		t.Errorf("git itself read only %v", want)
	}
}

// TestNestedRepositories lists submodules under their own rules and leaves other repositories out.
func TestNestedRepositories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	library := filepath.Join(dir, "library")
	git(t, dir, "init", "-q", library)
	write(t, library, map[string]string{"lib.go": "package lib\n", ".gitignore": "*.tmp\n", "kept.tmp": ""})
	git(t, library, "add", "-f", ".")
	git(t, library, "commit", "-qm", "first")
	top := filepath.Join(dir, "top")
	git(t, dir, "init", "-q", top)
	write(t, top, map[string]string{"main.go": "package main\n", ".gitignore": "*.go\n!main.go\n"})
	git(t, top, "submodule", "--quiet", "add", library, "mods/lib")
	git(t, top, "submodule", "--quiet", "add", library, "mods/gone")
	git(t, top, "commit", "-qm", "first")
	git(t, top, "submodule", "--quiet", "deinit", "-f", "mods/gone")
	write(t, top, map[string]string{"mods/lib/junk.tmp": "", "mods/lib/new.go": ""})
	git(t, dir, "clone", "-q", library, filepath.Join(top, "other"))

	tree := openTree(t, Input{Location: top})
	want := []string{".gitignore", ".gitmodules", "main.go", "mods/lib/.gitignore", "mods/lib/kept.tmp", "mods/lib/lib.go", "mods/lib/new.go"}
	if diff := cmp.Diff(want, paths(tree)); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	skipped := map[string]SkipReason{}
	for _, s := range tree.Skipped {
		skipped[s.Path] = s.Reason
	}
	if diff := cmp.Diff(map[string]SkipReason{"mods/gone": SkipSubmodule, "other": SkipNested}, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}

	// A folder that is no repository but holds some lists each under its own rules.
	all := openTree(t, Input{Location: dir})
	if got := paths(all); !slices.Contains(got, "library/lib.go") || !slices.Contains(got, "top/mods/lib/lib.go") || slices.Contains(got, "top/mods/lib/junk.tmp") || slices.Contains(got, "top/other/lib.go") {
		t.Errorf("of the folder with repositories %q are listed", got)
	}
}

// TestWorktree reads the rules of a linked work tree from the repository it belongs to.
func TestWorktree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	top := filepath.Join(dir, "top")
	git(t, dir, "init", "-q", top)
	write(t, top, map[string]string{"a.txt": "", ".git/info/exclude": "*.tmp\n"})
	git(t, top, "add", ".")
	git(t, top, "commit", "-qm", "first")
	git(t, top, "remote", "add", "origin", "https://me:secret@example.com/team/top.git")
	git(t, top, "worktree", "add", "-q", "-b", "feature", filepath.Join(dir, "linked"))
	write(t, dir, map[string]string{"linked/b.tmp": "", "linked/c.txt": ""})
	tree := openTree(t, Input{Location: filepath.Join(dir, "linked")})
	if diff := cmp.Diff([]string{"a.txt", "c.txt"}, paths(tree)); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	if tree.Branch != "feature" || tree.Remote != "https://example.com/team/top.git" || tree.Name != "linked" || !isHash(tree.Commit) {
		t.Errorf("branch %q, remote %q, name %q, commit %q", tree.Branch, tree.Remote, tree.Name, tree.Commit)
	}
	git(t, top, "pack-refs", "--all")
	if packed := openTree(t, Input{Location: filepath.Join(dir, "linked")}); packed.Commit != tree.Commit {
		t.Errorf("with packed refs the commit is %q, want %q", packed.Commit, tree.Commit)
	}
}

// TestOwnIgnore asks .manitoignore before git.
func TestOwnIgnore(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		".manitoignore": "!/gen/\n!keep.log\n/tracked.go\nsub/\n", ".gitignore": "gen/\n*.log\nnode_modules/\n",
		"gen/a.go": "", "gen/b.log": "", "keep.log": "", "drop.log": "", "tracked.go": "", "sub/x.go": "", "src/.manitoignore": "x.*\n", "src/x.go": "", "src/y.go": "",
		"node_modules/m/i.js": "",
	}
	want := []string{".gitignore", ".manitoignore", "gen/a.go", "keep.log", "src/.manitoignore", "src/y.go"}
	for _, repository := range []bool{true, false} {
		dir := t.TempDir()
		write(t, dir, files)
		if repository {
			git(t, dir, "init", "-q")
			git(t, dir, "add", "tracked.go", "sub", "src")
		}
		tree := openTree(t, Input{Location: dir})
		if diff := cmp.Diff(want, paths(tree)); diff != "" {
			t.Errorf("repository %v: listing (-want +got):\n%s", repository, diff)
		}
		below := openTree(t, Input{Location: filepath.Join(dir, "src")})
		if diff := cmp.Diff([]string{".manitoignore", "y.go"}, paths(below)); diff != "" {
			t.Errorf("repository %v: below, listing (-want +got):\n%s", repository, diff)
		}
	}
}

// TestPlainFolder leaves out what is no source in a folder that is no repository.
func TestPlainFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a.py": "", ".gitignore": "*.tmp\n", "x.tmp": "", "sub/.gitignore": "!x.tmp\n", "sub/x.tmp": "",
		"node_modules/m/index.js": "", "__pycache__/a.pyc": "", ".svn/entries": "", "env/pyvenv.cfg": "", "env/lib/x.py": "",
		"target/CACHEDIR.TAG": cacheTag + "\n# made by cargo\n", "target/debug/x.rs": "", "other/CACHEDIR.TAG": "no signature", "other/x.rs": "",
		"vendor/v.go": "", "target2/x.rs": "",
	})
	tree := openTree(t, Input{Location: dir})
	want := []string{".gitignore", "a.py", "other/CACHEDIR.TAG", "other/x.rs", "sub/.gitignore", "sub/x.tmp", "target2/x.rs", "vendor/v.go"}
	if diff := cmp.Diff(want, paths(tree)); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for _, s := range tree.Skipped {
		got[s.Path] = s.Reason.String()
	}
	if diff := cmp.Diff(map[string]string{"node_modules": "dependencies", "__pycache__": "build-output", ".svn": "version-control", "env": "dependencies", "target": "build-output"}, got); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if tree.Commit != "" || tree.Branch != "" {
		t.Errorf("a folder without git is at %q on %q", tree.Commit, tree.Branch)
	}
}

// TestIgnoredRoot lists an ignored folder that is named itself.
func TestIgnoredRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	write(t, dir, map[string]string{".gitignore": "out/\n", "out/a.go": "", "out/.gitignore": "b.go\n", "out/b.go": "", "out/c/d.go": ""})
	if diff := cmp.Diff([]string{".gitignore"}, paths(openTree(t, Input{Location: dir}))); diff != "" {
		t.Errorf("whole (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{".gitignore", "a.go", "c/d.go"}, paths(openTree(t, Input{Location: filepath.Join(dir, "out")}))); diff != "" {
		t.Errorf("named (-want +got):\n%s", diff)
	}
}

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

// TestPatternTime matches what makes backtracking matchers run for ages.
func TestPatternTime(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("a", 4000)
	for _, p := range []string{strings.Repeat("*a", 60) + "b", strings.Repeat("**/", 2000) + "b", "x/" + strings.Repeat("*[a]", 60) + "b"} {
		list := parsePatterns([]byte(p), false)
		if v := list.decide("x/"+text, text, false); v != verdictNone {
			t.Errorf("%.20s...: %v", p, v)
		}
	}
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

// TestDamagedIndex says how to mend it.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	write(t, dir, map[string]string{"a": "", ".git/index": "DIRC, but not really an index at all"})
	_, err := Open(t.Context(), Input{Location: dir, Isolated: true})
	if err == nil || !strings.Contains(err.Error(), "index") || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
