package source

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(unprivilegedEnv) != "" {
		os.Exit(scanUnprivileged())
	}
	goleak.VerifyTestMain(m)
}

// git runs git in a folder without anybody's configuration and returns what it printed.
func git(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		tb.Fatalf("git %s: %v\n%s(these tests need git: apt install git)", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "init.defaultBranch=main", "-c", "user.name=T", "-c", "user.email=t@example.com",
		"-c", "core.fsmonitor=false", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C",
		"GIT_AUTHOR_DATE=2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2024-01-01T00:00:00Z")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return errs.String(), err
	}
	return out.String(), nil
}

// write makes files below a folder.
func write(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// openTree opens a location without the user's configuration and closes it with the test.
func openTree(tb testing.TB, in Input) *Tree {
	tb.Helper()
	in.Isolated = true
	t, err := Open(context.Background(), in)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := t.Close(); err != nil {
			tb.Error(err)
		}
	})
	return t
}

// paths are those of a tree's files.
func paths(t *Tree) []string {
	list := make([]string, 0, len(t.Files))
	for i := range t.Files {
		list = append(list, t.Files[i].Path)
	}
	return list
}

// find is the file at a path.
func find(tb testing.TB, t *Tree, path string) *File {
	tb.Helper()
	for i := range t.Files {
		if t.Files[i].Path == path {
			return &t.Files[i]
		}
	}
	tb.Fatalf("%s is not listed; listed are %q", path, paths(t))
	return nil
}

// content reads the file at a path.
func content(tb testing.TB, t *Tree, path string) Content {
	tb.Helper()
	c, err := t.Read(context.Background(), find(tb, t, path))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
