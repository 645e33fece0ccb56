//go:build unix

package source

import (
	"os/exec"
	"syscall"
)

// ownProcessGroup makes a cancelled command take its children along: git fetches
// through helpers that would go on without it. It is a session of its own, so
// that ssh finds no terminal to ask a password on and fails instead of waiting.
func ownProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
