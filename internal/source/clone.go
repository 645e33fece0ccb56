package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"manito/internal/problem"
)

// openRemote fetches a commit of a git repository behind a URL into a bare clone
// and lists its files. The clone is kept below Input.Dir and fetched into the
// next time.
func openRemote(ctx context.Context, in Input) (*Tree, error) {
	r, err := parseRemote(in.Location)
	if err != nil {
		return nil, err
	}
	if r.path != "" { // a repository on this machine is read where it is
		in.Location = r.path
		if in.Revision == "" {
			in.Revision = "HEAD" // a URL means what is committed
		}
		return open(ctx, in)
	}
	c := clone{git: gitCommand{isolated: in.Isolated, protocols: r.proto, env: r.env}, remote: r, history: in.History}
	var cleanup func() error
	if in.Dir == "" {
		temporary, err := os.MkdirTemp("", "manito-clone-")
		if err != nil {
			return nil, problem.Wrap(err, problem.Exhausted, "cannot make a temporary folder for the clone")
		}
		cleanup = func() error { return os.RemoveAll(temporary) }
		c.dir = filepath.Join(temporary, "clone.git")
	} else {
		sum := sha256.Sum256([]byte(r.shown))
		c.dir = filepath.Join(in.Dir, repositoryName(r.shown)+"-"+hex.EncodeToString(sum[:8])+".git")
	}
	t := &Tree{Kind: Git, Root: r.shown, Name: repositoryName(r.shown), Remote: r.shown, limits: in.Limits.withDefaults(), languages: newLanguages()}
	objects := newObjectReader(gitCommand{isolated: in.Isolated}, c.dir, t.limits.FileSize)
	objects.cleanup = cleanup
	t.reader = objects
	target, err := c.fetchLocked(ctx, in.Revision)
	if err == nil {
		err = t.listCommit(ctx, objects, target.commit, "")
	}
	if err != nil {
		return nil, errors.Join(err, objects.close())
	}
	t.Branch = target.branch
	return t, nil
}

// clone is a bare repository that follows a remote one.
type clone struct {
	git     gitCommand
	dir     string
	remote  remote
	history bool
}

// target is what was fetched.
type target struct {
	commit string
	branch string // "" when it was no branch
}

// fetchLocked fetches while no other process fetches into the same clone.
// Readers need no lock: fetching adds objects, and what git tidies up by itself
// is weeks old.
func (c *clone) fetchLocked(ctx context.Context, revision string) (target, error) {
	if err := os.MkdirAll(filepath.Dir(c.dir), 0o700); err != nil {
		return target{}, problem.Wrap(err, problem.Denied, "cannot make the folder for clones").(*problem.Error).Fix("check the rights of %s", filepath.Dir(c.dir))
	}
	unlock, err := lockFile(ctx, c.dir+".lock")
	if err != nil {
		return target{}, err
	}
	defer unlock()
	_, known := openGitDir(c.dir)
	found, err := c.fetch(ctx, revision)
	if err != nil && known && problem.KindOf(err) == problem.Internal && ctx.Err() == nil {
		// A fetch that was killed can leave locks or halves behind. It is only a copy: begin anew.
		if removeErr := os.RemoveAll(c.dir); removeErr != nil {
			return found, errors.Join(err, removeErr)
		}
		found, err = c.fetch(ctx, revision)
	}
	return found, err
}

// fetch finds the revision at the remote and fetches it.
func (c *clone) fetch(ctx context.Context, revision string) (target, error) {
	args := []string{"ls-remote", "--symref", "--", c.remote.url, "HEAD"}
	if revision != "" {
		args = append(args, "refs/heads/"+revision, "refs/tags/"+revision, "refs/tags/"+revision+"^{}", revision) // big servers have many more
	}
	listing, err := c.git.output(ctx, "", args...)
	if err != nil {
		return target{}, err
	}
	refs := parseRefs(string(listing))
	if err := c.prepare(ctx, refs); err != nil {
		return target{}, err
	}
	ref, found := refs.find(revision)
	switch {
	case ref != "":
	case revision == "" || revision == "HEAD":
		return target{}, problem.New(problem.NotFound, "%s has no commit on its default branch yet", c.remote.shown).Fix("name another branch, or push something first")
	case isHash(revision):
		ref, found.commit = revision, revision
	default:
		return c.fetchAll(ctx, revision)
	}
	kept := "refs/manito/" + ref
	if c.has(ctx, kept, found.commit) {
		return found, nil
	}
	err = c.get(ctx, "+"+ref+":"+kept)
	if err != nil && isHash(revision) && errors.Is(err, errNoSuchRef) {
		return c.fetchAll(ctx, revision) // the server gives only what its refs name
	}
	if err != nil {
		return target{}, err
	}
	found.commit, err = c.resolve(ctx, kept)
	return found, err
}

