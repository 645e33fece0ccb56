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
)

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
