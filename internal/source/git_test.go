//go:build unix

package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"manito/internal/problem"
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

// server serves the git repositories below a folder over HTTP on the loopback,
// with git's own program.
type server struct {
	*httptest.Server
	fetches  atomic.Int32 // how often objects were asked for
	password bool         // wants me:sec:ret
	stall    atomic.Bool
	rest     chan struct{} // closed when the test is over
}

func serve(tb testing.TB, root string) *server {
	tb.Helper()
	backend := filepath.Join(strings.TrimSpace(git(tb, "", "--exec-path")), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		tb.Fatalf("these tests need git's http-backend: %v", err)
	}
	handler := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
		Stderr: io.Discard, Logger: log.New(io.Discard, "", 0)}
	s := &server{rest: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, secret, _ := r.BasicAuth(); s.password && (name != "me" || secret != "sec:ret") {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		if s.stall.Load() {
			select {
			case <-r.Context().Done():
			case <-s.rest:
			}
			return
		}
		if err := s.count(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		handler := *handler
		if v := r.Header.Get("Git-Protocol"); v != "" { // http/cgi does not pass it on
			handler.Env = append(slices.Clip(handler.Env), "GIT_PROTOCOL="+v)
		}
		handler.ServeHTTP(w, r)
	}))
	tb.Cleanup(func() {
		close(s.rest)
		s.Close()
	})
	return s
}

// count counts the requests for objects.
func (s *server) count(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(z); err != nil {
			return err
		}
	}
	if bytes.Contains(body, []byte("command=fetch")) {
		s.fetches.Add(1)
	}
	return nil
}

// commits is how many commits a clone holds.
func commits(tb testing.TB, clone string) string {
	tb.Helper()
	return strings.TrimSpace(git(tb, "", "--git-dir="+clone, "rev-list", "--all", "--count"))
}

// onlyClone is the one clone in a folder.
func onlyClone(tb testing.TB, dir string) string {
	tb.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.git"))
	if err != nil || len(found) != 1 {
		tb.Fatalf("clones: %q, %v", found, err)
	}
	return found[0]
}

// TestURL clones over HTTP: shallow, whole, again, at each kind of revision.
func TestURL(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	repo := filepath.Join(root, "team", "repo")
	if err := os.Mkdir(filepath.Dir(repo), 0o755); err != nil {
		t.Fatal(err)
	}
	makeRepository(t, repo)
	s := serve(t, root)
	url := s.URL + "/team/repo/.git"
	first := strings.TrimSpace(git(t, repo, "rev-parse", "v1^{commit}"))
	second := strings.TrimSpace(git(t, repo, "rev-parse", "side"))
	third := strings.TrimSpace(git(t, repo, "rev-parse", "main"))

	t.Run("shallow, then again, then more", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		tree := openTree(t, Input{Location: url, Dir: dir})
		if tree.Commit != third || tree.Branch != "main" || tree.Name != "repo" || tree.Remote != url || tree.Root != url {
			t.Errorf("%+v", tree)
		}
		if c := content(t, tree, "main.go"); string(c.Bytes) != "package main // third\n" {
			t.Errorf("main.go: %q", c.Bytes)
		}
		clone := onlyClone(t, dir)
		if n := commits(t, clone); n != "1" {
			t.Errorf("the shallow clone has %s commits", n)
		}
		if again := openTree(t, Input{Location: url, Dir: dir}); again.Commit != third || len(again.Files) != len(tree.Files) {
			t.Errorf("again: %+v", again)
		}
		if side := openTree(t, Input{Location: url, Dir: dir, Revision: "side"}); side.Commit != second || side.Branch != "side" {
			t.Errorf("side: %+v", side)
		}
		if whole := openTree(t, Input{Location: url, Dir: dir, History: true}); whole.Commit != third {
			t.Errorf("whole: %+v", whole)
		}
		if n := commits(t, clone); n != "3" {
			t.Errorf("the whole clone has %s commits", n)
		}
		openTree(t, Input{Location: url, Dir: dir, Revision: "side"})
		if n := commits(t, clone); n != "3" {
			t.Errorf("after a shallow scan the whole clone has %s commits", n)
		}
		onlyClone(t, dir)
	})
	t.Run("kept for nobody", func(t *testing.T) {
		t.Parallel()
		tree, err := Open(t.Context(), Input{Location: url, Isolated: true})
		if err != nil {
			t.Fatal(err)
		}
		clone := tree.reader.(*objectReader).dir
		if c := content(t, tree, "main.go"); string(c.Bytes) != "package main // third\n" {
			t.Errorf("main.go: %q", c.Bytes)
		}
		if err := tree.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Dir(clone)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", filepath.Dir(clone), err)
		}
	})
	for _, test := range []struct{ revision, commit, branch string }{
		{"HEAD", third, "main"}, {"main", third, "main"}, {"refs/heads/side", second, "side"}, {"v1", first, ""}, {second, second, ""}, {first[:10], first, ""}, {"main~1", second, ""},
	} {
		t.Run("revision "+test.revision, func(t *testing.T) {
			t.Parallel()
			tree := openTree(t, Input{Location: url, Dir: t.TempDir(), Revision: test.revision})
			if tree.Commit != test.commit || tree.Branch != test.branch {
				t.Errorf("commit %s on %q, want %s on %q", tree.Commit, tree.Branch, test.commit, test.branch)
			}
		})
	}
	for _, test := range []struct {
		name, url, revision string
		kind                problem.Kind
	}{
		{"missing repository", s.URL + "/none.git", "", problem.NotFound},
		{"missing branch", url, "none", problem.NotFound},
		{"missing commit", url, strings.Repeat("ab", 20), problem.NotFound},
		{"nobody there", "http://127.0.0.1:1/x.git", "", problem.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), Input{Location: test.url, Revision: test.revision, Isolated: true})
			if problem.KindOf(err) != test.kind || len(problem.Fixes(err)) == 0 {
				t.Errorf("%v: %v (%q), want %v", problem.KindOf(err), err, problem.Fixes(err), test.kind)
			}
		})
	}
}

