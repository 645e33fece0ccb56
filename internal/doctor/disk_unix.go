//go:build unix

package doctor

import "golang.org/x/sys/unix"

// space is how many bytes of the disk below a folder an ordinary user may still write, and how large it is.
func space(folder string) (left, size uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), uint64(st.Blocks) * uint64(st.Bsize), nil
}
