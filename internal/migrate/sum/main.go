// Command sum writes migrations.sum. It is run by go generate in internal/migrate:
//
//	go generate ./internal/migrate
//
// EXIT STATUS: 0 written or fresh already, 1 a migration does not parse, 3 a file
// cannot be read or written.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"manito/internal/migrate"
)

func main() { os.Exit(run("migrations", os.Stderr)) }

// run writes the sum of one folder of migrations.
func run(folder string, stderr io.Writer) int {
	files, findings, err := migrate.Parse(os.DirFS(folder))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	if len(findings) > 0 {
		for _, f := range findings {
			fmt.Fprintf(stderr, "%s:%d: %s (%s)\n", f.File, f.Line, f.Message, f.Fix)
		}
		return 1
	}
	if err := os.WriteFile(filepath.Join(folder, migrate.SumName), []byte(migrate.Sum(files)), 0o644); err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	return 0
}