// fetchAll fetches all branches and tags with their history, for a revision that
// is no ref: an abbreviated hash, "v1~3".
func (c *clone) fetchAll(ctx context.Context, revision string) (target, error) {
	c.history = true
	if err := c.get(ctx, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"); err != nil {
		return target{}, err
	}
	commit, err := c.resolve(ctx, revision)
	return target{commit: commit}, err
}

// resolve finds a commit among what was fetched.
func (c *clone) resolve(ctx context.Context, revision string) (string, error) {
	out, err := c.git.output(ctx, "", "--git-dir="+c.dir, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if commit := strings.TrimSpace(string(out)); err == nil && isHash(commit) {
		return commit, nil
	}
	if ctx.Err() != nil {
		return "", err
	}
	return "", problem.New(problem.NotFound, "%s has no revision %q", c.remote.shown, revision).
		Fix("name a branch, a tag or a full commit hash").Because(errNoSuchRef)
}

// has tells whether a ref was fetched at a commit already, as deep as it is wanted.
func (c *clone) has(ctx context.Context, ref, commit string) bool {
	if c.history && c.shallow() {
		return false
	}
	out, err := c.git.output(ctx, "", "--git-dir="+c.dir, "rev-parse", "--verify", "--quiet", ref+"^{commit}")
	return err == nil && strings.TrimSpace(string(out)) == commit
}

func (c *clone) shallow() bool {
	_, err := os.Stat(filepath.Join(c.dir, "shallow"))
	return err == nil
}

// prepare makes the bare repository unless there is one.
func (c *clone) prepare(ctx context.Context, refs remoteRefs) error {
	if _, ok := openGitDir(c.dir); ok {
		return nil
	}
	format := "sha1"
	for _, hash := range refs.hash {
		if len(hash) == 64 {
			format = "sha256"
		}
		break
	}
	_, err := c.git.output(ctx, "", "init", "--quiet", "--bare", "--template=", "--object-format="+format, c.dir)
	return err
}

// get fetches refs into the clone.
func (c *clone) get(ctx context.Context, refspecs ...string) error {
	known, err := c.git.output(ctx, "", "--git-dir="+c.dir, "for-each-ref", "--count=1")
	if err != nil {
		return err
	}
	args := []string{"--git-dir=" + c.dir, "fetch", "--quiet", "--no-tags", "--force", "--no-write-fetch-head", "--no-recurse-submodules"}
	depth := []string{}
	switch {
	case c.history && c.shallow():
		depth = []string{"--unshallow"}
	case !c.history && (len(known) == 0 || c.shallow()): // a clone with its history keeps it
		depth = []string{"--depth=1"}
	}
	what := append([]string{"--", c.remote.url}, refspecs...)
	_, err = c.git.output(ctx, "", slices.Concat(args, depth, what)...)
	if err != nil && len(depth) > 0 && strings.Contains(err.Error(), "does not support shallow") { // plain files behind a web server
		_, err = c.git.output(ctx, "", slices.Concat(args, what)...)
	}
	return err
}

// remoteRefs is what a remote repository offers.
type remoteRefs struct {
	hash map[string]string // of each ref; that of an annotated tag is the tag's, its commit's stands under "<ref>^{}"
	head string            // the ref that HEAD names
}

// parseRefs reads the output of git ls-remote --symref.
func parseRefs(text string) remoteRefs {
	refs := remoteRefs{hash: map[string]string{}}
	for line := range strings.Lines(text) {
		value, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok {
			continue
		}
		if ref, symbolic := strings.CutPrefix(value, "ref: "); symbolic {
			if name == "HEAD" {
				refs.head = ref
			}
		} else if isHash(value) {
			refs.hash[name] = value
		}
	}
	return refs
}

// find finds the ref that a revision names, by git's order of preference, "" when it is none.
func (r remoteRefs) find(revision string) (ref string, found target) {
	if revision == "" || revision == "HEAD" {
		if r.hash["HEAD"] == "" {
			return "", found
		}
		return "HEAD", target{commit: r.hash["HEAD"], branch: strings.TrimPrefix(r.head, "refs/heads/")}
	}
	for _, prefix := range [...]string{"", "refs/", "refs/tags/", "refs/heads/"} {
		ref := prefix + revision
		if !strings.HasPrefix(ref, "refs/") || r.hash[ref] == "" {
			continue
		}
		found.commit = r.hash[ref]
		if peeled := r.hash[ref+"^{}"]; peeled != "" {
			found.commit = peeled
		}
		if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			found.branch = branch
		}
		return ref, found
	}
	return "", found
}
