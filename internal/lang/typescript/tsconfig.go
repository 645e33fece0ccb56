package typescript

import (
	"path"
	"strings"
)

// tsconfig is what matters of a tsconfig.json or jsconfig.json, with what it inherits.
type tsconfig struct {
	path, dir  string
	baseURL    string // "" with hasBase is the root
	hasBase    bool
	paths      []pathMapping
	rootDirs   []string
	outDirs    []string // outDir and declarationDir
	rootDir    string
	hasRoot    bool
	files      []string
	include    []string
	exclude    []string
	hasFiles   bool
	references []string // paths of the configs referred to
}

// pathMapping is one entry of "paths".
type pathMapping struct {
	pattern string
	targets []string // paths in the repository, with *
}

// maxExtends bounds chains of extends.
const maxExtends = 16

// config reads a config file with what it extends; nil when it cannot be read.
func (b *builder) config(file string, depth int) *tsconfig {
	if c, ok := b.read[file]; ok {
		return c
	}
	if depth > maxExtends || !b.repo.Exists(file) {
		return nil
	}
	b.read[file] = nil // a chain that comes back here extends nothing
	text, err := b.repo.Read(file)
	if err != nil {
		return nil
	}
	v := parseJSON(text)
	c := &tsconfig{path: file, dir: dirOf(file)}
	extends := v.get("extends").strs()
	if s := v.get("extends").str(); s != "" {
		extends = []string{s}
	}
	for _, e := range extends {
		if base := b.config(b.extended(c.dir, e), depth+1); base != nil {
			c.inherit(base)
		}
	}
	c.options(v.get("compilerOptions"))
	if f := v.get("files"); f.kind == 'a' {
		c.files, c.hasFiles = c.inside(f.strs()), true
	}
	if i := v.get("include"); i.kind == 'a' {
		c.include = c.inside(i.strs())
	}
	if e := v.get("exclude"); e.kind == 'a' {
		c.exclude = c.inside(e.strs())
	}
	for _, r := range v.get("references").values {
		if p, ok := join(c.dir, r.get("path").str()); ok {
			if !strings.HasSuffix(p, ".json") {
				p = path.Join(p, "tsconfig.json")
			}
			c.references = append(c.references, p)
		}
	}
	b.read[file] = c
	return c
}

// extended is the file that "extends" names: a path, or a file of a package of the repository.
func (b *builder) extended(dir, name string) string {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") {
		p, ok := join(dir, name)
		if !ok {
			return ""
		}
		for _, try := range [...]string{p, p + ".json", path.Join(p, "tsconfig.json")} {
			if b.repo.Exists(try) {
				return try
			}
		}
		return ""
	}
	pkg, sub := splitPackage(name)
	for _, m := range b.byName[pkg] {
		for _, try := range [...]string{sub, sub + ".json", path.Join(sub, "tsconfig.json")} {
			if p, ok := join(m.dir, try); ok && b.repo.Exists(p) {
				return p
			}
		}
		if list, ok := entry(m.exports, "./"+sub); ok {
			for _, t := range list {
				if p, ok := join(m.dir, t); ok && b.repo.Exists(p) {
					return p
				}
			}
		}
	}
	return ""
}

func (c *tsconfig) inherit(base *tsconfig) {
	own := *c
	*c = *base
	c.path, c.dir, c.references = own.path, own.dir, nil
}

// inside makes the paths of a list those of the repository.
func (c *tsconfig) inside(list []string) []string {
	var out []string
	for _, s := range list {
		if p, ok := at(c.dir, s); ok {
			out = append(out, p)
		}
	}
	return out
}

// configDir stands for the directory of the config that is used, which may
// extend the one in which it is written. It is replaced by settled.
const configDir = "${configDir}"

// at is a path of a config in a directory.
func at(dir, p string) (string, bool) {
	if strings.HasPrefix(p, configDir) {
		return p, true
	}
	return join(dir, p)
}

