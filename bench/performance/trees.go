package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"manito/bench/corpus"
)

// tree is a folder of sources to be measured on.
type tree struct {
	name     string // "go", "typescript", "python"
	title    string
	pins     []corpus.Pin
	endings  []string
	language string // as ctags calls it
	// questions are symbols that are asked about.
	questions []string
	limits    []limit
}

// limit is a figure that is promised.
type limit struct {
	what  string
	value func(*result) float64
	most  float64
	unit  string
}

func trees() []tree {
	npm := func(name, version, sum string, keep ...string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Npm, Name: name, Version: version, Sum: sum, Keep: append(keep, "package.json", "tsconfig.json")}
	}
	debian := func(name, version, sum, keep string) corpus.Pin {
		return corpus.Pin{Registry: corpus.Debian, Name: name, Version: version, Sum: sum, Keep: []string{keep}}
	}
	scanCPU := func(r *result) float64 { return r.Manito.Scan.CPU }
	return []tree{
		{
			name: "go", title: "the Go standard library", pins: []corpus.Pin{{Registry: corpus.GOROOT, Name: "std", Version: runtime.Version()}},
			endings: []string{".go"}, language: "Go", questions: []string{"net/http.Client.Do", "bytes.Buffer.Write", "fmt.Errorf"},
			limits: []limit{
				{"scan, CPU of all processes", scanCPU, 12, "s"},
				{"scan, wall on quiet cores", func(r *result) float64 { return r.Manito.Scan.Wall }, 12, "s"},
				{"published, CPU against go/parser alone", func(r *result) float64 { return r.Manito.Published / r.Parser.CPU }, 3, "x"},
				{"with projections, CPU against go/parser alone", func(r *result) float64 { return r.Manito.Scan.CPU / r.Parser.CPU }, 4.2, "x"},
				{"peak memory of all processes", func(r *result) float64 { return float64(r.Manito.Scan.Peak) / 1e9 }, 1.5, "GB"},
				{"def from the command line", func(r *result) float64 { return slowest(r.Manito.Questions["def"]) }, 150, "ms"},
				{"impact from the command line", func(r *result) float64 { return slowest(r.Manito.Questions["impact"]) }, 700, "ms"},
				{"SQL: callers of one symbol", func(r *result) float64 { return slowest(r.Manito.Questions["sql callers"]) }, 50, "ms"},
				{"SQL: count(*) of graph_edges, for 5 million", func(r *result) float64 {
					return slowest(r.Manito.Questions["sql count"]) / 1000 * 5e6 / float64(r.Manito.Edges)
				}, 5, "s"},
				{"bytes of an edge on disk", func(r *result) float64 { return float64(r.Manito.EdgeBytes) / float64(r.Manito.Edges) }, 12, "B"},
				{"database against the bytes of all files", func(r *result) float64 { return float64(r.Manito.Disk) / float64(r.Manito.Bytes) }, 1.5, "x"},
			},
		},
		{
			name: "typescript", title: "a TypeScript tree of npm packages that ship their sources", endings: []string{".ts", ".tsx", ".mts"}, language: "TypeScript",
			pins: []corpus.Pin{
				npm("zod", "4.6.7", "sha512-g8W2D2kU6a8untc053fX1uVBKzM7yqAxW/3zwk83+6RyF2+SKOuV+c0wBDhUwzV1PaGapmZH+rmcUzPf+3CGwg==", "src"),
				npm("rxjs", "7.8.2", "sha512-dhKf903U/PQZY6boNNtAGdWbG85WAbjT/1xYoZIC7FAY0yWapOBQVsVrDl58W86//e1VpMNBtRV4MaXfdMySFA==", "src"),
				npm("apache-arrow", "21.2.0", "sha512-Hxe6Agq26gQOM954qpzYSllJBPJl+e16U5CkfuMUhLrNba+5nKkttIVlflaovN6oaTratqMGAO8H5u/aNhmHWQ==", "src"),
				npm("ethers", "6.17.0", "sha512-BpyrpIPJ3ydEVow8zGaz1DuPS7YU8DcWxuBnY9a0UA/lvAPwrMr+EPXsfrul628SRaekPNeIM4UFh/91GWZang==", "src.ts"),
				npm("@reduxjs/toolkit", "2.14.0", "sha512-m/PxMwRe0xLL6XUsAgy0YjInklHcfi9uMwFhJk+QINqjxqPvyc89T5cMjszA5bDmTE0gwGc7zr9LRO4gL+mhaw==", "src"),
				npm("@trpc/server", "11.25.2", "sha512-zfFwyroSYSYlsAGo7yezGM+gAhHRBD9LyVMkXyCjWM2JuhorKGzl2fBzEUjHSKTtYlJ8l6DR3LHsBHBCTmAofQ==", "src"),
			},
			questions: []string{"packages/rxjs/src/internal/Observable.ts:Observable.subscribe", "packages/apache-arrow/src/builder.ts:Builder.append", "packages/zod/src/v4/core/core.ts:$constructor"},
			limits:    []limit{{"scan, CPU of all processes", scanCPU, 2.5, "s"}},
		},
		{
			name: "python", title: "a Python tree of Debian packages: Django, SQLAlchemy, NetworkX", endings: []string{".py"}, language: "Python",
			pins: []corpus.Pin{
				debian("python3-django", "3:3.2.25-0+deb12u2", "829d97dfab849e97f46ad4714ee0b6e250bffba8c4bafa7bc74e4f1395ddafeb", "django"),
				debian("python3-sqlalchemy", "1.4.46+ds1-1", "141f3ed680b5de944c82aff900b1aeb4909a5d17ee0ddd3d697e250b5f765468", "sqlalchemy"),
				debian("python3-networkx", "2.8.8-1", "69888603d1b54696f5c3d02d05527628d2d18661d845109a62fe24aff241aa7b", "networkx"),
			},
			questions: []string{"django/db/models/query.py:QuerySet.filter", "sqlalchemy/orm/session.py:Session.execute", "networkx/classes/graph.py:Graph.add_edge"},
			limits:    []limit{{"scan, CPU of all processes", scanCPU, 7, "s"}},
		},
	}
}

