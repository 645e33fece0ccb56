package pgembed

import (
	"syscall"

	"manito/internal/problem"
)

// withAlias fails: only Linux can show a user to a program under another name.
func (id identity) withAlias() (identity, error) {
	return identity{}, problem.New(problem.Unsupported, "PostgreSQL cannot be run by uid %d, which has no name", id.uid).
		Fix("run Manito as a user that the machine knows by name").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// enterNamespace does nothing: no identity has an alias here.
func (id identity) enterNamespace(*syscall.SysProcAttr) {}
