// Command sum writes migrations.sum. It is run after a migration was added:
//
//	go generate ./internal/migrate
//	go run ./internal/migrate/sum [FOLDER]
//
// Without an argument the folder is that of Manito's own migrations, from the root of
// the repository or from the package.
//
// EXIT STATUS: 0 written, 1 a migration does not parse, 2 usage, 3 a file cannot be
// read or written.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"manito/internal/migrate"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run writes the sum of one folder of migrations.
func run(args []string, stderr io.Writer) int {
	var folder string
	switch len(args) {
	case 0:
		folder = "migrations"
		if _, err := os.Stat(folder); err != nil {
			folder = filepath.Join("internal", "migrate", "migrations")
		}
	case 1:
		folder = args[0]
	default:
		fmt.Fprintln(stderr, "usage: sum [FOLDER]")
		return 2
	}
	files, findings, err := migrate.Parse(os.DirFS(folder))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	for _, f := range findings {
		fmt.Fprintf(stderr, "%s:%d: %s (%s)\n", filepath.Join(folder, f.File), f.Line, f.Message, f.Fix)
	}
	if len(findings) > 0 {
		return 1
	}
	if err := os.WriteFile(filepath.Join(folder, migrate.SumName), []byte(migrate.Sum(files)), 0o644); err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	return 0
}
