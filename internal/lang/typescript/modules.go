package typescript

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// modules is the module system of Node and the TypeScript compiler over one
// repository. It finds sources: where a package of the repository points at what
// it builds, it leads to what that is built from. See resolve.go for the order.
type modules struct {
	repo       lang.Repository
	code       map[string]bool // the files of this language
	packages   map[string]*manifest
	byName     map[string][]*manifest // by directory
	workspaces []*workspace           // deepest first
	configs    map[string]*tsconfig   // by directory
	all        map[string]*tsconfig   // by path
	scopes     map[string]string      // directory of a package to the first part of its files' scopes
	ambient    map[string]string      // modules declared by declare module "x", with the file
}

// builder makes modules.
type builder struct {
	*modules
	read map[string]*tsconfig
}

func newModules(ctx context.Context, repo lang.Repository) (lang.Modules, error) {
	m := &modules{
		repo: repo, code: make(map[string]bool), packages: make(map[string]*manifest), byName: make(map[string][]*manifest),
		configs: make(map[string]*tsconfig), all: make(map[string]*tsconfig), scopes: make(map[string]string), ambient: make(map[string]string),
	}
	b := &builder{modules: m, read: make(map[string]*tsconfig)}
	for _, f := range repo.Files() {
		m.code[f.Path] = true
		m.declaredModules(f)
	}
	if err := b.manifests(ctx); err != nil {
		return nil, err
	}
	for _, base := range [...]string{"jsconfig.json", "tsconfig.json"} { // the second wins where both are
		for _, p := range repo.Manifests(base) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if c := b.config(p, 0); c != nil && !vendored(p) {
				m.configs[c.dir] = c.settled()
			}
		}
	}
	for _, c := range m.configs {
		for _, r := range c.references {
			b.config(r, 0)
		}
	}
	for p, c := range b.read {
		if c != nil {
			m.all[p] = c.settled()
		}
	}
	m.nameScopes()
	return m, nil
}

// vendored says whether a path lies in a folder of installed packages.
func vendored(p string) bool {
	return strings.HasPrefix(p, "node_modules/") || strings.Contains(p, "/node_modules/")
}

func (b *builder) manifests(ctx context.Context) error {
	for _, p := range b.repo.Manifests("package.json") {
		if err := ctx.Err(); err != nil {
			return err
		}
		if vendored(p) {
			continue
		}
		text, err := b.repo.Read(p)
		if err != nil {
			continue // listed but not read (too large, say): as if it were not there
		}
		m := parseManifest(dirOf(p), text)
		b.packages[m.dir] = m
		if m.name != "" {
			b.byName[m.name] = append(b.byName[m.name], m)
		}
		if len(m.workspaces) > 0 {
			b.workspaces = append(b.workspaces, &workspace{dir: m.dir, globs: m.workspaces})
		}
	}
	for _, p := range b.repo.Manifests("pnpm-workspace.yaml") {
		if text, err := b.repo.Read(p); err == nil && !vendored(p) {
			b.workspaces = append(b.workspaces, parseWorkspaceYAML(dirOf(p), text))
		}
	}
	for _, p := range b.repo.Manifests("lerna.json") {
		if text, err := b.repo.Read(p); err == nil && !vendored(p) {
			if globs := parseJSON(text).get("packages").strs(); len(globs) > 0 {
				b.workspaces = append(b.workspaces, &workspace{dir: dirOf(p), globs: globs})
			}
		}
	}
	slices.SortStableFunc(b.workspaces, func(x, y *workspace) int {
		return cmp.Or(cmp.Compare(len(y.dir), len(x.dir)), cmp.Compare(x.dir, y.dir))
	})
	for _, list := range b.byName {
		slices.SortFunc(list, func(x, y *manifest) int { return cmp.Compare(x.dir, y.dir) })
	}
	return nil
}

// declaredModules notes the modules that a file declares by name.
func (m *modules) declaredModules(f lang.File) {
	if f.Doc == nil || f.Doc.Flags&code.DocModule != 0 {
		return // in a module, declare module "x" adds to one that is elsewhere
	}
	for i := range f.Doc.Defs {
		if d := &f.Doc.Defs[i]; d.Kind == code.KindNamespace && d.Parent == code.NoDef && d.Flags&code.DefAmbient != 0 {
			name := f.Doc.Names[d.Name]
			if old, ok := m.ambient[name]; !ok || f.Path < old {
				m.ambient[name] = f.Path
			}
		}
	}
}

