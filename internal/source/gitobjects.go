package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"manito/internal/problem"
)

// openRepository lists the files of a commit of a git repository on this machine.
// dir is its git directory; path is the folder that was named. When that lies in
// a work tree, below its top, only what is below it in the commit is listed, and
// below is the way from the top.
func openRepository(ctx context.Context, in Input, dir gitDir, path, below string) (*Tree, error) {
	config := readGitConfig(dir, in.Isolated)
	t := &Tree{
		Kind: Git, Root: path, Name: repositoryName(path), Remote: withoutPassword(config["remote.origin.url"]),
		limits: in.Limits.withDefaults(), languages: newLanguages(),
	}
	r := newObjectReader(gitCommand{isolated: in.Isolated}, dir.path, t.limits.FileSize)
	t.reader = r
	if err := t.listCommit(ctx, r, in.Revision, below); err != nil {
		return nil, errors.Join(err, r.close())
	}
	if in.Revision == "" {
		t.Branch = dir.branch()
	} else if _, err := r.git.output(ctx, "", "--git-dir="+dir.path, "show-ref", "--verify", "--quiet", "--", "refs/heads/"+in.Revision); err == nil {
		t.Branch = in.Revision
	}
	return t, nil
}

// listCommit resolves a revision and lists its files.
func (t *Tree) listCommit(ctx context.Context, r *objectReader, revision, below string) error {
	commit, err := r.resolve(ctx, revision)
	if err != nil {
		return err
	}
	t.Commit = commit
	if err := t.listGitTree(ctx, r, below); err != nil {
		return err
	}
	return t.filter(ctx, false)
}

// resolve finds the commit that a revision names, "" being HEAD.
func (r *objectReader) resolve(ctx context.Context, revision string) (string, error) {
	name := revision
	if name == "" {
		name = "HEAD"
	}
	out, err := r.git.output(ctx, "", "--git-dir="+r.dir, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if commit := strings.TrimSpace(string(out)); err == nil && isHash(commit) {
		return commit, nil
	}
	if kind := problem.KindOf(err); err != nil && kind != problem.Internal && kind != problem.NotFound {
		return "", err
	}
	if revision == "" {
		return "", problem.New(problem.NotFound, "the repository %s has no commit yet", r.dir).Fix("commit something, or name a branch")
	}
	return "", problem.New(problem.NotFound, "the repository %s has no revision %q", r.dir, revision).
		Fix("list what it has: git --git-dir=%s branch -a; git tag", r.dir).Because(errNoSuchRef)
}

// listGitTree lists the files of the commit below a directory of it.
func (t *Tree) listGitTree(ctx context.Context, r *objectReader, below string) error {
	object := t.Commit
	if below != "" {
		object += ":" + below
	}
	out, err := r.git.output(ctx, "", "--git-dir="+r.dir, "ls-tree", "-r", "-z", "-l", "--full-tree", object)
	if err != nil {
		if below != "" && problem.KindOf(err) == problem.NotFound {
			return problem.New(problem.NotFound, "%s does not exist in commit %s", below, t.Commit).Because(err)
		}
		return err
	}
	t.Files = make([]File, 0, bytes.Count(out, []byte{0}))
	for len(out) > 0 {
		end := bytes.IndexByte(out, 0)
		if end < 0 {
			return problem.New(problem.Internal, "git ls-tree ended in the middle of an entry")
		}
		entry := string(out[:end])
		out = out[end+1:]
		about, path, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(about)
		if !ok || len(fields) != 4 {
			return problem.New(problem.Internal, "git ls-tree printed %q", entry)
		}
		mode, object := fields[0], fields[2]
		if mode == "160000" {
			t.Skipped = append(t.Skipped, Skipped{Path: path, Directory: true, Reason: SkipSubmodule, Message: "a submodule; its files are in another repository"})
			continue
		}
		f := File{Path: path, Exec: mode == "100755", raw: object}
		if size, err := strconv.ParseInt(fields[3], 10, 64); err == nil { // git says BAD of an object that it lacks; reading it will tell
			f.Size = size
		}
		if mode == "120000" {
			target, err := r.read(ctx, &f, nil)
			var refusal *fileError
			if err != nil && !errors.As(err, &refusal) {
				return err
			}
			f.link(string(target))
		}
		t.Files = append(t.Files, f)
	}
	return nil
}

// objectReader reads objects through a few `git cat-file --batch` processes.
type objectReader struct {
	git     gitCommand
	dir     string // the git directory
	limit   int64
	idle    chan *objectProcess // nil stands for one that is not running
	closed  atomic.Bool
	cleanup func() error // more to be done by close
}

// objectProcess is one running `git cat-file --batch`.
type objectProcess struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs *bytes.Buffer
	kill context.CancelFunc
}