// TestURLFollows fetches what is new at the remote, and only then.
func TestURLFollows(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	repo := filepath.Join(root, "repo")
	makeRepository(t, repo)
	s := serve(t, root)
	url := s.URL + "/repo/.git"
	openTree(t, Input{Location: url, Dir: dir})
	before := s.fetches.Load()
	openTree(t, Input{Location: url, Dir: dir})
	if after := s.fetches.Load(); before == 0 || after != before {
		t.Errorf("objects were fetched %d times for the first scan, %d times more for the second, which had nothing new", before, after-before)
	}
	write(t, repo, map[string]string{"fourth.go": "package four\n"})
	git(t, repo, "add", "fourth.go")
	git(t, repo, "commit", "-qm", "fourth")
	tree := openTree(t, Input{Location: url, Dir: dir})
	if c := content(t, tree, "fourth.go"); string(c.Bytes) != "package four\n" {
		t.Errorf("%+v", c)
	}
	git(t, repo, "reset", "-q", "--hard", "v1") // history is rewritten: what is served counts
	if tree := openTree(t, Input{Location: url, Dir: dir}); !slices.Contains(paths(tree), "old.go") {
		t.Errorf("after a forced push: %q", paths(tree))
	}
	if c := content(t, tree, "main.go"); string(c.Bytes) != "package main // third\n" {
		t.Errorf("the tree that was open before: %+v", c)
	}
	// A fetch that was killed leaves a lock; a clone can lose an object file.
	clone := onlyClone(t, dir)
	write(t, repo, map[string]string{"fifth.go": "package five\n"})
	git(t, repo, "add", "fifth.go")
	git(t, repo, "commit", "-qm", "fifth")
	write(t, clone, map[string]string{"shallow.lock": ""})
	if tree := openTree(t, Input{Location: url, Dir: dir}); !slices.Contains(paths(tree), "fifth.go") {
		t.Errorf("after a crash: %q", paths(tree))
	}
}

