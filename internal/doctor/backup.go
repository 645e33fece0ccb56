package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// backup keeps what guarded fixes touch, as it was before them. All of one run is in one
// folder: definitions.dump has the definitions of the database as far as the role may
// see it, so that types and functions that the tables need are there; rows-N.dump has the rows, with the values
// of their sequences, of those tables that a fix touches and no earlier one had.
type backup struct {
	how    ApplyOptions
	dir    string          // folder of this run; "" before the first dump
	tools  tools           // what dumps
	tables map[string]bool // whose rows are kept already
	files  int
	reason string // why no backup can be made; "" when it can or has not been tried
}

// before makes sure that what a guarded fix touches is kept, and notes where; or the
// reason why the fix may not be applied. An error means that the session is of no more use.
func (b *backup) before(ctx context.Context, s *session, f Finding, a *Action) error {
	switch {
	case b.how.NoBackup:
		return nil
	case b.how.Backup == "":
		a.Reason = "it wants a backup first: --backup-dir makes one, --no-backup does without"
		return nil
	case b.reason != "":
		a.Reason = b.reason
		return nil
	}
	what, err := s.touched(ctx, f)
	if err != nil {
		return err
	}
	if what.failed != "" { // nothing needs to be kept for a fix that does not run
		a.Outcome, a.Reason = "rolled back", what.failed
		return nil
	}
	if err := b.keep(ctx, s, what.tables, what.all); err != nil {
		if ctx.Err() != nil || s.conn.IsClosed() {
			return problem.Wrap(err, problem.Unavailable, "making a backup")
		}
		b.reason = "no backup could be made (" + err.Error() + "); --no-backup does without"
		a.Reason = b.reason
		return nil
	}
	a.Backup = b.dir
	return nil
}

// keep dumps the definitions, once, and the rows of those tables that are not kept yet;
// all is for every table of the schemas under examination.
func (b *backup) keep(ctx context.Context, s *session, tables []string, all bool) (err error) {
	if b.dir == "" {
		if b.tools, err = s.clients(ctx); err != nil {
			return err
		}
		dir := filepath.Join(b.how.Backup, "doctor-"+strings.Map(fileSafe, s.server.database)+"-"+stamp())
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := b.dump(ctx, s, filepath.Join(dir, "definitions.dump"), append(s.reach(), "--schema-only")...); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "RESTORE.txt"), []byte(fmt.Sprintf(howToRestore, s.server.database)), 0o600); err != nil {
			return err
		}
		b.dir, b.tables = dir, map[string]bool{}
	}
	args := []string{"--data-only"}
	for _, t := range tables {
		if !b.tables[t] {
			args = append(args, "--table="+t)
		}
	}
	if all && !b.tables[""] {
		args, tables = args[:1], []string{""}
		for _, c := range s.scopes {
			args = append(args, "--schema="+pattern(c.Name))
		}
	}
	if len(args) == 1 {
		return nil
	}
	if err := b.dump(ctx, s, filepath.Join(b.dir, fmt.Sprintf("rows-%d.dump", b.files+1)), args...); err != nil {
		return err
	}
	b.files++
	for _, t := range tables {
		b.tables[t] = true
	}
	return nil
}

// dump writes one file, which has its name only when it is whole and on the disk.
func (b *backup) dump(ctx context.Context, s *session, file string, args ...string) error {
	args = append(args, "--format=custom", "--strict-names", "--lock-wait-timeout=2000", "--file="+file+".part")
	if _, err := s.run(ctx, s.server.database, b.tools.dump, args...); err != nil {
		return err
	}
	f, err := os.Open(file + ".part")
	if err != nil {
		return err
	}
	err = f.Sync()
	if end := f.Close(); err == nil {
		err = end
	}
	if err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// pattern makes a name a pattern of pg_dump that matches that name only.
func pattern(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// command runs a client program that needs no connection.
func command(ctx context.Context, program string, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return out, nil
}

// howToRestore goes into every backup; its place is for the name of the database.
const howToRestore = `What guarded fixes of "manito db doctor" touched in database %s, as it was before them.

definitions.dump  the definitions of the database, without rows
rows-N.dump       rows of the tables that were touched, with the values of their sequences

To look at the rows as they were, in a database of their own:

    createdb before_doctor
    pg_restore --section=pre-data --dbname=before_doctor definitions.dump
    pg_restore --dbname=before_doctor rows-1.dump

To bring a table back, rename or empty it in the database first, then:

    pg_restore --data-only --schema=SCHEMA --table=TABLE --dbname=DATABASE rows-1.dump

The definition of a function or an index is printed by:

    pg_restore --file=- definitions.dump
`

// touch is what a fix may change the rows of.
type touch struct {
	tables []string // as patterns for pg_dump
	all    bool     // it could not be found out within the limits: every table counts
	failed string   // why the fix does not run; "" when it does
}

// touched finds the tables whose rows a fix may change: it runs the fix, looks at which
// tables it has locked for more than reading, and takes it back. A fix that cannot run
// inside of a transaction builds or drops an index or cleans a table, and changes no row.
func (s *session) touched(ctx context.Context, f Finding) (what touch, err error) {
	if !f.Fix.Transaction {
		return what, nil
	}
	var locked []uint32
	until := time.Now().Add(cmp.Or(s.opt.Hold, hold))
	err = s.begin(ctx, pgx.ReadWrite, func() error {
		for _, sql := range f.Fix.SQL {
			if unrevocable.MatchString(sql) && !definition.MatchString(sql) {
				what.all = true
				return nil
			}
			if err := s.bound(ctx, until); err != nil {
				return err
			}
			if _, err := s.tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				if ctx.Err() != nil || s.conn.IsClosed() {
					return problem.Wrap(err, problem.Unavailable, "finding out what a fix touches")
				}
				if code := sqlstate(err); code == "55P03" || code == "57014" {
					what.all = true
				} else {
					what.failed = reason(err)
				}
				return nil
			}
		}
		rows, err := s.tx.Query(ctx, `select distinct l.relation from pg_locks l where l.pid = pg_backend_pid() and l.locktype = 'relation'
			and l.database = (select oid from pg_database where datname = current_database()) and l.mode not in ('AccessShareLock', 'RowShareLock')`)
		if err == nil {
			locked, err = pgx.CollectRows(rows, pgx.RowTo[uint32])
		}
		return problem.Wrap(err, problem.Internal, "asking for the locks of a fix")
	})
	if err != nil || what.all || what.failed != "" {
		return what, err
	}
	// Now that it is taken back: what it would have created is not there, and what it would have dropped is.
	err = s.begin(ctx, pgx.ReadOnly, func() error {
		rows, err := s.tx.Query(ctx, `select n.nspname::text, c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where c.oid = any($1::oid[]) and c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2`, locked)
		if err != nil {
			return problem.Wrap(err, problem.Internal, "asking for the tables of a fix")
		}
		what.tables, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
			var schema, name string
			err := r.Scan(&schema, &name)
			return pattern(schema) + "." + pattern(name), err
		})
		return problem.Wrap(err, problem.Internal, "asking for the tables of a fix")
	})
	return what, err
}
