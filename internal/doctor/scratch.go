package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Names of scratch databases say which session made them: its process number and when
// it began, in microseconds. So the next run knows whose maker is gone.
const scratchPrefix = "manito_doctor_scratch_"

// ending bounds the making and the dropping of a scratch database, which a caller's
// interruption must not leave half done.
const ending = 30 * time.Second

// scratch is a database with the schema of the one under examination and no rows.
type scratch struct {
	name string
	why  string   // why there is none
	s    *session // in it; nil when there is none
}

// copySchema makes a scratch copy. Where it may not or cannot be made, the copy says
// why; an error means that the examination cannot go on.
func (s *session) copySchema(ctx context.Context) (*scratch, error) {
	none := func(format string, args ...any) (*scratch, error) {
		return &scratch{why: fmt.Sprintf(format, args...)}, nil
	}
	c := &scratch{}
	var may bool
	var encoding string
	err := s.begin(ctx, pgx.ReadOnly, func() error {
		return problem.Wrap(s.tx.QueryRow(ctx, `select r.rolsuper or r.rolcreatedb, pg_encoding_to_char(d.encoding),
			$1 || pg_backend_pid() || '_' || (select floor(extract(epoch from a.backend_start) * 1000000)::int8 from pg_stat_activity a where a.pid = pg_backend_pid())
			from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()`, scratchPrefix).Scan(&may, &encoding, &c.name),
			problem.Internal, "asking what a scratch database needs")
	})
	if err != nil {
		return nil, err
	}
	if !may {
		return none("missing right: a scratch copy of the schema needs CREATEDB, which %s has not", s.server.user)
	}
	programs, err := s.clients(ctx)
	if err != nil {
		if ctx.Err() != nil || s.conn.IsClosed() {
			return nil, problem.Wrap(err, problem.KindOf(err), "looking for pg_dump")
		}
		return none("no scratch copy of the schema can be made: %v", err)
	}
	if programs.major != s.server.number/10000 {
		return none("no scratch copy of the schema can be made: pg_dump is of version %d, the server is %s", programs.major, s.server.version)
	}
	// Were it interrupted, nobody would know whether the database came about.
	made, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending)
	defer cancel()
	if _, err := s.conn.Exec(made, "create database "+quote(c.name)+" template template0 encoding "+literal(encoding)+" lc_collate 'C' lc_ctype 'C'", pgx.QueryExecModeSimpleProtocol); err != nil {
		if s.conn.IsClosed() {
			return nil, problem.Wrap(err, problem.Unavailable, "making a scratch database")
		}
		return none("no scratch database can be made: %s", reason(err))
	}
	if err := s.fill(ctx, c, programs); err != nil {
		c.why = "no scratch copy of the schema can be made: " + err.Error()
	}
	if ctx.Err() != nil {
		err := problem.Wrap(context.Cause(ctx), problem.KindOf(ctx.Err()), "the examination was stopped")
		if end := c.drop(ctx, s); end != nil {
			return nil, end
		}
		return nil, err
	}
	return c, nil
}

// abroad are entries of a dump that would act outside of the copy or on later statements.
var abroad = regexp.MustCompile(`(?m)^\d+; \d+ \d+ (EVENT TRIGGER|SUBSCRIPTION|PUBLICATION)\b`)

// fill copies the definitions of everything into a scratch database and connects to it.
func (s *session) fill(ctx context.Context, c *scratch, programs tools) error {
	dir, err := os.MkdirTemp("", "manito-doctor")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, list := filepath.Join(dir, "schema.dump"), filepath.Join(dir, "list")
	plain := []string{"--no-comments", "--no-security-labels", "--no-publications", "--no-subscriptions", "--no-tablespaces"}
	if !s.server.superuser { // others can give nothing away
		plain = append(plain, "--no-owner", "--no-privileges")
	}
	plain = append(plain, s.reach()...)
	if _, err := s.run(ctx, s.server.database, programs.dump, append(plain, "--schema-only", "--format=custom", "--lock-wait-timeout=200", "--file="+file)...); err != nil {
		return err
	}
	entries, err := command(ctx, programs.restore, "--list", file)
	if err != nil {
		return err
	}
	var keep bytes.Buffer
	for line := range bytes.Lines(entries) {
		if !abroad.Match(line) {
			keep.Write(line)
		}
	}
	if err := os.WriteFile(list, keep.Bytes(), 0o600); err != nil {
		return err
	}
	restore := []string{"--exit-on-error", "--use-list=" + list}
	if !s.server.superuser {
		restore = append(restore, "--no-owner", "--no-privileges")
	}
	if _, err := s.run(ctx, c.name, programs.restore, append(restore, file)...); err != nil {
		return err
	}
	cfg := s.conn.Config()
	cfg.Database = c.name
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "set statement_timeout = '"+probeTimeout+"'; set lock_timeout = '"+lockTimeout+"'", pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("%w; %w", err, conn.Close(ctx))
	}
	c.s = &session{opt: s.opt, conn: conn, server: s.server, scopes: s.scopes}
	return nil
}

