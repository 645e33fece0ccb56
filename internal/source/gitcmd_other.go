//go:build !unix

package source

import "os/exec"

// ownProcessGroup does nothing where there are no process groups: a cancelled
// command is killed alone, and its helpers end when their pipes close.
func ownProcessGroup(*exec.Cmd) {}
