//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// keepPoll is how often the keeper looks, at most: it costs a few system calls.
const keepPoll = 5 * time.Second

// Keep is the keeper: it stays until nobody has used the cluster of a root for
// Options.Linger, stops the server and returns. It also returns when the server is
// gone, or when there is another keeper. A program that sets Options.Keeper calls it
// in the process started by that command line.
func Keep(ctx context.Context, o Options) error {
	b, err := findBase(o)
	if b == nil || err != nil {
		return err
	}
	// Who looks whether there is a keeper takes its lock for a moment.
	brief, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	kept, err := b.waitLock(brief, keepLock, unix.LOCK_EX)
	if errors.Is(err, context.DeadlineExceeded) {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	lastUse := time.Now()
	for done := false; !done; {
		if err := sleep(ctx, min(keepPoll, max(o.Linger/4, lockPoll))); err != nil {
			return errors.Join(err, kept.Close())
		}
		if done, err = b.keepOnce(ctx, o.Linger, &lastUse, kept); err != nil {
			return errors.Join(err, kept.Close())
		}
	}
	return nil
}

// keepOnce looks once, and says whether the keeper's work is done. Then it has closed
// kept, while it held start.lock: who starts a server next starts a keeper, too.
func (b *base) keepOnce(ctx context.Context, linger time.Duration, lastUse *time.Time, kept *os.File) (done bool, err error) {
	start, err := b.tryLock(startLock, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		*lastUse = time.Now()
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, start.Close()) }()
	s, err := b.status()
	if err != nil {
		return false, err
	}
	if s.State == Stopped || s.State == Absent {
		return true, kept.Close()
	}
	use, err := b.tryLock(useLock, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		*lastUse = time.Now()
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, use.Close()) }()
	// Users between two looks leave their time on the lock file.
	st, err := use.Stat()
	if err != nil {
		return false, err
	}
	if at := st.ModTime(); at.After(*lastUse) {
		*lastUse = at
	}
	if time.Since(*lastUse) < linger {
		return false, nil
	}
	if err := b.end(ctx, s.Major); err != nil {
		return false, err
	}
	return true, kept.Close()
}

// touch leaves the time of our use for the keeper.
func (c *Cluster) touch() error {
	now := time.Now()
	if err := os.Chtimes(c.path(useLock), now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.blame(err, "the time of use cannot be left on %s", c.path(useLock))
	}
	return nil
}

// mustKeep sees to it that there is a keeper; without one the server does not linger.
func (c *Cluster) mustKeep() {
	if err := c.keep(); err != nil {
		c.opt.Linger = 0
		c.notice(fmt.Sprintf("The database will be stopped at once when nobody uses it: %v.", err))
	}
}

// keep starts a keeper unless there is one. It runs as we do, apart from our terminal,
// and outlives us.
func (c *Cluster) keep() error {
	if c.keeper != 0 {
		if exited, _ := reap(c.keeper); exited {
			c.keeper = 0
		}
	}
	there, err := c.busy(keepLock)
	if there || err != nil {
		return err
	}
	log, _, err := c.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	if err := closeOnExec(); err != nil {
		return problem.Wrap(err, problem.Internal, "our inherited descriptors cannot be kept from the keeper")
	}
	cmd := exec.Command(c.opt.Keeper[0], c.opt.Keeper[1:]...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return problem.Wrap(err, problem.Internal, "the database's keeper %s cannot be started", c.opt.Keeper[0])
	}
	c.keeper = cmd.Process.Pid
	return cmd.Process.Release()
}
