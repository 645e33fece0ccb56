package source

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/problem"
)

// Names of ignore files.
const (
	gitIgnore = ".gitignore"
	ownIgnore = ".manitoignore"
)

// openFolder lists a folder as it lies on disk.
func openFolder(ctx context.Context, in Input, root string) (*Tree, error) {
	t := &Tree{Kind: Folder, Root: root, Name: repositoryName(root), limits: in.Limits.withDefaults(), languages: newLanguages()}
	w := &walker{root: root, limit: t.limits.Files}
	w.rules = rulesReader{git: gitCommand{isolated: in.Isolated}, note: w.note}
	task, err := w.start(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := w.run(ctx, task); err != nil {
		return nil, err
	}
	t.Files, t.Skipped, t.Diagnostics = w.files, w.skipped, w.diagnostics
	if t.reader, err = newFolderReader(root, t.limits.FileSize); err != nil {
		return nil, err
	}
	return t, nil
}

// walker lists a folder with several goroutines. What they find is sorted afterwards.
type walker struct {
	root  string
	rules rulesReader
	group *errgroup.Group
	limit int
	above string // path from the work tree's top to the root, "" or ending in a slash: .manitoignore files above hold too

	mu          sync.Mutex
	files       []File
	skipped     []Skipped
	diagnostics []code.Diagnostic
}

// folder is one directory to be listed.
type folder struct {
	path        string    // in the listing, "" or ending in a slash
	tree        *workTree // whose rules hold
	git, own    *scope    // .gitignore and .manitoignore files above
	tracked     bool      // git tracks files in it, so that it is no repository of its own
	trackedOnly bool      // it is ignored: only what is tracked in it is listed
}

// start finds the rules that hold at the root.
func (w *walker) start(ctx context.Context, t *Tree) (folder, error) {
	plain := folder{tree: &workTree{}, tracked: true}
	dir, top, ok := findWorkTree(w.root)
	if !ok {
		return plain, nil
	}
	tree, config, err := w.rules.workTree(ctx, dir, top)
	if err != nil {
		return folder{}, err
	}
	root := folder{tree: tree, git: tree.global, tracked: true}
	if top != w.root {
		rel, err := filepath.Rel(top, w.root)
		if err != nil {
			return folder{}, problem.Wrap(err, problem.Internal, "cannot place %s in its work tree", w.root)
		}
		tree.above = filepath.ToSlash(rel) + "/"
		w.above = tree.above
		root.git, root.own, root.trackedOnly = w.descend(tree, top)
		if root.trackedOnly && !tree.index.hasBelow(strings.TrimSuffix(tree.above, "/")) {
			// Whoever names an ignored folder wants it listed: it follows its own rules alone.
			w.above = ""
			return plain, nil
		}
	}
	t.Remote = withoutPassword(config["remote.origin.url"])
	t.Commit, t.Branch = dir.commit(), dir.branch()
	if target, ok := dir.head(); ok && t.Commit == "" && target == "refs/heads/.invalid" {
		// The refs are in a form that only git reads. Without git the commit stays unknown.
		if out, err := w.rules.git.output(ctx, "", "--git-dir="+dir.path, "rev-parse", "--verify", "--quiet", "HEAD"); err == nil {
			t.Commit = strings.TrimSpace(string(out))
		}
		if out, err := w.rules.git.output(ctx, "", "--git-dir="+dir.path, "symbolic-ref", "--short", "--quiet", "HEAD"); err == nil {
			t.Branch = strings.TrimSpace(string(out))
		}
	}
	return root, nil
}

// descend collects the ignore files from a work tree's top down to the root of
// the listing and tells whether git ignores the way.
func (w *walker) descend(tree *workTree, top string) (git, own *scope, ignored bool) {
	git = tree.global
	path := ""
	for name := range strings.SplitSeq(strings.TrimSuffix(tree.above, "/"), "/") {
		dir := filepath.Join(top, filepath.FromSlash(path))
		git = w.rules.with(git, filepath.Join(dir, gitIgnore), false, tree.fold, len(path))
		own = w.rules.with(own, filepath.Join(dir, ownIgnore), false, tree.fold, len(path))
		path += name
		ignored = ignored || git.decide(path, name, true) == verdictExclude
		path += "/"
	}
	return git, own, ignored
}

// run lists everything below a folder.
func (w *walker) run(ctx context.Context, task folder) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	w.group = group
	group.Go(func() error { return w.list(ctx, task) })
	return group.Wait()
}

