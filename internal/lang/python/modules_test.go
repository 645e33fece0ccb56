//go:build cgo

package python_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/langtest"
	"manito/internal/lang/python"
)

func modulesOf(t *testing.T, archive string) (lang.Modules, *langtest.Tree) {
	t.Helper()
	l := python.Language()
	tree := langtest.Repository(t, l, "repo", archive, ".py", ".pyi")
	m, err := l.NewModules(context.Background(), tree)
	if err != nil {
		t.Fatal(err)
	}
	return m, tree
}

// shown is a Target on one line.
func shown(t lang.Target) string {
	switch t.Kind {
	case lang.TargetScope:
		return t.Path + " (" + t.Reason + ")"
	case lang.TargetDirectory:
		return t.Path + "/ (" + t.Reason + ")"
	case lang.TargetExternal:
		s := t.Manager + " " + t.Package
		if t.Version != "" {
			s += " " + t.Version
		}
		return s + " (" + t.Reason + ")"
	}
	return "- (" + t.Reason + ")"
}

// resolve reads "from: ..name", with leading dots for relative imports.
func resolve(m lang.Modules, query string) lang.Target {
	from, specifier, _ := strings.Cut(query, ": ")
	name := strings.TrimLeft(specifier, ".")
	imp := &code.Import{Kind: code.ImportNamed, Relative: uint8(len(specifier) - len(name))}
	return m.Resolve(from, imp, name)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tree string
		want map[string]string
	}{
		"flat": {`
-- app/__init__.py --
-- app/models.py --
-- app/views/__init__.py --
-- app/views/list.py --
-- app/ns/deep.py --
-- tool.py --
`, map[string]string{
			"app/views/list.py: .":          "app/views/__init__.py (relative import)",
			"app/views/list.py: ..":         "app/__init__.py (relative import)",
			"app/views/list.py: ..models":   "app/models.py (relative import)",
			"app/views/__init__.py: .list":  "app/views/list.py (relative import)",
			"app/views/list.py: ..ns":       "app/ns/ (relative import of a directory)",
			"app/views/list.py: ..ns.deep":  "app/ns/deep.py (relative import)",
			"app/views/list.py: ..missing":  "- (no such module: app/missing)",
			"app/models.py: ....":           "- (above the root of the repository)",
			"app/models.py: app.views":      "app/views/__init__.py (project of the importing file)",
			"app/models.py: app.views.list": "app/views/list.py (project of the importing file)",
			"app/models.py: app.gone":       "- (no such module: app/gone)",
			"app/models.py: app.ns":         "app/ns/ (a directory below the repository's root)",
			"app/models.py: tool":           "tool.py (project of the importing file)",
			"app/models.py: models":         "python models (not in the repository)",
			"tool.py: json.decoder":         "python python-stdlib (Python's standard library)",
			"tool.py: __future__":           "python python-stdlib (Python's standard library)",
			"tool.py: urllib2":              "python python-stdlib (the standard library of an older Python)",
			"tool.py: requests.adapters":    "python requests (not in the repository)",
			"tool.py: yaml":                 "python pyyaml (not in the repository)",
		}},
		"src by custom": {`
-- pyproject.toml --
[project]
name = "Lib"
dependencies = ["PyYAML==6.0.1", "requests[socks] (>=2)", "google-cloud-storage~=2.0"]
[project.optional-dependencies]
dev = ["attrs==23.1; python_version>'3.8'"]
-- src/lib/__init__.py --
-- src/lib/core.py --
-- tests/conftest.py --
-- tests/helpers.py --
-- tests/test_core.py --
-- tests/unit/test_deep.py --
-- tests/unit/near.py --
`, map[string]string{
			"src/lib/core.py: lib":                  "src/lib/__init__.py (source root src)",
			"tests/test_core.py: lib.core":          "src/lib/core.py (source root src)",
			"tests/test_core.py: helpers":           "tests/helpers.py (directory of conftest.py)",
			"tests/unit/test_deep.py: helpers":      "tests/helpers.py (directory of conftest.py)",
			"tests/unit/test_deep.py: near":         "tests/unit/near.py (directory of the importing file)",
			"tests/test_core.py: tests.helpers":     "tests/helpers.py (project of the importing file)",
			"src/lib/core.py: yaml":                 "python pyyaml 6.0.1 (a declared dependency)",
			"src/lib/core.py: requests":             "python requests (a declared dependency)",
			"src/lib/core.py: attr":                 "python attrs 23.1 (a declared dependency)",
			"src/lib/core.py: google.cloud.storage": "python google-cloud-storage (a declared dependency)",
		}},
		"roots of the manifests": {`
-- a/pyproject.toml --
[tool.setuptools.package-dir]
"" = "lib"
-- a/lib/one/__init__.py --
-- b/setup.cfg --
[metadata]
name = bee
[options]
package_dir =
    = python
install_requires =
    flask==2.0
-- b/python/two/__init__.py --
-- c/setup.py --
from setuptools import setup, find_packages
setup(
    name="cee",
    package_dir={"": "code"},  # here
    packages=find_packages("code"),
    install_requires=["django == 4.2", 'celery'],
)
-- c/code/three/__init__.py --
-- c/code/three/part.py --
-- d/pyproject.toml --
[tool.poetry]
name = "dee"
packages = [{ include = "four", from = "pkgs" }]
[tool.poetry.dependencies]
python = "^3.9"
numpy = "1.26.0"
pandas = { version = "^2", optional = true }
-- d/pkgs/four/__init__.py --
-- e/pyproject.toml --
[tool.hatch.build.targets.wheel]
packages = ["sources/five"]
-- e/sources/five/__init__.py --
-- f/setup.py --
setup(package_dir={"six": "inner"})
-- f/inner/__init__.py --
-- f/inner/part.py --
-- g/pyproject.toml --
[tool.pytest.ini_options]
pythonpath = ["extra"]
-- g/extra/seven.py --
-- g/test_it.py --
-- h/pyproject.toml --
this is no toml
-- h/eight.py --
`, map[string]string{
			"a/lib/one/__init__.py: one":   "a/lib/one/__init__.py (source root of pyproject.toml)",
			"b/x.py: two":                  "b/python/two/__init__.py (source root of setup.cfg)",
			"b/x.py: flask":                "python flask 2.0 (a declared dependency)",
			"c/x.py: three.part":           "c/code/three/part.py (source root of setup.py)",
			"c/x.py: django.db":            "python django 4.2 (a declared dependency)",
			"c/x.py: celery":               "python celery (a declared dependency)",
			"d/x.py: four":                 "d/pkgs/four/__init__.py (source root of pyproject.toml)",
			"d/x.py: numpy":                "python numpy 1.26.0 (a declared dependency)",
			"d/x.py: pandas":               "python pandas (a declared dependency)",
			"e/x.py: five":                 "e/sources/five/__init__.py (source root of pyproject.toml)",
			"f/x.py: six.part":             "f/inner/part.py (source root of setup.py)",
			"f/x.py: six":                  "f/inner/__init__.py (source root of setup.py)",
			"g/test_it.py: seven":          "g/extra/seven.py (path of pytest)",
			"h/eight.py: eight":            "h/eight.py (project of the importing file)",
			"a/lib/one/__init__.py: two":   "b/python/two/__init__.py (source root of setup.cfg)",
			"a/lib/one/__init__.py: three": "c/code/three/__init__.py (source root of setup.py)",
			"h/eight.py: six.part":         "f/inner/part.py (source root of setup.py)",
		}},
		"several of one name": {`
-- a/pyproject.toml --
[project]
name = "a"
-- a/src/common/__init__.py --
-- a/src/common/x.py --
-- b/pyproject.toml --
[project]
name = "b"
-- b/src/common/__init__.py --
-- b/src/b/__init__.py --
-- c/main.py --
-- d/pyproject.toml --
[project]
name = "d"
dependencies = ["a", "six"]
-- d/src/d.py --
-- d/src/six/stray.txt --
`, map[string]string{
			"b/src/b/__init__.py: common": "b/src/common/__init__.py (source root src)",
			"a/src/common/x.py: common":   "a/src/common/__init__.py (source root src)",
			"c/main.py: common":           "- (several modules of the repository have this name: a/src/common/__init__.py, b/src/common/__init__.py)",
			"c/main.py: b":                "b/src/b/__init__.py (source root src)",
			"d/src/d.py: six":             "python six (a declared dependency)",
		}},
		"a directory is not the library it is called by": {`
-- requirements.txt --
redis==5.0  # the client
-r other.txt
./local
git+https://example.com/x.git
-- redis/deploy.py --
-- queue/run.py --
-- app.py --
`, map[string]string{
			"app.py: redis":        "python redis 5.0 (a declared dependency)",
			"app.py: redis.deploy": "redis/deploy.py (project of the importing file)",
			"app.py: queue.core":   "python python-stdlib (Python's standard library)",
			"app.py: queue.run":    "queue/run.py (project of the importing file)",
		}},
		"no manifest": {`
-- lib/python/pkg/__init__.py --
-- lib/python/pkg/a.py --
-- lib/python/pkg/sub/__init__.py --
-- scripts/run.py --
-- scripts/util.py --
-- tests/fixtures/flask/__init__.py --
-- backend/manage.py --
-- backend/shop/models.py --
-- backend/shop/views.py --
`, map[string]string{
			"lib/python/pkg/sub/__init__.py: pkg.a": "lib/python/pkg/a.py (package of the importing file)",
			"scripts/run.py: pkg.a":                 "lib/python/pkg/a.py (the only package of that name in the repository)",
			"scripts/run.py: util":                  "scripts/util.py (directory of the importing file)",
			"scripts/run.py: flask":                 "python flask (not in the repository)",
			"backend/shop/views.py: shop.models":    "backend/shop/models.py (directory of manage.py)",
		}},
		"stubs and compiled modules": {`
-- p/__init__.py --
-- p/both.py --
-- p/both.pyi --
-- p/only.pyi --
-- p/fast.pyx --
`, map[string]string{
			"p/__init__.py: p.both": "p/both.py (project of the importing file)",
			"p/__init__.py: .only":  "p/only.pyi (relative import)",
			"p/__init__.py: p.fast": "- (a compiled module: p/fast.pyx)",
			"p/__init__.py: .fast":  "- (a compiled module: p/fast.pyx)",
		}},
		"locks": {`
-- pyproject.toml --
[project]
name = "x"
dependencies = ["flask>=2", "click"]
[dependency-groups]
test = ["pytest>=7"]
-- uv.lock --
[[package]]
name = "Flask"
version = "3.0.2"
[[package]]
name = "pytest"
version = "8.1"
-- sub/Pipfile --
[packages]
django = "*"
-- sub/Pipfile.lock --
{"default": {"django": {"version": "==5.0"}}, "develop": {}}
-- one/requirements.txt --
numpy==1.0
-- two/requirements.txt --
numpy==2.0
-- m.py --
`, map[string]string{
			"m.py: flask":      "python flask 3.0.2 (a declared dependency)",
			"m.py: click":      "python click (a declared dependency)",
			"m.py: pytest":     "python pytest 8.1 (a declared dependency)",
			"sub/m.py: django": "python django 5.0 (a declared dependency)",
			"one/m.py: numpy":  "python numpy 1.0 (a declared dependency)",
			"two/m.py: numpy":  "python numpy 2.0 (a declared dependency)",
			"m.py: numpy":      "python numpy (a declared dependency)",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := modulesOf(t, test.tree)
			for query, want := range test.want {
				got := resolve(m, query)
				if shown(got) != want {
					t.Errorf("%s\n got %s\nwant %s", query, shown(got), want)
				}
				if got.Kind == lang.TargetScope && got.Scope != m.Scope(got.Path) {
					t.Errorf("%s: scope %q, that of the file is %q", query, got.Scope, m.Scope(got.Path))
				}
				if got.Kind == lang.TargetScope && len(got.Lookups) == 0 {
					t.Errorf("%s: no lookups", query)
				}
			}
		})
	}
}

