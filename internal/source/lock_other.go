//go:build !unix

package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"manito/internal/problem"
)

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 50 * time.Millisecond

// lockFile makes a file that nobody else may have and waits for it. A file that
// is older than any fetch takes was left by a process that died.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	const abandoned = 6 * time.Hour
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err == nil {
			return func() { _, _ = f.Close(), os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, problem.Wrap(err, problem.Denied, "cannot lock %s", path)
		}
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(path) // if another process was faster, the next round tells
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}