// TestURLTogether lets several scans of one URL begin at once.
func TestURLTogether(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	makeRepository(t, filepath.Join(root, "repo"))
	s := serve(t, root)
	var group errgroup.Group
	for i := range 6 {
		group.Go(func() error {
			tree, err := Open(t.Context(), Input{Location: s.URL + "/repo/.git", Dir: dir, Isolated: true, Revision: []string{"", "side", "v1"}[i%3]})
			if err != nil {
				return err
			}
			_, err = tree.Read(t.Context(), &tree.Files[0])
			return errors.Join(err, tree.Close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	onlyClone(t, dir)
}

// TestURLSecrets uses the password of a URL and shows it nowhere.
func TestURLSecrets(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	makeRepository(t, filepath.Join(root, "repo"))
	s := serve(t, root)
	s.password = true
	host := strings.TrimPrefix(s.URL, "http://")
	tree := openTree(t, Input{Location: "http://me:sec%3Aret@" + host + "/repo/.git", Dir: dir})
	if tree.Remote != s.URL+"/repo/.git" || tree.Root != tree.Remote {
		t.Errorf("remote %q, root %q", tree.Remote, tree.Root)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "sec:ret") || strings.Contains(string(text), "sec%3Aret") || strings.Contains(string(text), "bWU6c2Vj") {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, url := range []string{"http://me:wr%3Aong@" + host + "/repo/.git", "http://" + host + "/repo/.git"} {
		_, err := Open(t.Context(), Input{Location: url, Isolated: true})
		if problem.KindOf(err) != problem.Denied || strings.Contains(err.Error(), "ong") {
			t.Errorf("%v: %v", problem.KindOf(err), err)
		}
	}
}

// TestURLCancelled kills git and its helpers when the context ends, without waiting for the server.
func TestURLCancelled(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	makeRepository(t, filepath.Join(root, "repo"))
	s := serve(t, root)
	s.stall.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	_, err := Open(ctx, Input{Location: s.URL + "/repo/.git", Isolated: true})
	if problem.KindOf(err) != problem.Interrupted {
		t.Errorf("%v: %v", problem.KindOf(err), err)
	}
	if runtime.GOOS == "linux" {
		for _, p := range processesWith(t, s.URL) {
			t.Errorf("still running: %q", p)
		}
	}
}

// processesWith lists the command lines that hold a text.
func processesWith(tb testing.TB, text string) []string {
	tb.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		tb.Fatal(err)
	}
	var found []string
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(line), text) {
			found = append(found, string(line))
		}
	}
	return found
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

// TestRemote tells what a location means and keeps secrets out of what is shown.
func TestRemote(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]bool{
		"https://host/x": true, "git@host:x/y": true, "host:x": true, "ssh://h/x": true, "ext::x": true,
		"C:\\x": false, "a/b:c": false, "plain": false, "./a:b": false, "/a:b": false, "host:": false,
	} {
		if got := looksLikeURL(location); got != want {
			t.Errorf("%q: %v", location, got)
		}
	}
	for _, test := range []struct{ location, url, shown, header string }{
		{"https://me:pass@host/x.git", "https://host/x.git", "https://host/x.git", "Basic bWU6cGFzcw=="},
		{"https://ghp_0123456789abcdefghij@host/x", "https://host/x", "https://host/x", "Basic Z2hwXzAxMjM0NTY3ODlhYmNkZWZnaGlqOg=="},
		{"https://team@host/x", "https://team@host/x", "https://host/x", ""},
		{"ssh://git:pass@host/x", "ssh://git@host/x", "ssh://git@host/x", ""},
		{"git@host:x/y.git", "git@host:x/y.git", "git@host:x/y.git", ""},
	} {
		r, err := parseRemote(test.location)
		if err != nil || r.url != test.url || r.shown != test.shown || !strings.Contains(strings.Join(r.env, " "), test.header) || test.header == "" && r.env != nil {
			t.Errorf("%s: %+v, %v", test.location, r, err)
		}
	}
	for text, want := range map[string]string{
		"fatal: unable to access 'https://me:p@ss@host/x/': no": "fatal: unable to access 'https://host/x/': no",
		"see https://host/a@b": "see https://host/a@b",
	} {
		if got := redact(text); got != want {
			t.Errorf("redacted %q", got)
		}
	}
	for location, want := range map[string]string{
		"/srv/repo.git": "repo", "/home/me/repo/": "repo", "/home/me/repo/.git": "repo", "git@host:team/repo.git": "repo", "host:repo": "repo", "/": "root", "/x/.git": "x", "/a/.git.git": ".git",
	} {
		if got := repositoryName(location); got != want {
			t.Errorf("%s is named %q, want %q", location, got, want)
		}
	}
}
