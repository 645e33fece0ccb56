//go:build unix

package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// makeRepository makes a repository with three commits on main, a tag on the
// first, and a branch.
func makeRepository(tb testing.TB, dir string) {
	tb.Helper()
	git(tb, filepath.Dir(dir), "init", "-q", dir)
	write(tb, dir, map[string]string{"main.go": "package main\n", "old.go": "package old\n", "sub/deep/x.py": "x = 1\n", ".gitignore": "*.log\n", "tracked.log": "log\n", "bin/run": "#!/bin/sh\n", "odd \xff name.go": "package odd\n", "a\tb.go": "package tab\n"})
	if err := os.Chmod(filepath.Join(dir, "bin/run"), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.Symlink("main.go", filepath.Join(dir, "link.go")); err != nil {
		tb.Fatal(err)
	}
	git(tb, dir, "add", "-f", ".")
	git(tb, dir, "commit", "-qm", "first")
	git(tb, dir, "tag", "-a", "-m", "one", "v1")
	git(tb, dir, "rm", "-q", "old.go")
	write(tb, dir, map[string]string{"main.go": "package main // second\n"})
	git(tb, dir, "commit", "-qam", "second")
	git(tb, dir, "branch", "side")
	write(tb, dir, map[string]string{"main.go": "package main // third\n", "new.go": "package main\n"})
	git(tb, dir, "add", "new.go")
	git(tb, dir, "commit", "-qam", "third")
}

var firstFiles = []string{".gitignore", "a\tb.go", "bin/run", "link.go", "main.go", `odd \xff name.go`, "old.go", "sub/deep/x.py", "tracked.log"}

// TestRevision reads commits of a work tree, of a part of it and of a bare repository, whatever lies on disk.
func TestRevision(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	makeRepository(t, repo)
	git(t, dir, "clone", "-q", "--bare", repo, "bare.git")
	write(t, repo, map[string]string{"main.go": "changed on disk", "untracked.go": ""})
	third := strings.TrimSpace(git(t, repo, "rev-parse", "HEAD"))
	first := strings.TrimSpace(git(t, repo, "rev-parse", "v1^{commit}"))
	headFiles := slices.DeleteFunc(append(slices.Clone(firstFiles), "new.go"), func(p string) bool { return p == "old.go" })
	slices.Sort(headFiles)
	tests := []struct {
		name           string
		in             Input
		commit, branch string
		files          []string
		main           string
	}{
		{"bare", Input{Location: dir + "/bare.git"}, third, "main", headFiles, "package main // third\n"},
		{"git directory", Input{Location: repo + "/.git"}, third, "main", headFiles, "package main // third\n"},
		{"file URL", Input{Location: "file://" + repo}, third, "", headFiles, "package main // third\n"},
		{"file URL of a bare repository", Input{Location: "file://" + dir + "/bare.git", Revision: "side"}, "", "side", nil, "package main // second\n"},
		{"tag", Input{Location: repo, Revision: "v1"}, first, "", firstFiles, "package main\n"},
		{"branch", Input{Location: repo, Revision: "main"}, third, "main", headFiles, "package main // third\n"},
		{"expression", Input{Location: repo, Revision: "main~2"}, first, "", firstFiles, "package main\n"},
		{"short hash", Input{Location: repo, Revision: first[:9]}, first, "", firstFiles, "package main\n"},
		{"part", Input{Location: repo + "/sub", Revision: "v1"}, first, "", []string{"deep/x.py"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree := openTree(t, test.in)
			if test.commit != "" && tree.Commit != test.commit || tree.Branch != test.branch || tree.Kind != Git {
				t.Errorf("commit %s on %q, %v; want %s on %q", tree.Commit, tree.Branch, tree.Kind, test.commit, test.branch)
			}
			if test.files != nil {
				if diff := cmp.Diff(test.files, paths(tree)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			}
			if test.main == "" {
				return
			}
			if c := content(t, tree, "main.go"); string(c.Bytes) != test.main || c.Hash != hashOf(test.main) || c.Language != "go" {
				t.Errorf("main.go: %+v", c)
			}
			if c := content(t, tree, `odd \xff name.go`); string(c.Bytes) != "package odd\n" {
				t.Errorf("odd name: %+v", c)
			}
			link := find(t, tree, "link.go")
			if !link.Link || !strings.Contains(link.Diagnostics[0].Message, "to main.go") {
				t.Errorf("link: %+v", link)
			}
			if !find(t, tree, "bin/run").Exec || find(t, tree, "main.go").Exec {
				t.Error("what may be executed is wrong")
			}
		})
	}
}

// TestRevisionRules honours .manitoignore, not .gitignore, in a commit, and leaves submodules out.
func TestRevisionRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	makeRepository(t, filepath.Join(dir, "lib"))
	repo := filepath.Join(dir, "repo")
	git(t, dir, "init", "-q", repo)
	write(t, repo, map[string]string{"a.go": "", "gen/b.go": "", "gen/keep/c.go": "", "node_modules/m.js": "", ".manitoignore": "gen/*\n!gen/keep/\n", "gen/keep/.manitoignore": "d.*\n", "gen/keep/d.go": ""})
	git(t, repo, "submodule", "--quiet", "add", filepath.Join(dir, "lib"), "lib")
	git(t, repo, "add", "-f", ".")
	git(t, repo, "commit", "-qm", "first")
	tree := openTree(t, Input{Location: repo, Revision: "HEAD"})
	if diff := cmp.Diff([]string{".gitmodules", ".manitoignore", "a.go", "gen/keep/.manitoignore", "gen/keep/c.go", "node_modules/m.js"}, paths(tree)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(tree.Skipped) != 1 || tree.Skipped[0].Path != "lib" || tree.Skipped[0].Reason != SkipSubmodule {
		t.Errorf("skipped %+v", tree.Skipped)
	}
}

// TestObjects reads many files of a commit at once, and survives what goes wrong with one.
func TestObjects(t *testing.T) {
	t.Parallel()
	repo := filepath.Join(t.TempDir(), "repo")
	git(t, filepath.Dir(repo), "init", "-q", repo)
	files := map[string]string{"big.js": strings.Repeat("0123456789abcde\n", 300_000/16)}
	for i := range 200 {
		files[fmt.Sprintf("f%03d.py", i)] = strings.Repeat(fmt.Sprintf("x = %d\n", i), i)
	}
	write(t, repo, files)
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-qm", "first")
	lost := strings.TrimSpace(git(t, repo, "rev-parse", "HEAD:f100.py"))
	tree := openTree(t, Input{Location: repo, Revision: "HEAD", Limits: Limits{FileSize: 200_000}})
	if err := os.Remove(filepath.Join(repo, ".git/objects", lost[:2], lost[2:])); err != nil {
		t.Fatal(err)
	}
	find(t, tree, "big.js").Size = 0 // as if git could not tell: the answer itself is too large
	read := func() error {
		var group errgroup.Group
		for range 8 {
			group.Go(func() error {
				var buf []byte
				for i := range tree.Files {
					f := &tree.Files[i]
					c, err := tree.ReadInto(t.Context(), f, buf)
					switch {
					case err != nil:
						return err
					case f.Path == "f100.py":
						if c.Skip != SkipUnreadable || !strings.Contains(c.Diagnostics[0].Message, "lacks the file's object") {
							return fmt.Errorf("the lost one: %+v", c)
						}
					case f.Path == "big.js":
						if c.Skip != SkipTooLarge {
							return fmt.Errorf("the large one: %v", c.Skip)
						}
					case string(c.Bytes) != files[f.Path]:
						return fmt.Errorf("%s holds something else", f.Path)
					default:
						buf = c.Bytes[:0]
					}
				}
				return nil
			})
		}
		return group.Wait()
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	objects := tree.reader.(*objectReader)
	for range cap(objects.idle) { // somebody kills the processes
		p := <-objects.idle
		if p != nil {
			if err := p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		objects.idle <- p
	}
	if err := read(); err != nil {
		t.Errorf("after git was killed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tree.Read(ctx, find(t, tree, "f001.py")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v", err)
	}
	if err := read(); err != nil {
		t.Errorf("after that: %v", err)
	}
	if err := tree.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Read(t.Context(), find(t, tree, "f001.py")); err == nil {
		t.Error("a closed tree reads")
	}
}

// TestRepositoryRunsNothing opens repositories whose own configuration names programs.
func TestRepositoryRunsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	makeRepository(t, repo)
	witness := filepath.Join(dir, "witness")
	program := "touch " + witness + "; false"
	git(t, repo, "update-index", "--split-index") // makes git itself read the index
	config, err := os.ReadFile(filepath.Join(repo, ".git/config"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, repo, map[string]string{
		".git/config": string(config) + "[core]\n\tfsmonitor = \"" + program + "\"\n\tpager = \"" + program + "\"\n\tsshCommand = \"" + program + "\"\n\tgitProxy = \"" + program + "\"\n\talternateRefsCommand = \"" + program + "\"\n\thooksPath = hooks\n" +
			"[pager]\n\tls-files = true\n\tls-tree = true\n\trev-parse = true\n[alias]\n\tls-files = \"!" + program + "\"\n[filter \"x\"]\n\tsmudge = \"" + program + "\"\n\tclean = \"" + program + "\"\n[diff]\n\texternal = \"" + program + "\"\n" +
			"[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\turl = \"ext::sh -c '" + program + "'\"\n\tpromisor = true\n\tuploadpack = \"" + program + "\"\n",
		".gitattributes": "* filter=x diff=x\n",
	})
	lost := strings.TrimSpace(git(t, repo, "rev-parse", "HEAD:new.go"))
	if err := os.Remove(filepath.Join(repo, ".git/objects", lost[:2], lost[2:])); err != nil {
		t.Fatal(err)
	}
	for _, in := range []Input{{Location: repo}, {Location: repo, Revision: "HEAD"}, {Location: repo + "/.git"}, {Location: "file://" + repo}} {
		tree := openTree(t, in)
		for i := range tree.Files {
			if _, err := tree.Read(t.Context(), &tree.Files[i]); err != nil {
				t.Errorf("%s of %+v: %v", tree.Files[i].Path, in, err)
			}
		}
	}
	if _, err := os.Stat(witness); err == nil {
		t.Error("a program of the repository's configuration was run")
	}
	// The trap is a trap: git as everybody runs it steps into it.
	cmd := exec.Command("git", "status")
	cmd.Dir = repo
	_ = cmd.Run() // the program fails on purpose
	if _, err := os.Stat(witness); err != nil {
		t.Errorf("git status did not run the configured program, so this test proves nothing: %v", err)
	}
}