func newObjectReader(git gitCommand, dir string, limit int64) *objectReader {
	n := min(4, runtime.GOMAXPROCS(0))
	r := &objectReader{git: git, dir: dir, limit: limit, idle: make(chan *objectProcess, n)}
	for range n {
		r.idle <- nil
	}
	return r
}

// read asks a process for the file's object. One that died, by somebody's hand or
// for want of memory, is replaced once.
func (r *objectReader) read(ctx context.Context, f *File, buf []byte) ([]byte, error) {
	text, err := r.ask(ctx, f.raw, buf)
	var refusal *fileError
	if err == nil || ctx.Err() != nil || r.closed.Load() || errors.As(err, &refusal) {
		return text, err
	}
	return r.ask(ctx, f.raw, buf)
}

// ask asks the next idle process.
func (r *objectReader) ask(ctx context.Context, hash string, buf []byte) ([]byte, error) {
	var p *objectProcess
	select {
	case p = <-r.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var err error
	if p == nil {
		if p, err = r.start(ctx); err != nil {
			r.idle <- nil
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, p.kill)
	text, err := p.object(hash, r.limit, buf)
	killed := !stop()
	var refusal *fileError
	if !killed && (err == nil || errors.As(err, &refusal)) {
		r.idle <- p
		return text, err
	}
	said := p.stop()
	r.idle <- nil
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, gitFailure(ctx, "cat-file", said, err)
}

// start runs another process. It outlives the call that needed it.
func (r *objectReader) start(ctx context.Context) (*objectProcess, error) {
	if r.closed.Load() {
		return nil, problem.New(problem.Internal, "the tree of %s is closed", r.dir)
	}
	life, kill := context.WithCancel(context.WithoutCancel(ctx))
	cmd := r.git.command(life, "", "--git-dir="+r.dir, "cat-file", "--batch")
	p := &objectProcess{cmd: cmd, errs: new(bytes.Buffer), kill: kill}
	cmd.Stderr = p.errs
	in, err := cmd.StdinPipe()
	if err != nil {
		kill()
		return nil, problem.Wrap(err, problem.Internal, "cannot talk to git")
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		kill()
		return nil, problem.Wrap(err, problem.Internal, "cannot talk to git")
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 64<<10)
	if err := cmd.Start(); err != nil {
		kill()
		return nil, gitFailure(ctx, "cat-file", "", err)
	}
	return p, nil
}

// object asks for one object and reads the answer.
func (p *objectProcess) object(hash string, limit int64, buf []byte) ([]byte, error) {
	if _, err := io.WriteString(p.in, hash+"\n"); err != nil {
		return nil, err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(line)
	if len(fields) == 2 && fields[1] == "missing" {
		return nil, &fileError{SkipUnreadable, "the git repository lacks the file's object " + hash}
	}
	if len(fields) != 3 || fields[0] != hash {
		return nil, fmt.Errorf("git cat-file answered %q", line)
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 {
		return nil, fmt.Errorf("git cat-file answered %q", line)
	}
	if size > limit {
		if _, err := io.CopyN(io.Discard, p.out, size+1); err != nil {
			return nil, err
		}
		return nil, tooLarge(size, limit)
	}
	buf = grow(buf, size)
	if _, err := io.ReadFull(p.out, buf); err != nil {
		return nil, err
	}
	_, err = p.out.Discard(1) // the line feed behind it
	return buf, err
}

// stop ends the process and returns what it complained about.
func (p *objectProcess) stop() string {
	_ = p.in.Close() // it may have ended already
	p.kill()
	_ = p.cmd.Wait() // it was killed: how it ended tells nothing
	return p.errs.String()
}

func (r *objectReader) close() error {
	if r.closed.Swap(true) {
		return nil
	}
	for range cap(r.idle) { // each comes back when its reader is done
		if p := <-r.idle; p != nil {
			p.stop()
		}
	}
	for range cap(r.idle) {
		r.idle <- nil // whoever reads after this is told
	}
	if r.cleanup == nil {
		return nil
	}
	return r.cleanup()
}
