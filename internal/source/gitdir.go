package source

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// gitDir is the administrative directory of a git repository.
type gitDir struct {
	path   string // what belongs to this work tree: HEAD, index
	common string // what its work trees share: objects, refs, config, info; often the same
}

// openGitDir recognises a git directory as git does: a HEAD that makes sense, objects and refs.
func openGitDir(path string) (gitDir, bool) {
	d := gitDir{path: path, common: path}
	if text, err := readLimited(filepath.Join(path, "commondir"), 1<<16); err == nil {
		common := strings.TrimRight(string(text), "\r\n")
		if !filepath.IsAbs(common) {
			common = filepath.Join(path, common)
		}
		d.common = common
	}
	if _, ok := d.head(); !ok {
		return d, false
	}
	for _, name := range []string{"objects", "refs"} {
		if info, err := os.Stat(filepath.Join(d.common, name)); err != nil || !info.IsDir() {
			return d, false
		}
	}
	return d, true
}

// workTreeGitDir finds the git directory of a work tree whose top is dir: dir/.git,
// which may be a file that names another place.
func workTreeGitDir(dir string) (gitDir, bool) {
	dot := filepath.Join(dir, ".git")
	info, err := os.Stat(dot)
	if err != nil {
		return gitDir{}, false
	}
	if info.IsDir() {
		return openGitDir(dot)
	}
	text, err := readLimited(dot, 1<<16)
	if err != nil {
		return gitDir{}, false
	}
	target, ok := strings.CutPrefix(string(text), "gitdir: ")
	if !ok {
		return gitDir{}, false
	}
	target = strings.TrimRight(target, "\r\n")
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	return openGitDir(target)
}

// head reads HEAD: the name of a ref, or a hash; ok is false when it is neither.
func (d gitDir) head() (target string, ok bool) {
	path := filepath.Join(d.path, "HEAD")
	if link, err := os.Readlink(path); err == nil { // git once made HEAD a symbolic link
		return link, strings.HasPrefix(link, "refs/")
	}
	text, err := readLimited(path, 1<<16)
	if err != nil {
		return "", false
	}
	line := strings.TrimRight(string(text), " \t\r\n")
	if ref, ok := strings.CutPrefix(line, "ref:"); ok {
		ref = strings.TrimLeft(ref, " \t")
		return ref, strings.HasPrefix(ref, "refs/")
	}
	return line, isHash(line)
}

// branch is the name of the branch that is checked out, "" when HEAD is detached.
func (d gitDir) branch() string {
	target, ok := d.head()
	if !ok {
		return ""
	}
	name, ok := strings.CutPrefix(target, "refs/heads/")
	if !ok || name == ".invalid" { // what a repository with reftables says
		return ""
	}
	return name
}

// commit is the hash of the commit that HEAD names, "" when there is none yet or
// when it is not stored in files.
func (d gitDir) commit() string {
	target, ok := d.head()
	for depth := 0; ok && depth < 5; depth++ { // git's own limit on chains of refs
		if isHash(target) {
			return target
		}
		if !safeRef(target) {
			return ""
		}
		text, err := readLimited(filepath.Join(d.path, filepath.FromSlash(target)), 1<<16)
		if err != nil {
			text, err = readLimited(filepath.Join(d.common, filepath.FromSlash(target)), 1<<16)
		}
		if err != nil {
			return d.packed(target)
		}
		target = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(text)), "ref:"))
	}
	return ""
}

// packed looks a ref up in packed-refs.
func (d gitDir) packed(ref string) string {
	f, err := openRegular(filepath.Join(d.common, "packed-refs"))
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		hash, name, ok := bytes.Cut(lines.Bytes(), []byte(" "))
		if ok && string(name) == ref && isHash(string(hash)) {
			return string(hash)
		}
	}
	return ""
}

// safeRef tells whether a ref's name stays inside of the directory of refs.
func safeRef(name string) bool {
	return strings.HasPrefix(name, "refs/") && filepath.IsLocal(filepath.FromSlash(name))
}

// isHash tells whether s is a full SHA-1 or SHA-256 in lower-case hexadecimal.
func isHash(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}
