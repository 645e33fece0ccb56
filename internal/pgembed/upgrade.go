//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// Upgrade moves the cluster of a root to a newer major version of PostgreSQL: it makes
// a new data folder, runs both servers, copies every role and database, compares the
// number of rows of every table, and only then puts the new data folder in use. The
// old one is kept as it was, and stays in use when anything fails. Both versions'
// programs must be installed, and no other process may have the cluster open.
func Upgrade(ctx context.Context, o Options, u UpgradeOptions) (_ *UpgradeReport, err error) {
	if err := checkSettings(o.Settings); err != nil {
		return nil, err
	}
	b, err := findBase(o)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, problem.New(problem.NotFound, "there is no database in %s to upgrade", o.Root)
	}
	start, use, err := b.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, use.Close(), start.Close()) }()
	c := &Cluster{opt: o, base: b, use: use}
	from, err := b.current()
	if err != nil {
		return nil, err
	}
	if from == 0 {
		return nil, problem.New(problem.NotFound, "there is no database in %s to upgrade", b.dir)
	}
	oldPrograms, newPrograms, err := c.programsToUpgrade(ctx, from, u.To)
	if err != nil {
		return nil, err
	}
	report := &UpgradeReport{From: from, To: newPrograms.major, Old: b.dataDir(from)}
	dump, dumps := dumperOf(newPrograms, oldPrograms)
	switch {
	case dumps:
		report.Method = "pg_dump"
	case u.Schema != nil:
		report.Method = "copy"
	default:
		return nil, problem.New(problem.Unsupported, "pg_dump and psql are neither in %s nor in %s", newPrograms.dir, oldPrograms.dir).
			Fix("install PostgreSQL's client programs of version %d or newer there", from)
	}
	if _, err := os.Lstat(b.dataDir(newPrograms.major)); err == nil {
		return nil, problem.New(problem.Conflict, "the folder %s exists already, from another upgrade or a version that was in use before", b.dataDir(newPrograms.major)).
			Fix("mv %s %s.old   # if it is not needed", b.dataDir(newPrograms.major), b.dataDir(newPrograms.major))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, b.blame(err, "the database folder %s cannot be read", b.dir)
	}
	if err := b.end(ctx, from); err != nil { // it may linger
		return nil, err
	}
	move := func(ctx context.Context, from, to address) error {
		return c.move(ctx, report, from, to, func(ctx context.Context, database string) error {
			if dumps {
				return dump.pipe(ctx, c.password, from, to, database)
			}
			dsn := to.dsn(c.password, database)
			if n, err := countRows(ctx, from.dsn(c.password, database)); database == "postgres" && len(n) == 0 {
				return err // the server's own, in which nobody has made anything
			}
			if err := u.Schema(ctx, database, dsn); err != nil {
				return err
			}
			return copyTables(ctx, from.dsn(c.password, database), dsn)
		})
	}
	if err := c.sideBySide(ctx, oldPrograms, newPrograms, move); err != nil {
		return nil, fmt.Errorf("the database stays with PostgreSQL %d, unchanged: %w", from, err)
	}
	return report, nil
}

// programsToUpgrade finds the programs of both versions.
func (c *Cluster) programsToUpgrade(ctx context.Context, from, to int) (before, after programs, err error) {
	f := newFinder(c.opt, c.base)
	before, ok, err := f.forMajor(ctx, from)
	if err != nil {
		return before, after, err
	}
	if !ok {
		return before, after, f.missing(fmt.Sprintf("an upgrade needs PostgreSQL %d, which made the data in %s and is no longer installed", from, c.dataDir(from)), from, from)
	}
	if to == 0 {
		after, ok, err = f.newer(ctx, from)
		to = maxMajor
	} else if to > from {
		after, ok, err = f.forMajor(ctx, to)
	} else {
		return before, after, problem.New(problem.Usage, "the database is one of PostgreSQL %d and cannot be moved to %d", from, to)
	}
	if err == nil && !ok {
		err = f.missing(fmt.Sprintf("no PostgreSQL newer than %d is installed", from), to, to)
	}
	return before, after, err
}

// sideBySide makes a new data folder, runs both servers while move runs, stops both and
// puts the new folder in use.
func (c *Cluster) sideBySide(ctx context.Context, before, after programs, move func(ctx context.Context, from, to address) error) (err error) {
	oldLock, err := c.waitLock(ctx, lockOf(before.major), unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer oldLock.Close()
	newLock, err := c.waitLock(ctx, lockOf(after.major), unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer newLock.Close()

	if err := c.checkData(before.major); err != nil {
		return err
	}
	if _, err := c.clearStale(ctx, before.major); err != nil {
		return err
	}
	if c.password, err = c.readPassword(); errors.Is(err, errNoPassword) {
		if err = c.resetPassword(ctx, before, oldLock); err == nil {
			c.password, err = c.readPassword()
		}
	}
	if err != nil {
		return err
	}
	made, err := c.initdb(ctx, after, newLock)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, os.RemoveAll(made))
		}
	}()
	stop := func(pid int) error {
		if pid != 0 && abandon(pid) != 0 {
			return problem.New(problem.Internal, "the server with process %d cannot be stopped", pid)
		}
		return nil
	}
	from, oldPID, err := c.runOn(ctx, before, c.dataDir(before.major), oldLock)
	defer func() { err = errors.Join(err, stop(oldPID)) }()
	if err != nil {
		return err
	}
	to, newPID, err := c.runOn(ctx, after, made, newLock)
	defer func() { err = errors.Join(err, stop(newPID)) }()
	if err != nil {
		return err
	}
	if err := move(ctx, from, to); err != nil {
		return err
	}
	// In good order, so that its last checkpoint is on disk before it is put in use.
	pid := newPID
	newPID = 0
	if err := stop(pid); err != nil {
		return err
	}
	done = true
	return c.adoptData(made, after.major)
}

