package migrate

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"manito/internal/problem"
)

// Config says which database to migrate and how. Only DSN has no default.
type Config struct {
	DSN             string        // URL or keywords of a direct connection, never through a transaction pooler
	Schema          string        // default DefaultSchema
	RolePrefix      string        // default: that of the schema's owner, and DefaultRolePrefix before Init
	ExtensionSchema string        // where Init creates pg_trgm when the database has none; default "public"
	Files           fs.FS         // default Files(): the migrations of this program
	AppVersion      string        // recorded with each applied file; default "unknown"
	Wait            time.Duration // how long to wait for another migrator; default 5 minutes
	LockTimeout     time.Duration // how long a statement may wait for a table lock before the file is tried again; default 2 s
	Tries           int           // how often a file that met a lock or a deadlock is tried; default 10
	Logger          *slog.Logger  // progress; default none
}

// Migrator works on one schema of one database. Its methods connect for themselves
// and leave no connection open; they may be called from several goroutines.
type Migrator struct {
	cfg      Config
	own      bool // the files are the built-in ones
	files    []File
	findings []Finding // of Parse
	err      error     // a mistake in the configuration, reported by every method

	// hook, when set, is called at each phase of a migration. The tests of this
	// package stop or kill the process there.
	hook func(ctx context.Context, p phase)
}

// phase names a moment in the life of one migration.
type phase string

const (
	phaseLocked       phase = "locked"        // the lock was obtained, nothing done
	phaseBeforeDDL    phase = "before-ddl"    // the attempt is recorded, no statement ran
	phaseAfterDDL     phase = "after-ddl"     // every statement ran
	phaseBeforeLedger phase = "before-ledger" // the reader's rights are granted; goose asks for the ledger row next
	phaseBeforeCommit phase = "before-commit" // the ledger row is written; for a file without transaction it is durable
	phaseAfterCommit  phase = "after-commit"  // committed, the attempt is still open
)

// New makes a migrator. It does not connect: a mistake in cfg or in the files is
// returned by the first method that is called.
func New(cfg Config) *Migrator {
	m := &Migrator{own: cfg.Files == nil}
	if cfg.Schema == "" {
		cfg.Schema = DefaultSchema
	}
	if cfg.ExtensionSchema == "" {
		cfg.ExtensionSchema = "public"
	}
	if cfg.Files == nil {
		cfg.Files = Files()
	}
	if cfg.AppVersion == "" {
		cfg.AppVersion = "unknown"
	}
	if cfg.Wait == 0 {
		cfg.Wait = 5 * time.Minute
	}
	if cfg.LockTimeout == 0 {
		cfg.LockTimeout = 2 * time.Second
	}
	if cfg.Tries == 0 {
		cfg.Tries = 10
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m.cfg = cfg
	m.err = m.check()
	return m
}

// check looks for mistakes in the configuration and reads the files.
func (m *Migrator) check() error {
	if err := checkSchema(m.cfg.Schema); err != nil {
		return err
	}
	if err := checkName("the schema of extensions", m.cfg.ExtensionSchema); err != nil {
		return err
	}
	if m.cfg.RolePrefix != "" {
		if err := checkName("the role", RolesFor(m.cfg.RolePrefix).Migrator); err != nil {
			return err
		}
	}
	var err error
	if m.files, m.findings, err = Parse(m.cfg.Files); err != nil {
		return problem.Wrap(err, problem.Internal, "reading the migrations")
	}
	return nil
}

// runnable is the error that keeps the files from being run at all.
func (m *Migrator) runnable() error {
	if m.err != nil {
		return m.err
	}
	if err := invalid(m.findings); err != nil {
		return err
	}
	if m.own {
		// Built-in files cannot change after the build, and a test guards the sum there.
		return nil
	}
	findings, err := checkSum(m.cfg.Files, m.files)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "reading the migrations")
	}
	for _, f := range findings {
		if f.File == SumName && f.Line == 0 {
			return nil // a folder without a sum is checked by Validate only
		}
	}
	return invalid(findings)
}

func (m *Migrator) reach(ctx context.Context, p phase) {
	if m.hook != nil {
		m.hook(ctx, p)
	}
}
