package trigram

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const temporary = ".text-*"

// abandoned is the age at which a file that nobody refers to, or that was being
// written, counts as left behind.
const abandoned = time.Hour

// writeFile writes a file so that it is there whole or not at all: under another
// name first, synced, then renamed.
func writeFile(path string, head []byte, parts [][]byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return fmt.Errorf("write text index: %w", err)
	}
	renamed := false
	defer func() {
		if err == nil {
			return
		}
		if closing := tmp.Close(); closing != nil && !errors.Is(closing, os.ErrClosed) {
			err = errors.Join(err, closing)
		}
		if !renamed {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
		err = fmt.Errorf("write text index %s: %w", path, err)
	}()
	out := bufio.NewWriterSize(tmp, 1<<20)
	var zero [8]byte
	for _, p := range append([][]byte{head}, parts...) {
		if _, err = out.Write(p); err != nil {
			return err
		}
		if _, err = out.Write(zero[:padded(len(p))-len(p)]); err != nil {
			return err
		}
	}
	if err = out.Flush(); err != nil {
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
	return syncDir(filepath.Dir(path))
}
