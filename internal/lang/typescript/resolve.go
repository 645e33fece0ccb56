package typescript

import (
	"path"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// resolver answers one question and notes what it looked at.
type resolver struct {
	*modules
	from    string
	script  bool // the asking file is JavaScript
	lookups []string
}

// Resolve implements lang.Modules. The order is the compiler's: a relative path;
// "#x" by the imports of the nearest package.json; "paths" and "baseUrl" of the
// governing tsconfig; the language's own modules; the asking package itself; a
// package of the workspace or repository; else a package from outside.
func (m *modules) Resolve(from string, imp *code.Import, specifier string) lang.Target {
	r := &resolver{modules: m, from: from, script: isJavaScript(from)}
	t := r.resolve(specifier)
	t.Lookups = r.lookups
	return t
}

func isJavaScript(p string) bool {
	switch path.Ext(p) {
	case ".js", ".jsx", ".mjs", ".cjs":
		return true
	}
	return false
}

func (r *resolver) resolve(specifier string) lang.Target {
	specifier = strings.TrimSpace(specifier)
	// Bundlers take a query behind a path, and loaders before it.
	if i := strings.LastIndexByte(specifier, '!'); i >= 0 {
		specifier = specifier[i+1:]
	}
	if i := strings.IndexByte(specifier, '?'); i > 0 {
		specifier = specifier[:i]
	}
	switch {
	case specifier == "":
		return unresolved("an empty specifier")
	case specifier == "." || specifier == ".." || strings.HasPrefix(specifier, "./") || strings.HasPrefix(specifier, "../"):
		return r.relative(specifier)
	case strings.HasPrefix(specifier, "/"):
		return r.absolute(specifier)
	case strings.HasPrefix(specifier, "#"):
		if t, ok := r.internal(specifier); ok {
			return t
		}
	}
	config := r.configOf(r.from)
	if config != nil {
		if t, ok := r.byConfig(config, specifier); ok {
			return t
		}
	}
	if scheme, rest, ok := strings.Cut(specifier, ":"); ok && scheme != "" {
		return byScheme(scheme, rest, specifier)
	}
	if strings.HasPrefix(specifier, "#") || strings.HasPrefix(specifier, "~") || strings.HasPrefix(specifier, "@/") {
		return unresolved("no configuration says what this alias stands for")
	}
	return r.byPackage(specifier)
}

func unresolved(reason string) lang.Target {
	return lang.Target{Kind: lang.TargetUnresolved, Reason: reason}
}

// byScheme is a specifier with a protocol.
func byScheme(scheme, rest, whole string) lang.Target {
	switch scheme {
	case "node":
		return standard(rest)
	case "npm", "jsr":
		name, _ := splitPackage(strings.TrimPrefix(rest, "/"))
		version := ""
		if i := strings.LastIndexByte(name, '@'); i > 0 {
			name, version = name[:i], name[i+1:]
		}
		return lang.Target{Kind: lang.TargetExternal, Manager: scheme, Package: name, Version: version, Reason: scheme + " package"}
	case "http", "https", "data", "blob":
		return lang.Target{Kind: lang.TargetExternal, Manager: "url", Package: whole, Reason: "address"}
	}
	return lang.Target{Kind: lang.TargetExternal, Manager: scheme, Package: rest, Standard: scheme == "bun" || scheme == "deno" || scheme == "cloudflare", Reason: "module of the runtime or build tool"}
}

func standard(name string) lang.Target {
	return lang.Target{Kind: lang.TargetExternal, Manager: "node", Package: name, Standard: true, Reason: "module of Node"}
}

func (r *resolver) relative(specifier string) lang.Target {
	p, ok := join(dirOf(r.from), specifier)
	if !ok {
		return unresolved("outside of the repository")
	}
	if t, ok := r.path(p, "relative path"); ok {
		return t
	}
	if config := r.configOf(r.from); config != nil {
		for _, root := range config.rootDirs {
			rel, ok := below(root, p)
			if !ok {
				continue
			}
			for _, other := range config.rootDirs {
				if q, ok := join(other, rel); ok && other != root {
					if t, ok := r.path(q, "tsconfig rootDirs"); ok {
						return t
					}
				}
			}
		}
	}
	// A file that is only there after a build: import "../dist/index.js" in a test.
	if pkg := r.nearest(dirOf(p)); pkg != nil {
		if rel, ok := below(pkg.dir, p); ok {
			if t, ok := r.built(pkg, rel); ok {
				return t
			}
		}
	}
	return unresolved("no such file")
}

// absolute is a path from the root that a development server serves: the package's directory, or its public folder.
func (r *resolver) absolute(specifier string) lang.Target {
	for dir := dirOf(r.from); dir != ".."; dir = up(dir) {
		if _, ok := r.packages[dir]; !ok && dir != "" {
			continue
		}
		for _, root := range [...]string{"", "public", "static"} {
			if p, ok := join(path.Join(dir, root), strings.TrimLeft(specifier, "/")); ok {
				if t, ok := r.path(p, "path from the package's root"); ok {
					return t
				}
			}
		}
	}
	return unresolved("no such file")
}

// internal resolves "#x" by the imports of the nearest package.json.
func (r *resolver) internal(specifier string) (lang.Target, bool) {
	pkg := r.nearest(dirOf(r.from))
	if pkg == nil {
		return lang.Target{}, false
	}
	list, ok := entry(pkg.imports, specifier)
	if !ok {
		return lang.Target{}, false
	}
	for _, target := range list {
		if !strings.HasPrefix(target, ".") {
			return r.byPackage(target), true
		}
	}
	return r.firstOf(pkg, list, "package.json imports")
}

// byConfig resolves by "paths", then by "baseUrl".
func (r *resolver) byConfig(config *tsconfig, specifier string) (lang.Target, bool) {
	for _, p := range config.mapped(specifier) {
		if t, ok := r.path(p, "tsconfig paths"); ok {
			return t, true
		}
		if pkg := r.nearest(p); pkg != nil {
			if rel, ok := below(pkg.dir, p); ok {
				if t, ok := r.built(pkg, rel); ok {
					return t, true
				}
			}
		}
	}
	if config.hasBase {
		if p, ok := join(config.baseURL, specifier); ok {
			if t, ok := r.path(p, "tsconfig baseUrl"); ok {
				return t, true
			}
		}
	}
	return lang.Target{}, false
}

// byPackage resolves a bare specifier.
func (r *resolver) byPackage(specifier string) lang.Target {
	name, sub := splitPackage(specifier)
	version, asked := r.version(r.from, name)
	if nodeModules[name] && !asked {
		return standard(specifier)
	}
	own := r.nearest(dirOf(r.from))
	if own != nil && own.name == name {
		if t, ok := r.inPackage(own, sub, "the package itself"); ok {
			return t
		}
	}
	if pkg, reason := r.repositoryPackage(name); pkg != nil {
		if t, ok := r.inPackage(pkg, sub, reason); ok {
			return t
		}
		return unresolved("the " + reason + " " + name + " has no such entry")
	}
	t := lang.Target{Kind: lang.TargetExternal, Manager: "npm", Package: name, Version: version, Reason: "npm package"}
	switch file, ok := r.ambient[specifier]; {
	case ok:
		t.Reason = "npm package, declared in " + file
	case !asked:
		t.Reason = "npm package that no package.json asks for"
	}
	return t
}

// repositoryPackage finds the package of a name in the repository: one of the
// workspace that the asking file belongs to, else the only one of the name.
func (r *resolver) repositoryPackage(name string) (*manifest, string) {
	list := r.byName[name]
	if len(list) == 0 {
		return nil, ""
	}
	for _, w := range r.workspaces {
		if !w.holds(packageDir(r.modules, r.from)) {
			continue
		}
		for _, p := range list {
			if w.holds(p.dir) {
				return p, "workspace package"
			}
		}
	}
	if len(list) == 1 {
		return list[0], "package of the repository"
	}
	return nil, ""
}

func packageDir(m *modules, file string) string {
	if p := m.nearest(dirOf(file)); p != nil {
		return p.dir
	}
	return dirOf(file)
}

// inPackage resolves a path in a package of the repository to its source.
func (r *resolver) inPackage(pkg *manifest, sub, reason string) (lang.Target, bool) {
	name := "."
	if sub != "" {
		name = "./" + sub
	}
	if pkg.exports.kind != 0 {
		if list, ok := entry(pkg.exports, name); ok {
			if t, ok := r.firstOf(pkg, list, reason); ok {
				return t, true
			}
		}
	}
	if sub != "" {
		for _, dir := range [...]string{"", "src", "lib"} {
			if p, ok := join(path.Join(pkg.dir, dir), sub); ok {
				if t, ok := r.path(p, reason); ok {
					return t, true
				}
			}
		}
		return r.built(pkg, sub)
	}
	if t, ok := r.firstOf(pkg, pkg.entries, reason); ok {
		return t, true
	}
	short := path.Base(pkg.name)
	for _, try := range [...]string{"src/index", "index", "src/main", "main", "lib/index", "source/index", "src/" + short, short, "mod", "src/mod", "src/lib/index"} {
		if p, ok := join(pkg.dir, try); ok {
			if t, ok := r.file(p, reason+", entry by convention"); ok {
				return t, true
			}
		}
	}
	return lang.Target{}, false
}

// firstOf resolves the first of a package's own targets that is there, else what the first of them is built from.
func (r *resolver) firstOf(pkg *manifest, list []string, reason string) (lang.Target, bool) {
	for _, code := range [...]bool{true, false} { // code before style sheets and the like
		for _, target := range list {
			if p, ok := join(pkg.dir, target); ok {
				if t, ok := r.path(p, reason); ok && (t.Kind == lang.TargetScope || !code) {
					return t, true
				}
			}
		}
		if !code {
			break
		}
		for _, target := range list {
			if p, ok := join("", target); ok {
				if t, ok := r.built(pkg, p); ok {
					t.Reason = reason + ", " + t.Reason
					return t, true
				}
			}
		}
	}
	return lang.Target{}, false
}

// outputs are the folders in which packages by convention keep what they build.
var outputs = map[string]bool{
	"dist": true, "lib": true, "build": true, "out": true, "output": true, "es": true, "esm": true, "cjs": true, "umd": true, "types": true, "typings": true, "module": true, "commonjs": true,
	"browser": true, "node": true, "_esm": true, "_cjs": true, "_types": true, "dts": true, "mjs": true, "bundle": true, "release": true, "pkg": true, "dist-types": true, "lib-esm": true, "lib-cjs": true,
	"es2015": true, "es6": true, "esnext": true, "compiled": true, "target": true, ".tshy-build": true, "build-esm": true, "esm5": true, "fesm2015": true, "fesm2022": true,
}

// built finds the source of a file that a package builds: by the outDir and
// rootDir of its tsconfigs, else by convention. It must exist.
func (r *resolver) built(pkg *manifest, rel string) (lang.Target, bool) {
	stem := withoutExtension(rel)
	full, ok := join(pkg.dir, stem)
	if !ok {
		return lang.Target{}, false
	}
	for _, name := range [...]string{"tsconfig.json", "tsconfig.build.json", "tsconfig.lib.json", "tsconfig.app.json", "tsconfig.src.json"} {
		c := r.all[path.Join(pkg.dir, name)]
		if c == nil {
			continue
		}
		for _, out := range c.outDirs {
			inside, ok := below(out, full)
			if !ok || inside == "" {
				continue
			}
			roots := []string{path.Join(pkg.dir, "src"), pkg.dir}
			if c.hasRoot {
				roots = []string{c.rootDir}
			}
			for _, root := range roots {
				if p, ok := join(root, inside); ok {
					if t, ok := r.file(p, "source of "+rel+" by tsconfig outDir"); ok {
						return t, true
					}
				}
			}
		}
	}
	parts := strings.Split(stem, "/")
	for i := 1; i < len(parts) && outputs[parts[i-1]]; i++ {
		rest := strings.Join(parts[i:], "/")
		for _, dir := range [...]string{"src", "source", "", "lib"} {
			if dir == parts[0] {
				continue
			}
			if p, ok := join(path.Join(pkg.dir, dir), rest); ok {
				if t, ok := r.file(p, "source of "+rel+" by convention"); ok {
					return t, true
				}
			}
		}
	}
	return lang.Target{}, false
}

// path resolves a path to a file or directory.
func (r *resolver) path(p, reason string) (lang.Target, bool) {
	if t, ok := r.file(p, reason); ok {
		return t, true
	}
	return r.directory(p, reason)
}

// file resolves a path to a file, with the extension that it may leave out or
// that of what it is compiled from.
func (r *resolver) file(p, reason string) (lang.Target, bool) {
	if p == "" || strings.HasSuffix(p, "/") {
		return lang.Target{}, false
	}
	ext := path.Ext(p)
	stem := strings.TrimSuffix(p, ext)
	if from, ok := compiledFrom[ext]; ok {
		order := from.typed
		if r.script {
			order = from.plain
		}
		for _, e := range order {
			if t, ok := r.exact(stem+e, reason); ok {
				return t, true
			}
		}
	} else if ext != "" {
		if t, ok := r.exact(p, reason); ok {
			return t, true
		}
	}
	order := appended.typed
	if r.script {
		order = appended.plain
	}
	for _, e := range order {
		if t, ok := r.exact(p+e, reason); ok {
			return t, true
		}
	}
	for _, platform := range [...]string{".web", ".native", ".ios", ".android", ".node", ".browser"} {
		for _, e := range [...]string{".tsx", ".ts", ".js", ".jsx"} {
			if t, ok := r.exact(p+platform+e, reason+", for one platform"); ok {
				return t, true
			}
		}
	}
	if ext == "" {
		return r.exact(p, reason)
	}
	return lang.Target{}, false
}

// extensions are tried in an order that depends on who asks: TypeScript prefers
// what declares types, JavaScript what runs.
type extensions struct{ typed, plain []string }

var (
	compiledFrom = map[string]extensions{
		".js":  {[]string{".ts", ".tsx", ".d.ts", ".js", ".jsx"}, []string{".js", ".ts", ".tsx", ".jsx", ".d.ts"}},
		".jsx": {[]string{".tsx", ".ts", ".d.ts", ".jsx", ".js"}, []string{".jsx", ".tsx", ".ts", ".js", ".d.ts"}},
		".mjs": {[]string{".mts", ".d.mts", ".mjs", ".ts", ".js"}, []string{".mjs", ".mts", ".d.mts", ".ts", ".js"}},
		".cjs": {[]string{".cts", ".d.cts", ".cjs", ".ts", ".js"}, []string{".cjs", ".cts", ".d.cts", ".ts", ".js"}},
	}
	appended = extensions{
		[]string{".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mts", ".cts", ".d.mts", ".d.cts", ".mjs", ".cjs", ".json", ".vue", ".svelte", ".astro"},
		[]string{".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".d.ts", ".mts", ".cts", ".json", ".vue", ".svelte", ".astro"},
	}
)

// exact is a path as it is.
func (r *resolver) exact(p, reason string) (lang.Target, bool) {
	r.lookups = append(r.lookups, p)
	switch {
	case r.code[p]:
		return lang.Target{Kind: lang.TargetScope, Scope: r.Scope(p), Path: p, Reason: reason}, true
	case r.repo.Exists(p):
		return lang.Target{Kind: lang.TargetFile, Path: p, Reason: reason}, true
	}
	return lang.Target{}, false
}

// directory resolves a path to a directory, by its package.json or its index.
func (r *resolver) directory(p, reason string) (lang.Target, bool) {
	if pkg, ok := r.packages[p]; ok && p != "" {
		if t, ok := r.inPackage(pkg, "", reason); ok {
			return t, true
		}
	}
	index := "index"
	if p != "" {
		index = p + "/index"
	}
	return r.file(index, reason)
}

// withoutExtension takes off the extension of something that is built.
func withoutExtension(p string) string {
	for _, e := range [...]string{".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".json"} {
		if s, ok := strings.CutSuffix(p, e); ok {
			for _, mark := range [...]string{".esm", ".cjs", ".umd", ".min", ".prod", ".development", ".production", ".es", ".module", ".common"} {
				s = strings.TrimSuffix(s, mark)
			}
			return s
		}
	}
	return p
}
