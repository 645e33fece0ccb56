//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"manito/internal/problem"
)

// identity is a user of the machine.
type identity struct {
	uid, gid int
	alias    *identity // who its programs believe to be, see withAlias; nil for itself
}

// String is the user's name, or number when it has none.
func (id identity) String() string {
	if u, err := user.LookupId(strconv.Itoa(id.uid)); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(id.uid)
}

func ownerOf(st fs.FileInfo) identity {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{uid: -1, gid: -1}
	}
	return identity{uid: int(s.Uid), gid: int(s.Gid)}
}

// lookup finds a user by name. Without cgo only /etc/passwd is read.
func lookup(name string) (identity, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return identity{}, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return identity{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return identity{uid: uid, gid: gid}, err
}

// chooseServer chooses who the server of a new base runs as. Root gives it to the
// owner of data that is already there, to the owner of the home folder (sudo keeps
// HOME), or to a user that owns little else.
func (b *base) chooseServer() (identity, error) {
	me := identity{uid: os.Geteuid(), gid: os.Getegid()}
	if me.uid != 0 {
		return me, nil
	}
	var candidates []identity
	if major, err := b.onlyData(); err == nil && major != 0 {
		if st, err := os.Stat(b.dataDir(major)); err == nil {
			candidates = append(candidates, ownerOf(st))
		}
	}
	st, err := os.Stat(b.root)
	if err != nil {
		return identity{}, blame(err, b.root, "the home folder %s cannot be examined", b.root)
	}
	candidates = append(candidates, ownerOf(st))
	for _, name := range []string{"postgres", "nobody"} {
		if id, err := lookup(name); err == nil {
			candidates = append(candidates, id)
		}
	}
	for _, id := range candidates {
		if id.uid <= 0 {
			continue
		}
		_, err := id.canEnter("/")
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EINVAL) {
			return identity{}, err
		}
		// We are root only in name: in a user namespace that has no other users.
		return me.withAlias()
	}
	return identity{}, problem.New(problem.Unsupported, "we are root, PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody").
		Fix("run Manito as an ordinary user").
		Fix("useradd --system postgres").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// attributes make a command run as this user, in a session of its own, so that the
// terminal's signals do not reach it.
func (id identity) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	become := id
	if id.alias != nil {
		become = *id.alias
		id.enterNamespace(attr)
	}
	if id.uid != os.Geteuid() {
		attr.Credential = &syscall.Credential{Uid: uint32(become.uid), Gid: uint32(become.gid)}
	}
	return attr
}

// canEnter says whether the user may make a folder its working folder. Only the
// kernel knows (modes, lists of access rights, mounts), so it is asked: a new
// process becomes the user and enters the folder before it would run a program,
// which does not exist.
func (id identity) canEnter(dir string) (bool, error) {
	if id.uid == os.Geteuid() {
		return true, nil
	}
	_, err := os.StartProcess("/manito-is-only-asking", nil, &os.ProcAttr{Dir: dir, Sys: id.attributes()})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case errors.Is(err, syscall.EACCES):
		return false, nil
	}
	return false, problem.New(problem.Denied, "we are root and cannot start a program as %s", id).Because(err).
		Fix("run Manito as an ordinary user").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// command prepares one of PostgreSQL's programs. Ending the context kills it and all
// that it started. Its environment is made of almost nothing: ours may hold secrets,
// which its user could read, and settings (PGDATA, PGOPTIONS, NOTIFY_SOCKET) that
// are not meant for it.
func (id identity) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, path, args...)
	c.Dir = "/"
	c.Env = []string{"LC_ALL=C", "TZ=UTC"}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH":
			c.Env = append(c.Env, v)
		}
	}
	c.SysProcAttr = id.attributes()
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	return c
}
