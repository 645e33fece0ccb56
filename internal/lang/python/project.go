package python

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"manito/internal/lang"
)

// root is a directory from which absolute imports start.
type root struct {
	dir    string // "" is the repository's root
	prefix string // the dotted name that the directory itself has; "" for most
	why    string
}

// project is a directory with a manifest: a package of its own, or the
// repository as a whole where there is none.
type project struct {
	dir   string
	name  string
	roots []root // its source roots that the manifest names, or src; not its directory
	extra []root // directories that its tools put on the path
}

// inside says whether a path is in a directory.
func inside(p, dir string) bool {
	return dir == "" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}

// parent is the directory of a path, "" for the root.
func parent(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

// join joins a directory of the repository with a path below it that a manifest
// names; ok says whether it stays inside of the repository.
func join(dir, below string) (p string, ok bool) {
	below = strings.ReplaceAll(below, "\\", "/")
	if path.IsAbs(below) {
		return "", false
	}
	p = path.Join(dir, below)
	if p == "." {
		return "", true
	}
	return p, p != ".." && !strings.HasPrefix(p, "../")
}

// survey reads the manifests of a repository.
type survey struct {
	repo     lang.Repository
	dirs     map[string]bool // directories with Python files in or below them
	packages map[string]bool // directories with an __init__ file
	projects map[string]*project
	markers  []root                  // directories that are on the path for another reason
	wanted   map[string]requirements // by directory
}

func (s *survey) read(ctx context.Context) error {
	for _, m := range []struct {
		base string
		read func(dir, name string, data []byte) error
	}{
		{"pyproject.toml", s.pyproject}, {"setup.cfg", s.setupConfig}, {"setup.py", s.setupProgram},
		{"requirements.txt", s.requirementsFile}, {"requirements-dev.txt", s.requirementsFile}, {"dev-requirements.txt", s.requirementsFile},
		{"requirements_dev.txt", s.requirementsFile}, {"test-requirements.txt", s.requirementsFile}, {"requirements-test.txt", s.requirementsFile},
		{"requirements.in", s.requirementsFile}, {"constraints.txt", s.requirementsFile}, {"Pipfile", s.pipfile},
		{"pytest.ini", s.pytestConfig}, {"tox.ini", s.pytestConfig}, {"manage.py", s.manage},
	} {
		for _, name := range s.repo.Manifests(m.base) {
			if err := ctx.Err(); err != nil {
				return err
			}
			data, err := s.repo.Read(name)
			if err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			if err := m.read(parent(name), name, data); err != nil {
				return err
			}
		}
	}
	for _, base := range []string{"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock"} {
		for _, name := range s.repo.Manifests(base) {
			data, err := s.repo.Read(name)
			if err != nil {
				continue // a lock file may be too large to have been read: its versions stay unknown
			}
			s.lock(parent(name), base, data)
		}
	}
	s.sourceFolders()
	return nil
}

func (s *survey) project(dir string) *project {
	p := s.projects[dir]
	if p == nil {
		p = &project{dir: dir}
		s.projects[dir] = p
	}
	return p
}

func (s *survey) requirements(dir string) requirements {
	q := s.wanted[dir]
	if q == nil {
		q = requirements{}
		s.wanted[dir] = q
	}
	return q
}

// addRoot adds a source root that a manifest of p names.
func (s *survey) addRoot(p *project, below, prefix, why string) {
	dir, ok := join(p.dir, below)
	if !ok || dir == p.dir && prefix == "" || !s.dirs[dir] && dir != "" {
		return
	}
	r := root{dir: dir, prefix: prefix, why: why}
	if !slices.ContainsFunc(p.roots, func(o root) bool { return o.dir == r.dir && o.prefix == r.prefix }) {
		p.roots = append(p.roots, r)
	}
}

func (s *survey) addExtra(p *project, below, why string) {
	if dir, ok := join(p.dir, below); ok && (s.dirs[dir] || dir == "") {
		p.extra = append(p.extra, root{dir: dir, why: why})
	}
}

// addDirs adds the directories of a package_dir: {"": "src", "name": "path"}.
func (s *survey) addDirs(p *project, dirs map[string]string, why string) {
	for name, below := range dirs {
		switch {
		case name == "":
			s.addRoot(p, below, "", why)
		case path.Base(below) == name:
			s.addRoot(p, path.Dir(below), "", why)
		default:
			s.addRoot(p, below, name, why)
		}
	}
}

// pyproject reads a pyproject.toml. One that is no TOML counts as empty: the
// tools refuse it, and its directory is a project nevertheless.
func (s *survey) pyproject(dir, _ string, data []byte) error {
	p := s.project(dir)
	var t table
	if err := toml.Unmarshal(data, &t); err != nil {
		return nil
	}
	const why = "source root of pyproject.toml"
	tool := in(t, "tool")
	for _, v := range []any{in(t, "project")["name"], in(tool, "poetry")["name"], in(tool, "flit", "metadata")["dist-name"]} {
		if name, ok := v.(string); ok && p.name == "" {
			p.name = name
		}
	}
	dirs := map[string]string{}
	for name, below := range in(tool, "setuptools", "package-dir") {
		if b, ok := below.(string); ok {
			dirs[name] = b
		}
	}
	s.addDirs(p, dirs, why)
	for _, w := range texts(in(tool, "setuptools", "packages", "find")["where"]) {
		s.addRoot(p, w, "", why)
	}
	if list, ok := in(tool, "poetry")["packages"].([]any); ok {
		for _, x := range list {
			if e, ok := x.(table); ok {
				if from, ok := e["from"].(string); ok {
					s.addRoot(p, from, "", why)
				}
			}
		}
	}
	build := in(tool, "hatch", "build")
	for _, list := range []any{build["packages"], in(build, "targets", "wheel")["packages"]} {
		for _, w := range texts(list) {
			s.addRoot(p, path.Dir(w), "", why)
		}
	}
	for _, list := range []any{build["sources"], in(build, "targets", "wheel")["sources"]} {
		for _, w := range texts(list) {
			s.addRoot(p, w, "", why)
		}
	}
	for _, v := range []any{
		in(tool, "pdm", "build")["package-dir"], in(tool, "pdm")["package-dir"], in(tool, "maturin")["python-source"],
		in(tool, "uv", "build-backend")["module-root"], in(tool, "scikit-build", "wheel")["python-source"],
	} {
		if w, ok := v.(string); ok {
			s.addRoot(p, w, "", why)
		}
	}
	for _, w := range texts(in(tool, "pytest", "ini_options")["pythonpath"]) {
		s.addExtra(p, w, "path of pytest")
	}
	for _, w := range texts(in(tool, "pyright")["extraPaths"]) {
		s.addExtra(p, w, "path of pyright")
	}
	s.requirements(dir).addProject(t)
	return nil
}

func (s *survey) setupConfig(dir, _ string, data []byte) error {
	c := readConfig(string(data))
	const why = "source root of setup.cfg"
	if c["metadata"] != nil || c["options"] != nil {
		p := s.project(dir)
		p.name = cmp.Or(p.name, c["metadata"]["name"])
		dirs := map[string]string{}
		for line := range strings.Lines(c["options"]["package_dir"]) {
			if name, below, ok := strings.Cut(line, "="); ok {
				dirs[strings.TrimSpace(name)] = strings.TrimSpace(below)
			}
		}
		s.addDirs(p, dirs, why)
		for _, w := range strings.Fields(c["options.packages.find"]["where"]) {
			s.addRoot(p, w, "", why)
		}
		q := s.requirements(dir)
		q.addFile(c["options"]["install_requires"])
		for _, lines := range c["options.extras_require"] {
			q.addFile(lines)
		}
	}
	s.pytestPaths(dir, c["tool:pytest"]["pythonpath"])
	return nil
}

func (s *survey) setupProgram(dir, _ string, data []byte) error {
	p := s.project(dir)
	setup := readSetup(string(data))
	const why = "source root of setup.py"
	p.name = cmp.Or(p.name, setup.name)
	s.addDirs(p, setup.dirs, why)
	for _, w := range setup.where {
		s.addRoot(p, w, "", why)
	}
	q := s.requirements(dir)
	for _, line := range setup.install {
		q.addLine(line)
	}
	return nil
}

func (s *survey) pytestConfig(dir, name string, data []byte) error {
	c := readConfig(string(data))
	s.pytestPaths(dir, c["pytest"]["pythonpath"])
	return nil
}

func (s *survey) pytestPaths(dir, paths string) {
	for _, w := range strings.Fields(paths) {
		if d, ok := join(dir, w); ok {
			s.markers = append(s.markers, root{dir: d, why: "path of pytest"})
		}
	}
}

func (s *survey) requirementsFile(dir, _ string, data []byte) error {
	s.requirements(dir).addFile(string(data))
	return nil
}

func (s *survey) pipfile(dir, _ string, data []byte) error {
	var t table
	if err := toml.Unmarshal(data, &t); err != nil {
		return nil // pipenv refuses it as well
	}
	q := s.requirements(dir)
	q.addPoetry(in(t, "packages"))
	q.addPoetry(in(t, "dev-packages"))
	return nil
}

// manage notes the directory of a Django project, which its manage.py puts on the path.
func (s *survey) manage(dir, _ string, _ []byte) error {
	s.markers = append(s.markers, root{dir: dir, why: "directory of manage.py"})
	return nil
}

// lock reads a lock file; what cannot be read of it leaves versions unknown.
func (s *survey) lock(dir, base string, data []byte) {
	q := s.requirements(dir)
	if base == "Pipfile.lock" {
		if q.addPipfileLock(data) != nil {
			return
		}
		return
	}
	var t table
	if toml.Unmarshal(data, &t) == nil {
		q.addLock(t)
	}
}

// sourceFolders adds the root "src" to each project that has one by custom, and
// makes the repository a project.
func (s *survey) sourceFolders() {
	s.project("")
	for _, p := range s.projects {
		if p.name == "" {
			p.name = s.repo.Name()
		}
		if src, ok := join(p.dir, "src"); ok && s.dirs[src] && !s.packages[src] {
			s.addRoot(p, "src", "", "source root src")
		}
		slices.SortFunc(p.roots, func(a, b root) int {
			return cmp.Or(cmp.Compare(len(b.dir), len(a.dir)), cmp.Compare(a.dir, b.dir), cmp.Compare(b.prefix, a.prefix))
		})
	}
}
