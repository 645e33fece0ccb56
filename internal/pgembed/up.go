//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

const (
	// settlePoll is how often a server that is changing its state is looked at.
	settlePoll = 5 * time.Millisecond
	// orphanPatience is how long the processes of a killed server may take to notice
	// that it is gone. They do so at once unless one is in the middle of a long query.
	orphanPatience = 30 * time.Second
	// silencePatience is how long a server may call itself ready and not answer.
	silencePatience = 3 * time.Second
)

// bringUp joins the server if it runs and starts it otherwise, making the cluster if
// there is none. The caller holds start.lock, and use.lock shared.
func (c *Cluster) bringUp(ctx context.Context) error {
	major, err := c.current()
	if err != nil {
		return err
	}
	find := newFinder(c.opt, c.base)
	var p programs
	fresh := major == 0
	if fresh {
		if p, err = find.forNew(ctx); err != nil {
			return err
		}
		major = p.major
	}
	lock, err := c.settle(ctx, major)
	if lock == nil || err != nil {
		return err
	}
	defer lock.Close() // the server has its own copy by then
	if fresh {
		if p.major > maxMajor {
			c.notice(fmt.Sprintf("PostgreSQL %s is newer than those that Manito was tested with (%d to %d).", p.version, minMajor, maxMajor))
		}
		if err := c.create(ctx, p, lock); err != nil {
			return err
		}
	} else if p, err = c.programsFor(ctx, find, major); err != nil {
		return err
	}
	if err := c.checkData(major); err != nil {
		return err
	}
	if ours, err := c.clearStale(ctx, major); err != nil || ours {
		return err
	}
	if err := c.setCurrent(major); err != nil { // usually so already; repairs a lost link
		return err
	}
	c.password, err = c.readPassword()
	if errors.Is(err, errNoPassword) {
		if err = c.resetPassword(ctx, p, lock); err == nil {
			c.password, err = c.readPassword()
		}
	}
	if err != nil {
		return err
	}
	if err := c.configure(ctx, p, c.dataDir(major)); err != nil {
		return err
	}
	c.major = major
	err = c.launch(ctx, p, lock)
	if codeOf(err) != invalidPassword {
		return err
	}
	// The password file is another cluster's: restored, copied or edited.
	if err := c.resetPassword(ctx, p, lock); err != nil {
		return err
	}
	if c.password, err = c.readPassword(); err != nil {
		return err
	}
	return c.launch(ctx, p, lock)
}

// settle waits until the server answers, and then joins it and returns no lock; or
// until no process of it is left, and then returns its lock.
func (c *Cluster) settle(ctx context.Context, major int) (*os.File, error) {
	dir := c.dataDir(major)
	began, told := time.Now(), false
	for {
		lock, err := c.tryLock(lockOf(major), unix.LOCK_EX)
		if !errors.Is(err, errBusy) {
			return lock, err
		}
		joined := c.join(ctx)
		if joined == nil {
			return nil, nil
		}
		if ctx.Err() != nil {
			return nil, interrupted(ctx, "interrupted while waiting for the database in "+c.dir)
		}
		p, err := readPostmaster(dir)
		waited := time.Since(began)
		var wrong *problem.Error
		switch {
		case errors.As(joined, &wrong):
			return nil, joined // which starting it again would not mend
		case err != nil || runsIn(p.pid, dir) == no:
			if waited > orphanPatience {
				return nil, problem.New(problem.Conflict, "the server of %s is gone, but processes that it started are still busy after %s", dir, waited.Round(time.Second)).
					Fix("ps -ef | grep postgres   # end what is left of it, then try again")
			}
		case p.state != "ready":
			if waited > silencePatience && !told {
				told = true
				c.opt.logger().Info("waiting for the database", "state", p.state, "pid", p.pid, "log", c.path(logName))
			}
		case errors.Is(joined, errNoPassword), codeOf(joined) == invalidPassword, waited > silencePatience:
			// It runs, but we cannot get in: the password file was lost or replaced, or
			// somebody deleted the socket. A new start mends both.
			if err := c.restartAlone(ctx, major, joined); err != nil {
				return nil, err
			}
		}
		if err := sleep(ctx, settlePoll); err != nil {
			return nil, interrupted(ctx, "interrupted while waiting for the database in "+c.dir)
		}
	}
}

