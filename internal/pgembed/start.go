//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"manito/internal/problem"
)

// startPoll is how often a starting server is looked at. A start takes some 50 ms.
const startPoll = 2 * time.Millisecond

// basePort plus the major version is the port of a server. It only names the socket,
// so that the servers of two versions do not meet while one is upgraded to the other.
const basePort = 5400

// launch starts the server of the data in use and waits until it answers.
func (c *Cluster) launch(ctx context.Context, p programs, lock *os.File) error {
	began := time.Now()
	at, err := c.addressOf(p.major)
	if err != nil {
		return err
	}
	pid, err := c.start(ctx, p, c.dataDir(p.major), at, lock)
	if err != nil {
		if pid != 0 {
			c.child = abandon(pid)
		}
		return err
	}
	c.child, c.at = pid, at
	c.opt.logger().Info("the database runs", "folder", c.dataDir(p.major), "postgresql", p.version, "pid", pid, "took", time.Since(began))
	return nil
}

// start starts a server on a data folder and waits until it answers, however long its
// recovery takes. It returns the server's process, 0 when none is left. The server
// inherits the lock, and of all our other descriptors none.
func (c *Cluster) start(ctx context.Context, p programs, dir string, at address, lock *os.File) (int, error) {
	log, end, err := c.openLog()
	if err != nil {
		return 0, err
	}
	defer log.Close()
	// Go marks its own descriptors close-on-exec, but not those that we inherited: the
	// server would keep a caller's pipe or lock open for hours.
	if err := closeOnExec(); err != nil {
		return 0, problem.Wrap(err, problem.Internal, "our inherited descriptors cannot be kept from the server")
	}
	args := append([]string{"-D", dir, "-k", at.socket, "-p", fmt.Sprint(at.port)}, laws(c.opt.Settings)...)
	// Not bound to the context: the server outlives us.
	cmd := c.server.command(context.WithoutCancel(ctx), p.path("postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock}
	if err := cmd.Start(); err != nil {
		return 0, c.diagnose(err.Error(), nil, "PostgreSQL's server "+cmd.Path+" cannot be run")
	}
	pid := cmd.Process.Pid
	// Nobody waits for the server in a goroutine; reap does, by its number.
	if err := cmd.Process.Release(); err != nil {
		return pid, problem.Wrap(err, problem.Internal, "the server's process cannot be released")
	}
	for began, told := time.Now(), false; ; {
		if exited, how := reap(pid); exited {
			return 0, c.diagnose(logSince(log, end), fmt.Errorf("it ended with %s", how), "the database in "+dir+" cannot be started")
		}
		if s, err := readPostmaster(dir); err == nil && s.pid == pid && s.state == "ready" {
			err := ping(ctx, at, c.password, dir)
			if err == nil {
				return pid, nil
			}
			if !errors.Is(err, errNotUp) && ctx.Err() == nil {
				return pid, problem.Wrap(err, problem.Unavailable, "the database in %s was started and cannot be reached", dir)
			}
		}
		if !told && time.Since(began) > silencePatience {
			told = true
			c.opt.logger().Info("the database is still starting; after a crash it recovers first", "folder", dir, "log", c.path(logName))
		}
		if err := sleep(ctx, startPoll); err != nil {
			return abandon(pid), interrupted(ctx, "interrupted while the database in "+dir+" was starting")
		}
	}
}

// abandon stops a server that was not waited for, more firmly as time goes by. None of
// the signals can lose anything: what was acknowledged is in its log. It returns the
// process that is left, 0 as a rule.
func abandon(pid int) int {
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, 10 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		if err := syscall.Kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return pid
		}
		for until := time.Now().Add(step.patience); time.Now().Before(until); time.Sleep(startPoll) {
			if exited, _ := reap(pid); exited {
				return 0
			}
		}
	}
	return pid
}

// addressOf is where the server of a major version is to listen.
func (b *base) addressOf(major int) (address, error) {
	at := address{port: basePort + major}
	dir, err := b.socketDir(at)
	at.socket = dir
	return at, err
}

// socketDir is the folder of the socket: run, unless its path is too long for a
// socket's address or would need quoting. Then it is one in the system's runtime or
// temporary folder, checked to be only the server's.
func (b *base) socketDir(at address) (string, error) {
	dir := b.path("run")
	const limit = len(syscall.RawSockaddrUnix{}.Path) - 1
	name := at.file() // "/.s.PGSQL.5415"
	if len(dir)+len(name) <= limit && !strings.ContainsAny(dir, ",'\"\\\n\r\t") && strings.TrimSpace(dir) == dir {
		return dir, nil
	}
	parent := os.Getenv("XDG_RUNTIME_DIR")
	if parent == "" || !filepath.IsAbs(parent) || b.server.uid != os.Geteuid() {
		parent = os.TempDir()
	}
	dir = filepath.Join(parent, fmt.Sprintf("manito-%d-%s", b.server.uid, shortHash(b.dir)))
	if len(dir)+len(name) > limit {
		dir = filepath.Join("/tmp", filepath.Base(dir))
	}
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := b.give(dir, b.server); err != nil {
			return "", err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return "", blame(err, dir, "the path %s is too long for a socket, and %s cannot be made instead", b.path("run"), dir)
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return "", blame(err, dir, "the socket's folder %s cannot be examined", dir)
	}
	if owner := ownerOf(st); !st.IsDir() || st.Mode().Perm() != 0o700 || owner.uid != b.server.uid {
		return "", problem.New(problem.Denied, "the folder %s, meant for the database's socket, is not only %s's", dir, b.server).
			Fix("ls -ld %s   # who made it? remove it", dir).
			Fix("set MANITO_HOME to a shorter path")
	}
	return dir, nil
}

// clearStale removes what a killed server left: its pid file, which would keep the
// next from starting once another process has its number, and its socket. ours says
// that a server runs after all, one that did not inherit our lock (pg_ctl started by
// hand); it is joined. The caller holds the server's lock.
func (c *Cluster) clearStale(ctx context.Context, major int) (ours bool, err error) {
	dir := c.dataDir(major)
	p, err := readPostmaster(dir)
	crashed := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, c.blame(err, "the file %s/postmaster.pid cannot be read", dir)
	}
	if crashed && runsIn(p.pid, dir) == yes {
		return true, c.joinStranger(ctx, p)
	}
	// Its socket is in our way only where ours will be. What the file says of it may be
	// wrong: in a copy of the folder it is the original's, whose server may run.
	at, err := c.addressOf(major)
	if err != nil {
		return false, err
	}
	for _, path := range []string{filepath.Join(dir, "postmaster.pid"), at.file(), at.file() + ".lock"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, c.blame(err, "the stale file %s cannot be removed", path)
		}
	}
	if crashed {
		c.opt.logger().Info("the database was not stopped in order; it recovers what was acknowledged", "folder", dir, "was", p.pid)
	}
	return false, nil
}

// joinStranger joins a server that was not started by Manito on its data folder.
func (c *Cluster) joinStranger(ctx context.Context, p postmaster) error {
	if err := c.join(ctx); err != nil {
		return problem.New(problem.Conflict, "process %d, not started by Manito, runs a server on our data folder, and it cannot be joined", p.pid).Because(err).
			Fix("stop it (pg_ctl stop), then try again")
	}
	return nil
}