// runOn runs a server on a data folder.
func (c *Cluster) runOn(ctx context.Context, p programs, dir string, lock *os.File) (address, int, error) {
	at, err := c.addressOf(p.major)
	if err != nil {
		return at, 0, err
	}
	if err := c.configure(ctx, p, dir); err != nil {
		return at, 0, err
	}
	pid, err := c.start(ctx, p, dir, at, lock)
	return at, pid, err
}

// move copies roles and databases and compares what arrived.
func (c *Cluster) move(ctx context.Context, report *UpgradeReport, from, to address, fill func(ctx context.Context, database string) error) (err error) {
	before, err := pgx.Connect(ctx, from.dsn(c.password, "postgres"))
	if err != nil {
		return err
	}
	defer before.Close(ctx)
	after, err := pgx.Connect(ctx, to.dsn(c.password, "postgres"))
	if err != nil {
		return err
	}
	defer after.Close(ctx)
	if err := copyRoles(ctx, before, after); err != nil {
		return fmt.Errorf("the roles were not copied: %w", err)
	}
	rows, err := before.Query(ctx, "select datname from pg_database where datallowconn and not datistemplate order by datname")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		c.opt.logger().Info("copying a database", "name", name, "method", report.Method)
		if err := ensureDatabase(ctx, to.dsn(c.password, "postgres"), name); err != nil {
			return err
		}
		if err := fill(ctx, name); err != nil {
			return fmt.Errorf("the database %q was not copied: %w", name, err)
		}
		if err := copyDatabaseSettings(ctx, before, after, name); err != nil {
			return fmt.Errorf("the settings of the database %q were not copied: %w", name, err)
		}
		r, err := compare(ctx, from.dsn(c.password, name), to.dsn(c.password, name))
		if err != nil {
			return fmt.Errorf("the database %q did not arrive whole: %w", name, err)
		}
		r.Name = name
		report.Databases = append(report.Databases, r)
	}
	return nil
}

// dumper is where pg_dump and psql are.
type dumper struct{ dump, load string }

// dumperOf finds them beside the servers' programs, the newer ones first: they must
// not be older than the server that is dumped.
func dumperOf(candidates ...programs) (dumper, bool) {
	for _, p := range candidates {
		dump, ok := p.tool("pg_dump")
		load, too := p.tool("psql")
		if ok && too {
			return dumper{dump, load}, true
		}
	}
	return dumper{}, false
}

// pipe copies a database by piping pg_dump into psql.
func (d dumper) pipe(ctx context.Context, password string, from, to address, database string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // neither waits for the other when one has failed
	command := func(path string, at address, args ...string) *exec.Cmd {
		cmd := identity{uid: os.Geteuid(), gid: os.Getegid()}.command(ctx, path,
			append(args, "-h", at.socket, "-p", fmt.Sprint(at.port), "-U", Superuser, "-d", database)...)
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password, "PGCLIENTENCODING=UTF8")
		return cmd
	}
	dump := command(d.dump, from, "--format=plain")
	load := command(d.load, to, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output="+os.DevNull)
	dumped, into, err := os.Pipe()
	if err != nil {
		return problem.Wrap(err, problem.Internal, "no pipe for pg_dump")
	}
	var dumpSaid, loadSaid said
	dump.Stdout, dump.Stderr = into, &dumpSaid
	load.Stdin, load.Stderr = dumped, &loadSaid
	dumpErr := dump.Start()
	loadErr := load.Start()
	err = errors.Join(dumped.Close(), into.Close()) // each of them has its own
	if dumpErr == nil {
		if dumpErr = dump.Wait(); dumpErr != nil && loadErr == nil {
			// What it wrote ends early: psql must not take that for all of it.
			cancel()
		}
	} else {
		cancel()
	}
	if loadErr == nil {
		loadErr = load.Wait()
	}
	switch {
	case dumpErr != nil:
		return errors.Join(fmt.Errorf("%s: %w %s", filepath.Base(dump.Path), dumpErr, dumpSaid.text), loadErr)
	case loadErr != nil:
		return fmt.Errorf("%s: %w %s", filepath.Base(load.Path), loadErr, loadSaid.text)
	}
	return err
}

// said keeps the first kilobytes of what a program says.
type said struct{ text []byte }

func (s *said) Write(p []byte) (int, error) {
	if room := 4096 - len(s.text); room > 0 {
		s.text = append(s.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
