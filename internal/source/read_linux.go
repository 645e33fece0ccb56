package source

import (
	"io/fs"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// directReader reads files with four system calls each. The kernel resolves
// paths below the root and follows no link (openat2, Linux 5.6).
type directReader struct {
	root    int // descriptor of the root, -1 when there is none
	missing atomic.Bool
}

func (d *directReader) open(path string) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1 // then the portable way is taken
	}
	d.root = fd
}

func (d *directReader) close() {
	if d.root >= 0 {
		_ = unix.Close(d.root) // a descriptor that only names a place has nothing to lose
		d.root = -1
	}
}

// read reads a file of the size it has now. ok is false when the system cannot
// do it this way.
func (d *directReader) read(name string, limit int64, buf []byte) (text []byte, err error, ok bool) {
	if d.root < 0 || d.missing.Load() {
		return nil, nil, false
	}
	how := unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd := -1
	for range 100 { // EAGAIN: something was renamed while the kernel looked
		if fd, err = unix.Openat2(d.root, name, &how); err != unix.EINTR && err != unix.EAGAIN {
			break
		}
	}
	switch err {
	case nil:
	case unix.ENOSYS, unix.EPERM, unix.E2BIG: // an old kernel, or a sandbox that does not know the call
		d.missing.Store(true)
		return nil, nil, false
	case unix.ELOOP:
		return nil, errNotRegular, true
	case unix.ENOTDIR:
		return nil, fs.ErrNotExist, true
	default:
		return nil, err, true
	}
	text, err = readDescriptor(fd, limit, buf)
	if closeErr := unix.Close(fd); err == nil && closeErr != unix.EINTR {
		err = closeErr
	}
	return text, err, true
}

func readDescriptor(fd int, limit int64, buf []byte) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errNotRegular
	}
	if st.Size > limit {
		return nil, tooLarge(st.Size, limit)
	}
	buf = grow(buf, st.Size)
	n := 0
	for n < len(buf) {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m == 0 {
			break // it was cut in between: what is there counts
		}
		n += m
	}
	return buf[:n], nil
}
