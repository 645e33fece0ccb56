// Package corpus brings pinned packages of other people onto this machine, to be
// measured: Go modules, npm packages that ship their sources, Debian packages of
// Python projects, and the Go standard library. A Pin names one by version and
// hash, so that every machine measures the same bytes; Fetch refuses others.
//
// The registries are asked only through their own clients: go, npm and apt-get.
// Only the programs under bench may import it.
package corpus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Registry is where a package comes from.
type Registry string

// The registries.
const (
	Go     Registry = "go"     // the Go module proxy; Sum is the module's h1: hash
	Npm    Registry = "npm"    // the npm registry; Sum is the tarball's integrity, "sha512-" and base64
	Debian Registry = "debian" // Debian's archive; Sum is the package's SHA-256 in hexadecimal
	GOROOT Registry = "goroot" // the installed Go's standard library: pinned by the toolchain, no Sum
)

// Pin is one package at one version.
type Pin struct {
	Registry Registry
	Name     string
	Version  string
	Sum      string
	// Keep lists the files and folders that are taken, slash-separated and relative
	// to the package's root; empty takes all. What a registry's package holds besides
	// sources (bundles, compiled files) would be measured otherwise.
	Keep []string
}

// String is the name at the version.
func (p Pin) String() string {
	if p.Version == "" {
		return p.Name
	}
	return p.Name + " " + p.Version
}

// Unavailable is the error for a package that its registry's client did not
// deliver, as opposed to one that has other bytes than the pinned ones.
type Unavailable struct {
	Pin   Pin
	Cause error
}

// Error says what could not be had and what the client said.
func (u *Unavailable) Error() string {
	return fmt.Sprintf("%s package %s cannot be fetched: %v", u.Pin.Registry, u.Pin, u.Cause)
}

// Unwrap is the client's error.
func (u *Unavailable) Unwrap() error { return u.Cause }

// DefaultDir is the folder in which packages are kept between runs.
func DefaultDir() (string, error) {
	if d := os.Getenv("MANITO_BENCH_CACHE"); d != "" {
		return filepath.Abs(d)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("a folder for the corpora: %w", err)
	}
	return filepath.Join(base, "manito-bench"), nil
}

// Fetch returns the folder that holds a package's files. A package that is in
// dir already is not fetched again. Several processes may fetch at the same time.
func Fetch(ctx context.Context, dir string, p Pin) (string, error) {
	if p.Registry == GOROOT {
		return standardLibrary(ctx)
	}
	home := filepath.Join(dir, string(p.Registry), folderName(p))
	if _, err := os.Stat(home); err == nil {
		return home, nil
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(home), ".fetch-")
	if err != nil {
		return "", err
	}
	files := filepath.Join(work, "files")
	err = unpack(ctx, p, work, files)
	if err == nil {
		if err = os.Rename(files, home); err != nil {
			if _, there := os.Stat(home); there == nil {
				err = nil // another process was faster
			}
		}
	}
	if err := errors.Join(err, os.RemoveAll(work)); err != nil {
		return "", err
	}
	return home, nil
}

// folderName is a name for the package's folder that changes with what is kept of it.
func folderName(p Pin) string {
	name := strings.NewReplacer("/", "+", ":", "%3a").Replace(p.Name + "@" + p.Version)
	if len(p.Keep) > 0 {
		name += "-" + shortHash(strings.Join(p.Keep, "\n"))
	}
	return name
}

func unpack(ctx context.Context, p Pin, work, files string) error {
	switch p.Registry {
	case Go:
		return unpackModule(ctx, p, files)
	case Npm:
		return unpackNpm(ctx, p, work, files)
	case Debian:
		return unpackDebian(ctx, p, work, files)
	}
	return fmt.Errorf("%s: unknown registry %q", p, p.Registry)
}

// kept says whether a file of the package is taken.
func (p Pin) kept(name string) bool {
	if len(p.Keep) == 0 {
		return true
	}
	for _, k := range p.Keep {
		if name == k || strings.HasPrefix(name, k+"/") {
			return true
		}
	}
	return false
}

func (p Pin) mismatch(got string) error {
	return fmt.Errorf("%s package %s has hash %s, but %s is pinned: these are not the bytes that were judged", p.Registry, p, got, p.Sum)
}
