//go:build linux || darwin

package pgembed

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// answer is what can be said of a process that may be gone or somebody else's.
type answer int

const (
	no answer = iota
	yes
	unknown
)

// reap collects a process that we have started and that has ended, and says how.
func reap(pid int) (exited bool, how string) {
	var status syscall.WaitStatus
	got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
	if err == syscall.ECHILD {
		return true, "its end seen by somebody else"
	}
	if err != nil || got != pid {
		return false, ""
	}
	if status.Signaled() {
		return true, fmt.Sprintf("signal %d (%s)", status.Signal(), status.Signal())
	}
	return true, fmt.Sprintf("exit status %d", status.ExitStatus())
}

// reapChild collects the server that we started, if it has ended.
func (c *Cluster) reapChild() {
	if exited, _ := reap(c.child); exited {
		c.child = 0
	}
}

// markDescriptors marks the descriptors that a folder lists close-on-exec.
func markDescriptors(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd) // in vain for the one that lists the folder
		}
	}
	return nil
}