// restartAlone stops the server unless others use it.
func (c *Cluster) restartAlone(ctx context.Context, major int, why error) error {
	if err := flock(c.use, unix.LOCK_EX); err != nil {
		// The failed attempt has cost us our share. Taking it back cannot fail for long:
		// exclusively it is only taken under start.lock, which we hold.
		for errors.Is(err, errBusy) {
			if err = flock(c.use, unix.LOCK_SH); err != nil {
				if e := sleep(ctx, lockPoll); e != nil {
					return interrupted(ctx, "interrupted while waiting for the database in "+c.dir)
				}
			}
		}
		if err != nil {
			return err
		}
		return problem.New(problem.Conflict, "the database in %s runs and others use it, but it cannot be reached", c.dir).Because(why).
			Fix("end the other Manito processes, then try again")
	}
	if err := c.end(ctx, major); err != nil {
		return err
	}
	return flock(c.use, unix.LOCK_SH)
}

// programsFor finds the programs for data of a major version. Newer ones do not
// open it; that takes Upgrade.
func (c *Cluster) programsFor(ctx context.Context, f *finder, major int) (programs, error) {
	p, ok, err := f.forMajor(ctx, major)
	if err != nil {
		return programs{}, err
	}
	newer, isNewer, err := f.newer(ctx, major)
	if err != nil {
		return programs{}, err
	}
	if ok {
		if isNewer && !c.told(newer) {
			c.notice(fmt.Sprintf("PostgreSQL %s is installed (%s); the database stays with %s (%s) until it is upgraded.", newer.version, newer.dir, p.version, p.dir))
			return p, c.write(toldName, []byte(strconv.Itoa(newer.major)+"\n"), c.owner)
		}
		return p, nil
	}
	what := fmt.Sprintf("the data in %s was made by PostgreSQL %d, which is no longer installed", c.dataDir(major), major)
	if isNewer {
		what += fmt.Sprintf("; PostgreSQL %s in %s cannot read it", newer.version, newer.dir)
	}
	return programs{}, f.missing(what, major, major)
}

// toldName is the file with the newest version of which the user was told.
const toldName = "told"

// told says whether the user knows already that a newer version is installed.
func (c *Cluster) told(newer programs) bool {
	text, err := os.ReadFile(c.path(toldName))
	return err == nil && strings.TrimSpace(string(text)) == strconv.Itoa(newer.major)
}

// checkData makes sure that a data folder is one and that only its owner gets in.
func (c *Cluster) checkData(major int) error {
	dir := c.dataDir(major)
	text, err := os.ReadFile(dir + "/PG_VERSION")
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return problem.New(problem.Invalid, "the folder %s should hold PostgreSQL's data but has no PG_VERSION", dir).
				Fix("manito backup restore").Fix("mv %s %s.broken   # and begin with an empty database", dir, dir)
		}
		return c.blame(err, "the data folder %s cannot be read", dir)
	}
	if got := fmt.Sprintf("%d\n", major); string(text) != got {
		return problem.New(problem.Invalid, "the folder %s holds data of PostgreSQL %q", dir, text).Fix("rename it after its version")
	}
	st, err := os.Stat(dir)
	if err != nil {
		return c.blame(err, "the data folder %s cannot be examined", dir)
	}
	if owner := ownerOf(st); owner.uid != c.server.uid {
		return problem.New(problem.Denied, "the data folder %s belongs to %s, but its server runs as %s", dir, owner, c.server).
			Fix("sudo chown -R %d:%d %s", c.server.uid, c.server.gid, dir)
	}
	if perm := st.Mode().Perm(); perm != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return c.blame(err, "the data folder %s has mode %04o and cannot be given 0700", dir, perm)
		}
		c.notice(fmt.Sprintf("The data folder %s had mode %04o; it is 0700 again.", dir, perm))
	}
	return nil
}