// list lists one directory and those below it.
func (w *walker) list(ctx context.Context, d folder) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := w.disk(d.path)
	entries, err := readDir(path)
	if err != nil {
		return w.unlisted(d, err)
	}
	var has struct{ gitIgnore, ownIgnore, dotGit, marker bool }
	for _, e := range entries {
		switch e.Name() {
		case gitIgnore:
			has.gitIgnore = e.Type().IsRegular()
		case ownIgnore:
			has.ownIgnore = e.Type().IsRegular()
		case ".git":
			has.dotGit = true
		case "pyvenv.cfg", "CACHEDIR.TAG":
			has.marker = true
		}
	}
	if has.dotGit && !d.tracked {
		switch nested, err := w.nested(ctx, d, path); {
		case err != nil:
			return err
		case nested == nil:
			return nil
		default:
			d = *nested
		}
	}
	if has.marker && !d.tree.git && d.path != "" {
		if reason, skip := w.marked(entries, path); skip {
			w.skip(Skipped{Path: strings.TrimSuffix(d.path, "/"), Directory: true, Reason: reason, Message: "its contents say that a tool made it"})
			return nil
		}
	}
	if has.gitIgnore {
		d.git = w.rules.with(d.git, filepath.Join(path, gitIgnore), false, d.tree.fold, len(d.tree.relative(d.path)))
	}
	if has.ownIgnore {
		d.own = w.rules.with(d.own, filepath.Join(path, ownIgnore), false, d.tree.fold, len(w.above)+len(d.path))
	}
	return w.entries(ctx, d, entries)
}

