//go:build unix

package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/internal/problem"
)

// TestBadLocations explains what is wrong and what to do.
func TestBadLocations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"file.go": "package a\n", "plain/a.go": "", "a.7z": "7z\xbc\xaf\x27\x1c", "a.tar.xz": "\xfd7zXZ\x00rest"})
	git(t, dir, "init", "-q", "--bare", "empty.git")
	git(t, dir, "init", "-q", "unborn")
	socket, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	tests := []struct {
		name string
		in   Input
		kind problem.Kind
		want string
	}{
		{"nothing", Input{}, problem.Usage, "nothing to scan"},
		{"missing", Input{Location: dir + "/missing"}, problem.NotFound, "does not exist"},
		{"below a file", Input{Location: dir + "/file.go/x"}, problem.Invalid, "file.go/x"},
		{"a file", Input{Location: dir + "/file.go"}, problem.Usage, "is a file, not a folder"},
		{"a file with a revision", Input{Location: dir + "/file.go", Revision: "x"}, problem.Usage, "no revision"},
		{"a socket", Input{Location: dir + "/s"}, problem.Usage, "no folder and no archive"},
		{"7z", Input{Location: dir + "/a.7z"}, problem.Unsupported, "7z"},
		{"xz", Input{Location: dir + "/a.tar.xz"}, problem.Unsupported, "xz"},
		{"bare without commits", Input{Location: dir + "/empty.git"}, problem.NotFound, "no commit yet"},
		{"revision of no repository", Input{Location: dir + "/plain", Revision: "main"}, problem.Usage, "not in a git repository"},
		{"revision that is missing", Input{Location: dir + "/unborn", Revision: "main"}, problem.NotFound, "no revision"},
		{"revision that is an option", Input{Location: dir + "/unborn", Revision: "--all"}, problem.Usage, "no git revision"},
		{"dash URL", Input{Location: "-oProxyCommand=x:y"}, problem.Usage, "begins with a dash"},
		{"dash host", Input{Location: "ssh://-oProxyCommand=x/y"}, problem.Usage, "begins with a dash"},
		{"dash host in scp form", Input{Location: "me@-oProxyCommand=x:y"}, problem.Usage, "begins with a dash"},
		{"dash path", Input{Location: "host:-x"}, problem.Usage, "begins with a dash"},
		{"helper", Input{Location: "ext::sh -c touch% /tmp/x"}, problem.Unsupported, "remote helpers"},
		{"scheme", Input{Location: "ftp://host/x"}, problem.Unsupported, "ftp"},
		{"control character", Input{Location: "https://host/\nx"}, problem.Usage, "control character"},
		{"file URL with a host", Input{Location: "file://host/x"}, problem.Usage, "names no host"},
		{"missing file URL", Input{Location: "file:///nowhere/at/all"}, problem.NotFound, "does not exist"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.in.Isolated = true
			tree, err := Open(context.Background(), test.in)
			if err == nil {
				tree.Close()
				t.Fatal("no error")
			}
			if problem.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v: %v; want %v with %q", problem.KindOf(err), err, test.kind, test.want)
			}
		})
	}
}

// TestEmpty lists what has no files, or no text.
func TestEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "repo")
	if tree := openTree(t, Input{Location: dir + "/repo"}); len(tree.Files) != 0 || tree.Commit != "" || tree.Branch != "main" {
		t.Errorf("an empty repository has files %q, commit %q, branch %q", paths(tree), tree.Commit, tree.Branch)
	}
	write(t, dir, map[string]string{"bin/a": "\x7fELF\x00", "bin/b.png": "\x89PNG\r\n\x1a\n\x00"})
	tree := openTree(t, Input{Location: dir + "/bin"})
	for _, path := range []string{"a", "b.png"} {
		if c := content(t, tree, path); !c.Binary || c.Skip != SkipNone || c.Language != "" {
			t.Errorf("%s: %+v", path, c)
		}
	}
}

