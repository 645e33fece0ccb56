//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// lockPoll is how often a lock that somebody else holds is tried again. A blocking
// flock would be kinder to the processor but cannot be given up when the context ends.
const lockPoll = 5 * time.Millisecond

// errBusy says that somebody else holds the lock.
var errBusy = errors.New("locked by another process")

// openLock opens a lock file, making it when it is missing. The descriptor that it
// returns is the lock: closing it, or dying, lets go.
func (b *base) openLock(name string) (*os.File, error) {
	f, err := os.OpenFile(b.path(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, b.blame(err, "the lock file %s cannot be opened", b.path(name))
	}
	if err := b.give(f.Name(), b.owner); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// tryLock takes a lock or returns errBusy.
func (b *base) tryLock(name string, how int) (*os.File, error) {
	for {
		f, err := b.openLock(name)
		if err != nil {
			return nil, err
		}
		if err := flock(f, how); err != nil {
			f.Close()
			return nil, err
		}
		// Somebody may have deleted the file between our opening and locking it; then
		// the next process would lock another file of the same name.
		mine, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, problem.Wrap(err, problem.Internal, "the lock file %s cannot be examined", f.Name())
		}
		if there, err := os.Stat(f.Name()); err == nil && os.SameFile(mine, there) {
			return f, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.Close()
			return nil, b.blame(err, "the lock file %s cannot be examined", f.Name())
		}
		f.Close()
	}
}

// waitLock takes a lock, waiting for it as long as the context allows.
func (b *base) waitLock(ctx context.Context, name string, how int) (*os.File, error) {
	for {
		f, err := b.tryLock(name, how)
		if !errors.Is(err, errBusy) {
			return f, err
		}
		if err := sleep(ctx, lockPoll); err != nil {
			return nil, problem.Wrap(err, problem.KindOf(err), "gave up waiting for another Manito process, which holds %s", b.path(name))
		}
	}
}

// flock applies a lock without blocking; it replaces the lock that f has.
func flock(f *os.File, how int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err {
		case nil:
			return nil
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return errBusy
		default:
			return problem.New(problem.Unsupported, "the file system of %s does not support file locks", f.Name()).
				Because(err).Fix("set MANITO_HOME to a folder on a local disk")
		}
	}
}

// sleep waits, or returns the context's error as soon as it is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
