package golang

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// assignScopes gives every directory the scope of its importable package and
// every file its own: that one, or a namespace below it for the external test
// package, for another package in the same directory and for a program of one file.
func (m *modules) assignScopes(vendored map[string]vendoredModule) {
	order := make([]*directory, 0, len(m.dirs))
	for _, d := range m.dirs {
		order = append(order, d)
	}
	slices.SortFunc(order, func(a, b *directory) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.path, b.path))
	})
	taken := make(map[string]bool, len(order))
	for _, d := range order {
		d.scope = m.directoryScope(d, vendored)
		if taken[d.scope] { // a copy: the same import path in two places of the repository
			d.scope = sub(d.scope, "./"+d.path)
		}
		taken[d.scope] = true
		d.clause = d.mainClause(m.importPath(d))
		programs := d.programs()
		for _, f := range d.members {
			clause := f.Doc.Names[f.Doc.Package]
			switch {
			case programs[f.Path]:
				m.files[f.Path] = sub(d.scope, path.Base(f.Path))
			case clause == d.clause || clause == "":
				m.files[f.Path] = d.scope
			default:
				m.files[f.Path] = sub(d.scope, clause)
			}
		}
	}
}

func sub(scope, name string) string {
	return string(append(code.AppendName([]byte(scope), name), '/'))
}

// rank puts the directory that deserves an import path before its copies.
func (d *directory) rank() int {
	switch {
	case hiddenPath(d.path):
		return 2
	case d.vendor != "":
		return 1
	}
	return 0
}

// hiddenPath says whether the go command leaves a directory out of "./...".
func hiddenPath(dir string) bool {
	for element := range strings.SplitSeq(dir, "/") {
		if element == "testdata" || strings.HasPrefix(element, "_") || strings.HasPrefix(element, ".") {
			return true
		}
	}
	return false
}

func (m *modules) directoryScope(d *directory, vendored map[string]vendoredModule) string {
	p := m.importPath(d)
	switch {
	case d.vendor != "" && (d.module == nil || !d.module.std):
		root := strings.TrimSuffix(d.path[:len(d.path)-len(d.vendor)], "/")
		if v, ok := vendored[root+" "+d.vendor]; ok {
			return scopeOf("gomod", v.path, v.version, p)
		}
		return scopeOf("gomod", moduleGuess(p), "", p)
	case d.module == nil:
		return scopeOf("gomod", m.gopath, "", p)
	}
	return scopeOf("gomod", d.module.path, "", p)
}

// mainClause is the name of the package that an import of the directory means:
// of several names the one that the path suggests, else the one with the most
// files, programs and external tests last.
func (d *directory) mainClause(importPath string) string {
	files := make(map[string]int)
	for _, f := range d.members {
		clause := f.Doc.Names[f.Doc.Package]
		if clause != "" && !(f.Doc.Dialect == dialectTest && strings.HasSuffix(clause, "_test")) && !ignored(f.Doc.Constraint) {
			files[clause]++
		}
	}
	guess := packageName(importPath)
	weigh := func(clause string) int {
		switch clause {
		case guess:
			return 3
		case "main":
			return 1
		case "documentation":
			return 0
		}
		return 2
	}
	best := ""
	for clause, n := range files {
		if best == "" || cmp.Or(cmp.Compare(weigh(clause), weigh(best)), cmp.Compare(n, files[best]), cmp.Compare(best, clause)) > 0 {
			best = clause
		}
	}
	if best == "" { // only external tests or ignored files: what they test, or what they are
		for _, f := range d.members {
			if clause := strings.TrimSuffix(f.Doc.Names[f.Doc.Package], "_test"); best == "" || clause < best {
				best = clause
			}
		}
	}
	return best
}

// programs are the files of package main that are programs by themselves: those
// kept out of builds by the tag ignore, and, where several files that are always
// built declare main, which the compiler refuses together, each of them.
func (d *directory) programs() map[string]bool {
	var alone map[string]bool
	add := func(f lang.File) {
		if alone == nil {
			alone = make(map[string]bool)
		}
		alone[f.Path] = true
	}
	var mains []lang.File
	for _, f := range d.members {
		if f.Doc.Names[f.Doc.Package] != "main" {
			continue
		}
		switch {
		case ignored(f.Doc.Constraint):
			add(f)
		case f.Doc.Constraint == "" && !constrainedName(f.Path) && declaresMain(f.Doc):
			mains = append(mains, f)
		}
	}
	if len(mains) > 1 {
		for _, f := range mains {
			add(f)
		}
	}
	return alone
}

// ignored says whether a build constraint asks for the tag that no build sets.
func ignored(constraint string) bool {
	for tag := range strings.FieldsFuncSeq(constraint, func(r rune) bool { return r == '&' || r == ' ' || r == '(' || r == ')' }) {
		if tag == "ignore" {
			return !strings.Contains(constraint, "||")
		}
	}
	return false
}

func declaresMain(doc *code.Document) bool {
	for i := range doc.Defs {
		if d := &doc.Defs[i]; d.Kind == code.KindFunction && d.Parent == code.NoDef && doc.Names[d.Name] == "main" {
			return true
		}
	}
	return false
}

// constrainedName says whether the last part of a file's name looks like an
// operating system or architecture: name_linux.go, name_windows_amd64.go.
func constrainedName(file string) bool {
	name := strings.TrimSuffix(path.Base(file), ".go")
	i := strings.LastIndexByte(name, '_')
	return i > 0 && slices.Contains(platforms, name[i+1:])
}

// platforms are the names by which the go command knows operating systems and architectures.
var platforms = []string{
	"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd", "openbsd", "plan9", "solaris",
	"wasip1", "windows", "zos",
	"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "sparc64", "wasm",
}
