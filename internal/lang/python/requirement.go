package python

import (
	"encoding/json"
	"strings"
)

// requirements are the distributions that a manifest asks for, by normal name,
// with the version where it fixes one, else ""; several says that it fixes more than one.
type requirements map[string]string

const several = "*"

// add notes a requirement. The order of calls does not matter.
func (q requirements) add(name, version string) {
	name = normal(name)
	if name == "" || name == "python" {
		return
	}
	switch known := q[name]; {
	case known == "":
		q[name] = version
	case version != "" && version != known:
		q[name] = several
	}
}

// version is what is known of a distribution's version.
func (q requirements) version(name string) string {
	if v := q[name]; v != several {
		return v
	}
	return ""
}

// addLine notes a requirement in the form of PEP 508 or of a requirements file:
// "name[extra]==1.2 ; marker", "name @ url". Options and paths are passed over.
func (q requirements) addLine(line string) {
	line, _, _ = strings.Cut(line, " #")
	line = strings.TrimSpace(line)
	if line == "" || strings.ContainsAny(line[:1], "#-./") || strings.Contains(line, "://") && !strings.Contains(line, "@") {
		return
	}
	line, _, _ = strings.Cut(line, ";")
	end := strings.IndexFunc(line, func(c rune) bool {
		return !(c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	})
	name, rest := line, ""
	if end >= 0 {
		name, rest = line[:end], line[end:]
	}
	if _, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(strings.TrimSpace(rest), "[") {
		rest = after
	}
	q.add(name, fixed(rest))
}

// fixed is the version that a specifier allows alone, else "".
func fixed(specifier string) string {
	specifier = strings.Trim(strings.TrimSpace(specifier), "()")
	v, ok := strings.CutPrefix(specifier, "===")
	if !ok {
		v, ok = strings.CutPrefix(specifier, "==")
	}
	if !ok {
		return ""
	}
	v = strings.TrimSpace(v)
	if i := strings.IndexAny(v, " ,\\"); i >= 0 {
		if strings.Contains(v, ",") {
			return ""
		}
		v = v[:i]
	}
	if strings.Contains(v, "*") {
		return ""
	}
	return v
}

// addFile notes the lines of a requirements file.
func (q requirements) addFile(text string) {
	for line := range strings.Lines(text) {
		q.addLine(line)
	}
}

// tables of TOML, as they are decoded.
type table = map[string]any

func in(t table, keys ...string) table {
	for _, k := range keys {
		t, _ = t[k].(table)
	}
	return t
}

func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		if s, ok := v.(string); ok {
			return []string{s}
		}
		return nil
	}
	var out []string
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// addProject notes what a pyproject.toml asks for.
func (q requirements) addProject(t table) {
	for _, line := range texts(in(t, "project")["dependencies"]) {
		q.addLine(line)
	}
	for _, group := range in(t, "project", "optional-dependencies") {
		for _, line := range texts(group) {
			q.addLine(line)
		}
	}
	for _, group := range in(t, "dependency-groups") {
		for _, line := range texts(group) {
			q.addLine(line)
		}
	}
	for _, line := range texts(in(t, "tool", "uv")["dev-dependencies"]) {
		q.addLine(line)
	}
	poetry := in(t, "tool", "poetry")
	q.addPoetry(in(poetry, "dependencies"))
	q.addPoetry(in(poetry, "dev-dependencies"))
	for _, group := range in(poetry, "group") {
		if g, ok := group.(table); ok {
			q.addPoetry(in(g, "dependencies"))
		}
	}
	for _, group := range in(t, "tool", "pdm", "dev-dependencies") {
		for _, line := range texts(group) {
			q.addLine(line)
		}
	}
}

// addPoetry notes a table of Poetry or Pipfile: name = "1.2" or {version = "1.2"}. A bare version is exact there.
func (q requirements) addPoetry(t table) {
	for name, v := range t {
		if d, ok := v.(table); ok {
			v = d["version"]
		}
		version, _ := v.(string)
		version = strings.TrimSpace(version)
		if exact := fixed(version); exact != "" {
			q.add(name, exact)
		} else if version != "" && version[0] >= '0' && version[0] <= '9' && !strings.ContainsAny(version, "*,< >~^|") {
			q.add(name, version)
		} else {
			q.add(name, "")
		}
	}
}

// addLock notes the packages of poetry.lock, uv.lock and pdm.lock, which fix every version.
func (q requirements) addLock(t table) {
	list, ok := t["package"].([]any)
	if !ok {
		return
	}
	for _, x := range list {
		p, ok := x.(table)
		if !ok {
			continue
		}
		name, _ := p["name"].(string)
		version, _ := p["version"].(string)
		q.fix(name, version)
	}
}

// fix sets the version of a requirement, whether or not it was asked for by name.
func (q requirements) fix(name, version string) {
	if name = normal(name); name != "" && version != "" {
		q[name] = version
	}
}

// addPipfileLock notes the packages of a Pipfile.lock.
func (q requirements) addPipfileLock(data []byte) error {
	var lock struct {
		Default map[string]struct {
			Version string `json:"version"`
		} `json:"default"`
		Develop map[string]struct {
			Version string `json:"version"`
		} `json:"develop"`
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return err
	}
	for _, group := range []map[string]struct {
		Version string `json:"version"`
	}{lock.Default, lock.Develop} {
		for name, p := range group {
			q.fix(name, fixed(p.Version))
		}
	}
	return nil
}
