package scan_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"manito/internal/lang/all"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
	"manito/internal/scan"
	"manito/internal/source"
)

func TestMain(m *testing.M) {
	if os.Getenv("SCAN_CHILD") != "" {
		os.Exit(child())
	}
	// Each case scans several times; the flag still overrides.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	os.Exit(postgrestest.Main(m))
}

// write makes a tree of files below dir; an empty text removes the file.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if text == "" {
			if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shop is a small repository with every kind of edge.
var shop = map[string]string{
	"go.mod":         "module example.com/shop\n\ngo 1.24\n",
	"main.go":        "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/shop/store\"\n)\n\n// main starts it.\nfunc main() {\n\ts := store.New()\n\tfmt.Println(s.Count())\n}\n",
	"store/store.go": "package store\n\ntype Store struct{ n int }\n\ntype Counter interface{ Count() int }\n\nfunc New() *Store { return &Store{} }\n\nfunc (s *Store) Count() int { return s.n }\n",
	"README.md":      "# Shop\n",
	"logo.png":       "\x89PNG\x00\x01\x02",
	"broken.go":      "package main\n\nfunc broken( {\n",
}

func run(ctx context.Context, db *postgres.DB, dir string, workers int, progress func(scan.Progress)) (*scan.Report, error) {
	tree, err := source.Open(ctx, source.Input{Location: dir})
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	s := &scan.Scanner{DB: db, Languages: all.Languages(), Workers: workers}
	return s.Run(ctx, scan.Input{Tree: tree, Progress: progress})
}