// try runs a fix in the copy and leaves it there: what comes after it in the plan
// finds it done, as it will when the plan is run.
func (c *scratch) try(ctx context.Context, check Check, f Finding) (string, error) {
	if c.s == nil {
		return "not dry-run: it cannot run inside a transaction, and " + c.why, nil
	}
	for _, sql := range f.Fix.SQL {
		if _, err := c.s.conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			switch {
			case ctx.Err() != nil || c.s.conn.IsClosed():
				return "", problem.Wrap(err, problem.Unavailable, "trying a fix in a scratch database")
			case sqlstate(err) == "42704" || sqlstate(err) == "42P01": // such as an invalid index, which no dump has
				return "not dry-run: it cannot run inside a transaction, and a copy of the schema does not have what it repairs: " + reason(err), nil
			}
			return c.s.failure(err, 5*time.Second, f.Fix.Role), nil
		}
	}
	var after sight
	if err := c.s.begin(ctx, pgx.ReadOnly, func() (err error) {
		after, err = c.s.sees(ctx, check, f.Object)
		return err
	}); err != nil {
		return "", err
	}
	if outcome := verdict(after); outcome != "ok" {
		return outcome, nil
	}
	return "ok on a scratch copy", nil
}

// drop removes the copy, also when the caller's context has ended. It uses a
// connection of its own: an interruption may have taken the other.
func (c *scratch) drop(ctx context.Context, s *session) error {
	if c.s != nil {
		c.s.close(ctx)
		c.s = nil
	}
	if c.name == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.conn.Config())
	if err == nil {
		err = dropScratch(ctx, conn, c.name, s.server.number)
		_ = conn.Close(ctx) // the server notices a closed socket by itself
	}
	if err != nil {
		return problem.New(problem.Unavailable, "the scratch database %s could not be dropped", c.name).Because(err).Fix("DROP DATABASE %s; it holds no rows", c.name)
	}
	c.name = ""
	return nil
}

// dropScratch drops a scratch database with whoever is still in it, such as a client
// program that was interrupted.
func dropScratch(ctx context.Context, conn *pgx.Conn, name string, version int) error {
	force := " with (force)"
	if version < 130000 {
		force = ""
		if _, err := conn.Exec(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name); err != nil {
			return err
		}
	}
	_, err := conn.Exec(ctx, "drop database if exists "+quote(name)+force, pgx.QueryExecModeSimpleProtocol)
	return err
}

// sweep looks for scratch databases whose makers are gone, such as by a kill -9, and
// names them; it drops them when told to.
func (s *session) sweep(ctx context.Context, drop bool) (notes []string, err error) {
	var left []string
	err = s.begin(ctx, pgx.ReadOnly, func() error {
		// Of sessions that this role may not look at only the number is known: they count as the makers.
		rows, err := s.tx.Query(ctx, `select d.datname::text from pg_database d where d.datname ~ ('^' || $1 || '[0-9]{1,9}_[0-9]{1,18}$') and not exists (
			select from pg_stat_activity a where a.pid = split_part(substr(d.datname, length($1) + 1), '_', 1)::int4
			and (a.backend_start is null or floor(extract(epoch from a.backend_start) * 1000000)::int8 = split_part(substr(d.datname, length($1) + 1), '_', 2)::int8)) order by 1`, scratchPrefix)
		if err == nil {
			left, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return problem.Wrap(err, problem.Internal, "looking for scratch databases that were left")
	})
	if err != nil {
		return nil, err
	}
	for _, name := range left {
		if !drop || s.server.recovery {
			notes = append(notes, fmt.Sprintf("the scratch database %s was left by a run that was killed; --plan and --fix remove it", name))
			continue
		}
		if err := dropScratch(ctx, s.conn, name, s.server.number); err != nil {
			if ctx.Err() != nil || s.conn.IsClosed() {
				return nil, problem.Wrap(err, problem.Unavailable, "removing a scratch database that was left")
			}
			notes = append(notes, fmt.Sprintf("the scratch database %s was left by a run that was killed, and could not be removed: %s", name, strings.TrimSpace(reason(err))))
			continue
		}
		notes = append(notes, fmt.Sprintf("removed the scratch database %s, which a run that was killed had left", name))
	}
	return notes, nil
}
