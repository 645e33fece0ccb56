package migrate

import (
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"manito/internal/problem"
)

// Where says which database a report is about.
type Where struct {
	Database       string `json:"database"`
	DatabaseSchema string `json:"database_schema"`
	Server         string `json:"server"` // its version
}

// Done is one file that was applied, or undone.
type Done struct {
	Version     int64  `json:"version"`
	Name        string `json:"name"`
	Transaction bool   `json:"transaction"`
	DurationMS  int64  `json:"duration_ms"`
	Tries       int    `json:"tries"` // more than 1 when another session held a lock
}

// UpReport is what Up did. Its JSON has "schema": "manito/db-up/v1".
type UpReport struct {
	Schema string `json:"schema"`
	Where
	DryRun  bool   `json:"dry_run"`
	From    int64  `json:"from"` // the version before; 0 is the empty schema
	To      int64  `json:"to"`   // the version after
	Applied []Done `json:"applied"`
	Steps   []Step `json:"steps,omitempty"` // of a dry run: what would run
}

// UpOptions narrow an Up.
type UpOptions struct {
	To int64 // the version to stop at; 0 means the newest
	// DryRun runs everything in a scratch schema inside a transaction that is rolled
	// back. It proves that the files parse, run in order and agree with each other; it
	// cannot prove that the rows of the real tables satisfy a new constraint.
	DryRun bool
}

// Up applies every pending migration. Many processes may call it at once: one applies,
// the others wait and find nothing to do.
func (m *Migrator) Up(ctx context.Context) (*UpReport, error) { return m.UpWith(ctx, UpOptions{}) }

// UpWith applies pending migrations. On failure the report says what was applied before it.
func (m *Migrator) UpWith(ctx context.Context, o UpOptions) (rep *UpReport, err error) {
	defer problem.Call(&err, "migrate up")
	rep = &UpReport{Schema: "manito/db-up/v1", DryRun: o.DryRun, Applied: []Done{}}
	if err := m.runnable(); err != nil {
		return rep, err
	}
	err = m.visit(ctx, func(s site, conn *pgx.Conn, cfg *pgx.ConnConfig) error {
		rep.Where = s.where()
		applied, err := s.readLedger(ctx, conn)
		if err != nil {
			return err
		}
		if err := invalid(compare(m.files, applied)); err != nil {
			return err
		}
		rep.From = newest(applied)
		rep.To = rep.From
		target := o.To
		if target == 0 {
			target = math.MaxInt64
		} else if !slices.ContainsFunc(m.files, func(f File) bool { return f.Version == target }) {
			return problem.New(problem.NotFound, "there is no migration with version %d", target).Fix("manito db status lists them")
		}
		todo := slices.DeleteFunc(pending(m.files, applied), func(f File) bool { return f.Version > target })
		if len(todo) == 0 {
			if o.DryRun {
				return nil
			}
			return m.sweep(ctx, conn, &s)
		}
		if o.DryRun {
			rep.Steps = s.steps(todo, "up")
			rep.To = todo[len(todo)-1].Version
			return m.rehearse(ctx, conn, s, todo[len(todo)-1].Version, rep.To)
		}
		if err := m.ledgerFor(ctx, conn, &s); err != nil {
			return err
		}
		r, provider, done, err := m.start(ctx, s, conn, cfg, "up")
		if err != nil {
			return err
		}
		defer done()
		rep.Applied, err = r.drive(ctx, func(ctx context.Context) ([]*goose.MigrationResult, error) { return provider.UpTo(ctx, target) })
		if rep.Applied == nil {
			rep.Applied = []Done{}
		}
		if n := len(rep.Applied); n > 0 {
			rep.To = rep.Applied[n-1].Version
		}
		return err
	})
	return rep, err
}

