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
	"slices"
	"strings"
)

// judgesDir holds the judges' pinned versions and the listers.
const judgesDir = "bench/accuracy/judges"

// installJudges brings the npm judges to a folder of the cache, once.
func installJudges(ctx context.Context, cache string) (string, error) {
	dir := filepath.Join(cache, "judges")
	lock, err := os.ReadFile(filepath.Join(judgesDir, "package-lock.json"))
	if err != nil {
		return "", err
	}
	if done, err := os.ReadFile(filepath.Join(dir, "installed-lock.json")); err == nil && bytes.Equal(done, lock) {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(judgesDir, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	if _, err := execute(ctx, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "installed-lock.json"), lock, 0o644)
}

func execute(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stderr.String(), stdout.String())
	}
	return stdout.Bytes(), nil
}

// filesWith lists the files below root with one of the endings.
func filesWith(root string, endings, not []string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		ends := func(e string) bool { return strings.HasSuffix(name, e) }
		if d.IsDir() || !slices.ContainsFunc(endings, ends) || slices.ContainsFunc(not, ends) {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	return out, err
}

// version is what a judge's package.json says.
func version(dir, pkg string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", filepath.FromSlash(pkg), "package.json"))
	if err != nil {
		return "", err
	}
	var p struct{ Version string }
	err = json.Unmarshal(text, &p)
	return p.Version, err
}

// typescriptConfig is the configuration under which sources are judged whose own is not in their package; %s are export conditions.
const typescriptConfig = `{"compilerOptions": {"customConditions": %s, "target": "esnext", "module": "esnext", "moduleResolution": "bundler", "lib": ["esnext", "dom", "dom.iterable"],
"strict": true, "skipLibCheck": true, "noEmit": true, "jsx": "preserve", "allowImportingTsExtensions": true, "resolveJsonModule": true, "experimentalDecorators": true},
"include": ["**/*.ts", "**/*.tsx", "**/*.mts"], "exclude": ["node_modules"]}`

// judgeTypeScript runs scip-typescript over the package in root.
func judgeTypeScript(ctx context.Context, cache, root string, s subject) (*answerKey, error) {
	dir, err := installJudges(ctx, cache)
	if err != nil {
		return nil, err
	}
	if len(s.needs) > 0 {
		args := append([]string{"install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"}, s.needs...)
		if err := os.Remove(filepath.Join(root, "package.json")); err != nil {
			return nil, err
		}
		text := fmt.Sprintf(`{"name": %q, "version": %q}`, s.pin.Name, s.pin.Version)
		if err := os.WriteFile(filepath.Join(root, "package.json"), []byte(text), 0o644); err != nil {
			return nil, err
		}
		if _, err := execute(ctx, root, nil, "npm", args...); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(filepath.Join(root, "tsconfig.json")); errors.Is(err, fs.ErrNotExist) {
		conditions, err := json.Marshal(append([]string{}, s.conditions...))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(root, "tsconfig.json"), fmt.Appendf(nil, typescriptConfig, conditions), 0o644); err != nil {
			return nil, err
		}
	}
	index := filepath.Join(root, "index.scip")
	if _, err := execute(ctx, root, nil, "node", filepath.Join(dir, "node_modules/@sourcegraph/scip-typescript/dist/src/main.js"), "index", "--no-progress-bar", "--output", index); err != nil {
		return nil, err
	}
	files, err := filesWith(root, []string{".ts", ".tsx", ".mts"}, []string{".d.ts", ".d.mts"})
	if err != nil {
		return nil, err
	}
	listed, err := list(ctx, dir, "node", "typescript.cjs", root, files)
	if err != nil {
		return nil, err
	}
	j := newScipJudge(root, fmt.Sprintf(" npm %s %s ", s.pin.Name, s.pin.Version))
	if err := j.index(index); err != nil {
		return nil, err
	}
	if err := j.list(listed, true); err != nil {
		return nil, err
	}
	judge, err := version(dir, "@sourcegraph/scip-typescript")
	if err != nil {
		return nil, err
	}
	ts, err := version(dir, "typescript")
	return j.key("scip-typescript " + judge + ", TypeScript " + ts), err
}

// judgePython runs scip-python over the package in root.
func judgePython(ctx context.Context, cache, root string, s subject) (*answerKey, error) {
	dir, err := installJudges(ctx, cache)
	if err != nil {
		return nil, err
	}
	// No packages are installed: what is judged is the package alone.
	none := filepath.Join(filepath.Dir(root), "environment.json")
	if err := os.WriteFile(none, []byte("[]"), 0o644); err != nil {
		return nil, err
	}
	index := filepath.Join(filepath.Dir(root), "index.scip")
	if _, err := execute(ctx, root, []string{"NODE_OPTIONS=--max-old-space-size=6144"}, "node", filepath.Join(dir, "node_modules/@sourcegraph/scip-python/index.js"), "index", "--quiet",
		"--project-name", s.pin.Name, "--project-version", s.pin.Version, "--environment", none, "--output", index, "."); err != nil {
		return nil, err
	}
	files, err := filesWith(root, []string{".py"}, nil)
	if err != nil {
		return nil, err
	}
	listed, err := list(ctx, dir, "python3", "python.py", root, files)
	if err != nil {
		return nil, err
	}
	j := newScipJudge(root, fmt.Sprintf(" python %s %s ", s.pin.Name, s.pin.Version))
	j.listed = true // scip-python names relative modules as if they were absolute
	if err := j.index(index); err != nil {
		return nil, err
	}
	if err := j.list(listed, false); err != nil {
		return nil, err
	}
	judge, err := version(dir, "@sourcegraph/scip-python")
	return j.key("scip-python " + judge), err
}

// list runs a lister, which finds its parser among the installed judges.
func list(ctx context.Context, judges, interpreter, script, root string, files []string) ([]byte, error) {
	path, err := filepath.Abs(filepath.Join(judgesDir, script))
	if err != nil {
		return nil, err
	}
	var out []byte
	for chunk := range slices.Chunk(files, 200) {
		part, err := execute(ctx, root, []string{"NODE_PATH=" + filepath.Join(judges, "node_modules")}, interpreter, append([]string{path, root}, chunk...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}
