package typescript

import (
	"path"
	"slices"
	"strings"
)

// manifest is what matters of a package.json.
type manifest struct {
	dir        string // "" is the root of the repository
	name       string
	entries    []string // main, module, types and the like, in the order in which they are tried
	exports    *json
	imports    *json
	workspaces []string          // globs of the directories of its workspace
	deps       map[string]string // ranges by package name
}

func parseManifest(dir string, text []byte) *manifest {
	v := parseJSON(text)
	m := &manifest{dir: dir, name: v.get("name").str(), exports: v.get("exports"), imports: v.get("imports"), deps: make(map[string]string)}
	for _, key := range [...]string{"source", "types", "typings", "module", "main", "browser", "svelte", "react-native"} {
		if s := v.get(key).str(); s != "" {
			m.entries = append(m.entries, s)
		}
	}
	w := v.get("workspaces")
	if w.kind == 'o' {
		w = w.get("packages")
	}
	m.workspaces = w.strs()
	for _, key := range [...]string{"optionalDependencies", "peerDependencies", "devDependencies", "dependencies"} { // the last wins
		d := v.get(key)
		for i, name := range d.keys {
			m.deps[name] = d.values[i].str()
		}
	}
	return m
}

// workspace is a set of packages that find each other by name.
type workspace struct {
	dir      string
	globs    []string
	catalogs map[string]map[string]string // pnpm's named ranges; "" is the default catalog
}

// holds says whether a directory is a package of the workspace.
func (w *workspace) holds(dir string) bool {
	rel, ok := below(w.dir, dir)
	if !ok {
		return false
	}
	if rel == "" {
		return true
	}
	held := false
	for _, g := range w.globs {
		if not, ok := strings.CutPrefix(g, "!"); ok {
			if matchGlob(not, rel) {
				held = false
			}
		} else if matchGlob(g, rel) {
			held = true
		}
	}
	return held
}

// below is a path relative to a directory that holds it.
func below(dir, p string) (string, bool) {
	switch {
	case dir == "":
		return p, true
	case p == dir:
		return "", true
	case strings.HasPrefix(p, dir) && p[len(dir)] == '/':
		return p[len(dir)+1:], true
	}
	return "", false
}

// up is the directory above one; the one above the root is "..".
func up(dir string) string {
	if dir == "" {
		return ".."
	}
	if i := strings.LastIndexByte(dir, '/'); i >= 0 {
		return dir[:i]
	}
	return ""
}

// dirOf is the directory of a file, "" for the root.
func dirOf(file string) string {
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		return file[:i]
	}
	return ""
}

// join joins paths inside of the repository; ok is false when the result lies outside.
func join(dir, p string) (string, bool) {
	j := path.Join(dir, p)
	if j == ".." || strings.HasPrefix(j, "../") {
		return "", false
	}
	if j == "." {
		j = ""
	}
	return strings.TrimPrefix(j, "/"), true
}

// parseWorkspaceYAML reads the few lines of a pnpm-workspace.yaml that matter:
// the list of packages and the catalogs.
func parseWorkspaceYAML(dir string, text []byte) *workspace {
	w := &workspace{dir: dir, catalogs: make(map[string]map[string]string)}
	section, catalog := "", ""
	for line := range strings.Lines(string(text)) {
		if i := strings.Index(line, " #"); i >= 0 {
			line = line[:i]
		}
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		item, isItem := strings.CutPrefix(trimmed, "-")
		key, value, isPair := strings.Cut(trimmed, ":")
		// The colon of a pair is the one behind a quoted key: "@scope/a": 1
		key, value = unquoteYAML(key), unquoteYAML(value)
		switch {
		case isItem && section == "packages":
			w.globs = append(w.globs, unquoteYAML(item))
		case !isPair:
		case indent == 0:
			section, catalog = key, ""
			if section == "packages" && strings.HasPrefix(value, "[") {
				for _, g := range strings.Split(strings.Trim(value, "[]"), ",") {
					w.globs = append(w.globs, unquoteYAML(g))
				}
			}
		case section == "catalogs" && value == "":
			catalog = key
		case section == "catalog" || section == "catalogs" && catalog != "":
			if w.catalogs[catalog] == nil {
				w.catalogs[catalog] = make(map[string]string)
			}
			w.catalogs[catalog][key] = value
		}
	}
	return w
}

func unquoteYAML(s string) string { return strings.Trim(strings.TrimSpace(s), "\"'") }

// conditions in the order in which targets are preferred, whatever their order
// in the file: Manito wants the source, then what declares types, then what runs.
var preferred = []string{"types", "import", "module", "require", "node", "default", "browser", "worker", "react-native", "bun", "deno"}

// targets lists the paths that an entry of "exports" or "imports" may lead to: the
// source first, then by condition.
func targets(v *json) []string {
	var source, rest []string
	var walk func(v *json, isSource bool, depth int)
	walk = func(v *json, isSource bool, depth int) {
		if depth > 16 {
			return
		}
		switch v.kind {
		case 's':
			if isSource {
				source = append(source, v.text)
			} else {
				rest = append(rest, v.text)
			}
		case 'a':
			for _, e := range v.values {
				walk(e, isSource, depth+1)
			}
		case 'o':
			order := make([]int, len(v.keys))
			for i := range order {
				order[i] = i
			}
			rank := func(i int) int {
				if r := slices.Index(preferred, v.keys[i]); r >= 0 {
					return r
				}
				return len(preferred)
			}
			slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })
			for _, i := range order {
				walk(v.values[i], isSource || sourceCondition(v.keys[i]), depth+1)
			}
		}
	}
	walk(v, false, 0)
	return append(source, rest...)
}

// sourceCondition says whether a condition is one by which repositories point at their own source.
func sourceCondition(key string) bool {
	return key == "source" || key == "development" || key == "src" || key == "typescript" || key == "ts" || strings.HasSuffix(key, "/source") || strings.HasSuffix(key, "-source") || strings.HasSuffix(key, ":source") ||
		strings.HasPrefix(key, "@") && (strings.HasSuffix(key, "/src") || strings.HasSuffix(key, "/development") || strings.HasSuffix(key, "/dev"))
}

// entry finds what "exports" (prefix ".") or "imports" (prefix "#") says of a
// name: the paths it may lead to, and whether the name is there.
func entry(v *json, name string) ([]string, bool) {
	if v.kind == 's' || v.kind == 'a' || v.kind == 'o' && !subpaths(v) {
		if name != "." {
			return nil, false
		}
		return targets(v), true
	}
	best, match := "", ""
	var found *json
	for i, key := range v.keys {
		if key == name {
			return targets(v.values[i]), true
		}
		head, tail, ok := strings.Cut(key, "*")
		switch {
		case ok && strings.HasPrefix(name, head) && strings.HasSuffix(name, tail) && len(name) >= len(head)+len(tail) && len(head) >= len(best) && (found == nil || len(head) > len(best)):
			best, match, found = head, name[len(head):len(name)-len(tail)], v.values[i]
		case !ok && strings.HasSuffix(key, "/") && strings.HasPrefix(name, key) && len(key) > len(best): // the older form of a folder
			best, match, found = key, name[len(key):], &json{kind: 's', text: v.values[i].str() + "*"}
		}
	}
	if found == nil {
		return nil, false
	}
	list := targets(found)
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "*", match)
	}
	return list, true
}

// subpaths says whether the keys of "exports" are paths rather than conditions.
func subpaths(v *json) bool {
	for _, k := range v.keys {
		if strings.HasPrefix(k, ".") || strings.HasPrefix(k, "#") {
			return true
		}
	}
	return false
}
