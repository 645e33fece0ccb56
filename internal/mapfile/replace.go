package mapfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// abandoned is the age at which a file that was being written counts as left behind by a process that was killed.
const abandoned = time.Hour

const temporary = ".mapped-*"

// Replace writes a file so that it is there whole or not at all: under another
// name first, synced, then renamed. It gets the given time of last change, unless
// that is zero. The folder must exist.
func Replace(path string, changed time.Time, work func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if err := sweep(filepath.Dir(path)); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if err != nil && !renamed {
			if closing := tmp.Close(); closing != nil && !errors.Is(closing, os.ErrClosed) {
				err = errors.Join(err, closing)
			}
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if err = work(tmp); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	renamed = true
	if !changed.IsZero() {
		// Only now, because a temporary file with an old time would be swept by another process.
		if err = os.Chtimes(path, changed, changed); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// sweep removes what killed processes left in a folder.
func sweep(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, temporary))
	if err != nil {
		return err
	}
	for _, f := range left {
		if info, err := os.Stat(f); err == nil && time.Since(info.ModTime()) > abandoned {
			if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
