package python

import (
	"cmp"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// attempt is one resolution under way: it notes what was asked for.
type attempt struct {
	*modules
	lookups []string
}

// Resolve implements lang.Modules. An ImportModule with one leading dot asks for
// a module below the package from: Python has no such statement, link asks so.
func (m *modules) Resolve(from string, imp *code.Import, specifier string) lang.Target {
	a := attempt{modules: m}
	var t lang.Target
	switch {
	case imp.Relative == 0:
		t = a.absolute(from, specifier)
	case imp.Kind == code.ImportModule && !strings.HasPrefix(from[strings.LastIndexByte(from, '/')+1:], "__init__.py"):
		t = lang.Target{Reason: "a module that is no package has no modules below it"}
	default:
		t = a.relative(from, int(imp.Relative), specifier)
	}
	t.Lookups = a.lookups
	return t
}

func (a *attempt) has(p string) bool {
	a.lookups = append(a.lookups, p)
	return a.files[p]
}

// module is the file of a dotted name below a directory, the package before the
// module; directory says that there is a directory of that name instead.
func (a *attempt) module(dir, name string) (file string, directory bool) {
	p := dir
	if name != "" {
		p = strings.TrimPrefix(dir+"/"+strings.ReplaceAll(name, ".", "/"), "/")
	}
	for _, ext := range [...]string{".py", ".pyi"} {
		init := "__init__" + ext
		if p != "" {
			init = p + "/__init__" + ext
		}
		if a.has(init) {
			return init, false
		}
		if name != "" && a.has(p+ext) {
			return p + ext, false
		}
	}
	return "", a.dirs[p]
}

func (a *attempt) file(p, why string) lang.Target {
	return lang.Target{Kind: lang.TargetScope, Scope: a.Scope(p), Path: p, Reason: why}
}

func (a *attempt) directory(dir, why string) lang.Target {
	_, r := a.rootOf(dir + "/x")
	scope := a.Scope(dir)
	if name := dotted(dir, r); dir != "" {
		pr := a.projectOf(dir)
		scope = "python python " + strings.ReplaceAll(pr.name, " ", "  ") + " . " + string(code.AppendName(nil, name)) + "/"
	}
	return lang.Target{Kind: lang.TargetDirectory, Scope: scope, Path: dir, Reason: why}
}

func (a *attempt) relative(from string, dots int, name string) lang.Target {
	dir := parent(from)
	for ; dots > 1; dots-- {
		if dir == "" {
			return lang.Target{Reason: "above the root of the repository"}
		}
		dir = parent(dir)
	}
	file, directory := a.module(dir, name)
	switch {
	case file != "":
		return a.file(file, "relative import")
	case directory || name == "":
		p, _ := join(dir, strings.ReplaceAll(name, ".", "/"))
		return a.directory(p, "relative import of a directory")
	}
	return lang.Target{Reason: a.unread(dir, name)}
}

// unread says why a module that should be there is not.
func (a *attempt) unread(dir, name string) string {
	p := strings.TrimPrefix(dir+"/"+strings.ReplaceAll(name, ".", "/"), "/")
	for _, ext := range [...]string{".pyx", ".pxd", ".so", ".c", ".cpp", ".rs"} {
		if a.repo.Exists(p + ext) {
			return "a compiled module: " + p + ext
		}
	}
	return "no such module: " + p
}

// under looks for an absolute name from a root.
func (a *attempt) under(r root, name string) (file string, directory bool) {
	if r.prefix != "" {
		rest, ok := strings.CutPrefix(name, r.prefix)
		if !ok || rest != "" && rest[0] != '.' {
			return "", false
		}
		name = strings.TrimPrefix(rest, ".")
	}
	return a.module(r.dir, name)
}

// absolute follows what Python does when the importing file belongs to an
// installed package or is run from its project: the roots of its project, the
// language's library, the other projects, the path that test runners add, the
// file's own directory, the index.
func (a *attempt) absolute(from, name string) lang.Target {
	if name == "" {
		return lang.Target{Reason: "no name"}
	}
	top, _, _ := strings.Cut(name, ".")
	dir := parent(from)
	var folder lang.Target // a directory without a file of its own counts last
	try := func(r root) (lang.Target, bool) {
		file, directory := a.under(r, name)
		if file != "" {
			return a.file(file, r.why), true
		}
		if directory && folder.Kind == lang.TargetUnresolved {
			p := strings.TrimPrefix(r.dir+"/"+strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, r.prefix), "."), ".", "/"), "/")
			folder = a.directory(p, "a directory below "+cmp.Or(r.dir, "the repository's root"))
		}
		return lang.Target{}, false
	}
	pr := a.projectOf(from)
	for _, r := range pr.roots {
		if t, ok := try(r); ok {
			return t
		}
	}
	own := a.natural(dir)
	list := [...]root{{dir: pr.dir, why: "project of the importing file"}, {dir: own, why: "package of the importing file"}, {dir: "", why: "root of the repository"}}
	for k, r := range list {
		if k == 1 && (own == pr.dir || !a.packages[dir]) || k == 2 && (pr.dir == "" || own == "") {
			continue
		}
		if t, ok := try(r); ok {
			return t
		}
	}
	if a.standard[top] {
		return lang.Target{Kind: lang.TargetExternal, Manager: "python", Package: "python-stdlib", Standard: true, Reason: "Python's standard library"}
	}
	for _, r := range a.added(pr, dir) {
		if t, ok := try(r); ok {
			return t
		}
	}
	distribution, version, declared := a.distribution(dir, name, top)
	if !declared || a.hasProject(distribution) {
		if t, ok := a.elsewhere(dir, top, try); ok {
			return t
		}
	}
	if !declared {
		if folder.Kind != lang.TargetUnresolved {
			return folder
		}
		if r, ok := a.topOf(pr, top, own); ok {
			return lang.Target{Reason: a.unread(r, name)}
		}
		if a.former[top] {
			return lang.Target{Kind: lang.TargetExternal, Manager: "python", Package: "python-stdlib", Standard: true, Reason: "the standard library of an older Python"}
		}
	}
	why := "not in the repository"
	if declared {
		why = "a declared dependency"
	}
	return lang.Target{Kind: lang.TargetExternal, Manager: "python", Package: distribution, Version: version, Reason: why}
}

