package golang

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// modules is Go's module system over one repository: which package each file
// belongs to and which package an import path names.
type modules struct {
	files   map[string]string     // scope by file
	dirs    map[string]*directory // directories that hold Go files; "" is the root
	mods    []*module             // longest path first, then by directory
	std     *module               // the standard library, when it is this repository
	vendors bool                  // some directory is vendored
	gopath  string                // the import path of the root of a repository without go.mod
}

// directory is a directory with Go files.
type directory struct {
	path    string
	module  *module // the module it belongs to; nil when there is none
	vendor  string  // the import path below the nearest vendor directory, else ""
	scope   string  // of its importable package
	clause  string  // the name of that package
	members []lang.File
}

// newModules reads the manifests and gives every file its scope.
func newModules(ctx context.Context, repo lang.Repository) (lang.Modules, error) {
	m := &modules{files: make(map[string]string), dirs: make(map[string]*directory)}
	byDir, err := readManifests(ctx, repo)
	if err != nil {
		return nil, err
	}
	for _, mod := range byDir {
		m.mods = append(m.mods, mod)
	}
	if len(byDir) == 0 {
		if root, ok := standardLibraryRoot(repo); ok {
			m.std = &module{dir: root, path: "std", std: true}
			byDir[root] = m.std
			m.mods = append(m.mods, m.std)
		}
	}
	slices.SortFunc(m.mods, func(a, b *module) int {
		return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(a.path, b.path), cmp.Compare(a.hidden(), b.hidden()), cmp.Compare(a.dir, b.dir))
	})
	for _, mod := range m.mods {
		if mod.std && m.std == nil {
			m.std = mod
		}
	}
	for _, f := range repo.Files() {
		dir := directoryOf(f.Path)
		d := m.dirs[dir]
		if d == nil {
			d = &directory{path: dir, module: owner(byDir, dir), vendor: belowVendor(dir)}
			m.dirs[dir] = d
			m.vendors = m.vendors || d.vendor != ""
		}
		d.members = append(d.members, f)
	}
	m.gopath = repo.Name()
	if root := m.inferRoot(repo.Name()); root != "" {
		m.gopath = root
	}
	vendored, err := readVendored(ctx, repo)
	if err != nil {
		return nil, err
	}
	m.assignScopes(vendored)
	return m, nil
}

// Scope implements lang.Modules.
func (m *modules) Scope(file string) string {
	if s, ok := m.files[file]; ok {
		return s
	}
	if d := m.dirs[directoryOf(file)]; d != nil {
		return d.scope
	}
	return scopeOf("gomod", m.gopath, "", path.Join(m.gopath, directoryOf(file)))
}

// directoryOf is the directory of a file, "" for the root.
func directoryOf(file string) string {
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		return file[:i]
	}
	return ""
}

// owner is the module of a directory: that of the nearest go.mod above it.
func owner(byDir map[string]*module, dir string) *module {
	for {
		if mod := byDir[dir]; mod != nil {
			return mod
		}
		if dir == "" {
			return nil
		}
		dir = directoryOf(dir)
	}
}

// belowVendor is the part of a directory below its last vendor directory, "" when it is in none.
func belowVendor(dir string) string {
	if i := strings.LastIndex(dir, "/vendor/"); i >= 0 {
		return dir[i+len("/vendor/"):]
	}
	rest, _ := strings.CutPrefix(dir, "vendor/")
	if rest == dir {
		return ""
	}
	return rest
}

// standardLibraryRoot finds a standard library that came without its go.mod: at the root or below src.
func standardLibraryRoot(repo lang.Repository) (string, bool) {
	for _, root := range []string{"", "src"} {
		if repo.Exists(path.Join(root, "unsafe/unsafe.go")) && repo.Exists(path.Join(root, "runtime/proc.go")) && repo.Exists(path.Join(root, "builtin/builtin.go")) {
			return root, true
		}
	}
	return "", false
}

// inferRoot finds the import path of the root of a repository that has no
// go.mod, from how its files import each other: the path that the imports that
// end in a directory of the repository have before it. Other packages may end in
// the same words; so the path must end in the repository's name, or be
// meant by three imports at least and by twice as many as any other.
func (m *modules) inferRoot(name string) string {
	if len(m.mods) > 0 {
		return ""
	}
	votes := make(map[string]map[string]bool) // root -> the imports that speak for it
	for _, d := range m.dirs {
		if d.vendor != "" {
			continue
		}
		for _, f := range d.members {
			for i := range f.Doc.Imports {
				m.vote(votes, f.Doc.Names[f.Doc.Imports[i].Specifier])
			}
		}
	}
	roots := slices.SortedFunc(maps.Keys(votes), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(votes[b]), len(votes[a])), cmp.Compare(a, b))
	})
	for _, root := range roots {
		if path.Base(root) == path.Base(name) {
			return root
		}
	}
	if len(roots) == 0 || len(votes[roots[0]]) < 3 || len(roots) > 1 && len(votes[roots[0]]) < 2*len(votes[roots[1]]) {
		return ""
	}
	return roots[0]
}

// vote notes, for each part of an import path that is a directory of the repository, what stands before it.
func (m *modules) vote(votes map[string]map[string]bool, importPath string) {
	for at := range len(importPath) {
		if importPath[at] != '/' || m.dirs[importPath[at+1:]] == nil {
			continue
		}
		root := importPath[:at]
		if !domain(root) {
			continue
		}
		if votes[root] == nil {
			votes[root] = make(map[string]bool)
		}
		votes[root][importPath] = true
	}
}

// domain says whether an import path begins with a domain name, as all paths outside of the standard library do.
func domain(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return strings.Contains(first, ".")
}

// importPath is the path by which the package of a directory is imported.
func (m *modules) importPath(d *directory) string {
	switch {
	case d.module == nil && d.vendor != "":
		return d.vendor
	case d.module == nil:
		if rest, ok := strings.CutPrefix(d.path, "src/"); ok && domain(rest) {
			return rest // a GOPATH workspace
		}
		return path.Join(m.gopath, d.path)
	case d.module.std:
		return strings.TrimPrefix(below(d.path, d.module.dir), "/")
	case d.vendor != "":
		return d.vendor
	}
	return path.Join(d.module.path, below(d.path, d.module.dir))
}

// below is the part of a directory below one that contains it.
func below(dir, root string) string {
	if root == "" {
		return dir
	}
	return strings.TrimPrefix(strings.TrimPrefix(dir, root), "/")
}

// scopeOf writes a scope in SCIP's grammar: scheme, manager, package, version
// ("." when unknown) and the import path as a namespace.
func scopeOf(manager, pkg, version, importPath string) string {
	s := append([]byte("go "), manager...)
	for _, field := range []string{pkg, version} {
		s = append(s, ' ')
		if field == "" {
			field = "."
		}
		s = append(s, strings.ReplaceAll(field, " ", "  ")...)
	}
	s = append(s, ' ')
	return string(append(code.AppendName(s, importPath), '/'))
}
