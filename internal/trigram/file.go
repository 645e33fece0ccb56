package trigram

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"manito/internal/mapfile"
)

// abandoned is the age at which a file that nobody refers to counts as left behind.
const abandoned = time.Hour

// writeFile writes a file so that it is there whole or not at all.
func writeFile(path string, head []byte, parts [][]byte) error {
	err := mapfile.Replace(path, time.Time{}, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<20)
		var zero [8]byte
		for _, p := range append([][]byte{head}, parts...) {
			if _, err := out.Write(p); err != nil {
				return err
			}
			if _, err := out.Write(zero[:padded(len(p))-len(p)]); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	return nil
}
