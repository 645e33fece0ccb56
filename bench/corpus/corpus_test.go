package corpus

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func archive(t *testing.T, names ...string) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range names {
		if err := w.WriteHeader(&tar.Header{Name: n, Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func TestUntarKeepsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	p := Pin{Keep: []string{"src", "package.json"}}
	dir := t.TempDir()
	choose := func(name string) (string, bool) {
		rest, ok := strings.CutPrefix(name, "package/")
		return rest, ok && p.kept(rest)
	}
	if err := untar(archive(t, "package/src/a.ts", "package/src.ts", "package/package.json", "package/dist/a.js", "other/src/b.ts"), choose, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"src/a.ts": true, "package.json": true, "src.ts": false, "dist/a.js": false, "src/b.ts": false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v, wanted %t", name, err, want)
		}
	}
}

func TestUntarRefusesToLeaveItsFolder(t *testing.T) {
	t.Parallel()
	all := func(name string) (string, bool) { return name, true }
	for _, name := range []string{"../evil", "a/../../evil", "/etc/evil"} {
		if err := untar(archive(t, name), all, t.TempDir()); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// TestOtherBytes: a package with another hash than the pinned one is refused and nothing is kept of it.
func TestOtherBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Fetch(t.Context(), dir, Pin{Registry: Go, Name: "github.com/spf13/pflag", Version: "v1.0.9", Sum: "h1:no"})
	var away *Unavailable
	if errors.As(err, &away) && os.Getenv("CI") == "" {
		t.Skipf("the module cannot be had on this machine: %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "h1:no is pinned") {
		t.Fatalf("got %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestFetchOnce: what is there is not fetched again.
func TestFetchOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := Pin{Registry: Npm, Name: "@x/none", Version: "0.0.0", Sum: "sha512-"}
	home := filepath.Join(dir, "npm", folderName(p))
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := Fetch(t.Context(), dir, p)
	if err != nil || got != home {
		t.Errorf("got %q, %v", got, err)
	}
}
