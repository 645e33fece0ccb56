//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// Inspect describes the cluster of a root without starting, joining or changing it.
func Inspect(_ context.Context, o Options) (Status, error) {
	b, err := findBase(o)
	if b == nil || err != nil {
		return Status{State: Absent}, err
	}
	return b.inspect()
}

// Status describes the cluster.
func (c *Cluster) Status(context.Context) (Status, error) { return c.inspect() }

// inspect is status with InUse.
func (b *base) inspect() (s Status, err error) {
	if s, err = b.status(); err != nil || s.State == Absent {
		return s, err
	}
	// Whether use.lock is free shows by taking it, which would look like a user to
	// somebody who is about to stop the server. He holds start.lock.
	start, err := b.tryLock(startLock, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		s.InUse = true // somebody opens or closes it right now
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.InUse, err = b.busy(useLock)
	return s, errors.Join(err, start.Close())
}

// status is everything but InUse.
func (b *base) status() (Status, error) {
	major, err := b.current()
	if major == 0 || err != nil {
		return Status{State: Absent}, err
	}
	s := Status{State: Stopped, Major: major, DataDir: b.dataDir(major), Log: b.path(logName)}
	p, noFile := readPostmaster(s.DataDir)
	alive, err := b.busy(lockOf(major))
	if err != nil {
		return s, err
	}
	if !alive && (noFile != nil || runsIn(p.pid, s.DataDir) != yes) {
		return s, nil // whatever the file of a copied folder says
	}
	if noFile != nil {
		s.State = Stopping
		return s, nil
	}
	s.PID, s.Since = p.pid, p.since
	switch {
	case runsIn(p.pid, s.DataDir) == no, p.state == "stopping":
		s.State = Stopping
	case p.state == "ready":
		s.State, s.Socket, s.Port = Running, p.at.socket, p.at.port
	default:
		s.State = Starting
	}
	return s, nil
}

// busy says whether somebody holds a lock.
func (b *base) busy(name string) (bool, error) {
	f, err := b.tryLock(name, unix.LOCK_EX)
	if errors.Is(err, errBusy) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, f.Close()
}
