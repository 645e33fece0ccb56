package golang

import (
	"path"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// Resolve implements lang.Modules. A package outside of the repository is named
// by its import path, with the module as the package that holds it.
func (m *modules) Resolve(from string, _ *code.Import, specifier string) lang.Target {
	t := m.resolve(from, specifier)
	if t.Kind == lang.TargetExternal {
		t.Namespace = specifier
	}
	return t
}

func (m *modules) resolve(from, specifier string) lang.Target {
	if specifier == "C" {
		return lang.Target{Kind: lang.TargetExternal, Manager: "cgo", Package: "C", Standard: true, Reason: "cgo"}
	}
	dir := directoryOf(from)
	r := &resolution{modules: m, dir: dir, specifier: specifier}
	if d := m.dirs[dir]; d != nil {
		r.module = d.module
	}
	t := r.resolve()
	t.Lookups = r.asked
	return t
}

// resolution is the way of one import path to its package.
type resolution struct {
	*modules
	dir       string
	module    *module // of the importing file; nil when there is none
	specifier string
	asked     []string
}

func (r *resolution) resolve() lang.Target {
	s := r.specifier
	if strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || s == "." || s == ".." {
		if t, ok := r.package_(local(r.dir, s), "relative import"); ok {
			return t
		}
		return unresolved("no Go files in " + local(r.dir, s))
	}
	if r.vendors {
		if t, ok := r.vendored(); ok {
			return t
		}
	}
	if t, ok := r.replaced(); ok {
		return t
	}
	if t, ok := r.inRepository(); ok {
		return t
	}
	if !domain(s) && (r.module == nil || !covers(r.module.path, s)) {
		if r.std != nil {
			if t, ok := r.package_(path.Join(r.std.dir, s), "standard library of this repository"); ok {
				return t
			}
			return unresolved("the standard library of this repository has no such package")
		}
		return lang.Target{Kind: lang.TargetExternal, Manager: "gomod", Package: "std", Standard: true, Reason: "standard library"}
	}
	return r.required()
}

func unresolved(reason string) lang.Target {
	return lang.Target{Kind: lang.TargetUnresolved, Reason: reason}
}

// package_ is the package of a directory, when that holds Go files.
func (r *resolution) package_(dir, reason string) (lang.Target, bool) {
	r.asked = append(r.asked, dir)
	d := r.dirs[dir]
	if d == nil {
		return lang.Target{}, false
	}
	return lang.Target{Kind: lang.TargetScope, Scope: d.scope, Path: dir, Reason: reason}, true
}

// vendored looks into the vendor directories from the importing file up to the root of its module.
func (r *resolution) vendored() (lang.Target, bool) {
	for dir := r.dir; ; dir = directoryOf(dir) {
		candidate := path.Join(dir, "vendor", r.specifier)
		if r.dirs[candidate] != nil {
			return r.package_(candidate, "vendor directory")
		}
		if dir == "" || r.module != nil && dir == r.module.dir {
			return lang.Target{}, false
		}
	}
}

// replaced follows the replace directives of the workspace and the module.
func (r *resolution) replaced() (lang.Target, bool) {
	if r.module == nil {
		return lang.Target{}, false
	}
	lists := [][]replacement{r.module.replace}
	if r.module.work != nil {
		lists = [][]replacement{r.module.work.replace, r.module.replace}
	}
	for _, list := range lists {
		for i := range list {
			p := &list[i]
			if !covers(p.path, r.specifier) || !r.applies(p) {
				continue
			}
			rest := strings.TrimPrefix(strings.TrimPrefix(r.specifier, p.path), "/")
			if p.to.path == "" {
				if !p.inside {
					return lang.Target{Kind: lang.TargetExternal, Manager: "gomod", Package: p.path, Reason: "replaced by a directory outside of the repository"}, true
				}
				if t, ok := r.package_(path.Join(p.dir, rest), "replace directive"); ok {
					return t, true
				}
				continue
			}
			for _, mod := range r.mods {
				if mod.path == p.to.path {
					if t, ok := r.package_(path.Join(mod.dir, rest), "replace directive"); ok {
						return t, true
					}
				}
			}
			return lang.Target{Kind: lang.TargetExternal, Manager: "gomod", Package: p.to.path, Version: p.to.version, Reason: "replace directive"}, true
		}
	}
	return lang.Target{}, false
}

// applies says whether a replacement is for the version that the module requires.
func (r *resolution) applies(p *replacement) bool {
	if p.version == "" {
		return true
	}
	for _, q := range r.module.require {
		if q.path == p.path {
			return q.version == p.version
		}
	}
	return false
}

// inRepository looks among the modules of the repository: the file's own, those
// of its workspace, and the others, whose requirement by version means the same
// source at some other time.
func (r *resolution) inRepository() (lang.Target, bool) {
	s := r.specifier
	if r.module == nil && len(r.mods) == 0 {
		if t, ok := r.package_(path.Join("src", s), "GOPATH workspace"); ok {
			return t, true
		}
		if covers(r.gopath, s) {
			return r.package_(local("", strings.TrimPrefix(strings.TrimPrefix(s, r.gopath), "/")), "inferred from the repository's own imports")
		}
		return lang.Target{}, false
	}
	if r.module != nil && r.module.std {
		return lang.Target{}, false
	}
	reasons := [...]string{"own module", "workspace module", "module of this repository"}
	for tier, reason := range reasons {
		for _, mod := range r.mods {
			if mod.std || !covers(mod.path, s) || r.tier(mod) != tier {
				continue
			}
			dir := path.Join(mod.dir, strings.TrimPrefix(strings.TrimPrefix(s, mod.path), "/"))
			if d := r.dirs[dir]; d != nil && d.module != mod {
				continue // the directory belongs to a module inside of this one
			}
			if t, ok := r.package_(dir, reason); ok {
				return t, true
			}
		}
	}
	return lang.Target{}, false
}

// tier says how near a module is: 0 the file's own, 1 of its workspace, 2 another one that can be seen, 3 hidden.
func (r *resolution) tier(mod *module) int {
	switch {
	case mod == r.module:
		return 0
	case r.module != nil && r.module.work != nil && r.module.work.uses[mod.dir]:
		return 1
	case hiddenPath(mod.dir) && !hiddenPath(r.dir):
		return 3
	}
	return 2
}

// required names the module outside of the repository that a go.mod requires for the import.
func (r *resolution) required() lang.Target {
	s := r.specifier
	if r.module == nil {
		return lang.Target{Kind: lang.TargetExternal, Manager: "gomod", Package: moduleGuess(s), Reason: "import path; there is no go.mod"}
	}
	if covers(r.module.path, s) {
		return unresolved("no Go files in " + path.Join(r.module.dir, strings.TrimPrefix(strings.TrimPrefix(s, r.module.path), "/")))
	}
	if t, ok := requirementFor(r.module, s); ok {
		return t
	}
	if r.module.work != nil {
		for _, mod := range r.mods {
			if r.module.work.uses[mod.dir] {
				if t, ok := requirementFor(mod, s); ok {
					return t
				}
			}
		}
	}
	if r.module.broken != "" {
		return unresolved("go.mod cannot be read: " + r.module.broken)
	}
	return unresolved("no module that " + path.Join(r.module.dir, "go.mod") + " requires provides it")
}

func requirementFor(mod *module, specifier string) (lang.Target, bool) {
	for _, q := range mod.require {
		if covers(q.path, specifier) {
			return lang.Target{Kind: lang.TargetExternal, Manager: "gomod", Package: q.path, Version: q.version, Reason: "required by go.mod"}, true
		}
	}
	return lang.Target{}, false
}

// covers says whether an import path belongs to a module path.
func covers(module, importPath string) bool {
	rest, ok := strings.CutPrefix(importPath, module)
	return ok && module != "" && (rest == "" || rest[0] == '/')
}
