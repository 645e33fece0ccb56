package corpus

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// run executes a client and returns what it prints.
func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, lastLines(stderr.String(), 4))
	}
	return out, nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// standardLibrary is the folder of the installed Go's packages.
func standardLibrary(ctx context.Context) (string, error) {
	out, err := run(ctx, "", "go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src"), nil
}

// unpackModule copies a module out of the module cache: a judge writes into its folder.
func unpackModule(ctx context.Context, p Pin, files string) error {
	out, err := run(ctx, os.TempDir(), "go", "mod", "download", "-json", p.Name+"@"+p.Version)
	var m struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &m); err == nil && jsonErr != nil {
		err = jsonErr
	}
	if m.Error != "" {
		err = errors.New(m.Error)
	}
	if err != nil {
		return &Unavailable{p, err}
	}
	if m.Sum != p.Sum {
		return p.mismatch(m.Sum)
	}
	return filepath.WalkDir(m.Dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(m.Dir, name)
		if err != nil || d.IsDir() || !p.kept(filepath.ToSlash(rel)) {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(files, rel), bytes.NewReader(text))
	})
}

func unpackNpm(ctx context.Context, p Pin, work, files string) error {
	out, err := run(ctx, work, "npm", "pack", "--silent", p.Name+"@"+p.Version)
	if err != nil {
		return &Unavailable{p, err}
	}
	tgz, err := os.ReadFile(filepath.Join(work, lastLines(string(out), 1)))
	if err != nil {
		return err
	}
	sum := sha512.Sum512(tgz)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Sum {
		return p.mismatch(got)
	}
	z, err := gzip.NewReader(bytes.NewReader(tgz))
	if err != nil {
		return err
	}
	return untar(z, func(name string) (string, bool) {
		_, rest, ok := strings.Cut(name, "/") // "package/", or whatever folder the author packed
		return rest, ok && p.kept(rest)
	}, files)
}

// debianRoot is where Debian puts Python packages.
const debianRoot = "usr/lib/python3/dist-packages/"

func unpackDebian(ctx context.Context, p Pin, work, files string) error {
	get := func() error {
		_, err := run(ctx, work, "apt-get", "download", p.Name+"="+p.Version)
		return err
	}
	err := get()
	if err != nil && os.Getuid() == 0 { // the lists of packages may be missing or old
		if _, update := run(ctx, work, "apt-get", "update"); update == nil {
			err = get()
		}
	}
	if err != nil {
		return &Unavailable{p, fmt.Errorf("%w (Debian serves only current versions: when this one is gone, pin the new version and hash and judge it again)", err)}
	}
	debs, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("%s: apt-get left %d packages: %w", p, len(debs), err)
	}
	deb, err := os.ReadFile(debs[0])
	if err != nil {
		return err
	}
	sum := sha256.Sum256(deb)
	if got := hex.EncodeToString(sum[:]); got != p.Sum {
		return p.mismatch(got)
	}
	archive, err := run(ctx, work, "dpkg-deb", "--fsys-tarfile", debs[0])
	if err != nil {
		return err
	}
	return untar(bytes.NewReader(archive), func(name string) (string, bool) {
		rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "./"), debianRoot)
		return rest, ok && p.kept(rest)
	}, files)
}

// untar writes the regular files of an archive for which choose says so, under the names that it gives.
func untar(r io.Reader, choose func(name string) (string, bool), files string) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := choose(path.Clean(h.Name))
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("the archive has a file outside of itself: %q", h.Name)
		}
		if err := writeFile(filepath.Join(files, filepath.FromSlash(name)), t); err != nil {
			return err
		}
	}
}

func writeFile(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
