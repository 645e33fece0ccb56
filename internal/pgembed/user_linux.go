package pgembed

import (
	"os"
	"syscall"

	"manito/internal/problem"
)

// mapped is ourselves under the name of a user that the machine knows. It serves
// uids without an entry in /etc/passwd, which initdb refuses, and root in a user
// namespace without other users, which the server refuses.
func mapped() (identity, error) {
	for _, name := range []string{"nobody", "postgres", "daemon", "bin"} {
		id, err := lookup(name)
		if err != nil || id.uid == 0 {
			continue
		}
		id.mapped = true
		// The same trick as canEnter's: starting a program that does not exist fails
		// late when the user namespace could be made, and early when not.
		_, err = os.StartProcess("/manito-is-only-asking", nil, &os.ProcAttr{Sys: id.attributes()})
		if os.IsNotExist(err) {
			return id, nil
		}
		return identity{}, problem.New(problem.Unsupported, "PostgreSQL cannot be run by uid %d, and this machine does not let us make a user namespace to rename it", os.Geteuid()).
			Because(err).
			Fix("echo 'manito:x:%d:%d::/:/sbin/nologin' >> /etc/passwd   # give the user a name", os.Geteuid(), os.Getegid()).
			Fix("run Manito as a user that has an entry in /etc/passwd").
			Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
	}
	return identity{}, problem.New(problem.Unsupported, "PostgreSQL cannot be run by uid %d, and /etc/passwd has no other user to rename it to", os.Geteuid()).
		Fix("run Manito as a user that has an entry in /etc/passwd").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// mapUser puts a command into a user namespace in which we have another uid. Files
// keep our real one.
func mapUser(attr *syscall.SysProcAttr, id identity) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: id.uid, HostID: os.Geteuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: id.gid, HostID: os.Getegid(), Size: 1}}
}