// added are the roots that tools put on the path of a file: the folders that
// they are told of, those with a conftest.py, and its own.
func (a *attempt) added(pr *project, dir string) []root {
	roots := slices.Clone(pr.extra)
	for _, r := range a.markers {
		if inside(dir, r.dir) || inside(r.dir, pr.dir) {
			roots = append(roots, r)
		}
	}
	for d := dir; ; d = parent(d) {
		if a.conftest[d] && !a.packages[d] {
			roots = append(roots, root{dir: d, why: "directory of conftest.py"})
		}
		if d == pr.dir || d == "" {
			break
		}
	}
	if !a.packages[dir] {
		roots = append(roots, root{dir: dir, why: "directory of the importing file"})
	}
	return roots
}

// elsewhere looks for a module in the other projects of the repository, and
// takes the only one, or the nearest of several.
func (a *attempt) elsewhere(dir, top string, try func(root) (lang.Target, bool)) (lang.Target, bool) {
	type hit struct {
		t    lang.Target
		near int
	}
	var hits []hit
	for _, r := range a.tops[top] {
		if t, ok := try(r); ok && !slices.ContainsFunc(hits, func(h hit) bool { return h.t.Path == t.Path }) {
			hits = append(hits, hit{t, common(dir, r.dir)})
		}
	}
	for _, p := range a.projects {
		for _, r := range p.roots {
			if r.prefix == top {
				if t, ok := try(r); ok {
					hits = append(hits, hit{t, common(dir, r.dir)})
				}
			}
		}
	}
	if len(hits) == 0 {
		return lang.Target{}, false
	}
	slices.SortStableFunc(hits, func(x, y hit) int { return cmp.Compare(y.near, x.near) })
	if len(hits) > 1 && hits[0].near == hits[1].near {
		return lang.Target{Reason: "several modules of the repository have this name: " + hits[0].t.Path + ", " + hits[1].t.Path}, true
	}
	return hits[0].t, true
}

// hasProject says whether a distribution is a project of the repository.
func (m *modules) hasProject(distribution string) bool {
	for _, p := range m.projects {
		if normal(p.name) == distribution {
			return true
		}
	}
	return false
}

// common is how many directories two paths share.
func common(x, y string) int {
	n := 0
	for x != "" && y != "" {
		a, restX, _ := strings.Cut(x, "/")
		b, restY, _ := strings.Cut(y, "/")
		if a != b {
			break
		}
		n++
		x, y = restX, restY
	}
	return n
}

// topOf is the root that has a package of that name, of which a module is missing.
func (a *attempt) topOf(pr *project, top, own string) (string, bool) {
	for _, r := range append(slices.Clone(pr.roots), root{dir: pr.dir}, root{dir: own}) {
		if r.prefix == "" && a.packages[strings.TrimPrefix(r.dir+"/"+top, "/")] {
			return r.dir, true
		}
	}
	if list := a.tops[top]; len(list) == 1 {
		return list[0].dir, true
	}
	return "", false
}

// distribution is the package of the index that provides a module. declared
// says whether a manifest around the file, or any, asks for it.
func (a *attempt) distribution(dir, name, top string) (distribution, version string, declared bool) {
	var candidates []string
	if strings.Contains(name, ".") { // google.cloud.storage: google-cloud-storage, google-cloud
		for n := name; strings.Contains(n, "."); n = n[:strings.LastIndexByte(n, '.')] {
			candidates = append(candidates, normal(n))
		}
	}
	candidates = append(candidates, a.distributions[top]...)
	candidates = append(candidates, normal(top), "python-"+normal(top), "py"+normal(top))
	for d := dir; ; d = parent(d) {
		if q := a.wanted[d]; q != nil {
			for _, c := range candidates {
				if _, ok := q[c]; ok {
					return c, cmp.Or(q.version(c), a.everywhere.version(c)), true
				}
			}
		}
		if d == "" {
			break
		}
	}
	for _, c := range candidates {
		if _, ok := a.everywhere[c]; ok {
			return c, a.everywhere.version(c), true
		}
	}
	if list := a.distributions[top]; len(list) > 0 {
		return list[0], "", false
	}
	return top, "", false
}
