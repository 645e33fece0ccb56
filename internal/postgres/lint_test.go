package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sqlStart finds the beginning of an SQL statement.
var sqlStart = regexp.MustCompile(`(?is)^\s*(select|insert|update|delete|with|copy|create|alter|drop|truncate|grant|revoke|set|lock|notify|listen|call|do|merge|vacuum|analyze)\s`)

// findings says where a file puts SQL together from pieces.
func findings(fset *token.FileSet, file *ast.File) (out []string) {
	isSQL := func(e ast.Expr) bool {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return false
		}
		s, err := strconv.Unquote(lit.Value)
		return err == nil && sqlStart.MatchString(s)
	}
	at := func(n ast.Node, what string) {
		out = append(out, fset.Position(n.Pos()).String()+": "+what)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.ADD && (isSQL(n.X) || isSQL(n.Y)) {
				at(n, "an SQL statement is put together with +")
			}
		case *ast.AssignStmt:
			if n.Tok == token.ADD_ASSIGN && len(n.Rhs) == 1 && isSQL(n.Rhs[0]) {
				at(n, "an SQL statement is put together with +=")
			}
		case *ast.CallExpr:
			fun, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, _ := fun.X.(*ast.Ident)
			if pkg != nil && (pkg.Name == "fmt" || pkg.Name == "strings" || pkg.Name == "bytes") {
				for _, arg := range n.Args {
					if isSQL(arg) {
						at(n, "an SQL statement goes through "+pkg.Name+"."+fun.Sel.Name)
					}
				}
			}
			// What is handed to the driver must be a constant or a variable that only ever is one.
			switch fun.Sel.Name {
			case "Exec", "Query", "QueryRow", "Queue", "CopyFrom":
				for _, arg := range n.Args {
					if b, ok := arg.(*ast.BinaryExpr); ok && b.Op == token.ADD {
						at(n, "the statement of "+fun.Sel.Name+" is put together with +")
					}
					if c, ok := arg.(*ast.CallExpr); ok {
						if s, ok := c.Fun.(*ast.SelectorExpr); ok {
							if p, ok := s.X.(*ast.Ident); ok && p.Name == "fmt" {
								at(n, "the statement of "+fun.Sel.Name+" comes from fmt")
							}
						}
					}
				}
			}
		}
		return true
	})
	return out
}

// TestNoStatementIsPutTogether reads the sources of the package: SQL is constant
// text and values are bound.
func TestNoStatementIsPutTogether(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	read := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." {
			return fs.SkipDir // postgrestest makes databases, whose names cannot be bound
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return err
		}
		read++
		for _, f := range findings(fset, file) {
			t.Error(f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 20 {
		t.Fatalf("only %d files were read", read)
	}
}

// TestTheLintSees holds the lint itself against statements that are put together.
func TestTheLintSees(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`db.Query(ctx, "select * from x where a = '" + v + "'")`,
		`s := fmt.Sprintf("delete from %s", table)`,
		"s := `update t set a = ` + v",
		`s := ""; s += "select 1"`,
		`tx.Exec(ctx, fmt.Sprintf("x %s", v))`,
		`s := strings.ReplaceAll("select $x", "$x", v)`,
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", "package x\nfunc f() {\n"+body+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(findings(fset, file)) == 0 {
			t.Errorf("not seen: %s", body)
		}
	}
	if _, err := os.Stat("db.go"); err != nil {
		t.Fatal(err)
	}
}
