package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// builtIndex is what CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON table names.
type builtIndex struct {
	name  string // as an SQL identifier
	table string // as an SQL identifier
}

// concurrentIndex reads the index and the table from an expanded statement; false when
// it is no concurrent index build.
func concurrentIndex(sql string) (builtIndex, bool) {
	w := words(sql, 0)
	at := slices.Index(w, "EXISTS")
	if len(w) == 0 || w[0] != "CREATE" || !slices.Contains(w, "INDEX") || !slices.Contains(w, "CONCURRENTLY") || at < 0 || at+3 >= len(w) {
		return builtIndex{}, false
	}
	b := builtIndex{name: identifier(w[at+1])}
	rest := w[at+2:]
	if rest[0] != "ON" {
		return builtIndex{}, false
	}
	rest = rest[1:]
	if rest[0] == "ONLY" && len(rest) > 1 {
		rest = rest[1:]
	}
	// schema.table: the last part names it, and the search path has the schema.
	for len(rest) > 2 && rest[1] == "." {
		rest = rest[2:]
	}
	b.table = identifier(rest[0])
	return b, true
}

// identifier is a word of words() as SQL reads it: unquoted ones in lower case.
func identifier(word string) string {
	if strings.HasPrefix(word, `"`) {
		return word
	}
	return quote(strings.ToLower(word))
}

// clearIndex prepares a concurrent build that may have been broken off before. An index
// of that name that is invalid is dropped, concurrently; a valid one is kept when it is
// on the right table, and IF NOT EXISTS then makes the build a no-op.
func (r *run) clearIndex(ctx context.Context, s Statement) error {
	b, ok := concurrentIndex(r.site.expand(s.SQL))
	if !ok {
		return nil
	}
	var valid, right bool
	err := r.session.QueryRowContext(ctx, `
		select i.indisvalid and i.indisready, i.indrelid = to_regclass($2)
		from pg_index i where i.indexrelid = to_regclass($1)`,
		quote(r.site.schema)+"."+b.name, quote(r.site.schema)+"."+b.table).Scan(&valid, &right)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	case !right:
		return problem.New(problem.Conflict, "the index %s exists already, on another table than %s", b.name, b.table).
			Fix("rename or drop it, then run manito db up again")
	case valid:
		return nil
	}
	r.m.cfg.Logger.InfoContext(ctx, "dropping an index that an interrupted build left invalid", "index", b.name)
	_, err = r.session.ExecContext(ctx, "drop index concurrently if exists "+quote(r.site.schema)+"."+b.name)
	return err
}

// InvalidIndex is an index that is maintained or merely there, and not used for reading.
type InvalidIndex struct {
	Name  string `json:"name"`
	Table string `json:"table"`
	// Leftover says that REINDEX CONCURRENTLY left it beside the index that it should
	// replace; it can be dropped.
	Leftover bool `json:"leftover"`
}

// invalidIndexes lists them, except one that the holder of the migration lock is building.
func (s *site) invalidIndexes(ctx context.Context, conn *pgx.Conn) ([]InvalidIndex, error) {
	rows, err := conn.Query(ctx, `
		select i.relname::text, t.relname::text, i.relname ~ '_cc(new|old)\d*$'
		from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
		where i.relnamespace = (select oid from pg_namespace where nspname = $1) and i.relkind = 'i' and not (x.indisvalid and x.indisready)
		  and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.oid)
		order by 1`, s.schema)
	if err != nil {
		return nil, explain(ctx, err, "looking for invalid indexes")
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[InvalidIndex])
	return out, explain(ctx, err, "looking for invalid indexes")
}

// withoutConcurrently makes a statement fit for a transaction: in a schema made a moment
// ago every table is empty and nobody waits for its lock.
func withoutConcurrently(sql string) string {
	var b strings.Builder
	for _, t := range lex(sql) {
		if t.kind == tokenWord && strings.EqualFold(t.text, "concurrently") {
			continue
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// grantReaderSQL lets the reader read every view, and call what views need: functions
// that run with the caller's own rights. A SECURITY DEFINER function is granted by the
// migration that creates it, or not at all. Default privileges cannot say this: to them
// a view is a table. The names hold no quote and no dollar, see checkName.
func (s *site) grantReaderSQL() string {
	return fmt.Sprintf(`do $grant$
declare
	statement text;
begin
	for statement in
		select format('grant select on %%I.%%I to %%I', n.nspname, c.relname, %[2]s)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = %[1]s and c.relkind in ('v', 'm') and pg_has_role(c.relowner, 'USAGE')
		  and not has_table_privilege(%[2]s, c.oid, 'SELECT')
		union all
		select format('grant execute on routine %%I.%%I(%%s) to %%I', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), %[2]s)
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = %[1]s and not p.prosecdef and p.prorettype <> 'trigger'::regtype and pg_has_role(p.proowner, 'USAGE')
		  and not has_function_privilege(%[2]s, p.oid, 'EXECUTE')
		  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
		order by 1
	loop
		execute statement;
	end loop;
end
$grant$`, literal(s.schema), literal(s.roles.Reader))
}