// sweep closes the attempts of dead migrators when there is nothing else to do. It takes
// the lock only when there are any and it is free; its holder closes them otherwise.
func (m *Migrator) sweep(ctx context.Context, conn *pgx.Conn, s *site) error {
	if !s.hasLedger {
		return nil
	}
	var open bool
	err := conn.QueryRow(ctx, s.expand(`select exists (select from {{schema}}.migration_attempt where outcome = 'running')`)).Scan(&open)
	if err != nil || !open {
		return explain(ctx, err, "reading the attempts")
	}
	var got bool
	if err := conn.QueryRow(ctx, tryLock, lockID(s.schema)).Scan(&got); err != nil || !got {
		return explain(ctx, err, "closing the attempts of dead migrators")
	}
	_, err = abandon(ctx, conn, s)
	return err // closing the session gives the lock back
}

// visit connects, checks the server and the installation, becomes the owner and calls f.
func (m *Migrator) visit(ctx context.Context, f func(s site, conn *pgx.Conn, cfg *pgx.ConnConfig) error) error {
	return m.glance(ctx, func(s site, conn *pgx.Conn, cfg *pgx.ConnConfig) error {
		if err := s.ready(); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, s.become()); err != nil {
			return explain(ctx, err, "becoming the owner")
		}
		return f(s, conn, cfg)
	})
}

// glance connects, checks the server, looks at the installation and calls f. It refuses a
// pooler in transaction mode, because f may lock and write.
func (m *Migrator) glance(ctx context.Context, f func(s site, conn *pgx.Conn, cfg *pgx.ConnConfig) error) error {
	return m.session(ctx, func(srv server, conn *pgx.Conn, cfg *pgx.ConnConfig) error {
		if srv.pooled {
			return pooledError()
		}
		s, err := m.look(ctx, conn, srv)
		if err != nil {
			return err
		}
		return f(s, conn, cfg)
	})
}

// read is glance for an f that only reads. Through a pooler in transaction mode everything
// happens in one transaction, which is one session; rolled back, it takes the settings
// that f made along.
func (m *Migrator) read(ctx context.Context, f func(s site, conn *pgx.Conn) error) error {
	return m.session(ctx, func(srv server, conn *pgx.Conn, cfg *pgx.ConnConfig) error {
		inside := func() error {
			s, err := m.look(ctx, conn, srv)
			if err != nil {
				return err
			}
			return f(s, conn)
		}
		if !srv.pooled {
			return inside()
		}
		// A named statement would stay in the shared session and be in the next one's way.
		cfg = cfg.Copy()
		cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		var err error
		if conn, err = connect(ctx, cfg); err != nil {
			return err
		}
		defer closeConn(ctx, conn)
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
		if err != nil {
			return explain(ctx, err, "beginning to read")
		}
		err = inside()
		if end := tx.Rollback(context.WithoutCancel(ctx)); err == nil {
			err = explain(ctx, end, "ending to read")
		}
		return err
	})
}

// session connects, checks the server and calls f.
func (m *Migrator) session(ctx context.Context, f func(srv server, conn *pgx.Conn, cfg *pgx.ConnConfig) error) error {
	if m.err != nil {
		return m.err
	}
	cfg, err := m.parseDSN()
	if err != nil {
		return err
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	srv, err := preflight(ctx, conn, cfg)
	if err != nil {
		return err
	}
	return f(srv, conn, cfg)
}

// ledgerFor creates the ledger unless it is there.
func (m *Migrator) ledgerFor(ctx context.Context, conn *pgx.Conn, s *site) error {
	if s.hasLedger {
		return nil
	}
	return m.withLock(ctx, conn, func() error { return s.ensureLedger(ctx, conn) })
}

func (s *site) where() Where {
	return Where{Database: s.Database, DatabaseSchema: s.schema, Server: s.Version}
}

func newest(applied []Applied) int64 {
	if len(applied) == 0 {
		return 0
	}
	return applied[len(applied)-1].Version
}

// Roles are the role names of this installation: those of the schema's owner, or those
// that Init would create.
func (m *Migrator) Roles(ctx context.Context) (roles Roles, err error) {
	defer problem.Call(&err, "migrate roles")
	err = m.read(ctx, func(s site, _ *pgx.Conn) error {
		roles = s.roles
		return nil
	})
	return roles, err
}