// TestUnreadable lists, as a user without the rights, what that user may not read, and reads the rest.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "manito-unreadable-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write(t, dir, map[string]string{"a.py": "a = 1\n", "secret.py": "b = 2\n", "closed/c.py": "", "sub/.gitignore": "x.py\n", "sub/x.py": ""})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, ".git", "test") // where no listing looks, and every user may look
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, program, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{".": 0o755, "secret.py": 0, "closed": 0, "sub/.gitignore": 0} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	run := func(location string) string {
		cmd := exec.Command(binary)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), unprivilegedEnv+"="+location)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	want := `file a.py: "a = 1\n"
file secret.py: "" [unreadable: the file may not be read by this user]
file sub/.gitignore: "" [unreadable: the file may not be read by this user]
file sub/x.py: ""
skipped closed: unreadable
noted ignore-file
`
	if diff := cmp.Diff(want, run(dir)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if got := run(filepath.Join(dir, "closed")); !strings.HasPrefix(got, "open: denied: ") {
		t.Errorf("a folder that may not be read: %s", got)
	}
	if err := os.Chmod(filepath.Join(dir, "closed"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestLinks lists links and follows none.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/file.py": "x = 1\n"})
	for link, target := range map[string]string{"to-file": "a/file.py", "a/loop": "../a", "self": "self", "dangling": "nowhere", "etc": "/etc", "dir": "a"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	tree := openTree(t, Input{Location: dir})
	if diff := cmp.Diff([]string{"a/file.py", "a/loop", "dangling", "dir", "etc", "self", "to-file"}, paths(tree)); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	for i := range tree.Files {
		f := &tree.Files[i]
		if f.Link != (f.Path != "a/file.py") {
			t.Errorf("%s: link %v", f.Path, f.Link)
		}
		if c := content(t, tree, f.Path); f.Link && (c.Skip != SkipLink || c.Bytes != nil || !strings.Contains(f.Diagnostics[0].Message, "symbolic link to ")) {
			t.Errorf("%s: %+v, %v", f.Path, c, f.Diagnostics)
		}
	}
}

// TestSpecialFiles leaves pipes and sockets out, and never waits for one.
func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.py": "", "later.py": ""})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree := openTree(t, Input{Location: dir})
	if len(tree.Files) != 2 || len(tree.Skipped) != 1 || tree.Skipped[0].Reason != SkipSpecial || !strings.Contains(tree.Skipped[0].Message, "named pipe") {
		t.Errorf("files %q, skipped %+v", paths(tree), tree.Skipped)
	}
	// A file that turned into a pipe since.
	if err := os.Rename(filepath.Join(dir, "pipe"), filepath.Join(dir, "later.py")); err != nil {
		t.Fatal(err)
	}
	if c := content(t, tree, "later.py"); c.Skip != SkipUnreadable {
		t.Errorf("%+v", c)
	}
}

// TestPipesInGit opens repositories in which pipes stand where git has files, and never waits for one.
func TestPipesInGit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{".git/index", ".git/packed-refs", ".git/config", ".git/info/exclude", ".git/refs/heads/main", ".gitignore", ".git"} {
		dir := t.TempDir()
		git(t, dir, "init", "-q")
		write(t, dir, map[string]string{"a.py": "", ".git/info/exclude": ""})
		path := filepath.Join(dir, name)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
		tree, err := Open(t.Context(), Input{Location: dir, Isolated: true})
		if name == ".git/index" {
			if err == nil {
				t.Error("an index that is a pipe is read")
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := paths(tree); len(got) != 1 {
			t.Errorf("%s: files %q", name, got)
		}
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFullDisk says that the disk is full when an archive's files find no room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // only Linux has a device that is always full
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	a := &archive{tree: &Tree{limits: Limits{}.withDefaults()}, packed: 1 << 20}
	s := &spool{file: full, out: bufio.NewWriterSize(full, 4096)}
	if _, err := s.take(strings.NewReader(strings.Repeat("x", 10_000)), 10_000, a); problem.KindOf(err) != problem.Exhausted {
		t.Errorf("a large file: %v", err)
	}
	s = &spool{file: full, out: bufio.NewWriterSize(full, 4096)}
	if _, err := s.take(strings.NewReader("x"), 1, a); err != nil {
		t.Errorf("a small file, which is kept for later: %v", err)
	}
	if err := s.flush(); problem.KindOf(err) != problem.Exhausted {
		t.Errorf("later: %v", err)
	}
}

// TestChangedDuringScan reads on when files vanish, change and turn into links after the listing.
func TestChangedDuringScan(t *testing.T) {
	t.Parallel()
	for _, portable := range []bool{false, true} {
		dir := t.TempDir()
		outside := filepath.Join(t.TempDir(), "outside.py")
		write(t, filepath.Dir(outside), map[string]string{"outside.py": "secret", "way/x.py": "secret"})
		write(t, dir, map[string]string{"gone.py": "", "grown.py": "a", "cut.py": "aaaa", "link.py": "a", "sub/x.py": "a", "way/x.py": "a", "huge.py": "a", "same.py": "same"})
		tree := openTree(t, Input{Location: dir, Limits: Limits{FileSize: 1000}})
		if portable {
			readPortably(tree)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(os.Remove(filepath.Join(dir, "gone.py")))
		write(t, dir, map[string]string{"grown.py": "aaaa", "cut.py": "a", "huge.py": strings.Repeat("a", 1001)})
		must(os.Remove(filepath.Join(dir, "link.py")))
		must(os.Symlink(outside, filepath.Join(dir, "link.py")))
		must(os.RemoveAll(filepath.Join(dir, "sub")))
		write(t, dir, map[string]string{"sub": "now a file"})
		must(os.RemoveAll(filepath.Join(dir, "way")))
		must(os.Symlink(filepath.Join(filepath.Dir(outside), "way"), filepath.Join(dir, "way")))
		for path, want := range map[string]string{"grown.py": "aaaa", "cut.py": "a", "same.py": "same"} {
			if c := content(t, tree, path); string(c.Bytes) != want || c.Hash != hashOf(want) || c.Skip != SkipNone {
				t.Errorf("portable %v: %s: %+v", portable, path, c)
			}
		}
		for path, want := range map[string]SkipReason{"gone.py": SkipVanished, "link.py": SkipUnreadable, "sub/x.py": SkipVanished, "way/x.py": SkipUnreadable, "huge.py": SkipTooLarge} {
			c := content(t, tree, path)
			if c.Skip != want && !(portable && c.Skip != SkipNone) || c.Bytes != nil || len(c.Diagnostics) != 1 {
				t.Errorf("portable %v: %s: %+v, want %v", portable, path, c, want)
			}
		}
	}
}

// TestRootVanishes is an error of the whole tree, not of each file.
func TestRootVanishes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "repo")
	write(t, dir, map[string]string{"a.py": ""})
	tree := openTree(t, Input{Location: dir})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if c, err := tree.Read(context.Background(), &tree.Files[0]); problem.KindOf(err) != problem.Unavailable {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestLimits lists what is too large and reads what is large for an outline.
func TestLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	line := "function f() { return 1 } // " + strings.Repeat("x", 40) + "\n"
	write(t, dir, map[string]string{
		"minified.js": strings.Repeat("f(1);", 2<<20), "large.js": strings.Repeat(line, (3<<20)/len(line)), "small.js": line,
	})
	if err := os.Truncate(filepath.Join(dir, "small.js"), int64(len(line))); err != nil {
		t.Fatal(err)
	}
	huge, err := os.Create(filepath.Join(dir, "huge.js"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(huge.Truncate(40<<20), huge.Close()); err != nil { // sparse: it takes no space
		t.Fatal(err)
	}
	tree := openTree(t, Input{Location: dir})
	if c := content(t, tree, "minified.js"); !c.Minified || !c.Outline || len(c.Bytes) != 10<<20 {
		t.Errorf("10 MB minified: minified %v, outline %v, %d bytes", c.Minified, c.Outline, len(c.Bytes))
	}
	if c := content(t, tree, "large.js"); c.Minified || !c.Outline {
		t.Errorf("3 MB: minified %v, outline %v", c.Minified, c.Outline)
	}
	if c := content(t, tree, "small.js"); c.Outline {
		t.Error("a small file is outlined")
	}
	c := content(t, tree, "huge.js")
	if c.Skip != SkipTooLarge || c.Bytes != nil || len(c.Diagnostics) != 1 || !strings.Contains(c.Diagnostics[0].Message, "40 MiB") {
		t.Errorf("40 MB: %+v", c)
	}
	_, err = Open(context.Background(), Input{Location: dir, Isolated: true, Limits: Limits{Files: 3}})
	if problem.KindOf(err) != problem.Exhausted {
		t.Errorf("with more files than the limit: %v", err)
	}
}

// TestReadInto uses the buffer and never mixes files up.
func TestReadInto(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.py": strings.Repeat("a", 200_000), "b.py": "b", "c.py": "", "d.py": strings.Repeat("d", 300_000)})
	tree := openTree(t, Input{Location: dir})
	var buf []byte
	for range 2 {
		for i := range tree.Files {
			c, err := tree.ReadInto(t.Context(), &tree.Files[i], buf)
			if err != nil {
				t.Fatal(err)
			}
			if int64(len(c.Bytes)) != tree.Files[i].Size || len(bytes.Trim(c.Bytes, tree.Files[i].Path[:1])) != 0 {
				t.Errorf("%s: %d bytes", tree.Files[i].Path, len(c.Bytes))
			}
			if cap(buf) > len(c.Bytes) && len(c.Bytes) > 0 && &buf[:1][0] != &c.Bytes[0] {
				t.Errorf("%s: the buffer was not used", tree.Files[i].Path)
			}
			buf = c.Bytes[:0]
		}
	}
}

// TestCancelled stops listing and reading.
func TestCancelled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.py": ""})
	tree := openTree(t, Input{Location: dir})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tree.Read(ctx, &tree.Files[0]); problem.KindOf(err) != problem.Interrupted {
		t.Errorf("read: %v", err)
	}
	if _, err := Open(ctx, Input{Location: dir, Isolated: true}); problem.KindOf(err) != problem.Interrupted {
		t.Errorf("open: %v", err)
	}
}

// TestDeterministic lists a tree the same way each time.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	root := goroot(t)
	first := openTree(t, Input{Location: root})
	again := openTree(t, Input{Location: root})
	if diff := cmp.Diff(first.Files, again.Files, cmp.AllowUnexported(File{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(first.Skipped, again.Skipped); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSorted(paths(first)) || len(first.Files) < 5000 {
		t.Errorf("%d files, not in order", len(first.Files))
	}
}
