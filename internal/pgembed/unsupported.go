//go:build !linux && !darwin

package pgembed

import (
	"context"
	"runtime"

	"manito/internal/problem"
)

// Cluster is an open cluster. On this platform there is none: Open always fails.
type Cluster struct{}

func unsupported() error {
	return problem.New(problem.Unsupported, "Manito cannot run its own PostgreSQL on %s", runtime.GOOS).
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// Open fails: on this platform Manito needs DATABASE_URL.
func Open(context.Context, Options) (*Cluster, error) { return nil, unsupported() }

// DSN is empty.
func (*Cluster) DSN(string) string { return "" }

// DataDir is empty.
func (*Cluster) DataDir() string { return "" }

// Major is 0.
func (*Cluster) Major() int { return 0 }

// Notices is empty.
func (*Cluster) Notices() []string { return nil }

// Ensure fails.
func (*Cluster) Ensure(context.Context) error { return unsupported() }

// EnsureDatabase fails.
func (*Cluster) EnsureDatabase(context.Context, string) error { return unsupported() }

// Status fails.
func (*Cluster) Status(context.Context) (Status, error) { return Status{}, unsupported() }

// Close does nothing.
func (*Cluster) Close() error { return nil }

// Inspect fails.
func Inspect(context.Context, Options) (Status, error) { return Status{}, unsupported() }

// Stop fails.
func Stop(context.Context, Options) (bool, error) { return false, unsupported() }

// Keep fails.
func Keep(context.Context, Options) error { return unsupported() }

// Reap fails.
func Reap(context.Context) error { return unsupported() }

// Upgrade fails.
func Upgrade(context.Context, Options, UpgradeOptions) (*UpgradeReport, error) {
	return nil, unsupported()
}