// prepare brings a tree to a folder of the cache and returns it. The standard
// library is taken where it is, all others are put together once.
func (t *tree) prepare(ctx context.Context, cache string) (string, error) {
	if len(t.pins) == 1 && t.pins[0].Registry == corpus.GOROOT {
		return corpus.Fetch(ctx, cache, t.pins[0])
	}
	var names []string
	for _, p := range t.pins {
		names = append(names, p.String()+" "+strings.Join(p.Keep, " "))
	}
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	home := filepath.Join(cache, "trees", t.name+"-"+hex.EncodeToString(sum[:4]))
	if _, err := os.Stat(home); err == nil {
		return home, nil
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(home), ".tree-")
	if err != nil {
		return "", err
	}
	for _, p := range t.pins {
		from, err := corpus.Fetch(ctx, cache, p)
		if err != nil {
			return "", errors.Join(err, os.RemoveAll(work))
		}
		to := work // Debian's packages share one folder
		if p.Registry == corpus.Npm {
			to = filepath.Join(work, "packages", strings.NewReplacer("/", "-", "@", "").Replace(p.Name))
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return "", errors.Join(err, os.RemoveAll(work))
		}
	}
	return home, os.Rename(work, home)
}

// count sums up the sources of a tree.
func (t *tree) count(root string) (files, lines int, size int64, err error) {
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() || !t.source(name) {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		lines += bytes.Count(text, []byte{'\n'})
		size += int64(len(text))
		return nil
	})
	return files, lines, size, err
}

func (t *tree) source(name string) bool {
	for _, e := range t.endings {
		if strings.HasSuffix(name, e) {
			return true
		}
	}
	return false
}

// copyTo copies the tree for a program that writes into the folder it reads.
func copyTo(root, to string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("copy for a peer: %w", err)
		}
		return os.WriteFile(target, text, 0o644)
	})
}
