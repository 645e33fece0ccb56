package golang_test

import (
	"context"
	"testing"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/langtest"
)

func open(t *testing.T, name, archive string) lang.Modules {
	t.Helper()
	l := golang.Language()
	m, err := l.NewModules(context.Background(), langtest.Repository(t, l, name, archive, ".go"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestScope(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, archive string
		scopes        map[string]string
	}{
		{
			name: "packages of a module",
			archive: `
-- go.mod --
module example.com/m
-- a.go --
package m
-- a_test.go --
package m
-- b_test.go --
package m_test
-- sub/dir/c.go --
package dir
-- sub/dir/documentation.go --
package documentation
-- sub/dir/gen.go --
//go:build ignore

package main
-- nested/go.mod --
module example.com/other/v2
-- nested/x/x.go --
package x
`,
			scopes: map[string]string{
				"a.go":                     "go gomod example.com/m . `example.com/m`/",
				"a_test.go":                "go gomod example.com/m . `example.com/m`/",
				"b_test.go":                "go gomod example.com/m . `example.com/m`/m_test/",
				"sub/dir/c.go":             "go gomod example.com/m . `example.com/m/sub/dir`/",
				"sub/dir/documentation.go": "go gomod example.com/m . `example.com/m/sub/dir`/documentation/",
				"sub/dir/gen.go":           "go gomod example.com/m . `example.com/m/sub/dir`/`gen.go`/",
				"nested/x/x.go":            "go gomod example.com/other/v2 . `example.com/other/v2/x`/",
				"nested/x/unknown.go":      "go gomod example.com/other/v2 . `example.com/other/v2/x`/",
			},
		},
		{
			name: "programs of one file beside each other",
			archive: `
-- go.mod --
module example.com/m
-- cmd/a.go --
package main
func main() {}
-- cmd/b.go --
package main
func main() {}
-- cmd/helper.go --
package main
func help() {}
-- one/main.go --
package main
func main() {}
-- one/main_windows.go --
package main
func main() {}
-- one/tagged.go --
//go:build special
package main
func main() {}
`,
			scopes: map[string]string{
				"cmd/a.go":            "go gomod example.com/m . `example.com/m/cmd`/`a.go`/",
				"cmd/b.go":            "go gomod example.com/m . `example.com/m/cmd`/`b.go`/",
				"cmd/helper.go":       "go gomod example.com/m . `example.com/m/cmd`/",
				"one/main.go":         "go gomod example.com/m . `example.com/m/one`/",
				"one/main_windows.go": "go gomod example.com/m . `example.com/m/one`/",
				"one/tagged.go":       "go gomod example.com/m . `example.com/m/one`/",
			},
		},
		{
			name: "the standard library",
			archive: `
-- src/go.mod --
module std
-- src/net/http/server.go --
package http
-- src/net/http/x_test.go --
package http_test
-- src/vendor/golang.org/x/net/y.go --
package net
-- src/cmd/go.mod --
module cmd
-- src/cmd/go/main.go --
package main
-- src/cmd/vendor/golang.org/x/mod/z.go --
package mod
-- src/cmd/vendor/modules.txt --
# golang.org/x/mod v0.1.0
## explicit; go 1.21
golang.org/x/mod
`,
			scopes: map[string]string{
				"src/net/http/server.go":               "go gomod std . `net/http`/",
				"src/net/http/x_test.go":               "go gomod std . `net/http`/http_test/",
				"src/vendor/golang.org/x/net/y.go":     "go gomod std . `vendor/golang.org/x/net`/",
				"src/cmd/go/main.go":                   "go gomod cmd . `cmd/go`/",
				"src/cmd/vendor/golang.org/x/mod/z.go": "go gomod golang.org/x/mod v0.1.0 `golang.org/x/mod`/",
			},
		},
		{
			name: "copies of one import path",
			archive: `
-- go.mod --
module example.com/m
-- a.go --
package m
-- testdata/copy/go.mod --
module example.com/m
-- testdata/copy/a.go --
package m
`,
			scopes: map[string]string{
				"a.go":               "go gomod example.com/m . `example.com/m`/",
				"testdata/copy/a.go": "go gomod example.com/m . `example.com/m`/`./testdata/copy`/",
			},
		},
		{
			name: "no go.mod",
			archive: `
-- a.go --
package tool
-- cmd/b.go --
package main
import "github.com/someone/tool/lib/deep"
-- lib/deep/c.go --
package deep
-- vendor/github.com/pkg/errors/e.go --
package errors
`,
			scopes: map[string]string{
				"a.go":                              "go gomod github.com/someone/tool . `github.com/someone/tool`/",
				"lib/deep/c.go":                     "go gomod github.com/someone/tool . `github.com/someone/tool/lib/deep`/",
				"vendor/github.com/pkg/errors/e.go": "go gomod github.com/pkg/errors . `github.com/pkg/errors`/",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := open(t, "tool", test.archive)
			for file, want := range test.scopes {
				if got := m.Scope(file); got != want {
					t.Errorf("%s\n got %s\nwant %s", file, got, want)
				}
			}
		})
	}
}

const world = `
-- go.work --
go 1.26
use (
	.
	./tools
)
replace example.com/worked => ./worked
-- go.mod --
module example.com/m
go 1.26
require (
	example.com/fork v1.0.0
	example.com/ext/v2 v2.3.4
	example.com/ext v1.0.0
	example.com/moved v1.0.0
	example.com/away v1.0.0
	example.com/sibling v0.1.0
	gopkg.in/yaml.v3 v3.0.1
)
replace (
	example.com/fork => ./third/fork
	example.com/moved v1.0.0 => example.com/new v1.5.0
	example.com/moved v1.1.0 => ./third/fork
	example.com/away => ../outside
)
-- main.go --
package m
-- pkg/a/a.go --
package a
-- pkg/a/testdata/x.txt --
x
-- third/fork/go.mod --
module example.com/fork
-- third/fork/lib/l.go --
package lib
-- worked/go.mod --
module example.com/worked
-- worked/w.go --
package worked
-- tools/go.mod --
module example.com/m/tools
require example.com/toolsdep v0.9.0
-- tools/gen/g.go --
package gen
-- sibling/go.mod --
module example.com/sibling
-- sibling/s.go --
package sibling
-- testdata/mod/go.mod --
module example.com/hidden
-- testdata/mod/h/h.go --
package h
-- legacy/go.mod --
module example.com/legacy
require (
	github.com/pkg/errors v0.8.0
-- legacy/vendor/github.com/pkg/errors/e.go --
package errors
-- legacy/l.go --
package legacy
`

func TestResolve(t *testing.T) {
	t.Parallel()
	m := open(t, "world", world)
	tests := []struct {
		from, specifier string
		want            lang.Target
	}{
		{"main.go", "example.com/m/pkg/a", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/m . `example.com/m/pkg/a`/", Path: "pkg/a", Reason: "own module"}},
		{"pkg/a/a.go", "example.com/m", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/m . `example.com/m`/", Reason: "own module"}},
		{"main.go", "example.com/m/pkg/none", lang.Target{Reason: "no Go files in pkg/none"}},
		{"main.go", "./pkg/a", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/m . `example.com/m/pkg/a`/", Path: "pkg/a", Reason: "relative import"}},
		{"pkg/a/a.go", "../b", lang.Target{Reason: "no Go files in pkg/b"}},
		{"main.go", "example.com/m/tools/gen", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/m/tools . `example.com/m/tools/gen`/", Path: "tools/gen", Reason: "workspace module"}},
		{"main.go", "example.com/sibling", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/sibling . `example.com/sibling`/", Path: "sibling", Reason: "module of this repository"}},
		{"main.go", "example.com/fork/lib", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/fork . `example.com/fork/lib`/", Path: "third/fork/lib", Reason: "replace directive"}},
		{"main.go", "example.com/worked", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/worked . `example.com/worked`/", Path: "worked", Reason: "replace directive"}},
		{"main.go", "example.com/moved/x", lang.Target{Kind: lang.TargetExternal, Namespace: "example.com/moved/x", Manager: "gomod", Package: "example.com/new", Version: "v1.5.0", Reason: "replace directive"}},
		{"main.go", "example.com/away/x", lang.Target{Kind: lang.TargetExternal, Namespace: "example.com/away/x", Manager: "gomod", Package: "example.com/away", Reason: "replaced by a directory outside of the repository"}},
		{"main.go", "example.com/ext/v2/x", lang.Target{Kind: lang.TargetExternal, Namespace: "example.com/ext/v2/x", Manager: "gomod", Package: "example.com/ext/v2", Version: "v2.3.4", Reason: "required by go.mod"}},
		{"main.go", "example.com/ext/x", lang.Target{Kind: lang.TargetExternal, Namespace: "example.com/ext/x", Manager: "gomod", Package: "example.com/ext", Version: "v1.0.0", Reason: "required by go.mod"}},
		{"main.go", "gopkg.in/yaml.v3", lang.Target{Kind: lang.TargetExternal, Namespace: "gopkg.in/yaml.v3", Manager: "gomod", Package: "gopkg.in/yaml.v3", Version: "v3.0.1", Reason: "required by go.mod"}},
		{"main.go", "example.com/toolsdep/x", lang.Target{Kind: lang.TargetExternal, Namespace: "example.com/toolsdep/x", Manager: "gomod", Package: "example.com/toolsdep", Version: "v0.9.0", Reason: "required by go.mod"}},
		{"main.go", "example.com/unlisted", lang.Target{Reason: "no module that go.mod requires provides it"}},
		{"main.go", "example.com/hidden/h", lang.Target{Reason: "no module that go.mod requires provides it"}},
		{"testdata/mod/h/h.go", "example.com/hidden/h", lang.Target{Kind: lang.TargetScope, Scope: "go gomod example.com/hidden . `example.com/hidden/h`/", Path: "testdata/mod/h", Reason: "own module"}},
		{"main.go", "net/http", lang.Target{Kind: lang.TargetExternal, Namespace: "net/http", Manager: "gomod", Package: "std", Standard: true, Reason: "standard library"}},
		{"main.go", "C", lang.Target{Kind: lang.TargetExternal, Namespace: "C", Manager: "cgo", Package: "C", Standard: true, Reason: "cgo"}},
		{"legacy/l.go", "github.com/pkg/errors", lang.Target{Kind: lang.TargetScope, Scope: "go gomod github.com/pkg/errors . `github.com/pkg/errors`/", Path: "legacy/vendor/github.com/pkg/errors", Reason: "vendor directory"}},
		{"legacy/l.go", "example.com/unlisted", lang.Target{Reason: "go.mod cannot be read: legacy/go.mod:4: syntax error (unterminated block started at legacy/go.mod:2:1)"}},
	}
	for _, test := range tests {
		got := m.Resolve(test.from, &code.Import{}, test.specifier)
		got.Lookups = nil
		if got.Kind != test.want.Kind || got.Scope != test.want.Scope || got.Path != test.want.Path || got.Manager != test.want.Manager ||
			got.Package != test.want.Package || got.Version != test.want.Version || got.Standard != test.want.Standard || got.Reason != test.want.Reason {
			t.Errorf("%s imports %s\n got %+v\nwant %+v", test.from, test.specifier, got, test.want)
		}
	}
}

func TestResolveStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, manifest := range []string{"-- src/go.mod --\nmodule std\n-- src/cmd/go.mod --\nmodule cmd\n", ""} {
		m := open(t, "go", manifest+`
-- src/unsafe/unsafe.go --
package unsafe
-- src/builtin/builtin.go --
package builtin
-- src/runtime/proc.go --
package runtime
-- src/net/http/server.go --
package http
-- src/vendor/golang.org/x/net/idna/y.go --
package idna
-- src/cmd/go/main.go --
package main
-- src/cmd/internal/obj/o.go --
package obj
`)
		for _, test := range []struct{ from, specifier, path string }{
			{"src/net/http/server.go", "runtime", "src/runtime"},
			{"src/net/http/server.go", "unsafe", "src/unsafe"},
			{"src/net/http/server.go", "golang.org/x/net/idna", "src/vendor/golang.org/x/net/idna"},
			{"src/cmd/go/main.go", "cmd/internal/obj", "src/cmd/internal/obj"},
			{"src/cmd/go/main.go", "net/http", "src/net/http"},
		} {
			if got := m.Resolve(test.from, &code.Import{}, test.specifier); got.Kind != lang.TargetScope || got.Path != test.path {
				t.Errorf("%s imports %s: %+v", test.from, test.specifier, got)
			}
		}
		if got := m.Resolve("src/net/http/server.go", &code.Import{}, "no/such"); got.Kind != lang.TargetUnresolved {
			t.Errorf("no/such: %+v", got)
		}
	}
}

func TestResolveWithoutModule(t *testing.T) {
	t.Parallel()
	m := open(t, "tool", `
-- a.go --
package tool
import (
	"github.com/someone/tool/lib"
	"github.com/pkg/errors"
)
-- lib/l.go --
package lib
-- errors/e.go --
package errors
-- src/example.com/old/o.go --
package old
`)
	for _, test := range []struct {
		specifier string
		kind      lang.TargetKind
		path, pkg string
	}{
		{"github.com/someone/tool/lib", lang.TargetScope, "lib", ""},
		{"github.com/someone/tool", lang.TargetScope, "", ""},
		{"github.com/pkg/errors", lang.TargetExternal, "", "github.com/pkg/errors"},
		{"github.com/a/b/c/d", lang.TargetExternal, "", "github.com/a/b"},
		{"gopkg.in/a.v1/c", lang.TargetExternal, "", "gopkg.in/a.v1"},
		{"example.com/old", lang.TargetScope, "src/example.com/old", ""},
		{"fmt", lang.TargetExternal, "", "std"},
	} {
		if got := m.Resolve("a.go", &code.Import{}, test.specifier); got.Kind != test.kind || got.Path != test.path || got.Package != test.pkg {
			t.Errorf("%s: %+v", test.specifier, got)
		}
	}
}
