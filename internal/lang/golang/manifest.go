package golang

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"manito/internal/lang"
)

// module is a go.mod.
type module struct {
	dir     string // "" is the root
	path    string
	std     bool // it is the standard library, whose packages have no prefix
	require []requirement
	replace []replacement
	work    *workspace
	broken  string // why its go.mod could not be read whole
}

// requirement is a module that a go.mod asks for.
type requirement struct{ path, version string }

// replacement sends the packages of a module to a directory of the repository
// (dir, inside says so) or to another module.
type replacement struct {
	path, version string // the replaced module; version "" is every version
	dir           string
	inside        bool
	to            requirement
}

// workspace is a go.work.
type workspace struct {
	uses    map[string]bool // directories of its modules
	replace []replacement
}

// hidden ranks modules that the go command does not see from outside.
func (m *module) hidden() int {
	if hiddenPath(m.dir) {
		return 1
	}
	return 0
}

// readManifests reads every go.mod, by directory, and joins those of a go.work.
func readManifests(ctx context.Context, repo lang.Repository) (map[string]*module, error) {
	byDir := make(map[string]*module)
	for _, name := range repo.Manifests("go.mod") {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := repo.Read(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if mod := readModule(name, data); mod != nil {
			byDir[mod.dir] = mod
		}
	}
	for _, name := range repo.Manifests("go.work") {
		data, err := repo.Read(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		file, err := modfile.ParseWork(name, data, nil)
		if err != nil {
			continue // the go command refuses it: its modules stand alone
		}
		dir := directoryOf(name)
		work := &workspace{uses: make(map[string]bool), replace: replacements(dir, file.Replace)}
		for _, use := range file.Use {
			used := local(dir, use.Path)
			work.uses[used] = true
			if mod := byDir[used]; mod != nil && mod.work == nil {
				mod.work = work
			}
		}
	}
	return byDir, nil
}

// readModule reads a go.mod as far as it can be read; nil when it names no module.
func readModule(name string, data []byte) *module {
	mod := &module{dir: directoryOf(name)}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		mod.broken = err.Error()
		if file, err = modfile.ParseLax(name, data, nil); err != nil {
			mod.path = modfile.ModulePath(data)
			file = nil
		}
	}
	if file != nil {
		if file.Module != nil {
			mod.path = file.Module.Mod.Path
		}
		for _, r := range file.Require {
			mod.require = append(mod.require, requirement{r.Mod.Path, r.Mod.Version})
		}
		mod.replace = replacements(mod.dir, file.Replace)
	}
	if mod.path == "" {
		return nil
	}
	mod.std = mod.path == "std"
	slices.SortFunc(mod.require, func(a, b requirement) int { return len(b.path) - len(a.path) })
	return mod
}

func replacements(dir string, list []*modfile.Replace) []replacement {
	var all []replacement
	for _, r := range list {
		one := replacement{path: r.Old.Path, version: r.Old.Version}
		if r.New.Version == "" { // a path in the file system
			one.dir = local(dir, r.New.Path)
			one.inside = !path.IsAbs(r.New.Path) && one.dir != ".." && !strings.HasPrefix(one.dir, "../")
		} else {
			one.to = requirement{r.New.Path, r.New.Version}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b replacement) int { return len(b.path) - len(a.path) })
	return all
}

// local is a path of a manifest in dir, relative to the repository's root.
func local(dir, p string) string {
	joined := path.Join(dir, p)
	if joined == "." {
		return ""
	}
	return joined
}

// vendoredModule is the module that a vendored package came from.
type vendoredModule struct{ path, version string }

// readVendored reads every vendor/modules.txt: the module of each package, by
// the vendor directory and the package's import path with a space between.
func readVendored(ctx context.Context, repo lang.Repository) (map[string]vendoredModule, error) {
	all := make(map[string]vendoredModule)
	for _, name := range repo.Manifests("modules.txt") {
		dir := directoryOf(name)
		if path.Base(dir) != "vendor" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := repo.Read(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		var mod vendoredModule
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			switch {
			case len(fields) == 0 || fields[0] == "##":
			case fields[0] == "#":
				mod = vendoredModule{}
				if len(fields) > 2 {
					mod = vendoredModule{fields[1], fields[2]}
				}
			case mod.path != "":
				all[dir+" "+fields[0]] = mod
			}
		}
	}
	return all, nil
}

// moduleGuess is the likely root of the module of an import path: the
// repository on the well-known hosts, else the whole path.
func moduleGuess(importPath string) string {
	elements := strings.Split(importPath, "/")
	n := len(elements)
	switch elements[0] {
	case "github.com", "gitlab.com", "bitbucket.org", "golang.org", "codeberg.org":
		n = 3
	case "gopkg.in", "google.golang.org", "k8s.io", "sigs.k8s.io", "go.uber.org", "cloud.google.com":
		n = 2
		if n < len(elements) && elements[0] == "gopkg.in" && !strings.Contains(elements[1], ".v") {
			n = 3
		}
	}
	return strings.Join(elements[:min(n, len(elements))], "/")
}
