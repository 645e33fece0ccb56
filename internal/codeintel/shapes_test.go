package codeintel

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestShapesAreDocumented holds docs/json.md to the answer types: each schema
// word with its fields, their types and what their comments say.
func TestShapesAreDocumented(t *testing.T) {
	t.Parallel()
	want := shapes(t)
	path := filepath.Join("..", "..", "docs", "json.md")
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: go test ./internal/codeintel -run Shapes -update", path)
	}
}

var schemaWord = regexp.MustCompile(`manito/[a-z]+/v\d+`)

// shapes renders the page from the package's own source.
func shapes(t *testing.T) []byte {
	t.Helper()
	fset := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, "manito/internal/codeintel", doc.AllDecls)
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	about := map[string]string{}
	var answers []string
	schema := map[string]string{}
	for _, ty := range pkg.Types {
		spec := ty.Decl.Specs[0].(*ast.TypeSpec)
		s, ok := spec.Type.(*ast.StructType)
		if !ok {
			continue
		}
		structs[ty.Name], about[ty.Name] = s, ty.Doc
		for _, f := range s.Fields.List {
			if len(f.Names) == 1 && f.Names[0].Name == "Schema" {
				schema[ty.Name] = schemaWord.FindString(f.Comment.Text())
				if schema[ty.Name] == "" {
					t.Errorf("%s.Schema has no word in its comment", ty.Name)
				}
				answers = append(answers, ty.Name)
			}
		}
	}
	slices.SortFunc(answers, func(a, b string) int { return strings.Compare(schema[a], schema[b]) })
	var b bytes.Buffer
	b.WriteString("# The JSON of answers\n\nEvery command that answers a question prints one object with `--json`. Its `schema` names the shape and its version: fields are added\nwithin a version, and a change of meaning makes a new one. Lines and columns begin at 1, columns count bytes. Lists are never null.\n\n<!-- made from the comments of internal/codeintel by its test; do not edit -->\n")
	shown := map[string]bool{}
	var queue []string
	show := func(name string, level string) {
		fmt.Fprintf(&b, "\n%s %s\n\n%s\n", level, name, strings.TrimSpace(about[name]))
		b.WriteString("\n| field | type | |\n|---|---|---|\n")
		var rows func(s *ast.StructType)
		rows = func(s *ast.StructType) {
			for _, f := range s.Fields.List {
				typ := jsonType(f.Type)
				if len(f.Names) == 0 { // embedded: its fields stand among the others
					rows(structs[typ])
					continue
				}
				if f.Tag == nil || !f.Names[0].IsExported() {
					continue
				}
				tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
				word, options, _ := strings.Cut(tag, ",")
				note := strings.TrimSpace(f.Comment.Text())
				if note == "" {
					note = strings.TrimSpace(f.Doc.Text())
				}
				if options == "omitempty" {
					note = strings.TrimPrefix(strings.TrimSpace("left out when empty; "+note), "; ")
				}
				note = strings.TrimSuffix(note, ";")
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", word, typ, strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(note), ";"), "\n", " "))
				if base := strings.Trim(typ, "[]*"); structs[base] != nil && !shown[base] {
					shown[base] = true
					queue = append(queue, base)
				}
			}
		}
		rows(structs[name])
	}
	for _, a := range answers {
		show(a, "## `"+schema[a]+"`:")
	}
	b.WriteString("\n## `manito/export/v1`\n\nThe output of `export --format json`: `schema`, `digest` (of the snapshot, hex), and the lists `files`, `packages`, `externals`, `symbols` and\n`edges`, in path order, then by position, made of the following.\n")
	for _, name := range []string{"exportedFile", "exportedPackage", "exportedExternal", "exportedSymbol", "exportedEdge"} {
		show(name, "###")
	}
	b.WriteString("\n# Parts of answers\n")
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		show(name, "##")
	}
	return b.Bytes()
}

// jsonType renders a field's type in the page's words.
func jsonType(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		switch e.Name {
		case "int", "int64", "float64":
			return "number"
		case "bool":
			return "boolean"
		case "Status":
			return "string"
		}
		return e.Name
	case *ast.ArrayType:
		return "[]" + jsonType(e.Elt)
	case *ast.StarExpr:
		return jsonType(e.X)
	case *ast.MapType:
		return "object of " + jsonType(e.Value)
	}
	return "?"
}
