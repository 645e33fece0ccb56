package source

import (
	"path/filepath"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/problem"
)

// finish puts a listing in order: it sorts, makes paths valid and unique, and
// adds what names tell.
func (t *Tree) finish() error {
	if len(t.Files) > t.limits.Files {
		return problem.New(problem.Exhausted, "%s has %d files, more than the limit of %d", t.Root, len(t.Files), t.limits.Files).
			Fix("exclude what is no source in a .manitoignore file").Fix("raise the limit on files")
	}
	slices.SortFunc(t.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	taken := map[string]bool{} // escaped paths and what they could collide with
	above, vendored := "", false
	for i := range t.Files {
		f := &t.Files[i]
		if escaped, changed := escapePath(f.Path); changed {
			t.rename(f, escaped, taken)
		}
		cut := strings.LastIndexByte(f.Path, '/') + 1
		if f.Path[:cut] != above {
			above = f.Path[:cut]
			vendored = vendoredPath(above)
		}
		base := f.Path[cut:]
		n := t.languages.byName(base)
		f.Language, f.Type = n.language, n.kind
		f.Vendored = vendored || vendoredFile(base)
		f.Generated = generatedName(base)
	}
	if len(taken) > 0 {
		slices.SortFunc(t.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	}
	for i := range t.Skipped {
		t.Skipped[i].Path, _ = escapePath(t.Skipped[i].Path)
	}
	slices.SortFunc(t.Skipped, func(a, b Skipped) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(t.Diagnostics, func(a, b code.Diagnostic) int { return strings.Compare(a.Message, b.Message) })
	return nil
}

// rename gives a file whose name is not UTF-8 its escaped path. A file that is
// really called so keeps the path; the escaped one gets a tail.
func (t *Tree) rename(f *File, escaped string, taken map[string]bool) {
	if len(taken) == 0 {
		for i := range t.Files {
			taken[t.Files[i].Path] = true
		}
	}
	if f.raw == "" {
		f.raw = f.Path
	}
	for taken[escaped] {
		escaped += "~"
	}
	taken[escaped] = true
	f.Path = escaped
	f.Diagnostics = append(f.Diagnostics, code.Diagnostic{
		Severity: code.SeverityWarning, Code: "path-encoding", Message: "the file's name is not UTF-8; the bytes that are not are shown as \\xNN",
	})
}

// vendoredPath tells whether any directory of a path that ends in a slash is vendored.
func vendoredPath(path string) bool {
	for start := 0; start < len(path); {
		end := start + strings.IndexByte(path[start:], '/')
		if vendoredDir(strings.TrimSuffix(path[:start], "/"), path[start:end]) {
			return true
		}
		start = end + 1
	}
	return false
}

// link marks a file as a link and says where it points.
func (f *File) link(target string) {
	f.Link = true
	message := "a symbolic link, not followed"
	if target != "" {
		target, _ = escapePath(target)
		message = "a symbolic link to " + target + ", not followed"
	}
	f.Diagnostics = append(f.Diagnostics, code.Diagnostic{Severity: code.SeverityInfo, Code: "link", Message: message})
}

// repositoryName is a name for what lies at a path or URL.
func repositoryName(location string) string {
	location = strings.TrimRight(filepath.ToSlash(location), "/")
	location = strings.TrimSuffix(location, "/.git")
	name := location[strings.LastIndexAny(location, "/:")+1:]
	if short := strings.TrimSuffix(name, ".git"); short != "" {
		name = short
	}
	if name == "" {
		return "root"
	}
	name, _ = escapePath(name)
	return name
}
