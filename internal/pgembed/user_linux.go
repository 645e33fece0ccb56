package pgembed

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"manito/internal/problem"
)

// withAlias gives a user a name that the machine knows, in a user namespace in which
// nothing else changes: files keep their owner. It serves uids without an entry in
// /etc/passwd, which initdb refuses, and root in a namespace without other users,
// which the server refuses.
func (id identity) withAlias() (identity, error) {
	cause := errors.New("/etc/passwd has no user to name it after")
	for _, name := range []string{"nobody", "postgres", "daemon", "bin"} {
		alias, err := lookup(name)
		if err != nil || alias.uid == 0 {
			continue
		}
		id.alias = &alias
		// The same trick as canEnter's: starting a program that does not exist fails
		// late when the namespace could be made, and early when not.
		_, err = os.StartProcess("/manito-is-only-asking", nil, &os.ProcAttr{Sys: id.attributes()})
		if errors.Is(err, fs.ErrNotExist) {
			return id, nil
		}
		cause = err
		break
	}
	return identity{}, problem.New(problem.Unsupported, "PostgreSQL cannot be run by uid %d, and it cannot be given another name in a user namespace", id.uid).
		Because(cause).
		Fix("echo 'manito:x:%d:%d::/:/sbin/nologin' >> /etc/passwd   # unless it is 0", id.uid, id.gid).
		Fix("run Manito as a user that has an entry in /etc/passwd").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// enterNamespace makes a command start in a user namespace that shows id as its alias.
func (id identity) enterNamespace(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: id.alias.uid, HostID: id.uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: id.alias.gid, HostID: id.gid, Size: 1}}
	attr.GidMappingsEnableSetgroups = id.uid != os.Geteuid() // as root, to leave root's groups
}
