package migrate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// errRollback ends a scratch transaction that did its work.
var errRollback = errors.New("roll back")

// scratch makes a schema of a random name, calls f with it, and rolls everything back:
// neither success, failure nor kill -9 leaves a trace. Tables in it are empty and
// nobody else sees them, so concurrent index builds are run as plain ones.
func (m *Migrator) scratch(ctx context.Context, conn *pgx.Conn, live site, f func(s site, tx pgx.Tx) error) error {
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return problem.Wrap(err, problem.Internal, "naming the scratch schema")
	}
	s := live
	s.schema = "manito_scratch_" + hex.EncodeToString(random[:])
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		setup := []string{
			fmt.Sprintf("create schema %s authorization %s", quote(s.schema), quote(s.roles.Owner)),
			s.expand(`grant usage on schema {{schema}} to {{app}}, {{reader}}`),
			fmt.Sprintf("set local search_path to %s", s.searchPath()),
			fmt.Sprintf("set local lock_timeout to '%s'", milliseconds(m.cfg.LockTimeout)),
		}
		for _, d := range s.defaultPrivileges() {
			setup = append(setup, d.sql)
		}
		for _, sql := range setup {
			if _, err := tx.Exec(ctx, sql); err != nil {
				if sqlstate(err) == codePrivilege {
					return problem.New(problem.Denied, "%q may not create a scratch schema in database %q", s.roles.Owner, s.Database).Because(err).
						Fix("GRANT CREATE ON DATABASE %s TO %s;", quote(s.Database), quote(s.roles.Owner))
				}
				return explain(ctx, err, "making a scratch schema")
			}
		}
		if err := f(s, tx); err != nil {
			return err
		}
		return errRollback
	})
	if errors.Is(err, errRollback) {
		return nil
	}
	return err
}

// replay runs one part of a file in a scratch transaction.
func (s *site) replay(ctx context.Context, tx pgx.Tx, f File, direction string) error {
	part := f.Up
	if direction == "down" {
		part = f.Down
	}
	for i, st := range part {
		sql := s.expand(st.SQL)
		if !f.Transaction {
			sql = withoutConcurrently(sql)
		}
		if w := words(sql, 1); len(w) > 0 && w[0] == "VACUUM" {
			continue // an empty table has nothing to clean
		}
		if _, err := tx.Exec(ctx, sql); err != nil {
			at := &statementError{file: f.Name, line: st.Line + lineOffset(sql, err), number: i + 1, err: err}
			if e := stopped(ctx, at); e != nil {
				return e
			}
			return problem.New(problem.Invalid, "migration %s, line %d, failed in a scratch schema", at.file, at.line).Because(err).
				Fix("correct the file")
		}
	}
	_, err := tx.Exec(ctx, s.grantReaderSQL())
	return explain(ctx, err, "granting the views to the reader")
}

// rehearse proves in a scratch schema that the files run up to one version, and then
// down to another when that is lower.
func (m *Migrator) rehearse(ctx context.Context, conn *pgx.Conn, live site, up, down int64) error {
	return m.scratch(ctx, conn, live, func(s site, tx pgx.Tx) error {
		for _, f := range m.files {
			if f.Version <= up {
				if err := s.replay(ctx, tx, f, "up"); err != nil {
					return err
				}
			}
		}
		for i := len(m.files) - 1; i >= 0; i-- {
			if f := m.files[i]; f.Version <= up && f.Version > down {
				if err := s.replay(ctx, tx, f, "down"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
