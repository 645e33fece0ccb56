package pgembed

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// runsIn says whether a process is a server of a data folder, by its command line:
// a process's working folder cannot be asked for here.
func runsIn(pid int, dir string) answer {
	if pid <= 0 {
		return no
	}
	out, err := exec.Command("/bin/ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return no // there is no such process
	case err != nil:
		return unknown
	}
	if command := string(out); strings.Contains(command, "postgres") && strings.Contains(command, "-D "+dir+" ") {
		return yes
	}
	return no
}

// totalMemory is the memory of the machine in bytes.
func totalMemory() uint64 {
	if total, err := unix.SysctlUint64("hw.memsize"); err == nil {
		return total
	}
	return 1 << 30
}

// closeOnExec marks every descriptor but the standard three close-on-exec.
func closeOnExec() error { return markDescriptors("/dev/fd") }

// Reap does nothing here: there are no containers in which we could be PID 1.
func Reap(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
