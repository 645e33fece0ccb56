package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/problem"
)

// Inventory is what stands in the schema, each function called and each index looked at.
type Inventory struct {
	Tables    []TableSize
	Functions []FunctionCall // by signature
	Indexes   []IndexState   // by name
}

// TableSize is a table with its size, which includes its indexes and what is kept outside of its rows.
type TableSize struct {
	Name  string
	Rows  int64 // the planner's estimate; -1 when the table was never analysed
	Bytes int64
}

// FunctionCall says how calling a function ended.
type FunctionCall struct {
	Signature string
	Error     string // empty when it ran
	Unknown   bool   // it is none of this program's and was not called
}

// IndexState says whether an index can be used.
type IndexState struct {
	Name, Table  string
	Valid, Ready bool
	Unique       bool
	Bytes        int64
	Scans        int64 // since the server's statistics were reset
}

// calls has one call of every function of the schema, by signature. Arguments are chosen
// so that the body runs and finds nothing.
var calls = map[string]string{
	"base_name(text)":                                              `select base_name('a/b')`,
	"breaches(integer, integer)":                                   `select * from breaches(0, 0)`,
	"calculate_text_similarity(text, text)":                        `select calculate_text_similarity('a', 'b')`,
	"certainty_word(integer)":                                      `select certainty_word(0)`,
	"dependency_word(integer)":                                     `select dependency_word(0)`,
	"descriptor_name(text)":                                        `select descriptor_name('a b')`,
	"edge_word(integer)":                                           `select edge_word(0)`,
	"edge_words(boolean, bigint[])":                                `select * from edge_words(false, '{}')`,
	"evidence_word(integer)":                                       `select evidence_word(0)`,
	"find_symbol_definitions(text, integer, text)":                 `select * from find_symbol_definitions('a', 0, '')`,
	"find_symbol_references(text, integer, integer)":               `select * from find_symbol_references('a', 0, 1)`,
	"get_dependency_graph(integer, integer, text, text)":           `select * from get_dependency_graph(0, 1)`,
	"global_search(text, integer, integer)":                        `select * from global_search('a', 0, 1)`,
	"import_word(integer)":                                         `select import_word(0)`,
	"key_references(integer, integer, bigint)":                     `select * from key_references(0, 0, 0)`,
	"kind_word(integer)":                                           `select kind_word(0)`,
	"package_word(text)":                                           `select package_word('a/b/')`,
	"qualified_name(text, text)":                                   `select qualified_name('a#', 'b')`,
	"reason_text(integer)":                                         `select reason_text(0)`,
	"references_to(text)":                                          `select * from references_to('')`,
	"refresh_statistics()":                                         `select refresh_statistics()`,
	"search_code_chunks(text, integer, text, text, integer, text)": `select * from search_code_chunks('a', 0, '', '', 1, '')`,
	"search_projects(text, integer)":                               `select * from search_projects('a', 1)`,
	"search_stop_word(text)":                                       `select search_stop_word('a')`,
	"search_words(text)":                                           `select search_words('a')`,
	"severity_word(integer)":                                       `select severity_word(0)`,
	"similar_names(integer, text, integer)":                        `select * from similar_names(0, 'a', 1)`,
	"symbol_keys(text)":                                            `select * from symbol_keys('')`,
	"symbol_places(integer, integer)":                              `select * from symbol_places(0, 0)`,
	"symbol_text(text, text, text, text, bigint)":                  `select symbol_text('', '', '', '', 0)`,
	"symbols_named(text)":                                          `select * from symbols_named('')`,
}

// callTimeout bounds each call, so that a look at the database stays one.
const callTimeout = "5s"

// Inventory looks at every table, calls every function and looks at every index. It
// changes nothing: the calls are made in a transaction that may only read.
func (db *DB) Inventory(ctx context.Context) (inv Inventory, err error) {
	defer problem.Call(&err, "Inventory()")
	inv.Tables, err = query(ctx, db, func(row pgx.CollectableRow) (t TableSize, err error) {
		return t, row.Scan(&t.Name, &t.Rows, &t.Bytes)
	}, `select c.relname, c.reltuples::int8, pg_total_relation_size(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relkind in ('r', 'p') order by 1`, db.cfg.Schema)
	if err != nil {
		return inv, explain(ctx, err, "looking at the tables")
	}
	inv.Indexes, err = query(ctx, db, func(row pgx.CollectableRow) (x IndexState, err error) {
		return x, row.Scan(&x.Name, &x.Table, &x.Valid, &x.Ready, &x.Unique, &x.Bytes, &x.Scans)
	}, `select c.relname, t.relname, i.indisvalid, i.indisready and i.indislive, i.indisunique, pg_relation_size(c.oid), pg_stat_get_numscans(c.oid)
		from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
		where n.nspname = $1 order by 1`, db.cfg.Schema)
	if err != nil {
		return inv, explain(ctx, err, "looking at the indexes")
	}
	inv.Functions, err = query(ctx, db, func(row pgx.CollectableRow) (f FunctionCall, err error) {
		return f, row.Scan(&f.Signature)
	}, `select p.proname || '(' || coalesce((select string_agg(format_type(t.type, null), ', ' order by t.at) from unnest(p.proargtypes) with ordinality t(type, at)), '') || ')'
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = $1 and p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
			and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') order by 1`, db.cfg.Schema)
	if err != nil {
		return inv, explain(ctx, err, "looking at the functions")
	}
	return inv, explain(ctx, db.call(ctx, inv.Functions), "calling the functions")
}

// call calls functions one by one and notes how each call ended.
func (db *DB) call(ctx context.Context, functions []FunctionCall) error {
	conn, err := db.acquire(ctx, db.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	for i := range functions {
		f := &functions[i]
		statement, known := calls[f.Signature]
		if !known {
			f.Unknown = true
			continue
		}
		err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `select set_config('statement_timeout', $1, true), set_config('lock_timeout', '1s', true)`, callTimeout); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, statement)
			return err
		})
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg) && !isBroken(err):
			f.Error = fmt.Sprintf("%s (SQLSTATE %s)", pg.Message, pg.Code)
		case err != nil:
			return err
		}
	}
	return nil
}

// ScanCounts are the recorded scans by status, and the time of the last publication.
type ScanCounts struct {
	ByStatus      map[ScanStatus]int64
	Repositories  int64
	LastPublished time.Time // zero before the first
}

// CountScans counts the recorded scans.
func (db *DB) CountScans(ctx context.Context) (c ScanCounts, err error) {
	defer problem.Call(&err, "CountScans()")
	type counted struct {
		status ScanStatus
		n      int64
	}
	rows, err := query(ctx, db, func(row pgx.CollectableRow) (x counted, err error) { return x, row.Scan(&x.status, &x.n) },
		`select status, count(*) from scan group by 1 order by 1`)
	if err != nil {
		return c, explain(ctx, err, "counting the scans")
	}
	c.ByStatus = map[ScanStatus]int64{}
	for _, r := range rows {
		c.ByStatus[r.status] = r.n
	}
	type totals struct {
		repositories int64
		last         *time.Time
	}
	found, err := query(ctx, db, func(row pgx.CollectableRow) (x totals, err error) { return x, row.Scan(&x.repositories, &x.last) },
		`select (select count(*) from repo), (select max(finished_at) from scan where status = 'published')`)
	if err != nil {
		return c, explain(ctx, err, "counting the repositories")
	}
	if len(found) == 1 {
		c.Repositories = found[0].repositories
		if found[0].last != nil {
			c.LastPublished = *found[0].last
		}
	}
	return c, nil
}