// settled is a config as the one that is used.
func (c *tsconfig) settled() *tsconfig {
	out := *c
	one := func(p string) string {
		rest, ok := strings.CutPrefix(p, configDir)
		if !ok {
			return p
		}
		p, _ = join(c.dir, rest)
		return p
	}
	all := func(list []string) []string {
		if list == nil {
			return nil
		}
		settled := make([]string, len(list))
		for i, p := range list {
			settled[i] = one(p)
		}
		return settled
	}
	out.baseURL, out.rootDir = one(c.baseURL), one(c.rootDir)
	out.rootDirs, out.outDirs, out.files, out.include, out.exclude = all(c.rootDirs), all(c.outDirs), all(c.files), all(c.include), all(c.exclude)
	out.paths = make([]pathMapping, len(c.paths))
	for i, m := range c.paths {
		out.paths[i] = pathMapping{m.pattern, all(m.targets)}
	}
	return &out
}

func (c *tsconfig) options(o *json) {
	if s := o.get("baseUrl"); s.kind == 's' {
		if p, ok := at(c.dir, s.text); ok {
			c.baseURL, c.hasBase = p, true
		}
	}
	if m := o.get("paths"); m.kind == 'o' {
		c.paths = nil
		base := c.dir
		if c.hasBase {
			base = c.baseURL
		}
		for i, pattern := range m.keys {
			mapping := pathMapping{pattern: pattern}
			for _, t := range m.values[i].strs() {
				if p, ok := at(base, t); ok {
					mapping.targets = append(mapping.targets, p)
				}
			}
			c.paths = append(c.paths, mapping)
		}
	}
	if r := o.get("rootDirs"); r.kind == 'a' {
		c.rootDirs = c.inside(r.strs())
	}
	for _, key := range [...]string{"outDir", "declarationDir"} {
		if s := o.get(key).str(); s != "" {
			if p, ok := at(c.dir, s); ok {
				c.outDirs = append([]string{p}, c.outDirs...)
			}
		}
	}
	if s := o.get("rootDir"); s.kind == 's' {
		if p, ok := at(c.dir, s.text); ok {
			c.rootDir, c.hasRoot = p, true
		}
	}
}

// covers says whether a file belongs to the project.
func (c *tsconfig) covers(file string) bool {
	for _, f := range c.files {
		if f == file {
			return true
		}
	}
	if c.include == nil {
		if c.hasFiles {
			return false
		}
		_, ok := below(c.dir, file)
		return ok && !c.excludes(file)
	}
	for _, pattern := range c.include {
		if matchInclude(pattern, file) {
			return !c.excludes(file)
		}
	}
	return false
}

func (c *tsconfig) excludes(file string) bool {
	for _, pattern := range c.exclude {
		if matchInclude(pattern, file) {
			return true
		}
	}
	return false
}

// matchInclude matches a pattern of "include": one without a wildcard in its last
// element, or without an extension there, also stands for everything below it.
func matchInclude(pattern, file string) bool {
	return matchGlob(pattern, file) || matchGlob(pattern+"/**", file)
}

// mapped lists what "paths" makes of a specifier: of the patterns that match, the
// exact one or that with the longest text before its star.
func (c *tsconfig) mapped(specifier string) []string {
	best, match := -1, ""
	var found *pathMapping
	for i := range c.paths {
		m := &c.paths[i]
		head, tail, star := strings.Cut(m.pattern, "*")
		if !star {
			if m.pattern == specifier {
				return m.targets
			}
			continue
		}
		if len(head) > best && strings.HasPrefix(specifier, head) && strings.HasSuffix(specifier, tail) && len(specifier) >= len(head)+len(tail) {
			best, match, found = len(head), specifier[len(head):len(specifier)-len(tail)], m
		}
	}
	if found == nil {
		return nil
	}
	out := make([]string, 0, len(found.targets))
	for _, t := range found.targets {
		if p, ok := join("", strings.Replace(t, "*", match, 1)); ok {
			out = append(out, p)
		}
	}
	return out
}
