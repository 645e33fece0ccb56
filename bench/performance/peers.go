package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"manito/bench/scip"
)

// peer is another program that reads the same sources.
type peer struct {
	name  string
	does  string
	trees []string // that it is run on
	slow  bool     // it takes minutes on the large trees and is run on these only when asked for
	// install finds or installs it and returns its program; an error when it cannot be had.
	install func(ctx context.Context, cache string) (string, error)
	// index makes the command that reads root and writes to out. A peer that writes into the folder it reads gets a copy as root.
	index func(bin, root, out string, t *tree) *exec.Cmd
	copy  bool
	count func(ctx context.Context, bin, root, out string, printed []byte) (symbols, edges int64, err error)
	made  func(root, out string) string // what it made: a file or folder
}

// peerResult is what a peer took and made; Missing says why it was not run.
type peerResult struct {
	Name    string `json:"name"`
	Does    string `json:"does"`
	Usage   usage  `json:"usage"`
	Disk    int64  `json:"disk_bytes"`
	Symbols int64  `json:"symbols"`
	Edges   int64  `json:"edges"`
	Missing string `json:"missing,omitempty"`
}

const (
	codegraphVersion = "1.6.1"
	scipVersion      = "0.4.0"
	zoektModule      = "github.com/sourcegraph/zoekt"
	zoektVersion     = "v0.0.0-20240808144359-20c496e3680f"
)

func peers() []peer {
	return []peer{
		{
			name: "universal-ctags", does: "definitions only", trees: []string{"go", "typescript", "python"},
			install: func(context.Context, string) (string, error) { return exec.LookPath("ctags") },
			index: func(bin, root, out string, t *tree) *exec.Cmd {
				return exec.Command(bin, "-R", "--languages="+t.language, "-f", filepath.Join(out, "tags"), root)
			},
			count: func(_ context.Context, _, _, out string, _ []byte) (int64, int64, error) {
				text, err := os.ReadFile(filepath.Join(out, "tags"))
				lines := bytes.Count(text, []byte{'\n'}) - bytes.Count(text, []byte("\n!_TAG"))
				return int64(lines), 0, err
			},
			made: func(_, out string) string { return out },
		},
		{
			name: "zoekt-index " + zoektVersion[len("v0.0.0-"):][:8], does: "trigrams only", trees: []string{"go", "typescript", "python"},
			install: installZoekt,
			index: func(bin, root, out string, _ *tree) *exec.Cmd {
				// Its newest version that the proxy serves asks ctags for languages that Debian's does not know.
				return exec.Command(bin, "-disable_ctags", "-index", out, root)
			},
			count: func(context.Context, string, string, string, []byte) (int64, int64, error) { return 0, 0, nil },
			made:  func(_, out string) string { return out },
		},
		{
			name: "codegraph " + codegraphVersion, does: "graph", trees: []string{"go", "typescript", "python"}, slow: true, copy: true,
			install: func(ctx context.Context, cache string) (string, error) {
				return installNpm(ctx, cache, "@colbymchenry/codegraph", codegraphVersion, "node_modules/.bin/codegraph")
			},
			index: func(bin, root, _ string, _ *tree) *exec.Cmd { return exec.Command(bin, "init", root) },
			count: countCodegraph,
			made:  func(root, _ string) string { return filepath.Join(root, ".codegraph") },
		},
		{
			name: "scip-typescript " + scipVersion, does: "definitions and occurrences, type-checked", trees: []string{"typescript"}, copy: true,
			install: func(ctx context.Context, cache string) (string, error) {
				return installNpm(ctx, cache, "@sourcegraph/scip-typescript", scipVersion, "node_modules/.bin/scip-typescript")
			},
			index: func(bin, root, out string, _ *tree) *exec.Cmd {
				cmd := exec.Command(bin, "index", "--infer-tsconfig", "--no-progress-bar", "--output", filepath.Join(out, "index.scip"))
				cmd.Dir = root
				return cmd
			},
			count: countOccurrences,
			made:  func(_, out string) string { return out },
		},
	}
}

