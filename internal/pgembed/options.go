package pgembed

import (
	"context"
	"log/slog"
	"time"
)

// Superuser is the cluster's only role with a password when it is made.
const Superuser = "manito_super"

// The majors that Manito supports. A newer one is used only when nothing else is there.
const (
	minMajor = 15
	maxMajor = 18
)

// Options say which cluster to open and how to run it.
type Options struct {
	// Root is Manito's home folder, absolute. It is made when it is missing.
	Root string

	// BinDir is a folder with postgres and initdb to be preferred over all others
	// (MANITO_PG_BIN). Data of another major version still goes to programs of its own major.
	BinDir string

	// Logger is told what happens to the server; nil means nobody is.
	Logger *slog.Logger

	// Settings are server settings that replace Manito's choice from the next start
	// on. Those that guard the data (fsync, synchronous_commit, ...) cannot be weakened.
	Settings map[string]string

	// Linger is how long the server stays after its last user has left; 0 means
	// that the last one out stops it. It needs Keeper.
	Linger time.Duration

	// Keeper is the command line of a program that calls Keep with the same Root and Linger.
	Keeper []string

	// Refuge is where root's cluster goes when the server's user cannot enter Root;
	// defaults to /var/lib/manito.
	Refuge string
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// State is what a cluster is doing.
type State string

// The states of a cluster.
const (
	Absent   State = "absent"   // there is no data folder yet
	Stopped  State = "stopped"  // no process of the server is left
	Starting State = "starting" // also: recovering after a crash
	Running  State = "running"
	Stopping State = "stopping" // also: its processes have outlived their first one
)

// Status describes a cluster without changing it.
type Status struct {
	State   State     `json:"state"`
	Major   int       `json:"major,omitempty"`   // of the data folder in use
	DataDir string    `json:"dataDir,omitempty"` // absolute
	Socket  string    `json:"socket,omitempty"`  // the socket's folder; empty unless running
	Port    int       `json:"port,omitempty"`    // names the socket in its folder; nothing listens on TCP
	Log     string    `json:"log,omitempty"`     // the server's log file
	PID     int       `json:"pid,omitempty"`     // of the server's first process
	Since   time.Time `json:"since,omitzero"`    // when it was started
	InUse   bool      `json:"inUse"`             // some process has it open
}

// UpgradeOptions say how to move a cluster to a newer major version.
type UpgradeOptions struct {
	// To is the major version to move to; 0 means the newest supported one that is installed.
	To int

	// Schema makes the schema of one database, which exists and is empty, with the
	// roles already there. It is called only when pg_dump and psql are beside neither
	// of the two servers; then every table's rows are copied into what it made.
	Schema func(ctx context.Context, database, dsn string) error
}

// UpgradeReport says what Upgrade did.
type UpgradeReport struct {
	From      int              `json:"from"`
	To        int              `json:"to"`
	Method    string           `json:"method"` // "pg_dump" or "copy"
	Databases []DatabaseReport `json:"databases"`
	Old       string           `json:"old"` // the old data folder, which is kept
}

// DatabaseReport counts what was moved and, table by table, found equal in both clusters.
type DatabaseReport struct {
	Name   string `json:"name"`
	Tables int    `json:"tables"`
	Rows   int64  `json:"rows"`
}
