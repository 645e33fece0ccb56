package main

import (
	"path"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

type tmpMod struct {
	mod  string
	t    *treeFiles
	pkg  map[string]string
	dirs map[string]bool
}

func newTmp(t *treeFiles) *tmpMod {
	m := &tmpMod{t: t, pkg: map[string]string{}, dirs: map[string]bool{}}
	if b, err := t.Read("go.mod"); err == nil {
		m.mod = strings.Fields(string(b))[1]
	}
	for _, f := range t.files {
		m.pkg[f.Path] = f.Doc.Names[f.Doc.Package]
		m.dirs[path.Dir(f.Path)] = true
	}
	return m
}
func (m *tmpMod) scope(dir, pkg string) string {
	s := "go gomod " + m.mod + " . `" + dir + "`/"
	if strings.HasSuffix(pkg, "_test") {
		s += "test/"
	}
	return s
}
func (m *tmpMod) Scope(p string) string { return m.scope(path.Dir(p), m.pkg[p]) }
func (m *tmpMod) Resolve(from string, imp *code.Import, spec string) lang.Target {
	if m.mod == "" || spec == m.mod || strings.HasPrefix(spec, m.mod+"/") {
		d := strings.TrimPrefix(strings.TrimPrefix(spec, m.mod), "/")
		if d == "" {
			d = "."
		}
		if m.dirs[d] {
			return lang.Target{Kind: lang.TargetScope, Scope: m.scope(d, ""), Path: d}
		}
	}
	return lang.Target{Kind: lang.TargetExternal, Manager: "gomod", Package: spec}
}
