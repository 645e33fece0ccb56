//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"manito/internal/problem"
)

// create makes the cluster of a new base. The data folder appears under its name at
// once and complete; a crash before leaves only NN.new, with which nothing is lost.
// The caller holds the server's lock.
func (c *Cluster) create(ctx context.Context, p programs, lock *os.File) error {
	c.opt.logger().Info("making the database", "folder", c.dataDir(p.major), "postgresql", p.version)
	if _, err := c.readPassword(); errors.Is(err, errNoPassword) {
		if _, err := c.newPassword(); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	made, err := c.initdb(ctx, p, lock)
	if err != nil {
		return err
	}
	return c.adoptData(made, p.major)
}

// adoptData gives a finished data folder its name.
func (c *Cluster) adoptData(made string, major int) error {
	if err := os.Rename(made, c.dataDir(major)); err != nil {
		return c.blame(err, "the data folder %s cannot be made", c.dataDir(major))
	}
	if err := syncDir(c.dir); err != nil {
		return err
	}
	return c.setCurrent(major)
}

// initdb makes a data folder NN.new with the password of the base and returns its path.
// All its processes hold the lock, so that none outlives us unnoticed.
func (c *Cluster) initdb(ctx context.Context, p programs, lock *os.File) (made string, err error) {
	dir := c.dataDir(p.major) + ".new"
	if err := os.RemoveAll(dir); err != nil {
		return "", c.blame(err, "the unfinished data folder %s cannot be removed", dir)
	}
	password, err := c.readPassword()
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", c.blame(err, "the data folder %s cannot be made", dir)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if err := c.give(dir, c.server); err != nil {
		return "", err
	}
	// initdb reads the password as the server's user, who may not read ours.
	secret := filepath.Join("run", "initdb.password")
	if err := c.write(secret, []byte(password+"\n"), c.server); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Remove(c.path(secret))) }()

	args := []string{
		"-D", dir, "-U", Superuser, "-E", "UTF8", "--pwfile=" + c.path(secret),
		"--auth-local=scram-sha-256", "--auth-host=reject", "--data-checksums", "--no-instructions",
		// Sorted by bytes: fast, fit for prefix searches, and the same on every machine
		// and after every upgrade of its C library.
		"--locale=C",
	}
	if p.major >= 17 {
		args = append(args, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
	}
	said, err := c.runInitdb(ctx, p, lock, c.server, args)
	if err != nil && strings.Contains(said, "could not look up effective user ID") {
		// A uid without an entry in /etc/passwd, as container platforms give out. The
		// server itself does not mind.
		as, e := c.server.withAlias()
		if e != nil {
			return "", e
		}
		said, err = c.runInitdb(ctx, p, lock, as, args)
	}
	if ctx.Err() != nil {
		return "", interrupted(ctx, "interrupted while making the database in "+c.dir)
	}
	if err != nil {
		return "", c.diagnose(said, err, "the database in "+c.dir+" cannot be made: initdb failed")
	}
	conf := filepath.Join(dir, "postgresql.conf")
	f, err := os.OpenFile(conf, os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return "", c.blame(err, "the settings %s cannot be opened", conf)
	}
	_, err = f.WriteString("\ninclude_if_exists = '" + confName + "'\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", c.blame(err, "the settings %s cannot be written", conf)
	}
	return dir, nil
}

func (c *Cluster) runInitdb(ctx context.Context, p programs, lock *os.File, as identity, args []string) (string, error) {
	cmd := as.command(ctx, p.path("initdb"), args...)
	cmd.ExtraFiles = []*os.File{lock}
	said, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		err = problem.New(problem.Denied, "%s cannot run %s", as, cmd.Path).Because(err)
	}
	return string(said), err
}
