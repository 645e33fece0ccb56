package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"manito/internal/code"
)

// workTree is the rules under which a part of a folder is listed: those of the
// git work tree it is in, or those of a folder that is none.
type workTree struct {
	git    bool      // it is a git work tree
	fold   bool      // core.ignoreCase
	index  *gitIndex // nil when it is none
	above  string    // path from the work tree's top to the root of the listing, "" or ending in a slash
	cut    int       // how many bytes of a path in the listing stand before the part relative to the work tree's top
	global *scope    // info/exclude and core.excludesFile
}

// relative is a path of the listing relative to the work tree's top.
func (w *workTree) relative(path string) string {
	if w.above != "" {
		return w.above + path
	}
	return path[w.cut:]
}

// findWorkTree finds the git work tree that a folder is in.
func findWorkTree(folder string) (dir gitDir, top string, ok bool) {
	for top = folder; ; {
		if dir, ok = workTreeGitDir(top); ok {
			return dir, top, true
		}
		parent := filepath.Dir(top)
		if parent == top {
			return gitDir{}, "", false
		}
		top = parent
	}
}

// rulesReader loads work trees and ignore files and keeps what went wrong.
type rulesReader struct {
	git  gitCommand
	note func(code.Diagnostic)
}

// workTree loads the rules of a git work tree whose top is at a path on disk.
func (r *rulesReader) workTree(ctx context.Context, dir gitDir, top string) (*workTree, gitConfig, error) {
	config := readGitConfig(dir, r.git.isolated)
	index, err := readGitIndex(ctx, r.git, dir, top, config)
	if err != nil {
		return nil, nil, err
	}
	w := &workTree{git: true, fold: config.bool("core.ignorecase"), index: index}
	if path := r.excludesFile(config, top); path != "" {
		w.global = r.with(w.global, path, true, w.fold, 0)
	}
	w.global = r.with(w.global, filepath.Join(dir.common, "info", "exclude"), true, w.fold, 0)
	return w, config, nil
}

// excludesFile is the path of the user's own ignore file.
func (r *rulesReader) excludesFile(config gitConfig, top string) string {
	home, _ := os.UserHomeDir() // without one there is no such file
	path, set := config["core.excludesfile"]
	if !set {
		if dir := xdgConfigHome(home); dir != "" && !r.git.isolated {
			return filepath.Join(dir, "git", "ignore")
		}
		return ""
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(home, rest)
	}
	if path != "" && !filepath.IsAbs(path) {
		return filepath.Join(top, path)
	}
	return path
}

// with adds the ignore file at a path on disk to a scope. A missing file adds
// nothing; one that cannot be read is noted, for files may then be listed that
// should not be. Links are followed only where git does: not inside of the tree.
func (r *rulesReader) with(s *scope, path string, follow, fold bool, cut int) *scope {
	if !follow {
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			return s
		}
	}
	text, err := readLimited(path, maxIgnoreSize)
	if err == nil {
		return s.with(parsePatterns(text, fold), cut)
	}
	if !errors.Is(err, fs.ErrNotExist) && !isDirectory(path) {
		shown, _ := escapePath(path)
		r.note(code.Diagnostic{Severity: code.SeverityWarning, Code: "ignore-file", Message: "the ignore file " + shown + " could not be read; what it excludes is listed: " + reasonText(err)})
	}
	return s
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// reasonText is the reason of a file system error without the path, which is said elsewhere.
func reasonText(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
