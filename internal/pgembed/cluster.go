//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// The lock files beside the data folders; the third kind is lockOf.
const (
	useLock   = "use.lock"
	startLock = "start.lock"
	keepLock  = "keep.lock"
)

// lockOf is the lock that a server holds on its data folder.
func lockOf(major int) string { return strconv.Itoa(major) + ".lock" }

// stopPatience is how long Close waits for the server to write its last checkpoint.
const stopPatience = 2 * time.Minute

// Cluster is an open cluster: a server that runs at least until Close. It is safe for
// concurrent use.
type Cluster struct {
	opt Options
	*base

	mu       sync.Mutex
	use      *os.File // use.lock, held shared; nil when closed
	password string
	major    int
	at       address
	child    int // the server, when this process started it
	keeper   int // the keeper, likewise
	said     []string
}

// address is where a server listens.
type address struct {
	socket string // the socket's folder
	port   int
}

// Open makes, starts or joins the cluster of a root and keeps it running until Close.
// It repairs what it can, which Notices tells, and otherwise returns a problem with
// fixes. When the context ends in the middle, nothing half-made is left behind.
func Open(ctx context.Context, o Options) (*Cluster, error) {
	if err := checkSettings(o.Settings); err != nil {
		return nil, err
	}
	if o.Linger > 0 && len(o.Keeper) == 0 {
		return nil, problem.New(problem.Internal, "a database that lingers needs a keeper")
	}
	c, err := newCluster(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.Ensure(ctx); err != nil {
		return nil, errors.Join(err, c.use.Close())
	}
	return c, nil
}

// newCluster joins the users of a base, which it makes if need be.
func newCluster(ctx context.Context, o Options) (*Cluster, error) {
	b, err := makeBase(o)
	if err != nil {
		return nil, err
	}
	c := &Cluster{opt: o, base: b, said: b.notices}
	if c.use, err = b.waitLock(ctx, useLock, unix.LOCK_SH); err != nil {
		return nil, err
	}
	return c, nil
}

// Ensure starts the server again if it has died. A process that keeps the cluster open
// for long calls it when it cannot connect; it is quick when the server runs.
func (c *Cluster) Ensure(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.use == nil {
		return problem.New(problem.Internal, "the database in %s was closed", c.dir)
	}
	if c.child != 0 {
		c.reapChild()
	}
	if c.join(ctx) == nil {
		if c.opt.Linger > 0 {
			c.mustKeep()
		}
		return nil
	}
	lock, err := c.waitLock(ctx, startLock, unix.LOCK_EX)
	if err != nil {
		return err
	}
	err = c.bringUp(ctx)
	if err == nil && c.opt.Linger > 0 {
		c.mustKeep()
	}
	return errors.Join(err, lock.Close())
}

// notice adds something that the user should know.
func (c *Cluster) notice(text string) {
	c.said = append(c.said, text)
	c.opt.logger().Info(text)
}

// Notices are sentences for the user about what Open or Ensure found and changed.
func (c *Cluster) Notices() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}

// Major is the major version of the data, and so of the server.
func (c *Cluster) Major() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.major
}

// DataDir is the folder of the data, absolute.
func (c *Cluster) DataDir() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dataDir(c.major)
}

// DSN is a keyword connection string for a database, as the superuser. It holds the
// password. It can change when Ensure starts the server again.
func (c *Cluster) DSN(database string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.dsn(c.password, database)
}

// Close leaves the cluster. The last one out stops the server, or with Linger leaves it
// to the keeper. Closing twice is allowed.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.use == nil {
		return nil
	}
	use := c.use
	c.use = nil
	if c.opt.Linger > 0 {
		c.mustKeep()
	}
	if c.opt.Linger > 0 {
		return errors.Join(c.touch(), use.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	lock, err := c.waitLock(ctx, startLock, unix.LOCK_EX)
	if err != nil {
		return errors.Join(err, use.Close())
	}
	// Alone means to get use.lock exclusively, and to hold it until the server is gone:
	// whoever comes meanwhile waits and then starts it anew.
	err = flock(use, unix.LOCK_EX)
	switch {
	case errors.Is(err, errBusy):
		err = nil
	case err == nil:
		err = c.end(ctx, c.major)
		if c.child != 0 {
			c.reapChild()
		}
	}
	return errors.Join(err, use.Close(), lock.Close())
}
