package manito_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors lists the rooms of the house from the ground up. A package may import
// packages of lower floors, and those of its own room; ARCHITECTURE.md says what
// each room is for. A package is found under the longest name that is a prefix
// of its path.
var floors = [][]string{
	{"internal/code", "internal/problem", "internal/mapfile"},
	{"internal/source", "internal/graph", "internal/pack", "internal/config", "internal/query", "internal/trigram", "internal/chunk", "internal/term", "internal/vector"},
	{"internal/syntax", "internal/lang", "internal/pgembed", "internal/embed"},
	{"internal/link"},
	{"internal/migrate", "internal/lang/golang", "internal/lang/typescript", "internal/lang/python", "internal/lang/langtest"},
	{"internal/postgres", "internal/lang/all"},
	{"internal/postgres/postgrestest"},
	{"internal/search"},
	{"internal/scan", "internal/doctor", "internal/adopt"},
	{"internal/codeintel"},
	{"internal/server"},
	{"internal/cli"},
	{"cmd/manito", "bench"},
}

// walls says which packages alone may import what.
var walls = []struct {
	imports string   // a prefix of an import path
	only    []string // prefixes of the packages that may
	why     string
}{
	{"github.com/jackc/pgx", []string{"internal/postgres", "internal/migrate", "internal/pgembed", "internal/doctor", "internal/adopt", "bench"}, "SQL stays where its rows are scanned"},
	{"github.com/pressly/goose", []string{"internal/migrate"}, "one runner of migrations"},
	{"github.com/spf13/cobra", []string{"internal/cli"}, "the command line is one face among several"},
	{"github.com/microsoft/typescript-go", []string{"internal/syntax/typescript", "bench"}, "its interface changes without notice"},
	{"github.com/tree-sitter", []string{"internal/syntax/treesitter"}, "one C call per file, through one driver"},
	{"go/parser", []string{"internal/syntax/golang"}, "parsers are drivers"},
	{"database/sql", []string{"internal/migrate"}, "the store speaks pgx"},
}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
	Error        *struct{ Err string }
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Error", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 15 {
		t.Fatalf("go list names only %d packages", len(all))
	}
	return all
}

func inside(pkg, prefix string) bool { return pkg == prefix || strings.HasPrefix(pkg, prefix+"/") }

// room is the entry of floors to which a package belongs, and its floor.
func room(pkg string) (name string, floor int) {
	floor = -1
	for i, f := range floors {
		for _, r := range f {
			if inside(pkg, r) && len(r) > len(name) {
				name, floor = r, i
			}
		}
	}
	return name, floor
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		pkg, ok := strings.CutPrefix(p.ImportPath, "manito/")
		if !ok {
			continue
		}
		from, floor := room(pkg)
		if floor < 0 {
			t.Errorf("%s is in no room: give it one in floors and in ARCHITECTURE.md", pkg)
			continue
		}
		for _, imp := range p.Imports {
			to, ok := strings.CutPrefix(imp, "manito/")
			if !ok {
				continue
			}
			name, below := room(to)
			if name != from && below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports point down", pkg, floor, to, below)
			}
		}
	}
}

func TestWalls(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		pkg := strings.TrimPrefix(p.ImportPath, "manito/")
		for _, imp := range p.Imports {
			for _, w := range walls {
				if !strings.HasPrefix(imp, w.imports) {
					continue
				}
				if !slices.ContainsFunc(w.only, func(r string) bool { return inside(pkg, r) }) {
					t.Errorf("%s imports %s, which only %v may: %s", pkg, imp, w.only, w.why)
				}
			}
			if imp == "testing" && !strings.HasSuffix(pkg, "test") {
				t.Errorf("%s imports testing outside of a test", pkg)
			}
		}
	}
}

// TestNoVagueNames keeps out packages that are named after nothing.
func TestNoVagueNames(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, part := range strings.Split(p.ImportPath, "/") {
			if slices.Contains([]string{"util", "utils", "common", "shared", "helpers", "models", "misc", "types"}, part) {
				t.Errorf("%s: a package is named after what it holds", p.ImportPath)
			}
		}
	}
}
