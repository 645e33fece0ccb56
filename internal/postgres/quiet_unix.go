//go:build unix

package postgres

import (
	"crypto/tls"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// quiet says that nothing waits to be read on an idle connection. The end of the stream
// would, and so would the last words of a server that is going down: a statement that is
// sent after either is lost, and nobody could say whether it ran. It asks the system and
// not the server, which takes about a microsecond.
func quiet(conn *pgx.Conn) bool {
	c := conn.PgConn().Conn()
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return quietSocket(c)
}

func quietSocket(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return true // cannot be asked
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	nothing := false
	// Not Read: the driver may have left a reader of its own waiting, and Read would wait for that one.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		nothing = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	})
	return err == nil && nothing
}
