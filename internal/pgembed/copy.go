//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"manito/internal/problem"
)

// copyRoles makes the old server's roles in the new one, with their passwords (as
// hashed), attributes, settings and memberships.
func copyRoles(ctx context.Context, before, after *pgx.Conn) error {
	// The statements are written by the old server, which knows how to quote.
	rows, err := before.Query(ctx, `
		select 1, format('create role %I', rolname) from pg_roles where rolname !~ '^pg_' and rolname <> current_user
		union all
		select 2, format('alter role %I %s %s %s %s %s %s %s connection limit %s password %L valid until %L', rolname,
			case when rolsuper then 'superuser' else 'nosuperuser' end,
			case when rolinherit then 'inherit' else 'noinherit' end,
			case when rolcreaterole then 'createrole' else 'nocreaterole' end,
			case when rolcreatedb then 'createdb' else 'nocreatedb' end,
			case when rolcanlogin then 'login' else 'nologin' end,
			case when rolreplication then 'replication' else 'noreplication' end,
			case when rolbypassrls then 'bypassrls' else 'nobypassrls' end,
			rolconnlimit, rolpassword, coalesce(rolvaliduntil, 'infinity'))
		from pg_authid where rolname !~ '^pg_' and rolname <> current_user
		union all
		select 3, format('grant %s to %s%s', roleid::regrole, member::regrole, case when admin_option then ' with admin option' else '' end)
		from pg_auth_members where member::regrole::text !~ '^"?pg_'
		order by 1, 2`)
	if err != nil {
		return err
	}
	type statement struct {
		Phase int
		SQL   string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[statement])
	if err != nil {
		return err
	}
	for _, s := range list {
		if _, err := after.Exec(ctx, s.SQL); err != nil {
			verb, _, _ := strings.Cut(s.SQL, " password ") // which stays out of messages
			return fmt.Errorf("%s: %w", verb, err)
		}
	}
	return copySettings(ctx, before, after, "")
}

// copyDatabaseSettings gives a database of the new server the owner, the rights and the
// settings of the old one's.
func copyDatabaseSettings(ctx context.Context, before, after *pgx.Conn, database string) error {
	rows, err := before.Query(ctx, `
		with d as (select datname, datdba, datacl from pg_database where datname = $1)
		select format('alter database %I owner to %s', datname, datdba::regrole) from d
		union all
		select format('revoke all on database %I from public', datname) from d where datacl is not null
		union all
		select format('grant %s on database %I to %s%s', a.privilege_type, d.datname,
			case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
			case when a.is_grantable then ' with grant option' else '' end)
		from d, aclexplode(d.datacl) a`, database)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range list {
		if _, err := after.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return copySettings(ctx, before, after, database)
}

// copySettings copies what ALTER ROLE SET (an empty database) or ALTER DATABASE SET and
// ALTER ROLE IN DATABASE SET have set.
func copySettings(ctx context.Context, before, after *pgx.Conn, database string) error {
	rows, err := before.Query(ctx, `
		select case when s.setrole = 0 then format('alter database %I', d.datname)
			when s.setdatabase = 0 then format('alter role %s', s.setrole::regrole)
			else format('alter role %s in database %I', s.setrole::regrole, d.datname) end,
			split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
		from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) c
		where coalesce(d.datname, '') = $1 order by 1, 2`, database)
	if err != nil {
		return err
	}
	type setting struct{ Who, Name, Value string }
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[setting])
	if err != nil {
		return err
	}
	for _, s := range list {
		// Through the session, whose value is written as a whole: a list such as
		// search_path would need other quotes in ALTER than here.
		if _, err := after.Exec(ctx, "select set_config($1, $2, false)", s.Name, s.Value); err != nil {
			return fmt.Errorf("%s set %s: %w", s.Who, s.Name, err)
		}
		name := pgx.Identifier(strings.Split(s.Name, ".")).Sanitize()
		if _, err := after.Exec(ctx, s.Who+" set "+name+" from current; reset "+name); err != nil {
			return fmt.Errorf("%s set %s: %w", s.Who, s.Name, err)
		}
	}
	return nil
}

// relation is an ordinary table.
type relation struct{ Schema, Name string }

func (r relation) quoted() string { return pgx.Identifier{r.Schema, r.Name}.Sanitize() }