// countOccurrences counts a SCIP index's definitions, and its occurrences that are none: the nearest that it has to edges.
func countOccurrences(_ context.Context, _, _, out string, _ []byte) (symbols, edges int64, err error) {
	raw, err := os.ReadFile(filepath.Join(out, "index.scip"))
	if err != nil {
		return 0, 0, err
	}
	docs, err := scip.Read(raw)
	for _, d := range docs {
		for _, o := range d.Occurrences {
			switch {
			case !o.Definition:
				edges++
			case !strings.HasPrefix(o.Symbol, "local "):
				symbols++
			}
		}
	}
	return symbols, edges, err
}

func installNpm(ctx context.Context, cache, name, version, bin string) (string, error) {
	dir := filepath.Join(cache, "peers", strings.NewReplacer("/", "+").Replace(name)+"@"+version)
	path := filepath.Join(dir, filepath.FromSlash(bin))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", name+"@"+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm: %w: %s", err, lastLine(string(out)))
	}
	return path, nil
}

func installZoekt(ctx context.Context, cache string) (string, error) {
	path := filepath.Join(cache, "peers", "zoekt-index-"+zoektVersion)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", zoektModule+"@"+zoektVersion)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var m struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &m); err == nil {
		err = jsonErr
	}
	if m.Error != "" {
		err = errors.New(m.Error)
	}
	if err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-C", m.Dir, "-o", path, "./cmd/zoekt-index").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, lastLine(string(out)))
	}
	return path, nil
}

// numbers finds "Nodes: 12,345" and "Edges: 67,890" in what codegraph prints.
var numbers = regexp.MustCompile(`(?i)(nodes|edges)[^0-9\n]{0,20}([0-9][0-9,]*)|([0-9][0-9,]*) (nodes|edges)`)

func countCodegraph(ctx context.Context, bin, root, _ string, _ []byte) (symbols, edges int64, err error) {
	out, err := exec.CommandContext(ctx, bin, "status", root).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("codegraph status: %w: %s", err, out)
	}
	for _, m := range numbers.FindAllStringSubmatch(string(out), -1) {
		word, digits := strings.ToLower(m[1]+m[4]), strings.ReplaceAll(m[2]+m[3], ",", "")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		switch {
		case word == "nodes" && symbols == 0:
			symbols = n
		case word == "edges" && edges == 0:
			edges = n
		}
	}
	return symbols, edges, nil
}

// measurePeer runs a peer on a tree.
func measurePeer(ctx context.Context, cache, root string, p *peer, t *tree) (r peerResult, err error) {
	r = peerResult{Name: p.name, Does: p.does}
	if !slices.Contains(p.trees, t.name) {
		return r, errors.New("it does not read this language")
	}
	bin, err := p.install(ctx, cache)
	if err != nil {
		r.Missing = err.Error()
		return r, nil
	}
	work, err := os.MkdirTemp("", "manito-peer-")
	if err != nil {
		return r, err
	}
	defer func() {
		if rm := os.RemoveAll(work); err == nil {
			err = rm
		}
	}()
	out := filepath.Join(work, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return r, err
	}
	if p.copy {
		to := filepath.Join(work, filepath.Base(root))
		if err := copyTo(root, to); err != nil {
			return r, err
		}
		root = to
	}
	cmd := p.index(bin, root, out, t)
	cmd.Env = append(os.Environ(), "DO_NOT_TRACK=1", "CI=true")
	run, err := measure(ctx, cmd, 0)
	if err != nil {
		r.Missing = err.Error()
		return r, nil
	}
	r.Usage = run.usage
	if r.Disk, err = size(p.made(root, out)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	r.Symbols, r.Edges, err = p.count(ctx, bin, root, out, run.out)
	return r, err
}
