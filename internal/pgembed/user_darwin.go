package pgembed

import (
	"os"
	"syscall"

	"manito/internal/problem"
)

// mapped fails: only Linux can show us to a program under another name.
func mapped() (identity, error) {
	return identity{}, problem.New(problem.Unsupported, "PostgreSQL cannot be run by uid %d", os.Geteuid()).
		Fix("run Manito as a user that the machine knows by name").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// mapUser does nothing: mapped never gives an identity to map.
func mapUser(*syscall.SysProcAttr, identity) {}