// entries sorts out what is in a directory.
func (w *walker) entries(ctx context.Context, d folder, entries []fs.DirEntry) error {
	var files []File
	for _, e := range entries {
		name := e.Name()
		if name == ".git" || d.tree.fold && strings.EqualFold(name, ".git") {
			continue
		}
		path := d.path + name
		switch mode := e.Type(); {
		case mode.IsDir():
			if below, ok := w.enter(d, path, name); ok {
				if !w.group.TryGo(func() error { return w.list(ctx, below) }) {
					if err := w.list(ctx, below); err != nil {
						return err
					}
				}
			}
		case !w.wanted(d, path, name):
		case mode.IsRegular() || mode&fs.ModeSymlink != 0:
			if f, ok := w.file(path, e); ok {
				files = append(files, f)
			}
		default:
			w.skip(Skipped{Path: path, Reason: SkipSpecial, Message: "no file but a " + specialText(mode)})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = append(w.files, files...)
	if len(w.files) > w.limit {
		return problem.New(problem.Exhausted, "%s has more than %d files", w.root, w.limit).
			Fix("exclude what is no source in a .manitoignore file").Fix("raise the limit on files")
	}
	return nil
}

// wanted tells whether a file is listed.
func (w *walker) wanted(d folder, path, name string) bool {
	switch w.decideOwn(d, path, name, false) {
	case verdictExclude:
		return false
	case verdictInclude:
		return true
	}
	rel := d.tree.relative(path)
	if !d.trackedOnly && d.git.decide(rel, name, false) != verdictExclude {
		return true
	}
	return d.tree.index.has(rel)
}

// decideOwn is what the .manitoignore files say.
func (w *walker) decideOwn(d folder, path, name string, dir bool) verdict {
	if d.own == nil {
		return verdictNone
	}
	if w.above != "" {
		path = w.above + path
	}
	return d.own.decide(path, name, dir)
}

// enter tells whether a directory is descended into, and how.
func (w *walker) enter(d folder, path, name string) (folder, bool) {
	below := folder{path: path + "/", tree: d.tree, git: d.git, own: d.own}
	own := w.decideOwn(d, path, name, true)
	if own == verdictExclude {
		return below, false
	}
	rel := d.tree.relative(path)
	if d.tree.index != nil && d.tree.index.gitlinks[rel] {
		_, ok := workTreeGitDir(w.disk(path)) // list loads its rules
		if !ok {
			w.skip(Skipped{Path: path, Directory: true, Reason: SkipSubmodule, Message: "a submodule that is not checked out (git submodule update --init)"})
		}
		return below, ok
	}
	below.tracked = d.tree.index.hasBelow(rel)
	if own != verdictInclude && (d.trackedOnly || d.git.decide(rel, name, true) == verdictExclude) {
		below.trackedOnly = true
		return below, below.tracked
	}
	if reason, skip := skippedByName(name); skip && !d.tree.git && own != verdictInclude {
		w.skip(Skipped{Path: path, Directory: true, Reason: reason, Message: "left out by its name; a .manitoignore file with \"!" + name + "/\" lists it"})
		return below, false
	}
	return below, true
}

// nested decides about a directory below the root that has a .git of its own:
// nil leaves it out.
func (w *walker) nested(ctx context.Context, d folder, path string) (*folder, error) {
	dir, ok := workTreeGitDir(path)
	if !ok {
		return &d, nil // git takes it for a directory like any other
	}
	rel := strings.TrimSuffix(d.tree.relative(d.path), "/")
	if d.tree.git && !d.tree.index.gitlinks[rel] {
		w.skip(Skipped{Path: strings.TrimSuffix(d.path, "/"), Directory: true, Reason: SkipNested, Message: "a git repository of its own; scan it by its own path, or make it a submodule"})
		return nil, nil
	}
	tree, _, err := w.rules.workTree(ctx, dir, path)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		w.note(code.Diagnostic{Severity: code.SeverityWarning, Code: "ignore-file", Message: "the rules of the repository in " + d.path + " could not be read: " + err.Error()})
		tree = &workTree{}
	}
	tree.cut = len(d.path)
	d.tree, d.git, d.trackedOnly = tree, tree.global, false
	return &d, nil
}

// marked tells whether a directory is left out because of a file in it.
func (w *walker) marked(entries []fs.DirEntry, path string) (SkipReason, bool) {
	return skippedByContent(
		func(name string) bool {
			for _, e := range entries {
				if e.Name() == name {
					return e.Type().IsRegular()
				}
			}
			return false
		},
		func(name string) []byte {
			text, err := readLimited(filepath.Join(path, name), 1<<16)
			if err != nil {
				return nil // then it is not known to be a cache, and is listed
			}
			return bytes.TrimSpace(text)
		})
}

// file describes one entry; ok is false when it is gone already.
func (w *walker) file(path string, e fs.DirEntry) (f File, ok bool) {
	f = File{Path: path}
	info, err := e.Info()
	if err != nil { // otherwise reading it will tell what is wrong
		return f, !errors.Is(err, fs.ErrNotExist)
	}
	f.Size = info.Size()
	if info.Mode()&fs.ModeSymlink == 0 {
		f.Exec = info.Mode()&0o100 != 0
		return f, true
	}
	target, err := os.Readlink(w.disk(path))
	if err != nil {
		target = "" // it changed in between; that it was a link is what matters
	}
	f.link(filepath.ToSlash(target))
	return f, true
}

// unlisted deals with a directory that cannot be listed.
func (w *walker) unlisted(d folder, err error) error {
	if d.path == "" {
		return statProblem(w.root, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted since its parent was listed
	}
	w.skip(Skipped{Path: strings.TrimSuffix(d.path, "/"), Directory: true, Reason: SkipUnreadable, Message: "the directory could not be listed: " + reasonText(err)})
	return nil
}

func (w *walker) skip(s Skipped) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skipped = append(w.skipped, s)
}

func (w *walker) note(d code.Diagnostic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diagnostics = append(w.diagnostics, d)
}

// disk is the path on disk of a path of the listing.
func (w *walker) disk(path string) string {
	return w.root + string(filepath.Separator) + filepath.FromSlash(path)
}

// readDir lists a directory in the order of the file system.
func readDir(path string) ([]fs.DirEntry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// specialText names a kind of special file.
func specialText(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}
