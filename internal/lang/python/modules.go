package python

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// modules is Python's module system over one repository. It never changes after it is made.
type modules struct {
	repo          lang.Repository
	files         map[string]bool // Python files
	dirs          map[string]bool // directories with Python files in or below them
	packages      map[string]bool // directories with an __init__ file
	conftest      map[string]bool // directories with a conftest.py
	projects      []*project      // deepest first
	markers       []root
	tops          map[string][]root // by top-level module: the directories that hold it as seen from some root
	wanted        map[string]requirements
	everywhere    requirements      // of all directories together
	scopes        map[string]string // by path
	standard      map[string]bool
	former        map[string]bool
	distributions map[string][]string
}

func newModules(ctx context.Context, repo lang.Repository) (lang.Modules, error) {
	m := &modules{
		repo: repo, files: map[string]bool{}, dirs: map[string]bool{}, packages: map[string]bool{}, conftest: map[string]bool{},
		standard: words(standardModules), former: words(formerModules), distributions: distributionTable(),
	}
	files := repo.Files()
	for _, f := range files {
		m.files[f.Path] = true
		dir := parent(f.Path)
		switch path.Base(f.Path) {
		case "__init__.py", "__init__.pyi":
			m.packages[dir] = true
		case "conftest.py":
			m.conftest[dir] = true
		}
		for dir != "" && !m.dirs[dir] {
			m.dirs[dir] = true
			dir = parent(dir)
		}
	}
	s := &survey{repo: repo, dirs: m.dirs, packages: m.packages, projects: map[string]*project{}, wanted: map[string]requirements{}}
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	for _, p := range s.projects {
		m.projects = append(m.projects, p)
	}
	slices.SortFunc(m.projects, func(a, b *project) int {
		return cmp.Or(cmp.Compare(len(b.dir), len(a.dir)), cmp.Compare(a.dir, b.dir))
	})
	m.markers, m.wanted = s.markers, s.wanted
	slices.SortFunc(m.markers, func(a, b root) int {
		return cmp.Or(cmp.Compare(len(b.dir), len(a.dir)), cmp.Compare(a.dir, b.dir))
	})
	m.gatherRequirements()
	m.nameScopes(files)
	m.findTops(files)
	return m, nil
}

// gatherRequirements joins what the manifests ask for.
func (m *modules) gatherRequirements() {
	m.everywhere = requirements{}
	for _, q := range m.wanted {
		for name, version := range q {
			m.everywhere.add(name, version)
		}
	}
}

// projectOf is the project that a path belongs to.
func (m *modules) projectOf(p string) *project {
	for _, pr := range m.projects {
		if inside(p, pr.dir) {
			return pr
		}
	}
	return m.projects[len(m.projects)-1]
}

// rootOf is the root by which a file is named: the source root that it is in, else its project's directory.
func (m *modules) rootOf(p string) (*project, root) {
	pr := m.projectOf(p)
	for _, r := range pr.roots {
		if inside(p, r.dir) {
			return pr, r
		}
	}
	return pr, root{dir: pr.dir}
}

// dotted is the name of the module in a file, as seen from a root.
func dotted(p string, r root) string {
	name := strings.TrimPrefix(p[len(r.dir):], "/")
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".pyi"), ".py")
	if name == "__init__" {
		name = ""
	}
	name = strings.TrimSuffix(name, "/__init__")
	name = strings.ReplaceAll(name, "/", ".")
	switch {
	case r.prefix == "":
	case name == "":
		name = r.prefix
	default:
		name = r.prefix + "." + name
	}
	if name == "" {
		return "__init__"
	}
	return name
}

