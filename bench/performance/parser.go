package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"manito/internal/syntax/golang"
)

// parseAll reads and parses the Go files below a folder with as many workers as a
// scan has, and does nothing with the trees: the least that reading Go can cost.
func parseAll(root string) error {
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(name, ".go") {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	var next atomic.Int64
	var g errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return nil
				}
				text, err := os.ReadFile(files[i])
				if err != nil {
					return err
				}
				golang.Parse(text)
			}
		})
	}
	return g.Wait()
}
