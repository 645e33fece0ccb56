package migrate

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// InitOptions say how Init creates an installation.
type InitOptions struct {
	DryRun bool // run every step in a transaction and roll it back
	// Passwords of the roles that log in; empty leaves a role's password alone. Only a
	// SCRAM verifier is sent to the server.
	MigratorPassword, AppPassword, ReaderPassword string
}

// InitStep is one thing that an installation needs.
type InitStep struct {
	What string `json:"what"`
	SQL  string `json:"sql"`  // passwords are not shown
	Done bool   `json:"done"` // false in a dry run and when the right was missing
}

// InitReport is what Init did. Its JSON has "schema": "manito/db-init/v1".
type InitReport struct {
	Schema string `json:"schema"`
	Where
	DryRun bool       `json:"dry_run"`
	Roles  Roles      `json:"roles"`
	Steps  []InitStep `json:"steps"` // what was missing; empty when everything is there
	// Needed is the SQL that a superuser must run when the session's user may not.
	Needed []string `json:"needed,omitempty"`
}

// Init creates the four roles, the schema, its privileges and pg_trgm, as far as they
// are missing. It runs in one transaction. When the session's user has not the rights,
// it changes nothing and the report's Needed is the SQL for somebody who has them.
func (m *Migrator) Init(ctx context.Context, o InitOptions) (rep *InitReport, err error) {
	defer problem.Call(&err, "migrate init")
	rep = &InitReport{Schema: "manito/db-init/v1", DryRun: o.DryRun, Steps: []InitStep{}}
	err = m.glance(ctx, func(s site, conn *pgx.Conn, _ *pgx.ConnConfig) error {
		rep.Where, rep.Roles = s.where(), s.roles
		return m.withLock(ctx, conn, func() error { return m.install(ctx, conn, s.server, o, rep) })
	})
	return rep, err
}

// install looks again, now under the lock, and runs what is missing.
func (m *Migrator) install(ctx context.Context, conn *pgx.Conn, srv server, o InitOptions, rep *InitReport) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		s, err := m.look(ctx, conn, srv)
		if err != nil {
			return err
		}
		if err := s.readable(); err != nil {
			return err
		}
		l := stepList{site: s, conn: conn, extensions: m.cfg.ExtensionSchema, options: o}
		if err := l.gather(ctx, m.cfg.RolePrefix != ""); err != nil {
			return err
		}
		for _, st := range l.steps {
			rep.Steps = append(rep.Steps, InitStep{What: st.what, SQL: st.shown()})
		}
		for _, st := range l.steps {
			if _, err := tx.Exec(ctx, st.sql); err != nil {
				return cannot(ctx, err, st, l.steps, rep)
			}
		}
		if o.DryRun {
			return errRollback
		}
		return nil
	})
	switch {
	case errors.Is(err, errRollback):
		return nil
	case err != nil:
		return explain(ctx, err, "initialising the database")
	}
	for i := range rep.Steps {
		rep.Steps[i].Done = true
	}
	return nil
}

// cannot explains why a step failed. When a right was missing, everything that is still
// to be done goes into the report, to be handed to somebody who has the rights.
func cannot(ctx context.Context, err error, failed initStep, steps []initStep, rep *InitReport) error {
	switch sqlstate(err) {
	case codePrivilege:
	case "0A000", "58P01": // the extension's files are not on the server
		return problem.New(problem.Unsupported, "the server cannot %s", failed.what).Because(err).
			Fix("install PostgreSQL's contrib modules on the server (Debian has them in postgresql-NN, others in postgresql-contrib)")
	default:
		return explain(ctx, err, "trying to "+failed.what)
	}
	for _, st := range steps {
		rep.Needed = append(rep.Needed, st.shown()+";")
	}
	return problem.New(problem.Denied, "the session's user may not %s", failed.what).Because(err).
		Fix("run manito db init with the address of a superuser, or of a role with CREATEROLE that owns the database").
		Fix("or have a superuser run this in database %s:\n%s", rep.Database, strings.Join(rep.Needed, "\n"))
}

// initStep is one statement and what it does, as a verb phrase.
type initStep struct {
	what   string
	sql    string
	secret string // a part of sql that no report shows
	member string // whom it makes a member of the owner
}

func (s initStep) shown() string {
	if s.secret == "" {
		return s.sql
	}
	return strings.ReplaceAll(s.sql, s.secret, "********")
}
