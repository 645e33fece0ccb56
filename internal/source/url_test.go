//go:build unix

package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"manito/internal/problem"
)

// server serves the git repositories below a folder over HTTP on the loopback,
// with git's own program.
type server struct {
	*httptest.Server
	fetches  atomic.Int32 // how often objects were asked for
	password atomic.Bool  // wants me:sec:ret
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
		if name, secret, _ := r.BasicAuth(); s.password.Load() && (name != "me" || secret != "sec:ret") {
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
	s.password.Store(true)
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
