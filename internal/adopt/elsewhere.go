package adopt

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// elsewhere refuses a source of which another Manito in the same database has an
// adoption that did not end: two half copies would be nobody's.
func (s *Source) elsewhere(ctx context.Context, same bool, schema string) error {
	rows, err := s.tx.Query(ctx, `
		select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relname = 'adoption' and c.relkind = 'r' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
			and (select array_agg(a.attname::text) from pg_attribute a where a.attrelid = c.oid) @> '{adoption_id,cluster,schema,status,host,pid}' order by 1`)
	if err != nil {
		return explain(ctx, err, "looking for other adoptions")
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return explain(ctx, err, "looking for other adoptions")
	}
	if same {
		schemas = slices.DeleteFunc(schemas, func(n string) bool { return n == schema })
	}
	for _, n := range schemas {
		var host string
		var pid int32
		err := s.tx.QueryRow(ctx, `select host, pid from `+quote(n, "adoption")+` where cluster = $1 and database = $2 and schema = $3 and status = 'running'`, s.Cluster, s.Database, s.Schema).Scan(&host, &pid)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			continue
		case err != nil:
			return explain(ctx, err, "looking for other adoptions")
		}
		return problem.New(problem.Conflict, "another Manito, in schema %q of the same database, has begun to adopt schema %q (process %d on %s) and has not ended", n, s.Schema, pid, host).
			Fix("end it there: POSTGRES_SCHEMA=%s manito db adopt", n).
			Fix("or give it up there: DELETE FROM %s WHERE status = 'running';", quote(n, "adoption"))
	}
	return nil
}