// A module below a package is found by asking so; one beside a plain module is not.
func TestSubmodule(t *testing.T) {
	t.Parallel()
	m, _ := modulesOf(t, `
-- p/__init__.py --
-- p/a.py --
-- p/b.py --
-- n/c.py --
`)
	ask := &code.Import{Kind: code.ImportModule, Relative: 1}
	for query, want := range map[[2]string]string{
		{"p/__init__.py", "a"}:  "p/a.py (relative import)",
		{"n/__init__.py", "c"}:  "n/c.py (relative import)",
		{"p/b.py", "a"}:         "- (a module that is no package has no modules below it)",
		{"p/__init__.py", "zz"}: "- (no such module: p/zz)",
	} {
		if got := shown(m.Resolve(query[0], ask, query[1])); got != want {
			t.Errorf("%v: got %s, want %s", query, got, want)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	m, tree := modulesOf(t, `
-- pyproject.toml --
[project]
name = "my lib"
-- src/lib/__init__.py --
-- src/lib/core.py --
-- src/lib/core.pyi --
-- src/lib/only.pyi --
-- lib/core.py --
-- tests/test_core.py --
-- tests/odd-name.py --
-- twin.py --
-- twin/__init__.py --
-- __init__.py --
-- sub/pyproject.toml --
[project]
name = "my lib"
-- sub/src/lib/core.py --
-- other/setup.py --
setup(name='other')
-- other/x.py --
`)
	want := map[string]string{
		"src/lib/__init__.py": "python python my  lib . lib/",
		"src/lib/core.py":     "python python my  lib . `lib.core`/",
		"src/lib/core.pyi":    "python python my  lib . pyi/`lib.core`/",
		"src/lib/only.pyi":    "python python my  lib . `lib.only`/",
		"lib/core.py":         "python python my  lib . `lib/core.py`/",
		"tests/test_core.py":  "python python my  lib . `tests.test_core`/",
		"tests/odd-name.py":   "python python my  lib . `tests.odd-name`/",
		"twin/__init__.py":    "python python my  lib . twin/",
		"twin.py":             "python python my  lib . `twin.py`/",
		"__init__.py":         "python python my  lib . __init__/",
		"sub/src/lib/core.py": "python python my  lib . sub/`lib.core`/",
		"other/x.py":          "python python other . x/",
		"other/setup.py":      "python python other . setup/",
	}
	seen := map[string]string{}
	for _, f := range tree.Files() {
		got := m.Scope(f.Path)
		if got != want[f.Path] {
			t.Errorf("%s: got %q, want %q", f.Path, got, want[f.Path])
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s share the scope %q", other, f.Path, got)
		}
		seen[got] = f.Path
	}
	if len(seen) != len(want) {
		t.Errorf("%d scopes, want %d", len(seen), len(want))
	}
}

// What is asked and answered must not depend on the order in which maps are walked.
func TestModulesAreStable(t *testing.T) {
	t.Parallel()
	var archive strings.Builder
	for i := range 20 {
		fmt.Fprintf(&archive, "-- p%d/pyproject.toml --\n[project]\nname = \"same\"\n[project.optional-dependencies]\na = [\"x==1\"]\nb = [\"x==2\"]\n-- p%d/src/common/__init__.py --\n-- p%d/src/m%d.py --\n", i, i, i, i)
	}
	first := ""
	for range 10 {
		m, tree := modulesOf(t, archive.String())
		var all strings.Builder
		for _, f := range tree.Files() {
			fmt.Fprintln(&all, m.Scope(f.Path), shown(resolve(m, f.Path+": common")), shown(resolve(m, f.Path+": x")), shown(resolve(m, f.Path+": m3")))
		}
		if first == "" {
			first = all.String()
		} else if all.String() != first {
			t.Fatal("the same tree gives other modules")
		}
	}
}
