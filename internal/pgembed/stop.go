//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// end stops the server of a data folder in good order, if it runs, and waits until no
// process of it is left. The caller holds start.lock, and use.lock exclusively.
func (b *base) end(ctx context.Context, major int) error {
	dir := b.dataDir(major)
	asked := false
	for {
		lock, err := b.tryLock(lockOf(major), unix.LOCK_EX)
		if err == nil {
			return lock.Close()
		}
		if !errors.Is(err, errBusy) {
			return err
		}
		p, err := readPostmaster(dir)
		if err == nil && !asked && (runsIn(p.pid, dir) == yes || runsIn(p.pid, dir) == unknown && syscall.Kill(p.pid, 0) == nil) {
			// Fast shutdown: it ends the sessions, writes a checkpoint and is gone.
			if err := syscall.Kill(p.pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return problem.New(problem.Denied, "the server of %s (process %d) cannot be told to stop", dir, p.pid).Because(err).
					Fix("run this as the user who started it, or as root")
			}
			asked = true
		}
		if err == nil {
			reap(p.pid) // in case it is our child
		}
		if err := sleep(ctx, startPoll); err != nil {
			return problem.New(problem.Unavailable, "the server of %s has not stopped yet", dir).Because(err).
				Fix("tail %s   # what is it doing?", b.path(logName))
		}
	}
}

// Stop stops the server of a root now instead of after Options.Linger, and says
// whether one ran. It refuses while another process has the cluster open.
func Stop(ctx context.Context, o Options) (bool, error) {
	b, err := findBase(o)
	if b == nil || err != nil {
		return false, err
	}
	start, use, err := b.alone(ctx)
	if err != nil {
		return false, err
	}
	defer start.Close()
	defer use.Close()
	s, err := b.status()
	if err != nil || s.State == Absent || s.State == Stopped {
		return false, err
	}
	if err := b.end(ctx, s.Major); err != nil {
		return false, err
	}
	if s, err = b.status(); err == nil && s.State != Stopped {
		err = problem.New(problem.Conflict, "the server of %s (process %d) was not started by Manito", s.DataDir, s.PID).
			Fix("pg_ctl stop -D %s   # as its user", s.DataDir)
	}
	return err == nil, err
}

// alone takes start.lock and use.lock, both exclusively: nobody uses the cluster, and
// nobody will until they are closed.
func (b *base) alone(ctx context.Context) (start, use *os.File, err error) {
	if start, err = b.waitLock(ctx, startLock, unix.LOCK_EX); err != nil {
		return nil, nil, err
	}
	use, err = b.tryLock(useLock, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		err = problem.New(problem.Conflict, "the database in %s is in use by another Manito process", b.dir).
			Fix("end the other processes (manito serve, manito mcp, a scan), then try again")
	}
	if err != nil {
		return nil, nil, errors.Join(err, start.Close())
	}
	return start, use, nil
}