// nameScopes gives every file its scope:
//
//	python python <project> . `a.b.c`/
//
// The version is left out: a symbol stays the same when its package is released
// anew. Where two files would share a scope (a module in two roots, a stub beside
// its module, two projects of one name) all but the first say where they are:
// `a.b.c`/ stands below `<root>`/, and a stub below pyi/.
func (m *modules) nameScopes(files []lang.File) {
	owner := map[string]string{} // of a project's name: its directory
	for i := len(m.projects) - 1; i >= 0; i-- {
		if p := m.projects[i]; owner[p.name] == "" {
			owner[p.name] = "/" + p.dir
		}
	}
	type entry struct {
		path  string
		order int
	}
	order := make([]entry, 0, len(files))
	for _, f := range files {
		pr, r := m.rootOf(f.Path)
		rank := 0
		if strings.HasSuffix(f.Path, ".pyi") {
			rank = 4
		}
		if r.dir == pr.dir && len(pr.roots) > 0 {
			rank += 2
		}
		if !strings.Contains(path.Base(f.Path), "__init__.") {
			rank++ // a package comes before a module of its name
		}
		order = append(order, entry{f.Path, rank})
	}
	slices.SortFunc(order, func(a, b entry) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.path, b.path)) })
	m.scopes = make(map[string]string, len(files))
	taken := make(map[string]bool, len(files))
	for _, e := range order {
		pr, r := m.rootOf(e.path)
		project := "python python " + strings.ReplaceAll(pr.name, " ", "  ") + " . "
		place := ""
		if owner[pr.name] != "/"+pr.dir {
			place = string(code.AppendName(nil, pr.dir)) + "/"
		}
		module := string(code.AppendName(nil, dotted(e.path, r))) + "/"
		scope := project + place + module
		if taken[scope] && strings.HasSuffix(e.path, ".pyi") {
			scope = project + place + "pyi/" + module
		}
		if taken[scope] {
			scope = project + string(code.AppendName(nil, e.path)) + "/"
		}
		taken[scope] = true
		m.scopes[e.path] = scope
	}
}

// Scope implements lang.Modules.
func (m *modules) Scope(p string) string {
	if s, ok := m.scopes[p]; ok {
		return s
	}
	return "python python " + strings.ReplaceAll(m.repo.Name(), " ", "  ") + " . " + string(code.AppendName(nil, p)) + "/"
}

// natural is the directory above the outermost package around a directory.
func (m *modules) natural(dir string) string {
	for m.packages[dir] && dir != "" {
		dir = parent(dir)
	}
	return dir
}

// findTops notes, by name, the directories from which a top-level module can be
// imported: the roots of the projects, and what stands above a package.
func (m *modules) findTops(files []lang.File) {
	m.tops = map[string][]root{}
	seen := map[string]bool{}
	add := func(top, dir, why string) {
		if key := dir + "\x00" + top; !seen[key] {
			seen[key] = true
			m.tops[top] = append(m.tops[top], root{dir: dir, why: why})
		}
	}
	roots := map[string]string{}
	for _, p := range m.projects {
		roots[p.dir] = "another project of the repository"
	}
	for _, p := range m.projects {
		for _, r := range p.roots {
			if r.prefix == "" {
				roots[r.dir] = r.why
			}
		}
	}
	for dir := range m.dirs {
		if why, ok := roots[parent(dir)]; ok {
			add(path.Base(dir), parent(dir), why)
		}
	}
	for _, f := range files {
		dir := parent(f.Path)
		base := path.Base(f.Path)
		if why, ok := roots[dir]; ok {
			add(strings.TrimSuffix(strings.TrimSuffix(base, ".pyi"), ".py"), dir, why)
		}
		if !strings.HasPrefix(base, "__init__.") || aside(dir) {
			continue
		}
		if top := m.natural(dir); top == parent(dir) {
			add(path.Base(dir), top, "the only package of that name in the repository")
		}
	}
	for _, list := range m.tops {
		slices.SortFunc(list, func(a, b root) int { return cmp.Or(cmp.Compare(len(a.dir), len(b.dir)), cmp.Compare(a.dir, b.dir)) })
	}
}

// aside says whether a directory holds what is not meant to be imported by name:
// the data of tests, examples, copies of other packages.
func aside(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		switch part {
		case "test", "tests", "testing", "testdata", "test_data", "fixtures", "examples", "example", "samples", "docs", "vendor", "_vendor", "vendored", "third_party", "node_modules":
			return true
		}
	}
	return false
}