func mustRun(t testing.TB, db *postgres.DB, dir string, workers int) *scan.Report {
	t.Helper()
	r, err := run(t.Context(), db, dir, workers, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contents reads a published snapshot back in a form that does not depend on ids.
func contents(t testing.TB, db *postgres.DB, repo int32, ref string) map[string]string {
	t.Helper()
	ctx := context.Background()
	m, err := db.Current(ctx, repo, ref)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"digest": fmt.Sprintf("%x", m.Digest)}
	u := pack.NewUnpacker()
	for _, e := range m.Entries {
		var b strings.Builder
		if e.BlobID != 0 {
			z, err := db.ReadBlob(ctx, repo, e.BlobID)
			if err != nil {
				t.Fatal(err)
			}
			if len(z) > 0 {
				text, err := u.Text(z)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "text %x\n", sha256.Sum256(text))
			}
		}
		if e.FactID != 0 {
			err := db.ReadFacts(ctx, repo, []int32{e.FactID}, func(_ int32, z []byte) error {
				doc, err := u.Document(z)
				if err == nil {
					fmt.Fprintf(&b, "fact %x scope %s\n", sha256.Sum256(pack.NewPacker().Document(doc)), e.Scope)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if e.BlockID != 0 {
			err := db.ReadBlocks(ctx, repo, []int32{e.BlockID}, func(_ int32, block *pack.Block) error {
				for i := range block.Len() {
					edge, err := block.Edge(i)
					if err != nil {
						return err
					}
					fmt.Fprintf(&b, "edge %v\n", edge)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			err = db.ReadSites(ctx, repo, []int32{e.BlockID}, func(_ int32, z []byte) error {
				sites, err := u.Sites(z)
				fmt.Fprintf(&b, "sites %v\n", sites)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		out[e.Path] = b.String()
	}
	return out
}

func TestScanIsStoredAndReadBack(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	dir := t.TempDir()
	write(t, dir, shop)
	r := mustRun(t, db, dir, 2)
	st := r.Stats
	if st.Files != 6 || st.Extracted != 3 || st.Definitions == 0 || st.Edges == 0 || st.Diagnostics == 0 {
		t.Fatalf("stats %+v", st)
	}
	got := contents(t, db, r.Repo.ID, r.Ref)
	for name := range shop {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is not in the snapshot", name)
		}
	}
	breaches, err := db.CheckIntegrity(t.Context(), r.Repo.ID, r.Ref, 20)
	if err != nil || len(breaches) > 0 {
		t.Fatalf("integrity: %v %v", breaches, err)
	}
	again := mustRun(t, db, dir, 2)
	if !again.Unchanged || again.Digest != r.Digest || again.Snapshot != r.Snapshot || again.Stats.Extracted != 0 || again.Stats.Reused != 3 {
		t.Fatalf("second scan: %+v", again)
	}
}

// TestSameTreeSameDigest: neither the number of workers, nor the place of the
// tree, nor what the database held before may show in keys, edges or digest.
func TestSameTreeSameDigest(t *testing.T) {
	t.Parallel()
	var want map[string]string
	for i, workers := range []int{1, 2, 8} {
		db := postgrestest.Open(t)
		dir := filepath.Join(t.TempDir(), "shop")
		write(t, dir, shop)
		r := mustRun(t, db, dir, workers)
		got := contents(t, db, r.Repo.ID, r.Ref)
		if i == 0 {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d workers (-want +got):\n%s", workers, diff)
		}
	}
}

// edits are versions of files that a property test puts together at random.
var edits = map[string][]string{
	"go.mod":           {shop["go.mod"], "module example.com/other\n\ngo 1.24\n"},
	"main.go":          {shop["main.go"], "package main\n\nfunc main() { helper() }\n", ""},
	"help.go":          {"", "package main\n\nfunc helper() {}\n", "package main\n\nfunc helper() { other() }\n\nfunc other() {}\n", "package main\n\nfunc helper( {"},
	"store/store.go":   {shop["store/store.go"], "", "package store\n\ntype Store struct{ Base }\n\nfunc New() *Store { return nil }\n"},
	"store/base.go":    {"", "package store\n\ntype Base struct{}\n\nfunc (Base) Count() int { return 0 }\n", "package store\n\n//go:build linux\n\ntype Base struct{}\n"},
	"store/iface.go":   {"", "package store\n\ntype Counter interface{ Count() int }\n\nfunc sum(c Counter) int { return c.Count() }\n"},
	"store/x_test.go":  {"", "package store_test\n\nimport \"example.com/shop/store\"\n\nfunc use() { store.New().Count() }\n"},
	"copy/a.go":        {"", "package a\n\nfunc helper() {}\n"},
	"copy/b.go":        {"", "package a\n\nfunc helper() {}\n", "package a\n\nfunc user() { helper() }\n"},
	"vendor/x/x.go":    {"", "package x\n\nfunc X() {}\n"},
	"notes.txt":        {"", "hello\n", "\xff\xfeh\x00i\x00"},
	"deep/er/still.go": {"", "package still\n\nimport \"example.com/shop/store\"\n\nvar S = store.New()\n\nfunc F() int { return S.Count() }\n"},
}

// TestIncrementalEqualsFull: after any sequence of edits, what the database with
// a history holds is what a clean scan of the same tree gives.
func TestIncrementalEqualsFull(t *testing.T) {
	t.Parallel()
	names := make([]string, 0, len(edits))
	for n := range edits {
		names = append(names, n)
	}
	slices.Sort(names)
	history := postgrestest.Open(t)
	rapid.Check(t, func(rt *rapid.T) {
		root, err := os.MkdirTemp(t.TempDir(), "tree")
		if err != nil {
			rt.Fatal(err)
		}
		dir := filepath.Join(root, "shop")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(rt, "scans") {
			files := map[string]string{}
			for range rapid.IntRange(1, 5).Draw(rt, "edits") {
				n := rapid.SampledFrom(names).Draw(rt, "file")
				files[n] = rapid.SampledFrom(edits[n]).Draw(rt, "version")
			}
			write(t, dir, files)
			kept := mustRun(t, history, dir, 2)
			clean := mustRun(t, history, copyOf(t, dir), 3)
			if diff := cmp.Diff(contents(t, history, clean.Repo.ID, clean.Ref), contents(t, history, kept.Repo.ID, kept.Ref)); diff != "" {
				rt.Fatalf("incremental differs from full (-full +incremental):\n%s", diff)
			}
		}
	})
}

// copyOf copies a tree to a place that was never scanned.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	root, err := os.MkdirTemp(t.TempDir(), "copy")
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(root, filepath.Base(dir))
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// child scans in a process of its own and kills itself where it is told to.
func child() int {
	ctx := context.Background()
	var cfg postgres.Config
	if err := json.Unmarshal([]byte(os.Getenv("SCAN_CHILD")), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	db, err := postgres.Open(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	phase := scan.Phase(os.Getenv("SCAN_KILL"))
	_, err = run(ctx, db, os.Args[len(os.Args)-1], 2, func(p scan.Progress) {
		if p.Phase == phase {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	fmt.Fprintln(os.Stderr, "not killed:", err)
	return 1
}

// TestKilledInEveryPhase: a scan that dies by SIGKILL leaves the previous
// snapshot or the new one, complete, and the next scan goes through.
func TestKilledInEveryPhase(t *testing.T) {
	t.Parallel()
	for _, phase := range []scan.Phase{scan.PhaseExtract, scan.PhaseLink, scan.PhaseWrite, scan.PhasePublish, scan.PhaseProject} {
		t.Run(string(phase), func(t *testing.T) {
			t.Parallel()
			var cfg postgres.Config
			db := postgrestest.Open(t, func(c *postgres.Config) { cfg = *c })
			dir := filepath.Join(t.TempDir(), "shop")
			write(t, dir, shop)
			first := mustRun(t, db, dir, 2)
			before := contents(t, db, first.Repo.ID, first.Ref)

			write(t, dir, map[string]string{"store/more.go": "package store\n\nfunc More() *Store { return New() }\n", "README.md": ""})
			settings, err := json.Marshal(cfg)
			if err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self, dir)
			cmd.Env = append(os.Environ(), "SCAN_CHILD="+string(settings), "SCAN_KILL="+string(phase))
			var out bytes.Buffer
			cmd.Stderr = &out
			err = cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the child was not killed: %v %s", err, out.String())
			}
			after := contents(t, db, first.Repo.ID, first.Ref)
			published := phase == scan.PhaseProject
			if published == cmp.Equal(before, after) {
				t.Fatalf("killed in %s: snapshot is the old one: %v", phase, !published)
			}
			next := mustRun(t, db, dir, 2)
			clean := mustRun(t, db, copyOf(t, dir), 2)
			if diff := cmp.Diff(contents(t, db, clean.Repo.ID, clean.Ref), contents(t, db, next.Repo.ID, next.Ref)); diff != "" {
				t.Fatalf("the scan after the kill differs from a clean one:\n%s", diff)
			}
			breaches, err := db.CheckIntegrity(t.Context(), next.Repo.ID, next.Ref, 20)
			if err != nil || len(breaches) > 0 {
				t.Fatalf("integrity: %v %v", breaches, err)
			}
		})
	}
}

// TestInterrupted: a scan that is cancelled says so and leaves the previous snapshot.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	dir := t.TempDir()
	write(t, dir, shop)
	first := mustRun(t, db, dir, 2)
	write(t, dir, map[string]string{"more.go": "package main\n\nfunc more() {}\n"})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := run(ctx, db, dir, 2, func(p scan.Progress) {
		if p.Phase == scan.PhaseLink {
			cancel()
		}
	})
	if problem.KindOf(err) != problem.Interrupted {
		t.Fatalf("cancelled scan: %v", err)
	}
	m, err := db.Current(t.Context(), first.Repo.ID, first.Ref)
	if err != nil || m.Digest != first.Digest {
		t.Fatalf("snapshot after the cancelled scan: %x, %v", m.Digest, err)
	}
	scans, err := db.Scans(t.Context(), first.Repo.ID, 1)
	if err != nil || len(scans) != 1 || scans[0].Status != postgres.ScanCancelled || scans[0].Held {
		t.Fatalf("recorded as %+v, %v", scans, err)
	}
	mustRun(t, db, dir, 2)
}

// TestTwoScansOfOneRepository: the second says who is scanning.
func TestTwoScansOfOneRepository(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	dir := t.TempDir()
	write(t, dir, shop)
	tried := false
	_, err := run(t.Context(), db, dir, 1, func(p scan.Progress) {
		if p.Phase == scan.PhaseLink && !tried {
			tried = true
			_, err := run(t.Context(), db, dir, 1, nil)
			if problem.KindOf(err) != problem.Conflict || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
				t.Errorf("second scan: %v", err)
			}
		}
	})
	if err != nil || !tried {
		t.Fatal(err, tried)
	}
}

// TestOddTrees: trees that are unlike a repository are scanned all the same.
func TestOddTrees(t *testing.T) {
	t.Parallel()
	db := postgrestest.Open(t)
	for name, files := range map[string]map[string]string{
		"empty":    {},
		"binaries": {"a.bin": "\x00\x01", "b.so": "\x7fELF\x00"},
		"odd": {
			"nul.go":        "package a\n\nfunc f() {\x00}\n",
			"latin.go":      "package a\n\n// caf\xe9\nfunc g() {}\n",
			"nested.go":     "package a\n\nvar x = " + strings.Repeat("(", 200_000) + "1" + strings.Repeat(")", 200_000) + "\n",
			"minified.js":   "var a=" + strings.Repeat("1+", 5<<20) + "1",
			"empty.go":      " ",
			"space name.go": "package a\n",
			"ünï.go":        "package a\n\nfunc Ünï() { Ünï() }\n",
		},
	} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, dir, files)
		r := mustRun(t, db, dir, 2)
		if r.Stats.Files != len(files) {
			t.Errorf("%s: %d files of %d", name, r.Stats.Files, len(files))
		}
		if breaches, err := db.CheckIntegrity(t.Context(), r.Repo.ID, r.Ref, 20); err != nil || len(breaches) > 0 {
			t.Errorf("%s: %v %v", name, breaches, err)
		}
	}
}