// relations lists the tables of a database that hold rows of their own: no partitioned
// parents, nothing of an extension or of the system.
func relations(ctx context.Context, tx pgx.Tx) ([]relation, error) {
	rows, err := tx.Query(ctx, `
		select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
			and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')
		order by 1, 2`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
}

// readOnly runs f in one snapshot of a database.
func readOnly(ctx context.Context, dsn string, f func(pgx.Tx) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// copyTables fills the tables of a new database, whose schema is there, with the rows
// of the old one's, in one transaction: all or nothing.
func copyTables(ctx context.Context, from, to string) error {
	conn, err := pgx.Connect(ctx, to)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return readOnly(ctx, from, func(before pgx.Tx) error {
		return pgx.BeginFunc(ctx, conn, func(after pgx.Tx) error { return copyRows(ctx, before, after) })
	})
}

func copyRows(ctx context.Context, before, after pgx.Tx) error {
	tables, err := relations(ctx, before)
	if err != nil || len(tables) == 0 {
		return err
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.quoted()
		var there bool
		if err := after.QueryRow(ctx, "select to_regclass($1) is not null", names[i]).Scan(&there); err != nil {
			return err
		}
		if !there {
			return problem.New(problem.Invalid, "the new schema has no table %s, and the old one's rows would be lost", names[i])
		}
	}
	// No triggers and no foreign keys, whose order would matter; the rows have passed
	// them before. Rows that making the schema has left give way.
	if _, err := after.Exec(ctx, "set local session_replication_role = replica"); err != nil {
		return err
	}
	if _, err := after.Exec(ctx, "truncate "+strings.Join(names, ", ")); err != nil {
		return err
	}
	for _, t := range tables {
		if err := copyRelation(ctx, before, after, t); err != nil {
			return fmt.Errorf("table %s: %w", t.quoted(), err)
		}
	}
	if err := copySequences(ctx, before, after); err != nil {
		return err
	}
	rows, err := after.Query(ctx, `select format('refresh materialized view %I.%I', schemaname, matviewname) from pg_matviews`)
	if err != nil {
		return err
	}
	views, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range views {
		if _, err := after.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// copyRelation streams one table as text, the form that all versions share.
func copyRelation(ctx context.Context, before, after pgx.Tx, t relation) error {
	rows, err := before.Query(ctx, `
		select attname from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`, t.quoted())
	if err != nil {
		return err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for i, name := range columns {
		columns[i] = pgx.Identifier{name}.Sanitize()
	}
	what := t.quoted() + " (" + strings.Join(columns, ", ") + ")"
	out, in := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		_, err := before.Conn().PgConn().CopyTo(ctx, in, "copy "+what+" to stdout")
		return errors.Join(err, in.CloseWithError(err))
	})
	g.Go(func() error {
		_, err := after.Conn().PgConn().CopyFrom(ctx, out, "copy "+what+" from stdin")
		return errors.Join(err, out.CloseWithError(err))
	})
	return g.Wait()
}

// copySequences sets the new database's sequences to where the old one's are.
func copySequences(ctx context.Context, before, after pgx.Tx) error {
	rows, err := before.Query(ctx, `
		select schemaname, sequencename, last_value from pg_sequences where last_value is not null order by 1, 2`)
	if err != nil {
		return err
	}
	type sequence struct {
		Schema, Name string
		Last         int64
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sequence])
	if err != nil {
		return err
	}
	for _, s := range list {
		name := pgx.Identifier{s.Schema, s.Name}.Sanitize()
		if _, err := after.Exec(ctx, "select setval($1::text::regclass, $2)", name, s.Last); err != nil {
			return fmt.Errorf("sequence %s: %w", name, err)
		}
	}
	return nil
}

// compare counts the rows of every table in both databases and gathers statistics in
// the new one, which has none.
func compare(ctx context.Context, from, to string) (DatabaseReport, error) {
	want, err := countRows(ctx, from)
	if err != nil {
		return DatabaseReport{}, err
	}
	got, err := countRows(ctx, to)
	if err != nil {
		return DatabaseReport{}, err
	}
	var r DatabaseReport
	for t, n := range want {
		if m, ok := got[t]; !ok || m != n {
			return r, problem.New(problem.Internal, "table %s has %d rows, and %d arrived", t.quoted(), n, m)
		}
		r.Tables++
		r.Rows += n
	}
	conn, err := pgx.Connect(ctx, to)
	if err != nil {
		return r, err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "analyze")
	return r, err
}

func countRows(ctx context.Context, dsn string) (map[relation]int64, error) {
	counts := map[relation]int64{}
	err := readOnly(ctx, dsn, func(tx pgx.Tx) error {
		tables, err := relations(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			var n int64
			if err := tx.QueryRow(ctx, "select count(*) from "+t.quoted()).Scan(&n); err != nil {
				return err
			}
			counts[t] = n
		}
		return nil
	})
	return counts, err
}