// nameScopes gives each directory with a package.json the first part of its
// files' scopes. Of several packages of one name only the first has it; the files
// of the others are named by their path in the repository.
func (m *modules) nameScopes() {
	for name, list := range m.byName {
		m.scopes[list[0].dir] = head(name)
	}
}

// head is the part of a scope before the path. Packages of the repository have no
// version in it: a symbol must stay the same when a release is made.
func head(pkg string) string {
	return "ts npm " + strings.ReplaceAll(pkg, " ", "  ") + " . "
}

// Scope implements lang.Modules.
func (m *modules) Scope(file string) string {
	for dir := dirOf(file); dir != ".."; dir = up(dir) {
		p, ok := m.packages[dir]
		if !ok || p.name == "" {
			continue
		}
		s, first := m.scopes[dir]
		if !first {
			break
		}
		rel, _ := below(dir, file)
		return fileScope(s, rel)
	}
	return fileScope(head(m.repo.Name()), file)
}

func fileScope(head, rel string) string {
	buf := make([]byte, 0, len(head)+len(rel)+8)
	buf = append(buf, head...)
	buf = code.AppendName(buf, rel)
	return string(append(buf, '/'))
}

// nearest is the closest package.json above a file; nil when there is none.
func (m *modules) nearest(dir string) *manifest {
	for ; dir != ".."; dir = up(dir) {
		if p, ok := m.packages[dir]; ok {
			return p
		}
	}
	return nil
}

// configOf is the config that governs a file: that of the nearest directory with
// one, or the one among those it refers to that has the file.
func (m *modules) configOf(file string) *tsconfig {
	for dir := dirOf(file); dir != ".."; dir = up(dir) {
		c, ok := m.configs[dir]
		if !ok {
			continue
		}
		if c.covers(file) {
			return c
		}
		for _, r := range c.references {
			if ref := m.all[r]; ref != nil && ref.covers(file) {
				return ref
			}
		}
		if len(c.references) == 0 || len(c.paths) > 0 {
			return c // an excluded test is still read with its project's paths
		}
		for _, r := range c.references { // no project has it: the first with paths
			if ref := m.all[r]; ref != nil && dirOf(r) == dir && len(ref.paths) > 0 {
				return ref
			}
		}
		return c
	}
	return nil
}

// splitPackage takes a bare specifier apart: the package's name by npm's rules and the path in it.
func splitPackage(specifier string) (name, sub string) {
	parts := strings.SplitN(specifier, "/", 3)
	if strings.HasPrefix(specifier, "@") && len(parts) > 1 {
		name = parts[0] + "/" + parts[1]
		if len(parts) > 2 {
			sub = parts[2]
		}
		return name, sub
	}
	name, sub, _ = strings.Cut(specifier, "/")
	return name, sub
}

// version is the range in which a file's package asks for another.
func (m *modules) version(from, pkg string) (string, bool) {
	for dir := dirOf(from); dir != ".."; dir = up(dir) {
		p, ok := m.packages[dir]
		if !ok {
			continue
		}
		for _, name := range [...]string{pkg, typesPackage(pkg)} {
			if v, ok := p.deps[name]; ok {
				return m.plainRange(dir, name, v), true
			}
		}
	}
	return "", false
}

// typesPackage is the package that declares another's types.
func typesPackage(pkg string) string {
	if rest, ok := strings.CutPrefix(pkg, "@"); ok {
		return "@types/" + strings.Replace(rest, "/", "__", 1)
	}
	return "@types/" + pkg
}

// plainRange is a range without the protocols of package managers.
func (m *modules) plainRange(dir, pkg, v string) string {
	if name, ok := strings.CutPrefix(v, "catalog:"); ok {
		if name == "default" {
			name = ""
		}
		for _, w := range m.workspaces {
			if _, ok := below(w.dir, dir); ok && w.catalogs != nil {
				return w.catalogs[name][pkg]
			}
		}
		return ""
	}
	for _, p := range [...]string{"workspace:", "file:", "link:", "portal:", "git", "http", "github:"} {
		if strings.HasPrefix(v, p) {
			return ""
		}
	}
	if alias, ok := strings.CutPrefix(v, "npm:"); ok {
		if i := strings.LastIndexByte(alias, '@'); i > 0 {
			return alias[i+1:]
		}
	}
	return v
}
